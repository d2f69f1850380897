"""Who may do what with the key: its owner everything, the role what the console's key users may.

Source: KMS Developer Guide, "Key policies in AWS KMS" and "Default key policy".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cmek_construct.guardrails.intrinsics import is_unreadable
from cmek_construct.guardrails.policies import Condition, Principal, Statement, shown, within
from cmek_construct.guardrails.rule import Finding
from cmek_construct.guardrails.subjects import Key
from cmek_construct.guide import GRANTS, KEY_USE

_ROLE: Final = re.compile(r"arn:aws[a-z-]*:(iam::[^:]*:role/|sts::[^:]*:assumed-role/)")


def owner_rules(key: Key) -> Iterator[Finding]:
    """The account's root has lost the key; without any key policy KMS writes one that lets it."""
    statements = key.policy.statements
    is_said = "KeyPolicy" in key.resource.properties and (statements or not key.policy.unreadable)
    if is_said and not any(_lets_owner_rule(key, statement) for statement in statements):
        yield Finding(
            "The key policy does not let the account's root do kms:* without condition.",
            "Nobody could mend or manage the key: the data would be lost with the first mistake.",
        )


def _lets_owner_rule(key: Key, statement: Statement) -> bool:
    return (
        statement.effect == "Allow"
        and statement.always
        and not statement.conditions
        and any(is_root(key, one) for one in statement.principals)
        and statement.covers_all
        and "*" in statement.resources
    )


def is_root(key: Key, principal: Principal) -> bool:
    """Whether a principal is the account that owns the key."""
    return principal.kind == "AWS" and principal.name in (
        f"arn:aws:iam::{key.owner}:root",
        key.owner,
    )


def role_access(key: Key) -> Iterator[Finding]:
    """The role may do more than a key user."""
    for statement in _to_roles(key):
        for action in statement.actions:
            if not is_unreadable(action) and not _is_one_of(action, (*KEY_USE, *GRANTS)):
                yield Finding(
                    f"The key policy allows {shown(action)} to the role, in {statement.name}.",
                    "Pinecone, or who took its role over, could do more than to use the key: "
                    "change its policy, disable it or have it deleted.",
                )


def role_grants(key: Key) -> Iterator[Finding]:
    """The role may hand the key on by itself."""
    for statement in _to_roles(key):
        granting = [one for one in statement.actions if _is_one_of(one, GRANTS)]
        if granting and not any(map(_for_aws_alone, statement.conditions)):
            yield Finding(
                f"The key policy allows {shown(*granting)} to the role without the condition Bool "
                f"kms:GrantIsForAWSResource true, in {statement.name}.",
                "Pinecone's role could hand the use of the key to anybody, by a grant that "
                "outlives a change of the policy.",
            )


def _for_aws_alone(condition: Condition) -> bool:
    return (
        condition.operator == "Bool"
        and condition.key == "kms:grantisforawsresource"
        and condition.values == ("true",)
    )


def _to_roles(key: Key) -> Iterator[Statement]:
    """What is allowed to Pinecone's role, or to a role of another account."""
    for statement in key.policy.allowing:
        if any(
            one.kind == "AWS" and (one.arn in key.role_arns or _is_foreign_role(key, one))
            for one in statement.principals
        ):
            yield statement


def _is_foreign_role(key: Key, principal: Principal) -> bool:
    is_role = _ROLE.match(principal.name) is not None or principal.name in key.vendor_role_arns
    return is_role and not _is_of_owner(key, principal)


def _is_of_owner(key: Key, principal: Principal) -> bool:
    of_owner = rf"arn:aws[a-z-]*:(iam|sts)::{re.escape(key.owner)}:.+"
    return principal.kind == "AWS" and (
        principal.name in key.people
        or principal.name == key.owner
        or re.fullmatch(of_owner, principal.name) is not None
    )


def _is_one_of(action: str, patterns: tuple[str, ...]) -> bool:
    return any(within(action, pattern) for pattern in patterns)


def open_to_all(key: Key) -> Iterator[Finding]:
    """An Allow for everybody."""
    for statement in key.policy.allowing:
        if any(principal.name == "*" for principal in statement.principals):
            yield Finding(
                f"The key policy allows {shown(*statement.actions)} to *, in {statement.name}.",
                "Everybody who meets its conditions could do so, in whatever account.",
            )


def foreign_principal(key: Key) -> Iterator[Finding]:
    """An Allow for somebody of another account, of a service, or signed in elsewhere."""
    allowed: dict[Principal, list[Statement]] = {}
    for statement in key.policy.allowing:
        for one in statement.principals:
            if _is_foreign(key, one):
                allowed.setdefault(one, []).append(statement)
    for one, statements in allowed.items():
        actions = shown(*(action for statement in statements for action in statement.actions))
        where = " and ".join(statement.name for statement in statements)
        yield Finding(
            f"The key policy allows {actions} to {one.kind} {shown(one.name)}, which is not seen "
            f"to be of the key's account, in {where}.",
            f"{shown(one.name)} could use the key and read what it encrypts.",
            whom=one.name,
        )


def _is_foreign(key: Key, one: Principal) -> bool:
    if one.kind != "AWS":
        return not is_unreadable(one.name)
    declared = one.arn in key.role_arns or one.name in key.vendor_role_arns
    return not (declared or one.name == "*" or is_unreadable(one.name) or _is_of_owner(key, one))


def not_element(key: Key) -> Iterator[Finding]:
    """``NotPrincipal`` or ``NotAction`` in an Allow."""
    for statement in key.policy.allowing:
        for name in ("NotPrincipal", "NotAction", "NotResource"):
            if name in statement.members:
                yield Finding(
                    f"The key policy has {name} in an Allow, in {statement.name}.",
                    "It allows everybody and everything but what it names.",
                )
