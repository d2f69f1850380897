"""The policies of a role and a key: whether they mean what they should, and what it does if not.

What is there against what the last deploy wrote is what somebody did by hand; what that wrote against what the file
says is a file that is ahead of the deploy, or behind it. Locked out is who may not do what the policy that should be
there surely lets him do. Only what is needed counts: a denial of calls without TLS locks nobody out.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from cmek_construct import checks, guide
from cmek_construct.aws.objects import PermissionsPolicy, Role, Unread
from cmek_construct.health.comparing import Drift, Where, use_of, uses_of
from cmek_construct.health.deployed import ROLE_ARN, Deployed
from cmek_construct.health.findings import Effect, Finding, Rows, known
from cmek_construct.policy import CannotBeJudged, Request, Verdict, answers, aws, words
from cmek_construct.policy.statements import Kind, as_list, gone, named_by, without_gone

_ROWS: Final = Rows("policies.ini")


def _about(kind: Kind) -> str:
    return kind if kind == "permissions" else f"{kind}-policy"


class Beside:
    """A policy as it is beside the one that it should be, both without what has a finding of its own."""

    def __init__(self, case: Deployed, kind: Kind) -> None:
        """It should be suspended, too, where it is so in words that are not ours."""
        own, where, written = case.entry, case.where(kind), case.written.get(kind)
        observed = there = list(known(case.statements(kind)))
        is_suspended = False
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
        # A role that is given is no matter of a deploy.
        self.hangs_on_template = isinstance(case.template, Unread) and (kind == "key" or own.role is None)
        if self.hangs_on_template and not self.found.is_none:
            doubts = [self.found.doubt, _ROWS.text("template", case=case)]
            self.found = replace(self.found, doubt="; ".join(filter(None, doubts)))

    def findings(self) -> Iterator[Finding]:
        """What is wrong with it: a finding for each effect; or that it is right."""
        case, found, about = self.case, self.found, _about(self.kind)
        account, lost = case.entry.account, sorted(self.lost - {case.role_arn})
        if lost:
            yield _ROWS.finding("trust-gone" if self.kind == "trust" else "key-gone", case=case, names=", ".join(lost))
        else:
            yield from self.nobodies()
        if not self.ahead.is_none:
            meant = by_file(case, _ROWS.text("cure.meant", case=case))
            yield _ROWS.finding(f"{about}.ahead", drift=self.ahead.in_words(account), cure=meant)
        elif found.is_none:
            customers = len(case.entry.permissions())
            is_empty = self.kind == "permissions" and not customers
            yield _ROWS.finding("permissions.none" if is_empty else f"{about}.as-file", customers=customers)
        if found.is_none:
            return
        is_yours = self.kind != "key" and case.entry.role is not None and not (found.taken or found.doubt)
        changed = self._changed()
        within = f" (in {', '.join(checks.printable(one.name) for one in changed)})" if changed else ""
        for effect, part in self._by_effect().items():
            is_certain = not part.doubt and any(one.certain for one in (*part.given, *part.taken))
            row = f"{about}.another" if is_certain else f"{about}.in-doubt"
            if row == "permissions.another" and effect is Effect.SOMEBODY_LET_IN:
                row = "permissions.let-in"
            cure = self._cure(changed)
            if effect is Effect.OWNER_LOCKED_OUT:
                cure = f"{cure}\n{_ROWS.text('cure.by-whom')}"
            one = _ROWS.finding(row, effect, drift=part.in_words(account), within=within, cure=cure)
            yield _ROWS.finding("yours", about=about, words=one.words) if is_yours else one

    def nobodies(self) -> Iterator[Finding]:
        """Who is named and is nobody any more."""
        if ids := gone(*self.there):
            yield _ROWS.finding("gone", kind=self.kind, ids=", ".join(ids))

    def _changed(self) -> list[PermissionsPolicy]:
        """Of the several policies of the role those that say something else."""
        role = self.case.role if self.kind == "permissions" else None
        policies = role.permissions if isinstance(role, Role) and not isinstance(role.permissions, Unread) else ()
        return [one for one in policies if not self.where.drift([*self.wanted, *one.statements], self.wanted).is_none]

    def _cure(self, changed: Sequence[PermissionsPolicy]) -> str:
        """What to do about it: if nobody changed it, the deploy does it."""
        case = self.case
        if not self.ahead.is_none:
            return by_file(case)
        if self.hangs_on_template:
            return _ROWS.text("cure.template", case=case)
        if self.kind != "permissions":
            return _ROWS.text(f"{_about(self.kind)}.by-hand", case=case)
        if not changed:
            return _ROWS.text("cure.lacks", case=case)
        parts = [("cure.attached" if one.arn else "cure.inline", self._part(one), one) for one in changed]
        return "\n".join(_ROWS.text(row, part, case=case, policy=one) for row, part, one in parts)

    def _part(self, policy: PermissionsPolicy) -> str:
        """Of the cure: a policy that alone has what the role needs is one of the stack's, which somebody changed."""
        without = [one for one in self.there if one not in policy.statements]
        return "needed" if self.where.drift(without, self.wanted).taken else "text"

    def _by_effect(self) -> dict[Effect | None, Drift]:
        """What a difference does to people, each with its part: of a key, what is taken from the role or others."""
        found, parts = self.found, dict[Effect | None, Drift]()
        for effect in self.locked_out():
            is_pinecone, taken = effect is Effect.PINECONE_LOCKED_OUT, found.taken
            if self.kind == "key":
                taken = tuple(one for one in taken if (self.case.role_arn in one.principals) is is_pinecone) or taken
            parts[effect] = replace(found, given=(), taken=taken)
        if found.given:
            parts = {Effect.SOMEBODY_LET_IN: replace(found, taken=(), denials=()) if parts else found, **parts}
        return parts or {None: found}

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
    own, key_arn, use, owner = case.entry, case.key_arn, list[Request](), list[Request]()
    if kind == "trust":
        regions = guide.PINECONE_REGIONS if own.trust.regions is guide.ALL_REGIONS else own.trust.regions
        context = {**aws.DIRECT_CALL, "sts:ExternalId": own.external_id}
        pinecone = f"arn:aws:iam::{own.pinecone_account_id}:role/{guide.ROLE_NAME_PREFIX}"
        use = [Request(f"{pinecone}{one}", "sts:AssumeRole", None, context, own=True) for one in regions]
    elif key_arn:
        use = uses_of(key_arn, case.role_arn, guide.role_statements(case.role_arn, own.access))
    for statement in own.permissions() if kind == "permissions" else ():
        for arn in as_list(statement["Resource"]):
            use += uses_of(arn.replace("*", "x"), case.role_arn, [statement])
    if kind == "key":
        owner = [use_of(key_arn, f"arn:aws:iam::{own.account}:root", one) for one in aws.POLICY_KEEPING]
    return {Effect.PINECONE_LOCKED_OUT: use, Effect.OWNER_LOCKED_OUT: owner}


