"""The command line: what is asked, what is printed, and the exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from cmek_construct import checks
from cmek_construct.deployment import values
from cmek_construct.deployment.reading import ConfigError, read_entries
from cmek_construct.operations import sheet as sheets
from cmek_construct.operations.deployed import NotDeployedError, from_aws, from_outputs_file
from cmek_construct.operations.writing import (
    FILE,
    Answers,
    add_entry,
    mint_external_id,
    new_file,
    refuse_if_there,
    regions_in_yaml,
)
from cmek_construct.pinecone import ALL_REGIONS, PINECONE_REGIONS

cli = typer.Typer(
    name="cmek",
    help="Encrypt a Pinecone project with your own AWS KMS key: before and after `cdk deploy`.",
    epilog="Exit codes: 0 done; 1 refused, with the reason (a mistake in cmek.yaml, a stack that "
    "is not there, an answer of AWS); 2 wrong usage.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _option(check: Callable[[str, Any], None], parameter: str, **shown: Any) -> Any:
    """An option with the construct's own check; a wrong answer to a question is asked again."""

    def parse(value: str) -> str:
        try:
            check(parameter, value)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        return value

    return typer.Option(parser=parse, **shown)


def _check_regions(parameter: str, value: str) -> None:
    listed = [region.strip() for region in value.split(",")]
    checks.regions(parameter, ALL_REGIONS if value == "ALL_REGIONS" else listed)


_PINECONE_ACCOUNT: dict[str, Any] = {
    "metavar": "DIGITS",
    "help": "Pinecone's AWS account number, 12 digits, from the Pinecone console: Manage > CMEK > "
    "Add CMEK.",
}
_REGIONS: dict[str, Any] = {
    "metavar": "REGION,…",
    "help": "Regions whose Pinecone role may come in, separated by commas "
    f"({', '.join(PINECONE_REGIONS)}), or ALL_REGIONS.",
}
_REGION: dict[str, Any] = {"metavar": "REGION", "help": "AWS region of the key."}
Account = Annotated[
    str,
    _option(
        values.own_account_id,
        "account",
        prompt="Your AWS account for role and key",
        metavar="DIGITS",
        help="Your AWS account for role and key, 12 digits.",
    ),
]
Name = Annotated[
    str,
    _option(
        values.stack_name,
        "name",
        prompt="Name of the first stack, such as your Pinecone project's",
        metavar="NAME",
        help="Name of the first stack, such as your Pinecone project's. For good.",
    ),
]
_EXTERNAL_ID: dict[str, Any] = {
    "help": "Mint an external ID (a UUID v4) into the file, once; or have none.",
}


def _before_asking(external_id: bool) -> bool:
    """Refuse before five questions, not after."""
    try:
        refuse_if_there()
    except ConfigError as error:
        _refuse(error)
    return external_id


@cli.command()
def init(
    pinecone_account_id: Annotated[
        str,
        _option(
            checks.pinecone_account_id,
            "pinecone_account_id",
            prompt="Pinecone's AWS account number (Pinecone console, Manage > CMEK > Add CMEK)",
            **_PINECONE_ACCOUNT,
        ),
    ],
    regions: Annotated[
        str,
        _option(
            _check_regions,
            "regions",
            prompt=f"Regions Pinecone may come from: some of {','.join(PINECONE_REGIONS)}, or "
            "ALL_REGIONS",
            **_REGIONS,
        ),
    ],
    region: Annotated[
        str, _option(values.region, "region", prompt="AWS region of the key", **_REGION)
    ],
    name: Name,
    account: Account,
    external_id: Annotated[
        bool,
        typer.Option(
            "--external-id/--no-external-id", callback=_before_asking, is_eager=True, **_EXTERNAL_ID
        ),
    ] = True,
) -> None:
    """Write a new cmek.yaml.

    Asks for what no option says. Never overwrites a file.
    """
    answers = Answers(pinecone_account_id, regions, region, name, account)
    try:
        new_file(answers, mint_external_id() if external_id else None)
    except ConfigError as error:
        _refuse(error)
    typer.echo(f"Wrote {FILE}. Read it, commit it, and run: npx cdk deploy {name}")


@cli.command()
def add(
    name: Annotated[str, typer.Argument(help="Name of the new stack. For good.")],
    account: Account,
    region: Annotated[str | None, _option(values.region, "region", **_REGION)] = None,
    regions: Annotated[str | None, _option(_check_regions, "regions", **_REGIONS)] = None,
    pinecone_account_id: Annotated[
        str | None,
        _option(checks.pinecone_account_id, "pinecone_account_id", **_PINECONE_ACCOUNT),
    ] = None,
    external_id: Annotated[
        bool, typer.Option("--external-id/--no-external-id", **_EXTERNAL_ID)
    ] = True,
) -> None:
    """Add a stack to cmek.yaml.

    What no option says holds as at the top of the file. Every other line stays as it is.
    """
    try:
        add_entry(
            name,
            {
                "account": f'"{account}"',
                "region": region,
                "regions": regions and regions_in_yaml(regions),
                "pinecone_account_id": pinecone_account_id and f'"{pinecone_account_id}"',
                "external_id": mint_external_id() if external_id else None,
            },
        )
    except ConfigError as error:
        _refuse(error)
    typer.echo(f"Added {name} to {FILE}. Commit it, and run: npx cdk deploy {name}")


@cli.command()
def sheet(
    name: Annotated[str | None, typer.Argument(help="One stack. Default: all.")] = None,
    outputs: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Values from this file of `cdk deploy --outputs-file FILE`, not from AWS.",
        ),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="AWS profile to ask with.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what to paste where in Pinecone's console.

    Field by field in the order of its dialog, with what to do before and after.
    """
    found, refused = [], []
    try:
        entries = read_entries(FILE, only=name)
    except ConfigError as error:
        _refuse(error)
    for entry in entries:
        try:
            given = from_outputs_file(entry, outputs) if outputs else from_aws(entry, profile)
            found.append(sheets.sheet(entry, given))
        except NotDeployedError as error:
            refused.append(error)
    if as_json:
        typer.echo(json.dumps([sheets.as_data(one) for one in found], indent=2))
    else:
        console = Console(highlight=False, markup=False, emoji=False)
        for one in found:
            sheets.show(one, console)
    if refused:
        _refuse(*refused)


def _refuse(*reasons: Exception) -> NoReturn:
    for reason in dict.fromkeys(map(str, reasons)):
        typer.echo(reason, err=True)
    raise typer.Exit(1)
