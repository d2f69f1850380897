"""What a template lets a role do by policies of the role's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from cmek_construct.guardrails.intrinsics import is_unreadable
from cmek_construct.guardrails.policies import Policy, read
from cmek_construct.guardrails.template import Resource, Template

_POLICIES: Final = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy")


@dataclass(frozen=True)
class Permission:
    """One policy of a role."""

    logical_id: str
    """Of the resource that gives it to the role."""
    name: str
    policy: Policy | None
    """None where the template does not show it."""


def permissions_of(template: Template, role: Resource) -> Iterator[Permission]:
    """Every policy of a role: inline, managed, and attached by the policy itself."""
    for inline in _listed(role.properties.get("Policies")):
        document = inline.get("PolicyDocument", []) if isinstance(inline, dict) else []
        name = template.texts.of(inline.get("PolicyName")) if isinstance(inline, dict) else "?"
        yield Permission(role.logical_id, name, read(document, template.texts))
    managed = frozenset(template.texts.all_of(role.properties.get("ManagedPolicyArns", [])))
    shown_here = set()
    for policy in template.of_type(*_POLICIES):
        own = f"${{{policy.logical_id}}}"
        roles = _roles_of(template, policy)
        if own in managed or _names(template, role) & roles:
            shown_here.add(own)
            yield _by(policy, template)
        elif any(_may_be_any(template, one) for one in roles):
            unknown = tuple(f"a policy for {one}" for one in sorted(roles))
            yield Permission(policy.logical_id, policy.logical_id, Policy((), unknown))
    for arn in sorted(managed - shown_here):
        yield Permission(role.logical_id, arn, None)


def _by(policy: Resource, template: Template) -> Permission:
    document = policy.properties.get("PolicyDocument")
    return Permission(policy.logical_id, policy.logical_id, read(document, template.texts))


def _names(template: Template, role: Resource) -> set[str]:
    """In lower case: IAM knows no difference."""
    name = template.text(role, "RoleName") or ""
    return {f"${{{role.logical_id}}}".lower(), name.lower()} - {""}


def _may_be_any(template: Template, name: str) -> bool:
    return is_unreadable(name) or any(f"${{{one}}}".lower() in name for one in template.parameters)


def _roles_of(template: Template, policy: Resource) -> set[str]:
    named = policy.properties.get("Roles", policy.properties.get("RoleName", []))
    return {one.lower() for one in template.texts.all_of(named)}


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
