"""The statements of a policy, read into one type whatever they stand in.

Source: IAM User Guide, "IAM JSON policy elements reference".
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from cmek_construct.policy.aws import ACCOUNT_KEYS, PRINCIPAL_ARN
from cmek_construct.policy.text import Forms, literal

Kind: TypeAlias = Literal["trust", "key", "permissions", "resource"]
"""Of a role whom it lets in, of a key, of what a principal may do, or of whatever else has one."""
_WITH_VARIABLES: Final = "2012-10-17"
DELETED: Final = re.compile(r"A(?:RO|ID|GP|NP|SI|KI|IP)A[A-Z0-9]{8,124}")
"""The unique ID that AWS leaves in a policy where somebody who is named was deleted."""
NUMBER: Final = re.compile(r"[0-9]{12}|\$\{[^{}]+\}")
_ONE_OF: Final = (("Action", "NotAction"), ("Principal", "NotPrincipal"), ("Resource", "NotResource"))
MEMBERS: Final = {"Sid", "Effect", "Condition", *(name for pair in _ONE_OF for name in pair)}


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

    name: str  # as a message calls it: by its Sid, or by its place
    effect: str
    principals: tuple[Principal, ...] | None = None
    not_principals: tuple[Principal, ...] | None = None
    actions: tuple[str, ...] | None = None
    not_actions: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    not_resources: tuple[str, ...] | None = None
    conditions: tuple[Condition, ...] = ()
    variables: bool = False  # whether ``${…}`` is a policy variable
    unreadable: tuple[str, ...] = ()  # what in it cannot be read or is not known: it may make it another statement
    raw: Any = field(default=None, compare=False, repr=False)  # as it was read

    def on(self, *keys: str) -> list[Condition]:
        """Its conditions on some keys, by their names in lower case."""
        return [one for one in self.conditions if one.key.lower() in keys]

    def named(self) -> tuple[Principal, ...]:
        """Whom it names as principals, or as those who are none."""
        return (*(self.principals or ()), *(self.not_principals or ()))

    def people(self) -> Iterator[Principal]:
        """Whom it names: as principals, or by conditions on who they are."""
        yield from self.named()
        yield from (Principal("AWS", value) for value in self.compared(PRINCIPAL_ARN))
        for number in filter(NUMBER.fullmatch, self.compared(*ACCOUNT_KEYS)):
            yield Principal("AWS", f"arn:aws:iam::{number}:root")

    def compared(self, *keys: str) -> list[str]:
        """The values with which it compares these keys."""
        return [value for one in self.on(*keys) for value in one.values]


@dataclass(frozen=True, eq=False)
class Policy:
    """A policy, and what it is the policy of; two are not compared but for what they mean."""

    kind: Kind
    statements: tuple[Statement, ...] = ()
    resource: str | None = None  # the ARN of the role or key, where it is known; holes are allowed
    forms: Forms = field(default_factory=dict)
    typed: bool = True  # whether somebody may type wildcards where it has holes


def read(document: Any, kind: Kind, *, resource: str | None = None, forms: Forms | None = None) -> Policy:
    """A policy out of a document: JSON, the text of it, or a list of statements.

    The resource is the ARN of the role or key. The forms are what is known of the holes in its texts, by name; by
    default these are as AWS has them, with no holes.
    """
    texts, forms = (literal, {}) if forms is None else (str, forms)
    why = "the policy, which is no object"
    try:
        found = json.loads(document, object_pairs_hook=_each_once) if isinstance(document, str) else document
    except (ValueError, RecursionError) as error:
        found, why = None, f"the policy: {error}"
    if isinstance(found, list):
        found = {"Statement": found}
    if isinstance(found, dict):
        strange = [f"the member {name!r}" for name in found if name not in ("Version", "Id", "Statement")]
        if found.get("Version") not in (None, _WITH_VARIABLES, "2008-10-17"):
            strange.append(f"the Version {found['Version']!r}")
        why = strange[0] if strange else ""
    if why:
        # What cannot be read may allow everything, and deny it.
        return Policy(kind, (Statement(why, "", unreadable=(why,), raw=document),), resource, forms)
    variables = found.get("Version") == _WITH_VARIABLES
    each = enumerate(as_list(found.get("Statement", [])), 1)
    return Policy(kind, tuple(_statement(at, one, kind, variables, texts) for at, one in each), resource, forms)


def as_list(value: Any) -> list[Any]:
    """A policy says one thing or a list of some."""
    return value if isinstance(value, list) else [value]


def as_of_2012(document: Mapping[str, Any]) -> list[Any]:
    """The statements of a document as one of Version 2012-10-17 has them.

    In another one ``${…}`` is no policy variable, but text, and ``${$}`` is its ``$``.
    """
    found = as_list(document["Statement"])
    if document.get("Version") == _WITH_VARIABLES:
        return found
    return list(json.loads(json.dumps(found).replace("${", "${$}{")))


def named_by(statement: Any) -> list[str]:
    """The AWS principals that a statement names."""
    (one,) = read([statement], "trust").statements
    return [each.name for each in one.principals or () if each.kind == "AWS"]


def gone(*statements: Any) -> list[str]:
    """Those of them that are unique IDs, which is nobody: a role made again under its old name is another one."""
    return [name for one in statements for name in named_by(one) if DELETED.fullmatch(name)]


def naming_as(statement: Any, other: Mapping[str, Any]) -> Any:
    """A statement, with the principals that another one names."""
    return {**statement, "Principal": other["Principal"]}


def without_gone(statement: Any) -> Any:
    """A statement without those who were deleted; None if it names nobody else."""
    lost = gone(statement)
    if not lost:
        return statement
    kinds = {**statement["Principal"], "AWS": [name for name in named_by(statement) if name not in lost]}
    kinds = {kind: names for kind, names in kinds.items() if names or kind != "AWS"}
    return {**statement, "Principal": kinds} if kinds else None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member stands twice")
    return found


def _statement(number: int, raw: Any, kind: Kind, variables: bool, texts: Callable[[str], str]) -> Statement:
    if not isinstance(raw, dict):
        what = f"statement {number}, which is no object"
        return Statement(what, "", unreadable=(what,), raw=raw)
    sid, effect = raw.get("Sid"), raw.get("Effect")
    name = f'statement "{sid}"' if isinstance(sid, str) and sid else f"statement {number}"
    faults = list(_strange(raw, kind))
    if effect not in ("Allow", "Deny"):
        faults.append(f"the Effect {effect!r}")
        effect = ""
    of = _Elements(raw, texts, faults)
    named = (of.principals("Principal"), of.principals("NotPrincipal"))
    lists = (of.listed("Action"), of.listed("NotAction"), of.listed("Resource"), of.listed("NotResource"))
    conditions = tuple(of.conditions(raw.get("Condition")))
    unreadable = tuple(f"{name}: {one}" for one in faults)
    return Statement(name, effect, *named, *lists, conditions, variables, unreadable, raw)


def _strange(raw: Mapping[str, Any], kind: Kind) -> Iterator[str]:
    """What AWS would refuse, and of which nobody knows what it means."""
    yield from (f"the member {name!r}" for name in raw if name not in MEMBERS)
    for one, other in _ONE_OF:
        if one in raw and other in raw:
            yield f"both {one} and {other}"
    has_action, has_principal, has_resource = (one in raw or other in raw for one, other in _ONE_OF)
    if not has_action:
        yield "no Action"
    if kind != "permissions" and not has_principal:
        yield "no Principal"
    if kind == "permissions" and has_principal:
        yield "a Principal in a policy of a principal"
    if kind != "resource" and has_resource is (kind == "trust"):
        yield "a Resource in a trust policy" if has_resource else "no Resource"


class _Elements(NamedTuple):
    """Reads the elements of a statement, and notes what is none."""

    raw: Mapping[str, Any]
    as_text: Callable[[str], str]
    faults: list[str]

    def listed(self, member: str) -> tuple[str, ...] | None:
        return self.texts(member, self.raw[member]) if self.raw.get(member) is not None else None

    def texts(self, member: str, value: Any) -> tuple[str, ...]:
        self.faults.extend(f"{member} {one!r}" for one in as_list(value) if not isinstance(one, str))
        return tuple(self.as_text(one) for one in as_list(value) if isinstance(one, str))

    def principals(self, member: str) -> tuple[Principal, ...] | None:
        value = self.raw.get(member)
        kinds = value if isinstance(value, dict) else {} if isinstance(value, list) else {"AWS": value}
        if value is None:
            return None
        if kinds is not value and value != "*" and not str(value).startswith("${"):
            self.faults.append(f"{member} {value!r}")
        return tuple(Principal(kind, name) for kind in kinds for name in self.texts(member, kinds[kind]))

    def conditions(self, value: Any) -> Iterator[Condition]:
        if value is not None and not isinstance(value, dict):
            self.faults.append(f"the Condition {value!r}")
        for operator, keys in value.items() if isinstance(value, dict) else ():
            if not isinstance(keys, dict):
                self.faults.append(f"the Condition {operator}")
            for key, given in keys.items() if isinstance(keys, dict) else ():
                if key.startswith("Fn::"):
                    self.faults.append(f"the Condition key {key}")
                values = [one for one in as_list(given) if isinstance(one, str | int | float)]
                if values != as_list(given):
                    self.faults.append(f"the Condition {operator} {key}")
                texts = (str(one).lower() if isinstance(one, bool) else str(one) for one in values)
                yield Condition(operator, key, tuple(map(self.as_text, texts)))
