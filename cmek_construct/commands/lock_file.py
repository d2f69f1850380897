"""Writes cmek.lock, and tells git how two branches' lines of it are merged."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cmek_construct.deployment.replacing import replace
from cmek_construct.lock.model import Lock, LockError, Place, stacks_at
from cmek_construct.lock.text import FILE, read, render
from cmek_construct.lock.updating import marked_gone

ATTRIBUTES: Final = ".gitattributes"
_UNION: Final = "merge=union"


def write(file: Path, lock: Lock) -> list[str]:
    """Write a lock, all or nothing of it.

    A new one in a git checkout gets a line in ``.gitattributes``: git then keeps the lines of both
    branches, where it would ask a person to do so.

    Returns:
        What else was written.

    Raises:
        LockError: it is a symbolic link.
    """
    if file.is_symlink():
        raise LockError(
            f"{file}: it is a symbolic link, and those are not written through. Name the file "
            f"itself: --file {file.resolve()}."
        )
    done = [] if file.exists() else _declare(file.absolute())
    newline = "\r\n" if file.exists() and b"\r\n" in file.read_bytes() else "\n"
    replace(file, render(lock).replace("\n", newline))
    return done


def clear_gone(stack: str, account: str, region: str) -> list[str]:
    """Have the lock in this folder no longer say that a stack is gone: it is taken back.

    Returns:
        What was done.
    """
    before, done = read(Path(FILE)), list[str]()
    lock = before
    for place in stacks_at(lock, Place.of(stack, account, region)):
        found = marked_gone(lock, place, "")
        lock, done = found.lock, [*done, *found.done]
    if lock != before:
        write(Path(FILE), lock)
    return [f"{FILE}: {one}" for one in done]


def _declare(path: Path) -> list[str]:
    attributes = path.with_name(ATTRIBUTES)
    in_git = any((folder / ".git").exists() for folder in path.parents)
    if not in_git or attributes.is_symlink():
        return []
    text = attributes.read_bytes().decode("utf-8") if attributes.exists() else ""
    if any(line.split()[:1] == [path.name] for line in text.splitlines()):
        return []
    line = f"{path.name} {_UNION}"
    replace(attributes, text + ("\n" if text and not text.endswith("\n") else "") + line + "\n")
    return [f"{ATTRIBUTES}: {line} (git keeps the lines of both branches). Commit it as well."]
