"""Draws condition elements, and values that a request may have for them."""

from __future__ import annotations

import random
import re
from typing import Any, Final

from tests.policies.vocabulary import BY_NAME, Cast, Key, neighbour, other_case

_OPERATORS: Final = {
    "string": (
        *("StringEquals", "StringEquals", "StringNotEquals", "StringLike", "StringNotLike"),
        *("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
    ),
    "arn": (
        *("ArnEquals", "ArnLike", "ArnLike", "ArnNotEquals", "ArnNotLike"),
        *("StringEquals", "StringLike", "StringNotEquals", "StringNotLike"),
    ),
    "bool": ("Bool",),
    "numeric": (
        *("NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals"),
        *("NumericGreaterThan", "NumericGreaterThanEquals"),
    ),
    "date": (
        *("DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals"),
        *("DateGreaterThan", "DateGreaterThanEquals"),
    ),
    "ip": ("IpAddress", "NotIpAddress"),
}
VARIABLE: Final = re.compile(r"\$\{!([^}]*)\}")
"""A policy variable, in canonical notation."""
_OF_VARIABLES: Final = ("aws:PrincipalTag/Team", "aws:PrincipalAccount", "aws:SourceAccount")
Condition = dict[str, dict[str, Any]]


def draw_condition(cast: Cast, how_many: int) -> Condition:
    """Some conditions on keys of the cast."""
    rng = cast.rng
    condition: Condition = {}
    for _ in range(how_many):
        key = rng.choice(cast.keys)
        operator = draw_operator(key, rng)
        name = other_case(key.name, rng) if rng.random() < 0.08 else key.name
        if name.lower() in (one.lower() for one in condition.get(operator, {})):
            continue
        condition.setdefault(operator, {})[name] = draw_values(cast, key, operator)
    return condition


def draw_operator(key: Key, rng: random.Random) -> str:
    """An operator for a key, with ...IfExists or a set operator at times."""
    if rng.random() < 0.12:
        return "Null"
    operator = rng.choice(_OPERATORS[key.type])
    if rng.random() < 0.2:
        operator += "IfExists"
    if rng.random() < (0.85 if key.several else 0.06):
        operator = rng.choice(("ForAnyValue:", "ForAllValues:")) + operator
    return operator


def draw_values(cast: Cast, key: Key, operator: str) -> Any:
    """What a condition has for a key: one value or several, seldom none."""
    rng = cast.rng
    if operator == "Null" or key.type == "bool":
        one = rng.choice(("true", "false"))
        one = other_case(one, rng) if rng.random() < 0.1 else one
        return rng.choice((one, one, [one], one.lower() == "true", ["true", "false"]))
    if rng.random() < 0.02:
        return []
    values = [_value(cast, key, operator) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
    return values[0] if len(values) == 1 and rng.random() < 0.7 else values


def _value(cast: Cast, key: Key, operator: str) -> str:
    rng = cast.rng
    value = rng.choice(cast.values(key))
    if key.type == "ip" and rng.random() < 0.6:
        return rng.choice(("203.0.113.0/24", "203.0.113.6/31", "0.0.0.0/0", "198.51.100.0/28"))
    if key.type not in ("string", "arn"):
        return value
    wild = "Like" in operator or "Arn" in operator
    if rng.random() < (0.5 if wild else 0.03):
        value = with_wildcard(value, rng)
    if "Arn" in operator and rng.random() < 0.02:
        return "*"
    if key.type == "string" and rng.random() < 0.05:
        value = rng.choice((f"${{!{rng.choice(_OF_VARIABLES)}}}", value + "${!aws:PrincipalTag/Team}"))
    return value


def with_wildcard(text: str, rng: random.Random) -> str:
    """The text with a wildcard in place of some of it; of an ARN, mostly within one part."""
    if text.startswith("arn:") and rng.random() < 0.8:
        parts = text.split(":", 5)
        at = rng.choice((3, 4, 5, 5))
        parts[at] = "*" if at < 5 or not parts[at] else with_wildcard(parts[at], rng)
        return ":".join(parts)
    start = rng.randrange(len(text) + 1)
    end = rng.choice((len(text), rng.randrange(start, len(text) + 1)))
    if rng.random() < 0.25:
        return text[:start] + "?" + text[start + 1 :]
    return f"{text[:start]}*{text[end:]}"


def matching(pattern: str, rng: random.Random) -> str:
    """A text of a pattern."""
    some = rng.choice(("", "a", "a/b", "1:x", "1:x"))
    return pattern.replace("?", rng.choice("aZ0")).replace("*", some)


def key_of(name: str) -> Key:
    """The condition key of a name, in whatever case."""
    return BY_NAME[name.lower()]


def conditions_of(statement: dict[str, Any]) -> list[tuple[str, Key, list[str]]]:
    """Operator, key and values, one by one."""
    return [
        (operator, key_of(name), [str(value) for value in listed(values)])
        for operator, keys in statement.get("Condition", {}).items()
        for name, values in keys.items()
    ]


def listed(values: Any) -> list[Any]:
    """One value or several as a list."""
    return values if isinstance(values, list) else [values]


def about(operator: str, value: str, rng: random.Random) -> str:
    """A value that a request may have for one of a condition: of it, beside it, or near it."""
    base = operator.rpartition(":")[2]
    if "Bool" in base or base == "Null":
        return rng.choice(("true", "false"))
    if base.startswith("Numeric"):
        return rng.choice((value, str(int(value) + 1), str(int(value) - 1)))
    if base.startswith("Date"):
        return rng.choice((value, "2025-12-31T23:59:59Z", "2026-07-01T00:00:00Z"))
    if "IpAddress" in base:
        return rng.choice(("203.0.113.7", "203.0.113.9", "203.0.113.6", "198.51.100.1", "10.0.0.1"))
    text = matching(value, rng) if rng.random() < 0.9 else value
    return neighbour(text, rng) if rng.random() < 0.3 else text
