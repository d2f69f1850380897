"""Texts of a template in the notation of `cmek_construct.policy`: a hole for what the deploy knows.

``${Name}`` is a hole, ``${!x}`` the text ``${x}``, and ``${?what}`` cannot be read at all.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Final

from cmek_construct.policy import literal
from cmek_construct.policy.text import holes as holes
from cmek_construct.policy.text import parts as parts
from cmek_construct.policy.text import pieces as pieces

LONGEST: Final = 65_536
"""Characters of a text that is put together; what is longer cannot be read."""
_IN_NAME: Final = re.compile(r'[{}"\\\x00-\x1f\x7f]')
_ALONE: Final = re.compile(r"\$\{(?!!)([^}]*)\}")


def hole(name: str) -> str:
    """The text of a hole."""
    return f"${{{_IN_NAME.sub('', name.replace('${', ''))}}}"


def unreadable(what: str, where: str, value: Any = None) -> str:
    """The text of what cannot be read: the same only where it is the same thing.

    Args:
        what: in a few words, such as the name of a function.
        where: the stack.
        value: as it stands there.
    """
    content = json.dumps([where, value], default=str, sort_keys=True)
    return hole(f"?{what} {hashlib.sha256(content.encode()).hexdigest()[:8]}")


def is_unreadable(text: str) -> bool:
    """Whether a part of a text cannot be read."""
    return "${?" in text or "{{resolve:" in text


def is_known(text: str) -> bool:
    """Whether nothing in a text hangs on the deploy."""
    return not holes(text)


def alone(text: str) -> str | None:
    """The name of the hole that a text is, if it is one alone."""
    found = _ALONE.fullmatch(text)
    return found[1] if found else None


def plain(text: str) -> str:
    """A text without holes as it is: ``${!x}`` is ``${x}``."""
    return text.replace("${!", "${")


def joined(texts: list[str], between: str = "") -> str | None:
    """Texts put together; None if a hole came about, or went, where two meet, or it is too long."""
    if sum(map(len, texts)) + len(between) * len(texts) > LONGEST:
        return None
    whole = between.join(texts)
    apart = (name for index, one in enumerate(texts) for name in (*(holes(between) if index else ()), *holes(one)))
    return whole if "$" not in whole or holes(whole) == list(apart) else None


def refers(text: str, logical_id: str) -> bool:
    """Whether JSON as text refers to a resource of its own stack."""
    return re.search(rf'["{{]{re.escape(logical_id)}["}}.]', text) is not None


def scalar(value: Any) -> str | None:
    """A text, a number or a truth value as text; None of what is none of them."""
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else None


def written(value: Any) -> str | None:
    """A default or an allowed value as it is written, a list with commas."""
    if isinstance(value, list):
        return ",".join(map(str, value))
    text = scalar(value)
    return None if text is None else plain(text)
