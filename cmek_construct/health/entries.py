"""The entry of cmek.yaml whose template is what is there, and what `cdk import` is told of it.

Its props are read out of role and key; what no prop can say is left to `adoption`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from cmek_construct import checks, guide
from cmek_construct.aws.objects import ROTATION_DAYS, Key, Role, Unread
from cmek_construct.checks import printable
from cmek_construct.deployment.reading import Entry
from cmek_construct.guide import ADMINISTRATION, ENCRYPT_DECRYPT, ROLE_NAME_PREFIX, KeyAccess
from cmek_construct.health.comparing import Where
from cmek_construct.health.findings import Refused
from cmek_construct.policy import Statement, aws, read

ROLE: Final = "Role1ABCC5F0"
KEY: Final = "Key961B73FD"
ALIAS: Final = "KeyPineconeAlias0F7AA316"
_ENDS: Final = (
    *("9E6C58E1", "95D06167", "193D1DF5", "4B3B3BFA", "25E94E37"),
    *("F10E810F", "29DFD003", "78FF6F68", "B5EC6EA4", "43007F5E"),
)
CUSTOMERS: Final = {str(digit): f"RoleCustomersEndingIn{digit}{end}" for digit, end in enumerate(_ENDS)}
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


def _of_trust(trust: Sequence[Any]) -> Props | None:
    """What the first of the guide's three snippets in a trust policy says; None where there is none."""
    for one in read(list(trust), "trust").statements:
        named, ids = _names(one), _equal(one, aws.EXTERNAL_ID)
        roles = [found for name in named if (found := _PINECONE.fullmatch(name))]
        regions = [role[2] for role in roles if role[1] == roles[0][1] and checks.REGION.fullmatch(role[2])]
        third = [found for name in _equal(one, aws.PRINCIPAL_ARN) if (found := _PINECONE.fullmatch(name))]
        every = [found for found in third if found[2] == "*"]
        if one.effect == "Allow" and (regions or every):
            return {
                "pinecone_account_id": (roles if regions else every)[0][1],
                "regions": list(dict.fromkeys(regions)) or "ALL_REGIONS",
                "external_id": ids[0] if len(ids) == 1 else None,
                "pin_account": None if regions or named == ["*"] else True,
            }
    return None


def _names(one: Statement) -> list[str]:
    return [principal.name for principal in one.principals or () if principal.kind == "AWS"]


def _equal(one: Statement, key: str) -> list[str]:
    """The values that a statement wants a key to have."""
    return [value for condition in one.on(key) if "Not" not in condition.operator for value in condition.values]


def said_external_id(trust: Sequence[Any]) -> str | None:
    """The external ID that a trust policy asks of Pinecone, by the guide's statements in it."""
    return (_of_trust(trust) or {}).get("external_id")


def of_role(role: Role, *, given: bool) -> Props:
    """The props of a role; of a given one, that the entry names it, and the stack leaves it alone.

    Raises:
        Refused: nobody of Pinecone's may come in, or in a form that no entry can say.
    """
    found = _of_trust(readable(role.trust))
    if found is None:
        raise Refused(
            f"--role-arn: got {role.arn}, but no statement of its trust policy lets in roles of Pinecone's "
            f"({ROLE_NAME_PREFIX}…). Copy the Role ARN that Pinecone's console shows."
        )
    if found["regions"] == "ALL_REGIONS" and found["external_id"] is None:
        raise Refused(
            f"--role-arn: got {role.arn}, whose trust policy lets in Pinecone's role of every region without an "
            "external ID: whoever names this role at Pinecone uses the key. No entry can say that. First put the "
            "guide's second snippet (explicit regions) into the trust policy, and run this again."
        )
    if given:
        return {**found, "role": role.arn}
    return {
        **found,
        "role_name": role.name,
        "role_path": None if role.path == "/" else role.path,
        "permissions_boundary": role.boundary.arn if role.boundary else None,
    }


def of_key(key: Key, role_arn: str, alias: str | None, *, given: bool) -> Props:
    """The props of a key: as its policy gives the role its use, and the console's administrators theirs."""
    if given:
        return {"key": key.arn}
    where, statements, days = Where("key", key.arn), readable(key.policy), readable(key.rotation_days)
    meant = [one for one in where.read(statements).statements if one.effect == "Allow"]
    allowed = {action.lower() for one in meant if role_arn in _names(one) for action in one.actions or ()}
    is_two = allowed == {action.lower() for action in ENCRYPT_DECRYPT}
    most = (one for one in meant if len({*ADMINISTRATION} & {*(one.actions or ())}) >= _MOST_OF_THE_ACTIONS)
    admins = [name for one in [*most][:1] for name in _names(one) if checks.PRINCIPAL_ARN.fullmatch(name)]
    return {
        "key_access": KeyAccess.ENCRYPT_DECRYPT.name if is_two else None,
        "key_admins": admins or None,
        "alias": _alias(key, alias),
        "description": key.description or None,
        "enable_key_rotation": False if days is None else None,
        "rotation_period": None if days in (None, ROTATION_DAYS) else days,
        "multi_region": key.is_multi_region or None,
        "protect_used_key": where.days_held(statements) or None,
        "suspended": where.has(guide.key_denial(role_arn), statements) or None,
    }


