"""What the constructs ask of CDK: where they are, what names a role or a key; what they tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeGuard

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct, IConstruct

from cmek_construct import checks, warnings
from cmek_construct.warnings import Notice

RETAIN: Final = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE


class Environment(NamedTuple):
    """An account and a region: ``None`` where only the deploy knows."""

    account: str | None
    region: str | None


def environment_of(scope: IConstruct) -> Environment:
    """The environment of a scope's stack: a construct of ours knows it without a message.

    Raises:
        ValueError: the stack is in a partition where Pinecone is not.
    """
    known: Environment | None = getattr(scope, "_environment", None)
    if known is None:
        stack = scope if isinstance(scope, cdk.Stack) else cdk.Stack.of(scope)
        account, region = stack.environment.removeprefix("aws://").split("/")
        known = Environment(
            None if account == "unknown-account" else account,
            None if region == "unknown-region" else region,
        )
    if known.region is not None:
        checks.in_pinecone_partition(known.region)
    return known


def environment_of_resource(resource: Any) -> Environment:
    """The environment of a role or a key, which may be imported from another one."""
    known: Environment | None = getattr(resource, "_environment", None)
    if known is not None:
        return known
    env = resource.env
    return Environment(
        None if checks.is_token(env.account) else env.account,
        None if checks.is_token(env.region) else env.region,
    )


def in_two_accounts(one: Any, other: Any) -> bool:
    """Whether two resources are seen to be in different accounts."""
    accounts = [environment_of_resource(resource).account for resource in (one, other)]
    return None not in accounts and accounts[0] != accounts[1]


def arn_of(resource: Any) -> str:
    """The ARN of a role or a key: a construct of ours knows it without a message."""
    known = getattr(resource, "_arn", None) or getattr(resource, "key_arn", None)
    return str(known or resource.role_arn)


def readable(arn: str, output: str) -> str:
    """An ARN for a person to read: one that only the deploy knows is named by its output."""
    return f"<output {output}>" if checks.is_token(arn) else arn


def resource_of(key: kms.IKey | None) -> kms.CfnKey | None:
    """The resource of a key that an app makes; None for an imported one."""
    resource = key and (key.node.default_child or key.node.scope)
    return resource if isinstance(resource, kms.CfnKey) else None


def is_made_here(role: iam.IRole | None) -> TypeGuard[iam.Role]:
    """Whether an app makes this role: not an imported one, nor one of `Role.customize_roles`."""
    return isinstance(role, iam.Role) and isinstance(role.node.default_child, iam.CfnRole)


def warn(construct: IConstruct, notices: Iterable[Notice]) -> None:
    """Put warnings on a construct: `cdk synth` and `cdk deploy` print them."""
    for notice in notices:
        cdk.Validations.of(construct).add_warning(notice.id, notice.message)


def acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """What a prop asks for in so many words is no oversight: acknowledge the guardrail, by its id.

    The same by an override has no acknowledgement, and the guardrails refuse it.
    """
    ids = {warnings.acknowledged_as(rule): reason for rule, reason in reasons.items()}
    if ids:
        cdk.Validations.of(construct).acknowledge(
            *(cdk.Acknowledgment(id=one, reason=reason) for one, reason in ids.items())
        )


def dialog_output(scope: Construct, name: str, label: str, value: str) -> None:
    """An output that a person carries to one field of Pinecone's "Add CMEK" dialog."""
    description = f'For "{label}" in the Pinecone console, Manage > CMEK > Add CMEK'
    cdk.CfnOutput(scope, name, value=value, description=description)
