"""The suspension: one statement that cuts Pinecone off, seen in whatever words, put in, taken out.

What is to be written then is the policy that the next deploy writes. Where somebody has changed the deployed policy,
those statements are kept: the suspension neither fails for them nor wipes them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cmek_construct.deployment import documents
from cmek_construct.guide import Policy as Document
from cmek_construct.guide import Statement, policy_document
from cmek_construct.health.comparing import Where
from cmek_construct.health.deployed import Deployed
from cmek_construct.policy.principals import without_gone


def denial(case: Deployed) -> Statement:
    return documents.denial(case.entry.settings, case.role_arn)


def is_denial(case: Deployed, statement: Any) -> bool:
    """Whether a statement is the suspension's, perhaps with a role that was deleted."""
    own = denial(case)
    return case.brake.written_as(statement, [own]) is not None or case.brake.same(statement, own)


def is_suspended(case: Deployed, statements: Sequence[Any]) -> bool:
    return any(is_denial(case, one) for one in statements)


def is_cut_off(case: Deployed, statements: Sequence[Any]) -> bool:
    """Whether nobody is let in whom the suspension would keep out."""
    return is_suspended(case, statements) or case.brake.drift(statements, [*statements, denial(case)]).is_none


def kept(case: Deployed, observed: Sequence[Any]) -> list[Any]:
    """The statements that are not the suspension's."""
    return [one for one in observed if not is_denial(case, one)]


def to_write(case: Deployed, before: Document, observed: Sequence[Any], on: bool) -> list[Document]:
    """The policies to try, the best first; none where it says already whether Pinecone is cut off.

    AWS refuses a policy that names somebody who was deleted: the later ones name nobody such.

    Args:
        case: the stack.
        before: the policy as it is.
        observed: its statements.
        on: whether Pinecone is to be cut off.
    """
    where, rest = case.brake, kept(case, observed)
    usual, goal = (case.wanted(where.kind, suspended=one) for one in (False, on))
    of_role = [one for one in usual if case.role_arn in json.dumps(one)]
    found = []
    for ours in (None, of_role) if on else (usual, of_role):
        statements = rest
        if ours is not None:
            # Without deleted principals: ours anew, and others without them.
            mended = (where.written_as(one, ours) or without_gone(one) for one in rest)
            statements = [one for one in mended if one is not None]
        if on:
            statements = [*statements, denial(case)]
        else:
            # Ours may be there under their Sids with other words.
            sids = [one.get("Sid") for one in statements if isinstance(one, dict)]
            missing = (one for one in ours or () if one["Sid"] not in sids and not where.has(one, statements))
            statements = [*statements, *missing]
        # In the order and the words of the template, where it says the same.
        found.append(goal if _same(where, statements, goal) else statements)
    more = {"Id": before["Id"]} if "Id" in before else {}
    return [] if _same(where, observed, found[0]) else [{**policy_document(*one), **more} for one in found]


def _same(where: Where, some: Sequence[Any], others: Sequence[Any]) -> bool:
    """Whether each statement of two policies means what one of the other's does."""
    return len(some) == len(others) and all(
        one in those or where.has(one, those) for these, those in ((some, others), (others, some)) for one in these
    )
