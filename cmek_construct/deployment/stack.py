"""The stack of one entry of cmek.yaml."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cmek_construct.cmek import PineconeCmek
from cmek_construct.deployment.config import StackSettings
from cmek_construct.deployment.reading import Entry
from cmek_construct.environment import Environment, remember
from cmek_construct.guide import KeyAccess
from cmek_construct.notices import external_id_used_twice
from cmek_construct.outputs import dialog_output
from cmek_construct.role import PineconeRole
from cmek_construct.warn import warn


class CmekStack(cdk.Stack):
    """Role, key, alias and outputs for one Pinecone project, in one account and region.

    With customers in its entry it has the role alone, for projects with their keys.
    """

    def __init__(self, scope: Construct, entry: Entry) -> None:
        """Make the stack; its name is the entry's."""
        own = entry.settings
        super().__init__(
            scope,
            entry.name,
            env=cdk.Environment(account=own.account, region=own.region),
            description=_description(entry),
            termination_protection=own.termination_protection is not False,
            tags=own.tags,
            synthesizer=_synthesizer(own),
        )
        remember(self, Environment(own.account, own.region))
        if own.customers is None:
            # The id "Default" keeps logical IDs and outputs short: RoleArn, KeyArn, ExternalId.
            PineconeCmek(self, "Default", **_props(self, own))
        else:
            _make_role_for_customers(self, own)
        if entry.same_external_id:
            warn(self, [external_id_used_twice(entry.same_external_id)])
        for notice, reason in (own.acknowledge or {}).items():
            cdk.Validations.of(self).acknowledge(cdk.Acknowledgment(id=notice, reason=reason))


def _description(entry: Entry) -> str:
    if entry.settings.customers is None:
        return f"Role and KMS key for the Pinecone project {entry.name} (CMEK)"
    return f"Role for Pinecone projects with keys of customers, {entry.name} (CMEK)"


def _make_role_for_customers(stack: cdk.Stack, own: StackSettings) -> None:
    role = PineconeRole(
        stack,
        "Role",
        path=own.role_path,
        customer_account_ids=own.customer_account_ids or [],
        customer_key_arns=own.customer_key_arns or [],
        **_role_props(stack, own),
    )
    dialog_output(stack, "RoleArn", "Role ARN", role.role_arn)
    if own.external_id is not None:
        dialog_output(stack, "ExternalId", "External ID", own.external_id)


def _synthesizer(own: StackSettings) -> cdk.IStackSynthesizer:
    """One per stack: a shared one puts each stack's template into the assets of the next."""
    if own.bootstrap is False:
        return cdk.BootstraplessSynthesizer()
    return cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False)


def _role_props(stack: cdk.Stack, own: StackSettings) -> dict[str, Any]:
    """The props of a role: what the file writes as a word or an ARN, made whole."""
    return {
        "pinecone_account_id": own.pinecone_account_id,
        "regions": own.allowed_regions,
        "external_id": own.external_id,
        "pin_account": bool(own.pin_account),
        "role_name": own.role_name,
        "permissions_boundary": own.permissions_boundary
        and iam.ManagedPolicy.from_managed_policy_arn(
            stack, "PermissionsBoundary", own.permissions_boundary
        ),
        "removal_policy": own.removal_policy and cdk.RemovalPolicy[own.removal_policy],
        "suspended": bool(own.suspended),
    }


def _props(stack: cdk.Stack, own: StackSettings) -> dict[str, Any]:
    """The props of role and key."""
    return {
        **_role_props(stack, own),
        "role": own.role and iam.Role.from_role_arn(stack, "GivenRole", own.role),
        "role_path": own.role_path,
        "key": own.key and kms.Key.from_key_arn(stack, "GivenKey", own.key),
        "key_access": KeyAccess[own.key_access or KeyAccess.KEY_USER.name],
        "key_admins": own.key_admins and [iam.ArnPrincipal(arn) for arn in own.key_admins],
        "alias": own.alias,
        "description": own.description,
        "enable_key_rotation": own.enable_key_rotation,
        "rotation_period": own.rotation_period and cdk.Duration.days(own.rotation_period),
        "multi_region": own.multi_region,
        "pending_window": own.pending_window and cdk.Duration.days(own.pending_window),
    }
