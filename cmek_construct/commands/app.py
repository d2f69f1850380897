"""The `cmek` command: its commands in groups, and how it ends."""

from importlib.metadata import version
from typing import Any, Final

import typer
from typer.core import TyperGroup

from cmek_construct.commands.adopt import Adopt
from cmek_construct.commands.check import check
from cmek_construct.commands.customer_kit import cli as customer_kit
from cmek_construct.commands.doctor import doctor
from cmek_construct.commands.init import add, init, template
from cmek_construct.commands.lock import lock, unlock
from cmek_construct.commands.options import flag
from cmek_construct.commands.project import cli as project
from cmek_construct.commands.retire import retire
from cmek_construct.commands.review import review
from cmek_construct.commands.sheet import sheet
from cmek_construct.commands.suspend import resume, suspend
from cmek_construct.commands.who import who

_GROUPS: Final = {
    "Set up": (init, add, project, sheet, customer_kit, template),
    "Review": (check, who, review),
    "Keep": (lock, unlock),
    "On call": (doctor, suspend, resume),
    "Take over, and end": (Adopt, retire),
}


class _InGroups(TyperGroup):
    """Help that lists the commands by what they are for, each sentence whole."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        groups = {f"{heading} commands": map(_name, group) for heading, group in _GROUPS.items()}
        for heading, names in groups.items() if ctx.parent is None else [("Commands", self.commands)]:
            with formatter.section(heading):
                found = [self.commands[name] for name in names]
                formatter.write_dl([(one.name, one.get_short_help_str(limit=1_000)) for one in found])


def _name(command: Any) -> str:
    return str(command.info.name if isinstance(command, typer.Typer) else command.__name__)


cli = typer.Typer(
    name="cmek",
    cls=_InGroups,
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
def _options(_: bool = flag("--version", help="Show the version and end.", callback=_version, is_eager=True)) -> None:
    """Encrypt a Pinecone project with your own AWS KMS key: before and after `cdk deploy`."""


for _command in (one for group in _GROUPS.values() for one in group):
    if isinstance(_command, typer.Typer):
        cli.add_typer(_command, cls=_InGroups)
    else:
        cli.command(epilog=vars(_command).get("epilog"))(_command)
