"""The command line of the rehearsal: plays the acts in their order."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import replace
from typing import Annotated, Any, Final, TypeAlias

import typer
from botocore.exceptions import BotoCoreError, ClientError

from rehearsal import accounts, emulator
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
    faults,
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
from rehearsal.aws import Aws, clean_environment
from rehearsal.commands import Shell
from rehearsal.keeping import show_how_to_look_around
from rehearsal.paths import WORK
from rehearsal.project import Project
from rehearsal.report import CannotGoOnError, Report
from rehearsal.world import World

_Lane: TypeAlias = Sequence[Callable[[World], object]]
_SCENES: Final[Sequence[Sequence[_Lane]]] = (
    [(enforcement.play,)],
    [
        (deploying.play, documents.play, entering.play, using.play, who.play, changing.play),
        (vendor.play, sides.play, ruling.play, checking.play),
        (selecting.play, fleet.play, plain.play, folder.play),
    ],
    [
        (life.play, faults.play, failing.update),
        (destroying.play, adopting.play),
        (failing.first_deploy, locking.play, retiring.play),
    ],
)
"""Scene after scene, and then the sheet. The lanes of one are played at the same time: each has stacks and a folder
of its own."""

cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@cli.command()
def rehearse(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the rows as JSON on stdout; progress on stderr.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the emulator running, and say how to look around.")
    ] = False,
) -> None:
    """Deploy to an AWS that is pretended on loopback, and ask it who gets in.

    No AWS account is needed and none is reached. Exit code 0: every answer was as expected; 1: one was not, or
    something failed.
    """
    for ending in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(ending) is not signal.SIG_IGN:  # as nohup sets it
            signal.signal(ending, _end)
    report = Report(as_json=as_json)
    shutil.rmtree(WORK, ignore_errors=True)
    with report.live(), report.step("the emulator's environment"):
        emulator.install()
    with closing(Shell(clean_environment())) as shell, emulator.running(WORK / "emulator", keep=keep) as running:
        with report.live():
            shown = _play(running.endpoint, shell, report)
        report.end()
        if not as_json:
            print(f"\n{shown}", end="")
        if keep:
            show_how_to_look_around(report.console, running)
    raise typer.Exit(1 if report.wrong else 0)


def _play(endpoint: str, shell: Shell, report: Report) -> str:
    """Play all acts. Returns the sheet, or nothing where the play could not go on."""
    aws = Aws(endpoint)
    world = World(
        aws,
        shell,
        report,
        app=Project(WORK / "app", BY_CDK),
        reviewed=Project(WORK / "reviewed", [REVIEWED]),
        vendor=Project(WORK / "vendor", []),
    )
    accounts.make_roles(aws)
    try:
        for number, lanes in enumerate(_SCENES):
            _play_lanes(world, number, lanes)
        return sheet.play(replace(world, report=report.lane()))
    except (CannotGoOnError, ClientError, BotoCoreError) as error:
        report.row("the rehearsal comes to its end", "yes", "no")
        report.console.print(f"\n{error}", markup=False)
        return ""


def _play_lanes(world: World, scene: int, lanes: Sequence[_Lane]) -> None:
    """Play one scene to its end, whatever becomes of a lane."""

    def play(number: int, lane: _Lane, report: Report) -> None:
        own = world.app.copy(WORK / f"app-{scene}-{number}") if number else world.app
        for act in lane:
            act(replace(world, app=own, report=report))

    pool = ThreadPoolExecutor()
    try:
        played = [pool.submit(play, number, lane, world.report.lane()) for number, lane in enumerate(lanes)]
        wait(played)
        for lane in played:
            lane.result()
    finally:
        # Whoever ends it does not wait: with the emulator, what a lane runs comes to its end.
        pool.shutdown(wait=False, cancel_futures=True)


def _end(number: int, _frame: Any) -> None:
    """Leave as if something had failed: whatever was started is stopped."""
    sys.exit(128 + number)


if __name__ == "__main__":
    cli(prog_name="scripts/rehearse")
