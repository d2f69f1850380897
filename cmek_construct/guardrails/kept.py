"""What becomes of role, key and alias, and what kind of role and key they are.

Pinecone can change neither role nor key once they are set. Source: CloudFormation user guide, "DeletionPolicy
attribute"; steps 2.4 to 2.7 of the guide.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from cmek_construct import checks
from cmek_construct import warnings as ids
from cmek_construct.guardrails.rule import KeyUse, Rule, Subject, Trust, Violation
from cmek_construct.policy.words import Quoted
from cmek_construct.templates.found import Alias, Found, Place
from cmek_construct.templates.reading import writers

_WANTED: Final = {"DeletionPolicy": ("Retain", "RetainExceptOnCreate"), "UpdateReplacePolicy": ("Retain",)}
_RETAIN: Final = (
    "Set DeletionPolicy to RetainExceptOnCreate and UpdateReplacePolicy to Retain: "
    "apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)."
)
_FOR_GOOD: Final = "Take it back before the key is made: it can't be changed later."
_LONGEST_SESSION: Final = 3_600
"""Seconds. Source: IAM API reference, CreateRole, the default of ``MaxSessionDuration``."""
_LEAST_WINDOW: Final = checks.PENDING_WINDOW_DAYS[0]
_NUMBER: Final = re.compile("[0-9]{1,9}")

# What becomes of them.

ROLE_RETAINED: Final = Rule(
    ids.ROLE_RETAINED,
    sentence="The role is kept when the stack is deleted or would replace it.",
    allows="Who deletes the stack, or renames the role, would take Pinecone's access: a role made "
    "again under its name is another one to the key policy.",
    cure=_RETAIN,
)
KEY_RETAINED: Final = Rule(
    ids.KEY_RETAINED,
    sentence="The key is kept when the stack is deleted or would replace it.",
    allows="Who deletes the stack, or has the key replaced, would order the deletion of the key, and all data with it.",
    cure=_RETAIN,
)
ALIAS_RETAINED: Final = Rule(
    ids.ALIAS_RETAINED,
    sentence="The alias is kept when the stack is deleted.",
    allows="Who deletes the stack would take the alias, and with it every permission that is scoped by it.",
    cure="Set the alias's DeletionPolicy to RetainExceptOnCreate.",
)
ALIAS_TARGET: Final = Rule(
    "alias-target",
    sentence="The alias names the key that Pinecone encrypts with.",
    allows="Who looks for the key by its name would manage, disable or delete another one.",
    cure="Set the alias's TargetKeyId to the key.",
)


def _retained(place: Place, rule: Rule, *attributes: str) -> Iterator[Violation]:
    said = {name: Quoted(place.raw[name]) if name in place.raw else "not set" for name in attributes}
    faults = [f"{name} is {it}, not {_WANTED[name][-1]}" for name, it in said.items() if it not in _WANTED[name]]
    if faults:
        yield rule.broken(place, f"{', and '.join(faults)}.")


def of_alias(alias: Alias, found: Found) -> Iterator[Violation]:
    """An alias that can go, or that names none of Pinecone's keys."""
    if alias.is_named:
        yield from _retained(alias.place, ALIAS_RETAINED, "DeletionPolicy")
    if found.keys and alias.key not in found.by_place:
        said = f"The alias {Quoted(alias.name)} has the target {Quoted(alias.target)}, "
        yield ALIAS_TARGET.broken(alias.place, f"{said}which is not the key that Pinecone encrypts with.")


# What kind they are.

KEY_KIND: Final = Rule(
    "key-kind",
    sentence="The key is symmetric, for encryption, with key material of KMS.",
    allows="Pinecone could not use the key, or its material could be lost or copied outside KMS; "
    "neither can be changed later.",
    cure=_FOR_GOOD,
)
ENABLED: Final = Rule(
    "key-enabled",
    sentence="The key is enabled.",
    allows="Nobody could read what is encrypted, and each deploy would switch the key off again.",
    cure="Take Enabled out. To cut Pinecone off, use suspended=True.",
)
ROTATION: Final = Rule(
    ids.ROTATION,
    sentence="The key rotates; its ARN stays the same.",
    allows="Who ever gets hold of the key material could read all data, of all years.",
    cure="Set EnableKeyRotation to true, or enable_key_rotation=False on the construct.",
)
MULTI_REGION: Final = Rule(
    ids.MULTI_REGION,
    sentence="The key is in one Region.",
    allows="Whoever may replicate the key, or is let in by a copy's policy, could read what it "
    "encrypts in other Regions.",
    cure=f"{_FOR_GOOD} If it is meant, set multi_region=True on the construct.",
)
PENDING_WINDOW: Final = Rule(
    ids.PENDING_WINDOW,
    sentence="An order to delete the key can be called off for more than the least of 7 days.",
    allows="Who orders the deletion of the key could have all data lost after a week, a holiday.",
    cure="Leave PendingWindowInDays out: 30 days; or set pending_window on the construct.",
)
LOCKOUT_CHECK: Final = Rule(
    "key-lockout-check",
    sentence="KMS checks that the key policy locks nobody out.",
    allows="A key policy that locks everybody out for good would be accepted.",
    cure="Take BypassPolicyLockoutSafetyCheck out.",
)
SESSION: Final = Rule(
    "role-session",
    sentence="Sessions of the role last one hour at most.",
    allows="A session that was let in could go on for hours after Pinecone was cut off.",
    cure="Take MaxSessionDuration out.",
)
UNREAD: Final = Rule(
    ids.CANNOT_BE_JUDGED,
    sentence="Everything that says what role and key are can be read from the template.",
    allows="Nobody can tell what is deployed.",
    cure="Write it out.",
)


