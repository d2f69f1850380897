"""Reads cmek.lock."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cmek_construct.lock.model import Lock, LockError
from cmek_construct.lock.text import parse

FILE: Final = "cmek.lock"


def read(file: Path) -> Lock:
    """The lock of a file; an empty one if there is no such file.

    Raises:
        LockError: it cannot be read.
    """
    try:
        text = file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise LockError(
            f"{file}: it cannot be read: {error}. Take it from git as it was."
        ) from None
    return parse(text, str(file))
