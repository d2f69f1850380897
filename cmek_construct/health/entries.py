"""The entry of cmek.yaml whose template is what is there, and what `cdk import` is told of it.

Its props are read out of role and key; what no prop can say is left to `adoption`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from cmek_construct import checks
from cmek_construct.aws.objects import ROTATION_DAYS, Key, Role, Unread
from cmek_construct.checks import printable
from cmek_construct.deployment.reading import Entry
from cmek_construct.guide import (
    ADMINISTRATION,
    ENCRYPT_DECRYPT,
    ROLE_NAME_PREFIX,
    KeyAccess,
    assume_role_denial,
    customer_statement,
    key_denial,
)
from cmek_construct.health.comparing import Where
from cmek_construct.health.findings import Refused
from cmek_construct.policy import Statement, aws, read

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
Props: TypeAlias = dict[str, Any]
ImportMapping: TypeAlias = dict[str, dict[str, str]]
T = TypeVar("T")
_PINECONE: Final = re.compile(rf"arn:aws:iam::([0-9]{{12}}):role/{ROLE_NAME_PREFIX}(.+)")
_CUSTOMER: Final = re.compile(r"arn:aws:kms:\*:([0-9]{12}):key/\*")
_MOST_OF_THE_ACTIONS: Final = 10
"""The console's administrators had fewer actions in former years, and may lack two by a click."""


def readable(part: T | Unread) -> T:
    """A part of a role or key, which an entry cannot be made without.

    Raises:
        Refused: it could not be read.
    """
    if isinstance(part, Unread):
        raise Refused(f"not read ({part.why}). Nothing was written.")
    return part


def said_external_id(trust: Sequence[Any]) -> str | None:
    """The external ID that a trust policy asks of Pinecone, by the guide's statements in it."""
    found = _said(trust)
    return found["external_id"] if found else None


def of_role(role: Role, *, given: bool) -> Props:
    """The props of a role.

    Args:
        role: as it is.
        given: the entry names it, and the stack leaves it alone.

    Raises:
        Refused: nobody of Pinecone's may come in, or in a form that no entry can say.
    """
    trust = _trust(role)
    if given:
        return {**trust, "role": role.arn}
    return {
        **trust,
        "role_name": role.name,
        "role_path": None if role.path == "/" else role.path,
        "permissions_boundary": role.boundary.arn if role.boundary else None,
    }


def of_key(key: Key, role_arn: str, alias: str | None, *, given: bool) -> Props:
    """The props of a key."""
    if given:
        return {"key": key.arn}
    where, denial = Where("key", key.arn), key_denial(role_arn)
    suspended = any(where.same(one, denial) for one in readable(key.policy))
    days = readable(key.rotation_days)
    return {
        "key_access": _key_access(key, role_arn),
        "key_admins": _key_admins(key) or None,
        "alias": _alias(key, alias),
        "description": key.description or None,
        "enable_key_rotation": False if days is None else None,
        "rotation_period": None if days in (None, ROTATION_DAYS) else days,
        "multi_region": key.is_multi_region or None,
        "protect_used_key": where.days_held(readable(key.policy)) or None,
        "suspended": suspended or None,
    }


def of_customers(role: Role, given: Sequence[str]) -> Props:
    """The customers of a vendor's role: those of its permissions, and those that are told.

    Raises:
        Refused: there are none.
    """
    permissions = readable(role.permissions)
    accounts, keys = customers_in(one for policy in permissions for one in policy.statements)
    accounts += [one for one in given if one not in accounts]
    if not accounts and not keys:
        raise Refused(
            f"--key-arn: it is missing, and {role.arn} has no permission for keys of other "
            "accounts, as a vendor's role has. Give the Key ARN that Pinecone's console shows; or, "
            "for a vendor's role whose stack was deleted, --customer-account-ids."
        )
    where, denial = Where("trust", role.arn), assume_role_denial()
    suspended = any(where.same(one, denial) for one in readable(role.trust))
    return {
        "customer_account_ids": sorted(accounts),
        "customer_key_arns": sorted(keys) or None,
        "suspended": suspended or None,
    }


def customers_in(statements: Iterable[Any]) -> tuple[list[str], list[str]]:
    """Accounts of customers and single keys that the guide's statement is about."""
    accounts: dict[str, None] = {}
    keys: dict[str, None] = {}
    for raw in statements:
        (one,) = read([raw], "permissions").statements
        names = list(one.resources or ())
        if names and Where("permissions").same(raw, customer_statement("", names)):
            for name in names:
                if whole := _CUSTOMER.fullmatch(name):
                    accounts[whole[1]] = None
                elif checks.KEY_ARN.fullmatch(name):
                    keys[name] = None
    return list(accounts), [key for key in keys if key.split(":")[4] not in accounts]


