"""What every command prints: lines for a person, JSON for a machine."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import typer

from cmek_construct.health.findings import Finding, Verdict
from cmek_construct.policy.sentences import plain

if TYPE_CHECKING:
    from cmek_construct.templates.found import Found

_MARKS: Final = {
    Verdict.RIGHT: ("✓", "ok"),
    Verdict.WRONG: ("✗", "WRONG"),
    Verdict.UNKNOWN: ("?", "?"),
    Verdict.SAID: ("·", "-"),
}
_MOST_ASKED: Final = 10
_COMMANDS: Final = ("aws ", "cmek ", "npx ")


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
    from cmek_construct.review.answers import to_check
    from cmek_construct.who.policies import two_accounts

    accounts = two_accounts(found)
    if accounts:
        typer.echo(accounts, err=True)
    said = [
        f"Ask a person: {stack.template.name}: {plain(words)}"
        for stack, some in to_check(found).items()
        for words in some
    ]
    for line in said[:_MOST_ASKED]:
        typer.echo(line, err=True)
    if len(said) > _MOST_ASKED:
        typer.echo(f"And {len(said) - _MOST_ASKED:,} more: cmek review lists them.", err=True)


def tell_json(data: Any) -> None:
    """Print JSON."""
    sys.stdout.write(f"{in_json(data)}\n")  # `typer.echo` looks for colours in it


def in_json(data: Any, margin: str = "\n") -> str:
    """JSON in which each record is a line: there may be a hundred thousand of them."""
    inner = f"{margin}  "
    if isinstance(data, dict) and any(map(_has_records, data.values())):
        parts = [f"{json.dumps(key)}: {in_json(one, inner)}" for key, one in data.items()]
        return f"{{{inner}{f',{inner}'.join(parts)}{margin}}}"
    if not _has_records(data):
        return json.dumps(data)
    if any(_has_records(value) for one in data for value in one.values()):
        lines = f",{inner}".join(in_json(one, inner) for one in data)
    else:
        # All at once, which is quick: no text in JSON has a line break.
        lines = json.dumps(data, separators=(",\n", ": "))[1:-1].replace("},\n{", "}\n{")
        lines = lines.replace(",\n", ", ").replace("}\n{", f"}},{inner}{{")
    return f"[{inner}{lines}{margin}]"


def _has_records(data: Any) -> bool:
    return isinstance(data, (list, tuple)) and bool(data) and isinstance(data[0], dict)


def marked(finding: Finding) -> str:
    """A finding behind its mark, one that the terminal has."""
    mark, plain = _MARKS[finding.verdict]
    try:
        mark.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        mark = plain
    return f"{mark} {finding.words}."


def in_a_line(finding: Finding) -> str:
    """A finding and its cure in one line."""
    cure = f" Cure: {finding.cure}" if finding.cure and finding.fails else ""
    return f"{marked(finding)}{cure}"


def whole(finding: Finding) -> Iterator[str]:
    """A finding with what it means, how long there is, and what to do."""
    yield marked(finding)
    if finding.verdict is Verdict.WRONG:
        for label, text in (("data", finding.means), ("time", finding.time)):
            if text:
                yield f"    {label}: {text}"
    for line in finding.cure.split("\n") if finding.fails else ():
        # A line to run stands alone, so that it can be copied as it is.
        yield f"    {'run' if line.startswith(_COMMANDS) else 'do'}:".ljust(10) + line


def counted(found: Sequence[object], name: str) -> str:
    """``1 role``, ``2 roles``."""
    return f"{len(found)} {name}" + ("" if len(found) == 1 else "s")
