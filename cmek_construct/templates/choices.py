"""Cases: a value that may be one of a few is tried with each of them.

What is worked out asks for a choice when it comes to one, and is worked out anew for each value, so that only what it
hangs on makes cases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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
YES: Final = "\x00yes"
NO: Final = "\x00no"
_ALL, _NONE = "all", "none"
T = TypeVar("T")
Choices: TypeAlias = Mapping[str, str]
"""What was chosen, by name."""


class Undecided(Exception):  # noqa: N818 - no error: a question on the way
    """A choice must be made first."""

    def __init__(self, name: str, values: tuple[str, ...], kind: str) -> None:
        """Ask.

        Args:
            name: of what is chosen, such as a parameter or a condition.
            values: that it may have.
            kind: `MEMBER`, or ``value`` where a hole may stand for all of them.
        """
        super().__init__(name)
        self.name = name
        self.values = values
        self.kind = kind


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
        others = other.choices
        return all(others.get(name, value) == value for name, value in self.choices.items())

    @property
    def is_by_default(self) -> bool:
        """Whether a value that nobody types is its default, not a hole."""
        choices = self.choices.items()
        return any(value == YES and self.asked.get(name) == "value" for name, value in choices)

    def told(self, called: Callable[[str], str]) -> Choices:
        """What was chosen, and which members of lists are there.

        Args:
            called: what a name is called.
        """
        found = {
            called(name): value
            for name, value in self.choices.items()
            if value not in (YES, NO) or self.asked.get(name) != "value"
        }
        for name, kind in self.asked.items() if self.members else ():
            if kind == MEMBER:
                found[called(name)] = YES if self.members in (_ALL, name) else NO
        return found

    def words(self) -> str:
        """The case for a person; empty if it is the only one."""
        found = [_in_words(name, value) for name, value in sorted(self.choices.items())]
        return ", ".join([*found, *([f"of members {self.members}"] if self.members else [])])

    def decided(self, name: str, values: tuple[str, ...], kind: str = "") -> str:
        """The value that was chosen.

        Raises:
            Undecided: none was.
        """
        if name in self.choices:
            return self.choices[name]
        self.asked.setdefault(name, kind)
        if kind == MEMBER and self.members is not None:
            return YES if self.members in (_ALL, name) else NO
        if kind == "value" and self.holes:
            return OTHER
        raise Undecided(name, values, kind)


def _in_words(name: str, value: str) -> str:
    if value in (YES, NO):
        return name if value == YES else f"not {name}"
    return f"{name} {OTHER_VALUE}" if value == OTHER else f"{name} is {value!r}"


@dataclass(frozen=True)
class InCase(Generic[T]):
    """What something is in one case."""

    case: Case
    value: T


def where(some: Sequence[Choices], every: Sequence[Choices]) -> str | None:
    """In which of all cases something is, in words for a person; None if in all of them.

    Args:
        some: the choices of the cases in which it is.
        every: those of all cases.
    """
    if len(some) == len(every):
        return None
    shared = {name: one for name, one in some[0].items() if _all_have(some, name, one)}
    together = _fewest(shared, every, len(some))
    if together is not None:
        return _listed(together)
    return "; or ".join(
        _listed({name: one for name, one in case.items() if not _all_have(every, name, one)}) for case in some
    )


def _all_have(cases: Sequence[Choices], name: str, value: str) -> bool:
    return all(case.get(name) == value for case in cases)


def _fewest(choices: Choices, every: Sequence[Choices], count: int) -> Choices | None:
    """Of choices those that tell as many cases as there are from all others; None if none do."""

    def told(some: Choices) -> int:
        return sum(all(case.get(n) == v for n, v in some.items()) for case in every)

    found = dict(choices)
    if told(found) != count:
        return None
    for name in choices:
        less = {other: value for other, value in found.items() if other != name}
        found = less if told(less) == count else found
    return found


def _listed(choices: Choices) -> str:
    return ", ".join(_in_words(name, value) for name, value in sorted(choices.items()))


def each_case(work: Callable[[Case], T]) -> list[InCase[T]]:
    """What comes out in each case that can be.

    Where there are too many, values that may be one of a few become holes, and members of lists that may be there or
    not are judged one by one: all of them, none, and each alone.

    Args:
        work: works it out; it asks `Case.decided` on the way.

    Raises:
        TooManyCases: it hangs on too many conditions.
    """
    asked: dict[str, str] = {}
    for holes in (False, True):
        found = _tried(work, Case(holes=holes, asked=asked), MOST)
        if found is not None:
            return found
    for member in (_ALL, _NONE):
        _tried(work, Case(members=member, holes=True, asked=asked), MOST)
    members = [name for name, kind in asked.items() if kind == MEMBER]
    every: list[InCase[T]] = []
    for member in (_ALL, _NONE, *members):
        start = Case(members=member, holes=True, asked=asked)
        found = _tried(work, start, 4 * MOST - len(every))
        if found is None or not members:
            raise TooManyCases(", ".join(sorted(asked)[:MOST]))
        every += found
    return every


def _tried(work: Callable[[Case], T], start: Case, most: int) -> list[InCase[T]] | None:
    """Every case from one on; None if there are too many."""
    found: list[InCase[T]] = []
    left = [start]
    while left:
        case = left.pop()
        try:
            found.append(InCase(case, work(case)))
        except Undecided as question:
            left += _each(case, question)
        except Impossible:
            continue
        if len(found) + len(left) > most:
            return None
    return found


def _each(case: Case, question: Undecided) -> Iterator[Case]:
    for value in reversed(question.values):
        choices = {**case.choices, question.name: value}
        yield replace(case, choices=choices)
