"""When a condition holds: by its operator, its key and its values, the texts that meet it.

Of a condition key a request has a text: nothing where the key is absent, and ``=`` and the value. Source: IAM User
Guide, "IAM JSON policy elements: Condition operators" and "Conditions with multiple context keys or values".
"""

import ipaddress
import operator as compare
import re
from collections.abc import Sequence
from datetime import datetime, timezone
from functools import partial, reduce
from operator import or_
from typing import Final, NamedTuple

from cmek_construct.policy.aws import ACCOUNT_KEYS, BOOLEANS, OF_RESOURCE, PRINCIPAL_ARN, SEVERAL
from cmek_construct.policy.patterns import ANY, ANYTHING, BETWEEN, IN_PART, SOMETHING, accepts
from cmek_construct.policy.principals import FOLLOWING, PRINCIPAL
from cmek_construct.policy.space import Dimension, Space
from cmek_construct.policy.statements import Condition
from cmek_construct.policy.text import ACCOUNT, Form, Reading, holes, parts

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
_ABSENT: Final = ""
_ARN: Final = f"=arn{f':{IN_PART}{IN_PART}*' * 2}{f':{IN_PART}*' * 2}:{SOMETHING}"


def _dimension(space: Space, key: str) -> Dimension:
    """What a request may have of a condition key."""
    part = OF_RESOURCE.get(key)
    six = parts(space.resource or "", ":", 5) if part and space.kind == "key" else ()
    if part and len(six) == 6 and six[part]:
        form = Form("=").then(space.reading._replace(wild=False).form(six[part], key))
        dimension = space.dimension(key, (form.pattern,), is_key=True, always=form.flags)
        dimension.like(form)
        return dimension
    values = ("=true", "=false") if key in BOOLEANS else (_ARN if key.endswith("arn") else f"={SOMETHING}",)
    return space.dimension(key, (_ABSENT, *values), is_key=True)


def sent(space: Space, key: str, value: str | Sequence[str] | None) -> int:
    """What a request has of a condition key."""
    dimension = _dimension(space, key)
    if not value and value != "":
        return dimension.where(_ABSENT)
    text = value if isinstance(value, str) else BETWEEN.join(value)
    reading = space.reading._replace(wild=False)
    return dimension.like(Form("=").then(reading.form(text.lower() if key in BOOLEANS else text, key)))


def value_of(text: str) -> str | list[str] | None:
    """What a text of a dimension is in a request."""
    several = text.removeprefix("=").split(BETWEEN)
    return None if not text else several if len(several) > 1 else several[0]


class _Operator(NamedTuple):
    """An operator in its parts: ``ForAnyValue:StringNotLikeIfExists``."""

    each: str | None
    """``ForAllValues``, ``ForAnyValue``, or None."""
    base: str
    """The operator without its negation."""
    negated: bool
    if_exists: bool
    without_key: bool
    """Whether it holds where the key is absent."""


def read_operator(text: str) -> _Operator:
    found = _OPERATOR.fullmatch(text)
    each, base, more = found.groups() if found else (None, "", None)
    negated, if_exists = _NEGATED.match(base) is not None, more is not None
    without_key = each == "ForAllValues" or if_exists or (negated and not each)
    return _Operator(each, base.replace("Not", "", negated), negated, if_exists, without_key)


def follows(key: str, kind: str) -> bool:
    """Whether the value of a key follows from the principal, in requests that a kind of policy is about."""
    return key in FOLLOWING and (kind != "trust" or not key.startswith("kms:"))


