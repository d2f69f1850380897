"""What the doctor found, on one screen: first what is wrong, with what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cmek_construct.operations.doctor.doctor import HEALTHY, Examined
from cmek_construct.operations.findings import Finding, Verdict, marked

_COMMANDS = ("aws ", "cmek ", "npx ")
_ORDER = (Verdict.WRONG, Verdict.UNKNOWN, Verdict.SAID, Verdict.RIGHT)


def screen(examined: Sequence[Examined]) -> Iterator[str]:
    """The lines: of one stack all, of several what is not right."""
    for one in examined:
        own = one.entry.settings
        yield f"{one.entry.name}: {one.verdict} (account {own.account}, {own.region})"
        if len(examined) > 1 and one.code == HEALTHY:
            yield from (line for line in _lines(one, Verdict.SAID) if "SUSPENDED" in line)
            continue
        yield f"  role {one.role_arn or 'not known'}"
        if own.customers is None:
            yield f"  key  {one.key_arn or 'not known'}"
        for verdict in _ORDER if len(examined) == 1 else _ORDER[:2]:
            yield from _lines(one, verdict)
        yield ""
    if len(examined) > 1:
        healthy = sum(one.code == HEALTHY for one in examined)
        yield f"{healthy} of {len(examined)} are healthy."


def _lines(examined: Examined, verdict: Verdict) -> Iterator[str]:
    for finding in examined.findings:
        if finding.verdict is verdict:
            yield from _finding(finding)


def _finding(finding: Finding) -> Iterator[str]:
    yield marked(finding)
    if finding.verdict is Verdict.WRONG:
        for label, text in (("data", finding.means), ("time", finding.time)):
            if text:
                yield f"    {label}: {text}"
    for line in finding.cure.split("\n") if finding.fails else ():
        # A line to run stands alone, so that it can be copied as it is.
        yield f"    {'run' if line.startswith(_COMMANDS) else 'do'}:".ljust(10) + line
