"""Who may assume the role: the guide's three trust policies, and nothing beside them.

Step 1.5 of the guide. Conditions of one statement must all hold, so one more of them lets nobody in
who was out; a denial lets nobody in either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cmek_construct.checks import REGION
from cmek_construct.guardrails.intrinsics import REFERENCE, is_unreadable
from cmek_construct.guardrails.policies import Principal, Statement, shown
from cmek_construct.guardrails.recognition import LOOK_ALIKE
from cmek_construct.guardrails.rule import Finding
from cmek_construct.guardrails.subjects import Role
from cmek_construct.guide import ROLE_NAME_PREFIX

_ACCOUNT: Final = rf"(?P<account>[0-9]{{12}}|{REFERENCE})"
_ROLES: Final = rf"arn:aws:iam::{_ACCOUNT}:role/{ROLE_NAME_PREFIX}"
PINECONES_ROLE: Final = re.compile(rf"{_ROLES}({REGION.pattern}|{REFERENCE})")
PINECONES_ROLES: Final = re.compile(rf"{_ROLES}\*")
_WHOLE_ACCOUNT: Final = re.compile(rf"arn:aws:iam::{_ACCOUNT}:root|(?P<bare>[0-9]{{12}})")
_OTHER_PARTITION: Final = re.compile(r"arn:aws-[a-z-]+:")
EXTERNAL_ID: Final = "sts:externalid"
PRINCIPAL_ARN: Final = "aws:principalarn"


def entrance(role: Role) -> Statement | None:
    """The statement that lets Pinecone in: the first that speaks of it, or the first of all."""
    allowing = role.trust.allowing
    about = [one for one in allowing if LOOK_ALIKE.search(_who(one)) or "Pinecone" in one.sid]
    return next(iter(about or allowing), None)


def _who(statement: Statement) -> str:
    names = [one.name for one in (*statement.principals, *statement.not_principals)]
    return " ".join([*names, *(v for one in statement.on(PRINCIPAL_ARN) for v in one.values)])


def _entrances(role: Role) -> Iterator[Statement]:
    statement = entrance(role)
    if statement is not None:
        yield statement


def is_whole_account(principal: Principal) -> bool:
    """Whether a principal is everybody, or every role and user of an account."""
    found = principal.name == "*" or _WHOLE_ACCOUNT.fullmatch(principal.name)
    return principal.kind == "AWS" and bool(found)


def is_open(statement: Statement) -> bool:
    """Whether conditions alone say who comes in, as in the guide's third policy."""
    return any(map(is_whole_account, statement.principals))


def _strangers(role: Role) -> Iterator[Principal]:
    """The principals that are neither Pinecone's roles nor everybody."""
    for statement in _entrances(role):
        for principal in statement.principals:
            known = principal.kind == "AWS" and PINECONES_ROLE.fullmatch(principal.name)
            if not known and not is_whole_account(principal) and not is_unreadable(principal.name):
                yield principal


def _looks_alike(principal: Principal) -> bool:
    return principal.kind == "AWS" and LOOK_ALIKE.search(principal.name) is not None


def foreign_principal(role: Role) -> Iterator[Finding]:
    """Somebody who is not Pinecone, nor looks like it."""
    for one in _strangers(role):
        if not _looks_alike(one):
            yield Finding(
                f"The trust policy names {one.kind} {shown(one.name)}, which is none of Pinecone's "
                "roles.",
                f"{shown(one.name)} could assume the role and decrypt what Pinecone stores.",
            )


def look_alike(role: Role) -> Iterator[Finding]:
    """A role that is called nearly as Pinecone's."""
    for one in _strangers(role):
        if _looks_alike(one) and not _OTHER_PARTITION.match(one.name):
            yield Finding(
                f"The trust policy names {shown(one.name)}, which looks like one of Pinecone's "
                f"roles and is not called {ROLE_NAME_PREFIX}<region>.",
                "Whoever makes a role of this name could assume the role; Pinecone could not.",
            )


