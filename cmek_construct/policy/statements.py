"""The statements of a policy, read into one type whatever they stand in.

Source: IAM User Guide, "IAM JSON policy elements reference".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from cmek_construct.policy.aws import ACCOUNT_KEYS, PRINCIPAL_ARN
from cmek_construct.policy.text import Forms, literal

Kind: TypeAlias = Literal["trust", "key", "permissions", "resource"]
"""Of a role whom it lets in, of a key, of what a principal may do, or of whatever else has one."""
_VERSIONS: Final = (None, "2012-10-17", "2008-10-17")
_WITH_VARIABLES: Final = "2012-10-17"
_NUMBER: Final = re.compile(r"[0-9]{12}|\$\{[^{}]+\}")
_DOCUMENT: Final = {"Version", "Id", "Statement"}
_LISTS: Final = ("Action", "NotAction", "Resource", "NotResource")
_MEMBERS: Final = {"Sid", "Effect", "Principal", "NotPrincipal", "Condition", *_LISTS}
_ONE_OF: Final = (("Action", "NotAction"), ("Principal", "NotPrincipal"), ("Resource", "NotResource"))


@dataclass(frozen=True)
class Principal:
    """One who is named: a kind, such as ``AWS`` or ``Service``, and a name."""

    kind: str
    name: str


@dataclass(frozen=True)
class Condition:
    """One key of one operator."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Statement:
    """One statement. A list that is None is not there."""

    name: str
    """As a message calls it: by its Sid, or by its place."""
    effect: str
    principals: tuple[Principal, ...] | None = None
    not_principals: tuple[Principal, ...] | None = None
    actions: tuple[str, ...] | None = None
    not_actions: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    not_resources: tuple[str, ...] | None = None
    conditions: tuple[Condition, ...] = ()
    variables: bool = False
    """Whether ``${…}`` is a policy variable."""
    unreadable: tuple[str, ...] = ()
    """What in it cannot be read or is not known: it may make it another statement."""
    raw: Any = field(default=None, compare=False)
    """As it was read."""

    def on(self, *keys: str) -> list[Condition]:
        """Its conditions on some keys, by their names in lower case."""
        return [one for one in self.conditions if one.key.lower() in keys]

    def people(self) -> Iterator[Principal]:
        """Whom it names: as principals, or by conditions on who they are."""
        yield from (*(self.principals or ()), *(self.not_principals or ()))
        yield from (Principal("AWS", value) for value in self.compared(PRINCIPAL_ARN))
        for number in filter(_NUMBER.fullmatch, self.compared(*ACCOUNT_KEYS)):
            yield Principal("AWS", f"arn:aws:iam::{number}:root")

    def compared(self, *keys: str) -> list[str]:
        """The values with which it compares these keys."""
        return [value for one in self.on(*keys) for value in one.values]


@dataclass(frozen=True)
class Policy:
    """A policy, and what it is the policy of."""

    kind: Kind
    statements: tuple[Statement, ...] = ()
    resource: str | None = None
    """The ARN of the role or key, where it is known; holes are allowed."""
    forms: Forms = field(default_factory=dict)


def read(
    document: Any,
    kind: Kind,
    *,
    resource: str | None = None,
    texts: Callable[[str], str] = literal,
    forms: Forms | None = None,
) -> Policy:
    """A policy out of a document: JSON, the text of it, or a list of statements.

    Args:
        document: what AWS, a file or a template has.
        kind: whose policy it is.
        resource: the ARN of the role or key.
        texts: what each text is in the notation of this package. Default: as AWS has it.
        forms: what is known of holes, by name.
    """
    try:
        found = json.loads(document, object_pairs_hook=_each_once) if isinstance(document, str) else document
    except (ValueError, RecursionError) as error:
        found, why = None, f"the policy: {error}"
    else:
        why = "the policy, which is no object"
    if isinstance(found, list):
        found = {"Statement": found}
    if not isinstance(found, dict):
        return Policy(kind, _anything(why, document), resource, forms or {})
    strange = [f"the member {name!r}" for name in found if name not in _DOCUMENT]
    if found.get("Version") not in _VERSIONS:
        strange.append(f"the Version {found['Version']!r}")
    if strange:
        return Policy(kind, _anything(strange[0], document), resource, forms or {})
    variables = found.get("Version") == _WITH_VARIABLES
    statements = tuple(
        _statement(number, one, kind, variables, texts)
        for number, one in enumerate(_listed(found.get("Statement", [])), 1)
    )
    return Policy(kind, statements, resource, forms or {})


