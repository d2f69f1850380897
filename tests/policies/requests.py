"""Draws requests out of a policy's own patterns: whom it names, what it says, and what is near."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

from tests.policies.conditions import VARIABLE, about, conditions_of, key_of, listed, matching
from tests.policies.generate import Document, Kind
from tests.policies.vocabulary import (
    ACCOUNTS,
    BY_NAME,
    FOLLOWING,
    KEY,
    KEYS_OF_OTHERS,
    KMS,
    NAMES,
    ROLE,
    SERVICES,
    SESSIONS,
    STS,
    WITHOUT_CALLER_ACCOUNT,
    Cast,
    Key,
    neighbour,
    session_of,
)

ANONYMOUS: Final = "anonymous"
REGION: Final = "aws:RequestedRegion"
Value = str | tuple[str, ...] | None


@dataclass(frozen=True)
class Call:
    """A request. Of a condition key that is not in the context nothing is known."""

    principal: str
    action: str
    resource: str
    context: Mapping[str, Value] = field(default_factory=dict)
    own: bool | None = None
    role: str | None = None
    """Of a session: the role, with its path."""

    @property
    def account(self) -> str | None:
        """Of the principal, if it is one of IAM's."""
        is_arn = self.principal.startswith("arn:") and ":saml-provider/" not in self.principal
        return self.principal.split(":")[4] if is_arn else None

    @property
    def is_federated(self) -> bool:
        """Whether somebody calls who is signed in elsewhere, of no account."""
        return not (self.account or self.is_service or self.principal == ANONYMOUS)

    @property
    def is_service(self) -> bool:
        """Whether an AWS service calls by itself."""
        return self.principal.endswith(".amazonaws.com")

    def follows(self) -> dict[str, Value]:
        """The condition keys that follow from the principal."""
        arn = self.role or self.principal if self.account else None
        service = {True: "true"}.get(self.is_service, "false" if self.account else None)
        values = (arn, self.account, self.account, service)
        return {
            name: value
            for name, value in zip(FOLLOWING, values, strict=True)
            if BY_NAME[name.lower()].service in ("", self.action.partition(":")[0])
            and not (name == "kms:CallerAccount" and self.action in WITHOUT_CALLER_ACCOUNT)
        }

    def may_have(self, key: Key) -> bool:
        """Whether such a call can have this key."""
        return self.action in key.actions and (not key.signed or self.account is not None)


