"""The role and the key: whether each is the very one, what it can do, what bounds it, and whether it is cut off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Final

from cmek_construct.aws.objects import ROTATION_DAYS, SESSION_SECONDS, Event, Grant, Key, Role, Unread
from cmek_construct.checks import few, printable
from cmek_construct.health.deployed import Deployed
from cmek_construct.health.findings import NOTHING_LOST, Effect, Finding, not_read, right, said, unknown, wrong
from cmek_construct.health.policies import KINDS, is_cut_off, is_suspended, refused, role_is_gone_from
from cmek_construct.policy.principals import DELETED

_MADE_AGAIN: Final = ("iam:DeleteRole",)
_BOUNDING: Final = ("iam:PutRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary")
_OUT: Final = Effect.PINECONE_LOCKED_OUT
_SHOWN: Final = 6


def at(when: datetime) -> str:
    return f"{when.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC"


def about_role(case: Deployed) -> Iterator[Finding]:
    """Whether it is the very role that Pinecone stores, and what bounds it and its sessions."""
    role = case.role
    if isinstance(role, Unread):
        yield not_read("role", f"the role {case.role_name}", role, "iam:GetRole")
        return
    if role is None:
        path = case.role_arn.partition(":role")[2].rpartition("/")[0] + "/"
        trust = f'"$(cmek doctor {case.entry.name} --show trust-policy)"'
        create = f"{case.iam('create-role')} --path {path} --assume-role-policy-document {trust}"
        cure = f"{create}\n{_anew(case)}\nThe second makes the key know it."
        yield wrong("role", f"there is no role {case.role_arn}: somebody deleted it", cure, _OUT, events=_MADE_AGAIN)
        return
    yield right("role", "the role is there")
    yield _same_role(case, role.role_id)
    found = [_boundary(case, role)]
    if role.session_seconds != SESSION_SECONDS:
        hours = f"{role.session_seconds / SESSION_SECONDS:g} hours"
        words = f"a session of the role may last {hours}, not one hour as by the file"
        cure = f"{case.iam('update-role')} --max-session-duration {SESSION_SECONDS}"
        means = "somebody is let in for longer: who has a session keeps it, whatever the trust policy says by then"
        found.append(wrong("session", words, cure, Effect.SOMEBODY_LET_IN, means=means, events=("iam:UpdateRole",)))
    is_given = case.entry.settings.role is not None
    yield from (one.is_yours("role") if is_given and one.effect is not _OUT else one for one in found)


def _anew(case: Deployed) -> str:
    """How the key policy is written anew for a role that was made again."""
    if case.key_arn is None:
        return "Have each customer save the key policy again, with the role's ARN."
    if case.entry.settings.is_suspended_by_trust:
        return "Save your key's policy again, with the role's ARN in place of the unique ID."
    again = f'cmek suspend {case.entry.name} --reason "role made again"'
    return again if case.entry.settings.suspended else f"{again} && cmek resume {case.entry.name}"


def _same_role(case: Deployed, role_id: str) -> Finding:
    lock = case.lock
    if lock.role_arn not in (None, case.role_arn):
        words = f"the role is {case.role_arn}, but cmek.lock has {lock.role_arn}, which Pinecone stores"
        cure = "Do not delete either. Look in git what changed the name or the path, and undo it."
        return wrong("same-role", words, cure, _OUT, means=f"{NOTHING_LOST} by a role that it does not know")
    another, gone_from = lock.role_id not in (None, role_id), role_is_gone_from(case)
    if another or gone_from:
        locked = f", in cmek.lock {lock.role_id}" if another else ""
        names = f"; {gone_from} of the key policy still names the deleted one" if gone_from else ""
        words = f"the role was deleted and made again under its old name (unique ID {role_id}{locked}){names}"
        cure = f"{_anew(case)}\nThen lock the new one (`cmek lock --deployed`)."
        means = f"to the key it is a stranger: {NOTHING_LOST}"
        return wrong("same-role", words, cure, _OUT, means=means, events=_MADE_AGAIN)
    if lock.role_id is None:
        return said("same-role", f"the role is not locked (`cmek lock --deployed`); its unique ID is {role_id}")
    return right("same-role", f"the role is the locked one ({role_id})")


def _boundary(case: Deployed, role: Role) -> Finding:
    """Whether what bounds it is what the file says, and lets it use the key."""
    own, found = case.entry.settings, role.boundary_arn
    wanted = found if own.role is not None else own.permissions_boundary
    denied, doubt = refused(case, "permissions", role.boundary) if found else ([], "")
    if doubt:
        words = f"whether the permissions boundary {printable(found)} lets the role use the key: {doubt}"
        cure = "Have somebody read it who knows IAM; or ask as somebody who may iam:GetPolicy and iam:GetPolicyVersion."
        return unknown("boundary", words, cure, _OUT)
    cure = case.iam("delete-role-permissions-boundary")
    if wanted:
        cure = f"{case.iam('put-role-permissions-boundary')} --permissions-boundary {wanted}"
    if denied:
        words = f"the role's permissions boundary, {printable(found)}, does not let it do {' and '.join(denied)}"
        if found == wanted:
            cure = "Have its owner allow these actions on the key in it."
        return wrong("boundary", words, cure, _OUT, events=_BOUNDING)
    if found == wanted:
        return right("boundary", f"the role is bounded by {wanted}" if wanted else "the role has no boundary")
    by_file = wanted or "there is none"
    words = f"the role's permissions boundary is {printable(found or 'missing')}, but {by_file} in the file"
    return wrong("boundary", words, cure, events=_BOUNDING)


def about_brake(case: Deployed) -> Finding:
    """Whether Pinecone is cut off if, and only if, the file says so."""
    of, observed, name = KINDS[case.brake.kind], case.statements(case.brake.kind), case.entry.name
    if isinstance(observed, Unread):
        return not_read("suspended", "whether Pinecone is cut off", observed, of.reads)
    if not case.entry.settings.suspended and not is_suspended(case, observed):
        return right("suspended", "not suspended, as the file says")
    if not case.entry.settings.suspended:
        words = "Pinecone is cut off by the suspension, but the file does not say suspended: true"
        cure = f"cmek resume {name}\nIf it is meant, write `suspended: true` into cmek.yaml instead, and commit it."
        means = f"{NOTHING_LOST}; the next deploy that changes the policy lets it back in"
        return wrong("suspended", words, cure, _OUT, means=means, events=of.events)
    if is_cut_off(case, observed):
        return said("suspended", "SUSPENDED on purpose: Pinecone is cut off, as the file says")
    words = "the file says suspended: true, but nothing cuts Pinecone off"
    means = "Pinecone is let in: it can read and write all data, against the file"
    cure = f'cmek suspend {name} --reason "…"'
    return wrong("suspended", words, cure, Effect.SOMEBODY_LET_IN, means=means, events=of.events)


def about_key(case: Deployed) -> Iterator[Finding]:
    """Whether it is the very key that Pinecone stores, and can be used."""
    key, locked = case.key, case.lock.key_arn
    if isinstance(key, Unread):
        yield not_read("key", f"the key {case.key_arn}", key, "kms:DescribeKey")
        return
    if key is None:
        cure = "First see that account and region are right. Then call AWS Support, and Pinecone."
        means = "if it was deleted, all data of the project is lost for good"
        yield wrong("key", f"KMS knows no key {case.key_arn}", cure, Effect.KEY_ENDS, means=means, time="none")
        return
    yield right("key", "the key is there")
    if locked not in (None, case.key_arn):
        words = f"the stack's key is {case.key_arn}, but cmek.lock has {locked}, which Pinecone stores"
        cure = "Do not delete either key. Look in git what made another one, and undo it before the next deploy."
        means = "the data is encrypted with the locked key: it is lost if that key is"
        yield wrong("same-key", words, cure, means=means, time="before anybody deletes a key")
    elif locked:
        yield right("same-key", "the key is the locked one")
    elif case.lock.role_arn:
        yield said("same-key", "the key is not locked (`cmek lock --deployed`)")
    if key.is_ending:
        yield _deletion(case, key)
    else:
        yield right("deletion", "nobody has ordered its deletion")
        yield _enabled(case, key)
        # Of a key that is to be deleted KMS says that it does not rotate.
        yield _rotation(case, key)
    if case.entry.settings.key is None:
        yield _alias(case, key)


def _deletion(case: Deployed, key: Key) -> Finding:
    words, time = "the key WILL BE DELETED once its last replica is", ""
    if key.deletion_date is not None:
        days, when = (key.deletion_date - case.now).days, at(key.deletion_date)
        left = f"{days} days" if days > 1 else "1 day" if days == 1 else "LESS THAN A DAY"
        words, time = f"the key WILL BE DELETED at {when}", f"{left}, until {when}"
    cure = f"{case.kms('cancel-key-deletion')} && {case.kms('enable-key')}"
    return wrong("deletion", words, cure, Effect.KEY_ENDS, time=time, events=("kms:ScheduleKeyDeletion",))


def _enabled(case: Deployed, key: Key) -> Finding:
    if key.state == "Enabled":
        return right("enabled", "it is enabled")
    if key.state == "Disabled":
        return wrong("enabled", "the key is disabled", case.kms("enable-key"), _OUT, events=("kms:DisableKey",))
    cure = "See the KMS console: this key cannot be used as it is."
    return wrong("enabled", f"the key is in state {printable(key.state)}", cure, _OUT)


def _rotation(case: Deployed, key: Key) -> Finding:
    own, found = case.entry.settings, key.rotation_days
    if isinstance(found, Unread):
        return not_read("rotation", "whether it rotates", found, "kms:GetKeyRotationStatus")
    wanted = None if own.enable_key_rotation is False else own.rotation_period or ROTATION_DAYS
    does, by_file = ("does not rotate" if days is None else f"rotates every {days} days" for days in (found, wanted))
    if own.key is not None:
        return said("rotation", f"the key is yours, and {does}")
    if found == wanted:
        return right("rotation", f"it {does}")
    cure = case.kms("disable-key-rotation")
    if wanted:
        cure = f"{case.kms('enable-key-rotation')} --rotation-period-in-days {wanted}"
    events = ("kms:DisableKeyRotation", "kms:EnableKeyRotation")
    means = "none: old data stays readable, and Pinecone notices nothing"
    return wrong("rotation", f"the key {does}, but by the file it {by_file}", cure, means=means, events=events)


def alias_of_file(case: Deployed) -> str | Unread | None:
    """The alias that the key should have: the file's, or the one that the stack made."""
    own = case.entry.settings.alias
    return f"alias/{own.removeprefix('alias/')}" if own else case.alias


