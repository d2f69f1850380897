"""The command line of the retirement: `cmek retire`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Annotated

import typer

from cmek_construct import checks
from cmek_construct.deployment.reading import ConfigError
from cmek_construct.operations.doctor.cli import Profile
from cmek_construct.operations.options import checked
from cmek_construct.operations.project.cli import Name
from cmek_construct.operations.retiring import retire as retiring
from cmek_construct.operations.retiring.retire import Ask, RetireError

cli = typer.Typer(rich_markup_mode=None)

Role = Annotated[
    str | None,
    checked(
        checks.role_arn,
        "role",
        metavar="ARN",
        help="A role of the stack's account to act as. It needs cloudformation:DescribeStacks, "
        "kms:DescribeKey, kms:GetKeyPolicy, iam:GetRole and cloudtrail:LookupEvents; to change "
        "something, kms:ScheduleKeyDeletion, or kms:CancelKeyDeletion and kms:EnableKey.",
    ),
]


@cli.command(
    epilog="Exit codes: 0 the checklist has nothing wrong, or what was asked for is done; 1 "
    "something is wrong or not to be read, or it was refused; 2 wrong usage."
)
def retire(
    name: Name,
    schedule_deletion: Annotated[
        bool,
        typer.Option(
            "--schedule-deletion",
            help="Order the deletion of the key, 30 days from now, if all before it is done. Asks "
            "for the name to be typed.",
        ),
    ] = False,
    cancel: Annotated[
        bool,
        typer.Option("--cancel", help="Take the order back. The key stays suspended."),
    ] = False,
    days: Annotated[
        int, typer.Option(min=1, max=90, help="How long nobody must have used the key.")
    ] = 7,
    quiet_since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            metavar="YYYY-MM-DD",
            help="Where CloudTrail does not tell: since when Pinecone is suspended and nobody has "
            "used the key, as you have seen yourself. What is seen to be later goes before it.",
        ),
    ] = None,
    profile: Profile = None,
    role: Role = None,
) -> None:
    """End a key, in the order that loses nothing: a checklist of what is done and what is next.

    Without --schedule-deletion or --cancel it changes nothing. All indexes must be deleted first;
    whether they are is asked of Pinecone with the project's API key, in PINECONE_API_KEY.
    """
    if schedule_deletion and cancel:
        raise typer.BadParameter("it is --schedule-deletion or --cancel", param_hint="--cancel")
    since = quiet_since and quiet_since.replace(tzinfo=timezone.utc)
    if since and since > datetime.now(timezone.utc):
        raise typer.BadParameter("the day has not come yet", param_hint="--quiet-since")
    ask = Ask(name, days, since, profile, role)
    if cancel:
        _print(retiring.cancel(ask), name)
    elif schedule_deletion:
        _print(retiring.schedule(ask, _typed), name)
    else:
        _print(retiring.show(ask), name)


def _typed(question: str) -> str:
    return str(typer.prompt(question, default="", show_default=False))


def _print(lines: Iterator[str], name: str) -> None:
    try:
        for line in lines:
            typer.echo(line)
    except (ConfigError, RetireError) as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from None
    except (KeyboardInterrupt, typer.Abort):
        typer.echo(f"\nInterrupted. To see how it stands: cmek retire {name}", err=True)
        raise typer.Exit(1) from None
