"""The key that Pinecone encrypts with."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cmek_construct import arns, asked_for, checks, given, guide, inputs, limits, notices
from cmek_construct.environment import (
    environment_of,
    environment_of_resource,
    in_two_accounts,
    remember,
)
from cmek_construct.guide import KeyAccess
from cmek_construct.warn import warn

_ALIAS_PREFIX = "alias/"
_DEFAULT_ALIAS_PREFIX = "alias/pinecone-cmek/"


class PineconeKey(kms.Key):
    """A `kms.Key` as steps 2.3 to 2.11 of the guide make it, with its alias.

    Symmetric, encrypt and decrypt, key material of KMS, single-Region; the account's root rules
    it, and Pinecone's role is a key user. Every method and attribute of `kms.Key` works.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        role: iam.IRole,
        key_access: KeyAccess = KeyAccess.KEY_USER,
        admins: Sequence[iam.IPrincipal] | None = None,
        alias: str | None = None,
        description: str | None = None,
        enable_key_rotation: bool | None = None,
        rotation_period: cdk.Duration | None = None,
        multi_region: bool | None = None,
        pending_window: cdk.Duration | None = None,
        removal_policy: cdk.RemovalPolicy | None = None,
        suspended: bool = False,
    ) -> None:
        """Make the key and its alias.

        Args:
            scope: the construct in which the key is made.
            construct_id: its id there. The logical ID of the key follows from both.
            role: the role that Pinecone assumes. In another account or region it needs an
                explicit ``role_name``.
            key_access: what the role may do with the key. Default: `KeyAccess.KEY_USER`, which
                is what the guide makes a person click.
            admins: principals that the key policy names as key administrators, with the actions
                of the KMS console. Unlike the L2's ``admins``, which may write to their IAM
                policies. Default: none, as in the guide; the account's root is always there.
            alias: up to 256 characters; ``alias/`` is added where it is missing. Default:
                ``alias/pinecone-cmek/`` and a name that is unique by the construct's path. A
                change makes another alias for the same key.
            description: up to 8,192 characters. Default: none.
            enable_key_rotation: False stops the yearly new key material; the key ARN, which
                Pinecone stores, never changes by it. Default: True.
            rotation_period: 90 to 2,560 whole days. Default: KMS's 365 days.
            multi_region: True makes a multi-Region primary key. Pinecone takes one key ARN per
                project, so a replica helps only with Pinecone's support. Cannot be changed
                later. Default: False.
            pending_window: 7 to 30 whole days between an order to delete the key and its end.
                Default: KMS's 30 days.
            removal_policy: what becomes of key and alias when they leave the template. Default:
                ``RETAIN_ON_UPDATE_OR_DELETE``. ``DESTROY`` schedules the deletion of the key,
                and with it of all that was encrypted.
            suspended: True adds one statement that denies the role everything on this key, and
                changes nothing else; False takes it away. Grants that the role made outlive it.
                Default: False.

        Raises:
            ValueError: a value is outside its limits; nothing was built.
        """
        environment = environment_of(scope)
        inputs.role(role)
        check_key_props(
            alias=alias,
            description=description,
            enable_key_rotation=enable_key_rotation,
            rotation_period=rotation_period,
            multi_region=multi_region,
            pending_window=pending_window,
        )
        inputs.key_access(key_access)
        administration = inputs.admins("admins", admins)
        inputs.removal_policy(removal_policy)
        checks.flag("suspended", suspended)

        role_arn = arns.role_arn(role)
        policy = guide.key_policy(
            environment.account or cdk.Aws.ACCOUNT_ID,
            role_arn,
            key_access,
            admins=administration or (),
            suspended=suspended,
        )
        super().__init__(
            scope,
            construct_id,
            policy=iam.PolicyDocument.from_json(policy),
            description=description,
            key_spec=kms.KeySpec.SYMMETRIC_DEFAULT,
            key_usage=kms.KeyUsage.ENCRYPT_DECRYPT,
            multi_region=bool(multi_region),
            enable_key_rotation=enable_key_rotation is not False,
            rotation_period=rotation_period,
            pending_window=pending_window,
            removal_policy=removal_policy or inputs.RETAIN,
        )
        remember(self, environment)
        given.sids_of(self).update(statement["Sid"] for statement in policy["Statement"])
        _make_alias(self, alias, removal_policy)
        asked = asked_for.of_key(
            enable_key_rotation=enable_key_rotation,
            multi_region=multi_region,
            pending_window=pending_window,
            removal_policy=removal_policy,
        )
        asked |= asked_for.of_imported_role(self, role, role_arn, environment.account)
        asked_for.acknowledge(self, asked)
        if in_two_accounts(environment_of_resource(role), environment):
            permissions = guide.role_permissions("<output KeyArn>", key_access)
            warn(self, [notices.role_in_another_account(permissions)])


def check_key_props(
    *,
    alias: str | None,
    description: str | None,
    enable_key_rotation: bool | None,
    rotation_period: cdk.Duration | None,
    multi_region: bool | None,
    pending_window: cdk.Duration | None,
) -> None:
    """Raise a `ValueError` for what KMS refuses."""
    checks.alias("alias", alias)
    checks.text("description", description, limits.KEY_DESCRIPTION)
    checks.flag("enable_key_rotation", enable_key_rotation)
    inputs.duration("rotation_period", rotation_period, limits.ROTATION_DAYS)
    checks.first(checks.rotation(enable_key_rotation, rotation_period))
    checks.flag("multi_region", multi_region)
    inputs.duration("pending_window", pending_window, limits.PENDING_WINDOW_DAYS)


def _make_alias(key: kms.Key, alias: str | None, removal_policy: cdk.RemovalPolicy | None) -> None:
    """The L2 keeps the child id ``Alias`` for the user's first `add_alias`; this has its own."""
    if alias is None:
        longest = limits.ALIAS - len(_DEFAULT_ALIAS_PREFIX)
        alias = _DEFAULT_ALIAS_PREFIX + cdk.Names.unique_resource_name(key, max_length=longest)
    elif not alias.startswith(_ALIAS_PREFIX) and not checks.is_token(alias):
        alias = _ALIAS_PREFIX + alias
    resource = kms.CfnAlias(key, "PineconeAlias", alias_name=alias, target_key_id=arns.key_arn(key))
    resource.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
    if removal_policy is not cdk.RemovalPolicy.DESTROY:
        resource.apply_removal_policy(
            removal_policy or inputs.RETAIN, apply_to_update_replace_policy=False
        )
