"""The doctor on policies: whether they say what the file says, statement by statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from cmek_construct.checks import printable
from cmek_construct.deployment import documents
from cmek_construct.evaluation import CannotTell, Request, Result, evaluate
from cmek_construct.guide import ENCRYPT_DECRYPT, Statement, policy_document
from cmek_construct.operations.doctor.source import Permissions, Unread
from cmek_construct.operations.doctor.words import (
    CACHED,
    NO_HURRY,
    NOW,
    Case,
    not_read,
    right,
    said,
)
from cmek_construct.operations.drift import (
    Drift,
    differs_in_gone_alone,
    drift,
    in_words,
    lost,
    meaning,
    named,
)
from cmek_construct.operations.findings import Finding, Verdict, judged

_NO_DEPLOY: Final = "`cdk deploy` does not mend it: CloudFormation sees no change."


def is_denial(case: Case, statement: Any) -> bool:
    """Whether it is the statement of the suspension, perhaps with a role that was deleted."""
    denial = documents.denial(case.entry.settings, case.role_arn)
    return meaning(statement) == meaning(denial) or differs_in_gone_alone(denial, statement)


def about_trust(case: Case, observed: list[Any] | Unread) -> Iterator[Finding]:
    """The trust policy of the role."""
    if isinstance(observed, Unread):
        yield not_read("trust-policy", "the role's trust policy", observed, "iam:GetRole")
        return
    own = case.entry.settings
    wanted = documents.trust_policy(own, suspended=False)["Statement"]
    found = drift(wanted, [one for one in observed if not is_denial(case, one)])
    for pair in found.gone:
        yield Finding(
            "trust-gone",
            Verdict.WRONG,
            f"the trust policy names a deleted role in place of {', '.join(lost(pair))}: Pinecone "
            "made its role again, or somebody typed a wrong name",
            case.put_trust_policy,
            means="Pinecone cannot come in from there; nothing is lost",
            time=CACHED,
        )
    if own.role is not None and not (found.missing or found.changed):
        more = in_words(Drift(added=found.added), own.account)
        yield (
            said("trust-policy", f"the trust policy is yours, and lets Pinecone in; {more}")
            if (more)
            else right("trust-policy", "the trust policy is yours, and lets Pinecone in")
        )
        return
    opened = bool(found.added or found.changed)
    yield _judged_drift(
        "trust-policy",
        "trust policy",
        found,
        case,
        means="whoever it lets in by that can read all data of the project that the key encrypts"
        if opened
        else "Pinecone cannot come in; nothing is lost",
        time=NOW if opened else CACHED,
        cure=f"{case.put_trust_policy}\nFind out who did it (CloudTrail, us-east-1: "
        f"UpdateAssumeRolePolicy). {_NO_DEPLOY}",
    )


def about_key_policy(case: Case, observed: list[Any] | Unread) -> Iterator[Finding]:
    """The key policy."""
    if isinstance(observed, Unread):
        yield not_read("key-policy", "the key policy", observed, "kms:GetKeyPolicy")
        return
    own = case.entry.settings
    if own.key is not None:
        yield _about_given_key(case, observed)
        return
    rest = [one for one in observed if not is_denial(case, one)]
    wanted = documents.key_policy(own, case.role_arn, suspended=False)["Statement"]
    found = drift(wanted, rest)
    others = sorted({name for pair in found.gone for name in lost(pair)} - {case.role_arn})
    if others:
        yield Finding(
            "key-gone",
            Verdict.WRONG,
            f"the key policy names a unique ID in place of {', '.join(others)}: deleted, and "
            "perhaps made again",
            f"{case.put_key_policy}\nIf they are not to come back, take them out of key_admins "
            "first: AWS takes no policy that names somebody who is not there.",
            means="they administer the key no more; Pinecone's use of it goes on",
            time=NO_HURRY,
        )
    opened = bool(found.added or found.changed)
    yield _judged_drift(
        "key-policy",
        "key policy",
        found,
        case,
        means="whoever it names may be able to read the data, or to end it"
        if opened
        else "somebody who should be able to use or rule the key is not; nothing is lost",
        time=NOW if opened else CACHED,
        cure=f"{case.put_key_policy}\nFind out who did it (CloudTrail: PutKeyPolicy). {_NO_DEPLOY}",
    )


def _judged_drift(
    about: str, what: str, found: Drift, case: Case, *, means: str, time: str, cure: str
) -> Finding:
    if found.is_none:
        return right(about, f"the {what} says what the file says")
    return Finding(
        about,
        Verdict.WRONG,
        f"the {what} is not what the file says: {in_words(found, case.entry.settings.account)}",
        cure,
        means=means,
        time=time,
    )


def role_is_gone_from(case: Case, observed: list[Any] | Unread) -> str | None:
    """The Sid of a statement of the key policy that names a deleted role in the role's place."""
    if isinstance(observed, Unread) or case.key_arn is None:
        return None
    wanted = documents.role_statements(case.entry.settings, case.role_arn)
    for one in observed:
        if any(differs_in_gone_alone(statement, one) for statement in wanted):
            return named(one)
    return None


