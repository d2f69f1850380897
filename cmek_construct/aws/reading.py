"""Reads a stack, a role and a key, and changes nothing.

None says that AWS knows no such thing, `Unread` that it cannot be told; a part that could not be read is `Unread` for
itself, and the rest stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cmek_construct.aws.objects import (
    ROTATION_DAYS,
    SESSION_SECONDS,
    Boundary,
    Control,
    Grant,
    Key,
    LastUse,
    PermissionsPolicy,
    Resource,
    Role,
    Stack,
    Statements,
)
from cmek_construct.aws.session import Session, asked, called, read
from cmek_construct.policy.sentences import as_list
from cmek_construct.policy.statements import as_of_2012

_GONE: Final = "DELETE_COMPLETE"
_CONTROLS: Final = {"SERVICE_CONTROL_POLICY": "SCP", "RESOURCE_CONTROL_POLICY": "RCP"}


def document_of(policy: Any) -> dict[str, Any]:
    """A policy document as AWS gives it: KMS as text, IAM through boto3 as data.

    Raises:
        ValueError: it is none.
    """
    document = json.loads(policy) if isinstance(policy, str) else policy
    if not isinstance(document, dict) or "Statement" not in document:
        raise ValueError("it is no policy document")
    return document


@read
def _statements(policy: Any) -> Statements:
    return as_of_2012(document_of(policy))


@asked
def read_stack(session: Session, name: str) -> Stack:
    """A stack."""
    found = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}
    return Stack(name, str(found["StackStatus"]), outputs)


@read
def read_template(session: Session, name: str) -> str:
    """The template of a stack, as it was deployed."""
    body = session.client("cloudformation").get_template(StackName=name)["TemplateBody"]
    return body if isinstance(body, str) else json.dumps(body)


@asked
def read_resources(session: Session, stack: str) -> list[Resource]:
    """What a stack holds."""
    pages = session.client("cloudformation").get_paginator("list_stack_resources")
    return [
        Resource(one["LogicalResourceId"], one["ResourceType"], one["PhysicalResourceId"])
        for page in pages.paginate(StackName=stack)
        for one in page["StackResourceSummaries"]
        if one.get("PhysicalResourceId") and one["ResourceStatus"] != _GONE
    ]


@asked
def read_owner(session: Session, physical_id: str) -> str | None:
    """The stack that holds a resource, if one does."""
    cloudformation = session.client("cloudformation")
    found = cloudformation.describe_stack_resources(PhysicalResourceId=physical_id)
    held = (
        str(one["StackName"])
        for one in found["StackResources"]
        if one.get("PhysicalResourceId") == physical_id and one["ResourceStatus"] != _GONE
    )
    return next(held, None)


@asked
def read_role(session: Session, arn: str) -> Role:
    """A role, with its policies and what bounds it."""
    iam, name = session.client("iam"), arn.rpartition("/")[2]
    found = iam.get_role(RoleName=name)["Role"]
    bounding = (found.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
    return Role(
        found["Arn"],
        found["RoleId"],
        _statements(found["AssumeRolePolicyDocument"]),
        _permissions(iam, name),
        Boundary(bounding, read(_managed)(iam, bounding)) if bounding else None,
        found.get("MaxSessionDuration", SESSION_SECONDS),
        found.get("Description") or "",
        len(found.get("Tags", [])),
        (found.get("RoleLastUsed") or {}).get("LastUsedDate"),
    )


@read
def _permissions(iam: Any, role: str) -> list[PermissionsPolicy]:
    """The policies that stand in a role, and those that are attached to it."""
    found = []
    for page in iam.get_paginator("list_role_policies").paginate(RoleName=role):
        for name in page["PolicyNames"]:
            one = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            found.append(PermissionsPolicy(name, as_of_2012(document_of(one))))
    for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=role):
        for one in page["AttachedPolicies"]:
            arn = one["PolicyArn"]
            found.append(PermissionsPolicy(one["PolicyName"], _managed(iam, arn), arn))
    return found


def _managed(iam: Any, arn: str) -> Statements:
    """The statements of a managed policy."""
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found = iam.get_policy_version(PolicyArn=arn, VersionId=version)
    return as_of_2012(document_of(found["PolicyVersion"]["Document"]))


@asked
def read_key(session: Session, arn: str, *, last_use: bool = False) -> Key:
    """A key, with its policy, grants and aliases.

    Args:
        session: of somebody who may read.
        arn: of the key.
        last_use: whether KMS is asked for that, too.
    """
    kms = session.kms(arn)
    found = kms.describe_key(KeyId=arn)["KeyMetadata"]
    return Key(
        arn,
        str(found["KeyState"]),
        _key_statements(session, arn),
        _rotation(kms, arn, found),
        _aliases(kms, arn),
        read_grants(session, arn),
        _last_use(kms, arn) if last_use else None,
        found.get("CreationDate"),
        found.get("DeletionDate"),
        found.get("Description") or "",
        bool(found.get("MultiRegion")),
        found,
    )


@read
def _rotation(kms: Any, arn: str, metadata: Mapping[str, Any]) -> int | None:
    if metadata.get("Origin", "AWS_KMS") != "AWS_KMS":
        return None  # KMS rotates no other by itself, and may not answer
    status = kms.get_key_rotation_status(KeyId=arn)
    days = int(status.get("RotationPeriodInDays") or ROTATION_DAYS)
    return days if status["KeyRotationEnabled"] else None


@read
def _last_use(kms: Any, arn: str) -> LastUse:
    found = kms.get_key_last_usage(KeyId=arn)
    use = found.get("KeyLastUsage") or {}
    return LastUse(
        found["TrackingStartDate"],
        use.get("Timestamp"),
        str(use.get("Operation", "")),
        str(use.get("CloudTrailEventId", "")),
    )


@read
def _aliases(kms: Any, arn: str) -> list[str]:
    pages = kms.get_paginator("list_aliases").paginate(KeyId=arn)
    return sorted(str(one["AliasName"]) for page in pages for one in page["Aliases"])


@read
def read_grants(session: Session, key_arn: str) -> list[Grant]:
    """All grants on a key."""
    return [
        Grant(
            str(one.get("GrantId")),
            str(one.get("GranteePrincipal") or one.get("GranteeServicePrincipal") or "?"),
            [str(each) for each in one.get("Operations", [])],
        )
        for page in session.kms(key_arn).get_paginator("list_grants").paginate(KeyId=key_arn)
        for one in page["Grants"]
    ]


@called()
def read_policy(session: Session, arn: str) -> dict[str, Any]:
    """The trust policy document of a role, or the policy document of a key.

    Raises:
        AwsError: it cannot be read.
    """
    if arn.split(":")[2] == "kms":
        found = session.kms(arn).get_key_policy(KeyId=arn, PolicyName="default")
        return document_of(found["Policy"])
    found = session.client("iam").get_role(RoleName=arn.rpartition("/")[2])
    return document_of(found["Role"]["AssumeRolePolicyDocument"])


@read
def _key_statements(session: Session, key_arn: str) -> Statements:
    return as_of_2012(read_policy(session, key_arn))


@asked
def read_key_arn(session: Session, key: str) -> str:
    """The ARN of a key by its ID, or of the one that an alias points to."""
    return str(session.client("kms").describe_key(KeyId=key)["KeyMetadata"]["Arn"])


@asked
def read_role_names(session: Session, name: str) -> dict[str, str]:
    """What IAM calls a role: its ``Arn`` and its ``RoleId``."""
    found = session.client("iam").get_role(RoleName=name)["Role"]
    return {"Arn": found["Arn"], "RoleId": found["RoleId"]}


@read
def read_controls(session: Session, account: str) -> list[Control]:
    """The policies of an organization that hold for an account.

    Args:
        session: of the management account, which alone sees them, or of a delegated administrator.
        account: the one that is looked at.
    """
    return list(_controls(session.client("organizations", "us-east-1"), account))


def _controls(organizations: Any, account: str) -> Iterator[Control]:
    targets = [account]
    while parents := organizations.list_parents(ChildId=targets[-1])["Parents"]:
        targets.append(parents[0]["Id"])
        if parents[0]["Type"] == "ROOT":
            break
    pages = organizations.get_paginator("list_policies_for_target")
    for target in targets:
        for filter_, kind in _CONTROLS.items():
            for page in pages.paginate(TargetId=target, Filter=filter_):
                for one in page["Policies"]:
                    found = organizations.describe_policy(PolicyId=one["Id"])["Policy"]
                    statements = as_list(json.loads(found["Content"])["Statement"])
                    yield Control(kind, one["Name"], target, statements)
