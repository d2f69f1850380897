"""Who a request is from, and whom a policy names.

A principal is a text: its ARN, with a mark behind it, and behind that the name of a session; ``service:…``,
``federated:…`` and ``anonymous`` are texts too. A role has one name in its account, whatever its path.
Source: IAM User Guide, "AWS JSON policy elements: Principal" and "NotPrincipal".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Final

from cmek_construct.policy.patterns import ANY, ANYTHING, DIGITS, IN_NAME, IN_PART, NAME_END, SOMETHING, accepts
from cmek_construct.policy.space import Dimension, Space, Spelled
from cmek_construct.policy.statements import Principal, Statement
from cmek_construct.policy.text import ACCOUNT, Form, Forms, arn, form, is_wild

PRINCIPAL: Final = "principal"
OWN: Final = "IAM policies of the principal's own account"
ANONYMOUS: Final = "anonymous"
DELETED: Final = re.compile(r"A(?:RO|ID|GP|NP|SI|KI|IP)A[A-Z0-9]{8,124}")
"""The unique ID that AWS leaves in a policy where somebody who is named was deleted."""
_SERVICE: Final = "service:"
_FEDERATED: Final = "federated:"
_HOLE: Final = r"\$\{[^}]*\}"
_PARTS: Final = rf"arn:(?P<partition>[a-z-]+|{_HOLE}):(?:iam|sts)::(?P<account>[0-9]{{12}}|{_HOLE})"
_ACCOUNT: Final = re.compile(rf"{_PARTS}:root|(?P<number>[0-9]{{12}})")
_PERSON: Final = re.compile(rf"{_PARTS}:(?P<kind>role|user)(?P<path>/(?:.+/)?)(?P<name>[^/]+)")
_SESSION: Final = re.compile(rf"{_PARTS}:assumed-role/(?P<name>[^/]+)/(?P<session>[^/]+)")
_VISITOR: Final = re.compile(rf"{_PARTS}:federated-user/(?P<name>[^/]+)")
_NAMED_SERVICE: Final = re.compile(r".+\.amazonaws\.com.*")
_OWNER: Final = re.compile(rf"(?:(?:{_HOLE}|[^:$])*:){{4}}(?P<account>(?:{_HOLE}|[^:$])+):")
_PARTITION: Final = "aws[abcdefghijklmnopqrstuvwxyz-]*"
_NAME: Final = f"{IN_NAME}{IN_NAME}*"
_END: Final = NAME_END + ANYTHING
_KINDS: Final = {"role": NAME_END + SOMETHING, "user": NAME_END}
"""What stands behind the ARN of each."""
_IS_SERVICE: Final = {"true": _SERVICE + ANYTHING, "false": f"arn:{ANYTHING}{_END}"}


def _in_arn(service: str, rest: str) -> str:
    return f"arn:{_PARTITION}:{service}::{DIGITS}:{rest}"


_DOMAIN: Final = (
    *(_in_arn("iam", f"{kind}/{path}{_NAME}{end}") for path in ("", f"{SOMETHING}/") for kind, end in _KINDS.items()),
    _in_arn("iam", f"root{NAME_END}"),
    _in_arn("sts", f"federated-user/{_NAME}{NAME_END}"),
    ANONYMOUS,
    _FEDERATED + SOMETHING,
    rf"{_SERVICE}{SOMETHING}\.amazonaws\.com{ANYTHING}",
)


def owner_of(arn: str) -> str | None:
    """The account in an ARN."""
    found = _OWNER.match(arn)
    return found["account"] if found else None


def spelled(principals: Iterable[str]) -> Spelled:
    """The path and name of roles and users where they are first named, by what makes them one: not path, nor case."""
    found: dict[tuple[str, ...], tuple[str, str]] = {}
    for one in filter(None, map(_PERSON.fullmatch, principals)):
        found.setdefault((one["kind"], one["account"], one["name"].lower()), (one["path"], one["name"]))
    return found


@dataclass(frozen=True)
class Who:
    """The principals of a space."""

    dimension: Dimension
    forms: Forms
    spelled: Spelled

    def everybody(self) -> int:
        """All of them."""
        return self.dimension.all

    def has_arn(self) -> int:
        """Roles, users, accounts: whom IAM knows."""
        return self.dimension.where(_IS_SERVICE["false"])

    def federated(self) -> int:
        """Those who sign in elsewhere."""
        return self.dimension.where(_FEDERATED + ANYTHING)

    def services(self) -> int:
        """AWS services."""
        return self.dimension.where(_IS_SERVICE["true"])

    def at_home(self, resource: str | None, *, surely: bool = False) -> int:
        """Those of the account that a role or key is of, and those of no account."""
        owner = owner_of(resource or "")
        if owner is None and not surely:
            return self.everybody()
        return (self._of(owner) if owner else 0) | (self.everybody() & ~self.has_arn())

    def with_arn(self, arn: Form) -> Form:
        """Those whose ``aws:PrincipalArn`` is of a form: of a session that of its role."""
        return arn.then(_END)

    def by_kind(self, is_service: Form) -> Form:
        """Those of whom ``aws:PrincipalIsAWSService`` is of a form."""
        patterns = [of for value, of in _IS_SERVICE.items() if accepts(is_service.pattern, value)]
        pattern = f"{ANYTHING}[{NAME_END}]*{ANYTHING}" if len(patterns) > 1 else "".join(patterns)
        return is_service._replace(pattern=pattern, holes=())

    def of_account(self, number: Form) -> Form:
        """Those whose account number is of a form."""
        return Form(f"arn:{IN_PART}*:{IN_PART}*::").then(number, f":{ANYTHING}{_END}")

    def _of(self, account: str) -> int:
        return self.dimension.like(self.of_account(self._part(account, ACCOUNT)))

    def exactly(self, principal: str) -> int:
        """The principal of a request; of a role every session; of a pattern all of that form."""
        if is_wild(principal):
            found = arn(principal, self.forms)
            return self.dimension.like(self.with_arn(found)) if found else 0
        if principal.startswith("arn:"):
            found = self._named(principal)
            return self.dimension.like(found) if found else 0
        return self.dimension.where(re.escape(principal if principal == ANONYMOUS else _SERVICE + principal))

    def direct(self, principals: Iterable[Principal]) -> int:
        """Those who are named themselves."""
        return reduce(or_, map(self._one, principals), 0)

    def by_account(self, principals: Iterable[Principal]) -> int:
        """Those whose whole account is named."""
        return reduce(or_, map(self._of, filter(None, map(self.account, principals))), 0)

    def account(self, principal: Principal) -> str | None:
        """The account that is named, by its number or its root."""
        found = _ACCOUNT.fullmatch(principal.name)
        if principal.kind == "AWS" and found:
            return found["account"] or found["number"]
        hole = re.fullmatch(_HOLE, principal.name)
        return principal.name if hole and self.forms.get(principal.name[2:-1]) == ACCOUNT else None

    def _one(self, principal: Principal) -> int:
        kind, name = principal.kind, principal.name
        if kind == "AWS" and name == "*":
            return self.everybody()
        if kind == "AWS" and DELETED.fullmatch(name):
            return 0
        account = self.account(principal)
        is_one = not is_wild(name)
        found = None
        if account:
            found = Form(f"arn:{_PARTITION}:iam::").then(self._part(account, ACCOUNT), f":root{NAME_END}")
        elif (kind == "Federated" or (kind == "Service" and _NAMED_SERVICE.fullmatch(name))) and "${" not in name:
            found = Form(re.escape(f"{kind.lower()}:{name}")) if is_one else None
        elif kind == "AWS" and is_one:
            found = self._named(name)
        return self.dimension.like(found) if found else self.dimension.perhaps(f"{kind} {name} is the principal")

    def _part(self, text: str, what: str) -> Form:
        return form(text, what, {"name": IN_NAME, "session": ANY}.get(what, IN_PART), self.forms)

    def _named(self, name: str) -> Form | None:
        """A root, a role, a user or a session by its ARN; None if it is none."""
        forms = (_ACCOUNT, _PERSON, _SESSION, _VISITOR)
        found = next(filter(None, (each.fullmatch(name) for each in forms)), None)
        if found is None or found["account"] is None:
            return None
        service, rest = "iam", Form(f"root{NAME_END}")
        if found.re is _VISITOR:
            service, rest = "sts", Form("federated-user/").then(self._part(found["name"], "name"), NAME_END)
        elif found.re is _SESSION:
            role = self._person("role", found["account"], found["name"], None)
            rest = role.then(NAME_END, self._part(found["session"], "session"))
        elif found.re is _PERSON:
            person = self._person(found["kind"], found["account"], found["name"], found["path"])
            rest = person.then(_KINDS[found["kind"]])
        partition = self._part(found["partition"], "partition")
        return Form("arn:").then(partition, f":{service}::", self._part(found["account"], ACCOUNT), ":", rest)

    def _person(self, kind: str, account: str, name: str, path: str | None) -> Form:
        """A role or user as it was first spelled in this question; else of any path."""
        own = (kind, account, name.lower())
        known = self.spelled.get(own)
        if known is None and path is None:
            # One that is named with a hole may be this one, and its path then is the path.
            named = any(_may_be(own, one) for one in self.spelled)
            doubt = frozenset({f"the role {name} is of this path"} if named else ())
            return Form(f"{kind}{IN_PART}*/", flags=doubt).then(self._part(name, "name"))
        path, name = known or (path or "", name)
        return Form(kind).then(self._part(path, "path"), self._part(name, "name"))


def _may_be(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two may be one, as far as their holes go."""
    return all(mine == yours or "$" in mine + yours for mine, yours in zip(one, other, strict=True))


