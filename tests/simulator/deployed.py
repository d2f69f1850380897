"""A synthesized template as it will stand in an account: its policies with concrete ARNs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

Policy = dict[str, Any]

_KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"


@dataclass(frozen=True)
class Deployed:
    """One template in one account and region. What it can't resolve is an error."""

    template: dict[str, Any]
    account: str
    region: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    key_id: str = _KEY_ID

    @cached_property
    def role_arn(self) -> str:
        """The ARN of the template's one role."""
        return self._arn(self._only("AWS::IAM::Role"))

    @cached_property
    def key_arn(self) -> str:
        """The ARN of the template's one key."""
        return self._arn(self._only("AWS::KMS::Key"))

    @cached_property
    def trust_policy(self) -> Policy:
        """Who may assume the role."""
        return self._property(self._only("AWS::IAM::Role"), "AssumeRolePolicyDocument")

    @cached_property
    def key_policy(self) -> Policy:
        """Who may do what with the key."""
        return self._property(self._only("AWS::KMS::Key"), "KeyPolicy")

    @cached_property
    def role_policies(self) -> list[Policy]:
        """What the template itself lets the role do, by policies of the role's own."""
        role = self._only("AWS::IAM::Role")
        properties = self.template["Resources"][role]["Properties"]
        if "ManagedPolicyArns" in properties:
            raise ValueError(f"{role}: a managed policy that the template does not show")
        inline = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        attached = [
            resource["Properties"]["PolicyDocument"]
            for resource in self.template["Resources"].values()
            if resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
            and {"Ref": role} in resource["Properties"].get("Roles", [])
        ]
        return [self.resolve(policy) for policy in inline + attached]

    def has(self, resource_type: str) -> bool:
        """Whether the template makes a resource of this type."""
        return bool(self._all(resource_type))

    def resolve(self, value: Any) -> Any:
        """The value with every intrinsic function replaced by what the deploy makes of it."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(function, argument)] = value.items()
            if function == "Ref":
                return self._ref(argument)
            if function == "Fn::GetAtt":
                return self._attribute(*argument)
            if function == "Fn::Join":
                separator, parts = argument
                return str(separator).join(self.resolve(parts))
            if function == "Fn::Sub" and isinstance(argument, str):
                return re.sub(r"\$\{([^!}]+)\}", lambda name: self._ref(name[1]), argument)
        unknown = [name for name in value if name.startswith("Fn::") or name in ("Ref", "Condition")]
        if [name for name in unknown if name != "Condition"]:
            raise ValueError(f"cannot resolve {value}")
        return {name: self.resolve(item) for name, item in value.items()}

    def _ref(self, name: str) -> str:
        known = {"AWS::AccountId": self.account, "AWS::Partition": "aws", "AWS::Region": self.region, **self.parameters}
        if name in known:
            return known[name]
        return self._arn(name).rpartition("/")[2]

    def _attribute(self, name: str, attribute: str) -> str:
        if attribute != "Arn":
            raise ValueError(f"cannot resolve {name}.{attribute}")
        return self._arn(name)

    def _arn(self, name: str) -> str:
        resource = self.template["Resources"][name]
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::IAM::Role":
            role_name = self.resolve(properties.get("RoleName", f"Stack-{name}-AbCdEf123456"))
            return f"arn:aws:iam::{self.account}:role{properties.get('Path', '/')}{role_name}"
        if resource["Type"] == "AWS::KMS::Key":
            return f"arn:aws:kms:{self.region}:{self.account}:key/{self.key_id}"
        raise ValueError(f"cannot resolve {name}, a {resource['Type']}")

    def _property(self, name: str, prop: str) -> Policy:
        policy: Policy = self.resolve(self.template["Resources"][name]["Properties"][prop])
        return policy

    def _all(self, resource_type: str) -> list[str]:
        resources = self.template["Resources"].items()
        return [name for name, resource in resources if resource["Type"] == resource_type]

    def _only(self, resource_type: str) -> str:
        found = self._all(resource_type)
        if len(found) != 1:
            raise ValueError(f"one {resource_type} is expected, not {found}")
        return found[0]
