"""A role and a key that are there already, as AWS shows them to whoever wants to take them over.

Nothing here changes anything. What could not be read is no basis for an entry: it ends the command.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from cmek_construct.checks import printable
from cmek_construct.operations.doctor.source import Key, Permissions, Role, Unread

T = TypeVar("T")
DAYS: Final = 365
"""KMS's rotation period where none is asked for."""
_READS_ROLE: Final = (
    "iam:GetRole, ListRolePolicies, GetRolePolicy, ListAttachedRolePolicies, GetPolicy and "
    "GetPolicyVersion"
)
_READS_KEY: Final = "kms:DescribeKey, GetKeyPolicy, GetKeyRotationStatus and ListAliases"


class AdoptError(Exception):
    """A role or key cannot be taken over. The message says why, and the way out."""


@dataclass(frozen=True)
class SeenRole:
    """A role as it is."""

    arn: str
    trust: Sequence[Any]
    """The statements of its trust policy."""
    permissions: Sequence[Permissions]
    boundary: str | None = None
    description: str = ""
    session_seconds: int = 3600
    role_id: str = ""
    tags: int = 0

    @property
    def name(self) -> str:
        """Its name."""
        return self.arn.rpartition("/")[2]

    @property
    def path(self) -> str:
        """Its path."""
        return self.arn.partition(":role")[2].rpartition("/")[0] + "/"


@dataclass(frozen=True)
class SeenKey:
    """A key as it is."""

    arn: str
    policy: Sequence[Any]
    """The statements of its policy."""
    aliases: Sequence[str]
    state: str = "Enabled"
    description: str = ""
    rotation_days: int | None = None
    """None: it does not rotate."""
    multi_region: bool = False
    not_ours: str = ""
    """What it has that no key of this library has, in words."""

    @property
    def key_id(self) -> str:
        """Its ID."""
        return self.arn.rpartition("/")[2]


def seen_role(session: Any, arn: str) -> SeenRole:
    """Read a role.

    Raises:
        AdoptError: it is not there, or not to be read.
    """
    role = Role(session, arn)
    described = _read(role.described, f"the role {arn}", _READS_ROLE)
    if described["Arn"] != arn:
        raise AdoptError(
            f"--role-arn: got {arn}, but IAM has {printable(described['Arn'])} under that name. "
            "Copy the ARN from the IAM console, path included."
        )
    return SeenRole(
        arn,
        _read(role.trust(), "the role's trust policy", _READS_ROLE),
        _read(role.permissions(), "the role's permissions", _READS_ROLE),
        described.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        described.get("Description") or "",
        described.get("MaxSessionDuration", 3600),
        described["RoleId"],
        len(described.get("Tags", [])),
    )


def seen_key(session: Any, arn: str) -> SeenKey:
    """Read a key.

    Raises:
        AdoptError: it is not there, not to be read, or none that Pinecone can use.
    """
    key = Key(session, arn)
    described = _read(key.described, f"the key {arn}", _READS_KEY)
    _refuse_useless(arn, described)
    rotation = {"KeyRotationEnabled": False}
    if described.get("Origin") == "AWS_KMS":  # KMS rotates no other, and may not answer
        rotation = _read(key.rotation(), "whether the key rotates", _READS_KEY)
    return SeenKey(
        arn,
        _read(key.policy(), "the key policy", _READS_KEY),
        sorted(_read(key.aliases(), "the key's aliases", _READS_KEY)),
        str(described.get("KeyState")),
        described.get("Description") or "",
        (rotation.get("RotationPeriodInDays") or DAYS) if rotation["KeyRotationEnabled"] else None,
        bool(described.get("MultiRegion")),
        _not_ours(described),
    )


def _refuse_useless(arn: str, described: Any) -> None:
    state = described.get("KeyState")
    if state in ("PendingDeletion", "PendingReplicaDeletion"):
        region = arn.split(":")[3]
        raise AdoptError(
            f"--key-arn: got {arn}, but the key WILL BE DELETED at "
            f"{printable(described.get('DeletionDate', 'a time that KMS does not say'))}, and with "
            f"it all data of the project. First run: aws kms cancel-key-deletion --region {region} "
            f"--key-id {arn} && aws kms enable-key --region {region} --key-id {arn}"
        )
    if state not in ("Enabled", "Disabled"):
        raise AdoptError(
            f"--key-arn: got {arn}, but the key is in state {printable(state)}, and only one that "
            "is enabled or disabled can be taken over. See the KMS console."
        )
    for name, needed in (
        ("KeyManager", "CUSTOMER"),
        ("KeySpec", "SYMMETRIC_DEFAULT"),
        ("KeyUsage", "ENCRYPT_DECRYPT"),
    ):
        if described.get(name) != needed:
            raise AdoptError(
                f"--key-arn: got {arn}, whose {name} is {printable(described.get(name))}, but "
                f"Pinecone uses a key of {needed}. Copy the Key ARN that Pinecone's console shows."
            )


def _not_ours(described: Any) -> str:
    origin = described.get("Origin")
    kind = (described.get("MultiRegionConfiguration") or {}).get("MultiRegionKeyType")
    if kind == "REPLICA":
        return "it is the replica of a multi-Region key, which is another type of resource"
    if origin != "AWS_KMS":
        return f"its key material has the origin {printable(origin)}, not AWS_KMS"
    return ""


def _read(found: T | Unread | None, what: str, actions: str) -> Any:
    if found is None:
        raise AdoptError(
            f"there is no such thing: {what}. Copy the ARN from Pinecone's console, Manage > CMEK, "
            "and see that account and region are right."
        )
    if isinstance(found, Unread):
        raise AdoptError(
            f"not read: {what} ({found.why}). Nothing was written. Ask again with credentials that "
            f"may {actions} (--profile)."
        )
    return found
