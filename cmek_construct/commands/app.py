"""The `cmek` command: its commands in groups, and how it ends."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from cmek_construct.commands import (
    adopt,
    check,
    customer_kit,
    doctor,
    init,
    lock,
    project,
    retire,
    review,
    sheet,
    suspend,
    template,
    who,
)

_GROUPS: Final = {
    "Set up": ("init", "add", "project", "sheet", "customer-kit", "template"),
    "Review": ("check", "who", "review"),
    "Keep": ("lock", "unlock"),
    "On call": ("doctor", "suspend", "resume"),
    "Take over, and end": ("adopt", "retire"),
}
_LONGEST: Final = 1_000


class _InGroups(TyperGroup):
    """Help that lists the commands by what they are for, each sentence whole."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for heading, names in _GROUPS.items():
            with formatter.section(f"{heading} commands"):
                formatter.write_dl(
                    [(name, self.commands[name].get_short_help_str(_LONGEST)) for name in names]
                )


cli = typer.Typer(
    name="cmek",
    cls=_InGroups,
    help="Encrypt a Pinecone project with your own AWS KMS key: before and after `cdk deploy`.",
    epilog="Exit codes: 0 done; 1 refused, with the reason (a mistake in cmek.yaml, a stack that "
    "is not there, an answer of AWS); 2 wrong usage.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"cmek {version('cmek-construct')}")
        raise typer.Exit


@cli.callback()
def _options(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Show the version and end."
        ),
    ] = False,
) -> None:
    """Encrypt a Pinecone project with your own AWS KMS key: before and after `cdk deploy`."""


cli.command()(init.init)
cli.command()(init.add)
cli.command()(sheet.sheet)
cli.add_typer(customer_kit.cli, name="customer-kit")
cli.command(epilog=template.EPILOG)(template.template)
cli.command()(check.check)
cli.command()(who.who)
cli.command(epilog=review.EXIT_CODES)(review.review)
cli.command(epilog=doctor.EXIT_CODES)(doctor.doctor)
cli.command()(suspend.suspend)
cli.command()(suspend.resume)
cli.command()(lock.lock)
cli.command()(lock.unlock)
cli.command()(adopt.adopt)
cli.add_typer(project.cli, name="project")
cli.command(epilog=retire.EXIT_CODES)(retire.retire)
