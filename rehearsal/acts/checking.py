"""`cmek customer-kit check`: on the customer's side, and on the two files that are sent back."""

from __future__ import annotations

import json

from rehearsal.acts.sides import take_vendor_out
from rehearsal.acts.vendor import KIT
from rehearsal.aws import Credentials
from rehearsal.customers import BY_KIT, CUSTOMERS, VENDOR
from rehearsal.world import World

_DESCRIBE_KEY = "describe-key.json"
_KEY_POLICY = "get-key-policy.json"
_RIGHT = "exit code 0, 0 wrong"
_WRONG = "exit code 1, 2 wrong"
"""One each for Encrypt and Decrypt."""


def play(world: World) -> None:
    """Check a key that is right, and one whose policy does not have the vendor's role."""
    customer, vendor = world.administrator(BY_KIT), world.administrator(VENDOR)
    key = ("--key-arn", world.first[BY_KIT].key_arn)
    files = ("--describe-key", _DESCRIBE_KEY, "--key-policy", _KEY_POLICY, "--vendor", VENDOR.name)
    world.report.heading(f"`cmek {KIT} check` of the key of {CUSTOMERS[BY_KIT]}")
    _send_files_back(world)
    _check(world, "by the customer, who asks KMS", _RIGHT, customer, *key)
    _check(world, "by the vendor, on the files sent back", _RIGHT, vendor, *files)
    _check(world, "by the vendor, who asks KMS", "AWS refused", vendor, *key)
    policy = take_vendor_out(world, BY_KIT)
    _send_files_back(world)
    world.report.heading("The same, of its key policy without the vendor's role")
    _check(world, "by the customer, who asks KMS", _WRONG, customer, *key)
    _check(world, "by the vendor, on the files sent back", _WRONG, vendor, *files)
    world.put_key_policy(BY_KIT, policy)


def _send_files_back(world: World) -> None:
    """What the AWS CLI prints for the two commands of the kit's page."""
    kms, key = world.client("kms", BY_KIT), world.first[BY_KIT].key_arn
    for name, answered in (
        (_DESCRIBE_KEY, kms.describe_key(KeyId=key)),
        (_KEY_POLICY, kms.get_key_policy(KeyId=key, PolicyName="default")),
    ):
        del answered["ResponseMetadata"]
        text = json.dumps(answered, indent=4, default=str)
        (world.vendor.folder / name).write_text(text, encoding="utf-8")


def _check(world: World, question: str, ends: str, who: Credentials, *options: str) -> None:
    role = ("--role-arn", world.first[BY_KIT].role_arn)
    ended = world.run(world.vendor.folder, who, "cmek", KIT, "check", *role, *options)
    refused = ended.stderr.startswith("AWS refused")
    given = "AWS refused" if refused else f"{ended}, {ended.stdout.count('✗')} wrong"
    world.report.row(question, ends, given, ended.said)
