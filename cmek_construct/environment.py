"""Where a construct will be deployed, as far as synth knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from constructs import IConstruct

from cmek_construct import checks
from cmek_construct.memo import remembered


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
    environment = remembered(scope, "environment", lambda: _environment_of_stack(scope))
    if environment.region is not None:
        checks.in_pinecone_partition(environment.region)
    return environment


def remember(construct: IConstruct, environment: Environment) -> None:
    """Note the environment of a construct that was just made in it."""
    remembered(construct, "environment", lambda: environment)


def environment_of_resource(resource: Any) -> Environment:
    """The environment of a role or a key, which may be imported from another one."""
    return remembered(resource, "environment", lambda: _environment_of_resource(resource))


def in_two_accounts(one: Environment, other: Environment) -> bool:
    """Whether two resources are seen to be in different accounts."""
    return None not in (one.account, other.account) and one.account != other.account


def _environment_of_stack(scope: IConstruct) -> Environment:
    stack = scope if isinstance(scope, cdk.Stack) else cdk.Stack.of(scope)
    account, region = stack.environment.removeprefix("aws://").split("/")
    return Environment(
        account=None if account == "unknown-account" else account,
        region=None if region == "unknown-region" else region,
    )


def _environment_of_resource(resource: Any) -> Environment:
    env = resource.env
    return Environment(
        account=None if checks.is_token(env.account) else env.account,
        region=None if checks.is_token(env.region) else env.region,
    )
