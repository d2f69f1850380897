"""Holds `cmek_construct.policy` to a policy simulator that knows nothing of this library.

`vocabulary`, `conditions`, `generate`, `holes` and `mutate` make policies; `requests` asks with each policy's own
patterns; `truth` gets the simulator's answers, but where AWS's pages say that it is wrong (`exceptions`); `allowing`
and `differing` compare; `faults` puts mistakes into the module, to see that the comparison finds them.
"""
