"""Who is named in a policy and was deleted: AWS has left a unique ID, which is nobody.

A role that is made again under its old name is not the old one to the policy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from cmek_construct.guide import Statement
from cmek_construct.operations.drift import Place
from cmek_construct.policy import read

GONE: Final = re.compile(r"A(?:RO|ID)A[A-Z0-9]{8,124}")
"""The unique ID that AWS leaves in a policy where a role or user was deleted."""


def principals(statement: Any) -> list[str]:
    """The AWS principals that a statement names."""
    (one,) = read([statement], "trust").statements
    return [each.name for each in one.principals or () if each.kind == "AWS"]


def gone(*statements: Any) -> list[str]:
    """The principals of some statements that have turned into unique IDs."""
    return [name for one in statements for name in principals(one) if GONE.fullmatch(name)]


def written_as(place: Place, observed: Any, ours: Iterable[Statement]) -> Statement | None:
    """The one of our statements that this was, before principals of it were deleted."""
    alive = set(principals(observed)) - set(gone(observed))
    for own in ours if gone(observed) else ():
        before = {**observed, "Principal": own["Principal"]}
        if alive < set(principals(own)) and place.same(before, own):
            return own
    return None


def revived(
    place: Place, observed: Iterable[Any], ours: Sequence[Statement]
) -> tuple[list[Any], list[str]]:
    """The statements as if nobody had been deleted, and who was."""
    left, lost = [], []
    for one in observed:
        own = written_as(place, one, ours)
        left.append(one if own is None else own)
        lost += [name for name in principals(own) if name not in principals(one)]
    return left, list(dict.fromkeys(lost))
