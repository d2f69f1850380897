"""Stacks: templates as they are deployed, each with its name, its account and its parent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from cmek_construct.policy.text import ACCOUNT, NAME, alone, hole
from cmek_construct.templates.files import NESTED, STACK_SET, Template
from cmek_construct.templates.reading import FOR_EACH, by, each_of, members, objects
from cmek_construct.warnings import ROLE_OF_KEY

ROLE: Final = "AWS::IAM::Role"
USER: Final = "AWS::IAM::User"
MANAGED_POLICY: Final = "AWS::IAM::ManagedPolicy"
KEY: Final = "AWS::KMS::Key"
REPLICA: Final = "AWS::KMS::ReplicaKey"
KEYS: Final = (KEY, REPLICA)
ALIAS: Final = "AWS::KMS::Alias"
OWN_ACCOUNT: Final = hole("AWS::AccountId")  # of stacks of which nobody says it. All of a run are taken to be in one
OWN_REGION: Final = hole("AWS::Region")
_RANGE: Final = "[0-9]-[0-9]|[a-z]-[a-z]|[A-Z]-[A-Z]"
_OF_NAME: Final = re.compile(
    rf"\^?(?:(?:\\d|\[(?:\\d|{_RANGE}|[a-zA-Z0-9_])+-?\]|[a-zA-Z0-9_-])(?:[*+?]|\{{[0-9]+(?:,[0-9]*)?\}})?)+\$?"
)
"""Patterns of a parameter that no wildcard and no separator is of."""
_TWELVE_DIGITS: Final = {r"[0-9]{12}", r"^[0-9]{12}$", r"\d{12}", r"^\d{12}$"}
_MOST_MADE: Final = 500
_FILE: Final = "aws:cdk:templateFile"
_HARMLESS: Final = ("AWS::LanguageExtensions", "AWS::Serverless-", "AWS::SecretsManager-", "AWS::CodeDeploy")
"""Macros of AWS's that change only what is written for them."""


@dataclass(eq=False)
class Stack:
    """A template as it is deployed."""

    name: str  # of the stack, or of the file where that is not known; nested ones after a ``/``
    template: Template
    account: str = OWN_ACCOUNT  # twelve digits, or a hole
    region: str = OWN_REGION
    maker: Place | None = None  # the nested stack or stack set that it is, in the stack around it

    def __post_init__(self) -> None:
        """Make those that stand in it: what a stack set makes is in accounts and Regions of its own."""
        self.parent = self.maker.stack if self.maker else None
        self.within: tuple[str, ...] = (*self.maker.stack.within, self.maker.logical_id) if self.maker else ()
        """The logical IDs of the nested stacks and stack sets around it."""
        self.top: Stack = self.parent.top if self.parent else self  # the stack that it is nested in, or itself
        self.is_in_stack_set = self.maker is not None and self.maker.type == STACK_SET  # made in each account
        self.content = self.template.content
        self.not_made: dict[str, Any] = {}  # the loops over what only the deploy knows, and those that make too much
        self.parameters, self.resources, self.outputs, self.mappings, self.conditions = (
            self._section(one) for one in ("Parameters", "Resources", "Outputs", "Mappings", "Conditions")
        )
        self.children: dict[str, Stack] = {}
        for logical_id, inner in self.template.inner.items():
            maker, name = Place(self, logical_id), f"{self.name}/{logical_id}"
            account, region = self.account, self.region
            if maker.type != NESTED:
                account, region = hole(f"{name}/AWS::AccountId"), hole(f"{name}/AWS::Region")
            self.children[logical_id] = Stack(name, inner, account, region, maker)

    def _section(self, name: str) -> dict[str, Mapping[str, Any]]:
        """The members of a section, with those that ``Fn::ForEach`` makes of a list of texts."""
        found: dict[str, Mapping[str, Any]] = {}
        for key, one in members(self.content.get(name)).items():
            made = _made_by(one, _MOST_MADE - len(found)) if key.startswith(FOR_EACH) else [(key, one)]
            self.not_made |= {} if made else {key: one}
            found |= {own: it for own, it in made if isinstance(it, dict) and own != "Fn::Transform"}
        return found

    @cached_property
    def given(self) -> dict[str, list[Any]]:
        """What the parent gives, by parameter: of a stack set every value that an account gets."""
        around = self.maker.properties if self.maker else {}
        if not self.is_in_stack_set:
            return {name: [one] for name, one in members(around.get("Parameters")).items()}
        groups = each_of(around.get("StackInstancesGroup"))
        lists = [around.get("Parameters"), *(members(one).get("ParameterOverrides") for one in groups)]
        given = by((members(one) for some in lists for one in each_of(some)), lambda one: str(one.get("ParameterKey")))
        return {name: [one.get("ParameterValue") for one in some] for name, some in given.items()}

    @cached_property
    def roles_of_keys(self) -> dict[str, Any]:
        """The role that each key's construct says it is for, by the key's logical ID: of none in a stack set."""
        said = {} if self.is_in_stack_set else self.top.template.metadata
        stacks = [path for path, one in said.items() if _FILE in one]
        found: dict[str, Any] = {}
        for path in (path for path, one in said.items() if ROLE_OF_KEY in one):
            above = [one for one in stacks if path.startswith(f"{one}/")]
            # Of nested stacks, each with a file of its own, the innermost.
            if above and str(said[max(above, key=len)][_FILE]) == self.template.file.name:
                found[str(said.get(f"{path}/Resource", {}).get("aws:cdk:logicalId"))] = said[path][ROLE_OF_KEY]
        return found

    @cached_property
    def compared(self) -> dict[str, list[str]]:
        """The texts with which conditions and rules compare a reference, by its name."""
        found: dict[str, list[str]] = {}
        for one in objects([self.conditions, self.content.get("Rules")]):
            match one.get("Fn::Equals"):
                case [{"Ref": str(name)}, str(text)] | [str(text), {"Ref": str(name)}]:
                    found.setdefault(name, []).append(text)
        return found

    def named(self, name: str) -> str:
        """The name of a hole for something of this stack."""
        return f"{self.name}.{name}" if self.parent is None else f"{self.name}/{name}"

    def reported(self, path: str) -> tuple[Path, str, str]:
        """Of a path: the file and the logical ID of what CDK knows, of a stack set those of the set; and the rest."""
        first, _, rest = path.partition("/")
        child = self.children.get(first)
        return child.reported(rest) if child and not child.is_in_stack_set else (self.template.file, first, rest)

    def short(self, text: str) -> str:
        """A text in which what it has is called without its own name."""
        own = self.named("")
        # A pattern for each of a thousand stacks would take longer to make than to use.
        return text.removeprefix(own).replace(f"${{{own}", "${").replace(f" {own}", " ")

    def forms(self) -> Iterator[tuple[str, str]]:
        """What is known of its holes. CloudFormation cuts a name that it makes if it is longer than 64 characters."""
        stack = "" if self.parent else self.template.stack or ""
        for logical_id in self.resources:
            kind = Place(self, logical_id).type
            if kind in KEYS:
                yield self.named(logical_id), "*-*"
            elif kind in (ROLE, USER):
                whole = stack and len(stack) + len(logical_id) <= 49
                cut = f"{stack[:20]}*-{logical_id[:20]}*"
                yield self.named(logical_id), f"{stack}-{logical_id}-????????????*" if whole else cut
        for name, one in self.parameters.items():
            allowed = str(one.get("AllowedPattern", ""))
            if allowed in _TWELVE_DIGITS:
                yield self.named(name), ACCOUNT
            elif one.get("Type") == "Number" or (one.get("Type") == "String" and _OF_NAME.fullmatch(allowed)):
                yield self.named(name), NAME

    def rewritten(self) -> Iterator[str]:
        """What makes another template of this one than it says."""
        for macro in each_of(self.content.get("Transform")):
            if not (isinstance(macro, str) and macro.startswith(_HARMLESS)):
                yield f"the macro {json.dumps(macro, default=str)[:100]}"
        sections = ("Resources", "Outputs", "Conditions", "Mappings", "Parameters")
        places = {**{f" in {one}": members(self.content.get(one)) for one in sections}, "": self.content}
        yield from (f"Fn::Transform{where}" for where, one in places.items() if "Fn::Transform" in one)


