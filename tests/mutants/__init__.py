"""Dangerous templates: each one edit away from a good one, with what it would allow whom.

Every one is refused by its own rule. Of a trust policy, the simulator confirms that somebody is let in whom the good
template keeps out (`lets_in`).
"""

from __future__ import annotations

from tests.mutants import (
    of_account,
    of_conditions,
    of_key,
    of_key_policy,
    of_need,
    of_recognition,
    of_trust,
    rewritten,
    unreadable,
)
from tests.mutants.made import MUTANTS, Mutant, Template

__all__ = [
    "MUTANTS",
    "Mutant",
    "Template",
    "of_account",
    "of_conditions",
    "of_key",
    "of_key_policy",
    "of_need",
    "of_recognition",
    "of_trust",
    "rewritten",
    "unreadable",
]
