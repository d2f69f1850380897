"""Questions to policies, each shape once: 1,000 stacks of one app ask the same.

Account numbers, external IDs and the names of holes are what tells such stacks apart. Nothing in
`cmek_construct.policy` looks into one but by wildcards, and a policy that has such is asked anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from cmek_construct import guide
from cmek_construct.policy import (
    ACCOUNT,
    Policy,
    Request,
    Said,
    Statement,
    Witness,
    canonical,
    read,
)
from cmek_construct.policy import answers as _answers
from cmek_construct.policy import beyond as _beyond

_NAMES: Final = re.compile(
    r"(?=[$0-9a-f])(?:\$\{[^!}][^}]*\}|(?<![0-9])[0-9]{12}(?![0-9])"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)
_LOOKED_INTO: Final = re.compile(
    r'[0-9>][*?]|[*?][0-9<]|ignorecase|like[^{}]*\{[^{}]*"sts:externalid'
)
_NUMBER: Final = re.compile("<[0-9]+>")
_WILD: Final = re.compile(r"[*?]")
_PART: Final = re.compile(r'(?<=/)[^/"$]+(?=[/"])|(?<=[:"])(?!\*")[^/:"$]*[*?][^/:"$]*(?=")')
"""What may be the name of a role: the parts of paths, and other patterns."""
T = TypeVar("T")


class _Shape:
    """A question whose names are numbered: what is the same for all of this shape."""

    def __init__(self, text: str) -> None:
        self.is_looked_into = _LOOKED_INTO.search(text.lower()) is not None
        self._literals = list(dict.fromkeys(_PART.findall(text)))
        self._keys = {
            one for one in _NUMBER.findall(text) if text.count(one) == text.count(f":key/{one}")
        }

    def forms(self, forms: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """Of what is known of holes that which counts: a literal, or another hole, may be it."""
        for name, form in forms.items():
            others = (o for o in forms if o != name and (o in self._keys) is (name in self._keys))
            some = [*self._literals, *(forms[one] for one in others if forms[one] != ACCOUNT)]
            if form == ACCOUNT or any(_may_meet(form, one) for one in some):
                yield name, form


class Questions:
    """Remembers what was answered."""

    def __init__(self) -> None:
        """Begin."""
        self._known: dict[str, tuple[list[str], Any]] = {}
        self._shapes: dict[str, _Shape] = {}
        self._texts: dict[int, tuple[Policy, str]] = {}

    def beyond(self, policy: Policy, limit: guide.Policy) -> list[Witness]:
        """What a policy may allow, and a limit does not.

        Raises:
            CannotBeJudged: it is too large.
        """
        text = self._text(policy) + json.dumps(limit)

        def work() -> list[tuple[int, Witness]]:
            own, forms = policy.resource, policy.forms
            most = read(limit, policy.kind, resource=own, texts=canonical, forms=forms)
            return [(_index(policy, w.statement), w) for w in _beyond(policy, most)]

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
        text = self._text(policy) + _requested(requests)

        def work() -> list[tuple[int, Said]]:
            return [(_index(policy, s.statement), s) for s in _answers(policy, requests)]

        names, found = self._asked(text, policy, work)
        return [
            Said(
                one.verdict,
                None if number < 0 else policy.statements[number],
                tuple(map(names, one.hangs_on)),
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
        numbers: dict[str, str] = {}
        shape = _NAMES.sub(lambda it: numbers.setdefault(it[0], f"<{len(numbers)}>"), text)
        if shape not in self._shapes:
            self._shapes[shape] = _Shape(shape)
        same = self._shapes[shape]
        if same.is_looked_into:
            numbers, shape = {}, text
        own = list(numbers)
        forms = same.forms(
            {numbers[one]: policy.forms.get(one[2:-1], "*") for one in own if one[0] == "$"}
        )
        shape += " ".join(f"{number} {form}" for number, form in forms)
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


def _may_meet(one: str, other: str) -> bool:
    """Whether two texts, each of which may have wildcards, can be the same, by their ends."""
    some, others = _WILD.split(one), _WILD.split(other)
    pairs = ((some[0], others[0]), (some[-1][::-1], others[-1][::-1]))
    return all(a.startswith(b) or b.startswith(a) for a, b in pairs)


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
