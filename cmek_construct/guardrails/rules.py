"""The table of every rule. The ids are an interface: people acknowledge them."""

from __future__ import annotations

from typing import Final

from cmek_construct.guardrails import (
    kept,
    too_little,
    too_much_elsewhere,
    too_much_key,
    too_much_trust,
)
from cmek_construct.guardrails.rule import TABLE, Rule

_FILES: Final = (too_much_trust, too_much_key, too_much_elsewhere, too_little, kept)
"""Each notes its rules in the table."""
RULES: Final[tuple[Rule, ...]] = tuple(TABLE)
"""In the order in which they are reported. Of what a policy allows too much, the first that is
about it names it."""
