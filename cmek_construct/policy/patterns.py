"""Patterns of texts, and the cells into which some patterns divide all texts.

All patterns of a question and the texts that can be at all are one automaton; a walk through it, the shortest texts
first, finds every combination of patterns that a text can have: an atom, with an example. Sets of texts are then sets
of atoms, and everything else is arithmetic.
"""

from __future__ import annotations

import re
import string
from collections import deque
from collections.abc import Iterator, Sequence
from functools import lru_cache, reduce
from itertools import groupby
from operator import or_
from typing import Final, NamedTuple

PATH_END: Final = "\x01"
"""Stands in a role's or user's ARN between path and name."""
NAME_END: Final = "\x02"
"""Stands between an ARN and the name of the session, which may be empty."""
BETWEEN: Final = "\x1f"
"""Stands between the values of a condition key that has several."""
_MARKS: Final = PATH_END + NAME_END
_MOST_STEPS: Final = 4_000_000
_LETTER: Final = 2
"""Of so many characters at most, each is tried: a letter, capital and small."""
_SAMPLES: Final = "x" + string.ascii_lowercase + string.digits + string.ascii_uppercase + "-_./:=,@+ "


class CannotBeJudged(Exception):  # noqa: N818 - no error: a question that is too large
    """A question is too large to be answered. The message says of what there is too much."""


class Chars(NamedTuple):
    """Some characters, or all but some. Those that a person would write come first."""

    some: str
    all_but: bool = False

    @property
    def stands_for_many(self) -> bool:
        """Whether it is more, or less, than one character."""
        return self.all_but or len(self.some) != 1

    def has(self, char: str) -> bool:
        """Whether a character is one of them."""
        return (char in self.some) != self.all_but


class Token(NamedTuple):
    """One of these characters, or any number of them."""

    chars: Chars
    many: bool = False
    hole: tuple[int, str] | None = None
    """The hole that it is a part of: its place among others, and its name."""


@lru_cache(maxsize=10_000)
def one_of(chars: str) -> Chars:
    """These characters."""
    return Chars("".join(dict.fromkeys(chars)))


def all_but(chars: str) -> Chars:
    """All characters but these, and but the marks within a principal."""
    return Chars(chars + _MARKS, all_but=True)


ANY: Final = all_but("")


def star(chars: Chars) -> Token:
    """Any number of these characters."""
    return Token(chars, many=True)


class Pattern(NamedTuple):
    """Texts of one form."""

    tokens: tuple[Token, ...]
    over_paths: bool = False
    """Whether it does not see where a path ends."""

    @property
    def text(self) -> str | None:
        """The text of this form, if it is one alone."""
        if self.over_paths or any(one.many or one.chars.stands_for_many for one in self.tokens):
            return None
        return "".join(one.chars.some for one in self.tokens)

    def accepts(self, text: str) -> bool:
        """Whether a text is of this form."""
        return bool(_Automaton([self]).run(text))

    def with_holes(self, text: str) -> str:
        """A text of this form, with its holes by their names."""
        groups = [(hole, list(some)) for hole, some in groupby(self.tokens, lambda one: one.hole)]
        form = "".join(f"({''.join(map(self._expression, some))})" for _, some in groups)
        found = re.fullmatch(form, text)
        if found is None:
            return text
        parts = zip(groups, found.groups(), strict=True)
        return "".join(f"${{{hole[1]}}}" if hole else part for (hole, _), part in parts)

    def _expression(self, token: Token) -> str:
        one = f"[{'^' if token.chars.all_but else ''}{re.escape(token.chars.some)}]"
        one += f"{PATH_END}*" if self.over_paths else ""
        return f"(?:{one})*" if token.many else one


class Atom(NamedTuple):
    """Texts of which no pattern tells one from the other."""

    text: str
    """One of them, as short as can be."""
    patterns: frozenset[int]
    """The patterns that they have."""


