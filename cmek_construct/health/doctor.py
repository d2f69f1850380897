"""The doctor: all that is right and wrong with one stack of cmek.yaml, its role and its key, and what is around it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cmek_construct.aws.objects import ROTATION_DAYS, SESSION_SECONDS, Control, Event, Grant, Key, Role, Unread
from cmek_construct.checks import few, printable
from cmek_construct.health import policies
from cmek_construct.health.deployed import Deployed, at
from cmek_construct.health.findings import Finding, Rows, Verdict
from cmek_construct.policy import statements, words

ROWS: Final = Rows("doctor.ini")
_SHOWN: Final = 6
HEALTHY, WRONG, UNREAD = 0, 1, 3  # exit codes: for cron, wrong goes before what could not be read


@dataclass(frozen=True)
class Examined:
    case: Deployed
    findings: Sequence[Finding]

    @property
    def code(self) -> int:
        """The exit code for this stack alone."""
        found = {one.verdict for one in self.findings} or {Verdict.UNKNOWN}
        return WRONG if Verdict.WRONG in found else UNREAD if Verdict.UNKNOWN in found else HEALTHY

    @property
    def verdict(self) -> str:
        """The same in words; what is suspended is never just healthy."""
        suspended = any(one.about == "suspended" and one.verdict is Verdict.SAID for one in self.findings)
        said = {HEALTHY: "healthy", WRONG: "WRONG", UNREAD: "NOT ALL COULD BE READ"}[self.code]
        return f"{said}, and SUSPENDED on purpose" if suspended else said

    def as_data(self) -> dict[str, Any]:
        return {
            "name": self.case.name,
            "account": self.case.entry.account,
            "region": self.case.entry.region,
            "role_arn": self.case.role_arn or None,
            "key_arn": self.case.key_arn,
            "verdict": self.verdict.lower(),
            "findings": [one.as_data() for one in self.findings],
        }


def diagnosis(case: Deployed, event: Callable[[str, str], Event | Unread | None]) -> Iterator[Finding]:
    """All that is right and wrong with role and key, and who used the key the last time, by an ``event`` about it."""
    is_there, key = isinstance(case.role, Role) and case.role.arn == case.role_arn, case.key
    yield from policies.about_external_id(case)
    yield from about_role(case)
    if is_there:
        yield from policies.about_policy(case, "trust")
        yield from policies.about_policy(case, "permissions")
    if case.key_arn is not None:
        yield from about_key(case)
    if key is not None:
        yield from policies.about_policy(case, "key")
        yield from policies.about_used_key(case)
    if isinstance(key, Key):
        yield about_grants(case, key)
    if is_there or case.brake.kind == "key":
        yield about_brake(case)
    yield from about_use(case, event)


def about_role(case: Deployed) -> Iterator[Finding]:
    """Whether it is the very role that Pinecone stores, and what bounds it and its sessions."""
    role = case.role
    if isinstance(role, Unread):
        yield ROWS.finding("role.not-read", case=case)
    elif role is None or role.arn != case.role_arn:
        path = case.role_arn.partition(":role")[2].rpartition("/")[0] + "/"
        cure = policies.by_file(case, ROWS.text("role", case=case, path=path, anew=_anew(case)))
        yield ROWS.finding("role.deleted" if role is None else "role.of-another-path", case=case, cure=cure)
    else:
        yield ROWS.finding("role.there")
        yield _same_role(case, role)
        yield _boundary(case, role)
        if role.session_seconds != SESSION_SECONDS:
            row = "session.yours" if case.entry.role else "session.longer"
            hours = f"{role.session_seconds / SESSION_SECONDS:g}"
            yield ROWS.finding(row, case=case, hours=hours, usual=SESSION_SECONDS)


def _same_role(case: Deployed, role: Role) -> Finding:
    lock, gone_from = case.lock, policies.role_is_gone_from(case)
    locked = f", in cmek.lock {lock.role_id}" if lock.role_id not in (None, role.role_id) else ""
    names = f"; {gone_from} of the key policy still names the deleted one" if gone_from else ""
    row, own = "same-role.locked" if lock.role_id else "same-role.not-locked", case.entry
    by_file = own.role or f"arn:aws:iam::{own.account}:role{own.role_path or '/'}{own.role_name or case.role_name}"
    if lock.role_arn not in (None, case.role_arn):
        row = "same-role.another"
    elif locked or gone_from:
        is_stranger = gone_from or isinstance(case.statements("key"), Unread)
        row = "same-role.made-again" if is_stranger else "same-role.named-again"
    elif by_file != case.role_arn:
        row = "same-role.another-by-file"
    return ROWS.finding(row, case=case, locked=locked, names=names, anew=_anew(case), by_file=by_file)


def _anew(case: Deployed) -> str:
    """How the key policy is written anew for a role that was made again."""
    row = "anew.suspended" if case.entry.suspended else "anew.in-use"
    if case.key_arn is None:
        row = "anew.by-customers"
    elif case.brake.kind == "trust":
        row = "anew.yours"
    return ROWS.text(row, case=case)


def _boundary(case: Deployed, role: Role) -> Finding:
    """Whether what bounds it is what the file says, and lets it use the key."""
    found = role.boundary_arn
    wanted = found if case.entry.role else case.entry.permissions_boundary
    denied, doubt = policies.refused_actions(case, "permissions", role.boundary) if found else ([], "")
    row = "as-file" if wanted else "none"
    if found != wanted:
        row = "another" if wanted else "not-in-file"
    row = "in-doubt" if doubt else f"{row}-denies" if denied else row
    row, shown, actions = f"boundary.{row}", printable(found or "missing"), " and ".join(denied)
    return ROWS.finding(row, case=case, found=shown, wanted=wanted, denied=actions, doubt=doubt)


def about_brake(case: Deployed) -> Finding:
    """Whether Pinecone is cut off if, and only if, the file says so."""
    observed, is_key = case.statements(case.brake.kind), case.brake.kind == "key"
    if isinstance(observed, Unread):
        return ROWS.finding("suspended.not-read", unread=observed)
    if case.entry.suspended:
        row = "suspended.on-purpose" if policies.is_cut_off(case, observed) else "suspended.by-file-alone"
    else:
        row = "suspended.not-in-file" if policies.is_suspended(case, observed) else "suspended.not"
    return ROWS.finding(row, case=case, changed_by="kms:PutKeyPolicy" if is_key else "iam:UpdateAssumeRolePolicy")


def about_key(case: Deployed) -> Iterator[Finding]:
    """Whether it is the very key that Pinecone stores, and can be used."""
    key, locked = case.key, case.lock.key_arn
    if not isinstance(key, Key):
        yield ROWS.finding("key.gone" if key is None else "key.not-read", case=case)
        return
    yield ROWS.finding("key.there")
    if case.entry.key not in (None, case.key_arn):
        yield ROWS.finding("same-key.another-by-file", case=case)
    elif locked is not None or case.lock.role_arn:
        row = "same-key.not-locked" if locked is None else "same-key.another"
        yield ROWS.finding("same-key.locked" if locked == case.key_arn else row, case=case)
    if key.is_ending:
        yield _ending(case, key)
    else:
        yield ROWS.finding("deletion.not-ordered")
        of_state = {"Enabled": "enabled.enabled", "Updating": "enabled.enabled", "Disabled": "enabled.disabled"}
        yield ROWS.finding(of_state.get(key.state, "enabled.unusable"), case=case, state=printable(key.state))
        for name, value, needed in key.unfit[:1]:
            yield ROWS.finding("kind", name=name, value=printable(value), needed=needed)
        # Of a key that is to be deleted KMS says that it does not rotate.
        yield _rotation(case, key)
    if case.entry.key is None:
        yield _alias(case, key)


def _ending(case: Deployed, key: Key) -> Finding:
    end = key.metadata.get("DeletionDate")
    if end is None:
        return ROWS.finding("deletion.ordered-of-replicas", case=case)
    days = (end - case.now).days
    left = f"{days} days" if days > 1 else "1 day" if days == 1 else "LESS THAN A DAY"
    return ROWS.finding("deletion.ordered", case=case, when=at(end), left=left)


def _rotation(case: Deployed, key: Key) -> Finding:
    own, found = case.entry, key.rotation_days
    if isinstance(found, Unread):
        return ROWS.finding("rotation.not-read", unread=found)
    wanted = None if own.enable_key_rotation is False else own.rotation_period or ROTATION_DAYS
    does, by_file = ("does not rotate" if days is None else f"rotates every {days} days" for days in (found, wanted))
    row = "rotation.other-than-file" if wanted else "rotation.not-by-file"
    if own.key is not None or found == wanted:
        row = "rotation.as-file" if own.key is None else "rotation.yours"
    return ROWS.finding(row, case=case, does=does, by_file=by_file, wanted=wanted)


def _alias(case: Deployed, key: Key) -> Finding:
    nothing = Unread("the stack shows no alias", "cloudformation:ListStackResources")
    wanted, target = case.alias_by_file or nothing, case.alias_target
    if isinstance(wanted, Unread):
        return ROWS.finding("alias.not-known", unread=wanted)
    if isinstance(key.aliases, Unread):
        return ROWS.finding("alias.not-read", unread=key.aliases)
    if wanted in key.aliases:
        return ROWS.finding("alias.there", alias=wanted)
    if isinstance(target, Unread):
        return ROWS.finding("alias.of-one-not-read", case=case, alias=wanted, why=target.why)
    is_ahead = isinstance(case.alias, str) and case.alias != wanted
    row = "alias.of-another" if target else "alias.not-deployed" if is_ahead else "alias.missing"
    return ROWS.finding(row, case=case, alias=wanted, target=printable(target), deploy=policies.by_file(case))


def about_grants(case: Deployed, key: Key) -> Finding:
    """Whom grants let use the key, beside the key policy."""
    if isinstance(key.grants, Unread):
        return ROWS.finding("grants.not-read", unread=key.grants)
    others = [one for one in key.grants if not is_ours(case.role_arn, one)]
    cures = [ROWS.text("grants.revoke", case=case, id=printable(one.id)) for one in others[:_SHOWN]]
    cures += [ROWS.text("grants.more", case=case)] if len(others) > _SHOWN else []
    row = "grants.others" if case.entry.key is None else "grants.yours"
    if not others:
        row = "grants.ours" if key.grants else "grants.none"
    return ROWS.finding(row, grants=few([*map(grant_in_words, others or key.grants)], _SHOWN), cure="\n".join(cures))


def is_ours(role_arn: str, grant: Grant) -> bool:
    """Whether a grant lets in only the role, an AWS service, or nobody any more."""
    name, (account, _, role) = grant.grantee, role_arn.partition(":role/")
    session = f"{account.replace(':iam:', ':sts:')}:assumed-role/{role.rpartition('/')[2]}/"
    is_service = name.endswith(".amazonaws.com") and ":" not in name
    return name == role_arn or name.startswith(session) or is_service or bool(statements.DELETED.fullmatch(name))


def grant_in_words(grant: Grant) -> str:
    return printable(f"{grant.grantee} may {', '.join(grant.operations)} (grant {grant.id})")


def about_use(case: Deployed, event: Callable[[str, str], Event | Unread | None]) -> Iterator[Finding]:
    """When the key was last used, by KMS and by whom, and when the role was last assumed, by IAM."""
    last = case.role.last_used if isinstance(case.role, Role) else None
    use = case.key.last_use if isinstance(case.key, Key) else None
    of_role = ROWS.text("taken-on.at", when=at(last)) if last else ROWS.text("taken-on.never")
    if isinstance(use, Unread):
        yield ROWS.finding("last-use.not-read", of_role=of_role, unread=use)
    elif use is None:
        if isinstance(case.role, Role):
            yield ROWS.finding("last-use.of-role", of_role=of_role)
    elif use.when is None:
        yield ROWS.finding("last-use.none", of_role=of_role, since=at(use.tracked_since))
    else:
        by = who_used(case, event(use.event_id, str(case.key_arn)))
        row, why = ("last-use.not-by-whom", by.why) if isinstance(by, Unread) else ("last-use.by", "")
        yield ROWS.finding(row, of_role=of_role, when=at(use.when), operation=printable(use.operation), by=by, why=why)


def who_used(case: Deployed, event: Event | Unread | None) -> str | Unread:
    """Who used the key, by an event of CloudTrail, for a person: the role is Pinecone."""
    if event is None or isinstance(event, Unread):
        return event or Unread(ROWS.text("culprit.not-shown"))
    return "Pinecone" if event.by == case.role_arn else printable(event.by)


def with_culprit(
    case: Deployed, finding: Finding, calls: Callable[[list[str], str], Sequence[Event] | Unread]
) -> Finding:
    """A finding with who did it, by CloudTrail's ``calls`` of some names about a role or key; or where to find that."""
    if finding.verdict is not Verdict.WRONG or not finding.events:
        return finding
    names, of_role = [one.partition(":")[2] for one in finding.events], finding.events[0].startswith("iam:")
    events = calls(names, case.role_arn if of_role else str(case.key_arn))
    for one in [] if isinstance(events, Unread) else events:
        if one.name in names and not one.refused:
            who = ROWS.text("culprit.seen", name=one.name, by=printable(one.by), when=at(one.when))
            return replace(finding, words=f"{finding.words}. {who}")
    how = ROWS.text("culprit.of-role" if of_role else "culprit.of-key", calls=", ".join(names))
    return replace(finding, cure=f"{finding.cure}\n{how}")


