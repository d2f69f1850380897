"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from cmek_construct import checks
from cmek_construct.commands.checking import acknowledgement
from cmek_construct.deployment import values


def stack_name(value: str) -> str:
    """The name of one stack, as it stands in cmek.yaml."""
    try:
        values.stack_name("name", value)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return value


Profile = Annotated[str | None, typer.Option(metavar="NAME", help="AWS profile to ask with.")]
Name = Annotated[
    str, typer.Argument(parser=stack_name, metavar="NAME", help="The stack in cmek.yaml.")
]


def checked(
    check: Callable[[str, Any], None],
    parameter: str,
    written: Callable[[str], str] = str,
    **shown: Any,
) -> Any:
    """An option with the construct's own check; a wrong answer to a question is asked again.

    Args:
        check: raises a `ValueError` for what is wrong.
        parameter: its name in the message.
        written: makes what people type into what the file says.
        **shown: as `typer.Option` takes it.
    """

    def parse(value: str) -> str:
        value = written(value)
        try:
            values.no_token(parameter, value)
            check(parameter, value)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        return value

    return typer.Option(parser=parse, **shown)


def _acknowledgement(text: str) -> tuple[str, str]:
    try:
        return acknowledgement(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def account_of_templates(parameter: str, value: object) -> None:
    checks.account_id(parameter, value, "Write the number of the templates' account.")


Templates = Annotated[
    list[Path],
    typer.Argument(
        metavar="TEMPLATE",
        help="CloudFormation templates, JSON or YAML; or folders such as cdk.out.",
    ),
]
Acknowledge = Annotated[
    list[Any] | None,
    typer.Option(
        parser=_acknowledgement,
        metavar="RULE=REASON",
        help="Show what breaks this rule with its reason, and do not fail for it. Repeatable.",
    ),
]
VendorRoles = Annotated[
    list[str] | None,
    checked(
        checks.role_arn,
        "vendor_role_arn",
        metavar="ARN",
        help="A vendor's role of another account that a key may let in. Repeatable.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
