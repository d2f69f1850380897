"""The policies of a role and a key: whether they mean what they should, and what it does if not.

There are three of each: what is there, what the last deploy wrote, and what the file says. The
first against the second is what somebody did by hand; the second against the third is a file that
is ahead of the deploy, or behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from cmek_construct.aws.objects import PermissionsPolicy, Unread
from cmek_construct.checks import printable
from cmek_construct.deployment import documents
from cmek_construct.deployment.config import StackSettings
from cmek_construct.guide import Policy, Statement
from cmek_construct.health import needs
from cmek_construct.health.comparing import Drift, Where, gone, in_words, revived, written_as
from cmek_construct.health.deployed import EXTERNAL_ID, ROLE_ARN, Deployed
from cmek_construct.health.entries import said_external_id
from cmek_construct.health.findings import (
    Effect,
    Finding,
    not_read,
    right,
    said,
    unknown,
    wrong,
)
from cmek_construct.health.suspension import is_cut_off, is_denial
from cmek_construct.policy import CannotBeJudged
from cmek_construct.policy import Verdict as Answer

_NO_DEPLOY: Final = "`cdk deploy` does not mend it: CloudFormation sees no change."
_TRUST: Final = ("iam:UpdateAssumeRolePolicy",)
_KEY: Final = ("kms:PutKeyPolicy",)
PERMISSIONS: Final = (
    *("iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:AttachRolePolicy"),
    *("iam:DetachRolePolicy", "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"),
)


@dataclass(frozen=True)
class Beside:
    """A policy as it is, without the suspension, beside one that should be there."""

    where: Where
    what: str
    """In words."""
    there: Sequence[Any]
    wanted: Sequence[Any]
    lost: Sequence[str] = ()
    """Principals of the wanted in whose place unique IDs are."""
    written: Sequence[Any] | None = None
    """What the last deploy wrote."""

    @classmethod
    def of(
        cls,
        case: Deployed,
        where: Where,
        what: str,
        observed: Sequence[Any],
        policy: Callable[..., Policy],
    ) -> Beside:
        """What is there beside what the file says: suspended, if so in words that are not ours."""
        brakes = where == case.brake
        rest = [one for one in observed if not (brakes and is_denial(case, one))]
        suspended = (
            brakes
            and bool(case.entry.settings.suspended)
            and len(rest) == len(observed)
            and is_cut_off(case, observed)
        )
        wanted: list[Statement] = policy(suspended=suspended)["Statement"]
        there, lost = revived(where, rest, wanted)
        written = None if suspended else case.in_template(where.kind)
        if written is not None:
            written = [one for one in written if not (brakes and is_denial(case, one))]
            if where.drift(written, wanted).is_none:
                written = None
        return cls(where, what, there, wanted, lost, written)

    @property
    def found(self) -> Drift:
        """How it differs from what the file says."""
        return self.where.drift(self.there, self.wanted)

    def findings(
        self, case: Deployed, about: str, cure: str, events: Sequence[str]
    ) -> Iterator[Finding]:
        """What is wrong with it: a finding for each effect; or that it is right."""
        found, wanted = self.found, self.wanted
        if found.is_none:
            yield right(about, f"the {self.what} says what the file says")
            return
        if self.written is not None:
            yield self._ahead(case)
            found, wanted = self.where.drift(self.there, self.written), self.written
            if found.is_none:
                return
            cure = f"npx cdk deploy {case.entry.name}"
        yield from self._wrong(case, about, found, wanted, cure, events)

    def _ahead(self, case: Deployed) -> Finding:
        deployed = self.where.drift(self.wanted, self.written or ())
        words = in_words(deployed, case.entry.settings.account)
        return wrong(
            "file-ahead",
            f"the file's {self.what} is not the one that was deployed last: {words}",
            f"npx cdk deploy {case.entry.name}\nThat is if the file is meant: git shows who "
            "changed it.",
            means="none by itself: the file is ahead of the deploy, and nobody has to have touched "
            "anything",
        )

    def _wrong(
        self,
        case: Deployed,
        about: str,
        found: Drift,
        wanted: Sequence[Any],
        cure: str,
        events: Sequence[str],
    ) -> Iterator[Finding]:
        account = case.entry.settings.account
        taken = list(needs.locked_out(case, self.where, self.there, wanted)) if found.taken else []
        parts: list[tuple[Effect | None, Drift]] = [(each, found.less) for each in taken]
        if found.given:
            parts.insert(0, (Effect.SOMEBODY_LET_IN, found.more if taken else found))
        for effect, part in parts or [(None, found)]:
            words = in_words(part, account)
            if part.is_certain:
                title = f"the {self.what} is not what the file says: {words}"
                means = _OF_PERMISSIONS.get(effect, "") if self.where.kind == "permissions" else ""
                yield wrong(about, title, cure, effect, means=means, events=events)
            else:
                title = f"it cannot be told whether the {self.what} says what the file says"
                yield unknown(about, f"{title}: {words}", cure, effect)


_OF_PERMISSIONS: Final[dict[Effect | None, str]] = {
    Effect.SOMEBODY_LET_IN: "somebody is let in: Pinecone's sessions can do that in your account"
}


def of_trust(case: Deployed, observed: Sequence[Any]) -> Beside:
    """The trust policy beside the file's."""
    policy = partial(documents.trust_policy, case.entry.settings)
    return Beside.of(case, case.trust, "trust policy", observed, policy)


