"""The policies of a role and a key: whether they mean what they should, and what it does if not.

What is there against what the last deploy wrote is what somebody did by hand; what that wrote against what the file
says is a file that is ahead of the deploy, or behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from cmek_construct.aws.objects import PermissionsPolicy, Unread
from cmek_construct.checks import printable
from cmek_construct.deployment import documents
from cmek_construct.guide import used_key_denial
from cmek_construct.health import lockout
from cmek_construct.health.comparing import Drift
from cmek_construct.health.deployed import EXTERNAL_ID, ROLE_ARN, Deployed
from cmek_construct.health.entries import said_external_id
from cmek_construct.health.findings import Effect, Finding, not_read, right, said, unknown, wrong
from cmek_construct.health.lockout import is_cut_off, kept
from cmek_construct.policy.principals import gone
from cmek_construct.policy.statements import Kind

EVENTS: Final[Mapping[Kind, Sequence[str]]] = {
    "trust": ("iam:UpdateAssumeRolePolicy",),
    "key": ("kms:PutKeyPolicy",),
    "permissions": (
        *("iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:AttachRolePolicy"),
        *("iam:DetachRolePolicy", "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"),
    ),
}
"""The calls by which a policy is changed."""
_NAMES: Final[Mapping[Kind, tuple[str, str]]] = {
    "trust": ("trust-policy", "trust policy"),
    "key": ("key-policy", "key policy"),
    "permissions": ("permissions", "role's permissions"),
}
_AHEAD: Final[Mapping[Kind, str]] = {
    "trust": "the file's trust policy is not the one that was deployed last",
    "key": "the file's key policy is not the one that was deployed last",
    "permissions": "the role's permissions by the file are not those that were deployed last",
}
_BY_OTHERS: Final = "Run it as somebody whom the key policy still lets do that: a key administrator."
_NO_DEPLOY: Final = "`cdk deploy` does not mend it: CloudFormation sees no change."
_IN_ACCOUNT: Final = "somebody is let in: Pinecone's sessions can do that in your account"


@dataclass(frozen=True)
class Beside:
    """A policy as it is, without the suspension, beside the one that should be there."""

    case: Deployed
    kind: Kind
    there: Sequence[Any]
    wanted: Sequence[Any]
    lost: Sequence[str]
    """Principals of the wanted in whose place unique IDs are."""
    written: Sequence[Any] | None
    """What the last deploy wrote, if the file says something else."""

    @classmethod
    def of(cls, case: Deployed, kind: Kind, observed: Sequence[Any]) -> Beside:
        """What is there beside what the file says: suspended, if so in words that are not ours."""
        where = case.where(kind)
        brakes = where == case.brake
        rest, written = list(observed), case.written(kind)
        if brakes:
            rest, written = kept(case, rest), written and kept(case, written)
        suspended = (
            brakes and bool(case.entry.settings.suspended) and len(rest) == len(observed) and is_cut_off(case, observed)
        )
        wanted = case.wanted(kind, suspended=suspended)
        held = where.days_held(rest) if kind == "key" else None
        if held not in (None, case.entry.settings.protect_used_key or 0):
            # The days have a finding of their own.
            rest, wanted = (_without_days(case, one) for one in (rest, wanted))
            written = written and _without_days(case, written)
        there, lost = where.revived(rest, wanted)
        if suspended or (written is not None and where.drift(written, wanted).is_none):
            written = None
        return cls(case, kind, there, wanted, lost, written)

    @cached_property
    def found(self) -> Drift:
        """How it differs from what the file says."""
        return self.case.where(self.kind).drift(self.there, self.wanted)

    def findings(self, cure: str, within: str = "") -> Iterator[Finding]:
        """What is wrong with it: a finding for each effect; or that it is right.

        Args:
            cure: what to do if somebody changed it.
            within: in which policies it stands, in words.
        """
        found, wanted, where = self.found, self.wanted, self.case.where(self.kind)
        if self.written is not None:
            yield self._ahead(where.drift(self.wanted, self.written))
            found, wanted = where.drift(self.there, self.written), self.written
            cure = f"npx cdk deploy {self.case.entry.name}"
        if not found.is_none:
            yield from self._wrong(found, wanted, cure, within)
        elif self.written is None:
            yield right(f"{self.kind}-policy", f"the {self.kind} policy says what the file says")

    def _ahead(self, deployed: Drift) -> Finding:
        words = deployed.in_words(self.case.entry.settings.account)
        return wrong(
            "file-ahead",
            f"{_AHEAD[self.kind]}: {words}",
            f"npx cdk deploy {self.case.entry.name}\nThat is if the file is meant: git shows who changed it.",
            means="none by itself: the file is ahead of the deploy, and nobody has to have touched anything",
        )

    def _wrong(self, found: Drift, wanted: Sequence[Any], cure: str, within: str) -> Iterator[Finding]:
        taken: list[Effect] = []
        if found.taken:
            taken = [*lockout.locked_out(self.case, self.kind, self.there, wanted)]
        less = [(each, self._taken(found, each)) for each in taken]
        let_in = replace(found, taken=(), denials=()) if taken else found
        parts: list[tuple[Effect | None, Drift]] = [*less]
        if found.given:
            parts.insert(0, (Effect.SOMEBODY_LET_IN, let_in))
        own = self.kind == "permissions"
        about, what = _NAMES[self.kind]
        for effect, part in parts or [(None, found)]:
            if effect is Effect.OWNER_LOCKED_OUT:
                cure = f"{cure}\n{_BY_OTHERS}"
            words = part.in_words(self.case.entry.settings.account)
            if part.is_certain:
                title = f"the {what}{within} {'are' if own else 'is'} not what the file says"
                means = _IN_ACCOUNT if own and effect is Effect.SOMEBODY_LET_IN else ""
                events = EVENTS[self.kind]
                yield wrong(about, f"{title}: {words}", cure, effect, means=means, events=events)
            else:
                title = f"the {what}{within} {'say' if own else 'says'} what the file says"
                yield unknown(about, f"it cannot be told whether {title}: {words}", cure, effect)

    def _taken(self, found: Drift, effect: Effect) -> Drift:
        """What is taken from those who are locked out: of a key, from the role or from others."""
        is_pinecone = effect is Effect.PINECONE_LOCKED_OUT
        own = [one for one in found.taken if (self.case.role_arn in one.principals) is is_pinecone]
        taken = tuple(own) if self.kind == "key" and own else found.taken
        return replace(found, given=(), taken=taken)


def about_trust(case: Deployed) -> Iterator[Finding]:
    """The trust policy of the role."""
    observed, asked = case.statements("trust"), case.entry.settings.external_id
    if isinstance(observed, Unread):
        yield not_read("trust-policy", "the role's trust policy", observed, "iam:GetRole")
        return
    stays, is_known = _external_id(case, observed)
    if stays != asked:
        yield _about_external_id(case, stays, is_known)
        case = case.with_settings(external_id=stays)
    own, beside = case.entry.settings, Beside.of(case, "trust", observed)
    if beside.lost:
        yield wrong(
            "trust-gone",
            f"the trust policy names a deleted role in place of {', '.join(beside.lost)}: Pinecone "
            "made its role again, or somebody typed a wrong name",
            case.put("trust"),
            Effect.PINECONE_LOCKED_OUT,
            means="Pinecone cannot come in from there; nothing is lost",
            events=EVENTS["trust"],
        )
    else:
        yield from about_nobody(beside)
    found = beside.found
    if own.role is not None and not (found.taken or found.doubt):
        more = found.in_words(own.account)
        yours = "the trust policy is yours, and lets Pinecone in"
        yield said("trust-policy", f"{yours}; {more}") if more else right("trust-policy", yours)
        return
    for one in beside.findings(f"{case.put('trust')}\n{_NO_DEPLOY}"):
        # Neither a deploy nor a write of the file's policy, while its external ID is another.
        first = f"First put external_id right in cmek.yaml; then: cmek doctor {case.entry.name}"
        yield one if stays == asked or not one.fails else replace(one, cure=first)


def _external_id(case: Deployed, observed: Sequence[Any]) -> tuple[str | None, bool]:
    """The external ID that stays, and whether a deployed stack says so."""
    if ROLE_ARN in case.outputs:
        return case.outputs.get(EXTERNAL_ID), True
    return said_external_id(observed) or case.entry.settings.external_id, False


def _about_external_id(case: Deployed, stays: str | None, is_known: bool) -> Finding:
    """The file has another external ID than the deployed stack has, which Pinecone stores."""
    own = case.entry.settings.external_id or "missing"
    if is_known:
        back = f"Write  external_id: {stays}  back into" if stays else "Take external_id out of"
        return wrong(
            "external-id",
            f"external_id is {own} in cmek.yaml, but {stays or 'missing'} in the deployed stack",
            f"{back} cmek.yaml (git shows who changed it). Never deploy another one, and change "
            "nothing in AWS: Pinecone stores the deployed one.",
            means="none by itself; the next deploy would lock Pinecone out",
            time="until somebody deploys",
        )
    return unknown(
        "external-id",
        f"external_id is {own} in cmek.yaml, but {stays} in the role's trust policy, and no "
        "deployed stack says which is right",
        f"If git shows that cmek.yaml was changed, write  external_id: {stays}  back into it. Change nothing in AWS "
        f"before you know: Pinecone stores one of the two for good. Then look again: cmek doctor {case.entry.name}",
        Effect.PINECONE_LOCKED_OUT,
    )


def about_key_policy(case: Deployed) -> Iterator[Finding]:
    """The key policy."""
    observed = case.statements("key")
    if isinstance(observed, Unread):
        yield not_read("key-policy", "the key policy", observed, "kms:GetKeyPolicy")
        return
    if case.entry.settings.key is not None:
        yield _about_given_key(case, observed)
        return
    beside = Beside.of(case, "key", observed)
    others = sorted(set(beside.lost) - {case.role_arn})
    if others:
        yield wrong(
            "key-gone",
            f"the key policy names a unique ID in place of {', '.join(others)}: deleted, and perhaps made again",
            f"{case.put('key')}\nIf they are not to come back, take them out of key_admins first: "
            "AWS takes no policy that names somebody who is not there.",
            means="they administer the key no more; Pinecone's use of it goes on",
            events=EVENTS["key"],
        )
    else:
        yield from about_nobody(beside)
    yield from beside.findings(f"{case.put('key')}\n{_NO_DEPLOY}")


def about_used_key(case: Deployed) -> Iterator[Finding]:
    """Whether the key policy holds the key while it is used, as the file says."""
    observed, written = case.statements("key"), case.written("key")
    held = None if isinstance(observed, Unread) else case.where("key").days_held(observed)
    wanted = case.entry.settings.protect_used_key or 0
    if case.entry.settings.key is not None:
        wanted = held or 0
    if held is None or not (wanted or held):  # what cannot be judged, the policy's finding says
        return
    if wanted == held:
        words = f"nobody can disable or delete the key while it was used within {_days(held)}"
        yield right("used-key", f"{words}; whoever may change the policy can end that")
        return
    is_ahead = written is not None and case.where("key").days_held(written) not in (None, wanted)
    yield wrong(
        "used-key",
        "disabling and deleting a used key: denied for "
        f"{_days(wanted)} after its use by the file, for {_days(held)} by the key policy",
        f"npx cdk deploy {case.entry.name}" if is_ahead else f"{case.put('key')}\n{_NO_DEPLOY}",
        events=() if is_ahead else EVENTS["key"],
    )


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"


def _without_days(case: Deployed, statements: Sequence[Any]) -> list[Any]:
    """A key policy without the statement that holds a used key."""
    where = case.where("key")
    held = used_key_denial(where.days_held(statements) or 0)
    return [one for one in statements if not where.same(one, held)]


def about_nobody(beside: Beside, more: str = "") -> Iterator[Finding]:
    """Who is named and is nobody any more."""
    ids = gone(*beside.there)
    if ids:
        words = f"the {beside.kind} policy names {', '.join(ids)}: deleted, and nobody any more"
        yield said(f"{beside.kind}-gone", words + more)


def role_is_gone_from(case: Deployed) -> str | None:
    """The statement of the key policy that names a deleted role in the role's place."""
    observed = case.statements("key")
    if isinstance(observed, Unread) or case.key_arn is None:
        return None
    wanted = documents.role_statements(case.entry.settings, case.role_arn)
    where = case.where("key")
    for one, meant in zip(observed, where.read(observed).statements, strict=True):
        if where.written_as(one, wanted):
            return printable(meant.name)
    return None


