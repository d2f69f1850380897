"""What rules judge: the role, key and alias of Pinecone's, as they stand in a template."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

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
    parameters: frozenset[str] = frozenset()
    """Those that may stand for Pinecone's account or the external ID."""


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
    others: tuple[dict[str, str], ...] = ()
    """The properties in other cases of the template's conditions."""

    @property
    def cases(self) -> list[Key]:
        """The key in every case."""
        return [self, *(replace(self, properties=one) for one in self.others)]

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
class Naming:
    """A policy of another resource that allows something to a role of Pinecone's."""

    resource: Resource
    member: str
    actions: tuple[str, ...]


@dataclass(frozen=True)
class Pasted:
    """A value of the outputs that goes to Pinecone's console."""

    resource: Resource
    """A role or key that it should name."""
    label: str
    value: str
    is_own: bool


@dataclass(frozen=True)
class Ours:
    """What is Pinecone's in one template."""

    roles: list[Role] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
    attached: list[Attached] = field(default_factory=list)
    naming: list[Naming] = field(default_factory=list)
    pasted: list[Pasted] = field(default_factory=list)

    @property
    def all(self) -> list[Role | Key | Alias | Attached | Naming | Pasted]:
        """Everything, in this order."""
        found = (self.roles, self.keys, self.aliases, self.attached, self.naming, self.pasted)
        return [one for each in found for one in each]