def of_key(case: Deployed, observed: Sequence[Any]) -> Beside:
    """The key policy beside the file's."""
    policy = partial(documents.key_policy, case.entry.settings, case.role_arn)
    return Beside.of(case, case.key_policy, "key policy", observed, policy)


def about_external_id(case: Deployed, observed: Sequence[Any]) -> Iterator[Finding]:
    """Whether the file has the external ID that the deployed stack has, which Pinecone stores."""
    own, there = case.entry.settings.external_id, said_external_id(observed)
    known, stays = _stored_id(case)
    if known and stays != own:
        back = f"Write  external_id: {stays}  back into" if stays else "Take external_id out of"
        yield wrong(
            "external-id",
            f"external_id is {own or 'missing'} in cmek.yaml, but {stays or 'missing'} in the "
            "deployed stack",
            f"{back} cmek.yaml (git shows who changed it). Never deploy another one, and change "
            "nothing in AWS: Pinecone stores the deployed one.",
            means="none by itself; the next deploy would lock Pinecone out",
            time="until somebody deploys",
        )
    elif not known and there is not None and there != own:
        yield unknown(
            "external-id",
            f"external_id is {own or 'missing'} in cmek.yaml, but {there} in the role's trust "
            "policy, and no deployed stack says which is right",
            f"If git shows that cmek.yaml was changed, write  external_id: {there}  back into it. "
            "Change nothing in AWS before you know: Pinecone stores one of the two for good. Then "
            f"look again: cmek doctor {case.entry.name}",
            Effect.PINECONE_LOCKED_OUT,
        )


def _stored_id(case: Deployed) -> tuple[bool, str | None]:
    """Whether a deployed stack says what the external ID is, and what it says."""
    return ROLE_ARN in case.outputs, case.outputs.get(EXTERNAL_ID)


def _with_deployed_id(case: Deployed, observed: Sequence[Any]) -> Deployed:
    """The case with the external ID that stays, if the file has another one."""
    own = case.entry.settings
    known, stays = _stored_id(case)
    if not known:
        stays = said_external_id(observed) or own.external_id
    if stays == own.external_id:
        return case
    changed: StackSettings = own.model_copy(update={"external_id": stays})
    return replace(case, entry=replace(case.entry, settings=changed))


def about_trust(case: Deployed, observed: Sequence[Any] | Unread) -> Iterator[Finding]:
    """The trust policy of the role."""
    if isinstance(observed, Unread):
        yield not_read("trust-policy", "the role's trust policy", observed, "iam:GetRole")
        return
    yield from about_external_id(case, observed)
    asked, case = case, _with_deployed_id(case, observed)
    own = case.entry.settings
    beside = of_trust(case, observed)
    if beside.lost:
        yield wrong(
            "trust-gone",
            f"the trust policy names a deleted role in place of {', '.join(beside.lost)}: Pinecone "
            "made its role again, or somebody typed a wrong name",
            case.put_trust_policy,
            Effect.PINECONE_LOCKED_OUT,
            means="Pinecone cannot come in from there; nothing is lost",
            events=_TRUST,
        )
    else:
        yield from _nobody("trust-gone", "trust policy", beside.there)
    found = beside.found
    if own.role is not None and not (found.taken or found.doubt):
        more = in_words(found, own.account)
        yours = "the trust policy is yours, and lets Pinecone in"
        yield said("trust-policy", f"{yours}; {more}") if more else right("trust-policy", yours)
        return
    put = case.put_trust_policy if asked is case else "First put external_id right in the file."
    yield from beside.findings(case, "trust-policy", f"{put}\n{_NO_DEPLOY}", _TRUST)


