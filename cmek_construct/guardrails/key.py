"""The key itself, as steps 2.4 to 2.7 of the guide have it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cmek_construct import limits
from cmek_construct.guardrails.policies import shown
from cmek_construct.guardrails.rule import Finding
from cmek_construct.guardrails.subjects import Key

_NUMBER: Final = re.compile("[0-9]{1,9}")
_KIND: Final = {
    "KeySpec": "SYMMETRIC_DEFAULT",
    "KeyUsage": "ENCRYPT_DECRYPT",
    "Origin": "AWS_KMS",
}


def kind(key: Key) -> Iterator[Finding]:
    """Not symmetric, not for encryption, or with key material from elsewhere."""
    for name, needed in _KIND.items():
        value = key.properties.get(name, needed)
        if value != needed and "${" not in value:
            yield Finding(
                f"{name} is {shown(value)}, and the guide's key has {needed}.",
                "Pinecone could not use the key, or its material could be lost or copied outside "
                "KMS; neither can be changed later.",
            )


def enabled(key: Key) -> Iterator[Finding]:
    """A key that is switched off."""
    fault = _not(key, "Enabled", "true")
    if fault:
        yield Finding(
            fault,
            "Nobody could read what is encrypted, and each deploy would switch the key off again.",
        )


def rotation(key: Key) -> Iterator[Finding]:
    """A key whose material stays the same for good."""
    set_to = {"EnableKeyRotation": "false", **key.properties}["EnableKeyRotation"].lower()
    if not key.is_replica and set_to != "true" and "${" not in set_to:
        yield Finding(
            "EnableKeyRotation is not true.",
            "Who ever gets hold of the key material could read all data, of all years.",
        )


def multi_region(key: Key) -> Iterator[Finding]:
    """A key whose material is, or can be, in several Regions."""
    fault = _not(key, "MultiRegion", "false")
    if fault:
        yield Finding(
            f"{fault[:-1]}, which can never be taken back.",
            "Whoever may replicate the key could put it, with another policy, into other Regions.",
        )
    if key.is_replica:
        yield Finding(
            "It is a replica of a multi-Region key, with a policy of its own.",
            "Whom this policy lets in could read what the key of the other Region encrypts.",
        )


def pending_window(key: Key) -> Iterator[Finding]:
    """The shortest time in which a deletion can still be called off."""
    value = key.properties.get("PendingWindowInDays", "30")
    least, _ = limits.PENDING_WINDOW_DAYS
    if "${" not in value and not (_NUMBER.fullmatch(value) and int(value) > least):
        yield Finding(
            f"PendingWindowInDays is {shown(value)}, and the least that KMS takes is {least}.",
            f"Who orders the deletion of the key could have all data lost after {least} days, a "
            "holiday.",
        )


def lockout_check(key: Key) -> Iterator[Finding]:
    """KMS's own check that somebody can still manage the key is switched off."""
    fault = _not(key, "BypassPolicyLockoutSafetyCheck", "false")
    if fault:
        yield Finding(
            fault,
            "A key policy that locks everybody out for good would be accepted.",
        )


def _not(key: Key, name: str, wanted: str) -> str | None:
    """What a Boolean is, if it is neither this nor left to another rule, as what is not read is."""
    value = key.properties.get(name, wanted)
    if value.lower() == wanted or "${" in value:
        return None
    return f"{name} is {shown(value.lower())}."
