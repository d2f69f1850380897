"""What AWS's own documentation says of the requests that policies are about.

Source: Service Authorization Reference, "Actions, resources, and condition keys" for KMS and STS.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_ON_KEYS: Final = """
CancelKeyDeletion CreateAlias CreateGrant Decrypt DeleteAlias DeleteImportedKeyMaterial
DeriveSharedSecret DescribeKey DisableKey DisableKeyRotation EnableKey EnableKeyRotation Encrypt
GenerateDataKey GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext
GenerateDataKeyWithoutPlaintext GenerateMac GetKeyLastUsage GetKeyPolicy GetKeyRotationStatus
GetParametersForImport GetPublicKey ImportKeyMaterial ListGrants ListKeyPolicies ListKeyRotations
ListResourceTags PutKeyPolicy ReEncryptFrom ReEncryptTo ReplicateKey RetireGrant RevokeGrant
RotateKeyOnDemand ScheduleKeyDeletion Sign SynchronizeMultiRegionKey TagResource UntagResource
UpdateAlias UpdateKeyDescription UpdatePrimaryRegion Verify VerifyMac
"""
_ON_NO_KEY: Final = """
ConnectCustomKeyStore CreateCustomKeyStore CreateKey DeleteCustomKeyStore DescribeCustomKeyStores
DisconnectCustomKeyStore GenerateRandom ListAliases ListKeys ListRetirableGrants
UpdateCustomKeyStore
"""
_ON_ROLES: Final = """
AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity SetContext SetSourceIdentity TagSession
"""
_ON_NO_ROLE: Final = """
AssumeRoot DecodeAuthorizationMessage GetAccessKeyInfo GetCallerIdentity GetDelegatedAccessToken
GetFederationToken GetServiceBearerToken GetSessionToken GetWebIdentityToken TagGetWebIdentityToken
"""


def _named(service: str, names: str) -> dict[str, str]:
    return {f"{service}:{name}".lower(): f"{service}:{name}" for name in names.split()}


ACTIONS: Final = {
    "key": _named("kms", _ON_KEYS),
    "trust": _named("sts", _ON_ROLES),
    "permissions": _named("kms", _ON_KEYS + _ON_NO_KEY) | _named("sts", _ON_ROLES + _ON_NO_ROLE),
}
"""By kind of policy the actions of KMS and STS that it can be about, each by its name in lower
case. AWS may add one."""
ON_NOTHING: Final = frozenset(ACTIONS["permissions"]) - {*ACTIONS["key"], *ACTIONS["trust"]}
"""Those that are for no key or role, and that Resource * alone allows."""
FEDERATED: Final = tuple(
    _named("sts", "AssumeRoleWithSAML AssumeRoleWithWebIdentity SetSourceIdentity TagSession")
)
"""The actions of those who sign in elsewhere."""
DIRECT_CALL: Final[Mapping[str, str | None]] = {
    "aws:calledvia": None,
    "aws:securetransport": "true",
    "aws:viaawsservice": "false",
    "kms:viaservice": None,
}
"""What a call over TLS says that no AWS service makes for somebody."""
SERVICES: Final = ("kms:", "sts:")
KEYS: Final[dict[str, tuple[str, ...]]] = {
    "kms:grantisforawsresource": ("kms:creategrant", "kms:listgrants", "kms:revokegrant"),
    "kms:bypasspolicylockoutsafetycheck": ("kms:createkey", "kms:putkeypolicy"),
    "kms:grantconstrainttype": ("kms:creategrant",),
    "kms:granteeprincipal": ("kms:creategrant",),
    "kms:grantoperations": ("kms:creategrant",),
    "kms:retiringprincipal": ("kms:creategrant",),
    "kms:schedulekeydeletionpendingwindowindays": ("kms:schedulekeydeletion",),
    "kms:trailingdayswithoutkeyusage": ("kms:disablekey", "kms:schedulekeydeletion"),
    # AWS lists it for AssumeRole. Who tags the session in that call sends it with the call.
    "sts:externalid": ("sts:assumerole", "sts:setsourceidentity", "sts:tagsession"),
}
"""Condition keys that come with these actions alone; others of a service with each of its own."""
