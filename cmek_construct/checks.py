"""One plain value: within the limits of AWS and of the guide, or one clear `ValueError`.

Pure Python. A message names the parameter, the value, what is allowed and the way out. A CDK token stands for a value
that only the deploy knows, and passes unchecked.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn

from cmek_construct.guide import ALL_REGIONS, ROLE_NAME_PREFIX
from cmek_construct.rows import rows

Check = Callable[[str, Any], None]  # of a parameter's name and its value

# AWS's numbers, each from the page of the service's quotas or API reference

TRUST_POLICY_QUOTA: Final = 2_048  # characters of a role's trust policy, by default: it can be raised
TRUST_POLICY_LIMIT: Final = 8_192  # characters of a role's trust policy that no raised quota goes over
KEY_POLICY: Final = 32_768  # bytes of a KMS key policy
PENDING_WINDOW_DAYS: Final = (7, 30)  # between the order to delete a KMS key and its deletion
ALIAS_CHARACTERS: Final = 256  # of a KMS alias, with its alias/
TAGS: Final = 50  # of a role or a key
TEMPLATE: Final = 1_048_576  # bytes of a template that CloudFormation reads from S3, where CDK uploads it

ACCOUNT_ID: Final = re.compile(r"[0-9]{12}")
REGION: Final = re.compile(r"[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2}")
STACK_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
EXTERNAL_ID: Final = re.compile(r"[A-Za-z0-9_+=,.@:/-]{2,1224}")
UUID_V4: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
_NAMED: Final = r"([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,64}"
ROLE_ARN: Final = re.compile(rf"arn:aws:iam::[0-9]{{12}}:role/{_NAMED}")
PRINCIPAL_ARN: Final = re.compile(rf"arn:aws:iam::[0-9]{{12}}:(root|(user|role)/{_NAMED})")
POLICY_ARN: Final = re.compile(r"arn:aws:iam::([0-9]{12}|aws):policy/[\x21-\x7e]{1,639}")
KEY_ARN: Final = re.compile(r"arn:aws:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]{1,64}")
EXAMPLE: Final = "arn:aws:iam::111122223333:"
_TAG: Final = re.compile(r"(?:[\w.:/=+@-]|[^\S\t-\r\x1c-\x1f\x85])*")  # letters, digits, spaces of any language
_TOKEN: Final = re.compile(r"[$#]\{Token\[[A-Za-z0-9:._-]*\]\}")


def is_token(value: object) -> bool:
    """Whether a string stands for a value that only CloudFormation knows."""
    # Looked for in the text: `Token.is_unresolved` would ask the jsii kernel each time.
    return isinstance(value, str) and _TOKEN.search(value) is not None


def is_unknown(value: object) -> bool:
    """Whether a string is no value yet: a token, or what CDK's lookups give until the CLI has looked."""
    return is_token(value) or (isinstance(value, str) and ("dummy-value-for-" in value or ":role/DUMMY_ARN" in value))


def shown(value: object) -> str:
    """A value for a message, in which nothing prints a construct or a token."""
    if is_token(value) or (isinstance(value, float) and value < -1e280):  # so CDK writes the token of a number
        return "a token"
    if isinstance(value, str) and len(value) > 80:
        return f"{value[:60]!r}… ({len(value):,} characters)"
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    if isinstance(value, list | tuple) and not value:
        return "an empty list"
    return f"the class {value.__name__}" if isinstance(value, type) else f"a {type(value).__name__}"


def printable(name: object) -> str:
    """A name out of a file as it can be shown: no control character reaches a terminal."""
    return str(name) if str(name).isprintable() else ascii(str(name))


