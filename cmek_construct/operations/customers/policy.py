"""What the key policy of a customer's key says: of the vendor's role, of the owner, of others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from cmek_construct.checks import printable
from cmek_construct.evaluation import Answer, CannotTell, Request, Result, evaluate
from cmek_construct.guide import ENCRYPT_DECRYPT, EXPANDED, GRANTS, KEY_USE, KeyAccess
from cmek_construct.operations.customers.source import CustomerKeySeen
from cmek_construct.operations.findings import Finding, Verdict, judged

_KEY_USE: Final = [action for one in KEY_USE for action in EXPANDED.get(one, (one,))]
_ACTIONS: Final = {
    KeyAccess.ENCRYPT_DECRYPT: ENCRYPT_DECRYPT,
    KeyAccess.KEY_USER: tuple(dict.fromkeys([*ENCRYPT_DECRYPT, *_KEY_USE, *GRANTS])),
}
_DELETED: Final = ("AROA", "AIDA")
"""How the unique ID begins that AWS leaves in a policy where a role or user was deleted."""
_MANAGING: Final = ("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey")


def about_policy(seen: CustomerKeySeen, role_arn: str, key_access: KeyAccess) -> Iterator[Finding]:
    """All that is right and wrong with the key policy."""
    for action in _ACTIONS[key_access]:
        yield _about_action(seen, role_arn, action)
    yield from _about_more(seen, role_arn, key_access)
    yield _about_root(seen)
    yield _about_others(seen, role_arn)


def _asked(seen: CustomerKeySeen, principal: str, action: str, for_aws: bool) -> Answer:
    """What the key policy says to a request, of which it is known what is sent for certain."""
    account = principal.split(":")[4]
    context = {
        "aws:PrincipalArn": principal,
        "aws:PrincipalAccount": account,
        "aws:PrincipalIsAWSService": "false",
        "aws:SecureTransport": "true",
        "kms:CallerAccount": account,
        "kms:GrantIsForAWSResource": str(for_aws).lower() if action in GRANTS else None,
    }
    return evaluate(seen.policy, Request(principal, action, seen.arn, context))


def _about_action(seen: CustomerKeySeen, role_arn: str, action: str) -> Finding:
    about = action
    how = f"{action} through an AWS service" if action in GRANTS else action
    try:
        answer = _asked(seen, role_arn, action, for_aws=True)
    except CannotTell as doubt:
        return Finding(
            about,
            Verdict.UNKNOWN,
            f"whether the key policy lets the role do {how}: {doubt}",
            "Have somebody read that statement who knows IAM, or write it in plain terms.",
        )
    by = f"statement {_sid(answer)}"
    if answer.by_account:
        by += ", which names the role's whole account"
    if answer.result is Result.ALLOWED:
        return Finding(about, Verdict.RIGHT, f"the key policy lets the role do {how} ({by})")
    if answer.result is Result.DENIED:
        return Finding(
            about,
            Verdict.WRONG,
            f"the key policy denies the role {how} ({by})",
            "Deploy the kit's stack with Suspended=false, or take that statement out.",
        )
    gone = sorted({name for name in _named(seen.policy) if name.startswith(_DELETED)})
    cure = "Add the statements of key-policy.json that name the role."
    if gone:
        cure += (
            f" The policy names one that was deleted ({', '.join(gone)}): if that was the "
            "vendor's, save the policy with the role's ARN again."
        )
    return Finding(about, Verdict.WRONG, f"the key policy does not let the role do {how}", cure)


def _sid(answer: Answer) -> str:
    sid = (answer.statement or {}).get("Sid")
    return f"'{printable(sid)}'" if sid else "without Sid"


def _about_more(seen: CustomerKeySeen, role_arn: str, key_access: KeyAccess) -> Iterator[Finding]:
    """What the role may do beside what it must."""
    other = [one for one in _ACTIONS[KeyAccess.KEY_USER] if one not in _ACTIONS[key_access]]
    more = []
    for action in dict.fromkeys([*other, *_MANAGING, *GRANTS]):
        try:
            if _asked(seen, role_arn, action, for_aws=False).result is Result.ALLOWED:
                more.append(action)
        except CannotTell as doubt:
            words = f"whether the key policy lets the role do more than it must: {doubt}"
            yield Finding("more", Verdict.SAID, words)
            return
    if more:
        words = f"the key policy lets the role do more than it must: {', '.join(more)}"
        yield Finding("more", Verdict.SAID, words)


def _about_root(seen: CustomerKeySeen) -> Finding:
    root = f"arn:{seen.arn.split(':')[1]}:iam::{seen.account}:root"
    try:
        answers = [_asked(seen, root, action, for_aws=False) for action in _MANAGING]
    except CannotTell as doubt:
        words = f"whether the account's root rules the key: {doubt}"
        return Finding("root", Verdict.UNKNOWN, words, "Read that statement yourself.")
    return judged(
        "root",
        all(answer.result is Result.ALLOWED for answer in answers),
        (
            f"the root of account {seen.account} rules the key",
            f"the root of account {seen.account} does not rule the key, so nobody may be able to "
            "manage it",
        ),
        "Add the first statement of key-policy.json, with this account's number; or these are the "
        "metadata of one key and the policy of another.",
    )


def _about_others(seen: CustomerKeySeen, role_arn: str) -> Finding:
    """Who of outside is named in an Allow, whatever the conditions."""
    inside = (f"arn:aws:iam::{seen.account}:", f"arn:aws:sts::{seen.account}:", seen.account)
    others = [
        f"{name} (deleted)" if name.startswith(_DELETED) else name
        for name in dict.fromkeys(_named(seen.policy))
        if not name.startswith(inside) and name != role_arn
    ]
    if not others:
        words = (
            "nobody else outside the customer's account is named in it, but perhaps AWS services"
        )
        return Finding("others", Verdict.RIGHT, words)
    words = f"the key policy also names, perhaps under conditions: {', '.join(others)}"
    return Finding("others", Verdict.SAID, words)


def _named(policy: Any) -> Iterator[str]:
    """The principals of every Allow."""
    statements = policy.get("Statement")
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, dict) or statement.get("Effect") == "Deny":
            continue
        if "NotPrincipal" in statement:
            yield "everybody but some (NotPrincipal)"
        kinds = statement.get("Principal")
        names = kinds.get("AWS", []) if isinstance(kinds, dict) else kinds
        for name in names if isinstance(names, list) else [names]:
            if name is not None:
                yield "everybody (*)" if name == "*" else printable(name)
