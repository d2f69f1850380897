"""IAM's events, which exist in us-east-1 alone, brought to the Region of a stack."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from cmek_construct.constructs import events
from cmek_construct.constructs.cdk import Environment
from cmek_construct.constructs.event_rules import pattern

HOME: Final = "us-east-1"
"""Where CloudTrail delivers IAM's events. Source: IAM user guide, "Logging IAM and AWS STS API
calls with AWS CloudTrail"."""


def bring_to(scope: Construct, environment: Environment) -> None:
    """Have a stack in us-east-1 forward them to the default event bus of a scope's stack.

    One stack serves an account and Region, whoever asks for it: a second one would forward every
    event twice.
    """
    stack = cdk.Stack.of(scope)
    while stack.nested_stack_parent is not None:
        stack = stack.nested_stack_parent
    stage = cdk.Stage.of(stack)
    assert stage is not None
    name = f"pinecone-cmek-iam-events-{environment.region}"
    construct_id = f"{name}-{environment.account}" if environment.account else name
    forwarder = stage.node.try_find_child(construct_id)
    if forwarder is None:
        forwarder = _forwarder(stage, construct_id, name, environment)
    assert isinstance(forwarder, cdk.Stack)
    stack.add_stack_dependency(forwarder, "It brings IAM's events")


def _forwarder(
    stage: cdk.Stage,
    construct_id: str,
    name: str,
    environment: Environment,
) -> cdk.Stack:
    stack = cdk.Stack(
        stage,
        construct_id,
        stack_name=name,
        env=cdk.Environment(account=environment.account, region=HOME),
        description=f"Forwards IAM's events about roles to {environment.region}, where Pinecone's "
        "role and key are watched",
    )
    rule = aws_events.Rule(
        stack,
        "RolesChanged",
        description=f"Calls that change a role, for the default event bus of {environment.region}",
        event_pattern=pattern(events.of_every_role()),
    )
    bus = f"arn:aws:events:{environment.region}:{stack.account}:event-bus/default"
    rule.add_target(targets.EventBus(aws_events.EventBus.from_event_bus_arn(stack, "Bus", bus)))
    return stack
