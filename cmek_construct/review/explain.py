"""Why a statement that differs from the guide's may be meant: what is known about it, no excuse."""

from __future__ import annotations

import re
from typing import Final

from cmek_construct.guide import ENCRYPT_DECRYPT, Statement
from cmek_construct.policy.sentences import as_list
from cmek_construct.review import beside
from cmek_construct.review.beside import Comparison

_PINNED: Final = (
    "A prop of this library, pin_account: it names Pinecone's account in place of everybody. Both "
    "conditions still hold, so the same callers get in; and AWS refuses a number that no account "
    "has."
)
_TWO_ACTIONS: Final = (
    "A prop of this library, KeyAccess.ENCRYPT_DECRYPT: the two actions of the guide's second tab. "
    "Whether they pass Pinecone's Add CMEK, only Pinecone knows."
)
_SUSPENDED: Final = (
    "A prop of this library, suspended: while it stands here, Pinecone is cut off. Taking it away "
    "lets Pinecone in again."
)
_SINGLE_KEYS: Final = (
    "It names single keys, where the guide has all keys of the customer's account."
)
_ADMINISTRATORS: Final = (
    "The guide keeps the console's default, which names no administrators. Whoever is named here "
    "may change the key policy."
)
_NO_EXTERNAL_ID: Final = (
    "No external ID: the guide allows it. Then Pinecone alone sees to it that no other customer of "
    "Pinecone's has it use this role."
)
_ROLE_FROM_ELSEWHERE: Final = (
    "Whom it names is no role for Pinecone in these templates: whether it is the one you mean, "
    "only you can tell."
)
_LABEL: Final = "A label lets nobody do anything."
_KEY_ARN: Final = re.compile(r"arn:aws:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+")


def why(statement: Statement, kind: str, comparison: Comparison) -> list[str]:
    """What a reviewer should know about a statement beside the differences."""
    title = comparison.title
    changed = {line.text.strip().split('"')[1] for line in comparison.different if '"' in line.text}
    if title is None:
        return [_SUSPENDED] if _is_suspension(statement, kind) else []
    found = []
    if title == beside.ADMINISTRATORS:
        found.append(_ADMINISTRATORS)
    if title in (beside.USE, beside.ATTACH) and any(
        "<role>" in line.text for line in comparison.lines
    ):
        found.append(_ROLE_FROM_ELSEWHERE)
    if title == beside.EXPLICIT:
        found.append(_NO_EXTERNAL_ID)
    if changed == {"Sid"}:
        found.append(_LABEL)
    actions = set(map(str, as_list(statement.get("Action"))))
    if title == beside.USE and actions == set(ENCRYPT_DECRYPT):
        found.append(_TWO_ACTIONS)
    if title == beside.ALL_REGIONS and changed == {"AWS"} and _is_pinned(statement):
        found.append(_PINNED)
    resources = as_list(statement.get("Resource"))
    if title == beside.CUSTOMER and all(_KEY_ARN.fullmatch(str(one)) for one in resources):
        found.append(_SINGLE_KEYS)
    return found


def _is_pinned(statement: Statement) -> bool:
    """The root that is named is of the account whose roles the condition asks for."""
    root = str(statement["Principal"]["AWS"])
    pattern = str(statement["Condition"]["StringLike"]["aws:PrincipalArn"])
    return root.endswith(":root") and root.split(":")[4] == pattern.split(":")[4]


def _is_suspension(statement: Statement, kind: str) -> bool:
    action = {"key": ["kms:*"], "trust": ["sts:AssumeRole"]}.get(kind)
    return (
        statement.get("Effect") == "Deny"
        and as_list(statement.get("Action")) == action
        and "Condition" not in statement
    )
