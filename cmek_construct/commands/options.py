"""Options that several commands have, each declared once."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from cmek_construct import checks, warnings
from cmek_construct.checks import Check
from cmek_construct.customers import CUSTOMERS
from cmek_construct.deployment import config
from cmek_construct.guardrails.judging import RULE_IDS
from cmek_construct.props import Prop

_ACKNOWLEDGED: Final = re.compile(rf"(?:{warnings.PLUGIN}::)?(([a-z-]+)(?:\[[^\]]*\])?)=(.*\S.*)", re.S)


def fields(command: Callable[..., Callable[[], None]]) -> Callable[..., None]:
    """A command with many options: they are the fields of a class, of which one is made and called.

    The docstring of the class is the help.
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


def _parser(check: Check, parameter: str, written: Callable[[str], str] = str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        value = written(value)
        try:
            config.judge(check, parameter, value)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        return value

    return parse


def checked(
    check: Check, parameter: str, metavar: str, help: str, written: Callable[[str], str] = str, **shown: Any
) -> Any:
    """An option with the construct's own check; a wrong answer to a question is asked again.

    ``parameter`` is its name in the message, ``written`` makes what people type into what the file says; the rest is as
    `typer.Option` takes it.
    """
    return typer.Option(parser=_parser(check, parameter, written), metavar=metavar, help=help, **shown)


def of_row(row: Prop, metavar: str, says: str, **more: Any) -> Any:
    """An option that is the value of a prop: its name and its check are the row's."""
    return checked(row.check, row.name, metavar, says, **more)


def role_arn(says: str, name: str = "role_arn") -> Any:
    return checked(checks.role_arn, name, "ARN", says)


def account(parameter: str, way_out: str, says: str) -> Any:
    """An option that is the number of an account."""
    return checked(partial(checks.account_id, way_out=way_out), parameter, "DIGITS", says)


def stack(parameter: str, says: str) -> Any:
    """An option that names a stack of cmek.yaml."""
    return checked(config.stack_name, parameter, "NAME", says)


def a_stack(says: str) -> Any:
    """An argument that names a stack."""
    return typer.Argument(parser=_parser(config.stack_name, "name"), metavar="NAME", help=says)


def listed(value: str) -> list[str]:
    """What was written with commas between."""
    return [part.strip() for part in value.split(",")]


key_arn: Final = partial(checked, checks.key_arn, "key_arn", "ARN")
region: Final = partial(checked, config.region, "region", "REGION")
customers: Final = partial(
    checked, lambda name, value: CUSTOMERS[0].check(name, listed(value)), CUSTOMERS[0].name, "DIGITS,…"
)


def acknowledgement(text: str) -> tuple[str, str]:
    """Rule and reason out of ``RULE=REASON``."""
    found = _ACKNOWLEDGED.fullmatch(text)
    if found is None:
        raise typer.BadParameter("it is RULE=REASON, with the rule as `cmek check` prints it")
    if found[2] not in RULE_IDS:
        nearest = " or ".join(get_close_matches(found[2], RULE_IDS, cutoff=0))
        raise typer.BadParameter(
            f"there is no rule {found[2]}. Is it {nearest}? There are: {', '.join(sorted(RULE_IDS))}"
        )
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
