"""The figures as tables for a person, and as JSON for a machine."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.apps import BARE_PYTHON, OURS, UNGUARDED
from benchmarks.measure import Cost

Costs = dict[str, Cost]


@dataclass
class Report:
    """All answers. What was not asked is empty."""

    regions: int
    """So many are in each account's trust policy."""
    compared: dict[int, Costs] = field(default_factory=dict)
    messages: dict[str, int] = field(default_factory=dict)
    synth: dict[str, Costs] = field(default_factory=dict)
    validated: dict[int, Costs] = field(default_factory=dict)
    only: dict[int, Costs] = field(default_factory=dict)
    imports: Costs = field(default_factory=dict)
    crowds: Costs = field(default_factory=dict)
    linear: dict[int, Cost] = field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        """Seconds, MiB, and for each app the ratio of ours to it."""
        return asdict(self) | {
            "ratios": {
                count: {name: asdict(ratio(costs[OURS], cost)) for name, cost in costs.items()}
                for count, costs in self.compared.items()
            }
        }

    def show(self, console: Console) -> None:
        """Print the tables, then a line for each other question."""
        console.print(
            "ratio: ours divided by the app of the line. CPU: of all processes of an app. MiB: the peak of the "
            "largest of them. messages: to the jsii kernel, for one account more.\n"
        )
        for count, costs in self.compared.items():
            console.print(self._comparison(count, costs))
        for line in self._lines():
            console.print(line, highlight=False)

    def _comparison(self, count: int, costs: Costs) -> Table:
        title = f"{_accounts(count)}, each for {self.regions} regions; CDK_VALIDATION=false"
        table = Table(title=title, title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0))
        table.add_column("app", no_wrap=True)
        for heading in ("CPU s", "wall s", "MiB", "messages"):
            table.add_column(heading, justify="right")
            table.add_column("ratio", justify="right", style="bold")
        for name, cost in costs.items():
            ours_to_it = ratio(costs[OURS], cost)
            own = self.messages.get(name)
            table.add_row(
                name,
                f"{cost.cpu:.2f}",
                f"{ours_to_it.cpu:.2f}",
                f"{cost.wall:.2f}",
                f"{ours_to_it.wall:.2f}",
                f"{cost.memory:.0f}",
                f"{ours_to_it.memory:.2f}",
                f"{own}" if own else "",
                f"{self.messages[OURS] / own:.2f}" if own else "",
            )
        return table

    def _lines(self) -> list[str]:
        lines = []
        for count, costs in self.compared.items():
            ours = costs[OURS].cpu
            share = (ours - costs[UNGUARDED].cpu) / ours
            lines.append(f"The guardrails' share of the CPU, {_accounts(count)}: {share:.0%}.")
        for validation, costs in self.synth.items():
            own, hand, empty = (cost.wall for cost in costs.values())
            lines.append(
                f"`npx cdk synth` of 1 account, CDK's validation {validation}: ours {own:.2f} s wall, by hand "
                f"{hand:.2f} s, ratio {own / hand:.2f}; of one empty stack {empty:.2f} s, ratio {empty / hand:.2f}."
            )
        for count, costs in self.validated.items():
            ours, bare = costs[OURS].cpu, costs[BARE_PYTHON].cpu
            lines.append(
                f"With CDK's validation on, {_accounts(count)}: ours {ours:.2f} s CPU, "
                f"{BARE_PYTHON} {bare:.2f} s, ratio {ours / bare:.2f}."
            )
        for count, costs in self.only.items():
            one, of_many = (cost.cpu for cost in costs.values())
            lines.append(
                f"One entry of {count:,} (-c only=NAME): {of_many:.2f} s CPU; of a file of one: "
                f"{one:.2f} s, ratio {of_many / one:.2f}."
            )
        if self.imports:
            cdk, library = self.imports.values()
            lines.append(
                f"The import of the library: {library.cpu - cdk.cpu:.3f} s CPU, {library.wall - cdk.wall:.3f} s wall, "
                f"over that of aws_cdk with iam and kms ({cdk.cpu:.2f} s CPU, {cdk.wall:.2f} s wall)."
            )
        if self.crowds:
            (nobody, alone), *crowds = self.crowds.items()
            lines += [
                f"{name}: {cost.wall:.1f} s wall, ratio to {nobody} {cost.wall / alone.wall:.2f}."
                for name, cost in crowds
            ]
        if self.linear:
            (few, fewer), (many, more) = self.linear.items()
            lines.append(
                f"CPU of an account: {1000 * fewer.cpu / few:.2f} ms of {few:,}, {1000 * more.cpu / many:.2f} ms of "
                f"{many:,}, ratio {more.cpu * few / fewer.cpu / many:.2f}."
            )
        return lines


def ratio(one: Cost, other: Cost) -> Cost:
    """One, divided by the other."""
    return Cost(one.cpu / other.cpu, one.wall / other.wall, one.memory / other.memory)


def _accounts(count: int) -> str:
    return f"{count:,} account{'' if count == 1 else 's'}"
