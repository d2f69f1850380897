"""Text out of a template, and how it is shown: whatever it says, it stays text.

A sentence is a list of parts: words of ours, and values out of a template (`Quoted`).
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias


class Quoted(str):
    """A value out of a template, each character that could mislead written as its code.

    That is all but printable ASCII: a policy needs no other, and a letter that only looks like another, or turns the
    line around, is what somebody would hide in one.
    """

    __slots__ = ()

    def __new__(cls, value: object) -> "Quoted":
        text = value if isinstance(value, str) else json.dumps(value)
        return super().__new__(cls, "".join(map(_code, text)))


Words: TypeAlias = list[str]
"""A sentence: each part is a `Quoted` or words of ours."""


def _code(character: str) -> str:
    if " " <= character <= "~":
        return character
    return character.encode("unicode_escape").decode("ascii")


def plain_letters(text: str) -> str:
    """A sentence of ours that may have a value of a template in it."""
    return "".join(one if one in "…\n" else _code(one) for one in text)


def visible(text: str) -> str:
    """Text that may be in any language, such as a reason or a file's name: none of it is unseen."""
    return "".join(one if one.isprintable() else _code(one) for one in text)


def plain(words: Iterable[str]) -> str:
    """A sentence as one string."""
    return "".join(words)


def listed(several: Sequence[Sequence[str]], last: str = " and ") -> Words:
    """Parts of a sentence with commas between them, and a word before the last."""
    found: Words = []
    for index, parts in enumerate(several):
        if index:
            found.append(last if index == len(several) - 1 else ", ")
        found += parts
    return found


def quoted_list(values: Iterable[Any], last: str = " and ") -> Words:
    """Values with commas between them."""
    return listed([[Quoted(value)] for value in values], last)


def as_list(value: Any) -> list[Any]:
    """A policy says one thing or a list of some."""
    return value if isinstance(value, list) else [value]
