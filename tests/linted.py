"""What cfn-lint finds, in this process: in one of its own it imports for as long as it looks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cmek_construct import PINECONE_REGIONS


def lint(folder: Path) -> list[Any]:
    """What it finds in the templates of a folder, also the hints, in every region of the guide."""
    # Its import takes seconds: a worker that has no test of it is spared them.
    from cfnlint.api import lint_by_config
    from cfnlint.config import ManualArgs

    files = [str(file) for file in sorted(folder.iterdir())]
    checks = ManualArgs(templates=files, include_checks=["I"], regions=[*PINECONE_REGIONS])
    return list(lint_by_config(checks))
