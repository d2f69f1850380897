"""What `cdk import` is told: which role, key and alias a stack takes over, by logical ID."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from cmek_construct.checks import printable
from cmek_construct.deployment.reading import Entry
from cmek_construct.operations.adopting.source import AdoptError, SeenKey, SeenRole
from cmek_construct.operations.deployed import EMPTY
from cmek_construct.operations.doctor.source import Stack, Unread, asked, client
from cmek_construct.operations.drift import Place
from cmek_construct.operations.findings import Finding, Verdict

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

Mapping = dict[str, dict[str, str]]
_GONE: Final = "DELETE_COMPLETE"


def mapping(entry: Entry, role: SeenRole, key: SeenKey | None) -> Mapping:
    """What the stack of an entry takes over."""
    own, found = entry.settings, Mapping()
    if own.role is None:
        found[ROLE] = {"RoleName": role.name}
    for digit, wanted in own.customers.policies().items() if own.customers else ():
        for policy in role.permissions:
            is_ours = policy.arn and policy.arn.startswith(f"arn:aws:iam::{own.account}:")
            compared = Place("permissions").drift(policy.statements, wanted["Statement"])
            if is_ours and compared.is_none:
                found[CUSTOMERS[digit]] = {"PolicyArn": str(policy.arn)}
    if key is not None and own.key is None:
        found[KEY] = {"KeyId": key.key_id}
        alias = alias_of(entry, key)
        if alias is not None:
            found[ALIAS] = {"AliasName": alias}
    return found


def alias_of(entry: Entry, key: SeenKey) -> str | None:
    """That alias of the key which the template has, by its name or by its default name."""
    own = entry.settings.alias
    letters = re.sub("[^A-Za-z0-9]", "", entry.name)
    default = re.compile(rf"alias/pinecone-cmek/{letters}(Key)?[0-9A-F]{{8}}")
    for alias in key.aliases:
        if alias == f"alias/{own.removeprefix('alias/')}" if own else default.fullmatch(alias):
            return alias
    return None


def without_held(found: Mapping, entry: Entry, session: Any) -> Mapping:
    """Without what the stack holds already.

    Raises:
        AdoptError: the stack holds all of it, or something else in its place; or it is not known.
    """
    held = _held(entry, session)
    for logical_id, identifier in found.items():
        (physical,) = identifier.values()
        if held.get(logical_id, physical) != physical:
            raise AdoptError(
                f"{entry.name}: there is a stack of that name, and it has another one in place of "
                f"{physical}: {printable(held[logical_id])}. Choose another name: a stack is for "
                "one role and one key."
            )
    left = {name: found[name] for name in found if name not in held}
    if not left:
        raise AdoptError(
            f"{entry.name}: the stack has role and key already, so there is nothing to take over. "
            f"Run `npx cdk deploy {entry.name}`, or `cmek doctor {entry.name}`."
        )
    return left


def _held(entry: Entry, session: Any) -> dict[str, str]:
    """What the stack holds, by logical ID."""
    status = Stack(session, entry).status
    if status is None or status in EMPTY:
        return {}
    if isinstance(status, str) and status.endswith("_IN_PROGRESS"):
        raise AdoptError(
            f"{entry.name}: its stack is in {status}. Wait for its end, and run this again."
        )
    held = status if isinstance(status, Unread) else _resources(session, StackName=entry.name)
    if isinstance(held, Unread):
        raise AdoptError(
            f"{entry.name}: not read: whether a stack of that name holds anything ({held.why}). "
            "Nothing was written. Ask again with credentials that may "
            "cloudformation:DescribeStacks and DescribeStackResources (--profile)."
        )
    return dict(held)


def _resources(session: Any, **which: str) -> list[tuple[str, str]] | Unread:
    found = asked(
        lambda: client(session, "cloudformation").describe_stack_resources(**which)[
            "StackResources"
        ]
    )
    if isinstance(found, Unread):
        return found
    name = "LogicalResourceId" if "StackName" in which else "StackName"
    return [
        (one[name], one.get("PhysicalResourceId", ""))
        for one in found or []
        if one["ResourceStatus"] != _GONE
    ]


def other_stacks(found: Mapping, entry: Entry, session: Any) -> Iterator[Finding]:
    """Whether another stack has one of them: CloudFormation gives nothing to two.

    Raises:
        AdoptError: it has.
    """
    for logical_id in (one for one in (ROLE, KEY) if one in found):
        (physical,) = found[logical_id].values()
        owners = _resources(session, PhysicalResourceId=physical)
        if isinstance(owners, Unread):
            yield Finding(
                "other-stack",
                Verdict.SAID,
                f"not read: whether another stack has {physical} ({owners.why}). If one has, "
                "`cdk import` is refused, and nothing happens",
            )
            continue
        for owner, held in owners:
            if held == physical and owner != entry.name:
                raise AdoptError(
                    f"{entry.name}: {physical} belongs to the stack {printable(owner)}, and "
                    "CloudFormation gives nothing to two stacks. Have that stack let go of it "
                    "first: in its template write DeletionPolicy: Retain, deploy, take the "
                    "resource out of the template, deploy again; then run this again."
                )
