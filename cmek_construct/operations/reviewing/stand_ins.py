"""The policies of a template with a stand-in for each value that only the deploy knows.

A parameter is called by its name, a role by its logical ID, an account whose number is not known
by a number that the template does not have. What cannot be read at all stays as it is, so that no
answer is given about it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, Final

from cmek_construct.guardrails.intrinsics import function_of, is_no_value
from cmek_construct.guardrails.template import OWN_ACCOUNT, PEOPLE, Resource, Template

THIS_ACCOUNT: Final = "AWS::AccountId"
_REFERENCE: Final = re.compile(r"\$\{([^!?{}]+)\}")
_ACCOUNT_OF_ARN: Final = re.compile(r"(?<=^arn:aws:(?:iam|sts)::)\$\{([^!?{}]+)\}(?=:)")
_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_KINDS: Final = {"AWS::IAM::Role": "role", "AWS::IAM::User": "user"}


class StandIns:
    """One template, as it will stand in an account."""

    def __init__(
        self,
        raw: Mapping[str, Any],
        account: str | None = None,
        exports: Mapping[str, str] | None = None,
    ) -> None:
        """Read a template.

        Args:
            raw: its JSON.
            account: the number of its account. Default: a stand-in.
            exports: what other stacks export, by name.
        """
        self.template = Template(raw, exports=exports)
        self.values: dict[str, str] = {}
        """What stands for what, by its name in the template."""
        self.assumed: dict[str, str] = {}
        """Parameters by which a condition was decided, with their defaults."""
        self._numbers = set(_ACCOUNT.findall(json.dumps([raw, account], default=str)))
        self._decided: dict[str, bool | None] = {}
        self._people = {
            one.logical_id: (_KINDS[one.type], one) for one in self.template.of_type(*PEOPLE)
        }
        self.account_is_known = account is not None
        self.account = account or self.number(THIS_ACCOUNT)

    def number(self, name: str) -> str:
        """The number that stands for an account: one that the template does not have."""
        if name not in self.values:
            numbers = (f"{number:012d}" for number in count())
            self.values[name] = next(one for one in numbers if one not in self._numbers)
            self._numbers.add(self.values[name])
        return self.values[name]

    def policy(self, document: Any, *, of_key: bool = False) -> dict[str, Any]:
        """A policy document with concrete values.

        Args:
            document: as the template has it.
            of_key: whether it is the policy of a key, in which ``*`` is that key. Whether another
                Resource is that key, only the deploy knows.
        """
        found = self._concrete(document)
        if isinstance(found, str):
            found = _parsed(found)
        if not isinstance(found, dict):
            return {"Statement": ["a policy that is no object"]}
        statements = found.get("Statement", [])
        for one in listed(statements):
            self._name_principals(one)
        return {"Statement": [_own_resource(one) if of_key else one for one in listed(statements)]}

    def text(self, value: Any) -> str:
        """The text of a value, with stand-ins."""
        return self._with_stand_ins(self.template.texts.of(value))

    def arn_of(self, logical_id: str) -> str:
        """The ARN of a role or user of the template."""
        kind, resource = self._people[logical_id]
        path = self._property(resource, "Path") or "/"
        return f"arn:aws:iam::{self.account}:{kind}{path}{self._name_of(logical_id)}"

    def exports(self) -> Iterator[tuple[str, str]]:
        """What this stack exports, by name."""
        for output in self.template.outputs:
            if output.export is not None:
                yield output.export, self._with_stand_ins(output.value)

    def _name_principals(self, statement: Any) -> None:
        """A parameter that is a principal is taken for a role, of an account of its own."""
        kinds = statement.get("Principal") if isinstance(statement, dict) else None
        if isinstance(kinds, dict) and "AWS" in kinds:
            kinds["AWS"] = [self._as_principal(one) for one in listed(kinds["AWS"])]

    def _as_principal(self, name: Any) -> Any:
        if name not in self._parameters:
            return name
        self.values[name] = f"arn:aws:iam::{self.number(f'account of {name}')}:role/{name}"
        return self.values[name]

    def _name_of(self, logical_id: str) -> str:
        kind, resource = self._people[logical_id]
        named = self._property(resource, "RoleName" if kind == "role" else "UserName")
        if named is None:
            self.values[logical_id] = logical_id
        return named or logical_id

    def _property(self, resource: Resource, name: str) -> str | None:
        text = self.template.text(resource, name)
        return None if text is None else self._with_stand_ins(text)

    def _concrete(self, value: Any) -> Any:
        value = self._chosen(value)
        if isinstance(value, list):
            chosen = map(self._chosen, value)
            return [self._concrete(one) for one in chosen if not is_no_value(one)]
        if isinstance(value, dict) and function_of(value) is None:
            members = {name: self._chosen(one) for name, one in value.items()}
            return {
                name: self._concrete(one) for name, one in members.items() if not is_no_value(one)
            }
        return self.text(value) if isinstance(value, str | dict) else value

    def _with_stand_ins(self, text: str) -> str:
        whole = _REFERENCE.fullmatch(text)
        if whole and whole[1] in self._parameters:
            return self._named(whole[1], whole[1])
        text = text.replace(OWN_ACCOUNT, self.account)
        text = _ACCOUNT_OF_ARN.sub(lambda found: self.number(found[1]), text)
        return _REFERENCE.sub(self._stand_in, text).replace("${!", "${")

    def _stand_in(self, found: re.Match[str]) -> str:
        name, _, attribute = found[1].partition(".")
        if name in self._people and attribute in ("", "Arn"):
            return self.arn_of(name) if attribute else self._name_of(name)
        if attribute:
            return f"${{?{found[1]}}}"
        return self._named(found[1], found[1])

    def _named(self, name: str, value: str) -> str:
        return self.values.setdefault(name, value)

    @property
    def _parameters(self) -> Mapping[str, Any]:
        found = self.template.raw.get("Parameters")
        return found if isinstance(found, dict) else {}

    def _chosen(self, value: Any) -> Any:
        """Of ``Fn::If`` what the defaults of the parameters decide, if they do."""
        function = function_of(value)
        if function is None or function[0] != "Fn::If":
            return value
        condition, *both = function[1] if isinstance(function[1], list) else [None]
        holds = self._holds({"Condition": condition}) if len(both) == 2 else None
        return value if holds is None else self._chosen(both[0 if holds else 1])

    def _holds(self, condition: Any) -> bool | None:
        if not isinstance(condition, dict) or len(condition) != 1:
            return None
        [(name, argument)] = condition.items()
        if name == "Condition" and isinstance(argument, str):
            return self._named_condition(argument)
        if not isinstance(argument, list):
            return None
        if name == "Fn::Equals" and len(argument) == 2:
            sides = [self._by_default(side) for side in argument]
            return None if None in sides else sides[0] == sides[1]
        several = [self._holds(one) for one in argument]
        if name not in ("Fn::Not", "Fn::And", "Fn::Or") or not several or None in several:
            return None
        return {"Fn::Not": not several[0], "Fn::And": all(several), "Fn::Or": any(several)}[name]

    def _named_condition(self, name: str) -> bool | None:
        """Decided once, so that no chain or circle of conditions takes long."""
        if name not in self._decided:
            self._decided[name] = None
            conditions = self.template.raw.get("Conditions")
            named = conditions.get(name) if isinstance(conditions, dict) else None
            self._decided[name] = self._holds(named)
        return self._decided[name]

    def _by_default(self, side: Any) -> str | None:
        text = self.template.texts.of(side)
        whole = _REFERENCE.fullmatch(text)
        if whole is None:
            return None if "${" in text else text
        parameter = self._parameters.get(whole[1])
        if not isinstance(parameter, dict) or "Default" not in parameter:
            return None
        self.assumed[whole[1]] = self.template.texts.of(parameter["Default"])
        return self.assumed[whole[1]]


def listed(value: Any) -> list[Any]:
    """What in a policy stands for one or for some."""
    return value if isinstance(value, list) else [value]


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _own_resource(statement: Any) -> Any:
    resources = statement.get("Resource") if isinstance(statement, dict) else None
    if resources is None or resources == "*":
        return statement
    several = [one if one == "*" else f"${{?{one}}}" for one in listed(resources)]
    return {**statement, "Resource": several}
