"""When a condition holds: by its operator, its key and its values, the texts that meet it.

Of a condition key a request has a text: nothing where the key is absent, and ``=`` and the value. Source: IAM User
Guide, "IAM JSON policy elements: Condition operators" and "Conditions with multiple context keys or values".
"""

from __future__ import annotations

import ipaddress
import operator as compare
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import partial
from typing import Final

from cmek_construct.policy.aws import ACCOUNT_KEYS, CALLER_ACCOUNT, PRINCIPAL_ARN
from cmek_construct.policy.patterns import ANY, BETWEEN, Pattern, Token, all_but, star
from cmek_construct.policy.principals import Who, who
from cmek_construct.policy.space import Decide, Dimension, Space
from cmek_construct.policy.statements import Condition, Policy, Statement
from cmek_construct.policy.text import ACCOUNT, ANYTHING, Forms, Part, arn, is_plain, items, part, split, word

IS_SERVICE: Final = "aws:principalisawsservice"
OF_PRINCIPAL: Final = (PRINCIPAL_ARN, *ACCOUNT_KEYS, IS_SERVICE)
"""Keys whose value follows from the principal."""
BOOLEANS: Final = frozenset(
    {
        "aws:securetransport",
        "aws:viaawsservice",
        "aws:multifactorauthpresent",
        "kms:grantisforawsresource",
        "kms:multiregion",
        "kms:reencryptonsamekey",
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
_TEXTS: Final = {
    "StringEquals": (False, False),
    "StringEqualsIgnoreCase": (False, True),
    "StringLike": (True, False),
    "ArnEquals": (True, False),
    "ArnLike": (True, False),
    "Bool": (False, True),
}
"""Operators on texts: whether there are wildcards, and whether case is ignored."""
_ORDER: Final = {
    "Equals": compare.eq,
    "LessThan": compare.lt,
    "LessThanEquals": compare.le,
    "GreaterThan": compare.gt,
    "GreaterThanEquals": compare.ge,
}
_NEGATED: Final = re.compile(r"(String|Arn|Numeric|Date)Not|NotIpAddress")
_EQUALS: Final = word("=").tokens
_ABSENT: Final = Pattern(())
_PRESENT: Final = Pattern((*_EQUALS, Token(ANY), *ANYTHING.tokens))
_FREE: Final = (_ABSENT, _PRESENT)
_IN_PART: Final = all_but(":")
_ARN: Final = (
    _ABSENT,
    Pattern(
        (
            *word("=arn").tokens,
            *(*word(":").tokens, Token(_IN_PART), star(_IN_PART)) * 2,
            *(*word(":").tokens, star(_IN_PART)) * 2,
            *(*word(":").tokens, Token(ANY), star(ANY)),
        )
    ),
)
_BOOLEAN: Final = (_ABSENT, Pattern(word("=true").tokens), Pattern(word("=false").tokens))


def domain(key: str) -> tuple[Pattern, ...]:
    """What a request may have of a condition key."""
    if key in BOOLEANS:
        return _BOOLEAN
    return _ARN if key.endswith("arn") else _FREE


def sent(space: Space, key: str, value: str | Sequence[str] | None, forms: Forms) -> int:
    """What a request has of a condition key."""
    dimension = space.dimension(key, domain(key))
    if value is None or (not isinstance(value, str) and not value):
        return dimension.where(_ABSENT)
    text = value if isinstance(value, str) else BETWEEN.join(value)
    one = part(items(text.lower() if key in BOOLEANS else text), key, ANY, forms)
    return dimension.like(Pattern((*_EQUALS, *one.tokens)), one.flags)


def value_of(text: str) -> str | list[str] | None:
    """What a text of a dimension is in a request."""
    if not text:
        return None
    several = text.removeprefix("=").split(BETWEEN)
    return several if len(several) > 1 else several[0]


@dataclass(frozen=True)
class _Operator:
    """An operator in its parts: ``ForAnyValue:StringNotLikeIfExists``."""

    each: str | None
    """``ForAllValues``, ``ForAnyValue``, or None."""
    base: str
    """The operator without its negation."""
    negated: bool
    if_exists: bool

    @property
    def without_key(self) -> bool:
        """Whether it holds where the key is absent."""
        return self.each == "ForAllValues" or self.if_exists or (self.negated and not self.each)


_NULL: Final = _Operator(None, "Null", negated=False, if_exists=False)


def _operator(text: str) -> _Operator:
    found = _OPERATOR.fullmatch(text)
    if found is None:
        return _Operator(None, "", negated=False, if_exists=False)
    negated = _NEGATED.match(found[2]) is not None
    base = found[2].replace("Not", "", 1) if negated else found[2]
    return _Operator(found[1], base, negated, found[3] is not None)


@dataclass(frozen=True)
class _Key:
    """A condition key: where its values are, and what a pattern of values is there."""

    name: str
    dimension: Dimension
    present: int
    pattern: Callable[[tuple[Token, ...]], Pattern]


def follows(key: str, policy: Policy) -> bool:
    """Whether the value of a key follows from the principal."""
    return key in OF_PRINCIPAL and (policy.kind != "trust" or not key.startswith("kms:"))


def asks_for_caller_account(condition: Condition) -> bool:
    """Whether a condition is on a key that follows from the principal, in requests to KMS alone."""
    return condition.key.lower() == CALLER_ACCOUNT


def _key(people: Who, space: Space, name: str, policy: Policy) -> _Key:
    if follows(name, policy):
        pattern = people.with_arn if name == PRINCIPAL_ARN else people.of_account
        return _Key(name, people.dimension, people.has_arn(), pattern)
    dimension = space.dimension(name, domain(name))
    present = dimension.where(_ABSENT) ^ dimension.all
    return _Key(name, dimension, present, lambda tokens: Pattern((*_EQUALS, *tokens)))


def meets(
    space: Space, statement: Statement, condition: Condition, policy: Policy, *, is_sent: bool
) -> tuple[str, int]:
    """The dimension of a condition, and the texts there that meet it.

    Args:
        space: of the question.
        statement: that has the condition.
        condition: one of its conditions.
        policy: that has the statement.
        is_sent: False of requests that never have the key.
    """
    name, operator = condition.key.lower(), _operator(condition.operator)
    said = f"{condition.operator} {name} {', '.join(condition.values)}"
    people = who(space, policy)
    decide = partial(_decided, operator, condition.values, name in SEVERAL)
    if name == IS_SERVICE:
        return people.dimension.name, _by_kind(people, operator, decide, said)
    key = _key(people, space, name, policy)
    key = key if is_sent else replace(key, present=0)
    dimension, absent = key.dimension, key.dimension.all & ~key.present
    if operator.base == "Null":
        wanted = {value.lower() for value in condition.values}
        if operator != _NULL or not wanted <= {"true", "false"}:
            return dimension.name, dimension.perhaps(said)
        met = (absent if "true" in wanted else 0) | (key.present if "false" in wanted else 0)
        return dimension.name, met
    matched = _matched(key, operator, statement, condition, policy.forms)
    if matched is None:
        dimension.is_typed |= operator.base not in _TEXTS
        met = key.present & dimension.where(key.pattern(ANYTHING.tokens), (said,), decide)
    else:
        met = key.present & (~matched if operator.negated else matched)
    if operator.each == "ForAnyValue" and operator.if_exists:
        # AWS's pages and the simulator say different things.
        return dimension.name, met | (absent & dimension.perhaps(f"{said} without the key"))
    return dimension.name, met | (absent if operator.without_key else 0)


def _matched(key: _Key, operator: _Operator, statement: Statement, condition: Condition, forms: Forms) -> int | None:
    """The texts that an operator matches, negation aside; None if that is not known."""
    if operator.base not in _TEXTS or key.name in SEVERAL:
        return None
    found = 0
    for value in condition.values:
        one = _value(key.name, operator.base, value, statement.variables, forms)
        if one is None:
            flag = f"{operator.base} {key.name} {value}"
            found |= key.dimension.where(key.pattern(ANYTHING.tokens), (flag,))
        else:
            found |= key.dimension.like(key.pattern(one.tokens), one.flags)
    return found


def _value(key: str, base: str, value: str, variables: bool, forms: Forms) -> Part | None:
    """One value of an operator as a pattern; None if what it means is not known."""
    wild, any_case = _TEXTS[base]
    whole = items(value, wild=wild, variables=variables)
    if base == "Bool" and is_plain(whole) and value.lower() not in ("true", "false"):
        return None
    parts = split(whole, ":", 5)
    if base.startswith("Arn"):
        return arn(parts, forms) if len(parts) == 6 else None
    if key == PRINCIPAL_ARN and len(parts) == 6 and not any_case:
        return arn(parts, forms, ANY)
    return part(whole, ACCOUNT if key in ACCOUNT_KEYS else key, ANY, forms, any_case=any_case)


def _by_kind(people: Who, operator: _Operator, decide: Decide, said: str) -> int:
    """A condition on whether an AWS service asks, which each request that is signed says."""
    services, signed = people.services(), people.services() | people.has_arn()
    holds = {"true": decide("true"), "false": decide("false")}
    if None in holds.values():
        return people.dimension.perhaps(said)
    unsigned = not holds["true"] if operator.base == "Null" else operator.without_key
    return (
        (services if holds["true"] else 0)
        | (signed & ~services if holds["false"] else 0)
        | (people.everybody() & ~signed if unsigned else 0)
    )


def _decided(operator: _Operator, values: Sequence[str], is_list: bool, text: str) -> bool | None:
    """Whether what one request has meets an operator; None if that is not known here."""
    if operator.base == "Null":
        return "false" in (value.lower() for value in values)
    several = text.removeprefix("=").split(BETWEEN)
    if (is_list or len(several) > 1) and operator.each is None:
        return None
    try:
        met = [any(_one_meets(operator.base, value, one) for value in values) != operator.negated for one in several]
    except (ValueError, KeyError):
        return None
    return any(met) if operator.each == "ForAnyValue" else all(met)


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
    form = _value("", base, value, variables=False, forms={}) if base in _TEXTS else None
    if form is None:
        raise ValueError(base)
    return Pattern(form.tokens).accepts(text)


def _instant(text: str) -> datetime:
    if re.fullmatch(r"[0-9]+", text):
        return datetime.fromtimestamp(int(text), timezone.utc)
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)