class _Property(NamedTuple):
    rule: Rule
    name: str
    default: str
    wanted: str | range
    says: str = "{name} is {value}."


_KIND: Final = "{name} is {value}, and the guide's key has {wanted}."
_LEAST: Final = f"{{name}} is {{value}}, and the least that KMS takes is {_LEAST_WINDOW}."
_LONGEST: Final = f"{{name}} is {{value}} seconds; the guide's role has {_LONGEST_SESSION}."
_OF_ROLE: Final = [_Property(SESSION, "MaxSessionDuration", "0", range(_LONGEST_SESSION + 1), _LONGEST)]
_OF_KEY: Final = [
    _Property(KEY_KIND, "KeySpec", "SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT", _KIND),
    _Property(KEY_KIND, "KeyUsage", "ENCRYPT_DECRYPT", "ENCRYPT_DECRYPT", _KIND),
    _Property(KEY_KIND, "Origin", "AWS_KMS", "AWS_KMS", _KIND),
    _Property(ENABLED, "Enabled", "true", "true"),
    _Property(ROTATION, "EnableKeyRotation", "false", "true", "{name} is not {wanted}."),
    _Property(MULTI_REGION, "MultiRegion", "false", "false", "{name} is {value}, which can never be taken back."),
    _Property(PENDING_WINDOW, "PendingWindowInDays", "30", range(_LEAST_WINDOW + 1, 10**9), _LEAST),
    _Property(LOCKOUT_CHECK, "BypassPolicyLockoutSafetyCheck", "false", "false"),
]


def of_role(trust: Trust) -> Iterator[Violation]:
    """A role that can go, or of another kind."""
    yield from _retained(trust.place, ROLE_RETAINED, *_WANTED)
    yield from _of_kind(trust, _OF_ROLE)


def of_key(use: KeyUse) -> Iterator[Violation]:
    """A key that can go, or of another kind."""
    yield from _retained(use.place, KEY_RETAINED, *_WANTED)
    is_replica = use.place.type == "AWS::KMS::ReplicaKey"
    if is_replica:
        yield MULTI_REGION.broken(use.place, "It is a replica of a multi-Region key, with a policy of its own.")
    yield from _of_kind(use, [one for one in _OF_KEY if not is_replica or one.rule is not ROTATION])
    if not use.now.properties.keys() & {"KeyPolicy", ""}:
        yield UNREAD.broken(use.place, "The key has no KeyPolicy, so that it is KMS's default.", "KeyPolicy")


def _of_kind(subject: Subject, properties: Iterable[_Property]) -> Iterator[Violation]:
    """A property that is another than the guide's, or that only the deploy knows."""
    place, now = subject.place, subject.now.properties
    unread = [""] if "${" in str(now.get("", "")) else []
    for one in properties:
        value = str(now.get(one.name, one.default))
        value = value.lower() if one.wanted in ("true", "false") else value
        number = int(value) if _NUMBER.fullmatch(value) else -1
        if "${" in value:
            unread.append(one.name)
        elif number not in one.wanted if isinstance(one.wanted, range) else value != one.wanted:
            yield one.rule.broken(place, one.says.format(name=one.name, value=Quoted(value), wanted=one.wanted))
    faults = [(name, "beside its Type rewrites it") for name in place.raw if name.startswith("Fn::")]
    faults += [(name, "in its Properties rewrites them") for name in writers(place.raw.get("Properties"))]
    faults += [(name, f"is {Quoted(str(now[name]))}, which is not known") for name in unread]
    for name, why in faults:
        yield UNREAD.broken(place, f"{name or 'Properties'} {why}.", name)
