"""A stack, a role and a key as AWS shows them: plain data, of which each part may be unread.

What could not be read is a value, `Unread`: it never looks like what is right, or like nothing.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, TypeAlias

ROTATION_DAYS: Final = 365  # KMS's rotation period where none is asked for
NEEDED: Final = {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "KeyManager": "CUSTOMER"}  # by Pinecone
SESSION_SECONDS: Final = 3600  # how long a session of a role may last where nothing is asked for
_WHOLE: Final = re.compile(r"(CREATE|(UPDATE|IMPORT)(_ROLLBACK)?)_COMPLETE(_CLEANUP_IN_PROGRESS)?")

Statements: TypeAlias = Sequence[Any]


@dataclass(frozen=True)
class Unread:
    """Something that could not be read."""

    why: str  # in words, without advice
    needs: str = "read it"  # what one must be allowed, to read it


class Resource(NamedTuple):
    logical_id: str
    type: str
    physical_id: str


@dataclass(frozen=True)
class Stack:
    status: str
    outputs: Mapping[str, str]

    @property
    def state(self) -> Literal["whole", "empty", "changing", "failed"]:
        """What the last deploy came to. Empty is one of which none ever did: the CDK CLI begins it anew."""
        if self.status in ("REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED"):
            return "empty"
        if _WHOLE.fullmatch(self.status):
            return "whole"
        return "changing" if self.status.endswith("_IN_PROGRESS") else "failed"


class Instance(NamedTuple):
    """A stack of a stack set."""

    account: str
    region: str
    status: str  # CURRENT, OUTDATED or INOPERABLE, and the state of the last operation if it failed
    stack_id: str | None  # None: there is no stack in the account
    reason: str  # why, where the set says it


class PermissionsPolicy(NamedTuple):
    name: str
    statements: Statements
    arn: str | None = None  # of a managed policy; None for one that stands in the role itself


@dataclass(frozen=True)
class Role:
    arn: str
    role_id: str
    trust: Statements | Unread
    permissions: Sequence[PermissionsPolicy] | Unread
    boundary_arn: str | None = None
    boundary: Statements | Unread = ()
    session_seconds: int = SESSION_SECONDS
    last_used: datetime | None = None  # by IAM, which is some hours late, and knows of 400 days

    @property
    def name(self) -> str:
        return self.arn.rpartition("/")[2]

    @property
    def path(self) -> str:
        return self.arn.partition(":role")[2].rpartition("/")[0] + "/"


class Grant(NamedTuple):
    id: str
    grantee: str
    operations: Sequence[str]


class LastUse(NamedTuple):
    """The last successful cryptographic use of a key, by KMS itself."""

    tracked_since: datetime  # KMS knows of no use before
    when: datetime | None  # None: nobody has used it since then
    operation: str
    event_id: str  # in CloudTrail


@dataclass(frozen=True)
class Key:
    arn: str
    state: str
    policy: Statements | Unread
    rotation_days: int | Unread | None  # None: it does not rotate
    aliases: Sequence[str] | Unread
    grants: Sequence[Grant] | Unread
    last_use: LastUse | Unread | None  # None: it was not asked
    metadata: Mapping[str, Any] = field(default_factory=dict)  # all that KMS says of it

    @property
    def is_ending(self) -> bool:
        """Whether its deletion is ordered."""
        return self.state in ("PendingDeletion", "PendingReplicaDeletion")

    @property
    def unfit(self) -> list[tuple[str, Any, str]]:
        """Why Pinecone cannot use it, by its kind: what KMS says of it, and what is needed."""
        found = ((name, self.metadata.get(name), one) for name, one in NEEDED.items())
        return [(name, value, one) for name, value, one in found if value not in (None, one)]


class Event(NamedTuple):
    """A call that CloudTrail shows."""

    name: str
    when: datetime
    by: str  # the ARN of the role that it was done as, or of whoever did it
    refused: bool
    text: str  # all that CloudTrail says of it beside who did it


class Control(NamedTuple):
    """A service or resource control policy."""

    kind: str  # SCP or RCP
    name: str
    on: str  # what it is attached to: the account, an organizational unit or the root, by its ID
    statements: Statements
