"""The figures as tables for a person, and as JSON for a machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.apps import BARE_PYTHON, OURS
from benchmarks.measure import Cost

Costs = dict[str, Cost]


@dataclass
class Report:
    """All answers. What was not asked is empty."""

    compared: dict[int, Costs] = field(default_factory=dict)
    messages: dict[str, int] = field(default_factory=dict)
    validated: dict[int, Costs] = field(default_factory=dict)
    only: dict[int, Costs] = field(default_factory=dict)
    imports: Costs = field(default_factory=dict)
    linear: Costs = field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        """Seconds, MiB, and for each app the ratio of ours to it."""
        found = asdict(self)
        found["ratios"] = {
            count: {name: asdict(ratio(costs[OURS], cost)) for name, cost in costs.items()}
            for count, costs in self.compared.items()
        }
        return found

    def show(self, console: Console) -> None:
        """Print the tables."""
        console.print(
            "CPU: of all processes of an app. MiB: peak memory of the largest of them. msgs: "
            "messages to the jsii kernel that one more account costs. ours/it: ours in the app's."
        )
        for count, costs in self.compared.items():
            console.print(_comparison(count, costs, self.messages))
        for count, costs in self.validated.items():
            ours, bare = costs[OURS], costs[BARE_PYTHON]
            console.print(
                f"With CDK's validation on, {_accounts(count)}: ours {ours.cpu:.2f} s CPU, "
                f"{BARE_PYTHON} {bare.cpu:.2f} s, ratio {ours.cpu / bare.cpu:.2f}."
            )
        for count, costs in self.only.items():
            one, of_many = costs.values()
            console.print(
                f"One entry of {count:,} (`-c only=NAME`): {of_many.cpu:.2f} s CPU; of a file of "
                f"one: {one.cpu:.2f} s, ratio {of_many.cpu / one.cpu:.2f}."
            )
        if self.imports:
            cdk, library = self.imports.values()
            console.print(
                f"The import of the library: {library.wall - cdk.wall:.3f} s wall, "
                f"{library.cpu - cdk.cpu:.3f} s CPU, over aws_cdk's with iam and kms "
                f"({cdk.wall:.2f} s wall)."
            )
        if self.linear:
            (few, fewer), (many, more) = self.linear.items()
            per_few, per_many = fewer.cpu / _count(few), more.cpu / _count(many)
            console.print(
                f"CPU of an account: {1000 * per_few:.2f} ms of {few}, {1000 * per_many:.2f} ms "
                f"of {many}, ratio {per_many / per_few:.2f}."
            )


def ratio(one: Cost, other: Cost) -> Cost:
    """How often the other one goes into one."""
    return Cost(one.cpu / other.cpu, one.wall / other.wall, one.memory / other.memory)


def _comparison(count: int, costs: Costs, messages: Mapping[str, int]) -> Table:
    table = Table(title=f"{_accounts(count)}, CDK_VALIDATION=false", title_justify="left")
    table.add_column("app")
    for heading in ("CPU s", "wall s", "MiB", "msgs"):
        table.add_column(heading, justify="right")
    for heading in ("CPU", "wall", "MiB", "msgs"):
        table.add_column(f"ours/it\n{heading}", justify="right", style="bold")
    for name, cost in costs.items():
        ours_to_it = ratio(costs[OURS], cost)
        own = messages.get(name)
        table.add_row(
            name,
            f"{cost.cpu:.2f}",
            f"{cost.wall:.2f}",
            f"{cost.memory:.0f}",
            f"{own}" if own else "",
            f"{ours_to_it.cpu:.2f}",
            f"{ours_to_it.wall:.2f}",
            f"{ours_to_it.memory:.2f}",
            f"{messages[OURS] / own:.2f}" if own else "",
        )
    return table


def _accounts(count: int) -> str:
    return f"{count:,} account{'' if count == 1 else 's'}"


def _count(accounts: str) -> int:
    return int(accounts.split()[0].replace(",", ""))
