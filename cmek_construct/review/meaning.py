"""How the meanings of two versions of one policy differ."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Final, TypeAlias

from cmek_construct import policy
from cmek_construct.policy import words
from cmek_construct.policy.sentences import Quoted, Words
from cmek_construct.policy.statements import Kind
from cmek_construct.review.seen import Policy, Said

_ROLE: Final = re.compile(r"\$\{(\w+)\.Arn\}")
_ROLE_IN_ARN: Final = re.compile(r"arn:aws:iam::.*:role/\$\{(\w+)\.Arn\}")
_MOST_CONDITIONS: Final = 4
Case: TypeAlias = Mapping[str, bool]
"""Which conditions of a template hold."""


def differences(old: Policy, new: Policy, kind: Kind) -> Iterator[Words]:
    """What a new version lets whom do that the old one did not, and the reverse.

    Nothing, where both mean the same, however they are written.
    """
    try:
        cases = _cases(old, new)
        found: dict[str, tuple[Words, list[Case]]] = {}
        for case in cases:
            for said, text in {"".join(one): one for one in _in_case(old, new, kind, case)}.items():
                found.setdefault(said, (text, []))[1].append(case)
    except policy.CannotBeJudged as reason:
        yield ["what it means CANNOT BE JUDGED: ", Quoted(str(reason)), "."]
        return
    for text, where in found.values():
        always = len(where) == len(cases)
        yield text if always else [*text, " Only if in the template: ", *_named(where), "."]


def _cases(old: Policy, new: Policy) -> list[Case]:
    """Every choice of the conditions under which statements stand there."""
    conditions = sorted(
        {name for own in (old, new) for said in own.said for name, _ in _conditions(said)}
    )
    if len(conditions) > _MOST_CONDITIONS:
        raise policy.CannotBeJudged(f"more than {_MOST_CONDITIONS} conditions of the template")
    choices = product((True, False), repeat=len(conditions))
    return [dict(zip(conditions, choice, strict=True)) for choice in choices]


def _conditions(said: Said) -> list[tuple[str, bool]]:
    every = said.when.split(", ") if said.when else []
    return [(one.removeprefix("not "), not one.startswith("not ")) for one in every]


def _named(cases: list[Case]) -> Words:
    each = (
        ", ".join(name if holds else f"not {name}" for name, holds in case.items())
        for case in cases
    )
    return [Quoted("; or ".join(each))]


def _in_case(old: Policy, new: Policy, kind: Kind, case: Case) -> Iterator[Words]:
    before, after = _read(old, kind, case), _read(new, kind, case)
    account = next((said.account for said in new.said), None)
    for unreadable in sorted(_unreadable(before) ^ _unreadable(after)):
        yield ["what it means CANNOT BE JUDGED: ", Quoted(unreadable), "."]
        return
    for title, found in (
        ("NOW POSSIBLE", policy.beyond(after, before)),
        ("NO LONGER POSSIBLE", policy.short(after, before)),
    ):
        for text in words.of_witnesses(list(map(_shown, found)), account):
            yield [f"{title} by ", *text]
    if kind == "permissions" and _denials(old, case) != _denials(new, case):
        yield ["what is FORBIDDEN to the role, whatever another policy allows, changes."]


def _stands(said: Said, case: Case) -> bool:
    return all(case[name] is holds for name, holds in _conditions(said))


def _read(own: Policy, kind: Kind, case: Case) -> policy.Policy:
    """A policy as it is judged: of a role of the template the deploy may choose its name alone."""
    roles = {name for said in own.said for name in said.roles if _ROLE.fullmatch(name)}
    account = next((said.account for said in own.said if said.account), "${AWS::AccountId}")
    document = {
        "Version": "2012-10-17",
        "Statement": [said.statement for said in own.said if _stands(said, case)],
    }
    return policy.read(
        document,
        kind,
        resource=f"${{{own.owner}.Arn}}",
        texts=lambda text: f"arn:aws:iam::{account}:role/{text}" if text in roles else text,
    )


def _shown(one: policy.Witness) -> policy.Witness:
    """Principals as the template names them."""
    names = (_ROLE_IN_ARN.sub(r"${\1.Arn}", name) for name in one.principals)
    return replace(one, principals=tuple(names))


def _unreadable(own: policy.Policy) -> set[str]:
    return {
        f"{what}: {one.raw}"[:300] if one.raw else what
        for one in own.statements
        for what in one.unreadable
    }


def _denials(own: Policy, case: Case) -> list[str]:
    """What forbids: it counts in the role's permissions even where they allow nothing."""
    return sorted(repr(said.statement) for said in own.said if said.denies and _stands(said, case))
