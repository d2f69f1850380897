"""Who is asked about: everybody whom a policy names, and those who must stay outside."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cmek_construct.guide import PINECONE_REGIONS, ROLE_NAME_PREFIX
from cmek_construct.operations.reviewing.stand_ins import listed

_ASKABLE: Final = re.compile(r"arn:aws:iam::([0-9]{12}):(root|(?:role|user)/[^*?$]+)")
_ACCOUNT: Final = re.compile(r"(?:arn:aws:iam::)?([0-9]{12})(?::root)?")
_PINECONE: Final = re.compile(rf"arn:aws:iam::([0-9]{{12}}):role/{ROLE_NAME_PREFIX}(.*)")
_UNLISTED: Final = (*PINECONE_REGIONS, "sa-east-1")


@dataclass(frozen=True)
class Somebody:
    """Who asks AWS."""

    words: str
    arn: str
    own_policies: bool | None = None
    """Whether its account lets it do everything, or nothing. None: that is not known."""

    @property
    def account(self) -> str:
        """The account that it belongs to."""
        return self.arn.split(":")[4]


@dataclass(frozen=True)
class Named:
    """Somebody or something that a statement names, as it stands there."""

    kind: str
    name: str
    statement: Mapping[str, Any]

    @property
    def is_askable(self) -> bool:
        """Whether it is a role, a user, an account, or everybody."""
        known = _ASKABLE.fullmatch(self.name) or _ACCOUNT.fullmatch(self.name)
        return self.kind == "AWS" and bool(self.name == "*" or known)


def named_in(policy: Mapping[str, Any]) -> Iterator[Named]:
    """Whom the statements of a policy name."""
    for statement in policy["Statement"]:
        kinds = statement.get("Principal") if isinstance(statement, dict) else None
        kinds = kinds if isinstance(kinds, dict) else {"AWS": kinds or []}
        for kind, names in kinds.items():
            yield from (Named(kind, name, statement) for name in listed(names) if _is_text(name))


def sent_in(policy: Mapping[str, Any], key: str) -> Iterator[str]:
    """The values that conditions of a policy compare a condition key with."""
    for statement in policy["Statement"]:
        operators = statement.get("Condition") if isinstance(statement, dict) else None
        for keys in operators.values() if isinstance(operators, dict) else []:
            for name, values in keys.items() if isinstance(keys, dict) else []:
                if name.lower() == key:
                    yield from filter(_is_text, listed(values))


def pinecone_account(policies: Iterable[Mapping[str, Any]]) -> str | None:
    """The account of the first role that is named like Pinecone's."""
    for policy in policies:
        names = [one.name for one in named_in(policy)]
        for name in [*names, *sent_in(policy, "aws:principalarn")]:
            found = _PINECONE.fullmatch(name)
            if found:
                return found[1]
    return None


@dataclass(frozen=True)
class Place:
    """The accounts of a template, and the roles that it makes."""

    account: str
    pinecone: str
    stranger: str
    roles: Mapping[str, str]
    """The logical IDs of its roles for Pinecone, by their ARNs."""

    def who_may_assume(self, policy: Mapping[str, Any]) -> Iterator[Somebody]:
        """Everybody to ask about a trust policy."""
        yield from self._of_pinecone(policy)
        yield from self.named(policy, of_the_account)
        yield Somebody("another role of Pinecone's account", _role(self.pinecone, "another-role"))
        name = f"{ROLE_NAME_PREFIX}{PINECONE_REGIONS[0]}"
        yield Somebody("a stranger's role of that name", _role(self.stranger, name))
        yield from self._of_this_account()
        for arn in self.roles:
            yield Somebody("the role itself", arn)

    def who_may_use(
        self, policy: Mapping[str, Any], call: Callable[[str], str]
    ) -> Iterator[Somebody]:
        """Everybody to ask about a key policy.

        Args:
            policy: of the key.
            call: says what one who is named, and belongs to the account, is called.
        """
        named = {one.name for one in named_in(policy)}
        for arn, logical_id in self.roles.items():
            if arn in named or len(self.roles) == 1:
                yield Somebody(f"the role {logical_id}", arn)
        yield from self.named(policy, call)
        if self.roles:
            name = f"{ROLE_NAME_PREFIX}{PINECONE_REGIONS[0]}"
            yield Somebody("Pinecone, not through the role", _role(self.pinecone, name))
        yield from self._of_this_account()

    def named(self, policy: Mapping[str, Any], call: Callable[[str], str]) -> Iterator[Somebody]:
        """Who is named, beside Pinecone's roles, the account's root and the roles made here."""
        for name in dict.fromkeys(one.name for one in named_in(policy) if one.is_askable):
            whole = _ACCOUNT.fullmatch(name)
            pinecones = name.startswith(_role(self.pinecone, ROLE_NAME_PREFIX))
            if name == "*" or pinecones or name in self.roles:
                continue
            if whole and whole[1] not in (self.account, self.pinecone):
                yield Somebody(f"the root of account {whole[1]}", f"arn:aws:iam::{whole[1]}:root")
                yield Somebody(f"a role of account {whole[1]}", _role(whole[1], "another-role"))
            elif whole is None:
                yield from self._one_named(name, call)

    def _one_named(self, arn: str, call: Callable[[str], str]) -> Iterator[Somebody]:
        account, name = arn.split(":")[4], arn.partition("/")[2]
        if account == self.account:
            yield Somebody(f"{call(arn)} {name}", arn)
            return
        kind = "the role" if ":role/" in arn else "the user"
        yield Somebody(f"{kind} {name} of account {account}", arn)
        if account != self.pinecone:
            yield Somebody(f"another role of account {account}", _role(account, "another-role"))

    def _of_pinecone(self, policy: Mapping[str, Any]) -> Iterator[Somebody]:
        roles = (_PINECONE.fullmatch(one.name) for one in named_in(policy))
        regions = dict.fromkeys(one[2] for one in roles if one and one[1] == self.pinecone)
        others = [region for region in _UNLISTED if region not in regions]
        asked = dict.fromkeys(regions or others[:1], "")
        asked[others[0 if regions else 1]] = " (unnamed)" if regions else ""
        for region, note in asked.items():
            name = f"{ROLE_NAME_PREFIX}{region}"
            yield Somebody(f"Pinecone's role of {region}{note}", _role(self.pinecone, name))

    def _of_this_account(self) -> Iterator[Somebody]:
        yield Somebody("a stranger", _role(self.stranger, "anybody"))
        yield Somebody("the account's root", f"arn:aws:iam::{self.account}:root")
        admin = _role(self.account, "administrator-by-iam")
        yield Somebody("the account's admin, by IAM", admin, own_policies=True)
        other = _role(self.account, "another-role")
        yield Somebody("a role of the account, no IAM", other, own_policies=False)


def of_the_account(arn: str) -> str:
    """What a role or user of the account is called."""
    return "the account's role" if ":role/" in arn else "the account's user"


def _role(account: str, name: str) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
