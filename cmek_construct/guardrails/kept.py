"""What becomes of role, key and alias, and what kind of role and key they are.

Pinecone can change neither role nor key once they are set. Source: CloudFormation user guide, "DeletionPolicy
attribute"; steps 2.4 to 2.7 of the guide.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from cmek_construct import checks
from cmek_construct.guardrails.rule import KeyUse, Subject, Trust, Violation, broken
from cmek_construct.policy.words import Quoted
from cmek_construct.templates.choices import Case
from cmek_construct.templates.found import Alias, Found, Place
from cmek_construct.templates.reading import writers

_WANTED: Final = {"DeletionPolicy": ("Retain", "RetainExceptOnCreate"), "UpdateReplacePolicy": ("Retain",)}
_LONGEST_SESSION: Final = 3_600
"""Seconds. Source: IAM API reference, CreateRole, the default of ``MaxSessionDuration``."""
_LEAST_WINDOW: Final = checks.PENDING_WINDOW_DAYS[0]
_NUMBER: Final = re.compile("[0-9]{1,9}")

# What becomes of them.


def _retained(found: Found, place: Place, case: Case, rule: str, *attributes: str) -> Iterator[Violation]:
    said = ((name, found.run.text(place.stack, place.raw.get(name, "not set"))) for name in attributes)
    each = ((name, one.value) for name, some in said for one in some if one.case.agrees(case))
    faults = [f"{name} is {Quoted(it)}, not {_WANTED[name][-1]}" for name, it in each if it not in _WANTED[name]]
    if faults:
        yield broken(rule, place, f"{', and '.join(faults)}.")


def of_alias(alias: Alias, found: Found) -> Iterator[Violation]:
    """An alias that can go, or that names none of Pinecone's keys."""
    if alias.is_named:
        yield from _retained(found, alias.place, Case(), "alias-retained", "DeletionPolicy")
    if found.keys and alias.key not in found.by_place:
        said = f"The alias {Quoted(alias.name)} has the target {Quoted(alias.target)}, "
        yield broken("alias-target", alias.place, f"{said}which is not the key that Pinecone encrypts with.")


# What kind they are.


class _Property(NamedTuple):
    rule: str
    name: str
    default: str
    wanted: str | range
    says: str = "{name} is {value}."


_KIND: Final = "{name} is {value}, and the guide's key has {wanted}."
_LEAST: Final = f"{{name}} is {{value}}, and the least that KMS takes is {_LEAST_WINDOW}."
_LONGEST: Final = f"{{name}} is {{value}} seconds; the guide's role has {_LONGEST_SESSION}."
_OF_ROLE: Final = [_Property("role-session", "MaxSessionDuration", "0", range(_LONGEST_SESSION + 1), _LONGEST)]
_OF_KEY: Final = [
    _Property("key-kind", "KeySpec", "SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT", _KIND),
    _Property("key-kind", "KeyUsage", "ENCRYPT_DECRYPT", "ENCRYPT_DECRYPT", _KIND),
    _Property("key-kind", "Origin", "AWS_KMS", "AWS_KMS", _KIND),
    _Property("key-enabled", "Enabled", "true", "true"),
    _Property("key-rotation", "EnableKeyRotation", "false", "true", "{name} is not {wanted}."),
    _Property("key-multi-region", "MultiRegion", "false", "false", "{name} is {value}, which can never be taken back."),
    _Property("key-pending-window", "PendingWindowInDays", "30", range(_LEAST_WINDOW + 1, 10**9), _LEAST),
    _Property("key-lockout-check", "BypassPolicyLockoutSafetyCheck", "false", "false"),
]


def of_role(trust: Trust) -> Iterator[Violation]:
    """A role that can go, or of another kind."""
    yield from _retained(trust.found, trust.place, trust.now.case, "role-retained", *_WANTED)
    yield from _of_kind(trust, _OF_ROLE)


def of_key(use: KeyUse) -> Iterator[Violation]:
    """A key that can go, or of another kind."""
    yield from _retained(use.found, use.place, use.now.case, "key-retained", *_WANTED)
    is_replica = use.place.type == "AWS::KMS::ReplicaKey"
    if is_replica:
        yield broken("key-multi-region", use.place, "It is a replica of a multi-Region key, with a policy of its own.")
    yield from _of_kind(use, [one for one in _OF_KEY if not is_replica or one.rule != "key-rotation"])
    if not use.now.properties.keys() & {"KeyPolicy", ""}:
        what = "The key has no KeyPolicy, so that it is KMS's default."
        yield broken("cannot-be-judged kind", use.place, what, "KeyPolicy")


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
            yield broken(one.rule, place, one.says.format(name=one.name, value=Quoted(value), wanted=one.wanted))
    faults = [(name, "beside its Type rewrites it") for name in place.raw if name.startswith("Fn::")]
    faults += [(name, "in its Properties rewrites them") for name in writers(place.raw.get("Properties"))]
    faults += [(name, f"is {Quoted(str(now[name]))}, which is not known") for name in unread]
    for name, why in faults:
        yield broken("cannot-be-judged kind", place, f"{name or 'Properties'} {why}.", name)
