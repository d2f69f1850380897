"""Role and key in every account of an organization, through CloudFormation StackSets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from cmek_construct import asked_for, checks, notices, stack_set_checks
from cmek_construct.environment import environment_of
from cmek_construct.guide import KeyAccess, Regions
from cmek_construct.inner_template import EXTERNAL_ID, inner_template
from cmek_construct.outputs import dialog_output
from cmek_construct.targets import Targets
from cmek_construct.trust import Trust
from cmek_construct.warn import warn


class PineconeCmekStackSet(Construct):
    """Role, key, alias and outputs for one Pinecone project in each of many accounts.

    A stack set in this stack; CloudFormation makes a stack in each account from the template that
    `PineconeCmek` makes. Service-managed for organizational units: accounts that join later get
    their stack by themselves. Self-managed for accounts that are named. The management account
    gets none from a service-managed set. Source: CloudFormation user guide, "StackSets concepts".

    The set and its stacks are kept whatever happens to this stack, and role and key whatever
    happens to theirs.
    """

    stack_set: cdk.CfnStackSet
    """The stack set. Its tags, by `cdk.Tags.of(…)`, are those of every role and key."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stack_set_name: str,
        region: str,
        pinecone_account_id: str,
        regions: Regions,
        organizational_unit_ids: Sequence[str] | None = None,
        account_ids: Sequence[str] | None = None,
        external_id: str | None = None,
        external_ids: Mapping[str, str] | None = None,
        pin_account: bool = False,
        auto_deployment: bool | None = None,
        role_name: str | None = None,
        role_path: str | None = None,
        key_access: KeyAccess = KeyAccess.KEY_USER,
        alias: str | None = None,
        description: str | None = None,
        enable_key_rotation: bool | None = None,
        rotation_period: cdk.Duration | None = None,
        multi_region: bool | None = None,
        pending_window: cdk.Duration | None = None,
        suspended: bool = False,
        max_concurrent_count: int = 10,
        failure_tolerance_count: int = 0,
        call_as: str | None = None,
        administration_role_arn: str | None = None,
        execution_role_name: str | None = None,
    ) -> None:
        """Make the stack set.

        Args:
            scope: the construct in which it is made: in the management account, or for
                organizational units in a delegated administrator's with ``call_as``.
            construct_id: its id there.
            stack_set_name: 1 to 128 letters, digits and hyphens, a letter first. A change makes
                another set, whose roles have other names: for good.
            region: the AWS Region of every role's stack and every key. One for the set: Pinecone
                takes one key ARN per project, and role names are one for all Regions of an
                account. A change makes other keys, which Pinecone does not know.
            pinecone_account_id: Pinecone's AWS account number, a string of 12 digits, from the
                Pinecone console, Manage > CMEK > Add CMEK. There is no default.
            regions: the AWS Regions whose Pinecone role may come in, such as
                ``["us-east-1", "eu-west-1"]``, or `ALL_REGIONS`. A change updates every trust
                policy in place.
            organizational_unit_ids: ``ou-…``, or ``r-…`` for the whole organization, up to 50:
                every account in them, but never the management account. Trusted access of
                StackSets must be on in AWS Organizations. Either these or ``account_ids``.
            account_ids: strings of 12 digits. StackSets goes through roles that are in each of
                them already (user guide, "Grant self-managed permissions"). An account that is
                taken out loses its stack, while role and key are kept.
            external_id: what Pinecone must present in every account, 2 to 1,224 characters, by
                the guide a UUID v4. Default: none (it warns), for explicit regions only.
            external_ids: in its place, one per account of ``account_ids``, as a parameter that
                each overrides. Each is then an operation of its own, one after another. Not for
                organizational units, whose accounts CloudFormation gives the same parameters.
                Default: none.
            pin_account: with `ALL_REGIONS` alone: Pinecone's account root is the principal in
                place of the guide's ``*``. Default: False.
            auto_deployment: whether accounts that join an organizational unit get their stack by
                themselves. Stacks of accounts that leave are kept. Default: True for
                organizational units; never for named accounts.
            role_name: 1 to 64 characters, the same in every account, so that every ARN is known
                beforehand. Default: ``stack_set_name``. A change makes other roles, which
                Pinecone does not know.
            role_path: ``/`` or ``/…/``, up to 512 characters. Default: ``/``. A change makes
                other roles, which Pinecone does not know.
            key_access: what the key policy lets the role do. Default: `KeyAccess.KEY_USER`, what
                the guide makes a person click.
            alias: of each key, up to 256 characters. Default: ``alias/pinecone-cmek/`` and
                ``stack_set_name``. A change makes another alias for the same key.
            description: of each key, up to 8,192 characters. Default: none.
            enable_key_rotation: False stops the yearly new key material, which never changes the
                key ARN. Default: True.
            rotation_period: 90 to 2,560 whole days. Default: KMS's 365 days.
            multi_region: True makes multi-Region primary keys, for good. Default: False.
            pending_window: 7 to 30 whole days between an order to delete a key and its end.
                Default: KMS's 30 days.
            suspended: True cuts Pinecone off from every key of the set, one operation over all
                accounts. Default: False.
            max_concurrent_count: accounts at a time, 1 or more; 100 is what StackSets reaches.
                Default: 10.
            failure_tolerance_count: accounts that may fail before the operation stops, 0 or more.
                Failures leave the accounts at a time as they are (``SOFT_FAILURE_TOLERANCE``;
                the strict mode would go on with this number and one). Default: 0.
            call_as: ``SELF``, or ``DELEGATED_ADMIN`` from the account of a delegated
                administrator; for organizational units alone. Default: StackSets' ``SELF``.
            administration_role_arn: the role that StackSets takes on in this account; for named
                accounts alone. Default: ``AWSCloudFormationStackSetAdministrationRole``.
            execution_role_name: the role that it takes on in each account, up to 64 characters;
                for named accounts alone. Default: ``AWSCloudFormationStackSetExecutionRole``.

        Raises:
            ValueError: a value is outside its limits, or two contradict each other; nothing was
                built.
        """
        environment_of(scope)
        stack_set_checks.name(stack_set_name)
        stack_set_checks.region(region)
        targets = Targets(organizational_unit_ids, account_ids, external_ids)
        targets.check()
        stack_set_checks.one_or_many(external_id, external_ids)
        checks.flag("auto_deployment", auto_deployment)
        stack_set_checks.call_as(call_as)
        stack_set_checks.administration_role_arn(administration_role_arn)
        stack_set_checks.execution_role_name(execution_role_name)
        stack_set_checks.permission_model(
            targets.service_managed,
            auto_deployment=auto_deployment,
            call_as=call_as,
            administration_role_arn=administration_role_arn,
            execution_role_name=execution_role_name,
        )
        stack_set_checks.count("max_concurrent_count", max_concurrent_count, least=1)
        stack_set_checks.count("failure_tolerance_count", failure_tolerance_count, least=0)
        props = {
            "pinecone_account_id": pinecone_account_id,
            "regions": regions,
            "external_id": external_id,
            "pin_account": pin_account,
            "role_name": stack_set_checks.role_name(role_name, stack_set_name),
            "role_path": role_path,
            "key_access": key_access,
            "alias": f"alias/pinecone-cmek/{stack_set_name}" if alias is None else alias,
            "description": description,
            "enable_key_rotation": enable_key_rotation,
            "rotation_period": rotation_period,
            "multi_region": multi_region,
            "pending_window": pending_window,
            "suspended": suspended,
        }
        stack_set_checks.known(props)
        # The longest external ID makes the longest trust policy.
        longest = max((external_ids or {}).values(), key=len, default=external_id)
        trust = Trust(pinecone_account_id, regions, longest, pin_account)
        trust.check()
        template_body = inner_template(
            scope, region, id_per_account=external_ids is not None, props=props
        )

        super().__init__(scope, construct_id)
        self._role = f"role{role_path or '/'}{props['role_name']}"
        self._accounts = None if account_ids is None else set(account_ids)
        self.stack_set = cdk.CfnStackSet(
            self,
            "StackSet",
            stack_set_name=stack_set_name,
            description="Role and KMS key for Pinecone (CMEK) in each account",
            permission_model="SERVICE_MANAGED" if targets.service_managed else "SELF_MANAGED",
            auto_deployment=_auto_deployment(targets, auto_deployment),
            call_as=call_as,
            administration_role_arn=administration_role_arn,
            execution_role_name=execution_role_name,
            capabilities=["CAPABILITY_NAMED_IAM"],
            managed_execution={"Active": True},
            operation_preferences=cdk.CfnStackSet.OperationPreferencesProperty(
                concurrency_mode="SOFT_FAILURE_TOLERANCE",
                max_concurrent_count=max_concurrent_count,
                failure_tolerance_count=failure_tolerance_count,
            ),
            stack_instances_group=[_group(group, region) for group in targets.groups()],
            template_body=template_body,
        )
        # Also when its first deployment fails: CloudFormation would delete the stacks that are
        # made, and their retained roles would bar the next deployment.
        self.stack_set.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        asked = asked_for.of_key(
            enable_key_rotation=enable_key_rotation,
            multi_region=multi_region,
            pending_window=pending_window,
            removal_policy=None,
        )
        asked_for.acknowledge(self, asked)
        warn(self, _notices(targets, trust, region))
        cdk.CfnOutput(
            self, "StackSetName", value=stack_set_name, description="For `cmek sheet --fleet`"
        )
        if external_id is not None:
            dialog_output(self, "ExternalId", "External ID", external_id)

    def role_arn(self, account_id: str) -> str:
        """The ARN of the role in one account, known before the deploy.

        Args:
            account_id: a string of 12 digits; of a set of named accounts, one of them.

        Raises:
            ValueError: it is no account ID, or of an account that the set does not reach.
        """
        stack_set_checks.known({"account_id": account_id})
        checks.account_id("account_id", account_id, "Give one of the accounts of the set.")
        if self._accounts is not None and account_id not in self._accounts:
            checks.refuse(
                "account_id",
                account_id,
                "it is none of the set's account_ids, so no role is made in it",
                "Add the account to account_ids, or give one of them.",
            )
        return f"arn:aws:iam::{account_id}:{self._role}"


