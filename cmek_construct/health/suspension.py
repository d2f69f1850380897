"""The suspension: one statement that cuts Pinecone off, seen in whatever words, put in, taken out.

What is to be written then is the policy that the next deploy writes. Where somebody has changed the deployed policy,
those statements are kept: the suspension neither fails for them nor wipes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from cmek_construct.deployment import documents
from cmek_construct.guide import Policy as Document
from cmek_construct.guide import Statement, policy_document
from cmek_construct.health.deployed import Deployed
from cmek_construct.policy.deleted import without_gone


def denial(case: Deployed) -> Statement:
    """The statement."""
    return documents.denial(case.entry.settings, case.role_arn)


def is_denial(case: Deployed, statement: Any) -> bool:
    """Whether a statement is the suspension's, perhaps with a role that was deleted."""
    own = denial(case)
    return case.brake.written_as(statement, [own]) is not None or case.brake.same(statement, own)


def is_suspended(case: Deployed, statements: Sequence[Any]) -> bool:
    """Whether a policy has the suspension."""
    return any(is_denial(case, one) for one in statements)


def is_cut_off(case: Deployed, statements: Sequence[Any]) -> bool:
    """Whether nobody is let in whom the suspension would keep out."""
    return is_suspended(case, statements) or case.brake.drift(statements, [*statements, denial(case)]).is_none


def kept(case: Deployed, observed: Sequence[Any]) -> list[Any]:
    """The statements that are not the suspension's."""
    return [one for one in observed if not is_denial(case, one)]


def to_write(case: Deployed, before: Document, observed: Sequence[Any], on: bool) -> list[Document]:
    """The policies to try, the best first; none where it says already what it is to say.

    AWS refuses a policy that names somebody who was deleted: the later ones name nobody such.

    Args:
        case: the stack.
        before: the policy as it is.
        observed: its statements.
        on: whether Pinecone is to be cut off.
    """
    found = list(_candidates(case, observed, on))
    more = {"Id": before["Id"]} if "Id" in before else {}
    return [] if _same(case, observed, found[0]) else [{**policy_document(*one), **more} for one in found]


def _candidates(case: Deployed, observed: Sequence[Any], on: bool) -> Iterator[list[Any]]:
    usual, goal = (case.wanted(case.brake.kind, suspended=one) for one in (False, on))
    rest, choices = kept(case, observed), list[tuple[list[Any], list[Statement]]]()
    for ours in (usual, [one for one in usual if case.role_arn in json.dumps(one)]):
        # Without deleted principals: ours anew, and others without them.
        mended = (case.brake.written_as(one, ours) or without_gone(one) for one in rest)
        choices.append(([one for one in mended if one is not None], ours))
    for statements, ours in [(rest, usual), *choices] if on else choices:
        found = [*statements, *([denial(case)] if on else _missing(case, ours, statements))]
        # In the order and the words of the template, where it says the same.
        yield goal if _same(case, found, goal) else found


def _missing(case: Deployed, ours: Sequence[Statement], statements: Sequence[Any]) -> list[Statement]:
    """Those of our statements that are not there, under their Sids perhaps with other words."""
    sids = [other.get("Sid") for other in statements if isinstance(other, dict)]
    return [one for one in ours if one["Sid"] not in sids and not case.brake.has(one, statements)]


def _same(case: Deployed, some: Sequence[Any], others: Sequence[Any]) -> bool:
    """Whether each statement of two policies means what one of the other's does."""
    return len(some) == len(others) and all(
        one in those or case.brake.has(one, those) for these, those in ((some, others), (others, some)) for one in these
    )
