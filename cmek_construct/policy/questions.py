"""Questions to policies, each shape once: 1,000 stacks of one app ask the same.

Account numbers, external IDs and the names of holes are what tells such stacks apart. Nothing here looks into one but
by wildcards and a few operators, and a policy that has such is asked anew.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any, Final

from cmek_construct.guide import Policy as Document
from cmek_construct.policy import Policy, Request, Said, Statement, Witness, answers, aws, beyond, read
from cmek_construct.policy.comparing import says_no_more
from cmek_construct.policy.text import Doubt, Forms, generated, glob, holes, may_be_one, parts

_ID: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NAMES: Final = re.compile(
    r"(?=[$0-9a-f])(?:(?P<hole>\$\{[^!}'\\][^}'\\]*\})|(?P<number>(?<![0-9])[0-9]{12}(?![0-9]))"
    rf"|(?P<id>{_ID}))"
)
_INTO_NUMBER: Final = re.compile(r"[0-9](?:[*?]|\$\{)|[*?}][0-9]")
"""A wildcard, or a hole, beside what may be a part of a number."""
_INTO_ID: Final = re.compile(rf"(?i:[0-9a-f-](?:[*?]|\$\{{)|[*?}}][0-9a-f-])|(?!{_ID})(?i:{_ID})")
"""The same of an ID; and one in capitals, which are none in the name of a role."""
_COMPARED: Final = re.compile(
    rf"^(?=.*(?:Numeric|Date)\w*', key='(?!(?i:{aws.TRAILING_DAYS}|{aws.SESSION_BEGAN})', values=[^)\0]*\)))"
    r".*'(?!arn:)[^']*\0number"
)
"""A number where numbers or dates are compared, but days and dates that are nobody's number."""


class Questions:
    """Remembers what was answered."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[list[str], dict[str, tuple[int | None, Any]], list[str]]] = {}
        self._shape = cache(_Shape)

    def beyond(self, policy: Policy, limit: Document, principal: str | None = None) -> list[Witness]:
        """What a policy may allow, and a limit does not: to everybody, or to one principal. As `comparing.beyond`."""
        most = replace(read(limit, policy.kind, resource=policy.resource, forms=policy.forms), typed=False)
        if says_no_more(policy, most):  # seen at once, without a look into the memory
            return []
        texts, question = [*_texts(most), principal or ""], f"{most.statements} {principal!r}"
        return self._asked(policy, texts, question, lambda own: beyond(own, replace(most, forms=own.forms), principal))

    def answers(self, policy: Policy, requests: Sequence[Request]) -> list[Said]:
        """What a policy says to each of some requests. As `rules.answers`."""
        contexts = list({str(one.context): one.context for one in requests}.values())
        asked = [(it.principal, it.but, it.resource, it.own, it.action, contexts.index(it.context)) for it in requests]
        texts = [text for one in requests for text in (one.principal, *one.but, one.resource or "")]
        for value in (value for one in contexts for value in one.values()):
            texts += [value] if isinstance(value, str) else value or ()
        return self._asked(policy, texts, f"{asked} {contexts}", lambda own: answers(own, requests))

    def _asked(self, policy: Policy, beside: Iterable[str], question: str, ask: Callable[[Policy], Any]) -> list[Any]:
        own = self._shape(policy)
        names = dict(own.names)
        shape = f"{own.shape} {_without_names(question, names)}"
        texts = own.texts | dict.fromkeys(beside)
        forms = _told_apart(policy.forms, texts)
        known = " ".join(f"{names.get(f'${{{name}}}', name)} {form}" for name, form in forms.items())
        if shape + known not in self._known:
            into = _INTO_ID if "\0id" in shape else _INTO_NUMBER
            # A form is known by its text: one that has a number or an ID is about no other.
            if any(map(into.search, texts)) or _COMPARED.search(shape) or _NAMES.search(known):
                shape = own.text + question
        if shape + known not in self._known:
            index = {id(one): number for number, one in enumerate(policy.statements)}
            found = [(index.get(id(one.statement)), one) for one in ask(replace(policy, forms=forms))]
            self._known[shape + known] = list(names), {str(one): one for one in found}, list(map(str, found))
        before, answers, order = self._known[shape + known]
        others = dict(zip(before, names, strict=True))
        again = {
            text: _again(one, None if at is None else policy.statements[at], others)
            for text, (at, one) in answers.items()
        }
        return [again[text] for text in order]


class _Shape:
    """A policy without its names, which are told by their numbers."""

    def __init__(self, policy: Policy) -> None:
        self.text = f"{policy.kind} {policy.resource!r} {policy.statements}"
        self.texts = dict.fromkeys(_texts(policy))
        self.names: dict[str, str] = {}
        self.shape = _without_names(self.text, self.names)


def _without_names(text: str, numbers: dict[str, str]) -> str:
    return _NAMES.sub(lambda it: numbers.setdefault(it[0], f"\0{it.lastgroup} {len(numbers)}\0"), text)


def _again(one: Any, statement: Statement | None, others: Mapping[str, str]) -> Any:
    """An answer about another statement, with other names."""

    def named(value: Any) -> Any:
        if isinstance(value, Doubt):
            return Doubt(*map(named, value.parts))
        if isinstance(value, str):
            return _NAMES.sub(lambda it: others.get(it[0], it[0]), value)
        if isinstance(value, Mapping):
            return {named(key): named(each) for key, each in value.items()}
        if isinstance(value, Request):
            return Request(**named(vars(value)))
        return type(value)(map(named, value)) if isinstance(value, list | tuple) else value

    return type(one)(**named({**vars(one), "statement": statement}))


def _told_apart(forms: Forms, texts: Iterable[str]) -> dict[str, str]:
    """What is known of the holes of some texts.

    A generated name is a text by itself, unless something that is written may be it.
    """
    each = list(map(_read, texts))
    said = [name for names, *_ in each for name in names]
    alone = [end for _, end, form in each if form == "*"]
    known = {name: forms[name] for name in dict.fromkeys(said) if name in forms}
    others = {form for *_, form in each if form.strip("*?")}
    for number, name in enumerate(generated(known)):
        is_alone = said.count(name) == alone.count(f"${{{name}}}")
        if is_alone and not any(may_be_one(known[name], one) for one in others):
            known[name] = f"<{number}>"
    return known


@lru_cache(maxsize=10_000)
def _read(text: str) -> tuple[list[str], str, str]:
    """The holes of a text; its end, behind the last separator; and that with ``*`` for its holes."""
    end = parts(parts(text, ":")[-1], "/")[-1]
    return holes(text), end, glob(end, {})


def _texts(policy: Policy) -> Iterator[str]:
    yield policy.resource or ""
    for one in policy.statements:
        yield from (each.name for each in one.named())
        yield from (*(one.resources or ()), *(one.not_resources or ()))
        yield from (value for each in one.conditions for value in each.values)
