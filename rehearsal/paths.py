"""Where things are in this checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
"""The checkout."""

BIN: Final = ROOT / ".venv" / "bin"
"""Python, `cmek` and Node, as scripts/setup makes them."""

CDK: Final = ROOT / "node_modules" / "aws-cdk"
"""The CDK CLI that package-lock.json pins."""

EMULATOR: Final = ROOT / ".venv-emulator"
"""The emulator's own environment: it pins a botocore that is not ours."""

WORK: Final = ROOT / ".rehearsal"
"""Everything that a run writes. Emptied at the start of the next, so one runs at a time."""
