"""What the constructs ask of CDK: where they are, what names a role or a key; what they tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard, TypeVar
from weakref import WeakKeyDictionary

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct, IConstruct

from cmek_construct import checks, warnings
from cmek_construct.warnings import Notice

T = TypeVar("T")
RETAIN: Final = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE

_answers: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()


def once(of: Any, what: str, ask: Callable[[], T]) -> T:
    """What was asked before, or else the answer: each question is a message to the jsii kernel.

    Only for what never changes in the life of a construct.
    """
    known = _answers.setdefault(of, {})
    if what not in known:
        known[what] = ask()
    answer: T = known[what]
    return answer


@dataclass(frozen=True)
class Environment:
    """An account and a region: ``None`` where only the deploy knows."""

    account: str | None
    region: str | None


def environment_of(scope: IConstruct) -> Environment:
    """The environment of a scope's stack.

    Raises:
        ValueError: the stack is in a partition where Pinecone is not.
    """
    environment = once(scope, "environment", lambda: _environment_of_stack(scope))
    if environment.region is not None:
        checks.in_pinecone_partition(environment.region)
    return environment


def _environment_of_stack(scope: IConstruct) -> Environment:
    stack = scope if isinstance(scope, cdk.Stack) else cdk.Stack.of(scope)
    account, region = stack.environment.removeprefix("aws://").split("/")
    return Environment(
        account=None if account == "unknown-account" else account,
        region=None if region == "unknown-region" else region,
    )


def environment_of_resource(resource: Any) -> Environment:
    """The environment of a role or a key, which may be imported from another one."""

    def ask() -> Environment:
        env = resource.env
        return Environment(
            account=None if checks.is_token(env.account) else env.account,
            region=None if checks.is_token(env.region) else env.region,
        )

    return once(resource, "environment", ask)


def is_in(construct: IConstruct, environment: Environment) -> None:
    """Note the environment in which a construct was just made."""
    once(construct, "environment", lambda: environment)


def in_two_accounts(one: Environment, other: Environment) -> bool:
    """Whether two resources are seen to be in different accounts."""
    return None not in (one.account, other.account) and one.account != other.account


def role_arn(role: iam.IRole) -> str:
    """The ARN of a role, for a policy."""
    return once(role, "arn", lambda: role.role_arn)


def key_arn(key: kms.IKey) -> str:
    """The ARN of a key, for a policy."""
    return once(key, "arn", lambda: key.key_arn)


def readable(arn: str, output: str) -> str:
    """An ARN for a person to read: one that only the deploy knows is named by its output."""
    return f"<output {output}>" if checks.is_token(arn) else arn


def resource_of(key: kms.IKey) -> kms.CfnKey | None:
    """The resource of a key that an app makes; None for an imported one."""
    resource = key.node.default_child or key.node.scope
    return resource if isinstance(resource, kms.CfnKey) else None


def is_made_here(role: iam.IRole) -> TypeGuard[iam.Role]:
    """Whether an app makes this role: not an imported one, nor one of `Role.customize_roles`."""
    return isinstance(role, iam.Role) and isinstance(role.node.default_child, iam.CfnRole)


# What a person is told


def warn(construct: IConstruct, notices: Iterable[Notice]) -> None:
    """Put warnings on a construct: `cdk synth` and `cdk deploy` print them."""
    for notice in notices:
        cdk.Validations.of(construct).add_warning(notice.id, notice.message)


def acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """What a prop asks for in so many words is no oversight: acknowledge the guardrail, by its id.

    The same by an override has no acknowledgement, and the guardrails refuse it.
    """
    if reasons:
        cdk.Validations.of(construct).acknowledge(
            *(
                cdk.Acknowledgment(id=warnings.acknowledged_as(rule), reason=reason)
                for rule, reason in reasons.items()
            )
        )


def dialog_output(scope: Construct, name: str, label: str, value: str) -> None:
    """An output that a person carries to one field of Pinecone's "Add CMEK" dialog."""
    cdk.CfnOutput(
        scope,
        name,
        value=value,
        description=f'For "{label}" in the Pinecone console, Manage > CMEK > Add CMEK',
    )
