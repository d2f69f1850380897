"""The key that Pinecone encrypts with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypedDict

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct
from typing_extensions import Required, Unpack

from cmek_construct import checks, guide, props, warnings
from cmek_construct.constructs import cdk as ours
from cmek_construct.guide import KeyAccess
from cmek_construct.warnings import Notice, notice

_DEFAULT_ALIAS: Final = "alias/pinecone-cmek/"
KEY: Final = (props.row("role of PineconeKey"), props.KEY_ADMINS._replace(name="admins"), *props.KEY)
"""What `PineconeKey` takes."""


class KeyShape(TypedDict, total=False):  # without `removal_policy`: a stack set has none
    key_access: KeyAccess
    alias: str | None
    description: str | None
    enable_key_rotation: bool | None
    rotation_period: cdk.Duration | None
    multi_region: bool | None
    pending_window: cdk.Duration | None
    protect_used_key: cdk.Duration | None
    suspended: bool


class KeyProps(KeyShape, total=False):  # a class stands beside its interface: to pyright it is none of it
    role: Required[iam.IRole | iam.Role]
    admins: Sequence[iam.IPrincipal | iam.PrincipalBase | iam.Role | iam.User] | None
    removal_policy: cdk.RemovalPolicy | None


class PineconeKey(kms.Key):
    """A `kms.Key` as steps 2.3 to 2.11 of the guide make it, with its alias.

    Symmetric, encrypt and decrypt, key material of KMS, single-Region; the account's root rules it, and Pinecone's role
    is a key user. Every method and attribute of `kms.Key` works.
    """

    @ours.takes(KeyProps, KEY)
    def __init__(self, scope: Construct, construct_id: str, **own: Unpack[KeyProps]) -> None:
        """Make the key and its alias."""
        environment = ours.environment_of(scope)
        role = own["role"]
        retain = own["removal_policy"] or ours.RETAIN
        admins = ours.administration("admins", own["admins"]) if own["admins"] else ()
        protected = own["protect_used_key"]
        days = None if protected is None else int(protected.to_days())
        of = environment.account or cdk.Aws.ACCOUNT_ID, ours.arn_of(role), own["key_access"]
        policy = guide.key_policy(*of, admins=admins, suspended=own["suspended"], protect_used_key=days)
        super().__init__(
            scope,
            construct_id,
            policy=iam.PolicyDocument.from_json(policy),
            description=own["description"],
            key_spec=kms.KeySpec.SYMMETRIC_DEFAULT,
            key_usage=kms.KeyUsage.ENCRYPT_DECRYPT,
            multi_region=bool(own["multi_region"]),
            enable_key_rotation=own["enable_key_rotation"] is not False,
            rotation_period=own["rotation_period"],
            pending_window=own["pending_window"],
            removal_policy=retain,
        )
        self._pinecone_environment, self._pinecone_arn = environment, self.key_arn
        alias = own["alias"]
        if alias is None:
            longest = checks.ALIAS_CHARACTERS - len(_DEFAULT_ALIAS)
            alias = _DEFAULT_ALIAS + cdk.Names.unique_resource_name(self, max_length=longest)
        elif not alias.startswith("alias/") and not checks.is_unknown(alias):
            alias = f"alias/{alias}"
        # Kept on deletion only, for another name replaces it and never the key. The L2 keeps the child id "Alias" for
        # the user's first `add_alias`.
        resource = kms.CfnAlias(self, "PineconeAlias", alias_name=alias, target_key_id=self._pinecone_arn)
        resource.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        resource.apply_removal_policy(retain, apply_to_update_replace_policy=False)
        ours.acknowledge(self, asked_for(own))
        if not isinstance(role, iam.Role):  # it may be of another account: that is meant then
            self.node.add_metadata(warnings.ROLE_OF_KEY, ours.arn_of(role))
        ours.warn(self, of_two_accounts(role, self, own["key_access"]))


def of_two_accounts(role: iam.IRole, key: kms.IKey, access: KeyAccess) -> Iterator[Notice]:
    """What the role needs beside the key policy, if it is seen to be in another account."""
    if ours.in_two_accounts(role, key):
        permissions = guide.role_permissions(ours.readable_arn(key, "KeyArn"), access)
        yield notice("role-in-another-account", permissions=permissions)


def asked_for(own: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What props of a key ask for in so many words, by the guardrail that would refuse it."""
    if own.get("removal_policy") is cdk.RemovalPolicy.DESTROY:
        yield warnings.KEY_RETAINED, "removal_policy=RemovalPolicy.DESTROY"
        yield warnings.ALIAS_RETAINED, "removal_policy=RemovalPolicy.DESTROY"
    if own["enable_key_rotation"] is False:
        yield warnings.ROTATION, "enable_key_rotation=False"
    if own["multi_region"]:
        yield warnings.MULTI_REGION, "multi_region=True"
    least, _ = checks.PENDING_WINDOW_DAYS
    if own["pending_window"] is not None and own["pending_window"].to_days() <= least:
        yield warnings.PENDING_WINDOW, f"pending_window of {least} days"
