"""Holds `cmek_construct.policy` to a policy simulator that knows nothing of this library.

`vocabulary`, `conditions`, `generate`, `holes` and `mutate` make policies; `requests` asks with each policy's own
patterns; `truth` gets the simulator's answers, but where AWS's pages say that it is wrong (`exceptions`); `allowing`
and `differing` compare; `faults` puts mistakes into the module, to see that the comparison finds them.
"""

from __future__ import annotations

from cmek_construct.policy import Policy, Request, Said, answers


def allows(policy: Policy, request: Request) -> Said:
    """What a policy says to one request."""
    (found,) = answers(policy, [request])
    return found
