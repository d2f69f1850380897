"""Whom a stack set reaches: the accounts of organizational units, or accounts one by one."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cmek_construct import checks, props

CALL_AS: Final = ("SELF", "DELEGATED_ADMIN")
UNITS: Final = 50
"""Organizational units in one operation of a stack set (API reference, CreateStackInstances)."""

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


class StackSetTargets(ABC):
    """Whom a stack set reaches, and how: made by `organizational_units` or by `accounts`.

    What belongs to one way alone is an argument of its factory.
    """

    account_ids: Sequence[str]
    """Those that are named one by one."""
    external_ids: Mapping[str, str] | None
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
        return _Units(list(organizational_unit_ids), auto_deployment, call_as)

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
        targets = _Accounts(list(accounts), external_ids, administration_role_arn, execution_role_name)
        checks.first(_too_many(targets))
        return targets

    @abstractmethod
    def properties(self) -> dict[str, Any]:
        """What `cdk.CfnStackSet` takes for this way, by its name."""

    @abstractmethod
    def groups(self) -> list[dict[str, Any]]:
        """The deployment targets, each with the external ID that overrides the set's parameter."""


@dataclass(frozen=True)
class _Units(StackSetTargets):
    account_ids, external_ids = (), None
    organizational_unit_ids: list[str]
    auto_deployment: bool
    call_as: str | None

    def properties(self) -> dict[str, Any]:
        # CloudFormation takes the retention with automatic deployment alone.
        retained = {"retainStacksOnAccountRemoval": True} if self.auto_deployment else {}
        return {
            "permission_model": "SERVICE_MANAGED",
            "auto_deployment": {"enabled": self.auto_deployment, **retained},
            "call_as": self.call_as,
        }

    def groups(self) -> list[dict[str, Any]]:
        return [{"organizational_unit_ids": self.organizational_unit_ids}]


@dataclass(frozen=True)
class _Accounts(StackSetTargets):
    account_ids: Sequence[str]
    external_ids: Mapping[str, str] | None
    administration_role_arn: str | None
    execution_role_name: str | None

    def properties(self) -> dict[str, Any]:
        return {
            "permission_model": "SELF_MANAGED",
            "administration_role_arn": self.administration_role_arn,
            "execution_role_name": self.execution_role_name,
        }

    def groups(self) -> list[dict[str, Any]]:
        if self.external_ids is None:
            return [{"accounts": self.account_ids}]
        return [{"accounts": [one], "external_id": its} for one, its in self.external_ids.items()]


def _too_many(targets: _Accounts) -> Iterator[ValueError]:
    """The bytes of the groups, as CDK writes them into a template."""
    groups = [
        {
            "DeploymentTargets": {"Accounts": group.get("accounts")},
            "ParameterOverrides": [{"ParameterKey": "ExternalId", "ParameterValue": group.get("external_id")}],
            "Regions": ["xx-xxxx-1"],
        }
        for group in targets.groups()
    ]
    place = {"Resources": {"StackSet": {"Properties": {"StackInstancesGroup": groups}}}}
    size = len(json.dumps(place, indent=1))
    if size > checks.TEMPLATE:
        yield ValueError(
            f"accounts: got {len(targets.account_ids):,}, which with their external IDs are {size:,} bytes of the "
            f"template, but CloudFormation takes {checks.TEMPLATE:,}. Give one external_id for the set, or make "
            "another set, under another name and in another stack, for the rest of the accounts."
        )


def known(parameter: str, value: object) -> None:
    """What goes into the template inside the set is known at synth."""
    if any(map(checks.is_token, value if isinstance(value, list | tuple) else [value])):
        checks.refuse(
            parameter,
            "a token",
            "it is written into the template inside the set, which no reference of this stack reaches",
            "Write the value, or take it from context or from a file that Python reads.",
        )


def _each_its_own(external_ids: Mapping[str, str]) -> None:
    owners: dict[str, str] = {}
    for account, external_id in external_ids.items():
        parameter = f"accounts[{account!r}]"
        if external_id is None:
            checks.refuse(parameter, None, "each account has an external ID", "Give one.")
        known(parameter, external_id)
        props.EXTERNAL_ID.check(parameter, external_id)
        if external_id in owners:
            checks.refuse(
                parameter,
                external_id,
                f"it is the external ID of account {owners[external_id]} already",
                "Give each account its own, or all of them one with external_id.",
            )
        owners[external_id] = account


def _listed(parameter: str, value: object, check: checks.Check) -> None:
    """A list of one or more, each once."""
    what = "it is a list of one or more IDs"
    checks.listed(parameter, value, check, what=what, way_out="Write the IDs in a list.")


def _account(parameter: str, value: object) -> None:
    known(parameter, value)
    checks.account_id(parameter, value, "Copy it from AWS Organizations or the AWS console.")
