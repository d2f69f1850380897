"""What Pinecone's guide and the KMS console write, typed from them and not from our code.

The documents that IAM and KMS hold after the deploy are compared with these.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

Document: TypeAlias = dict[str, Any]

KEY: Final = {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "Origin": "AWS_KMS", "MultiRegion": False}
"""Steps 2.4 to 2.7, in the words of the KMS API."""


def access_role(account: str, region: str) -> str:
    """The ARN of the role as which Pinecone comes from a region."""
    return f"arn:aws:iam::{account}:role/pinecone_cmek_access_{region}"


def explicit_regions_with_id(account: str, regions: list[str], external_id: str) -> Document:
    """Step 1.5, "Explicit regions + external ID"."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AllowPineconeToAssumeIntoRoleFromExplicitRegionswithID",
                "Effect": "Allow",
                "Principal": {"AWS": [access_role(account, region) for region in regions]},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
            }
        ],
    }


def explicit_regions_without_id(account: str, regions: list[str]) -> Document:
    """Step 1.5, "Explicit regions + no external ID"."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AllowPineconeToAssumeIntoRoleFromExplicitRegions",
                "Effect": "Allow",
                "Principal": {"AWS": [access_role(account, region) for region in regions]},
                "Action": "sts:AssumeRole",
            }
        ],
    }


def all_regions_with_id(account: str, external_id: str) -> Document:
    """Step 1.5, "All regions + external ID"."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AllowPineconeToAssumeIntoRoleFromAllRegions",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"sts:ExternalId": external_id},
                    "StringLike": {"aws:PrincipalArn": access_role(account, "*")},
                },
            }
        ],
    }


def key_policy(account: str, role_arn: str) -> Document:
    """Steps 2.10 and 2.11: default administrators, and the role as key user."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Enable IAM User Permissions",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
            {
                "Sid": "Allow use of the key",
                "Effect": "Allow",
                "Principal": {"AWS": role_arn},
                "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
                "Resource": "*",
            },
            {
                "Sid": "Allow attachment of persistent resources",
                "Effect": "Allow",
                "Principal": {"AWS": role_arn},
                "Action": ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
                "Resource": "*",
                "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
            },
        ],
    }
