"""What AWS's own documentation says of the requests that policies are about.

Source: Service Authorization Reference, "Actions, resources, and condition keys" for KMS and STS.
"""

from collections.abc import Mapping
from typing import Final

from cmek_construct.policy.patterns import DIGITS, SOMETHING

_ON_KEYS: Final = """
CancelKeyDeletion CreateAlias CreateGrant Decrypt DeleteAlias DeleteImportedKeyMaterial DeriveSharedSecret DescribeKey
DisableKey DisableKeyRotation EnableKey EnableKeyRotation Encrypt GenerateDataKey GenerateDataKeyPair
GenerateDataKeyPairWithoutPlaintext GenerateDataKeyWithoutPlaintext GenerateMac GetKeyLastUsage GetKeyPolicy
GetKeyRotationStatus GetParametersForImport GetPublicKey ImportKeyMaterial ListGrants ListKeyPolicies ListKeyRotations
ListResourceTags PutKeyPolicy ReEncryptFrom ReEncryptTo ReplicateKey RetireGrant RevokeGrant RotateKeyOnDemand
ScheduleKeyDeletion Sign SynchronizeMultiRegionKey TagResource UntagResource UpdateAlias UpdateKeyDescription
UpdatePrimaryRegion Verify VerifyMac
"""
_ON_NO_KEY: Final = """
ConnectCustomKeyStore CreateCustomKeyStore CreateKey DeleteCustomKeyStore DescribeCustomKeyStores
DisconnectCustomKeyStore GenerateRandom ListAliases ListKeys ListRetirableGrants UpdateCustomKeyStore
"""
_ON_ROLES: Final = "AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity SetContext SetSourceIdentity TagSession"
_ON_NO_ROLE: Final = """
DecodeAuthorizationMessage GetAccessKeyInfo GetDelegatedAccessToken GetServiceBearerToken GetSessionToken
GetWebIdentityToken TagGetWebIdentityToken
"""
_OPEN: Final = "GetCallerIdentity"


def _named(service: str, names: str) -> dict[str, str]:
    return {f"{service}:{name}".lower(): f"{service}:{name}" for name in names.split()}


