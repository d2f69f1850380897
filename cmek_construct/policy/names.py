"""Names that AWS generates: no two are one, and a text may be one only where it is of its form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

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
    every = [*dict.fromkeys([*texts, *(text for one in policies for text in _texts(one))])]
    wholes = [items(text, wild=True) for text in every]
    names = list(map(_name, wholes))
    alone = [one[0].name for one in names if len(one) == 1 and isinstance(one[0], Hole)]
    said = [one.name for whole in wholes for one in whole if isinstance(one, Hole)]
    others = {glob(one, {}) for one in names if any(isinstance(item, str) for item in one)}
    known = {
        name: one.forms[name]
        for name in dict.fromkeys(said)
        for one in policies
        if name in one.forms
    }
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


def _name(whole: Items) -> Items:
    """What stands behind the last separator."""
    ends = [at for at, item in enumerate(whole) if item in (":", "/")]
    return whole[ends[-1] + 1 :] if ends else whole


def glob(whole: Items, forms: Forms) -> str:
    """All that items may turn out to be, as one text with ``*`` and ``?``."""
    return "".join(
        _form(forms.get(one.name, "*")) if isinstance(one, Hole) else written((one,))
        for one in whole
    )


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
