"""The role, key and alias of Pinecone's, as they stand in a template that the page shows."""

from __future__ import annotations

from dataclasses import dataclass, field

from cmek_construct.guardrails.permissions import Permission
from cmek_construct.guardrails.policies import Policy
from cmek_construct.guardrails.template import Resource


@dataclass(frozen=True)
class Role:
    """A role that Pinecone assumes."""

    resource: Resource
    trust: Policy
    arns: frozenset[str]
    """The texts by which a policy may name it."""
    permissions: tuple[Permission, ...]


@dataclass(frozen=True)
class Key:
    """A key that Pinecone encrypts with, or a replica of one."""

    resource: Resource
    policy: Policy
    role_arns: frozenset[str] = frozenset()
    """The texts that stand for the roles that Pinecone assumes."""
    vendor_role_arns: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Alias:
    """An alias of such a key."""

    resource: Resource
    name: str
    target: str
    belongs_to: str | None
    """The logical ID of the key that it was made with, where that is seen."""


@dataclass(frozen=True)
class Ours:
    """What is Pinecone's in one template."""

    roles: list[Role] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
