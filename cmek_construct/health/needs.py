"""What Pinecone and the owner need of a role and a key, and whom a changed policy locks out.

Locked out is who may not do what the policy that should be there surely lets him do. Only what is
needed counts: a denial of calls without TLS locks nobody out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cmek_construct.deployment import documents
from cmek_construct.guide import (
    ALL_REGIONS,
    ENCRYPT_DECRYPT,
    GRANTS,
    PINECONE_REGIONS,
    ROLE_NAME_PREFIX,
)
from cmek_construct.health.comparing import Where
from cmek_construct.health.deployed import Deployed
from cmek_construct.health.findings import Effect
from cmek_construct.policy import CannotBeJudged, Request, Said, answers
from cmek_construct.policy import Verdict as Answer
from cmek_construct.policy.aws import DIRECT_CALL, EXPANDED, POLICY_KEEPING
from cmek_construct.policy.sentences import as_list


def locked_out(
    case: Deployed, where: Where, there: Iterable[Any], wanted: Iterable[Any]
) -> Iterator[Effect]:
    """Who is locked out by a policy that is not what it should be.

    Args:
        case: the stack.
        where: of the policy.
        there: the statements that are there.
        wanted: those that should be there.
    """
    before, after = (where.read(statements) for statements in (wanted, there))
    for effect, needs in (
        (Effect.PINECONE_LOCKED_OUT, list(_needs(case, where))),
        (Effect.OWNER_LOCKED_OUT, list(_owner_needs(case, where))),
    ):
        try:
            pairs = zip(answers(before, needs), answers(after, needs), strict=True)
        except CannotBeJudged:
            continue
        if any(
            one.verdict is Answer.YES and other.verdict is not Answer.YES for one, other in pairs
        ):
            yield effect


def _needs(case: Deployed, where: Where) -> Iterator[Request]:
    """What Pinecone needs: to assume the role, and the role to use the key."""
    own = case.entry.settings
    if where.kind == "trust":
        every = own.allowed_regions
        context = {**DIRECT_CALL, "sts:ExternalId": own.external_id}
        pinecone = f"arn:aws:iam::{own.pinecone_account_id}:role/{ROLE_NAME_PREFIX}"
        for region in PINECONE_REGIONS if every is ALL_REGIONS else every:
            yield Request(f"{pinecone}{region}", "sts:AssumeRole", None, context, own=True)
        return
    for statement in documents.permissions(own):
        for key_arn in as_list(statement["Resource"]):
            one_key = key_arn.replace("*", "x")
            for action in statement["Action"]:
                yield Request(case.role_arn, action, one_key, DIRECT_CALL)
    for statement in documents.role_statements(own, case.role_arn) if case.key_arn else ():
        for action in statement["Action"]:
            yield from (_use(case, one) for one in EXPANDED.get(action, (action,)))


def _use(case: Deployed, action: str) -> Request:
    """The use of the key by the role."""
    for_aws = {"kms:GrantIsForAWSResource": "true"} if action in GRANTS else {}
    return Request(case.role_arn, action, case.key_arn, {**DIRECT_CALL, **for_aws})


def _owner_needs(case: Deployed, where: Where) -> Iterator[Request]:
    root = f"arn:aws:iam::{case.entry.settings.account}:root"
    for action in POLICY_KEEPING if where.kind == "key" else ():
        yield Request(root, action, case.key_arn, DIRECT_CALL, own=True)


def of_use(case: Deployed, where: Where, there: Iterable[Any]) -> dict[str, Said]:
    """What a policy says to the role that encrypts and decrypts, by action.

    Raises:
        CannotBeJudged: it is too large.
    """
    policy = where.read(there)
    if case.key_arn:
        requests = [_use(case, action) for action in ENCRYPT_DECRYPT]
    else:
        requests = list(_needs(case, where))
    said = answers(policy, requests)
    return {f"{one.action}": answer for one, answer in zip(requests, said, strict=True)}
