"""Role and key in every account of an organization, through CloudFormation StackSets."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import aws_cdk as cdk
from constructs import Construct
from typing_extensions import Required, Unpack

from cmek_construct import checks, props
from cmek_construct.constructs import cdk as ours
from cmek_construct.constructs.key import KeyShape, asked_for
from cmek_construct.constructs.own_stage import EXTERNAL_ID, RoleInAccounts, inner_template
from cmek_construct.constructs.role import TrustProps, trust_of
from cmek_construct.props import row
from cmek_construct.warnings import notice

_known: Final = partial(  # what goes into the template inside the set
    checks.known,
    why="it is written into the template inside the set, which no reference of this stack reaches",
    way_out="Write the value, or take it from context or from a file that Python reads.",
    unknown=checks.is_token,
)
_number = partial(checks.account_id, way_out="Copy it from AWS Organizations or the AWS console.")
_account_id = partial(_known, check=_number)
_IDS: Final = ("it is a list of one or more IDs", "Write the IDs in a list.")
_organizational_unit = checks.matching(
    r"ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|r-[a-z0-9]{4,32}",
    "an organizational unit is like ou-ab12-11112222, and the root of an organization like r-ab12",
    "Copy it from the AWS Organizations console.",
)


@dataclass(frozen=True)
class StackSetTargets:
    """Whom a stack set reaches, and how: made by `organizational_units` or by `accounts`.

    What belongs to one way alone is an argument of its factory.
    """

    way: Mapping[str, Any]  # what `cdk.CfnStackSet` takes for this way, by its name
    whom: Mapping[str, Sequence[str]]  # its deployment targets: organizational units, or accounts
    external_ids: Mapping[str, str] = field(default_factory=dict)  # by account, where each has its own

    @staticmethod
    def organizational_units(
        organizational_unit_ids: Sequence[str], *, auto_deployment: bool = True, call_as: str | None = None
    ) -> StackSetTargets:
        """Every account of organizational units, but never the management account.

        Service-managed: AWS Organizations manages the roles of the set, and trusted access of StackSets must be on
        there. CloudFormation gives all accounts of a unit the same parameters ('An OrganizationalUnitIds cannot be
        associated with more than one Parameters set'), so they have one external ID, which keeps every other Pinecone
        customer out.

        Args:
            organizational_unit_ids: ``ou-…``, or ``r-…`` for the whole organization, up to 50.
            auto_deployment: whether accounts that join a unit get their stack by themselves. Stacks of accounts that
                leave are kept. Default: True.
            call_as: ``SELF``, or ``DELEGATED_ADMIN`` from the account of a delegated administrator. Default: StackSets'
                ``SELF``.

        Raises:
            ValueError: a value is outside its limits.
        """
        checks.listed("organizational_unit_ids", organizational_unit_ids, _organizational_unit, *_IDS)
        checks.flag("auto_deployment", auto_deployment)
        if call_as is not None:
            checks.one_of("SELF", "DELEGATED_ADMIN")("call_as", call_as)
        if len(organizational_unit_ids) > 50:  # API reference, CreateStackInstances
            raise checks.refusal("PineconeCmekStackSet", "units", count=len(organizational_unit_ids))
        # CloudFormation takes the retention with automatic deployment alone.
        retained = {"retainStacksOnAccountRemoval": True} if auto_deployment else {}
        deployment = {"enabled": auto_deployment, **retained}
        way = {"permission_model": "SERVICE_MANAGED", "auto_deployment": deployment, "call_as": call_as}
        return StackSetTargets(way, {"organizationalUnitIds": list(organizational_unit_ids)})

    @staticmethod
    def accounts(
        accounts: Sequence[str] | Mapping[str, str],
        *,
        administration_role_arn: str | None = None,
        execution_role_name: str | None = None,
    ) -> StackSetTargets:
        """Accounts that are named.

        Self-managed: StackSets goes through roles that are in each of them already (user guide, "Grant self-managed
        permissions"). An account gets its stack when it is added here, and one that is taken out loses it, while role
        and key are kept.

        Args:
            accounts: strings of 12 digits; or each account's own external ID by its number, as a parameter that each
                overrides. Each is then an operation of its own, one after another.
            administration_role_arn: the role that StackSets takes on in this account. Default:
                ``AWSCloudFormationStackSetAdministrationRole``.
            execution_role_name: the role that it takes on in each account, up to 64 characters. Default:
                ``AWSCloudFormationStackSetExecutionRole``.

        Raises:
            ValueError: a value is outside its limits.
        """
        external_ids, ids = (accounts, list(accounts)) if isinstance(accounts, Mapping) else ({}, accounts)
        checks.listed("accounts", ids, _account_id, *_IDS)
        owners: dict[str, str] = {}
        for account, external_id in external_ids.items():
            _known(f"accounts[{account!r}]", external_id, props.EXTERNAL_ID.check)
            if (other := owners.setdefault(external_id, account)) != account:
                facts = {"account": account, "its_id": checks.shown(external_id), "other": other}
                raise checks.refusal("PineconeCmekStackSet", "same-id", **facts)
        if administration_role_arn is not None:
            checks.role_arn("administration_role_arn", administration_role_arn)
        if execution_role_name is not None:
            form, what = r"[A-Za-z0-9_+=,.@/-]{1,64}", "it is the name of a role in each account, of 1 to 64 characters"
            way_out = "Leave it out for AWSCloudFormationStackSetExecutionRole."
            checks.matching(form, what, way_out)("execution_role_name", execution_role_name)
        way = {
            "permission_model": "SELF_MANAGED",
            "administration_role_arn": administration_role_arn,
            "execution_role_name": execution_role_name,
        }
        targets = StackSetTargets(way, {"accounts": list(accounts)}, external_ids)
        groups = targets.groups("xx-xxxx-1")
        size = len(json.dumps({"Resources": {"StackSet": {"Properties": {"StackInstancesGroup": groups}}}}, indent=1))
        if size > checks.TEMPLATE:
            raise checks.refusal("PineconeCmekStackSet", "accounts", count=len(ids), size=size, most=checks.TEMPLATE)
        return targets

    def groups(self, region: str) -> list[dict[str, Any]]:
        """The targets as `cdk.CfnStackSet` takes them, each account with its external ID in place of the set's."""
        each: list[tuple[Mapping[str, Any], dict[str, Any]]] = [
            ({"accounts": [account]}, {"parameterOverrides": [{"parameterKey": EXTERNAL_ID, "parameterValue": its}]})
            for account, its in self.external_ids.items()
        ]
        return [{"deploymentTargets": whom, **own, "regions": [region]} for whom, own in each or [(self.whom, {})]]


def _region(parameter: str, value: Any) -> None:
    """One Region of Pinecone's partition."""
    if not isinstance(value, str) or not checks.REGION.fullmatch(value):
        what = "it is one AWS Region, such as us-east-1: a role name is one for all Regions of an account"
        way_out = "For another Region make another set, for other accounts or with another role_name."
        checks.refuse(parameter, value, what, way_out)
    checks.in_pinecone_partition(value)


def _accounts(least: int) -> checks.Check:
    what = f"it is a whole number of accounts, {least} or more"
    return checks.whole(range(least, sys.maxsize), what, "Leave it out for the default.")


_are_targets: Final = checks.within(
    lambda value: isinstance(value, StackSetTargets),
    "it is a StackSetTargets",
    "Write StackSetTargets.organizational_units([…]) or StackSetTargets.accounts([…]).",
)
_OF_THE_SET: Final = (
    row("stack_set_name"),
    row("region of PineconeCmekStackSet", _region),
    row("targets", _are_targets),
    row("permissions_boundary_name"),
    row("max_concurrent_count", _accounts(1), left_out=10),
    row("failure_tolerance_count", _accounts(0), left_out=0),
)
_ROLE_NAME, _ALIAS = map(row, ("role_name of PineconeCmekStackSet", "alias of PineconeCmekStackSet"))
_IN_EACH_ACCOUNT: Final = (
    *props.TRUST, _ROLE_NAME, props.ROLE_PATH, props.KEY_ACCESS, _ALIAS, *props.NEW_KEY[1:], props.SUSPENDED
)  # fmt: skip
STACK_SET: Final = tuple(  # what `PineconeCmekStackSet` takes
    one._replace(check=partial(_known, check=one.check)) for one in (*_OF_THE_SET, *_IN_EACH_ACCOUNT)
)


class StackSetProps(TrustProps, KeyShape, total=False):
    stack_set_name: Required[str]
    region: Required[str]
    targets: Required[StackSetTargets]
    permissions_boundary_name: str | None
    role_name: str | None
    role_path: str | None
    max_concurrent_count: int
    failure_tolerance_count: int


class PineconeCmekStackSet(Construct):
    """Role, key, alias and outputs for one Pinecone project in each of many accounts.

    A stack set in this stack; CloudFormation makes a stack in each account from the template that `PineconeCmek` makes.
    Service-managed for organizational units: accounts that join later get their stack by themselves. Self-managed for
    accounts that are named. The management account gets none from a service-managed set. Source: CloudFormation user
    guide, "StackSets concepts".

    The set and its stacks are kept whatever happens to this stack, and role and key when theirs are deleted or would
    replace them.
    """

    stack_set: cdk.CfnStackSet
    """The stack set. Its tags, by `cdk.Tags.of(…)`, are those of every role and key."""

    @ours.takes(StackSetProps, STACK_SET)
    def __init__(self, scope: Construct, construct_id: str, **own: Unpack[StackSetProps]) -> None:
        """Make the stack set.

        Args:
            scope: the construct in which it is made: in the management account, or for organizational units in a
                delegated administrator's with ``call_as``.
            construct_id: its id there.

        Raises:
            ValueError: a value is outside its limits, or two contradict each other; nothing was built.
        """
        ours.environment_of(scope)
        name, targets, region = own["stack_set_name"], own["targets"], own["region"]
        boundary_name, one_id = own["permissions_boundary_name"], own["external_id"]
        external_ids = [*targets.external_ids.values()]
        if own["role_name"] is None and len(name) > 64:
            raise checks.refusal("PineconeCmekStackSet", "no-role-name", count=len(name))
        if one_id is not None and external_ids:
            raise checks.refusal("PineconeCmekStackSet", "two-ids", its_id=checks.shown(one_id))
        own["role_name"] = own["role_name"] or name
        own["alias"] = own["alias"] or f"alias/pinecone-cmek/{name}"
        if external_ids:  # the one that makes the longest trust policy
            own["external_id"] = max(external_ids, key=len)
        trust = trust_of(own["pinecone_account_id"], own)
        inside = ours.some_of(own, _IN_EACH_ACCOUNT)
        body = inner_template(scope, region, inside, id_per_account=bool(external_ids), boundary_name=boundary_name)

        super().__init__(scope, construct_id)
        self._role = f"role{own['role_path'] or '/'}{own['role_name']}"
        self._account_ids = targets.whom.get("accounts", ())
        most, failed = own["max_concurrent_count"], own["failure_tolerance_count"]
        how = {"concurrencyMode": "SOFT_FAILURE_TOLERANCE", "maxConcurrentCount": most, "failureToleranceCount": failed}
        self.stack_set = cdk.CfnStackSet(
            self,
            "StackSet",
            stack_set_name=name,
            description="Role and KMS key for Pinecone (CMEK) in each account",
            **targets.way,
            capabilities=["CAPABILITY_NAMED_IAM"],
            managed_execution={"Active": True},
            operation_preferences=how,
            stack_instances_group=targets.groups(region),
            template_body=body,
        )
        # Also when its first deployment fails: CloudFormation would delete the stacks that are made, and their retained
        # roles would bar the next deployment.
        self.stack_set.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        ours.acknowledge(self, asked_for(own))
        # What the template inside would warn of, said once and here, where it is seen
        ours.warn(self, trust.notices(trust.account_id if trust.account_id in self._account_ids else None))
        ours.warn(self, trust.key_notices(region))
        guessed = [one for one in external_ids if one != trust.external_id and not checks.UUID_V4.fullmatch(one)]
        ours.warn(self, [notice("external-id-not-uuid-v4", external_id=one) for one in guessed[:1]])
        cdk.CfnOutput(self, "StackSetName", value=name, description="For `cmek sheet --fleet`")
        if one_id is not None:
            ours.dialog_output(self, "ExternalId", "External ID", one_id)
        if boundary_name is None:
            RoleInAccounts(self, "RoleInAccounts", assume_role_policy_document={})

    def role_arn(self, account_id: str) -> str:
        """The ARN of the role in one account, known before the deploy.

        Args:
            account_id: a string of 12 digits; of a set of named accounts, one of them.

        Raises:
            ValueError: it is no account ID, or of an account that the set does not reach.
        """
        _account_id("account_id", account_id)
        if self._account_ids and account_id not in self._account_ids:
            raise checks.refusal("PineconeCmekStackSet", "not-reached", account=account_id)
        return f"arn:aws:iam::{account_id}:{self._role}"
