"""Every policy statement of this library, as the guide and the KMS console write them.

Pure Python over plain data, so that it can be read beside the guide. Values may be CDK
tokens; nothing here looks into them.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from cmek_construct.pinecone import ALL_REGIONS, ROLE_NAME_PREFIX, AllRegions

Statement: TypeAlias = dict[str, Any]
Regions: TypeAlias = Sequence[str] | AllRegions


class KeyAccess(enum.Enum):
    """What the key policy lets Pinecone's role do with the key."""

    KEY_USER = "KEY_USER"
    """The KMS console's "Key users" (step 2.11 of the guide): encrypt, decrypt, re-encrypt,
    make data keys, describe, and grants for AWS services alone."""

    ENCRYPT_DECRYPT = "ENCRYPT_DECRYPT"
    """``kms:Decrypt`` and ``kms:Encrypt`` alone, as in the guide's second tab. Whether these
    two are enough for Pinecone's "Add CMEK" cannot be verified from outside Pinecone."""


def trust_statement(
    account_id: str,
    regions: Regions,
    external_id: str | None = None,
    *,
    pin_account: bool = False,
) -> Statement:
    """The guide's trust statement (step 1.5): one of three, chosen by regions and external ID.

    ``pin_account`` names Pinecone's account root in place of ``*`` in the third.
    """
    if regions is ALL_REGIONS:
        return {
            "Sid": "AllowPineconeToAssumeIntoRoleFromAllRegions",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account_id}:root" if pin_account else "*"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"sts:ExternalId": external_id},
                "StringLike": {
                    "aws:PrincipalArn": f"arn:aws:iam::{account_id}:role/{ROLE_NAME_PREFIX}*"
                },
            },
        }
    statement: Statement = {
        "Sid": "AllowPineconeToAssumeIntoRoleFromExplicitRegions",
        "Effect": "Allow",
        "Principal": {
            "AWS": [
                f"arn:aws:iam::{account_id}:role/{ROLE_NAME_PREFIX}{region}" for region in regions
            ]
        },
        "Action": "sts:AssumeRole",
    }
    if external_id is not None:
        statement["Sid"] += "withID"
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    return statement


def assume_role_denial() -> Statement:
    """Nobody assumes the role: the suspension of a role that has no key of ours."""
    return {
        "Sid": "DenyEverybodyWhileSuspended",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "sts:AssumeRole",
    }


def policy_document(*statements: Statement) -> dict[str, Any]:
    """A policy document of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def trust_policy_size(*statements: Statement) -> int:
    """The characters that IAM counts: compact JSON, a list of one written as a string."""
    compact = json.dumps(policy_document(*map(_unwrapped, statements)), separators=(",", ":"))
    return len(compact)


def _unwrapped(statement: Statement) -> Statement:
    principals = statement["Principal"]["AWS"]
    if isinstance(principals, list) and len(principals) == 1:
        return {**statement, "Principal": {"AWS": principals[0]}}
    return statement


def root_statement(account_id: str) -> Statement:
    """The account that owns the key rules it, through its own IAM policies.

    Always there: without it a key can become unmanageable. Source: KMS developer guide,
    "Default key policy".
    """
    return {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account_id}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }


def key_admins_statement(
    principal: Mapping[str, Any], condition: Mapping[str, Any] | None = None
) -> Statement:
    """The console's "Key administrators" (step 2.10 of the guide keeps the default: none)."""
    statement: Statement = {
        "Sid": "Allow access for Key Administrators",
        "Effect": "Allow",
        "Principal": principal,
        "Action": [
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
        "Resource": "*",
    }
    return statement if condition is None else {**statement, "Condition": condition}


_USE = {
    KeyAccess.KEY_USER: [
        "kms:Encrypt",
        "kms:Decrypt",
        "kms:ReEncrypt*",
        "kms:GenerateDataKey*",
        "kms:DescribeKey",
    ],
    KeyAccess.ENCRYPT_DECRYPT: ["kms:Decrypt", "kms:Encrypt"],
}


def key_access_statements(role_arn: str, access: KeyAccess) -> list[Statement]:
    """What lets Pinecone's role use the key: the console's "Key users" (step 2.11), or less."""
    use: Statement = {
        "Sid": "Allow use of the key",
        "Effect": "Allow",
        "Principal": {"AWS": role_arn},
        "Action": list(_USE[access]),
        "Resource": "*",
    }
    attach: Statement = {
        "Sid": "Allow attachment of persistent resources",
        "Effect": "Allow",
        "Principal": {"AWS": role_arn},
        "Action": ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
        "Resource": "*",
        "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
    }
    return [use, attach] if access is KeyAccess.KEY_USER else [use]


def key_denial(role_arn: str) -> Statement:
    """The role may do nothing with the key, whatever other policy lets it: the suspension."""
    return {
        "Sid": "Deny Pinecone while suspended",
        "Effect": "Deny",
        "Principal": {"AWS": role_arn},
        "Action": "kms:*",
        "Resource": "*",
    }


def customer_statement(account_id: str, key_arns: Sequence[str] = ()) -> Statement:
    """The statement of the guide's second tab, "Grant access to keys outside your account".

    The guide shows it in the box of the trust policy, which has no ``Resource``: it is a permission
    of the role. ``key_arns`` names single keys of the account in place of all.
    """
    return {
        "Sid": account_id,
        "Effect": "Allow",
        "Action": list(_USE[KeyAccess.ENCRYPT_DECRYPT]),
        "Resource": list(key_arns) or f"arn:aws:kms:*:{account_id}:key/*",
    }


def role_permissions_statement(key_arn: str, access: KeyAccess) -> Statement:
    """What a role needs of its own to use a key of *another* account (both sides must allow)."""
    return {"Effect": "Allow", "Action": list(_USE[access]), "Resource": key_arn}
