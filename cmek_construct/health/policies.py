"""The policies of a role and a key: whether they mean what they should, and what it does if not.

What is there against what the last deploy wrote is what somebody did by hand; what that wrote against what the file
says is a file that is ahead of the deploy, or behind it. Locked out is who may not do what the policy that should be
there surely lets him do. Only what is needed counts: a denial of calls without TLS locks nobody out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, NamedTuple

from cmek_construct.aws.objects import Unread
from cmek_construct.checks import printable
from cmek_construct.deployment import documents
from cmek_construct.guide import ALL_REGIONS, ENCRYPT_DECRYPT, PINECONE_REGIONS, ROLE_NAME_PREFIX
from cmek_construct.health.comparing import Drift, use_of
from cmek_construct.health.deployed import EXTERNAL_ID, ROLE_ARN, Deployed
from cmek_construct.health.entries import said_external_id
from cmek_construct.health.findings import Effect, Finding, not_read, right, said, unknown, wrong
from cmek_construct.health.suspension import is_cut_off, kept
from cmek_construct.policy import CannotBeJudged, Policy, Request, answers
from cmek_construct.policy import Verdict as Answer
from cmek_construct.policy.aws import DIRECT_CALL, EXPANDED, POLICY_KEEPING
from cmek_construct.policy.deleted import gone
from cmek_construct.policy.sentences import as_list
from cmek_construct.policy.statements import Kind


class _Of(NamedTuple):
    """What is said of a kind of policy."""

    about: str
    what: str
    verb: str
    reads: str
    """The actions that read it."""
    events: Sequence[str]
    """The calls by which it is changed."""


KINDS: Final[Mapping[Kind, _Of]] = {
    "trust": _Of("trust-policy", "trust policy", "is", "iam:GetRole", ["iam:UpdateAssumeRolePolicy"]),
    "key": _Of("key-policy", "key policy", "is", "kms:GetKeyPolicy", ["kms:PutKeyPolicy"]),
    "permissions": _Of(
        *("permissions", "role's permissions", "are"),
        "iam:ListRolePolicies, iam:ListAttachedRolePolicies, iam:GetPolicyVersion",
        [
            *("iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:AttachRolePolicy"),
            *("iam:DetachRolePolicy", "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"),
        ],
    ),
}
_NO_DEPLOY: Final = "`cdk deploy` does not mend it: CloudFormation sees no change."


@dataclass(frozen=True)
class Beside:
    """A policy as it is beside the one that the file says, both without what has a finding of its own."""

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
        own, where, written, suspended = case.entry.settings, case.where(kind), case.written(kind), False
        there = list(observed)
        if where == case.brake:
            there, written = kept(case, there), written and kept(case, written)
            suspended = bool(own.suspended) and len(there) == len(observed) and is_cut_off(case, observed)
        wanted = case.wanted(kind, suspended=suspended)
        if kind == "key" and where.days_held(there) not in (None, own.protect_used_key or 0):
            there, wanted, written = where.not_held(there), where.not_held(wanted), written and where.not_held(written)
        there, lost = where.revived(there, wanted)
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
        about, what, verb, _, events = KINDS[self.kind]
        account, where = self.case.entry.settings.account, self.case.where(self.kind)
        found, wanted = self.found, self.wanted
        if self.written is not None:
            deploy = f"npx cdk deploy {self.case.entry.name}"
            words = where.drift(self.wanted, self.written).in_words(account)
            words = f"the {what} by the file {verb} not what was deployed last: {words}"
            means = "none by itself: the file is ahead of the deploy, and nobody has to have touched anything"
            meant = f"{deploy}\nThat is if the file is meant: git shows who changed it."
            yield wrong("file-ahead", words, meant, means=means)
            found, wanted, cure = where.drift(self.there, self.written), self.written, deploy
        elif found.is_none:
            yield right(about, f"the {what} says what the file says")
        for effect, part in [] if found.is_none else self._by_effect(found, wanted):
            words, do, means = f"{verb} not what the file says: {part.in_words(account)}", cure, ""
            if effect is Effect.OWNER_LOCKED_OUT:
                do += "\nRun it as somebody whom the key policy still lets do that: a key administrator."
            if self.kind == "permissions" and effect is Effect.SOMEBODY_LET_IN:
                means = "somebody is let in: Pinecone's sessions can do that in your account"
            if part.is_certain:
                yield wrong(about, f"the {what}{within} {words}", do, effect, means=means, events=events)
            else:
                yield unknown(about, f"it cannot be told whether the {what}{within} {words}", do, effect)

    def _by_effect(self, found: Drift, wanted: Sequence[Any]) -> list[tuple[Effect | None, Drift]]:
        """What a difference does to people, each with its part: of a key, what is taken from the role or others."""
        effects = [*locked_out(self.case, self.kind, self.there, wanted)] if found.taken else []
        parts: list[tuple[Effect | None, Drift]] = []
        if found.given:
            parts.append((Effect.SOMEBODY_LET_IN, replace(found, taken=(), denials=()) if effects else found))
        for effect in effects:
            is_pinecone, taken = effect is Effect.PINECONE_LOCKED_OUT, found.taken
            if self.kind == "key":
                taken = tuple(one for one in taken if (self.case.role_arn in one.principals) is is_pinecone) or taken
            parts.append((effect, replace(found, given=(), taken=taken)))
        return parts or [(None, found)]


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
    for effect, needs in ((Effect.PINECONE_LOCKED_OUT, [*_needs(case, kind)]), (Effect.OWNER_LOCKED_OUT, owner)):
        with suppress(CannotBeJudged):
            pairs = zip(answers(before, needs), answers(after, needs), strict=True)
            if any(one.verdict is Answer.YES and other.verdict is not Answer.YES for one, other in pairs):
                yield effect


def _needs(case: Deployed, kind: Kind) -> Iterator[Request]:
    """What Pinecone needs: to assume the role, and the role to use the key."""
    own = case.entry.settings
    if kind == "trust":
        context = {**DIRECT_CALL, "sts:ExternalId": own.external_id}
        pinecone = f"arn:aws:iam::{own.pinecone_account_id}:role/{ROLE_NAME_PREFIX}"
        every = own.allowed_regions
        for region in PINECONE_REGIONS if every is ALL_REGIONS else every:
            yield Request(f"{pinecone}{region}", "sts:AssumeRole", None, context, own=True)
        return
    for statement in documents.permissions(own):
        keys = [arn.replace("*", "x") for arn in as_list(statement["Resource"])]
        yield from (use_of(arn, case.role_arn, action) for arn in keys for action in statement["Action"])
    for statement in documents.role_statements(own, case.role_arn) if case.key_arn else ():
        for action in statement["Action"]:
            yield from (use_of(case.key_arn, case.role_arn, one) for one in EXPANDED.get(action, (action,)))


def refused(case: Deployed, policy: Policy) -> tuple[list[str], str]:
    """What a policy does not let the role that encrypts and decrypts do; or why nobody can tell."""
    requests = [use_of(case.key_arn, case.role_arn, action) for action in ENCRYPT_DECRYPT]
    if case.key_arn is None:
        requests = list(_needs(case, policy.kind))
    try:
        both = list(zip(requests, answers(policy, requests), strict=True))
    except CannotBeJudged as reason:
        return [], f"there are {reason}"
    denied = [one.action for one, answer in both if answer.verdict is Answer.NO]
    by_account = [one.action for one, answer in both if answer.verdict is Answer.BY_ACCOUNT]
    doubts = [answer for _, answer in both if answer.verdict is Answer.CANNOT_TELL]
    if not denied and doubts:
        return [], f"that hangs on {printable(', '.join(doubts[0].hangs_on))}"
    if by_account and case.entry.settings.role is not None:
        return denied, "" if denied else "it names only the account, so the role's own permissions decide"
    return list(dict.fromkeys([*denied, *by_account])), ""


def about_trust(case: Deployed) -> Iterator[Finding]:
    """The trust policy of the role."""
    observed, own, put = case.statements("trust"), case.entry.settings, case.put("trust")
    if isinstance(observed, Unread):
        yield _unread("trust", observed)
        return
    stays = case.outputs.get(EXTERNAL_ID) if _tells_id(case) else said_external_id(observed) or own.external_id
    is_other = stays != own.external_id
    if is_other:
        yield _other_external_id(case, stays)
        settings = own.model_copy(update={"external_id": stays})
        case = replace(case, entry=replace(case.entry, settings=settings))
    beside = Beside.of(case, "trust", observed)
    if beside.lost:
        words = f"the trust policy names a deleted role in place of {', '.join(beside.lost)}: Pinecone made its role "
        words += "again, or somebody typed a wrong name"
        yield wrong("trust-gone", words, put, Effect.PINECONE_LOCKED_OUT, events=KINDS["trust"].events)
    else:
        yield from about_nobody(beside)
    found = beside.found
    if own.role is not None and not (found.taken or found.doubt):
        yours, more = "the trust policy is yours, and lets Pinecone in", found.in_words(own.account)
        yield said("trust-policy", f"{yours}; {more}") if more else right("trust-policy", yours)
        return
    for one in beside.findings(f"{put}\n{_NO_DEPLOY}"):
        # Neither a deploy nor a write of the file's policy, while its external ID is another.
        first = f"First put external_id right in cmek.yaml; then: cmek doctor {case.entry.name}"
        yield replace(one, cure=first) if is_other and one.fails else one


def _unread(kind: Kind, unread: Unread) -> Finding:
    return not_read(KINDS[kind].about, f"the {KINDS[kind].what}", unread, KINDS[kind].reads)


def _tells_id(case: Deployed) -> bool:
    """Whether the deployed stack says its external ID, or that it has none."""
    return ROLE_ARN in case.outputs


def _other_external_id(case: Deployed, stays: str | None) -> Finding:
    """The file has another external ID than the deployed stack has, which Pinecone stores."""
    words = (
        f"external_id is {case.entry.settings.external_id or 'missing'} in cmek.yaml, but {stays or 'missing'} in the"
    )
    if _tells_id(case):
        cure = f"Write  external_id: {stays}  back into" if stays else "Take external_id out of"
        cure += " cmek.yaml (git shows who changed it). Never deploy another one, and change nothing in AWS: Pinecone "
        cure += "stores the deployed one."
        means, time = "none by itself; the next deploy would lock Pinecone out", "until somebody deploys"
        return wrong("external-id", f"{words} deployed stack", cure, means=means, time=time)
    return unknown(
        "external-id",
        f"{words} role's trust policy, and no deployed stack says which is right",
        f"If git shows that cmek.yaml was changed, write  external_id: {stays}  back into it. Change nothing in AWS "
        f"before you know: Pinecone stores one of the two for good. Then look again: cmek doctor {case.entry.name}",
        Effect.PINECONE_LOCKED_OUT,
    )


def about_nobody(beside: Beside, more: str = "") -> Iterator[Finding]:
    """Who is named and is nobody any more."""
    if ids := gone(*beside.there):
        words = f"the {beside.kind} policy names {', '.join(ids)}: deleted, and nobody any more"
        yield said(f"{beside.kind}-gone", words + more)


def about_key_policy(case: Deployed) -> Iterator[Finding]:
    """The key policy: of a key of the user's own it must let the role use it, in whatever words."""
    observed, put, where = case.statements("key"), case.put("key"), case.where("key")
    if isinstance(observed, Unread):
        yield _unread("key", observed)
        return
    if case.entry.settings.key is not None:
        denied, doubt = refused(case, where.read(observed))
        if doubt:
            words = f"whether your key's policy lets the role use it: {doubt}"
            yield unknown("key-policy", words, "Have somebody read that statement who knows IAM.")
        elif not denied or role_is_gone_from(case) is not None:
            yield right("key-policy", "your key's policy lets the role use it; who else may is not judged here")
        else:
            words = f"your key's policy does not let the role do {' and '.join(denied)}"
            cure = "Add the statements that `npx cdk synth` warns of (cmek-construct:key-policy)."
            yield wrong("key-policy", words, cure, Effect.PINECONE_LOCKED_OUT, events=KINDS["key"].events)
        return
    beside = Beside.of(case, "key", observed)
    if others := sorted({*beside.lost} - {case.role_arn}):
        words = f"the key policy names a unique ID in place of {', '.join(others)}: deleted, and perhaps made again"
        cure = (
            f"{put}\nIf they are not to come back, take them out of key_admins first: AWS takes no policy that names "
        )
        cure += "somebody who is not there."
        means = "they administer the key no more; Pinecone's use of it goes on"
        yield wrong("key-gone", words, cure, means=means, events=KINDS["key"].events)
    else:
        yield from about_nobody(beside)
    yield from beside.findings(f"{put}\n{_NO_DEPLOY}")


