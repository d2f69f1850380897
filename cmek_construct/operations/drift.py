"""Two policies side by side, statement by statement: what is missing, added or changed.

Pure Python over plain data. AWS gives a policy back in other words than it was given (lists of one,
the order of lists), so statements are compared by what they mean.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cmek_construct.guide import Statement
from cmek_construct.policy.sentences import Quoted, as_list, plain
from cmek_construct.policy.words import of_statement

GONE: Final = re.compile(r"A(?:RO|ID)A[A-Z0-9]{8,124}")
"""The unique ID that AWS leaves in a policy where a role or user was deleted."""
_ACCOUNT: Final = re.compile(r"arn:aws:iam::([0-9]{12}):root")
_SHOWN: Final = 6


@dataclass(frozen=True)
class Pair:
    """A statement as it should be and as it is."""

    expected: Statement
    observed: Statement


@dataclass(frozen=True)
class Drift:
    """How a policy differs from what it should say."""

    missing: tuple[Statement, ...] = ()
    added: tuple[Statement, ...] = ()
    changed: tuple[Pair, ...] = ()
    gone: tuple[Pair, ...] = ()
    """The same, but for principals that have turned into unique IDs."""

    @property
    def is_none(self) -> bool:
        """Whether there is none, deleted principals apart."""
        return not (self.missing or self.added or self.changed)


def as_document(policy: Any) -> dict[str, Any]:
    """A policy document as AWS gives it: KMS as text, IAM through boto3 as data.

    Raises:
        ValueError: it is none.
    """
    document = json.loads(policy) if isinstance(policy, str) else policy
    if not isinstance(document, dict) or "Statement" not in document:
        raise ValueError("it is no policy document")
    return document


def as_statements(policy: Any) -> list[Any]:
    """The statements of a policy document.

    Raises:
        ValueError: it is none.
    """
    return as_list(as_document(policy)["Statement"])


def drift(expected: Sequence[Statement], observed: Sequence[Any]) -> Drift:
    """Compare two policies."""
    missing, added = list(expected), list(observed)
    for one in expected:
        same = next((other for other in added if meaning(other) == meaning(one)), None)
        if same is not None:
            missing.remove(one)
            added.remove(same)
    found = Drift()
    for one in list(missing):
        other = _counterpart(one, added)
        if other is None:
            continue
        missing.remove(one)
        added.remove(other)
        pair = Pair(one, other)
        if differs_in_gone_alone(one, other):
            found = replace(found, gone=(*found.gone, pair))
        else:
            found = replace(found, changed=(*found.changed, pair))
    return replace(found, missing=tuple(missing), added=tuple(added))


def _counterpart(one: Statement, others: Sequence[Any]) -> Any:
    """What has become of a statement: one that lost principals, or one of the same Sid."""
    for other in others:
        if differs_in_gone_alone(one, other):
            return other
    same_sid = (
        other
        for other in others
        if isinstance(other, dict) and "Sid" in one and other.get("Sid") == one["Sid"]
    )
    return next(same_sid, None)


def meaning(statement: Any) -> str:
    """What a statement means: without its Sid, and without the order of lists."""
    if not isinstance(statement, dict):
        return json.dumps(statement)
    return json.dumps(
        {name: _meant(name, value) for name, value in statement.items() if name != "Sid"},
        sort_keys=True,
    )


def _meant(name: str, value: Any) -> Any:
    if name in ("Principal", "NotPrincipal"):
        kinds = value if isinstance(value, dict) else {"AWS": value}
        return {kind: _set(map(_principal, as_list(names))) for kind, names in kinds.items()}
    if name in ("Action", "NotAction"):
        return _set(str(one).lower() for one in as_list(value))
    if name == "Condition" and isinstance(value, dict):
        return {
            operator: {key.lower(): _set(map(_compared, as_list(own))) for key, own in keys.items()}
            if isinstance(keys, dict)
            else keys
            for operator, keys in value.items()
        }
    return _set(as_list(value))


def _principal(name: Any) -> Any:
    root = _ACCOUNT.fullmatch(name) if isinstance(name, str) else None
    return root[1] if root else name


def _compared(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _set(values: Any) -> list[Any]:
    return sorted({json.dumps(one, sort_keys=True) for one in values})


def principals(statement: Any) -> list[str]:
    """The AWS principals that a statement names."""
    kinds = statement.get("Principal") if isinstance(statement, dict) else None
    names = kinds.get("AWS", []) if isinstance(kinds, dict) else kinds or []
    return [name for name in as_list(names) if isinstance(name, str)]


def gone(statement: Any) -> list[str]:
    """The principals of a statement that have turned into unique IDs."""
    return [name for name in principals(statement) if GONE.fullmatch(name)]


def without_gone(statement: Statement) -> Statement | None:
    """A statement without principals that match nobody any more; None if it has no other."""
    if not gone(statement):
        return statement
    left = [name for name in principals(statement) if not GONE.fullmatch(name)]
    kinds = {kind: names for kind, names in statement["Principal"].items() if kind != "AWS"}
    if left:
        kinds["AWS"] = left
    return {**statement, "Principal": kinds} if kinds else None


def differs_in_gone_alone(expected: Statement, observed: Any) -> bool:
    """Whether it is the statement that was written, of which AWS has lost principals."""
    if not gone(observed):
        return False
    others = {**observed, "Principal": expected.get("Principal")}
    alive = without_gone(observed)
    left = set(principals(alive)) if alive else set()
    return meaning(others) == meaning(expected) and left < set(principals(expected))


def lost(pair: Pair) -> list[str]:
    """The principals that should be named, and are a unique ID instead."""
    there = set(principals(pair.observed))
    return [name for name in principals(pair.expected) if name not in there]


def named(statement: Any) -> str:
    """A statement by its Sid."""
    sid = statement.get("Sid") if isinstance(statement, dict) else None
    return f"'{Quoted(sid)}'" if sid else "a statement without Sid"


def in_words(found: Drift, account: str) -> str:
    """All of it, each statement by its name and in words."""
    parts = [f"added: {named(one)}: {_said(one, account)}" for one in found.added]
    parts += [f"changed: {named(one.expected)}: {_changes(one)}" for one in found.changed]
    parts += [f"missing: {named(one)}: {_said(one, account)}" for one in found.missing]
    more = f"; and {len(parts) - _SHOWN} statements more" if len(parts) > _SHOWN else ""
    return "; ".join(parts[:_SHOWN]) + more


def _said(statement: Any, account: str) -> str:
    if not isinstance(statement, dict):
        return Quoted(statement)
    return plain(of_statement(statement, account)).rstrip(".")


def _changes(pair: Pair) -> str:
    expected, observed = pair.expected, pair.observed
    names = [name for name in dict.fromkeys([*expected, *observed]) if name != "Sid"]
    parts = []
    for name in names:
        own, other = _flat(name, expected.get(name)), _flat(name, observed.get(name))
        more = [one for one in other if one not in own]
        less = [one for one in own if one not in other]
        if more or less:
            words = [f"has {_few(more)} too"] if more else []
            words += [f"lacks {_few(less)}"] if less else []
            parts.append(f"{Quoted(name)} {' and '.join(words)}")
    return ", ".join(parts)


def _flat(name: str, value: Any) -> list[str]:
    """What a member of a statement says, one by one."""
    if value is None:
        return []
    if isinstance(value, dict):
        return [
            f"{key} {inner}" if key != "AWS" else inner
            for key, own in value.items()
            for inner in _flat(key, own)
        ]
    values = [_compared(one) for one in as_list(value)]
    if name in ("Action", "NotAction"):
        return [str(one) for one in values]
    return [one if isinstance(one, str) else json.dumps(one) for one in values]


def _few(values: Sequence[str]) -> str:
    shown = ", ".join(map(Quoted, values[:_SHOWN]))
    return shown + (f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else "")
