"""The doctor on the key: whether it is there, usable, rotating, named, and shared with nobody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any, Final

from cmek_construct.checks import printable
from cmek_construct.operations.deleted import GONE
from cmek_construct.operations.doctor.source import Key, Unread
from cmek_construct.operations.doctor.words import (
    CACHED,
    NO_HURRY,
    NOTHING_LOST,
    NOW,
    Case,
    not_read,
    right,
    said,
)
from cmek_construct.operations.findings import Finding, Verdict, judged

_ENDING: Final = ("PendingDeletion", "PendingReplicaDeletion")
_SHOWN: Final = 6
_DAYS: Final = 365
"""KMS's rotation period where none is asked for."""


def is_ending(described: Any) -> bool:
    """Whether the deletion of the key is ordered."""
    return isinstance(described, dict) and described.get("KeyState") in _ENDING


def about_key(case: Case, described: Any) -> Iterator[Finding]:
    """Whether it is the very key that Pinecone stores, and can be used."""
    if isinstance(described, Unread):
        yield not_read("key", f"the key {case.key_arn}", described, "kms:DescribeKey")
        return
    if described is None:
        yield Finding(
            "key",
            Verdict.WRONG,
            f"KMS knows no key {case.key_arn}",
            "First see that account and region are right. Then call AWS Support, and Pinecone.",
            means="if it was deleted, all data of the project is lost for good",
            time="none",
        )
        return
    yield right("key", "the key is there")
    if case.lock.key_arn or case.lock.role_arn:
        yield _same_key(case)
    yield _deletion(case, described)
    if not is_ending(described):
        yield _enabled(case, str(described.get("KeyState")))


def _same_key(case: Case) -> Finding:
    if case.lock.key_arn is None:
        return said("same-key", "the key is not locked (`cmek lock --deployed`)")
    return judged(
        "same-key",
        case.lock.key_arn == case.key_arn,
        (
            "the key is the locked one",
            f"the stack's key is {case.key_arn}, but cmek.lock has {case.lock.key_arn}, which "
            "Pinecone stores",
        ),
        "Do not delete either key. Look in git what made another one, and undo it before the next "
        "deploy.",
        means="the data is encrypted with the locked key: it is lost if that key is",
        time=NOW,
    )


def _deletion(case: Case, described: Any) -> Finding:
    if not is_ending(described):
        return right("deletion", "nobody has ordered its deletion")
    when = described.get("DeletionDate")
    if isinstance(when, datetime):
        days = (when - case.now).days
        left = f"{days} days" if days > 1 else "1 day" if days == 1 else "LESS THAN A DAY"
        at = f"{when.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC"
        words, time = f"the key WILL BE DELETED at {at}", f"{left}, until {at}"
    else:
        words, time = "the key WILL BE DELETED once its last replica is", "not known"
    return Finding(
        "deletion",
        Verdict.WRONG,
        words,
        f"{case.kms('cancel-key-deletion')} && {case.kms('enable-key')}\nThen find out who ordered "
        "it (CloudTrail: ScheduleKeyDeletion).",
        means="after that all data of the project is lost for good, and nobody can bring it back, "
        f"AWS included; until then {NOTHING_LOST}",
        time=time,
    )


def _enabled(case: Case, state: str) -> Finding:
    shown = printable(state)
    disabled = state == "Disabled"
    return judged(
        "enabled",
        state == "Enabled",
        ("it is enabled", "the key is disabled" if disabled else f"the key is in state {shown}"),
        f"{case.kms('enable-key')}\nThen find out who did it (CloudTrail: DisableKey)."
        if disabled
        else "See the KMS console: this key cannot be used as it is.",
        means=NOTHING_LOST,
        time=CACHED,
    )


