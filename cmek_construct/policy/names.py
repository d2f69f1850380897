"""Names that AWS generates: no two are one, and a text may be one only where it is of its form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from cmek_construct.policy.statements import Policy
from cmek_construct.policy.text import ACCOUNT, REGION, Forms, Hole, Items, items, written


def generated(forms: Forms) -> frozenset[str]:
    """The holes that are names which AWS generates."""
    return frozenset(name for name, form in forms.items() if form not in (ACCOUNT, REGION))


def told_apart(policies: Sequence[Policy], texts: Iterable[str]) -> list[Policy]:
    """Policies that know no more of holes than what counts beside some other texts.

    A generated name is a text by itself, unless something that is written may be it.

    Args:
        policies: that are looked at together.
        texts: what else is named beside them.
    """
    every = dict.fromkeys([*texts, *(text for one in policies for text in _texts(one))])
    named = list(map(_named, every))
    said = [name for one in named for name in one.holes]
    alone = [one.alone for one in named if one.alone]
    others = {one.form for one in named if one.form}
    known = {name: one.forms[name] for name in dict.fromkeys(said) for one in policies if name in one.forms}
    names_of_aws = generated(known)
    for number, name in enumerate(dict.fromkeys(alone)):
        is_lone = name in names_of_aws and said.count(name) == alone.count(name)
        if is_lone and not any(may_be_one(known[name], one) for one in others):
            known[name] = f"<{number}>"
    return [replace(one, forms=known) for one in policies]


def _texts(policy: Policy) -> Iterator[str]:
    yield policy.resource or ""
    for one in policy.statements:
        yield from (each.name for each in (*(one.principals or ()), *(one.not_principals or ())))
        yield from (*(one.resources or ()), *(one.not_resources or ()))
        yield from (value for each in one.conditions for value in each.values)


class _Named(NamedTuple):
    """What a text ends in, behind its last separator."""

    holes: tuple[str, ...]
    """All holes of the text."""
    alone: str | None
    """The hole that it ends in, if that is all."""
    form: str | None
    """What it ends in, if some of it is written."""


@lru_cache(maxsize=10_000)
def _named(text: str) -> _Named:
    if "${" not in text:
        end = text[max(text.rfind(":"), text.rfind("/")) + 1 :]
        return _Named((), None, end if end.strip("*?") else None)
    whole = items(text, wild=True)
    ends = [at for at, item in enumerate(whole) if item in (":", "/")]
    name = whole[ends[-1] + 1 :] if ends else whole
    holes = tuple(one.name for one in whole if isinstance(one, Hole))
    if len(name) == 1 and isinstance(name[0], Hole):
        return _Named(holes, name[0].name, None)
    is_written = any(isinstance(item, str) for item in name)
    return _Named(holes, None, glob(name, {}) if is_written else None)


def glob(whole: Items, forms: Forms) -> str:
    """All that items may turn out to be, as one text with ``*`` and ``?``."""
    return "".join(_form(forms.get(one.name, "*")) if isinstance(one, Hole) else written((one,)) for one in whole)


def _form(form: str) -> str:
    return {ACCOUNT: "?" * 12, REGION: "*"}.get(form, form)


def may_be_one(one: str, other: str) -> bool:
    """Whether a text can be of both forms, each with ``*`` and ``?``, whatever their case is."""
    one, other = one.lower(), other.lower()
    seen: set[tuple[int, int]] = set()
    left = [(0, 0)]
    while left:
        at = left.pop()
        if at in seen:
            continue
        seen.add(at)
        mine, yours = one[at[0] : at[0] + 1], other[at[1] : at[1] + 1]
        if not mine and not yours:
            return True
        left += [(at[0] + 1, at[1])] if mine == "*" else []
        left += [(at[0], at[1] + 1)] if yours == "*" else []
        if mine and yours and (mine == yours or mine in "*?" or yours in "*?"):
            left.append((at[0] + (mine != "*"), at[1] + (yours != "*")))
    return False
