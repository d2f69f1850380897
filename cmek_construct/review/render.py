"""Lays out the page, one HTML file alone; and what changes, as Markdown for a pull request.

Whatever a template says stands in a code span: there GitHub makes no link, no mention and no HTML. The same templates
give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from cmek_construct.checks import printable
from cmek_construct.policy.sentences import Quoted, Words, plain_letters, visible
from cmek_construct.review.changes import NOTHING, REPLACED, Difference
from cmek_construct.review.drawing import Drawing, reach
from cmek_construct.review.page import Page

_MOST_NAMES: Final = 10
_TEMPLATES: Final = ("page.html.j2", "parts.html.j2", "drawing.svg.j2")


def html(page: Page) -> str:
    """The page."""
    style = Markup(_text("page.css"))  # noqa: S704 - a file of ours, not of a template
    return _environment().get_template("page.html.j2").render(page=page, style=style)


def svg(drawing: Drawing) -> str:
    """A file of its own: no script, no font, no other file."""
    draw = _environment().get_template("drawing.svg.j2").module
    return str(draw.draw(drawing, "drawing", file=True))  # type: ignore[attr-defined]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=DictLoader({name: _text(name) for name in _TEMPLATES}),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.tests["quoted"] = lambda value: isinstance(value, Quoted)
    environment.filters["code"] = Quoted
    environment.filters["any_language"] = lambda text: escape(visible(text))
    environment.filters["printable"] = printable
    environment.globals |= {"counted": _counted, "reach": reach, "nothing": NOTHING, "replaced": REPLACED}
    return environment


def _text(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _shown(value: Any) -> Any:
    """A letter that could mislead is written as its code; nothing is left out unseen."""
    if value is None:
        raise TypeError("The page has no words for None")
    if isinstance(value, str) and not isinstance(value, Markup):
        return plain_letters(value)
    return value


def _counted(number: int, what: str, several: str = "") -> str:
    return f"{number:,} {what if number == 1 else several or f'{what}s'}"


def markdown(differences: Sequence[Difference]) -> str:
    """The differences; that there are none is one line."""
    if not differences:
        return f"{NOTHING}\n"
    lines = ["### What changes about Pinecone's access", ""]
    for difference in differences:
        lines += [f"#### {_names(difference.names)}", ""]
        for title, changes in difference.changes.items():
            lines += [f"**{title}**", "", *(f"- {_said(words)}" for words in changes), ""]
    return "\n".join(lines) + "\n"


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(_code(name) for name in names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return f"{shown} and {more:,} more (values are those of the first)" if more > 0 else shown


def _said(words: Words) -> str:
    return "".join(_code(part) if isinstance(part, Quoted) else _escaped(part) for part in words)


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|~#@&])", r"\\\1", text)


def _code(value: str) -> str:
    """A code span: its fence is longer than each row of backticks in it."""
    text = Quoted(value)
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest or text.startswith(" ") or text.endswith(" ") else ""
    return f"{fence}{space}{text or ' '}{space}{fence}"
