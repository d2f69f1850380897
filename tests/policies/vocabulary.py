"""What generated policies are made of: names that differ little, real actions, condition keys."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

OWNER: Final = "111122223333"
"""Owns the key and the role."""
ACCOUNTS: Final = (OWNER, "111122223334", "444455556666", "044455556666", "777788889999")
KEY_ID: Final = "1234abcd-12ab-34cd-56ef-1234567890ab"
KEY: Final = f"arn:aws:kms:us-east-1:{OWNER}:key/{KEY_ID}"
KEYS_OF_OTHERS: Final = (
    f"arn:aws:kms:us-east-1:{OWNER}:key/1234abcd-12ab-34cd-56ef-1234567890ac",
    f"arn:aws:kms:us-east-2:{OWNER}:key/{KEY_ID}",
    f"arn:aws:kms:us-east-1:444455556666:key/{KEY_ID}",
    "arn:aws:kms:us-east-1:777788889999:key/0f0f0f0f-12ab-34cd-56ef-1234567890ab",
)
ROLE: Final = f"arn:aws:iam::{OWNER}:role/pinecone/Cmek"
NAMES: Final = ("Reader", "ReaderTwo", "Writer", "pinecone_cmek_access_us-east-1", "Ops", "Op")
PATHS: Final = ("", "", "", "team/", "team/a/")
SESSIONS: Final = ("i-0abc", "alice", "alice2")
SERVICES: Final = ("ec2.amazonaws.com", "logs.us-east-1.amazonaws.com", "cloudtrail.amazonaws.com")

CRYPTOGRAPHIC: Final = (
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
KMS: Final = (
    *CRYPTOGRAPHIC,
    *("kms:DescribeKey", "kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"),
    *("kms:GetKeyPolicy", "kms:PutKeyPolicy", "kms:DisableKey", "kms:DisableKeyRotation"),
    *("kms:EnableKey", "kms:EnableKeyRotation", "kms:ScheduleKeyDeletion", "kms:TagResource"),
)
WITHOUT_CALLER_ACCOUNT: Final = (*("kms:GenerateRandom", "kms:ListAliases", "kms:ListKeys", "kms:ListRetirableGrants"),)
"""The requests to KMS that do not say the caller's account."""
STS: Final = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")


@dataclass(frozen=True)
class Key:
    """A condition key: the type of its values, examples, who and what has it."""

    name: str
    type: str
    values: Sequence[str]
    actions: Sequence[str] = (*KMS, *STS)
    several: bool = False
    signed: bool = False
    """No unsigned call and no AWS service has it."""

    @property
    def service(self) -> str:
        """The only service whose actions have it, or an empty text."""
        services = {action.partition(":")[0] for action in self.actions}
        return services.pop() if len(services) == 1 else ""


