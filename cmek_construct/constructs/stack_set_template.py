"""The template inside a stack set: the very one that `PineconeCmek` makes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from constructs import Construct, IConstruct

from cmek_construct.constructs.cmek import PineconeCmek
from cmek_construct.constructs.own_stage import synthesized

EXTERNAL_ID: Final = "ExternalId"
"""The parameter of a template for accounts that have an external ID each."""
_NO_EXTERNAL_ID = (
    "This account has no external ID of its own: add both to the mapping in StackSetTargets.accounts and deploy again."
)
LARGEST: Final = 51_200
"""Bytes of a template that a stack set takes inline (``TemplateBody``)."""
_BOUNDARY: Final = "@aws-cdk/core:permissionsBoundary"
"""Context by which CDK puts a boundary on every role of an app."""


def inner_template(
    scope: IConstruct,
    region: str,
    props: Mapping[str, Any],
    *,
    id_per_account: bool,
    permissions_boundary_name: str | None,
) -> str:
    """The template body: compact JSON, within what a stack set takes.

    It comes from an app of its own, whose feature flags are those of the scope. No reference of the outer app reaches
    into it.

    Args:
        scope: where the stack set is made.
        region: the AWS Region of role and key.
        props: those of `PineconeCmek`, by name.
        id_per_account: whether the external ID is a parameter, which each account overrides.
        permissions_boundary_name: of the role, in each account.

    Raises:
        ValueError: a prop is outside its limits, or the template is too long.
    """
    template = _template(scope, region, {**props}, id_per_account, permissions_boundary_name)
    body = json.dumps(template, separators=(",", ":"), ensure_ascii=False)
    size = len(body.encode())
    if size > LARGEST:
        raise ValueError(
            f"PineconeCmekStackSet: got a template of {size:,} bytes, but a stack set takes {LARGEST:,}. Shorten the "
            "description, list fewer regions, or use ALL_REGIONS with an external ID."
        )
    return body


def _template(
    scope: IConstruct, region: str, props: dict[str, Any], id_per_account: bool, boundary: str | None
) -> dict[str, Any]:
    flags = {
        name: value
        for name, value in scope.node.get_all_context().items()
        if name.startswith("@aws-cdk/") and name != _BOUNDARY
    }

    def make(stack: cdk.Stack) -> None:
        if id_per_account:
            props["external_id"] = _external_id_parameter(stack)
        if boundary is not None:
            props["permissions_boundary"] = iam.ManagedPolicy.from_managed_policy_name(
                stack, "PermissionsBoundary", boundary
            )
        # As in the stacks of cmek.yaml: Role1ABCC5F0, Key961B73FD, RoleArn, KeyArn, ExternalId.
        PineconeCmek(stack, "Default", **props)

    return synthesized(make, region=region, flags=flags)


def _external_id_parameter(stack: cdk.Stack) -> str:
    """A parameter that each account must override, and the rule that says so to one without."""
    parameter = cdk.CfnParameter(
        stack,
        EXTERNAL_ID,
        default="",
        description="What Pinecone must present to assume the role: each account has its own.",
    )
    rule = cdk.CfnRule(stack, "EachAccountHasAnExternalId")
    rule.add_assertion(cdk.Fn.condition_not(cdk.Fn.condition_equals(parameter.value_as_string, "")), _NO_EXTERNAL_ID)
    return parameter.value_as_string


class RoleInAccounts(iam.CfnRole):
    """Stands for the role of the template inside, which no aspect of the app reaches.

    CDK's permissions boundaries, of the app's context or by `iam.PermissionsBoundary.of(…)`, are such aspects, and so
    are those of one's own that look for roles. It is in no template.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        """Stand where an aspect visits."""
        super().__init__(scope, construct_id, assume_role_policy_document={})

    @jsii.member(jsii_name="shouldSynthesize")
    def _should_synthesize(self) -> bool:
        return False

    @jsii.member(jsii_name="addOverride")
    def add_override(self, path: str, value: Any) -> None:
        """What `add_property_override` calls as well."""
        if path == "Properties.PermissionsBoundary":
            self._refuse()

    @property
    @jsii.member(jsii_name="permissionsBoundary")
    def permissions_boundary(self) -> str | None:
        return None

    @permissions_boundary.setter
    def permissions_boundary(self, value: str | None) -> None:
        self._refuse()

    def _refuse(self) -> None:
        cdk.Validations.of(self).add_error(
            "cmek-construct:permissions-boundary",
            "permissions_boundary_name: got none, but the app puts a permissions boundary on "
            "every role, and none reaches the roles that the stack set makes in each account. "
            "Give the name of a managed policy that is in every account.",
        )
