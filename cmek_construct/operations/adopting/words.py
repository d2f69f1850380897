"""What the findings of `cmek adopt` have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cmek_construct.deployment import documents
from cmek_construct.deployment.reading import Entry
from cmek_construct.guide import Policy
from cmek_construct.operations.drift import Drift, Place
from cmek_construct.operations.findings import Finding, Verdict


def next_deploy(what: str) -> str:
    """When a difference comes into force."""
    return f"the next deploy that changes the {what} in the template "


def said(about: str, text: str) -> Finding:
    """One that does no harm."""
    return Finding(about, Verdict.SAID, text)


def right(about: str, text: str) -> Finding:
    """One that is the same."""
    return Finding(about, Verdict.RIGHT, text)


def deleted(about: str, what: str, names: list[str]) -> Iterator[Finding]:
    """Who is named in a policy, and is nobody any more."""
    if names:
        yield said(
            f"{about}-gone",
            f"the {what} names {', '.join(names)}, which was deleted and is nobody any more. "
            + next_deploy(what)
            + "leaves it out",
        )


def compared(
    place: Place,
    entry: Entry,
    role_arn: str,
    observed: Sequence[Any],
    policy: Callable[..., Policy],
) -> Drift:
    """How a policy differs from the template's, beneath the suspension if both have it."""
    own = entry.settings
    suspended, denial = bool(own.suspended), documents.denial(own, role_arn)
    rest = [one for one in observed if not (suspended and place.same(one, denial))]
    above = suspended and len(rest) == len(observed)
    return place.drift(rest, policy(suspended=above)["Statement"])
