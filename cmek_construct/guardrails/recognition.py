"""The role, key and alias of Pinecone's in a template, known by what they are.

Whoever made them: a construct of ours, an aspect, an override, or hand-written JSON. Everything
else in the template is left alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from cmek_construct.guardrails.intrinsics import REFERENCE
from cmek_construct.guardrails.permissions import permissions_of
from cmek_construct.guardrails.policies import Policy, read
from cmek_construct.guardrails.subjects import Alias, Key, Ours, Role
from cmek_construct.guardrails.template import KEYS, Resource, Template
from cmek_construct.guardrails.unread import unread
from cmek_construct.guide import KeyAccess, role_statements

LOOK_ALIKE: Final = re.compile(r"pine[-_]?cone[^:\"]*(cmek|cmk)", re.IGNORECASE)
"""What calls itself Pinecone's CMEK, or comes near it."""
_ACCESS_LOOK_ALIKE: Final = re.compile(r"pine[-_]?cone[-_]*(cmek|cmk)[-_]*acc", re.IGNORECASE)
_ALIAS: Final = re.compile(r"alias/pine[-_]?cone[-_]?cmek/", re.IGNORECASE)
_ALIAS_OF_PINECONE_KEY: Final = re.compile(r"(\w+)PineconeAlias[0-9A-F]{8}")
_GUIDE_SID: Final = "AllowPineconeToAssumeIntoRole"
_KEY_USE_SIDS: Final = tuple(one["Sid"] for one in role_statements("", KeyAccess.KEY_USER))
_CONSOLE: Final = "Pinecone console"
"""Our outputs say that their value goes there."""


def recognize(
    template: Template,
    vendor_role_arns: Iterable[str] = (),
    other_role_arns: Iterable[str] = (),
    *,
    keys_are_elsewhere: bool = False,
) -> Ours:
    """What is Pinecone's in a template.

    Args:
        template: the template.
        vendor_role_arns: roles of other accounts that were declared.
        other_role_arns: roles that Pinecone assumes, of other templates.
        keys_are_elsewhere: whether one of those has no key in its own template.
    """
    vendors, others = frozenset(vendor_role_arns), frozenset(other_role_arns)
    carried = {one.value for one in template.outputs if _CONSOLE in one.description}
    roles = [_role(template, one) for one in template.of_type("AWS::IAM::Role")]
    keys = [_key(template, one) for one in template.of_type(*KEYS)]
    known_roles = {_id(role) for role in roles if _speaks_of_pinecone(role) or role.arns & carried}
    arns = others | vendors | _arns_of(roles, known_roles)
    known_keys = {
        _id(key)
        for key in keys
        if _names(key.policy, arns) or _lets_pinecone_in(key) or _ids(key) & carried
    }
    aliases = _aliases(template, keys)
    known_keys |= _named_by(aliases, keys, known_keys)
    users = set(_users(key for key in keys if _id(key) in known_keys))
    named = set(_named(key for key in keys if _id(key) in known_keys))
    known_roles |= {
        _id(role)
        for role in roles
        if role.arns & users or (role.arns & named and _is_open_to_others(role, template))
    }
    arns = others | _arns_of(roles, known_roles)
    known_keys |= {_id(key) for key in keys if _names(key.policy, arns)}
    if known_roles or keys_are_elsewhere:
        known_keys |= unread(template, keys, known_keys)
    known_keys |= _replicas(template, keys, known_keys)
    ours = [
        replace(key, role_arns=arns, vendor_role_arns=vendors)
        for key in keys
        if _id(key) in known_keys
    ]
    return Ours([role for role in roles if _id(role) in known_roles], ours, aliases)


def _id(one: Role | Key) -> str:
    return one.resource.logical_id


def _arns_of(roles: list[Role], known: set[str]) -> frozenset[str]:
    return frozenset(arn for role in roles if _id(role) in known for arn in role.arns)


def _role(template: Template, resource: Resource) -> Role:
    return Role(
        resource,
        read(resource.properties.get("AssumeRolePolicyDocument"), template.texts),
        frozenset(_arns(template, resource)),
        tuple(permissions_of(template, resource)),
    )


def _arns(template: Template, resource: Resource) -> Iterator[str]:
    path = template.text(resource, "Path") or "/"
    name = template.text(resource, "RoleName")
    yield f"${{{resource.logical_id}.Arn}}"
    for one in (f"${{{resource.logical_id}}}", name):
        if one is not None:
            for account in {template.account, *template.owners}:
                yield f"arn:aws:iam::{account}:role{path}{one}"
                yield f"arn:aws:iam::{account}:role/{one}"


