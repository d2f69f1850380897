"""Boxes, accounts and arrows as SVG that stands by itself: no script, no font, no other file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from xml.sax.saxutils import escape

LINE: Final = 18
_STYLE: Final = (
    "text{font:12px -apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#1f2328}"
    ".strong{font-weight:600}.soft{fill:#59636e}"
    ".paper{fill:#fff}.account{fill:#f6f8fa;stroke:#818b98;stroke-dasharray:5 4}"
    ".plain{fill:#fff;stroke:#59636e}.role{fill:#ddf4ff;stroke:#0969da}"
    ".key{fill:#fff8c5;stroke:#9a6700}.bad{fill:#ffebe9;stroke:#cf222e}"
    ".arrow{fill:none;stroke:#1f2328;stroke-width:1.5}.cut{stroke:#cf222e;stroke-dasharray:4 4}"
    ".tip{fill:#1f2328}.tip.cut{fill:#cf222e;stroke:none}"
    ".cross{stroke:#cf222e;stroke-width:3}.dot{fill:#1f2328}.number{fill:#fff;font-weight:600}"
)

Point = tuple[int, int]


@dataclass(frozen=True)
class Box:
    """A box with lines of text, the first one strong."""

    x: int
    y: int
    width: int
    lines: Sequence[str]
    kind: str = "plain"
    """``plain``, ``role``, ``key``, or ``bad``; or ``account``, in which others stand."""
    inside: int = 0
    """The height of what stands in it."""

    @property
    def height(self) -> int:
        """By its lines."""
        return self.inside or len(self.lines) * LINE + 14

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
    """Of the sentence under the drawing."""
    label: Sequence[str] = ()
    at: Point = (0, 0)
    """Where the label stands."""
    cut: bool = False


@dataclass(frozen=True)
class Drawing:
    """What is drawn, and the same in sentences."""

    title: str
    width: int
    boxes: Sequence[Box]
    arrows: Sequence[Arrow]
    sentences: Sequence[str] = ()
    """Under the drawing, each with the number of its arrows."""
    said: Sequence[str] = field(default=())
    """For whoever does not see it, beside those."""

    def svg(self) -> str:
        """The file."""
        top = max(box.y + box.height for box in self.boxes) + 12
        height = top + len(self.sentences) * 22 + 8
        told = " ".join((*self.said, *self.sentences))
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {height}" '
            f'width="{self.width}" height="{height}" role="img" aria-labelledby="title told">',
            f'<title id="title">{escape(self.title)}</title>',
            f'<desc id="told">{escape(told)}</desc>',
            f"<style>{_STYLE}</style>",
            f'<rect class="paper" width="{self.width}" height="{height}"/>',
            *(part for box in self.boxes for part in _box(box)),
            *(part for arrow in self.arrows for part in _arrow(arrow)),
            *(part for number, said in enumerate(self.sentences, 1)
              for part in _sentence(number, said, top + 22 * number - 8)),
            "</svg>",
        ]  # fmt: skip
        return "\n".join(parts) + "\n"


def _box(box: Box) -> Iterator[str]:
    yield (
        f'<rect class="{box.kind}" x="{box.x}" y="{box.y}" width="{box.width}" '
        f'height="{box.height}" rx="6"/>'
    )
    for index, line in enumerate(box.lines):
        strong = ' class="strong"' if index == 0 else ""
        yield _text(box.x + 12, box.y + 20 + index * LINE, line, strong)


def _arrow(arrow: Arrow) -> Iterator[str]:
    cut = " cut" if arrow.cut else ""
    path = "L".join(f"{x} {y}" for x, y in arrow.points)
    yield f'<path class="arrow{cut}" d="M{path}"/>'
    (a, b), (x, y) = arrow.points[-2:]
    along, across = (9 * ((x > a) - (x < a)), 9 * ((y > b) - (y < b)))
    wing = [(x - along + across // 2, y - across + along // 2),
            (x - along - across // 2, y - across - along // 2)]  # fmt: skip
    points = " ".join(f"{p},{q}" for p, q in [(x, y), *wing])
    yield f'<polygon class="tip{cut}" points="{points}"/>'
    middle = ((a + x) // 2, (b + y) // 2)
    if arrow.cut:
        cross = "".join(f"M{middle[0] - 7} {middle[1] - one}l14 {2 * one}" for one in (7, -7))
        yield f'<path class="cross" d="{cross}"/>'
    if arrow.number:
        yield from _number(arrow.number, *middle)
    for index, line in enumerate(arrow.label):
        yield _text(arrow.at[0], arrow.at[1] + index * 15, line, ' class="soft"')


def _number(number: int, x: int, y: int) -> Iterator[str]:
    yield f'<circle class="dot" cx="{x}" cy="{y}" r="10"/>'
    yield _text(x, y + 4, str(number), ' class="number" text-anchor="middle"')


def _sentence(number: int, said: str, y: int) -> Iterator[str]:
    yield from _number(number, 22, y - 4)
    yield _text(40, y, said, "")


def _text(x: int, y: int, words: str, attributes: str) -> str:
    return f'<text x="{x}" y="{y}"{attributes}>{escape(words)}</text>'
