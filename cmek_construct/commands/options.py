"""Options that several commands have, each declared once."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from cmek_construct import checks, warnings
from cmek_construct.customers import CUSTOMERS
from cmek_construct.deployment import config
from cmek_construct.guardrails.judging import RULES
from cmek_construct.props import Prop

_REGION: Final = next(row for row in config.OF_A_STACK if row.name == "region")
_CUSTOMER_ACCOUNTS: Final = next(row for row in CUSTOMERS if row.name == "customer_account_ids")
_ACKNOWLEDGED: Final = re.compile(rf"(?:{warnings.PLUGIN}::)?(([a-z-]+)(?:\[[^\]]*\])?)=(.*\S.*)", re.S)


def fields(command: Callable[..., Callable[[], None]]) -> Callable[..., None]:
    """A command with many options: they are the fields of a class, of which one is made and called.

    Args:
        command: the class. Its docstring is the help.
    """

    def called(**options: Any) -> None:
        command(**options)()

    called.__name__, called.__doc__ = command.__name__.lower(), command.__doc__
    called.__signature__ = inspect.signature(command, eval_str=True)  # type: ignore[attr-defined]
    return called


def flag(name: str, says: str) -> Any:
    """An option that is there or not."""
    return typer.Option(name, help=says)


def option(metavar: str, says: str) -> Any:
    """An option that takes what its type takes."""
    return typer.Option(metavar=metavar, help=says)


def checked(
    check: Callable[[str, Any], None], parameter: str, written: Callable[[str], str] = str, **shown: Any
) -> Any:
    """An option with the construct's own check; a wrong answer to a question is asked again.

    Args:
        check: raises a `ValueError` for what is wrong.
        parameter: its name in the message.
        written: makes what people type into what the file says.
        **shown: as `typer.Option` takes it.
    """
    return typer.Option(parser=_parser(check, parameter, written), **shown)


def _parser(
    check: Callable[[str, Any], None], parameter: str, written: Callable[[str], str] = str
) -> Callable[[str], str]:
    def parse(value: str) -> str:
        value = written(value)
        try:
            config.no_token(parameter, value)
            check(parameter, value)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        return value

    return parse


def of_row(row: Prop, metavar: str, says: str, written: Callable[[str], str] = str, **shown: Any) -> Any:
    """An option that is the value of a prop: its name and its check are the row's."""
    return checked(row.check, row.name, written, metavar=metavar, help=says, **shown)


def role_arn(says: str, name: str = "role_arn") -> Any:
    """An option that names a role."""
    return checked(checks.role_arn, name, metavar="ARN", help=says)


def key_arn(says: str) -> Any:
    """An option that names a key."""
    return checked(checks.key_arn, "key_arn", metavar="ARN", help=says)


def account(parameter: str, way_out: str, says: str) -> Any:
    """An option that is the number of an account."""

    def check(name: str, value: object) -> None:
        checks.account_id(name, value, way_out)

    return checked(check, parameter, metavar="DIGITS", help=says)


def region(says: str, **shown: Any) -> Any:
    """An option that is a region to deploy to."""
    return of_row(_REGION, "REGION", says, **shown)


def listed(value: str) -> list[str]:
    """What was written with commas between."""
    return [part.strip() for part in value.split(",")]


def customers(says: str, written: Callable[[str], str] = str) -> Any:
    """An option that lists accounts of customers."""

    def check(name: str, value: str) -> None:
        _CUSTOMER_ACCOUNTS.check(name, listed(value))

    return checked(check, _CUSTOMER_ACCOUNTS.name, written, metavar="DIGITS,…", help=says)


def stack(parameter: str, says: str) -> Any:
    """An option that names a stack of cmek.yaml."""
    return checked(config.stack_name, parameter, metavar="NAME", help=says)


def a_stack(says: str) -> Any:
    """An argument that names a stack."""
    return typer.Argument(parser=_parser(config.stack_name, "name"), metavar="NAME", help=says)


def acknowledgement(text: str) -> tuple[str, str]:
    """Rule and reason out of ``RULE=REASON``."""
    found = _ACKNOWLEDGED.fullmatch(text)
    if found is None:
        raise typer.BadParameter("it is RULE=REASON, with the rule as `cmek check` prints it")
    if all(rule.id != found[2] for rule in RULES):
        names = ", ".join(sorted({rule.id for rule in RULES}))
        raise typer.BadParameter(f"there is no rule {found[2]}. There are: {names}")
    return found[1], found[3].strip()


Profile = Annotated[str | None, option("NAME", "AWS profile to ask with.")]
Name = Annotated[str, a_stack("The stack in cmek.yaml.")]
OneOrAll = Annotated[str | None, typer.Argument(help="One stack. Default: all.")]
AsJson = Annotated[bool, flag("--json", "Print JSON.")]
Templates = Annotated[
    list[Path],
    typer.Argument(
        default_factory=lambda: [Path("cdk.out")],
        show_default=False,
        metavar="TEMPLATE",
        help="CloudFormation templates, JSON or YAML, or folders of `cdk synth`. Default: cdk.out.",
    ),
]
AccountOfTemplates = Annotated[
    str | None,
    account(
        "account", "Write the number of the templates' account.", "The AWS account of templates that do not say theirs."
    ),
]
Acknowledge = Annotated[
    list[Any] | None,
    typer.Option(
        parser=acknowledgement,
        metavar="RULE=REASON",
        help="Show what breaks this rule with its reason, and do not fail for it. Repeatable.",
    ),
]
VendorRoles = Annotated[
    list[str] | None,
    role_arn("A vendor's role of another account that a key may let in. Repeatable.", "vendor_role_arn"),
]