_BOOL: Final = ("true", "false")
_GRANTS: Final = ("kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant")
_ORGS: Final = ("o-abc123", "o-abc124")
KEYS: Final = (
    Key("aws:PrincipalArn", "arn", ()),
    Key("aws:PrincipalAccount", "string", ACCOUNTS),
    Key("kms:CallerAccount", "string", ACCOUNTS, KMS),
    Key("aws:PrincipalIsAWSService", "bool", _BOOL),
    Key("aws:PrincipalOrgID", "string", _ORGS, signed=True),
    Key("aws:PrincipalTag/Team", "string", ("data", "data-1", "Data"), signed=True),
    Key("aws:SourceIdentity", "string", ("alice", "alice@example.com"), signed=True),
    Key("aws:MultiFactorAuthPresent", "bool", _BOOL, signed=True),
    Key("aws:MultiFactorAuthAge", "numeric", ("59", "60", "3600"), signed=True),
    Key("aws:SecureTransport", "bool", _BOOL),
    Key("aws:ViaAWSService", "bool", _BOOL, signed=True),
    Key("aws:SourceVpce", "string", ("vpce-1a2b3c4d", "vpce-1a2b3c4e")),
    Key("aws:SourceAccount", "string", ACCOUNTS),
    Key("aws:SourceArn", "arn", (f"arn:aws:s3:::bucket-{OWNER}", f"arn:aws:cloudtrail:us-east-1:{OWNER}:trail/one")),
    Key("aws:SourceIp", "ip", ("203.0.113.7", "203.0.113.8", "198.51.100.1")),
    Key("aws:CurrentTime", "date", ("2026-01-01T00:00:00Z", "2026-06-30T12:00:00Z")),
    Key("aws:RequestedRegion", "string", ("us-east-1", "us-east-2", "eu-west-1")),
    Key("aws:CalledVia", "string", ("athena.amazonaws.com", "s3.amazonaws.com"), several=True),
    Key("aws:TagKeys", "string", ("Team", "Cost", "cost"), several=True),
    Key(
        "aws:PrincipalOrgPaths",
        "string",
        ("o-abc123/r-ab12/ou-ab12-1/", "o-abc123/r-ab12/ou-ab12-2/"),
        several=True,
        signed=True,
    ),
    Key(
        "kms:ViaService",
        "string",
        ("s3.us-east-1.amazonaws.com", "s3.us-east-2.amazonaws.com", "ebs.us-east-1.amazonaws.com"),
        KMS,
    ),
    Key("kms:MultiRegion", "bool", _BOOL, KMS),
    Key("kms:EncryptionAlgorithm", "string", ("SYMMETRIC_DEFAULT", "RSA_1"), CRYPTOGRAPHIC),
    Key("kms:EncryptionContextKeys", "string", ("a", "b", "A"), CRYPTOGRAPHIC, several=True),
    Key("kms:GrantIsForAWSResource", "bool", _BOOL, _GRANTS),
    Key("kms:GrantOperations", "string", ("Decrypt", "Encrypt", "CreateGrant"), ("kms:CreateGrant",), several=True),
    Key("kms:ScheduleKeyDeletionPendingWindowInDays", "numeric", ("7", "29", "30"), ("kms:ScheduleKeyDeletion",)),
    Key("kms:BypassPolicyLockoutSafetyCheck", "bool", _BOOL, ("kms:PutKeyPolicy",)),
    Key(
        "sts:ExternalId",
        "string",
        ("a1b2c3d4-0000", "a1b2c3d4-0001", "A1B2C3D4-0000"),
        ("sts:AssumeRole",),
        signed=True,
    ),
    Key("sts:RoleSessionName", "string", ("alice", "alice2", "bob"), ("sts:AssumeRole",), signed=True),
    Key("aws:RequestTag/Team", "string", ("data", "Data"), ("sts:AssumeRole", "sts:TagSession"), signed=True),
)
_OFTEN: Final = ("aws:principalarn", "aws:sourcearn", "aws:principalaccount", "sts:externalid")
BY_NAME: Final[Mapping[str, Key]] = {key.name.lower(): key for key in KEYS}
FOLLOWING: Final = ("aws:PrincipalArn", "aws:PrincipalAccount", "kms:CallerAccount", "aws:PrincipalIsAWSService")
"""The keys whose values follow from the principal."""


class Cast:
    """The few names that one policy, or a pair of policies, plays with, so that statements meet."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.accounts = [OWNER, *rng.sample(ACCOUNTS[1:], 2)]
        self.names = rng.sample(NAMES, 3)
        self.roles = [self.role() for _ in range(3)]
        self.users = [f"arn:aws:iam::{rng.choice(self.accounts)}:user/{name}" for name in self.names]
        self.services = rng.sample(SERVICES, 2)
        self.keys = [*rng.sample(KEYS, 3), *(BY_NAME[name] for name in rng.sample(_OFTEN, 2))]

    def role(self) -> str:
        """A role of one of the accounts, under any path."""
        account, path = self.rng.choice(self.accounts), self.rng.choice(PATHS)
        return f"arn:aws:iam::{account}:role/{path}{self.rng.choice(self.names)}"

    def session(self) -> str:
        """A session of one of the roles."""
        return session_of(self.rng.choice(self.roles), self.rng.choice(SESSIONS))

    def values(self, key: Key) -> Sequence[str]:
        """Values of a condition key."""
        if key.name == "aws:PrincipalArn":
            return [*self.roles, self.users[0], f"arn:aws:iam::{self.accounts[1]}:root"]
        return self.accounts if key.values is ACCOUNTS else key.values


def session_of(role: str, session: str) -> str:
    """The ARN of a session of a role: it has no path."""
    account, name = role.split(":")[4], role.rpartition("/")[2]
    return f"arn:aws:sts::{account}:assumed-role/{name}/{session}"


def role_of(session: str, path: str) -> str:
    """The ARN of the role of a session, if it is on this path."""
    account, name = session.split(":")[4], session.split("/")[1]
    return f"arn:aws:iam::{account}:role/{path}{name}"


def other_case(text: str, rng: random.Random) -> str:
    """The text in other cases of letters."""
    return rng.choice((text.lower(), text.upper(), text.swapcase()))


def neighbour(text: str, rng: random.Random) -> str:
    """A text that differs a little: in a character, in a part, in the case of a letter."""
    if text.startswith("arn:"):
        return "arn:" + neighbour(text.removeprefix("arn:"), rng)
    at = rng.randrange(len(text)) if text else 0
    changed = "b" if text[at : at + 1] == "a" else "a"
    if text[at : at + 1].isdigit():
        changed = str((int(text[at]) + 1) % 10)
    return rng.choice((text[:at] + changed + text[at + 1 :], text + changed, text[:-1] or changed, text.swapcase()))
