"""The events that tell that a key or a role was touched, and what each kind means to Pinecone.

Pure data, read beside AWS's pages: KMS developer guide, "Logging AWS KMS API calls with AWS CloudTrail" (a page for
each operation) and "Monitor KMS keys with Amazon EventBridge"; IAM user guide, "Logging IAM and AWS STS API calls with
AWS CloudTrail"; EventBridge user guide, "Comparison operators for use in event patterns".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

Pattern = dict[str, Any]
"""An event pattern, or a part of one."""


@dataclass(frozen=True)
class Kind:
    """Events that mean the same to the person who is told of them.

    ``to_do`` names the key or the role as ``{it}``.
    """

    id: str
    names: tuple[str, ...]
    means: str
    to_do: str


KEY_CALLS: Final = (
    Kind(
        "KeyStopped",
        ("DisableKey", "ScheduleKeyDeletion", "DeleteImportedKeyMaterial"),
        "Pinecone can no longer use the key, and works on with cached data keys for a time. A key whose deletion is "
        "scheduled is gone after 7 to 30 days, and with it for good all that was encrypted.",
        "Unless you meant it: aws kms cancel-key-deletion --key-id {it} (if it is scheduled), then "
        "aws kms enable-key --key-id {it}. Imported key material: import the same again.",
    ),
    Kind(
        "KeyResumed",
        ("EnableKey", "CancelKeyDeletion", "ImportKeyMaterial"),
        "Somebody takes a stop back. A key whose deletion was cancelled stays disabled until it is enabled.",
        "Look at KeyState: aws kms describe-key --key-id {it}.",
    ),
    Kind(
        "KeyPolicyChanged",
        ("PutKeyPolicy",),
        "Who may use or rule the key has changed: others may be let in, Pinecone may be locked out.",
        "Unless it was a deploy of yours: aws kms get-key-policy --key-id {it}, and compare it "
        "with the template. A deploy of the same template does not put it back.",
    ),
    Kind(
        "KeyGrantsChanged",
        ("CreateGrant", "RevokeGrant", "RetireGrant"),
        "A grant lets a principal use the key beside every policy, and outlives a suspension; or "
        "such a grant has ended.",
        "aws kms list-grants --key-id {it}, and end what you do not know with aws kms revoke-grant.",
    ),
    Kind(
        "KeyAliasChanged",
        ("CreateAlias", "UpdateAlias", "DeleteAlias"),
        "An alias of the key was made, moved or deleted. Pinecone names the key by its ARN and "
        "goes on; permissions that are scoped by the alias change with it.",
        "aws kms list-aliases --key-id {it}.",
    ),
    Kind(
        "KeyRotationChanged",
        ("EnableKeyRotation", "DisableKeyRotation", "RotateKeyOnDemand"),
        "Automatic rotation was switched on or off, or the key was rotated by hand. The key ARN "
        "stays the same, and what is encrypted can still be read.",
        "aws kms get-key-rotation-status --key-id {it}.",
    ),
    Kind(
        "KeyChanged",
        ("TagResource", "UntagResource", "ReplicateKey", "UpdatePrimaryRegion"),
        "A tag of the key changed, by which an organization may allow or block Pinecone; or a "
        "multi-Region key got a replica or another primary Region.",
        "aws kms list-resource-tags --key-id {it}; aws kms describe-key --key-id {it}.",
    ),
)
"""Calls that change a key."""

KEY_GONE: Final = Kind(
    "KeyGone",
    ("KMS CMK Deletion", "KMS Imported Key Material Expiration"),
    "The key, or its imported key material, is gone: what Pinecone encrypted with it cannot be read.",
    "Imported key material: import the same again with aws kms import-key-material. A deleted key "
    "cannot be brought back: tell Pinecone's support.",
)
"""What KMS itself tells EventBridge, without CloudTrail. The names are detail types."""

_BOUNDARY_CALLS: Final = ("PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary")
ROLE_CALLS: Final = (
    Kind(
        "RoleTrustChanged",
        ("UpdateAssumeRolePolicy",),
        "Who may assume the role has changed: others may be let in, Pinecone may be locked out.",
        "Unless it was a deploy of yours: aws iam get-role --role-name {it}, and compare its trust "
        "policy with the template. A deploy of the same template does not put it back.",
    ),
    Kind(
        "RolePermissionsChanged",
        ("AttachRolePolicy", "DetachRolePolicy", "PutRolePolicy", "DeleteRolePolicy", *_BOUNDARY_CALLS),
        "What the role may do has changed. A key of its own account it may use by the key policy "
        "alone, unless a boundary or a Deny stands against it.",
        "Unless it was a deploy of yours: aws iam list-attached-role-policies --role-name {it}; "
        "aws iam list-role-policies --role-name {it}; aws iam get-role --role-name {it}.",
    ),
    Kind(
        "RoleMadeAgain",
        ("DeleteRole", "CreateRole"),
        "A role that is made again under its name is another one to the key policy: Pinecone is "
        "locked out until the key policy is written anew.",
        "aws iam get-role --role-name {it}. With the role there again, deploy suspended=True, then False.",
    ),
    Kind(
        "RoleChanged",
        ("UpdateRole", "TagRole", "UntagRole"),
        "The session duration changed, or a tag, by which an organization may allow or block Pinecone.",
        "aws iam get-role --role-name {it}.",
    ),
)
"""Calls that change a role."""

ROLE_POLICY_CALLS: Final = Kind(
    "RolePolicyChanged",
    ("CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion", "DeletePolicy"),
    "A managed policy of the role has changed: which keys of customers it may use.",
    "Unless it was a deploy of yours: aws iam list-attached-role-policies --role-name {it}, and "
    "aws iam get-policy-version for each.",
)
"""Calls that change a managed policy, which no call about its role tells."""

_USES: Final = ("Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext")
_PAIRS: Final = ("GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext")
KEY_USED: Final = Kind(
    "KeyUsedByOthers",
    (*_USES, *_PAIRS),
    "Somebody who is not Pinecone's role used the key, and may have read data keys of Pinecone.",
    "Find out who it is. Take the way in away: aws kms get-key-policy --key-id {it}; aws kms "
    "list-grants --key-id {it}; and your own IAM policies, to which the key policy hands the key.",
)
KEY_REFUSED: Final = Kind(
    "KeyUseDenied",
    (*_USES, *_PAIRS),
    "Somebody was denied the use of the key. If it is Pinecone's role, Pinecone cannot read your data.",
    "If it is Pinecone's role: aws kms get-key-policy --key-id {it}, and look for SCPs and RCPs. "
    "Otherwise find out who tried.",
)

HOME_OF_IAM: Final = "us-east-1"
"""Where CloudTrail delivers IAM's events. Source: IAM user guide, "Logging IAM and AWS STS API calls with AWS
CloudTrail"."""


