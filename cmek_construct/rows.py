"""Pages of rows: what is said of a subject, in a file beside the code that says it."""

from collections.abc import Mapping
from configparser import ConfigParser
from functools import cache
from pathlib import Path


@cache
def rows(page: Path) -> Mapping[str, Mapping[str, str]]:
    """The sections of a page by their names: what each has, by name.

    A text goes on in lines that are indented, which are one line then; of one that has nothing behind its ``=`` each
    stays a line. A line that begins with ``#`` is a comment, within a text too.
    """
    found = ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    found.optionxform = str  # type: ignore[assignment, method-assign] # capital letters of a name are heeded
    found.read_string(page.read_text(encoding="utf-8"))
    return {name: {what: _text(said) for what, said in found[name].items()} for name in found.sections()}


def _text(said: str) -> str:
    return said.removeprefix("\n") if said.startswith("\n") else said.replace("\n", " ")
