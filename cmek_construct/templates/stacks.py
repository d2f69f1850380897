"""Stacks: templates as they are deployed, each with its name, its account and its parent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from cmek_construct.policy import ACCOUNT
from cmek_construct.templates.files import NESTED, STACK_SET, Template
from cmek_construct.templates.reading import FOR_EACH, each_of, members
from cmek_construct.templates.texts import alone, hole

OWN_ACCOUNT: Final = hole("AWS::AccountId")
"""The account of stacks of which nobody says it. All of a run are taken to be in one."""
OWN_REGION: Final = hole("AWS::Region")
_TWELVE_DIGITS: Final = {r"[0-9]{12}", r"^[0-9]{12}$", r"\d{12}", r"^\d{12}$"}
_MOST_MADE: Final = 500
_HARMLESS: Final = (
    "AWS::LanguageExtensions", "AWS::Serverless-", "AWS::SecretsManager-", "AWS::CodeDeploy",
)  # fmt: skip
"""Macros of AWS's that change only what is written for them."""


@dataclass(eq=False)
class Stack:
    """A template as it is deployed."""

    name: str
    """Of the stack, or of the file where that is not known; nested ones after a ``/``."""
    template: Template
    account: str = OWN_ACCOUNT
    """Twelve digits, or a hole."""
    region: str = OWN_REGION
    parent: Stack | None = None
    within: tuple[str, ...] = ()
    """The logical IDs of the nested stacks and stack sets around it."""
    children: dict[str, Stack] = field(default_factory=dict)

    @property
    def content(self) -> Mapping[str, Any]:
        """The JSON of its template."""
        return self.template.content

    @property
    def is_in_stack_set(self) -> bool:
        """Whether it is what a stack set makes in each account."""
        return self.parent is not None and self.parent.type_of(self.within[-1]) == STACK_SET

    @property
    def top(self) -> Stack:
        """The stack that it is nested in, or itself."""
        return self.parent.top if self.parent else self

    @cached_property
    def resources(self) -> dict[str, Mapping[str, Any]]:
        """The resources by logical ID, with those that ``Fn::ForEach`` makes."""
        return dict(_made(members(self.content.get("Resources"))))

    @cached_property
    def parameters(self) -> dict[str, Mapping[str, Any]]:
        """The declarations of its parameters."""
        return {k: members(one) for k, one in members(self.content.get("Parameters")).items()}

    @cached_property
    def mappings(self) -> Mapping[str, Any]:
        """Its mappings."""
        return members(self.content.get("Mappings"))

    @cached_property
    def conditions(self) -> Mapping[str, Any]:
        """The expressions of its conditions."""
        return members(self.content.get("Conditions"))

    @cached_property
    def outputs(self) -> dict[str, Mapping[str, Any]]:
        """Its outputs."""
        return {k: members(one) for k, one in members(self.content.get("Outputs")).items()}

    @cached_property
    def given(self) -> dict[str, list[Any]]:
        """What the parent gives, by parameter: of a stack set every value that an account gets."""
        if self.parent is None:
            return {}
        around = members(self.parent.resources[self.within[-1]].get("Properties"))
        if not self.is_in_stack_set:
            return {name: [one] for name, one in members(around.get("Parameters")).items()}
        groups = each_of(around.get("StackInstancesGroup"))
        every = [around.get("Parameters"), *(members(g).get("ParameterOverrides") for g in groups)]
        found: dict[str, list[Any]] = {}
        for one in (members(one) for some in every for one in each_of(some)):
            found.setdefault(str(one.get("ParameterKey")), []).append(one.get("ParameterValue"))
        return found

    @cached_property
    def compared(self) -> dict[str, list[str]]:
        """The texts with which conditions and rules compare a reference, by its name."""
        found: dict[str, list[str]] = {}
        for one in _objects([self.conditions, self.content.get("Rules")]):
            pair = one.get("Fn::Equals")
            if isinstance(pair, list) and len(pair) == 2:
                for name, text in (pair, pair[::-1]):
                    name = members(name).get("Ref")
                    if isinstance(name, str) and isinstance(text, str):
                        found.setdefault(name, []).append(text)
        return found

    def type_of(self, logical_id: str) -> str:
        """The type of a resource; empty if there is none."""
        return str(self.resources.get(logical_id, {}).get("Type", ""))

    def properties(self, logical_id: str) -> Mapping[str, Any]:
        """The properties of a resource as they are written."""
        return members(self.resources.get(logical_id, {}).get("Properties"))

    def named(self, name: str) -> str:
        """The name of a hole for something of this stack."""
        return f"{self.name}.{name}" if self.parent is None else f"{self.name}/{name}"

    def short(self, text: str) -> str:
        """A text in which what it has is called without its own name."""
        own = self.named("")
        if own not in text:
            return text
        return re.sub(rf"(?:^|(?<=\$\{{)|(?<= )){re.escape(own)}", "", text)

    def forms(self) -> Iterator[tuple[str, str]]:
        """What is known of its holes."""
        for logical_id in self.resources:
            kind = self.type_of(logical_id)
            if kind in ("AWS::IAM::Role", "AWS::IAM::User"):
                yield self.named(logical_id), self._generated(logical_id)
            elif kind in ("AWS::KMS::Key", "AWS::KMS::ReplicaKey"):
                yield self.named(logical_id), "*-*"
        for name, one in self.parameters.items():
            if one.get("AllowedPattern") in _TWELVE_DIGITS:
                yield self.named(name), ACCOUNT

    def _generated(self, logical_id: str) -> str:
        """The name that CloudFormation makes: what is longer than 64 characters, it cuts."""
        if self.parent or not self.template.stack:
            return f"*-{logical_id[:20]}*"
        if len(self.template.stack) + len(logical_id) <= 49:
            return f"{self.template.stack}-{logical_id}-????????????*"
        return f"{self.template.stack[:20]}*-{logical_id[:20]}*"

    def rewritten(self) -> Iterator[str]:
        """What makes another template of this one than it says."""
        for macro in each_of(self.content.get("Transform")):
            if not (isinstance(macro, str) and macro.startswith(_HARMLESS)):
                yield f"the macro {json.dumps(macro, default=str)[:100]}"
        for where in ("Resources", "Outputs", "Conditions", "Mappings", "Parameters"):
            if "Fn::Transform" in members(self.content.get(where)):
                yield f"Fn::Transform in {where}"
        if "Fn::Transform" in self.content:
            yield "Fn::Transform"

    def not_made(self) -> Iterator[tuple[str, Any]]:
        """The loops over what only the deploy knows."""
        for name, one in members(self.content.get("Resources")).items():
            if name.startswith(FOR_EACH) and not list(_made({name: one})):
                yield name, one


