"""Options of the command line that the construct's own checks judge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from cmek_construct.deployment import values


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
