"""Keys outside one's account: the role of a vendor, which may use keys of customers, and the key of a customer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct
from typing_extensions import Required, Unpack

from cmek_construct import checks, props
from cmek_construct.constructs import cdk as ours
from cmek_construct.constructs.key import KeyShape, PineconeKey
from cmek_construct.constructs.role import CmekRole, TrustProps, trust_of
from cmek_construct.customers import CUSTOMERS, Customers
from cmek_construct.guide import KeyAccess
from cmek_construct.props import row

_SHAPE: Final = (
    props.ROLE_NAME, props.ROLE_PATH._replace(name="path"), row("description of PineconeRole"),
    props.PERMISSIONS_BOUNDARY, props.REMOVAL_POLICY, row("suspended of PineconeRole", left_out=False),
)  # fmt: skip
ROLE: Final = (*props.TRUST, *_SHAPE, *CUSTOMERS)  # what `PineconeRole` takes
_ITS_ACCESS: Final = row("key_access of CustomerKey", left_out=KeyAccess.ENCRYPT_DECRYPT)
CUSTOMER_KEY: Final = (row("role_arn", checks.role_arn), props.KEY_ADMINS, _ITS_ACCESS, *props.KEY[1:])
"""What `CustomerKey` takes."""


class RoleProps(TrustProps, total=False):
    role_name: str | None
    path: str | None
    description: str | None
    permissions_boundary: iam.IManagedPolicy | None
    removal_policy: cdk.RemovalPolicy | None
    suspended: bool
    customer_account_ids: Sequence[str]
    customer_key_arns: Sequence[str]


class PineconeRole(CmekRole):
    """An `iam.Role` with the guide's trust policy (step 1).

    For a key of your own account it has no permissions policy: the key policy lets the role in. For keys that your
    customers own it has the statements of the guide's second tab, "Grant access to keys outside your account", and each
    customer's key policy must let the role in as well (`CustomerKey`, or ``cmek customer-kit``). Every method and
    attribute of `iam.Role` works.
    """

    @ours.takes(RoleProps, ROLE)
    def __init__(self, scope: Construct, construct_id: str, **own: Unpack[RoleProps]) -> None:
        """Make the role.

        One that `Role.customize_roles` keeps out of the app cannot be suspended: a `ValueError`.
        """
        environment = ours.environment_of(scope)
        trust = trust_of(own["pinecone_account_id"], own)
        customers = Customers(own["customer_account_ids"], own["customer_key_arns"])
        checks.first(customers.problems(environment.account, trust.account_id))
        super().__init__(scope, construct_id, environment=environment, trust=trust, **ours.some_of(own, _SHAPE))
        for digit, policy in customers.policies().items():
            # No description and no name: a change of either would replace the policy.
            document = iam.PolicyDocument.from_json(policy)
            iam.ManagedPolicy(self, f"CustomersEndingIn{digit}", document=document, roles=[self])


class CustomerKeyProps(KeyShape, total=False):
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

    @ours.takes(CustomerKeyProps, CUSTOMER_KEY)
    def __init__(self, scope: Construct, construct_id: str, **own: Unpack[CustomerKeyProps]) -> None:
        """Make key, alias and output.

        A role of the account of this stack is a `ValueError`.
        """
        account = ours.environment_of(scope).account
        role_arn = own["role_arn"]
        if account is not None and role_arn.startswith(f"arn:aws:iam::{account}:"):
            raise checks.refusal("role and key", "own-account", role_arn=role_arn)

        super().__init__(scope, construct_id)
        # The vendor's PineconeRole has its permissions, which the warning asks for.
        reason = "The vendor's role has its permissions by customer_account_ids"
        has_them = cdk.Acknowledgment(id="cmek-construct:role-in-another-account", reason=reason)
        cdk.Validations.of(self).acknowledge(has_them)
        if not checks.is_token(role_arn) and not role_arn.startswith("arn:"):
            # Not looked up yet, which `from_role_arn` does not take. CDK synthesizes once more.
            role_arn = f"arn:aws:iam::{'0' * 12}:role/{role_arn}"
        role = iam.Role.from_role_arn(self, "VendorRole", role_arn)
        self.key = PineconeKey(self, "Key", role=role, admins=own["key_admins"], **ours.some_of(own, props.KEY))
        description = "Send this to the vendor, who enters it in the Pinecone console"
        cdk.CfnOutput(self, "KeyArn", value=ours.arn_of(self.key), description=description)
