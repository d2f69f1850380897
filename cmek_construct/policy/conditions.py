"""When a condition holds: by its operator, its key and its values, the texts that meet it.

Of a condition key a request has a text: nothing where the key is absent, and ``=`` and the value.
Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Conditions with
multiple context keys or values".
"""

from __future__ import annotations

import ipaddress
import operator as compare
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from typing import Final

from cmek_construct.policy.patterns import ANY, BETWEEN, Pattern, Token
from cmek_construct.policy.principals import Who, who
from cmek_construct.policy.space import Dimension, Space
from cmek_construct.policy.statements import Condition, Policy, Statement
from cmek_construct.policy.text import (
    ACCOUNT,
    ANYTHING,
    Forms,
    Part,
    arn,
    is_plain,
    items,
    part,
    split,
    word,
)

PRINCIPAL_ARN: Final = "aws:principalarn"
ACCOUNTS: Final = ("aws:principalaccount", "kms:calleraccount")
IS_SERVICE: Final = "aws:principalisawsservice"
OF_PRINCIPAL: Final = (PRINCIPAL_ARN, *ACCOUNTS, IS_SERVICE)
"""Keys whose value follows from the principal."""
BOOLEANS: Final = frozenset(
    {
        "aws:securetransport",
        "aws:viaawsservice",
        "aws:multifactorauthpresent",
        "kms:grantisforawsresource",
        "kms:bypasspolicylockoutsafetycheck",
        IS_SERVICE,
    }
)
SEVERAL: Final = frozenset(
    {
        "aws:calledvia",
        "aws:principalorgpaths",
        "aws:principalservicenameslist",
        "aws:resourceorgpaths",
        "aws:sourceorgpaths",
        "aws:tagkeys",
        "kms:encryptioncontextkeys",
        "kms:grantoperations",
        "sts:transitivetagkeys",
    }
)
"""Keys that have several values in one request."""
_OPERATOR: Final = re.compile(r"(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?")
_STRINGS: Final = {
    "StringEquals": (False, False),
    "StringEqualsIgnoreCase": (False, True),
    "StringLike": (True, False),
}
"""Whether there are wildcards, and whether case is ignored."""
_NEGATED: Final = re.compile(r"(String|Arn|Numeric|Date)Not|NotIpAddress")
_ABSENT: Final = Pattern(())
_PRESENT: Final = Pattern((*word("=").tokens, *ANYTHING.tokens))
_FREE: Final = (_ABSENT, _PRESENT)
_BOOLEAN: Final = (_ABSENT, Pattern(word("=true").tokens), Pattern(word("=false").tokens))


def domain(key: str) -> tuple[Pattern, ...]:
    """What a request may have of a condition key."""
    return _BOOLEAN if key in BOOLEANS else _FREE


def sent(space: Space, key: str, value: str | Sequence[str] | None, forms: Forms) -> int:
    """What a request has of a condition key."""
    dimension = space.dimension(key, domain(key))
    if value is None or value == []:
        return dimension.where(_ABSENT)
    text = value if isinstance(value, str) else BETWEEN.join(value)
    one = part(items(text.lower() if key in BOOLEANS else text), key, ANY, forms)
    return dimension.where(Pattern((*word("=").tokens, *one.tokens)), one.flags)


def value_of(text: str, flags: frozenset[str]) -> str | list[str] | None:
    """What a text of a dimension is in a request; a hole by its name."""
    for flag in sorted(flags):
        value = flag.partition(" is ")[2]
        if value.startswith("${"):
            return value
    if not text:
        return None
    several = text.removeprefix("=").split(BETWEEN)
    return several if len(several) > 1 else several[0]


@dataclass(frozen=True)
class _Key:
    """A condition key: where its values are, and what a pattern of values is there."""

    name: str
    dimension: Dimension
    absent: Callable[[], int]
    pattern: Callable[[tuple[Token, ...]], Pattern]


def _key(space: Space, name: str, policy: Policy) -> _Key:
    if name in (PRINCIPAL_ARN, *ACCOUNTS):
        people = who(space, policy)
        pattern = people.with_arn if name == PRINCIPAL_ARN else people.of_account
        absent = partial(_without_arn, people)
        return _Key(name, people.dimension, absent, pattern)
    dimension = space.dimension(name, domain(name))
    return _Key(
        name,
        dimension,
        lambda: dimension.where(_ABSENT),
        lambda tokens: Pattern((*word("=").tokens, *tokens)),
    )


def _without_arn(people: Who) -> int:
    return people.everybody() & ~people.has_arn()


