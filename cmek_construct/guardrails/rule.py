"""What a rule is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

Subject = TypeVar("Subject")


@dataclass(frozen=True)
class Finding:
    """What one rule has against one role, key or alias."""

    what: str
    """What is wrong, in one sentence, with the value."""
    allows: str
    """What it would allow whom to do."""
    logical_id: str | None = None
    """Of another resource than the subject, where the fault lies there."""
    whom: str | None = None
    """The principal, where each is acknowledged by itself."""


@dataclass(frozen=True)
class Rule(Generic[Subject]):
    """One rule: a small pure function, and the sentence that explains it."""

    id: str
    """Stable: people acknowledge it."""
    subject: type[Subject]
    check: Callable[[Subject], Iterable[Finding]]
    sentence: str
    """What must hold."""
    cure: str


@dataclass(frozen=True)
class Violation:
    """A rule that a template breaks."""

    rule: str
    logical_id: str
    what: str
    allows: str
    cure: str
