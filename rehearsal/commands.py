"""Runs a command as a person would: in a folder, with credentials in its environment."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LOG: Final = "commands.log"
"""In the folder of the command: what was run there, and what it said."""


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    exit_code: int
    stdout: str
    stderr: str

    def __str__(self) -> str:
        """For a row of the report."""
        return f"exit code {self.exit_code}"


def run(
    folder: Path, environment: Mapping[str, str], command: Path, *arguments: str, typed: str = ""
) -> Ended:
    """Run a command and wait for its end.

    Args:
        folder: where.
        environment: all that it inherits.
        command: the program.
        arguments: of the program.
        typed: what a person answers to its questions.
    """
    ran = subprocess.run(
        [command, *arguments],
        cwd=folder,
        env=environment,
        input=typed,
        capture_output=True,
        text=True,
    )
    with (folder / LOG).open("a", encoding="utf-8") as log:
        log.write(f"$ {command.name} {shlex.join(arguments)}\n{ran.stdout}{ran.stderr}\n")
    return Ended(ran.returncode, ran.stdout, ran.stderr)
