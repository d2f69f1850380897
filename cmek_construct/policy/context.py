"""The context of a request: who it is from, and the condition keys that come with it.

A principal is a text: its ARN, with a mark behind it, and behind that the name of a session; ``service:…``,
``federated:…`` and ``anonymous`` are texts too. A role has one name in its account, whatever its path. Of a condition
key a request has a text: nothing where the key is absent, and ``=`` and the value.

Source: IAM User Guide, "AWS JSON policy elements: Principal", "NotPrincipal", "Condition operators", and "Conditions
with multiple context keys or values".
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from functools import partial, reduce
from operator import eq, ge, gt, le, lt, or_
from typing import Final, NamedTuple

from cmek_construct.policy.aws import ACCOUNT_KEYS, BOOLEANS, IS_SERVICE, OF_RESOURCE, PRINCIPAL_ARN, SEVERAL
from cmek_construct.policy.patterns import ANY, ANYTHING, BETWEEN, DIGITS, IN_NAME, IN_PART, NAME_END, SOMETHING, fits
from cmek_construct.policy.space import Dimension, Space
from cmek_construct.policy.statements import DELETED, Condition, Principal, Statement
from cmek_construct.policy.text import ACCOUNT, Doubt, Form, Reading, holes, is_wild, lower, parts

PRINCIPAL: Final = "principal"
OWN: Final = "IAM policies of the principal's own account"
ANONYMOUS: Final = "anonymous"
_SERVICE: Final = "service:"
_FEDERATED: Final = "federated:"
_HOLE: Final = r"\$\{[^}]*\}"
_ARN: Final = re.compile(  # the kind and path are a role's or user's, the role a session's; a root has no name
    rf"arn:(?P<partition>[a-z-]+|{_HOLE}):(?:iam|sts)::(?P<account>[0-9]{{12}}|{_HOLE}):(?:root|"
    r"(?:(?P<kind>role|user)(?P<path>/(?:.+/)?)|assumed-role/(?P<role>[^/]+)/|federated-user/)(?P<name>[^/]+))"
)
_ELSEWHERE: Final = re.compile(r"(?:Federated:|Service:(?=.+\.amazonaws\.com))(?:[^*?$]|\$(?!\{))+")
"""Who is named and has no ARN of IAM."""
_ARN_OF: Final = "arn:aws[abcdefghijklmnopqrstuvwxyz-]*"
_IAM: Final = f"{_ARN_OF}:iam::{DIGITS}:"
_NAME: Final = f"{IN_NAME}{IN_NAME}*"
_END: Final = NAME_END + ANYTHING
_KINDS: Final = {"role": NAME_END + SOMETHING, "user": NAME_END}  # what stands behind the ARN of each
WITH_ARN: Final = f"arn:{ANYTHING}{_END}"  # roles, users, accounts: whom IAM knows
_SERVICES: Final = _SERVICE + ANYTHING
SIGNED_IN_ELSEWHERE: Final = _FEDERATED + ANYTHING
EVERYBODY: Final = (
    *(f"{_IAM}{kind}/{path}{_NAME}{end}" for path in ("", f"{SOMETHING}/") for kind, end in _KINDS.items()),
    f"{_IAM}root{NAME_END}",
    f"{_ARN_OF}:sts::{DIGITS}:federated-user/{_NAME}{NAME_END}",
    ANONYMOUS,
    _FEDERATED + SOMETHING,
    rf"{_SERVICE}{SOMETHING}\.amazonaws\.com{ANYTHING}",
)
_OPERATOR: Final = re.compile(r"(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?")
_WITH_WILDCARDS: Final = {"StringLike", "ArnEquals", "ArnLike"}
_IN_ANY_CASE: Final = {"StringEqualsIgnoreCase", "Bool"}
_ON_TEXTS: Final = {"StringEquals"} | _WITH_WILDCARDS | _IN_ANY_CASE
_ORDER: Final = {"Equals": eq, "LessThan": lt, "LessThanEquals": le, "GreaterThan": gt, "GreaterThanEquals": ge}
_NEGATED: Final = re.compile(r"(String|Arn|Numeric|Date)Not|NotIpAddress")
_ABSENT: Final = ""
_SOME_ARN: Final = f"=arn{f':{IN_PART}{IN_PART}*' * 2}{f':{IN_PART}*' * 2}:{SOMETHING}"


def owner_of(arn: str) -> str | None:
    """The account in an ARN."""
    six = parts(arn, ":", 5)
    return six[4] or None if len(six) == 6 else None


def spelled(principals: Iterable[str]) -> dict[tuple[str, ...], tuple[str, str]]:
    """The path and name of roles and users where they are first named, by what makes them one: not path, nor case."""
    named = [one for one in map(_ARN.fullmatch, principals) if one and one["kind"]]
    return {(one["kind"], one["account"], lower(one["name"])): (one["path"], one["name"]) for one in reversed(named)}


def _of_account(number: Form) -> Form:
    """Those whose account number is of a form."""
    return Form(f"arn:{IN_PART}*:{IN_PART}*::").then(number, f":{ANYTHING}{_END}")


def _by_kind(is_service: Form) -> Form:
    """Those of whom ``aws:PrincipalIsAWSService`` is of a form."""
    kinds = {"true": _SERVICES, "false": WITH_ARN}
    patterns = [pattern for value, pattern in kinds.items() if fits(is_service.pattern, value)]
    pattern = f"{ANYTHING}[{NAME_END}]*{ANYTHING}" if len(patterns) > 1 else "".join(patterns)
    return is_service._replace(pattern=pattern, holes=())


FOLLOWING: Final[Mapping[str, tuple[tuple[str, ...], Callable[[Form], Form]]]] = {
    # Of a session that of its role.
    PRINCIPAL_ARN: ((WITH_ARN,), lambda arn: arn.then(_END)),
    IS_SERVICE: ((WITH_ARN, _SERVICES), _by_kind),
    **dict.fromkeys(ACCOUNT_KEYS, ((WITH_ARN,), _of_account)),
}
"""The condition keys that say who asks: who has them, and what a form of their values is of principals."""


def at_home(space: Space) -> int:
    """Those of the account that role or key are surely of, and those of no account."""
    owner, people = owner_of(space.resource or ""), space.dimensions[PRINCIPAL]
    own = people.like(_of_account(space.reading.form(owner, ACCOUNT, IN_PART))) if owner else 0
    return own | (people.all & ~people.where(WITH_ARN))


def signed_in(space: Space, named: Iterable[Principal], *flags: str) -> int:
    """Those of the named who sign in elsewhere."""
    names = (one.name for one in named if one.kind == "Federated" and _ELSEWHERE.fullmatch(f"Federated:{one.name}"))
    return reduce(or_, (space.dimensions[PRINCIPAL].where(re.escape(_FEDERATED + name), flags) for name in names), 0)


def exactly(space: Space, principal: str) -> int:
    """The principal of a request; of a role every session; of a pattern all of that form."""
    if is_wild(principal):
        found = space.reading.arn(principal)
        return space.dimensions[PRINCIPAL].like(found.then(_END)) if found else 0
    if principal.startswith("arn:"):
        return _named(space, principal) or 0
    return space.dimensions[PRINCIPAL].where(re.escape(principal if principal == ANONYMOUS else _SERVICE + principal))


def named(space: Space, statement: Statement) -> tuple[int, int]:
    """Who is named, and who is of an account that is named.

    ``NotPrincipal`` names everybody but some. AWS wants a role or user *and* its account to be listed: one of the two
    alone may spare or not. With an Allow, and in a trust policy, AWS does not support it.
    """
    if statement.principals is not None:
        return whom(space, statement.principals)
    listed, everybody = statement.not_principals or (), space.dimensions[PRINCIPAL].all
    themselves, accounts = whom(space, listed)
    names = ", ".join(one.name for one in listed)
    doubt = space.dimensions[PRINCIPAL].perhaps(Doubt(f"NotPrincipal {names}", " does not spare the principal"))
    if statement.effect != "Deny" or space.kind == "trust":
        return everybody & ~(themselves | accounts) & doubt, 0
    surely = (themselves & accounts) | whom(space, [one for one in listed if _account(space, one)])[0]
    surely |= everybody if Principal("AWS", "*") in listed else 0
    # Elsewhere, who is listed is let in before others of the account.
    perhaps = themselves if space.kind == "resource" else themselves | accounts
    return everybody & ~surely & (~perhaps | doubt), 0


def whom(space: Space, principals: Iterable[Principal]) -> tuple[int, int]:
    """Those who are named themselves, and those whose whole account is named."""
    everybody = space.dimensions[PRINCIPAL]
    themselves, numbers = 0, []
    for one in principals:
        kind, name, account = one.kind, one.name, _account(space, one)
        found = None
        if kind == "AWS" and (name == "*" or DELETED.fullmatch(name)):
            found = everybody.all if name == "*" else 0
        elif account:
            numbers.append(space.reading.form(account, ACCOUNT, IN_PART))
            found = everybody.like(Form(f"arn:aws{IN_PART}*:iam::").then(numbers[-1], f":root{NAME_END}"))
        elif kind == "AWS" and not is_wild(name):
            found = _named(space, name)
        elif _ELSEWHERE.fullmatch(f"{kind}:{name}"):
            found = everybody.where(re.escape(f"{kind.lower()}:{name}"))
        themselves |= everybody.perhaps(Doubt(f"{kind} {name}", " is the principal")) if found is None else found
    return themselves, reduce(or_, map(everybody.like, map(_of_account, numbers)), 0)


def _account(space: Space, principal: Principal) -> str | None:
    """The account that is named, by its number or its root."""
    name = principal.name
    found = _ARN.fullmatch(name)
    if principal.kind == "AWS" and found:
        return None if found["name"] else found["account"]
    is_number = principal.kind == "AWS" and re.fullmatch("[0-9]{12}", name)
    is_hole = re.fullmatch(_HOLE, name) and space.reading.forms.get(name[2:-1]) == ACCOUNT
    return name if is_number or is_hole else None


def _named(space: Space, text: str) -> int | None:
    """A root, a role, a user or a session by its ARN; None if it is none."""
    found = _ARN.fullmatch(text)
    if not found:
        return None
    partition, account, kind, path, role, name = found.groups()
    behind = Form(_KINDS.get(kind, NAME_END))
    if role:
        behind = behind.then(space.reading.form(name, "session"))
        kind, path, name = "role", "*/", role
    if kind:
        own = (kind, account, lower(name))
        alike = (all(a == b or "$" in a + b for a, b in zip(own, one, strict=True)) for one in space.spelled)
        if role and own not in space.spelled and any(alike):
            # One that is named with a hole may be this one, and its path then is the path.
            behind = behind._replace(flags=behind.flags | {Doubt(f"the role {role}", " is of this path")})
        path, name = space.spelled.get(own, (path, name))
        text = f"arn:{partition}:iam::{account}:{kind}{path}{name}"
    arn = space.reading.arn(text, in_name=IN_NAME)
    return space.dimensions[PRINCIPAL].like(arn.then(behind)) if arn else 0


def name_of(text: str) -> str:
    """A principal of a space for a person."""
    arn, _, session = text.removeprefix(_SERVICE).partition(NAME_END)
    if session in ("", "x"):
        return arn
    begin, _, path = arn.partition(":role")
    return f"{begin.replace(':iam:', ':sts:')}:assumed-role/{path.rpartition('/')[2]}/{session}"


def _dimension(space: Space, key: str) -> Dimension:
    """What a request may have of a condition key."""
    part = OF_RESOURCE.get(key)
    six = parts(space.resource or "", ":", 5) if part and space.kind == "key" else ()
    if part and len(six) == 6 and six[part]:
        form = Form("=").then(space.reading._replace(wild=False).form(six[part], key))
        dimension = space.dimension(key, (form.pattern,), is_key=True)
        dimension.always = form.flags
        dimension.like(form)
        return dimension
    values = ("=true", "=false") if key in BOOLEANS else (_SOME_ARN if key.endswith("arn") else f"={SOMETHING}",)
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

    each: str | None  # ``ForAllValues``, ``ForAnyValue``, or None
    base: str  # the operator without its negation
    negated: bool
    if_exists: bool
    without_key: bool  # whether it holds where the key is absent


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
    said = partial(Doubt, condition.operator, " ", key, " ", ", ".join(condition.values))
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
            return dimension.name, dimension.perhaps(said())
        return dimension.name, (absent if "true" in wanted else 0) | (present if "false" in wanted else 0)

    anything = whole(Form(ANYTHING)).pattern
    if operator.base not in _ON_TEXTS or key in SEVERAL:
        dimension.is_typed |= operator.base not in _ON_TEXTS
        decide = partial(_decided, operator, condition.values, key in SEVERAL)
        met = present & dimension.where(anything, (said(),), decide)
    else:
        reading = space.reading._replace(variables=variables)
        matched = 0
        for text in condition.values:
            form = _value(key, operator.base, text, reading)
            named = partial(Doubt, operator.base, " ", key, " ", text)
            matched |= dimension.like(whole(form)) if form else dimension.where(anything, (named(),))
            if form and is_typed and operator.base in _WITH_WILDCARDS and not reading.forms.keys() >= set(holes(text)):
                matched |= dimension.where(whole(form).pattern, (named(", where * may be typed"),))
        met = present & (~matched if operator.negated else matched)
    if operator.each == "ForAnyValue" and operator.if_exists:
        # AWS's pages and the simulator say different things.
        return dimension.name, met | (absent & dimension.perhaps(said(" without the key")))
    return dimension.name, met | (absent if operator.without_key else 0)


def _value(key: str, base: str, value: str, reading: Reading) -> Form | None:
    """One value of an operator as a form; None if what it means is not known."""
    any_case = base in _IN_ANY_CASE
    reading = reading._replace(wild=base in _WITH_WILDCARDS, any_case=any_case)
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
    except (ValueError, KeyError, OverflowError, OSError):
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
    form = _value("", base, value, Reading({})) if base in _ON_TEXTS else None
    if form is None:
        raise ValueError(base)
    return fits(form.pattern, text)


def _instant(text: str) -> datetime:
    if re.fullmatch(r"[0-9]+", text):
        return datetime.fromtimestamp(int(text), timezone.utc)
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)
