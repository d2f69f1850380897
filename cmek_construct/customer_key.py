"""The key of a customer, for the role of a vendor in another account."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from cmek_construct import arns, checks, inputs
from cmek_construct.environment import environment_of
from cmek_construct.guide import KeyAccess
from cmek_construct.key import PineconeKey, check_key_props


class CustomerKey(Construct):
    """A key of yours that a vendor's Pinecone project is encrypted with.

    You are the vendor's customer: key, alias and key policy are in your account, and the policy
    names the vendor's role and nobody else. The vendor's `PineconeRole` has your account in its
    ``customer_account_ids``: across accounts AWS wants both sides to allow. Source: KMS developer
    guide, "Allowing users in other accounts to use a KMS key".
    """

    key: PineconeKey
    """The key. Its ARN, the output ``KeyArn``, goes back to the vendor."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        role_arn: str,
        key_access: KeyAccess = KeyAccess.ENCRYPT_DECRYPT,
        key_admins: Sequence[iam.IPrincipal] | None = None,
        alias: str | None = None,
        description: str | None = None,
        enable_key_rotation: bool | None = None,
        rotation_period: cdk.Duration | None = None,
        multi_region: bool | None = None,
        pending_window: cdk.Duration | None = None,
        removal_policy: cdk.RemovalPolicy | None = None,
        suspended: bool = False,
    ) -> None:
        """Make key, alias and output.

        Args:
            scope: the construct in which they are made.
            construct_id: its id there. The logical ID of the key follows from both: a change makes
                another key, which Pinecone does not know.
            role_arn: the vendor's role, ``arn:aws:iam::<vendor's account>:role/<name>``. It must
                exist before the deploy: KMS refuses a principal that does not. A role that is
                deleted and made again under its name is another one, and no longer let in.
            key_access: what the vendor's role may do. Default: `KeyAccess.ENCRYPT_DECRYPT`, the two
                actions of the guide's second tab, which are those of the vendor's role.
            key_admins: principals that the key policy names as key administrators. Default: none;
                your account's root is always there.
            alias: up to 256 characters; ``alias/`` is added where it is missing. Default:
                ``alias/pinecone-cmek/`` and a name that is unique by the construct's path.
            description: of the key, up to 8,192 characters. Default: none.
            enable_key_rotation: False stops the yearly new key material, which never changes the
                key ARN. Default: True.
            rotation_period: 90 to 2,560 whole days. Default: KMS's 365 days.
            multi_region: True makes a multi-Region primary key, for good. Default: False.
            pending_window: 7 to 30 whole days between an order to delete the key and its end.
                Default: KMS's 30 days.
            removal_policy: of key and alias, when they leave the template. Default:
                ``RETAIN_ON_UPDATE_OR_DELETE``: kept, except when the first deployment fails.
            suspended: True cuts the vendor, and with it Pinecone, off by one statement that denies
                the role everything on the key. Default: False.

        Raises:
            ValueError: a value is outside its limits, or the role is in the account of this stack;
                nothing was built.
        """
        checks.role_arn("role_arn", role_arn)
        checks.first(_role_of_this_account(role_arn, environment_of(scope).account))
        key_props: dict[str, Any] = {
            "alias": alias,
            "description": description,
            "enable_key_rotation": enable_key_rotation,
            "rotation_period": rotation_period,
            "multi_region": multi_region,
            "pending_window": pending_window,
        }
        check_key_props(**key_props)
        inputs.key_access(key_access)
        inputs.admins("key_admins", key_admins)
        inputs.removal_policy(removal_policy)
        checks.flag("suspended", suspended)

        super().__init__(scope, construct_id)
        # The vendor's PineconeRole has its permissions, which the warning asks for.
        cdk.Validations.of(self).acknowledge(
            cdk.Acknowledgment(
                id="cmek-construct:role-in-another-account",
                reason="The vendor's role has its permissions by customer_account_ids",
            )
        )
        self.key = PineconeKey(
            self,
            "Key",
            role=iam.Role.from_role_arn(self, "VendorRole", role_arn),
            key_access=key_access,
            admins=key_admins,
            removal_policy=removal_policy,
            suspended=suspended,
            **key_props,
        )
        cdk.CfnOutput(
            self,
            "KeyArn",
            value=arns.key_arn(self.key),
            description="Send this to the vendor, who enters it in the Pinecone console",
        )


def _role_of_this_account(role_arn: str, own_account: str | None) -> Iterator[ValueError]:
    if own_account is not None and role_arn.startswith(f"arn:aws:iam::{own_account}:"):
        yield ValueError(
            f"role_arn: got {role_arn!r}, a role of this stack's own account, but CustomerKey is "
            "for the role of a vendor in another one. Use PineconeKey(role=…) for your own."
        )
