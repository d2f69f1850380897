"""What makes a role or a key the one that Pinecone stores, read out of templates.

That is what CloudFormation replaces it by, and in the role's trust policy the external ID and Pinecone's account
number, all as they resolve. A value that hangs on parameters or conditions is told case by case, with the defaults and
definitions that decide which case it is.

Source: `createOnlyProperties` of CloudFormation's resource schemas. For a key they name none: the handler of KMS
refuses a change of the four that are listed.

The alias has no place here: Pinecone stores the ARN of the key, and another alias replaces the alias alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, TypeAlias

from cmek_construct import templates
from cmek_construct.lock.text import OF_ACCOUNT, Locked, Place
from cmek_construct.policy import aws
from cmek_construct.templates import evidence
from cmek_construct.templates.choices import TooManyCases
from cmek_construct.templates.files import MANIFEST, STACK_SET
from cmek_construct.templates.found import beside, outputs_of
from cmek_construct.templates.reading import each_of, members
from cmek_construct.templates.stacks import KEY, ROLE, every, hole_of, is_of_ssm
from cmek_construct.templates.texts import hole, holes, refers, written
from cmek_construct.templates.values import NOTHING, Values

REPLACING: Final[Mapping[str, tuple[str, ...]]] = {
    ROLE: ("RoleName", "Path"),
    KEY: ("KeySpec", "KeyUsage", "Origin", "MultiRegion"),
    "AWS::KMS::ReplicaKey": ("PrimaryKeyArn",),
    STACK_SET: ("StackSetName", "PermissionModel"),
}
"""By type, the properties whose change makes another role or key, or in each account others."""
CONDITION: Final = "Condition"
"""The cases in which a resource is there, where it is not in all: else CloudFormation drops it."""
EXTERNAL_ID: Final = "ExternalId"
PINECONE: Final = "PineconeAccount"
REGIONS: Final = "Regions"
"""Of a stack set: where it makes role and key."""
_GROUPS: Final = "StackInstancesGroup"
_Values: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class StackNow:
    """One stack as its template says it."""

    run: templates.Run
    top: templates.Stack
    place: Place
    """Where it goes."""

    @cached_property
    def resources(self) -> dict[str, templates.Place]:
        """Every role, key and stack set, with those of nested stacks and in stack sets."""
        found = (templates.Place(stack, logical_id) for stack in every([self.top]) for logical_id in stack.resources)
        return {place.path: place for place in found if place.type in REPLACING}

    @cached_property
    def accounts(self) -> dict[str, Locked]:
        """The accounts of stack sets that are given an external ID of their own for the trust policy of a role."""
        found = {}
        for path, place in self.resources.items():
            child = place.stack.children.get(place.logical_id) if place.type == STACK_SET else None
            if child:
                apart = self._apart(child)
                roles = [one for one in self.resources.values() if one.stack is child and one.type == ROLE]
                ids = [each for role in roles for each in _texts(self._in_cases(role, _of_trust).get(EXTERNAL_ID))]
                names = {apart.get(one) for one in ids}
                for account, name, value in self._overrides(place):
                    if name in names:
                        found[f"{path}/{account}"] = Locked(OF_ACCOUNT, {EXTERNAL_ID: value})
        return found

    def identity(self, path: str) -> Locked | None:
        """What makes one of them; None of what is there in no case."""
        if path not in self.resources:
            return self.accounts.get(path)
        place = self.resources[path]
        own = self._in_cases(place, _replacing)
        if not own:
            return None
        own |= self._given.get(path, {})
        if place.type == ROLE:
            own |= self._in_cases(place, _of_trust)
            ids, apart = _texts(own.get(EXTERNAL_ID)), self._apart(place.stack)
            if any(one in apart for one in ids):
                own[EXTERNAL_ID] = _one_or_all({one for one in ids if one not in apart})
        return Locked(place.type, {name: value for name, value in own.items() if value})

    @cached_property
    def _given(self) -> dict[str, _Values]:
        """By the key: the external ID that goes to Pinecone's console beside a role that no template has."""
        outputs = []
        for one in outputs_of(self.run, every([self.top])):
            stack = one.place.stack
            value = json.dumps(stack.outputs[one.place.logical_id].get("Value"))
            own = [place for place in self.resources.values() if place.stack is stack]
            outputs.append(replace(one, of=next((it for it in own if refers(value, it.logical_id)), None)))
        roles = dict(beside(outputs, "Key ARN", "Role ARN"))
        ids = dict(beside(outputs, "Key ARN", "External ID"))
        return {
            key.path: {EXTERNAL_ID: _one_or_all({now.value for now in ids[key].cases})}
            for key, role in roles.items()
            if role.of is None and key in ids and all(one.value.startswith("arn:") for one in role.cases)
        }

    def _apart(self, stack: templates.Stack) -> dict[str, str]:
        """What accounts of the stack set around a stack are given, and the holes for it."""
        if stack.parent is None or not stack.is_in_stack_set:
            return {}
        found: dict[str, str] = {}
        for _, name, value in self._overrides(templates.Place(stack.parent, stack.within[-1])):
            found |= {self._text(value): name, self._text(hole(stack.named(name))): name}
        return found

    def _overrides(self, stack_set: templates.Place) -> Iterator[tuple[str, str, str]]:
        """Account, parameter and value of all that a stack set gives to single accounts."""
        found = self._in_cases(stack_set, lambda now, place: {_GROUPS: _resolved(now, place, _GROUPS)})
        for group in map(members, each_of(found.get(_GROUPS))):
            for one in map(members, each_of(group.get("ParameterOverrides"))):
                for account in each_of(members(group.get("DeploymentTargets")).get("Accounts")):
                    yield str(account), str(one.get("ParameterKey")), str(one.get("ParameterValue"))

    def _in_cases(self, place: templates.Place, work: Callable[[Values, templates.Place], _Values]) -> _Values:
        """Values by name, each one value or one for each case in which it is another; nothing of what is never made."""

        def in_case(values: Values) -> _Values | None:
            return work(values, place) if values.exists(place.stack, place.logical_id) else None

        try:
            cases = self.run.cases(place.stack, in_case)
        except TooManyCases as why:
            what = f"more cases than can be judged: {self._words(str(why))}"
            return {CONDITION: what, "Properties": dict(place.stack.properties(place.logical_id))}
        apart = {place.stack.named(name) for name in place.stack.given if place.stack.is_in_stack_set}
        by_case: dict[str, _Values] = {}
        for case, value in ((one.case, one.value) for one in cases if one.value is not None):
            choices = {name: one for name, one in case.choices.items() if name not in apart}
            told = by_case.setdefault(self._words(replace(case, choices=choices).words()), {})
            for name, one in json.loads(self._text(json.dumps(value, default=str))).items():
                # Cases that are told as the same one: all that it is in them.
                differs = name in told and told[name] != one
                told[name] = sorted({*map(str, each_of(told[name])), *map(str, each_of(one))}) if differs else one
        found: _Values = {}
        for name in next(iter(by_case.values()), ()):
            values = {case: own.get(name) for case, own in by_case.items()}
            first = next(iter(values.values()))
            found[name] = first if all(one == first for one in values.values()) else values
        if by_case and any(one.value is None for one in cases):
            found[CONDITION] = sorted(by_case)
        varies = CONDITION in found or any(isinstance(one, dict) for one in found.values())
        asked = {name for one in cases for name in one.case.choices} - apart if varies else set()
        return found | dict(self._deciding(place, asked, json.dumps(found)))

    def _deciding(self, place: templates.Place, asked: set[str], text: str) -> Iterator[tuple[str, Any]]:
        """The defaults, conditions and mappings that decide what a value is, and what says it where only the deploy
        knows it: parameters of SSM and resources, with the declarations to which these refer.
        """
        for stack in self.run.stacks if asked else ():
            for name, one in stack.parameters.items():
                if "Default" in one and (hole_of(stack, name) or "") in asked:
                    yield f"Default of {name}", written(one["Default"])
            for name in stack.conditions:
                if stack.named(name) in asked:
                    yield f"Condition {self._words(stack.named(name))}", stack.conditions[name]
        unknown = holes(text)
        if any(one.startswith("?") for one in unknown):
            raw = json.dumps(place.raw, default=str)
            yield from ((f"Mapping {name}", one) for name, one in place.stack.mappings.items() if f'"{name}"' in raw)
        said = {name[: dot.start()] for name in unknown for dot in re.finditer(r"\.|$", name)}
        for stack in every([self.top]) if said else ():
            parameters = {name: one["Default"] for name, one in stack.parameters.items() if "Default" in one}
            found: _Values = {}
            for name in (one for one in stack.resources if self._words(stack.named(one)) in said):
                if stack.type_of(name) not in REPLACING and name not in stack.children:
                    found[name] = {key: one for key, one in stack.properties(name).items() if key != "Tags"}
            for name in (one for one in parameters if self._words(stack.named(one)) in said):
                if is_of_ssm(stack.parameters[name]):
                    found[name] = parameters[name]
            declared = {**stack.mappings, **stack.conditions, **parameters} if found else {}
            while more := {name: one for name, one in declared.items() if name not in found and _refers(found, name)}:
                found |= more
            for name, one in found.items():
                yield f"Source of {self._words(stack.named(name))}", one

    def _words(self, text: str) -> str:
        """A text without the name of the stack, which is not the same in every run."""
        text = text.replace(f"the defaults of {self.top.name}", "the defaults")
        return re.sub(rf"(?<![\w./-]){re.escape(self.top.name)}[./]", "", text)

    def _text(self, text: str) -> str:
        """A value whose holes are without the name of the stack."""
        return re.sub(rf"(?<=\$\{{){re.escape(self.top.name)}[./]", "", text)