def few(names: Sequence[str], most: int = 10) -> str:
    """The first of some names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return printable(", ".join(names[:most])) + more


def nearest(name: str, names: Sequence[str], lacking: Sequence[str] = ()) -> str:
    """Which of some names was meant, by a slip, else one that is still lacking before any other; or all there are."""
    from difflib import get_close_matches  # for a mistake alone

    tries = ((names, 0.85), (lacking, 0.5), (names, 0.6))
    close = next(filter(None, (get_close_matches(name, some, 1, cutoff) for some, cutoff in tries)), None)
    return f"Is it {close[0]}?" if close else f"There are {', '.join(names)}."


def refuse(parameter: str, value: object, allowed: str, way_out: str) -> NoReturn:
    """Raise the one kind of error that this library gives for wrong input."""
    raise ValueError(f"{parameter}: got {shown(value)}, but {allowed}. {way_out}")


def refusal(about: str, row: str, /, **facts: object) -> ValueError:
    """What may not be said together, or where it is said: a row of `refusals.ini`, filled in."""
    return ValueError(rows(Path(__file__).with_name("refusals.ini"))[about][row].format(**facts))


def first(problems: Iterable[ValueError]) -> None:
    """Raise the first problem that there is."""
    for problem in problems:
        raise problem


def characters(policy: dict[str, Any]) -> int:
    """The characters of a policy that AWS counts: white space is not."""
    return len(json.dumps(policy, separators=(",", ":")))


def within(holds: Callable[[Any], object], allowed: str, way_out: str) -> Check:
    """A check of a value of which something holds."""
    return lambda parameter, value: None if holds(value) else refuse(parameter, value, allowed, way_out)


def whole(bounds: range, allowed: str, way_out: str) -> Check:
    """A check of a whole number within bounds."""
    return within(lambda it: type(it) is int and it in bounds, allowed, way_out)


def matching(form: str | re.Pattern[str], allowed: str, way_out: str) -> Check:
    """A check of a text that has a form from its beginning to its end."""
    return within(lambda it: is_unknown(it) or (isinstance(it, str) and re.fullmatch(form, it)), allowed, way_out)


def known(
    parameter: str, value: Any, check: Check, why: str, way_out: str, unknown: Callable[[object], bool] = is_unknown
) -> None:
    """A value that must be known at synth, or a list of such, which passes a check."""
    for one in value if isinstance(value, list | tuple) else [value]:
        if unknown(one):
            refuse(parameter, one, why, way_out)
    check(parameter, value)


def one_of(*allowed: str, enum: str = "") -> Check:
    """A check of one of a few words, in Python the members of an enum."""
    way_out = f"Choose one of them, in Python like {enum}.{allowed[0]}." if enum else "Choose one."
    return within(lambda value: value in allowed, f"it is one of {', '.join(allowed)}", way_out)


flag: Final = within(lambda it: isinstance(it, bool), "it is True or False", "Write one of the two, or leave it out.")


def account_id(parameter: str, value: object, way_out: str) -> None:
    """12 digits, as a string: a number has lost its leading zeros."""
    if isinstance(value, int) and not isinstance(value, bool):
        way_out = "A number loses leading zeros: put the digits into quotes."
    matching(ACCOUNT_ID, "an AWS account ID is a string of 12 digits", way_out)(parameter, value)


pinecone_account_id: Final = partial(  # shown in Pinecone's console only, so there is no default
    account_id, way_out="Copy Pinecone's account number from the Pinecone console, Manage > CMEK > Add CMEK."
)


def arn(
    parameter: str, value: object, form: re.Pattern[str], example: str, way_out: str = "Copy it from the AWS console."
) -> None:
    """An ARN of one kind, in the partition ``aws``."""
    text = value
    if is_token(value) and str(value).startswith("arn:"):  # as by `Role.from_role_name`: what is between tokens counts
        partition, rest = _TOKEN.sub("0" * 12, str(value)).removeprefix("arn:").split(":", 1)
        text = f"arn:{partition if partition.startswith('aws') else 'aws'}:{rest}"
    if not is_unknown(text) and (not isinstance(text, str) or not form.fullmatch(text)):
        what = f"it is an ARN like {example}, in the partition `aws`, where Pinecone's roles are"
        refuse(parameter, value, what, way_out)


def role_arn(parameter: str, value: object) -> None:
    """The ARN of a role, not of a session, nor of an account; and none of Pinecone's own."""
    way_out = "Copy it from the IAM console; a session, a user, a root or a wildcard is none."
    arn(parameter, value, ROLE_ARN, f"{EXAMPLE}role/name", way_out)
    if f":role/{ROLE_NAME_PREFIX}" in str(value):
        way_out = "Give the role that Pinecone's role assumes: the Role ARN of Pinecone's dialog."
        refuse(parameter, value, "that is a role of Pinecone's own, in its account", way_out)


