"""Who a request is from, and whom a policy names.

A principal is a text: its ARN, with a mark behind it, and behind that the name of a session; ``service:…``,
``federated:…`` and ``anonymous`` are texts too. A role has one name in its account, whatever its path.
Source: IAM User Guide, "AWS JSON policy elements: Principal" and "NotPrincipal".
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from operator import or_
from typing import Any, Final

from cmek_construct.policy.aws import ACCOUNT_KEYS, IS_SERVICE, PRINCIPAL_ARN
from cmek_construct.policy.patterns import ANYTHING, DIGITS, IN_NAME, IN_PART, NAME_END, SOMETHING, accepts
from cmek_construct.policy.space import Space
from cmek_construct.policy.statements import Principal, Statement, read
from cmek_construct.policy.text import ACCOUNT, Form, is_wild, parts, pieces

PRINCIPAL: Final = "principal"
OWN: Final = "IAM policies of the principal's own account"
ANONYMOUS: Final = "anonymous"
DELETED: Final = re.compile(r"A(?:RO|ID|GP|NP|SI|KI|IP)A[A-Z0-9]{8,124}")
"""The unique ID that AWS leaves in a policy where somebody who is named was deleted."""
_SERVICE: Final = "service:"
_FEDERATED: Final = "federated:"
_HOLE: Final = r"\$\{[^}]*\}"
_ARN: Final = re.compile(
    rf"arn:([a-z-]+|{_HOLE}):(?:iam|sts)::([0-9]{{12}}|{_HOLE}):"
    r"(?:root|(?:(role|user)(/(?:.+/)?)|assumed-role/([^/]+)/|federated-user/)([^/]+))"
)
"""Partition, account; kind and path of a role or user, or the role of a session; and a name, which the root has not."""
_ELSEWHERE: Final = re.compile(r"(?:Federated:|Service:(?=.+\.amazonaws\.com))(?:[^*?$]|\$(?!\{))+")
"""Who is named and has no ARN of IAM."""
_ARN_OF: Final = "arn:aws[abcdefghijklmnopqrstuvwxyz-]*"
_IAM: Final = f"{_ARN_OF}:iam::{DIGITS}:"
_NAME: Final = f"{IN_NAME}{IN_NAME}*"
_END: Final = NAME_END + ANYTHING
_KINDS: Final = {"role": NAME_END + SOMETHING, "user": NAME_END}
"""What stands behind the ARN of each."""
WITH_ARN: Final = f"arn:{ANYTHING}{_END}"
"""Roles, users, accounts: whom IAM knows."""
SERVICES: Final = _SERVICE + ANYTHING
SIGNED_IN_ELSEWHERE: Final = _FEDERATED + ANYTHING
EVERYBODY: Final = (
    *(f"{_IAM}{kind}/{path}{_NAME}{end}" for path in ("", f"{SOMETHING}/") for kind, end in _KINDS.items()),
    f"{_IAM}root{NAME_END}",
    f"{_ARN_OF}:sts::{DIGITS}:federated-user/{_NAME}{NAME_END}",
    ANONYMOUS,
    _FEDERATED + SOMETHING,
    rf"{_SERVICE}{SOMETHING}\.amazonaws\.com{ANYTHING}",
)


def lower(text: str) -> str:
    """A name or an action as AWS compares it, in small letters; not the names of its holes."""
    return "".join(plain.lower() + ("" if name is None else f"${{{name}}}") for plain, name in pieces(text))


def owner_of(arn: str) -> str | None:
    """The account in an ARN."""
    six = parts(arn, ":", 5)
    return six[4] or None if len(six) == 6 else None


def spelled(principals: Iterable[str]) -> dict[tuple[str, ...], tuple[str, str]]:
    """The path and name of roles and users where they are first named, by what makes them one: not path, nor case."""
    found: dict[tuple[str, ...], tuple[str, str]] = {}
    for one in filter(None, map(_ARN.fullmatch, principals)):
        _, account, kind, path, _, name = one.groups()
        if kind:
            found.setdefault((kind, account, lower(name)), (path, name))
    return found


def _of_account(number: Form) -> Form:
    """Those whose account number is of a form."""
    return Form(f"arn:{IN_PART}*:{IN_PART}*::").then(number, f":{ANYTHING}{_END}")


def _by_kind(is_service: Form) -> Form:
    """Those of whom ``aws:PrincipalIsAWSService`` is of a form."""
    kinds = {"true": SERVICES, "false": WITH_ARN}
    patterns = [pattern for value, pattern in kinds.items() if accepts(is_service.pattern, value)]
    pattern = f"{ANYTHING}[{NAME_END}]*{ANYTHING}" if len(patterns) > 1 else "".join(patterns)
    return is_service._replace(pattern=pattern, holes=())


FOLLOWING: Final[Mapping[str, tuple[tuple[str, ...], Callable[[Form], Form]]]] = {
    # Of a session that of its role.
    PRINCIPAL_ARN: ((WITH_ARN,), lambda arn: arn.then(_END)),
    IS_SERVICE: ((WITH_ARN, SERVICES), _by_kind),
    **dict.fromkeys(ACCOUNT_KEYS, ((WITH_ARN,), _of_account)),
}
"""The condition keys that say who asks: who has them, and what a form of their values is of principals."""


def at_home(space: Space) -> int:
    """Those of the account that role or key are surely of, and those of no account."""
    owner, people = owner_of(space.resource or ""), space.dimensions[PRINCIPAL]
    return (_of(space, owner) if owner else 0) | (people.all & ~people.where(WITH_ARN))


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
        return of(space, statement.principals)
    listed, everybody = statement.not_principals or (), space.dimensions[PRINCIPAL].all
    themselves, accounts = of(space, listed)
    names = ", ".join(one.name for one in listed)
    doubt = space.dimensions[PRINCIPAL].perhaps(f"NotPrincipal {names} does not spare the principal")
    if statement.effect != "Deny" or space.kind == "trust":
        return everybody & ~(themselves | accounts) & doubt, 0
    surely = (themselves & accounts) | of(space, [one for one in listed if _account(space, one)])[0]
    surely |= everybody if Principal("AWS", "*") in listed else 0
    return everybody & ~surely & (~(themselves | accounts) | doubt), 0


def of(space: Space, principals: Iterable[Principal]) -> tuple[int, int]:
    """Those who are named themselves, and those whose whole account is named."""
    everybody = space.dimensions[PRINCIPAL]
    themselves = accounts = 0
    for one in principals:
        kind, name, account = one.kind, one.name, _account(space, one)
        found = None
        if kind == "AWS" and (name == "*" or DELETED.fullmatch(name)):
            found = everybody.all if name == "*" else 0
        elif account:
            accounts |= _of(space, account)
            found = _like(space, f"arn:aws*:iam::{account}:root", Form(NAME_END))
        elif kind == "AWS" and not is_wild(name):
            found = _named(space, name)
        elif _ELSEWHERE.fullmatch(f"{kind}:{name}"):
            found = everybody.where(re.escape(f"{kind.lower()}:{name}"))
        themselves |= everybody.perhaps(f"{kind} {name} is the principal") if found is None else found
    return themselves, accounts


def _account(space: Space, principal: Principal) -> str | None:
    """The account that is named, by its number or its root."""
    name = principal.name
    found = _ARN.fullmatch(name)
    if principal.kind == "AWS" and found:
        return None if found[6] else found[2]
    is_number = principal.kind == "AWS" and re.fullmatch("[0-9]{12}", name)
    is_hole = re.fullmatch(_HOLE, name) and space.reading.forms.get(name[2:-1]) == ACCOUNT
    return name if is_number or is_hole else None


def _of(space: Space, account: str) -> int:
    return space.dimensions[PRINCIPAL].like(_of_account(space.reading.form(account, ACCOUNT, IN_PART)))


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
            behind = behind._replace(flags=behind.flags | {f"the role {role} is of this path"})
        path, name = space.spelled.get(own, (path, name))
        text = f"arn:{partition}:iam::{account}:{kind}{path}{name}"
    return _like(space, text, behind)


def _like(space: Space, text: str, behind: Form) -> int:
    found = space.reading.arn(text, in_name=IN_NAME)
    return space.dimensions[PRINCIPAL].like(found.then(behind)) if found else 0


def name_of(text: str) -> str:
    """A principal of a space for a person."""
    arn, _, session = text.removeprefix(_SERVICE).partition(NAME_END)
    if session in ("", "x"):
        return arn
    begin, _, path = arn.partition(":role")
    return f"{begin.replace(':iam:', ':sts:')}:assumed-role/{path.rpartition('/')[2]}/{session}"


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
