"""The events that tell that a key or a role was touched, and what each kind means to Pinecone.

Pure data, read beside AWS's pages: KMS developer guide, "Logging AWS KMS API calls with AWS CloudTrail" (a page for
each operation) and "Monitor KMS keys with Amazon EventBridge"; IAM user guide, "Logging IAM and AWS STS API calls with
AWS CloudTrail"; EventBridge user guide, "Comparison operators for use in event patterns".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

Pattern = dict[str, Any]  # an event pattern, as `aws_events.EventPattern` takes it, or a part of one


class Kind(NamedTuple):
    """Events that mean the same to the person who is told of them."""

    id: str  # begins with what they change
    names: tuple[str, ...]
    means: str = ""
    to_do: str = ""  # with ``{it}`` for the key or the role

    def told(self, means: str, to_do: str) -> Kind:
        """The kind with what it means to Pinecone, and what there is to do."""
        return self._replace(means=means, to_do=to_do)


KEY_CALLS: Final = (  # which change a key
    Kind("KeyStopped", ("DisableKey", "ScheduleKeyDeletion", "DeleteImportedKeyMaterial")).told(
        "Pinecone can no longer use the key, and works on with cached data keys for a time. A key whose deletion is "
        "scheduled is gone after 7 to 30 days, and with it for good all that was encrypted.",
        "Unless you meant it: aws kms cancel-key-deletion --key-id {it} (if it is scheduled), then "
        "aws kms enable-key --key-id {it}. Imported key material: import the same again.",
    ),
    Kind("KeyResumed", ("EnableKey", "CancelKeyDeletion", "ImportKeyMaterial")).told(
        "Somebody takes a stop back. A key whose deletion was cancelled stays disabled until it is enabled.",
        "Look at KeyState: aws kms describe-key --key-id {it}.",
    ),
    Kind("KeyPolicyChanged", ("PutKeyPolicy",)).told(
        "Who may use or rule the key has changed: others may be let in, Pinecone may be locked out.",
        "Unless it was a deploy of yours: aws kms get-key-policy --key-id {it}, and compare it "
        "with the template. A deploy of the same template does not put it back.",
    ),
    Kind("KeyGrantsChanged", ("CreateGrant", "RevokeGrant", "RetireGrant")).told(
        "A grant lets a principal use the key beside every policy, and outlives a suspension; or "
        "such a grant has ended.",
        "aws kms list-grants --key-id {it}, and end what you do not know with aws kms revoke-grant.",
    ),
    Kind("KeyAliasChanged", ("CreateAlias", "UpdateAlias", "DeleteAlias")).told(
        "An alias of the key was made, moved or deleted. Pinecone names the key by its ARN and "
        "goes on; permissions that are scoped by the alias change with it.",
        "aws kms list-aliases --key-id {it}.",
    ),
    Kind("KeyRotationChanged", ("EnableKeyRotation", "DisableKeyRotation", "RotateKeyOnDemand")).told(
        "Automatic rotation was switched on or off, or the key was rotated by hand. The key ARN "
        "stays the same, and what is encrypted can still be read.",
        "aws kms get-key-rotation-status --key-id {it}.",
    ),
    Kind("KeyChanged", ("TagResource", "UntagResource", "ReplicateKey", "UpdatePrimaryRegion")).told(
        "A tag of the key changed, by which an organization may allow or block Pinecone; or a "
        "multi-Region key got a replica or another primary Region.",
        "aws kms list-resource-tags --key-id {it}; aws kms describe-key --key-id {it}.",
    ),
)

# What KMS itself tells EventBridge, without CloudTrail: the names are detail types
KEY_GONE: Final = Kind("KeyGone", ("KMS CMK Deletion", "KMS Imported Key Material Expiration")).told(
    "The key, or its imported key material, is gone: what Pinecone encrypted with it cannot be read.",
    "Imported key material: import the same again with aws kms import-key-material. A deleted key "
    "cannot be brought back: tell Pinecone's support.",
)
_BOUNDARY_CALLS: Final = ("PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary")
ROLE_CALLS: Final = (  # which change a role
    Kind("RoleTrustChanged", ("UpdateAssumeRolePolicy",)).told(
        "Who may assume the role has changed: others may be let in, Pinecone may be locked out.",
        "Unless it was a deploy of yours: aws iam get-role --role-name {it}, and compare its trust "
        "policy with the template. A deploy of the same template does not put it back.",
    ),
    Kind(
        "RolePermissionsChanged",
        ("AttachRolePolicy", "DetachRolePolicy", "PutRolePolicy", "DeleteRolePolicy", *_BOUNDARY_CALLS),
    ).told(
        "What the role may do has changed. A key of its own account it may use by the key policy "
        "alone, unless a boundary or a Deny stands against it.",
        "Unless it was a deploy of yours: aws iam list-attached-role-policies --role-name {it}; "
        "aws iam list-role-policies --role-name {it}; aws iam get-role --role-name {it}.",
    ),
    Kind("RoleMadeAgain", ("DeleteRole", "CreateRole")).told(
        "A role that is made again under its name is another one to the key policy: Pinecone is "
        "locked out until the key policy is written anew.",
        "aws iam get-role --role-name {it}. With the role there again, deploy suspended=True, then False.",
    ),
    Kind("RoleChanged", ("UpdateRole", "TagRole", "UntagRole")).told(
        "The session duration changed, or a tag, by which an organization may allow or block Pinecone.",
        "aws iam get-role --role-name {it}.",
    ),
)

# Which change a managed policy, which no call about its role tells
ROLE_POLICY_CALLS: Final = Kind(
    "RolePolicyChanged", ("CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion", "DeletePolicy")
).told(
    "A managed policy of the role has changed: which keys of customers it may use.",
    "Unless it was a deploy of yours: aws iam list-attached-role-policies --role-name {it}, and "
    "aws iam get-policy-version for each.",
)
EVERY_ROLE_CALL: Final = Kind(  # what us-east-1 forwards
    "RolesChanged", tuple(name for one in (*ROLE_CALLS, ROLE_POLICY_CALLS) for name in one.names)
)

_USES: Final = ("Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext")
_PAIRS: Final = ("GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext")
KEY_USED: Final = Kind("KeyUsedByOthers", (*_USES, *_PAIRS)).told(
    "Somebody who is not Pinecone's role used the key, and may have read data keys of Pinecone.",
    "Find out who it is. Take the way in away: aws kms get-key-policy --key-id {it}; aws kms "
    "list-grants --key-id {it}; and your own IAM policies, to which the key policy hands the key.",
)
KEY_REFUSED: Final = Kind("KeyUseDenied", (*_USES, *_PAIRS)).told(
    "Somebody was denied the use of the key. If it is Pinecone's role, Pinecone cannot read your data.",
    "If it is Pinecone's role: aws kms get-key-policy --key-id {it}, and look for SCPs and RCPs. "
    "Otherwise find out who tried.",
)

HOME_OF_IAM: Final = "us-east-1"
"""Where CloudTrail delivers IAM's events. Source: IAM user guide, "Logging IAM and AWS STS API calls with AWS
CloudTrail"."""
_GONE: Final = "<detail-type> of {it}, at <time>, in account <account>, <region>."  # of KMS itself: nobody called
_CALLED: Final = (
    "<detail.eventName> on {it}, by <detail.userIdentity.arn> <detail.userIdentity.invokedBy> "
    "(<detail.userIdentity.type>, account <detail.userIdentity.accountId>, from <detail.sourceIPAddress>), at "
    "<detail.eventTime>, in account <account>, <detail.awsRegion>. If it failed, with the error: <detail.errorCode>."
)


