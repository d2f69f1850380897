"""Values of templates as they resolve in one case: texts with holes, and lists and objects of some.

Source: CloudFormation template reference, "Intrinsic functions".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from cmek_construct.policy.text import alone, hole, holes, is_known, literal, parts, pieces
from cmek_construct.templates.choices import BY_DEFAULT, OTHER, TYPED, YES, Case, Undecided, holds, is_all_known
from cmek_construct.templates.reading import each_of, function_of, members, written
from cmek_construct.templates.stacks import ALIAS, KEYS, MANAGED_POLICY, ROLE, USER, Place, Stack, hole_of, is_of_ssm

if TYPE_CHECKING:
    from cmek_construct.templates.run import Run

_DYNAMIC: Final = re.compile(r"\{\{(resolve:[^{}]*)\}\}")
_MOST_CHARACTERS: Final = 20_000_000
_LONGEST: Final = 65_536  # characters of a text that is put together; what is longer cannot be read
_LONGEST_CHAIN: Final = 40
_NAMES: Final = {ROLE: "RoleName", USER: "UserName", MANAGED_POLICY: "ManagedPolicyName", ALIAS: "AliasName"}
_IAM: Final = {ROLE: "role", USER: "user", MANAGED_POLICY: "policy"}
_NO_VALUE: Final = {"Ref": "AWS::NoValue"}
_KNOWN: Final = {"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}
NOTHING: Final = object()  # ``AWS::NoValue``: what CloudFormation leaves out


class Values:
    """Works out values in one case."""

    def __init__(self, run: Run, case: Case) -> None:
        self.run = run
        self.case = case
        self._known: dict[tuple[str, ...], Any] = {}
        self._open: set[tuple[str, ...]] = set()
        self._left = _MOST_CHARACTERS

    def resolved(self, stack: Stack, value: Any) -> Any:
        """A value: a text, a list, an object, or `NOTHING`."""
        if isinstance(value, str):
            text = literal(value) if "${" in value else value
            return _DYNAMIC.sub(lambda found: hole(f"?{found[1]}"), text) if "{{" in text else text
        if isinstance(value, list):
            return [found for one in value if (found := self._member(stack, one)) is not NOTHING]
        if function := function_of(value):
            return self._call(stack, *function)
        if not isinstance(value, dict):
            return written(value) or _unreadable("null", stack.name)
        found = {}
        for name, one in value.items():
            got = _unreadable(name, stack.name, one) if name.startswith("Fn::") else self.resolved(stack, one)
            if got is not NOTHING:
                found[name] = got
        return found

    def text(self, stack: Stack, value: Any) -> str:
        """A value as one text."""
        found = self.resolved(stack, value)
        return found if isinstance(found, str) else _unreadable("no text", stack.name, value)

    def texts(self, stack: Stack, value: Any) -> list[str]:
        """A value, or a list of some, as texts."""
        found = self.resolved(stack, value)
        some = [] if found is NOTHING else each_of(found)
        return [one if isinstance(one, str) else _unreadable("no text", stack.name, value) for one in some]

    def once(self, key: tuple[str, ...], work: Callable[[], Any]) -> Any:
        """What was worked out before; of what hangs on itself a text that cannot be read."""
        if key in self._known:
            return self._known[key]
        if key in self._open or len(self._open) > _LONGEST_CHAIN:
            return hole(f"?{' '.join(key)}")
        self._open.add(key)
        try:
            self._known[key] = work()
        finally:
            self._open.discard(key)
        return self._known[key]

    def exists(self, place: Place) -> bool:
        """Whether a resource is made, by its condition and those of the stacks around it."""
        if place.stack.maker and not self.exists(place.stack.maker):
            return False
        condition = place.raw.get("Condition")
        return not isinstance(condition, str) or holds(self, place.stack, condition) is not False

    def parameter(self, stack: Stack, name: str, *, compared: bool = False) -> Any:
        """The value of a parameter, or of a pseudo parameter such as ``AWS::Region``.

        Where a condition asks that compares it, the texts that it is compared with are tried.
        """
        own = hole_of(stack, name)
        if own is None:
            text = self.once((stack.name, "parameter", name), lambda: self._given(stack, name))
        else:
            chosen = self.case.choices.get(own)
            if chosen is None:
                chosen = self._chosen(stack, name, own, compared)
            text = hole(own) if chosen in (None, OTHER) else literal(chosen)
        if isinstance(text, str) and "List" in str(stack.parameters.get(name, {}).get("Type")):
            return [one.strip() for one in text.split(",")] if text else []
        return text

    def _chosen(self, stack: Stack, name: str, own: str, compared: bool) -> str | None:
        """What a parameter is that the deployer gives, or may leave at its default: a hole stands for what is typed."""
        declared = stack.parameters.get(name, {})
        texts = stack.compared.get(name, [])
        if "AllowedValues" in declared:
            allowed = [written(one) or "" for one in each_of(declared["AllowedValues"])]
            return allowed[0] if len(allowed) == 1 else self.case.decided(own, allowed, may_be_hole=not texts)
        default = written(declared.get("Default"))
        defaults, which = [] if default is None else [default], f"the defaults of {stack.name}"
        if compared and (texts or defaults) and not (defaults and self.case.choices.get(which) == BY_DEFAULT):
            return self.case.decided(own, (*dict.fromkeys([*texts, *defaults]), OTHER))
        is_default = defaults and self.case.decided(which, (BY_DEFAULT, TYPED), may_be_hole=True) == BY_DEFAULT
        return default if is_default else None

    def _given(self, stack: Stack, name: str) -> Any:
        """What a parameter is that nobody types."""
        own = stack.named(name)
        if name == "AWS::StackName" and stack.template.stack and not stack.parent:
            return literal(stack.template.stack)
        if name.startswith("AWS::"):
            return {**_KNOWN, "AWS::AccountId": stack.account, "AWS::Region": stack.region}.get(name) or hole(own)
        declared = stack.parameters.get(name, {})
        default = written(declared.get("Default"))
        if is_of_ssm(declared):
            there = None if name in stack.given else self._elsewhere(f"parameter {default} of {stack.account}", stack)
            which = there and self.case.decided(f"the defaults of {stack.name}", (BY_DEFAULT, TYPED), may_be_hole=True)
            return there if which == BY_DEFAULT else hole(own)  # somebody else may write it, or another one be named
        if stack.parent and stack.given.get(name):
            values = [self.text(stack.parent, one) for one in stack.given[name]]
            chosen = values[0] if len(set(values)) == 1 else self.case.decided(own, values, may_be_hole=True)
            return hole(own) if chosen == OTHER else chosen
        return hole(f"?{own}") if default is None else literal(default)

    def _member(self, stack: Stack, value: Any) -> Any:
        """A member of a list: a condition may say alone whether it is there."""
        match function_of(value):
            case "Fn::If", [str(name), yes, no] if (yes == _NO_VALUE) is not (no == _NO_VALUE):
                own = stack.named(name)
                try:
                    there = holds(self, stack, name)
                except Undecided as question:
                    if own not in self.case.members:
                        question.member = own
                        raise
                    there = self.case.members[own] == YES
                return self.resolved(stack, value if there is None else yes if there else no)
        return self.resolved(stack, value)

    def _call(self, stack: Stack, name: str, argument: Any) -> Any:
        """What an intrinsic function gives. With AWS::LanguageExtensions another one may say of what a reference is."""
        if name == "Fn::GetAtt" and isinstance(argument, str):
            argument = argument.split(".", 1)
        argument = self.resolved(stack, argument) if name in ("Ref", "Fn::GetAtt") else argument
        match name, argument:
            case "Ref", "AWS::NoValue":
                return NOTHING
            case "Ref", str() if argument in stack.parameters or argument.startswith("AWS::"):
                return self.parameter(stack, argument)
            case "Ref", str() if argument in stack.resources:
                place = Place(stack, argument)
                work = self.arn if place.type == MANAGED_POLICY else self._name
                return self.once((stack.name, "ref", argument), lambda: work(place))
            case "Ref", str():
                return _unreadable(f"Ref {argument}", stack.name, argument)
            case "Fn::GetAtt", [str(resource), str(attribute)] if is_known(resource):
                key = (stack.name, "attribute", resource, attribute)
                return self.once(key, lambda: self._attribute(Place(stack, resource), attribute))
        try:
            found = self._worked_out(stack, name, argument)
        except RecursionError:
            found = None
        self._left -= len(found) if isinstance(found, str) else 0
        return _unreadable(name, stack.name, argument) if found is None or self._left < 0 else found

    def _worked_out(self, stack: Stack, name: str, argument: Any) -> Any:
        """What another function than ``Ref`` and ``Fn::GetAtt`` gives; None where it cannot be worked out."""
        match name, argument:
            case "Fn::If", [str(condition), yes, no]:
                is_so = holds(self, stack, condition)
                return None if is_so is None else self.resolved(stack, yes if is_so else no)
            case "Fn::Join", [between, some]:
                return _joined(self.texts(stack, some), self.text(stack, between))
            case "Fn::Sub", str():
                return self._substituted(stack, argument, {})
            case "Fn::Sub", [str(text), dict(own)]:
                return self._substituted(stack, text, own)
            case "Fn::Split", [some, other]:
                at, text = self.text(stack, some), self.text(stack, other)
                # Of what is not known, nobody knows whether a separator is in it; but a name has no colon or slash.
                is_whole = re.search(r"[^\w.+-]", at) and all(one in self.run.forms for one in holes(text))
                return parts(text, at) if at and is_known(at) and (is_whole or not holes(text)) else None
            case "Fn::Select", [index, some]:
                number, found = self.text(stack, index), self.resolved(stack, some)
                is_one = re.fullmatch("[0-9]{1,9}", number) and isinstance(found, list)
                return found[int(number)] if is_one and int(number) < len(found) else None
            case "Fn::FindInMap", [*keys] if len(keys) in (3, 4):
                default = members(keys[3]).get("DefaultValue") if keys[3:] else None
                return self._in_map(stack, keys[:3], default)
            case "Fn::ImportValue", _:
                name = self.text(stack, argument)
                there = hole(f"export {_as_it_is(name)} of {stack.account} {stack.region}") if is_known(name) else None
                return self._elsewhere(f"export {name}", stack) or there
            case "Fn::GetStackOutput", dict():
                of, output = (_as_it_is(self.text(stack, argument.get(it, ""))) for it in ("StackName", "OutputName"))
                region = self.text(stack, argument["Region"]) if "Region" in argument else stack.region
                what = f"output {output} of {of} in {region}"
                return self._elsewhere(what, stack) or hole(what)
            case "Fn::ToJsonString", _:
                found = self.resolved(stack, argument)
                text = json.dumps(found, default=str)
                is_json = isinstance(found, dict | list) and sorted(holes(text)) == sorted(_all_holes(found))
                return text if is_json else None
            case "Fn::Length", _:
                found = self.resolved(stack, argument)
                return str(len(found)) if isinstance(found, list) and is_all_known(found) else None
        return None

    def _substituted(self, stack: Stack, text: str, own: Mapping[str, Any]) -> str | None:
        """What ``Fn::Sub`` makes of a text."""

        @cache
        def made(name: str) -> str:
            found = self.resolved(stack, own.get(name, {"Fn::GetAtt" if "." in name else "Ref": name}))
            return found if isinstance(found, str) else _unreadable(f"Fn::Sub {name}", stack.name, name)

        some: list[str] = []
        for before, place in pieces(text):
            some.append(self.text(stack, before))
            if place is not None:
                name = place.strip()
                some.append(f"${{{place}}}" if name.startswith("!") else made(name))
        return _joined(some)

    def _in_map(self, stack: Stack, keys: Sequence[Any], default: Any) -> Any:
        """What ``Fn::FindInMap`` gives."""
        found: Any = stack.mappings
        place = "Mappings"
        for part in keys:
            key: str | None = self.text(stack, part)
            if isinstance(found, dict) and not is_known(str(key)):
                key = self._key(str(key), place, found, default)
            if key is None:
                return None
            place = _as_it_is(key)
            found = found.get(place) if isinstance(found, dict) else None
        found = default if found is None else found
        return None if found is None else self.resolved(stack, found)

    def _key(self, key: str, place: str, found: Mapping[str, Any], default: Any) -> str | None:
        """One of the keys of a mapping, where which one is not known; any, if all say the same.

        With a default it may be another key than these. None where it is a hole for all of them.
        """
        several = [*found.values(), *([] if default is None else [default])]
        if found and len({json.dumps(one, sort_keys=True, default=str) for one in several}) == 1:
            return str(next(iter(found)))
        own = alone(key) or key
        chosen = self.case.choices.get(own)
        if chosen in found:
            return chosen
        if chosen is not None or default is not None:
            own = f"{own} in {place}"
        chosen = self.case.decided(own, [*found, *([] if default is None else [OTHER])], may_be_hole=True)
        return chosen if own in self.case.choices else None

    def _name(self, place: Place) -> str:
        """The name of a role, a user, a policy or an alias, and the ID of a key."""
        value = place.properties.get(_NAMES.get(place.type, ""))
        key = (place.stack.name, "name", place.logical_id)
        found = None if value is None else self.once(key, lambda: self.resolved(place.stack, value))
        return found if isinstance(found, str) else hole(place.stack.named(place.logical_id))

    def arn(self, place: Place) -> str | None:
        """The ARN of a role, a user, a policy or a key, in its parts; None of another resource."""
        kind, stack = place.type, place.stack
        own = self._name(place)
        if kind in KEYS:
            return f"arn:aws:kms:{self.parameter(stack, 'AWS::Region')}:{stack.account}:key/{own}"
        if kind not in _IAM:
            return None
        path = self.resolved(stack, place.properties.get("Path", "/"))
        inside = path.strip("/") if isinstance(path, str) else ""  # what only the deploy knows has its slashes as well
        whole = _joined([f"arn:aws:iam::{stack.account}:{_IAM[kind]}/", inside and f"{inside}/", own])
        return whole or _unreadable("an ARN", stack.name, place.logical_id)

    def _attribute(self, place: Place, attribute: str) -> Any:
        """What ``Fn::GetAtt`` gives. Source: "Return values" of each type."""
        stack = place.stack
        child = stack.children.get(place.logical_id)
        output = attribute.removeprefix("Outputs.")
        if child and output != attribute and output in child.outputs:
            return self.resolved(child, child.outputs[output].get("Value"))
        found = self.arn(place) if attribute in ("Arn", "PolicyArn") else None
        if found or (attribute == "KeyId" and place.type in KEYS):
            return found or self._name(place)
        if place.type == "Custom::CrossRegionExportReader":
            what = f"parameter {attribute} of {stack.account}"
            return self._elsewhere(what, stack) or hole(f"{what} {stack.region}")
        return hole(f"{stack.named(place.logical_id)}.{attribute}")

    def _elsewhere(self, what: str, stack: Stack) -> Any:
        """What another stack gives; None where that is not known."""
        found = self.run.elsewhere(what, stack)
        return self.once((what, stack.account, stack.region), lambda: self.resolved(*found)) if found else None


def _as_it_is(text: str) -> str:
    """A text without holes: ``${!x}`` is ``${x}``."""
    return text.replace("${!", "${")


def _unreadable(what: str, where: str, value: Any = None) -> str:
    """The text of what cannot be read in a stack, by a few words: the same only where it is the same thing."""
    content = json.dumps([where, value], default=str, sort_keys=True)
    return hole(f"?{what} {hashlib.sha256(content.encode()).hexdigest()[:8]}")


def _joined(texts: list[str], between: str = "") -> str | None:
    """Texts put together; None if a hole came about, or went, where two meet, or it is too long."""
    if sum(map(len, texts)) + len(between) * len(texts) > _LONGEST:
        return None
    whole = between.join(texts)
    apart = (name for index, one in enumerate(texts) for name in (*(holes(between) if index else ()), *holes(one)))
    return whole if "$" not in whole or holes(whole) == list(apart) else None


def _all_holes(value: Any) -> list[str]:
    if isinstance(value, str):
        return holes(value)
    return [name for one in (value.values() if isinstance(value, dict) else value) for name in _all_holes(one)]
