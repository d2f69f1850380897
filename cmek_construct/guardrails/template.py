"""A view of a CloudFormation template: its resources, parameters and outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from cmek_construct.guardrails.account import owners_of
from cmek_construct.guardrails.intrinsics import Texts, is_no_value
from cmek_construct.guardrails.policies import Policy, read

OWN_ACCOUNT: Final = "${AWS::AccountId}"
"""The account of the template, where its number is not known."""
KEYS: Final = ("AWS::KMS::Key", "AWS::KMS::ReplicaKey")
PEOPLE: Final = ("AWS::IAM::Role", "AWS::IAM::User")
"""What a policy can name in a template's own account."""


@dataclass(frozen=True)
class Resource:
    """One resource of a template."""

    logical_id: str
    type: str
    raw: Mapping[str, Any]

    @property
    def properties(self) -> Mapping[str, Any]:
        """Its properties, where they can be read."""
        found = self.raw.get("Properties")
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Output:
    """One output of a template."""

    description: str
    value: str
    export: str | None


class Template:
    """A template, and what is known of the stack that it becomes."""

    def __init__(
        self,
        raw: Mapping[str, Any],
        account: str | None = None,
        exports: Mapping[str, str] | None = None,
    ) -> None:
        """Read a template.

        Args:
            raw: its JSON.
            account: the number of its account. Default: seen from its key policies.
            exports: texts of what other stacks of the account export, by name.
        """
        self.exports = exports or {}
        self.raw = raw
        resources = _object(raw.get("Resources"))
        self.resources = [
            Resource(logical_id, one["Type"], one)
            for logical_id, one in resources.items()
            if isinstance(one, dict) and isinstance(one.get("Type"), str)
        ]
        known = {"AWS::Partition": "aws", "AWS::AccountId": OWN_ACCOUNT}
        mappings = _object(raw.get("Mappings"))
        self.texts = Texts(known, self.exports, mappings)
        found = frozenset({account}) if account else owners_of(self._key_policies(), OWN_ACCOUNT)
        self.owners = found or frozenset({OWN_ACCOUNT})
        """The accounts that it may be of: several only where its key policies contradict."""
        [self.account] = self.owners if len(self.owners) == 1 else [OWN_ACCOUNT]
        known["AWS::AccountId"] = self.account

    def _key_policies(self) -> Iterator[Policy]:
        return (read(one.properties.get("KeyPolicy"), self.texts) for one in self.of_type(*KEYS))

    def of_type(self, *types: str) -> Iterator[Resource]:
        """The resources of some types."""
        return (one for one in self.resources if one.type in types)

    def text(self, resource: Resource, name: str) -> str | None:
        """One property of a resource as text; None if it has none."""
        return self.text_of(resource.properties.get(name))

    def text_of(self, value: Any) -> str | None:
        """A value as text; None if it is none."""
        return None if value is None or is_no_value(value) else self.texts.of(value)

    @cached_property
    def outputs(self) -> list[Output]:
        """The outputs."""
        outputs = _object(self.raw.get("Outputs")).values()
        return [self._output(one) for one in outputs if isinstance(one, dict)]

    def _output(self, output: Mapping[str, Any]) -> Output:
        export = _object(output.get("Export")).get("Name")
        return Output(
            self.texts.of(output.get("Description", "")),
            self.texts.of(output.get("Value", "")),
            None if export is None else self.texts.of(export),
        )

    @cached_property
    def defaults(self) -> dict[str, str]:
        """The texts of parameters that nobody sets, by name."""
        return {
            name: self.texts.of(one["Default"])
            for name, one in _object(self.raw.get("Parameters")).items()
            if isinstance(one, dict)
            and one.get("Default") not in (None, "")
            and not str(one.get("Type")).startswith("AWS::SSM::")
        }

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The names of all parameters that nobody has set."""
        names = frozenset(_object(self.raw.get("Parameters")))
        return frozenset(one for one in names if self.texts.of({"Ref": one}) == f"${{{one}}}")

    @cached_property
    def people(self) -> frozenset[str]:
        """The texts that stand for the roles and users of this template."""
        return frozenset(f"${{{one.logical_id}.Arn}}" for one in self.of_type(*PEOPLE))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
