"""The `cmek` command, one file a command: its options, what it runs, and what it prints."""

from __future__ import annotations

import sys


def main() -> None:
    """Run `cmek`, or say which extra it needs; Ctrl-C ends it quietly from the first moment on."""
    try:
        from cmek_construct.commands.app import cli

        cli()
    except ModuleNotFoundError as error:
        sys.exit(f"cmek: {error.name} is not installed. Run: pip install 'cmek-construct[cli]'")
    except KeyboardInterrupt:
        sys.exit(130)
