"""What every command says: lines for a person, JSON for a machine, and why it ends.

What the rooms below raise says why; which option of the command helps is known here alone.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, NoReturn

import typer

from cmek_construct.aws.session import Asking, AwsError, Reason
from cmek_construct.checks import printable
from cmek_construct.commands.options import explained
from cmek_construct.deployment.reading import ConfigError
from cmek_construct.deployment.writing import to_fill_in
from cmek_construct.health.findings import Finding, Refused, Verdict
from cmek_construct.lock.text import LockError
from cmek_construct.policy.words import plain
from cmek_construct.review.parts import to_check
from cmek_construct.templates.found import Found
from cmek_construct.who.answers import two_accounts

_OPTIONS: Final = {  # by name and value of an option, what it helps
    ("--profile", "NAME"): "choose another --profile",
    ("--role", "ARN"): "give --role",
    ("--outputs", "FILE"): "give --outputs with the file of `cdk deploy --outputs-file`",
    ("--describe-key", "FILE"): "give --describe-key and --key-policy",
    ("--deployed", None): "leave --deployed out",
}
_MARKS: Final = {
    Verdict.RIGHT: ("✓", "ok"),
    Verdict.WRONG: ("✗", "WRONG"),
    Verdict.UNKNOWN: ("?", "?"),
    Verdict.SAID: ("·", "-"),
}
_MOST_ASKED: Final = 10


def tell(lines: Iterable[str]) -> None:
    """Print lines as they come. What makes them goes on to its end though nobody reads them."""
    for line in lines:
        try:
            typer.echo(line)
        except BrokenPipeError:
            with suppress(OSError):  # it is no file
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def tell_what_to_ask(found: Found) -> None:
    """Print, beside an answer, what only a person can tell of templates."""
    if accounts := two_accounts(found):
        typer.echo(accounts, err=True)
    said = [f"{stack.template.name}: {plain(words)}" for stack, some in to_check(found).items() for words in some]
    for line in said[:_MOST_ASKED]:
        typer.echo(f"Ask a person: {line}", err=True)
    if len(said) > _MOST_ASKED:
        typer.echo(f"And {len(said) - _MOST_ASKED:,} more: cmek review lists them.", err=True)


def shown(as_json: bool, data: Callable[[], Any], lines: Iterable[str]) -> Iterator[str]:
    """What was found: printed as JSON for a machine, of a list each member in a line, or its lines for a person."""
    if as_json:
        found = data()
        is_list = isinstance(found, list) and bool(found)
        said = "[\n" + ",\n".join(map(json.dumps, found)) + "\n]" if is_list else json.dumps(found)
        sys.stdout.write(f"{said}\n")  # `typer.echo` looks for colours in it
    else:
        yield from lines


def marked(finding: Finding) -> str:
    """A finding behind its mark, one that the terminal has."""
    mark, in_ascii = _MARKS[finding.verdict]
    try:
        mark.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        mark = in_ascii
    return f"{mark} {finding.words}."


def texts(file: str) -> Any:
    """The texts of a file of this room: each is seen whole there, with what it hangs on."""
    return to_fill_in(__package__).get_template(file).module


def text(file: str, name: str, /, **values: Any) -> str:
    """One of them, filled in."""
    return str(getattr(texts(file), name)(**values)).rstrip("\n")


def refused(file: str, name: str, /, **values: Any) -> Refused:
    """A refusal in the words of one of them."""
    return Refused(text(file, name, **values))


def counted(found: Sequence[object], name: str) -> str:
    """``1 role``, ``2 roles``."""
    return f"{len(found)} {name}" + ("" if len(found) == 1 else "s")


def refuse(*reasons: object) -> NoReturn:
    """End the command: each reason once, in a line of its own."""
    for reason in dict.fromkeys(map(str, reasons)):
        typer.echo(reason, err=True)
    raise typer.Exit(1)


def told(**words: Callable[..., str]) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """A command: the lines that it gives are printed as they come, and what is refused ends it as in `refusals`.

    It is a function with its options, which `explained` fills in; or a class with them as fields, which is iterated.
    ``words`` are for `refusals`, made of the options.
    """

    def decorated(run: Callable[..., Any]) -> Callable[..., None]:
        def called(**options: Any) -> None:
            with refusals(options.get("asking"), **{kind: said(**options) for kind, said in words.items()}):
                tell(run(**options) or ())

        called.__name__, called.__doc__ = run.__name__.lower(), run.__doc__
        signature, epilog = explained(run)
        vars(called).update(__signature__=signature, epilog=epilog)
        return called

    return decorated


@contextmanager
def refusals(asking: Asking | None = None, about: str = "", *, interrupted: str = "", idle: str = "") -> Iterator[None]:
    """End the command for what the rooms below refuse.

    ``asking`` is who asks AWS, and ``about`` what about; ``interrupted`` is said after Ctrl-C, of a command that does
    more than look; ``idle`` is an option that does not help this time.
    """
    try:
        yield
    except (ConfigError, LockError, Refused, AwsError) as error:
        refuse(in_words(error, asking, about, idle))
    except OSError as error:
        if error.filename is None:  # no file: who read the output is gone
            raise
        refuse(f"{printable(error.filename)}: cannot be read or written: {error.strerror}.")
    except (KeyboardInterrupt, typer.Abort):
        if not interrupted:
            raise
        refuse(f"\n{interrupted}")


def in_words(error: Exception, asking: Asking | None, about: str = "", idle: str = "") -> str:
    """What was refused; where AWS did, about what, and which options of the command may help."""
    if asking is None or not isinstance(error, AwsError):
        return str(error)
    return f"{f'{about}: ' if about else ''}{error}. {advice(error, asking, idle)}"


def advice(error: AwsError, asking: Asking, idle: str = "") -> str:
    """What may help: among it the options that the command has, each with what it takes."""
    if error.reason is Reason.CLOCK:
        return "Set the clock of this machine, and run the same again."
    from cmek_construct.commands.app import cli  # it imports this module

    found: Any = typer.main.get_command(cli)
    for name in asking.command.split():
        found = found.commands[name]
    has = {(option, one.metavar) for one in found.params for option in one.opts}
    ways = [words for option, words in _OPTIONS.items() if option in has and option[0] != idle]
    if error.reason is Reason.NO_REGION:
        ways.insert(0, "give --region" if ("--region", "REGION") in has else "set AWS_REGION")
    elif error.reason is not Reason.ANOTHER_ACCOUNT:
        ways.insert(0, "Sign in (`aws sso login`)")
    listed = ways[0] if len(ways) == 1 else f"{', '.join(ways[:-1])}, or {ways[-1]}"
    return f"{listed[:1].upper()}{listed[1:]}."
