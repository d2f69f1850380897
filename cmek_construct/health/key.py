"""The key: whether it is there, usable, rotating, named, shared with nobody, and in use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Final

from cmek_construct.aws.objects import ROTATION_DAYS, Event, Grant, Key, Role, Unread
from cmek_construct.checks import few, printable
from cmek_construct.health.deployed import Deployed
from cmek_construct.health.findings import NOW, Effect, Finding, not_read, right, said, wrong
from cmek_construct.policy.principals import DELETED

_SHOWN: Final = 6


def about_key(case: Deployed) -> Iterator[Finding]:
    """Whether it is the very key that Pinecone stores, and can be used."""
    key = case.key
    if isinstance(key, Unread):
        yield not_read("key", f"the key {case.key_arn}", key, "kms:DescribeKey")
        return
    if key is None:
        yield wrong(
            "key",
            f"KMS knows no key {case.key_arn}",
            "First see that account and region are right. Then call AWS Support, and Pinecone.",
            Effect.KEY_ENDS,
            means="if it was deleted, all data of the project is lost for good",
            time="none",
        )
        return
    yield right("key", "the key is there")
    if case.lock.key_arn or case.lock.role_arn:
        yield _same_key(case)
    yield _deletion(case, key)
    if not key.is_ending:
        yield about_enabled(case, key)
        # Of a key that is to be deleted KMS says that it does not rotate.
        yield about_rotation(case, key)
    yield from _alias(case, key)


def _same_key(case: Deployed) -> Finding:
    if case.lock.key_arn is None:
        return said("same-key", "the key is not locked (`cmek lock --deployed`)")
    if case.lock.key_arn == case.key_arn:
        return right("same-key", "the key is the locked one")
    return wrong(
        "same-key",
        f"the stack's key is {case.key_arn}, but cmek.lock has {case.lock.key_arn}, which Pinecone stores",
        "Do not delete either key. Look in git what made another one, and undo it before the next deploy.",
        means="the data is encrypted with the locked key: it is lost if that key is",
        time="before anybody deletes a key",
    )


def _deletion(case: Deployed, key: Key) -> Finding:
    if not key.is_ending:
        return right("deletion", "nobody has ordered its deletion")
    when = key.deletion_date
    words, time = "the key WILL BE DELETED once its last replica is", ""
    if when is not None:
        days = (when - case.now).days
        left = f"{days} days" if days > 1 else "1 day" if days == 1 else "LESS THAN A DAY"
        words = f"the key WILL BE DELETED at {at(when)}"
        time = f"{left}, until {at(when)}"
    return wrong(
        "deletion",
        words,
        f"{case.kms('cancel-key-deletion')} && {case.kms('enable-key')}",
        Effect.KEY_ENDS,
        time=time,
        events=("kms:ScheduleKeyDeletion",),
    )


def at(when: datetime) -> str:
    """A point in time, for a person."""
    return f"{when.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC"


def about_enabled(case: Deployed, key: Key) -> Finding:
    """Whether it can be used."""
    if key.state == "Enabled":
        return right("enabled", "it is enabled")
    disabled = key.state == "Disabled"
    return wrong(
        "enabled",
        "the key is disabled" if disabled else f"the key is in state {printable(key.state)}",
        case.kms("enable-key") if disabled else "See the KMS console: this key cannot be used as it is.",
        Effect.PINECONE_LOCKED_OUT,
        events=("kms:DisableKey",) if disabled else (),
    )


def about_rotation(case: Deployed, key: Key) -> Finding:
    """Whether it rotates as the file says."""
    own, found = case.entry.settings, key.rotation_days
    if isinstance(found, Unread):
        return not_read("rotation", "whether it rotates", found, "kms:GetKeyRotationStatus")
    if own.key is not None:
        return said("rotation", f"the key is yours, and {_rotates(found)}")
    wanted = None if own.enable_key_rotation is False else own.rotation_period or ROTATION_DAYS
    if found == wanted:
        return right("rotation", f"it {_rotates(found)}")
    turn_on = f"{case.kms('enable-key-rotation')} --rotation-period-in-days {wanted}"
    return wrong(
        "rotation",
        f"the key {_rotates(found)}, but by the file it {_rotates(wanted)}",
        turn_on if wanted else case.kms("disable-key-rotation"),
        means="none: old data stays readable, and Pinecone notices nothing",
        events=("kms:DisableKeyRotation", "kms:EnableKeyRotation"),
    )


def _rotates(days: int | None) -> str:
    return "does not rotate" if days is None else f"rotates every {days} days"


def alias_of_file(case: Deployed) -> str | Unread | None:
    """The alias that the key should have: the file's, or the one that the stack made."""
    own = case.entry.settings.alias
    return f"alias/{own.removeprefix('alias/')}" if own else case.alias


