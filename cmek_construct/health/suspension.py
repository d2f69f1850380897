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
from cmek_construct.health.comparing import gone, principals, written_as
from cmek_construct.health.deployed import Deployed
from cmek_construct.policy.principals import DELETED


def is_denial(case: Deployed, statement: Any) -> bool:
    """Whether a statement is the suspension's, perhaps with a role that was deleted."""
    denial = documents.denial(case.entry.settings, case.role_arn)
    was = written_as(case.brake, statement, [denial])
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


def of_the_file(case: Deployed, on: bool) -> list[Statement]:
    """The statements that the next deploy sets."""
    own = case.entry.settings
    policy = (
        documents.trust_policy(own, suspended=on)
        if documents.is_suspended_by_trust(own)
        else documents.key_policy(own, case.role_arn, suspended=on)
    )
    return list(policy["Statement"])


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
    usual = of_the_file(case, on=False)
    rest = kept(case, observed)
    denials = [documents.denial(case.entry.settings, case.role_arn)] if on else []
    role_alone = [one for one in usual if case.role_arn in json.dumps(one)]
    choices = [rest] if on else []
    choices += [list(_mended(case, rest, usual)), list(_mended(case, rest, role_alone))]
    for index, statements in enumerate(choices):
        ours = role_alone if index == len(choices) - 1 else usual
        missing = [] if on else [one for one in ours if not _is_there(case, one, statements)]
        found = [*statements, *missing, *denials]
        # In the order and the words of the template, where it says the same.
        yield of_the_file(case, on) if _same(case, found, of_the_file(case, on)) else found


def _mended(case: Deployed, statements: Sequence[Any], ours: Sequence[Statement]) -> Iterator[Any]:
    """The statements without deleted principals: ours anew, and others without them."""
    for one in statements:
        left = written_as(case.brake, one, ours) or _without_gone(one)
        if left is not None:
            yield left


def _without_gone(statement: Any) -> Any:
    """A statement without principals that match nobody any more; None if it has no other."""
    if not gone(statement):
        return statement
    left = [name for name in principals(statement) if not DELETED.fullmatch(name)]
    kinds = {kind: names for kind, names in statement["Principal"].items() if kind != "AWS"}
    if left:
        kinds["AWS"] = left
    return {**statement, "Principal": kinds} if kinds else None


def _is_there(case: Deployed, one: Statement, statements: Sequence[Any]) -> bool:
    """Whether a statement of ours is there, under its Sid perhaps with other words."""
    return any(
        (isinstance(other, dict) and other.get("Sid") == one["Sid"]) or case.brake.same(one, other)
        for other in statements
    )


def _same(case: Deployed, some: Sequence[Any], others: Sequence[Any]) -> bool:
    """Whether each statement of two policies means what one of the other's does."""
    return len(some) == len(others) and all(
        any(case.brake.same(one, other) for other in those)
        for these, those in ((some, others), (others, some))
        for one in these
    )