@dataclass(frozen=True)
class Place:
    """Where a resource, an output, or what cannot be read stands."""

    stack: Stack
    logical_id: str

    @property
    def path(self) -> str:
        """The logical ID, after those of the nested stacks and stack sets around it."""
        return "/".join((*self.stack.within, self.logical_id))

    @property
    def raw(self) -> Mapping[str, Any]:
        """The resource as it is written, such as its ``DeletionPolicy``."""
        return self.stack.resources.get(self.logical_id, {})

    @property
    def type(self) -> str:
        """The type of the resource; empty if there is none."""
        return str(self.raw.get("Type", ""))

    @property
    def properties(self) -> Mapping[str, Any]:
        """Its properties as they are written."""
        return members(self.raw.get("Properties"))

    @property
    def is_role_or_key(self) -> bool:
        return self.type in (ROLE, *KEYS)

    def seen_from(self, stack: Stack) -> str:
        """What it is called beside what stands in a stack."""
        return self.logical_id if self.stack is stack else str(self)

    def __str__(self) -> str:
        return f"{self.stack.top.name}/{self.path}"


def hole_of(stack: Stack, name: str) -> str | None:
    """The name of the hole that a parameter is which somebody types; None if nobody does."""
    if name == "AWS::Region":
        return alone(stack.region) if stack.region == OWN_REGION else None
    declared = stack.parameters.get(name)
    is_typed = declared is not None and not stack.parent and not is_of_ssm(declared)
    return alone(hole(stack.named(name))) if is_typed else None


def is_of_ssm(declared: Mapping[str, Any]) -> bool:
    """Whether the deploy takes what a parameter is out of SSM; its default is the name there."""
    return str(declared.get("Type")).startswith("AWS::SSM::Parameter::Value<")


def every(stacks: Iterable[Stack]) -> Iterator[Stack]:
    """Stacks, each with all that are nested in it."""
    for one in stacks:
        yield one
        yield from every(one.children.values())


def _made_by(loop: Any, most: int) -> list[tuple[str, Any]]:
    """The members that a loop makes; a loop in it in its turn. None of them if they are more than most."""
    made: list[tuple[str, Any]] = []
    match loop:
        case [name, [*values], dict(body)] if body and all(isinstance(one, str | int) for one in values):
            # What JSON has not, such as !!binary, cannot be read.
            whole, own = json.dumps(body, default=lambda _: None), json.dumps(str(name))
            for it in (json.dumps(str(one)) for one in values):
                text = whole.replace(f'{{"Ref": {own}}}', it)
                text = text.replace(f"${{{own[1:-1]}}}", it[1:-1]).replace(f"&{{{own[1:-1]}}}", it[1:-1])
                for key, one in members(json.loads(text)).items():
                    inner = _made_by(one, most - len(made)) if key.startswith(FOR_EACH) else [(key, one)]
                    made += inner
                    if not inner or len(made) > most:
                        return []
    return made
