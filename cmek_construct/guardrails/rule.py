"""What a rule is, and what it finds."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cmek_construct import warnings as ids
from cmek_construct.templates.found import Place

_LONGEST_WITNESS: Final = 200
_LONGEST: Final = 1_000


@dataclass(frozen=True)
class Violation:
    """A rule that a template breaks."""

    rule: str
    """Its id, with the witness: who could do what."""
    place: Place
    what: str
    """What is wrong, in one sentence, with the value."""
    allows: str
    cure: str
    meant: str | None
    """Why it is meant, where its construct, the app or who asks says so."""

    @property
    def logical_id(self) -> str:
        """Of the resource."""
        return self.place.logical_id

    @property
    def reported(self) -> tuple[Path, str, str]:
        """File and logical ID of what CDK knows, of a stack set those of the set; and in words what is within it."""
        stack, logical_id, within = self.place.stack, self.logical_id, ""
        while stack.is_in_stack_set and stack.parent:
            within = f"In TemplateBody, {logical_id}: {within}"
            stack, logical_id = stack.parent, stack.within[-1]
        return stack.template.file, logical_id, within


@dataclass(frozen=True)
class Rule:
    """What there is to say of one rule. It stands in the file of the function that finds what breaks it."""

    id: str
    """Stable: people acknowledge it."""
    sentence: str
    """What must hold."""
    allows: str
    """What it would allow whom to do."""
    cure: str
    """The way out."""

    def broken(self, place: Place, what: str, witness: str = "", meant: str | None = None) -> Violation:
        """That something breaks it: by a witness where each is acknowledged by itself, and another is not with it."""
        what = what if len(what) <= _LONGEST else f"{what[:_LONGEST]} …"
        text = re.sub(r"[^A-Za-z0-9_+=,.@:/*?-]", "", witness.replace(" ", "_"))
        if len(text) > _LONGEST_WITNESS:
            text = f"{text[:_LONGEST_WITNESS]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        return Violation(f"{self.id}[{text}]" if witness else self.id, place, what, self.allows, self.cure, meant)


ACCESS_UNREAD: Final = Rule(
    ids.CANNOT_BE_JUDGED,
    sentence="Everything that says who may do what can be read from the template.",
    allows="Nobody can tell whom it lets in before it is deployed.",
    cure="Write it out, or for an external ID take a parameter.",
)
