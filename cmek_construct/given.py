"""The policies of roles and keys that are there already: what is added, and what must be said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import IConstruct

from cmek_construct import inputs, notices
from cmek_construct.guide import Statement, assume_role_denial
from cmek_construct.memo import remembered
from cmek_construct.trust import Trust


def trust_notices(role: iam.IRole, trust: Trust) -> Iterator[notices.Notice]:
    """A given role keeps its trust policy: say the statement that is not seen in it."""
    if not (inputs.is_made_here(role) and _lets_in(role, trust.statement())):
        yield notices.role_trust_policy(trust.readable().statement())


def add_to_key_policy(key: kms.IKey, statements: list[Statement], of: IConstruct) -> None:
    """Add statements of a construct to the policy of a key that an app makes.

    Where the key has a statement of the same Sid from another construct of ours, the construct is
    named in it: Sids are unique in a policy.
    """
    sids = sids_of(key)
    for statement in statements:
        if statement["Sid"] in sids:
            statement["Sid"] += f" for {cdk.Names.unique_id(of)}"
        sids.add(statement["Sid"])
        key.add_to_resource_policy(iam.PolicyStatement.from_json(statement))


def sids_of(key: kms.IKey) -> set[str]:
    """The Sids that this library wrote into the policy of a key."""
    return remembered(key, "sids", set)


def deny_assume_role(role: iam.Role) -> None:
    """Let nobody assume the role."""
    policy = role.assume_role_policy
    assert policy is not None
    policy.add_statements(iam.PolicyStatement.from_json(assume_role_denial()))


def _lets_in(role: iam.Role, wanted: Statement) -> bool:
    policy = role.assume_role_policy
    assert policy is not None
    resolved = cdk.Stack.of(role).resolve({"found": policy.to_json(), "wanted": wanted})
    found = resolved["found"]["Statement"]
    return _meaning(resolved["wanted"]) in map(_meaning, found) and not any(
        statement["Effect"] == "Deny" for statement in found
    )


def _meaning(statement: Statement) -> str:
    """A statement without its Sid, and with lists that do not depend on order or length."""
    return json.dumps(
        {name: _sorted(value) for name, value in statement.items() if name != "Sid"},
        sort_keys=True,
    )


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        if any(name == "Ref" or name.startswith("Fn::") for name in value):
            return value
        return {
            name: _sorted(inner if isinstance(inner, list | dict) else [inner])
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return sorted((_sorted(inner) for inner in value), key=lambda v: json.dumps(v))
    return value
