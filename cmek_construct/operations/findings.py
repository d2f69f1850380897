"""Findings about a role or a key, for a person and for a machine."""

from __future__ import annotations

import enum
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class Verdict(enum.Enum):
    """How a finding is to be taken."""

    RIGHT = "right"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    """It cannot be told."""
    SAID = "said"
    """To be known, and neither right nor wrong."""


class Effect(enum.Enum):
    """What a fault does to people."""

    SOMEBODY_LET_IN = "somebody-let-in"
    PINECONE_LOCKED_OUT = "pinecone-locked-out"
    OWNER_LOCKED_OUT = "owner-locked-out"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    about: str
    """A stable name for it."""
    verdict: Verdict
    words: str
    cure: str = ""
    elsewhere: bool = False
    """It is to be seen in another place, and was not asked for: no reason to fail."""
    means: str = ""
    """What it means for the data."""
    time: str = ""
    """How long there is."""
    effects: tuple[Effect, ...] = ()

    @property
    def fails(self) -> bool:
        """Whether role and key are not to be called right."""
        return self.verdict in (Verdict.WRONG, Verdict.UNKNOWN) and not self.elsewhere


def judged(
    about: str, right: bool, words: tuple[str, str], cure: str, *, means: str = "", time: str = ""
) -> Finding:
    """One that is right by the first words, or wrong by the second."""
    if right:
        return Finding(about, Verdict.RIGHT, words[0])
    return Finding(about, Verdict.WRONG, words[1], cure, means=means, time=time)


_MARKS = {
    Verdict.RIGHT: ("✓", "ok"),
    Verdict.WRONG: ("✗", "WRONG"),
    Verdict.UNKNOWN: ("?", "?"),
    Verdict.SAID: ("·", "-"),
}


def marked(finding: Finding) -> str:
    """A finding behind its mark, one that the terminal has."""
    mark, plain = _MARKS[finding.verdict]
    try:
        mark.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        mark = plain
    return f"{mark} {finding.words}."


def line(finding: Finding) -> str:
    """A finding in one line."""
    cure = f" Cure: {finding.cure}" if finding.cure and finding.fails else ""
    return f"{marked(finding)}{cure}"


def as_data(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """The findings for a machine."""
    return [
        {
            "about": finding.about,
            "verdict": finding.verdict.value,
            "words": finding.words,
            "means": finding.means or None,
            "time": finding.time or None,
            "cure": finding.cure or None,
            "fails": finding.fails,
        }
        for finding in findings
    ]
