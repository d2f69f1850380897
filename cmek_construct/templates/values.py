"""Values of templates as they resolve in one case: texts with holes, and lists and objects of some.

Source: CloudFormation template reference, "Intrinsic functions".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from cmek_construct.policy import literal
from cmek_construct.templates import attributes, conditions, functions
from cmek_construct.templates.choices import MEMBER, NO, OTHER, YES, Case, Undecided
from cmek_construct.templates.reading import each_of, function_of
from cmek_construct.templates.stacks import Stack, hole_of, is_of_ssm
from cmek_construct.templates.texts import hole, joined, places, scalar, unreadable, written

if TYPE_CHECKING:
    from cmek_construct.templates.run import Run

_DYNAMIC: Final = re.compile(r"\{\{(resolve:[^{}]*)\}\}")
_MOST_CHARACTERS: Final = 20_000_000
_LONGEST_CHAIN: Final = 40


class _Nothing:
    """The type of what CloudFormation leaves out."""


NOTHING: Final = _Nothing()
"""``AWS::NoValue``."""
_KNOWN: Final = {"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}


class Values:
    """Works out values in one case."""

    def __init__(self, run: Run, case: Case) -> None:
        """Begin.

        Args:
            run: what stacks know of each other.
            case: what was chosen.
        """
        self.run = run
        self.case = case
        self._known: dict[tuple[str, ...], Any] = {}
        self._open: set[tuple[str, ...]] = set()
        self._left = _MOST_CHARACTERS

    def resolved(self, stack: Stack, value: Any) -> Any:
        """A value: a text, a list, an object, or `NOTHING`."""
        if isinstance(value, list):
            return [one for one in self._members(stack, value) if one is not NOTHING]
        if isinstance(value, str):
            return _DYNAMIC.sub(lambda found: hole(f"?{found[1]}"), literal(value))
        function = function_of(value)
        if function:
            return self._call(stack, *function)
        if isinstance(value, dict):
            return self._object(stack, value)
        text = scalar(value)
        return unreadable("null", stack.name) if text is None else text

    def text(self, stack: Stack, value: Any) -> str:
        """A value as one text."""
        found = self.resolved(stack, value)
        return found if isinstance(found, str) else self._unread(stack, "no text", value)

    def texts(self, stack: Stack, value: Any) -> list[str]:
        """A value, or a list of some, as texts."""
        found = self.resolved(stack, value)
        return [
            one if isinstance(one, str) else self._unread(stack, "no text", value)
            for one in ([] if found is NOTHING else each_of(found))
        ]

    def output(self, stack: Stack, name: str) -> Any:
        """The value of an output."""
        value = stack.outputs.get(name, {}).get("Value")
        key = (stack.name, "output", name)
        return self.once(key, lambda: self.resolved(stack, value))

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

    def exists(self, stack: Stack, logical_id: str) -> bool:
        """Whether a resource is made, by its condition and those of the stacks around it."""
        if stack.parent and not self.exists(stack.parent, stack.within[-1]):
            return False
        condition = stack.resources.get(logical_id, {}).get("Condition")
        if not isinstance(condition, str):
            return True
        return conditions.holds(self, stack, condition) is not False

    def parameter(self, stack: Stack, name: str, *, compared: bool = False) -> Any:
        """The value of a parameter, or of a pseudo parameter such as ``AWS::Region``.

        Args:
            stack: whose it is.
            name: its name.
            compared: whether a condition asks, which tries the texts that it compares with.
        """
        key = (stack.name, "parameter", name)
        if compared:
            self._chosen(stack, name)
        return self.once(key, lambda: self._parameter(stack, name))

    def _chosen(self, stack: Stack, name: str) -> None:
        """Have a parameter be one of the texts with which it is compared, or something else."""
        declared = stack.parameters.get(name, {})
        own = hole_of(stack, name)
        if own is None or "AllowedValues" in declared or own in self.case.choices:
            return
        values = list(stack.compared.get(name, ()))
        default = written(declared.get("Default"))
        if default is not None and self.case.choices.get(defaults_of(stack)) != YES:
            values.append(default)
        elif default is not None:
            return
        if values:
            self.case.decided(own, (*dict.fromkeys(values), OTHER))

    def _parameter(self, stack: Stack, name: str) -> Any:
        declared = stack.parameters.get(name, {})
        own = hole_of(stack, name)
        if own is None:
            return self._given(stack, name, declared)
        chosen = self.case.choices.get(own)
        if chosen is None and "AllowedValues" in declared:
            allowed = [written(one) or "" for one in each_of(declared["AllowedValues"])]
            kind = "" if name in stack.compared else "value"
            chosen = allowed[0] if len(allowed) == 1 else None
            chosen = chosen if chosen else self.case.decided(own, tuple(allowed), kind)
        elif chosen is None and "Default" in declared and self._by_default(stack):
            chosen = written(declared["Default"])
        known = chosen is not None and chosen != OTHER
        return _typed(declared, literal(str(chosen)) if known else hole(own))

    def _by_default(self, stack: Stack) -> bool:
        """Whether nobody types anything. A hole stands for what is typed in some places alone."""
        return self.case.decided(defaults_of(stack), (YES, NO), "value") == YES

    def _given(self, stack: Stack, name: str, declared: Mapping[str, Any]) -> Any:
        """What a parameter is where nobody types it."""
        if name.startswith("AWS::"):
            return self._pseudo(stack, name)
        if is_of_ssm(declared):
            return _typed(declared, hole(stack.named(name)))
        given = stack.given.get(name, [])
        if stack.parent and given:
            values = [self.text(stack.parent, one) for one in given]
            chosen = values[0]
            if len(set(values)) > 1:
                chosen = self.case.decided(stack.named(name), tuple(values), "value")
            return _typed(declared, hole(stack.named(name)) if chosen == OTHER else chosen)
        default = written(declared.get("Default"))
        return _typed(declared, hole(f"?{stack.named(name)}") if default is None else default)

    def _pseudo(self, stack: Stack, name: str) -> str:
        if name in _KNOWN:
            return _KNOWN[name]
        if name in ("AWS::AccountId", "AWS::Region"):
            return stack.account if name == "AWS::AccountId" else stack.region
        if name == "AWS::StackName" and stack.template.stack and not stack.parent:
            return literal(stack.template.stack)
        return hole(stack.named(name))

    def _object(self, stack: Stack, value: Mapping[str, Any]) -> dict[str, Any]:
        found = {}
        for name, one in value.items():
            strange = str(name).startswith("Fn::")
            got = self._unread(stack, str(name), one) if strange else self.resolved(stack, one)
            if got is not NOTHING:
                found[str(name)] = got
        return found

    def _members(self, stack: Stack, value: list[Any]) -> Iterator[Any]:
        for one in value:
            name, there = _conditional(one)
            if name is None or self._is_there(stack, name) is None:
                yield self.resolved(stack, one)
            elif self._is_there(stack, name) is there:
                yield self.resolved(stack, one["Fn::If"][1 if there else 2])

    def _is_there(self, stack: Stack, name: str) -> bool | None:
        """Whether a condition holds that says alone whether a member of a list is there."""
        try:
            return conditions.holds(self, stack, name)
        except Undecided:
            own = stack.named(name)
            self.case.asked[own] = MEMBER
            if self.case.members is None:
                raise
            return self.case.decided(own, (YES, NO), MEMBER) == YES

    def _call(self, stack: Stack, name: str, argument: Any) -> Any:
        if name == "Ref" and isinstance(argument, str):
            return self._reference(stack, argument)
        if name == "Fn::GetAtt":
            return self._attribute(stack, argument)
        work = functions.NAMED.get(name)
        try:
            found = work(self, stack, argument) if work else None
        except RecursionError:
            found = None
        if isinstance(found, str):
            self._left -= len(found)
        if found is None or self._left < 0:
            return self._unread(stack, name, argument)
        return found

    def _unread(self, stack: Stack, what: str, value: Any) -> str:
        return unreadable(what, stack.name, value)

    def _reference(self, stack: Stack, name: str) -> Any:
        if name == "AWS::NoValue":
            return NOTHING
        if name in stack.parameters or name.startswith("AWS::"):
            return self.parameter(stack, name)
        if name in stack.resources:
            return self.once((stack.name, "ref", name), lambda: attributes.ref(self, stack, name))
        return self._unread(stack, f"Ref {name}", name)

    def _attribute(self, stack: Stack, argument: Any) -> Any:
        if isinstance(argument, str):
            argument = argument.split(".", 1)
        if not functions.is_list(argument, 2) or not isinstance(argument[0], str):
            return self._unread(stack, "Fn::GetAtt", argument)
        name, attribute = argument[0], self.text(stack, argument[1])
        key = (stack.name, "attribute", name, attribute)
        return self.once(key, lambda: attributes.attribute(self, stack, name, attribute))

    def substituted(self, stack: Stack, text: str, values: Mapping[str, Any]) -> str | None:
        """What ``Fn::Sub`` makes of a text."""
        made: dict[str, str] = {}
        some: list[str] = []
        end = 0
        for place in places(text):
            some.append(self.text(stack, text[end : place.start()]))
            name, end = place[1].strip(), place.end()
            if name.startswith("!"):
                some.append(place[0])
                continue
            if name not in made:
                made[name] = self._named(stack, name, values)
            some.append(made[name])
        return joined([*some, self.text(stack, text[end:])])

    def _named(self, stack: Stack, name: str, values: Mapping[str, Any]) -> str:
        if name in values:
            return self.text(stack, values[name])
        found = self._attribute(stack, name) if "." in name else self._reference(stack, name)
        return found if isinstance(found, str) else self._unread(stack, f"Fn::Sub {name}", name)


def defaults_of(stack: Stack) -> str:
    """The name of the choice whether the defaults of a stack are what is deployed."""
    return f"the defaults of {stack.name}"


def _typed(declared: Mapping[str, Any], text: str) -> Any:
    """A value by the type of its parameter."""
    kind = str(declared.get("Type"))
    if "List" not in kind:
        return text
    return [one.strip() for one in text.split(",")] if text else []


def _conditional(member: Any) -> tuple[str | None, bool]:
    """The condition by which a member of a list is there, and how it must be."""
    function = function_of(member)
    if not function or function[0] != "Fn::If" or not functions.is_list(function[1], 3):
        return None, True
    name, yes, no = function[1]
    nothing = {"Ref": "AWS::NoValue"}
    alone = isinstance(name, str) and (yes == nothing) is not (no == nothing)
    return (name if alone else None), no == nothing
