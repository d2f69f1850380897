"""Boxes, accounts and arrows, each in its place; `drawing.svg.j2` draws them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

LINE: Final = 18
_STRONG_CHARACTER: Final = 7.7
_CHARACTER: Final = 6.7

Point = tuple[int, int]


def wrapped(texts: Iterable[str], width: int, most: int = 4) -> list[str]:
    """Lines of a box, the first text strong. What does not fit in is said to be below.

    Args:
        texts: what stands in the box.
        width: of the box.
        most: lines of one text.
    """
    lines: list[str] = []
    for index, text in enumerate(texts):
        each = (width - 24) / (_CHARACTER if index else _STRONG_CHARACTER)
        some = textwrap.wrap(text, int(each), break_on_hyphens=False)
        lines += some if len(some) <= most else [*some[: most - 1], "… (whole below)"]
    return lines


@dataclass(frozen=True)
class Box:
    """A box with lines of text, the first one strong."""

    x: int
    y: int
    width: int
    lines: Sequence[str]
    kind: str = "plain"
    """``plain``, ``role``, ``key``, ``door``, ``differs`` or ``wrong``; or ``account``, in which
    others stand."""
    inside: int = 0
    """The height of what stands in it."""

    @property
    def height(self) -> int:
        """By its lines."""
        return self.inside or len(self.lines) * LINE + 14

    @property
    def bottom(self) -> int:
        """Where it ends."""
        return self.y + self.height

    def side(self, where: str, along: float = 0.5) -> Point:
        """A point on its edge: ``left`` or ``right``, and how far along."""
        return self.x + self.width * (where == "right"), self.y + round(self.height * along)


@dataclass(frozen=True)
class Arrow:
    """A line through points, with its tip at the last."""

    points: Sequence[Point]
    number: int = 0
    """Of the sentence that says it."""
    label: Sequence[str] = ()
    at: Point = (0, 0)
    """Where the label stands."""
    cut: bool = False
    kind: str = "plain"

    @property
    def middle(self) -> Point:
        """Of its last part, where the number stands."""
        (a, b), (x, y) = self.points[-2:]
        return (a + x) // 2, (b + y) // 2

    @property
    def tip(self) -> list[Point]:
        """The corners of its tip."""
        (a, b), (x, y) = self.points[-2:]
        along, across = (9 * ((x > a) - (x < a)), 9 * ((y > b) - (y < b)))
        left = (x - along + across // 2, y - across + along // 2)
        return [(x, y), left, (x - along - across // 2, y - across - along // 2)]


@dataclass(frozen=True)
class Drawing:
    """What is drawn, and the same in sentences."""

    title: str
    width: int
    boxes: Sequence[Box]
    arrows: Sequence[Arrow]
    sentences: Sequence[str] = ()
    """Of the arrows, by their numbers; in a file they stand under the drawing."""
    said: Sequence[str] = ()
    """For whoever does not see it, beside those."""

    @property
    def height(self) -> int:
        """Without the sentences."""
        return max(box.bottom for box in self.boxes) + 10

    @property
    def legend(self) -> Iterator[tuple[int, int, list[str]]]:
        """The sentences under the drawing: number, height of the first line, lines."""
        y = self.height + LINE
        for number, sentence in enumerate(self.sentences, 1):
            lines = textwrap.wrap(sentence, int((self.width - 50) / _CHARACTER))
            yield number, y, lines
            y += len(lines) * LINE + 6

    @property
    def height_with_legend(self) -> int:
        """With the sentences."""
        ends = (y + len(lines) * LINE for _, y, lines in self.legend)
        return max(ends, default=self.height + 8) - 2