def about_used_key(case: Deployed) -> Iterator[Finding]:
    """Whether the key policy holds the key while it is used, as the file says."""
    observed, own, where = case.statements("key"), case.entry.settings, case.where("key")
    held = None if isinstance(observed, Unread) else where.days_held(observed)
    wanted = own.protect_used_key or 0 if own.key is None else held or 0
    if held is None or not (wanted or held):  # what cannot be judged, the policy's finding says
        return
    by_file, there = (f"{days} day{'' if days == 1 else 's'}" for days in (wanted, held))
    if wanted == held:
        words = f"nobody can disable or delete the key while it was used within {there}"
        yield right("used-key", f"{words}; whoever may change the policy can end that")
        return
    written = case.written("key")
    is_ahead = written is not None and where.days_held(written) not in (None, wanted)
    words = (
        f"disabling and deleting a used key: denied for {by_file} after its use by the file, for {there} by the key "
    )
    cure = f"npx cdk deploy {case.entry.name}" if is_ahead else f"{case.put('key')}\n{_NO_DEPLOY}"
    yield wrong("used-key", f"{words}policy", cure, events=() if is_ahead else KINDS["key"].events)


def role_is_gone_from(case: Deployed) -> str | None:
    """The statement of the key policy that names a deleted role in the role's place."""
    observed, where = case.statements("key"), case.where("key")
    if isinstance(observed, Unread) or case.key_arn is None:
        return None
    ours = documents.role_statements(case.entry.settings, case.role_arn)
    both = zip(observed, where.read(observed).statements, strict=True)
    return next((printable(meant.name) for one, meant in both if where.written_as(one, ours)), None)


