"""What cannot be read from the template cannot be accepted either."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from cmek_construct.guardrails.intrinsics import REFERENCE, is_unreadable
from cmek_construct.guardrails.policies import Policy, Statement, shown
from cmek_construct.guardrails.rule import Finding
from cmek_construct.guardrails.subjects import Attached, Key, Role
from cmek_construct.guardrails.trust import EXTERNAL_ID, PRINCIPAL_ARN, accounts_in, entrance


def in_role(role: Role) -> Iterator[Finding]:
    """In a trust policy, a policy of the role, or a property of it."""
    yield from _findings("The trust policy", _in_trust(role.trust))
    for permission in role.permissions:
        where = f"The policy {shown(permission.name)} of the role"
        found = _in(permission.policy, permission.policy.allowing) if permission.policy else []
        yield from _findings(where, found)
    names = [one.name for one in role.permissions if not one.policy]
    session = [role.max_session] if "${" in (role.max_session or "") else []
    yield from _findings("The role", filter(None, [*session, *filter(is_unreadable, names)]))
    yield from _findings("The trust policy", sorted(set(_no_parameters(role))))


def in_attached(policy: Attached) -> Iterator[Finding]:
    """In a policy that another template attaches to the role."""
    read = policy.permission.policy or Policy()
    yield from _findings("The policy", _in(read, read.allowing))


def in_key(key: Key) -> Iterator[Finding]:
    """In a key policy, or a property of a key."""
    yield from _findings("The key policy", _in(key.policy, key.policy.statements))
    if "KeyPolicy" not in key.resource.properties:
        yield from _findings("The key", ["no KeyPolicy"])
    unknown = (f"{name} {text}" for name, text in key.properties.items() if "${" in text)
    yield from _findings("The key", unknown)


def _no_parameters(role: Role) -> Iterator[str]:
    """What only the deploy knows, and no deployer gives, in the place of an account or an ID."""
    statement = entrance(role)
    if statement is None:
        return
    ids = [value for one in statement.on(EXTERNAL_ID) for value in one.values]
    for value in (*accounts_in(statement), *ids):
        found = re.fullmatch(REFERENCE, value)
        if found and value != role.account and value[2:-1] not in role.parameters:
            yield value


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
