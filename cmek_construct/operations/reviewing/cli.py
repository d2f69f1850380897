"""The command line of a reviewer: `cmek check` and `cmek who`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from cmek_construct import checks
from cmek_construct.checks import printable
from cmek_construct.operations.options import checked
from cmek_construct.operations.reviewing import check as checking
from cmek_construct.operations.reviewing import who as asking
from cmek_construct.operations.reviewing import who_table
from cmek_construct.operations.reviewing.policies import two_accounts
from cmek_construct.templates.pinecone import find
from cmek_construct.templates.run import read_run

cli = typer.Typer(rich_markup_mode=None)


def _acknowledgement(text: str) -> tuple[str, str]:
    try:
        return checking.acknowledgement(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _account_id(parameter: str, value: object) -> None:
    checks.account_id(parameter, value, "Write the number of the templates' account.")


Templates = Annotated[
    list[Path],
    typer.Argument(
        metavar="TEMPLATE",
        help="CloudFormation templates, JSON or YAML; or folders such as cdk.out.",
    ),
]
Acknowledge = Annotated[
    list[Any] | None,
    typer.Option(
        parser=_acknowledgement,
        metavar="RULE=REASON",
        help="Show what breaks this rule with its reason, and do not fail for it. Repeatable.",
    ),
]
VendorRoles = Annotated[
    list[str] | None,
    checked(
        checks.role_arn,
        "vendor_role_arn",
        metavar="ARN",
        help="A vendor's role of another account that a key may let in. Repeatable.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@cli.command()
def check(
    paths: Templates,
    acknowledge: Acknowledge = None,
    vendor_role_arn: VendorRoles = None,
    as_json: AsJson = False,
) -> None:
    """Judge templates by the guardrails, without CDK.

    Fails for what says more than Pinecone's guide, for what cannot be read, and where nothing of
    Pinecone's is in any of them.
    """
    run = read_run(paths)
    acknowledged: dict[str, str] = dict(acknowledge or [])
    by_app = checking.in_app(checking.folders(paths, run))
    found, judged = checking.check(run, vendor_role_arn or [], acknowledged, by_app)
    if as_json:
        typer.echo(json.dumps(checking.as_data(judged), indent=2))
    else:
        for line in (line for one in judged for line in checking.lines(one)):
            typer.echo(line)
    problems = list(map(str, found.problems))
    roles = [role for one in judged for role in one.roles]
    keys = [key for one in judged for key in one.keys]
    refused = [violation for one in judged for violation in one.refused]
    if not roles and not keys:
        problems.append("Nothing of Pinecone's was found, so nothing was checked.")
    said = two_accounts(found)
    if said:
        typer.echo(said, err=True)
    for rule in checking.unused(judged, acknowledged):
        typer.echo(f"--acknowledge {rule}: nothing breaks it any more.", err=True)
    typer.echo(
        f"{checking.counted(judged, 'template')}, {checking.counted(roles, 'role')} and "
        f"{checking.counted(keys, 'key')} judged: {checking.counted(refused, 'violation')}.",
        err=as_json,
    )
    if problems or refused:
        _refuse(problems)


@cli.command()
def who(
    paths: Templates,
    account: Annotated[
        str | None,
        checked(
            _account_id,
            "account",
            metavar="DIGITS",
            help="The AWS account of templates that do not say theirs.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show who may do what with role and key, offline.

    By the templates alone: every principal against every action, with the statement that decides.
    What cannot be told is named, and the exit code is then 1.
    """
    found = find(read_run(paths, account))
    answers = asking.who(found)
    if as_json:
        typer.echo(
            json.dumps(
                {"note": asking.NOT_SHOWN, "templates": who_table.as_data(answers)}, indent=2
            )
        )
    elif answers:
        who_table.show(answers)
    problems = list(map(str, found.problems))
    problems += [printable(one) for one in found.unread if not one.place.is_role_or_key]
    said = two_accounts(found)
    if said:
        typer.echo(said, err=True)
    if not answers:
        problems.append("Nothing of Pinecone's was found: there is nobody to ask about.")
    doubts = [row for one in answers for row in one.rows if row.doubt]
    if problems or doubts:
        _refuse(problems)


def _refuse(problems: list[str]) -> NoReturn:
    for problem in problems:
        typer.echo(problem, err=True)
    raise typer.Exit(1)
