"""Policy documents of a template, read into statements.

Source: IAM User Guide, "IAM JSON policy elements reference".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from cmek_construct.checks import printable
from cmek_construct.guardrails.intrinsics import (
    CanonicalTexts,
    Texts,
    function_of,
    is_no_value,
    is_unreadable,
)

_LISTS: Final = ("Action", "NotAction", "Resource", "NotResource")
_OF_DOCUMENT: Final = ("Version", "Id", "Statement")
_SESSION: Final = re.compile(r"arn:aws:sts::([^:]+):assumed-role/([^/]+)(?:/.*)?")
_MEMBERS: Final = ("Sid", "Effect", "Principal", "NotPrincipal", "Condition", *_LISTS)


@dataclass(frozen=True)
class Principal:
    """One who is named: a kind, such as ``AWS`` or ``Service``, and a name."""

    kind: str
    name: str

    @property
    def arn(self) -> str:
        """The name; of a role's session the role's, as IAM knows it without its path."""
        found = _SESSION.fullmatch(self.name)
        return f"arn:aws:iam::{found[1]}:role/{found[2]}" if found else self.name


@dataclass(frozen=True)
class Condition:
    """One key of one operator."""

    operator: str
    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Statement:
    """One statement of a policy."""

    name: str
    """As a message calls it: by its Sid, or by its place."""
    sid: str
    effect: str
    members: tuple[str, ...]
    principals: tuple[Principal, ...]
    not_principals: tuple[Principal, ...]
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[Condition, ...]
    always: bool
    """Whether it stands there whatever the conditions of the template say."""
    unreadable: tuple[str, ...]
    """What in it cannot be read."""

    @property
    def allows(self) -> bool:
        """Whether it is no denial; one whose effect cannot be read may be either."""
        return self.effect != "Deny"

    @property
    def covers_all(self) -> bool:
        """Whether it is about everything that KMS does."""
        return any(action.lower() in ("*", "kms:*") for action in self.actions)


@dataclass(frozen=True)
class Policy:
    """A policy document, and what around its statements cannot be read."""

    statements: tuple[Statement, ...] = ()
    unreadable: tuple[str, ...] = ()

    @property
    def allowing(self) -> list[Statement]:
        """The statements that are no denials."""
        return [statement for statement in self.statements if statement.allows]


def shown(*texts: str) -> str:
    """Texts out of a template for a person: printable, and not endless."""
    return ", ".join(
        printable(text if len(text) <= 120 else f"{text[:100]}… ({len(text):,} characters)")
        for text in texts
    )


def read(document: Any, texts: Texts) -> Policy:
    """The policy of a document: JSON as an object, or as the text of one."""
    if document is None:
        return Policy()
    if isinstance(document, str):
        return _parsed(document, texts)
    if function_of(document) is not None:
        text = texts.of(document)
        return Policy((), (text,)) if is_unreadable(text) else _parsed(text, CanonicalTexts())
    if not isinstance(document, dict):
        return Policy((), ("a policy that is no object",))
    found = list(_alternatives(document.get("Statement", []), always=True))
    others = tuple(
        f"the member {shown(str(name))}" for name in document if name not in _OF_DOCUMENT
    )
    return Policy(
        tuple(
            _statement(number, one, always, texts)
            for number, (one, always) in enumerate(found, 1)
            if _is_object(one)
        ),
        (*others, *(_name_of(one) for one, _ in found if not _is_object(one))),
    )


def _parsed(text: str, texts: Texts) -> Policy:
    try:
        document = json.loads(text, object_pairs_hook=_members)
    except (ValueError, RecursionError):
        return Policy((), ("a policy that is no JSON",))
    return read(document if isinstance(document, dict) else [], texts)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, in which nothing stands twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a member stands twice")
    return found


def _alternatives(value: Any, always: bool) -> Iterator[tuple[Any, bool]]:
    """Each statement that may stand there: of ``Fn::If`` both."""
    for one in value if isinstance(value, list) else [value]:
        function = function_of(one)
        if function and function[0] == "Fn::If" and isinstance(function[1], list):
            yield from _alternatives(function[1][1:], always=False)
        elif not is_no_value(one):
            yield one, always


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and function_of(value) is None


def _name_of(value: Any) -> str:
    function = function_of(value)
    return function[0] if function else "a statement that is no object"


def _statement(number: int, raw: dict[str, Any], always: bool, texts: Texts) -> Statement:
    sid = texts.of(raw.get("Sid", ""))
    lists = {name: texts.all_of(raw[name]) if name in raw else () for name in _LISTS}
    named, not_named = _principals(raw, "Principal", texts), _principals(raw, "NotPrincipal", texts)
    conditions, unreadable = _conditions(raw.get("Condition", {}), texts)
    effect = texts.of(raw.get("Effect", ""))
    if effect not in ("Allow", "Deny"):
        unreadable.append(f"Effect {shown(effect)}")
    unreadable += [f"the member {shown(name)}" for name in raw if name not in _MEMBERS]
    for texts_of_list in (*lists.values(), [one.name for one in (*named, *not_named)]):
        unreadable += filter(is_unreadable, texts_of_list)
    return Statement(
        name=f'statement "{shown(sid)}"' if sid else f"statement {number}",
        sid=sid,
        effect=effect,
        members=tuple(raw),
        principals=named,
        not_principals=not_named,
        actions=lists["Action"],
        not_actions=lists["NotAction"],
        resources=lists["Resource"],
        conditions=conditions,
        always=always,
        unreadable=tuple(unreadable),
    )


def _principals(raw: dict[str, Any], member: str, texts: Texts) -> tuple[Principal, ...]:
    value = raw.get(member, {})
    if not _is_object(value):
        return tuple(Principal("AWS", name) for name in texts.all_of(value))
    return tuple(
        Principal(kind, name) for kind, names in value.items() for name in texts.all_of(names)
    )


def _conditions(value: Any, texts: Texts) -> tuple[tuple[Condition, ...], list[str]]:
    if not _is_object(value):
        return (), [f"the Condition {_name_of(value)}"]
    found, unreadable = [], []
    for operator, keys in value.items():
        if not _is_object(keys):
            unreadable.append(f"the Condition {shown(str(operator))}")
            continue
        unreadable += [f"the Condition {key}" for key in keys if str(key).startswith("Fn::")]
        found += [Condition(operator, key, texts.all_of(keys[key])) for key in keys]
    return tuple(found), unreadable
