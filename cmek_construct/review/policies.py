"""Policies and properties as they are shown: each once, with the cases it stands in."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from cmek_construct import policy
from cmek_construct.policy.statements import Kind, Statement
from cmek_construct.review.beside import Known
from cmek_construct.review.model import Policy, Said
from cmek_construct.templates.attributes import KEYS
from cmek_construct.templates.choices import Case, Choices, InCase, where
from cmek_construct.templates.found import Attached, Found, KeyNow, Place, RoleNow
from cmek_construct.templates.stacks import Stack
from cmek_construct.templates.texts import holes

_POLICIES: Final = ("AssumeRolePolicyDocument", "Policies", "KeyPolicy")
T = TypeVar("T", InCase[RoleNow], InCase[KeyNow], Attached)


def typed(cases: Sequence[T]) -> Sequence[T]:
    """The cases in which what a deployer may type stays ``${Name}``, whatever its default."""
    return [one for one in cases if not one.case.is_by_default] or cases


class Texts:
    """What a template says, in the words of the page: what is of its stack has no stack's name."""

    def __init__(self, found: Found, stack: Stack) -> None:
        """Begin with one stack."""
        self.stack = stack
        self._found = found
        self._people: dict[str, str] = {}
        self._called: dict[str, str] = {}
        self._forms: dict[str, str] = {}

    def text(self, text: str) -> str:
        """A text; who is named in it is remembered."""
        short = self.stack.short(text)
        place = self._found.arns.get(text)
        if place and place.type not in KEYS:
            name = place.seen_from(self.stack)
            self._called[short] = f"{short.partition('/')[0]}/${{{name}}}"
            self._people |= {short: name, self._called[short]: name}
            self._forms[name] = self._found.forms.get(place.stack.named(place.logical_id), "*")
        for name in holes(text) if "${" in text else ():
            if name in self._found.forms:
                self._forms[self.stack.short(name)] = self._found.forms[name]
        return short

    def value(self, value: Any) -> Any:
        """A text, or a list or an object of some."""
        return _each_text(value, self.text)

    def called(self, value: Any) -> Any:
        """A value of the page in which who is of the templates is called by logical ID."""
        return _each_text(value, lambda text: self._called.get(text, text))

    def policy(
        self,
        title: str,
        kind: Kind,
        place: Place,
        own: Sequence[tuple[Case, policy.Policy]],
        roles: frozenset[str] = frozenset(),
        every: Sequence[Choices] | None = None,
    ) -> Policy:
        """A policy with each statement once.

        Args:
            title: what it is.
            kind: whose policy.
            place: of what has it.
            own: what it is in each case that has it.
            roles: the ARNs of the roles that Pinecone takes on.
            every: all cases. Default: those that have it.
        """
        cases = [case.told(self.stack.short) for case, _ in own]
        rows: dict[tuple[str, int], tuple[int, Any, list[int]]] = {}
        for number, (_, document) in enumerate(own):
            counted: Counter[str] = Counter()
            for at, statement in enumerate(document.statements):
                raw = self._raw(statement)
                text = json.dumps(raw, default=str)
                rows.setdefault((text, counted[text]), (at, raw, []))[2].append(number)
                counted[text] += 1
        known = Known(self.stack.short(self.stack.account), roles, self._people)
        said: list[Said] = []
        opened: set[int] = set()
        for _, raw, numbers in sorted(rows.values(), key=lambda row: row[0]):
            some = [cases[number] for number in numbers]
            opens = kind == "trust" and raw.get("Effect") != "Deny"
            second = opens and not opened.isdisjoint(numbers)
            opened.update(numbers if opens else ())
            when = where(some, every or cases)
            said.append(Said(raw, self.called(raw), kind, known, some, when, second))
        documents = [document for _, document in own]
        return Policy(
            title,
            said,
            place.seen_from(self.stack),
            kind,
            resource=self.text(next((one.resource or "" for one in documents), "")),
            forms=self._forms,
            variables=all(one.variables for each in documents for one in each.statements),
            cases=cases,
        )

    def _raw(self, statement: Statement) -> dict[str, Any]:
        """A statement as it is written; of what is none, what stands there."""
        if isinstance(statement.raw, dict):
            return dict(self.value(statement.raw))
        return {"Effect": self.value(statement.name if statement.raw is None else statement.raw)}

    def properties(
        self, place: Place, cases: Sequence[InCase[RoleNow]] | Sequence[InCase[KeyNow]]
    ) -> Mapping[str, Any]:
        """What a role or key is set to beside its policies; what hangs on a case, case by case."""
        every = [one.case.told(self.stack.short) for one in cases]
        found: dict[str, Any] = {}
        settings: list[Mapping[str, Any]] = [one.value.properties for one in cases]
        names = dict.fromkeys(name for one in settings for name in one)
        for name in (name for name in names if name not in _POLICIES):
            apart: dict[str, tuple[Any, list[Choices]]] = {}
            for choices, now in zip(every, settings, strict=True):
                if name in now:
                    value = self.value(now[name])
                    apart.setdefault(json.dumps(value, default=str), (value, []))[1].append(choices)
            told = {where(some, every): value for value, some in apart.values()}
            found[self.text(name)] = told.get(None, told)
        return found | {name: one for name, one in place.raw.items() if name == "Condition"}


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    """A value, with each text in it changed."""
    if isinstance(value, dict):
        return {change(str(name)): _each_text(one, change) for name, one in value.items()}
    if isinstance(value, list):
        return [_each_text(one, change) for one in value]
    return change(value) if isinstance(value, str) else value
