"""The policy statements of Pinecone's guide and of the KMS console, as a person copies them.

Written from the guide (steps 1.5, both tabs, and 2.10 to 2.12) and from the default key policy of
the KMS console, not from what this library makes: a reviewer compares the two. Words in ``<…>``
are the places that the guide, or the console, has a person fill in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from cmek_construct.statements import Statement


@dataclass(frozen=True)
class Snippet:
    """One statement of the guide or of the console."""

    title: str
    source: str
    statement: Statement


_ROLES: Final = [
    "arn:aws:iam::<Pinecone>:role/pinecone_cmek_access_us-east-1",
    "arn:aws:iam::<Pinecone>:role/pinecone_cmek_access_us-west-2",
    "arn:aws:iam::<Pinecone>:role/pinecone_cmek_access_eu-west-1",
    "arn:aws:iam::<Pinecone>:role/pinecone_cmek_access_eu-central-1",
    "arn:aws:iam::<Pinecone>:role/pinecone_cmek_access_ap-southeast-1",
]
"""One for each region; whoever copies the snippet keeps those of their own regions."""
_STEP: Final = "Pinecone's guide, step 1.5"
_CONSOLE: Final = "the KMS console's default key policy"


def _statement(sid: str, principal: Any, action: Any, **more: Any) -> Statement:
    start: Statement = {"Sid": sid, "Effect": "Allow", "Principal": {"AWS": principal}}
    return {**start, "Action": action, **more}


EXPLICIT_WITH_ID: Final = Snippet(
    "Explicit regions + external ID",
    _STEP,
    _statement(
        "AllowPineconeToAssumeIntoRoleFromExplicitRegionswithID",
        _ROLES,
        "sts:AssumeRole",
        Condition={"StringEquals": {"sts:ExternalId": "<external ID>"}},
    ),
)
EXPLICIT: Final = Snippet(
    "Explicit regions + no external ID",
    _STEP,
    _statement("AllowPineconeToAssumeIntoRoleFromExplicitRegions", _ROLES, "sts:AssumeRole"),
)
ALL_REGIONS: Final = Snippet(
    "All regions + external ID",
    _STEP,
    _statement(
        "AllowPineconeToAssumeIntoRoleFromAllRegions",
        "*",
        "sts:AssumeRole",
        Condition={
            "StringEquals": {"sts:ExternalId": "<external ID>"},
            "StringLike": {
                "aws:PrincipalArn": "arn:aws:iam::<Pinecone>:role/pinecone_cmek_access_*"
            },
        },
    ),
)
ROOT: Final = Snippet(
    "The account rules its key",
    f"{_CONSOLE} (guide, step 2.10)",
    _statement(
        "Enable IAM User Permissions",
        "arn:aws:iam::<this account>:root",
        "kms:*",
        Resource="*",
    ),
)
ADMINISTRATORS: Final = Snippet(
    "Key administrators",
    f"{_CONSOLE} (guide, step 2.10, where it has none)",
    _statement(
        "Allow access for Key Administrators",
        "<administrator>",
        [
            "kms:Create*",
            "kms:Describe*",
            "kms:Enable*",
            "kms:List*",
            "kms:Put*",
            "kms:Update*",
            "kms:Revoke*",
            "kms:Disable*",
            "kms:Get*",
            "kms:Delete*",
            "kms:TagResource",
            "kms:UntagResource",
            "kms:ScheduleKeyDeletion",
            "kms:CancelKeyDeletion",
            "kms:RotateKeyOnDemand",
        ],
        Resource="*",
    ),
)
USE: Final = Snippet(
    "Key users: use of the key",
    f"{_CONSOLE} (guide, step 2.11)",
    _statement(
        "Allow use of the key",
        "<role>",
        [
            "kms:Encrypt",
            "kms:Decrypt",
            "kms:ReEncrypt*",
            "kms:GenerateDataKey*",
            "kms:DescribeKey",
        ],
        Resource="*",
    ),
)
ATTACH: Final = Snippet(
    "Key users: attachment of persistent resources",
    f"{_CONSOLE} (guide, step 2.11)",
    _statement(
        "Allow attachment of persistent resources",
        "<role>",
        ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
        Resource="*",
        Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}},
    ),
)
CUSTOMER: Final = Snippet(
    "Keys outside your account",
    "Pinecone's guide, step 1, second tab: there in the box of the trust policy, where AWS refuses "
    "it; here a permission of the role, once for each customer",
    {
        "Sid": "<label>",
        "Effect": "Allow",
        "Action": ["kms:Decrypt", "kms:Encrypt"],
        "Resource": "arn:aws:kms:*:<customer>:key/*",
    },
)
