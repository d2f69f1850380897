"""The limits of AWS and of the guide: input is right, or there is one clear `ValueError`.

Pure Python over plain values. A message names the parameter, the value, what is allowed and
the way out. A CDK token stands for a value that only the deploy knows, and passes unchecked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn

from cmek_construct.guide import ALL_REGIONS

ACCOUNT_ID: Final = re.compile(r"[0-9]{12}")
REGION: Final = re.compile(r"[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2}")
EXTERNAL_ID: Final = re.compile(r"[A-Za-z0-9_+=,.@:/-]{2,1224}")
UUID_V4: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE
)
ROLE_NAME: Final = re.compile(r"[A-Za-z0-9_+=,.@-]{1,64}")
ROLE_ARN: Final = re.compile(
    r"arn:aws:iam::[0-9]{12}:role/([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,64}"
)
KEY_ARN: Final = re.compile(r"arn:aws:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]{1,64}")
ROLE_PATH: Final = re.compile(r"/|/[\x21-\x7e]{1,510}/")
ALIAS: Final = re.compile(r"[A-Za-z0-9/_-]{1,250}")
ROLE_PROPS: Final = ("role_name", "role_path", "permissions_boundary")
"""Props of `PineconeCmek` that only shape a role that is made here."""
KEY_PROPS: Final = (
    "key_admins",
    "alias",
    "description",
    "enable_key_rotation",
    "rotation_period",
    "multi_region",
    "pending_window",
)
"""Props of `PineconeCmek` that only shape a key that is made here."""
_TOKEN: Final = re.compile(r"[$#]\{Token\[[A-Za-z0-9:._-]*\]\}")
_NUMBER_TOKENS: Final = -1e280
"""CDK writes a number token as a float below this one."""
OTHER_PARTITIONS: Final = ("cn-", "us-gov-", "eusc-", "us-iso", "eu-iso")


def is_token(value: object) -> bool:
    """Whether a string stands for a value that only CloudFormation knows.

    Looked for in the text: `Token.is_unresolved` would ask the jsii kernel each time.
    """
    return isinstance(value, str) and _TOKEN.search(value) is not None


def _shown(value: object) -> str:
    if isinstance(value, float) and value < _NUMBER_TOKENS:
        return "a token"
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, str):
        if is_token(value):
            return "a token"
        return repr(value) if len(value) <= 80 else f"{value[:60]!r}… ({len(value):,} characters)"
    if isinstance(value, list | tuple) and not value:
        return "an empty list"
    return f"the class {value.__name__}" if isinstance(value, type) else f"a {type(value).__name__}"


def printable(name: object) -> str:
    """A name out of a file as it can be shown: no control character reaches a terminal."""
    return str(name) if str(name).isprintable() else ascii(name)


def refuse(parameter: str, value: object, allowed: str, way_out: str) -> NoReturn:
    """Raise the one kind of error that this library gives for wrong input."""
    raise ValueError(f"{parameter}: got {_shown(value)}, but {allowed}. {way_out}")


def account_id(parameter: str, value: object, way_out: str) -> None:
    """12 digits, as a string: a number has lost its leading zeros."""
    if is_token(value):
        return
    allowed = "an AWS account ID is a string of 12 digits"
    if isinstance(value, int) and not isinstance(value, bool):
        refuse(
            parameter, value, allowed, "A number loses leading zeros: put the digits into quotes."
        )
    if not isinstance(value, str) or not ACCOUNT_ID.fullmatch(value):
        refuse(parameter, value, allowed, way_out)


def pinecone_account_id(parameter: str, value: object) -> None:
    """Pinecone's account: shown in Pinecone's console only, so there is no default."""
    account_id(
        parameter,
        value,
        "Copy Pinecone's account number from the Pinecone console, Manage > CMEK > Add CMEK.",
    )


def arn(
    parameter: str,
    value: object,
    form: re.Pattern[str],
    example: str,
    way_out: str = "Copy it from the AWS console.",
) -> None:
    """An ARN of one kind, in the partition ``aws``."""
    if not is_token(value) and (not isinstance(value, str) or not form.fullmatch(value)):
        refuse(parameter, value, f"it is an ARN like {example}", way_out)


def role_arn(parameter: str, value: object) -> None:
    """The ARN of a role, not of a session, nor of an account."""
    arn(
        parameter,
        value,
        ROLE_ARN,
        "arn:aws:iam::111122223333:role/name",
        "Copy it from the IAM console; a session, a user, an account's root or a wildcard is none.",
    )


def key_arn(parameter: str, value: object) -> None:
    """The ARN of a key, not of an alias."""
    arn(
        parameter,
        value,
        KEY_ARN,
        "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "Copy it from the KMS console; an alias, a key ID alone or a wildcard is none.",
    )


def regions(parameter: str, value: object) -> None:
    """`ALL_REGIONS`, or a list of names of AWS regions, each once."""
    if value is ALL_REGIONS:
        return
    allowed = "regions are a list of AWS region names, or in its place ALL_REGIONS"
    way_out = (
        'Write a list such as ["us-east-1", "eu-west-1"], or ALL_REGIONS; in Python without '
        "quotes, from cmek_construct."
    )
    if not isinstance(value, list | tuple) or not value:
        refuse(parameter, value, allowed, way_out)
    for index, region in enumerate(value):
        if is_token(region) and region.startswith("#"):
            refuse(
                parameter,
                value,
                "the members of a list token are not known at synth, and each becomes a principal",
                "Write the regions out, or take them from a list that Python knows.",
            )
        if is_token(region):
            continue
        if not isinstance(region, str) or not REGION.fullmatch(region):
            refuse(f"{parameter}[{index}]", region, "a region looks like us-east-1", way_out)
        if region in value[:index]:
            refuse(f"{parameter}[{index}]", region, "each region stands once", "Remove the second.")


def external_id(parameter: str, value: object) -> None:
    """2 to 1,224 characters of those that STS allows; `None` is for explicit regions."""
    if value is None or is_token(value):
        return
    if not isinstance(value, str) or not EXTERNAL_ID.fullmatch(value):
        refuse(
            parameter,
            value,
            "an external ID is a string of 2 to 1,224 characters out of A-Z a-z 0-9 _ + = , . @ "
            ": / -",
            "Make a UUID v4 once (`cmek init` does, or `uuidgen`) and keep it.",
        )


def role_name(parameter: str, value: object) -> None:
    """1 to 64 characters of those that IAM allows."""
    if value is None or is_token(value):
        return
    if not isinstance(value, str) or not ROLE_NAME.fullmatch(value):
        refuse(
            parameter,
            value,
            "a role name has 1 to 64 characters out of A-Z a-z 0-9 _ + = , . @ -",
            "Shorten or mend it, or leave it out: CloudFormation then makes a unique name.",
        )


def role_path(parameter: str, value: object) -> None:
    """``/``, or text between two slashes, 512 characters at most."""
    if value is None or is_token(value):
        return
    if not isinstance(value, str) or not ROLE_PATH.fullmatch(value):
        refuse(
            parameter,
            value,
            "a path begins and ends with a slash, without spaces, in 512 characters at most",
            "Write it like /security/pinecone/, or leave it out: the path is then /.",
        )


def alias(parameter: str, value: object) -> None:
    """An alias with or without ``alias/`` before it, 256 characters with it, none of AWS's."""
    if value is None or is_token(value):
        return
    name = value.removeprefix("alias/") if isinstance(value, str) else ""
    if not ALIAS.fullmatch(name) or name.startswith("aws/"):
        refuse(
            parameter,
            value,
            "an alias has up to 256 characters with its alias/, out of A-Z a-z 0-9 / _ -, and "
            "alias/aws/ belongs to AWS",
            "Write it like alias/pinecone, or leave it out: the default is unique.",
        )