class _Automaton:
    """Some patterns at once, side by side: a place for each of their tokens, and for each end.

    A state is an integer, with a bit for each place that a text has come to. One character moves all of them on, by one
    place or, in any number of characters, by none.
    """

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._places: dict[Chars, int] = {}
        """Those that the same characters lead on from; from an end none do."""
        self._many = self._stays = first = 0
        self._ends: dict[int, int] = {}
        bit = 1
        for number, pattern in enumerate(patterns):
            start = bit
            first |= start
            for token in pattern.tokens:
                self._places[token.chars] = self._places.get(token.chars, 0) | bit
                self._many |= bit if token.many else 0
                bit <<= 1
            self._ends[bit] = number
            bit <<= 1
            if pattern.over_paths:
                self._stays |= bit - start
        self._all_ends = sum(self._ends)
        self._classes = {one: it for one, it in self._places.items() if one.stands_for_many}
        self._leading: dict[str, int] = {}
        self.first = self._without_char(first)

    def _without_char(self, state: int) -> int:
        """With the places that are reached without a character."""
        while (further := state | (state & self._many) << 1) != state:
            state = further
        return state

    def step(self, state: int, char: str) -> int:
        """Where one character leads to."""
        if char not in self._leading:
            classes = (places for chars, places in self._classes.items() if chars.has(char))
            self._leading[char] = reduce(or_, classes, self._places.get(Chars(char), 0))
        stays = state & self._stays if char == PATH_END else 0
        moved = state & ~stays & self._leading[char]
        again = moved & self._many
        return self._without_char(stays | again | (moved ^ again) << 1)

    def run(self, text: str) -> frozenset[int]:
        """The patterns that a text is of."""
        return self.ended(reduce(self.step, text, self.first))

    def ended(self, state: int) -> frozenset[int]:
        """The patterns that a text of this state is of."""
        return frozenset(self._ends[bit] for bit in _bits(state & self._all_ends))

    def chars(self, state: int) -> list[str]:
        """Characters that stand for all that lead on from a state."""
        return _standing_for(frozenset([one for one, it in self._places.items() if it & state]))


def _bits(state: int) -> Iterator[int]:
    """The bits that are set, one by one."""
    while state:
        bit = state & -state
        yield bit
        state ^= bit


@lru_cache(maxsize=10_000)
def _standing_for(chars: frozenset[Chars]) -> list[str]:
    """Characters that stand for all of these."""
    classes = frozenset(one for one in chars if one.all_but or len(one.some) > _LETTER)
    letters = sorted(chars - classes)
    named = [one.some[0] for one in letters]
    named += [char for one in letters for char in one.some[1:]]
    others = (next((char for char in cell if char not in named), "") for cell in _cells(classes))
    return [*named, *filter(None, others)]


@lru_cache(maxsize=256)
def atoms(domain: tuple[Pattern, ...], patterns: tuple[Pattern, ...]) -> list[Atom]:
    """Every combination of patterns that a text of the domain can have.

    Raises:
        CannotBeJudged: there are too many patterns, or too long ones.
    """
    single = {text: n for n, one in enumerate(patterns) if (text := one.text) is not None}
    for one in domain:
        single.pop(one.text or "", None)
    while True:
        # A single text is its own atom, and no step of the walk, unless the walk comes upon it.
        walked = [n for n in range(len(patterns)) if n not in set(single.values())]
        walk = _Automaton([*(patterns[n] for n in walked), *domain])
        found = _walk(walk, len(walked))
        met = single.keys() & found.values()
        if not met:
            break
        for text in met:
            del single[text]
    made = [Atom(text, frozenset(walked[n] for n in ended)) for ended, text in found.items()]
    for text, number in single.items():
        ended = walk.run(text)
        if ended and max(ended) >= len(walked):
            others = {walked[n] for n in ended if n < len(walked)}
            made.append(Atom(text, frozenset({number, *others})))
    return made


def _walk(walk: _Automaton, patterns: int) -> dict[frozenset[int], str]:
    """The shortest text for each combination of so many patterns, of which more are the domain."""
    found: dict[frozenset[int], str] = {}
    seen = {walk.first}
    queue = deque([(walk.first, "")])
    steps = 0
    while queue:
        if steps > _MOST_STEPS:
            raise CannotBeJudged("too many patterns, or too long ones")
        state, text = queue.popleft()
        ended = walk.ended(state)
        if ended and max(ended) >= patterns:
            found.setdefault(frozenset(n for n in ended if n < patterns), text)
        for char in walk.chars(state):
            steps += state.bit_count()
            following = walk.step(state, char)
            if following not in seen:
                seen.add(following)
                queue.append((following, text + char))
    return found


@lru_cache(maxsize=10_000)
def _cells(classes: frozenset[Chars]) -> list[str]:
    """Characters that the same classes have, together; of no class, none."""
    cells: dict[tuple[bool, ...], list[str]] = {}
    ordered = sorted(classes)
    others = {char for one in ordered for char in one.some} - set(_SAMPLES)
    for char in [*_SAMPLES, *sorted(others), *_MARKS, BETWEEN, "\u00e9"]:
        signature = tuple(one.has(char) for one in ordered)
        if any(signature):
            cells.setdefault(signature, []).append(char)
    return ["".join(cell) for cell in cells.values()]
