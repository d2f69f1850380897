"""Writes every page and picture that is made of the code."""

from __future__ import annotations

from pathlib import Path

from reference import commands, ids, pictures, props

DOCS = Path(__file__).parent.parent / "docs"


def made() -> dict[Path, str]:
    """Each file, and what stands in it."""
    return {
        DOCS / "reference" / "props.md": props.page(),
        DOCS / "reference" / "warnings-and-guardrails.md": ids.page(),
        DOCS / "reference" / "commands.md": commands.page(),
        **{DOCS / "pictures" / f"{name}.svg": svg for name, svg in pictures.all_of_them().items()},
    }


if __name__ == "__main__":
    for path, content in made().items():
        path.write_text(content, encoding="utf-8")
