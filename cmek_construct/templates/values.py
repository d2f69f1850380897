"""Values of templates as they resolve in one case: texts with holes, and lists and objects of some.

Source: CloudFormation template reference, "Intrinsic functions".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cmek_construct.policy import literal
from cmek_construct.policy.text import hole
from cmek_construct.templates import functions
from cmek_construct.templates.choices import BY_DEFAULT, OTHER, TYPED, YES, Case, InCase, Undecided
from cmek_construct.templates.functions import joined, unreadable
from cmek_construct.templates.reading import each_of, function_of, written
from cmek_construct.templates.stacks import ALIAS, KEYS, MANAGED_POLICY, ROLE, USER, Place, Stack, hole_of, is_of_ssm

if TYPE_CHECKING:
    from cmek_construct.templates.run import Run

_DYNAMIC: Final = re.compile(r"\{\{(resolve:[^{}]*)\}\}")
_MOST_CHARACTERS: Final = 20_000_000
_LONGEST_CHAIN: Final = 40
_NAMES: Final = {ROLE: "RoleName", USER: "UserName", MANAGED_POLICY: "ManagedPolicyName", ALIAS: "AliasName"}
_IAM: Final = {ROLE: "role", USER: "user", MANAGED_POLICY: "policy"}
_READER: Final = "Custom::CrossRegionExportReader"
_NO_VALUE: Final = {"Ref": "AWS::NoValue"}
_KNOWN: Final = {"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}
NOTHING: Final = object()
"""``AWS::NoValue``: what CloudFormation leaves out."""
T = TypeVar("T", bound=InCase[Any])


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
            return written(value) or unreadable("null", stack.name)
        found = {}
        for name, one in value.items():
            got = unreadable(name, stack.name, one) if name.startswith("Fn::") else self.resolved(stack, one)
            if got is not NOTHING:
                found[name] = got
        return found

    def text(self, stack: Stack, value: Any) -> str:
        """A value as one text."""
        found = self.resolved(stack, value)
        return found if isinstance(found, str) else unreadable("no text", stack.name, value)

    def texts(self, stack: Stack, value: Any) -> list[str]:
        """A value, or a list of some, as texts."""
        found = self.resolved(stack, value)
        some = [] if found is NOTHING else each_of(found)
        return [one if isinstance(one, str) else unreadable("no text", stack.name, value) for one in some]

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
        return not isinstance(condition, str) or functions.holds(self, place.stack, condition) is not False

    def parameter(self, stack: Stack, name: str, *, compared: bool = False) -> Any:
        """The value of a parameter, or of a pseudo parameter such as ``AWS::Region``.

        Where a condition asks that compares it, the texts that it is compared with are tried.
        """
        own = hole_of(stack, name)
        if own is None:
            return self.once((stack.name, "parameter", name), lambda: self._given(stack, name))
        declared = stack.parameters.get(name, {})
        chosen = self.case.choices.get(own)
        if chosen is None:
            chosen = self._chosen(stack, name, own, compared)
        return _of_type(declared, hole(own) if chosen in (None, OTHER) else literal(chosen))

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
        declared = stack.parameters.get(name, {})
        if name == "AWS::StackName" and stack.template.stack and not stack.parent:
            return literal(stack.template.stack)
        if name.startswith("AWS::"):
            return {**_KNOWN, "AWS::AccountId": stack.account, "AWS::Region": stack.region}.get(name) or hole(own)
        text = hole(own)
        default = written(declared.get("Default"))
        if stack.parent and stack.given.get(name) and not is_of_ssm(declared):
            values = [self.text(stack.parent, one) for one in stack.given[name]]
            chosen = values[0] if len(set(values)) == 1 else self.case.decided(own, values, may_be_hole=True)
            text = text if chosen == OTHER else chosen
        elif not is_of_ssm(declared):
            text = hole(f"?{own}") if default is None else literal(default)
        return _of_type(declared, text)

    def _member(self, stack: Stack, value: Any) -> Any:
        """A member of a list, which may not be there."""
        match function_of(value):
            case "Fn::If", [str(name), yes, no] if (yes == _NO_VALUE) is not (no == _NO_VALUE):
                there = self._is_there(stack, name)
                if there is not None:
                    return self.resolved(stack, yes if there else no)
        return self.resolved(stack, value)

    def _is_there(self, stack: Stack, name: str) -> bool | None:
        """Whether a condition holds that says alone whether a member of a list is there."""
        try:
            return functions.holds(self, stack, name)
        except Undecided as question:
            own = stack.named(name)
            if own in self.case.members:
                return self.case.members[own] == YES
            question.member = own
            raise

    def _call(self, stack: Stack, name: str, argument: Any) -> Any:
        if name == "Fn::GetAtt" and isinstance(argument, str):
            argument = argument.split(".", 1)
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
                return unreadable(f"Ref {argument}", stack.name, argument)
            case "Fn::GetAtt", [str(resource), some]:
                attribute = self.text(stack, some)
                key = (stack.name, "attribute", resource, attribute)
                return self.once(key, lambda: self._attribute(Place(stack, resource), attribute))
        try:
            found = functions.call(self, stack, name, argument)
        except RecursionError:
            found = None
        self._left -= len(found) if isinstance(found, str) else 0
        return unreadable(name, stack.name, argument) if found is None or self._left < 0 else found

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
        whole = joined([f"arn:aws:iam::{stack.account}:{_IAM[kind]}", path if isinstance(path, str) else "/", own])
        return whole or unreadable("an ARN", stack.name, place.logical_id)

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
        if place.type == _READER:
            what = f"parameter {attribute} of {stack.account}"
            return self.elsewhere(what, stack) or hole(f"{what} {stack.region}")
        return hole(f"{stack.named(place.logical_id)}.{attribute}")

    def elsewhere(self, what: str, stack: Stack) -> Any:
        """What another stack gives; None where that is not known."""
        found = self.run.elsewhere(what, stack)
        return self.once((what, stack.account, stack.region), lambda: self.resolved(*found)) if found else None


def by_default(stack: Stack, cases: Sequence[T]) -> tuple[Sequence[T], dict[str, str]]:
    """The cases in which every parameter that was chosen has its default, and the defaults so assumed, by parameter.

    A value that no condition asks for stays a hole, whatever its default: what is told of it holds for all that a
    deployer may type.
    """
    defaults = {
        hole_of(stack.top, name): (name, default)
        for name, one in stack.top.parameters.items()
        if (default := written(one.get("Default"))) is not None
    }
    found = [
        one
        for one in cases
        if all(value == defaults[own][1] for own, value in one.case.choices.items() if own in defaults)
    ]
    typed = [one for one in found if not one.case.is_by_default]
    asked = (own for one in (cases if found else ()) for own in one.case.choices)
    return typed or found or cases, dict(defaults[own] for own in asked if own in defaults)


def _of_type(declared: Mapping[str, Any], text: str) -> Any:
    """A value by the type of its parameter."""
    if "List" not in str(declared.get("Type")):
        return text
    return [one.strip() for one in text.split(",")] if text else []