def other_partition(role: Role) -> Iterator[Finding]:
    """A role of another AWS partition."""
    for one in _strangers(role):
        if _looks_alike(one) and _OTHER_PARTITION.match(one.name):
            yield Finding(
                f"The trust policy names {shown(one.name)}, in another partition than aws, where "
                "Pinecone is.",
                "An account of that partition, which is not Pinecone's, would be trusted.",
            )


def open_to_all(role: Role) -> Iterator[Finding]:
    """Everybody, or a whole account, without both conditions of the guide's third policy."""
    for statement in _entrances(role):
        missing = [
            key for key in ("sts:ExternalId", "aws:PrincipalArn") if not statement.asks(key.lower())
        ]
        if is_open(statement) and missing:
            names = shown(*(one.name for one in statement.principals if is_whole_account(one)))
            yield Finding(
                f"The trust policy lets in {names} without a condition on {' and '.join(missing)}.",
                "Everybody there could assume the role."
                if "aws:PrincipalArn" in missing
                else "Pinecone could be made to use the role for another of its customers.",
            )


def accounts(role: Role) -> Iterator[Finding]:
    """More than one account in the place of Pinecone's."""
    for statement in _entrances(role):
        found = sorted(set(accounts_in(statement)))
        if len(found) > 1:
            yield Finding(
                f"The trust policy names {len(found)} accounts as Pinecone's: {shown(*found)}.",
                "Roles of Pinecone's names in an account that is not Pinecone's could assume the "
                "role.",
            )


def own_account(role: Role) -> Iterator[Finding]:
    """The account of the role itself in the place of Pinecone's."""
    for statement in _entrances(role):
        if role.account in accounts_in(statement):
            yield Finding(
                f"The trust policy names {shown(role.account)}, the account of the role itself, as "
                "Pinecone's.",
                "Your own roles of Pinecone's names could assume the role; Pinecone could not.",
            )


def accounts_in(statement: Statement) -> Iterator[str]:
    """The accounts in the place of Pinecone's."""
    for one in statement.principals:
        found = PINECONES_ROLE.fullmatch(one.name) or _WHOLE_ACCOUNT.fullmatch(one.name)
        if one.kind == "AWS" and found:
            yield found["account"] or found["bare"]
    for condition in statement.on(PRINCIPAL_ARN) if is_open(statement) else []:
        for value in condition.values:
            pattern = PINECONES_ROLES.fullmatch(value) or PINECONES_ROLE.fullmatch(value)
            if pattern:
                yield pattern["account"]


def action(role: Role) -> Iterator[Finding]:
    """Anything else than ``sts:AssumeRole``."""
    for statement in _entrances(role):
        for one in statement.actions:
            if one.lower() != "sts:assumerole" and not is_unreadable(one):
                yield Finding(
                    f"The trust policy allows {shown(one)}, not sts:AssumeRole alone.",
                    "Who is let in could do more than to assume the role, such as tag its "
                    "sessions or come with a web identity.",
                )


def not_element(role: Role) -> Iterator[Finding]:
    """``NotPrincipal``, ``NotAction`` and what no trust policy has."""
    for statement in _entrances(role):
        for name in ("NotPrincipal", "NotAction", "Resource", "NotResource"):
            if name in statement.members:
                yield Finding(
                    f"The trust policy has {name} in an Allow, which none of the guide's has.",
                    "NotPrincipal and NotAction allow everybody and everything but what they name.",
                )


def second_statement(role: Role) -> Iterator[Finding]:
    """An Allow beside the one that lets Pinecone in."""
    for statement in role.trust.allowing:
        if statement is not entrance(role):
            names = shown(*(f"{one.kind} {one.name}" for one in statement.principals))
            yield Finding(
                f"The trust policy has a second Allow, {statement.name}, for {names or 'anybody'}.",
                "It is another door to the role, whatever the first one asks for.",
            )
