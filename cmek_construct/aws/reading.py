"""Reads a stack, a role and a key, and changes nothing.

None says that AWS knows no such thing, `Unread` that it cannot be told; a part that could not be
read is `Unread` for itself, and the rest stands.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cmek_construct.aws.objects import (
    ROTATION_DAYS,
    SESSION_SECONDS,
    Boundary,
    Grant,
    Key,
    LastUse,
    PermissionsPolicy,
    Resource,
    Role,
    Stack,
    Statements,
    Unread,
)
from cmek_construct.aws.session import Session, asked, called, read
from cmek_construct.policy.sentences import as_list

_GONE = "DELETE_COMPLETE"


def document_of(policy: Any) -> dict[str, Any]:
    """A policy document as AWS gives it: KMS as text, IAM through boto3 as data.

    Raises:
        ValueError: it is none.
    """
    document = json.loads(policy) if isinstance(policy, str) else policy
    if not isinstance(document, dict) or "Statement" not in document:
        raise ValueError("it is no policy document")
    return document


def statements_of(policy: Any) -> list[Any]:
    """The statements of a policy document.

    Raises:
        ValueError: it is none.
    """
    return as_list(document_of(policy)["Statement"])


def read_stack(session: Session, name: str) -> Stack | Unread | None:
    """A stack."""

    def call() -> Stack:
        found = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}
        return Stack(name, str(found["StackStatus"]), outputs)

    return asked(call)


def read_template(session: Session, name: str) -> str | Unread:
    """The template of a stack, as it was deployed."""

    def call() -> str:
        body = session.client("cloudformation").get_template(StackName=name)["TemplateBody"]
        return body if isinstance(body, str) else json.dumps(body)

    return read(call, "there is no such stack")


def read_resources(session: Session, stack: str) -> list[Resource] | Unread | None:
    """What a stack holds."""

    def call() -> list[Resource]:
        pages = session.client("cloudformation").get_paginator("list_stack_resources")
        return [
            Resource(one["LogicalResourceId"], one["ResourceType"], one["PhysicalResourceId"])
            for page in pages.paginate(StackName=stack)
            for one in page["StackResourceSummaries"]
            if one.get("PhysicalResourceId") and one["ResourceStatus"] != _GONE
        ]

    return asked(call)


def read_owner(session: Session, physical_id: str) -> str | Unread | None:
    """The stack that holds a resource, if one does."""

    def call() -> str | None:
        found = session.client("cloudformation").describe_stack_resources(
            PhysicalResourceId=physical_id
        )
        held = (
            str(one["StackName"])
            for one in found["StackResources"]
            if one.get("PhysicalResourceId") == physical_id and one["ResourceStatus"] != _GONE
        )
        return next(held, None)

    return asked(call)


def read_role(session: Session, arn: str) -> Role | Unread | None:
    """A role, with its policies and what bounds it."""
    iam, name = session.client("iam"), arn.rpartition("/")[2]

    def call() -> Role:
        found = iam.get_role(RoleName=name)["Role"]
        bounding = (found.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
        return Role(
            found["Arn"],
            found["RoleId"],
            read(lambda: statements_of(found["AssumeRolePolicyDocument"]), "there is none"),
            read(lambda: [*_inline(iam, name), *_attached(iam, name)], "there is no such policy"),
            _boundary(iam, bounding) if bounding else None,
            found.get("MaxSessionDuration", SESSION_SECONDS),
            found.get("Description") or "",
            len(found.get("Tags", [])),
            (found.get("RoleLastUsed") or {}).get("LastUsedDate"),
        )

    return asked(call)


def _inline(iam: Any, role: str) -> list[PermissionsPolicy]:
    pages = iam.get_paginator("list_role_policies").paginate(RoleName=role)
    names = [name for page in pages for name in page["PolicyNames"]]
    found = (iam.get_role_policy(RoleName=role, PolicyName=name) for name in names)
    return [
        PermissionsPolicy(name, statements_of(one["PolicyDocument"]))
        for name, one in zip(names, found, strict=True)
    ]


def _attached(iam: Any, role: str) -> list[PermissionsPolicy]:
    pages = iam.get_paginator("list_attached_role_policies").paginate(RoleName=role)
    attached = [one for page in pages for one in page["AttachedPolicies"]]
    return [
        PermissionsPolicy(one["PolicyName"], _managed(iam, one["PolicyArn"]), one["PolicyArn"])
        for one in attached
    ]


def _boundary(iam: Any, arn: str) -> Boundary:
    return Boundary(arn, read(lambda: _managed(iam, arn), "there is no such policy"))


def _managed(iam: Any, arn: str) -> list[Any]:
    """The statements of a managed policy."""
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found = iam.get_policy_version(PolicyArn=arn, VersionId=version)
    return statements_of(found["PolicyVersion"]["Document"])


def read_key(session: Session, arn: str, *, last_use: bool = False) -> Key | Unread | None:
    """A key, with its policy, grants and aliases.

    Args:
        session: of somebody who may read.
        arn: of the key.
        last_use: whether KMS is asked for that, too.
    """
    kms = session.kms(arn)

    def call() -> Key:
        found = kms.describe_key(KeyId=arn)["KeyMetadata"]
        return Key(
            arn,
            str(found.get("KeyState")),
            read_key_policy(session, arn),
            _rotation(kms, arn, found),
            read_aliases(session, arn),
            read_grants(session, arn),
            _last_use(kms, arn) if last_use else None,
            found.get("CreationDate"),
            found.get("DeletionDate"),
            found.get("Description") or "",
            bool(found.get("MultiRegion")),
            found,
        )

    return asked(call)


def _rotation(kms: Any, arn: str, metadata: Mapping[str, Any]) -> int | Unread | None:
    if metadata.get("Origin", "AWS_KMS") != "AWS_KMS":
        return None  # KMS rotates no other by itself, and may not answer

    def call() -> int:
        status = kms.get_key_rotation_status(KeyId=arn)
        days = status.get("RotationPeriodInDays") or ROTATION_DAYS
        return int(days) if status["KeyRotationEnabled"] else 0

    found = read(call, "there is none")
    return found or None if isinstance(found, int) else found


def _last_use(kms: Any, arn: str) -> LastUse | Unread:
    def call() -> LastUse:
        found = kms.get_key_last_usage(KeyId=arn)
        use = found.get("KeyLastUsage") or {}
        return LastUse(
            found["TrackingStartDate"],
            use.get("Timestamp"),
            str(use.get("Operation", "")),
            str(use.get("CloudTrailEventId", "")),
        )

    return read(call, "there is none")


def read_trust_policy(session: Session, role_arn: str) -> dict[str, Any]:
    """The trust policy document of a role.

    Raises:
        AwsError: it cannot be read.
    """
    iam, name = session.client("iam"), role_arn.rpartition("/")[2]
    return called(
        lambda: document_of(iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"])
    )


def read_key_policy_document(session: Session, key_arn: str) -> dict[str, Any]:
    """The policy document of a key.

    Raises:
        AwsError: it cannot be read.
    """
    kms = session.kms(key_arn)
    return called(
        lambda: document_of(kms.get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"])
    )


def read_key_policy(session: Session, key_arn: str) -> Statements | Unread:
    """The statements of a key policy."""
    return read(
        lambda: as_list(read_key_policy_document(session, key_arn)["Statement"]), "there is none"
    )


def read_grants(session: Session, key_arn: str) -> list[Grant] | Unread:
    """All grants on a key."""
    kms = session.kms(key_arn)

    def call() -> list[Grant]:
        return [
            Grant(
                str(one.get("GrantId")),
                str(one.get("GranteePrincipal") or one.get("GranteeServicePrincipal") or "?"),
                [str(each) for each in one.get("Operations", [])],
            )
            for page in kms.get_paginator("list_grants").paginate(KeyId=key_arn)
            for one in page["Grants"]
        ]

    return read(call, "there is no such key")


def read_aliases(session: Session, key_arn: str) -> list[str] | Unread:
    """The names of the aliases of a key."""
    kms = session.kms(key_arn)

    def call() -> list[str]:
        pages = kms.get_paginator("list_aliases").paginate(KeyId=key_arn)
        return sorted(str(one["AliasName"]) for page in pages for one in page["Aliases"])

    return read(call, "there is no such key")


def read_key_arn(session: Session, key: str) -> str | Unread | None:
    """The ARN of a key by its ID, or of the one that an alias points to."""
    kms = session.client("kms")
    return asked(lambda: str(kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"]))


def read_role_names(session: Session, name: str) -> dict[str, str] | Unread | None:
    """What IAM calls a role: its ``Arn`` and its ``RoleId``."""
    iam = session.client("iam")

    def call() -> dict[str, str]:
        found = iam.get_role(RoleName=name)["Role"]
        return {"Arn": found["Arn"], "RoleId": found["RoleId"]}

    return asked(call)