def _alias(key: Key, wanted: str | None) -> str | None:
    aliases = readable(key.aliases)
    if wanted is not None:
        wanted = f"alias/{wanted.removeprefix('alias/')}"
        if wanted not in aliases:
            has = ", ".join(aliases) or "none"
            raise Refused(f"--alias: got {wanted}, but the key has {has}. Choose one that it has.")
        return wanted
    if len(aliases) > 1:
        raise Refused(
            f"--alias: the key has several, {', '.join(aliases)}, and a stack has one. Choose it; the others stay as "
            "they are, outside of the stack."
        )
    return next(iter(aliases), None)


def of_customers(role: Role, given: Sequence[str]) -> Props:
    """The customers of a vendor's role: those of its permissions, and those that are told.

    Raises:
        Refused: there are none.
    """
    accounts, keys = customers_in(one for policy in readable(role.permissions) for one in policy.statements)
    if not (accounts or keys or given):
        raise Refused(
            f"--key-arn: it is missing, and {role.arn} has no permission for keys of other accounts, as a vendor's "
            "role has. Give the Key ARN that Pinecone's console shows; or, for a vendor's role whose stack was "
            "deleted, --customer-account-ids."
        )
    return {
        "customer_account_ids": sorted({*accounts, *given}),
        "customer_key_arns": sorted(keys) or None,
        "suspended": Where("trust", role.arn).has(guide.assume_role_denial(), readable(role.trust)) or None,
    }


def customers_in(statements: Iterable[Any]) -> tuple[list[str], list[str]]:
    """Accounts of customers and single keys that the guide's statement is about."""
    accounts: dict[str, None] = {}
    keys: dict[str, None] = {}
    for raw in statements:
        names = [name for one in read([raw], "permissions").statements for name in one.resources or ()]
        if names and Where("permissions").same(raw, guide.customer_statement("", names)):
            whole = [found[1] for name in names if (found := _CUSTOMER.fullmatch(name))]
            accounts |= dict.fromkeys(whole)
            keys |= dict.fromkeys(filter(checks.KEY_ARN.fullmatch, names))
    return list(accounts), [key for key in keys if key.split(":")[4] not in accounts]


def import_mapping(entry: Entry, role: Role, key: Key | None, held: Mapping[str, str]) -> ImportMapping:
    """What the stack of an entry takes over, beside what it holds already, by logical ID.

    Raises:
        Refused: the stack holds all of it, or something else in its place.
    """
    own, found, where = entry.settings, ImportMapping(), Where("permissions")
    if own.role is None:
        found[ROLE] = {"RoleName": role.name}
    for digit, wanted in own.customers.policies().items() if own.customers else ():
        for policy in readable(role.permissions):
            is_ours = policy.arn and policy.arn.startswith(f"arn:aws:iam::{own.account}:")
            if is_ours and where.drift(policy.statements, wanted["Statement"]).is_none:
                found[CUSTOMERS[digit]] = {"PolicyArn": str(policy.arn)}
    if key is not None and own.key is None:
        found[KEY] = {"KeyId": key.key_id}
        if alias := _alias_of(entry, key):
            found[ALIAS] = {"AliasName": alias}
    for logical_id, (physical,) in ((one, identifier.values()) for one, identifier in found.items()):
        if held.get(logical_id, physical) != physical:
            raise Refused(
                f"{entry.name}: there is a stack of that name, and it has another one in place of {physical}: "
                f"{printable(held[logical_id])}. Choose another name: a stack is for one role and one key."
            )
    left = {name: found[name] for name in found if name not in held}
    if not left:
        run = f"Run `npx cdk deploy {entry.name}`, or `cmek doctor {entry.name}`."
        raise Refused(f"{entry.name}: the stack has role and key already, so there is nothing to take over. {run}")
    return left


def _alias_of(entry: Entry, key: Key) -> str | None:
    """That alias of the key which the template has, by its name or by its default name."""
    letters = re.sub("[^A-Za-z0-9]", "", entry.name)
    form = rf"alias/pinecone-cmek/{letters}(Key)?[0-9A-F]{{8}}"
    if entry.settings.alias:
        form = re.escape(f"alias/{entry.settings.alias.removeprefix('alias/')}")
    return next(filter(re.compile(form).fullmatch, readable(key.aliases)), None)
