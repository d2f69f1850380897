"""The command of `scripts/bench`."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.questions import Bench
from benchmarks.report import Report

_MANY = 1_000


def main(
    accounts: Annotated[
        list[int] | None, typer.Option(min=1, help="How many; can be given several times. Default: 1, 100, 1000.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each app; the least of them counts.")] = 3,
    regions: Annotated[
        int, typer.Option(min=1, max=5, help="Regions in each trust policy: bare L2s pay for each.")
    ] = 2,
    linear: Annotated[bool, typer.Option("--linear", help="Also 1,000 against 5,000 accounts: takes minutes.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Figures for a machine.")] = False,
) -> None:
    """What our app costs, beside the same accounts by bare L2s in Python and in JavaScript.

    The apps take turns in one run. Ratios are what to look at: seconds are this machine's.
    """
    counts = accounts or [1, 100, _MANY]
    with tempfile.TemporaryDirectory(prefix="cmek-bench-") as folder, Console(stderr=True).status("…") as status:
        bench = Bench(Path(folder), rounds, regions, status.update)
        try:
            report = _ask(bench, regions, counts, linear)
        except RuntimeError as error:
            sys.exit(str(error))
    if as_json:
        print(json.dumps(report.data(), indent=2))
    else:
        report.show(Console())


def _ask(bench: Bench, regions: int, counts: list[int], linear: bool) -> Report:
    bench.check_same()
    most = max(counts)
    return Report(
        regions=regions,
        messages=bench.messages(),
        compared={count: bench.compare(count) for count in counts},
        synth=bench.synth(),
        validated={most: bench.validated(most)},
        only={most: bench.only(most)},
        imports=bench.imports(),
        crowds=bench.crowds(),
        linear=bench.linear(_MANY, 5 * _MANY) if linear else {},
    )


typer.run(main)