def refused_actions(case: Deployed, kind: Kind, statements: Sequence[Any] | Unread) -> tuple[list[str], str]:
    """What a policy does not let the role that encrypts and decrypts do; or why nobody can tell."""
    if isinstance(statements, Unread):
        return [], f"not read ({statements.why})"
    requests = [use_of(case.key_arn, case.role_arn, action) for action in guide.ENCRYPT_DECRYPT]
    if case.key_arn is None or kind == "trust":
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
        return [], f"that hangs on {words.plain(words.in_doubt(doubts[0][1]))}"
    if case.entry.role is None:
        denied += by_account
    elif by_account and not denied:
        return [], "it names only the account, so the role's own permissions decide"
    return list(dict.fromkeys(action for action, _ in denied)), ""


def about_policy(case: Deployed, kind: Kind) -> Iterator[Finding]:
    observed = case.statements(kind)
    if isinstance(observed, Unread):
        yield _ROWS.finding(f"{_about(kind)}.not-read", unread=observed)
    elif kind == "trust":
        stored = replace(case.entry, external_id=case.external_id)
        for one in Beside(replace(case, entry=stored), kind).findings():
            yield replace(one, cure=by_file(case, one.cure)) if one.fails else one
    elif kind == "permissions" or case.entry.key is None:
        yield from Beside(case, kind).findings()
    else:
        denied, doubt = refused_actions(case, "key", observed)
        is_denied = bool(denied) and role_is_gone_from(case) is None
        row = "your-key.hangs" if doubt else "your-key.denies" if is_denied else "your-key.lets-in"
        yield _ROWS.finding(row, doubt=doubt, denied=" and ".join(denied))


