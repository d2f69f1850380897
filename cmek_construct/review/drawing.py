"""Boxes, accounts and arrows as SVG: a file that stands by itself, or a part of a page.

No script, no font, no other file. The classes are drawn by `STYLE`, and on the page by its own.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from cmek_construct.policy.sentences import plain_letters

LINE: Final = 18
_STRONG_CHARACTER: Final = 7.7
_CHARACTER: Final = 6.7
_STYLE: Final = (
    "text{font:12px -apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#1f2328}"
    ".strong{font-weight:600}.soft{fill:#59636e}"
    ".paper{fill:#fff}.account{fill:#f6f8fa;stroke:#818b98;stroke-dasharray:5 4}"
    ".plain,.door{fill:#fff;stroke:#59636e}.role{fill:#ddf4ff;stroke:#0969da}"
    ".key{fill:#fff8c5;stroke:#9a6700}.wrong{fill:#ffebe9;stroke:#cf222e}"
    ".arrow{fill:none;stroke:#1f2328;stroke-width:1.5}.cut{stroke:#cf222e;stroke-dasharray:4 4}"
    ".tip{fill:#1f2328}.tip.cut{fill:#cf222e;stroke:none}"
    ".cross{stroke:#cf222e;stroke-width:3}.dot{fill:#1f2328}.number{fill:#fff;font-weight:600}"
)

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
        """A point on its edge: ``left``, ``right``, ``top`` or ``bottom``, and how far along."""
        if where in ("left", "right"):
            return self.x + self.width * (where == "right"), self.y + round(self.height * along)
        return self.x + round(self.width * along), self.y + self.height * (where == "bottom")


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

    def svg(self) -> str:
        """The file."""
        legend: list[str] = []
        y = self.height
        for number, sentence in enumerate(self.sentences, 1):
            legend += _number(number, 22, y + 14)
            for line in textwrap.wrap(sentence, int((self.width - 50) / _CHARACTER)):
                legend.append(_text(40, y + 18, line))
                y += LINE
            y += 6
        inside = [
            f"<style>{_STYLE}</style>",
            f'<rect class="paper" width="{self.width}" height="{y + 6}"/>',
            *self._parts(),
            *legend,
        ]
        where = f'xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{y + 6}" '
        return self._element(where, "drawing", y + 6, inside)

    def in_page(self, name: str) -> str:
        """A part of a page, which draws the classes and says the sentences beside it.

        Args:
            name: with which the ids of its title and its description begin.
        """
        return self._element("", name, self.height, list(self._parts()))

    def _element(self, attributes: str, name: str, height: int, parts: Sequence[str]) -> str:
        told = " ".join((*self.said, *self.sentences))
        lines = [
            f'<svg {attributes}viewBox="0 0 {self.width} {height}" role="img" '
            f'aria-labelledby="{name}-title {name}-told">',
            f'<title id="{name}-title">{_safe(self.title)}</title>',
            f'<desc id="{name}-told">{_safe(told)}</desc>',
            *parts,
            "</svg>",
        ]
        return "\n".join(lines) + "\n"

    def _parts(self) -> Iterator[str]:
        doors = [box for box in self.boxes if box.kind == "door"]
        for box in self.boxes:
            yield from _box(box) if box not in doors else ()
        for arrow in self.arrows:
            yield from _arrow(arrow)
        for door in doors:
            yield from _box(door)


def _box(box: Box) -> Iterator[str]:
    yield (
        f'<rect class="{box.kind}" x="{box.x}" y="{box.y}" width="{box.width}" '
        f'height="{box.height}" rx="6"/>'
    )
    for index, line in enumerate(box.lines):
        strong = ' class="strong"' if index == 0 else ""
        yield _text(box.x + 12, box.y + 20 + index * LINE, line, strong)


def _arrow(arrow: Arrow) -> Iterator[str]:
    kind = f"{arrow.kind} cut" if arrow.cut else arrow.kind
    path = "L".join(f"{x} {y}" for x, y in arrow.points)
    yield f'<path class="arrow {kind}" d="M{path}"/>'
    (a, b), (x, y) = arrow.points[-2:]
    along, across = (9 * ((x > a) - (x < a)), 9 * ((y > b) - (y < b)))
    wing = [(x - along + across // 2, y - across + along // 2),
            (x - along - across // 2, y - across - along // 2)]  # fmt: skip
    points = " ".join(f"{p},{q}" for p, q in [(x, y), *wing])
    yield f'<polygon class="tip {kind}" points="{points}"/>'
    middle = ((a + x) // 2, (b + y) // 2)
    if arrow.cut:
        at = (middle[0] - 24 * bool(arrow.number and x > a), middle[1])
        cross = "".join(f"M{at[0] - 7} {at[1] - one}l14 {2 * one}" for one in (7, -7))
        yield f'<path class="cross" d="{cross}"/>'
    if arrow.number:
        yield from _number(arrow.number, *middle)
    for index, line in enumerate(arrow.label):
        yield _text(arrow.at[0], arrow.at[1] + index * 15, line, ' class="soft"')


def _number(number: int, x: int, y: int) -> Iterator[str]:
    yield f'<circle class="dot" cx="{x}" cy="{y}" r="10"/>'
    yield _text(x, y + 4, str(number), ' class="number" text-anchor="middle"')


def _text(x: int, y: int, words: str, attributes: str = "") -> str:
    return f'<text x="{x}" y="{y}"{attributes}>{_safe(words)}</text>'


def _safe(text: str) -> str:
    """Text that may be a template's: none of it is unseen, and none of it an element."""
    return escape(plain_letters(text))
