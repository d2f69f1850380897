"""A template in each case of its conditions: ``Fn::If`` is gone before any policy is read.

A parameter's default decides a condition, and is noted; that of an SSM parameter is no value.
Source: CloudFormation template reference, "Condition functions".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

from cmek_construct.guardrails.intrinsics import Texts, function_of
from cmek_construct.policy import CannotBeJudged

_MOST_CASES: Final = 16
_REFERENCE: Final = re.compile(r"\$\{([^!?{}]+)\}")
Made = TypeVar("Made")


class _OpenError(Exception):
    """Something must be chosen first. The message is its name."""


class Case:
    """A template as it is if some comparisons hold, and others do not."""

    def __init__(self, raw: Mapping[str, Any], texts: Texts, chosen: Mapping[str, bool]) -> None:
        """Choose.

        Args:
            raw: the template.
            texts: of its values.
            chosen: which comparisons hold, by their text.
        """
        self._raw = raw
        self._texts = texts
        self._chosen = chosen
        self._holds: dict[str, bool | None] = {}
        self.conditions: dict[str, bool] = {}
        """The conditions that were asked for."""
        self.assumed: dict[str, str] = {}
        """Parameters whose default decided a condition."""

    def of(self, value: Any) -> Any:
        """A value in this case."""
        function = function_of(value)
        if function and function[0] == "Fn::If" and _is_if(function[1]):
            name, *both = function[1]
            self.conditions[name] = self.holds(name)
            return self.of(both[0 if self.conditions[name] else 1])
        if isinstance(value, list):
            return [self.of(one) for one in value]
        if isinstance(value, dict):
            return {name: self.of(one) for name, one in value.items()}
        return value

    def holds(self, name: str) -> bool:
        """Whether a condition holds. One that asks for itself may hold or not."""
        if name not in self._holds:
            self._holds[name] = None
            conditions = self._raw.get("Conditions")
            named = conditions.get(name) if isinstance(conditions, dict) else None
            self._holds[name] = self._is_true(named, name)
        found = self._holds[name]
        return self._choose(f"condition {name}") if found is None else found

    def _is_true(self, condition: Any, name: str) -> bool:
        """Whether it is true; what can't be read may be true or not."""
        match condition:
            case {"Condition": str(other)} if len(condition) == 1:
                return self.holds(other)
            case {"Fn::Equals": [one, other]} if len(condition) == 1:
                return self._are_equal(self._texts.of(one), self._texts.of(other))
            case {"Fn::Not": [one]} if len(condition) == 1:
                return not self._is_true(one, name)
            case {"Fn::And": [*several]} if len(condition) == 1 and several:
                return all(self._is_true(one, name) for one in several)
            case {"Fn::Or": [*several]} if len(condition) == 1 and several:
                return any(self._is_true(one, name) for one in several)
        return self._choose(f"condition {name}: {json.dumps(condition, default=str)}")

    def _are_equal(self, one: str, other: str) -> bool:
        one, other = self._by_default(one), self._by_default(other)
        if "${" not in one + other or one == other:
            return one == other
        variable, value = (one, other) if _REFERENCE.fullmatch(one) else (other, one)
        if any(
            self._chosen.get(f"{variable} is {known}") for known in self._values(variable, value)
        ):
            return False
        return self._choose(f"{variable} is {value}")

    def _values(self, variable: str, value: str) -> Iterator[str]:
        """Other texts that were chosen for a variable: it has one value alone."""
        for text in self._chosen:
            name, _, known = text.partition(" is ")
            if name == variable and known != value and "${" not in known + value:
                yield known

    def _by_default(self, text: str) -> str:
        whole = _REFERENCE.fullmatch(text)
        parameters = self._raw.get("Parameters")
        one = parameters.get(whole[1]) if whole and isinstance(parameters, dict) else None
        if whole is None or not isinstance(one, dict) or "Default" not in one:
            return text
        if str(one.get("Type")).startswith("AWS::SSM::"):
            return text
        self.assumed[whole[1]] = self._texts.of(one["Default"])
        return self.assumed[whole[1]]

    def _choose(self, text: str) -> bool:
        if text not in self._chosen:
            raise _OpenError(text)
        return self._chosen[text]


def cases(
    raw: Mapping[str, Any], texts: Texts, make: Callable[[Case], Made]
) -> Iterator[tuple[Case, Made]]:
    """What is made of a template, in each case of the conditions that it hangs on.

    Raises:
        CannotBeJudged: there are too many cases, or conditions that are too deep.
    """
    left: list[dict[str, bool]] = [{}]
    found = 0
    while left:
        chosen = left.pop()
        case = Case(raw, texts, chosen)
        try:
            made = make(case)
        except _OpenError as choice:
            left += [{**chosen, str(choice): holds} for holds in (False, True)]
        except RecursionError:
            raise CannotBeJudged("conditions that are too deep") from None
        else:
            found += 1
            yield case, made
        if found + len(left) > _MOST_CASES:
            raise CannotBeJudged(f"more than {_MOST_CASES} cases of the template's conditions")


def _is_if(argument: Any) -> bool:
    return isinstance(argument, list) and len(argument) == 3 and isinstance(argument[0], str)
