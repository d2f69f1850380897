"""Writes cmek.lock, and tells git how two branches' lines of it are merged."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cmek_construct.lock.model import Lock
from cmek_construct.lock.text import render
from cmek_construct.operations.whole import replace

ATTRIBUTES: Final = ".gitattributes"
_UNION: Final = "merge=union"


def write(file: Path, lock: Lock) -> list[str]:
    """Write a lock, all or nothing of it.

    A new one in a git checkout gets a line in ``.gitattributes``: git then keeps the lines of both
    branches, where it would ask a person to do so.

    Returns:
        What else was written.
    """
    path = file.resolve()
    done = [] if path.exists() else _declare(path)
    newline = "\r\n" if path.exists() and b"\r\n" in path.read_bytes() else "\n"
    replace(path, render(lock).replace("\n", newline))
    return done


def _declare(path: Path) -> list[str]:
    if not any((folder / ".git").exists() for folder in path.parents):
        return []
    attributes = path.with_name(ATTRIBUTES)
    text = attributes.read_bytes().decode("utf-8") if attributes.exists() else ""
    if any(line.split()[:1] == [path.name] for line in text.splitlines()):
        return []
    line = f"{path.name} {_UNION}"
    replace(attributes, text + ("\n" if text and not text.endswith("\n") else "") + line + "\n")
    return [f"{ATTRIBUTES}: {line} (git keeps the lines of both branches). Commit it as well."]
