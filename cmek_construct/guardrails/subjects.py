"""What rules judge: the role, key and alias of Pinecone's, as they stand in a template."""

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
    account: str
    max_session: str | None
    external_ids: frozenset[str] = frozenset()
    """What the outputs give as its external ID."""


@dataclass(frozen=True)
class Key:
    """A key that Pinecone encrypts with, or a replica of one."""

    resource: Resource
    policy: Policy
    properties: dict[str, str]
    """The properties that are read, as texts."""
    owner: str
    """The account that owns it."""
    people: frozenset[str]
    """The texts that stand for roles and users of the owner's."""
    role_arns: frozenset[str] = frozenset()
    """The texts that stand for the roles that Pinecone assumes."""
    vendor_role_arns: frozenset[str] = frozenset()

    @property
    def is_replica(self) -> bool:
        """Whether it is a copy of a key of another Region."""
        return self.resource.type == "AWS::KMS::ReplicaKey"


@dataclass(frozen=True)
class Alias:
    """An alias of such a key."""

    resource: Resource
    name: str
    target: str
    belongs_to: str | None
    """The logical ID of the key that it was made with, where that is seen."""
    is_of_key: bool = True
    """Whether its target is the key that it belongs to."""


@dataclass(frozen=True)
class Attached:
    """A policy that a template attaches to a role of Pinecone's of another template."""

    resource: Resource
    permission: Permission
    account: str


@dataclass(frozen=True)
class Ours:
    """What is Pinecone's in one template."""

    roles: list[Role] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
    attached: list[Attached] = field(default_factory=list)

    @property
    def all(self) -> list[Role | Key | Alias | Attached]:
        """Everything, in this order."""
        return [*self.roles, *self.keys, *self.aliases, *self.attached]
