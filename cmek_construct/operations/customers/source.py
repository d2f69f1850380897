"""What is known of a customer's key: from KMS, or from the two files that the customer sent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cmek_construct.checks import printable

ANY_KEY_ARN: Final = re.compile(
    r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:"
    r"((?P<key>key)/[A-Za-z0-9-]{1,64}|alias/[A-Za-z0-9/_-]{1,250})"
)
"""The ARN of a key or of an alias, in any partition."""
DESCRIBE_KEY = "aws kms describe-key --key-id KEY_ARN --output json"
GET_KEY_POLICY = "aws kms get-key-policy --key-id KEY_ARN --policy-name default --output json"
WHO_CAN_SEE = (
    "The vendor's own people cannot see the key: this runs with the customer's credentials, or on "
    "the two files that the customer sends."
)


class UnreadableError(Exception):
    """Nothing can be said of the key. The message says why, and the way out."""


@dataclass(frozen=True)
class CustomerKeySeen:
    """A key as KMS shows it."""

    source: str
    """Where this was read, in words."""
    arn: str
    metadata: Mapping[str, Any]
    """KMS's ``KeyMetadata``."""
    policy: Mapping[str, Any]

    @property
    def account(self) -> str:
        """The account that owns the key."""
        return self.arn.split(":")[4]


def from_files(describe_key: Path, key_policy: Path) -> CustomerKeySeen:
    """A key by the outputs of two commands of the AWS CLI.

    Args:
        describe_key: the JSON of ``aws kms describe-key``.
        key_policy: the JSON of ``aws kms get-key-policy``. A policy alone is refused: it may be the
            kit's own file, which KMS has never seen.

    Raises:
        UnreadableError: a file is missing, or is no such output.
    """
    described = _json(describe_key, DESCRIBE_KEY)
    answer = _json(key_policy, GET_KEY_POLICY)
    if "Statement" in answer:
        raise UnreadableError(
            f"{printable(key_policy)}: it is a policy by itself, as the kit's own key-policy.json "
            f"is, and does not show what KMS has. Give what `{GET_KEY_POLICY}` prints."
        )
    said = answer.get("Policy")
    policy = _parsed(said, key_policy, GET_KEY_POLICY) if isinstance(said, str) else {}
    if "Statement" not in policy:
        raise UnreadableError(
            f"{printable(key_policy)}: it holds no key policy. `{GET_KEY_POLICY}` prints one."
        )
    files = f"{printable(describe_key)} and {printable(key_policy)}"
    return _seen(files, described.get("KeyMetadata"), policy, describe_key)


def from_kms(key_arn: str, profile: str | None = None) -> CustomerKeySeen:
    """A key as KMS shows it to these credentials.

    Args:
        key_arn: its ARN, or that of one of its aliases.
        profile: the AWS profile to ask with.

    Raises:
        UnreadableError: AWS refused, or cannot be asked.
    """
    # Imported where it is needed: it takes longer than all else that `cmek` does.
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    region = key_arn.split(":")[3]
    try:
        kms = boto3.Session(profile_name=profile, region_name=region).client("kms")
        metadata = kms.describe_key(KeyId=key_arn)["KeyMetadata"]
        policy = kms.get_key_policy(KeyId=metadata["Arn"], PolicyName="default")["Policy"]
    except ClientError as error:
        cure = {
            "AccessDeniedException": WHO_CAN_SEE,
            "NotFoundException": "Compare the ARN with the customer's KMS console.",
        }.get(error.response["Error"]["Code"], "Sign in again, or choose another --profile.")
        raise UnreadableError(f"AWS refused: {printable(error).rstrip('.')}. {cure}") from None
    except BotoCoreError as error:
        raise UnreadableError(
            f"AWS could not be asked: {error}. Sign in (`aws sso login`), choose another "
            f"--profile, or give --describe-key and --key-policy. {WHO_CAN_SEE}"
        ) from None
    return _seen("KMS", metadata, _parsed(policy, "KMS", GET_KEY_POLICY), key_arn)


def _seen(source: str, metadata: Any, policy: Mapping[str, Any], place: object) -> CustomerKeySeen:
    arn = metadata.get("Arn") if isinstance(metadata, dict) else None
    form = ANY_KEY_ARN.fullmatch(arn) if isinstance(arn, str) else None
    if form is None or not form["key"]:
        raise UnreadableError(
            f"{printable(place)}: it holds no KeyMetadata with the ARN of a key. "
            f"`{DESCRIBE_KEY}` prints it."
        )
    return CustomerKeySeen(source, form[0], metadata, policy)


def _json(path: Path, command: str) -> dict[str, Any]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableError(f"{printable(path)}: cannot be read: {error.strerror}.") from None
    return _parsed(content, path, command)


def _parsed(content: str | bytes, place: object, command: str) -> dict[str, Any]:
    """A JSON object; PowerShell writes files in UTF-16, which `json` knows by its first bytes."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(
            f"{printable(place)}: cannot be read as JSON: {error}. `{command}` prints it."
        ) from None
    if not isinstance(found, dict):
        raise UnreadableError(f"{printable(place)}: is no JSON object. `{command}` prints it.")
    return found
