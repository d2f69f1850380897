"""What the key policy of a customer's key says: of the vendor's role, of the owner, of others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cmek_construct import guide, policy
from cmek_construct.checks import printable
from cmek_construct.guide import ENCRYPT_DECRYPT, GRANTS, KEY_USE, KeyAccess
from cmek_construct.health.findings import Effect, Finding, Verdict, judged
from cmek_construct.policy import Request, Said, Witness
from cmek_construct.policy.aws import EXPANDED, RULING
from cmek_construct.policy.principals import DELETED

ANY_KEY_ARN: Final = re.compile(
    r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:"
    r"((?P<key>key)/[A-Za-z0-9-]{1,64}|alias/[A-Za-z0-9/_-]{1,250})"
)
"""The ARN of a key or of an alias, in any partition."""
_KEY_USE: Final = [action for one in KEY_USE for action in EXPANDED.get(one, (one,))]
_ACTIONS: Final = {
    KeyAccess.ENCRYPT_DECRYPT: ENCRYPT_DECRYPT,
    KeyAccess.KEY_USER: tuple(dict.fromkeys([*ENCRYPT_DECRYPT, *_KEY_USE, *GRANTS])),
}
_EVERYBODY: Final = "everybody (*)"
_MOST_ACTIONS: Final = 12


@dataclass(frozen=True)
class CustomerKeySeen:
    """A key as KMS shows it."""

    source: str
    """Where this was read, in words."""
    arn: str
    metadata: Mapping[str, Any]
    """KMS's ``KeyMetadata``."""
    policy: Mapping[str, Any]

    @property
    def account(self) -> str:
        """The account that owns the key."""
        return self.arn.split(":")[4]


def about_policy(seen: CustomerKeySeen, role_arn: str, key_access: KeyAccess) -> Iterator[Finding]:
    """All that is right and wrong with the key policy."""
    own = policy.read(seen.policy, "key", resource=seen.arn)
    limit = policy.read(
        guide.key_policy(seen.account, role_arn, key_access), "key", resource=seen.arn
    )
    actions = _ACTIONS[key_access]
    root = f"arn:{seen.arn.split(':')[1]}:iam::{seen.account}:root"
    requests = [_request(role_arn, one) for one in actions]
    try:
        said = policy.answers(own, [*requests, *(_request(root, one) for one in RULING)])
        more = policy.beyond(own, limit, role_arn)
        others = policy.beyond(own, limit)
    except policy.CannotBeJudged as reason:
        yield Finding(
            "policy",
            Verdict.UNKNOWN,
            f"the key policy cannot be judged: {reason}",
            "Have somebody read it who knows IAM, or write it in plain terms.",
        )
        return
    deleted = list(dict.fromkeys(_deleted(own)))
    for action, answer in zip(actions, said, strict=False):
        yield _about_action(action, answer, deleted)
    yield from _about_more(more)
    yield _about_root(seen.account, said[len(actions) :])
    yield _about_others(others, deleted, seen.account, role_arn)


def _request(principal: str, action: str) -> Request:
    """A request of which it is known what is sent for certain."""
    for_aws = "true" if action in GRANTS else None
    context = {"aws:SecureTransport": "true", "kms:GrantIsForAWSResource": for_aws}
    return Request(principal, action, context=context)


