"""The table of every rule. The ids are an interface: people acknowledge them."""

from __future__ import annotations

from typing import Final

from cmek_construct.guardrails import elsewhere, kept, rule, too_little, too_much

_EVERY: Final = [one for file in (kept, too_little, rule, elsewhere, too_much) for one in vars(file).values()]
RULES: Final = tuple(dict.fromkeys(one for one in _EVERY if isinstance(one, rule.Rule)))
"""As the files have them."""
