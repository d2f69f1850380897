"""Lays the page out: one HTML file alone, the same bytes for the same templates."""

from __future__ import annotations

from importlib import resources
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from cmek_construct.policy.sentences import Quoted, plain_letters, visible
from cmek_construct.review.page import Page

_TEMPLATES = ("page.html.j2", "parts.html.j2", "picture.svg.j2")


def html(page: Page) -> str:
    """The page."""
    environment = Environment(
        loader=DictLoader({name: _text(name) for name in _TEMPLATES}),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.tests["quoted"] = _is_quoted
    environment.filters["code"] = Quoted
    environment.filters["any_language"] = _in_any_language
    environment.globals["counted"] = _counted
    style = Markup(_text("page.css"))  # noqa: S704 - a file of ours, not of a template
    return environment.get_template("page.html.j2").render(page=page, style=style)


def _text(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _shown(value: Any) -> Any:
    """A letter that could mislead is written as its code; nothing is left out unseen."""
    if value is None:
        raise TypeError("The page has no words for None")
    if isinstance(value, str) and not isinstance(value, Markup):
        return plain_letters(value)
    return value


def _in_any_language(text: str) -> Markup:
    return escape(visible(text))


def _is_quoted(value: object) -> bool:
    return isinstance(value, Quoted)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