def key_arn(parameter: str, value: object) -> None:
    """The ARN of a key, not of an alias."""
    example = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    way_out = (
        "Copy it from the KMS console; a key ID or a wildcard is none, nor is an alias: Pinecone would store the "
        "alias's ARN for good, and it can be moved to another key."
    )
    arn(parameter, value, KEY_ARN, example, way_out)


def listed(
    parameter: str, value: object, check: Check, what: str, way_out: str, each: str = "each", least: int = 1
) -> None:
    """A list whose members pass a check, each once."""
    if not isinstance(value, list | tuple) or len(value) < least:
        refuse(parameter, value, what, way_out)
    for index, member in enumerate(value):
        check(f"{parameter}[{index}]", member)
        if member in value[:index]:
            refuse(f"{parameter}[{index}]", member, f"{each} stands once", "Remove the second.")


def regions(parameter: str, value: object) -> None:
    """`ALL_REGIONS`, or a list of names of AWS regions, each once."""
    if isinstance(value, list) and any(is_token(one) and one.startswith("#") for one in value):
        what = "the members of a list token are not known at synth, and each becomes a principal"
        refuse(parameter, value, what, "Write the regions out, or take them from a list that Python knows.")
    if value is not ALL_REGIONS:
        way_out = (
            'Write a list such as ["us-east-1", "eu-west-1"], or ALL_REGIONS; in Python without quotes, from '
            "cmek_construct."
        )
        what = "regions are a list of AWS region names, or in its place ALL_REGIONS"
        region = matching(REGION, "a region looks like us-east-1", way_out)
        listed(parameter, value, region, what, way_out, "each region")


def tags(parameter: str, value: Iterable[tuple[Any, Any]]) -> None:
    """Names and values of tags as IAM takes them, which is what KMS takes too."""
    # Source: IAM User Guide, "Tagging for IAM resources", and IAM API reference, "Tag".
    names: dict[str, str] = {}
    for name, text in value:
        tag = f"{parameter}.{printable(name)}"
        if not isinstance(name, str) or not isinstance(text, str):
            refuse(tag, text, "a tag and its value are strings", "Put it in quotes.")
        if not 1 <= len(name) <= 128 or len(text) > 256 or name.lower().startswith("aws:"):
            what = "a name has 1 to 128 characters and does not begin with aws:, a value up to 256"
            refuse(tag, text, what, "Shorten or rename it.")
        if not _TAG.fullmatch(name) or not _TAG.fullmatch(text):
            what = "IAM takes letters, digits, spaces and _ . : / = + - @ in a tag"
            refuse(tag, text, what, "Mend the name or the value.")
        if name.lower() in names:
            what = f"IAM takes it for {printable(names[name.lower()])}, which stands there too"
            refuse(tag, text, what, "Leave out one of the two.")
        names[name.lower()] = name
    if len(names) > TAGS:
        refuse(parameter, len(names), f"a role and a key take {TAGS} tags", "Take some out.")


def in_pinecone_partition(region: str) -> None:
    """Pinecone is in the partition ``aws``."""
    if region.startswith(("cn-", "us-gov-", "eusc-", "us-iso", "eu-iso")):
        raise refusal("trust", "partition", region=region)