def _about_given_key(case: Deployed, observed: Sequence[Any]) -> Finding:
    """The policy of a key of the user's own: in whatever words, it must let the role use it."""
    refused, doubt = lockout.refused(case, case.where("key").read(observed))
    if doubt:
        return unknown(
            "key-policy",
            f"whether your key's policy lets the role use it: {doubt}",
            "Have somebody read that statement who knows IAM.",
        )
    if not refused or role_is_gone_from(case) is not None:
        return right("key-policy", "your key's policy lets the role use it; who else may is not judged here")
    return wrong(
        "key-policy",
        f"your key's policy does not let the role do {' and '.join(refused)}",
        "Add the statements that `npx cdk synth` warns of (cmek-construct:key-policy).",
        Effect.PINECONE_LOCKED_OUT,
        events=EVENTS["key"],
    )


def about_permissions(case: Deployed) -> Iterator[Finding]:
    """What the role may do by itself, beside what the key policy lets it do."""
    observed, own = case.statements("permissions"), case.entry.settings
    if isinstance(observed, Unread):
        action = "iam:ListRolePolicies, iam:ListAttachedRolePolicies, iam:GetPolicyVersion"
        yield not_read("permissions", "the role's permissions", observed, action)
        return
    beside, policies = Beside.of(case, "permissions", observed), case.permissions
    found = beside.found
    if own.role is not None and found.given and not found.taken:
        names = ", ".join(printable(one.name) for one in policies)
        yield said("permissions", f"the role is yours, and has permissions of its own: {names}")
    elif found.is_none:
        customers = len(documents.permissions(own))
        words = f"for {customers} customers" if customers else "none, as it should be"
        yield right("permissions", f"the role's permissions are those of the file ({words})")
    else:
        where, wanted = case.where("permissions"), beside.wanted
        holding = [one for one in policies if not where.drift([*wanted, *one.statements], wanted).is_none]
        names = ", ".join(printable(one.name) for one in holding)
        yield from beside.findings(_without(case, holding), f" (in {names})" if names else "")


def _without(case: Deployed, holding: Sequence[PermissionsPolicy]) -> str:
    """How policies are taken from the role; if none is too much, where what it lacks goes."""
    taken = [
        f"{case.iam('detach-role-policy')} --policy-arn {one.arn}"
        if one.arn
        else f"{case.iam('delete-role-policy')} --policy-name {one.name}"
        for one in holding
    ]
    return "\n".join(taken) or (
        "Attach the policies of the stack to the role again, or write into them what is missing: "
        f"`npx cdk deploy {case.entry.name}` does not mend it, for CloudFormation sees no change."
    )
