"""What makes a role or a key the one that Pinecone stores, read out of templates.

That is what CloudFormation replaces it by, and in the role's trust policy the external ID and Pinecone's account
number, all as they resolve. A value that hangs on parameters or conditions is told case by case, with the defaults and
definitions that decide which case it is.

Source: `createOnlyProperties` of CloudFormation's resource schemas. For a key they name none: the handler of KMS
refuses a change of the four that are listed.

The alias has no place here: Pinecone stores the ARN of the key, and another alias replaces the alias alone.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, TypeAlias

from cmek_construct import templates
from cmek_construct.lock.text import ANY_REGION, BY_DEFAULT, CONDITION, OF_ACCOUNT, Locked, Place
from cmek_construct.policy import aws
from cmek_construct.policy.text import hole, holes, is_known
from cmek_construct.templates import evidence
from cmek_construct.templates.choices import OTHER, Case, InCase, TooManyCases
from cmek_construct.templates.files import MANIFEST, STACK_SET
from cmek_construct.templates.found import beside, outputs_of
from cmek_construct.templates.reading import by, each_of, members, refers, written
from cmek_construct.templates.stacks import KEY, REPLICA, ROLE, every, hole_of, is_of_ssm
from cmek_construct.templates.values import NOTHING, Values

REPLACING: Final[Mapping[str, tuple[str, ...]]] = {
    ROLE: ("RoleName", "Path"),
    KEY: ("KeySpec", "KeyUsage", "Origin", "MultiRegion"),
    REPLICA: ("PrimaryKeyArn",),
    STACK_SET: ("StackSetName", "PermissionModel"),
}
"""By type, the properties whose change makes another role or key, or in each account others."""
EXTERNAL_ID: Final = "ExternalId"
PINECONE: Final = "PineconeAccount"
_GROUPS: Final = "StackInstancesGroup"
_Values: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class StackNow:
    """One stack as its template says it."""

    run: templates.Run
    top: templates.Stack

    @cached_property
    def place(self) -> Place:
        """Where it goes."""
        return Place.of_top(self.top)

    @cached_property
    def resources(self) -> dict[str, templates.Place]:
        """Every role, key and stack set, with those of nested stacks and in stack sets."""
        found = (templates.Place(stack, logical_id) for stack in every([self.top]) for logical_id in stack.resources)
        return {place.path: place for place in found if place.type in REPLACING}

    @cached_property
    def targets(self) -> dict[str, Locked]:
        """The accounts and units for which stack sets make a role: where, and the external IDs that they alone have."""
        found: dict[str, Locked] = {}
        roles = (one for one in self.resources.values() if one.stack.is_in_stack_set and one.type == ROLE)
        for stack, places in by(roles, lambda one: one.stack).items():
            ids = {one for place in places for one in _each(self._in_cases(place, _of_trust).get(EXTERNAL_ID))}
            overrides = list(self._overrides(stack))
            asked = {name for name, *_, value in overrides if ids & {name, value}}
            told = (one for one in overrides if one[0] in asked or is_known(one[1]))
            for target, some in by(told, lambda one: one[1]).items():
                own = {f"{name} in {region}": value for name, _, region, value in some if name in asked}
                values = {EXTERNAL_ID: _once(own)} if own else {}
                regions = _one_or_all({region for _, _, region, _ in some})
                found["/".join((*stack.within, target))] = Locked(OF_ACCOUNT, {"Regions": regions, **values})
        return found

    def stored(self, ours: Collection[str]) -> dict[str, Locked]:
        """What Pinecone's roles and keys are made by, the stack sets in which they stand, and those sets' targets."""
        own = [path for path, place in self.resources.items() if str(place) in ours]
        sets = [path for path, place in self.resources.items() if place.type == STACK_SET]
        around = [path for path in sets if any(each.startswith(f"{path}/") for each in own)]
        targets = [path for path in self.targets if path.rpartition("/")[0] in around]
        found = ((path, self.identity(path)) for path in (*own, *around, *targets))
        return {path: one for path, one in found if one}

    def identity(self, path: str) -> Locked | None:
        """What makes one of them; None of what is there in no case."""
        if path not in self.resources:
            return self.targets.get(path)
        place = self.resources[path]
        own = self._in_cases(place, _replacing)
        if not own:
            return None
        own |= self._given.get(path, {})
        if place.type == ROLE:
            own |= self._in_cases(place, _of_trust)
            ids = set(_each(own.get(EXTERNAL_ID)))
            of_accounts = {text for name, *_, value in self._overrides(place.stack) for text in (name, value)}
            if ids & of_accounts:
                own[EXTERNAL_ID] = _one_or_all(ids - of_accounts)
        return Locked(place.type, {name: value for name, value in own.items() if value})

    @cached_property
    def _given(self) -> dict[str, _Values]:
        """By the key: the external ID that goes to Pinecone's console beside a role that no template has."""
        outputs = []
        for one in outputs_of(self.run, every([self.top])):
            value = json.dumps(one.place.stack.outputs[one.place.logical_id].get("Value"))
            own = (it for it in self.resources.values() if it.stack is one.place.stack)
            outputs.append(one._replace(of=next((it for it in own if refers(value, it.logical_id)), None)))
        roles = dict(beside(outputs, "Key ARN", "Role ARN"))
        ids = dict(beside(outputs, "Key ARN", "External ID"))
        return {
            key.path: {EXTERNAL_ID: _one_or_all({now.value for now in ids[key].cases})}
            for key, role in roles.items()
            if role.of is None and key in ids and all(one.value.startswith("arn:") for one in role.cases)
        }

    def _overrides(self, stack: templates.Stack) -> Iterator[tuple[str, str, str, str]]:
        """What the stack set around a stack gives to accounts and units: the hole in the stack, whom, Region and value.

        An account may be in several groups, if each is for other Regions. Where nothing is given, the value is empty.
        """
        set_of = stack.maker if stack.is_in_stack_set else None
        values = self._in_cases(set_of, lambda now, place: {_GROUPS: _resolved(now, place, _GROUPS)}) if set_of else {}
        for group in map(members, _each(values.get(_GROUPS))):
            whom = members(group.get("DeploymentTargets"))
            # With this filter the accounts are those that are left out.
            accounts = [] if whom.get("AccountFilterType") == "DIFFERENCE" else each_of(whom.get("Accounts"))
            targets = [*accounts, *each_of(whom.get("OrganizationalUnitIds"))]
            regions = each_of(group.get("Regions")) or [ANY_REGION]
            for one in map(members, each_of(group.get("ParameterOverrides")) or [{}]):
                name = self._within(hole(stack.named(str(one.get("ParameterKey")))))
                value = str(one.get("ParameterValue", ""))
                yield from ((name, str(target), str(region), value) for target in targets for region in regions)

    def _in_cases(self, place: templates.Place, work: Callable[[Values, templates.Place], _Values]) -> _Values:
        """Values by name, each one value or one for each case in which it is another; nothing of what is never made."""
        try:
            cases = self.run.cases(place.stack, lambda values: work(values, place) if values.exists(place) else None)
        except TooManyCases as why:
            what = f"more cases than can be judged: {self._within(str(why))}"
            return {CONDITION: what, f"Source of {place.logical_id}": dict(place.properties)}
        typed = self.top.parameters.items()
        cases = _told_apart(cases, {str(hole_of(self.top, name)): written(one.get("Default")) for name, one in typed})
        # What each account is given is no case of the whole.
        apart = {place.stack.named(name) for name in place.stack.given if place.stack.is_in_stack_set}
        there: set[str] = set()
        told: dict[str, _Values] = {}
        for case, values in ((one.case, one.value) for one in cases if one.value is not None):
            choices = {name: one for name, one in case.choices.items() if name not in apart}
            words = self._within(replace(case, choices=choices).words())
            there.add(words)
            for name, one in json.loads(self._within(json.dumps(values, default=str))).items():
                before = told.setdefault(name, {}).setdefault(words, one)
                if before != one:  # in cases that are told as the same one: all that it is in them
                    told[name][words] = sorted({*map(str, (*each_of(before), *each_of(one)))})
        found = {name: _once(by_case) for name, by_case in told.items()}
        if there and any(one.value is None for one in cases):
            found[CONDITION] = sorted(there)
        varies = CONDITION in found or any(isinstance(one, dict) for one in found.values())
        asked = {name for one in cases for name in one.case.choices} - apart if varies else set()
        return found | self._sources(place, asked, set(holes(json.dumps(found))))

    def _sources(self, place: templates.Place, asked: set[str], unknown: set[str]) -> _Values:
        """What says what a value is: defaults, conditions, mappings and resources, with those to which these refer.

        Asked, by their names, are parameters and conditions that decide which case it is; unknown are the holes in the
        values. Of those that somebody types nothing says more.
        """
        said = {name[: dot.start()] for name in unknown for dot in re.finditer(r"\.|$", name)}
        looked_up = json.dumps(place.raw, default=str) if any(name.startswith("?") for name in unknown) else ""
        found: _Values = {}
        for stack in self.run.stacks if said or asked else ():
            if stack.top is not self.top and not any(name.startswith(stack.named("")) for name in asked):
                continue
            defaults = {name: written(one["Default"]) for name, one in stack.parameters.items() if "Default" in one}
            declared: _Values = {**stack.mappings, **stack.conditions, **defaults}
            used: _Values = {name: one for name, one in declared.items() if stack.named(name) in asked}
            if stack is place.stack:
                used |= {name: one for name, one in stack.mappings.items() if f'"{name}"' in looked_up}
            for name in (one for one in (*defaults, *stack.resources) if self._within(stack.named(one)) in said):
                other = templates.Place(stack, name)
                if name in defaults and is_of_ssm(stack.parameters[name]):
                    used[name] = defaults[name]
                elif other.type not in ("", *REPLACING) and name not in stack.children:
                    used[name] = {key: one for key, one in other.properties.items() if key != "Tags"}
            more = used
            while more:  # No text refers to another one.
                referring = json.dumps([one for one in used.values() if not isinstance(one, str)], default=str)
                more = {name: one for name, one in declared.items() if name not in used and refers(referring, name)}
                used |= more
            for name, one in used.items():
                kind = "Default of" if name in defaults else "Condition" if name in stack.conditions else "Source of"
                found[f"{kind} {self._within(stack.named(name))}"] = one
        return found

    def _within(self, text: str) -> str:
        """Names, or a text with holes, without the name of the stack, which is not the same in every run."""
        text = text.replace(f"the defaults of {self.top.name}", "the defaults")
        return re.sub(rf"(?:^|(?<=\$\{{)|(?<= )){re.escape(self.top.name)}[./]", "", text)


