"""The key of a customer, for the role of a vendor in another account."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from cmek_construct import checks, props
from cmek_construct.constructs.cdk import arn_of, described, environment_of, settled, some_of
from cmek_construct.constructs.key import KeyShape, PineconeKey
from cmek_construct.guide import KeyAccess
from cmek_construct.props import Prop

if TYPE_CHECKING:
    from typing_extensions import Required, Unpack

CUSTOMER_KEY: Final = (
    Prop(
        "role_arn",
        "``arn:aws:iam::<vendor's account>:role/<name>``",
        "The vendor's role. It must exist before the deploy: KMS refuses a principal that does not. A role that is "
        "deleted and made again under its name is another one, and no longer let in.",
        checks.role_arn,
        default="",
    ),
    props.KEY_ADMINS,
    replace(
        props.KEY_ACCESS,
        says="What the vendor's role may do.",
        default="`KeyAccess.ENCRYPT_DECRYPT`, the two actions of the guide's second tab, which are "
        "those of the vendor's role",
        left_out=KeyAccess.ENCRYPT_DECRYPT,
    ),
    *props.NEW_KEY,
    props.REMOVAL_POLICY,
    props.SUSPENDED,
)
"""What `CustomerKey` takes."""


class CustomerKeyProps(KeyShape, total=False):
    """The types of `CUSTOMER_KEY`."""

    role_arn: Required[str]
    key_admins: Sequence[iam.IPrincipal | iam.PrincipalBase | iam.Role | iam.User] | None
    removal_policy: cdk.RemovalPolicy | None


class CustomerKey(Construct):
    """A key of yours that a vendor's Pinecone project is encrypted with.

    You are the vendor's customer: key, alias and key policy are in your account, and beside your account and its key
    administrators the policy names the vendor's role and nobody else. The vendor's `PineconeRole` has your account in
    its ``customer_account_ids``: across accounts AWS wants both sides to allow. Source: KMS developer guide, "Allowing
    users in other accounts to use a KMS key".
    """

    key: PineconeKey
    """The key. Its ARN, the output ``KeyArn``, goes back to the vendor."""

    @described(CustomerKeyProps, CUSTOMER_KEY)
    def __init__(self, scope: Construct, construct_id: str, **given: Unpack[CustomerKeyProps]) -> None:
        """Make key, alias and output.

        Args:
            scope: the construct in which they are made.
            construct_id: its id there. The logical ID of the key follows from both: a change makes another key, which
                Pinecone does not know.

        Raises:
            ValueError: a value is outside its limits, or the role is in the account of this stack; nothing was built.
        """
        environment = environment_of(scope)
        own = settled("CustomerKey", given, CUSTOMER_KEY)
        checks.first(_role_of_this_account(own["role_arn"], environment.account), props.rotation(own))

        super().__init__(scope, construct_id)
        # The vendor's PineconeRole has its permissions, which the warning asks for.
        cdk.Validations.of(self).acknowledge(
            cdk.Acknowledgment(
                id="cmek-construct:role-in-another-account",
                reason="The vendor's role has its permissions by customer_account_ids",
            )
        )
        role_arn = own["role_arn"]
        if not checks.is_token(role_arn) and not role_arn.startswith("arn:"):
            # Not looked up yet, which `from_role_arn` does not take. CDK synthesizes once more.
            role_arn = f"arn:aws:iam::{'0' * 12}:role/{role_arn}"
        self.key = PineconeKey(
            self,
            "Key",
            role=iam.Role.from_role_arn(self, "VendorRole", role_arn),
            admins=own["key_admins"],
            **some_of(own, props.KEY),
        )
        cdk.CfnOutput(
            self,
            "KeyArn",
            value=arn_of(self.key),
            description="Send this to the vendor, who enters it in the Pinecone console",
        )


def _role_of_this_account(role_arn: str, own_account: str | None) -> Iterator[ValueError]:
    if own_account is not None and role_arn.startswith(f"arn:aws:iam::{own_account}:"):
        yield ValueError(
            f"role_arn: got {role_arn!r}, a role of this stack's own account, but CustomerKey is "
            "for the role of a vendor in another one. Use PineconeKey(role=…) for your own."
        )
