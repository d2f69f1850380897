"""Role and key in every account of an organization, through CloudFormation StackSets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import aws_cdk as cdk
from constructs import Construct

from cmek_construct import checks, props
from cmek_construct.constructs import cdk as ours
from cmek_construct.constructs.key import KeyShape, asked_for
from cmek_construct.constructs.own_stage import EXTERNAL_ID, RoleInAccounts, inner_template
from cmek_construct.constructs.principal import TrustProps, trust_of
from cmek_construct.constructs.stack_set_targets import StackSetTargets, known
from cmek_construct.props import Prop
from cmek_construct.trust import Trust
from cmek_construct.warnings import Notice, notice

if TYPE_CHECKING:
    from typing_extensions import Required, Unpack


def _count(least: int) -> checks.Check:
    return checks.within(
        lambda value: type(value) is int and value >= least,
        f"it is a whole number of accounts, {least} or more",
        "Leave it out for the default.",
    )


def _region(parameter: str, value: Any) -> None:
    """One Region of Pinecone's partition."""
    if not isinstance(value, str) or not checks.REGION.fullmatch(value):
        what = "it is one AWS Region, such as us-east-1: a role name is one for all Regions of an account"
        way_out = "For another Region make another set, for other accounts or with another role_name."
        checks.refuse(parameter, value, what, way_out)
    checks.in_pinecone_partition(value)


def _known(row: Prop) -> Prop:
    """The row of a value that no token may stand for: it goes into the template inside the set."""

    def check(parameter: str, value: Any) -> None:
        known(parameter, value)
        row.check(parameter, value)

    return replace(row, check=check)


_OF_THE_SET: Final = (
    Prop(
        "stack_set_name",
        "1 to 128 letters, digits and hyphens, a letter first",
        "A change makes another set, whose roles have other names: for good.",
        checks.matching(
            checks.STACK_NAME,
            "the name of a stack set has 1 to 128 characters out of A-Z a-z 0-9 -, a letter first",
            "Write it like pinecone-cmek; it cannot be changed later.",
        ),
        default="",
    ),
    Prop(
        "region",
        "a region",
        "Of every role's stack and every key. One for the set: Pinecone takes one key ARN per project, and role names "
        "are one for all Regions of an account. A change makes other keys, which Pinecone does not know.",
        _region,
        default="",
    ),
    Prop(
        "targets",
        "a `StackSetTargets`",
        "Whom the set reaches: ``StackSetTargets.organizational_units([…])`` or ``StackSetTargets.accounts([…])``.",
        checks.within(
            lambda value: isinstance(value, StackSetTargets),
            "it is a StackSetTargets",
            "Write StackSetTargets.organizational_units([…]) or StackSetTargets.accounts([…]).",
        ),
        default="",
    ),
    Prop(
        "permissions_boundary_name",
        "name of a managed policy, with its path if it has one",
        "The most that each role may do; the policy must be in every account, and allow the actions on the key.",
        checks.matching(
            r"[A-Za-z0-9_+=,.@/-]{1,512}",
            "it is the name of a managed policy that is in each account",
            "Write it without arn:…:policy/, or leave it out.",
        ),
    ),
    Prop(
        "max_concurrent_count",
        "1 or more",
        "Accounts at a time; 100 is what StackSets reaches.",
        _count(1),
        default="10",
        left_out=10,
    ),
    Prop(
        "failure_tolerance_count",
        "0 or more",
        "Accounts that may fail before the operation stops. Failures leave the accounts at a time as they are "
        "(``SOFT_FAILURE_TOLERANCE``; the strict mode would go on with this number and one).",
        _count(0),
        default="0",
        left_out=0,
    ),
)
_IN_EACH_ACCOUNT: Final = (
    *props.TRUST,
    replace(props.ROLE_NAME, default="``stack_set_name``, so that every ARN is known beforehand"),
    props.ROLE_PATH,
    *(
        replace(row, default="``alias/pinecone-cmek/`` and ``stack_set_name``") if row is props.ALIAS else row
        for row in props.KEY
        if row is not props.REMOVAL_POLICY
    ),
)
STACK_SET: Final = tuple(map(_known, (*_OF_THE_SET, *_IN_EACH_ACCOUNT)))
"""What `PineconeCmekStackSet` takes."""