class Draws:
    """Draws requests about one policy or several."""

    def __init__(self, cast: Cast, kind: Kind, policies: Sequence[Document], *, complete: bool = False) -> None:
        """Draw about these policies; if complete, nothing is left unknown."""
        self.cast, self.kind, self.rng = cast, kind, cast.rng
        self._complete = complete
        self.statements: list[dict[str, Any]] = [
            statement for policy in policies for statement in listed(policy["Statement"])
        ]

    def call(self) -> Call:
        """One request, drawn about one of the statements."""
        rng = self.rng
        statement = rng.choice(self.statements)
        principal, role = self._principal(statement)
        action, resource = self._action(statement), self._resource(statement)
        if action in STS and self.kind == "permissions":
            resource = rng.choice([ROLE, *self.cast.roles])
        elif self.kind == "permissions" and ":role/" in resource:
            resource = KEY
        own = rng.choices((None, True, False), (25, 55, 20))[0]
        call = Call(principal, action, resource, {}, own, role)
        return Call(principal, action, resource, self._context(call, statement), own, role)

    def _principal(self, statement: Mapping[str, Any]) -> tuple[str, str | None]:
        rng = self.rng
        if self.kind == "permissions":
            return ROLE, None
        if rng.random() < 0.04:
            return rng.choice((ANONYMOUS, *SERVICES)), None
        one = self._near(rng.choice(self._named(statement)))
        if ":role/" not in one or rng.random() < 0.45:
            return one, None
        return session_of(one, rng.choice(SESSIONS)), one

    def _named(self, statement: Mapping[str, Any]) -> list[str]:
        element = statement.get("Principal", statement.get("NotPrincipal"))
        kinds = element if isinstance(element, dict) else {}
        found = [*listed(kinds.get("AWS", [])), *listed(kinds.get("Service", []))]
        for _, key, values in conditions_of(dict(statement)):
            if key.name == "aws:PrincipalArn":
                found += [matching(value, self.rng) for value in values]
        if not kinds or self.rng.random() < 0.1:
            found = [*self.cast.roles, *self.cast.users, *self.cast.services, ANONYMOUS]
        return found or self.cast.roles

    def _near(self, named: str) -> str:
        """Who is named, or somebody near; of an account, somebody in it."""
        rng = self.rng
        if named in (ANONYMOUS, *SERVICES):
            return named
        parts = re.fullmatch(r"arn:aws:(iam|sts)::([0-9]{12}):(.+)", named)
        account = parts[2] if parts else named
        if not re.fullmatch("[0-9]{12}", account) or "*" in named or "?" in named:
            return rng.choice((*self.cast.roles, *self.cast.users, ANONYMOUS, SERVICES[0]))
        if not parts or parts[3] == "root":
            name = rng.choice(self.cast.names)
            in_it = (f"role/{name}", f"role/{name}", f"user/{name}", "root")
            account = rng.choice((account, account, account, rng.choice(ACCOUNTS)))
            return f"arn:aws:iam::{account}:{rng.choice(in_it)}"
        kind, _, rest = parts[3].partition("/")
        if rng.random() < 0.6 or kind not in ("role", "user", "assumed-role"):
            return named if kind in ("role", "user", "assumed-role") else self.cast.roles[0]
        if kind == "assumed-role":
            name, _, session = rest.partition("/")
            return rng.choice(
                (
                    f"arn:aws:iam::{account}:role/{name}",
                    f"arn:aws:sts::{account}:assumed-role/{name}/{rng.choice(SESSIONS)}",
                    f"arn:aws:sts::{account}:assumed-role/{rng.choice(NAMES)}/{session}",
                )
            )
        name = rest.rpartition("/")[2]
        return rng.choice(
            (
                f"arn:aws:iam::{rng.choice(ACCOUNTS)}:{kind}/{rest}",
                f"arn:aws:iam::{account}:{kind}/{rng.choice(self.cast.names)}",
                f"arn:aws:iam::{account}:{kind}/{_legal(neighbour(name, rng))}",
                f"arn:aws:iam::{account}:{'user' if kind == 'role' else 'role'}/{rest}",
                f"arn:aws:iam::{account}:root",
            )
        )

    def _action(self, statement: Mapping[str, Any]) -> str:
        actions = {"key": KMS, "trust": STS, "permissions": (*KMS, *STS)}[self.kind]
        patterns = listed(statement.get("Action", statement.get("NotAction")))
        of_it = [
            action for action in actions if any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)
        ]
        near = [one for one in actions if any(one.startswith(other) for other in of_it)]
        return self.rng.choice(self.rng.choices((of_it, near, actions), (75, 10, 15))[0] or actions)

    def _resource(self, statement: Mapping[str, Any]) -> str:
        if self.kind != "permissions":
            return {"key": KEY, "trust": ROLE}[self.kind]
        pattern = self.rng.choice(listed(statement.get("Resource", statement.get("NotResource"))) or ["*"])
        fitting = [one for one in (KEY, *KEYS_OF_OTHERS) if fnmatchcase(one, pattern)]
        return self.rng.choice((self.rng.choice(fitting or [KEY]), *KEYS_OF_OTHERS[:2]))

    def _context(self, call: Call, statement: Mapping[str, Any]) -> dict[str, Value]:
        context: dict[str, Value] = {}
        for one in (statement, *self.statements):
            for operator, key, values in conditions_of(dict(one)):
                names = [key.name, *_variables(values)]
                for name in names:
                    if name not in context and name not in FOLLOWING:
                        self._add(context, call, key_of(name), operator, values)
        return self.about_resource(context)

    def about_resource(self, context: dict[str, Value]) -> dict[str, Value]:
        """A context that says of a key the Region where it is, and of no other."""
        return {**context, **{name: "us-east-1" for name in context if name == REGION and self.kind == "key"}}

    def _add(self, context: dict[str, Value], call: Call, key: Key, operator: str, values: list[str]) -> None:
        rng = self.rng
        drawn = rng.random()
        if not call.may_have(key) or drawn < 0.17:
            context[key.name] = None
        elif drawn < 0.97 or self._complete:
            of_it = self.value(context, call, key, operator, values)
            more = [rng.choice(key.values) for _ in range(rng.choice((0, 0, 1)))]
            context[key.name] = (of_it, *more) if key.several else of_it

    def value(self, context: Mapping[str, Value], call: Call, key: Key, operator: str, values: Sequence[str]) -> str:
        """A value for a key out of the values of a condition."""
        rng = self.rng
        own = [value for value in values if key.type not in ("numeric",) or value.isdigit()]
        if not own or operator == "Null" or rng.random() < 0.08:
            return rng.choice(key.values or self.cast.roles)
        known = {**context, **call.follows()}
        one = VARIABLE.sub(lambda at: _text(known.get(key_of(at[1]).name)), rng.choice(own))
        return about(operator, one, rng)


def _text(value: Value) -> str:
    return value if isinstance(value, str) else "none"


def _variables(values: Sequence[str]) -> list[str]:
    return [key_of(at[1]).name for value in values for at in VARIABLE.finditer(value)]


def _legal(name: str) -> str:
    return re.sub(r"[^\w+=,.@-]", "", name) or "Empty"