def who(space: Space) -> Who:
    """The principals of a space."""
    return Who(space.dimension(PRINCIPAL, _DOMAIN), space.forms, space.spelled)


def named(who: Who, statement: Statement, kind: str) -> tuple[int, int]:
    """Who is named, and who is of an account that is named."""
    if statement.principals is None:
        return spared(who, statement, kind), 0
    return who.direct(statement.principals), who.by_account(statement.principals)


def spared(who: Who, statement: Statement, kind: str) -> int:
    """Whom ``NotPrincipal`` leaves, which is everybody but some.

    AWS wants a role or user *and* its account to be listed: one of the two alone may spare or not. With an Allow, and
    in a trust policy, AWS does not support it.
    """
    listed = statement.not_principals or ()
    direct, accounts = who.direct(listed), who.by_account(listed)
    everybody = who.everybody()
    doubt = who.dimension.perhaps(f"NotPrincipal {', '.join(one.name for one in listed)} does not spare the principal")
    if statement.effect != "Deny" or kind == "trust":
        return everybody & ~(direct | accounts) & doubt
    surely = (direct & accounts) | who.direct(filter(who.account, listed))
    surely |= everybody if Principal("AWS", "*") in listed else 0
    return everybody & ~surely & (~(direct | accounts) | doubt)


def name_of(text: str) -> str:
    """A principal of a space for a person."""
    arn, _, session = text.removeprefix(_SERVICE).partition(NAME_END)
    if session in ("", "x"):
        return arn
    begin, _, path = arn.partition(":role")
    return f"{begin.replace(':iam:', ':sts:')}:assumed-role/{path.rpartition('/')[2]}/{session}"