def _about_action(action: str, said: Said, deleted: list[str]) -> Finding:
    how = f"{action} through an AWS service" if action in GRANTS else action
    by = printable(said.statement.name) if said.statement else "no statement"
    if said.verdict is policy.Verdict.CANNOT_TELL:
        return Finding(
            action,
            Verdict.UNKNOWN,
            f"whether the key policy lets the role do {how}: {by} hangs on {_unknown(said)}",
            "Have somebody read that statement who knows IAM, or write it in plain terms.",
        )
    if said.verdict is policy.Verdict.BY_ACCOUNT:
        by += ", which names the role's whole account"
    if said.verdict is not policy.Verdict.NO:
        return Finding(action, Verdict.RIGHT, f"the key policy lets the role do {how} ({by})")
    if said.statement:
        return Finding(
            action,
            Verdict.WRONG,
            f"the key policy denies the role {how} ({by})",
            "Deploy the kit's stack with Suspended=false, or take that statement out.",
            effect=Effect.PINECONE_LOCKED_OUT,
        )
    cure = "Add the statements of key-policy.json that name the role."
    if deleted:
        cure += (
            f" The policy names one that was deleted ({', '.join(deleted)}): if that was the "
            "vendor's, save the policy with the role's ARN again."
        )
    words = f"the key policy does not let the role do {how}"
    return Finding(action, Verdict.WRONG, words, cure, effect=Effect.PINECONE_LOCKED_OUT)


def _unknown(said: Said | Witness) -> str:
    return printable(", ".join(said.hangs_on))


def _about_more(more: list[Witness]) -> Iterator[Finding]:
    """What the role may do beside what it must."""
    for sure, may in ((True, "lets the role do"), (False, "perhaps lets the role do")):
        found = [_done(one) for one in more if one.certain is sure]
        if found:
            words = f"the key policy {may} more than it must: {', '.join(dict.fromkeys(found))}"
            yield Finding("more", Verdict.SAID, words)


def _done(one: Witness) -> str:
    """What is done: of many actions as the statement writes them."""
    written = one.statement.actions or ("whatever it means",)
    short = one.actions if len(one.actions) <= _MOST_ACTIONS else written
    by = f" (by {one.statement.name})" if short is written else ""
    return printable(", ".join(short) + by)


def _about_root(account: str, said: list[Said]) -> Finding:
    doubts = [one for one in said if one.verdict is policy.Verdict.CANNOT_TELL]
    if doubts:
        words = f"whether the account's root rules the key hangs on {_unknown(doubts[0])}"
        return Finding("root", Verdict.UNKNOWN, words, "Read that statement yourself.")
    return judged(
        "root",
        all(one.verdict is policy.Verdict.YES for one in said),
        (
            f"the root of account {account} rules the key",
            f"the root of account {account} does not rule the key, so nobody may be able to "
            "manage it",
        ),
        "Add the first statement of key-policy.json, with this account's number; or these are the "
        "metadata of one key and the policy of another.",
        Effect.OWNER_LOCKED_OUT,
    )


def _about_others(found: list[Witness], deleted: list[str], account: str, role_arn: str) -> Finding:
    """Who of outside may do anything, under whatever conditions."""
    inside = re.compile(rf"arn:aws[a-z-]*:(iam|sts)::{account}:.*|{account}")
    others = [f"{one} (deleted)" for one in deleted]
    for witness in found:
        outside = [
            one for one in witness.principals if one != role_arn and not inside.fullmatch(one)
        ]
        others += _called(witness, outside) if outside else []
    if not others:
        return Finding(
            "others", Verdict.RIGHT, "nobody else outside the customer's account may do anything"
        )
    words = ", ".join(map(printable, dict.fromkeys(others)))
    return Finding(
        "others", Verdict.SAID, f"the key policy also names, perhaps under conditions: {words}"
    )


def _called(witness: Witness, outside: list[str]) -> list[str]:
    """Who is let in: by the names of the statement, where it has such."""
    one = witness.statement
    if one.unreadable:
        return [f"perhaps somebody ({one.unreadable[0]} cannot be read)"]
    if one.not_principals is not None:
        return ["everybody but some (NotPrincipal)"]
    named = {principal.name for principal in one.principals or ()}
    return [_EVERYBODY] if "*" in named and not named & set(outside) else outside


def _deleted(own: policy.Policy) -> Iterator[str]:
    """Those who were deleted and are still named in an Allow."""
    for statement in own.statements:
        for one in statement.principals or () if statement.effect != "Deny" else ():
            if DELETED.fullmatch(one.name):
                yield printable(one.name)
