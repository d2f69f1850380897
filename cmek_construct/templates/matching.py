"""Whether a text names a role: as it is written, or as a name that the role may turn out to have.

A literal that may be the role's name is the role. A reference that is not known is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Generic, NamedTuple, TypeVar

from cmek_construct.templates.texts import holes, is_known, parts

_PLACE: Final = re.compile(r"\$\{[^}]*\}")
_WILD: Final = re.compile(r"[*?]|\$\{[^}]*\}")
_LITERAL: Final = re.compile(r"[A-Za-z0-9]")


class Named(NamedTuple):
    """A role by account and name; a name alone is of the account of who says it."""

    account: str
    name: str


def named(text: str, account: str) -> Named | None:
    """Whom a text names: an ARN of a role or of its session, or a name."""
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


@dataclass(frozen=True)
class Identity:
    """One role, in one case."""

    account: str
    name: str


class Roles(Generic[T]):
    """Finds roles by texts; each text is looked up once."""

    def __init__(self, roles: Mapping[Identity, frozenset[T]], forms: Mapping[str, str]) -> None:
        """Remember roles.

        Args:
            roles: what they are, by identity.
            forms: what is known of holes.
        """
        self._roles = roles
        self._exact = {(one.account, one.name.lower()): it for one, it in roles.items()}
        self._forms = forms
        self._seen: dict[tuple[Named, bool], frozenset[T]] = {}

    def by(self, text: str, account: str, *, wild: bool = False) -> frozenset[T]:
        """The roles that a text names.

        Args:
            text: an ARN, or a name.
            account: of who says it.
            wild: whether ``*`` and ``?`` stand for other characters.
        """
        whom = named(text, account)
        if whom is None:
            return frozenset()
        exact = self._exact.get((whom.account, whom.name.lower()))
        if exact is not None:
            return exact
        wild = wild and ("*" in text or "?" in text)
        if (whom, wild) not in self._seen:
            self._seen[whom, wild] = frozenset().union(*self._search(whom, wild))
        return self._seen[whom, wild]

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], re.Pattern[str], Identity]]:
        forms = self._forms
        return [
            (_pattern(one.account, forms), _pattern(one.name, forms), one) for one in self._roles
        ]

    @cached_property
    def _any(self) -> re.Pattern[str]:
        """The names of all of them together: one look, for most texts name none."""
        names = {name.pattern for _, name, _ in self._patterns}
        return re.compile("|".join(sorted(names)) or "(?!)", re.IGNORECASE)

    def _search(self, whom: Named, wild: bool) -> Iterable[frozenset[T]]:
        if wild and not _LITERAL.search(_PLACE.sub("", whom.name)):
            return
        if not wild and not self._any.fullmatch(whom.name):
            return
        unknown = frozenset(holes(whom.account + whom.name))
        own_account = _glob(whom.account)
        for account, name, one in self._patterns:
            in_account = account.fullmatch(whom.account) or own_account.fullmatch(one.account)
            if not in_account:
                continue
            known = wild or unknown <= frozenset(holes(one.account + one.name))
            if known and (_may_meet(whom.name, one.name) if wild else name.fullmatch(whom.name)):
                yield self._roles[one]


def _pattern(text: str, forms: Mapping[str, str]) -> re.Pattern[str]:
    """What a text may turn out to be: a hole is itself, or any text of its form."""
    found = ""
    end = 0
    for place in _PLACE.finditer(text):
        found += re.escape(text[end : place.start()])
        form = forms.get(place[0][2:-1], "*")
        any_of = "[0-9]{12}" if form == "account" else _as_regex(form)
        found += f"(?:{re.escape(place[0])}|{any_of})"
        end = place.end()
    return re.compile(found + re.escape(text[end:]), re.IGNORECASE)


def _as_regex(glob: str) -> str:
    return re.escape(glob).replace(r"\*", "[^:/${]*").replace(r"\?", "[^:/${]")


def _glob(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."))


def _may_meet(pattern: str, name: str) -> bool:
    """Whether a pattern may match a name that has holes, by how both begin and end."""
    if is_known(name):
        return _glob(pattern).fullmatch(name) is not None
    begin, *_, end = _WILD.split(pattern) * 2
    starts, *_, ends = _PLACE.split(name) * 2
    return _agree(begin, starts) and _agree(end[::-1], ends[::-1])


def _agree(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)
