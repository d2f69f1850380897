"""What ``Ref`` and ``Fn::GetAtt`` give of a resource: of a role or key its ARN in its parts.

Source: CloudFormation template reference, "Return values" of each type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cmek_construct.templates.texts import hole, joined, unreadable

if TYPE_CHECKING:
    from cmek_construct.templates.stacks import Stack
    from cmek_construct.templates.values import Values

ROLE: Final = "AWS::IAM::Role"
USER: Final = "AWS::IAM::User"
REPLICA: Final = "AWS::KMS::ReplicaKey"
KEY: Final = "AWS::KMS::Key"
KEYS: Final = (KEY, REPLICA)
ALIAS: Final = "AWS::KMS::Alias"
MANAGED_POLICY: Final = "AWS::IAM::ManagedPolicy"
_NAMES: Final = {ROLE: "RoleName", USER: "UserName", MANAGED_POLICY: "ManagedPolicyName", ALIAS: "AliasName"}
_IAM: Final = {ROLE: "role", USER: "user", MANAGED_POLICY: "policy"}
NAMED: Final = (ROLE, USER, *KEYS)
"""What a policy can name in a template."""
_READER: Final = "Custom::CrossRegionExportReader"


def _name(values: Values, stack: Stack, logical_id: str) -> str:
    """The name of a role, a user, a policy or an alias, and the ID of a key."""
    value = stack.properties(logical_id).get(_NAMES.get(stack.type_of(logical_id), ""))
    found = None if value is None else values.resolved(stack, value)
    return found if isinstance(found, str) else hole(stack.named(logical_id))


def arn(values: Values, stack: Stack, logical_id: str) -> str | None:
    """The ARN of a role, a user, a policy or a key; None of another resource."""
    kind = stack.type_of(logical_id)
    own = values.once((stack.name, "name", logical_id), lambda: _name(values, stack, logical_id))
    if kind in KEYS:
        return f"arn:aws:kms:{values.parameter(stack, 'AWS::Region')}:{stack.account}:key/{own}"
    if kind not in _IAM:
        return None
    path = values.resolved(stack, stack.properties(logical_id).get("Path", "/"))
    whole = joined([f"arn:aws:iam::{stack.account}:{_IAM[kind]}", path if isinstance(path, str) else "/", own])
    return whole or unreadable("an ARN", stack.name, logical_id)


def ref(values: Values, stack: Stack, logical_id: str) -> str:
    """What ``Ref`` gives."""
    own = arn(values, stack, logical_id) if stack.type_of(logical_id) == MANAGED_POLICY else None
    return own or _name(values, stack, logical_id)


def attribute(values: Values, stack: Stack, logical_id: str, attribute: str) -> Any:
    """What ``Fn::GetAtt`` gives."""
    child, output = stack.children.get(logical_id), attribute.removeprefix("Outputs.")
    if child and output != attribute and output in child.outputs:
        return values.output(child, output)
    kind = stack.type_of(logical_id)
    found = arn(values, stack, logical_id) if attribute in ("Arn", "PolicyArn") else None
    if found or (attribute == "KeyId" and kind in KEYS):
        return found or _name(values, stack, logical_id)
    if kind != _READER:
        return hole(f"{stack.named(logical_id)}.{attribute}")
    parameter = values.run.parameter(stack, attribute)
    if parameter:
        return values.resolved(*parameter)
    return hole(f"parameter {attribute} of {stack.account} {stack.region}")