def _about_given_key(case: Case, observed: list[Any]) -> Finding:
    """The policy of a key of the user's own: in whatever words, it must let the role use it."""
    refused, own = [], case.entry.settings
    for action in ENCRYPT_DECRYPT:
        context = {
            "aws:PrincipalArn": case.role_arn,
            "aws:PrincipalAccount": own.account,
            "aws:PrincipalIsAWSService": "false",
            "aws:SecureTransport": "true",
            "kms:CallerAccount": own.account,
        }
        try:
            request = Request(case.role_arn, action, case.key_arn, context)
            answer = evaluate(policy_document(*observed), request)
        except CannotTell as doubt:
            return _doubt(str(doubt))
        if answer.by_account and own.role is not None:
            return _doubt("it names only the account, so the role's own permissions decide")
        if answer.result is not Result.ALLOWED or answer.by_account:
            refused.append(action)
    return judged(
        "key-policy",
        not refused or role_is_gone_from(case, observed) is not None,
        (
            "your key's policy lets the role use it; who else may is not judged here",
            f"your key's policy does not let the role do {' and '.join(refused)}",
        ),
        "Add the statements that `npx cdk synth` warns of (cmek-construct:key-policy).",
    )


def _doubt(doubt: str) -> Finding:
    return Finding(
        "key-policy",
        Verdict.UNKNOWN,
        f"whether your key's policy lets the role use it: {doubt}",
        "Have somebody read that statement who knows IAM.",
        means="not known: do not take it for healthy",
    )


def about_permissions(case: Case, observed: list[Permissions] | Unread) -> Finding:
    """What the role may do by itself, beside what the key policy lets it do."""
    if isinstance(observed, Unread):
        action = "iam:ListRolePolicies, iam:ListAttachedRolePolicies, iam:GetPolicyVersion"
        return not_read("permissions", "the role's permissions", observed, action)
    wanted = documents.permissions(case.entry.settings)
    found = drift(wanted, [one for policy in observed for one in policy.statements])
    if case.entry.settings.role is not None and found.added and not found.missing:
        names = ", ".join(printable(one.name) for one in observed)
        return said("permissions", f"the role is yours, and has permissions of its own: {names}")
    if found.is_none:
        words = f"for {len(wanted)} customers" if wanted else "none, as it should be"
        return right("permissions", f"the role's permissions are those of the file ({words})")
    holding = _policies_with(found.added, observed)
    return Finding(
        "permissions",
        Verdict.WRONG,
        "the role's permissions are not those of the file: "
        f"{in_words(found, case.entry.settings.account)}"
        + (f" (in {', '.join(printable(one.name) for one in holding)})" if holding else ""),
        _cure_of_permissions(case, holding),
        means="Pinecone's sessions can do that in your account"
        if found.added or found.changed
        else "projects with these customers' keys cannot be read; nothing is lost",
        time=NOW if found.added or found.changed else CACHED,
    )


def _policies_with(
    statements: Sequence[Statement], observed: Sequence[Permissions]
) -> list[Permissions]:
    meanings = {meaning(one) for one in statements}
    return [one for one in observed if meanings & set(map(meaning, one.statements))]


def _cure_of_permissions(case: Case, holding: Sequence[Permissions]) -> str:
    detach = [
        f"{case.iam('detach-role-policy')} --policy-arn {one.arn}"
        if one.arn
        else f"{case.iam('delete-role-policy')} --policy-name {one.name}"
        for one in holding
    ]
    who = "Find out who did it (CloudTrail, us-east-1: AttachRolePolicy, CreatePolicyVersion)"
    return "\n".join([*detach, f"{who}." if detach else f"{who}, and put the statements back."])
