"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

from cmek_construct.deployment import values
from cmek_construct.operations.options import checked

__all__ = ["Name", "Profile", "checked", "stack_name"]


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
