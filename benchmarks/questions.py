"""The questions of the benchmark, each with its answer in figures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from benchmarks import accounts
from benchmarks.apps import BARE, BARE_PYTHON, OURS, App, all_apps, write_by_hand, write_empty, write_ours
from benchmarks.crowds import CROWDS
from benchmarks.measure import OUTPUT, UNVALIDATED, Cost, Trial, kernel_messages, least, run
from benchmarks.same import check_same, essence

BY_HAND = "by hand"
EMPTY = "an empty stack"
_CDK = "import aws_cdk, aws_cdk.aws_iam, aws_cdk.aws_kms"


class Bench:
    """Runs the apps in folders of its own."""

    def __init__(self, folder: Path, rounds: int, regions: int, tell: Callable[[str], None]) -> None:
        """Work in a folder; tell a person what is running."""
        self._folder = folder
        self._regions = regions
        self._rounds = rounds
        self._tell = tell

    def check_same(self) -> None:
        """Every app makes the same; also warms the caches of Python and jsii.

        Raises:
            RuntimeError: one app makes something else than ours.
        """
        folder = self._accounts(2)
        made = {}
        for app in all_apps():
            self._tell(f"do all apps make the same? {app.name}")
            run(_trial(app, folder))
            made[app.name] = essence(folder / OUTPUT)
        check_same(made)

    def compare(self, count: int) -> dict[str, Cost]:
        """What do so many accounts cost, by each app?"""
        folder = self._accounts(count)
        return self._least(_trial(app, folder) for app in all_apps())

    def messages(self) -> dict[str, int]:
        """How many kernel messages does one more account cost?"""
        self._tell("kernel messages")
        python = [app for app in all_apps() if app.name in (OURS, BARE_PYTHON)]
        two, three = self._accounts(2), self._accounts(3)
        return {app.name: kernel_messages(_trial(app, three)) - kernel_messages(_trial(app, two)) for app in python}

    def validated(self, count: int) -> dict[str, Cost]:
        """What do they cost with CDK's built-in validation on, as it is when shipped?"""
        folder = self._accounts(count)
        return self._least(
            _trial(app, folder, CDK_VALIDATION="true") for app in all_apps() if app.name in (OURS, BARE_PYTHON)
        )

    def synth(self) -> dict[str, dict[str, Cost]]:
        """What does a person wait for, who types `npx cdk synth` for one account?"""
        writers = {OURS: write_ours, BY_HAND: write_by_hand, EMPTY: write_empty}
        folders = {name: self._by_cli(name, write) for name, write in writers.items()}
        return {
            validation: self._least(
                Trial(name, ("npx", "cdk", "synth"), folder, environment) for name, folder in folders.items()
            )
            for validation, environment in {"as written": {}, "off in both": UNVALIDATED}.items()
        }

    def _by_cli(self, name: str, write_app: Callable[[Path], None]) -> Path:
        folder = self._folder / f"cdk synth, {name}"
        accounts.write(folder, 1, self._regions)
        write_app(folder)
        return folder

    def only(self, count: int) -> dict[str, Cost]:
        """What does one entry of many cost, beside one of one?"""
        [ours] = [app for app in all_apps() if app.name == OURS]
        named = replace(ours, context={**ours.context, "only": accounts.name(count // 2)})
        return self._least(
            [_trial(ours, self._accounts(1), "one of one"), _trial(named, self._accounts(count), "one of many")]
        )

    def linear(self, *counts: int) -> dict[int, Cost]:
        """Does an account cost the same among more of them?"""
        [ours] = [app for app in all_apps() if app.name == OURS]
        costs = self._least(_trial(ours, self._accounts(count), str(count)) for count in counts)
        return {int(count): cost for count, cost in costs.items()}

    def imports(self) -> dict[str, Cost]:
        """What does the import of the library cost over that of the CDK?"""
        folder = self._accounts(1)
        statements = {"the CDK": _CDK, "the library": f"{_CDK}\nfrom cmek_construct import *"}
        return self._least(
            (Trial(name, ("python3", "-c", said), folder) for name, said in statements.items()), rounds=4 * self._rounds
        )

    def crowds(self) -> dict[str, Cost]:
        """What do hundreds of customers of a role cost, or of accounts of a stack set?"""
        script = str(BARE / "crowds.py")
        return self._least(Trial(crowd, ("python3", script, crowd), self._accounts(1), UNVALIDATED) for crowd in CROWDS)

    def _least(self, trials: Iterable[Trial], rounds: int | None = None) -> dict[str, Cost]:
        return least(trials, rounds or self._rounds, self._tell)

    def _accounts(self, count: int) -> Path:
        folder = self._folder / f"{count} accounts"
        return folder if folder.exists() else accounts.write(folder, count, self._regions)


def _trial(app: App, folder: Path, name: str | None = None, **environment: str) -> Trial:
    context = {"CDK_CONTEXT_JSON": json.dumps(app.context)}
    return Trial(name or app.name, app.command, folder, UNVALIDATED | context | environment)
