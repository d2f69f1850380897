"""What a policy that is not the file's does: to Pinecone, to the key's owner, to anybody else.

Locked out is who may not do what the file's policy surely lets him do. Only what is needed counts:
a denial of calls without TLS locks nobody out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from cmek_construct.deployment import documents
from cmek_construct.guide import (
    ALL_REGIONS,
    GRANTS,
    PINECONE_REGIONS,
    ROLE_NAME_PREFIX,
)
from cmek_construct.operations.doctor.words import CACHED, NO_HURRY, NOW, Case
from cmek_construct.operations.drift import Drift, Place
from cmek_construct.operations.findings import Effect
from cmek_construct.policy import CannotBeJudged, Request, answers
from cmek_construct.policy import Verdict as Answer
from cmek_construct.policy.aws import DIRECT_CALL, EXPANDED, POLICY_KEEPING
from cmek_construct.policy.sentences import as_list

_MEANS: Final = {
    Effect.SOMEBODY_LET_IN: "somebody is let in: who comes in by that may be able to read all data "
    "of the project that the key encrypts, or to end the key",
    Effect.PINECONE_LOCKED_OUT: "Pinecone is locked out; nothing is lost",
    Effect.OWNER_LOCKED_OUT: "the owner is locked out: if nobody else may replace the key policy, "
    "AWS Support alone can mend it",
}
_OF_PERMISSIONS: Final = {
    Effect.SOMEBODY_LET_IN: "somebody is let in: Pinecone's sessions can do that in your account"
}
_TIME: Final = {
    Effect.SOMEBODY_LET_IN: NOW,
    Effect.PINECONE_LOCKED_OUT: CACHED,
    Effect.OWNER_LOCKED_OUT: "until somebody else changes the key policy",
}


def means(place: Place, effects: Iterable[Effect]) -> str:
    """What they mean for the data."""
    known = {**_MEANS, **(_OF_PERMISSIONS if place.kind == "permissions" else {})}
    return "; ".join(known[one] for one in effects) or (
        "neither is Pinecone or the owner locked out, nor is anybody let in"
    )


def time(effects: Iterable[Effect]) -> str:
    """How long there is."""
    return "; ".join(_TIME[one] for one in effects) or NO_HURRY


def of_drift(
    case: Case, place: Place, found: Drift, there: Iterable[Any], wanted: Iterable[Any]
) -> tuple[Effect, ...]:
    """What it does that a policy is not what it should be.

    Args:
        case: the stack.
        place: of the policy.
        found: how it differs.
        there: the statements that are there.
        wanted: those that should be there.
    """
    effects = [Effect.SOMEBODY_LET_IN] if found.given else []
    before, after = (place.read(statements) for statements in (wanted, there))
    for effect, needs in (
        (Effect.PINECONE_LOCKED_OUT, list(_needs(case, place))),
        (Effect.OWNER_LOCKED_OUT, list(_owner_needs(case, place))),
    ):
        try:
            pairs = zip(answers(before, needs), answers(after, needs), strict=True)
        except CannotBeJudged:
            continue
        if any(
            one.verdict is Answer.YES and other.verdict is not Answer.YES for one, other in pairs
        ):
            effects.append(effect)
    return tuple(effects)


def _needs(case: Case, place: Place) -> Iterator[Request]:
    """What Pinecone needs: to assume the role, and the role to use the key."""
    own = case.entry.settings
    if place.kind == "trust":
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
            yield from (use(case, one) for one in EXPANDED.get(action, (action,)))


def use(case: Case, action: str) -> Request:
    """The use of the key by the role."""
    for_aws = {"kms:GrantIsForAWSResource": "true"} if action in GRANTS else {}
    return Request(case.role_arn, action, case.key_arn, {**DIRECT_CALL, **for_aws})


def _owner_needs(case: Case, place: Place) -> Iterator[Request]:
    root = f"arn:aws:iam::{case.entry.settings.account}:root"
    for action in POLICY_KEEPING if place.kind == "key" else ():
        yield Request(root, action, case.key_arn, DIRECT_CALL, own=True)
