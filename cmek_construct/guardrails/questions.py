"""Questions to policies, each shape once: 1,000 stacks of one app ask the same.

Account numbers, external IDs and the names of holes are what tells such stacks apart. Nothing in
`cmek_construct.policy` looks into one but by wildcards, and a policy that has such is asked anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from cmek_construct import guide
from cmek_construct.policy import Policy, Request, Said, Statement, Witness, canonical, read
from cmek_construct.policy import answers as _answers
from cmek_construct.policy import beyond as _beyond
from cmek_construct.policy.names import told_apart

_NAMES: Final = re.compile(
    r"(?=[$0-9a-f])(?:\$\{[^!}][^}]*\}|(?<![0-9])[0-9]{12}(?![0-9])"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)
_LOOKED_INTO: Final = re.compile(r'[0-9>][*?]|[*?][0-9<]|ignorecase|like[^{}]*\{[^{}]*"sts:externalid')
T = TypeVar("T")


class Questions:
    """Remembers what was answered."""

    def __init__(self) -> None:
        """Begin."""
        self._known: dict[str, tuple[list[str], Any]] = {}
        self._looked_into: dict[str, bool] = {}
        self._texts: dict[int, tuple[Policy, str]] = {}

    def beyond(self, policy: Policy, limit: guide.Policy, principal: str | None = None) -> list[Witness]:
        """What a policy may allow, and a limit does not: to everybody, or to one principal.

        Raises:
            CannotBeJudged: it is too large.
        """
        text = self._text(policy) + json.dumps([limit, principal])
        kind, own = policy.kind, policy.resource
        most = read(limit, kind, resource=own, texts=canonical, forms=policy.forms)
        forms = told_apart([policy, most], [principal] if principal else [])

        def work() -> list[tuple[int, Witness]]:
            return [(_index(policy, w.statement), w) for w in _beyond(policy, most, principal)]

        names, found = self._asked(text, forms, work)
        return [replace(_renamed(one, names), statement=policy.statements[number]) for number, one in found]

    def answers(self, policy: Policy, requests: Sequence[Request]) -> list[Said]:
        """What a policy says to each of some requests.

        Raises:
            CannotBeJudged: it is too large.
        """
        text = self._text(policy) + _requested(requests)
        people = dict.fromkeys(name for one in requests for name in (one.principal, *one.but))
        acted_on = (one.resource for one in requests if one.resource)
        forms = told_apart([policy], [*people, *acted_on])

        def work() -> list[tuple[int, Said]]:
            return [(_index(policy, s.statement), s) for s in _answers(policy, requests)]

        names, found = self._asked(text, forms, work)
        return [
            Said(one.verdict, None if number < 0 else policy.statements[number], tuple(map(names, one.hangs_on)))
            for number, one in found
        ]

    def _text(self, policy: Policy) -> str:
        if id(policy) not in self._texts:
            self._texts[id(policy)] = policy, _text(policy)
        return self._texts[id(policy)][1]

    def _asked(self, text: str, forms: Mapping[str, str], work: Callable[[], T]) -> tuple[Callable[[str], str], T]:
        numbers: dict[str, str] = {}
        shape = _NAMES.sub(lambda it: numbers.setdefault(it[0], f"<{len(numbers)}>"), text)
        if shape not in self._looked_into:
            self._looked_into[shape] = _LOOKED_INTO.search(shape.lower()) is not None
        if self._looked_into[shape]:
            numbers, shape = {}, text
        own = list(numbers)
        known = {number: forms[one[2:-1]] for one, number in numbers.items() if one[2:-1] in forms}
        shape += " ".join(f"{number} {form}" for number, form in known.items())
        if shape not in self._known:
            self._known[shape] = own, work()
        names, found = self._known[shape]
        others = dict(zip(names, own, strict=True))
        return lambda one: _NAMES.sub(lambda it: others.get(it[0], it[0]), one), found


def _text(policy: Policy) -> str:
    statements = [[one.variables, one.effect, one.raw] for one in policy.statements]
    return json.dumps([policy.kind, policy.resource, statements], default=str)


def _requested(requests: Sequence[Request]) -> str:
    """Requests as text, with each who asks and each context once."""
    whom: dict[Any, int] = {}
    contexts: list[Mapping[str, Any]] = []
    asked = []
    for one in requests:
        who = (one.principal, one.resource, one.own, *one.but)
        if one.context not in contexts:
            contexts.append(one.context)
        number = whom.setdefault(who, len(whom))
        asked.append((number, one.action, contexts.index(one.context)))
    return json.dumps([asked, list(whom), list(map(dict, contexts))])


def _index(policy: Policy, statement: Statement | None) -> int:
    found = (number for number, one in enumerate(policy.statements) if one is statement)
    return next(found, -1)


def _renamed(one: Witness, names: Callable[[str], str]) -> Witness:
    request = one.request
    context = {key: names(v) if isinstance(v, str) else v for key, v in request.context.items()}
    return replace(
        one,
        principals=tuple(map(names, one.principals)),
        actions=tuple(map(names, one.actions)),
        hangs_on=tuple(map(names, one.hangs_on)),
        request=replace(
            request,
            principal=names(request.principal),
            resource=request.resource and names(request.resource),
            context=context,
        ),
    )
