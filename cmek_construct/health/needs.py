"""What Pinecone and the owner need of a role and a key, and whom a changed policy locks out.

Locked out is who may not do what the policy that should be there surely lets him do. Only what is
needed counts: a denial of calls without TLS locks nobody out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cmek_construct.checks import printable
from cmek_construct.deployment import documents
from cmek_construct.guide import (
    ALL_REGIONS,
    ENCRYPT_DECRYPT,
    PINECONE_REGIONS,
    ROLE_NAME_PREFIX,
)
from cmek_construct.health.comparing import use_of
from cmek_construct.health.deployed import Deployed
from cmek_construct.health.findings import Effect
from cmek_construct.policy import CannotBeJudged, Policy, Request, answers
from cmek_construct.policy import Verdict as Answer
from cmek_construct.policy.aws import DIRECT_CALL, EXPANDED, POLICY_KEEPING
from cmek_construct.policy.sentences import as_list
from cmek_construct.policy.statements import Kind


def locked_out(
    case: Deployed, kind: Kind, there: Iterable[Any], wanted: Iterable[Any]
) -> Iterator[Effect]:
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
    for effect, needs in (
        (Effect.PINECONE_LOCKED_OUT, list(_needs(case, kind))),
        (Effect.OWNER_LOCKED_OUT, owner),
    ):
        try:
            pairs = zip(answers(before, needs), answers(after, needs), strict=True)
        except CannotBeJudged:
            continue
        if any(
            one.verdict is Answer.YES and other.verdict is not Answer.YES for one, other in pairs
        ):
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
            yield from (
                use_of(case.key_arn, case.role_arn, one) for one in EXPANDED.get(action, (action,))
            )


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
