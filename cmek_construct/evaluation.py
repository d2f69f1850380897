"""Who may do what by the policy of one key or one role, or a refusal to say.

Pure Python over plain data. It knows exactly the elements that these documents use, and refuses
any other by name. A statement that is surely not about a request is passed over, whatever else it
says. Source: IAM User Guide, "IAM JSON policy elements reference".
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, Final

from cmek_construct.checks import printable
from cmek_construct.guide import Statement

_MEMBERS: Final = ("Sid", "Effect", "Principal", "Action", "Resource", "Condition")
_OTHERS: Final = re.compile(
    r"[0-9]{12}|arn:aws:iam::[0-9]{12}:(root|(role|user)/[^*?$]+)|A[A-Z0-9]{15,127}"
)
"""Accounts, roles, users; and the unique ID that AWS leaves in a policy where one was deleted."""


class CannotTell(Exception):  # noqa: N818 - no error: an answer that is not given
    """The answer depends on something that is not evaluated here. The message names it."""


class Result(enum.Enum):
    """What one policy says to a request."""

    ALLOWED = "allowed"
    DENIED = "denied"
    """A statement denies it, whatever other policy allows it."""
    NOTHING_SAID = "nothing said"


@dataclass(frozen=True)
class Request:
    """One call of an AWS API."""

    principal: str
    """The ARN of a role, of a user, or of an account's root."""
    action: str
    resource: str | None
    """The ARN of what is acted on. None for a trust policy, which has no ``Resource``."""
    context: Mapping[str, str | None] = field(default_factory=dict)
    """Condition keys. None says that a key is not sent; of one that is missing nothing is known."""

    @property
    def account(self) -> str:
        """The account of the principal."""
        return self.principal.split(":")[4]


@dataclass(frozen=True)
class Answer:
    """What one policy says, and the statement that decides it."""

    result: Result
    statement: Statement | None = None
    by_account: bool = False
    """The statement names only the principal's account, whose own IAM policies then decide."""


def evaluate(policy: Mapping[str, Any], request: Request) -> Answer:
    """What the policy of a key or a role says to a request. A denial goes before all else.

    Raises:
        CannotTell: the answer depends on something that is not evaluated here.
    """
    found = list(_about(_listed(policy.get("Statement")), request))
    for effect, result in (("Deny", Result.DENIED), ("Allow", Result.ALLOWED)):
        surely = [one for one, doubt in found if one["Effect"] == effect and doubt is None]
        if surely:
            # One that names the principal itself says more than one that names its account.
            decides = min(surely, key=lambda one: _names_only_account(one, request))
            return Answer(result, decides, _names_only_account(decides, request))
        for one, doubt in found:
            if one["Effect"] == effect and doubt is not None:
                raise doubt
    return Answer(Result.NOTHING_SAID)


def _about(
    statements: Sequence[Any], request: Request
) -> Iterator[tuple[Statement, CannotTell | None]]:
    """The statements that are about the request, or may be: then with what cannot be told."""
    for statement in statements:
        if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
            raise CannotTell(f"{_name(statement)}: its Effect is neither Allow nor Deny")
        doubt = None
        for holds in _conditions_of(statement, request):
            try:
                if not holds():
                    break
            except CannotTell as cannot:
                doubt = doubt or CannotTell(f"{_name(statement)}: {cannot}")
        else:
            yield statement, doubt


def _conditions_of(statement: Statement, request: Request) -> Iterator[Callable[[], bool]]:
    """All that must hold for a statement to be about a request."""
    yield partial(_members, statement)
    yield partial(_principal, statement, request)
    yield partial(_action, statement, request)
    yield partial(_resource, statement, request)
    operators = statement.get("Condition", {})
    for operator, keys in operators.items() if isinstance(operators, dict) else [("", {"": ""})]:
        for key, values in keys.items() if isinstance(keys, dict) else [("", "")]:
            yield partial(_condition, operator, key, values, request.context)


def _members(statement: Statement) -> bool:
    for member in statement:
        if member not in _MEMBERS:
            raise CannotTell(f"{printable(member)} is not evaluated here")
    return True


def _principal(statement: Statement, request: Request) -> bool:
    kinds = statement.get("Principal")
    if kinds == "*":
        return True
    if not isinstance(kinds, dict) or not set(kinds) <= {"AWS", "Service", "Federated"}:
        raise CannotTell(f"Principal {_shown(kinds)} is not evaluated here")
    # An AWS service, or somebody signed in elsewhere, is no role, user or root.
    names = _texts("Principal", kinds["AWS"]) if "AWS" in kinds else []
    own = {"*", request.principal, request.account, f"arn:aws:iam::{request.account}:root"}
    if own & set(names):
        return True
    for name in names:
        session_elsewhere = re.match(r"arn:aws:sts::([0-9]{12}):", name)
        if session_elsewhere and session_elsewhere[1] != request.account:
            continue
        if not _OTHERS.fullmatch(name):
            raise CannotTell(f"Principal {_shown(name)} is not evaluated here")
    return False


def _names_only_account(statement: Statement, request: Request) -> bool:
    """Of a statement that is about the request: whether it names the account of the principal."""
    kinds = statement["Principal"]
    names = ["*"] if kinds == "*" else _listed(kinds["AWS"])
    is_root = request.principal.endswith(":root")
    return not is_root and not {"*", request.principal} & set(names)


def _action(statement: Statement, request: Request) -> bool:
    actions = _texts("Action", statement.get("Action"))
    return any(_like(action.lower(), request.action.lower()) for action in actions)


def _resource(statement: Statement, request: Request) -> bool:
    if (request.resource is None) is ("Resource" in statement):
        raise CannotTell("Resource belongs into the policy of a key, and into no trust policy")
    if request.resource is None:
        return True
    own = request.resource.split(":", 5)
    for pattern in _texts("Resource", statement["Resource"]):
        parts = pattern.split(":", 5)
        if pattern != "*" and len(parts) != len(own):
            raise CannotTell(f"Resource {_shown(pattern)} is not evaluated here")
        if pattern == "*" or all(map(_like, parts, own)):
            return True
    return False


def _condition(operator: str, key: str, values: Any, context: Mapping[str, str | None]) -> bool:
    if operator not in ("StringEquals", "StringLike", "Bool") or not key:
        raise CannotTell(f"Condition {printable(operator)} is not evaluated here")
    element = f"Condition {operator} {printable(key)}"
    sent = {name.lower(): value for name, value in context.items()}
    if key.lower() not in sent:
        raise CannotTell(f"{element} depends on what is not known here")
    value = sent[key.lower()]
    if operator == "Bool":
        values = [str(one).lower() if isinstance(one, bool) else one for one in _listed(values)]
    wanted = _texts(element, values)
    if value is None:
        return False
    if operator == "StringLike":
        return any(_like(pattern, value) for pattern in wanted)
    if operator == "Bool":
        return value.lower() in map(str.lower, wanted)
    return value in wanted


def _like(pattern: str, text: str) -> bool:
    """Whether a text has this form, in which ``*`` is any characters and ``?`` is one."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def _texts(element: str, value: Any) -> list[str]:
    """One string, or a list of some; a policy variable is none."""
    texts = _listed(value)
    for text in texts or [None]:
        if not isinstance(text, str) or "${" in text:
            raise CannotTell(f"{element} {_shown(text)} is not evaluated here")
    return texts


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _name(statement: Any) -> str:
    sid = statement.get("Sid") if isinstance(statement, dict) else None
    return f"statement {_shown(sid)}" if sid else "a statement without Sid"


def _shown(value: Any) -> str:
    return printable(repr(value)[:120])