def replaced(differences: Iterable[tuple[str, str, str]]) -> bool:
    """Whether it is another role or key for AWS, and no longer the same with another policy."""
    return any(name not in (EXTERNAL_ID, PINECONE) for name, _, _ in differences)


def stacks_of(run: templates.Run) -> list[StackNow]:
    """The stacks of a run; a file that the cloud assembly around it does not name is none."""
    return [
        StackNow(run, top, Place.of_top(top))
        for top in run.tops
        if top.template.stack or not (top.template.file.parent / MANIFEST).is_file()
    ]


def _refers(values: _Values, name: str) -> bool:
    return refers(json.dumps(list(values.values()), default=str), name)


def _texts(value: Any) -> list[str]:
    """The texts of a value, in all its cases."""
    found = value.values() if isinstance(value, dict) else [value]
    return [str(one) for some in found for one in each_of(some)]


def _resolved(values: Values, place: templates.Place, name: str) -> Any:
    properties = place.stack.properties(place.logical_id)
    found = values.resolved(place.stack, properties[name]) if name in properties else NOTHING
    return None if found is NOTHING else found


def _replacing(values: Values, place: templates.Place) -> _Values:
    found = {name: _resolved(values, place, name) for name in REPLACING[place.type]}
    if place.type == STACK_SET:
        groups = map(members, each_of(_resolved(values, place, _GROUPS)))
        found[REGIONS] = _one_or_all({str(one) for group in groups for one in each_of(group.get("Regions"))})
    return found


def _of_trust(values: Values, place: templates.Place) -> _Values:
    """The external ID and Pinecone's account number in the statements that let somebody in."""
    document = _resolved(values, place, "AssumeRolePolicyDocument")
    own = values.parameter(place.stack, "AWS::AccountId")
    statements = list(evidence.allowing(evidence.policy_of(document, "trust", None, values.run)))
    names = [name for one in statements for name in evidence.names_in(one) if evidence.is_like_pinecone(name, own)]
    ids = {value for one in statements for value in one.compared(aws.EXTERNAL_ID)}
    return {EXTERNAL_ID: _one_or_all(ids), PINECONE: _one_or_all(set(map(evidence.account_of, names)))}


def _one_or_all(values: set[str]) -> Any:
    found = sorted(values)
    return found[0] if len(found) == 1 else found or None
