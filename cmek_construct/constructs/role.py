"""The role that Pinecone assumes."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from cmek_construct import warnings
from cmek_construct.constructs import cdk as ours
from cmek_construct.constructs.principal import PineconePrincipal
from cmek_construct.guide import assume_role_denial
from cmek_construct.props import Trust


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
    denial = assume_role_denial()
    if ours.resource_of(role) is None or role.assume_role_policy is None:
        raise ValueError(
            "suspended: got True, but Role.customize_roles keeps this role out of the app, so nobody would be cut off. "
            f"Add to its trust policy, by hand: {json.dumps(denial)}"
        )
    role.assume_role_policy.add_statements(iam.PolicyStatement.from_json(denial))