def as_of_2012(document: Mapping[str, Any]) -> list[Any]:
    """The statements of a document as one of Version 2012-10-17 has them.

    In another one ``${…}`` is no policy variable, but text, and ``${$}`` is its ``$``.
    """
    found = _listed(document["Statement"])
    if document.get("Version") == _WITH_VARIABLES:
        return found
    same: list[Any] = json.loads(json.dumps(found).replace("${", "${$}{"))
    return same


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member stands twice")
    return found


def _anything(what: str, raw: Any) -> tuple[Statement, ...]:
    """What cannot be read may allow everything, and deny it."""
    return (Statement(what, "", unreadable=(what,), raw=raw),)


def _statement(number: int, raw: Any, kind: Kind, variables: bool, texts: Callable[[str], str]) -> Statement:
    if not isinstance(raw, dict):
        what = f"statement {number}, which is no object"
        return Statement(what, "", unreadable=(what,), raw=raw)
    sid, effect = raw.get("Sid"), raw.get("Effect")
    name = f'statement "{sid}"' if isinstance(sid, str) and sid else f"statement {number}"
    unreadable = [f"{name}: {one}" for one in _strange(raw, kind)]
    if effect not in ("Allow", "Deny"):
        unreadable.append(f"{name}: the Effect {effect!r}")
    lists = {}
    for member in _LISTS:
        lists[member], faults = _texts(raw.get(member), texts)
        unreadable += [f"{name}: {member} {one}" for one in faults]
    named: dict[str, tuple[Principal, ...] | None] = {}
    for member in ("Principal", "NotPrincipal"):
        named[member], faults = _principals(raw.get(member), texts)
        unreadable += [f"{name}: {member} {one}" for one in faults]
    conditions, faults = _conditions(raw.get("Condition"), texts)
    unreadable += [f"{name}: {one}" for one in faults]
    return Statement(
        name,
        effect if effect in ("Allow", "Deny") else "",
        named["Principal"],
        named["NotPrincipal"],
        lists["Action"],
        lists["NotAction"],
        lists["Resource"],
        lists["NotResource"],
        conditions,
        variables,
        tuple(unreadable),
        raw,
    )


def _strange(raw: Mapping[str, Any], kind: Kind) -> Iterator[str]:
    """What AWS would refuse, and of which nobody knows what it means."""
    yield from (f"the member {name!r}" for name in raw if name not in _MEMBERS)
    for one, other in _ONE_OF:
        if one in raw and other in raw:
            yield f"both {one} and {other}"
    if "Action" not in raw and "NotAction" not in raw:
        yield "no Action"
    if kind != "permissions" and "Principal" not in raw and "NotPrincipal" not in raw:
        yield "no Principal"
    if kind == "permissions" and ("Principal" in raw or "NotPrincipal" in raw):
        yield "a Principal in a policy of a principal"
    has_resource = "Resource" in raw or "NotResource" in raw
    if kind != "resource" and has_resource is (kind == "trust"):
        yield "a Resource in a trust policy" if has_resource else "no Resource"


def _texts(value: Any, texts: Callable[[str], str]) -> tuple[tuple[str, ...] | None, list[str]]:
    """The texts of one value or a list of some, and what is none."""
    if value is None:
        return None, []
    values = _listed(value)
    good = [texts(one) for one in values if isinstance(one, str)]
    return tuple(good), [repr(one) for one in values if not isinstance(one, str)]


def _principals(value: Any, texts: Callable[[str], str]) -> tuple[tuple[Principal, ...] | None, list[str]]:
    if value is None:
        return None, []
    found: list[Principal] = []
    faults: list[str] = []
    if isinstance(value, list):
        return (), [repr(value)]
    for kind, names in (value if isinstance(value, dict) else {"AWS": value}).items():
        if not isinstance(value, dict) and value != "*" and not str(value).startswith("${"):
            faults.append(repr(value))
        good, bad = _texts(names, texts)
        faults += bad
        found += [Principal(kind, name) for name in good or ()]
    return tuple(found), faults


def _conditions(value: Any, texts: Callable[[str], str]) -> tuple[tuple[Condition, ...], list[str]]:
    if value is None:
        return (), []
    if not isinstance(value, dict):
        return (), [f"the Condition {value!r}"]
    found: list[Condition] = []
    faults: list[str] = []
    for operator, keys in value.items():
        if not isinstance(keys, dict):
            faults.append(f"the Condition {operator}")
            continue
        for key, given in keys.items():
            if key.startswith("Fn::"):
                faults.append(f"the Condition key {key}")
            values = [_scalar(one) for one in _listed(given)]
            good = tuple(texts(one) for one in values if one is not None)
            faults += [f"the Condition {operator} {key}"] if None in values else []
            found.append(Condition(operator, key, good))
    return tuple(found), faults


def _scalar(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
