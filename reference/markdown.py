"""Markdown out of docstrings and rows."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence

MADE = "<!-- Made by scripts/docs: change the code, not this file. -->"


def text(words: str) -> str:
    """A sentence of a docstring or a help text as Markdown."""
    words = " ".join(words.split()).replace("``", "`")
    parts = re.split(r"(`[^`]*`)", words)  # what is code already stays as it is
    plain = re.compile(r"([<>*|])")
    return "".join(one.replace("|", "\\|") if index % 2 else plain.sub(r"\\\1", one) for index, one in enumerate(parts))


def code(words: str) -> str:
    """A name as code, in a cell too."""
    return "`" + words.replace("|", "\\|") + "`"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def paragraphs(docstring: str | None) -> list[str]:
    """The paragraphs of a docstring before its sections."""
    before = re.split(r"\n\s*(?:Args|Raises|Returns):\n", inspect.cleandoc(docstring or ""))[0]
    return [text(one) for one in before.split("\n\n") if one.strip()]


def arguments(docstring: str | None) -> dict[str, str]:
    """What a docstring says of each parameter."""
    section = re.search(r"^Args:\n(.*?)(?=\n\S|\Z)", inspect.cleandoc(docstring or ""), re.DOTALL | re.MULTILINE)
    found = re.findall(r"^    (\w+): (.*?)(?=^    \w+: |\Z)", section[1] if section else "", re.DOTALL | re.MULTILINE)
    return {name: text(said) for name, said in found}
