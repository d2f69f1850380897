"""The policies of a role and a key: whether they mean what they should, and what it does if not.

What is there against what the last deploy wrote is what somebody did by hand; what that wrote against what the file
says is a file that is ahead of the deploy, or behind it. Locked out is who may not do what the policy that should be
there surely lets him do. Only what is needed counts: a denial of calls without TLS locks nobody out.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, NamedTuple

from cmek_construct import guide
from cmek_construct.aws.objects import Role, Unread
from cmek_construct.checks import printable
from cmek_construct.guide import ALL_REGIONS, ENCRYPT_DECRYPT, PINECONE_REGIONS, ROLE_NAME_PREFIX
from cmek_construct.health.comparing import Drift, Where, said_by_trust, use_of, uses_of
from cmek_construct.health.deployed import EXTERNAL_ID, ROLE_ARN, Deployed
from cmek_construct.health.findings import Calls, Effect, Finding, not_read, right, said, unknown, wrong
from cmek_construct.policy import CannotBeJudged, Request, Verdict, answers
from cmek_construct.policy.aws import DIRECT_CALL, POLICY_KEEPING
from cmek_construct.policy.statements import Kind, as_list, gone, named_by, without_gone
from cmek_construct.policy.words import in_doubt, plain


class _Of(NamedTuple):
    """What is said of a kind of policy, with the actions that read it and the calls by which it is changed."""

    about: str
    what: str
    verb: str
    reads: str
    events: Calls


_PERMITTING: Final = (
    *("iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:AttachRolePolicy"),
    *("iam:DetachRolePolicy", "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"),
)
_LISTING: Final = "iam:ListRolePolicies, iam:ListAttachedRolePolicies, iam:GetPolicyVersion"
KINDS: Final[Mapping[Kind, _Of]] = {
    "trust": _Of("trust-policy", "trust policy", "is", "iam:GetRole", ("iam:UpdateAssumeRolePolicy",)),
    "key": _Of("key-policy", "key policy", "is", "kms:GetKeyPolicy", ("kms:PutKeyPolicy",)),
    "permissions": _Of("permissions", "role's permissions", "are", _LISTING, _PERMITTING),
}


class Beside:
    """A policy as it is beside the one that it should be, both without what has a finding of its own."""

    def __init__(self, case: Deployed, kind: Kind, observed: Sequence[Any]) -> None:
        """It should be suspended, too, where it is so in words that are not ours."""
        own, where, written = case.own, case.where(kind), case.written.get(kind)
        there, is_suspended = list(observed), False
        if where == case.brake:
            there, written = kept(case, there), written and kept(case, written)
            is_suspended = bool(own.suspended) and len(there) == len(observed) and is_cut_off(case, observed)
        wanted: Sequence[Any] = case.wanted(kind, suspended=is_suspended)
        if kind == "key" and where.days_held(there) not in (None, own.protect_used_key or 0):
            there, wanted, written = where.not_held(there), where.not_held(wanted), written and where.not_held(written)
        pairs = [(one, where.written_as(one, wanted) or one) for one in there]
        self.case, self.kind, self.where, self.there = case, kind, where, [ours for _, ours in pairs]
        # Principals that the file names, in whose place unique IDs are.
        self.lost = {name for one, ours in pairs for name in named_by(ours) if name not in named_by(one)}
        is_as_file = kind == "permissions" and where.drift(self.there, wanted).is_none
        is_known = not (is_suspended or is_as_file or written is None)
        self.ahead = where.drift(wanted, written or []) if is_known else Drift()  # the file, of the last deploy
        self.wanted = wanted if self.ahead.is_none else written or []  # what the last deploy wrote, where that is known
        self.found = where.drift(self.there, self.wanted)

    def findings(self) -> Iterator[Finding]:
        """What is wrong with it: a finding for each effect; or that it is right."""
        case, found, (about, what, verb, _, events) = self.case, self.found, KINDS[self.kind]
        account, lost = case.own.account, sorted(self.lost - {case.role_arn})
        yield from [self._deleted(lost)] if lost else self.nobodies()
        if not self.ahead.is_none:
            words = f"the {what} by the file {verb} not what was deployed last: {self.ahead.in_words(account)}"
            cure = f"{case.deploy}\nThat is if the file is meant: git shows who changed it."
            means = "none by itself: the file is ahead of the deploy, and nobody has to have touched anything"
            yield wrong("file-ahead", words, cure, means=means)
        elif found.is_none and self.kind == "permissions":
            customers = len(case.own.permissions())
            of = f"for {customers} customers" if customers else "none, as it should be"
            yield right(about, f"the role's permissions are those of the file ({of})")
        elif found.is_none:
            yield right(about, f"the {what} says what the file says")
        if found.is_none:
            return
        by_hand, within = self._cure()
        is_yours = self.kind != "key" and case.own.role is not None and not (found.taken or found.doubt)
        for effect, part in self._by_effect():
            words, means, cure = part.in_words(account), "", by_hand if self.ahead.is_none else case.deploy
            if effect is Effect.OWNER_LOCKED_OUT:
                cure += "\nRun it as somebody whom the key policy still lets do that: a key administrator."
            if self.kind == "permissions" and effect is Effect.SOMEBODY_LET_IN:
                means = "somebody is let in: Pinecone's sessions can do that in your account"
            if any(one.certain for one in (*part.given, *part.taken)):
                words = f"the {what}{within} {verb} not what the file says: {words}"
                one = wrong(about, words, cure, effect, means=means, events=events)
            else:
                words = f"it cannot be told whether the {what}{within} {verb} what the file says: {words}"
                one = unknown(about, words, cure, effect)
            yield one.to_know("the role is yours: {}") if is_yours else one

    def _deleted(self, lost: Sequence[str]) -> Finding:
        """Somebody whom the file names was deleted: AWS has put a unique ID in his place."""
        cure, names = self.case.put(self.kind), f"the {self.kind} policy names"
        if self.kind == "trust":
            effect, means = Effect.PINECONE_LOCKED_OUT, "Pinecone cannot come in from there; nothing is lost"
            words = f"{names} a deleted role in place of {', '.join(lost)}: "
            words += "Pinecone made its role again, or somebody typed a wrong name"
        else:
            effect, means = None, "they administer the key no more; Pinecone's use of it goes on"
            words = f"{names} a unique ID in place of {', '.join(lost)}: deleted, and perhaps made again"
            cure += "\nIf they are not to come back, take them out of key_admins first: AWS takes no policy that "
            cure += "names somebody who is not there."
        return wrong(f"{self.kind}-gone", words, cure, effect, means=means, events=KINDS[self.kind].events)

    def nobodies(self, more: str = "") -> Iterator[Finding]:
        """Who is named and is nobody any more."""
        if ids := gone(*self.there):
            words = f"the {self.kind} policy names {', '.join(ids)}: deleted, and nobody any more"
            yield said(f"{self.kind}-gone", words + more)

    def _cure(self) -> tuple[str, str]:
        """What to do if somebody changed it; and in which policies of several that is, in words."""
        case, role = self.case, self.case.role
        if self.kind != "permissions":
            return f"{case.put(self.kind)}\n{case.no_deploy}", ""
        policies = role.permissions if isinstance(role, Role) and not isinstance(role.permissions, Unread) else ()
        found = [one for one in policies if not self.where.drift([*self.wanted, *one.statements], self.wanted).is_none]
        if not found:
            again = "Attach the stack's policies to the role again, or write what is missing into them"
            return f"{again}: {case.no_deploy}", ""
        off, out = case.iam("detach-role-policy"), case.iam("delete-role-policy")
        cures = [f"{off} --policy-arn {one.arn}" if one.arn else f"{out} --policy-name {one.name}" for one in found]
        return "\n".join(cures), f" (in {', '.join(printable(one.name) for one in found)})"

    def _by_effect(self) -> list[tuple[Effect | None, Drift]]:
        """What a difference does to people, each with its part: of a key, what is taken from the role or others."""
        found, parts, effects = self.found, list[tuple[Effect | None, Drift]](), [*self.locked_out()]
        if found.given:
            parts.append((Effect.SOMEBODY_LET_IN, replace(found, taken=(), denials=()) if effects else found))
        for effect in effects:
            is_pinecone, taken = effect is Effect.PINECONE_LOCKED_OUT, found.taken
            if self.kind == "key":
                taken = tuple(one for one in taken if (self.case.role_arn in one.principals) is is_pinecone) or taken
            parts.append((effect, replace(found, given=(), taken=taken)))
        return parts or [(None, found)]

    def locked_out(self) -> Iterator[Effect]:
        """Who may not do what the policy that should be there surely lets him do."""
        before, after = self.where.read(self.wanted), self.where.read(self.there)
        for effect, needs in _needs(self.case, self.kind).items():
            with suppress(CannotBeJudged):
                pairs = zip(answers(before, needs), answers(after, needs), strict=True)
                if any(one.verdict is Verdict.YES and other.verdict is not Verdict.YES for one, other in pairs):
                    yield effect


def _needs(case: Deployed, kind: Kind) -> dict[Effect, list[Request]]:
    """What Pinecone needs: to assume the role, and the role to use the key. What the owner does: to rule the key."""
    own, key_arn, use, owner = case.own, case.key_arn, list[Request](), list[Request]()
    if kind == "trust":
        regions = PINECONE_REGIONS if own.trust.regions is ALL_REGIONS else own.trust.regions
        context = {**DIRECT_CALL, "sts:ExternalId": own.external_id}
        pinecone = f"arn:aws:iam::{own.pinecone_account_id}:role/{ROLE_NAME_PREFIX}"
        use = [Request(f"{pinecone}{one}", "sts:AssumeRole", None, context, own=True) for one in regions]
    elif key_arn:
        use = uses_of(key_arn, case.role_arn, guide.role_statements(case.role_arn, own.access))
    for statement in own.permissions() if kind == "permissions" else ():
        for arn in as_list(statement["Resource"]):
            use += uses_of(arn.replace("*", "x"), case.role_arn, [statement])
    if kind == "key":
        owner = [use_of(key_arn, f"arn:aws:iam::{own.account}:root", one) for one in POLICY_KEEPING]
    return {Effect.PINECONE_LOCKED_OUT: use, Effect.OWNER_LOCKED_OUT: owner}


def refused(case: Deployed, kind: Kind, statements: Sequence[Any] | Unread) -> tuple[list[str], str]:
    """What a policy does not let the role that encrypts and decrypts do; or why nobody can tell."""
    if isinstance(statements, Unread):
        return [], f"not read ({statements.why})"
    requests = [use_of(case.key_arn, case.role_arn, action) for action in ENCRYPT_DECRYPT]
    if case.key_arn is None:
        requests = _needs(case, kind)[Effect.PINECONE_LOCKED_OUT]
    try:
        found = answers(case.where(kind).read(statements), requests)
    except CannotBeJudged as reason:
        return [], f"there are {reason}"
    denied, by_account, doubts = (
        [(request.action, one.hangs_on) for request, one in zip(requests, found, strict=True) if one.verdict is verdict]
        for verdict in (Verdict.NO, Verdict.BY_ACCOUNT, Verdict.CANNOT_TELL)
    )
    if doubts and not denied:
        return [], f"that hangs on {plain(in_doubt(doubts[0][1]))}"
    if case.own.role is None:
        denied += by_account
    elif by_account and not denied:
        return [], "it names only the account, so the role's own permissions decide"
    return list(dict.fromkeys(action for action, _ in denied)), ""


def about_policy(case: Deployed, kind: Kind) -> Iterator[Finding]:
    observed, (about, what, _, reads, events) = case.statements(kind), KINDS[kind]
    if isinstance(observed, Unread):
        yield not_read(about, f"the {what}", observed, reads)
    elif kind == "trust":
        yield from _about_trust(case, observed)
    elif kind == "permissions" or case.own.key is None:
        yield from Beside(case, kind, observed).findings()
    else:
        # That of a key of the user's own: in whatever words, it must let the role use it.
        denied, doubt = refused(case, "key", observed)
        if doubt:
            words = f"whether your key's policy lets the role use it: {doubt}"
            yield unknown(about, words, "Have somebody read that statement who knows IAM.")
        elif denied and role_is_gone_from(case) is None:
            words = f"your key's policy does not let the role do {' and '.join(denied)}"
            cure = "Add the statements that `npx cdk synth` warns of (cmek-construct:key-policy)."
            yield wrong(about, words, cure, Effect.PINECONE_LOCKED_OUT, events=events)
        else:
            yield right(about, "your key's policy lets the role use it; who else may is not judged here")


def _about_trust(case: Deployed, observed: Sequence[Any]) -> Iterator[Finding]:
    """The trust policy, beside one with the external ID that Pinecone stores."""
    own, is_deployed, stays = case.own, ROLE_ARN in case.outputs, case.outputs.get(EXTERNAL_ID)
    if not is_deployed:
        stays = (said_by_trust(observed) or {}).get("external_id") or own.external_id
    if stays == own.external_id:
        yield from Beside(case, "trust", observed).findings()
        return
    case = replace(case, entry=replace(case.entry, settings=replace(own, external_id=stays)))
    again = f"cmek doctor {case.name}"
    words = f"external_id is {own.external_id or 'missing'} in cmek.yaml, but {stays or 'missing'} in the"
    back = f"Write  external_id: {stays}  back into cmek.yaml" if stays else "Take external_id out of cmek.yaml"
    if is_deployed:
        cure = f"{back} (git shows who changed it). Never deploy another one, and change nothing in AWS: Pinecone "
        cure += "stores the deployed one."
        means = "none by itself; the next deploy would lock Pinecone out"
        yield wrong("external-id", f"{words} deployed stack", cure, means=means, time="until somebody deploys")
    else:
        words += " role's trust policy, and no deployed stack says which is right"
        cure = f"{back}, if git shows that it was changed there. Change nothing in AWS before you know: Pinecone "
        cure += f"stores one of the two for good. Then look again: {again}"
        yield unknown("external-id", words, cure, Effect.PINECONE_LOCKED_OUT)
    for one in Beside(case, "trust", observed).findings():
        # Neither a deploy nor a write of the file's policy, while its external ID is another.
        yield replace(one, cure=f"First put external_id right in cmek.yaml; then: {again}") if one.fails else one


def about_used_key(case: Deployed) -> Iterator[Finding]:
    """Whether the key policy holds the key while it is used, as the file says."""
    observed, written, where = case.statements("key"), case.written.get("key"), case.where("key")
    held = None if isinstance(observed, Unread) else where.days_held(observed)
    wanted = case.own.protect_used_key or 0 if case.own.key is None else held or 0
    if held is None or not (wanted or held):  # what cannot be judged, the policy's finding says
        return
    by_file, there = (f"{days} day{'' if days == 1 else 's'}" for days in (wanted, held))
    words = f"ending a used key: denied for {by_file} after its use by the file, for {there} by the key policy"
    if wanted == held:
        words = f"nobody can disable or delete the key while it was used within {there}"
        yield right("used-key", f"{words}; whoever may change the policy can end that")
    elif written is not None and where.days_held(written) not in (None, wanted):
        yield wrong("used-key", words, case.deploy)
    else:
        yield wrong("used-key", words, f"{case.put('key')}\n{case.no_deploy}", events=KINDS["key"].events)


def role_is_gone_from(case: Deployed) -> str | None:
    """The statement of the key policy that names a deleted role in the role's place."""
    observed, where = case.statements("key"), case.where("key")
    ours = guide.role_statements(case.role_arn, case.own.access)
    there = () if isinstance(observed, Unread) else where.read(observed).statements
    return next((printable(one.name) for one in there if where.written_as(one.raw, ours)), None)


