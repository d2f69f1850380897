"""Options that several commands have, each declared once."""

import inspect
import re
from collections.abc import Callable
from copy import copy
from functools import partial
from pathlib import Path
from typing import Any, Final

import typer

from cmek_construct import checks, warnings
from cmek_construct.aws.session import Asking
from cmek_construct.checks import Check
from cmek_construct.customers import CUSTOMERS
from cmek_construct.deployment import config
from cmek_construct.guide import PINECONE_REGIONS
from cmek_construct.rows import rows

_ACKNOWLEDGED: Final = re.compile(rf"(?:{warnings.PLUGIN}::)?(([a-z-]+)(?:\[[^\]]*\])?)=(.*\S.*)", re.S)


def explained(run: Callable[..., Any]) -> tuple[inspect.Signature, str | None]:
    """The signature of a command, in which each option has its line of `options.ini`; and the end of its help."""
    page, file = rows(Path(__file__).with_suffix(".ini")), run.__module__.rpartition(".")[2]
    said = {**page["*"], **page.get(file, {}), **page.get(f"{file} {run.__name__.lower()}", {})}
    signature, options = inspect.signature(run), []
    for one in signature.parameters.values():
        default = copy(one.default)
        if isinstance(default, typer.models.ParameterInfo):
            default.help = said[one.name].replace("{regions}", ", ".join(PINECONE_REGIONS))
        options.append(one.replace(default=default))
    return signature.replace(parameters=options), said.get("epilog")


def flag(name: str, default: bool = False, **more: Any) -> Any:
    """An option that is there or not."""
    return typer.Option(default, name, **more)


def option(metavar: str, default: Any = None, **more: Any) -> Any:
    """An option that takes what its type takes; one whose default is `...` must be given."""
    return typer.Option(default, metavar=metavar, **more)


def checked(check: Check, metavar: str, parameter: str, written: Callable[[str], Any] = str, **more: Any) -> Any:
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

    return option(metavar, parser=parse, **more)


_account: Final = partial(checks.account_id, way_out="Write the number of the templates' account.")
a_role: Final = partial(checked, checks.role_arn, "ARN")
a_key: Final = partial(checked, checks.key_arn, "ARN", "key_arn")
a_region: Final = partial(checked, config.region, "REGION", "region")
a_stack: Final = partial(checked, config.stack_name, "NAME")


def parts(text: str) -> list[str]:
    """A list that was written with commas, spaces, or both, or as cmek.yaml has it; of numbers without their dashes."""
    return re.findall(r"[^\s,\[\]\"']+", re.sub(r"(?<=\d)-(?=\d)", "", text))


def _asking(context: typer.Context, profile: str | None) -> Asking:
    """Who asks AWS: a command itself, by its name, with the credentials of a profile."""
    return Asking(context.command_path.removeprefix(f"{context.find_root().command_path} "), profile)


def acknowledgement(text: str) -> tuple[str, str]:
    """Rule and reason out of ``RULE=REASON``."""
    found = _ACKNOWLEDGED.fullmatch(text)
    if found is None:
        raise typer.BadParameter("it is RULE=REASON, with the rule as `cmek check` prints it")
    if found[2] not in warnings.GUARDRAILS:
        raise typer.BadParameter(f"there is no rule {found[2]}. {checks.nearest(found[2], warnings.GUARDRAILS)}")
    return found[1], found[3].strip()


PROFILE: Final[Any] = typer.Option(None, "--profile", metavar="NAME", parser=str, callback=_asking)
NAME: Final[Any] = typer.Argument(parser=a_stack("name").parser, metavar="NAME")
ONE_OR_ALL: Final[Any] = typer.Argument(None)
AS_JSON: Final = flag("--json")
TEMPLATES: Final = typer.Argument(default_factory=lambda: [Path("cdk.out")], show_default=False, metavar="TEMPLATE")
ACCOUNT: Final = checked(_account, "DIGITS", "account")
ACKNOWLEDGE: Final = option("RULE=REASON", parser=acknowledgement)
VENDORS: Final = a_role("vendor_role_arn")
CUSTOMER_ACCOUNTS: Final = checked(CUSTOMERS[0].check, "DIGITS,…", CUSTOMERS[0].name, parts)
