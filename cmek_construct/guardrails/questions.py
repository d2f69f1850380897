"""Questions to policies, each shape once: 1,000 stacks of one app ask the same.

Account numbers, external IDs and the names of holes are what tells such stacks apart. Nothing in
`cmek_construct.policy` looks into one but by wildcards, and a policy that has such is asked anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from cmek_construct.policy import ACCOUNT, Policy, Request, Said, Statement, Witness
from cmek_construct.policy import answers as _answers
from cmek_construct.policy import beyond as _beyond

_NAMES: Final = re.compile(
    r"\$\{[^!}][^}]*\}|(?<![0-9])[0-9]{12}(?![0-9])|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
_LOOKED_INTO: Final = re.compile(
    r'[0-9][*?]|[*?][0-9]|IgnoreCase|Like[^{}]*\{"sts:ExternalId', re.IGNORECASE
)
_WILD: Final = re.compile(r"[*?]")
_LAST: Final = re.compile(r'/([^/"$]+)"')
T = TypeVar("T")


class Questions:
    """Remembers what was answered."""

    def __init__(self) -> None:
        """Begin."""
        self._known: dict[str, tuple[list[str], Any]] = {}
        self._texts: dict[int, tuple[Policy, str]] = {}

    def beyond(self, policy: Policy, limit: Policy) -> list[Witness]:
        """What a policy may allow, and a limit does not.

        Raises:
            CannotBeJudged: it is too large.
        """
        text = self._text(policy) + _text(limit)

        def work() -> list[tuple[int, Witness]]:
            return [(_index(policy, w.statement), w) for w in _beyond(policy, limit)]

        names, found = self._asked(text, policy, work)
        return [
            replace(
                _renamed(one, names),
                statement=policy.statements[number],
            )
            for number, one in found
        ]

    def answers(self, policy: Policy, requests: Sequence[Request]) -> list[Said]:
        """What a policy says to each of some requests.

        Raises:
            CannotBeJudged: it is too large.
        """
        text = self._text(policy) + repr(requests)

        def work() -> list[tuple[int, Said]]:
            return [(_index(policy, s.statement), s) for s in _answers(policy, requests)]

        names, found = self._asked(text, policy, work)
        return [
            replace(
                one,
                statement=None if number < 0 else policy.statements[number],
                hangs_on=tuple(names(text) for text in one.hangs_on),
            )
            for number, one in found
        ]

    def _text(self, policy: Policy) -> str:
        if id(policy) not in self._texts:
            self._texts[id(policy)] = policy, _text(policy)
        return self._texts[id(policy)][1]

    def _asked(
        self, text: str, policy: Policy, work: Callable[[], T]
    ) -> tuple[Callable[[str], str], T]:
        own = [] if _LOOKED_INTO.search(text) else list(dict.fromkeys(_NAMES.findall(text)))
        numbers = {name: f"<{number}>" for number, name in enumerate(own)}
        shape = _NAMES.sub(lambda found: numbers.get(found[0], found[0]), text)
        shape += " ".join(f"{numbers[name]} {form}" for name, form in _forms(own, text, policy))
        if shape not in self._known:
            self._known[shape] = own, work()
        names, found = self._known[shape]
        others = dict(zip(names, own, strict=True))
        return lambda one: _NAMES.sub(lambda it: others.get(it[0], it[0]), one), found


def _text(policy: Policy) -> str:
    statements = [[one.variables, one.effect, one.raw] for one in policy.statements]
    return json.dumps([policy.kind, policy.resource, statements], default=str)


def _index(policy: Policy, statement: Statement | None) -> int:
    found = (number for number, one in enumerate(policy.statements) if one is statement)
    return next(found, -1)


def _forms(names: list[str], text: str, policy: Policy) -> Iterator[tuple[str, str]]:
    """What is known of holes that one of the names that stand there may be."""
    literals: list[str] | None = None
    for name in names:
        form = policy.forms.get(name[2:-1], "*") if name.startswith("${") else ""
        if form and form != ACCOUNT:
            literals = _LAST.findall(text) if literals is None else literals
            known = _WILD.split(form)
            if any("*" in one or all(part in one for part in known) for one in literals):
                yield name, form
        elif form:
            yield name, form


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
