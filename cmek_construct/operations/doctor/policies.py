"""The doctor on policies: whether they mean what the file says, and what it does if not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from cmek_construct.checks import printable
from cmek_construct.deployment import documents
from cmek_construct.guide import ENCRYPT_DECRYPT, Policy, Statement
from cmek_construct.operations.deleted import gone, revived, written_as
from cmek_construct.operations.doctor import effects
from cmek_construct.operations.doctor.source import Permissions, Unread
from cmek_construct.operations.doctor.suspension import is_cut_off, is_denial
from cmek_construct.operations.doctor.words import CACHED, NO_HURRY, Case, not_read, right, said
from cmek_construct.operations.drift import Drift, Place, in_words
from cmek_construct.operations.findings import Effect, Finding, Verdict, judged
from cmek_construct.policy import CannotBeJudged, answers
from cmek_construct.policy import Verdict as Answer

_NO_DEPLOY: Final = "`cdk deploy` does not mend it: CloudFormation sees no change."


@dataclass(frozen=True)
class _Beside:
    """A policy as it is, without the suspension, beside the file's."""

    place: Place
    there: list[Any]
    wanted: list[Statement]
    found: Drift
    lost: list[str]
    """Principals of the file's in whose place unique IDs are."""
    effects: tuple[Effect, ...]


def _beside(
    case: Case, place: Place, observed: list[Any], policy: Callable[..., Policy]
) -> _Beside:
    """What is there beside what should be: suspended, if it is so in words that are not ours."""
    brakes = place == case.brake
    rest = [one for one in observed if not (brakes and is_denial(case, one))]
    suspended = (
        brakes
        and bool(case.entry.settings.suspended)
        and len(rest) == len(observed)
        and is_cut_off(case, observed)
    )
    wanted = policy(suspended=suspended)["Statement"]
    there, lost = revived(place, rest, wanted)
    found = place.drift(there, wanted)
    does = effects.of_drift(case, place, found, there, wanted)
    return _Beside(place, there, wanted, found, lost, does)


def about_trust(case: Case, observed: list[Any] | Unread) -> Iterator[Finding]:
    """The trust policy of the role."""
    if isinstance(observed, Unread):
        yield not_read("trust-policy", "the role's trust policy", observed, "iam:GetRole")
        return
    own = case.entry.settings
    beside = _beside(case, case.trust, observed, partial(documents.trust_policy, own))
    if beside.lost:
        yield Finding(
            "trust-gone",
            Verdict.WRONG,
            f"the trust policy names a deleted role in place of {', '.join(beside.lost)}: Pinecone "
            "made its role again, or somebody typed a wrong name",
            case.put_trust_policy,
            means="Pinecone cannot come in from there; nothing is lost",
            time=CACHED,
            effects=(Effect.PINECONE_LOCKED_OUT,),
        )
    else:
        yield from _nobody("trust-gone", "trust policy", beside.there)
    if own.role is not None and not (beside.found.taken or beside.found.doubt):
        more = in_words(beside.found, own.account)
        yield (
            said("trust-policy", f"the trust policy is yours, and lets Pinecone in; {more}")
            if more
            else right("trust-policy", "the trust policy is yours, and lets Pinecone in")
        )
        return
    cure = (
        f"{case.put_trust_policy}\nFind out who did it (CloudTrail, us-east-1: "
        f"UpdateAssumeRolePolicy). {_NO_DEPLOY}"
    )
    yield _judged("trust-policy", "trust policy", case, beside, cure)


def about_key_policy(case: Case, observed: list[Any] | Unread) -> Iterator[Finding]:
    """The key policy."""
    if isinstance(observed, Unread):
        yield not_read("key-policy", "the key policy", observed, "kms:GetKeyPolicy")
        return
    own = case.entry.settings
    if own.key is not None:
        yield _about_given_key(case, observed)
        return
    expected = partial(documents.key_policy, own, case.role_arn)
    beside = _beside(case, case.key_policy, observed, expected)
    others = sorted(set(beside.lost) - {case.role_arn})
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
    else:
        yield from _nobody("key-gone", "key policy", beside.there)
    cure = f"{case.put_key_policy}\nFind out who did it (CloudTrail: PutKeyPolicy). {_NO_DEPLOY}"
    yield _judged("key-policy", "key policy", case, beside, cure)


