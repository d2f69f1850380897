"""What a policy means: whom it surely lets do what, whom maybe, and how two policies differ.

Pure Python, and held to an independent simulator (`scripts/simulate`).
"""

from cmek_construct.policy.comparing import Witness, beyond, short
from cmek_construct.policy.patterns import CannotBeJudged
from cmek_construct.policy.rules import Request, Said, Verdict, answers
from cmek_construct.policy.statements import Policy, Principal, Statement, read
from cmek_construct.policy.text import ACCOUNT, REGION, literal

__all__ = [
    "ACCOUNT", "REGION", "CannotBeJudged", "Policy", "Principal", "Request", "Said", "Statement", "Verdict", "Witness",
    "answers", "beyond", "literal", "read", "short",
]  # fmt: skip
