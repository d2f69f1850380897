"""What `cdk import` is told: which role, key and alias a stack takes over, by logical ID."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeAlias

from cmek_construct.aws.objects import Key, Role
from cmek_construct.checks import printable
from cmek_construct.deployment.reading import Entry
from cmek_construct.health.comparing import Where
from cmek_construct.health.entries import readable
from cmek_construct.health.findings import Refused

ROLE: Final = "Role1ABCC5F0"
KEY: Final = "Key961B73FD"
ALIAS: Final = "KeyPineconeAlias0F7AA316"
CUSTOMERS: Final = {
    "0": "RoleCustomersEndingIn09E6C58E1",
    "1": "RoleCustomersEndingIn195D06167",
    "2": "RoleCustomersEndingIn2193D1DF5",
    "3": "RoleCustomersEndingIn34B3B3BFA",
    "4": "RoleCustomersEndingIn425E94E37",
    "5": "RoleCustomersEndingIn5F10E810F",
    "6": "RoleCustomersEndingIn629DFD003",
    "7": "RoleCustomersEndingIn778FF6F68",
    "8": "RoleCustomersEndingIn8B5EC6EA4",
    "9": "RoleCustomersEndingIn943007F5E",
}
"""The logical IDs of the app's stacks: an interface, and the same in each (a test holds them)."""

ImportMapping: TypeAlias = dict[str, dict[str, str]]


def mapping(entry: Entry, role: Role, key: Key | None) -> ImportMapping:
    """What the stack of an entry takes over."""
    own, found = entry.settings, ImportMapping()
    if own.role is None:
        found[ROLE] = {"RoleName": role.name}
    for digit, wanted in own.customers.policies().items() if own.customers else ():
        for policy in readable(role.permissions):
            is_ours = policy.arn and policy.arn.startswith(f"arn:aws:iam::{own.account}:")
            compared = Where("permissions").drift(policy.statements, wanted["Statement"])
            if is_ours and compared.is_none:
                found[CUSTOMERS[digit]] = {"PolicyArn": str(policy.arn)}
    if key is not None and own.key is None:
        found[KEY] = {"KeyId": key.key_id}
        alias = alias_of(entry, key)
        if alias is not None:
            found[ALIAS] = {"AliasName": alias}
    return found


def alias_of(entry: Entry, key: Key) -> str | None:
    """That alias of the key which the template has, by its name or by its default name."""
    own = entry.settings.alias
    letters = re.sub("[^A-Za-z0-9]", "", entry.name)
    default = re.compile(rf"alias/pinecone-cmek/{letters}(Key)?[0-9A-F]{{8}}")
    for alias in readable(key.aliases):
        if alias == f"alias/{own.removeprefix('alias/')}" if own else default.fullmatch(alias):
            return alias
    return None


def without_held(found: ImportMapping, entry: Entry, held: Mapping[str, str]) -> ImportMapping:
    """Without what the stack holds already.

    Args:
        found: what is to be taken over.
        entry: of the stack.
        held: what the stack holds, by logical ID.

    Raises:
        Refused: the stack holds all of it, or something else in its place.
    """
    for logical_id, identifier in found.items():
        (physical,) = identifier.values()
        if held.get(logical_id, physical) != physical:
            raise Refused(
                f"{entry.name}: there is a stack of that name, and it has another one in place of "
                f"{physical}: {printable(held[logical_id])}. Choose another name: a stack is for "
                "one role and one key."
            )
    left = {name: found[name] for name in found if name not in held}
    if not left:
        raise Refused(
            f"{entry.name}: the stack has role and key already, so there is nothing to take over. "
            f"Run `npx cdk deploy {entry.name}`, or `cmek doctor {entry.name}`."
        )
    return left
