"""What becomes of role, key and alias, and what kind of role and key they are.

Pinecone can change neither role nor key once they are set. Source: CloudFormation user guide, "DeletionPolicy
attribute"; steps 2.4 to 2.7 of the guide.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from cmek_construct import checks
from cmek_construct.guardrails.rule import Violation, broken
from cmek_construct.policy.words import Quoted
from cmek_construct.templates.choices import Case
from cmek_construct.templates.found import Alias, Found, Now, Place
from cmek_construct.templates.reading import writers
from cmek_construct.templates.stacks import REPLICA

_WANTED: Final = {"DeletionPolicy": ("Retain", "RetainExceptOnCreate"), "UpdateReplacePolicy": ("Retain",)}
_LONGEST_SESSION: Final = 3_600  # seconds. Source: IAM API reference, CreateRole, default of ``MaxSessionDuration``
_NUMBER: Final = re.compile("[0-9]{1,9}")
_Property: TypeAlias = tuple[str, str, str, str | range]  # its rule, name and default, and what is wanted
_OF_ROLE: Final[list[_Property]] = [("role-session", "MaxSessionDuration", "0", range(_LONGEST_SESSION + 1))]
_OF_KEY: Final[list[_Property]] = [
    ("key-kind", "KeySpec", "SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT"),
    ("key-kind", "KeyUsage", "ENCRYPT_DECRYPT", "ENCRYPT_DECRYPT"),
    ("key-kind", "Origin", "AWS_KMS", "AWS_KMS"),
    ("key-enabled", "Enabled", "true", "true"),
    ("key-rotation", "EnableKeyRotation", "false", "true"),
    ("key-multi-region", "MultiRegion", "false", "false"),
    ("key-pending-window", "PendingWindowInDays", "30", range(checks.PENDING_WINDOW_DAYS[0] + 1, 10**9)),
    ("key-lockout-check", "BypassPolicyLockoutSafetyCheck", "false", "false"),
]


def _retained(found: Found, place: Place, case: Case, rule: str, *attributes: str) -> Iterator[Violation]:
    said = ((name, found.run.text(place.stack, place.raw.get(name, "not set"))) for name in attributes)
    each = ((name, one.value) for name, some in said for one in some if one.case.agrees(case))
    faults = [f"{name} is {Quoted(it)}, not {_WANTED[name][-1]}" for name, it in each if it not in _WANTED[name]]
    if faults:
        yield broken(rule, place, faults=[", and ".join(faults)])


def of_alias(alias: Alias, found: Found) -> Iterator[Violation]:
    """An alias that can go, or that names none of Pinecone's keys."""
    if alias.is_named:
        yield from _retained(found, alias.place, Case(), "alias-retained", "DeletionPolicy")
    if found.keys and alias.key not in found.by_place:
        yield broken("alias-target", alias.place, name=alias.name, target=alias.target)


def of_role(role: Now, found: Found) -> Iterator[Violation]:
    """A role that can go, or of another kind."""
    yield from _retained(found, role.place, role.case, "role-retained", *_WANTED)
    yield from _of_kind(role, _OF_ROLE)


def of_key(key: Now, found: Found) -> Iterator[Violation]:
    """A key that can go, or of another kind."""
    yield from _retained(found, key.place, key.case, "key-retained", *_WANTED)
    is_replica = key.place.type == REPLICA
    if is_replica:
        yield broken("key-multi-region", key.place, "replica")
    yield from _of_kind(key, [one for one in _OF_KEY if not is_replica or one[0] != "key-rotation"])
    if not key.properties.keys() & {"KeyPolicy", ""}:
        yield broken("cannot-be-judged kind", key.place, "default", witness="KeyPolicy")


def _of_kind(role_or_key: Now, properties: Iterable[_Property]) -> Iterator[Violation]:
    """A property that is another than the guide's, or that only the deploy knows."""
    place, now = role_or_key.place, role_or_key.properties
    unread = [""] if "${" in str(now.get("", "")) else []
    for rule, name, default, wanted in properties:
        value = str(now.get(name, default))
        value = value.lower() if wanted in ("true", "false") else value
        number = int(value) if _NUMBER.fullmatch(value) else -1
        if "${" in value:
            unread.append(name)
        elif number not in wanted if isinstance(wanted, range) else value != wanted:
            yield broken(rule, place, name=name, value=value, wanted=str(wanted))
    faults = [(name, "beside its Type rewrites it") for name in place.raw if name.startswith("Fn::")]
    faults += [(name, "in its Properties rewrites them") for name in writers(place.raw.get("Properties"))]
    faults += [(name, f"is {Quoted(str(now[name]))}, which is not known") for name in unread]
    for name, why in faults:
        yield broken("cannot-be-judged kind", place, witness=name, name=[name or "Properties"], why=[why])