def _calls(service: str, names: Sequence[str], about: Pattern) -> Pattern:
    """Calls of one service that CloudTrail delivers, whoever made them and however they ended."""
    detail = {"eventSource": [f"{service}.amazonaws.com"], "eventName": list(names), **about}
    return {"source": [f"aws.{service}"], "detail-type": ["AWS API Call via CloudTrail"], "detail": detail}


def of_key(arn: str, key_id: str, aliases: Sequence[str]) -> Iterator[tuple[Kind, Pattern]]:
    """What changes the key, of which the aliases are known; and its end, as KMS tells it.

    An alias that is moved away is named by itself alone.
    """
    places = _places_of(arn, key_id)
    if aliases:
        places.append({"requestParameters": {"aliasName": list(aliases)}})
    yield from ((kind, _calls("kms", kind.names, {"$or": places})) for kind in KEY_CALLS)
    yield KEY_GONE, {"source": ["aws.kms"], "detail-type": list(KEY_GONE.names), "resources": [arn]}


def of_use(arn: str, key_id: str, role_arn: str | None, account_id: str | None) -> Iterator[tuple[Kind, Pattern]]:
    """Who uses the key by no session of the role, and who is denied: ``AccessDenied``, or ``AccessDeniedException``.

    Of a role of another account an entry shows no more than the account.
    """
    places = {"$or": _places_of(arn, key_id)}
    others = [{"anything-but": [role_arn or account_id]}, {"exists": False}]
    by_others = {"sessionContext": {"sessionIssuer": {"arn": others}}} if role_arn else {"accountId": others}
    succeeded = {"userIdentity": by_others, "errorCode": [{"exists": False}]}
    yield KEY_USED, _calls("kms", KEY_USED.names, {**places, **succeeded})
    yield KEY_REFUSED, _calls("kms", KEY_REFUSED.names, {**places, "errorCode": [{"prefix": "AccessDenied"}]})


def of_role(name: str, policy_arns: Sequence[str]) -> Iterator[tuple[Kind, Pattern]]:
    """What changes the role, by its name, which IAM takes in any case; and its own managed policies."""
    about = {"requestParameters": {"roleName": [{"equals-ignore-case": name}]}}
    yield from ((kind, _calls("iam", kind.names, about)) for kind in ROLE_CALLS)
    if policy_arns:
        of_policies = {"requestParameters": {"policyArn": list(policy_arns)}}
        yield ROLE_POLICY_CALLS, _calls("iam", ROLE_POLICY_CALLS.names, of_policies)


def of_every_role() -> Pattern:
    """All that changes any role or managed policy: what us-east-1 forwards."""
    return _calls("iam", [name for kind in (*ROLE_CALLS, ROLE_POLICY_CALLS) for name in kind.names], {})


def _places_of(arn: str, key_id: str) -> list[Pattern]:
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


def publish_statement(topic_arn: str) -> Pattern:
    """What the policy of a topic must say for EventBridge to publish to it."""
    return {
        "Sid": "AllowEventBridgeToPublish",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic_arn,
    }


def message(kind: Kind, whose: str, it: str, field: Callable[[str], str]) -> str:
    """The text of an event: what, on what, by whom, when, where; what it means and what to do.

    Args:
        kind: what happened.
        whose: the path of the construct that is watched.
        it: the key's ARN or the role's name.
        field: what stands for a field of the event.
    """
    said = f"Pinecone CMEK {whose}: "
    if kind is KEY_GONE:  # of KMS itself: nobody called
        said += (
            f"{field('$.detail-type')} of {it}, at {field('$.time')}, in account {field('$.account')}, "
            f"{field('$.region')}."
        )
    else:
        said += (
            f"{field('$.detail.eventName')} on {it}, by {field('$.detail.userIdentity.arn')} "
            f"{field('$.detail.userIdentity.invokedBy')} ({field('$.detail.userIdentity.type')}, account "
            f"{field('$.detail.userIdentity.accountId')}, from {field('$.detail.sourceIPAddress')}), at "
            f"{field('$.detail.eventTime')}, in account {field('$.account')}, {field('$.detail.awsRegion')}. If it "
            f"failed, with the error: {field('$.detail.errorCode')}."
        )
    return f"{said} What it means: {kind.means} What to do: {kind.to_do.format(it=it)}"
