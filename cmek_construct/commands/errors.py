"""What ends a command: a message with the way out, and an exit code.

What the rooms below raise says why; which option of the command helps is known here alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn

import typer

from cmek_construct.aws.session import AwsError, Reason
from cmek_construct.deployment.reading import ConfigError
from cmek_construct.health.findings import Refused
from cmek_construct.lock.text import LockError

REFUSED: Final = 1
"""The exit code of what is refused, with the reason."""
_SIGN_IN: Final = "Sign in (`aws sso login`)"
_OPTIONS: Final = {
    ("--profile", "NAME"): "choose another --profile",
    ("--role", "ARN"): "give --role",
    ("--outputs", "FILE"): "give --outputs with the file of `cdk deploy --outputs-file`",
    ("--describe-key", "FILE"): "give --describe-key and --key-policy",
    ("--deployed", None): "leave --deployed out",
}
"""By name and value of an option, what it helps."""


def refuse(*reasons: object) -> NoReturn:
    """End the command: each reason once, in a line of its own."""
    for reason in dict.fromkeys(map(str, reasons)):
        typer.echo(reason, err=True)
    raise typer.Exit(REFUSED)


@contextmanager
def refusals(command: str, about: str = "", *, interrupted: str = "") -> Iterator[None]:
    """End the command for what the rooms below refuse.

    Args:
        command: its name, such as ``project create``.
        about: what AWS was asked about, such as a stack.
        interrupted: what to say after Ctrl-C, of a command that does more than look.
    """
    try:
        yield
    except (ConfigError, LockError, Refused) as error:
        refuse(error)
    except AwsError as error:
        refuse(in_words(error, command, about))
    except (KeyboardInterrupt, typer.Abort):
        if not interrupted:
            raise
        refuse(f"\n{interrupted}")


def in_words(error: AwsError, command: str, about: str = "") -> str:
    """What AWS refused, and which options of the command may help."""
    return f"{f'{about}: ' if about else ''}{error}. {advice(error, command)}"


def advice(error: AwsError, command: str) -> str:
    """What may help."""
    if error.reason is Reason.CLOCK:
        return "Set the clock of this machine, and run the same again."
    has = options_of(command)
    ways = [words for option, words in _OPTIONS.items() if option in has]
    if error.reason is Reason.NO_REGION:
        ways.insert(0, "give --region" if ("--region", "REGION") in has else "set AWS_REGION")
    elif error.reason is not Reason.ANOTHER_ACCOUNT:
        ways.insert(0, _SIGN_IN)
    listed = _listed(ways)
    return f"{listed[:1].upper()}{listed[1:]}."


def _listed(ways: list[str]) -> str:
    return ways[0] if len(ways) == 1 else f"{', '.join(ways[:-1])}, or {ways[-1]}"


def options_of(command: str) -> set[tuple[str, str | None]]:
    """The options that a command has, each with what it takes."""
    from cmek_construct.commands.app import cli  # it imports this module

    found: Any = typer.main.get_command(cli)
    for name in command.split():
        found = found.commands[name]
    return {(option, one.metavar) for one in found.params for option in one.opts}