def stacks_of(run: templates.Run) -> list[StackNow]:
    """The stacks of a run; a file that the cloud assembly around it does not name is none."""
    named = (one for one in run.tops if one.template.stack or not (one.template.file.parent / MANIFEST).is_file())
    return [StackNow(run, top) for top in named]


def _told_apart(cases: Sequence[InCase[Any]], defaults: Mapping[str, str | None]) -> list[InCase[Any]]:
    """Cases without those in which what is typed, and is no default, is as anything else: another thing asks for it."""
    texts = {one.case: json.dumps(one.value, default=str) for one in cases}

    def is_as_others(case: Case) -> bool:
        typed = (name for name, one in case.choices.items() if defaults.get(name, one) != one)
        others = (replace(case, choices={**case.choices, name: OTHER}) for name in typed)
        return any(texts[case] == case.chosen(texts[one]) for one in others if one in texts and one != case)

    return [one for one in cases if not is_as_others(one.case)]


def _each(value: Any) -> Iterator[Any]:
    """A value, or each of several, in all its cases."""
    return (one for some in (value.values() if isinstance(value, dict) else [value]) for one in each_of(some))


def _resolved(values: Values, place: templates.Place, name: str) -> Any:
    found = values.resolved(place.stack, place.properties[name]) if name in place.properties else None
    return BY_DEFAULT.get(name) if found is NOTHING else found


