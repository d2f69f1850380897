"""What a rule is, and what it finds."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from cmek_construct.templates.found import Place

_LONGEST: Final = 200


@dataclass(frozen=True)
class Fault:
    """What one rule has against one thing."""

    what: str
    """What is wrong, in one sentence, with the value."""
    witness: str = ""
    """Who could do what, where each is acknowledged by itself."""
    meant: str | None = None
    """Why it is meant, where its construct says so."""


@dataclass(frozen=True)
class Rule:
    """One rule: a small pure function, and what there is to say of it."""

    id: str
    """Stable: people acknowledge it."""
    subject: type[Any]
    check: Callable[[Any], Iterable[Fault]]
    sentence: str
    """What must hold."""
    allows: str
    """What it would allow whom to do."""
    cure: str


@dataclass(frozen=True)
class Violation:
    """A rule that a template breaks."""

    rule: str
    """Its id, with the witness."""
    place: Place
    what: str
    allows: str
    cure: str
    meant: str | None
    """Why it is meant, where its construct says so."""

    @property
    def logical_id(self) -> str:
        """Of the resource."""
        return self.place.logical_id


TABLE: Final[list[Rule]] = []
"""What `rule` notes; `cmek_construct.guardrails.rules` has all of them."""
Check = TypeVar("Check", bound=Callable[[Any], Iterable[Fault]])


def rule(rule_id: str, *subjects: type[Any], sentence: str, allows: str, cure: str) -> Callable[[Check], Check]:
    """A function as a rule.

    Args:
        rule_id: by which it is acknowledged.
        subjects: what it judges.
        sentence: what must hold.
        allows: what it would allow whom to do.
        cure: the way out.
    """

    def note(check: Check) -> Check:
        TABLE.extend(Rule(rule_id, one, check, sentence, allows, cure) for one in subjects)
        return check

    return note


def about(rule_id: str, witness: str) -> str:
    """A rule about one witness alone: another one is not acknowledged with it."""
    if not witness:
        return rule_id
    text = re.sub(r"[^A-Za-z0-9_+=,.@:/*?-]", "", witness.replace(" ", "_"))
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return f"{rule_id}[{text}]"
