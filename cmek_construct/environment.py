"""Where a construct will be deployed, as far as synth knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from constructs import IConstruct

from cmek_construct import checks

_MEMO = "_cmek_environment"


@dataclass(frozen=True)
class Environment:
    """An account and a region: ``None`` where only the deploy knows."""

    account: str | None
    region: str | None


def environment_of(scope: IConstruct) -> Environment:
    """The environment of the stack, asked once: each question is a message to the jsii kernel.

    Raises:
        ValueError: the stack is in a partition where Pinecone is not.
    """
    known: Environment | None = getattr(scope, _MEMO, None)
    if known is None:
        stack = scope if isinstance(scope, cdk.Stack) else cdk.Stack.of(scope)
        account, region = stack.environment.removeprefix("aws://").split("/")
        known = Environment(
            account=None if account == "unknown-account" else account,
            region=None if region == "unknown-region" else region,
        )
        if known.region is not None:
            checks.in_pinecone_partition(known.region)
        remember(scope, known)
    return known


def remember(construct: IConstruct, environment: Environment) -> None:
    """Note the environment on a construct that was just made in it."""
    setattr(construct, _MEMO, environment)


def environment_of_resource(resource: Any) -> Environment:
    """The environment of a role or a key, which may be imported from another one."""
    known: Environment | None = getattr(resource, _MEMO, None)
    if known is None:
        env = resource.env
        known = Environment(
            account=None if checks.is_token(env.account) else env.account,
            region=None if checks.is_token(env.region) else env.region,
        )
    return known


def in_two_accounts(one: Environment, other: Environment) -> bool:
    """Whether two resources are seen to be in different accounts."""
    return None not in (one.account, other.account) and one.account != other.account
