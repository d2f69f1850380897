"""Reads stacks, roles, keys and events, and changes nothing.

None says that AWS knows no such thing, `Unread` that it cannot be told; a part that could not be read is `Unread` for
itself, and the rest stands. What gives neither raises an `AwsError`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from itertools import islice, product
from typing import Any, Final

from cmek_construct.aws import objects
from cmek_construct.aws.session import AwsError, Reason, Session, asked, called, read
from cmek_construct.policy.statements import as_list, as_of_2012

IAM_REGION: Final = "us-east-1"  # where CloudTrail shows the events of IAM
_PAGE: Final = 50  # events that CloudTrail shows at once, or fewer
_MOST_EVENTS: Final = 1_000
_OF_POLICIES: Final = "ListRolePolicies, GetRolePolicy, ListAttachedRolePolicies, GetPolicy and GetPolicyVersion"
_CONTROLS: Final = {"SERVICE_CONTROL_POLICY": "SCP", "RESOURCE_CONTROL_POLICY": "RCP"}


def _each(client: Any, operation: str, member: str, **request: Any) -> Iterator[Any]:
    """What an answer lists, page after page: AWS is asked by whoever goes through it, so within `read`."""
    for page in client.get_paginator(operation).paginate(**request):
        yield from page[member]


@asked("cloudformation:DescribeStacks")
def read_stack(session: Session, name: str) -> objects.Stack:
    found = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}
    return objects.Stack(str(found["StackStatus"]), outputs)


@read("cloudformation:GetTemplate")
def read_template(session: Session, name: str) -> str:
    """The template of a stack, as it was deployed."""
    body = session.client("cloudformation").get_template(StackName=name)["TemplateBody"]
    return body if isinstance(body, str) else json.dumps(body)


@asked("cloudformation:ListStackResources")
def read_resources(session: Session, stack: str) -> list[objects.Resource]:
    """What a stack holds."""
    listed = _each(session.client("cloudformation"), "list_stack_resources", "StackResourceSummaries", StackName=stack)
    held = (one for one in listed if one.get("PhysicalResourceId") and one["ResourceStatus"] != "DELETE_COMPLETE")
    return [objects.Resource(one["LogicalResourceId"], one["ResourceType"], one["PhysicalResourceId"]) for one in held]


@asked("cloudformation:DescribeStackResources")
def read_owner(session: Session, physical_id: str) -> str | None:
    """The stack that holds a resource, if one does."""
    found = session.client("cloudformation").describe_stack_resources(PhysicalResourceId=physical_id)["StackResources"]
    held = (one for one in found if one.get("PhysicalResourceId") == physical_id)
    return next((str(one["StackName"]) for one in held if one["ResourceStatus"] != "DELETE_COMPLETE"), None)


@called()
def read_stack_set(session: Session, name: str, call_as: str | None) -> tuple[str, list[objects.Instance]]:
    """The template of a stack set, and all its stacks."""
    cloudformation = session.client("cloudformation")
    named = {"StackSetName": name, **({"CallAs": call_as} if call_as else {})}
    template, found = cloudformation.describe_stack_set(**named)["StackSet"]["TemplateBody"], []
    for shown in _each(cloudformation, "list_stack_instances", "Summaries", **named):
        detailed = shown.get("StackInstanceStatus", {}).get("DetailedStatus", "SUCCEEDED")
        status = shown.get("Status", "") + ("" if detailed == "SUCCEEDED" else f", {detailed}")
        stack_id, why = shown.get("StackId") or None, shown.get("StatusReason", "")
        found.append(objects.Instance(shown["Account"], shown["Region"], status, stack_id, why))
    return template, found


def _document(policy: Any) -> dict[str, Any]:
    """A policy document as AWS gives it: KMS as text, IAM through boto3 as data."""
    document = json.loads(policy) if isinstance(policy, str) else policy
    if not isinstance(document, dict) or "Statement" not in document:
        raise ValueError("it is no policy document")
    return document


def _statements(policy: Any) -> objects.Statements:
    return as_of_2012(_document(policy))


@called()
def read_policy(session: Session, arn: str) -> dict[str, Any]:
    """The trust policy document of a role, or the policy document of a key."""
    if arn.split(":")[2] == "kms":
        return _document(session.kms(arn).get_key_policy(KeyId=arn, PolicyName="default")["Policy"])
    role = session.client("iam").get_role(RoleName=arn.rpartition("/")[2])["Role"]
    return _document(role["AssumeRolePolicyDocument"])


@asked("iam:GetRole")
def read_role_names(session: Session, name: str) -> dict[str, str]:
    """What IAM calls a role: its ``Arn`` and its ``RoleId``."""
    found = session.client("iam").get_role(RoleName=name)["Role"]
    return {"Arn": found["Arn"], "RoleId": found["RoleId"]}


@asked(f"iam:GetRole, {_OF_POLICIES}")
def read_role(session: Session, arn: str) -> objects.Role:
    """A role, with its policies and what bounds it."""
    if session.account not in ("", account := arn.split(":")[4]):
        raise AwsError(Reason.ANOTHER_ACCOUNT, f"account {account} alone shows it")
    iam, name = session.client("iam"), arn.rpartition("/")[2]
    found = iam.get_role(RoleName=name)["Role"]
    bounding = (found.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
    return objects.Role(
        found["Arn"],
        found["RoleId"],
        read("iam:GetRole")(_statements)(found["AssumeRolePolicyDocument"]),
        read(f"iam:{_OF_POLICIES}")(list[objects.PermissionsPolicy])(_permissions(iam, name)),
        bounding,
        read("iam:GetPolicy and GetPolicyVersion")(_managed)(iam, bounding) if bounding else (),
        found.get("MaxSessionDuration") or objects.SESSION_SECONDS,
        (found.get("RoleLastUsed") or {}).get("LastUsedDate"),
    )


def _permissions(iam: Any, role: str) -> Iterator[objects.PermissionsPolicy]:
    """The policies that stand in a role, and those that are attached to it."""
    for name in _each(iam, "list_role_policies", "PolicyNames", RoleName=role):
        found = iam.get_role_policy(RoleName=role, PolicyName=name)
        yield objects.PermissionsPolicy(name, _statements(found["PolicyDocument"]))
    for one in _each(iam, "list_attached_role_policies", "AttachedPolicies", RoleName=role):
        yield objects.PermissionsPolicy(one["PolicyName"], _managed(iam, one["PolicyArn"]), one["PolicyArn"])


def _managed(iam: Any, arn: str) -> objects.Statements:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return _statements(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])


@asked("kms:DescribeKey")
def read_key_arn(session: Session, key: str) -> str:
    """The ARN of a key by its ID, or of the one that an alias points to."""
    return str(session.client("kms").describe_key(KeyId=key)["KeyMetadata"]["Arn"])


@asked("kms:DescribeKey, GetKeyPolicy, GetKeyRotationStatus, ListAliases and ListGrants")
def read_key(session: Session, arn: str, *, last_use: bool = False) -> objects.Key:
    """A key, with its policy, grants and aliases; KMS is asked for its last use, too, if that is wanted."""
    kms = session.kms(arn)
    found = kms.describe_key(KeyId=arn)["KeyMetadata"]
    return objects.Key(
        arn,
        str(found["KeyState"]),
        read("kms:GetKeyPolicy")(lambda: as_of_2012(read_policy(session, arn)))(),
        _rotation(kms, arn, found),
        read("kms:ListAliases")(sorted)(one["AliasName"] for one in _each(kms, "list_aliases", "Aliases", KeyId=arn)),
        read_grants(session, arn),
        _last_use(kms, arn) if last_use else None,
        found,
    )


@read("kms:GetKeyRotationStatus")
def _rotation(kms: Any, arn: str, metadata: Mapping[str, Any]) -> int | None:
    if metadata.get("Origin", "AWS_KMS") != "AWS_KMS":
        return None  # KMS rotates no other by itself, and may not answer
    status = kms.get_key_rotation_status(KeyId=arn)
    days = int(status.get("RotationPeriodInDays") or objects.ROTATION_DAYS)
    return days if status["KeyRotationEnabled"] else None


@read("kms:ListGrants")
def read_grants(session: Session, key_arn: str) -> list[objects.Grant]:
    """All grants on a key."""
    found = []
    for one in _each(session.kms(key_arn), "list_grants", "Grants", KeyId=key_arn):
        grantee = one.get("GranteePrincipal") or one.get("GranteeServicePrincipal") or "?"
        found.append(objects.Grant(str(one.get("GrantId")), str(grantee), list(map(str, one.get("Operations", [])))))
    return found


@read("kms:GetKeyLastUsage")
def _last_use(kms: Any, arn: str) -> objects.LastUse:
    found = kms.get_key_last_usage(KeyId=arn)
    use = found.get("KeyLastUsage") or {}
    operation, event = (str(use.get(name, "")) for name in ("Operation", "CloudTrailEventId"))
    return objects.LastUse(found["TrackingStartDate"].astimezone(timezone.utc), use.get("Timestamp"), operation, event)


@read("organizations:ListParents, ListPoliciesForTarget and DescribePolicy")
def read_controls(session: Session, account: str) -> list[objects.Control]:
    """The policies of an organization that hold for an account.

    The management account alone sees them, and a delegated administrator.
    """
    organizations = session.client("organizations", "us-east-1")
    found, targets = [], [account]
    while not targets[-1].startswith("r-"):  # as the root's ID alone begins
        targets.append(organizations.list_parents(ChildId=targets[-1])["Parents"][0]["Id"])
    for target, (kind, short) in product(targets, _CONTROLS.items()):
        for one in _each(organizations, "list_policies_for_target", "Policies", TargetId=target, Filter=kind):
            content = organizations.describe_policy(PolicyId=one["Id"])["Policy"]["Content"]
            found.append(objects.Control(short, one["Name"], target, as_list(json.loads(content)["Statement"])))
    return found


# CloudTrail's event history: who called what, for 90 days, without any trail. It shows a call some 15 minutes later,
# and answers two look-ups a second and account.


@asked("cloudtrail:LookupEvents")
def read_event(session: Session, event_id: str, arn: str) -> objects.Event | None:
    """One event about a role or a key by its ID; None where CloudTrail shows it no more, or not yet."""
    return next(_events(session, arn, "EventId", event_id), None)


@read("cloudtrail:LookupEvents")
def read_calls(session: Session, names: Sequence[str], arn: str) -> list[objects.Event]:
    """The last calls of some names, such as ``PutKeyPolicy``, about a role or a key, the newest first.

    Looked up by their names: a key in use has too many other events to look through.
    """
    last = [one for name in names for one in islice(_events(session, arn, "EventName", name), _PAGE)]
    named = re.compile(rf'["/]{re.escape(arn.rpartition("/")[2])}"')  # a role's name, a key's ID, or the end of an ARN
    return sorted((one for one in last if named.search(one.text)), key=lambda one: one.when, reverse=True)


@asked("cloudtrail:LookupEvents")
def read_last(session: Session, key_arn: str, names: tuple[str, ...], since: datetime) -> objects.Event | None:
    """The last call about a key whose name begins with one of these, refused or not, since a time.

    That there are more events than can be read is no answer.
    """
    events = _events(session, key_arn, "ResourceName", key_arn, StartTime=since)
    return next((one for one in events if one.name.startswith(names)), None)


def _events(session: Session, arn: str, attribute: str, value: str, **more: Any) -> Iterator[objects.Event]:
    """Those in the region of a role or a key, the newest first."""
    cloudtrail = session.client("cloudtrail", arn.split(":")[3] or IAM_REGION)
    wanted = [{"AttributeKey": attribute, "AttributeValue": value}]
    for number, shown in enumerate(_each(cloudtrail, "lookup_events", "Events", LookupAttributes=wanted, **more)):
        if number == _MOST_EVENTS:
            raise ValueError(f"there are more than {_MOST_EVENTS:,} events")
        said = json.loads(shown["CloudTrailEvent"])
        who = said.pop("userIdentity", None) or {}
        issuer = (who.get("sessionContext") or {}).get("sessionIssuer") or {}
        by = issuer.get("arn") or who.get("arn") or who.get("invokedBy") or "somebody"
        name, text = str(shown["EventName"]), json.dumps(said)
        yield objects.Event(name, shown["EventTime"].astimezone(timezone.utc), str(by), "errorCode" in said, text)