def meets(
    space: Space, statement: Statement, condition: Condition, policy: Policy
) -> tuple[str, int]:
    """The dimension of a condition, and the texts there that meet it."""
    name = condition.key.lower()
    found = _OPERATOR.fullmatch(condition.operator)
    prefix, base, if_exists = found.groups() if found else (None, "", None)
    said = f"{condition.operator} {condition.key} {', '.join(condition.values)}"
    if name == IS_SERVICE:
        people = who(space, policy)
        return people.dimension.name, _by_kind(people, base, condition, prefix, if_exists, said)
    key = _key(space, name, policy)
    absent = key.absent()
    present = key.dimension.all & ~absent
    if base == "Null" and not prefix and not if_exists:
        wanted = {value.lower() for value in condition.values}
        if not wanted <= {"true", "false"}:
            return key.dimension.name, key.dimension.perhaps(said)
        return key.dimension.name, (absent if "true" in wanted else 0) | (
            present if "false" in wanted else 0
        )
    negated = _NEGATED.match(base) is not None
    meaning = _matched(key, base, negated, statement, condition, policy.forms)
    if meaning is None or (name in SEVERAL):
        decide = partial(_decided, prefix, base, negated, condition.values)
        matched = key.dimension.where(key.pattern(ANYTHING.tokens), (said,), decide)
    else:
        matched = present & ~meaning if negated else meaning
    if prefix == "ForAnyValue" and if_exists:
        if_absent = absent & key.dimension.perhaps(f"{said} without the key")
    elif prefix == "ForAllValues" or if_exists or (negated and not prefix):
        if_absent = absent
    else:
        if_absent = 0
    return key.dimension.name, (matched & present) | if_absent


def _matched(
    key: _Key,
    base: str,
    negated: bool,
    statement: Statement,
    condition: Condition,
    forms: Forms,
) -> int | None:
    """The texts that a positive operator of this kind matches; None if that is not known."""
    positive = base.replace("Not", "", 1) if negated else base
    if positive not in (*_STRINGS, "ArnEquals", "ArnLike", "Bool"):
        return None
    found = 0
    for value in condition.values:
        one = _value(key.name, positive, value, statement.variables, forms)
        if one is None:
            found |= key.dimension.where(
                key.pattern(ANYTHING.tokens), (f"{positive} {condition.key} {value}",)
            )
        else:
            found |= key.dimension.where(key.pattern(one.tokens), one.flags)
    return found


def _value(key: str, base: str, value: str, variables: bool, forms: Forms) -> Part | None:
    """One value of an operator as a pattern; None if what it means is not known."""
    what = ACCOUNT if key in ACCOUNTS else key
    if base == "Bool":
        whole = items(value, variables=variables)
        known = is_plain(whole) and value.lower() in ("true", "false")
        if not known and is_plain(whole):
            return None
        return part(whole, what, ANY, forms, any_case=True)
    if base in _STRINGS:
        wild, any_case = _STRINGS[base]
        whole = items(value, wild=wild, variables=variables)
        parts = split(whole, ":", 5)
        if key == PRINCIPAL_ARN and len(parts) == 6 and not any_case:
            return arn(parts, forms, ANY)
        return part(whole, what, ANY, forms, any_case=any_case)
    parts = split(items(value, wild=True, variables=variables), ":", 5)
    if len(parts) != 6:
        return None
    return arn(parts, forms)


def _by_kind(
    people: Who,
    base: str,
    condition: Condition,
    prefix: str | None,
    if_exists: str | None,
    said: str,
) -> int:
    """A condition on whether the principal is an AWS service, which each request says."""
    values = [value.lower() for value in condition.values]
    if base == "Null":
        return (
            people.everybody()
            if values == ["false"]
            else 0
            if values == ["true"]
            else (people.dimension.perhaps(said))
        )
    if not set(values) <= {"true", "false"} or base not in ("Bool", "StringEquals"):
        return people.dimension.perhaps(said)
    services = people.services()
    found = services if "true" in values else 0
    return found | (people.everybody() & ~services if "false" in values else 0)


def _decided(
    prefix: str | None, base: str, negated: bool, values: Sequence[str], text: str
) -> bool | None:
    """Whether the value of one request meets an operator; None if that is not known here."""
    positive = base.replace("Not", "", 1) if negated else base
    several = text.removeprefix("=").split(BETWEEN)
    if len(several) > 1 and prefix is None:
        return None
    try:
        met = [
            any(_one_meets(positive, value, one) for value in values) != negated for one in several
        ]
    except (ValueError, KeyError):
        return None
    return any(met) if prefix == "ForAnyValue" else all(met)


_ORDER: Final = {
    "Equals": compare.eq,
    "LessThan": compare.lt,
    "LessThanEquals": compare.le,
    "GreaterThan": compare.gt,
    "GreaterThanEquals": compare.ge,
}


def _one_meets(base: str, value: str, text: str) -> bool:
    """Whether one value meets one of a condition.

    Raises:
        ValueError, KeyError: that is not known here.
    """
    if "${" in value:
        raise ValueError(value)
    if base == "IpAddress":
        return ipaddress.ip_address(text) in ipaddress.ip_network(value, strict=False)
    if base.startswith("Numeric"):
        return bool(_ORDER[base.removeprefix("Numeric")](float(text), float(value)))
    if base.startswith("Date"):
        return bool(_ORDER[base.removeprefix("Date")](_instant(text), _instant(value)))
    form = _value("", base, value, variables=False, forms={}) if base in _KNOWN else None
    if form is None:
        raise ValueError(base)
    return Pattern(form.tokens).accepts(text)


_KNOWN: Final = (*_STRINGS, "ArnEquals", "ArnLike", "Bool")


def _instant(text: str) -> datetime:
    if re.fullmatch(r"[0-9]+", text):
        return datetime.fromtimestamp(int(text), timezone.utc)
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)