def _trust(role: Role) -> Props:
    found = _said(readable(role.trust))
    if found is None:
        raise Refused(
            f"--role-arn: got {role.arn}, but no statement of its trust policy lets in roles of "
            f"Pinecone's ({ROLE_NAME_PREFIX}…). Copy the Role ARN that Pinecone's console shows."
        )
    if found["regions"] == "ALL_REGIONS" and found["external_id"] is None:
        raise Refused(
            f"--role-arn: got {role.arn}, whose trust policy lets in Pinecone's role of every region without an "
            "external ID: whoever names this role at Pinecone uses the key. No entry can say that. First put the "
            "guide's second snippet (explicit regions) into the trust policy, and run this again."
        )
    return found


def _said(trust: Sequence[Any]) -> Props | None:
    """What the first of the guide's three snippets in a trust policy says."""
    return next(filter(None, map(_of_statement, read(list(trust), "trust").statements)), None)


def _of_statement(one: Statement) -> Props | None:
    """What one of the guide's three snippets says; None of any other statement."""
    if one.effect != "Allow":
        return None
    named = _names(one)
    listed = [found.groups() for name in named if (found := _PINECONE.fullmatch(name))]
    regions = [region for account, region in listed if account == listed[0][0]]
    regions = list(filter(checks.REGION.fullmatch, dict.fromkeys(regions)))
    ids = _equal(one, aws.EXTERNAL_ID)
    external_id = ids[0] if len(ids) == 1 else None
    said: Props = {"external_id": external_id, "pin_account": None}
    if regions:
        return {"pinecone_account_id": listed[0][0], "regions": regions, **said}
    for name in _equal(one, aws.PRINCIPAL_ARN):
        every = _PINECONE.fullmatch(name)
        if every and every[2] == "*":
            pinned = None if named == ["*"] else True
            said |= {"regions": "ALL_REGIONS", "pin_account": pinned}
            return {"pinecone_account_id": every[1], **said}
    return None


def _equal(one: Statement, key: str) -> list[str]:
    """The values that a statement wants a key to have."""
    wanted = (condition for condition in one.on(key) if "Not" not in condition.operator)
    return [value for condition in wanted for value in condition.values]


def _key_access(key: Key, role_arn: str) -> str | None:
    policy = read(list(readable(key.policy)), "key")
    allowed = {
        action.lower()
        for one in policy.statements
        if one.effect == "Allow" and role_arn in _names(one)
        for action in one.actions or ()
    }
    is_two = allowed == set(map(str.lower, ENCRYPT_DECRYPT))
    return KeyAccess.ENCRYPT_DECRYPT.name if is_two else None


def _key_admins(key: Key) -> list[str]:
    """The principals of the console's statement, but for those that were deleted."""
    for one in read(list(readable(key.policy)), "key").statements:
        known = set(ADMINISTRATION) & set(one.actions or ())
        if one.effect == "Allow" and len(known) >= _MOST_OF_THE_ACTIONS:
            return [name for name in _names(one) if checks.PRINCIPAL_ARN.fullmatch(name)]
    return []


def _names(one: Statement) -> list[str]:
    return [principal.name for principal in one.principals or () if principal.kind == "AWS"]


def _alias(key: Key, wanted: str | None) -> str | None:
    aliases = readable(key.aliases)
    if wanted is not None:
        wanted = f"alias/{wanted.removeprefix('alias/')}"
        if wanted not in aliases:
            raise Refused(
                f"--alias: got {wanted}, but the key has {', '.join(aliases) or 'none'}. Choose one that it has."
            )
        return wanted
    if len(aliases) > 1:
        raise Refused(
            f"--alias: the key has several, {', '.join(aliases)}, and a stack has one. Choose it; "
            "the others stay as they are, outside of the stack."
        )
    return next(iter(aliases), None)


def import_mapping(entry: Entry, role: Role, key: Key | None) -> ImportMapping:
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
                f"{entry.name}: there is a stack of that name, and it has another one in place of {physical}: "
                f"{printable(held[logical_id])}. Choose another name: a stack is for one role and one key."
            )
    left = {name: found[name] for name in found if name not in held}
    if not left:
        raise Refused(
            f"{entry.name}: the stack has role and key already, so there is nothing to take over. "
            f"Run `npx cdk deploy {entry.name}`, or `cmek doctor {entry.name}`."
        )
    return left
