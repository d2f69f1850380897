"""The suspension: one statement that cuts Pinecone off, seen in whatever words, put in, taken out.

What is to be written is the policy that the next deploy writes. Where somebody has changed the
deployed policy, those statements are kept: the suspension neither fails for them nor wipes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from cmek_construct.deployment import documents
from cmek_construct.guide import Policy, Statement, policy_document
from cmek_construct.health.deployed import Deployed
from cmek_construct.policy.deleted import without_gone


def is_denial(case: Deployed, statement: Any) -> bool:
    """Whether a statement is the suspension's, perhaps with a role that was deleted."""
    denial = documents.denial(case.entry.settings, case.role_arn)
    was = case.brake.written_as(statement, [denial])
    return was is not None or case.brake.same(statement, denial)


def is_suspended(case: Deployed, statements: Sequence[Any]) -> bool:
    """Whether a policy has the suspension."""
    return any(is_denial(case, one) for one in statements)


def is_cut_off(case: Deployed, statements: Sequence[Any]) -> bool:
    """Whether nobody is let in whom the suspension would keep out."""
    denial = documents.denial(case.entry.settings, case.role_arn)
    return is_suspended(case, statements) or (
        case.brake.drift(statements, [*statements, denial]).is_none
    )


def kept(case: Deployed, observed: Sequence[Any]) -> list[Any]:
    """The statements that are not the suspension's."""
    return [one for one in observed if not is_denial(case, one)]


def to_write(case: Deployed, before: Policy, observed: Sequence[Any], on: bool) -> list[Policy]:
    """The policies to try, the best first; none where it says already what it is to say.

    AWS refuses a policy that names somebody who was deleted: the later ones name nobody such.

    Args:
        case: the stack.
        before: the policy as it is.
        observed: its statements.
        on: whether Pinecone is to be cut off.
    """
    found = list(_candidates(case, observed, on))
    if _same(case, observed, found[0]):
        return []
    more = {"Id": before["Id"]} if "Id" in before else {}
    return [{**policy_document(*one), **more} for one in found]


def _candidates(case: Deployed, observed: Sequence[Any], on: bool) -> Iterator[list[Any]]:
    usual, goal = (case.wanted(case.brake.kind, suspended=one) for one in (False, on))
    rest = kept(case, observed)
    denials = [documents.denial(case.entry.settings, case.role_arn)] if on else []
    role_alone = [one for one in usual if case.role_arn in json.dumps(one)]
    choices = [(rest, usual)] if on else []
    choices += [(list(_mended(case, rest, ours)), ours) for ours in (usual, role_alone)]
    for statements, ours in choices:
        missing = [] if on else [one for one in ours if not _is_there(case, one, statements)]
        found = [*statements, *missing, *denials]
        # In the order and the words of the template, where it says the same.
        yield goal if _same(case, found, goal) else found


def _mended(case: Deployed, statements: Sequence[Any], ours: Sequence[Statement]) -> Iterator[Any]:
    """The statements without deleted principals: ours anew, and others without them."""
    for one in statements:
        left = case.brake.written_as(one, ours) or without_gone(one)
        if left is not None:
            yield left


def _is_there(case: Deployed, one: Statement, statements: Sequence[Any]) -> bool:
    """Whether a statement of ours is there, under its Sid perhaps with other words."""
    named = [other.get("Sid") for other in statements if isinstance(other, dict)]
    return one["Sid"] in named or any(case.brake.same(one, other) for other in statements)


def _same(case: Deployed, some: Sequence[Any], others: Sequence[Any]) -> bool:
    """Whether each statement of two policies means what one of the other's does."""
    return len(some) == len(others) and all(
        one in those or any(case.brake.same(one, other) for other in those)
        for these, those in ((some, others), (others, some))
        for one in these
    )