def _key(template: Template, resource: Resource) -> Key:
    return Key(resource, read(resource.properties.get("KeyPolicy"), template.texts))


def _speaks_of_pinecone(role: Role) -> bool:
    """By its trust policy: the guide's Sids, or who comes in."""
    return any(
        _GUIDE_SID.lower() in statement.sid.lower() for statement in role.trust.statements
    ) or _speaks_of(
        LOOK_ALIKE, role.trust, role.resource.properties.get("AssumeRolePolicyDocument")
    )


def _lets_pinecone_in(key: Key) -> bool:
    """By its policy, past the role."""
    return _speaks_of(_ACCESS_LOOK_ALIKE, key.policy, key.resource.properties.get("KeyPolicy"))


def _speaks_of(pattern: re.Pattern[str], policy: Policy, document: Any) -> bool:
    """Whether a policy speaks of a name: in what can be read, and else anywhere."""
    texts = [
        text
        for statement in policy.statements
        for text in (
            *(one.name for one in (*statement.principals, *statement.not_principals)),
            *(value for condition in statement.conditions for value in condition.values),
        )
    ]
    if policy.unreadable or any(statement.unreadable for statement in policy.statements):
        texts.append(json.dumps(document, default=str))
    return any(pattern.search(re.sub(REFERENCE, "", text)) for text in texts)


def _ids(key: Key) -> frozenset[str]:
    """The texts by which an alias or an output may name a key."""
    own = _id(key)
    return frozenset({f"${{{own}}}", f"${{{own}.Arn}}", f"${{{own}.KeyId}}"})


def _names(policy: Policy, arns: frozenset[str]) -> bool:
    return any(one.arn in arns for each in policy.statements for one in each.principals)


def _users(keys: Iterable[Key]) -> Iterator[str]:
    """Those whom keys of ours let in as the console's key users."""
    for key in keys:
        for statement in key.policy.allowing:
            if statement.sid.startswith(_KEY_USE_SIDS):
                yield from (principal.name for principal in statement.principals)


def _named(keys: Iterable[Key]) -> Iterator[str]:
    return (
        principal.arn
        for key in keys
        for statement in key.policy.allowing
        for principal in statement.principals
    )


def _is_open_to_others(role: Role, template: Template) -> bool:
    """Whether somebody beyond the account, and beyond AWS services, may assume a role."""
    own = re.compile(rf"arn:aws:(iam|sts)::{re.escape(template.account)}:.+")
    return any(
        principal.kind == "AWS"
        and principal.name not in (template.account, *template.people)
        and not own.fullmatch(principal.name)
        for statement in role.trust.allowing
        for principal in statement.principals
    )


def _replicas(template: Template, keys: list[Key], known: set[str]) -> set[str]:
    texts = {text for key in keys if _id(key) in known for text in _ids(key)}
    return {_id(key) for key in keys if template.text(key.resource, "PrimaryKeyArn") in texts}


def _aliases(template: Template, keys: list[Key]) -> list[Alias]:
    """The aliases that call themselves Pinecone's, or are the alias of a `PineconeKey`."""
    made = {re.sub(r"[0-9A-F]{8}$", "", _id(key)): _id(key) for key in keys}
    found = []
    for one in template.of_type("AWS::KMS::Alias"):
        name = template.text(one, "AliasName") or ""
        name = template.defaults.get(name[2:-1], name)
        of_ours = _ALIAS_OF_PINECONE_KEY.fullmatch(one.logical_id)
        belongs_to = made.get(of_ours[1]) if of_ours else None
        if belongs_to or _ALIAS.match(name):
            found.append(Alias(one, name, template.text(one, "TargetKeyId") or "", belongs_to))
    return found


def _named_by(aliases: list[Alias], keys: list[Key], known: set[str]) -> set[str]:
    """The keys that are ours by their alias, if it is not one that a known key has lost."""
    targets = {alias.target for alias in aliases}
    if any(_id(key) in known and not _ids(key) & targets for key in keys):
        return set()
    targets = {alias.target for alias in aliases if alias.belongs_to is None}
    made = {alias.belongs_to for alias in aliases}
    return {_id(key) for key in keys if _ids(key) & targets or _id(key) in made}
