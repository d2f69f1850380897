"""Names that AWS generates: no two are one, and a text may be one only where it is of its form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from cmek_construct.policy.statements import Policy
from cmek_construct.policy.text import ACCOUNT, REGION, Forms, glob, holes, parts, pieces


def generated(forms: Forms) -> frozenset[str]:
    """The holes that are names which AWS generates."""
    return frozenset(name for name, form in forms.items() if form not in (ACCOUNT, REGION))


def told_apart(policies: Sequence[Policy], texts: Iterable[str]) -> dict[str, str]:
    """What is known of the holes of some policies, and counts beside some other texts.

    A generated name is a text by itself, unless something that is written may be it.

    Args:
        policies: that are looked at together.
        texts: what else is named beside them.
    """
    named = list(map(_named, dict.fromkeys([*texts, *(text for one in policies for text in _texts(one))])))
    said = [name for one in named for name in one.holes]
    alone = [one.alone for one in named if one.alone]
    others = {one.form for one in named if one.form}
    known = {name: one.forms[name] for name in dict.fromkeys(said) for one in policies if name in one.forms}
    names_of_aws = generated(known)
    for number, name in enumerate(dict.fromkeys(alone)):
        is_lone = name in names_of_aws and said.count(name) == alone.count(name)
        if is_lone and not any(may_be_one(known[name], one) for one in others):
            known[name] = f"<{number}>"
    return known


def _texts(policy: Policy) -> Iterator[str]:
    yield policy.resource or ""
    for one in policy.statements:
        yield from (each.name for each in one.named())
        yield from (*(one.resources or ()), *(one.not_resources or ()))
        yield from (value for each in one.conditions for value in each.values)


class _Named(NamedTuple):
    """What a text ends in, behind its last separator."""

    holes: Sequence[str]
    """All holes of the text."""
    alone: str | None
    """The hole that it ends in, if that is all."""
    form: str | None
    """What it ends in, if some of it is written."""


@lru_cache(maxsize=10_000)
def _named(text: str) -> _Named:
    name = parts(parts(text, ":")[-1], "/")[-1]
    every, known = holes(text), holes(name)
    if known and name == f"${{{known[0]}}}":
        return _Named(every, known[0], None)
    is_written = any(plain.strip("*?") or (hole or "").startswith("!") for plain, hole in pieces(name))
    return _Named(every, None, glob(name, {}) if is_written else None)


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