def about_rotation(case: Case, status: Any) -> Finding:
    """Whether it rotates as the file says."""
    if isinstance(status, Unread):
        return not_read("rotation", "whether it rotates", status, "kms:GetKeyRotationStatus")
    own = case.entry.settings
    period = status.get("RotationPeriodInDays")
    on = bool(status.get("KeyRotationEnabled"))
    found = f"every {period or _DAYS} days" if on else "not at all"
    if own.key is not None:
        return said("rotation", f"the key is yours, and rotates {found}")
    wanted_days = own.rotation_period or _DAYS
    wanted_on = own.enable_key_rotation is not False
    wanted = f"every {wanted_days} days" if wanted_on else "not at all"
    turn_on = f"{case.kms('enable-key-rotation')} --rotation-period-in-days {wanted_days}"
    return judged(
        "rotation",
        on == wanted_on and (not on or period in (None, wanted_days)),
        (f"it rotates {found}", f"the key rotates {found}, but {wanted} by the file"),
        turn_on if wanted_on else case.kms("disable-key-rotation"),
        means="none: old data stays readable, and Pinecone notices nothing",
        time=NO_HURRY,
    )


def about_alias(case: Case, key: Key, made: str | Unread | None) -> Finding | None:
    """Whether the alias is there and points to this key.

    Args:
        case: the stack.
        key: as KMS shows it.
        made: the alias of the stack, by CloudFormation.
    """
    own = case.entry.settings
    if own.key is not None:
        return None
    wanted = f"alias/{own.alias.removeprefix('alias/')}" if own.alias else made
    if wanted is None or isinstance(wanted, Unread):
        unread = wanted or Unread("the stack shows no alias")
        return not_read("alias", "the key's alias", unread, "cloudformation:DescribeStackResources")
    there = key.aliases()
    if isinstance(there, Unread):
        return not_read("alias", "the key's aliases", there, "kms:ListAliases")
    if wanted in there:
        return right("alias", f"{wanted} points to it")
    target = key.target_of(wanted)
    region = own.region
    command = "create" if target is None else "update"
    return Finding(
        "alias",
        Verdict.WRONG,
        f"{wanted} does not exist"
        if target is None
        else f"{wanted} points to another key"
        + ("" if isinstance(target, Unread) else f", {printable(target)}"),
        f"aws kms {command}-alias --region {region} --alias-name {wanted} --target-key-id "
        f"{case.key_arn}",
        means="none for Pinecone, which goes by the key's ARN; people and policies that go by the "
        "alias take another key for this one, or none",
        time=NO_HURRY,
    )


def about_grants(case: Case, grants: list[Any] | Unread) -> Finding:
    """Whom grants let use the key, beside the key policy."""
    if isinstance(grants, Unread):
        return not_read("grants", "the key's grants", grants, "kms:ListGrants")
    if not grants:
        return right("grants", "there are no grants on it")
    others = [one for one in grants if not is_ours(case.role_arn, one)]
    shown = "; ".join(map(grant_in_words, (others or grants)[:_SHOWN]))
    left = len(others or grants) - _SHOWN
    more = f"; and {left} more" if left > 0 else ""
    if not others:
        return said("grants", f"grants for the role itself or AWS services: {shown}{more}")
    return Finding(
        "grants",
        Verdict.WRONG if case.entry.settings.key is None else Verdict.SAID,
        f"grants let others use the key: {shown}{more}",
        "\n".join(
            [
                *(f"{case.kms('revoke-grant')} --grant-id {_id(one)}" for one in others[:_SHOWN]),
                "Find out who made it (CloudTrail: CreateGrant).",
            ]
        ),
        means="they can do that with all data that the key encrypts, whatever the key policy says",
        time=NOW,
    )


def is_ours(role_arn: str, grant: Any) -> bool:
    """Whether a grant lets in only the role, an AWS service, or nobody any more."""
    name = grantee(grant)
    session = role_arn.replace(":iam:", ":sts:").partition(":role/")[0] + ":assumed-role/"
    own = f"{session}{role_arn.rpartition('/')[2]}/"
    is_service = name.endswith(".amazonaws.com") and ":" not in name
    return name == role_arn or name.startswith(own) or is_service or bool(GONE.fullmatch(name))


def _id(grant: Any) -> str:
    return printable(grant.get("GrantId"))


def grantee(grant: Any) -> str:
    """Whom a grant lets in."""
    return str(grant.get("GranteePrincipal") or grant.get("GranteeServicePrincipal") or "?")


def grant_in_words(grant: Any) -> str:
    """A grant in one line."""
    operations = ", ".join(map(str, grant.get("Operations", [])))
    return printable(f"{grantee(grant)} may {operations} (grant {_id(grant)})")
