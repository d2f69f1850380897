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
from cmek_construct.lock.text import OF_ACCOUNT, Identity, Place
from cmek_construct.policy import aws
from cmek_construct.templates import console, evidence
from cmek_construct.templates.attributes import KEY, ROLE
from cmek_construct.templates.choices import Case, TooManyCases
from cmek_construct.templates.files import MANIFEST, STACK_SET
from cmek_construct.templates.reading import each_of, members
from cmek_construct.templates.stacks import every, hole_of, is_of_ssm
from cmek_construct.templates.texts import holes, refers, written
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
_Values: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class StackNow:
    """One stack as its template says it."""

    run: templates.Run
    top: templates.Stack

    @property
    def place(self) -> Place:
        """Where it goes."""
        return Place.of_top(self.top)

    @cached_property
    def resources(self) -> dict[str, templates.Place]:
        """Every role, key and stack set, with those of nested stacks and in stack sets."""
        found = (templates.Place(stack, logical_id) for stack in every([self.top]) for logical_id in stack.resources)
        return {place.path: place for place in found if place.type in REPLACING}

    @cached_property
    def accounts(self) -> dict[str, Identity]:
        """The accounts of stack sets that have an external ID of their own."""
        return {
            f"{path}/{account}": Identity(OF_ACCOUNT, {EXTERNAL_ID: external_id})
            for path, place in self.resources.items()
            if place.type == STACK_SET and place.logical_id in place.stack.children
            for account, external_id in self._external_ids(place)
        }

    def identity(self, path: str) -> Identity | None:
        """What makes one of them; None of what is there in no case."""
        if path not in self.resources:
            return self.accounts.get(path)
        place = self.resources[path]
        own = self._in_cases(place, lambda values: _replacing(values, place))
        if own is None:
            return None
        own |= self._given.get(path, {})
        if place.type == ROLE:
            own |= self._trust(place) or {}
            ids, apart = _texts(own.get(EXTERNAL_ID)), self._apart(place.stack)
            if any(one in apart for one in ids):
                own[EXTERNAL_ID] = _one_or_all({one for one in ids if one not in apart})
        return Identity(place.type, {name: value for name, value in own.items() if value})

    @cached_property
    def _given(self) -> dict[str, _Values]:
        """By the key: the external ID that goes to Pinecone's console beside a role that no template has."""
        own = console.outputs(self.run, every([self.top]))
        known = dict(self._named(own))
        outputs = [replace(one, of=known.get(one.place)) for one in own]
        roles = dict(console.beside(outputs, "Key ARN", "Role ARN"))
        ids = dict(console.beside(outputs, "Key ARN", "External ID"))
        return {
            key.path: {EXTERNAL_ID: _one_or_all({now.value for now in ids[key].cases})}
            for key, role in roles.items()
            if role.of is None and key in ids and all(o.value.startswith("arn:") for o in role.cases)
        }

    def _named(self, outputs: Iterable[templates.Output]) -> Iterator[tuple[templates.Place, Any]]:
        """The role or key of its own stack that each output names."""
        for output in outputs:
            raw = output.place.stack.outputs[output.place.logical_id].get("Value")
            for place in self.resources.values():
                if place.stack is output.place.stack and refers(json.dumps(raw), place.logical_id):
                    yield output.place, place

    def _trust(self, place: templates.Place) -> _Values | None:
        return self._in_cases(place, lambda values: _of_trust(values, place))

    def _apart(self, stack: templates.Stack) -> dict[str, str]:
        """What accounts of the stack set around a stack are given, and the holes for it."""
        if stack.parent is None or not stack.is_in_stack_set:
            return {}
        found: dict[str, str] = {}
        for _, name, value in self._overrides(templates.Place(stack.parent, stack.within[-1])):
            found |= {value: name, f"${{{stack.named(name)}}}": name}
        return {self._text(one): name for one, name in found.items()}

    def _external_ids(self, stack_set: templates.Place) -> Iterator[tuple[str, str]]:
        """Each account and what it is given for an external ID in the trust policy of a role."""
        child = stack_set.stack.children[stack_set.logical_id]
        roles = [path for path, one in self.resources.items() if one.stack is child]
        trusts = [self._trust(self.resources[p]) for p in roles if self.resources[p].type == ROLE]
        apart = self._apart(child)
        names = {apart.get(one) for own in trusts for one in _texts((own or {}).get(EXTERNAL_ID))}
        for account, name, value in self._overrides(stack_set):
            if name in names:
                yield account, value

    def _overrides(self, stack_set: templates.Place) -> Iterator[tuple[str, str, str]]:
        """Account, parameter and value of all that a stack set gives to single accounts."""
        groups = "StackInstancesGroup"
        found = self._in_cases(stack_set, lambda now: {groups: _resolved(now, stack_set, groups)})
        for group in each_of((found or {}).get(groups)):
            for one in each_of(members(group).get("ParameterOverrides")):
                for account in each_of(members(group.get("DeploymentTargets")).get("Accounts")):
                    name, value = (members(one).get(f"Parameter{x}") for x in ("Key", "Value"))
                    yield str(account), str(name), str(value)

    def _in_cases(self, place: templates.Place, work: Callable[[Values], _Values | None]) -> _Values | None:
        """Values by name: each one value, or one for each case in which it is another."""
        try:
            cases = self.run.cases(place.stack, work)
        except TooManyCases as why:
            what = f"more cases than can be judged: {self._words(str(why))}"
            return {CONDITION: what, "Properties": dict(place.stack.properties(place.logical_id))}
        there = [one for one in cases if one.value is not None]
        if not there:
            return None
        apart = {place.stack.named(name) for name in place.stack.given if place.stack.is_in_stack_set}
        by_case: dict[str, _Values] = {}
        for one in there:
            self._add(by_case.setdefault(self._case(one.case, apart), {}), one.value or {})
        found = _together(by_case)
        if len(there) < len(cases):
            found[CONDITION] = sorted(by_case)
        asked = {name for one in cases for name in one.case.choices} - apart
        varies = CONDITION in found or any(isinstance(one, dict) for one in found.values())
        sources = dict(self._sources(json.dumps(found)))
        return found | self._used(place, asked if varies else set(), found) | sources

    def _add(self, found: _Values, more: _Values) -> None:
        """Add the values of one case to those of others that are told as the same one."""
        for name, value in more.items():
            value = json.loads(self._text(json.dumps(value, default=str)))
            if name in found and found[name] != value:
                value = sorted({*map(str, each_of(found[name])), *map(str, each_of(value))})
            found[name] = value

    def _used(self, place: templates.Place, asked: set[str], found: _Values) -> _Values:
        """The defaults, conditions and mappings that decide what a value is."""
        used: _Values = {}
        for stack in self.run.stacks if asked else ():
            for name, one in stack.parameters.items():
                if "Default" in one and (hole_of(stack, name) or "") in asked:
                    used[f"Default of {name}"] = written(one["Default"])
            for name in stack.conditions:
                if stack.named(name) in asked:
                    used[f"Condition {self._words(stack.named(name))}"] = stack.conditions[name]
        if any(one.startswith("?") for one in holes(json.dumps(found))):
            raw = json.dumps(place.raw, default=str)
            used |= {f"Mapping {k}": v for k, v in place.stack.mappings.items() if f'"{k}"' in raw}
        return used

    def _sources(self, text: str) -> Iterator[tuple[str, Any]]:
        """What only the deploy knows in a text: the parameters of SSM and the resources that say it, with the
        parameters, conditions and mappings to which these refer.
        """
        dots = re.compile(r"\.|$")
        said = {name[: dot.start()] for name in holes(text) for dot in dots.finditer(name)}
        for stack in every([self.top]) if said else ():
            parameters = {k: one["Default"] for k, one in stack.parameters.items() if "Default" in one}
            found: _Values = {}
            for name in (k for k in stack.resources if self._words(stack.named(k)) in said):
                if stack.type_of(name) not in REPLACING and name not in stack.children:
                    own = stack.properties(name)
                    found[name] = {k: v for k, v in own.items() if k != "Tags"}
            for name in (k for k in parameters if self._words(stack.named(k)) in said):
                if is_of_ssm(stack.parameters[name]):
                    found[name] = parameters[name]
            if found:
                found = _with_declared(found, {**stack.mappings, **stack.conditions, **parameters})
            for name, one in found.items():
                yield f"Source of {self._words(stack.named(name))}", one

    def _case(self, case: Case, apart: set[str]) -> str:
        choices = {name: one for name, one in case.choices.items() if name not in apart}
        return self._words(replace(case, choices=choices).words())

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
        StackNow(run, top)
        for top in run.tops
        if top.template.stack or not (top.template.file.parent / MANIFEST).is_file()
    ]


