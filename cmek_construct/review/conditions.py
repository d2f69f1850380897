"""The conditions of a policy statement in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from cmek_construct.review.text import Quoted, Words, as_list, listed, quoted_list

_KEYS: Final = {
    "sts:externalid": "the external ID that is presented",
    "aws:principalarn": "the caller's ARN",
    "aws:principalaccount": "the caller's account",
    "aws:principalorgid": "the caller's organization",
    "aws:sourceip": "the caller's address",
    "kms:viaservice": "the AWS service that asks for the caller",
}
_OPERATORS: Final = {
    "StringEquals": "is",
    "ArnEquals": "is like",
    "StringLike": "is like",
    "ArnLike": "is like",
    "NumericEquals": "is",
    "Bool": "is",
    "StringNotEquals": "is not",
    "StringNotLike": "is not like",
    "ArnNotEquals": "is not like",
    "ArnNotLike": "is not like",
    "StringEqualsIgnoreCase": "is, in capital or small letters,",
    "IpAddress": "is in",
    "NotIpAddress": "is not in",
}
_ALSO_WITHOUT: Final = " (or is not sent at all: it does not bind who leaves it out)"


def conditions(condition: Any, *, denies: bool = False) -> Words:
    """All that must hold, or nothing if there is no condition.

    Args:
        condition: of a statement.
        denies: whether the statement forbids.
    """
    if not condition:
        return []
    if not isinstance(condition, dict):
        return ["this holds, which has no words here: ", Quoted(condition)]
    found = list(_each(condition, denies))
    return listed(found, ", and ")


def _each(condition: dict[str, Any], denies: bool) -> Iterator[Words]:
    for operator, keys in condition.items():
        if not isinstance(keys, dict):
            yield ["the condition ", Quoted({operator: keys}), " holds"]
            continue
        for key, values in keys.items():
            yield _one(operator, key, as_list(values), denies)


def _one(operator: str, key: str, values: list[Any], denies: bool) -> Words:
    texts = [str(value).lower() if isinstance(value, bool) else value for value in values]
    if operator == "Bool" and key.lower() == "kms:grantisforawsresource" and texts == ["true"]:
        return ["the grant is for an AWS service that works with it"]
    if operator == "StringEquals" and key.lower() == "sts:externalid":
        return ["the external ID ", *quoted_list(texts, " or "), " is presented"]
    if operator == "Null" and texts in (["true"], ["false"]):
        return [*_key(key), " is not sent" if texts == ["true"] else " is sent"]
    parts = re.fullmatch(r"(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?", operator)
    words = _OPERATORS.get(parts[2]) if parts else None
    if parts is None or words is None:
        return ["the condition ", Quoted({operator: {key: values}}), " holds"]
    found: Words = ["each of " if parts[1] == "ForAllValues" else "", *_key(key), f" {words} "]
    found += quoted_list(texts, " or ")
    if "like" in words:
        found.append(" (where * is any text)" if any("*" in str(one) for one in texts) else "")
    if parts[1] == "ForAllValues" or parts[3]:
        found.append(" (or is not sent at all)" if denies else _ALSO_WITHOUT)
    return found


def _key(key: str) -> Words:
    words = _KEYS.get(key.lower())
    return [words] if words else [Quoted(key)]