def about_key_policy(case: Deployed, observed: Sequence[Any] | Unread) -> Iterator[Finding]:
    """The key policy."""
    if isinstance(observed, Unread):
        yield not_read("key-policy", "the key policy", observed, "kms:GetKeyPolicy")
        return
    own = case.entry.settings
    if own.key is not None:
        yield _about_given_key(case, observed)
        return
    beside = of_key(case, observed)
    others = sorted(set(beside.lost) - {case.role_arn})
    if others:
        yield wrong(
            "key-gone",
            f"the key policy names a unique ID in place of {', '.join(others)}: deleted, and "
            "perhaps made again",
            f"{case.put_key_policy}\nIf they are not to come back, take them out of key_admins "
            "first: AWS takes no policy that names somebody who is not there.",
            means="they administer the key no more; Pinecone's use of it goes on",
            events=_KEY,
        )
    else:
        yield from _nobody("key-gone", "key policy", beside.there)
    cure = f"{case.put_key_policy}\n{_NO_DEPLOY}"
    yield from beside.findings(case, "key-policy", cure, _KEY)


def _nobody(about: str, what: str, there: Sequence[Any]) -> Iterator[Finding]:
    """Who is named and is nobody any more."""
    ids = gone(*there)
    if ids:
        yield said(about, f"the {what} names {', '.join(ids)}: deleted, and nobody any more")


def role_is_gone_from(case: Deployed, observed: Sequence[Any] | Unread) -> str | None:
    """The statement of the key policy that names a deleted role in the role's place."""
    if isinstance(observed, Unread) or case.key_arn is None:
        return None
    wanted = documents.role_statements(case.entry.settings, case.role_arn)
    where = case.key_policy
    for one, meant in zip(observed, where.read(observed).statements, strict=True):
        if written_as(where, one, wanted):
            return printable(meant.name)
    return None


def _about_given_key(case: Deployed, observed: Sequence[Any]) -> Finding:
    """The policy of a key of the user's own: in whatever words, it must let the role use it."""
    refused, own = [], case.entry.settings
    try:
        answers = needs.of_use(case, case.key_policy, observed)
    except CannotBeJudged as reason:
        return _doubt(f"there are {reason}")
    for action, one in answers.items():
        if one.verdict is Answer.CANNOT_TELL:
            return _doubt(f"that hangs on {printable(', '.join(one.hangs_on))}")
        if one.verdict is Answer.BY_ACCOUNT and own.role is not None:
            return _doubt("it names only the account, so the role's own permissions decide")
        if one.verdict is not Answer.YES:
            refused.append(action)
    if not refused or role_is_gone_from(case, observed) is not None:
        return right(
            "key-policy", "your key's policy lets the role use it; who else may is not judged here"
        )
    return wrong(
        "key-policy",
        f"your key's policy does not let the role do {' and '.join(refused)}",
        "Add the statements that `npx cdk synth` warns of (cmek-construct:key-policy).",
        Effect.PINECONE_LOCKED_OUT,
        events=_KEY,
    )


def _doubt(doubt: str) -> Finding:
    return unknown(
        "key-policy",
        f"whether your key's policy lets the role use it: {doubt}",
        "Have somebody read that statement who knows IAM.",
    )


def about_permissions(
    case: Deployed, observed: Sequence[PermissionsPolicy] | Unread
) -> Iterator[Finding]:
    """What the role may do by itself, beside what the key policy lets it do."""
    if isinstance(observed, Unread):
        action = "iam:ListRolePolicies, iam:ListAttachedRolePolicies, iam:GetPolicyVersion"
        yield not_read("permissions", "the role's permissions", observed, action)
        return
    own, where = case.entry.settings, Where("permissions")
    by_key = documents.role_permissions(own, case.key_arn) if case.key_arn else []
    wanted = [*documents.permissions(own), *by_key]
    there = [*(one for policy in observed for one in policy.statements), *by_key]
    found = where.drift(there, wanted)
    if own.role is not None and found.given and not found.taken:
        names = ", ".join(printable(one.name) for one in observed)
        yield said("permissions", f"the role is yours, and has permissions of its own: {names}")
        return
    if found.is_none:
        customers = len(wanted) - len(by_key)
        words = f"for {customers} customers" if customers else "none, as it should be"
        yield right("permissions", f"the role's permissions are those of the file ({words})")
        return
    holding = [
        one for one in observed if not where.drift([*wanted, *one.statements], wanted).is_none
    ]
    names = ", ".join(printable(one.name) for one in holding)
    beside = Beside(
        where, "role's permissions" + (f" (in {names})" if names else ""), there, wanted
    )
    yield from beside.findings(case, "permissions", _cure(case, holding), PERMISSIONS)


def _cure(case: Deployed, holding: Sequence[PermissionsPolicy]) -> str:
    detach = [
        f"{case.iam('detach-role-policy')} --policy-arn {one.arn}"
        if one.arn
        else f"{case.iam('delete-role-policy')} --policy-name {one.name}"
        for one in holding
    ]
    return "\n".join(detach) or f"Put the statements back: npx cdk deploy {case.entry.name}"
