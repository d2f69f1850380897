"""What ``Ref`` and ``Fn::GetAtt`` give of a resource: of a role or key its ARN in its parts.

Source: CloudFormation template reference, "Return values" of each type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cmek_construct.templates.stacks import Stack
from cmek_construct.templates.texts import hole, joined, unreadable

if TYPE_CHECKING:
    from cmek_construct.templates.values import Values

ROLE: Final = "AWS::IAM::Role"
REPLICA: Final = "AWS::KMS::ReplicaKey"
KEY: Final = "AWS::KMS::Key"
KEYS: Final = (KEY, REPLICA)
ALIAS: Final = "AWS::KMS::Alias"
MANAGED_POLICY: Final = "AWS::IAM::ManagedPolicy"
_NAMES: Final = {
    ROLE: "RoleName",
    "AWS::IAM::User": "UserName",
    MANAGED_POLICY: "ManagedPolicyName",
    ALIAS: "AliasName",
}
_IAM: Final = {ROLE: "role", "AWS::IAM::User": "user", MANAGED_POLICY: "policy"}
NAMED: Final = (ROLE, "AWS::IAM::User", *KEYS)
"""What a policy can name in a template."""
_READER: Final = "Custom::CrossRegionExportReader"


def name(values: Values, stack: Stack, logical_id: str) -> str:
    """The name of a role, a user, a policy or an alias, and the ID of a key."""
    member = _NAMES.get(stack.type_of(logical_id))
    value = stack.properties(logical_id).get(member) if member else None
    found = None if value is None else values.resolved(stack, value)
    return found if isinstance(found, str) else hole(stack.named(logical_id))


def arn(values: Values, stack: Stack, logical_id: str) -> str | None:
    """The ARN of a role, a user, a policy or a key; None of another resource."""
    kind = stack.type_of(logical_id)
    own = values.once((stack.name, "name", logical_id), lambda: name(values, stack, logical_id))
    account = values.parameter(stack, "AWS::AccountId")
    if kind in KEYS:
        return f"arn:aws:kms:{values.parameter(stack, 'AWS::Region')}:{account}:key/{own}"
    if kind not in _IAM:
        return None
    path = values.resolved(stack, stack.properties(logical_id).get("Path", "/"))
    path = path if isinstance(path, str) else "/"
    whole = joined([f"arn:aws:iam::{account}:{_IAM[kind]}", path, own])
    return whole or unreadable("an ARN", stack.name, logical_id)


def ref(values: Values, stack: Stack, logical_id: str) -> str:
    """What ``Ref`` gives."""
    if stack.type_of(logical_id) == MANAGED_POLICY:
        return arn(values, stack, logical_id) or hole(stack.named(logical_id))
    return name(values, stack, logical_id)


def attribute(values: Values, stack: Stack, logical_id: str, attribute: str) -> Any:
    """What ``Fn::GetAtt`` gives."""
    child = stack.children.get(logical_id)
    output = attribute.removeprefix("Outputs.")
    if child and output != attribute and output in child.outputs:
        return values.output(child, output)
    kind = stack.type_of(logical_id)
    if attribute in ("Arn", "PolicyArn"):
        found = arn(values, stack, logical_id)
        if found:
            return found
    if attribute == "KeyId" and kind in KEYS:
        return name(values, stack, logical_id)
    if kind == _READER:
        written = values.run.parameter(stack, attribute)
        if written:
            return values.resolved(*written)
        return hole(f"parameter {attribute} of {stack.account} {stack.region}")
    return hole(f"{stack.named(logical_id)}.{attribute}")
