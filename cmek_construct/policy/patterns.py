"""Patterns of texts, and the cells into which some patterns divide all texts.

A pattern is a regular expression of a small kind: characters, classes of them (``[ab]``, ``[^:]``), ``*`` behind a
class, and a group for each hole. All patterns of a question and the texts that can be at all are one automaton; a walk
through it, the shortest texts first, finds every combination of patterns that a text can have: an atom, with an
example. Sets of texts are then sets of atoms, and everything else is arithmetic.
"""

import re
import string
from collections import defaultdict, deque
from collections.abc import Collection, Iterable
from functools import lru_cache, reduce
from operator import or_
from typing import Final, NamedTuple

NAME_END: Final = "\x02"  # stands between an ARN and the name of the session, which may be empty
BETWEEN: Final = "\x1f"  # stands between the values of a condition key that has several
ANY: Final = f"[^{NAME_END}]"
IN_PART: Final = f"[^:{NAME_END}]"  # a character of a part of an ARN
IN_NAME: Final = f"[^:/{NAME_END}]"
ANYTHING: Final = f"{ANY}*"
SOMETHING: Final = ANY + ANYTHING
DIGITS: Final = f"[{string.digits}]" * 12  # the number of an account
_TOKEN: Final = re.compile(r"\[(?P<but>\^?)(?P<some>[^]]+)\](?P<many>\*?)|\\.|[^()\\]", re.DOTALL)
_MOST_STEPS: Final = 4_000_000
_SAMPLES: Final = "x" + string.ascii_lowercase + string.digits + string.ascii_uppercase + "-_./:=,@+ "


class CannotBeJudged(Exception):  # noqa: N818 - no error: a question that is too large
    """A question is too large to be answered. The message says of what there is too much."""


class _Chars(NamedTuple):
    """Some characters, or all but some. Those that a person would write come first."""

    some: str
    all_but: bool

    def has(self, char: str) -> bool:
        return (char in self.some) != self.all_but


@lru_cache(maxsize=20_000)
def _tokens(pattern: str) -> list[tuple[_Chars, bool]]:
    """The characters of a pattern, each with whether there may be any number of them."""
    found = _TOKEN.finditer(pattern)
    return [(_Chars(one["some"] or one[0][-1], bool(one["but"])), bool(one["many"])) for one in found]


@lru_cache(maxsize=20_000)
def exact(pattern: str) -> str | None:
    """The text of a pattern, if it is one alone."""
    tokens = _tokens(pattern)
    if any(many or chars.all_but or len(chars.some) > 1 for chars, many in tokens):
        return None
    return "".join(chars.some for chars, _ in tokens)


def fits(pattern: str, text: str) -> bool:
    return bool(_Automaton([pattern]).of(text))


class _Automaton:
    """Some patterns at once, side by side: a place for each of their tokens, and for each end.

    A state is an integer, with a bit for each place that a text has come to. One character moves all of them on, by one
    place or, in any number of characters, by none.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._places: dict[_Chars, int] = defaultdict(int)
        """Those that the same characters lead on from; from an end none do."""
        self._many = first = 0
        self._ends: dict[int, str] = {}
        bit = 1
        for pattern in patterns:
            first |= bit
            for chars, many in _tokens(pattern):
                self._places[chars] |= bit
                self._many |= bit if many else 0
                bit <<= 1
            self._ends[bit] = pattern
            bit <<= 1
        self._leading: dict[str, int] = {}
        self._first = self._without_char(first)

    def _without_char(self, state: int) -> int:
        """With the places that are reached without a character."""
        while (further := state | (state & self._many) << 1) != state:
            state = further
        return state

    def _step(self, state: int, char: str) -> int:
        """Where one character leads to."""
        if char not in self._leading:
            self._leading[char] = reduce(or_, (places for chars, places in self._places.items() if chars.has(char)), 0)
        moved = state & self._leading[char]
        again = moved & self._many
        return self._without_char(again | (moved ^ again) << 1)

    def _ended(self, state: int) -> frozenset[str]:
        """The patterns that a text of this state is of."""
        return frozenset([pattern for end, pattern in self._ends.items() if end & state])

    def of(self, text: str) -> frozenset[str]:
        """The patterns that a text is of."""
        return self._ended(reduce(self._step, text, self._first))

    def shortest(self, domain: Collection[str]) -> dict[frozenset[str], str]:
        """The shortest text for each combination of patterns of which one is of the domain."""
        found: dict[frozenset[str], str] = {}
        seen = {self._first}
        queue = deque([(self._first, "")])
        steps = 0
        while queue:
            if steps > _MOST_STEPS:
                raise CannotBeJudged("too many patterns, or too long ones")
            state, text = queue.popleft()
            ended = self._ended(state)
            if not ended.isdisjoint(domain):
                found.setdefault(ended, text)
            for char in _standing_for(frozenset([one for one, places in self._places.items() if places & state])):
                steps += state.bit_count()
                following = self._step(state, char)
                if following not in seen:
                    seen.add(following)
                    queue.append((following, text + char))
        return found


@lru_cache(maxsize=10_000)
def _standing_for(classes: frozenset[_Chars]) -> list[str]:
    """A character for each combination of classes that one can be of, the plainest one."""
    ordered = sorted(classes)
    # What is written comes first; but a name before a path.
    written = [one.some[0] for one in ordered if not one.all_but and len(one.some) <= len("aA") and one.some != "/"]
    others = sorted({char for one in ordered for char in one.some} - set(_SAMPLES))
    found: dict[tuple[bool, ...], str] = {}
    for char in [*written, *_SAMPLES, *others, NAME_END, BETWEEN, "\u00e9"]:
        found.setdefault(tuple([one.has(char) for one in ordered]), char)
    found.pop((False,) * len(ordered), None)
    return list(found.values())


@lru_cache(maxsize=256)
def atoms(domain: tuple[str, ...], patterns: tuple[str, ...]) -> list[tuple[str, frozenset[str]]]:
    """Every combination of patterns that a text can have, each with such a text as short as can be.

    Each text has one of the domain, which is among the patterns. Too many of them, or too long ones, are a
    `CannotBeJudged`.
    """
    single = {text: one for one in patterns if one not in domain and (text := exact(one)) is not None}
    while True:
        # A single text is its own atom, and no step of the walk, unless the walk comes upon it.
        alone = set(single.values())
        walk = _Automaton(one for one in patterns if one not in alone)
        made = [(text, ended) for ended, text in walk.shortest(domain).items()]
        met = single.keys() & {text for text, _ in made}
        if not met:
            break
        for text in met:
            del single[text]
    others = [(text, walk.of(text), pattern) for text, pattern in single.items()]
    return made + [(text, ended | {pattern}) for text, ended, pattern in others if not ended.isdisjoint(domain)]
