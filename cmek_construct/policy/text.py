"""Text with holes: what a policy says, with a place for each value that only the deploy knows.

In the notation of this package ``${Name}`` is a hole, ``${!aws:username}`` is the text ``${aws:username}``, which may
be a policy variable, and ``${?Fn::If}`` cannot be read. Source of wildcards and variables: IAM User Guide, "IAM policy
elements: Variables and tags".
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from cmek_construct.policy.patterns import ANY, DIGITS, IN_NAME, IN_PART

_PLACE: Final = re.compile(r"\$\{([^}]*)\}")
_NOT_IN_NAME: Final = re.compile(r'[{}"\\\x00-\x1f\x7f]')
VARIABLE: Final = "policy variable"
_ESCAPED: Final = {f"{VARIABLE} {one}" for one in "*?$"}
ACCOUNT: Final = "account"  # the form of a hole that is the number of an account
REGION: Final = "region"  # the form of a hole that is a region
NAME: Final = "name"  # the form of a hole that has letters, digits, hyphens, underscores and dots alone
_WILD: Final = {ACCOUNT: "?" * 12, REGION: "??*-*-?", NAME: "*"}
_PARTS: Final = ("scheme", "partition", "service", REGION, ACCOUNT)
Forms: TypeAlias = Mapping[str, str]
"""What is known of holes: by name `ACCOUNT`, `REGION`, `NAME`, or the form of a name that AWS generates, a text
with ``*`` and ``?``."""


def generated(forms: Forms) -> list[str]:
    """The holes that are names which AWS generates."""
    return [name for name, form in forms.items() if form not in _WILD]


def literal(text: str) -> str:
    """A text as AWS has it, in the notation of this package."""
    return text.replace("${", "${!")


def with_holes(document: Any) -> Any:
    """A document as resolved by CDK with CloudFormation's functions as holes, each named by its own JSON."""
    if isinstance(document, list):
        return [with_holes(one) for one in document]
    if not isinstance(document, dict):
        return literal(document) if isinstance(document, str) else document
    if list(document) == ["Fn::Join"] and isinstance(document["Fn::Join"][1], list):
        between, parts = document["Fn::Join"]
        return between.join(map(with_holes, parts))
    if any(name == "Ref" or name.startswith("Fn::") for name in document):
        return f"${{{json.dumps(document).replace('}', ')')}}}"
    return {name: with_holes(one) for name, one in document.items()}


def pieces(text: str) -> Iterator[tuple[str, str | None]]:
    """The text before each place, with what stands in it; and the text behind the last."""
    end = 0
    # Up to the last brace: past it a search would begin, in vain, at each "${".
    for place in _PLACE.finditer(text, 0, text.rfind("}") + 1):
        yield text[end : place.start()], place[1]
        end = place.end()
    yield text[end:], None


def lower(text: str) -> str:
    """A name or an action as AWS compares it, in small letters; not the names of its holes."""
    return "".join(plain.lower() + ("" if name is None else f"${{{name}}}") for plain, name in pieces(text))


def holes(text: str) -> list[str]:
    """The names of the holes of a text."""
    return [name for _, name in pieces(text) if name is not None and not name.startswith("!")] if "${" in text else []


def hole(name: str) -> str:
    """The text of a hole."""
    return f"${{{_NOT_IN_NAME.sub('', name.replace('${', ''))}}}"


def alone(text: str) -> str | None:
    """The name of the hole that a text is, if it is one alone."""
    found = _PLACE.fullmatch(text)
    return found[1] if found and not found[1].startswith("!") else None


def is_known(text: str) -> bool:
    """Whether nothing in a text hangs on the deploy."""
    return not holes(text)


def is_unreadable(text: str) -> bool:
    """Whether a part of a text cannot be read."""
    return "${?" in text or "{{resolve:" in text


def is_wild(text: str) -> bool:
    """Whether there is a wildcard outside of holes."""
    outside = "".join(plain + (name if name and name.startswith("!") else "") for plain, name in pieces(text))
    return "*" in outside or "?" in outside


def parts(text: str, at: str, most: int = -1) -> list[str]:
    """The parts of a text between separators, of which no hole has one."""
    masked = "".join(plain + "\x00" * (0 if name is None else len(name) + 3) for plain, name in pieces(text))
    found, start = [], 0
    for one in masked.split(at, most):
        found.append(text[start : start + len(one)])
        start += len(one) + len(at)
    return found


class Doubt(str):
    """Whether something is so that is not known, in its parts: one doubt wherever the text is the same."""

    parts: tuple[str, ...]
    """A condition key; what " is " a text with holes; operator, key and value, with " " between; or a sentence."""

    def __new__(cls, *parts: str) -> "Doubt":
        found = super().__new__(cls, "".join(parts))
        found.parts = parts
        return found


