"""What `PineconeCmekStackSet` takes beside the props of `PineconeCmek`: right, or a `ValueError`.

Pure Python over plain values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from cmek_construct import checks

NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
EXECUTION_ROLE: Final = re.compile(r"[A-Za-z0-9_+=,.@/-]{1,64}")
CALL_AS: Final = ("SELF", "DELEGATED_ADMIN")


def known(props: Mapping[str, Any]) -> None:
    """What goes into the template inside the set is known at synth."""
    for name, value in props.items():
        members = value if isinstance(value, list | tuple) else [value]
        if any(map(checks.is_token, members)):
            checks.refuse(
                name,
                "a token",
                "it is written into the template inside the set, which no reference of this "
                "stack reaches",
                "Write the value, or take it from context or from a file that Python reads.",
            )


def name(value: object) -> None:
    """The name of a stack set, which is for good."""
    known({"stack_set_name": value})
    if not isinstance(value, str) or not NAME.fullmatch(value):
        checks.refuse(
            "stack_set_name",
            value,
            "the name of a stack set has 1 to 128 characters out of A-Z a-z 0-9 -, a letter first",
            "Write it like pinecone-cmek; it cannot be changed later.",
        )


def region(value: object) -> None:
    """One Region of Pinecone's partition."""
    known({"region": value})
    if not isinstance(value, str) or not checks.REGION.fullmatch(value):
        checks.refuse(
            "region",
            value,
            "it is one AWS Region, such as us-east-1: a role name is one for all Regions of an "
            "account",
            "For another Region make another set, for other accounts or with another role_name.",
        )
    checks.in_pinecone_partition(value)


def role_name(value: str | None, stack_set_name: str) -> str:
    """The name of the role in every account, by default that of the set."""
    if value is not None:
        return value
    if not checks.ROLE_NAME.fullmatch(stack_set_name):
        checks.refuse(
            "role_name",
            value,
            f"it is then stack_set_name, whose {len(stack_set_name)} characters are more than the "
            "64 of a role name",
            "Give a role_name, the same for every account and for good.",
        )
    return stack_set_name


def one_or_many(external_id: object, external_ids: object) -> None:
    """One external ID for all accounts, or one for each."""
    if external_id is not None and external_ids is not None:
        checks.refuse(
            "external_ids",
            external_ids,
            "external_id is given as well, and an account has one",
            "Leave out one of the two.",
        )


def permission_model(service_managed: bool, **props: Any) -> None:
    """What StackSets takes for organizational units alone, or for named accounts alone."""
    if service_managed:
        names = ("administration_role_arn", "execution_role_name")
        allowed = "AWS Organizations manages the roles of a set for organizational units"
        way_out = "Leave it out, or name the accounts with account_ids."
    else:
        names = ("auto_deployment", "call_as")
        allowed = (
            "it is for organizational_unit_ids alone: an account that is named gets its stack, and "
            "its external ID, when it is added here"
        )
        way_out = "Leave it out, or give organizational_unit_ids and one external_id."
    for prop in names:
        if props[prop] is not None and props[prop] is not False:
            checks.refuse(prop, props[prop], allowed, way_out)


def call_as(value: object) -> None:
    """From which account of an organization the set is made."""
    if value is not None and value not in CALL_AS:
        checks.refuse("call_as", value, f"it is {' or '.join(CALL_AS)}", "Leave it out for SELF.")


def administration_role_arn(value: object) -> None:
    """The ARN of a role; a token passes, for a role of this app."""
    if value is not None:
        checks.role_arn("administration_role_arn", value)


def execution_role_name(value: object) -> None:
    """The name of a role, not its ARN."""
    if value is None or checks.is_token(value):
        return
    if not isinstance(value, str) or not EXECUTION_ROLE.fullmatch(value):
        checks.refuse(
            "execution_role_name",
            value,
            "it is the name of a role in each account, of 1 to 64 characters",
            "Leave it out for AWSCloudFormationStackSetExecutionRole.",
        )


def count(parameter: str, value: object, *, least: int) -> None:
    """A whole number of accounts."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        checks.refuse(
            parameter,
            value,
            f"it is a whole number of accounts, {least} or more",
            "Leave it out for the default.",
        )
