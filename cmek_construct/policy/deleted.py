"""Who is named in a statement and was deleted: AWS leaves a unique ID there, which is nobody.

A role that is made again under its old name is not the one that a policy named.
"""

from __future__ import annotations

from typing import Any

from cmek_construct.guide import Statement
from cmek_construct.policy.principals import DELETED
from cmek_construct.policy.statements import read


def named(statement: Any) -> list[str]:
    """The AWS principals that a statement names."""
    (one,) = read([statement], "trust").statements
    return [each.name for each in one.principals or () if each.kind == "AWS"]


def gone(*statements: Any) -> list[str]:
    """Those of them that are unique IDs."""
    return [name for one in statements for name in named(one) if DELETED.fullmatch(name)]


def naming_as(statement: Any, other: Statement) -> Any:
    """A statement, with the principals that another one names."""
    return {**statement, "Principal": other["Principal"]}


def without_gone(statement: Any) -> Any:
    """A statement without those who were deleted; None if it names nobody else."""
    lost = gone(statement)
    if not lost:
        return statement
    left = [name for name in named(statement) if name not in lost]
    kinds = {kind: names for kind, names in statement["Principal"].items() if kind != "AWS"}
    kinds |= {"AWS": left} if left else {}
    return {**statement, "Principal": kinds} if kinds else None