# The suspension: one statement that cuts Pinecone off, seen in whatever words. Statements that somebody changed are
# kept: it neither fails for them nor wipes them.


def kept(case: Deployed, observed: Sequence[Any]) -> list[Any]:
    """The statements that are not the suspension's, nor were before its role was deleted."""
    own = case.own.denial(case.role_arn)
    return [one for one in observed if not (case.brake.written_as(one, [own]) or case.brake.same(one, own))]


def is_suspended(case: Deployed, statements: Sequence[Any]) -> bool:
    return len(kept(case, statements)) < len(statements)


def is_cut_off(case: Deployed, statements: Sequence[Any]) -> bool:
    """Whether nobody is let in whom the suspension would keep out."""
    denied = [*statements, case.own.denial(case.role_arn)]
    return is_suspended(case, statements) or case.brake.drift(statements, denied).is_none


def to_write(case: Deployed, before: guide.Policy, observed: Sequence[Any], on: bool) -> list[guide.Policy]:
    """The policies to try, the best first; none where it says already whether Pinecone is cut off.

    A suspension first leaves everybody else's statements as they are. AWS refuses a policy that names somebody who was
    deleted: so the later ones have no unique ID, and the last names only the role.
    """
    where, rest = case.brake, kept(case, observed)
    usual, goal = (case.wanted(where.kind, suspended=one) for one in (False, on))
    of_role = [one for one in usual if case.role_arn in json.dumps(one)]
    found, choices = list[list[Any]](), [(rest, usual)] if on else []
    for ours in (usual, of_role):
        # Without deleted principals: ours anew, and others without them.
        choices.append(([where.written_as(one, ours) or without_gone(one) for one in rest], ours))
    for tried, ours in choices:
        statements = [one for one in tried if one is not None]
        # Ours may be there under their Sids with other words.
        sids = [one.get("Sid") for one in statements if isinstance(one, dict)]
        missing = [one for one in ours if one["Sid"] not in sids and not where.has(one, statements)]
        statements += [case.own.denial(case.role_arn)] if on else missing
        # In the order and the words of the template, where it says the same.
        found.append(goal if _same(where, statements, goal) else statements)
    more = {"Id": before["Id"]} if "Id" in before else {}
    return [] if _same(where, observed, found[0]) else [{**guide.policy_document(*one), **more} for one in found]


def _same(where: Where, some: Sequence[Any], others: Sequence[Any]) -> bool:
    """Whether each statement of two policies means what one of the other's does."""
    return len(some) == len(others) and all(
        where.has(one, those) for these, those in ((some, others), (others, some)) for one in these
    )
