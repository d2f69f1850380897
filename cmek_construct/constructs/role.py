"""The role that Pinecone assumes, and who of Pinecone may."""

from __future__ import annotations

import json
from typing import Any, NoReturn, TypedDict

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from constructs import Construct
from typing_extensions import Required, Unpack  # which jsii needs itself

from cmek_construct import checks, guide, props, warnings
from cmek_construct.constructs import cdk as ours
from cmek_construct.guide import Regions
from cmek_construct.props import Trust


class WhoProps(TypedDict, total=False):
    regions: Required[Regions]
    external_id: str | None
    pin_account: bool


class TrustProps(WhoProps, total=False):
    pinecone_account_id: Required[str]


def trust_of(account_id: str, own: WhoProps) -> Trust:
    """What these props, each within its limits, say of Pinecone: a `ValueError` where they contradict each other."""
    trust = Trust(account_id, own["regions"], own["external_id"], own["pin_account"])
    checks.first(trust.problems())
    return trust


class PineconePrincipal(iam.PrincipalBase):
    """Pinecone, as the guide's trust policies let it in (step 1.5 of the guide).

    Fits any role: ``iam.Role(self, "Role", assumed_by=PineconePrincipal(…))`` renders the guide's statement to the
    letter. Do not combine it with the role's ``external_ids``: that prop silently replaces the external ID of the
    principal.

    It belongs in a trust policy. A ``grant…`` to it is refused: Pinecone reaches a key through the role, not directly.
    """

    @ours.takes(WhoProps, props.WHO)
    def __init__(self, account_id: str, **own: Unpack[WhoProps]) -> None:
        """Describe who may come in.

        Args:
            account_id: Pinecone's AWS account number, a string of 12 digits, from the Pinecone console, Manage > CMEK >
                Add CMEK. There is no default.

        Raises:
            ValueError: a value is outside its limits, or the trust policy is over the 8,192 characters that IAM takes
                at most.
        """
        checks.pinecone_account_id("account_id", account_id)
        self._statement = guide.trust_statement(**vars(trust_of(account_id, own)))
        super().__init__()

    @property
    @jsii.member(jsii_name="policyFragment")
    def policy_fragment(self) -> iam.PrincipalPolicyFragment:
        """Principals *and* conditions: nothing that asks for it is told half of the truth."""
        named = self._statement["Principal"]["AWS"]
        principals = {"AWS": named if isinstance(named, list) else [named]}
        return iam.PrincipalPolicyFragment(principals, self._statement.get("Condition", {}))

    @jsii.member(jsii_name="dedupeString")
    def dedupe_string(self) -> str:
        """Equal for principals that let the same callers in."""
        return json.dumps(self._statement, sort_keys=True)

    @jsii.member(jsii_name="addToAssumeRolePolicy")
    def add_to_assume_role_policy(self, document: iam.PolicyDocument) -> None:
        """Add the guide's statement, Sid and all, to a role's trust policy."""
        document.add_statements(iam.PolicyStatement.from_json(self._statement))

    @jsii.member(jsii_name="addToPrincipalPolicy")
    def add_to_principal_policy(self, statement: iam.PolicyStatement) -> NoReturn:
        """Refuse: permissions go to the role that Pinecone assumes.

        Raises:
            ValueError: always.
        """
        raise checks.refusal("trust", "grant")


class CmekRole(iam.Role):
    """An `iam.Role` with the guide's trust policy (step 1).

    It has no permissions policy: within one account the key policy lets the role in. What `PineconeCmek` makes;
    `PineconeRole` is the same with props of its own and with customers.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: ours.Environment,
        trust: Trust,
        removal_policy: cdk.RemovalPolicy | None,
        suspended: bool,
        **shape: Any,
    ) -> None:
        """Make the role of props that are within their limits; ``shape`` is as in `iam.Role`."""
        super().__init__(scope, construct_id, assumed_by=PineconePrincipal(**vars(trust)), **shape)
        self._pinecone_environment, self._pinecone_arn = environment, self.role_arn
        self.apply_removal_policy(removal_policy or ours.RETAIN)
        if removal_policy is cdk.RemovalPolicy.DESTROY:
            ours.acknowledge(self, [(warnings.ROLE_RETAINED, "removal_policy=RemovalPolicy.DESTROY")])
        if suspended:
            deny_assume_role(self)
        ours.warn(self, trust.notices(environment.account, suspended=suspended))


def deny_assume_role(role: iam.Role) -> None:
    """Let nobody assume a role: a `ValueError` where the app does not make it."""
    denial = guide.assume_role_denial()
    if ours.resource_of(role) is None or role.assume_role_policy is None:
        raise checks.refusal("role and key", "customized", denial=json.dumps(denial))
    role.assume_role_policy.add_statements(iam.PolicyStatement.from_json(denial))