def _with_declared(found: _Values, declared: _Values) -> _Values:
    """Values, with the declarations that these, or others of them, refer to."""
    while True:
        raw = json.dumps(list(found.values()), default=str)
        more = {k: one for k, one in declared.items() if k not in found and refers(raw, k)}
        if not more:
            return found
        found = found | more


def _together(by_case: Mapping[str, _Values]) -> _Values:
    """By name the one value, or what it is in each case."""
    found: _Values = {}
    for name in next(iter(by_case.values())):
        values = {case: own.get(name) for case, own in by_case.items()}
        first, *others = values.values()
        found[name] = first if all(one == first for one in others) else values
    return found


def _texts(value: Any) -> list[str]:
    """The texts of a value, in all its cases."""
    found = value.values() if isinstance(value, dict) else [value]
    return [str(one) for some in found for one in each_of(some)]


def _resolved(values: Values, place: templates.Place, name: str) -> Any:
    properties = place.stack.properties(place.logical_id)
    found = values.resolved(place.stack, properties[name]) if name in properties else NOTHING
    return None if found is NOTHING else found


def _replacing(values: Values, place: templates.Place) -> _Values | None:
    if not values.exists(place.stack, place.logical_id):
        return None
    found = {name: _resolved(values, place, name) for name in REPLACING[place.type]}
    if place.type == STACK_SET:
        regions = {
            str(one)
            for group in each_of(_resolved(values, place, "StackInstancesGroup"))
            for one in each_of(members(group).get("Regions"))
        }
        found[REGIONS] = _one_or_all(regions)
    return found


def _of_trust(values: Values, place: templates.Place) -> _Values | None:
    """The external ID and Pinecone's account number in the statements that let somebody in."""
    if not values.exists(place.stack, place.logical_id):
        return None
    document = _resolved(values, place, "AssumeRolePolicyDocument")
    own = values.parameter(place.stack, "AWS::AccountId")
    ids: set[str] = set()
    accounts: set[str] = set()
    for one in evidence.allowing(evidence.policy_of(document, "trust", None, values.run)):
        like = (n for n in evidence.names_in(one) if evidence.is_like_pinecone(n, own))
        accounts.update(map(evidence.account_of, like))
        ids.update(one.compared(aws.EXTERNAL_ID))
    return {EXTERNAL_ID: _one_or_all(ids), PINECONE: _one_or_all(accounts)}


def _one_or_all(values: Iterable[str]) -> Any:
    found = sorted(values)
    return found[0] if len(found) == 1 else found or None
