"""What cannot be read from the template cannot be accepted either."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cmek_construct.guardrails.intrinsics import is_unreadable
from cmek_construct.guardrails.policies import Policy, Statement, shown
from cmek_construct.guardrails.rule import Finding
from cmek_construct.guardrails.subjects import Attached, Key, Role
from cmek_construct.guardrails.trust import EXTERNAL_ID, PRINCIPAL_ARN


def in_role(role: Role) -> Iterator[Finding]:
    """In a trust policy, a policy of the role, or a property of it."""
    yield from _findings("The trust policy", _in_trust(role.trust))
    for permission in role.permissions:
        where = f"The policy {shown(permission.name)} of the role"
        found = _in(permission.policy, permission.policy.allowing) if permission.policy else []
        yield from _findings(where, found)
    values = [role.max_session or "", *(one.name for one in role.permissions if not one.policy)]
    yield from _findings("The role", filter(is_unreadable, values))


def in_attached(policy: Attached) -> Iterator[Finding]:
    """In a policy that another template attaches to the role."""
    read = policy.permission.policy or Policy()
    yield from _findings("The policy", _in(read, read.allowing))


def in_key(key: Key) -> Iterator[Finding]:
    """In a key policy, or a property of a key."""
    yield from _findings("The key policy", _in(key.policy, key.policy.statements))
    unknown = (f"{name} {text}" for name, text in key.properties.items() if "${" in text)
    yield from _findings("The key", unknown)


def _in_trust(policy: Policy) -> Iterator[str]:
    yield from _in(policy, policy.allowing)
    for statement in policy.allowing:
        for condition in (*statement.on(EXTERNAL_ID), *statement.on(PRINCIPAL_ARN)):
            yield from filter(is_unreadable, condition.values)


def _in(policy: Policy, statements: Iterable[Statement]) -> Iterator[str]:
    yield from policy.unreadable
    for statement in statements:
        yield from statement.unreadable


def _findings(where: str, unreadable: Iterable[str]) -> Iterator[Finding]:
    for one in unreadable:
        yield Finding(
            f"{where} has {shown(one)}, which cannot be judged from the template.",
            "Nobody can tell whom it lets in before it is deployed.",
        )
