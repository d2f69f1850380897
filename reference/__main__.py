"""Writes what is made of the code: pages, pictures, and the JSON Schema of cmek.yaml."""

from __future__ import annotations

import json
from pathlib import Path

from cmek_construct.deployment import config
from reference import commands, ids, pictures, props, schema, screenshot

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
SCREENSHOT = DOCS / "pictures" / "review-page.png"


def made() -> dict[Path, str]:
    """Each file, and what stands in it."""
    return {
        Path(config.__file__).with_name("cmek.schema.json"): json.dumps(schema.json_schema(), indent=2) + "\n",
        DOCS / "reference" / "props.md": props.page(),
        DOCS / "reference" / "warnings-and-guardrails.md": ids.page(),
        DOCS / "reference" / "commands.md": commands.page(),
        **{DOCS / "pictures" / f"{name}.svg": pictures.svg(drawing) for name, drawing in pictures.drawings().items()},
    }


if __name__ == "__main__":
    for path, content in made().items():
        path.write_text(content, encoding="utf-8")
    if not screenshot.is_current(SCREENSHOT):
        screenshot.take(SCREENSHOT)
