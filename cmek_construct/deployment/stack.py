"""The stack of one entry of cmek.yaml."""

from collections.abc import Callable, Iterable
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cmek_construct import customers, guide, props
from cmek_construct.constructs.cdk import Environment, dialog_output, warn
from cmek_construct.constructs.cmek import PineconeCmek
from cmek_construct.constructs.own_stage import explain
from cmek_construct.deployment.reading import Entry
from cmek_construct.warnings import notice

_OF_A_ROLE: Final = (props.ROLE_NAME, props.PERMISSIONS_BOUNDARY, props.REMOVAL_POLICY, props.SUSPENDED)
_OF: Final[dict[str, Callable[[cdk.Stack, Any], Any]]] = {
    "": lambda _, value: value,
    "KeyAccess": lambda _, name: guide.KeyAccess[name],
    "cdk.Duration": lambda _, days: cdk.Duration.days(days),
    "cdk.RemovalPolicy": lambda _, name: cdk.RemovalPolicy[name],
    "iam.IManagedPolicy": lambda it, arn: iam.ManagedPolicy.from_managed_policy_arn(it, "PermissionsBoundary", arn),
    "iam.IRole": lambda it, arn: iam.Role.from_role_arn(it, "GivenRole", arn),
    "kms.IKey": lambda it, arn: kms.Key.from_key_arn(it, "GivenKey", arn),
    "list[iam.IPrincipal]": lambda _, arns: [iam.ArnPrincipal(arn) for arn in arns],
}
"""What a constructor takes in a stack, of what the file says as a word, a number or an ARN."""


class CmekStack(cdk.Stack):
    """Role, key, alias and outputs for one Pinecone project, in one account and region.

    With customers in its entry it has the role alone, for projects with their keys.
    """

    def __init__(self, scope: Construct, entry: Entry) -> None:
        """Make the stack; its name is the entry's."""
        what = "Role and KMS key for the Pinecone project"
        if entry.customers is not None:
            what = "Role for Pinecone projects with keys of customers,"
        super().__init__(
            scope,
            entry.name,
            env=cdk.Environment(account=entry.account, region=entry.region),
            description=f"{what} {entry.name} (CMEK)",
            termination_protection=entry.termination_protection is not False,
            tags=entry.tags,
            # One per stack: a shared one puts each stack's template into the assets of the next.
            synthesizer=cdk.BootstraplessSynthesizer()
            if entry.bootstrap is False
            else cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        )
        self._pinecone_environment = Environment(entry.account, entry.region)
        explain(self, keys_of_customers=entry.customers is not None)
        if entry.customers is None:
            # The id "Default" keeps logical IDs and outputs short: RoleArn, KeyArn, ExternalId.
            PineconeCmek(self, "Default", **self._made(entry, props.CMEK))
        else:
            from cmek_construct.constructs.vendor import PineconeRole  # for keys of customers alone

            made = self._made(entry, (*props.TRUST, *_OF_A_ROLE, *customers.CUSTOMERS))
            role = PineconeRole(self, "Role", path=entry.role_path, **made)
            dialog_output(self, "RoleArn", "Role ARN", role.role_arn)
            if entry.external_id is not None:
                dialog_output(self, "ExternalId", "External ID", entry.external_id)
        if entry.same_external_id:
            warn(self, [notice("external-id-used-twice", names=" and ".join(entry.same_external_id))])
        for warning, reason in (entry.acknowledge or {}).items():
            cdk.Validations.of(self).acknowledge(cdk.Acknowledgment(id=warning, reason=reason))

    def _made(self, entry: Entry, rows: Iterable[props.Prop]) -> dict[str, Any]:
        """The props as constructors take them."""
        said = {row: getattr(entry, row.name) for row in rows} | {props.REGIONS: entry.trust.regions}
        return {row.name: _OF[row.cdk](self, value) for row, value in said.items() if value is not None}
