"""`cmek sheet --fleet`: the options, the table, the file."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cmek_construct.constructs.stack_set_targets import CALL_AS
from cmek_construct.operations.fleet.instances import Ask, Row, read

ROLE = "OrganizationAccountAccessRole"

Fleet = Annotated[
    str | None,
    typer.Option(
        metavar="STACK_SET",
        help="All accounts of this stack set of a PineconeCmekStackSet, in place of cmek.yaml.",
    ),
]
Role = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help=f"With --fleet: the role to take on in each account. Default: {ROLE}."
    ),
]
Region = Annotated[
    str | None,
    typer.Option(
        metavar="REGION", help="With --fleet: the region of the set. Default: the profile's."
    ),
]
CallAs = Annotated[
    str | None,
    typer.Option(
        metavar="|".join(CALL_AS),
        help="With --fleet: DELEGATED_ADMIN from a delegated administrator's account.",
    ),
]
AsCsv = Annotated[bool, typer.Option("--csv", help="With --fleet: print CSV.")]

_COLUMNS = {
    "account": "Account",
    "region": "Region",
    "role_arn": "Role ARN",
    "key_arn": "Key ARN",
    "external_id": "External ID",
    "status": "Status",
}
_WIDE = 10_000
"""Columns of the terminal that the table is laid out for: no value is ever broken or cut."""


def only_with_fleet(**given: object) -> None:
    """Refuse options that are for ``--fleet`` alone."""
    for name, value in given.items():
        if value:
            raise typer.BadParameter("it is for --fleet alone", param_hint=_option(name))


def not_with_fleet(**given: object) -> None:
    """Refuse options that are for a stack of cmek.yaml."""
    for name, value in given.items():
        if value:
            raise typer.BadParameter("it is not for --fleet", param_hint=_option(name))


def _option(name: str) -> str:
    return "NAME" if name == "name" else f"--{name.replace('_', '-')}"


def show(ask: Ask, *, as_csv: bool, as_json: bool) -> list[str]:
    """Print what to paste for every account.

    Returns:
        What is wrong, account by account.
    """
    if ask.call_as not in (None, *CALL_AS):
        raise typer.BadParameter(f"it is {' or '.join(CALL_AS)}", param_hint="--call-as")
    if as_csv and as_json:
        raise typer.BadParameter("choose --csv or --json", param_hint="--csv")
    rows = read(ask)
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], indent=2))
    elif as_csv:
        _csv(rows)
    else:
        _table(rows)
    return [f"{row.account}: {row.problem}." for row in rows if row.problem]


def _cells(row: Row) -> dict[str, str]:
    cells = {column: getattr(row, column) or "" for column in _COLUMNS}
    if row.problem:
        cells["status"] = ": ".join(filter(None, (row.status, row.problem)))
    return cells


def _csv(rows: Sequence[Row]) -> None:
    writer = csv.DictWriter(sys.stdout, list(_COLUMNS), lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(_cells, rows))


def _table(rows: Sequence[Row]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in _COLUMNS.values():
        table.add_column(heading, no_wrap=True)
    for row in rows:
        cells = _cells(row)
        if not row.problem and row.external_id is None:
            cells["external_id"] = "(leave blank)"
        table.add_row(*cells.values())
    Console(highlight=False, markup=False, emoji=False, width=_WIDE).print(table)
