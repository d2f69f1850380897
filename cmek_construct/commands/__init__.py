"""The `cmek` command, one file a command: its options, what it runs, and what it prints."""

import io
import os
import sys


def main() -> None:
    """Run `cmek`, or say which extra it needs. Ctrl-C ends it at once, and without a word."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # no letter that the terminal lacks ends a command halfway
    try:
        from cmek_construct.commands.app import cli

        cli()
    except ModuleNotFoundError as error:
        sys.exit(
            f"cmek: {error.name} is not installed: it comes with the extra `cli` of cmek-construct. Install that from "
            "the wheel that you have, such as pip install './cmek_construct-…-py3-none-any.whl[cli]'"
        )
    except KeyboardInterrupt:
        os._exit(130)
    except SystemExit as end:
        if end.code == 130:
            os._exit(130)  # nobody waits for what other threads ask of AWS
        raise
