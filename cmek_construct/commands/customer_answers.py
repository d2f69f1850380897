"""What is known of a customer's key: from KMS, or from the two files that the customer sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cmek_construct.aws.reading import read_key_policy_document
from cmek_construct.aws.session import Asking, AwsError, called
from cmek_construct.checks import printable
from cmek_construct.commands.errors import in_words
from cmek_construct.health.customer_key import ANY_KEY_ARN, CustomerKeySeen
from cmek_construct.health.findings import Refused

DESCRIBE_KEY = "aws kms describe-key --key-id KEY_ARN --output json"
GET_KEY_POLICY = "aws kms get-key-policy --key-id KEY_ARN --policy-name default --output json"
WHO_CAN_SEE = (
    "The vendor's own people cannot see the key: this runs with the customer's credentials, or on "
    "the two files that the customer sends."
)


def from_files(describe_key: Path, key_policy: Path) -> CustomerKeySeen:
    """A key by the outputs of two commands of the AWS CLI.

    Args:
        describe_key: the JSON of ``aws kms describe-key``.
        key_policy: the JSON of ``aws kms get-key-policy``. A policy alone is refused: it may be the
            kit's own file, which KMS has never seen.

    Raises:
        Refused: a file is missing, or is no such output.
    """
    described = _json(describe_key, DESCRIBE_KEY)
    answer = _json(key_policy, GET_KEY_POLICY)
    if "Statement" in answer:
        raise Refused(
            f"{printable(key_policy)}: it is a policy by itself, as the kit's own key-policy.json "
            f"is, and does not show what KMS has. Give what `{GET_KEY_POLICY}` prints."
        )
    said = answer.get("Policy")
    policy = _parsed(said, key_policy, GET_KEY_POLICY) if isinstance(said, str) else {}
    if "Statement" not in policy:
        raise Refused(
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
        Refused: AWS refused, or cannot be asked; or it is no key.
    """
    try:
        session = Asking("customer-kit", profile).signed_in(key_arn.split(":")[3])
        with called():
            metadata = session.client("kms").describe_key(KeyId=key_arn)["KeyMetadata"]
        policy = read_key_policy_document(session, metadata["Arn"])
    except AwsError as error:
        if error.code == "NotFoundException":
            raise Refused(f"{error}. Compare the ARN with the customer's KMS console.") from None
        raise Refused(f"{in_words(error, 'customer-kit check')} {WHO_CAN_SEE}") from None
    return _seen("KMS", metadata, policy, key_arn)


def _seen(source: str, metadata: Any, policy: Mapping[str, Any], place: object) -> CustomerKeySeen:
    arn = metadata.get("Arn") if isinstance(metadata, dict) else None
    form = ANY_KEY_ARN.fullmatch(arn) if isinstance(arn, str) else None
    if form is None or not form["key"]:
        raise Refused(
            f"{printable(place)}: it holds no KeyMetadata with the ARN of a key. "
            f"`{DESCRIBE_KEY}` prints it."
        )
    return CustomerKeySeen(source, form[0], metadata, policy)


def _json(path: Path, command: str) -> dict[str, Any]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Refused(f"{printable(path)}: cannot be read: {error.strerror}.") from None
    return _parsed(content, path, command)


def _parsed(content: str | bytes, place: object, command: str) -> dict[str, Any]:
    """A JSON object; PowerShell writes files in UTF-16, which `json` knows by its first bytes."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Refused(
            f"{printable(place)}: cannot be read as JSON: {error}. `{command}` prints it."
        ) from None
    if not isinstance(found, dict):
        raise Refused(f"{printable(place)}: is no JSON object. `{command}` prints it.")
    return found
