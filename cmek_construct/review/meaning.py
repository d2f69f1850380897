"""How the meanings of two versions of one policy differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from cmek_construct import policy
from cmek_construct.policy import words
from cmek_construct.policy.sentences import Quoted, Words
from cmek_construct.policy.statements import Kind
from cmek_construct.review.model import Policy, Said
from cmek_construct.templates.choices import OTHER, Choices, where

_MOST_CASES: Final = 64


def differences(old: Policy, new: Policy, kind: Kind) -> Iterator[Words]:
    """What a new version lets whom do that the old one did not, and the reverse.

    Nothing, where both mean the same, however they are written.
    """
    found: dict[str, tuple[Words, list[Choices]]] = {}
    try:
        pairs = _pairs(old.cases or [{}], new.cases or [{}])
        every = [{**was, **now} for was, now in pairs]
        for both, (was, now) in zip(every, pairs, strict=True):
            said = _in_case(_Version(old, kind, was), _Version(new, kind, now))
            for text in {"".join(one): one for one in said}.values():
                found.setdefault("".join(text), (text, []))[1].append(both)
    except policy.CannotBeJudged as reason:
        yield ["what it means CANNOT BE JUDGED: ", Quoted(str(reason)), "."]
        return
    for text, some in found.values():
        only = where(some, every)
        yield text if only is None else [*text, " Only if in the template: ", Quoted(only), "."]


def _pairs(old: Sequence[Choices], new: Sequence[Choices]) -> list[tuple[Choices, Choices]]:
    """The cases of one version with those of the other that can be at once."""
    found = [(was, now) for was in old for now in new if _agree(was, now, old, new)]
    if not 0 < len(found) <= _MOST_CASES:
        raise policy.CannotBeJudged("the cases of the template's conditions are others, or many")
    return found


def _agree(was: Choices, now: Choices, old: Sequence[Choices], new: Sequence[Choices]) -> bool:
    """Something else than the values of one version may be a value of the other."""

    def other(one: str, another: str, name: str, cases: Sequence[Choices]) -> bool:
        return one == OTHER and all(case.get(name) != another for case in cases)

    return all(
        was[name] == now[name]
        or other(was[name], now[name], name, old)
        or other(now[name], was[name], name, new)
        for name in was.keys() & now.keys()
    )


class _Version:
    """A policy in one case of the conditions of its template."""

    def __init__(self, own: Policy, kind: Kind, case: Choices) -> None:
        self.kind = kind
        self.said: Sequence[Said] = [
            one for one in own.said if any(some.items() <= case.items() for some in one.cases)
        ]
        document = {"Statement": [one.called for one in self.said]}
        if own.variables:
            document |= {"Version": "2012-10-17"}  # type: ignore[dict-item]
        self.read = policy.read(
            document, kind, resource=own.resource, texts=policy.canonical, forms=own.forms
        )

    @property
    def unreadable(self) -> set[str]:
        return {
            f"{what}: {one.raw}"[:300] if one.raw else what
            for one in self.read.statements
            for what in one.unreadable
        }

    @property
    def denials(self) -> list[str]:
        """What forbids: it counts in a role's permissions even where they allow nothing."""
        return sorted(repr(said.called) for said in self.said if said.denies)


def _in_case(old: _Version, new: _Version) -> Iterator[Words]:
    for unreadable in sorted(old.unreadable ^ new.unreadable):
        yield ["what it means CANNOT BE JUDGED: ", Quoted(unreadable), "."]
        return
    known = [said.known for said in (*old.said, *new.said)]
    account = known[-1].account if known else None
    people = {arn: name for one in known for arn, name in one.people.items()}
    for title, found in (
        ("NOW POSSIBLE", policy.beyond(new.read, old.read)),
        ("NO LONGER POSSIBLE", policy.short(new.read, old.read)),
    ):
        for text in words.of_witnesses(found, account, people):
            yield [f"{title} by ", *text]
    if new.kind == "permissions" and old.denials != new.denials:
        yield ["what is FORBIDDEN to the role, whatever another policy allows, changes."]


def together(policies: Sequence[Policy]) -> Policy:
    """The policies of a role as one: they allow and forbid together."""
    cases: list[Choices] = [{}]
    for one in policies:
        both = [{**case, **more} for case in cases for more in one.cases if _fit(case, more)]
        cases = [case for at, case in enumerate(both) if case not in both[:at]] or cases
    return Policy(
        "",
        [said for one in policies for said in one.said],
        forms={name: form for one in policies for name, form in one.forms.items()},
        variables=all(one.variables for one in policies),
        cases=cases,
    )


def _fit(one: Choices, other: Choices) -> bool:
    return all(other.get(name, value) == value for name, value in one.items())
