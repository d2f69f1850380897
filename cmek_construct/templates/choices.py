"""Cases: a value that may be one of a few is tried with each of them.

What is worked out asks for a choice when it comes to one, and is worked out anew for each value, so that only what it
hangs on makes cases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final, Generic, TypeAlias, TypeVar

MOST: Final = 16
"""Cases of one thing; what has more cannot be judged."""
OTHER: Final = "\x00other"
"""Something else than the values that are told."""
OTHER_VALUE: Final = "is something else"
"""The same in words."""
MEMBER: Final = "member"
"""The kind of a condition that says whether a member of a list is there."""
VALUE: Final = "value"
"""The kind of what a hole may stand for."""
YES: Final = "\x00yes"
NO: Final = "\x00no"
_ALL, _NONE = "all", "none"
T = TypeVar("T")
Choices: TypeAlias = Mapping[str, str]
"""What was chosen, by name."""


@dataclass(eq=False)
class Undecided(Exception):  # noqa: N818 - no error: a question on the way
    """A choice must be made first: of a name, such as of a parameter or a condition."""

    name: str
    values: Sequence[str]


class Impossible(Exception):  # noqa: N818 - no error: a case that is none
    """The template's own rules exclude this case."""


class TooManyCases(Exception):  # noqa: N818 - no error: what cannot be judged
    """More cases than can be judged. The message says what they hang on."""


@dataclass(frozen=True)
class Case:
    """One case: what was chosen, by name."""

    choices: Choices = field(default_factory=dict)
    members: str | None = None
    """Where members of lists are judged one by one: ``all``, ``none``, or the one that is there."""
    holes: bool = False
    """Whether holes stand for values that may be one of a few."""
    asked: dict[str, str] = field(default_factory=dict, compare=False, repr=False)
    """The kind of all that was asked in any case, by name."""

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from other cases."""
        return (tuple(sorted(self.choices.items())), self.members, self.holes)

    def agrees(self, other: Case) -> bool:
        """Whether both can be at once."""
        if self.members != other.members and None not in (self.members, other.members):
            return False
        return all(other.choices.get(name, value) == value for name, value in self.choices.items())

    @property
    def is_by_default(self) -> bool:
        """Whether a value that nobody types is its default, not a hole."""
        return any(value == YES and self.asked.get(name) == VALUE for name, value in self.choices.items())

    def told(self, called: Callable[[str], str]) -> Choices:
        """What was chosen, and which members of lists are there, by what each name is called."""
        found = {
            called(name): value
            for name, value in self.choices.items()
            if value not in (YES, NO) or self.asked.get(name) != VALUE
        }
        members = [name for name, kind in self.asked.items() if self.members and kind == MEMBER]
        return found | {called(name): YES if self.members in (_ALL, name) else NO for name in members}

    def words(self) -> str:
        """The case for a person; empty if it is the only one."""
        members = f"of members {self.members}" if self.members else ""
        return ", ".join(filter(None, (_listed(self.choices), members)))

    def decided(self, name: str, values: Sequence[str] = (YES, NO), kind: str = "") -> str:
        """The value that was chosen; of kind `VALUE` it is `OTHER` where a hole stands for all of them.

        Raises:
            Undecided: none was.
        """
        if name in self.choices:
            return self.choices[name]
        self.asked.setdefault(name, kind)
        if kind == MEMBER and self.members is not None:
            return YES if self.members in (_ALL, name) else NO
        if kind == VALUE and self.holes:
            return OTHER
        raise Undecided(name, values)


@dataclass(frozen=True)
class InCase(Generic[T]):
    """What something is in one case."""

    case: Case
    value: T


def _listed(choices: Choices) -> str:
    """Choices in words."""
    said = {YES: "{0}", NO: "not {0}", OTHER: f"{{0}} {OTHER_VALUE}"}
    return ", ".join(said.get(value, "{0} is {1!r}").format(name, value) for name, value in sorted(choices.items()))


def where(some: Sequence[Choices], every: Sequence[Choices]) -> str | None:
    """In which of all cases, each by its choices, something is, in words for a person; None if in all of them."""

    def told(choices: Choices) -> bool:
        """Whether choices tell the cases in which it is from all others."""
        return sum(choices.items() <= one.items() for one in every) == len(some)

    if len(some) == len(every):
        return None
    shared = dict(set.intersection(*(set(one.items()) for one in some)))
    common = set.intersection(*(set(one.items()) for one in every))
    if not told(shared):
        return "; or ".join(_listed(dict(one.items() - common)) for one in some)
    for name in some[0]:
        less = {other: value for other, value in shared.items() if other != name}
        shared = less if told(less) else shared
    return _listed(shared)


def each_case(work: Callable[[Case], T]) -> list[InCase[T]]:
    """What comes out in each case that can be, of what asks `Case.decided` on the way.

    Where there are too many, values that may be one of a few become holes, and members of lists that may be there or
    not are judged one by one: all of them, none, and each alone.

    Raises:
        TooManyCases: it hangs on too many conditions.
    """
    asked: dict[str, str] = {}
    for holes in (False, True):
        with suppress(TooManyCases):
            return list(outcomes(work, Case(holes=holes, asked=asked)))
    for member in (_ALL, _NONE):
        with suppress(TooManyCases):
            list(outcomes(work, Case(members=member, holes=True, asked=asked)))
    members = [name for name, kind in asked.items() if kind == MEMBER]
    if not members:
        raise TooManyCases(_named(asked))
    found: list[InCase[T]] = []
    for member in (_ALL, _NONE, *members):
        found += outcomes(work, Case(members=member, holes=True, asked=asked), 4 * MOST - len(found))
    return found


def outcomes(work: Callable[[Case], T], start: Case, most: float = MOST) -> Iterator[InCase[T]]:
    """What comes out in each case from one on, one by one; the first with the first value of each choice.

    Raises:
        TooManyCases: there are more than most.
    """
    left, done = [start], 0
    while left:
        case = left.pop()
        try:
            found = work(case)
        except Undecided as question:
            left += [replace(case, choices={**case.choices, question.name: one}) for one in reversed(question.values)]
        except Impossible:
            continue
        else:
            done += 1
            yield InCase(case, found)
        if done + len(left) > most:
            raise TooManyCases(_named(case.asked))


def _named(asked: Mapping[str, str]) -> str:
    return ", ".join(sorted(asked)[:MOST])
