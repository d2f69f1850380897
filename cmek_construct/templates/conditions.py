"""Conditions and rules of a template.

Source: CloudFormation template reference, "Condition functions" and "Rule-specific functions".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cmek_construct.templates.choices import MEMBER, NO, OTHER, YES, Case, Undecided
from cmek_construct.templates.reading import each_of, function_of, members
from cmek_construct.templates.stacks import Stack
from cmek_construct.templates.texts import alone, is_known

if TYPE_CHECKING:
    from cmek_construct.templates.values import Values


def holds(values: Values, stack: Stack, name: str) -> bool | None:
    """Whether a condition holds; None if there is none of this name, or it hangs on itself.

    Raises:
        Undecided: it hangs on something that must be chosen first.
    """
    if name not in stack.conditions:
        return None
    key = (stack.name, "condition", name)
    found = values.once(key, lambda: _is_true(values, stack, stack.conditions[name]))
    if isinstance(found, bool):
        return found
    return values.case.decided(stack.named(name), (YES, NO)) == YES


def allowed(values: Values, stack: Stack) -> bool:
    """Whether the rules of a template let this case be, as far as it is chosen."""
    return not any(_fails(values, stack, one) for one in _assertions(values, stack))


def _assertions(values: Values, stack: Stack) -> Iterator[Any]:
    for rule in members(stack.content.get("Rules")).values():
        when = members(rule).get("RuleCondition")
        if when is None or _fails(values, stack, {"Fn::Not": [when]}):
            for one in each_of(members(rule).get("Assertions")):
                yield members(one).get("Assert")


def _fails(values: Values, stack: Stack, expression: Any) -> bool:
    try:
        return _is_true(values, stack, _with_members(values.case, stack, expression)) is False
    except Undecided:
        return False


def _with_members(case: Case, stack: Stack, expression: Any) -> Any:
    """An expression as it is where it is chosen which members of lists are there."""
    for name, one in stack.conditions.items() if case.members else ():
        own = stack.named(name)
        if one == expression and case.asked.get(own) == MEMBER:
            return {"Fn::Equals": [case.decided(own, (YES, NO), MEMBER), YES]}
    function = function_of(expression)
    if function and isinstance(function[1], list):
        return {function[0]: [_with_members(case, stack, one) for one in function[1]]}
    return expression


def _is_true(values: Values, stack: Stack, expression: Any) -> bool | None:
    """What an expression says; None if it cannot be read."""
    if not isinstance(expression, dict) or len(expression) != 1:
        return None
    [(name, argument)] = expression.items()
    if name == "Condition" and isinstance(argument, str):
        return holds(values, stack, argument)
    if not isinstance(argument, list):
        return None
    if name == "Fn::Equals" and len(argument) == 2:
        return _equal(values, stack, argument)
    if name in ("Fn::And", "Fn::Or", "Fn::Not"):
        found = [_is_true(values, stack, one) for one in argument]
        if name == "Fn::Not":
            return None if len(found) != 1 or found[0] is None else not found[0]
        return _together(found, name == "Fn::Or")
    if name in ("Fn::Contains", "Fn::EachMemberIn") and len(argument) == 2:
        some, others = argument if name == "Fn::Contains" else argument[::-1]
        return _all_in(values.texts(stack, some), _compared(values, stack, others))
    return None


def _together(found: list[bool | None], decisive: bool) -> bool | None:
    if decisive in found:
        return decisive
    return None if None in found else not decisive


def _compared(values: Values, stack: Stack, value: Any) -> Any:
    name = members(value).get("Ref")
    if isinstance(name, str) and (name in stack.parameters or name == "AWS::Region"):
        return values.parameter(stack, name, compared=True)
    return values.resolved(stack, value)


def _equal(values: Values, stack: Stack, argument: list[Any]) -> bool:
    one, other = (_compared(values, stack, value) for value in argument)
    if one == other:
        return True
    if _is_all_known(one) and _is_all_known(other):
        return False
    for text, with_what in ((one, argument[1]), (other, argument[0])):
        own = alone(text) if isinstance(text, str) else None
        if own and values.case.choices.get(own) == OTHER and isinstance(with_what, str):
            return False
    what = " is ".join(sorted(map(str, (one, other))))
    return values.case.decided(what, (YES, NO)) == YES


def _all_in(some: list[str], others: Any) -> bool | None:
    if not _is_all_known(others) or not all(map(_is_all_known, some)):
        return None
    return all(one in some for one in each_of(others))


def _is_all_known(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_all_known, value))
    return isinstance(value, str) and is_known(value)
