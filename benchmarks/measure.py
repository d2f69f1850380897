"""What a command costs, with all the processes that it starts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.apps import ROOT, javascript_packages

OUTPUT = "cdk.out"
UNVALIDATED = {"CDK_VALIDATION": "false"}
_MEBIBYTE = 1024**2 if sys.platform == "darwin" else 1024  # in the unit of ru_maxrss


@dataclass(frozen=True)
class Cost:
    """What one run took, or the least of several."""

    cpu: float
    """Seconds, user and system, of the command and all its descendants."""
    wall: float
    """Seconds."""
    memory: float
    """MiB: the peak resident set of the largest process. Python and Node are not added."""


@dataclass(frozen=True)
class Trial:
    """A command in a folder."""

    name: str
    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)


def least(trials: Iterable[Trial], rounds: int, tell: Callable[[str], None]) -> dict[str, Cost]:
    """The least cost of each trial. They take turns, so that a busy minute hits them alike."""
    trials = list(trials)
    costs: dict[str, list[Cost]] = {trial.name: [] for trial in trials}
    for number in range(1, rounds + 1):
        for trial in trials:
            tell(f"{trial.folder.name}: {trial.name}, round {number} of {rounds}")
            costs[trial.name].append(run(trial))
    return {
        name: Cost(
            cpu=min(cost.cpu for cost in several),
            wall=min(cost.wall for cost in several),
            memory=min(cost.memory for cost in several),
        )
        for name, several in costs.items()
    }


def run(trial: Trial) -> Cost:
    """Run once.

    Raises:
        RuntimeError: the command failed; says what it wrote.
    """
    shutil.rmtree(trial.folder / OUTPUT, ignore_errors=True)
    said = trial.folder / "stderr"
    with said.open("wb") as stderr:
        start = time.perf_counter()
        process = subprocess.Popen(
            trial.command,
            cwd=trial.folder,
            env=_environment() | dict(trial.environment),
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{trial.name} ended with {process.returncode}:\n{said.read_text()}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / _MEBIBYTE)


def kernel_messages(trial: Trial) -> int:
    """How many requests the app sends to the jsii kernel, by jsii's own debug log."""
    run(replace(trial, environment={**trial.environment, "JSII_DEBUG": "1"}))
    lines = (trial.folder / "stderr").read_bytes().splitlines()
    return sum(line.startswith(b"> {") for line in lines)


def _environment() -> dict[str, str]:
    """This one's, without what steers Python, Node, jsii and the CDK, and quick."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "NODE_", "JSII_", "CDK_"))
    }
    return kept | {
        "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "NODE_PATH": str(javascript_packages()),
        "CDK_OUTDIR": OUTPUT,
    }
