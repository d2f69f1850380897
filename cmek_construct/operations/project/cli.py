"""The command line of the hand-over: `cmek project create`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cmek_construct.deployment import values
from cmek_construct.deployment.reading import ConfigError
from cmek_construct.operations.project import project
from cmek_construct.operations.project.pinecone_sdk import PineconeRefusal, is_safe
from cmek_construct.operations.project.project import Ask, ProjectError

cli = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help="Make the Pinecone project of a stack."
)


def _name(value: str) -> str:
    try:
        values.stack_name("name", value)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return value


def _url(value: str) -> str:
    if not is_safe(value):
        raise typer.BadParameter("a secret is sent only to https://…, or to this machine")
    return value


Name = Annotated[str, typer.Argument(parser=_name, metavar="NAME", help="The stack in cmek.yaml.")]


@cli.callback()
def _group() -> None:
    """Keeps `create` a command of its own."""


@cli.command()
def create(
    name: Name,
    project_name: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Its name at Pinecone. Default: the stack's."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Make it. Without this, only say what would be made.")
    ] = False,
    show_key: Annotated[
        bool,
        typer.Option("--show-key", help="Show the API key although the output is no terminal."),
    ] = False,
    oauth_url: Annotated[
        str | None,
        typer.Option(
            parser=_url,
            metavar="URL",
            help="Token endpoint of a private deployment of Pinecone, whose API the variable "
            "PINECONE_CONTROLLER_HOST names.",
        ),
    ] = None,
) -> None:
    """Make the Pinecone project of a stack, with the encryption forced for good.

    Signs in as a service account: PINECONE_CLIENT_ID and PINECONE_CLIENT_SECRET. The API key of
    the project is shown once and written nowhere. A project that is there already is checked, and
    not changed.
    """
    may_show = show_key or sys.stdout.isatty()
    try:
        for line in project.run(Ask(name, project_name, yes, may_show, oauth_url)):
            typer.echo(line)
    except (ConfigError, ProjectError, PineconeRefusal) as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo("\nInterrupted. Run the same again: it looks first at what is there.", err=True)
        raise typer.Exit(1) from None
