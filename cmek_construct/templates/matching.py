"""Whether a text names a role: as it is written, or as a name that the role may turn out to have.

A literal that may be the role's name is the role. A reference that is not known is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final, Generic, NamedTuple, TypeVar

from cmek_construct.policy import ACCOUNT
from cmek_construct.templates.texts import between, holes, is_known, parts, places

_LONGEST: Final = 2_048
_LONGEST_NAME: Final = 64
_MOST_STARS: Final = 3
"""In a pattern that is tried together with others: each more takes a search longer."""
_WILD: Final = re.compile(r"[*?]|\x00")
_LITERAL: Final = re.compile(r"[A-Za-z0-9]")


class Named(NamedTuple):
    """A role by account and name; a name alone is of the account of who says it."""

    account: str
    name: str


def named(text: str, account: str) -> Named | None:
    """Whom a text names: an ARN of a role or of its session, or a name."""
    if len(text) > _LONGEST:
        return None
    found = parts(text, ":")
    if len(found) == 1:
        return Named(account, text)
    if len(found) < 6 or found[0] != "arn":
        return None
    kind, *names = parts(":".join(found[5:]), "/")
    if not names:
        return None
    if found[2] == "sts" and kind == "assumed-role":
        return Named(found[4], names[0])
    return Named(found[4], names[-1]) if found[2] == "iam" and kind == "role" else None


T = TypeVar("T")


class Roles(Generic[T]):
    """Finds roles by texts; each text is looked up once."""

    def __init__(
        self,
        roles: Mapping[Named, frozenset[T]],
        forms: Mapping[str, str],
        ids: Mapping[str, frozenset[T]],
    ) -> None:
        """Remember roles.

        Args:
            roles: what they are, by identity.
            forms: what is known of holes.
            ids: what they are, by the ID with which AWS begins the names of their sessions.
        """
        self._roles = roles
        self._ids = ids
        self._exact = {(one.account, one.name.lower()): it for one, it in roles.items()}
        self._forms = forms
        self._seen: dict[tuple[Named, bool], frozenset[T]] = {}

    def by(self, text: str, account: str, *, wild: bool = False) -> frozenset[T]:
        """The roles that a text names.

        Args:
            text: an ARN, a name, or what ``aws:userid`` is.
            account: of who says it.
            wild: whether ``*`` and ``?`` stand for other characters.
        """
        whom = named(text, account)
        of_id = self._ids.get(parts(text, ":")[0])
        if whom is None or of_id:
            return of_id or frozenset()
        exact = self._exact.get((whom.account, whom.name.lower()))
        if exact is not None:
            return exact
        wild = wild and ("*" in text or "?" in text)
        if (whom, wild) not in self._seen:
            self._seen[whom, wild] = frozenset().union(*self._search(whom, wild))
        return self._seen[whom, wild]

    @cached_property
    def _globs(self) -> list[tuple[str, str, Named]]:
        forms = self._forms
        return [(_glob(one.account, forms), _glob(one.name, forms), one) for one in self._roles]

    @cached_property
    def _any(self) -> re.Pattern[str]:
        """The names of all of them together: one look, for most texts name none."""
        names = {name if name.count("*") <= _MOST_STARS else "*" for _, name, _ in self._globs}
        every = (re.escape(name).replace(r"\*", ".*").replace(r"\?", ".") for name in sorted(names))
        return re.compile("|".join(every) or "(?!)")

    def _search(self, whom: Named, wild: bool) -> Iterable[frozenset[T]]:
        name = whom.name.lower()
        unknown = frozenset(holes(whom.account + whom.name))
        if wild and not _LITERAL.search("".join(between(name))):
            return
        if not wild and (
            len("".join(between(name))) > _LONGEST_NAME or not self._any.fullmatch(name)
        ):
            return
        for own_account, own_name, one in self._globs:
            if not _is_account(whom.account, own_account, one.account, wild):
                continue
            known = wild or unknown <= frozenset(holes(one.account + one.name))
            if known and (_may_meet(name, one.name.lower()) if wild else matches(name, own_name)):
                yield self._roles[one]


def _is_account(text: str, glob: str, own: str, wild: bool) -> bool:
    return text == own or matches(text, glob) or (wild and matches(own, text))


def _glob(text: str, forms: Mapping[str, str]) -> str:
    """What a text may turn out to be, in small letters: a hole is any text of its form."""
    found, *others = between(text)
    for place, more in zip(places(text), others, strict=True):
        form = forms.get(place[1], "*")
        found += place[0] if place[1].startswith("!") else "?" * 12 if form == ACCOUNT else form
        found += more
    return found.lower()


def matches(text: str, glob: str) -> bool:
    """Whether a text is of a form with ``*`` and ``?``; in time that grows with both alone."""
    at = in_glob = 0
    star = back = -1
    while at < len(text):
        if in_glob < len(glob) and glob[in_glob] == "*":
            star, back = in_glob, at
            in_glob += 1
        elif in_glob < len(glob) and glob[in_glob] in ("?", text[at]):
            at, in_glob = at + 1, in_glob + 1
        elif star < 0:
            return False
        else:
            back += 1
            at, in_glob = back, star + 1
    return not glob[in_glob:].strip("*")


def _may_meet(pattern: str, name: str) -> bool:
    """Whether a pattern may match a name that has holes, by how both begin and end."""
    if is_known(name):
        return matches(name, pattern)
    begin, *_, end = _WILD.split("\x00".join(between(pattern))) * 2
    starts, *_, ends = between(name) * 2
    return _agree(begin, starts) and _agree(end[::-1], ends[::-1])


def _agree(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)