def _auto_deployment(
    targets: Targets, wanted: bool | None
) -> cdk.CfnStackSet.AutoDeploymentProperty | None:
    """CloudFormation takes the retention with automatic deployment alone."""
    if not targets.service_managed:
        return None
    if wanted is False:
        return cdk.CfnStackSet.AutoDeploymentProperty(enabled=False)
    return cdk.CfnStackSet.AutoDeploymentProperty(
        enabled=True, retain_stacks_on_account_removal=True
    )


def _group(group: Mapping[str, Any], region: str) -> cdk.CfnStackSet.StackInstancesProperty:
    overrides = None
    if "external_id" in group:
        overrides = [
            cdk.CfnStackSet.ParameterProperty(
                parameter_key=EXTERNAL_ID, parameter_value=group["external_id"]
            )
        ]
    return cdk.CfnStackSet.StackInstancesProperty(
        deployment_targets=cdk.CfnStackSet.DeploymentTargetsProperty(
            accounts=group.get("accounts"),
            organizational_unit_ids=group.get("organizational_unit_ids"),
        ),
        parameter_overrides=overrides,
        regions=[region],
    )


def _notices(targets: Targets, trust: Trust, region: str) -> Iterator[notices.Notice]:
    """What the template inside would warn of, said once and here, where it is seen."""
    own = trust.account_id if trust.account_id in (targets.account_ids or []) else None
    yield from trust.notices(own)
    yield from trust.key_notices(region)
    for external_id in (targets.external_ids or {}).values():
        if external_id != trust.external_id and not checks.UUID_V4.fullmatch(external_id):
            yield notices.external_id_not_uuid_v4(external_id)
            return
