"""ARNs of roles and keys: for a policy, and for a person."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from cmek_construct import checks
from cmek_construct.memo import remembered


def role_arn(role: iam.IRole) -> str:
    """The ARN of a role, for a policy."""
    return remembered(role, "role_arn", lambda: role.role_arn)


def key_arn(key: kms.IKey) -> str:
    """The ARN of a key, for a policy."""
    return remembered(key, "key_arn", lambda: key.key_arn)


def readable(arn: str, output: str) -> str:
    """An ARN for a person to read: one that only the deploy knows is named by its output."""
    return f"<output {output}>" if checks.is_token(arn) else arn