def hole_of(stack: Stack, name: str) -> str | None:
    """The name of the hole that a parameter is which somebody types; None if nobody does."""
    if name == "AWS::Region":
        return alone(stack.region) if stack.region == OWN_REGION else None
    declared = stack.parameters.get(name)
    if declared is None or stack.parent or is_of_ssm(declared):
        return None
    return alone(hole(stack.named(name)))


def is_of_ssm(declared: Mapping[str, Any]) -> bool:
    """Whether the deploy takes what a parameter is out of SSM; its default is the name there."""
    return str(declared.get("Type")).startswith("AWS::SSM::")


def of_template(template: Template, name: str) -> Stack:
    """A stack with those that stand in it."""
    found = Stack(name, template, template.account or OWN_ACCOUNT, template.region or OWN_REGION)
    _nest(found)
    return found


def _nest(stack: Stack) -> None:
    for logical_id, inner in stack.template.inner.items():
        child = Stack(
            f"{stack.name}/{logical_id}", inner, stack.account, stack.region, stack, (*stack.within, logical_id)
        )
        if stack.type_of(logical_id) != NESTED:
            child.account = hole(child.named("AWS::AccountId"))
            child.region = hole(child.named("AWS::Region"))
        stack.children[logical_id] = child
        _nest(child)


def every(stacks: list[Stack]) -> Iterator[Stack]:
    """Stacks, each with all that are nested in it."""
    for one in stacks:
        yield one
        yield from every(list(one.children.values()))


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _objects(one)


def _made(resources: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Resources, and those that loops over a list of texts make."""
    made = 0
    for name, one in resources.items():
        if not name.startswith(FOR_EACH):
            if name != "Fn::Transform" and isinstance(one, dict):
                yield name, one
            continue
        for _ in _made_by(one):
            made += 1
        if made <= _MOST_MADE:
            for key, resource in _made_by(one):
                if isinstance(resource, dict):
                    yield key, resource


def _made_by(loop: Any) -> Iterator[tuple[str, Any]]:
    """What one loop makes; a loop in it in its turn."""
    if not (isinstance(loop, list) and len(loop) == 3 and isinstance(loop[2], dict)):
        return
    name, values, body = loop
    if not isinstance(values, list) or not all(isinstance(one, str | int) for one in values):
        return
    for index, value in enumerate(values):
        if index >= _MOST_MADE:
            return
        for key, one in _replaced(body, str(name), str(value)).items():
            if str(key).startswith(FOR_EACH):
                yield from _made_by(one)
            else:
                yield key, one


def _replaced(value: Any, name: str, by: str) -> Any:
    """A value in which a loop's name stands for one of its values."""
    if isinstance(value, str):
        return re.sub(rf"[$&]\{{{re.escape(name)}\}}", lambda _: by, value)
    if isinstance(value, list):
        return [_replaced(one, name, by) for one in value]
    if isinstance(value, dict):
        if value == {"Ref": name}:
            return by
        return {_replaced(key, name, by): _replaced(one, name, by) for key, one in value.items()}
    return value
