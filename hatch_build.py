"""README as a package index shows it: no link and no picture that leads into the repository.

An index does not know the repository, which has no address yet: a link to a file becomes the words with the file's
name, which the source distribution has.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class Readme(MetadataHookInterface):
    """Gives the package its description."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Read README, and leave only links that work anywhere."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": for_an_index(text)}


def for_an_index(text: str) -> str:
    """README without what leads into the repository."""
    text = re.sub(r"!\[([^\]]*)\]\((?!https:)[^)]+\)", r"*\1.*", text)
    text = re.sub(r"\[([^\]]*)\]\((?!https:|#)([^)#]+)[^)]*\)", _named, text)
    return re.sub(r"\[([^\]]*)\]\(#[^)]*\)", r"\1", text)


def _named(link: re.Match[str]) -> str:
    words, path = link.groups()
    return words if words.lower() in path.lower() else f"{words} (`{path}`)"
