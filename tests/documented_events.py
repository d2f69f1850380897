"""Events as AWS documents them, each with its page, about the tests' key and role.

The account is the tests' own, and the key and the role are those that are given; nothing else that a rule can see is
changed. IAM's pages show `CreateRole` alone of the calls that change a role: the others have the parameters of the API
reference in the same form.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.building import ACCOUNT, REGION

Event = dict[str, Any]
NOBODY: dict[str, Any] = {
    "type": "IAMUser",
    "principalId": "EX_PRINCIPAL_ID",
    "arn": f"arn:aws:iam::{ACCOUNT}:user/Alice",
    "accountId": ACCOUNT,
    "accessKeyId": "EXAMPLE_KEY_ID",
    "userName": "Alice",
}


@dataclass(frozen=True)
class Names:
    """The key and the role that events are about."""

    key_arn: str
    alias: str
    role: str
    policy_arn: str

    @property
    def key_id(self) -> str:
        return self.key_arn.rpartition("/")[2]

    @property
    def role_arn(self) -> str:
        return f"arn:aws:iam::{ACCOUNT}:role/{self.role}"


def event(service: str, name: str, request: Any, response: Any = None, resources: Any = None, **more: Any) -> Event:
    """As EventBridge delivers a call (user guide, "AWS service events delivered …")."""
    detail = {
        "eventVersion": "1.08",
        "userIdentity": NOBODY,
        "eventTime": "2022-09-01T20:06:16Z",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": REGION,
        "sourceIPAddress": "192.0.2.0",
        "userAgent": "AWS Internal",
        "requestParameters": request,
        "responseElements": response,
        "requestID": "9e1dee86-eb84-42fd-8f25-e3fc7dbb32c8",
        "eventID": "00a09fbc-20d6-4a58-9b92-7da85984ab77",
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    }
    if resources is not None:
        detail["resources"] = [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": arn} for arn in resources]
    return envelope(f"aws.{service}", "AWS API Call via CloudTrail", detail | more)


def envelope(source: str, detail_type: str, detail: Any, resources: Any = ()) -> Event:
    return {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": "2022-08-10T16:37:50Z",
        "region": REGION,
        "resources": list(resources),
        "detail": detail,
    }


def of_key(names: Names) -> Iterator[tuple[str, str, Event]]:
    """KMS developer guide: the page, the kind of its rule, and the event."""
    arn, key_id = names.key_arn, names.key_id
    alias_arn = arn.replace(f"key/{key_id}", names.alias)
    by_id, by_arn, answer = {"keyId": key_id}, {"keyId": arn}, {"keyId": arn}
    grant = {"grantId": "f020fe75197b93991dc8491d6f19dd3cebb24ee62277a05914386724f3d48758"}
    target = {"aliasName": names.alias, "targetKeyId": key_id}
    policy = {"policyName": "default", "policy": "{}", "bypassPolicyLockoutSafetyCheck": False}
    replica = {"replicaRegion": "us-west-2", "bypassPolicyLockoutSafetyCheck": False}
    granted = by_arn | {"operations": ["Encrypt", "RetireGrant"], "granteePrincipal": "EX_ID"}
    deletion = by_id | {"pendingWindowInDays": 20}
    deleted = answer | {"keyState": "PendingDeletion", "deletionDate": "Jul 30, 2020, 9:20:11 PM"}
    tags = {"tags": [{"tagKey": "Department", "tagValue": "IT"}]}
    moved = {"primaryRegion": "ap-northeast-1"}
    for page, kind, name, request, response, resources in (
        ("ct-disablekey", "KeyStopped", "DisableKey", by_id, answer, [arn]),
        ("ct-schedule-key-deletion", "KeyStopped", "ScheduleKeyDeletion", deletion, deleted, [arn]),
        ("ct-enablekey", "KeyResumed", "EnableKey", by_id, answer, [arn]),
        ("ct-cancel-key-deletion", "KeyResumed", "CancelKeyDeletion", by_id, answer, [arn]),
        ("ct-importkeymaterial", "KeyResumed", "ImportKeyMaterial", by_id, answer, [arn]),
        ("ct-put-key-policy", "KeyPolicyChanged", "PutKeyPolicy", by_id | policy, None, [arn]),
        ("ct-creategrant", "KeyGrantsChanged", "CreateGrant", granted, grant, [arn]),
        ("ct-revoke-grant", "KeyGrantsChanged", "RevokeGrant", by_arn | grant, None, [arn]),
        ("ct-retire-grant", "KeyGrantsChanged", "RetireGrant", None, None, [arn]),
        ("ct-createalias", "KeyAliasChanged", "CreateAlias", target, None, [arn, alias_arn]),
        ("ct-updatealias", "KeyAliasChanged", "UpdateAlias", target, answer, [alias_arn, arn]),
        ("ct-deletealias", "KeyAliasChanged", "DeleteAlias", {"aliasName": names.alias}, None, [alias_arn, arn]),
        (
            "ct-enablekeyrotation",
            "KeyRotationChanged",
            "EnableKeyRotation",
            by_id | {"rotationPeriodInDays": 180},
            answer,
            [arn],
        ),
        ("ct-disable-key-rotation", "KeyRotationChanged", "DisableKeyRotation", by_arn, None, [arn]),
        ("ct-rotatekeyondemand", "KeyRotationChanged", "RotateKeyOnDemand", by_id, {"keyId": key_id}, [arn]),
        ("ct-tagresource", "KeyChanged", "TagResource", by_arn | tags, None, [arn]),
        ("ct-untagresource", "KeyChanged", "UntagResource", by_arn | {"tagKeys": ["D"]}, None, [arn]),
        ("ct-replicate-key", "KeyChanged", "ReplicateKey", by_id | replica, None, [arn]),
        ("ct-update-primary-region", "KeyChanged", "UpdatePrimaryRegion", by_id | moved, None, [arn]),
        ("ct-update-primary-region, new primary", "KeyChanged", "UpdatePrimaryRegion", by_arn | moved, None, None),
    ):
        yield page, kind, event("kms", name, request, response, resources)
    yield ("API_DeleteImportedKeyMaterial", "KeyStopped", event("kms", "DeleteImportedKeyMaterial", by_id, None, [arn]))
    for name in ("KMS CMK Deletion", "KMS Imported Key Material Expiration"):
        yield f"kms-events, {name}", "KeyGone", envelope("aws.kms", name, {"key-id": key_id}, [arn])


def of_role(names: Names) -> Iterator[tuple[str, str, Event]]:
    """CloudTrail user guide, "CloudTrail log file examples", and IAM API reference."""
    role = {"roleName": names.role}
    policy = {"policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    inline = {"policyName": "own"}
    boundary = {"permissionsBoundary": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    version = {"policyArn": names.policy_arn, "versionId": "v2"}
    for kind, name, request in (
        ("RoleMadeAgain", "CreateRole", role | {"assumeRolePolicyDocument": "{}"}),
        ("RoleMadeAgain", "DeleteRole", role),
        ("RoleTrustChanged", "UpdateAssumeRolePolicy", role | {"policyDocument": "{}"}),
        ("RolePermissionsChanged", "AttachRolePolicy", role | policy),
        ("RolePermissionsChanged", "DetachRolePolicy", role | policy),
        ("RolePermissionsChanged", "PutRolePolicy", role | inline | {"policyDocument": "{}"}),
        ("RolePermissionsChanged", "DeleteRolePolicy", role | inline),
        ("RolePermissionsChanged", "PutRolePermissionsBoundary", role | boundary),
        ("RolePermissionsChanged", "DeleteRolePermissionsBoundary", role),
        ("RoleChanged", "UpdateRole", role | {"maxSessionDuration": 43200}),
        ("RoleChanged", "TagRole", role | {"tags": [{"key": "Department", "value": "IT"}]}),
        ("RoleChanged", "UntagRole", role | {"tagKeys": ["Department"]}),
        ("RolePolicyChanged", "CreatePolicyVersion", version | {"setAsDefault": True}),
        ("RolePolicyChanged", "SetDefaultPolicyVersion", version),
        ("RolePolicyChanged", "DeletePolicyVersion", version),
        ("RolePolicyChanged", "DeletePolicy", {"policyArn": names.policy_arn}),
    ):
        yield f"API_{name}", kind, event("iam", name, request)


def use(names: Names, name: str = "Decrypt", who: Any = NOBODY, **more: Any) -> Event:
    """KMS developer guide, ct-decrypt and its neighbours."""
    request = {
        "keyId": names.key_arn,
        "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "encryptionContext": {"Department": "Engineering", "Project": "Alpha"},
    }
    reads: dict[str, Any] = {"userIdentity": who, "readOnly": True}
    return event("kms", name, request, None, [names.key_arn], **(reads | more))


def session(names: Names) -> dict[str, Any]:
    """CloudTrail user guide, "CloudTrail userIdentity element": a role's session."""
    return {
        "type": "AssumedRole",
        "principalId": "AROAIDPPEZS35WEXAMPLE:AssumedRoleSessionName",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{names.role}/AssumedRoleSessionName",
        "accountId": ACCOUNT,
        "accessKeyId": "EXAMPLE_KEY_ID",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROAIDPPEZS35WEXAMPLE",
                "arn": names.role_arn,
                "accountId": ACCOUNT,
                "userName": names.role,
            },
            "attributes": {"mfaAuthenticated": "false", "creationDate": "20131102T010628Z"},
        },
    }


def stranger(account: str) -> dict[str, Any]:
    """The same page: another account."""
    return {"type": "AWSAccount", "principalId": "AIDAJ45Q7YFFAREXAMPLE", "accountId": account}
