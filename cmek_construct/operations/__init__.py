"""What a person runs before and after a deploy: the `cmek` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run `cmek`, or say which extra it needs."""
    try:
        from cmek_construct.operations.cli import cli
    except ModuleNotFoundError as error:
        sys.exit(f"cmek: {error.name} is not installed. Run: pip install 'cmek-construct[cli]'")
    cli()
