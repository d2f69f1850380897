"""Which accounts a stack set reaches: by organizational unit, or one by one.

Pure Python over plain values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cmek_construct import checks, limits, stack_set_checks

ORGANIZATIONAL_UNIT: Final = re.compile(
    r"ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|r-[a-z0-9]{4,32}",
)


@dataclass(frozen=True)
class Targets:
    """Organizational units (service-managed) or accounts (self-managed), and external IDs."""

    organizational_unit_ids: Sequence[str] | None = None
    account_ids: Sequence[str] | None = None
    external_ids: Mapping[str, str] | None = None

    @property
    def service_managed(self) -> bool:
        """Whether AWS Organizations manages the roles of the set."""
        return self.organizational_unit_ids is not None

    def check(self) -> None:
        """Raise a `ValueError` for what no stack set reaches."""
        checks.first(self._one_of_two())
        if self.organizational_unit_ids is not None:
            _listed("organizational_unit_ids", self.organizational_unit_ids, _organizational_unit)
        if self.account_ids is not None:
            _listed("account_ids", self.account_ids, _account)
        if self.external_ids is not None:
            checks.first(self._not_by_unit())
            self._external_ids(self.external_ids)
        checks.first(self._too_many())

    def groups(self) -> list[dict[str, Any]]:
        """The deployment targets, each with the external ID that overrides the set's parameter."""
        if self.organizational_unit_ids is not None:
            return [{"organizational_unit_ids": list(self.organizational_unit_ids)}]
        accounts = list(self.account_ids or [])
        if self.external_ids is None:
            return [{"accounts": accounts}]
        return [
            {"accounts": [account], "external_id": self.external_ids[account]}
            for account in accounts
        ]

    def _one_of_two(self) -> Iterator[ValueError]:
        if (self.organizational_unit_ids is None) == (self.account_ids is None):
            got = "neither" if self.account_ids is None else "both"
            yield ValueError(
                f"organizational_unit_ids, account_ids: got {got}, but a stack set reaches the "
                "accounts of organizational units (by service-managed permissions) or the "
                "accounts that are named (by self-managed ones). Give one of the two."
            )

    def _not_by_unit(self) -> Iterator[ValueError]:
        if self.service_managed:
            yield ValueError(
                "external_ids: got IDs per account with organizational_unit_ids, but "
                "CloudFormation gives all accounts of an organizational unit the same parameters "
                "('An OrganizationalUnitIds cannot be associated with more than one Parameters "
                "set'), and an account that joins later gets the set's default, not an ID of its "
                "own. Give one external_id for the set, which keeps every other Pinecone customer "
                "out, or name the accounts with account_ids."
            )

    def _external_ids(self, external_ids: object) -> None:
        if not isinstance(external_ids, Mapping) or not external_ids:
            checks.refuse(
                "external_ids",
                external_ids,
                "it maps each account ID to the external ID of that account",
                'Write {"111122223333": "…"}, or leave it out and give one external_id.',
            )
        owners: dict[str, str] = {}
        for account, external_id in external_ids.items():
            parameter = f"external_ids[{account!r}]"
            _account(parameter, account)
            if external_id is None:
                checks.refuse(parameter, None, "each account has an external ID", "Give one.")
            stack_set_checks.known({parameter: external_id})
            checks.external_id(parameter, external_id)
            if external_id in owners:
                checks.refuse(
                    parameter,
                    external_id,
                    f"it is the external ID of account {owners[external_id]} already",
                    "Give each account its own, or all of them one with external_id.",
                )
            owners[external_id] = account
        checks.first(self._accounts_and_ids_differ(external_ids))

    def _accounts_and_ids_differ(self, external_ids: Mapping[str, str]) -> Iterator[ValueError]:
        accounts = list(self.account_ids or [])
        for account in accounts:
            if account not in external_ids:
                yield ValueError(
                    f"external_ids: got none for account {account}, which is in account_ids. Make "
                    "a UUID v4 for it once (`uuidgen`) and keep it, or take the account out."
                )
        for account in external_ids:
            if account not in accounts:
                yield ValueError(
                    f"external_ids: got one for account {account}, which is not in account_ids. "
                    "Add the account, or take the ID out."
                )

    def _too_many(self) -> Iterator[ValueError]:
        units = self.organizational_unit_ids or []
        if len(units) > limits.STACK_SET_UNITS:
            yield ValueError(
                f"organizational_unit_ids: got {len(units):,}, but StackSets takes "
                f"{limits.STACK_SET_UNITS} in one operation. Name the unit above them, or make "
                "another set under another name."
            )
        size = self._size_in_template()
        if size > limits.TEMPLATE:
            yield ValueError(
                f"account_ids: got {len(self.account_ids or []):,}, which with their external IDs "
                f"are {size:,} bytes of the template, but CloudFormation takes "
                f"{limits.TEMPLATE:,}. Give one external_id for the set, or make another set, "
                "under another name and in another stack, for the rest of the accounts."
            )

    def _size_in_template(self) -> int:
        """The bytes of the groups, as CDK writes them into a template."""
        groups = [
            {
                "DeploymentTargets": {"Accounts": group.get("accounts")},
                "ParameterOverrides": [
                    {"ParameterKey": "ExternalId", "ParameterValue": group.get("external_id")}
                ],
                "Regions": ["xx-xxxx-1"],
            }
            for group in self.groups()
        ]
        place = {"Resources": {"StackSet": {"Properties": {"StackInstancesGroup": groups}}}}
        return len(json.dumps(place, indent=1))


def _listed(parameter: str, value: object, check: Any) -> None:
    """A list of one or more, each once."""
    if not isinstance(value, list | tuple) or not value:
        checks.refuse(
            parameter, value, "it is a list of one or more IDs", "Write the IDs in a list."
        )
    seen: set[Any] = set()
    for index, one in enumerate(value):
        check(f"{parameter}[{index}]", one)
        if one in seen:
            checks.refuse(f"{parameter}[{index}]", one, "each stands once", "Remove the second.")
        seen.add(one)


def _account(parameter: str, value: object) -> None:
    stack_set_checks.known({parameter: value})
    checks.account_id(parameter, value, "Copy it from AWS Organizations or the AWS console.")


def _organizational_unit(parameter: str, value: object) -> None:
    if checks.is_token(value):
        return
    if not isinstance(value, str) or not ORGANIZATIONAL_UNIT.fullmatch(value):
        checks.refuse(
            parameter,
            value,
            "an organizational unit is like ou-ab12-11112222, and the root of an organization "
            "like r-ab12",
            "Copy it from the AWS Organizations console.",
        )
