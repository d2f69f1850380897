"""Draws key policies, trust policies and permissions policies."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tests.policies.conditions import VARIABLE, draw_condition
from tests.policies.vocabulary import (
    CRYPTOGRAPHIC,
    KEY,
    KEYS_OF_OTHERS,
    KMS,
    OWNER,
    ROLE,
    SESSIONS,
    STS,
    Cast,
    other_case,
    session_of,
)

Kind = Literal["key", "trust", "permissions"]
Statement = dict[str, Any]
Document = dict[str, Any]
VERSION: Final = "2012-10-17"


@dataclass(frozen=True)
class Generated:
    """A policy in canonical notation, with what its holes may be."""

    kind: Kind
    document: Document
    holes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By name: that which the policy was made with, and others."""

    @property
    def resource(self) -> str | None:
        """What it is attached to."""
        return {"key": KEY, "trust": ROLE, "permissions": None}[self.kind]

    def filled(self, values: Mapping[str, str]) -> Document:
        """The policy with values in its holes, still in canonical notation."""
        text = json.dumps(self.document)
        for name, value in values.items():
            text = text.replace(f"${{{name}}}", value)
        document: Document = json.loads(text)
        return document

    def concrete(self, values: Mapping[str, str]) -> Document:
        """The policy as AWS has it once its holes are known."""
        text = json.dumps(self.filled(values))
        document: Document = json.loads(VARIABLE.sub(r"${\1}", text))
        return document

    @property
    def made_with(self) -> dict[str, str]:
        """What its holes were before they were holes."""
        return {name: values[0] for name, values in self.holes.items()}


def draw_policy(cast: Cast, kind: Kind | None = None) -> Generated:
    """A policy of a cast."""
    rng = cast.rng
    kind = kind or rng.choices(("key", "trust", "permissions"), (6, 3, 2))[0]
    statements = [draw_statement(cast, kind, n == 0) for n in range(rng.choice((1, 2, 2, 3, 4)))]
    document: Document = {"Version": VERSION, "Statement": statements}
    if rng.random() < 0.1:
        document = rng.choice(({"Statement": statements}, {"Version": "2008-10-17", "Statement": statements}))
    if len(statements) == 1 and rng.random() < 0.2:
        document["Statement"] = statements[0]
    return Generated(kind, document)


def draw_statement(cast: Cast, kind: Kind, allows: bool = False) -> Statement:
    """A statement: narrow or wide in each of its elements."""
    rng = cast.rng
    effect = "Allow" if allows or rng.random() < 0.6 else "Deny"
    statement: Statement = {"Effect": effect}
    if kind != "permissions":
        negated = rng.random() < (0.1 if effect == "Deny" else 0.02)
        statement["NotPrincipal" if negated else "Principal"] = draw_principal(cast, effect)
    negated = rng.random() < 0.1
    statement["NotAction" if negated else "Action"] = _listed(rng, lambda: draw_action(rng, kind), 1 if negated else 3)
    if kind != "trust":
        negated = rng.random() < 0.06
        statement["NotResource" if negated else "Resource"] = _listed(rng, lambda: draw_resource(cast, kind), 1)
    if rng.random() < 0.6:
        condition = draw_condition(cast, rng.choice((1, 1, 1, 2, 3)))
        if condition or rng.random() < 0.5:
            statement["Condition"] = condition
    elif rng.random() < 0.02:
        statement["Condition"] = {}
    return statement


def _listed(rng: random.Random, draw: Callable[[], str], about: int) -> Any:
    if rng.random() < 0.01:
        return []
    some = [draw() for _ in range(max(1, about + rng.choice((-1, 0, 0, 1, 2))))]
    return some[0] if len(some) == 1 and rng.random() < 0.5 else some


def draw_principal(cast: Cast, effect: str) -> Any:
    """Whom a statement names."""
    rng = cast.rng
    if rng.random() < 0.15:
        return rng.choice(("*", {"AWS": "*"}, {"AWS": ["*"]}))
    if rng.random() < 0.01:
        return rng.choice(({"AWS": []}, {"Service": []}))
    kinds: dict[str, Any] = {}
    if rng.random() < 0.12:
        kinds["Service"] = rng.choice((rng.choice(cast.services), list(cast.services)))
    if rng.random() < 0.04:
        kinds["Federated"] = rng.choice((f"arn:aws:iam::{OWNER}:saml-provider/Okta", "accounts.google.com"))
    if not kinds or rng.random() < 0.8:
        kinds["AWS"] = _listed(rng, lambda: draw_aws_principal(cast), 2)
    return kinds


def draw_aws_principal(cast: Cast) -> str:
    """An account, a role, a user, a session, all, or nobody."""
    rng = cast.rng
    kind = rng.choices(
        ("account", "root", "role", "session", "user", "id", "wild", "star"), (1.5, 2.5, 6, 1, 1.2, 0.3, 0.15, 0.3)
    )[0]
    account, role = rng.choice(cast.accounts), rng.choice(cast.roles)
    return {
        "account": account,
        "root": f"arn:aws:iam::{account}:root",
        "role": role,
        "session": session_of(role, rng.choice(SESSIONS)),
        "user": rng.choice(cast.users),
        "id": rng.choice(("AROAEXAMPLEEXAMPLE12", "AIDAEXAMPLEEXAMPLE12")),
        "wild": rng.choice((role[:-2] + "*", f"arn:aws:iam::{account}:role/*")),
        "star": "*",
    }[kind]


def draw_action(rng: random.Random, kind: Kind) -> str:
    """An action, in other cases of letters at times, or a pattern."""
    actions: tuple[str, ...] = STS if kind == "trust" else KMS
    if kind == "permissions" and rng.random() < 0.25:
        actions = STS
    action = rng.choice(CRYPTOGRAPHIC if actions is KMS and rng.random() < 0.6 else actions)
    drawn = rng.random()
    if drawn < 0.12:
        action = rng.choice(("*", action.partition(":")[0] + ":*", action.partition(":")[0] + ":*"))
    elif drawn < 0.35:
        service, _, name = action.partition(":")
        start = rng.randrange(1, len(name) + 1)
        action = f"{service}:" + rng.choice(
            (name[:start] + "*", "*" + name[start:], name[: start - 1] + "?" + name[start:])
        )
    return other_case(action, rng) if rng.random() < 0.1 else action


def draw_resource(cast: Cast, kind: Kind) -> str:
    """What a statement is about: mostly the key itself, or a pattern of keys or roles."""
    rng = cast.rng
    if kind == "key" and rng.random() < 0.75:
        return "*"
    one = rng.choice((KEY, KEY, *KEYS_OF_OTHERS))
    drawn = rng.random()
    if kind == "permissions" and drawn < 0.3:
        return rng.choice(("*", rng.choice((ROLE, *cast.roles)), f"arn:aws:iam::{OWNER}:role/*"))
    region, account = rng.choice(("*", "us-east-1", "us-*")), one.split(":")[4]
    return rng.choice(
        (
            one,
            one,
            f"arn:aws:kms:{region}:{account}:key/*",
            f"arn:aws:kms:*:{rng.choice((account, '*'))}:key/{one[-36:-4]}????",
            f"arn:aws:kms:{region}:{account}:*",
        )
    )
