"""Installs a development tool once, however many test workers ask for it at the same time."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Callable
from pathlib import Path


def install_once(pins: Path, folder: Path, install: Callable[[], None]) -> None:
    """Call ``install``, which makes ``folder``, unless that was done for just these pins.

    Args:
        pins: the file that says what is installed. It is also the lock that others wait at.
        folder: where it is installed.
        install: installs it.
    """
    wanted = hashlib.sha256(pins.read_bytes()).hexdigest()
    done = folder / ".installed"
    with pins.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.is_file() or done.read_text(encoding="utf-8") != wanted:
            install()
            done.write_text(wanted, encoding="utf-8")
