"""What AWS's own documentation says of the requests that policies are about.

Source: Service Authorization Reference, "Actions, resources, and condition keys" for KMS and STS.
"""

from __future__ import annotations

from typing import Final

_KMS: Final = """
CancelKeyDeletion ConnectCustomKeyStore CreateAlias CreateCustomKeyStore CreateGrant CreateKey
Decrypt DeleteAlias DeleteCustomKeyStore DeleteImportedKeyMaterial DeriveSharedSecret
DescribeCustomKeyStores DescribeKey DisableKey DisableKeyRotation DisconnectCustomKeyStore
EnableKey EnableKeyRotation Encrypt GenerateDataKey GenerateDataKeyPair
GenerateDataKeyPairWithoutPlaintext GenerateDataKeyWithoutPlaintext GenerateMac GenerateRandom
GetKeyLastUsage GetKeyPolicy GetKeyRotationStatus GetParametersForImport GetPublicKey
ImportKeyMaterial ListAliases ListGrants ListKeyPolicies ListKeyRotations ListKeys
ListResourceTags ListRetirableGrants PutKeyPolicy ReEncryptFrom ReEncryptTo ReplicateKey
RetireGrant RevokeGrant RotateKeyOnDemand ScheduleKeyDeletion Sign SynchronizeMultiRegionKey
TagResource UntagResource UpdateAlias UpdateCustomKeyStore UpdateKeyDescription
UpdatePrimaryRegion Verify VerifyMac
"""
_STS: Final = """
AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity AssumeRoot DecodeAuthorizationMessage
GetAccessKeyInfo GetCallerIdentity GetDelegatedAccessToken GetFederationToken GetServiceBearerToken
GetSessionToken GetWebIdentityToken SetContext SetSourceIdentity TagGetWebIdentityToken TagSession
"""
ACTIONS: Final = {
    f"{service}:{name}".lower(): f"{service}:{name}"
    for service, names in (("kms", _KMS), ("sts", _STS))
    for name in names.split()
}
"""The actions of KMS and STS, by their names in lower case."""
SERVICES: Final = ("kms:", "sts:")
"""Services of which every action is known; AWS may add one."""
KEYS: Final[dict[str, tuple[str, ...]]] = {
    "kms:grantisforawsresource": ("kms:creategrant", "kms:listgrants", "kms:revokegrant"),
    "kms:bypasspolicylockoutsafetycheck": ("kms:createkey", "kms:putkeypolicy", "kms:replicatekey"),
    "kms:schedulekeydeletionpendingwindowindays": ("kms:schedulekeydeletion",),
    "kms:trailingdayswithoutkeyusage": ("kms:disablekey", "kms:schedulekeydeletion"),
    "sts:externalid": ("sts:assumerole",),
}
"""Condition keys that come with these actions alone."""
