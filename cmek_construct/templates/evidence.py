"""Whom texts and policies name, and by whom a policy is known to be Pinecone's: never by the word alone.

A literal that may be the name of a role is the role. A reference that is not known is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Final

from cmek_construct.guide import ROLE_NAME_PREFIX
from cmek_construct.policy import Policy, Statement
from cmek_construct.policy.context import owner_of
from cmek_construct.policy.text import glob, holes, is_known, lower, may_be_one, parts, pieces
from cmek_construct.templates.reading import by, members
from cmek_construct.templates.stacks import ROLE, Place

if TYPE_CHECKING:
    from cmek_construct.templates.found import Now

LONGEST_ARN: Final = 2_048  # characters of an ARN; what is longer is none
_LONGEST_NAME: Final = 64
_MOST_STARS: Final = 3  # in a pattern that is tried together with others: each more takes a search longer
NOBODY: Final = "~"  # a name that no role can have: a pattern that it is of is every role's

_ACCESS: Final = re.compile(r"pine[-_?*]?cone[-_?*]*(cmek|cmk)[-_?*]*acc", re.IGNORECASE)
"""What calls itself one of the roles that Pinecone comes with, or comes near it."""
LOOK_ALIKE: Final = re.compile(r"pine[-_]?cone[^:\"]*(cmek|cmk)", re.IGNORECASE)  # nearly the name of Pinecone's role
_EXAMPLE: Final = "pinecone_cmek_access_us-east-1"
_FEWEST_LETTERS: Final = 4
_GUIDE_SID: Final = "allowpineconetoassumeintorole"
_USE_SIDS: Final = ("Allow use of the key", "Allow attachment of persistent resources")
_ORGANIZATION: Final = re.compile(r"o-[a-z0-9]{10,32}(/[a-z0-9/*-]*)?")
_ORGANIZATIONS: Final = ("aws:principalorgid", "aws:principalorgpaths", "aws:resourceorgid", "aws:resourceorgpaths")
_OF_PINECONE: Final = re.compile(rf":role/.*{ROLE_NAME_PREFIX}")
_ACCOUNT: Final = re.compile(r"[0-9]{12}|\$\{[^{}!?][^{}]*\}")


def _named(text: str, account: str) -> tuple[str, str] | None:
    """Whom a text of an account names, by account and name: by an ARN of a role or of its session, or a name alone."""
    found = parts(text, ":") if len(text) <= LONGEST_ARN else []
    if len(found) == 1:
        return account, text
    kind, *names = parts(":".join(found[5:]), "/")
    if not names or found[0] != "arn" or (found[2], kind) not in (("sts", "assumed-role"), ("iam", "role")):
        return None
    return found[4], names[0] if found[2] == "sts" else names[-1]


class Roles:
    """Finds roles by texts; each text is looked up once."""

    def __init__(self, roles: Iterable[tuple[str, Place]], forms: Mapping[str, str]) -> None:
        """Remember roles, each with an ARN that it has in some case, and what is known of holes."""
        self._forms = forms
        self._every = [(arn, whom, place) for arn, place in roles if (whom := _named(arn, ""))]
        self._open = [one for one in self._every if not is_known("".join(one[1]))]
        self._exact = by(self._every, lambda one: tuple(map(lower, one[1])))
        globs = {glob(name, forms) for _, (_, name), _ in self._open}
        names = sorted({one if one.count("*") <= _MOST_STARS else "*" for one in globs})
        every = [re.escape(name).replace(r"\*", ".*").replace(r"\?", ".") for name in names]
        # The names of all of them together: one look, for most texts name none.
        self._names = re.compile("|".join(every) or "(?!)", re.IGNORECASE)
        self.by = cache(self._by)

    def _by(self, text: str, account: str) -> set[tuple[str, Place]]:
        """The roles, each with its ARN, that somebody of an account names by an ARN or a name, or a pattern of them.

        A pattern that is about every role is about none; a role of which account or name are not known may be the one.
        """
        whom = _named(text, account)
        if whom and (exact := self._exact.get(tuple(map(lower, whom)))):
            return {(arn, place) for arn, _, place in exact}
        if ("*" in text or "?" in text) and len(text) <= LONGEST_ARN:
            form = glob(text, self._forms)
            if may_be_one(form, glob(f"arn:aws:iam::{account}:role/{NOBODY}", self._forms)):
                return set()
            return {(arn, place) for arn, _, place in self._every if may_be_one(form, glob(arn, self._forms))}
        if whom is None or len(whom[1]) > _LONGEST_NAME + sum(map(len, holes(whom[1]))):
            return set()
        unknown = set(holes("".join(whom)))
        return {
            (arn, place)
            for arn, own, place in (self._open if self._names.fullmatch(whom[1]) else ())
            if unknown <= set(holes("".join(own)))
            and all(a == b or may_be_one(a, glob(b, self._forms)) for a, b in zip(whom, own, strict=True))
        }


def allowing(policy: Policy) -> Iterator[Statement]:
    """The statements that are no denials; one whose effect cannot be read may be either."""
    return (one for one in policy.statements if one.effect != "Deny")


def names_in(statement: Statement) -> Iterator[str]:
    """The texts that name AWS principals in a statement."""
    return (one.name for one in statement.people() if one.kind == "AWS")


def let_in(policy: Policy) -> Iterator[str]:
    """The texts that name AWS principals in what is no denial."""
    return (text for one in allowing(policy) for text in names_in(one))


def is_pinecones(now: Now, vendors: Collection[str]) -> bool:
    """Whether a role or key lets in who calls itself Pinecone's role, or comes near it.

    So is a role with the Sid of Pinecone's guide, and a key that lets in the role of a declared vendor.
    """
    names = list(let_in(now.policy))
    is_unread = any(one.unreadable for one in allowing(now.policy))
    if is_unread and _ACCESS.search(json.dumps(now.place.properties, default=str)):
        return True
    has_sid = now.place.type == ROLE and any(_GUIDE_SID in _sid(one).lower() for one in now.policy.statements)
    is_vendors = now.place.type != ROLE and any(one in vendors for one in names)
    return has_sid or is_vendors or any(is_like_pinecone(text, now.account) for text in names)


def _sid(statement: Statement) -> str:
    return str(members(statement.raw).get("Sid", ""))


def is_like_pinecone(text: str, account: str) -> bool:
    """Whether a principal calls itself one of Pinecone's roles, or comes near it."""
    bare = "".join(before for before, _ in pieces(text[:LONGEST_ARN]))
    if _ACCESS.search(bare):
        return True
    whom = _named(text, account)
    if whom is None:
        return False
    some = [before for before, _ in pieces(whom[1])]
    if sum(map(str.isalpha, "".join(some))) >= _FEWEST_LETTERS and may_be_one(_EXAMPLE, "*".join(some)):
        return True
    return whom[0] != account and is_known(account) and bool(LOOK_ALIKE.search(bare))


