"""Input that is made of CDK objects: the right kind, or one clear `ValueError`.

Nothing here prints a construct or a token.
"""

from __future__ import annotations

from typing import Any, TypeGuard

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from cmek_construct import arns, checks
from cmek_construct.environment import environment_of_resource
from cmek_construct.guide import KeyAccess, Statement
from cmek_construct.principal import PineconePrincipal

RETAIN = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
REMOVAL_POLICIES = (
    RETAIN,
    cdk.RemovalPolicy.RETAIN,
    cdk.RemovalPolicy.DESTROY,
)


def duration(parameter: str, value: object, bounds: tuple[int, int]) -> None:
    """A `cdk.Duration` of whole days within bounds."""
    if value is None:
        return
    if not isinstance(value, cdk.Duration):
        checks.refuse(
            parameter,
            value,
            "it is a cdk.Duration",
            f"Write {parameter}=cdk.Duration.days({value if isinstance(value, int) else '…'}).",
        )
    if value.is_unresolved():
        checks.refuse(
            parameter,
            "a token",
            "aws_kms wants a number of days that is known at synth",
            "Write the number, or take it from context or an environment variable.",
        )
    checks.days(parameter, value.to_days(integral=False), bounds)


def removal_policy(value: object) -> None:
    """One of the policies that a key and a role can have."""
    if value is not None and value not in REMOVAL_POLICIES:
        allowed = ", ".join(f"RemovalPolicy.{policy.name}" for policy in REMOVAL_POLICIES)
        checks.refuse(
            "removal_policy",
            getattr(value, "name", value),
            f"a role and a key take {allowed}",
            "Leave it out to retain them.",
        )


def permissions_boundary(value: object) -> None:
    """A managed policy, not its ARN."""
    if isinstance(value, str) or (value is not None and not hasattr(value, "managed_policy_arn")):
        checks.refuse(
            "permissions_boundary",
            value,
            "it is an iam.IManagedPolicy",
            "For an ARN, write iam.ManagedPolicy.from_managed_policy_arn(self, id, arn).",
        )


def admins(parameter: str, value: object) -> Statement | None:
    """A statement of key administrators: of a list of principals, not of ARNs."""
    if not value and (value is None or isinstance(value, list | tuple)):
        return None
    way_out = "For an ARN, write [iam.ArnPrincipal(arn)]."
    if not isinstance(value, list | tuple):
        checks.refuse(parameter, value, "it is a list of iam.IPrincipal", way_out)
    for index, admin in enumerate(value):
        _admin(f"{parameter}[{index}]", admin, way_out)
    try:
        named: Statement = iam.PolicyStatement(principals=list(value)).to_json()
    except RuntimeError as error:
        raise ValueError(
            f"{parameter}: got principals that one statement cannot name: {error} Give roles or "
            "users under the same conditions."
        ) from None
    return named


def _admin(parameter: str, value: Any, way_out: str) -> None:
    """One principal, by name: nobody administers a key by a wildcard."""
    if isinstance(value, str) or not hasattr(value, "policy_fragment"):
        checks.refuse(parameter, value, "it is an iam.IPrincipal", way_out)
    if isinstance(value, PineconePrincipal):
        checks.refuse(
            parameter, value, "Pinecone uses the key and does not rule it", "Leave it out."
        )
    try:
        named = value.policy_fragment.principal_json
    except RuntimeError as error:
        raise ValueError(
            f"{parameter}: got {type(value).__name__}, which no key policy can name: {error} Give "
            "a role or a user."
        ) from None
    if any("*" in names for names in named.values()):
        checks.refuse(
            parameter,
            value,
            "a wildcard lets everybody administer the key",
            "Name the roles or users.",
        )


def role(value: Any) -> None:
    """A role, not its ARN."""
    if isinstance(value, iam.Role):
        return
    if isinstance(value, str | type) or not hasattr(value, "role_arn"):
        checks.refuse(
            "role",
            value,
            "it is an iam.IRole",
            "For an ARN, write iam.Role.from_role_arn(self, id, arn).",
        )
    checks.partition("role", arns.role_arn(value))


def key(value: Any) -> None:
    """A symmetric key that encrypts and decrypts; not its ARN, not its alias."""
    if isinstance(value, str | type) or not hasattr(value, "key_arn"):
        checks.refuse(
            "key",
            value,
            "it is a kms.IKey",
            "For an ARN, write kms.Key.from_key_arn(self, id, arn); for a kms.CfnKey, "
            "kms.Key.from_cfn_key(key).",
        )
    checks.partition("key", arns.key_arn(value))
    region = environment_of_resource(value).region
    if region is not None:
        checks.in_pinecone_partition(region)
    if not isinstance(value, kms.Key) and hasattr(value, "alias_name"):
        checks.refuse(
            "key",
            "an alias",
            "Pinecone would store the alias's ARN for good, and an alias can be moved to another "
            "key",
            "Give the key itself, with kms.Key.from_key_arn(self, id, arn) if it is not made here.",
        )
    for parameter, needed, found in _visible_kind(value):
        if found not in (None, needed) and not checks.is_token(found):
            checks.refuse(
                f"key ({parameter})",
                found,
                f"Pinecone takes a symmetric key that encrypts and decrypts ({needed})",
                "Give another key, or leave out key= and have the right one made.",
            )


def _visible_kind(key: kms.IKey) -> list[tuple[str, str, str | None]]:
    resource = resource_of(key)
    if resource is None:
        return []
    return [
        ("key_spec", "SYMMETRIC_DEFAULT", resource.key_spec),
        ("key_usage", "ENCRYPT_DECRYPT", resource.key_usage),
    ]


def resource_of(key: kms.IKey) -> kms.CfnKey | None:
    """The resource of a key that an app makes; None for an imported one."""
    resource = key.node.default_child or key.node.scope
    return resource if isinstance(resource, kms.CfnKey) else None


def is_made_here(role: iam.IRole) -> TypeGuard[iam.Role]:
    """Whether an app makes this role: not an imported one, nor one of `Role.customize_roles`."""
    return isinstance(role, iam.Role) and isinstance(role.node.default_child, iam.CfnRole)


def key_access(value: object) -> None:
    """A member of `KeyAccess`."""
    if not isinstance(value, KeyAccess):
        checks.refuse(
            "key_access",
            value,
            "it is KeyAccess.KEY_USER or KeyAccess.ENCRYPT_DECRYPT",
            "Import KeyAccess from cmek_construct, or leave key_access out.",
        )
