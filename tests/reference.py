"""What is made of the rows of props: the JSON Schema of cmek.yaml, and README's tables.

``python -m tests.reference`` writes both; `scripts/schema` runs it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from cmek_construct import props
from cmek_construct.constructs import stack_set
from cmek_construct.deployment.config import json_schema
from cmek_construct.props import Prop

ROOT = Path(__file__).parent.parent
SCHEMA = ROOT / "cmek_construct" / "deployment" / "cmek.schema.json"
README = ROOT / "README.md"
TABLES: dict[str, Sequence[Prop]] = {
    "PineconeCmek": props.CMEK,
    "PineconeCmekStackSet": stack_set.OF_THE_SET,
}


def table(construct: str) -> str:
    """A row for each prop."""
    lines = [f"| `{construct}` | shape; default | what it does |", "| --- | --- | --- |"]
    for row in TABLES[construct]:
        default = row.default or "no default"
        form = " of ".join(filter(None, [row.cdk and f"`{row.cdk}`", row.shape]))
        cells = (f"`{row.name}`", f"{form}; {default}", row.says)
        lines.append(f"| {' | '.join(cells)} |".replace("``", "`"))
    return "\n".join(lines)


def schema() -> str:
    """The schema as the file has it."""
    return json.dumps(json_schema(), indent=2) + "\n"


def readme(text: str) -> str:
    """README with its tables written anew."""
    for construct in TABLES:
        rows = rf"^\| `{construct}` \|.*\n(\|.*\n)+"
        text = re.sub(rows, lambda _, name=construct: table(name) + "\n", text, flags=re.MULTILINE)  # type: ignore[misc]
    return text


if __name__ == "__main__":
    SCHEMA.write_text(schema(), encoding="utf-8")
    README.write_text(readme(README.read_text(encoding="utf-8")), encoding="utf-8")
