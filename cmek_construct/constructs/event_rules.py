"""One rule of EventBridge: what it looks for, and the text that it sends."""

from __future__ import annotations

from aws_cdk import aws_events
from constructs import Construct

from cmek_construct.constructs.events import Kind, Pattern


def pattern(plain: Pattern) -> aws_events.EventPattern:
    """An event pattern for the L2."""
    return aws_events.EventPattern(
        source=plain["source"],
        detail_type=plain["detail-type"],
        resources=plain.get("resources"),
        detail=plain.get("detail"),
    )


def rule(
    scope: Construct, kind: Kind, plain: Pattern, target: aws_events.IRuleTarget
) -> aws_events.Rule:
    """The rule of one kind of events."""
    names = ", ".join(kind.names)
    by_cloudtrail = "detail" in plain
    return aws_events.Rule(
        scope,
        kind.id,
        description=f"{names}; sees nothing without a CloudTrail trail" if by_cloudtrail else names,
        event_pattern=pattern(plain),
        targets=[target],
    )


def message(kind: Kind, whose: str, it: str) -> aws_events.RuleTargetInput:
    """The text of a call: what, on what, by whom, when, where; what it means and what to do.

    Args:
        kind: what happened.
        whose: the path of the construct that is watched.
        it: the key's ARN or the role's name.
    """
    field = aws_events.EventField.from_path
    return aws_events.RuleTargetInput.from_text(
        f"Pinecone CMEK {whose}: {field('$.detail.eventName')} on {it}, by "
        f"{field('$.detail.userIdentity.arn')} {field('$.detail.userIdentity.invokedBy')} "
        f"({field('$.detail.userIdentity.type')}, account "
        f"{field('$.detail.userIdentity.accountId')}, from {field('$.detail.sourceIPAddress')}), "
        f"at {field('$.detail.eventTime')}, in account {field('$.account')}, "
        f"{field('$.detail.awsRegion')}. If it failed, with the error: "
        f"{field('$.detail.errorCode')}. {_sense(kind, it)}"
    )


def service_message(kind: Kind, whose: str, it: str) -> aws_events.RuleTargetInput:
    """The text of an event of KMS itself, which nobody called."""
    field = aws_events.EventField.from_path
    return aws_events.RuleTargetInput.from_text(
        f"Pinecone CMEK {whose}: {field('$.detail-type')} of {it}, at {field('$.time')}, in "
        f"account {field('$.account')}, {field('$.region')}. {_sense(kind, it)}"
    )


def _sense(kind: Kind, it: str) -> str:
    return f"What it means: {kind.means} What to do: {kind.to_do.format(it=it)}"
