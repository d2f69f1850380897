"""Denials after which nobody could change the key policy any more.

Source: IAM User Guide, "AWS global condition context keys"; KMS Developer Guide, "Condition keys
for AWS KMS".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cmek_construct.guardrails.key_policy import is_root
from cmek_construct.guardrails.policies import Condition, Statement
from cmek_construct.guardrails.rule import Finding
from cmek_construct.guardrails.subjects import Key

_MENDS: Final = "kms:PutKeyPolicy"
"""Who may do this can mend whatever else a key policy says."""
_NOT: Final = ("StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike")
_NOT_ARN: Final = (*_NOT, "ArnNotEquals", "ArnNotLike")
_ORGANIZATION: Final = re.compile(r"o-[a-z0-9]{10,32}")
_PATH: Final = re.compile(r"o-[a-z0-9]{10,32}/[a-z0-9/*-]*")
_OF_EACH: Final = re.compile("^(ForAllValues:|ForAnyValue:)")
_NOT_BY_THE_OWNER: Final = ("aws:principalisawsservice", "kms:bypasspolicylockoutsafetycheck")
"""What is true of no call that the owner must make."""


def owner_denied(key: Key) -> Iterator[Finding]:
    """A denial after which nobody can change the key policy any more."""
    for statement in key.policy.denying:
        if statement.covers(_MENDS) and _may_deny_owner(key, statement):
            yield Finding(
                f"The key policy denies {_MENDS} to the account that owns the key, by "
                f"{statement.name}.",
                "Nobody, not even the account's root, could take the denial back.",
            )


def _may_deny_owner(key: Key, statement: Statement) -> bool:
    """Whether the account, or all its roles, may be denied; NotPrincipal spares single ones."""
    if any(_spares_owner(key, one) for one in statement.conditions):
        return False
    return bool(statement.not_principals) or any(
        one.name == "*" or is_root(key, one) for one in statement.principals
    )


def _spares_owner(key: Key, condition: Condition) -> bool:
    """Whether the account's own root does not meet a condition of a denial."""
    operator = condition.operator.removesuffix("IfExists")
    values = condition.values
    if condition.key == "aws:securetransport":
        return operator == "Bool" and values == ("false",)
    if condition.key in _NOT_BY_THE_OWNER:
        return condition.operator == "Bool" and values == ("true",)
    if condition.key == "aws:principalarn":
        return operator in _NOT_ARN and f"arn:aws:iam::{key.owner}:root" in values
    if condition.key == "aws:principalaccount":
        return operator in _NOT and key.owner in values
    if condition.key == "aws:principalorgid":
        return operator in _NOT and _are_all(_ORGANIZATION, values)
    if condition.key == "aws:principalorgpaths":
        return _OF_EACH.sub("", operator) in _NOT and _are_all(_PATH, values)
    return False


def _are_all(pattern: re.Pattern[str], values: tuple[str, ...]) -> bool:
    return bool(values) and all(map(pattern.fullmatch, values))
