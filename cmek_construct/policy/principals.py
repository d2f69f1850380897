"""Who a request is from, and whom a policy names.

A principal is a text: its ARN, with a mark where the path ends, and another behind which a session has its name;
``service:…``, ``federated:…`` and ``anonymous`` are texts too. A role has one name in its account, whatever its path.
Source: IAM User Guide, "AWS JSON policy elements: Principal" and "NotPrincipal".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Final, TypeAlias

from cmek_construct.policy.patterns import ANY, NAME_END, PATH_END, Pattern, Token, all_but, one_of, star
from cmek_construct.policy.space import Dimension, Space
from cmek_construct.policy.statements import Policy, Principal, Statement
from cmek_construct.policy.text import ACCOUNT, ANYTHING, DIGITS, Forms, Part, Wild, arn, items, part, split, word

PRINCIPAL: Final = "principal"
OWN: Final = "IAM policies of the principal's own account"
ANONYMOUS: Final = "anonymous"
SERVICE: Final = "service:"
_FEDERATED: Final = "federated:"
DELETED: Final = re.compile(r"A(?:RO|ID|GP|NP|SI|KI|IP)A[A-Z0-9]{8,124}")
"""The unique ID that AWS leaves in a policy where somebody who is named was deleted."""
_HOLE: Final = r"\$\{[^}]*\}"
_PARTS: Final = rf"arn:(?P<partition>[a-z-]+|{_HOLE}):(?:iam|sts)::(?P<account>[0-9]{{12}}|{_HOLE})"
_ACCOUNT: Final = re.compile(rf"{_PARTS}:root|(?P<number>[0-9]{{12}})")
_PERSON: Final = re.compile(rf"{_PARTS}:(?P<kind>role|user)(?P<path>/(?:.+/)?)(?P<name>[^/]+)")
_SESSION: Final = re.compile(rf"{_PARTS}:assumed-role/(?P<name>[^/]+)/(?P<session>[^/]+)")
_VISITOR: Final = re.compile(rf"{_PARTS}:federated-user/(?P<name>[^/]+)")
_SERVICE: Final = re.compile(r".+\.amazonaws\.com.*")
_OWNER: Final = re.compile(rf"(?:(?:{_HOLE}|[^:$])*:){{4}}(?P<account>(?:{_HOLE}|[^:$])+):")
_IN_ARN: Final = all_but(":")
_IN_NAME: Final = all_but(":/")
_PARTITION: Final = word("aws") + Part((star(one_of("abcdefghijklmnopqrstuvwxyz-")),))
_SOMETHING: Final = Part((Token(ANY), star(ANY)))
_NAME: Final = Part((Token(_IN_NAME), star(_IN_NAME)))
_END: Final = word(NAME_END) + ANYTHING
_KINDS: Final = {"role": word(NAME_END) + _SOMETHING, "user": word(NAME_END)}


def _arn(service: str, account: Part, rest: Part, partition: Part = _PARTITION) -> Part:
    return word("arn:") + partition + word(f":{service}::") + account + word(":") + rest


def _domain() -> Iterator[Part]:
    number = Part(DIGITS)
    for path in (word(f"/{PATH_END}"), word("/") + _SOMETHING + word(f"/{PATH_END}")):
        for kind, end in _KINDS.items():
            yield _arn("iam", number, word(kind) + path + _NAME + end)
    yield _arn("iam", number, word(f"root{NAME_END}"))
    yield _arn("sts", number, word("federated-user/") + _NAME + word(NAME_END))
    yield word(ANONYMOUS)
    yield word(_FEDERATED) + _SOMETHING
    yield word(SERVICE) + _SOMETHING + word(".amazonaws.com") + ANYTHING


_DOMAIN: Final = tuple(Pattern(one.tokens) for one in _domain())
_ARNS: Final = Pattern((word("arn:") + ANYTHING + _END).tokens, over_paths=True)
_SERVICES: Final = Pattern((word(SERVICE) + ANYTHING).tokens)
_FEDERATED_ONES: Final = Pattern((word(_FEDERATED) + ANYTHING).tokens)


def owner_of(arn: str) -> str | None:
    """The account in an ARN."""
    found = _OWNER.match(arn)
    return found["account"] if found else None


Spelled: TypeAlias = Mapping[tuple[str, ...], str]
"""The path and name of roles and users, by what makes them one: path and case do not make two."""


def _identity(kind: str, account: str, name: str) -> tuple[str, ...]:
    return kind, account, name.lower()


def _may_be(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two may be one, as far as their holes go."""
    return all(mine == yours or "$" in mine + yours for mine, yours in zip(one, other, strict=True))


def spelled(principals: Iterable[str]) -> Spelled:
    """How each role and user is spelled where it is first named with its path."""
    found: dict[tuple[str, ...], str] = {}
    for one in filter(None, map(_PERSON.fullmatch, principals)):
        who = _identity(one["kind"], one["account"], one["name"])
        found.setdefault(who, one["path"] + PATH_END + one["name"])
    return found