def _nobody(about: str, what: str, there: list[Any]) -> Iterator[Finding]:
    """Who is named and is nobody any more."""
    ids = gone(*there)
    if ids:
        yield said(about, f"the {what} names {', '.join(ids)}: deleted, and nobody any more")


def _judged(about: str, what: str, case: Case, beside: _Beside, cure: str) -> Finding:
    found = beside.found
    if found.is_none:
        return right(about, f"the {what} says what the file says")
    words = in_words(found, case.entry.settings.account)
    means = effects.means(beside.place, beside.effects)
    if not found.is_certain:
        return Finding(
            about,
            Verdict.UNKNOWN,
            f"it cannot be told whether the {what} says what the file says: {words}",
            cure,
            means="not known: do not take it for healthy"
            + (f"; perhaps {means}" if beside.effects else ""),
            effects=beside.effects,
        )
    return Finding(
        about,
        Verdict.WRONG,
        f"the {what} is not what the file says: {words}",
        cure,
        means=means,
        time=effects.time(beside.effects),
        effects=beside.effects,
    )


def role_is_gone_from(case: Case, observed: list[Any] | Unread) -> str | None:
    """The statement of the key policy that names a deleted role in the role's place."""
    if isinstance(observed, Unread) or case.key_arn is None:
        return None
    wanted = documents.role_statements(case.entry.settings, case.role_arn)
    place = case.key_policy
    for one, meant in zip(observed, place.read(observed).statements, strict=True):
        if written_as(place, one, wanted):
            return printable(meant.name)
    return None


def _about_given_key(case: Case, observed: list[Any]) -> Finding:
    """The policy of a key of the user's own: in whatever words, it must let the role use it."""
    refused, own = [], case.entry.settings
    requests = [effects.use(case, action) for action in ENCRYPT_DECRYPT]
    try:
        said = answers(case.key_policy.read(observed), requests)
    except CannotBeJudged as reason:
        return _doubt(f"there are {reason}")
    for action, one in zip(ENCRYPT_DECRYPT, said, strict=True):
        if one.verdict is Answer.CANNOT_TELL:
            return _doubt(f"that hangs on {printable(', '.join(one.hangs_on))}")
        if one.verdict is Answer.BY_ACCOUNT and own.role is not None:
            return _doubt("it names only the account, so the role's own permissions decide")
        if one.verdict is not Answer.YES:
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
    own, place = case.entry.settings, Place("permissions")
    by_key = documents.role_permissions(own, case.key_arn) if case.key_arn else []
    wanted = [*documents.permissions(own), *by_key]
    there = [*(one for policy in observed for one in policy.statements), *by_key]
    found = place.drift(there, wanted)
    if own.role is not None and found.given and not found.taken:
        names = ", ".join(printable(one.name) for one in observed)
        return said("permissions", f"the role is yours, and has permissions of its own: {names}")
    if found.is_none:
        customers = len(wanted) - len(by_key)
        words = f"for {customers} customers" if customers else "none, as it should be"
        return right("permissions", f"the role's permissions are those of the file ({words})")
    holding = [
        one for one in observed if not place.drift([*wanted, *one.statements], wanted).is_none
    ]
    names = ", ".join(printable(one.name) for one in holding)
    what = "role's permissions" + (f" (in {names})" if names else "")
    does = effects.of_drift(case, place, found, there, wanted)
    beside = _Beside(place, there, wanted, found, [], does)
    return _judged("permissions", what, case, beside, _cure_of_permissions(case, holding))


def _cure_of_permissions(case: Case, holding: Sequence[Permissions]) -> str:
    detach = [
        f"{case.iam('detach-role-policy')} --policy-arn {one.arn}"
        if one.arn
        else f"{case.iam('delete-role-policy')} --policy-name {one.name}"
        for one in holding
    ]
    who = "Find out who did it (CloudTrail, us-east-1: AttachRolePolicy, CreatePolicyVersion)"
    return "\n".join([*detach, f"{who}." if detach else f"{who}, and put the statements back."])
