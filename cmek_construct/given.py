"""The policies of roles and keys that are there already: what is added, and what must be said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import IConstruct

from cmek_construct import guide, inputs, notices
from cmek_construct.guide import Statement, assume_role_denial
from cmek_construct.memo import remembered
from cmek_construct.trust import Trust


def trust_notices(role: iam.IRole, trust: Trust) -> Iterator[notices.Notice]:
    """A given role keeps its trust policy: say the statement that is not seen in it."""
    if not (inputs.is_made_here(role) and _lets_in(role, trust)):
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


def _lets_in(role: iam.Role, trust: Trust) -> bool:
    """Whether a role surely lets Pinecone in, whatever the deploy fills into its trust policy."""
    from cmek_construct import policy  # here: an app that gives no role need not wait for it

    document = role.assume_role_policy
    assert document is not None
    resolved = cdk.Stack.of(role).resolve(
        {"own": document.to_json(), "need": guide.trust_policy(**vars(trust))}
    )
    own, need = (
        policy.read(_with_holes(resolved[one]), "trust", texts=policy.canonical)
        for one in ("own", "need")
    )
    try:
        return not policy.short(own, need)
    except policy.CannotBeJudged:
        return False


def _with_holes(value: Any) -> Any:
    """A document with CloudFormation's functions as holes, each named by its own JSON."""
    if isinstance(value, list):
        return [_with_holes(one) for one in value]
    if isinstance(value, str):
        return value.replace("${", "${!")
    if not isinstance(value, dict):
        return value
    if list(value) == ["Fn::Join"] and isinstance(value["Fn::Join"][1], list):
        between, parts = value["Fn::Join"]
        return between.join(map(_with_holes, parts))
    if any(name == "Ref" or name.startswith("Fn::") for name in value):
        return f"${{{json.dumps(value)}".replace("}", ")") + "}"
    return {name: _with_holes(one) for name, one in value.items()}
