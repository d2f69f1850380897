"""What becomes of role, key and alias, and what kind of role and key they are.

Pinecone can change neither role nor key once they are set. Source: CloudFormation user guide, "DeletionPolicy
attribute"; steps 2.4 to 2.7 of the guide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cmek_construct import checks
from cmek_construct import warnings as ids
from cmek_construct.guardrails.judged import KeyUse, Named, Trust
from cmek_construct.guardrails.rule import Fault, rule
from cmek_construct.policy.sentences import Quoted
from cmek_construct.templates.found import Place, Unread
from cmek_construct.templates.reading import writers

_WANTED: Final = {"DeletionPolicy": ("Retain", "RetainExceptOnCreate"), "UpdateReplacePolicy": ("Retain",)}
_RETAIN: Final = (
    "Set DeletionPolicy to RetainExceptOnCreate and UpdateReplacePolicy to Retain: "
    "apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)."
)
_KIND: Final = {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "Origin": "AWS_KMS"}
_FOR_GOOD: Final = "Take it back before the key is made: it can't be changed later."
_LONGEST_SESSION: Final = 3_600
"""Seconds. Source: IAM API reference, CreateRole, the default of ``MaxSessionDuration``."""
_NUMBER: Final = re.compile("[0-9]{1,9}")
_ROLE_PROPERTIES: Final = ("MaxSessionDuration",)
_KEY_PROPERTIES: Final = (
    *_KIND, "Enabled", "EnableKeyRotation", "MultiRegion", "PendingWindowInDays",
    "BypassPolicyLockoutSafetyCheck",
)  # fmt: skip


@rule(
    ids.KEY_RETAINED,
    KeyUse,
    sentence="The key is kept when the stack is deleted or would replace it.",
    allows="Who deletes the stack, or has the key replaced, would order the deletion of the key, and all data with it.",
    cure=_RETAIN,
)
@rule(
    ids.ROLE_RETAINED,
    Trust,
    sentence="The role is kept when the stack is deleted or would replace it.",
    allows="Who deletes the stack, or renames the role, would take Pinecone's access: a role made "
    "again under its name is another one to the key policy.",
    cure=_RETAIN,
)
def retained(subject: Trust | KeyUse) -> Iterator[Fault]:
    """A role or key that can go."""
    yield from _faults(subject.place, *_WANTED)


@rule(
    ids.ALIAS_RETAINED,
    Named,
    sentence="The alias is kept when the stack is deleted.",
    allows="Who deletes the stack would take the alias, and with it every permission that is scoped by it.",
    cure="Set the alias's DeletionPolicy to RetainExceptOnCreate.",
)
def alias(one: Named) -> Iterator[Fault]:
    """An alias that can go."""
    if one.is_ours:
        yield from _faults(one.alias.place, "DeletionPolicy")


def _faults(place: Place, *attributes: str) -> Iterator[Fault]:
    faults = [
        f"{name} is {Quoted(place.raw[name]) if name in place.raw else 'not set'}, not {_WANTED[name][-1]}"
        for name in attributes
        if place.raw.get(name) not in _WANTED[name]
    ]
    if faults:
        yield Fault(f"{', and '.join(faults)}.")


@rule(
    "alias-target",
    Named,
    sentence="The alias names the key that Pinecone encrypts with.",
    allows="Who looks for the key by its name would manage, disable or delete another one.",
    cure="Set the alias's TargetKeyId to the key.",
)
def alias_target(one: Named) -> Iterator[Fault]:
    """An alias of our key that names another one."""
    for now in one.alias.cases if one.keys else ():
        if now.value.key not in one.keys:
            said = f"The alias {Quoted(now.value.name)} has the target {Quoted(now.value.target)}, "
            yield Fault(f"{said}which is not the key that Pinecone encrypts with.")


@rule(
    "key-kind",
    KeyUse,
    sentence="The key is symmetric, for encryption, with key material of KMS.",
    allows="Pinecone could not use the key, or its material could be lost or copied outside KMS; "
    "neither can be changed later.",
    cure=_FOR_GOOD,
)
def kind(use: KeyUse) -> Iterator[Fault]:
    """Not symmetric, not for encryption, or with key material from elsewhere."""
    for name, needed in _KIND.items():
        value = _known(use, name, needed)
        if value not in (None, needed):
            yield Fault(f"{name} is {Quoted(value)}, and the guide's key has {needed}.")


@rule(
    "key-enabled",
    KeyUse,
    sentence="The key is enabled.",
    allows="Nobody could read what is encrypted, and each deploy would switch the key off again.",
    cure="Take Enabled out. To cut Pinecone off, use suspended=True.",
)
def enabled(use: KeyUse) -> Iterator[Fault]:
    """A key that is switched off."""
    yield from _not(use, "Enabled", "true")


@rule(
    ids.ROTATION,
    KeyUse,
    sentence="The key rotates; its ARN stays the same.",
    allows="Who ever gets hold of the key material could read all data, of all years.",
    cure="Set EnableKeyRotation to true, or enable_key_rotation=False on the construct.",
)
def rotation(use: KeyUse) -> Iterator[Fault]:
    """A key whose material stays the same for good."""
    set_to = _known(use, "EnableKeyRotation", "false")
    if not _is_replica(use) and set_to is not None and set_to.lower() != "true":
        yield Fault("EnableKeyRotation is not true.")


@rule(
    ids.MULTI_REGION,
    KeyUse,
    sentence="The key is in one Region.",
    allows="Whoever may replicate the key, or is let in by a copy's policy, could read what it "
    "encrypts in other Regions.",
    cure=f"{_FOR_GOOD} If it is meant, set multi_region=True on the construct.",
)
def multi_region(use: KeyUse) -> Iterator[Fault]:
    """A key whose material is, or can be, in several Regions."""
    for one in _not(use, "MultiRegion", "false"):
        yield Fault(f"{one.what[:-1]}, which can never be taken back.")
    if _is_replica(use):
        yield Fault("It is a replica of a multi-Region key, with a policy of its own.")


@rule(
    ids.PENDING_WINDOW,
    KeyUse,
    sentence="An order to delete the key can be called off for more than the least of 7 days.",
    allows="Who orders the deletion of the key could have all data lost after a week, a holiday.",
    cure="Leave PendingWindowInDays out: 30 days; or set pending_window on the construct.",
)
def pending_window(use: KeyUse) -> Iterator[Fault]:
    """The shortest time in which a deletion can still be called off."""
    value = _known(use, "PendingWindowInDays", "30")
    least, _ = checks.PENDING_WINDOW_DAYS
    if value is not None and not (_NUMBER.fullmatch(value) and int(value) > least):
        what = f"PendingWindowInDays is {Quoted(value)}, and the least that KMS takes is {least}."
        yield Fault(what)


@rule(
    "key-lockout-check",
    KeyUse,
    sentence="KMS checks that the key policy locks nobody out.",
    allows="A key policy that locks everybody out for good would be accepted.",
    cure="Take BypassPolicyLockoutSafetyCheck out.",
)
def lockout_check(use: KeyUse) -> Iterator[Fault]:
    """KMS's own check that somebody can still manage the key is switched off."""
    yield from _not(use, "BypassPolicyLockoutSafetyCheck", "false")