def about_indexes(case: Deployed, found: Mapping[str, str | None] | Unread) -> Iterator[Finding]:
    """Whether the indexes of the project are under this key.

    Each key is as Pinecone says it: an ARN, or an ID of its own; None where the index is under no key of a customer.
    """
    if isinstance(found, Unread):
        yield ROWS.finding("indexes.not-read", why=found.why)
        return
    keyed = [(name, key) for name, key in found.items() if key is not None]
    others = {
        "indexes.under-none": [name for name, key in found.items() if key is None],
        "indexes.under-another": [name for name, key in keyed if key.startswith("arn:") and key != case.key_arn],
        "indexes.under-an-id": [f"{name} ({key})" for name, key in keyed if not key.startswith("arn:")],
    }
    yield from (ROWS.finding(row, names=few(names)) for row, names in others.items() if names)
    if not any(others.values()):
        yield ROWS.finding("indexes.all" if found else "indexes.none", names=few(list(found)))


def about_controls(case: Deployed, found: Sequence[Control] | Unread) -> Iterator[Finding]:
    """The SCPs and RCPs over the account that mention STS or KMS; no verdict on any."""
    if isinstance(found, Unread):
        yield ROWS.finding("organization.not-read", unread=found)
        return
    mentioned = []
    for one, statement in [(each, raw) for each in found for raw in each.statements]:
        own, said = {}, "a statement that is no object"
        if isinstance(statement, dict):
            own, said = statement, words.plain(words.of_statement(statement, case.entry.account)).rstrip(".")
        actions = statements.as_list(own.get("Action", "kms:*"))  # by what it leaves out, it may be about KMS
        forbids = own.get("Effect") != "Allow" or "*" not in actions or "Condition" in own
        if forbids and any(str(action).lower().startswith(("sts:", "kms:", "*")) for action in actions):
            what, text = f"{one.kind}, {printable(one.name)} on {printable(one.on)}", json.dumps(statement)
            mentioned.append(ROWS.finding("organization.mentions", what=what, statement=said, text=text))
    yield from mentioned or [ROWS.finding("organization.none")]
