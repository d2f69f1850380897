"""The `cmek` command in this process: a second less each time than in one of its own."""

from __future__ import annotations

import functools
import os
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from typer import testing

from cmek_construct.commands.app import cli

# Each run would make all commands anew, which takes as long as most of them do.
testing._get_command = functools.cache(testing._get_command)  # type: ignore[attr-defined]

INSTALLED = Path(sysconfig.get_path("scripts")) / "cmek"
"""The command as it is installed, for the few tests that need a process of its own."""


@dataclass(frozen=True)
class Printed:
    """What the command printed."""

    stdout: str
    stderr: str


def cmek(folder: Path, *arguments: str, answers: str | None = None, code: int = 0) -> Printed:
    """Run the command in a folder; an exception is no answer."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        done = testing.CliRunner().invoke(cli, list(arguments), input=answers, catch_exceptions=False)
    finally:
        os.chdir(before)
    assert done.exit_code == code, done.output
    return Printed(done.stdout, done.stderr)
