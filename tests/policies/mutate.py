"""Makes a second policy out of a first, which differs in exactly one dimension or not at all."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from tests.policies.conditions import draw_condition, draw_values, key_of, listed
from tests.policies.generate import (
    VERSION,
    Document,
    Generated,
    Statement,
    draw_action,
    draw_aws_principal,
    draw_resource,
    draw_statement,
)
from tests.policies.vocabulary import Cast, other_case

Change = Callable[[Cast, Generated, list[Statement]], bool]
"""Changes the statements in place; says whether there was something to change."""


def mutated(policy: Generated, cast: Cast, name: str) -> Generated | None:
    """The policy with one change, of a name in `CHANGES` or `RENAMED`; None if it has no place."""
    document: Document = json.loads(json.dumps(policy.document))
    if name == RENAMED:
        return _renamed(policy, document)
    statements = document["Statement"] = listed(document["Statement"])
    if not CHANGES[name](cast, policy, statements) or not statements:
        return None
    changed = replace(policy, document=document)
    return _with_version(changed, document) if name == "version" else changed


RENAMED: Final = "hole renamed"


def _renamed(policy: Generated, document: Document) -> Generated | None:
    if not policy.holes:
        return None
    old, values = next(iter(policy.holes.items()))
    text = json.dumps(document).replace(f"${{{old}}}", "${Renamed}")
    rest = {name: one for name, one in policy.holes.items() if name != old}
    return Generated(policy.kind, json.loads(text), {**rest, "Renamed": values})


def _with_version(policy: Generated, document: Document) -> Generated:
    old = document.pop("Version", None) != VERSION
    made = {"Version": VERSION, **document} if old else document
    return replace(policy, document=made)


def _pick(rng: random.Random, statements: list[Statement], *elements: str) -> Any:
    """A statement that has one of these elements, and the element; None without one."""
    found = [(one, name) for one in statements for name in elements if name in one]
    return rng.choice(found) if found else None


def _in_list(one: Statement, element: str, change: Callable[[list[Any]], Any]) -> bool:
    values = list(listed(one[element]))
    before = json.dumps(values)
    change(values)
    one[element] = values
    return bool(values) and json.dumps(values) != before


def _principals(cast: Cast, statements: list[Statement]) -> Any:
    found = [
        one
        for one in statements
        for element in ("Principal", "NotPrincipal")
        if isinstance(one.get(element), dict) and listed(one[element].get("AWS", []))
    ]
    if not found:
        return None
    one = cast.rng.choice(found)
    return one.get("Principal", one.get("NotPrincipal"))


def _principal_added(cast: Cast, policy: Generated, statements: list[Statement]) -> bool:
    kinds = _principals(cast, statements)
    new = draw_aws_principal(cast)
    return kinds is not None and _in_list(kinds, "AWS", lambda values: values.append(new))


def _principal_replaced(cast: Cast, policy: Generated, statements: list[Statement]) -> bool:
    kinds = _principals(cast, statements)
    if kinds is None:
        return False
    at, new = cast.rng.randrange(len(listed(kinds["AWS"]))), draw_aws_principal(cast)
    return _in_list(kinds, "AWS", lambda values: values.__setitem__(at, new))


def _principal_dropped(cast: Cast, policy: Generated, statements: list[Statement]) -> bool:
    kinds = _principals(cast, statements)
    return kinds is not None and _in_list(kinds, "AWS", lambda values: values.pop(cast.rng.randrange(len(values))))


def _to_account(cast: Cast, policy: Generated, statements: list[Statement]) -> bool:
    kinds = _principals(cast, statements)
    if kinds is None:
        return False
    named = [one for one in listed(kinds["AWS"]) if one.startswith("arn:aws:iam::1")]
    if not named:
        return False
    root = named[0].rpartition(":")[0] + ":root"
    return _in_list(kinds, "AWS", lambda values: values.__setitem__(values.index(named[0]), root))


def _changed_text(
    element: str, draw: Callable[[Cast, Generated], str], how: Callable[[random.Random, list[Any], str], Any]
) -> Change:
    def change(cast: Cast, policy: Generated, statements: list[Statement]) -> bool:
        found = _pick(cast.rng, statements, element, f"Not{element}")
        if found is None or not listed(found[0][found[1]]):
            return False
        new = draw(cast, policy)
        one, name = found
        return _in_list(one, name, lambda values: how(cast.rng, values, new))

    return change


def _action(cast: Cast, policy: Generated) -> str:
    return draw_action(cast.rng, policy.kind)


def _resource(cast: Cast, policy: Generated) -> str:
    return draw_resource(cast, policy.kind)


def _add(rng: random.Random, values: list[Any], new: str) -> None:
    values.append(new)


def _put(rng: random.Random, values: list[Any], new: str) -> None:
    values[rng.randrange(len(values))] = new


def _drop(rng: random.Random, values: list[Any], new: str) -> None:
    values.pop(rng.randrange(len(values)))


def _case(rng: random.Random, values: list[Any], new: str) -> None:
    at = rng.randrange(len(values))
    values[at] = other_case(values[at], rng)


def _not(element: str) -> Change:
    def change(cast: Cast, policy: Generated, statements: list[Statement]) -> bool:
        found = _pick(cast.rng, statements, element, f"Not{element}")
        if found is None:
            return False
        one, name = found
        one[element if name.startswith("Not") else f"Not{element}"] = one.pop(name)
        return True

    return change


def _conditioned(cast: Cast, statements: list[Statement]) -> Any:
    """A condition: the Condition element, an operator of it, and a key of that."""
    found = [
        (one["Condition"], operator, name)
        for one in statements
        for operator, keys in one.get("Condition", {}).items()
        for name in keys
    ]
    return cast.rng.choice(found) if found else None


def _value_changed(cast: Cast, policy: Generated, statements: list[Statement]) -> bool:
    found = _conditioned(cast, statements)
    if found is None:
        return False
    condition, operator, name = found
    before = json.dumps(condition[operator][name])
    condition[operator][name] = draw_values(cast, key_of(name), operator.rpartition(":")[2])
    return json.dumps(condition[operator][name]) != before


def _operator(change: Callable[[str], str | None]) -> Change:
    def changed(cast: Cast, policy: Generated, statements: list[Statement]) -> bool:
        found = _conditioned(cast, statements)
        if found is None:
            return False
        condition, operator, name = found
        new = change(operator)
        if new is None or new in condition:
            return False
        values = condition[operator].pop(name)
        if not condition[operator]:
            del condition[operator]
        condition[new] = {name: values}
        return True

    return changed


def _negated(operator: str) -> str | None:
    for base in ("String", "Arn", "Numeric", "Date"):
        for end in ("Equals", "Like"):
            for one, other in ((f"{base}{end}", f"{base}Not{end}"), (f"{base}Not{end}", f"{base}{end}")):
                if one in operator:
                    return operator.replace(one, other)
    if "NotIpAddress" in operator:
        return operator.replace("NotIpAddress", "IpAddress")
    return operator.replace("IpAddress", "NotIpAddress") if "IpAddress" in operator else None


def _if_exists(operator: str) -> str | None:
    if operator == "Null":
        return None
    return operator.removesuffix("IfExists") if operator.endswith("IfExists") else operator + "IfExists"


def _other_set(operator: str) -> str | None:
    for one, other in (("ForAnyValue", "ForAllValues"), ("ForAllValues", "ForAnyValue")):
        if operator.startswith(one):
            return operator.replace(one, other)
    return None


def _like(operator: str) -> str | None:
    if "IgnoreCase" in operator or ("Equals" not in operator and "Like" not in operator):
        return None
    if not operator.rpartition(":")[2].startswith(("String", "Arn")):
        return None
    return operator.replace("Like", "Equals") if "Like" in operator else operator.replace("Equals", "Like")


def _condition_dropped(cast: Cast, policy: Generated, statements: list[Statement]) -> bool:
    found = _conditioned(cast, statements)
    if found is not None:
        condition, operator, name = found
        del condition[operator][name]
    return found is not None


def _condition_added(cast: Cast, policy: Generated, statements: list[Statement]) -> bool:
    one = cast.rng.choice(statements)
    for operator, keys in draw_condition(cast, 1).items():
        if operator in one.get("Condition", {}):
            return False
        one.setdefault("Condition", {})[operator] = keys
    return True


def _key_case(cast: Cast, policy: Generated, statements: list[Statement]) -> bool:
    found = _conditioned(cast, statements)
    if found is None:
        return False
    condition, operator, name = found
    condition[operator][other_case(name, cast.rng)] = condition[operator].pop(name)
    return True


def _denial_added(cast: Cast, policy: Generated, statements: list[Statement]) -> bool:
    statements.append({**draw_statement(cast, policy.kind), "Effect": "Deny"})
    return True


def _statement_dropped(cast: Cast, policy: Generated, statements: list[Statement]) -> bool:
    statements.pop(cast.rng.randrange(len(statements)))
    return bool(statements)


def _effect(cast: Cast, policy: Generated, statements: list[Statement]) -> bool:
    one = cast.rng.choice(statements)
    one["Effect"] = "Deny" if one["Effect"] == "Allow" else "Allow"
    return True


def _in_another_order(cast: Cast, policy: Generated, statements: list[Statement]) -> bool:
    one = cast.rng.choice(statements)
    if isinstance(one.get("Action"), list) and len(one["Action"]) > 1:
        at = statements.index(one)
        statements[at : at + 1] = [{**one, "Action": [action]} for action in one["Action"]]
    statements.reverse()
    return True


def _version(cast: Cast, policy: Generated, statements: list[Statement]) -> bool:
    return "${!" in json.dumps(statements)


CHANGES: Final[dict[str, Change]] = {
    "principal added": _principal_added,
    "principal replaced": _principal_replaced,
    "principal dropped": _principal_dropped,
    "principal to its account": _to_account,
    "principal negated": _not("Principal"),
    "action added": _changed_text("Action", _action, _add),
    "action replaced": _changed_text("Action", _action, _put),
    "action dropped": _changed_text("Action", _action, _drop),
    "action in other letters": _changed_text("Action", _action, _case),
    "action negated": _not("Action"),
    "resource replaced": _changed_text("Resource", _resource, _put),
    "resource negated": _not("Resource"),
    "value changed": _value_changed,
    "operator negated": _operator(_negated),
    "IfExists": _operator(_if_exists),
    "set operator": _operator(_other_set),
    "Like": _operator(_like),
    "condition dropped": _condition_dropped,
    "condition added": _condition_added,
    "key in other letters": _key_case,
    "denial added": _denial_added,
    "statement dropped": _statement_dropped,
    "effect": _effect,
    "in another order": _in_another_order,
    "version": _version,
}
