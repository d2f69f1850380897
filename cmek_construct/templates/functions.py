"""The intrinsic functions, each where it can be worked out; None where it cannot.

Source: CloudFormation template reference, "Intrinsic functions".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from cmek_construct.templates import conditions
from cmek_construct.templates.choices import OTHER
from cmek_construct.templates.stacks import Stack
from cmek_construct.templates.texts import alone, hole, holes, is_known, joined, parts, plain

if TYPE_CHECKING:
    from cmek_construct.templates.values import Values


def is_list(value: Any, length: int) -> bool:
    """Whether a value is a list of some length."""
    return isinstance(value, list) and len(value) == length


def _if(values: Values, stack: Stack, argument: Any) -> Any:
    if not is_list(argument, 3) or not isinstance(argument[0], str):
        return None
    holds = conditions.holds(values, stack, argument[0])
    return None if holds is None else values.resolved(stack, argument[1 if holds else 2])


def _join(values: Values, stack: Stack, argument: Any) -> Any:
    if not is_list(argument, 2):
        return None
    return joined(values.texts(stack, argument[1]), values.text(stack, argument[0]))


def _sub(values: Values, stack: Stack, argument: Any) -> Any:
    text, own = argument if is_list(argument, 2) else (argument, {})
    if not isinstance(text, str) or not isinstance(own, dict):
        return None
    return values.substituted(stack, text, own)


def _split(values: Values, stack: Stack, argument: Any) -> Any:
    if not is_list(argument, 2):
        return None
    at, text = values.text(stack, argument[0]), values.text(stack, argument[1])
    if not at or not is_known(at) or not all(map(values.run.is_part, holes(text))):
        return None
    return parts(text, at)


def _select(values: Values, stack: Stack, argument: Any) -> Any:
    if not is_list(argument, 2):
        return None
    index, some = values.text(stack, argument[0]), values.resolved(stack, argument[1])
    good = index.isdecimal() and isinstance(some, list) and int(index) < len(some)
    return some[int(index)] if good else None


def _in_map(values: Values, stack: Stack, argument: Any) -> Any:
    if not isinstance(argument, list) or len(argument) not in (3, 4):
        return None
    last = argument[3] if len(argument) == 4 else None
    default = last.get("DefaultValue") if isinstance(last, dict) else None
    found: Any = stack.mappings
    place = "Mappings"
    for part in argument[:3]:
        key: str | None = values.text(stack, part)
        if isinstance(found, dict) and not is_known(str(key)):
            key = _key(values, str(key), place, found, default)
        if key is None:
            return None
        found = found.get(plain(key)) if isinstance(found, dict) else None
        place = plain(key)
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
    others = () if default is None else (OTHER,)
    chosen = values.case.decided(own, (*map(str, found), *others), "value")
    return chosen if own in values.case.choices else None


def _import(values: Values, stack: Stack, argument: Any) -> Any:
    name = values.text(stack, argument)
    found = values.run.export(stack, name)
    if found:
        return values.output(*found)
    place = f"{stack.account} {stack.region}"
    return hole(f"export {plain(name)} of {place}") if is_known(name) else None


def _stack_output(values: Values, stack: Stack, argument: Any) -> Any:
    if not isinstance(argument, dict):
        return None
    asked = [values.text(stack, argument.get(one, "")) for one in ("StackName", "OutputName")]
    region = values.text(stack, argument["Region"]) if "Region" in argument else stack.region
    found = values.run.output(stack, asked[0], region, asked[1])
    if found:
        return values.output(found, plain(asked[1]))
    return hole(f"output {' of '.join(reversed(asked))} in {region}")


def _json(values: Values, stack: Stack, argument: Any) -> Any:
    found = values.resolved(stack, argument)
    text = json.dumps(found, default=str) if isinstance(found, dict | list) else None
    return None if text is None or sorted(holes(text)) != sorted(_all_holes(found)) else text


def _all_holes(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from holes(value)
    inside = value.values() if isinstance(value, dict) else value
    for one in inside if isinstance(value, dict | list) else ():
        yield from _all_holes(one)


def _length(values: Values, stack: Stack, argument: Any) -> Any:
    found = values.resolved(stack, argument)
    good = isinstance(found, list) and all(isinstance(o, str) and is_known(o) for o in found)
    return str(len(found)) if good else None


NAMED: Final[Mapping[str, Callable[[Values, Stack, Any], Any]]] = {
    "Fn::If": _if,
    "Fn::Join": _join,
    "Fn::Sub": _sub,
    "Fn::Split": _split,
    "Fn::Select": _select,
    "Fn::FindInMap": _in_map,
    "Fn::ImportValue": _import,
    "Fn::GetStackOutput": _stack_output,
    "Fn::ToJsonString": _json,
    "Fn::Length": _length,
}
