"""The table of every rule. The ids are an interface: people acknowledge them."""

from __future__ import annotations

from typing import Final

from cmek_construct.guardrails import excess, kept, too_little, too_much_elsewhere, too_much_key, too_much_trust
from cmek_construct.guardrails.rule import TABLE, Rule

_FILES: Final = [file.__name__ for file in (kept, too_little, excess, too_much_elsewhere, too_much_key, too_much_trust)]
"""Each notes its rules in the table, whichever is imported first."""
RULES: Final[tuple[Rule, ...]] = tuple(sorted(TABLE, key=lambda rule: _FILES.index(rule.check.__module__)))
"""In the order in which they are reported. Of what a policy allows too much, the first that is about it names it."""
