"""Every command with its options and exit codes, as `--help` says them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import typer

from cmek_construct.commands.app import cli
from reference.markdown import MADE, code, table, text


def page() -> str:
    """The page of commands."""
    root: Any = typer.main.get_command(cli)
    found = list(_commands(root, "cmek"))
    parts = [
        MADE,
        "# Every command",
        text(root.help),
        text(f"{root.epilog} Where a command has others, it says so."),
        table(
            ["command", "what it does"],
            ([f"[{code(name)}](#{name.replace(' ', '-')})", text(_first(command))] for name, command in found),
        ),
    ]
    for name, command in found:
        parts += _section(name, command)
    return "\n\n".join(parts) + "\n"


def _commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Those that can be run, by what is typed."""
    for name, command in group.commands.items():
        inner = getattr(command, "commands", None)
        if inner is None or command.invoke_without_command:
            yield f"{path} {name}", command
        if inner is not None:
            yield from _commands(command, f"{path} {name}")


def _first(command: Any) -> str:
    return str(command.help or "").split("\n\n")[0]


def _section(name: str, command: Any) -> Iterable[str]:
    context = command.context_class(command, info_name=name)
    yield f"## {name}"
    yield f"```text\n{name} {' '.join(_usage(command, context))}\n```"
    yield from (text(one) for one in str(command.help).split("\n\n"))
    records = [one.get_help_record(context) for one in command.params if not _is_help(one)]
    if rows := [[code(names), text(said)] for names, said in filter(None, records)]:
        yield table(["argument or option", "what it is"], rows)
    if command.epilog:
        yield text(command.epilog)


def _usage(command: Any, context: Any) -> list[str]:
    pieces: list[str] = command.collect_usage_pieces(context)
    return [one for one in pieces if one not in ("COMMAND", "[ARGS]...")]


def _is_help(parameter: Any) -> bool:
    return "--help" in parameter.opts
