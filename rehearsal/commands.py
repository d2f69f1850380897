"""Types commands, as a person would: in a folder, with credentials in the environment.

The CDK CLI and `cmek` take longer to start than to do what is asked of them here. So both are loaded once, by
loaded_cdk.cjs and loaded_cmek.py, and run one command after another.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import IO, Final

from rehearsal.paths import BIN, CDK, ROOT

LOG: Final = "commands.log"
"""In the folder of the command: what was run there, and what it said."""

_STARTED: Final = {"cdk": CDK / "bin" / "cdk", "cmek": BIN / "cmek"}
_LOADED: Final[Mapping[str, Sequence[str | Path]]] = {
    "cdk": (BIN / "node", ROOT / "rehearsal" / "loaded_cdk.cjs", CDK / "lib" / "index.js"),
    "cmek": (BIN / "python", "-m", "rehearsal.loaded_cmek"),
}
_AT_A_TIME: Final = 2
"""Commands of one program; more would wait for the processor."""


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    exit_code: int
    stdout: str
    stderr: str

    def __str__(self) -> str:
        """For a row of the report."""
        return f"exit code {self.exit_code}"

    @property
    def said(self) -> str:
        """The end of what it said, for a person who wants to know why."""
        return "\n".join([*self.stdout.splitlines()[-20:], *self.stderr.splitlines()[-40:]])


class Shell:
    """Where commands are typed. What it loads is ended by `close`."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Begin to load.

        Args:
            environment: of what is loaded; each command has its own.
        """
        self._loaded: list[subprocess.Popen[str]] = []
        self._idle: dict[str, Queue[tuple[IO[str], IO[str]]]] = {}
        for program, loader in _LOADED.items():
            self._idle[program] = Queue()
            for _ in range(_AT_A_TIME):
                process = subprocess.Popen(
                    loader,
                    cwd=ROOT,
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    # Ctrl-C is for the rehearsal, which ends them.
                    start_new_session=True,
                )
                assert process.stdin is not None
                assert process.stdout is not None
                self._loaded.append(process)
                self._idle[program].put((process.stdin, process.stdout))

    def run(
        self, folder: Path, environment: Mapping[str, str], *command: str, typed: str = "", started: bool = False
    ) -> Ended:
        """Run a command and wait for its end.

        Args:
            folder: where.
            environment: all that it inherits.
            command: `cdk` or `cmek`, and its arguments.
            typed: what a person answers to its questions.
            started: True starts the program for this command, as a person does.
        """
        run = _start if started else self._ask
        ended = run(folder, environment, command, typed)
        with (folder / LOG).open("a", encoding="utf-8") as log:
            log.write(f"$ {shlex.join(command)}\n{ended.stdout}{ended.stderr}\n")
        return ended

    def _ask(self, folder: Path, environment: Mapping[str, str], command: tuple[str, ...], typed: str) -> Ended:
        asked = {"folder": str(folder), "environment": environment}
        asked |= {"command": command, "typed": typed}
        loaded = self._idle[command[0]].get()
        try:
            to_it, from_it = loaded
            to_it.write(f"{json.dumps(asked)}\n")
            to_it.flush()
            answered = from_it.readline()
        finally:
            self._idle[command[0]].put(loaded)
        if not answered:
            raise RuntimeError(f"`{command[0]}` ended before it answered: {shlex.join(command)}")
        return Ended(**json.loads(answered))

    def close(self) -> None:
        """End what was loaded, with all that it has started."""
        for process in self._loaded:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _start(folder: Path, environment: Mapping[str, str], command: tuple[str, ...], typed: str) -> Ended:
    ran = subprocess.run(
        [_STARTED[command[0]], *command[1:]], cwd=folder, env=environment, input=typed, capture_output=True, text=True
    )
    return Ended(ran.returncode, ran.stdout, ran.stderr)
