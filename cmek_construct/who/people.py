"""Who is asked about: everybody whom a policy names, and those who must stay outside.

Whom it does not name is asked as a group, which is everybody of a form but those who are named.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple

from cmek_construct.guide import ROLE_NAME_PREFIX
from cmek_construct.policy import ACCOUNT, Policy, Principal
from cmek_construct.policy.statements import NUMBER
from cmek_construct.policy.text import Forms, alone, is_wild
from cmek_construct.templates.reading import by
from cmek_construct.templates.stacks import Place, Stack

_ARN: Final = re.compile(r"arn:aws:(?:iam|sts)::((?:\$\{[^{}]*\}|[^:])*):([^/]+)(?:/(.+))?")
_PINECONES: Final = f"role/{ROLE_NAME_PREFIX}*"


class Somebody(NamedTuple):
    """Who asks AWS: one, or all of a form but some."""

    words: str
    arn: str  # with ``*`` each whose ARN is of that form. With ``${Name}`` what only the deploy knows.
    but: tuple[str, ...] = ()
    own_policies: bool | None = None  # whether its account lets it do everything, or nothing. None: that is not known.
    is_pinecone: bool = False  # whether Pinecone comes in as this one: its own role, or the role that it takes on

    @property
    def account(self) -> str:
        """The account that it is of; empty of who is of none."""
        return _parts(self.arn)[0]


class People(NamedTuple):
    """Who is asked about one policy."""

    policy: Policy  # of a role or key
    pinecone: str | None  # Pinecone's account, where it is known
    arns: Mapping[str, Place]  # the roles and users of all templates, by their ARNs
    stack: Stack  # of the role or key

    def asked(self, roles: Iterable[str]) -> list[Somebody]:
        """Everybody to ask about it; the roles are those that Pinecone takes on: of a key policy those for it."""
        named = dict.fromkeys(one for statement in self.policy.statements for one in statement.people())
        numbers = (_account_of(one, self.policy.forms) for one in named)
        accounts = list(dict.fromkeys(filter(None, [self.stack.account, self.pinecone, *numbers])))
        own = dict.fromkeys(roles)
        others = [one.name for one in named if _is_person(one) and "${!" not in one.name and one.name not in own]
        outside = self._outsiders(named, accounts)
        if self.policy.kind == "trust":
            others.sort(key=lambda name: not self._is_pinecones(name))
            found = [*self._each(others, accounts), *outside, *(Somebody("the role itself", one) for one in own)]
        else:
            ours = [Somebody(f"the role {self.arns[one].seen_from(self.stack)}", one, is_pinecone=True) for one in own]
            found = [*ours, *self._each(others, accounts), *outside]
        return list(_but_each_other(dict.fromkeys(found), accounts))

    def _is_pinecones(self, arn: str) -> bool:
        account, _, name = _parts(arn)
        return name.startswith(ROLE_NAME_PREFIX) and account != self.stack.account

    def _each(self, names: Iterable[str], accounts: Sequence[str]) -> Iterator[Somebody]:
        """Who is named; by a pattern of accounts for each account, and for all others together."""
        for name in names:
            account = _parts(name)[0]
            each = [name.replace(account, one, 1) for one in accounts] if is_wild(account) else []
            for arn in (*(one for one in each if _covers(name, one)), name):
                is_pinecone = self.policy.kind == "trust" and self._is_pinecones(arn)
                yield Somebody(self._words(arn), arn, is_pinecone=is_pinecone)

    def _words(self, arn: str) -> str:
        account, kind, name = _parts(arn)
        if account == self.pinecone and self._is_pinecones(arn) and not is_wild(name):
            return f"Pinecone's role of {name.removeprefix(ROLE_NAME_PREFIX)}"
        what = f"every {kind} {name}" if is_wild(name) else f"the {kind} {name}"
        if account == self.stack.account:
            called = self.arns[arn].seen_from(self.stack) if arn in self.arns else name
            return f"{what} of the account" if is_wild(name) else f"the account's {kind} {called}"
        return f"{what} of {'any other account' if is_wild(account) else f'account {account}'}"

    def _outsiders(self, named: Collection[Principal], accounts: Sequence[str]) -> Iterator[Somebody]:
        for number in dict.fromkeys(filter(None, [self.pinecone, *accounts[1:]])):
            begin, is_pinecones = f"arn:aws:iam::{number}", number == self.pinecone
            if is_pinecones and self.policy.kind == "trust" and Principal("AWS", f"{begin}:{_PINECONES}") not in named:
                yield Somebody("Pinecone's role of another region", f"{begin}:{_PINECONES}")
            whose = "Pinecone's account" if is_pinecones else f"account {number}"
            yield Somebody(f"the root of {whose}", f"{begin}:root")
            yield Somebody(f"anybody else of {whose}", f"{begin}:*")
        if Principal("AWS", f"arn:aws:iam::*:{_PINECONES}") not in named:
            yield Somebody("a stranger's role of such a name", f"arn:aws:iam::*:{_PINECONES}")
        yield Somebody("a stranger", "arn:aws:iam::*:*")
        allowing = (one.principals for one in self.policy.statements if one.effect != "Deny")
        if any(some is None or Principal("AWS", "*") in some for some in allowing):
            yield Somebody("who is not signed in", "anonymous")
            yield Somebody("an AWS service", "any.amazonaws.com")
        for one in named:
            if one.kind == "Service" and is_asked(one, self.policy.forms):
                yield Somebody(f"the service {one.name}", one.name)
        own = f"arn:aws:iam::{self.stack.account}"
        yield Somebody("the account's root", f"{own}:root")
        for is_let, words in ((True, "by IAM"), (False, "no IAM")):
            yield Somebody(f"the account's others, {words}", f"{own}:*", own_policies=is_let)


def _but_each_other(found: Iterable[Somebody], accounts: Sequence[str]) -> Iterator[Somebody]:
    """Of a group those are not meant who are asked by themselves."""
    by_account = by(found, lambda one: one.account)
    wild = [one for account, some in by_account.items() if is_wild(account) for one in some]
    for one in found:
        account = one.account
        others = [*by_account[account], *wild] if account and is_wild(one.arn) else []
        but = [it.arn for it in others if it.arn != one.arn and _covers(one.arn, it.arn)]
        # A number is not taken for those that are named beside it.
        apart = [it for it in accounts if it != account and (is_wild(account) or "${" in account + it)]
        but += [f"arn:aws:iam::{it}:*" for it in apart if account]
        yield one._replace(but=tuple(dict.fromkeys(but)))


def is_asked(one: Principal, forms: Forms) -> bool:
    """Whether one who is named in a policy is somebody to ask about."""
    if one.kind == "Service":
        return not is_wild(one.name) and "${" not in one.name
    is_account = _account_of(one, forms) is not None and _parts(one.name)[1] in ("", "root")
    return one == Principal("AWS", "*") or is_account or _is_person(one)


def _account_of(one: Principal, forms: Forms) -> str | None:
    """The account that is named, or that somebody who is named is of."""
    number = one.name if one.name.isdigit() or forms.get(str(alone(one.name))) == ACCOUNT else _parts(one.name)[0]
    return number if one.kind == "AWS" and "${!" not in one.name and NUMBER.fullmatch(number) else None


def _is_person(one: Principal) -> bool:
    _, kind, name = _parts(one.name)
    return one.kind == "AWS" and kind in ("role", "user", "assumed-role", "federated-user") and name != ""


@cache
def _parts(arn: str) -> tuple[str, str, str]:
    """Account, kind, and path and name."""
    found = _ARN.fullmatch(arn)
    return (found[1], found[2], found[3] or "") if found else ("", "", arn)


def _covers(group: str, arn: str) -> bool:
    """Whether every text of one form, such as a session of an account, is of another."""
    is_session = group.endswith(":*") and arn.startswith("arn:aws:sts:")
    form = ".*".join(map(re.escape, group.split("*"))).replace(r"\?", ".")
    return is_session or re.fullmatch(form, arn) is not None
