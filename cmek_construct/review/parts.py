"""From a template that the guardrails recognized to what is shown: roles, keys, statements."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from cmek_construct.guardrails.intrinsics import Texts, function_of, is_no_value
from cmek_construct.guardrails.permissions import Permission
from cmek_construct.guardrails.subjects import Key, Ours, Role
from cmek_construct.guardrails.template import Resource, Template
from cmek_construct.review.seen import AliasSeen, KeySeen, Part, Policy, RoleSeen, Said
from cmek_construct.review.snippets import ROOT, USE

_POLICIES: Final = ("AssumeRolePolicyDocument", "Policies", "KeyPolicy")
_KEPT: Final = ("Retain", "RetainExceptOnCreate")


def parts_of(template: Template, found: Ours, account: str | None) -> list[Part]:
    """Each role of Pinecone's with the keys that name it, then the keys that name none.

    Args:
        template: the template.
        found: what in it is Pinecone's.
        account: the number of its account, where it is known.
    """
    keys = {key.resource.logical_id: _key(template, key, found, account) for key in found.keys}
    of_role = _keys_of_roles(found)
    parts = []
    taken: set[str] = set()
    for role in found.roles:
        own = [one for one in of_role.get(role.resource.logical_id, []) if one not in taken]
        taken.update(own)
        parts.append(Part(_role(template, role, account), [keys[one] for one in own]))
    return parts + [Part(None, [key]) for name, key in keys.items() if name not in taken]


def _keys_of_roles(found: Ours) -> dict[str, list[str]]:
    by_arn = {arn: role.resource.logical_id for role in found.roles for arn in role.arns}
    keys: dict[str, list[str]] = {}
    for key in found.keys:
        named = {
            by_arn[one.name]
            for statement in key.policy.statements
            for one in statement.principals
            if one.name in by_arn
        }
        for role in sorted(named):
            keys.setdefault(role, []).append(key.resource.logical_id)
    return keys


def _role(template: Template, role: Role, account: str | None) -> RoleSeen:
    document = role.resource.properties.get("AssumeRolePolicyDocument")
    return RoleSeen(
        logical_id=role.resource.logical_id,
        retained=_is_retained(role.resource),
        properties=_properties(template, role.resource),
        names=role.arns,
        trust=Policy(
            "Trust policy",
            _said(document, template.texts, "trust", account, role.arns),
            role.resource.logical_id,
        ),
        permissions=[_permission(template, role, one, account) for one in role.permissions],
    )


def _permission(
    template: Template, role: Role, permission: Permission, account: str | None
) -> Policy:
    title = f"Permissions: {permission.name}"
    if permission.policy is None:
        return Policy(f"{title} (its text is not in the template)", [], permission.logical_id)
    document: Any = None
    if permission.logical_id == role.resource.logical_id:
        for one, _ in _alternatives(role.resource.properties.get("Policies", []), None):
            if (
                isinstance(one, dict)
                and template.texts.of(one.get("PolicyName")) == permission.name
            ):
                document = one.get("PolicyDocument")
    else:
        (resource,) = (one for one in template.resources if one.logical_id == permission.logical_id)
        document = resource.properties.get("PolicyDocument")
    said = _said(document, template.texts, "permissions", account, role.arns)
    return Policy(title, said, permission.logical_id)


def _key(template: Template, key: Key, found: Ours, account: str | None) -> KeySeen:
    own = key.resource.logical_id
    aliases = [
        AliasSeen(one.resource.logical_id, one.name, one.target, _is_kept(one.resource, True))
        for one in found.aliases
        if one.target in {f"${{{own}}}", f"${{{own}.Arn}}", f"${{{own}.KeyId}}"}
    ]
    document = key.resource.properties.get("KeyPolicy")
    said = _said(document, template.texts, "key", account, key.role_arns | key.vendor_role_arns)
    snippets = [one.comparison.snippet for one in said]
    missing = tuple(one for one in (ROOT, USE) if one not in snippets)
    return KeySeen(
        logical_id=own,
        retained=_is_retained(key.resource),
        properties=_properties(template, key.resource),
        policy=Policy("Key policy", said, own, missing),
        aliases=aliases,
    )


def _is_retained(resource: Resource) -> bool:
    return _is_kept(resource, deletion_alone=False)


def _is_kept(resource: Resource, deletion_alone: bool) -> bool:
    """On deletion; and on replacement, where that is asked too."""
    on_deletion = resource.raw.get("DeletionPolicy") in _KEPT
    return on_deletion and (deletion_alone or resource.raw.get("UpdateReplacePolicy") == "Retain")


def _properties(template: Template, resource: Resource) -> dict[str, Any]:
    return {
        name: canonical(value, template.texts)
        for name, value in resource.properties.items()
        if name not in _POLICIES
    }


def canonical(value: Any, texts: Texts) -> Any:
    """JSON of a template with CloudFormation's functions as text."""
    if isinstance(value, list):
        return [canonical(one, texts) for one in value if not is_no_value(one)]
    if isinstance(value, dict) and function_of(value) is None:
        return {
            str(name): canonical(one, texts) for name, one in value.items() if not is_no_value(one)
        }
    return texts.of(value) if isinstance(value, str | dict) else value


def _said(
    document: Any, texts: Texts, kind: str, account: str | None, roles: frozenset[str]
) -> list[Said]:
    """The statements of a policy document; of one that is no object, its text as it is."""
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except (ValueError, RecursionError):
            document = {"Statement": [{"Effect": document}]}
    if not isinstance(document, dict) or function_of(document) is not None:
        document = {"Statement": [{"Effect": canonical(document, texts)}]}
    found: list[Said] = []
    for statement, when in _alternatives(document.get("Statement", []), None):
        said = canonical(statement, texts)
        second = kind == "trust" and any(not one.denies for one in found)
        one = Said(said if isinstance(said, dict) else {"Effect": said}, kind, account, when, roles)
        found.append(replace(one, is_second=second and not one.denies))
    return found


def _alternatives(value: Any, when: str | None) -> Iterator[tuple[Any, str | None]]:
    """Each statement that may stand there, and the condition that it stands under."""
    for one in value if isinstance(value, list) else [value]:
        function = function_of(one)
        if function and function[0] == "Fn::If" and isinstance(function[1], list) and function[1]:
            name, *both = function[1]
            for words, branch in zip((f"{name}", f"not {name}"), both, strict=False):
                yield from _alternatives(branch, words if when is None else f"{when}, {words}")
        elif not is_no_value(one):
            yield one, when