def _alias(case: Deployed, key: Key) -> Finding:
    wanted, target = alias_of_file(case) or Unread("the stack shows no alias"), case.alias_target
    if isinstance(wanted, Unread):
        return not_read("alias", "the key's alias", wanted, "cloudformation:ListStackResources")
    if isinstance(key.aliases, Unread):
        return not_read("alias", "the key's aliases", key.aliases, "kms:ListAliases")
    if wanted in key.aliases:
        return right("alias", f"{wanted} points to it")
    words = f"{wanted} points to another key, {printable(target)}" if target else f"{wanted} does not exist"
    if isinstance(target, Unread):
        words = f"{wanted} does not point to it; to which it does was not read ({target.why})"
    command = f"aws kms {'update' if target else 'create'}-alias --region {case.entry.settings.region}"
    cure = f"{command} --alias-name {wanted} --target-key-id {case.key_arn}"
    means = (
        "none for Pinecone, which goes by the key's ARN; people and policies that go by the alias take another key for "
        "this one, or none"
    )
    return wrong("alias", words, cure, means=means, events=("kms:UpdateAlias", "kms:DeleteAlias"))


def about_grants(case: Deployed, key: Key) -> Finding:
    """Whom grants let use the key, beside the key policy."""
    if isinstance(key.grants, Unread):
        return not_read("grants", "the key's grants", key.grants, "kms:ListGrants")
    if not key.grants:
        return right("grants", "there are no grants on it")
    others = [one for one in key.grants if not is_ours(case.role_arn, one)]
    shown = few([*map(grant_in_words, others or key.grants)], _SHOWN)
    if not others:
        return said("grants", f"grants for the role itself or AWS services: {shown}")
    cures = [f"{case.kms('revoke-grant')} --grant-id {printable(one.id)}" for one in others[:_SHOWN]]
    cures += [f"Then see which are left: cmek doctor {case.entry.name}"] if len(others) > _SHOWN else []
    words = f"grants let others use the key, whatever the key policy says: {shown}"
    found = wrong("grants", words, "\n".join(cures), Effect.SOMEBODY_LET_IN, events=("kms:CreateGrant",))
    return found.is_yours("key") if case.entry.settings.key is not None else found


