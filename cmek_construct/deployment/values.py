"""Checks of values that only cmek.yaml and the command line have: accounts, names, ARNs, tags."""

from __future__ import annotations

import re
from typing import Final

from cmek_construct import checks

STACK_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
POLICY_ARN: Final = re.compile(r"arn:aws:iam::([0-9]{12}|aws):policy/[\x21-\x7e]{1,639}")
PRINCIPAL_ARN: Final = re.compile(
    r"arn:aws:iam::[0-9]{12}:(root|(user|role)/([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,64})"
)


def no_token(parameter: str, value: object) -> None:
    """In a file there is nothing that a token could stand for."""
    if checks.is_token(value):
        checks.refuse(
            parameter, value, "a file has values that are known", "Write the value itself."
        )


def own_account_id(parameter: str, value: object) -> None:
    """The account that role and key are deployed to."""
    checks.account_id(
        parameter, value, "Write the number of the AWS account to deploy to, in quotes."
    )


def region(parameter: str, value: object) -> None:
    """A region to deploy to, where Pinecone's partition is."""
    if value is None:
        return
    if not isinstance(value, str) or not checks.REGION.fullmatch(value):
        checks.refuse(
            parameter, value, "a region looks like us-east-1", "Write the region to deploy to."
        )
    checks.in_pinecone_partition(value)


def stack_name(parameter: str, value: object) -> None:
    """The name of an entry of cmek.yaml, which is the name of its stack."""
    if not isinstance(value, str) or not STACK_NAME.fullmatch(value):
        checks.refuse(
            parameter,
            value,
            "the name of a stack begins with a letter and has up to 128 letters, digits and "
            "hyphens",
            "Rename it before the first deploy; later, a new name is a new stack.",
        )


def policy_arn(parameter: str, value: object) -> None:
    """The ARN of a managed policy."""
    checks.arn(parameter, value, POLICY_ARN, "arn:aws:iam::111122223333:policy/name")


def principal_arns(parameter: str, value: object) -> None:
    """ARNs of roles, users or account roots."""
    if value is None:
        return
    example = "arn:aws:iam::111122223333:role/name"
    if not isinstance(value, list):
        checks.refuse(
            parameter, value, "it is a list of ARNs", f"Write a list such as [{example}]."
        )
    for index, principal in enumerate(value):
        checks.arn(f"{parameter}[{index}]", principal, PRINCIPAL_ARN, example)


def tags(parameter: str, value: object) -> None:
    """Names and values, both strings."""
    if value is None:
        return
    if not isinstance(value, dict):
        checks.refuse(
            parameter, value, "it is a mapping of names to values", "Write  name: value  lines."
        )
    for name, text in value.items():
        tag = f"{parameter}.{checks.printable(name)}"
        if not isinstance(name, str) or not isinstance(text, str):
            checks.refuse(tag, text, "a tag and its value are strings", "Put it in quotes.")
        if not 1 <= len(name) <= 128 or len(text) > 256 or name.lower().startswith("aws:"):
            checks.refuse(
                tag,
                text,
                "a name has 1 to 128 characters and does not begin with aws:, a value up to 256",
                "Shorten or rename it.",
            )


def acknowledgements(parameter: str, value: object) -> None:
    """Ids of warnings, each with a reason."""
    if value is None:
        return
    if not isinstance(value, dict):
        checks.refuse(
            parameter, value, "it is a mapping of ids to reasons", "Write  id: reason  lines."
        )
    for notice, reason in value.items():
        if not isinstance(notice, str) or not isinstance(reason, str) or not reason:
            checks.refuse(
                f"{parameter}.{checks.printable(notice)}",
                reason,
                "a warning is acknowledged with a reason in words",
                "Write why this was decided, and by whom.",
            )


def one_of(parameter: str, value: object, allowed: tuple[str, ...]) -> None:
    """One of a few words."""
    if value is not None and value not in allowed:
        checks.refuse(parameter, value, f"it is one of {', '.join(allowed)}", "Choose one of them.")
