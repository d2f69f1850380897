"""Who of Pinecone may assume a role."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NoReturn, TypedDict

import jsii
from aws_cdk import aws_iam as iam

from cmek_construct import checks, props
from cmek_construct.guide import Regions
from cmek_construct.trust import Trust

if TYPE_CHECKING:
    from typing_extensions import Required


class TrustProps(TypedDict, total=False):
    """Whom of Pinecone a role lets in."""

    pinecone_account_id: Required[str]
    regions: Required[Regions]
    external_id: str | None
    pin_account: bool


def trust_of(own: TrustProps) -> Trust:
    """What these props, each within its limits, say of Pinecone.

    Raises:
        ValueError: they contradict each other.
    """
    trust = Trust(
        own["pinecone_account_id"], own["regions"], own["external_id"], own["pin_account"]
    )
    checks.first(trust.problems())
    return trust


class PineconePrincipal(iam.PrincipalBase):
    """Pinecone, as the guide's trust policies let it in (step 1.5 of the guide).

    Fits any role: ``iam.Role(self, "Role", assumed_by=PineconePrincipal(…))`` renders the
    guide's statement to the letter. Do not combine it with the role's ``external_ids``: that
    prop silently replaces the external ID of the principal.

    It belongs in a trust policy. A ``grant…`` to it is refused: Pinecone reaches a key through
    the role, not directly.
    """

    def __init__(
        self,
        account_id: str,
        *,
        regions: Regions,
        external_id: str | None = None,
        pin_account: bool = False,
    ) -> None:
        """Describe who may come in.

        Args:
            account_id: Pinecone's AWS account number, a string of 12 digits, from the Pinecone
                console, Manage > CMEK > Add CMEK. There is no default.
            regions: the AWS regions whose Pinecone role may come in, such as
                ``["us-east-1", "eu-west-1"]``, in the order in which they are to be rendered; or
                `ALL_REGIONS` for the guide's third trust policy.
            external_id: what Pinecone must present, 2 to 1,224 characters, by the guide a UUID
                v4. Default: none; the guide's second trust policy, without a condition. Must be
                given with `ALL_REGIONS`.
            pin_account: with `ALL_REGIONS` alone: name Pinecone's account root as the principal
                in place of ``*``. The same callers get in, and a mistyped account number fails
                the deploy. Default: False, the guide's ``*``.

        Raises:
            ValueError: a value is outside its limits, or the trust policy is over the 8,192
                characters that IAM takes at most.
        """
        checks.pinecone_account_id("account_id", account_id)
        checks.regions("regions", regions)
        if external_id is not None:
            props.EXTERNAL_ID.check("external_id", external_id)
        checks.flag("pin_account", pin_account)
        trust = Trust(account_id, regions, external_id, pin_account)
        checks.first(trust.problems())
        super().__init__()
        self._statement = trust.statement()

    @property
    @jsii.member(jsii_name="policyFragment")
    def policy_fragment(self) -> iam.PrincipalPolicyFragment:
        """Principals *and* conditions: nothing that asks for it is told half of the truth."""
        principals = self._statement["Principal"]["AWS"]
        return iam.PrincipalPolicyFragment(
            {"AWS": principals if isinstance(principals, list) else [principals]},
            self._statement.get("Condition", {}),
        )

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
        raise ValueError(
            "PineconePrincipal: got a grant, but this principal belongs in a trust policy: "
            "Pinecone reaches AWS through the role that it assumes. Grant to that role."
        )
