"""Under which conditions the role may be assumed: those of the guide, and no option among them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cmek_construct import checks
from cmek_construct.guardrails.intrinsics import REFERENCE, is_unreadable
from cmek_construct.guardrails.policies import Condition, shown
from cmek_construct.guardrails.rule import Finding
from cmek_construct.guardrails.subjects import Role
from cmek_construct.guardrails.trust import (
    EXTERNAL_ID,
    PINECONES_ROLE,
    PINECONES_ROLES,
    PRINCIPAL_ARN,
    entrance,
    is_open,
)

_POSITIVE: Final = frozenset(
    {
        "StringEquals",
        "StringEqualsIgnoreCase",
        "StringLike",
        "ArnEquals",
        "ArnLike",
        "NumericEquals",
        "NumericLessThan",
        "NumericLessThanEquals",
        "NumericGreaterThan",
        "NumericGreaterThanEquals",
        "DateEquals",
        "DateLessThan",
        "DateLessThanEquals",
        "DateGreaterThan",
        "DateGreaterThanEquals",
        "Bool",
        "BinaryEquals",
        "IpAddress",
    }
)
"""Operators that a request without the key does not meet. Source: IAM User Guide, "IAM JSON policy
elements: Condition operators"."""


def optional_condition(role: Role) -> Iterator[Finding]:
    """An operator that is also met by who does not present what is asked for."""
    statement = entrance(role)
    for one in statement.conditions if statement else []:
        if one.operator not in _POSITIVE:
            yield Finding(
                f"The trust policy has the condition {shown(str(one))}, and {shown(one.operator)} "
                "is no operator that always asks for its value.",
                f"Who presents no {shown(one.name)}, or another one, could be let in.",
            )


def external_id(role: Role) -> Iterator[Finding]:
    """An external ID that is none: not asked for, of several values, or by a pattern."""
    statement = entrance(role)
    if statement is None:
        return
    asked = [one for one in statement.on(EXTERNAL_ID) if one.operator in _POSITIVE]
    for condition in asked:
        fault = _fault(condition, role)
        if fault:
            yield Finding(
                f"The trust policy has the condition {shown(str(condition))}: {fault}.",
                "Pinecone could be made to use the role for another of its customers, who presents "
                "another external ID.",
            )
    promised = statement.sid.lower().endswith("withid") or role.external_ids
    if not statement.on(EXTERNAL_ID) and promised and not is_open(statement):
        yield Finding(
            "The trust policy asks for no external ID, and its Sid or an output says that it does.",
            "Pinecone could be made to use the role for another of its customers.",
        )


def _fault(condition: Condition, role: Role) -> str | None:
    if condition.operator != "StringEquals":
        return "an external ID is compared by StringEquals"
    if len(condition.values) != 1:
        return f"there are {len(condition.values)} external IDs, and any one is enough"
    (value,) = condition.values
    if is_unreadable(value):
        return None
    if not checks.EXTERNAL_ID.fullmatch(value) and not re.fullmatch(REFERENCE, value):
        return "this is no external ID (2 to 1,224 characters, no wildcard, no policy variable)"
    if role.external_ids and value not in role.external_ids:
        return f"it is not the external ID of the output, {shown(*sorted(role.external_ids))}"
    return None


def principal_pattern(role: Role) -> Iterator[Finding]:
    """In the guide's third policy: anything else than Pinecone's roles in one account."""
    statement = entrance(role)
    if statement is None or not is_open(statement):
        return
    for condition in statement.on(PRINCIPAL_ARN):
        if condition.operator not in _POSITIVE:
            continue
        wrong = [value for value in condition.values if not _is_pinecones(value)]
        if condition.operator not in ("StringLike", "StringEquals") or wrong:
            yield Finding(
                f"The trust policy has the condition {shown(str(condition))}, and the guide's is "
                "StringLike aws:PrincipalArn arn:aws:iam::<Pinecone's "
                "account>:role/pinecone_cmek_access_*.",
                "Roles that are not Pinecone's could assume the role, with the external ID.",
            )


def _is_pinecones(value: str) -> bool:
    known = PINECONES_ROLES.fullmatch(value) or PINECONES_ROLE.fullmatch(value)
    return bool(known) or is_unreadable(value)
