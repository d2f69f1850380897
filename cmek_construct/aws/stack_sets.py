"""Reads a stack set, and its stacks account by account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cmek_construct.aws.session import Session, called


@dataclass(frozen=True)
class Instance:
    """A stack of a set."""

    account: str
    region: str
    status: str
    """CURRENT, OUTDATED or INOPERABLE, and the state of the last operation if it failed."""
    stack_id: str | None
    """None: there is no stack in the account."""
    reason: str
    """Why, where the set says it."""


@dataclass(frozen=True)
class StackSet:
    """A stack set, as CloudFormation shows it."""

    name: str
    template: str
    parameters: Mapping[str, str]
    instances: Sequence[Instance]


@dataclass(frozen=True)
class StackSets:
    """The stack sets of an account and region."""

    session: Session
    call_as: str | None = None
    """``DELEGATED_ADMIN`` from a delegated administrator's account."""

    @called()
    def read(self, name: str) -> StackSet:
        """One of them, with all its stacks.

        Raises:
            AwsError: it is not there, or AWS could not be asked.
        """
        cloudformation = self.session.client("cloudformation")
        found = cloudformation.describe_stack_set(**self._of(name))["StackSet"]
        pages = cloudformation.get_paginator("list_stack_instances").paginate(**self._of(name))
        return StackSet(
            found["StackSetName"],
            found["TemplateBody"],
            _values(found, "Parameters"),
            [_instance(one) for page in pages for one in page["Summaries"]],
        )

    @called()
    def overrides(self, name: str, instance: Instance) -> Mapping[str, str]:
        """The parameters that one stack has otherwise than the set.

        Raises:
            AwsError: AWS could not be asked.
        """
        found = self.session.client("cloudformation").describe_stack_instance(
            **self._of(name), StackInstanceAccount=instance.account, StackInstanceRegion=instance.region
        )["StackInstance"]
        return _values(found, "ParameterOverrides")

    def _of(self, name: str) -> dict[str, str]:
        """The parameters of each call about a set."""
        named = {"StackSetName": name}
        return named if self.call_as is None else {**named, "CallAs": self.call_as}


def _values(found: Mapping[str, Any], name: str) -> dict[str, str]:
    return {one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get(name, [])}


def _instance(shown: Mapping[str, Any]) -> Instance:
    detailed = shown.get("StackInstanceStatus", {}).get("DetailedStatus", "SUCCEEDED")
    status = shown.get("Status", "")
    return Instance(
        shown["Account"],
        shown["Region"],
        status if detailed == "SUCCEEDED" else f"{status}, {detailed}",
        shown.get("StackId") or None,
        shown.get("StatusReason", ""),
    )
