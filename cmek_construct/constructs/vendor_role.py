"""The role that Pinecone assumes, by itself: for a key beside it, and for keys of customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from cmek_construct import checks, props
from cmek_construct.constructs import cdk as ours
from cmek_construct.constructs.principal import TrustProps, trust_of
from cmek_construct.constructs.role import CmekRole
from cmek_construct.customers import CUSTOMERS, Customers
from cmek_construct.props import Prop

if TYPE_CHECKING:
    from typing_extensions import Unpack

_SHAPE: Final = (
    props.ROLE_NAME,
    replace(props.ROLE_PATH, name="path"),
    Prop(
        "description",
        "up to 1,000 characters",
        "Of the role.",
        checks.matching(
            r"[\t\n\r\x20-\x7e\xa1-\xff]{0,1000}",
            "it is a string of up to 1,000 characters, of Latin letters and signs: no — and no “”",
            "Shorten or mend it, or leave it out.",
        ),
    ),
    props.PERMISSIONS_BOUNDARY,
    props.REMOVAL_POLICY,
    replace(
        props.SUSPENDED,
        says="True denies everybody to assume the role, in the trust policy. It does not end a "
        "session that runs, an hour at most.",
    ),
)
ROLE: Final = (*props.TRUST, *_SHAPE, *CUSTOMERS)
"""What `PineconeRole` takes."""


class RoleProps(TrustProps, total=False):
    """The types of `ROLE`."""

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

    @ours.described(RoleProps, ROLE)
    def __init__(self, scope: Construct, construct_id: str, **given: Unpack[RoleProps]) -> None:
        """Make the role.

        Args:
            scope: the construct in which the role is made.
            construct_id: its id there. The logical ID of the role follows from both.

        Raises:
            ValueError: a value is outside its limits, and nothing was built; or ``suspended`` is asked of a role that
                `Role.customize_roles` keeps out of the app.
        """
        environment = ours.environment_of(scope)
        own = ours.settled("PineconeRole", given, ROLE)
        trust = trust_of(own)
        customers = Customers(own["customer_account_ids"], own["customer_key_arns"])
        checks.first(customers.problems(environment.account, trust.account_id))
        shape = ours.some_of(own, _SHAPE)
        super().__init__(scope, construct_id, environment=environment, trust=trust, **shape)
        for digit, policy in customers.policies().items():
            # No description and no name: a change of either would replace the policy.
            iam.ManagedPolicy(
                self, f"CustomersEndingIn{digit}", document=iam.PolicyDocument.from_json(policy), roles=[self]
            )
