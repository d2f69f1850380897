"""How findings are printed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

from cmek_construct.health.findings import Finding, Verdict

_MARKS: Final = {
    Verdict.RIGHT: ("✓", "ok"),
    Verdict.WRONG: ("✗", "WRONG"),
    Verdict.UNKNOWN: ("?", "?"),
    Verdict.SAID: ("·", "-"),
}
_COMMANDS: Final = ("aws ", "cmek ", "npx ")


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
