"""A view of a CloudFormation template: its resources, parameters and outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from cmek_construct.guardrails.intrinsics import Texts

OWN_ACCOUNT: Final = "${AWS::AccountId}"
"""The account of the template, where its number is not known."""
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
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        """Read a template.

        Args:
            raw: its JSON.
            account: the number of its account, where it is known.
            exports: texts of what other stacks of the account export, by name.
            parameters: texts of parameters, by name.
        """
        self.account = account or OWN_ACCOUNT
        self.exports = exports or {}
        known = {"AWS::Partition": "aws", "AWS::AccountId": self.account, **(parameters or {})}
        self.texts = Texts(known, self.exports)
        self.raw = raw
        resources = _object(raw.get("Resources"))
        self.resources = [
            Resource(logical_id, one["Type"], one)
            for logical_id, one in resources.items()
            if isinstance(one, dict) and isinstance(one.get("Type"), str)
        ]
        self.unreadable = [
            logical_id
            for logical_id, one in resources.items()
            if not isinstance(one, dict) or not _is_plain(one.get("Properties", {}))
        ]

    def of_type(self, *types: str) -> Iterator[Resource]:
        """The resources of some types."""
        return (one for one in self.resources if one.type in types)

    def text(self, resource: Resource, name: str) -> str | None:
        """One property of a resource as text; None if it has none."""
        value = resource.properties.get(name)
        return None if value is None else self.texts.of(value)

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
    def people(self) -> frozenset[str]:
        """The texts that stand for the roles and users of this template."""
        return frozenset(f"${{{one.logical_id}.Arn}}" for one in self.of_type(*PEOPLE))


def _is_plain(properties: Any) -> bool:
    """Whether no function stands in the place of properties, or among them."""
    return isinstance(properties, dict) and not any(
        str(name).startswith("Fn::") for name in properties
    )


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
