"""What a prop asks for in so many words is no oversight: the construct acknowledges it itself.

The same by an override has no acknowledgement, and the guardrails refuse it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import IConstruct

from cmek_construct import checks, limits
from cmek_construct.guardrails import ids


def acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Acknowledge guardrails in the scope of a construct, each with its reason."""
    if reasons:
        cdk.Validations.of(construct).acknowledge(
            *(
                cdk.Acknowledgment(id=ids.acknowledged_as(rule), reason=reason)
                for rule, reason in reasons.items()
            )
        )


def of_role(removal_policy: cdk.RemovalPolicy | None) -> dict[str, str]:
    """What the props of a role ask for."""
    return dict(_destroyed(removal_policy, ids.ROLE_RETAINED))


def of_key(
    *,
    enable_key_rotation: bool | None,
    multi_region: bool | None,
    pending_window: cdk.Duration | None,
    removal_policy: cdk.RemovalPolicy | None,
) -> dict[str, str]:
    """What the props of a key ask for."""
    reasons = dict(_destroyed(removal_policy, ids.KEY_RETAINED, ids.ALIAS_RETAINED))
    if enable_key_rotation is False:
        reasons[ids.ROTATION] = "The prop enable_key_rotation=False asks for it"
    if multi_region:
        reasons[ids.MULTI_REGION] = "The prop multi_region=True asks for it"
    least, _ = limits.PENDING_WINDOW_DAYS
    if pending_window is not None and pending_window.to_days(integral=False) <= least:
        reasons[ids.PENDING_WINDOW] = f"The prop pending_window of {least} days asks for it"
    return reasons


def of_imported_role(
    scope: IConstruct, role: iam.IRole, role_arn: str, account: str | None
) -> dict[str, str]:
    """A role of another account that is imported: the one that was named, and no other."""
    if isinstance(role, iam.Role):
        return {}
    account = account or "${AWS::AccountId}"
    if checks.is_token(role_arn):
        role_arn = _text(cdk.Stack.of(scope).resolve(role_arn), account)
    if role_arn.startswith(f"arn:aws:iam::{account}:"):
        return {}
    rule = ids.about(ids.FOREIGN_PRINCIPAL, role_arn)
    return {rule: "The prop role names this role of another account"}


def _destroyed(removal_policy: cdk.RemovalPolicy | None, *rules: str) -> Iterator[tuple[str, str]]:
    if removal_policy is cdk.RemovalPolicy.DESTROY:
        for rule in rules:
            yield rule, "The prop removal_policy=RemovalPolicy.DESTROY asks for it"


def _text(value: Any, account: str) -> str:
    """A role's ARN as the guardrails name it: what only the deploy knows by its name."""
    known = {"AWS::Partition": "aws", "AWS::AccountId": account}
    if not isinstance(value, dict):
        return str(value)
    [(name, argument)] = value.items()
    if name == "Ref":
        return known.get(argument, f"${{{argument}}}")
    if name == "Fn::Join":
        return str(argument[0]).join(_text(one, account) for one in argument[1])
    return f"${{{name}}}"
