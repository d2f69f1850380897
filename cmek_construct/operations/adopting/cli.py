"""The command line of `cmek adopt`."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from cmek_construct import checks, customers, props
from cmek_construct.deployment import values
from cmek_construct.deployment.reading import ConfigError
from cmek_construct.operations.adopting import adopt as adopting
from cmek_construct.operations.adopting.source import AdoptError
from cmek_construct.operations.options import checked

cli = typer.Typer(rich_markup_mode=None)


class AsGiven(str, Enum):
    """What ``--as-given`` leaves out of the stack."""

    ROLE = "role"
    KEY = "key"


def _name(value: str) -> str:
    try:
        values.stack_name("name", value)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return value


def _listed(value: str) -> list[str]:
    return [part.strip() for part in value.split(",")]


def _check_customers(parameter: str, value: str) -> None:
    customers.account_ids(parameter, _listed(value))


@cli.command()
def adopt(
    name: Annotated[
        str,
        typer.Argument(
            parser=_name, metavar="NAME", help="Of the stack, in cmek.yaml or new to it. For good."
        ),
    ],
    role_arn: Annotated[
        str,
        checked(checks.role_arn, "role_arn", metavar="ARN", help="The role that Pinecone stores."),
    ],
    key_arn: Annotated[
        str | None,
        checked(
            checks.key_arn,
            "key_arn",
            metavar="ARN",
            help="The key that Pinecone stores. A vendor's role, for keys of customers, has none.",
        ),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="To write for `cdk import`. Default: cmek-import-NAME.json."
        ),
    ] = None,
    alias: Annotated[
        str | None,
        checked(
            props.ALIAS.check,
            "alias",
            metavar="NAME",
            help="Of a key with several: the stack's one.",
        ),
    ] = None,
    as_given: Annotated[
        AsGiven | None,
        typer.Option(
            help="Do not take this one over: the entry names it by its ARN, and its policy stays "
            "yours."
        ),
    ] = None,
    customer_account_ids: Annotated[
        str | None,
        checked(
            _check_customers,
            "customer_account_ids",
            metavar="DIGITS,…",
            help="For a vendor's role that has lost its permissions: accounts of customers.",
        ),
    ] = None,
    region: Annotated[
        str | None,
        checked(
            values.region,
            "region",
            metavar="REGION",
            help="For a vendor's role: of its stack. Default: as in cmek.yaml.",
        ),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="AWS profile to ask with.")
    ] = None,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept", help="Go on where the template would lock somebody out or let somebody in."
        ),
    ] = False,
) -> None:
    """Take a role and a key that are there already into a stack, unchanged.

    Reads them, writes the entry of cmek.yaml whose template is what is there, and the file for `cdk
    import`. Each difference is named. Changes nothing in AWS. For an entry that is there already,
    after its stack was deleted, it writes the file alone.
    """
    ask = adopting.Ask(
        name=name,
        role_arn=role_arn,
        key_arn=key_arn,
        profile=profile,
        mapping=mapping,
        alias=alias,
        as_given=as_given.value if as_given else None,
        customers=_listed(customer_account_ids) if customer_account_ids else (),
        region=region,
        accept=accept,
    )
    try:
        for line in adopting.run(ask):
            typer.echo(line)
    except (ConfigError, AdoptError) as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from None
