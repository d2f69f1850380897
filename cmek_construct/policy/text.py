"""Text with holes: what a policy says, with a place for each value that only the deploy knows.

In the notation of this package ``${Name}`` is a hole, ``${!aws:username}`` is the text ``${aws:username}``, which may
be a policy variable, and ``${?Fn::If}`` cannot be read. Source of wildcards and variables: IAM User Guide, "IAM policy
elements: Variables and tags".
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from cmek_construct.policy.patterns import ANY, Chars, Token, all_but, one_of, star

_PLACE: Final = re.compile(r"\$\{([^}]*)\}")
_ESCAPED: Final = {"*", "?", "$"}
_IN_PART: Final = all_but(":")
_IN_NAME: Final = all_but(":/")
DIGITS: Final = (Token(one_of("0123456789")),) * 12
"""The number of an account."""
_REGION: Final = "??*-*-?"
VARIABLE: Final = "policy variable"
ACCOUNT: Final = "account"
"""The form of a hole that is the number of an account."""
REGION: Final = "region"
"""The form of a hole that is a region."""


class Wild(enum.Enum):
    """A wildcard."""

    ONE = "?"
    MANY = "*"


@dataclass(frozen=True)
class Hole:
    """A value that is not known, by its name. The same name is the same value."""

    name: str


Item: TypeAlias = str | Hole | Wild
"""One character, one hole, or a wildcard."""
Items: TypeAlias = tuple[Item, ...]
Forms: TypeAlias = Mapping[str, str]
"""What is known of holes: by name `ACCOUNT`, `REGION`, or the form of a name that AWS generates, a text with ``*``
and ``?``."""


def literal(text: str) -> str:
    """A text as AWS has it, in the notation of this package."""
    return text.replace("${", "${!")


def canonical(text: str) -> str:
    """A text that is in the notation of this package already."""
    return text


def items(text: str, *, wild: bool = False, variables: bool = False) -> Items:
    """A text, item by item.

    Args:
        text: in the notation of this package.
        wild: whether ``*`` and ``?`` stand for other characters.
        variables: whether policy variables are known there.
    """
    found: list[Item] = []
    end = 0
    for place in _PLACE.finditer(text, 0, text.rfind("}") + 1):
        found += _plain(text[end : place.start()], wild)
        name, end = place[1], place.end()
        if not name.startswith("!"):
            found.append(Hole(name))
        elif not variables:
            found += _plain(f"${{{name[1:]}}}", wild)
        else:
            found.append(name[1:] if name[1:] in _ESCAPED else Hole(f"{VARIABLE} {name[1:]}"))
    return (*found, *_plain(text[end:], wild))


def _plain(text: str, wild: bool) -> Iterable[Item]:
    return (Wild(char) if wild and char in "*?" else char for char in text)


def split(whole: Items, at: str, most: int = -1) -> list[Items]:
    """The parts between separators, of which no hole has one."""
    parts: list[Items] = []
    start = 0
    for index, item in enumerate(whole):
        if item == at and len(parts) != most:
            parts.append(whole[start:index])
            start = index + 1
    return [*parts, whole[start:]]


def written(whole: Items) -> str:
    """Items as text again, a hole as ``${Name}``."""
    return "".join(map(_written, whole))


def _written(item: Item) -> str:
    if isinstance(item, Hole):
        return f"${{{item.name}}}"
    return item.value if isinstance(item, Wild) else item


def is_plain(whole: Items) -> bool:
    """Whether there is neither hole nor wildcard."""
    return all(isinstance(item, str) for item in whole)


@dataclass(frozen=True)
class Part:
    """Items as the part of a pattern, and what must be true of the holes besides."""

    tokens: tuple[Token, ...]
    flags: frozenset[str] = frozenset()

    def __add__(self, other: Part) -> Part:
        return Part((*self.tokens, *other.tokens), self.flags | other.flags)


def part(whole: Items, what: str, chars: Chars, forms: Forms, *, any_case: bool = False) -> Part:
    """Items as a part of a pattern.

    A hole stands for every text of its form, and a flag says that the text is that hole's: it is the same flag wherever
    that hole stands for the same thing.

    Args:
        whole: the items.
        what: of what they are the text, such as ``account``.
        chars: that a wildcard or a hole may stand for.
        forms: what is known of the holes.
        any_case: whether capital and small letters are the same.
    """
    tokens: list[Token] = []
    for place, item in enumerate(whole):
        if isinstance(item, Hole):
            is_account = whole == (item,) and what == ACCOUNT
            form = _form(item, is_account, chars, forms)
            tokens += [one._replace(hole=(place, item.name)) for one in form]
        elif isinstance(item, Wild):
            tokens.append(Token(chars, item is Wild.MANY))
        else:
            tokens.append(Token(one_of(item + item.swapcase() if any_case else item)))
    holes = any(isinstance(item, Hole) for item in whole)
    return Part(tuple(tokens), frozenset({f"{what} is {written(whole)}"} if holes else ()))


def _form(hole: Hole, is_account: bool, chars: Chars, forms: Forms) -> Iterable[Token]:
    form = forms.get(hole.name, "*")
    if is_account or form == ACCOUNT:
        return DIGITS
    form = _REGION if form == REGION else form
    within = _IN_NAME if hole.name in forms else chars
    return part(items(form, wild=True), "", within, {}).tokens


def arn(parts: list[Items], forms: Forms, within: Chars = _IN_PART) -> Part:
    """The six parts of an ARN, of which the last ends in a name.

    Args:
        parts: the parts.
        forms: what is known of the holes.
        within: what a wildcard stands for, but in the last part, where it stands for anything.
    """
    found = Part(())
    for number, one in enumerate(parts[:5]):
        found += part(one, ACCOUNT if number == 4 else f"part {number}", within, forms) + word(":")
    *path, name = split(parts[5], "/")
    for one in path:
        found += part(one, "path", ANY, forms) + word("/")
    return found + part(name, "name", ANY, forms)


@lru_cache(maxsize=10_000)
def word(text: str) -> Part:
    """A text that stands for itself."""
    return Part(tuple(Token(one_of(char)) for char in text))


ANYTHING: Final = Part((star(ANY),))
