"""Whom a policy locks out: by mistake, of what Pinecone and the owner need; or by the suspension.

Locked out is who may not do what the policy that should be there surely lets him do. Only what is needed counts: a
denial of calls without TLS locks nobody out. The suspension is one statement, seen in whatever words, put in, taken
out. What is to be written then is the policy that the next deploy writes. Where somebody has changed the deployed
policy, those statements are kept: the suspension neither fails for them nor wipes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from cmek_construct.checks import printable
from cmek_construct.deployment import documents
from cmek_construct.guide import (
    ALL_REGIONS,
    ENCRYPT_DECRYPT,
    PINECONE_REGIONS,
    ROLE_NAME_PREFIX,
    Statement,
    policy_document,
)
from cmek_construct.guide import Policy as Document
from cmek_construct.health.comparing import use_of
from cmek_construct.health.deployed import Deployed
from cmek_construct.health.findings import Effect
from cmek_construct.policy import CannotBeJudged, Policy, Request, answers
from cmek_construct.policy import Verdict as Answer
from cmek_construct.policy.aws import DIRECT_CALL, EXPANDED, POLICY_KEEPING
from cmek_construct.policy.principals import without_gone
from cmek_construct.policy.sentences import as_list
from cmek_construct.policy.statements import Kind


def locked_out(case: Deployed, kind: Kind, there: Iterable[Any], wanted: Iterable[Any]) -> Iterator[Effect]:
    """Who is locked out by a policy that is not what it should be.

    Args:
        case: the stack.
        kind: of the policy.
        there: the statements that are there.
        wanted: those that should be there.
    """
    before, after = (case.where(kind).read(statements) for statements in (wanted, there))
    root = f"arn:aws:iam::{case.entry.settings.account}:root"
    owner = [use_of(case.key_arn, root, one) for one in POLICY_KEEPING if kind == "key"]
    for effect, needs in ((Effect.PINECONE_LOCKED_OUT, list(_needs(case, kind))), (Effect.OWNER_LOCKED_OUT, owner)):
        try:
            pairs = zip(answers(before, needs), answers(after, needs), strict=True)
        except CannotBeJudged:
            continue
        if any(one.verdict is Answer.YES and other.verdict is not Answer.YES for one, other in pairs):
            yield effect


def _needs(case: Deployed, kind: Kind) -> Iterator[Request]:
    """What Pinecone needs: to assume the role, and the role to use the key."""
    own = case.entry.settings
    if kind == "trust":
        every = own.allowed_regions
        context = {**DIRECT_CALL, "sts:ExternalId": own.external_id}
        pinecone = f"arn:aws:iam::{own.pinecone_account_id}:role/{ROLE_NAME_PREFIX}"
        for region in PINECONE_REGIONS if every is ALL_REGIONS else every:
            yield Request(f"{pinecone}{region}", "sts:AssumeRole", None, context, own=True)
        return
    for statement in documents.permissions(own):
        for key_arn in as_list(statement["Resource"]):
            for action in statement["Action"]:
                yield use_of(key_arn.replace("*", "x"), case.role_arn, action)
    for statement in documents.role_statements(own, case.role_arn) if case.key_arn else ():
        for action in statement["Action"]:
            yield from (use_of(case.key_arn, case.role_arn, one) for one in EXPANDED.get(action, (action,)))


def refused(case: Deployed, policy: Policy) -> tuple[list[str], str]:
    """What a policy does not let the role that encrypts and decrypts do; or why nobody can tell."""
    requests = [use_of(case.key_arn, case.role_arn, action) for action in ENCRYPT_DECRYPT]
    if case.key_arn is None:
        requests = list(_needs(case, policy.kind))
    try:
        said = answers(policy, requests)
    except CannotBeJudged as reason:
        return [], f"there are {reason}"
    both = list(zip(requests, said, strict=True))
    denied = [one.action for one, answer in both if answer.verdict is Answer.NO]
    doubts = [answer for _, answer in both if answer.verdict is Answer.CANNOT_TELL]
    if not denied and doubts:
        return [], f"that hangs on {printable(', '.join(doubts[0].hangs_on))}"
    by_account = [one.action for one, answer in both if answer.verdict is Answer.BY_ACCOUNT]
    if by_account and case.entry.settings.role is not None:
        doubt = "it names only the account, so the role's own permissions decide"
        return denied, "" if denied else doubt
    return list(dict.fromkeys([*denied, *by_account])), ""


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
    return is_suspended(case, statements) or (case.brake.drift(statements, [*statements, denial]).is_none)


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
