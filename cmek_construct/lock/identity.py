"""What makes a role or a key the one that Pinecone stores: by what CloudFormation replaces it.

Source: `createOnlyProperties` of CloudFormation's resource schemas. For a key they name none: the
handler of KMS refuses a change of the four that are listed.

The alias has no place here: Pinecone stores the ARN of the key, and another alias replaces the
alias alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

ROLE: Final = "AWS::IAM::Role"
REPLACING: Final[Mapping[str, tuple[str, ...]]] = {
    ROLE: ("RoleName", "Path"),
    "AWS::KMS::Key": ("KeySpec", "KeyUsage", "Origin", "MultiRegion"),
    "AWS::KMS::ReplicaKey": ("PrimaryKeyArn",),
}
"""By type, the properties whose change makes another role or key."""
STACK_SET: Final = "AWS::CloudFormation::StackSet"
REPLACING_STACK_SET: Final = ("StackSetName", "PermissionModel")
"""Another stack set is another role and key in each account."""
CONDITION: Final = "Condition"
"""An attribute of any resource: where it does not hold, CloudFormation drops the resource."""
NOT_SET: Final = "not set"


@dataclass(frozen=True)
class Identity:
    """What one role or key is made by."""

    type: str
    values: Mapping[str, str]
    """JSON of each property that replaces, or `NOT_SET`."""

    @property
    def word(self) -> str:
        """``role`` or ``key``."""
        return word_of(self.type)

    def differences(self, other: Identity) -> list[tuple[str, str, str]]:
        """Name, own value and the other's value of what is not the same."""
        if self.type != other.type:
            return [("Type", self.type, other.type)]
        return [
            (name, self.values.get(name, NOT_SET), other.values.get(name, NOT_SET))
            for name in dict.fromkeys([*self.values, *other.values])
            if self.values.get(name, NOT_SET) != other.values.get(name, NOT_SET)
        ]


def word_of(resource_type: str) -> str:
    """``role`` or ``key``, of a type of CloudFormation."""
    return "role" if resource_type == ROLE else "key"


def names_of(resource_type: str) -> tuple[str, ...]:
    """The names of all that is part of an identity of this type."""
    return (CONDITION, *REPLACING[resource_type])


def identity_of(resource: Mapping[str, Any], stack_set: Mapping[str, str]) -> Identity | None:
    """The identity of a resource of a template; None of what is neither role nor key.

    Args:
        resource: its JSON.
        stack_set: the identity of the stack set that it stands in.
    """
    resource_type = resource.get("Type")
    if not isinstance(resource_type, str) or resource_type not in REPLACING:
        return None
    own = values_of(resource, REPLACING[resource_type])
    return Identity(resource_type, {CONDITION: _text(resource, CONDITION), **own, **stack_set})


def values_of(resource: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    """JSON of some properties of a resource."""
    properties = resource.get("Properties")
    if not isinstance(properties, dict):
        properties = {}
    return {name: _text(properties, name) for name in names}


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    if value is None or value == {"Ref": "AWS::NoValue"}:
        return NOT_SET
    return json.dumps(value, sort_keys=True, ensure_ascii=True)
