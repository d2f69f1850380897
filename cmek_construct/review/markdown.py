"""What changes, as Markdown for a pull request.

Whatever a template says stands in a code span: there GitHub makes no link, no mention and no HTML.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cmek_construct.policy.sentences import Quoted, Words
from cmek_construct.review.differences import NOTHING, Difference

_MOST_NAMES = 10


def markdown(differences: Sequence[Difference]) -> str:
    """The differences; that there are none is one line."""
    if not differences:
        return f"{NOTHING}\n"
    lines = ["### What changes about Pinecone's access", ""]
    for difference in differences:
        lines += [f"#### {_names(difference.names)}", ""]
        for title, changes in difference.by_weight:
            lines += [f"**{title}**", "", *(f"- {_said(one.words)}" for one in changes), ""]
    return "\n".join(lines) + "\n"


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(_code(name) for name in names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return f"{shown} and {more:,} more (values are those of the first)" if more > 0 else shown


def _said(words: Words) -> str:
    return "".join(_code(part) if isinstance(part, Quoted) else _text(part) for part in words)


def _text(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|~#@&])", r"\\\1", text)


def _code(value: str) -> str:
    """A code span: its fence is longer than each row of backticks in it."""
    text = Quoted(value)
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest or text.startswith(" ") or text.endswith(" ") else ""
    return f"{fence}{space}{text or ' '}{space}{fence}"
