"""The policies of an entry of cmek.yaml, as the next deploy writes them."""

from __future__ import annotations

from cmek_construct import guide
from cmek_construct.deployment.config import StackSettings
from cmek_construct.guide import KeyAccess, Policy, Statement


def is_suspended_by_trust(own: StackSettings) -> bool:
    """Whether the brake is in the role's trust policy: no key of the stack could deny the role."""
    return own.customers is not None or own.key is not None


def trust_policy(own: StackSettings, *, suspended: bool) -> Policy:
    return guide.trust_policy(**vars(own.trust), suspended=suspended and is_suspended_by_trust(own))


def key_policy(own: StackSettings, role_arn: str, *, suspended: bool) -> Policy:
    """The key policy of a key that the stack makes."""
    return guide.key_policy(
        own.account,
        role_arn,
        _access(own),
        admins=own.key_admins or [],
        suspended=suspended,
        protect_used_key=own.protect_used_key,
    )


def role_statements(own: StackSettings, role_arn: str) -> list[Statement]:
    """What the key policy says of the role while it is not suspended."""
    return guide.role_statements(role_arn, _access(own))


def denial(own: StackSettings, role_arn: str) -> Statement:
    """The statement that cuts Pinecone off."""
    return guide.assume_role_denial() if is_suspended_by_trust(own) else guide.key_denial(role_arn)


def permissions(own: StackSettings) -> list[Statement]:
    """The statements of all permissions policies of the role."""
    policies = own.customers.policies() if own.customers else {}
    return [one for policy in policies.values() for one in policy["Statement"]]


def role_permissions(own: StackSettings, key_arn: str) -> list[Statement]:
    """What the role may do with a key of its own account, whose policy alone lets it."""
    use: list[Statement] = guide.role_permissions(key_arn, _access(own))["Statement"]
    return [{"Sid": "the key policy", **one} for one in use]


def _access(own: StackSettings) -> KeyAccess:
    return KeyAccess[own.key_access or KeyAccess.KEY_USER.name]