@rule(
    "role-session",
    Trust,
    sentence="Sessions of the role last one hour at most.",
    allows="A session that was let in could go on for hours after Pinecone was cut off.",
    cure="Take MaxSessionDuration out.",
)
def session(trust: Trust) -> Iterator[Fault]:
    """Sessions of more than an hour."""
    seconds = _known(trust, "MaxSessionDuration", str(_LONGEST_SESSION))
    if seconds is not None and not (_NUMBER.fullmatch(seconds) and int(seconds) <= _LONGEST_SESSION):
        said = f"MaxSessionDuration is {Quoted(seconds)} seconds; the guide's role has "
        yield Fault(f"{said}{_LONGEST_SESSION}.")


_READABLE: Final = {
    "sentence": "Everything that says what role and key are can be read from the template.",
    "allows": "Nobody can tell what is deployed.",
    "cure": "Write it out.",
}


@rule(ids.CANNOT_BE_JUDGED, Trust, KeyUse, **_READABLE)
def unread_property(subject: Trust | KeyUse) -> Iterator[Fault]:
    """A property of role or key that only the deploy knows."""
    properties, is_role = subject.now.properties, isinstance(subject, Trust)
    for name in subject.place.raw:
        if name.startswith("Fn::"):
            yield Fault(f"{name} beside its Type rewrites it.", name)
    for name in writers(subject.place.raw.get("Properties")):
        yield Fault(f"{name} in its Properties rewrites them.", name)
    for name in ("", *(_ROLE_PROPERTIES if is_role else _KEY_PROPERTIES)):
        if _known(subject, name, "") is None:
            value = Quoted(str(properties[name]))
            yield Fault(f"{name or 'Properties'} is {value}, which is not known.", name)
    if not is_role and not properties.keys() & {"KeyPolicy", ""}:
        yield Fault("The key has no KeyPolicy, so that it is KMS's default.", "KeyPolicy")


@rule(ids.CANNOT_BE_JUDGED, Unread, **_READABLE)
def unread(one: Unread) -> Iterator[Fault]:
    """What may concern role or key and cannot be read."""
    yield Fault(f"{Quoted(one.place.path)}: {one.why} {one.way_out}")


def _not(use: KeyUse, name: str, wanted: str) -> Iterator[Fault]:
    """A Boolean that is known, and is not this."""
    value = _known(use, name, wanted)
    if value is not None and value.lower() != wanted:
        yield Fault(f"{name} is {Quoted(value.lower())}.")


def _known(subject: Trust | KeyUse, name: str, default: str) -> str | None:
    """A property as text; None where only the deploy knows it, which a rule of its own says."""
    value = str(subject.now.properties.get(name, default))
    return None if "${" in value else value


def _is_replica(use: KeyUse) -> bool:
    return use.place.type == "AWS::KMS::ReplicaKey"
