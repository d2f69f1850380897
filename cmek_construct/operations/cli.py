"""The command line: what is asked, what is printed, and the exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from cmek_construct import checks, customers
from cmek_construct.deployment import values
from cmek_construct.deployment.reading import ConfigError, Entry, read_entries
from cmek_construct.guide import ALL_REGIONS, PINECONE_REGIONS
from cmek_construct.operations import sheet as sheets
from cmek_construct.operations.adopting import cli as adopt_cli
from cmek_construct.operations.customers import cli as customer_cli
from cmek_construct.operations.deployed import (
    NotDeployedError,
    customers_from_aws,
    from_aws,
    from_outputs_file,
    with_customer_key,
)
from cmek_construct.operations.doctor import cli as doctor_cli
from cmek_construct.operations.fleet import cli as fleet_cli
from cmek_construct.operations.fleet.instances import Ask
from cmek_construct.operations.locking import cli as lock_cli
from cmek_construct.operations.options import checked
from cmek_construct.operations.project import cli as project_cli
from cmek_construct.operations.retiring import cli as retire_cli
from cmek_construct.operations.reviewing import cli as reviewer_cli
from cmek_construct.operations.reviewing import page_cli as review_cli
from cmek_construct.operations.writing import (
    FILE,
    Answers,
    accounts_in_yaml,
    add_entry,
    mint_external_id,
    new_file,
    refuse_if_there,
    regions_in_yaml,
)

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


def _listed(value: str) -> list[str]:
    return [part.strip() for part in value.split(",")]


def _check_regions(parameter: str, value: str) -> None:
    checks.regions(parameter, ALL_REGIONS if value == "ALL_REGIONS" else _listed(value))


def _check_customers(parameter: str, value: str) -> None:
    customers.account_ids(parameter, _listed(value))


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
_CUSTOMERS: dict[str, Any] = {
    "metavar": "DIGITS,…",
    "help": "A vendor's stack: AWS accounts of customers, separated by commas, whose keys the role "
    "may use. The stack makes the role alone.",
}
_REGION: dict[str, Any] = {"metavar": "REGION", "help": "AWS region of the key."}
Account = Annotated[
    str,
    checked(
        values.own_account_id,
        "account",
        prompt="Your AWS account to deploy to",
        metavar="DIGITS",
        help="Your AWS account to deploy to, 12 digits.",
    ),
]
Name = Annotated[
    str,
    checked(
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
        checked(
            checks.pinecone_account_id,
            "pinecone_account_id",
            prompt="Pinecone's AWS account number (Pinecone console, Manage > CMEK > Add CMEK)",
            **_PINECONE_ACCOUNT,
        ),
    ],
    regions: Annotated[
        str,
        checked(
            _check_regions,
            "regions",
            prompt=f"Regions Pinecone may come from: some of {','.join(PINECONE_REGIONS)}, or "
            "ALL_REGIONS",
            **_REGIONS,
        ),
    ],
    region: Annotated[
        str, checked(values.region, "region", prompt="AWS region of the key", **_REGION)
    ],
    name: Name,
    account: Account,
    customer_account_ids: Annotated[
        str | None, checked(_check_customers, "customer_account_ids", **_CUSTOMERS)
    ] = None,
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
    answers = Answers(pinecone_account_id, regions, region, name, account, customer_account_ids)
    try:
        new_file(answers, mint_external_id() if external_id else None)
    except ConfigError as error:
        _refuse(error)
    typer.echo(f"Wrote {FILE}. Read it, commit it, and run: npx cdk deploy {name}")


@cli.command()
def add(
    name: Annotated[str, typer.Argument(help="Name of the new stack. For good.")],
    account: Account,
    region: Annotated[str | None, checked(values.region, "region", **_REGION)] = None,
    regions: Annotated[str | None, checked(_check_regions, "regions", **_REGIONS)] = None,
    pinecone_account_id: Annotated[
        str | None,
        checked(checks.pinecone_account_id, "pinecone_account_id", **_PINECONE_ACCOUNT),
    ] = None,
    customer_account_ids: Annotated[
        str | None, checked(_check_customers, "customer_account_ids", **_CUSTOMERS)
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
                "customer_account_ids": customer_account_ids
                and accounts_in_yaml(customer_account_ids),
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
    key_arn: Annotated[
        str | None,
        checked(
            checks.key_arn,
            "key_arn",
            metavar="ARN",
            help="For a vendor's stack: the Key ARN that the customer sent back.",
        ),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="AWS profile to ask with.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    fleet: fleet_cli.Fleet = None,
    role: fleet_cli.Role = None,
    region: fleet_cli.Region = None,
    call_as: fleet_cli.CallAs = None,
    as_csv: fleet_cli.AsCsv = False,
) -> None:
    """Show what to paste where in Pinecone's console.

    Field by field in the order of its dialog, with what to do before and after. With --fleet: a
    line for every account of a stack set.
    """
    if fleet is not None:
        fleet_cli.not_with_fleet(name=name, outputs=outputs, key_arn=key_arn)
        ask = Ask(fleet, role or fleet_cli.ROLE, profile, region, call_as)
        _fleet(ask, as_csv=as_csv, as_json=as_json)
        return
    fleet_cli.only_with_fleet(role=role, region=region, call_as=call_as, csv=as_csv)
    found, refused = [], []
    try:
        entries = read_entries(FILE, only=name)
    except ConfigError as error:
        _refuse(error)
    for entry in entries:
        try:
            found.append(_sheet(entry, outputs, profile, key_arn))
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


def _fleet(ask: Ask, *, as_csv: bool, as_json: bool) -> None:
    try:
        problems = fleet_cli.show(ask, as_csv=as_csv, as_json=as_json)
    except NotDeployedError as error:
        _refuse(error)
    if problems:
        _refuse(*map(NotDeployedError, problems))


cli.add_typer(customer_cli.cli, name="customer-kit")
cli.add_typer(reviewer_cli.cli)
cli.add_typer(review_cli.cli)
cli.add_typer(doctor_cli.cli)
cli.add_typer(lock_cli.cli)
cli.add_typer(adopt_cli.cli)
cli.add_typer(project_cli.cli, name="project")
cli.add_typer(retire_cli.cli)


def _sheet(
    entry: Entry, outputs: Path | None, profile: str | None, key_arn: str | None
) -> sheets.Sheet:
    given = from_outputs_file(entry, outputs) if outputs else from_aws(entry, profile)
    asks_for_customers = entry.settings.customers is not None and not outputs
    deployed = customers_from_aws(entry, profile) if asks_for_customers else None
    whole = with_customer_key(entry, given, key_arn, deployed)
    return sheets.sheet(entry, whole, compared=deployed is not None)


def _refuse(*reasons: Exception) -> NoReturn:
    for reason in dict.fromkeys(map(str, reasons)):
        typer.echo(reason, err=True)
    raise typer.Exit(1)
