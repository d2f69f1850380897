"""Checks of values that only cmek.yaml and the command line have: accounts, names, ARNs, tags."""

from __future__ import annotations

import re
from typing import Final

from cmek_construct import checks
from cmek_construct.props import Prop

_TAG: Final = re.compile(r"[\w\s.:/=+@-]*")
"""What IAM takes: letters, digits and spaces of any language, and these signs."""
_MOST_TAGS: Final = 50


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
    if not isinstance(value, str) or not checks.REGION.fullmatch(value):
        checks.refuse(
            parameter, value, "a region looks like us-east-1", "Write the region to deploy to."
        )
    checks.in_pinecone_partition(value)


def stack_name(parameter: str, value: object) -> None:
    """The name of an entry of cmek.yaml, which is the name of its stack."""
    if not isinstance(value, str) or not checks.STACK_NAME.fullmatch(value):
        checks.refuse(
            parameter,
            value,
            "the name of a stack begins with a letter and has up to 128 letters, digits and "
            "hyphens",
            "Rename it before the first deploy; later, a new name is a new stack.",
        )


def tags(parameter: str, value: object) -> None:
    """Names and values, both strings, as IAM and KMS take them both."""
    if not isinstance(value, dict):
        checks.refuse(
            parameter, value, "it is a mapping of names to values", "Write  name: value  lines."
        )
    if len(value) > _MOST_TAGS:
        what = f"a role and a key take {_MOST_TAGS} tags"
        checks.refuse(parameter, len(value), what, "Take some out.")
    names: dict[str, str] = {}
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
        if not _TAG.fullmatch(name) or not _TAG.fullmatch(text):
            checks.refuse(
                tag,
                text,
                "IAM takes letters, digits, spaces and _ . : / = + - @ in a tag",
                "Mend the name or the value.",
            )
        if names.setdefault(name.lower(), name) != name:
            checks.refuse(
                tag,
                text,
                f"IAM takes it for {checks.printable(names[name.lower()])}, which stands there too",
                "Leave out one of the two.",
            )


def acknowledgements(parameter: str, value: object) -> None:
    """Ids of warnings, each with a reason."""
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


OF_A_STACK: Final = (
    Prop(
        "account",
        "12 digits in quotes",
        "The AWS account of the stack.",
        own_account_id,
        default="",
    ),
    Prop("region", "such as us-east-1", "AWS region of role and key's stack.", region, default=""),
    Prop("tags", "names and values", "Tags of the stack, and so of role and key.", tags),
    Prop(
        "acknowledge",
        "ids and reasons",
        "Warnings that are decided: the id of each, and the reason.",
        acknowledgements,
    ),
    Prop(
        "bootstrap",
        "bool",
        "false: deploy to an account without `cdk bootstrap`, with that account's own credentials.",
        checks.flag,
        default="true",
    ),
    Prop(
        "termination_protection",
        "bool",
        "false: `cdk destroy` may delete the stack.",
        checks.flag,
        default="true",
    ),
)
"""What the file says of a stack beside the props of what is in it."""

_PLAIN: Final = {
    "KeyAccess": "KEY_USER or ENCRYPT_DECRYPT",
    "cdk.RemovalPolicy": "RETAIN_ON_UPDATE_OR_DELETE, RETAIN or DESTROY",
    "iam.IManagedPolicy": "ARN of a managed policy",
    "iam.IRole": "ARN of a role",
    "kms.IKey": "ARN of a key",
    "list[iam.IPrincipal]": "list of ARNs of roles and users",
}


def sentence(row: Prop) -> str:
    """What there is to say of a prop in the file, where a CDK object is its ARN, name or number."""
    shape = row.shape or _PLAIN[row.cdk]
    default = f" Default: {row.default}." if row.default else ""
    return f"{row.says} {shape[0].upper()}{shape[1:]}.{default}".replace("`", "")
