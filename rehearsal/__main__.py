"""The command line of the rehearsal: plays the acts in their order."""

from __future__ import annotations

import shutil
import signal
import sys
import time
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from rehearsal import accounts, customers, emulator
from rehearsal.accounts import BY_CDK, REVIEWED
from rehearsal.acts import (
    adopting,
    changing,
    checking,
    deploying,
    destroying,
    documents,
    enforcement,
    entering,
    failing,
    fleet,
    folder,
    life,
    locking,
    plain,
    retiring,
    ruling,
    selecting,
    sheet,
    sides,
    using,
    vendor,
    who,
)
from rehearsal.aws import Aws
from rehearsal.keeping import show_how_to_look_around
from rehearsal.paths import WORK
from rehearsal.project import Project
from rehearsal.report import CannotGoOnError, Report
from rehearsal.world import World

_ACTS = (
    *(enforcement, deploying, documents, entering, using, who, locking, selecting),
    *(changing, life, failing, destroying, adopting, retiring),
    *(vendor, sides, ruling, checking, fleet, plain, folder),
)

cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@cli.command()
def rehearse(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the rows as JSON on stdout; progress on stderr.")
    ] = False,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Leave the emulator running, and say how to look around."),
    ] = False,
) -> None:
    """Deploy to an AWS that is pretended on loopback, and ask it who gets in.

    No AWS account is needed and none is reached. Exit code 0: every answer was as expected;
    1: one was not, or something failed.
    """
    for ending in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(ending) is not signal.SIG_IGN:  # as nohup sets it
            signal.signal(ending, _end)
    started = time.monotonic()
    report = Report(as_json=as_json)
    shutil.rmtree(WORK, ignore_errors=True)
    with report.step("the emulator's environment"):
        emulator.install()
    with emulator.running(WORK / "emulator", keep=keep) as running:
        shown = _play(running.endpoint, report)
        report.end(time.monotonic() - started)
        if not as_json:
            print(f"\n{shown}", end="")
        if keep:
            show_how_to_look_around(report.console, running)
    raise typer.Exit(1 if report.wrong else 0)


def _play(endpoint: str, report: Report) -> str:
    """Play all acts. Returns the sheet, or nothing where the play could not go on."""
    aws = Aws(endpoint)
    world = World(
        aws,
        report,
        app=Project(WORK / "app", aws, BY_CDK),
        reviewed=Project(WORK / "reviewed", aws, [REVIEWED]),
        vendor=Project(WORK / "vendor", aws, []),
    )
    accounts.make_roles(aws)
    customers.make_roles(aws)
    try:
        for act in _ACTS:
            act.play(world)
        return sheet.play(world)
    except (CannotGoOnError, ClientError, BotoCoreError) as error:
        report.row("the rehearsal comes to its end", "yes", "no")
        report.console.print(f"\n{error}", markup=False)
        return ""


def _end(number: int, _frame: Any) -> None:
    """Leave as if something had failed: whatever was started is stopped."""
    sys.exit(128 + number)


if __name__ == "__main__":
    cli(prog_name="scripts/rehearse")