def key_users(policy: Policy) -> Iterator[str]:
    """Those whom a key policy lets in under the Sids of the console's key users."""
    return (text for one in allowing(policy) if _sid(one).startswith(_USE_SIDS) for text in names_in(one))


def is_open_to_others(role: Now) -> bool:
    """Whether the trust policy of a role may let in somebody beyond its account and AWS services."""
    return any(
        one.unreadable
        or one.not_principals is not None
        or any(each.kind == "AWS" and account_of(each.name) != role.account for each in one.principals or ())
        for one in allowing(role.policy)
    )


def pinecones_accounts(policy: Policy) -> list[str]:
    """The accounts that a policy takes for Pinecone's: of roles that are named like Pinecone's.

    Where these are of any account, it is what else the statement names.
    """
    found: list[str] = []
    for statement in allowing(policy):
        names = list(names_in(statement))
        like = [text for text in names if _OF_PINECONE.search(text)]
        accounts = list(filter(_ACCOUNT.fullmatch, map(account_of, like)))
        found += accounts or filter(_ACCOUNT.fullmatch, map(account_of, names if like else ()))
    return list(dict.fromkeys(found))


def account_of(text: str) -> str:
    """The account in an ARN; a text that has none, itself."""
    return owner_of(text) or text


def organizations(*statements: Statement) -> list[str]:
    """The organizations whose members the denials among statements spare."""
    conditions = (each for one in statements if one.effect == "Deny" for each in one.on(*_ORGANIZATIONS))
    found = (one.values for one in conditions if "Not" in one.operator)
    return [value for values in found if all(map(_ORGANIZATION.fullmatch, values)) for value in values]
