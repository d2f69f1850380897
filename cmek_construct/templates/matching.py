"""Whether a text names a role: as it is written, or as a name that the role may turn out to have.

A literal that may be the role's name is the role. A reference that is not known is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Generic, NamedTuple, TypeVar

from cmek_construct.policy import literal
from cmek_construct.policy.names import may_be_one
from cmek_construct.policy.text import glob
from cmek_construct.templates.choices import NO, OTHER, YES, Case, InCase
from cmek_construct.templates.texts import hole, holes, is_known, parts

LONGEST_ARN: Final = 2_048
"""Characters of an ARN; what is longer is none."""
_LONGEST_NAME: Final = 64
_MOST_STARS: Final = 3
"""In a pattern that is tried together with others: each more takes a search longer."""
NOBODY: Final = "~"
"""A name that no role can have: a pattern that it is of is every role's."""
T = TypeVar("T")


class Named(NamedTuple):
    """A role by account and name; a name alone is of the account of who says it."""

    account: str
    name: str


def named(text: str, account: str) -> Named | None:
    """Whom a text names: an ARN of a role or of its session, or a name."""
    found = parts(text, ":") if len(text) <= LONGEST_ARN else []
    if len(found) == 1:
        return Named(account, text)
    kind, *names = parts(":".join(found[5:]), "/")
    if not names or found[0] != "arn" or (found[2], kind) not in (("sts", "assumed-role"), ("iam", "role")):
        return None
    return Named(found[4], names[0] if found[2] == "sts" else names[-1])


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
        self._open = [one for one in self._by_arn if not is_known("".join(one[1]))]
        globs = {self._glob(own.name) for _, own, _ in self._open}
        names = sorted({one if one.count("*") <= _MOST_STARS else "*" for one in globs})
        every = [re.escape(name).replace(r"\*", ".*").replace(r"\?", ".") for name in names]
        self._names = re.compile("|".join(every) or "(?!)", re.IGNORECASE)
        """The names of all of them together: one look, for most texts name none."""

    def by(self, text: str, account: str) -> set[tuple[str, T]]:
        """The roles that a text names, each with its ARN.

        Args:
            text: an ARN or a name, in which ``*`` and ``?`` stand for other characters.
            account: of who says it.
        """
        whom = named(text, account)
        exact = self._exact.get((whom.account, whom.name.lower())) if whom else None
        if exact is None and (text, account) not in self._seen:
            is_wild = ("*" in text or "?" in text) and len(text) <= LONGEST_ARN
            self._seen[text, account] = set(self._alike(text, account) if is_wild else self._called(whom))
        return self._seen[text, account] if exact is None else exact

    def _glob(self, text: str) -> str:
        return glob(text, self._forms)

    def _alike(self, text: str, account: str) -> Iterator[tuple[str, T]]:
        """The roles that a pattern may be about; none, if it is about every role."""
        form = self._glob(text)
        if not may_be_one(form, self._glob(f"arn:aws:iam::{account}:role/{NOBODY}")):
            yield from ((arn, one) for arn, _, one in self._by_arn if may_be_one(form, self._glob(arn)))

    def _called(self, whom: Named | None) -> Iterator[tuple[str, T]]:
        """The roles of which account or name are not known, and that may be this one."""
        if whom is None or len(whom.name) > _LONGEST_NAME + sum(map(len, holes(whom.name))):
            return
        unknown = set(holes("".join(whom)))
        for arn, own, one in self._open if self._names.fullmatch(whom.name) else ():
            pairs = zip(whom, own, strict=True)
            if unknown <= set(holes("".join(own))) and all(
                text == mine or may_be_one(text, self._glob(mine)) for text, mine in pairs
            ):
                yield arn, one


class Called(Generic[T]):
    """Finds roles and keys by their ARNs, and by names and IDs alone, as each is in one case."""

    def __init__(self, some: Mapping[T, Iterable[InCase[Any]]]) -> None:
        """Remember roles or keys in each case."""
        self._by_name: dict[str, list[tuple[T, InCase[Any]]]] = {}
        for one, cases in some.items():
            for now in cases:
                self._by_name.setdefault(_name(now.value.arn), []).append((one, now))

    def by(self, text: str, case: Case) -> T | None:
        """What a text is the ARN, the name or the ID of, where its case and that of the other can be at once."""
        for one, now in self._by_name.get(_name(text), ()):
            arn = now.value.arn
            if text == _name(arn) or (case.agrees(now.case) and _chosen(text, now.case) == _chosen(arn, case)):
                return one
        return None


def _name(arn: str) -> str:
    return parts(arn, "/")[-1]


def _chosen(text: str, case: Case) -> str:
    """A text with the values that a case chose for its holes."""
    for name, value in case.choices.items() if "${" in text else ():
        text = text if value in (YES, NO, OTHER) else text.replace(hole(name), literal(value))
    return text


def may_be_key(text: str, arn: str) -> bool:
    """Whether the ARN of a key may be that of another one: its ID is not known."""
    one, other = parts(text, ":"), parts(arn, ":")
    same = [not is_known(b) or a == b for a, b in zip(one[:5], other[:5], strict=False)]
    is_arn = is_known(text) and len(one) == len(other) == 6 and one[2] == "kms"
    return text == arn or (is_arn and all(same))
