"""Writes a file whole, or not at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def replace(path: Path, text: str) -> None:
    """All of the new file, or all of the old; its mode stays."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(text.encode("utf-8"))
        if path.exists():
            shutil.copymode(path, draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