def about_external_id(case: Deployed) -> Iterator[Finding]:
    """Whether the file has another one than Pinecone stores."""
    stays, own, missing = case.external_id, case.entry.external_id, "missing"
    if stays != own:
        back = _ROWS.text("external-id.back" if stays else "external-id.out", stays=stays)
        row = "external-id.deployed" if ROLE_ARN in case.outputs else "external-id.in-role"
        yield _ROWS.finding(row, case=case, back=back, own=own or missing, stays=stays or missing)


def by_file(case: Deployed, cure: str | None = None) -> str:
    """A cure that deploys what the file says, or writes it: none while its external ID is another."""
    if case.external_id != case.entry.external_id:
        return _ROWS.text("external-id.first", case=case)
    return _ROWS.text("cure.deploy", case=case) if cure is None else cure


def about_used_key(case: Deployed) -> Iterator[Finding]:
    """Whether the key policy holds the key while it is used, as the file says."""
    observed, written, where = case.statements("key"), case.written.get("key"), case.where("key")
    held = None if isinstance(observed, Unread) else where.days_held(observed)
    wanted = case.entry.protect_used_key or 0 if case.entry.key is None else held or 0
    if held is None or not (wanted or held):  # what cannot be judged, the policy's finding says
        return
    wanted_for, there = (f"{days} day{'' if days == 1 else 's'}" for days in (wanted, held))
    is_ahead = written is not None and where.days_held(written) not in (None, wanted)
    row = "used-key.held" if wanted == held else "used-key.not-deployed" if is_ahead else "used-key.changed"
    yield _ROWS.finding(row, case=case, by_file=wanted_for, there=there, deploy=by_file(case))


def role_is_gone_from(case: Deployed) -> str | None:
    """The statement of the key policy that names a deleted role in the role's place."""
    observed, where = case.statements("key"), case.where("key")
    ours = guide.role_statements(case.role_arn, case.entry.access)
    there = () if isinstance(observed, Unread) else where.read(observed).statements
    return next((checks.printable(one.name) for one in there if where.written_as(one.raw, ours)), None)


# The suspension: one statement that cuts Pinecone off, seen in whatever words. Statements that somebody changed are
# kept: it neither fails for them nor wipes them.


def kept(case: Deployed, observed: Sequence[Any]) -> list[Any]:
    """The statements that are not the suspension's, nor were before its role was deleted."""
    own = case.entry.denial(case.role_arn)
    return [one for one in observed if not (case.brake.written_as(one, [own]) or case.brake.same(one, own))]


def is_suspended(case: Deployed, statements: Sequence[Any]) -> bool:
    return len(kept(case, statements)) < len(statements)


def is_cut_off(case: Deployed, statements: Sequence[Any]) -> bool:
    """Whether nobody is let in whom the suspension would keep out."""
    denied = [*statements, case.entry.denial(case.role_arn)]
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
        statements += [case.entry.denial(case.role_arn)] if on else missing
        # In the order and the words of the template, where it says the same.
        found.append(goal if _same(where, statements, goal) else statements)
    more = {"Id": before["Id"]} if "Id" in before else {}
    return [] if _same(where, observed, found[0]) else [{**guide.policy_document(*one), **more} for one in found]


def _same(where: Where, some: Sequence[Any], others: Sequence[Any]) -> bool:
    """Whether each statement of two policies means what one of the other's does."""
    return len(some) == len(others) and all(
        where.has(one, those) for these, those in ((some, others), (others, some)) for one in these
    )
