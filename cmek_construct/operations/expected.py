"""What the policies of a deployed role and key say if they are what cmek.yaml says.

The statements of the constructs in plain Python; a test holds them to the templates.
"""

from __future__ import annotations

from cmek_construct.deployment.config import StackSettings
from cmek_construct.statements import (
    KeyAccess,
    Statement,
    assume_role_denial,
    key_access_statements,
    key_admins_statement,
    key_denial,
    root_statement,
)
from cmek_construct.trust import Trust


def is_suspended_by_trust(own: StackSettings) -> bool:
    """Whether the brake is in the role's trust policy: no key of the stack could deny the role."""
    return own.customers is not None or own.key is not None


def trust_policy(own: StackSettings) -> list[Statement]:
    """The statements of the role's trust policy."""
    trust = Trust(
        own.pinecone_account_id or "", own.allowed_regions, own.external_id, bool(own.pin_account)
    )
    return [trust.statement()]


def key_policy(own: StackSettings, role_arn: str) -> list[Statement]:
    """The statements of the key policy of a key that the stack makes."""
    statements = [root_statement(own.account)]
    if own.key_admins:
        first, *others = dict.fromkeys(own.key_admins)
        statements.append(key_admins_statement({"AWS": [first, *others] if others else first}))
    return statements + key_statements(own, role_arn)


def key_statements(own: StackSettings, role_arn: str) -> list[Statement]:
    """The statements of the key policy that let the role use the key."""
    return key_access_statements(role_arn, KeyAccess[own.key_access or KeyAccess.KEY_USER.name])


def denial(own: StackSettings, role_arn: str) -> Statement:
    """The statement that cuts Pinecone off."""
    return assume_role_denial() if is_suspended_by_trust(own) else key_denial(role_arn)


def permissions(own: StackSettings) -> list[Statement]:
    """The statements of all permissions policies of the role."""
    if own.customers is None:
        return []
    return [one for policy in own.customers.policies().values() for one in policy]
