"""AWS's numbers, each from the page of the service's quotas or API reference."""

from __future__ import annotations

import json
from typing import Any, Final

TRUST_POLICY_QUOTA: Final = 2_048
"""Characters of a role's trust policy. IAM's default; can be raised."""

TRUST_POLICY_LIMIT: Final = 8_192
"""Characters of a role's trust policy that no raised quota goes over."""

MANAGED_POLICY: Final = 6_144
"""Characters of an IAM managed policy."""

MANAGED_POLICIES: Final = 10
"""Managed policies on an IAM role. IAM's default; can be raised to 20."""

ROTATION_DAYS: Final = (90, 2_560)
"""Days between two automatic rotations of a KMS key."""

PENDING_WINDOW_DAYS: Final = (7, 30)
"""Days between the order to delete a KMS key and its deletion."""

KEY_DESCRIPTION: Final = 8_192
"""Characters of a KMS key's description."""

ROLE_DESCRIPTION: Final = 1_000
"""Characters of an IAM role's description."""

ALIAS: Final = 256
"""Characters of a KMS alias, with its ``alias/``."""

STACK_SET_TEMPLATE: Final = 51_200
"""Bytes of a template that a stack set takes inline (``TemplateBody``)."""

STACK_SET_UNITS: Final = 50
"""Organizational units in one operation of a stack set (API reference, CreateStackInstances)."""

TEMPLATE: Final = 1_048_576
"""Bytes of a template that CloudFormation reads from S3, where CDK uploads it."""


def characters(policy: dict[str, Any]) -> int:
    """The characters of a policy that IAM counts: white space is not."""
    return len(json.dumps(policy, separators=(",", ":")))