class StackSetProps(TrustProps, KeyShape, total=False):
    """The types of `STACK_SET`."""

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
        name, targets, region, one_id = own["stack_set_name"], own["targets"], own["region"], own["external_id"]
        own["role_name"] = _role_name(own["role_name"], name)
        own["alias"] = own["alias"] or f"alias/pinecone-cmek/{name}"
        own["external_id"] = _longest_id(targets, one_id)
        trust = trust_of(own["pinecone_account_id"], own)
        checks.first(props.contradictions(own))
        template_body = inner_template(
            scope,
            region,
            ours.some_of(own, _IN_EACH_ACCOUNT),
            id_per_account=targets.external_ids is not None,
            permissions_boundary_name=own["permissions_boundary_name"],
        )

        super().__init__(scope, construct_id)
        self._role = f"role{own['role_path'] or '/'}{own['role_name']}"
        self._account_ids = targets.account_ids
        self.stack_set = _stack_set(self, own, template_body)
        ours.acknowledge(self, asked_for(own))
        ours.warn(self, _notices(targets, trust, region))
        cdk.CfnOutput(self, "StackSetName", value=name, description="For `cmek sheet --fleet`")
        if one_id is not None:
            ours.dialog_output(self, "ExternalId", "External ID", one_id)
        if own["permissions_boundary_name"] is None:
            RoleInAccounts(self, "RoleInAccounts")

    def role_arn(self, account_id: str) -> str:
        """The ARN of the role in one account, known before the deploy.

        Args:
            account_id: a string of 12 digits; of a set of named accounts, one of them.

        Raises:
            ValueError: it is no account ID, or of an account that the set does not reach.
        """
        known("account_id", account_id)
        checks.account_id("account_id", account_id, "Give one of the accounts of the set.")
        if self._account_ids and account_id not in self._account_ids:
            what = "it is none of the set's accounts, so no role is made in it"
            checks.refuse("account_id", account_id, what, "Add the account to the targets, or give one of them.")
        return f"arn:aws:iam::{account_id}:{self._role}"


def _role_name(value: str | None, stack_set_name: str) -> str:
    """The name of the role in every account, by default that of the set."""
    if value is None and len(stack_set_name) > 64:
        what = f"it is then stack_set_name, whose {len(stack_set_name)} characters are more than the 64 of a role name"
        checks.refuse("role_name", value, what, "Give a role_name, the same for every account and for good.")
    return value or stack_set_name


def _longest_id(targets: StackSetTargets, external_id: str | None) -> str | None:
    """The external ID that makes the longest trust policy."""
    if targets.external_ids is None:
        return external_id
    if external_id is not None:
        what = "each of the accounts has its own already, and an account has one"
        checks.refuse("external_id", external_id, what, "Leave out one of the two.")
    return max(targets.external_ids.values(), key=len)


def _override(external_id: str) -> cdk.CfnStackSet.ParameterProperty:
    return cdk.CfnStackSet.ParameterProperty(parameter_key=EXTERNAL_ID, parameter_value=external_id)


def _stack_set(scope: Construct, own: StackSetProps, template_body: str) -> cdk.CfnStackSet:
    targets = own["targets"]
    stack_set = cdk.CfnStackSet(
        scope,
        "StackSet",
        stack_set_name=own["stack_set_name"],
        description="Role and KMS key for Pinecone (CMEK) in each account",
        **targets.way,
        capabilities=["CAPABILITY_NAMED_IAM"],
        managed_execution={"Active": True},
        operation_preferences=cdk.CfnStackSet.OperationPreferencesProperty(
            concurrency_mode="SOFT_FAILURE_TOLERANCE",
            max_concurrent_count=own["max_concurrent_count"],
            failure_tolerance_count=own["failure_tolerance_count"],
        ),
        stack_instances_group=[
            cdk.CfnStackSet.StackInstancesProperty(
                deployment_targets=cdk.CfnStackSet.DeploymentTargetsProperty(
                    accounts=accounts or None, organizational_unit_ids=targets.organizational_unit_ids
                ),
                parameter_overrides=None if external_id is None else [_override(external_id)],
                regions=[own["region"]],
            )
            for accounts, external_id in targets.groups()
        ],
        template_body=template_body,
    )
    # Also when its first deployment fails: CloudFormation would delete the stacks that are made, and their retained
    # roles would bar the next deployment.
    stack_set.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    return stack_set


def _notices(targets: StackSetTargets, trust: Trust, region: str) -> Iterator[Notice]:
    """What the template inside would warn of, said once and here, where it is seen."""
    yield from trust.notices(trust.account_id if trust.account_id in targets.account_ids else None)
    yield from trust.key_notices(region)
    for external_id in (targets.external_ids or {}).values():
        if external_id != trust.external_id and not checks.UUID_V4.fullmatch(external_id):
            yield notice("external-id-not-uuid-v4", external_id=external_id)
            return
