"""Whom a stack set reaches: the accounts of organizational units, or accounts one by one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cmek_construct import checks, props

CALL_AS: Final = ("SELF", "DELEGATED_ADMIN")
UNITS: Final = 50  # organizational units in one operation of a stack set (API reference, CreateStackInstances)

_organizational_unit = checks.matching(
    r"ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|r-[a-z0-9]{4,32}",
    "an organizational unit is like ou-ab12-11112222, and the root of an organization like r-ab12",
    "Copy it from the AWS Organizations console.",
)
_execution_role_name = checks.matching(
    r"[A-Za-z0-9_+=,.@/-]{1,64}",
    "it is the name of a role in each account, of 1 to 64 characters",
    "Leave it out for AWSCloudFormationStackSetExecutionRole.",
)


@dataclass(frozen=True)
class StackSetTargets:
    """Whom a stack set reaches, and how: made by `organizational_units` or by `accounts`.

    What belongs to one way alone is an argument of its factory.
    """

    way: Mapping[str, Any]
    """What `cdk.CfnStackSet` takes for this way, by its name."""
    organizational_unit_ids: Sequence[str] | None = None
    """Units, each with all of its accounts."""
    account_ids: Sequence[str] = ()
    """Those that are named one by one."""
    external_ids: Mapping[str, str] | None = None
    """By account, where each has its own."""

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
        _listed("organizational_unit_ids", organizational_unit_ids, _organizational_unit)
        checks.flag("auto_deployment", auto_deployment)
        if call_as is not None:
            checks.one_of(*CALL_AS)("call_as", call_as)
        if len(organizational_unit_ids) > UNITS:
            raise ValueError(
                f"organizational_unit_ids: got {len(organizational_unit_ids):,}, but StackSets takes {UNITS} in one "
                "operation. Name the unit above them, or make another set under another name."
            )
        # CloudFormation takes the retention with automatic deployment alone.
        retained = {"retainStacksOnAccountRemoval": True} if auto_deployment else {}
        deployment = {"enabled": auto_deployment, **retained}
        way = {"permission_model": "SERVICE_MANAGED", "auto_deployment": deployment, "call_as": call_as}
        return StackSetTargets(way, organizational_unit_ids=list(organizational_unit_ids))

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
        external_ids = accounts if isinstance(accounts, Mapping) else None
        _listed("accounts", accounts if external_ids is None else list(accounts), _account)
        if external_ids is not None:
            _each_its_own(external_ids)
        if administration_role_arn is not None:
            checks.role_arn("administration_role_arn", administration_role_arn)
        if execution_role_name is not None:
            _execution_role_name("execution_role_name", execution_role_name)
        way = {
            "permission_model": "SELF_MANAGED",
            "administration_role_arn": administration_role_arn,
            "execution_role_name": execution_role_name,
        }
        targets = StackSetTargets(way, account_ids=list(accounts), external_ids=external_ids)
        targets._fit_into_a_template()
        return targets

    def groups(self) -> list[tuple[Sequence[str], str | None]]:
        """Accounts, with the external ID that overrides the set's parameter; no accounts where units are named."""
        if self.external_ids is None:
            return [(self.account_ids, None)]
        return [([account], external_id) for account, external_id in self.external_ids.items()]

    def _fit_into_a_template(self) -> None:
        """Refuse groups of more bytes than a template has, as CDK writes them."""
        groups = [
            {
                "DeploymentTargets": {"Accounts": accounts},
                "ParameterOverrides": [{"ParameterKey": "ExternalId", "ParameterValue": external_id}],
                "Regions": ["xx-xxxx-1"],
            }
            for accounts, external_id in self.groups()
        ]
        place = {"Resources": {"StackSet": {"Properties": {"StackInstancesGroup": groups}}}}
        size = len(json.dumps(place, indent=1))
        if size > checks.TEMPLATE:
            raise ValueError(
                f"accounts: got {len(self.account_ids):,}, which with their external IDs are {size:,} bytes of the "
                f"template, but CloudFormation takes {checks.TEMPLATE:,}. Give one external_id for the set, or make "
                "another set, under another name and in another stack, for the rest of the accounts."
            )


def known(parameter: str, value: object) -> None:
    """What goes into the template inside the set is known at synth."""
    if any(map(checks.is_token, value if isinstance(value, list | tuple) else [value])):
        what = "it is written into the template inside the set, which no reference of this stack reaches"
        way_out = "Write the value, or take it from context or from a file that Python reads."
        checks.refuse(parameter, "a token", what, way_out)


def _each_its_own(external_ids: Mapping[str, str]) -> None:
    owners: dict[str, str] = {}
    for account, external_id in external_ids.items():
        parameter = f"accounts[{account!r}]"
        if external_id is None:
            checks.refuse(parameter, None, "each account has an external ID", "Give one.")
        known(parameter, external_id)
        props.EXTERNAL_ID.check(parameter, external_id)
        if external_id in owners:
            what = f"it is the external ID of account {owners[external_id]} already"
            checks.refuse(
                parameter, external_id, what, "Give each account its own, or all of them one with external_id."
            )
        owners[external_id] = account


def _listed(parameter: str, value: object, check: checks.Check) -> None:
    what = "it is a list of one or more IDs"
    checks.listed(parameter, value, check, what=what, way_out="Write the IDs in a list.")


def _account(parameter: str, value: object) -> None:
    known(parameter, value)
    checks.account_id(parameter, value, "Copy it from AWS Organizations or the AWS console.")
