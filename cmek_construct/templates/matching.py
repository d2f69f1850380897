"""Whether a text names a role: as it is written, or as a name that the role may turn out to have.

A literal that may be the role's name is the role. A reference that is not known is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final, Generic, NamedTuple, TypeVar

from cmek_construct.policy.names import may_be_one
from cmek_construct.policy.text import glob
from cmek_construct.templates.texts import holes, is_known, parts

_LONGEST: Final = 2_048
"""Characters of an ARN; what is longer is none."""
_LONGEST_NAME: Final = 64
_MOST_STARS: Final = 3
"""In a pattern that is tried together with others: each more takes a search longer."""
_WILD: Final = re.compile("[*?]")
NOBODY: Final = "~"
"""A name that no role can have: a pattern that it is of is every role's."""
T = TypeVar("T")


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
    kind, *names = parts(":".join(found[5:]), "/")
    if found[0] != "arn" or not names:
        return None
    if found[2] == "sts" and kind == "assumed-role":
        return Named(found[4], names[0])
    return Named(found[4], names[-1]) if found[2] == "iam" and kind == "role" else None


class Roles(Generic[T]):
    """Finds roles by texts; each text is looked up once."""

    def __init__(self, roles: Iterable[tuple[str, T]], forms: Mapping[str, str]) -> None:
        """Remember roles.

        Args:
            roles: what they are, each with an ARN that it has in some case.
            forms: what is known of holes.
        """
        self._forms = forms
        self._by_arn = [(arn, whom, one) for arn, one in roles if (whom := named(arn, ""))]
        self._exact: dict[tuple[str, str], set[tuple[str, T]]] = {}
        for arn, whom, one in self._by_arn:
            self._exact.setdefault((whom.account, whom.name.lower()), set()).add((arn, one))
        self._seen: dict[tuple[str, str], set[tuple[str, T]]] = {}

    def by(self, text: str, account: str) -> set[tuple[str, T]]:
        """The roles that a text names, each with its ARN.

        Args:
            text: an ARN or a name, in which ``*`` and ``?`` stand for other characters.
            account: of who says it.
        """
        whom = named(text, account)
        exact = self._exact.get((whom.account, whom.name.lower())) if whom else None
        if exact is None and (text, account) not in self._seen:
            is_wild = _WILD.search(text) is not None and len(text) <= _LONGEST
            found = self._alike(text, account) if is_wild else self._called(whom)
            self._seen[text, account] = set(found)
        return self._seen[text, account] if exact is None else exact

    def _glob(self, text: str) -> str:
        return glob(text, self._forms)

    def _alike(self, text: str, account: str) -> Iterator[tuple[str, T]]:
        """The roles that a pattern may be about; none, if it is about every role."""
        form = self._glob(text)
        if not may_be_one(form, self._glob(f"arn:aws:iam::{account}:role/{NOBODY}")):
            for arn, _, one in self._by_arn:
                if may_be_one(form, self._glob(arn)):
                    yield arn, one

    def _called(self, whom: Named | None) -> Iterator[tuple[str, T]]:
        """The roles of which account or name are not known, and that may be this one."""
        if whom is None or len(whom.name) > _LONGEST_NAME + sum(map(len, holes(whom.name))):
            return
        if not self._names.fullmatch(whom.name):
            return
        unknown = set(holes("".join(whom)))
        for arn, own, one in self._open:
            if unknown <= set(holes("".join(own))) and all(
                text == mine or may_be_one(text, self._glob(mine)) for text, mine in zip(whom, own, strict=True)
            ):
                yield arn, one

    @cached_property
    def _open(self) -> list[tuple[str, Named, T]]:
        return [one for one in self._by_arn if not is_known("".join(one[1]))]

    @cached_property
    def _names(self) -> re.Pattern[str]:
        """The names of all of them together: one look, for most texts name none."""
        globs = {self._glob(own.name) for _, own, _ in self._open}
        names = {one if one.count("*") <= _MOST_STARS else "*" for one in globs}
        every = (re.escape(name).replace(r"\*", ".*").replace(r"\?", ".") for name in sorted(names))
        return re.compile("|".join(every) or "(?!)", re.IGNORECASE)
