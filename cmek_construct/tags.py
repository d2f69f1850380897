"""Tags as IAM takes them, which is what KMS takes too.

Source: IAM User Guide, "Tagging for IAM resources", and IAM API reference, "Tag".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from cmek_construct import checks

MOST: Final = 50
_TEXT: Final = re.compile(r"(?:[\w.:/=+@-]|[^\S\t-\r\x1c-\x1f\x85])*")
"""Letters, digits and spaces of any language, and these signs."""


def check(parameter: str, tags: Iterable[tuple[Any, Any]]) -> None:
    """Names and values, both strings.

    Args:
        parameter: what holds them.
        tags: each name with its value.

    Raises:
        ValueError: a role does not take them.
    """
    names: dict[str, str] = {}
    for name, text in tags:
        tag = f"{parameter}.{checks.printable(name)}"
        if not isinstance(name, str) or not isinstance(text, str):
            checks.refuse(tag, text, "a tag and its value are strings", "Put it in quotes.")
        if not 1 <= len(name) <= 128 or len(text) > 256 or name.lower().startswith("aws:"):
            checks.refuse(
                tag,
                text,
                "a name has 1 to 128 characters and does not begin with aws:, a value up to 256",
                "Shorten or rename it.",
            )
        if not _TEXT.fullmatch(name) or not _TEXT.fullmatch(text):
            checks.refuse(
                tag,
                text,
                "IAM takes letters, digits, spaces and _ . : / = + - @ in a tag",
                "Mend the name or the value.",
            )
        if name.lower() in names:
            checks.refuse(
                tag,
                text,
                f"IAM takes it for {checks.printable(names[name.lower()])}, which stands there too",
                "Leave out one of the two.",
            )
        names[name.lower()] = name
    if len(names) > MOST:
        what = f"a role and a key take {MOST} tags"
        checks.refuse(parameter, len(names), what, "Take some out.")
