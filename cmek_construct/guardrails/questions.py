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
from cmek_construct.policy.statements import told_apart

_NAMES: Final = re.compile(
    r"(?=[$0-9a-f])(?:\$\{[^!}][^}]*\}|(?<![0-9])[0-9]{12}(?![0-9])"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)
_LOOKED_INTO: Final = re.compile(r'[0-9>][*?]|[*?][0-9<]|ignorecase|like[^{}]*\{[^{}]*"sts:externalid')
A = TypeVar("A", Said, Witness)


class Questions:
    """Remembers what was answered."""

    def __init__(self) -> None:
        """Begin."""
        self._known: dict[str, tuple[list[str], list[tuple[int, Any]]]] = {}
        self._texts: dict[int, tuple[Policy, str]] = {}

    def beyond(self, policy: Policy, limit: guide.Policy, principal: str | None = None) -> list[Witness]:
        """What a policy may allow, and a limit does not: to everybody, or to one principal.

        Raises:
            CannotBeJudged: it is too large.
        """
        most = read(limit, policy.kind, resource=policy.resource, texts=canonical, forms=policy.forms)
        forms = told_apart([policy, most], [principal] if principal else [])
        text = json.dumps([limit, principal])
        return self._asked(policy, forms, text, lambda: _beyond(policy, most, principal))

    def answers(self, policy: Policy, requests: Sequence[Request]) -> list[Said]:
        """What a policy says to each of some requests.

        Raises:
            CannotBeJudged: it is too large.
        """
        people = dict.fromkeys(name for one in requests for name in (one.principal, *one.but))
        forms = told_apart([policy], [*people, *(one.resource for one in requests if one.resource)])
        return self._asked(policy, forms, _text_of(requests), lambda: _answers(policy, requests))

    def _asked(self, policy: Policy, forms: Mapping[str, str], text: str, work: Callable[[], list[A]]) -> list[A]:
        if id(policy) not in self._texts:
            statements = [[one.variables, one.effect, one.raw] for one in policy.statements]
            self._texts[id(policy)] = policy, json.dumps([policy.kind, policy.resource, statements], default=str)
        text = self._texts[id(policy)][1] + text
        numbers: dict[str, str] = {}
        shape = _NAMES.sub(lambda it: numbers.setdefault(it[0], f"<{len(numbers)}>"), text)
        known = " ".join(f"{it} {forms[one[2:-1]]}" for one, it in numbers.items() if one[2:-1] in forms)
        if shape + known not in self._known and _LOOKED_INTO.search(shape.lower()):
            shape = text
        if shape + known not in self._known:
            index = {id(one): number for number, one in enumerate(policy.statements)}
            self._known[shape + known] = list(numbers), [(index.get(id(one.statement), -1), one) for one in work()]
        names, found = self._known[shape + known]
        others = dict(zip(names, numbers, strict=True))

        def named(text: str) -> str:
            return _NAMES.sub(lambda it: others.get(it[0], it[0]), text)

        return [_again(one, policy.statements[number] if number >= 0 else None, named) for number, one in found]


def _text_of(requests: Sequence[Request]) -> str:
    """Requests as text, with each who asks and each context once."""
    whom: dict[Any, int] = {}
    contexts: list[Mapping[str, Any]] = []
    asked = []
    for one in requests:
        if one.context not in contexts:
            contexts.append(one.context)
        number = whom.setdefault((one.principal, one.resource, one.own, *one.but), len(whom))
        asked.append((number, one.action, contexts.index(one.context)))
    return json.dumps([asked, list(whom), list(map(dict, contexts))])


def _again(one: A, statement: Statement | None, named: Callable[[str], str]) -> A:
    """An answer about another statement, with other names. Of a witness's request principal and action are kept."""
    hangs_on = tuple(map(named, one.hangs_on))
    if not isinstance(one, Witness):
        return replace(one, statement=statement, hangs_on=hangs_on)
    return replace(
        one,
        statement=statement or one.statement,
        principals=tuple(map(named, one.principals)),
        actions=tuple(map(named, one.actions)),
        hangs_on=hangs_on,
        request=Request(named(one.request.principal), one.request.action),
    )