ACTIONS: Final = {
    "key": _named("kms", _ON_KEYS),
    "trust": _named("sts", _ON_ROLES),
    "permissions": _named("kms", _ON_KEYS + _ON_NO_KEY)
    | _named("sts", f"{_ON_ROLES} {_ON_NO_ROLE} AssumeRoot GetFederationToken {_OPEN}"),
    "resource": {},
}
"""By kind of policy the actions of KMS and STS that it can be about, each by its name in lower case. AWS may add
one."""
_ON_ALIAS: Final = _named("kms", "CreateAlias DeleteAlias UpdateAlias")
_LETTER: Final = "[abcdefghijklmnopqrstuvwxyz0123456789-]"
WORD: Final = f"{_LETTER}{_LETTER}*"
_BEGIN: Final = f"arn:aws{_LETTER}*"
_OF_KMS: Final = f"{_BEGIN}:kms:{WORD}:{DIGITS}:"
_KEY: Final = f"{_OF_KMS}key/{SOMETHING}"
ACTED_ON: Final = (
    (ACTIONS["key"].keys() - _ON_ALIAS, (_KEY,)),
    (_ON_ALIAS, (_KEY, f"{_OF_KMS}alias/{SOMETHING}")),
    (ACTIONS["trust"], (f"{_BEGIN}:iam::{DIGITS}:role/{SOMETHING}",)),
    (_named("sts", "AssumeRoot"), (f"{_BEGIN}:iam::{DIGITS}:root",)),
    (_named("sts", "GetFederationToken"), (f"{_BEGIN}:sts::{DIGITS}:federated-user/{SOMETHING}",)),
    # Resource * alone allows these,
    (_named("kms", _ON_NO_KEY) | _named("sts", _ON_NO_ROLE), ("",)),
    # and no policy can take this one from anybody.
    (_named("sts", _OPEN), ()),
)
"""What actions are for, each as patterns of ARNs."""
FEDERATED: Final = tuple(_named("sts", "AssumeRoleWithSAML AssumeRoleWithWebIdentity SetSourceIdentity TagSession"))
"""The actions of those who sign in elsewhere."""
DIRECT_CALL: Final[Mapping[str, str | None]] = {
    "aws:calledvia": None,
    "aws:securetransport": "true",
    "aws:viaawsservice": "false",
    "kms:viaservice": None,
}
"""What a call over TLS says that no AWS service makes for somebody."""
PRINCIPAL_ARN: Final = "aws:principalarn"
USER_ID: Final = "aws:userid"
EXTERNAL_ID: Final = "sts:externalid"
SESSION_BEGAN: Final = "aws:tokenissuetime"
"""The key that says when the session of who asks began."""
CALLER_ACCOUNT: Final = "kms:calleraccount"
"""The key that says the caller's account, in every request to KMS but some."""
ACCOUNT_KEYS: Final = ("aws:principalaccount", CALLER_ACCOUNT)
"""The keys that say the account of the principal."""
OF_RESOURCE: Final = {"aws:requestedregion": 3, "aws:resourceaccount": 4}
"""The keys that say of a request to a key what its ARN says, and in which part."""
IS_SERVICE: Final = "aws:principalisawsservice"
"""The key that says whether an AWS service asks."""
BOOLEANS: Final = frozenset(
    _named("aws", "SecureTransport ViaAWSService MultiFactorAuthPresent PrincipalIsAWSService")
    | _named("kms", "GrantIsForAWSResource MultiRegion ReEncryptOnSameKey BypassPolicyLockoutSafetyCheck")
)
SEVERAL: Final = frozenset(
    _named("aws", "CalledVia PrincipalOrgPaths PrincipalServiceNamesList ResourceOrgPaths SourceOrgPaths TagKeys")
    | _named("kms", "EncryptionContextKeys GrantOperations")
    | _named("sts", "TransitiveTagKeys")
)
"""Keys that have several values in one request."""
TRAILING_DAYS: Final = "kms:trailingdayswithoutkeyusage"
"""The key that says for how many days nobody has used the key."""
WITHOUT_CALLER_ACCOUNT: Final = frozenset(_named("kms", "GenerateRandom ListAliases ListKeys ListRetirableGrants"))
_PAIRS: Final = "GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext"
_MAKING: Final = f"GenerateDataKey GenerateDataKeyWithoutPlaintext {_PAIRS}"
_SYMMETRIC: Final = f"Decrypt Encrypt {_MAKING} ReEncryptFrom ReEncryptTo"
_MACS: Final = "GenerateMac VerifyMac"
_SIGNING: Final = "Sign Verify"
_ASSUMING: Final = "AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity SetSourceIdentity"
_KEYS: Final = {
    "kms": {
        "BypassPolicyLockoutSafetyCheck": "CreateKey PutKeyPolicy",
        "DataKeyPairSpec": _PAIRS,
        "EncryptionAlgorithm": _SYMMETRIC,
        "EncryptionContext EncryptionContextKeys": f"{_SYMMETRIC} CreateGrant RetireGrant",
        "ExpirationModel ValidTo": "ImportKeyMaterial",
        "GrantConstraintSourceArn GranteePrincipal GranteeServicePrincipal GrantOperations": "CreateGrant",
        "GrantConstraintType": "CreateGrant RetireGrant",
        "GrantIsForAWSResource": "CreateGrant ListGrants RevokeGrant",
        "KeyAgreementAlgorithm": "DeriveSharedSecret",
        "MacAlgorithm": _MACS,
        "MessageType SigningAlgorithm": _SIGNING,
        "PrimaryRegion": "UpdatePrimaryRegion",
        "RecipientAttestation": "Decrypt DeriveSharedSecret GenerateDataKey GenerateDataKeyPair GenerateRandom",
        "ReEncryptOnSameKey": "ReEncryptFrom ReEncryptTo",
        "ReplicaRegion": "ReplicateKey",
        "RequestAlias": f"{_SYMMETRIC} {_MACS} {_SIGNING} DeriveSharedSecret DescribeKey GetPublicKey",
        "RetiringPrincipal RetiringServicePrincipal": "CreateGrant",
        "RotationPeriodInDays": "EnableKeyRotation",
        "ScheduleKeyDeletionPendingWindowInDays": "ScheduleKeyDeletion",
        "TrailingDaysWithoutKeyUsage": "DisableKey ScheduleKeyDeletion",
        "WrappingAlgorithm WrappingKeySpec": "GetParametersForImport",
    },
    "sts": {
        # AWS lists some of these for the calls that make a session alone. Who tags the session, or says whose it is, in
        # that call sends them with the call.
        "AWSServiceName": "GetServiceBearerToken",
        "DurationSeconds": "GetServiceBearerToken GetWebIdentityToken",
        "ExternalId": "AssumeRole SetSourceIdentity TagSession",
        "IdentityTokenAudience": "GetWebIdentityToken",
        "RequestContextProviders": "SetContext",
        "RoleAuthorizedByIdp": "AssumeRoleWithWebIdentity",
        "RoleSessionName SourceIdentity TransitiveTagKeys": f"{_ASSUMING} TagSession",
        "TaskPolicyArn": "AssumeRoot",
    },
}
KEYS: Final[Mapping[str, frozenset[str]]] = {
    f"{service}:{key}".lower(): frozenset(_named(service, names))
    for service, table in _KEYS.items()
    for keys, names in table.items()
    for key in keys.split()
}
"""Condition keys that come with these actions alone; others of a service with each of its own."""
EXPANDED: Final = {
    "kms:ReEncrypt*": tuple(_named("kms", "ReEncryptFrom ReEncryptTo").values()),
    "kms:GenerateDataKey*": tuple(_named("kms", _MAKING).values()),
}
"""The actions that the wildcards of the console's "Key users" mean. Source: as above."""
POLICY_KEEPING: Final = ("kms:GetKeyPolicy", "kms:PutKeyPolicy")
"""By these whoever owns a key mends its policy: without them a key can become unmanageable."""
RULING: Final = ("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey")
"""What shows that a key's account rules it: it can change its policy, and it can end it."""