def _alias(case: Deployed, key: Key) -> Iterator[Finding]:
    """Whether the alias is there and points to this key."""
    if case.entry.settings.key is not None:
        return
    wanted, there, target = alias_of_file(case), key.aliases, case.alias_target
    if wanted is None or isinstance(wanted, Unread):
        unread = wanted or Unread("the stack shows no alias")
        yield not_read("alias", "the key's alias", unread, "cloudformation:ListStackResources")
    elif isinstance(there, Unread):
        yield not_read("alias", "the key's aliases", there, "kms:ListAliases")
    elif wanted in there:
        yield right("alias", f"{wanted} points to it")
    else:
        command, words = "update", f"{wanted} points to another key, {printable(target)}"
        if target is None:
            command, words = "create", f"{wanted} does not exist"
        elif isinstance(target, Unread):
            words = f"{wanted} does not point to it; to which it does was not read ({target.why})"
        yield wrong(
            "alias",
            words,
            f"aws kms {command}-alias --region {case.entry.settings.region} --alias-name {wanted} "
            f"--target-key-id {case.key_arn}",
            means="none for Pinecone, which goes by the key's ARN; people and policies that go by "
            "the alias take another key for this one, or none",
            events=("kms:UpdateAlias", "kms:DeleteAlias"),
        )


def about_grants(case: Deployed, key: Key) -> Finding:
    """Whom grants let use the key, beside the key policy."""
    grants = key.grants
    if isinstance(grants, Unread):
        return not_read("grants", "the key's grants", grants, "kms:ListGrants")
    if not grants:
        return right("grants", "there are no grants on it")
    others = [one for one in grants if not is_ours(case.role_arn, one)]
    shown = few([*map(grant_in_words, others or grants)], _SHOWN)
    if not others:
        return said("grants", f"grants for the role itself or AWS services: {shown}")
    words = f"grants let others use the key: {shown}"
    revoke = "\n".join(f"{case.kms('revoke-grant')} --grant-id {printable(one.id)}" for one in others[:_SHOWN])
    if len(others) > _SHOWN:
        revoke += f"\nThen see which are left: cmek doctor {case.entry.name}"
    if case.entry.settings.key is not None:
        return said("grants", words)
    return wrong(
        "grants",
        words,
        revoke,
        Effect.SOMEBODY_LET_IN,
        means="somebody is let in: they can do that with all data that the key encrypts, whatever the key policy says",
        time=NOW,
        events=("kms:CreateGrant",),
    )


def is_ours(role_arn: str, grant: Grant) -> bool:
    """Whether a grant lets in only the role, an AWS service, or nobody any more."""
    name = grant.grantee
    session = role_arn.replace(":iam:", ":sts:").partition(":role/")[0] + ":assumed-role/"
    own = f"{session}{role_arn.rpartition('/')[2]}/"
    is_service = name.endswith(".amazonaws.com") and ":" not in name
    return name == role_arn or name.startswith(own) or is_service or bool(DELETED.fullmatch(name))


def grant_in_words(grant: Grant) -> str:
    """A grant in one line."""
    operations = ", ".join(grant.operations)
    return printable(f"{grant.grantee} may {operations} (grant {grant.id})")


def about_use(case: Deployed, by: str | Unread | None) -> Iterator[Finding]:
    """When the key was last used, by KMS, and when the role was last assumed, by IAM.

    Args:
        case: the stack.
        by: who used the key then, by CloudTrail; None where that is not to be said.
    """
    role = case.role
    last = role.last_used if isinstance(role, Role) else None
    words = (
        f"the role was last taken on at {at(last)}, by IAM, which is some hours late"
        if last
        else "IAM has seen nobody take on the role in 400 days"
    )
    use = case.key.last_use if isinstance(case.key, Key) else None
    if isinstance(use, Unread):
        action = "kms:GetKeyLastUsage, or leave it out with --no-cloudtrail"
        yield not_read("last-use", f"the last use of the key; {words}", use, action)
    elif use is not None:
        seen = f"KMS has seen no use of the key since {at(use.tracked_since)}"
        if use.when is not None:
            who = f"; by whom is not known ({by.why})" if isinstance(by, Unread) else f", by {by}"
            operation = f"{printable(use.operation)}, by KMS"
            seen = f"the key was last used at {at(use.when)} ({operation}){who if by else ''}"
        yield said("last-use", f"{seen}; {words}")
    elif isinstance(role, Role):
        yield said("last-use", words)


def who_used(case: Deployed, event: Event | Unread | None) -> str | Unread:
    """Who used the key the last time, by the event that KMS names.

    Args:
        case: the stack.
        event: that CloudTrail shows under its ID.
    """
    if event is None:
        return Unread("CloudTrail does not show it any more")
    if isinstance(event, Unread):
        return event
    return caller(case, event)


def caller(case: Deployed, event: Event) -> str:
    """Who called, for a person: the role is Pinecone."""
    return "Pinecone" if event.by == case.role_arn else printable(event.by)