class Form(NamedTuple):
    """Texts of one form: their pattern, and what must be true of its holes besides."""

    pattern: str
    holes: tuple[str, ...] = ()  # their names, one for each group of the pattern
    flags: frozenset[str] = frozenset()

    def then(self, *others: "Form | str") -> "Form":
        """This form, and behind it others, or patterns."""
        found = self
        for one in others:
            pattern, names, flags = one if isinstance(one, Form) else Form(one)
            found = Form(found.pattern + pattern, found.holes + names, found.flags | flags)
        return found

    def with_holes(self, text: str) -> str:
        """A text of this form, with its holes by their names."""
        found = re.fullmatch(self.pattern, text)
        spans = [found.span(number) for number in range(1, len(self.holes) + 1)] if found else []
        for (start, end), name in reversed([*zip(spans, self.holes, strict=bool(spans))]):
            text = f"{text[:start]}${{{name}}}{text[end:]}"
        return text


@lru_cache(maxsize=20_000)
def _plain(text: str, wildcard: str | None, any_case: bool = False) -> str:
    found = re.escape(text)
    if any_case:
        found = re.sub(r"[^\W\d_]", lambda it: f"[{it[0]}{it[0].swapcase()}]", found)
    return found if wildcard is None else found.replace(r"\*", f"{wildcard}*").replace(r"\?", wildcard)


class Reading(NamedTuple):
    """How texts are read."""

    forms: Forms  # what is known of holes
    wild: bool = True  # whether ``*`` and ``?`` stand for other characters
    variables: bool = False  # whether policy variables are known there
    any_case: bool = False  # whether capital and small letters are the same

    def form(self, text: str, what: str, chars: str = ANY) -> Form:
        """A text as a form.

        A wildcard stands for some of ``chars``, and a hole for every text of its form. A flag says that the text is
        that hole's: it is the same flag wherever that hole stands for the same thing (``what``, such as an account).
        """
        pattern = shown = ""
        names = []
        for plain, name in pieces(text):
            if name is not None and name.startswith("!"):
                plain += "" if self.variables else f"${{{name[1:]}}}"
                name = f"{VARIABLE} {name[1:]}" if self.variables else None
            pattern += _plain(plain, chars if self.wild else None, self.any_case)
            shown += plain
            if name in _ESCAPED:
                pattern += re.escape(name[-1])
                shown += name[-1]
            elif name is not None:
                known = ACCOUNT if what == ACCOUNT and _PLACE.fullmatch(text) else self.forms.get(name, "*")
                within = IN_NAME if name in self.forms else chars
                pattern += f"({DIGITS if known == ACCOUNT else _plain(_WILD.get(known, known), within)})"
                shown += f"${{{name}}}"
                names.append(name)
        return Form(pattern, tuple(names), frozenset({Doubt(what, " is ", shown)} if names else ()))

    def arn(self, text: str, within: str = IN_PART, in_name: str = ANY) -> Form | None:
        """The six parts of an ARN, of which the last ends in a name; None if there are others.

        Wildcards and holes stand for ``within`` in a part, for ``in_name`` in the name, and for anything before that.
        """
        *five, last = parts(text, ":", 5)
        if len(five) != len(_PARTS):
            return None
        *path, name = parts(last, "/")
        found = [self.form(one, what, within).then(":") for one, what in zip(five, _PARTS, strict=True)]
        found += [self.form(one, "path").then("/") for one in path]
        return Form("").then(*found, self.form(name, "name", in_name))


def glob(text: str, forms: Forms) -> str:
    """All that a text with wildcards may turn out to be, as one text with ``*`` and ``?``."""

    def of(name: str) -> str:
        form = forms.get(name, "*")
        return f"${{{name[1:]}}}" if name.startswith("!") else _WILD.get(form, form)

    return "".join(plain + ("" if name is None else of(name)) for plain, name in pieces(text))


@lru_cache(maxsize=10_000)
def may_be_one(one: str, other: str) -> bool:
    """Whether a text can be of both forms, each with ``*`` and ``?``, whatever their case is."""
    one, other = one.lower(), other.lower()
    seen: set[tuple[int, int]] = set()
    left = [(0, 0)]
    while left:
        at = left.pop()
        if at in seen:
            continue
        seen.add(at)
        mine, yours = one[at[0] : at[0] + 1], other[at[1] : at[1] + 1]
        if not mine and not yours:
            return True
        left += [(at[0] + 1, at[1])] if mine == "*" else []
        left += [(at[0], at[1] + 1)] if yours == "*" else []
        if mine and yours and (mine == yours or mine in "*?" or yours in "*?"):
            left.append((at[0] + (mine != "*"), at[1] + (yours != "*")))
    return False