@dataclass(frozen=True)
class Who:
    """The principals of a space."""

    dimension: Dimension
    forms: Forms
    spelled: Spelled

    def has_arn(self) -> int:
        """Roles, users, accounts: whom IAM knows."""
        return self.dimension.where(_ARNS)

    def federated(self) -> int:
        """Those who sign in elsewhere."""
        return self.dimension.where(_FEDERATED_ONES)

    def services(self) -> int:
        """AWS services."""
        return self.dimension.where(_SERVICES)

    def at_home(self, resource: str | None, *, surely: bool = False) -> int:
        """Those of the account that a role or key is of, and those of no account."""
        owner = owner_of(resource or "")
        if owner is None and not surely:
            return self.everybody()
        return (self._of(owner) if owner else 0) | (self.everybody() & ~self.has_arn())

    def everybody(self) -> int:
        """All of them."""
        return self.dimension.all

    def with_arn(self, tokens: tuple[Token, ...]) -> Pattern:
        """Those whose ``aws:PrincipalArn`` is of a form: of a session that of its role."""
        return Pattern((*tokens, *_END.tokens), over_paths=True)

    def of_account(self, tokens: tuple[Token, ...]) -> Pattern:
        """Those whose account number is of a form."""
        in_arn = Part((star(_IN_ARN),))
        begin = word("arn:") + in_arn + word(":") + in_arn + word("::")
        rest = word(":") + ANYTHING + _END
        return Pattern((*begin.tokens, *tokens, *rest.tokens), over_paths=True)

    def _of(self, account: str) -> int:
        number = self._part(account, ACCOUNT)
        return self.dimension.like(self.of_account(number.tokens), number.flags)

    def exactly(self, principal: str) -> int:
        """The principal of a request; of a role every session; of a pattern all of that form."""
        whole = items(principal, wild=True)
        if any(isinstance(one, Wild) for one in whole):
            one = arn(split(whole, ":", 5), self.forms)
            return self.dimension.like(self.with_arn(one.tokens), one.flags)
        if principal.startswith("arn:"):
            found = self._named(principal)
            return 0 if found is None else self._like(found)
        return self._like(word(principal if principal == ANONYMOUS else f"{SERVICE}{principal}"))

    def _like(self, one: Part) -> int:
        return self.dimension.like(Pattern(one.tokens), one.flags)

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
        if account:
            return self._like(_arn("iam", self._part(account, ACCOUNT), word(f"root{NAME_END}")))
        is_one = not any(isinstance(one, Wild) for one in items(name, wild=True))
        is_known = kind == "Federated" or (kind == "Service" and _SERVICE.fullmatch(name))
        if is_known and is_one and "${" not in name:
            return self._like(word(f"{kind.lower()}:{name}"))
        found = self._named(name) if kind == "AWS" and is_one else None
        if found is None:
            return self.dimension.perhaps(f"{kind} {name} is the principal")
        return self._like(found)

    def _part(self, text: str, what: str) -> Part:
        chars = {"name": _IN_NAME, "session": ANY}.get(what, _IN_ARN)
        return part(items(text), what, chars, self.forms)

    def _named(self, name: str) -> Part | None:
        """A root, a role, a user or a session by its ARN; None if it is none."""
        forms = (_ACCOUNT, _PERSON, _SESSION, _VISITOR)
        found = next(filter(None, (form.fullmatch(name) for form in forms)), None)
        if found is None or found["account"] is None:
            return None
        service, rest = "iam", word(f"root{NAME_END}")
        if found.re is _VISITOR:
            service = "sts"
            rest = word("federated-user/") + self._part(found["name"], "name") + word(NAME_END)
        elif found.re is _SESSION:
            session = word(NAME_END) + self._part(found["session"], "session")
            rest = self._person("role", found["account"], found["name"], None) + session
        elif found.re is _PERSON:
            person = self._person(found["kind"], found["account"], found["name"], found["path"])
            rest = person + _KINDS[found["kind"]]
        account = self._part(found["account"], ACCOUNT)
        return _arn(service, account, rest, self._part(found["partition"], "partition"))

    def _person(self, kind: str, account: str, name: str, path: str | None) -> Part:
        """A role or user as it was first spelled in this question; else of any path."""
        own = _identity(kind, account, name)
        known = self.spelled.get(own)
        if known is None and path is None:
            # One that is named with a hole may be this one, and its path then is the path.
            named = any(_may_be(own, one) for one in self.spelled)
            doubt = frozenset({f"the role {name} is of this path"} if named else ())
            anywhere = Part((star(_IN_ARN),), doubt) + word(PATH_END)
            return word(f"{kind}/") + anywhere + self._part(name, "name")
        path, _, name = (known or f"{path}{PATH_END}{name}").partition(PATH_END)
        return word(kind) + self._part(path, "path") + word(PATH_END) + self._part(name, "name")


def who(space: Space, policy: Policy) -> Who:
    """The principals of a space, as a policy knows them."""
    return Who(space.dimension(PRINCIPAL, _DOMAIN), policy.forms, space.spelled)


def spared(who: Who, statement: Statement, policy: Policy) -> int:
    """Whom ``NotPrincipal`` leaves, which is everybody but some.

    AWS wants a role or user *and* its account to be listed: one of the two alone may spare or not. With an Allow, and
    in a trust policy, AWS does not support it.
    """
    listed = statement.not_principals or ()
    direct, accounts = who.direct(listed), who.by_account(listed)
    roots = who.direct(filter(who.account, listed))
    everybody = who.everybody()
    named = direct | accounts
    names = ", ".join(one.name for one in listed)
    doubt = who.dimension.perhaps(f"NotPrincipal {names} does not spare the principal")
    if statement.effect != "Deny" or policy.kind == "trust":
        return everybody & ~named & doubt
    surely = (direct & accounts) | roots | (everybody if _is_all(listed) else 0)
    return everybody & ~surely & (~named | doubt)


def _is_all(principals: Iterable[Principal]) -> bool:
    return any(one == Principal("AWS", "*") for one in principals)


def name_of(text: str) -> str:
    """A principal of a space for a person."""
    arn, _, session = text.removeprefix(SERVICE).partition(NAME_END)
    if session in ("", "x"):
        return arn.replace(PATH_END, "")
    begin, _, path = arn.partition(":role")
    name = re.split(f"[/{PATH_END}]", path)[-1]
    return f"{begin.replace(':iam:', ':sts:')}:assumed-role/{name}/{session}"