def _replacing(values: Values, place: templates.Place) -> _Values:
    """What CloudFormation replaces by; of a stack set also the Regions in which it makes role and key."""
    found = {name: _resolved(values, place, name) for name in REPLACING[place.type]}
    groups = map(members, each_of(_resolved(values, place, _GROUPS)))
    return found | {"Regions": _one_or_all({str(one) for group in groups for one in each_of(group.get("Regions"))})}


def _of_trust(values: Values, place: templates.Place) -> _Values:
    """The external ID and Pinecone's account number in the statements that let somebody in."""
    document = _resolved(values, place, "AssumeRolePolicyDocument")
    own = values.parameter(place.stack, "AWS::AccountId")
    statements = list(evidence.allowing(values.run.policy(document, "trust")))
    names = [name for one in statements for name in evidence.names_in(one) if evidence.is_like_pinecone(name, own)]
    ids = {value for one in statements for value in one.compared(aws.EXTERNAL_ID)}
    return {EXTERNAL_ID: _one_or_all(ids), PINECONE: _one_or_all(set(map(evidence.account_of, names)))}


def _once(by_case: Mapping[str, Any]) -> Any:
    """A value that is the same in every case, or what it is in each."""
    first, *others = by_case.values()
    return by_case if any(one != first for one in others) else first


def _one_or_all(values: set[str]) -> Any:
    found = sorted(values)
    return found[0] if len(found) == 1 else found or None
