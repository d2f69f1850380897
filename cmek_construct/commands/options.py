"""Options that several commands have, each declared once."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import typer

from cmek_construct import checks, warnings
from cmek_construct.aws.session import Asking
from cmek_construct.checks import Check
from cmek_construct.customers import CUSTOMERS
from cmek_construct.deployment import config

_ACKNOWLEDGED: Final = re.compile(rf"(?:{warnings.PLUGIN}::)?(([a-z-]+)(?:\[[^\]]*\])?)=(.*\S.*)", re.S)


def flag(name: str, says: str, default: bool = False, **more: Any) -> Any:
    """An option that is there or not."""
    return typer.Option(default, name, help=says, **more)


def option(metavar: str, says: str, default: Any = None, **more: Any) -> Any:
    """An option that takes what its type takes; one whose default is `...` must be given."""
    return typer.Option(default, metavar=metavar, help=says, **more)


def checked(
    check: Check, metavar: str, parameter: str, says: str, written: Callable[[str], Any] = str, **more: Any
) -> Any:
    """An option with the construct's own check; a wrong answer to a question is asked again.

    ``parameter`` is its name in the message, ``written`` makes what people type into what the file says.
    """

    def parse(text: str) -> Any:
        value = written(text)
        try:
            config.judge(check, parameter, value)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        return value

    return option(metavar, says, parser=parse, **more)


a_role: Final = partial(checked, checks.role_arn, "ARN")
a_key: Final = partial(checked, checks.key_arn, "ARN", "key_arn")
a_region: Final = partial(checked, config.region, "REGION", "region")
a_stack: Final = partial(checked, config.stack_name, "NAME")


def parts(text: str) -> list[str]:
    """A list that was written with commas, spaces, or both."""
    return re.split(r"[\s,]+", text.strip(" ,"))


def customers(says: str) -> Any:
    """An option for accounts of customers, whose numbers the console shows with dashes."""
    (check, name), digits = (CUSTOMERS[0].check, CUSTOMERS[0].name), partial(re.sub, r"(?<=\d)-(?=\d)", "")
    return checked(check, "DIGITS,…", name, says, lambda text: parts(digits(text)))


def an_account(parameter: str, way_out: str, says: str) -> Any:
    """An option that is the number of an account."""
    return checked(partial(checks.account_id, way_out=way_out), "DIGITS", parameter, says)


def asked_with(says: str) -> Any:
    """The option --profile; a command takes with it who asks AWS: itself, by its name, with these credentials."""

    def asking(context: typer.Context, profile: str | None) -> Asking:
        return Asking(context.command_path.removeprefix(f"{context.find_root().command_path} "), profile)

    return typer.Option(None, "--profile", metavar="NAME", help=says, parser=str, callback=asking)


def named(says: str) -> Any:
    """An argument that names a stack."""
    return typer.Argument(parser=a_stack("name", says).parser, metavar="NAME", help=says)


def acknowledgement(text: str) -> tuple[str, str]:
    """Rule and reason out of ``RULE=REASON``."""
    found = _ACKNOWLEDGED.fullmatch(text)
    if found is None:
        raise typer.BadParameter("it is RULE=REASON, with the rule as `cmek check` prints it")
    if found[2] not in warnings.GUARDRAILS:
        raise typer.BadParameter(f"there is no rule {found[2]}. {checks.nearest(found[2], warnings.GUARDRAILS)}")
    return found[1], found[3].strip()


PROFILE: Final = asked_with("AWS profile to ask with.")
NAME: Final = named("The stack in cmek.yaml.")
ONE_OR_ALL: Final[Any] = typer.Argument(None, help="One stack. Default: all.")
AS_JSON: Final = flag("--json", "Print JSON.")
TEMPLATES: Final[Any] = typer.Argument(
    default_factory=lambda: [Path("cdk.out")],
    show_default=False,
    metavar="TEMPLATE",
    help="CloudFormation templates, JSON or YAML, or folders of `cdk synth`. Default: cdk.out.",
)
ACCOUNT_OF_TEMPLATES: Final = an_account(
    "account", "Write the number of the templates' account.", "The AWS account of templates that do not say theirs."
)
ACKNOWLEDGE: Final = option(
    "RULE=REASON",
    "Show what breaks this rule with its reason, and do not fail for it. Repeatable.",
    parser=acknowledgement,
)
VENDORS: Final = a_role("vendor_role_arn", "A vendor's role of another account that a key may let in. Repeatable.")
