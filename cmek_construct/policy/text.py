"""Text with holes: what a policy says, with a place for each value that only the deploy knows.

In the notation of this package ``${Name}`` is a hole, ``${!aws:username}`` is the text ``${aws:username}``, which may
be a policy variable, and ``${?Fn::If}`` cannot be read. Source of wildcards and variables: IAM User Guide, "IAM policy
elements: Variables and tags".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from cmek_construct.policy.patterns import ANY, DIGITS, IN_NAME, IN_PART

_PLACE: Final = re.compile(r"\$\{([^}]*)\}")
_ESCAPED: Final = {"*", "?", "$"}
_REGION: Final = "??*-*-?"
VARIABLE: Final = "policy variable"
ACCOUNT: Final = "account"
"""The form of a hole that is the number of an account."""
REGION: Final = "region"
"""The form of a hole that is a region."""
Forms: TypeAlias = Mapping[str, str]
"""What is known of holes: by name `ACCOUNT`, `REGION`, or the form of a name that AWS generates, a text with ``*``
and ``?``."""


def literal(text: str) -> str:
    """A text as AWS has it, in the notation of this package."""
    return text.replace("${", "${!")


def canonical(text: str) -> str:
    """A text that is in the notation of this package already."""
    return text


def pieces(text: str) -> Iterator[tuple[str, str | None]]:
    """The text before each place, with what stands in it; and the text behind the last."""
    end = 0
    # Up to the last brace: past it a search would begin, in vain, at each "${".
    for place in _PLACE.finditer(text, 0, text.rfind("}") + 1):
        yield text[end : place.start()], place[1]
        end = place.end()
    yield text[end:], None


def holes(text: str) -> list[str]:
    """The names of the holes of a text."""
    return [name for _, name in pieces(text) if name is not None and not name.startswith("!")] if "${" in text else []


def is_wild(text: str) -> bool:
    """Whether there is a wildcard outside of holes."""
    outside = "".join(plain + (name if name and name.startswith("!") else "") for plain, name in pieces(text))
    return "*" in outside or "?" in outside


def parts(text: str, at: str, most: int = -1) -> list[str]:
    """The parts of a text between separators, of which no hole has one."""
    masked = text
    if "${" in text:
        masked = "".join(plain + "\x00" * (0 if name is None else len(name) + 3) for plain, name in pieces(text))
    found, start = [], 0
    for one in masked.split(at, most):
        found.append(text[start : start + len(one)])
        start += len(one) + len(at)
    return found


class Form(NamedTuple):
    """Texts of one form: their pattern, and what must be true of its holes besides."""

    pattern: str
    holes: tuple[str, ...] = ()
    """Their names, one for each group of the pattern."""
    flags: frozenset[str] = frozenset()

    def then(self, *others: Form | str) -> Form:
        """This form, and behind it others, or patterns."""
        found = self
        for one in others:
            pattern, names, flags = one if isinstance(one, Form) else Form(one)
            found = Form(found.pattern + pattern, found.holes + names, found.flags | flags)
        return found

    def with_holes(self, text: str) -> str:
        """A text of this form, with its holes by their names."""
        found = re.fullmatch(self.pattern, text)
        if found is None:
            return text
        shown, end = "", 0
        for number, name in enumerate(self.holes, 1):
            shown += f"{text[end : found.start(number)]}${{{name}}}"
            end = found.end(number)
        return shown + text[end:]


def form(
    text: str,
    what: str,
    chars: str,
    forms: Forms,
    *,
    wild: bool = False,
    variables: bool = False,
    any_case: bool = False,
) -> Form:
    """A text as a form.

    A hole stands for every text of its form, and a flag says that the text is that hole's: it is the same flag wherever
    that hole stands for the same thing.

    Args:
        text: in the notation of this package.
        what: of what it is the text, such as ``account``.
        chars: a pattern of one character, which a wildcard or a hole may stand for.
        forms: what is known of the holes.
        wild: whether ``*`` and ``?`` stand for other characters.
        variables: whether policy variables are known there.
        any_case: whether capital and small letters are the same.
    """
    if "${" not in text:
        return Form(_plain(text, chars if wild else None, any_case))
    pattern = shown = ""
    names = []
    for plain, name in pieces(text):
        is_variable = name is not None and name.startswith("!")
        if name is not None and is_variable:
            name = name[1:]
            if not variables:
                plain, name = f"{plain}${{{name}}}", None
        pattern += _plain(plain, chars if wild else None, any_case)
        shown += plain
        if name is None:
            continue
        if is_variable and name in _ESCAPED:
            pattern += re.escape(name)
            shown += name
            continue
        hole = f"{VARIABLE} {name}" if is_variable else name
        is_account = what == ACCOUNT and _PLACE.fullmatch(text) is not None
        pattern += f"({_of_hole(hole, is_account, chars, forms)})"
        shown += f"${{{hole}}}"
        names.append(hole)
    return Form(pattern, tuple(names), frozenset({f"{what} is {shown}"} if names else ()))


@lru_cache(maxsize=20_000)
def _plain(text: str, wildcard: str | None, any_case: bool) -> str:
    found = re.escape(text)
    if any_case:
        found = re.sub(r"[^\W\d_]", lambda it: f"[{it[0]}{it[0].swapcase()}]", found)
    return found if wildcard is None else found.replace(r"\*", f"{wildcard}*").replace(r"\?", wildcard)


def _of_hole(name: str, is_account: bool, chars: str, forms: Forms) -> str:
    known = forms.get(name, "*")
    if is_account or known == ACCOUNT:
        return DIGITS
    return _plain(_REGION if known == REGION else known, IN_NAME if name in forms else chars, False)


def arn(text: str, forms: Forms, within: str = IN_PART, *, wild: bool = True, variables: bool = False) -> Form | None:
    """The six parts of an ARN, of which the last ends in a name; None if there are others.

    Args:
        text: the ARN.
        forms: what is known of the holes.
        within: what a wildcard stands for, but in the last part, where it stands for anything.
        wild: whether there are wildcards.
        variables: whether policy variables are known there.
    """
    six = parts(text, ":", 5)
    if len(six) != 6:
        return None
    found = Form("")
    for number, one in enumerate(six[:5]):
        what = ACCOUNT if number == 4 else f"part {number}"
        found = found.then(form(one, what, within, forms, wild=wild, variables=variables), ":")
    *path, name = parts(six[5], "/")
    for one in path:
        found = found.then(form(one, "path", ANY, forms, wild=wild, variables=variables), "/")
    return found.then(form(name, "name", ANY, forms, wild=wild, variables=variables))


def glob(text: str, forms: Forms) -> str:
    """All that a text with wildcards may turn out to be, as one text with ``*`` and ``?``."""
    found = ""
    for plain, name in pieces(text):
        if name is not None and not name.startswith("!"):
            known = forms.get(name, "*")
            found += plain + {ACCOUNT: "?" * 12, REGION: "*"}.get(known, known)
        else:
            found += plain if name is None else f"{plain}${{{name[1:]}}}"
    return found
