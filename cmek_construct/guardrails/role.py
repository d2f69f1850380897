"""What the role may do by itself: nothing, or what the guide's second tab grants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cmek_construct.guardrails.intrinsics import is_unreadable
from cmek_construct.guardrails.permissions import Permission
from cmek_construct.guardrails.policies import Statement, shown, within
from cmek_construct.guardrails.rule import Finding
from cmek_construct.guardrails.subjects import Attached, Naming, Role
from cmek_construct.guide import ENCRYPT_DECRYPT, KEY_USE

_LONGEST_SESSION: Final = 3_600
"""Seconds. Source: IAM API reference, CreateRole, the default of ``MaxSessionDuration``."""
_NUMBER: Final = re.compile("[0-9]{1,9}")
_ALL_KEYS: Final = re.compile(r"arn:aws:kms:\*:(?P<account>[0-9]{12}):key/\*")
_ONE_KEY: Final = re.compile(
    r"arn:aws:kms:[a-z0-9-]+:(?P<account>[0-9]{12}):key/[A-Za-z0-9-]{1,64}"
)


def permissions(role: Role) -> Iterator[Finding]:
    """A policy of the role that says more than the guide's statement of a customer."""
    for permission in role.permissions:
        yield from _in(permission, role.account)


def attached(policy: Attached) -> Iterator[Finding]:
    """The same, by a policy of another template than the role's."""
    yield from _in(policy.permission, policy.account)


def named(policy: Naming) -> Iterator[Finding]:
    """The same, by a policy of another resource."""
    yield Finding(
        f"{policy.member} of a {policy.resource.type} allows {shown(*policy.actions)} to the role.",
        "Pinecone could do so in your account, beside using the key.",
    )


def _in(permission: Permission, account: str) -> Iterator[Finding]:
    if permission.policy is None:
        if not is_unreadable(permission.name):
            yield Finding(
                f"The role has the managed policy {shown(permission.name)}, which the template "
                "does not show.",
                "Pinecone could do whatever that policy allows, in your account.",
            )
        return
    for statement in permission.policy.allowing:
        if not statement.unreadable and not _is_of_customer(statement, account):
            yield Finding(
                f"The role may {shown(*statement.actions) or 'do all but some actions'} on "
                f"{shown(*statement.resources) or 'all but some resources'}, by "
                f"{shown(permission.name)}.",
                "Pinecone could do so in your account, beside using the key.",
                logical_id=permission.logical_id,
            )


def _is_of_customer(statement: Statement, own_account: str) -> bool:
    """The guide's second tab, or exact keys of another account with a key user's actions."""
    if "NotAction" in statement.members or "NotResource" in statement.members:
        return False
    return bool(statement.resources) and all(
        _is_of_other_account(resource, statement, own_account) for resource in statement.resources
    )


def _is_of_other_account(resource: str, statement: Statement, own_account: str) -> bool:
    for form, actions in ((_ALL_KEYS, ENCRYPT_DECRYPT), (_ONE_KEY, KEY_USE)):
        found = form.fullmatch(resource)
        if found and found["account"] != own_account:
            return all(
                any(within(one, pattern) for pattern in actions) for one in statement.actions
            )
    return False


def session(role: Role) -> Iterator[Finding]:
    """Sessions of more than an hour."""
    seconds = role.max_session or str(_LONGEST_SESSION)
    if "${" not in seconds and not (
        _NUMBER.fullmatch(seconds) and int(seconds) <= _LONGEST_SESSION
    ):
        yield Finding(
            f"MaxSessionDuration is {shown(seconds)} seconds; the guide's role has "
            f"{_LONGEST_SESSION}.",
            "A session that was let in could go on for hours after Pinecone was cut off.",
        )