def about_permissions(case: Deployed) -> Iterator[Finding]:
    """What the role may do by itself, beside what the key policy lets it do."""
    observed, own, where = case.statements("permissions"), case.entry.settings, case.where("permissions")
    if isinstance(observed, Unread):
        yield _unread("permissions", observed)
        return
    beside = Beside.of(case, "permissions", observed)
    if own.role is not None and beside.found.given and not beside.found.taken:
        names = ", ".join(printable(one.name) for one in case.permissions)
        yield said("permissions", f"the role is yours, and has permissions of its own: {names}")
    elif beside.found.is_none:
        customers = len(documents.permissions(own))
        words = f"for {customers} customers" if customers else "none, as it should be"
        yield right("permissions", f"the role's permissions are those of the file ({words})")
    else:
        wanted = beside.wanted
        holding = [one for one in case.permissions if not where.drift([*wanted, *one.statements], wanted).is_none]
        cures = [
            f"{case.iam('detach-role-policy')} --policy-arn {one.arn}"
            if one.arn
            else f"{case.iam('delete-role-policy')} --policy-name {one.name}"
            for one in holding
        ]
        lacks = (
            "Attach the policies of the stack to the role again, or write into them what is missing: `npx cdk deploy "
        )
        lacks += f"{case.entry.name}` does not mend it, for CloudFormation sees no change."
        names = ", ".join(printable(one.name) for one in holding)
        yield from beside.findings("\n".join(cures) or lacks, f" (in {names})" if names else "")