def is_ours(role_arn: str, grant: Grant) -> bool:
    """Whether a grant lets in only the role, an AWS service, or nobody any more."""
    name, (account, _, role) = grant.grantee, role_arn.partition(":role/")
    session = f"{account.replace(':iam:', ':sts:')}:assumed-role/{role.rpartition('/')[2]}/"
    is_service = name.endswith(".amazonaws.com") and ":" not in name
    return name == role_arn or name.startswith(session) or is_service or bool(DELETED.fullmatch(name))


def grant_in_words(grant: Grant) -> str:
    return printable(f"{grant.grantee} may {', '.join(grant.operations)} (grant {grant.id})")


def about_use(case: Deployed, by: str | Unread | None) -> Iterator[Finding]:
    """When the key was last used, by KMS and by whom, and when the role was last assumed, by IAM."""
    last = case.role.last_used if isinstance(case.role, Role) else None
    use = case.key.last_use if isinstance(case.key, Key) else None
    words = "IAM has seen nobody take on the role in 400 days"
    if last:
        words = f"the role was last taken on at {at(last)}, by IAM, which is some hours late"
    if isinstance(use, Unread):
        action = "kms:GetKeyLastUsage, or leave it out with --no-cloudtrail"
        yield not_read("last-use", f"the last use of the key; {words}", use, action)
    elif use is not None:
        seen = f"KMS has seen no use of the key since {at(use.tracked_since)}"
        if use.when is not None:
            who = f"; by whom is not known ({by.why})" if isinstance(by, Unread) else f", by {by}" if by else ""
            seen = f"the key was last used at {at(use.when)} ({printable(use.operation)}, by KMS){who}"
        yield said("last-use", f"{seen}; {words}")
    elif isinstance(case.role, Role):
        yield said("last-use", words)


def who_used(case: Deployed, event: Event | Unread | None) -> str | Unread:
    """Who used the key, by an event of CloudTrail, for a person: the role is Pinecone."""
    if event is None or isinstance(event, Unread):
        return event or Unread("CloudTrail does not show it any more")
    return "Pinecone" if event.by == case.role_arn else printable(event.by)
