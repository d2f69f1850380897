"""Whether a customer's key serves a vendor's role: all that is right and wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from cmek_construct.checks import printable
from cmek_construct.deployment.reading import Entry
from cmek_construct.guide import ENCRYPT_DECRYPT, KeyAccess
from cmek_construct.health.customer_policy import ANY_KEY_ARN, CustomerKeySeen, about_policy
from cmek_construct.health.findings import Effect, Finding, Verdict, judged

_ANOTHER_KEY: Final = "That cannot be changed: make another key with the kit's template."
_WANTED: Final = (
    ("KeySpec", "SYMMETRIC_DEFAULT", "symmetric"),
    ("KeyUsage", "ENCRYPT_DECRYPT", "for encryption and decryption"),
    ("KeyManager", "CUSTOMER", "managed by the customer"),
    ("Origin", "AWS_KMS", "made of key material of KMS"),
)
_STATES: Final = {
    "Disabled": "Enable it: `aws kms enable-key --key-id {arn}`.",
    "PendingDeletion": "Stop that at once, or the data is lost: `aws kms cancel-key-deletion "
    "--key-id {arn}`, then `aws kms enable-key --key-id {arn}`.",
}


def findings(
    seen: CustomerKeySeen,
    role_arn: str,
    key_access: KeyAccess,
    *,
    given_arn: str | None = None,
    vendor: Entry | None = None,
) -> list[Finding]:
    """All that is right and wrong with a customer's key.

    Args:
        seen: the key.
        role_arn: of the vendor's role.
        key_access: what the role must be able to do.
        given_arn: the ARN that the customer gave back, which Pinecone will store.
        vendor: the vendor's stack in cmek.yaml.
    """
    return [
        *_about_arn(seen, role_arn, given_arn),
        *_about_key(seen),
        *about_policy(seen, role_arn, key_access),
        _about_vendor(seen, role_arn, vendor),
    ]


def _about_arn(seen: CustomerKeySeen, role_arn: str, given: str | None) -> Iterator[Finding]:
    arn = given or seen.arn
    form = ANY_KEY_ARN.fullmatch(arn)
    is_key = bool(form and form["key"])
    yield judged(
        "key-arn",
        is_key,
        (f"{arn} is the ARN of a key", f"{arn} is the ARN of an alias, which Pinecone would store"),
        f"Use the key's own ARN, {seen.arn}.",
    )
    if is_key and arn != seen.arn:
        yield Finding(
            "same-key",
            Verdict.WRONG,
            f"{arn} was given, but {seen.source} shows another key, {seen.arn}",
            "Ask the customer for the ARN and both files of one key.",
        )
    yield judged(
        "partition",
        seen.arn.startswith("arn:aws:"),
        ("it is in AWS's partition aws, as Pinecone is", "it is not in AWS's partition aws"),
        "Make a key in a commercial region: no policy reaches across partitions.",
    )
    if seen.account == role_arn.split(":")[4]:
        yield Finding(
            "two-accounts",
            Verdict.WRONG,
            f"key and role are both in account {seen.account}, so this is no customer's key",
            "Compare --role-arn with the vendor's role. For one's own key use PineconeCmek.",
        )


def _about_key(seen: CustomerKeySeen) -> Iterator[Finding]:
    data = seen.metadata
    for name, wanted, words in _WANTED:
        value = data.get(name, data.get("CustomerMasterKeySpec") if name == "KeySpec" else None)
        yield _value(name, value, wanted, words, _ANOTHER_KEY)
    state = data.get("KeyState")
    cure = _STATES.get(state, "Find out why in the KMS console.") if isinstance(state, str) else ""
    effect = Effect.KEY_ENDS if state == "PendingDeletion" else Effect.PINECONE_LOCKED_OUT
    found = _value("KeyState", state, "Enabled", "enabled", cure.format(arn=seen.arn))
    yield replace(found, effect=effect) if found.verdict is Verdict.WRONG else found
    if data.get("MultiRegion"):
        yield Finding(
            "MultiRegion",
            Verdict.SAID,
            "it is a multi-Region key, which works; Pinecone uses the one ARN that it is given",
        )


def _value(name: str, value: object, wanted: str, what: str, cure: str) -> Finding:
    if not isinstance(value, str):
        return Finding(
            name,
            Verdict.UNKNOWN,
            f"whether the key is {what}: there is no {name}",
            "Give the whole output of a current `aws kms describe-key`.",
        )
    shown = f"({name} {printable(value)})"
    words = (f"the key is {what} {shown}", f"the key is not {what} {shown}")
    return judged(name, value == wanted, words, cure)


def _about_vendor(seen: CustomerKeySeen, role_arn: str, vendor: Entry | None) -> Finding:
    """The other half: across accounts, AWS wants both sides to allow."""
    both = " and ".join(ENCRYPT_DECRYPT)
    if vendor is None:
        return Finding(
            "vendor",
            Verdict.UNKNOWN,
            f"not visible from here: the vendor's role must allow {both} on this key "
            "(customer_account_ids)",
            "The vendor sees it with --vendor.",
            elsewhere=True,
        )
    own, name = vendor.settings, vendor.name
    role_account = role_arn.split(":")[4]
    if own.account != role_account:
        words = f"{name} is in account {own.account}, but the role in account {role_account}"
        return Finding("vendor", Verdict.WRONG, words, "Compare --role-arn and --vendor.")
    if own.role_name and own.role_name != role_arn.rpartition("/")[2]:
        words = f"the role of {name} is named {own.role_name}, but another role was given"
        return Finding("vendor", Verdict.WRONG, words, "Compare --role-arn and --vendor.")
    if own.suspended:
        words = f"{name} is suspended in cmek.yaml: nobody can assume the role"
        return Finding("vendor", Verdict.WRONG, words, "Deploy it with suspended: false.")
    return judged(
        "vendor",
        own.customers is not None and own.customers.cover(seen.arn),
        (
            f"{name} lets the role do {both} on this key, by cmek.yaml",
            f"{name} does not let the role use this key: cmek.yaml has neither its account nor "
            "the key",
        ),
        f'Add "{seen.account}" to customer_account_ids of {name}, and deploy.',
    )
