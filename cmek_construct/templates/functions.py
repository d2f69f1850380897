"""The intrinsic functions, conditions and rules, each where it can be worked out; None where it cannot.

Source: CloudFormation template reference, "Intrinsic functions", "Condition functions" and "Rule-specific functions".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from cmek_construct.policy.text import alone, hole, holes, is_known, parts, pieces
from cmek_construct.templates.choices import OTHER, YES, Undecided
from cmek_construct.templates.reading import each_of, function_of, members
from cmek_construct.templates.stacks import Stack

if TYPE_CHECKING:
    from cmek_construct.templates.values import Values

_LONGEST: Final = 65_536
"""Characters of a text that is put together; what is longer cannot be read."""


def call(values: Values, stack: Stack, name: str, argument: Any) -> Any:
    """What an intrinsic function gives, of all but ``Ref`` and ``Fn::GetAtt``."""
    match name, argument:
        case "Fn::If", [str(condition), yes, no]:
            is_so = holds(values, stack, condition)
            return None if is_so is None else values.resolved(stack, yes if is_so else no)
        case "Fn::Join", [between, some]:
            return joined(values.texts(stack, some), values.text(stack, between))
        case "Fn::Sub", str() | [str(), dict()]:
            text, own = (argument, {}) if isinstance(argument, str) else argument
            return _substituted(values, stack, text, own)
        case "Fn::Split", [some, other]:
            at, text = values.text(stack, some), values.text(stack, other)
            # Of what is not known, nobody knows whether a separator is in it; but a name has no colon or slash.
            is_whole = re.search(r"[^\w.+-]", at or "") and all(one in values.run.forms for one in holes(text))
            is_split = at and is_known(at) and (is_whole or not holes(text))
            return parts(text, at) if is_split else None
        case "Fn::Select", [index, some]:
            number, found = values.text(stack, index), values.resolved(stack, some)
            is_there = number.isdecimal() and isinstance(found, list) and int(number) < len(found)
            return found[int(number)] if is_there else None
        case "Fn::FindInMap", [*keys] if len(keys) in (3, 4):
            default = members(keys[3]).get("DefaultValue") if keys[3:] else None
            return _in_map(values, stack, keys[:3], default)
        case "Fn::ImportValue", _:
            name = values.text(stack, argument)
            there = hole(f"export {as_it_is(name)} of {stack.account} {stack.region}") if is_known(name) else None
            return values.elsewhere(f"export {name}", stack) or there
        case "Fn::GetStackOutput", dict():
            of, output = (as_it_is(values.text(stack, argument.get(one, ""))) for one in ("StackName", "OutputName"))
            region = values.text(stack, argument["Region"]) if "Region" in argument else stack.region
            what = f"output {output} of {of} in {region}"
            return values.elsewhere(what, stack) or hole(what)
        case "Fn::ToJsonString", _:
            found = values.resolved(stack, argument)
            text = json.dumps(found, default=str)
            is_json = isinstance(found, dict | list) and sorted(holes(text)) == sorted(_all_holes(found))
            return text if is_json else None
        case "Fn::Length", _:
            found = values.resolved(stack, argument)
            return str(len(found)) if isinstance(found, list) and _is_all_known(found) else None
    return None


def _substituted(values: Values, stack: Stack, text: str, own: Mapping[str, Any]) -> str | None:
    """What ``Fn::Sub`` makes of a text."""

    @cache
    def made(name: str) -> str:
        found = values.resolved(stack, own.get(name, {"Fn::GetAtt" if "." in name else "Ref": name}))
        return found if isinstance(found, str) else unreadable(f"Fn::Sub {name}", stack.name, name)

    some: list[str] = []
    for before, place in pieces(text):
        some.append(values.text(stack, before))
        if place is not None:
            name = place.strip()
            some.append(f"${{{place}}}" if name.startswith("!") else made(name))
    return joined(some)


def _in_map(values: Values, stack: Stack, keys: Sequence[Any], default: Any) -> Any:
    found: Any = stack.mappings
    place = "Mappings"
    for part in keys:
        key: str | None = values.text(stack, part)
        if isinstance(found, dict) and not is_known(str(key)):
            key = _key(values, str(key), place, found, default)
        if key is None:
            return None
        place = as_it_is(key)
        found = found.get(place) if isinstance(found, dict) else None
    found = default if found is None else found
    return None if found is None else values.resolved(stack, found)


def _key(values: Values, key: str, place: str, found: Mapping[str, Any], default: Any) -> str | None:
    """One of the keys of a mapping, where which one is not known; any, if all say the same.

    With a default it may be another key than these. None where it is a hole for all of them.
    """
    several = [*found.values(), *([] if default is None else [default])]
    if found and len({json.dumps(one, sort_keys=True, default=str) for one in several}) == 1:
        return str(next(iter(found)))
    own = alone(key) or key
    chosen = values.case.choices.get(own)
    if chosen in found:
        return chosen
    if chosen is not None or default is not None:
        own = f"{own} in {place}"
    chosen = values.case.decided(own, [*found, *([] if default is None else [OTHER])], may_be_hole=True)
    return chosen if own in values.case.choices else None


def as_it_is(text: str) -> str:
    """A text without holes: ``${!x}`` is ``${x}``."""
    return text.replace("${!", "${")


def unreadable(what: str, where: str, value: Any = None) -> str:
    """The text of what cannot be read in a stack, by a few words: the same only where it is the same thing."""
    content = json.dumps([where, value], default=str, sort_keys=True)
    return hole(f"?{what} {hashlib.sha256(content.encode()).hexdigest()[:8]}")


def joined(texts: list[str], between: str = "") -> str | None:
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


def _is_all_known(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_all_known, value))
    return isinstance(value, str) and is_known(value)


def holds(values: Values, stack: Stack, name: str) -> bool | None:
    """Whether a condition holds; None if there is none of this name. It may raise `Undecided`."""
    if name not in stack.conditions:
        return None
    found = values.once((stack.name, "condition", name), lambda: _is_true(values, stack, stack.conditions[name]))
    return found if isinstance(found, bool) else values.case.decided(stack.named(name)) == YES


def allowed(values: Values, stack: Stack) -> bool:
    """Whether the rules of a template let this case be, as far as it is chosen."""

    def fails(expression: Any) -> bool:
        try:
            return _is_true(values, stack, _with_members(values, stack, expression)) is False
        except Undecided:
            return False

    rules = [members(one) for one in members(stack.content.get("Rules")).values()]
    apply = [one for one in rules if one.get("RuleCondition") is None or fails({"Fn::Not": [one["RuleCondition"]]})]
    return not any(fails(members(one).get("Assert")) for rule in apply for one in each_of(rule.get("Assertions")))


def _with_members(values: Values, stack: Stack, expression: Any) -> Any:
    """An expression as it is where it is chosen which members of lists are there."""
    there = values.case.members
    for name, one in stack.conditions.items() if there else ():
        if one == expression and stack.named(name) in there:
            return {"Fn::Equals": [there[stack.named(name)], YES]}
    function = function_of(expression)
    if function and isinstance(function[1], list):
        return {function[0]: [_with_members(values, stack, one) for one in function[1]]}
    return expression


def _is_true(values: Values, stack: Stack, expression: Any) -> bool | None:
    """What an expression says; None if it cannot be read."""
    if not isinstance(expression, dict) or len(expression) != 1:
        return None
    [(name, argument)] = expression.items()
    match name, argument:
        case "Condition", str():
            return holds(values, stack, argument)
        case "Fn::Equals", [one, other]:
            return _equal(values, stack, one, other)
        case "Fn::Not", [one]:
            found = _is_true(values, stack, one)
            return None if found is None else not found
        case "Fn::And" | "Fn::Or", [*some]:
            decisive = name == "Fn::Or"
            each = [_is_true(values, stack, one) for one in some]
            return decisive if decisive in each else None if None in each else not decisive
        case ("Fn::Contains", [some, other]) | ("Fn::EachMemberIn", [other, some]):
            whole, inside = values.texts(stack, some), _compared(values, stack, other)
            is_read = _is_all_known(inside) and _is_all_known(whole)
            return all(one in whole for one in each_of(inside)) if is_read else None
    return None


def _compared(values: Values, stack: Stack, value: Any) -> Any:
    name = members(value).get("Ref")
    if isinstance(name, str) and (name in stack.parameters or name == "AWS::Region"):
        return values.parameter(stack, name, compared=True)
    return values.resolved(stack, value)


def _equal(values: Values, stack: Stack, *sides: Any) -> bool:
    one, other = (_compared(values, stack, value) for value in sides)
    if one == other:
        return True
    if _is_all_known(one) and _is_all_known(other):
        return False
    for text, beside in ((one, sides[1]), (other, sides[0])):
        own = alone(text) if isinstance(text, str) else None
        if own and values.case.choices.get(own) == OTHER and isinstance(beside, str):
            return False
    return values.case.decided(" is ".join(sorted(map(str, (one, other))))) == YES
