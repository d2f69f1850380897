"""Who is asked about: everybody whom a policy names, and those who must stay outside.

Whom it does not name is asked as a group, which is everybody of a form but those who are named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple

from cmek_construct.guide import ROLE_NAME_PREFIX
from cmek_construct.policy import Policy, Principal, Statement
from cmek_construct.policy.principals import DELETED
from cmek_construct.templates.found import Place
from cmek_construct.templates.stacks import Stack

_NUMBER: Final = re.compile(r"[0-9]{12}|\$\{[^{}]+\}")
_HOLE: Final = re.compile(r"\$\{[^{}]*\}")
_ARN: Final = re.compile(r"arn:aws:(?:iam|sts)::((?:\$\{[^{}]*\}|[^:])*):([^/]+)(?:/(.+))?")
_PINECONES: Final = f"role/{ROLE_NAME_PREFIX}*"


class Somebody(NamedTuple):
    """Who asks AWS: one, or all of a form but some."""

    words: str
    arn: str
    """With ``*`` each whose ARN is of that form. With ``${Name}`` what only the deploy knows."""
    own_policies: bool | None = None
    """Whether its account lets it do everything, or nothing. None: that is not known."""
    but: tuple[str, ...] = ()
    is_pinecone: bool = False
    """Whether Pinecone comes in as this one: its own role, or the role that it takes on."""

    @property
    def account(self) -> str | None:
        """The account that it is of; None of who is of none."""
        return _parts(self.arn)[0] or None


class People:
    """Who is asked about one policy."""

    def __init__(
        self, policy: Policy, account: str, pinecone: str | None, people: Mapping[str, Place], stack: Stack
    ) -> None:
        """Look at a policy.

        Args:
            policy: of a role or key.
            account: that owns it.
            pinecone: Pinecone's account, where it is known.
            people: the roles and users of all templates, by their ARNs.
            stack: of the role or key.
        """
        self._stack = stack
        self._policy = policy
        self._people = people
        self._account = account
        self._pinecone = pinecone
        named = [one for statement in policy.statements for one in statement.people()]
        arns = (one.name for one in named if one.kind == "AWS" and "${!" not in one.name)
        self._names = list(dict.fromkeys(filter(_is_person, arns)))
        self._services = [one.name for one in named if one.kind == "Service"]
        accounts = [account, pinecone, *map(_account_of, named)]
        self._accounts = list(dict.fromkeys(filter(None, accounts)))

    def asked(self, roles: Iterable[str]) -> list[Somebody]:
        """Everybody to ask about it.

        Args:
            roles: the ARNs of those that Pinecone takes on: its own of a trust policy, of a key policy those for it.
        """
        own = list(dict.fromkeys(roles))
        others = [name for name in self._names if name not in own]
        if self._policy.kind == "trust":
            others.sort(key=lambda name: not self._is_pinecones(name))
            found = [*self._each(others), *self._outsiders(), *(Somebody("the role itself", one) for one in own)]
        else:
            found = [Somebody(f"the role {self._named(one)}", one, is_pinecone=True) for one in own]
            found += [*self._each(others), *self._outsiders()]
        return self._but_each_other(found)

    def _is_pinecones(self, arn: str) -> bool:
        account, _, name = _parts(arn)
        return name.startswith(ROLE_NAME_PREFIX) and account != self._account

    def _each(self, names: Iterable[str]) -> Iterator[Somebody]:
        """Who is named; by a pattern of accounts for each account, and for all others together."""
        for name in names:
            account = _parts(name)[0]
            arns = [name]
            if is_wild(account):
                begin, end = name.split(account, 1)
                each = (f"{begin}{one}{end}" for one in self._accounts)
                arns = [*(arn for arn in each if covers(name, arn)), name]
            for arn in arns:
                is_pinecone = self._policy.kind == "trust" and self._is_pinecones(arn)
                yield Somebody(self._words(arn), arn, is_pinecone=is_pinecone)

    def _words(self, arn: str) -> str:
        account, kind, name = _parts(arn)
        if account == self._pinecone and self._is_pinecones(arn) and not is_wild(name):
            return f"Pinecone's role of {name.removeprefix(ROLE_NAME_PREFIX)}"
        what = f"every {kind} {name}" if is_wild(name) else f"the {kind} {name}"
        if account == self._account:
            return f"{what} of the account" if is_wild(name) else f"the account's {kind} {self._named(arn, name)}"
        return f"{what} of {'any other account' if is_wild(account) else f'account {account}'}"

    def _named(self, arn: str, name: str = "") -> str:
        place = self._people.get(arn)
        return place.seen_from(self._stack) if place else name or arn

    def _outsiders(self) -> Iterator[Somebody]:
        for number in dict.fromkeys(filter(None, [self._pinecone, *self._accounts[1:]])):
            begin = f"arn:aws:iam::{number}"
            is_pinecones = number == self._pinecone
            if is_pinecones and self._policy.kind == "trust" and f"{begin}:{_PINECONES}" not in self._names:
                yield Somebody("Pinecone's role of another region", f"{begin}:{_PINECONES}")
            whose = "Pinecone's account" if is_pinecones else f"account {number}"
            yield Somebody(f"the root of {whose}", f"{begin}:root")
            yield Somebody(f"anybody else of {whose}", f"{begin}:*")
        if f"arn:aws:iam::*:{_PINECONES}" not in self._names:
            yield Somebody("a stranger's role of such a name", f"arn:aws:iam::*:{_PINECONES}")
        yield Somebody("a stranger", "arn:aws:iam::*:*")
        if any(map(_is_open, self._policy.statements)):
            yield Somebody("who is not signed in", "anonymous")
            yield Somebody("an AWS service", "any.amazonaws.com")
        for name in dict.fromkeys(self._services):
            if not is_wild(name) and "${" not in name:
                yield Somebody(f"the service {name}", name)
        yield Somebody("the account's root", f"arn:aws:iam::{self._account}:root")
        for is_let, words in ((True, "by IAM"), (False, "no IAM")):
            yield Somebody(f"the account's others, {words}", f"arn:aws:iam::{self._account}:*", own_policies=is_let)

    def _but_each_other(self, found: Sequence[Somebody]) -> list[Somebody]:
        """Of a group those are not meant who are asked by themselves."""
        by_account: dict[str, dict[str, None]] = {}
        for one in found:
            if one.account is not None:
                by_account.setdefault(one.account, {})[one.arn] = None
        wild = [arn for account, arns in by_account.items() if is_wild(account) for arn in arns]
        made = []
        for one in dict.fromkeys(found):
            account = one.account
            if account is None:
                made.append(one)
                continue
            others = [*by_account[account], *wild] if is_wild(one.arn) else []
            but = [arn for arn in others if arn != one.arn and covers(one.arn, arn)]
            for other in self._accounts:  # a number is not taken for those that are named beside it
                if account != other and (is_wild(account) or "${" in account + other):
                    but.append(f"arn:aws:iam::{other}:*")
            made.append(one._replace(but=tuple(dict.fromkeys(but))))
        return made


def not_asked(policy: Policy) -> Iterator[tuple[Statement, str, str | None]]:
    """Whom a policy lets in and who is nobody to ask about, in words, and what is not known."""
    for statement in policy.statements:
        for one in statement.principals or () if statement.effect != "Deny" else ():
            words = f"{one.kind} {one.name}"
            if one.kind == "AWS" and DELETED.fullmatch(one.name):
                yield statement, f"{one.name}, which is deleted", None
            elif not _is_asked(one):
                yield statement, words, f"{words} is not known here"


def _is_asked(one: Principal) -> bool:
    if one.kind == "Service":
        return not is_wild(one.name) and "${" not in one.name
    found = _ARN.fullmatch(one.name)
    account = _account_of(one) is not None and (found is None or found[2] == "root")
    return one.kind == "AWS" and (one.name == "*" or account or _is_person(one.name))


def _is_open(statement: Statement) -> bool:
    """Whether others than those of an account may be let in."""
    everybody = statement.principals is None or Principal("AWS", "*") in statement.principals
    return statement.effect != "Deny" and everybody


def _account_of(one: Principal) -> str | None:
    """The account that is named, or that somebody who is named is of."""
    if one.kind != "AWS" or "${!" in one.name:
        return None
    found = _ARN.fullmatch(one.name)
    number = found[1] if found else one.name
    return number if _NUMBER.fullmatch(number) and (found or number.isdigit()) else None


def _is_person(arn: str) -> bool:
    found = _ARN.fullmatch(arn)
    return found is not None and found[2] in ("role", "user", "assumed-role", "federated-user") and bool(found[3])


@cache
def _parts(arn: str) -> tuple[str, str, str]:
    """Account, kind, and path and name."""
    found = _ARN.fullmatch(arn)
    return (found[1], found[2], found[3] or "") if found else ("", "", arn)


@cache
def is_wild(text: str) -> bool:
    """Whether it has wildcards."""
    return re.search("[*?]", _HOLE.sub("", text)) is not None


@cache
def _form(group: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, group.split("*"))).replace(r"\?", "."))


def covers(group: str, arn: str) -> bool:
    """Whether every text of one form, such as a session of an account, is of another."""
    session = group.endswith(":*") and arn.startswith("arn:aws:sts:")
    return session or _form(group).fullmatch(arn) is not None