def meets(space: Space, condition: Condition, variables: bool, is_sent: bool, is_typed: bool) -> tuple[str, int]:
    """The dimension of a condition, and the texts there that meet it: of requests that may have the key, or never."""
    key = condition.key.lower()
    if ":" not in key:
        key = f":{key}"  # None of AWS's; `action` by itself is another dimension.
    operator = read_operator(condition.operator)
    said = f"{condition.operator} {key} {', '.join(condition.values)}"
    if follows(key, space.kind):
        dimension, (those, whole) = space.dimensions[PRINCIPAL], FOLLOWING[key]
        present = reduce(or_, map(dimension.where, those))
    else:
        dimension, whole = _dimension(space, key), Form("=").then
        present = dimension.all & ~dimension.where(_ABSENT)
    present = present if is_sent else 0
    absent = dimension.all & ~present
    if operator.base == "Null":
        wanted = {value.lower() for value in condition.values}
        if condition.operator != "Null" or not wanted <= {"true", "false"}:
            return dimension.name, dimension.perhaps(said)
        return dimension.name, (absent if "true" in wanted else 0) | (present if "false" in wanted else 0)

    anything = whole(Form(ANYTHING)).pattern
    if operator.base not in _TEXTS or key in SEVERAL:
        dimension.is_typed |= operator.base not in _TEXTS
        decide = partial(_decided, operator, condition.values, key in SEVERAL)
        met = present & dimension.where(anything, (said,), decide)
    else:
        reading = space.reading._replace(variables=variables)
        matched = 0
        for text in condition.values:
            form = _value(key, operator.base, text, reading)
            named = f"{operator.base} {key} {text}"
            matched |= dimension.like(whole(form)) if form else dimension.where(anything, (named,))
            is_wild = is_typed and _TEXTS[operator.base][0] and not reading.forms.keys() >= set(holes(text))
            if form and is_wild:
                matched |= dimension.where(whole(form).pattern, (f"{named}, where * may be typed",))
        met = present & (~matched if operator.negated else matched)
    if operator.each == "ForAnyValue" and operator.if_exists:
        # AWS's pages and the simulator say different things.
        return dimension.name, met | (absent & dimension.perhaps(f"{said} without the key"))
    return dimension.name, met | (absent if operator.without_key else 0)


def _value(key: str, base: str, value: str, reading: Reading) -> Form | None:
    """One value of an operator as a form; None if what it means is not known."""
    wild, any_case = _TEXTS[base]
    reading = reading._replace(wild=wild, any_case=any_case)
    if base == "Bool" and not ("${" in value and holes(value)) and value.lower() not in ("true", "false"):
        return None
    if base.startswith("Arn"):
        return reading.arn(value)
    of_arn = reading.arn(value, ANY) if key == PRINCIPAL_ARN and not any_case else None
    return of_arn or reading.form(value, ACCOUNT if key in ACCOUNT_KEYS else key)


def _decided(operator: _Operator, values: Sequence[str], is_list: bool, text: str) -> bool | None:
    """Whether what one request has meets an operator; None if that is not known here."""
    several = text.removeprefix("=").split(BETWEEN)
    if (is_list or len(several) > 1) and operator.each is None:
        return None
    try:
        met = [any(_one_meets(operator.base, value, one) for value in values) != operator.negated for one in several]
    except (ValueError, KeyError):
        return None
    return any(met) if operator.each == "ForAnyValue" else all(met)


def _one_meets(base: str, value: str, text: str) -> bool:
    """Whether one value meets one of a condition; a ValueError or KeyError if that is not known here."""
    if "${" in value:
        raise ValueError(value)
    if base == "IpAddress":
        return ipaddress.ip_address(text) in ipaddress.ip_network(value, strict=False)
    if base.startswith("Numeric"):
        return bool(_ORDER[base.removeprefix("Numeric")](float(text), float(value)))
    if base.startswith("Date"):
        return bool(_ORDER[base.removeprefix("Date")](_instant(text), _instant(value)))
    form = _value("", base, value, Reading({}))
    if form is None:
        raise ValueError(base)
    return accepts(form.pattern, text)


def _instant(text: str) -> datetime:
    if re.fullmatch(r"[0-9]+", text):
        return datetime.fromtimestamp(int(text), timezone.utc)
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)
