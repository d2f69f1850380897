"""The command line of the person on call: `cmek doctor`, `cmek suspend` and `cmek resume`."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from enum import Enum
from functools import partial
from typing import Annotated

import typer

from cmek_construct import checks
from cmek_construct.deployment.reading import ConfigError, Entry, read_entries
from cmek_construct.operations.doctor import doctor as doctors
from cmek_construct.operations.doctor.screen import screen
from cmek_construct.operations.options import checked
from cmek_construct.operations.suspending import suspend as brakes
from cmek_construct.operations.suspending.suspend import Ask, SuspendError
from cmek_construct.operations.writing import FILE

cli = typer.Typer(rich_markup_mode=None)
_AT_A_TIME = 8


class Policy(str, Enum):
    """What ``--show`` shows."""

    TRUST = "trust-policy"
    KEY = "key-policy"


Profile = Annotated[str | None, typer.Option(metavar="NAME", help="AWS profile to ask with.")]
Name = Annotated[str, typer.Argument(help="The stack in cmek.yaml.")]
Role = Annotated[
    str | None,
    checked(
        checks.role_arn,
        "role",
        metavar="ARN",
        help="A role of the stack's account to act as. It needs kms:GetKeyPolicy, "
        "kms:PutKeyPolicy, kms:ListGrants, kms:RevokeGrant and cloudformation:DescribeStacks; "
        "where the brake is in the role's trust policy, iam:GetRole and "
        "iam:UpdateAssumeRolePolicy.",
    ),
]


@cli.command(
    epilog="Exit codes: 0 healthy; 1 something is wrong; 2 wrong usage; 3 something could not be "
    "read, and nothing else is wrong."
)
def doctor(
    name: Annotated[str | None, typer.Argument(help="One stack. Default: all.")] = None,
    profile: Profile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    show: Annotated[
        Policy | None,
        typer.Option(help="Print this policy as the file says it, and look at nothing."),
    ] = None,
    cloudtrail: Annotated[
        bool,
        typer.Option("--cloudtrail/--no-cloudtrail", help="Ask CloudTrail for the last use."),
    ] = True,
) -> None:
    """Say whether the deployed role and key are what the file says.

    Changes nothing. For each thing that is wrong: what it means for the data, how long there is,
    and what to run.
    """
    try:
        entries = read_entries(FILE, only=name)
    except ConfigError as error:
        typer.echo(error, err=True)
        raise typer.Exit(doctors.WRONG) from None
    if show is not None:
        _show(entries, show, profile)
        return
    look = partial(doctors.examine, profile=profile, cloudtrail=cloudtrail)
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        found = list(pool.map(look, entries))
    if as_json:
        typer.echo(json.dumps([one.as_data() for one in found], indent=2))
    else:
        for line in screen(found):
            typer.echo(line)
    codes = {one.code for one in found}
    raise typer.Exit(doctors.WRONG if doctors.WRONG in codes else max(codes))


def _show(entries: list[Entry], policy: Policy, profile: str | None) -> None:
    if len(entries) != 1:
        raise typer.BadParameter("name one stack", param_hint="--show")
    (entry,) = entries
    role_arn = "" if policy is Policy.TRUST else doctors.role_arn_of(entry, profile)
    found = doctors.policies(entry, role_arn or "").get(policy.value)
    if found is None or role_arn is None:
        why = "its role is not known" if found else "the stack makes no key"
        typer.echo(f"{entry.name}: there is no such policy to show: {why}.", err=True)
        raise typer.Exit(doctors.WRONG)
    typer.echo(json.dumps(found, indent=2))


@cli.command()
def suspend(
    name: Name,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why. It is written into cmek.yaml, for others.")
    ],
    profile: Profile = None,
    role: Role = None,
    revoke_grants: Annotated[
        bool, typer.Option("--revoke-grants", help="Revoke the key's grants, without asking.")
    ] = False,
) -> None:
    """Cut Pinecone off, in seconds.

    Writes suspended: true into cmek.yaml, then denies the role everything in the key policy, and
    reads it back. Run it again as often as you like.
    """
    if not reason.strip():
        raise typer.BadParameter("say why, in words", param_hint="--reason")
    _run(Ask(name, reason, profile, role, revoke_grants), on=True)


@cli.command()
def resume(name: Name, profile: Profile = None, role: Role = None) -> None:
    """Let Pinecone back in.

    Takes suspended: true out of cmek.yaml, then the denial out of the key policy, and reads it
    back. Run it again as often as you like.
    """
    _run(Ask(name, "", profile, role), on=False)


def _run(ask: Ask, on: bool) -> None:
    try:
        for line in brakes.run(ask, on):
            # A reader that is gone, as of `| head`, does not stop the brake.
            with suppress(BrokenPipeError):
                typer.echo(line)
    except (ConfigError, SuspendError) as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo(brakes.not_done(ask, on, "It was interrupted."), err=True)
        raise typer.Exit(1) from None
