"""What `cmek adopt` reads of AWS, and the file that it writes for `cdk import`.

What could not be read is no basis for an entry, and ends the command.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeVar

from cmek_construct.aws import reading
from cmek_construct.aws.objects import Key, Role, Stack, Unread
from cmek_construct.aws.session import Session
from cmek_construct.checks import printable
from cmek_construct.deployment.reading import ConfigError, Entry
from cmek_construct.deployment.writing import FILE, replace
from cmek_construct.health import entries
from cmek_construct.health.findings import Finding, Refused, said

T = TypeVar("T")
_READS_ROLE: Final = (
    "iam:GetRole, ListRolePolicies, GetRolePolicy, ListAttachedRolePolicies, GetPolicy and "
    "GetPolicyVersion"
)
_READS_KEY: Final = "kms:DescribeKey, GetKeyPolicy, GetKeyRotationStatus and ListAliases"
_READS_STACK: Final = "cloudformation:DescribeStacks and ListStackResources"
_LOGICAL_IDS: Final = {
    entries.ROLE,
    entries.KEY,
    entries.ALIAS,
    *entries.CUSTOMERS.values(),
}


def known(found: T | Unread | None, what: str, actions: str) -> T:
    """What could not be read is no basis for an entry: it ends the command."""
    if found is None:
        raise Refused(
            f"there is no such thing: {what}. Copy the ARN from Pinecone's console, Manage > CMEK, "
            "and see that account and region are right."
        )
    if isinstance(found, Unread):
        raise Refused(
            f"not read: {what} ({found.why}). Nothing was written. Ask again with credentials that "
            f"may {actions} (--profile)."
        )
    return found


def role_of(session: Session, arn: str) -> Role:
    role = known(reading.read_role(session, arn), f"the role {arn}", _READS_ROLE)
    if role.arn != arn:
        raise Refused(
            f"--role-arn: got {arn}, but IAM has {printable(role.arn)} under that name. Copy the "
            "ARN from the IAM console, path included."
        )
    known(role.trust, "the role's trust policy", _READS_ROLE)
    known(role.permissions, "the role's permissions", _READS_ROLE)
    return role


def key_of(session: Session, arn: str) -> Key:
    key = known(reading.read_key(session, arn), f"the key {arn}", _READS_KEY)
    if key.is_ending:
        region = arn.split(":")[3]
        raise Refused(
            f"--key-arn: got {arn}, but the key WILL BE DELETED at "
            f"{printable(key.deletion_date or 'a time that KMS does not say')}, and with it all "
            f"data of the project. First run: aws kms cancel-key-deletion --region {region} "
            f"--key-id {arn} && aws kms enable-key --region {region} --key-id {arn}"
        )
    if key.state not in ("Enabled", "Disabled"):
        raise Refused(
            f"--key-arn: got {arn}, but the key is in state {printable(key.state)}, and only one "
            "that is enabled or disabled can be taken over. See the KMS console."
        )
    for name, needed in (
        ("KeyManager", "CUSTOMER"),
        ("KeySpec", "SYMMETRIC_DEFAULT"),
        ("KeyUsage", "ENCRYPT_DECRYPT"),
    ):
        if key.metadata.get(name) != needed:
            raise Refused(
                f"--key-arn: got {arn}, whose {name} is {printable(key.metadata.get(name))}, but "
                f"Pinecone uses a key of {needed}. Copy the Key ARN that Pinecone's console shows."
            )
    for what, part in (
        ("whether the key rotates", key.rotation_days or 0),
        ("the key policy", key.policy),
        ("the key's aliases", key.aliases),
    ):
        known(part, what, _READS_KEY)
    return key


def held_by(entry: Entry, session: Session) -> dict[str, str]:
    """What the stack holds, by logical ID."""
    stack = reading.read_stack(session, entry.name)
    if stack is None or (isinstance(stack, Stack) and stack.is_empty):
        return {}
    if isinstance(stack, Stack) and stack.is_changing:
        raise Refused(
            f"{entry.name}: its stack is in {stack.status}. Wait for its end, and run this again."
        )
    held = stack if isinstance(stack, Unread) else reading.read_resources(session, entry.name)
    found = known(
        held if held is not None else [],
        "whether a stack of that name holds anything",
        _READS_STACK,
    )
    return {one.logical_id: one.physical_id for one in found}


def other_stacks(
    mapping: entries.ImportMapping, entry: Entry, session: Session
) -> Iterator[Finding]:
    """Whether another stack has one of them: CloudFormation gives nothing to two."""
    for logical_id in (one for one in (entries.ROLE, entries.KEY) if one in mapping):
        (physical,) = mapping[logical_id].values()
        owner = reading.read_owner(session, physical)
        if isinstance(owner, Unread):
            yield said(
                "other-stack",
                f"not read: whether another stack has {physical} ({owner.why}). If one has, "
                "`cdk import` is refused, and nothing happens",
            )
        elif owner not in (None, entry.name):
            raise Refused(
                f"{entry.name}: {physical} belongs to the stack {printable(owner)}, and "
                "CloudFormation gives nothing to two stacks. Have that stack let go of it first: "
                "in its template write DeletionPolicy: Retain, deploy, take the resource out of "
                "the template, deploy again; then run this again."
            )


def refuse_taken_alias(entry: Entry, key: Key | None, session: Session) -> None:
    own = entry.settings
    if key is None or own.key or not own.alias or entries.alias_of(entry, key):
        return
    alias = f"alias/{own.alias.removeprefix('alias/')}"
    target = reading.read_key_arn(session, alias)
    if isinstance(target, str):
        raise Refused(
            f"{FILE}: stacks.{entry.name}.alias: {alias} points to another key, {target}, so the "
            "deploy would fail. Write another alias into the entry, or point it to this key."
        )


def refuse_another_file(path: Path) -> None:
    """Overwrite no file that is no such mapping."""
    if not os.path.lexists(path):
        return
    try:
        known = set(json.loads(path.read_bytes())) <= _LOGICAL_IDS
    except (OSError, ValueError, TypeError, RecursionError):
        known = False
    if not known:
        raise Refused(
            f"--mapping: {path} is there already, and is no mapping of `cmek adopt`. Choose "
            "another file."
        )


def write_mapping(path: Path, text: str) -> None:
    try:
        replace(path, text)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}.") from None
