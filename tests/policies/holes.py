"""Puts holes into a policy: what was there is one of the values that a hole may have."""

from __future__ import annotations

import json
import random
import re
from typing import Any, Final

from tests.policies.conditions import listed
from tests.policies.generate import Document, Generated
from tests.policies.vocabulary import BY_NAME, Cast, session_of

_FRESH_ACCOUNT: Final = "999900001111"
_FRESH_NAME: Final = "Made-1A2B3C"


def with_holes(policy: Generated, cast: Cast) -> Generated:
    """The policy with one or two holes, if there is a place for them."""
    rng = cast.rng
    for number in range(rng.choice((1, 1, 2))):
        puts = [_account, _name, _principal, _value]
        rng.shuffle(puts)
        for put in puts:
            made = put(policy, cast, f"Hole{number}" + rng.choice(("", ".Arn", "::Id")))
            if made is not None:
                policy = made
                break
    return policy


def _account(policy: Generated, cast: Cast, hole: str) -> Generated | None:
    account = cast.rng.choice(cast.accounts)
    made = _replaced(policy, cast.rng, rf'(?<=[:"]){account}(?=[:"])', hole)
    others = [one for one in (*cast.accounts, _FRESH_ACCOUNT) if one != account]
    return _holed(policy, made, hole, account, others) if made else None


def _name(policy: Generated, cast: Cast, hole: str) -> Generated | None:
    name = cast.rng.choice(cast.names)
    made = _replaced(policy, cast.rng, rf'(?<=/){name}(?=["/])', hole)
    others = [one for one in (*cast.names, _FRESH_NAME) if one != name]
    return _holed(policy, made, hole, name, others) if made else None


def _replaced(policy: Generated, rng: random.Random, place: str, hole: str) -> Document | None:
    text = json.dumps(policy.document)
    made = re.sub(place, lambda at: at[0] if rng.random() < 0.15 else f"${{{hole}}}", text)
    document: Document = json.loads(made)
    return document if made != text else None


def _principal(policy: Generated, cast: Cast, hole: str) -> Generated | None:
    document: Document = json.loads(json.dumps(policy.document))
    lists = [
        (kinds, whole)
        for statement in listed(document["Statement"])
        for element in ("Principal", "NotPrincipal")
        if isinstance(kinds := statement.get(element), dict)
        for whole in listed(kinds.get("AWS", []))
        if "*" not in whole and "$" not in whole
    ]
    if not lists:
        return None
    kinds, whole = cast.rng.choice(lists)
    kinds["AWS"] = _put(kinds["AWS"], whole, hole)
    role = cast.rng.choice(cast.roles)
    others = [role, session_of(role, "alice"), cast.accounts[1], "*", cast.users[0]]
    return _holed(policy, document, hole, whole, [one for one in others if one != whole])


def _value(policy: Generated, cast: Cast, hole: str) -> Generated | None:
    document: Document = json.loads(json.dumps(policy.document))
    found = [
        (keys, name, value)
        for statement in listed(document["Statement"])
        for operator, keys in statement.get("Condition", {}).items()
        if "String" in operator
        for name, values in keys.items()
        if BY_NAME[name.lower()].type == "string"
        for value in listed(values)
        if isinstance(value, str) and value and not set("*?$") & set(value)
    ]
    if not found:
        return None
    keys, name, value = cast.rng.choice(found)
    start = cast.rng.choice((0, 0, len(value) // 2))
    keys[name] = _put(keys[name], value, hole, start)
    others = [one for one in cast.values(BY_NAME[name.lower()]) if one != value]
    return _holed(policy, document, hole, value[start:], [*others, "fresh"])


def _put(values: Any, value: str, hole: str, start: int = 0) -> Any:
    changed = [f"{one[:start]}${{{hole}}}" if one == value else one for one in listed(values)]
    return changed if isinstance(values, list) else changed[0]


def _holed(policy: Generated, document: Document, hole: str, was: str, others: list[str]) -> Generated:
    return Generated(policy.kind, document, {**policy.holes, hole: (was, *others)})