def text(parameter: str, value: object, longest: int) -> None:
    """A description."""
    if value is None or is_token(value):
        return
    if not isinstance(value, str) or len(value) > longest:
        refuse(
            parameter,
            value,
            f"it is a string of up to {longest:,} characters",
            "Shorten it, or leave it out.",
        )


def flag(parameter: str, value: object) -> None:
    """True, False, or left out."""
    if value is not None and not isinstance(value, bool):
        refuse(parameter, value, "it is True or False", "Write one of the two, or leave it out.")


def days(parameter: str, value: object, bounds: tuple[int, int]) -> None:
    """Whole days within bounds."""
    if value is None:
        return
    least, most = bounds
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        refuse(
            parameter,
            value,
            f"AWS KMS takes {least} to {most:,} whole days",
            f"Give a number of days in these bounds, or leave {parameter} out.",
        )


def rotation(enable_key_rotation: object, rotation_period: object) -> Iterator[ValueError]:
    """A period of a rotation that is off."""
    if enable_key_rotation is False and rotation_period is not None:
        yield ValueError(
            "rotation_period: got a period with enable_key_rotation=False, but a key that does "
            "not rotate has none. Leave out one of the two."
        )


def given(props: Mapping[str, Any]) -> Iterator[ValueError]:
    """Props of `PineconeCmek` that shape a new role or key, beside one that is given."""
    role, key = props["role"] is not None, props["key"] is not None
    for is_given, what, shaping in (
        (role, "role", ROLE_PROPS),
        (key, "key", KEY_PROPS),
        (role and key, "role and key", ("removal_policy",)),
    ):
        for name in shaping if is_given else ():
            if props[name] is not None:
                yield ValueError(
                    f"{name}: got {_shown(props[name])} together with {what}=, but {name} only "
                    f"shapes a {what} that is made here. Leave out {name} and set it where your "
                    f"{what} is made, or leave out {what}."
                )


def in_pinecone_partition(region: str) -> None:
    """Pinecone is in the partition ``aws``."""
    if region.startswith(OTHER_PARTITIONS):
        raise ValueError(
            f"region: got {region!r}, but Pinecone's roles are in the AWS partition `aws`, and "
            "no trust policy reaches across partitions. Deploy the role and the key to a "
            "commercial region, such as us-east-1."
        )


def partition(parameter: str, arn: str) -> None:
    """A given role or key is in Pinecone's partition, where its ARN is known."""
    if not is_token(arn) and not arn.startswith("arn:aws:"):
        refuse(
            parameter,
            arn,
            "Pinecone's roles are in the AWS partition `aws`, and no policy reaches across "
            "partitions",
            "Give one of a commercial region.",
        )


def first(*problems: Iterator[ValueError]) -> None:
    """Raise the first problem that there is."""
    for several in problems:
        for problem in several:
            raise problem
