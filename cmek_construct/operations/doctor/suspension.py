"""Whether a policy suspends Pinecone, in whatever words it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cmek_construct.deployment import documents
from cmek_construct.operations.deleted import written_as
from cmek_construct.operations.doctor.words import Case


def is_denial(case: Case, statement: Any) -> bool:
    """Whether a statement is the suspension's, perhaps with a role that was deleted."""
    denial = documents.denial(case.entry.settings, case.role_arn)
    was = written_as(case.brake, statement, [denial])
    return was is not None or case.brake.same(statement, denial)


def is_suspended(case: Case, statements: Sequence[Any]) -> bool:
    """Whether a policy has the suspension."""
    return any(is_denial(case, one) for one in statements)


def is_cut_off(case: Case, statements: Sequence[Any]) -> bool:
    """Whether nobody is let in whom the suspension would keep out."""
    denial = documents.denial(case.entry.settings, case.role_arn)
    return is_suspended(case, statements) or (
        case.brake.drift(statements, [*statements, denial]).is_none
    )