def calls(kind: Kind, about: Pattern) -> Pattern:
    """Calls that CloudTrail delivers, whoever made them and however they ended."""
    service = "kms" if kind.id.startswith("Key") else "iam"
    detail = {"eventSource": [f"{service}.amazonaws.com"], "eventName": list(kind.names), **about}
    return {"source": [f"aws.{service}"], "detail_type": ["AWS API Call via CloudTrail"], "detail": detail}


def places_of(arn: str, key_id: str) -> list[Pattern]:
    """Wherever an entry names the key.

    ``resources`` has its ARN in nearly all of them; ``RetireGrant`` has no request parameters, ``UpdatePrimaryRegion``
    in the new primary Region no resources, and a denied call may have neither.
    """
    names = [arn, key_id]
    return [
        {"resources": {"ARN": [arn]}},
        {"requestParameters": {"keyId": names}},
        {"requestParameters": {"targetKeyId": names}},
        {"responseElements": {"keyId": names}},
        {"errorMessage": [{"wildcard": f"*{arn}*"}]},
    ]


def message(kind: Kind, whose: str, it: str, field: Callable[[str], str]) -> str:
    """The text of an event: what, on what, by whom, when, where; what it means and what to do.

    ``whose`` is the path of the construct, ``it`` the key's ARN or the role's name; ``field`` stands for one of the
    event.
    """
    what = re.sub(r"<(.+?)>", lambda name: field(f"$.{name[1]}"), _GONE if kind is KEY_GONE else _CALLED)
    said = f"{what} What it means: {kind.means} What to do: {kind.to_do}"
    return f"Pinecone CMEK {whose}: {said.replace('{it}', it)}"
