"""Who a request is from, and whom a policy names.

A principal is a text: its ARN, with a mark where the path ends, and another behind which a session
has its name; ``service:…``, ``federated:…`` and ``anonymous`` are texts too. A role has one name in
its account, whatever its path. Source: IAM User Guide, "AWS JSON policy elements: Principal" and
"NotPrincipal".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from cmek_construct.policy.patterns import (
    ANY,
    NAME_END,
    PATH_END,
    Pattern,
    Token,
    all_but,
    one_of,
    star,
)
from cmek_construct.policy.space import Dimension, Space
from cmek_construct.policy.statements import Policy, Principal, Statement
from cmek_construct.policy.text import (
    ACCOUNT,
    ANYTHING,
    Forms,
    Hole,
    Item,
    Items,
    Part,
    arn,
    is_plain,
    items,
    part,
    split,
    word,
    written,
)

PRINCIPAL: Final = "principal"
OWN: Final = "IAM policies of the principal's own account"
ANONYMOUS: Final = "anonymous"
SERVICE: Final = "service:"
_FEDERATED: Final = "federated:"
_DELETED: Final = re.compile(r"A(?:RO|ID|GP|NP|SI|KI|IP)A[A-Z0-9]{8,124}")
_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_IN_ARN: Final = all_but(":")
_IN_NAME: Final = all_but(":/")
_DIGITS: Final = Part((Token(one_of("0123456789")),) * 12)
_PARTITION: Final = Part((*word("aws").tokens, star(one_of("abcdefghijklmnopqrstuvwxyz-"))))
_SOME: Final = Token(ANY)
_END: Final = Part((Token(one_of(NAME_END)), star(ANY)))
_IN_SESSION: Final = Part((Token(one_of(NAME_END)), _SOME, star(ANY)))
_NO_SESSION: Final = Part((Token(one_of(NAME_END)),))
_PATH: Final = Part((star(all_but(":")), Token(one_of(PATH_END))))
_NAME: Final = Part((Token(_IN_NAME), star(_IN_NAME)))
_KINDS: Final = {"role": _IN_SESSION, "user": _NO_SESSION}


def _arn(partition: Part, service: str, account: Part, rest: Part) -> Part:
    begin = word("arn:") + partition + word(f":{service}::")
    return begin + account + word(":") + rest


def _domain() -> Iterator[Pattern]:
    for path in (
        word(f"/{PATH_END}"),
        Part((*word("/").tokens, _SOME, star(ANY), *word(f"/{PATH_END}").tokens)),
    ):
        for kind, end in _KINDS.items():
            rest = word(kind) + path + _NAME + end
            yield Pattern(_arn(_PARTITION, "iam", _DIGITS, rest).tokens)
    root = _arn(_PARTITION, "iam", _DIGITS, word("root") + _NO_SESSION)
    federated = _arn(_PARTITION, "sts", _DIGITS, word("federated-user/") + _NAME + _NO_SESSION)
    for one in (root, federated, word(ANONYMOUS)):
        yield Pattern(one.tokens)
    for kind in (SERVICE, _FEDERATED):
        yield Pattern((word(kind) + Part((_SOME, star(ANY)))).tokens)


_DOMAIN: Final = tuple(_domain())
_ARNS: Final = Pattern((word("arn:") + ANYTHING + _END).tokens, over_paths=True)
_SERVICES: Final = Pattern((word(SERVICE) + ANYTHING).tokens)


Spelled: TypeAlias = Mapping[tuple[str, str, str], list[Items]]
"""How roles and users are spelled, by what makes them one: path and case do not make two."""


def _identity(kind: str, account: Items, name: Items) -> tuple[str, str, str]:
    return kind, written(account), written(name).lower()


def spelled(principals: Iterable[str]) -> Spelled:
    """How each role and user is spelled where it is first named with its path."""
    found: dict[tuple[str, str, str], list[Items]] = {}
    for principal in principals:
        parts = split(items(principal), ":", 5)
        if len(parts) == 6 and parts[2] == tuple("iam"):
            kind, *names = split(parts[5], "/")
            if names:
                found.setdefault(_identity(written(kind), parts[4], names[-1]), names)
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

    def services(self) -> int:
        """AWS services."""
        return self.dimension.where(_SERVICES)

    def at_home(self, resource: str | None) -> int:
        """Those of the account that a role or key is of, and those of no account."""
        parts = split(items(resource or ""), ":", 5)
        if len(parts) < 6:
            return self.everybody()
        owner = part(parts[4], ACCOUNT, _IN_ARN, self.forms)
        own = self.dimension.like(self.of_account(owner.tokens), owner.flags)
        return own | (self.everybody() & ~self.has_arn())

    def everybody(self) -> int:
        """All of them."""
        return self.dimension.all

    def with_arn(self, tokens: tuple[Token, ...]) -> Pattern:
        """Those whose ``aws:PrincipalArn`` is of a form: of a session that of its role."""
        return Pattern((*tokens, *_END.tokens), over_paths=True)

    def of_account(self, tokens: tuple[Token, ...]) -> Pattern:
        """Those whose account number is of a form."""
        begin = (*word("arn:").tokens, star(_IN_ARN), *word(":").tokens, star(_IN_ARN))
        rest = (*word(":").tokens, *ANYTHING.tokens, *_END.tokens)
        return Pattern((*begin, *word("::").tokens, *tokens, *rest), over_paths=True)

    def exactly(self, principal: str) -> int:
        """The principal of a request; of a role every session; of a pattern all of that form."""
        if "*" in principal:
            parts = split(items(principal, wild=True), ":", 5)
            one = arn(parts, self.forms)
            return self.dimension.like(self.with_arn(one.tokens), one.flags)
        if principal == ANONYMOUS:
            return self._where(word(ANONYMOUS))
        if not principal.startswith("arn:"):
            return self._where(word(f"{SERVICE}{principal}"))
        found = self._named(items(principal))
        return 0 if found is None else self._where(found)

    def _where(self, one: Part) -> int:
        return self.dimension.like(Pattern(one.tokens), one.flags)

    def direct(self, principals: Iterable[Principal]) -> int:
        """Those who are named themselves."""
        return self._union(self._one(principal) for principal in principals)

    def by_account(self, principals: Iterable[Principal]) -> int:
        """Those whose whole account is named."""
        return self._union(
            self.dimension.like(self.of_account(account.tokens), account.flags)
            for account in filter(None, map(self._account, principals))
        )

    def _union(self, sets: Iterable[int]) -> int:
        found = 0
        for one in sets:
            found |= one
        return found

    def _one(self, principal: Principal) -> int:
        kind, name = principal.kind, principal.name
        if kind == "AWS" and name == "*":
            return self.everybody()
        if kind == "AWS":
            account = self._account(principal)
            if account:
                root = account + word(":root") + _NO_SESSION
                return self._where(word("arn:") + _PARTITION + word(":iam::") + root)
            if _DELETED.fullmatch(name):
                return 0
            found = self._named(items(name, wild=True))
            if found is not None:
                return self._where(found)
        elif kind in ("Service", "Federated"):
            whole = items(name, wild=True)
            if is_plain(whole):
                return self._where(word(f"{kind.lower()}:{name}"))
        return self.dimension.perhaps(f"{kind} {name} is the principal")

    def _account(self, principal: Principal) -> Part | None:
        """The number of an account that is named by its number or its root."""
        if principal.kind != "AWS":
            return None
        whole = items(principal.name)
        if _ACCOUNT.fullmatch(principal.name) or self._is_account(whole):
            return part(whole, ACCOUNT, _IN_ARN, self.forms)
        parts = split(whole, ":", 5)
        if len(parts) == 6 and parts[5] == tuple("root") and self._number(parts[4]):
            return part(parts[4], ACCOUNT, _IN_ARN, self.forms)
        return None

    def _is_account(self, whole: Items) -> bool:
        [first, *others] = whole or ("",)
        return not others and isinstance(first, Hole) and self.forms.get(first.name) == ACCOUNT

    def _number(self, whole: Items) -> bool:
        holes = len(whole) == 1 and isinstance(whole[0], Hole)
        return holes or bool(is_plain(whole) and _ACCOUNT.fullmatch("".join(map(str, whole))))

    def _named(self, whole: Items) -> Part | None:
        """A role, a user, a session or a root by its ARN; None if it is none, or has a wildcard."""
        parts = split(whole, ":", 5)
        if len(parts) != 6 or any(not isinstance(one, str | Hole) for one in whole):
            return None
        arn, partition, service, region, number, rest = parts
        if arn != tuple("arn") or region or not self._number(number) or not rest:
            return None
        begin = word("arn:") + part(partition, "partition", _IN_ARN, self.forms)
        account = part(number, ACCOUNT, _IN_ARN, self.forms)
        kind, *names = split(rest, "/")
        begin += word(":iam::") + account + word(":")
        if service == tuple("iam") and rest == tuple("root"):
            return begin + word("root") + _NO_SESSION
        if not names or not all(names):
            return None
        kind_name = written(kind)
        if service == tuple("iam") and kind_name in _KINDS:
            return begin + self._person(kind_name, number, names) + _KINDS[kind_name]
        if service == tuple("sts") and kind_name == "assumed-role" and len(names) == 2:
            session = word(NAME_END) + part(names[1], "session", ANY, self.forms)
            return begin + self._person("role", number, names[:1], any_path=True) + session
        if service == tuple("sts") and kind_name == "federated-user" and len(names) == 1:
            start = word("arn:") + part(partition, "partition", _IN_ARN, self.forms)
            user = word(":federated-user/") + part(names[0], "name", _IN_NAME, self.forms)
            return start + word(":sts::") + account + user + _NO_SESSION
        return None

    def _person(
        self, kind: str, account: Items, names: list[Items], *, any_path: bool = False
    ) -> Part:
        """A role or user with its path: as it was first spelled in this question."""
        known = self.spelled.get(_identity(kind, account, names[-1]))
        if known is None and any_path:
            return word(f"{kind}/") + _PATH + part(names[-1], "name", _IN_NAME, self.forms)
        *path, name = known or names
        slashes: list[Item] = ["/"]
        for one in path:
            slashes += [*one, "/"]
        found = word(kind) + part(tuple(slashes), "path", _IN_ARN, self.forms) + word(PATH_END)
        return found + part(name, "name", _IN_NAME, self.forms)


def who(space: Space, policy: Policy) -> Who:
    """The principals of a space, as a policy knows them."""
    return Who(space.dimension(PRINCIPAL, _DOMAIN), policy.forms, space.spelled)


def spared(who: Who, statement: Statement, policy: Policy) -> int:
    """Whom ``NotPrincipal`` leaves, which is everybody but some.

    AWS wants a role or user *and* its account to be listed: one of the two alone may spare or not.
    With an Allow, and in a trust policy, AWS does not support it.
    """
    listed = statement.not_principals or ()
    direct, accounts = who.direct(listed), who.by_account(listed)
    roots = who.direct([one for one in listed if who._account(one)])
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


def name_of(text: str, flags: frozenset[str]) -> str:
    """A principal of a space for a person: a hole by its name."""
    if text.startswith(SERVICE):
        return text.removeprefix(SERVICE)
    arn, _, session = text.partition(NAME_END)
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return text
    for flag in sorted(flags):
        what, _, value = flag.partition(" is ")
        if what == ACCOUNT:
            parts[4] = value
        elif what == "name":
            parts[5] = f"{parts[5].partition(PATH_END)[0]}{PATH_END}{value}"
    if session not in ("", "x"):
        name = parts[5].partition(PATH_END)[2]
        return f"arn:{parts[1]}:sts::{parts[4]}:assumed-role/{name}/{session}"
    return ":".join(parts).replace(PATH_END, "")
