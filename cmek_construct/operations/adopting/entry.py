"""The entry of cmek.yaml whose template is what is there: its props, read out of role and key.

Pure Python over plain data. What no prop can say is left to `adopt_differences`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cmek_construct import checks
from cmek_construct.checks import PRINCIPAL_ARN
from cmek_construct.deployment.config import Settings, StackSettings
from cmek_construct.guide import (
    ADMINISTRATION,
    ENCRYPT_DECRYPT,
    ROLE_NAME_PREFIX,
    KeyAccess,
    assume_role_denial,
    customer_statement,
    key_denial,
)
from cmek_construct.operations.adopting.source import DAYS, AdoptError, SeenKey, SeenRole
from cmek_construct.operations.deleted import principals
from cmek_construct.operations.doctor.source import Permissions
from cmek_construct.operations.drift import Place
from cmek_construct.policy.sentences import as_list

Props = dict[str, Any]
_PINECONE: Final = re.compile(rf"arn:aws:iam::([0-9]{{12}}):role/{ROLE_NAME_PREFIX}(.+)")
_CUSTOMER: Final = re.compile(r"arn:aws:kms:\*:([0-9]{12}):key/\*")
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_/-]*")
_WORDS: Final = ("null", "true", "false")
_NOT_SEEN: Final = ("removal_policy", "tags", "acknowledge", "bootstrap", "termination_protection")
"""What is of the stack, not of role and key: it holds as the top of the file says."""
_MOST_OF_THE_ACTIONS: Final = 10
"""The console's administrators had fewer actions in former years, and may lack two by a click."""


def of_role(role: SeenRole, *, given: bool) -> Props:
    """The props of a role.

    Args:
        role: as it is.
        given: the entry names it, and the stack leaves it alone.

    Raises:
        AdoptError: nobody of Pinecone's may come in, or in a form that no entry can say.
    """
    trust = _trust(role)
    if given:
        return {**trust, "role": role.arn}
    return {
        **trust,
        "role_name": role.name,
        "role_path": None if role.path == "/" else role.path,
        "permissions_boundary": role.boundary,
    }


def of_key(key: SeenKey, role_arn: str, alias: str | None, *, given: bool) -> Props:
    """The props of a key."""
    if given:
        return {"key": key.arn}
    place, denial = Place("key", key.arn), key_denial(role_arn)
    suspended = any(place.same(one, denial) for one in key.policy)
    return {
        "key_access": _key_access(key, role_arn),
        "key_admins": _key_admins(key) or None,
        "alias": _alias(key, alias),
        "description": key.description or None,
        "enable_key_rotation": False if key.rotation_days is None else None,
        "rotation_period": None if key.rotation_days in (None, DAYS) else key.rotation_days,
        "multi_region": key.multi_region or None,
        "suspended": suspended or None,
    }


def of_customers(role: SeenRole, given: Sequence[str]) -> Props:
    """The customers of a vendor's role: those of its permissions, and those that are told.

    Raises:
        AdoptError: there are none.
    """
    accounts, keys = customers_in(role.permissions)
    accounts += [one for one in given if one not in accounts]
    if not accounts and not keys:
        raise AdoptError(
            f"--key-arn: it is missing, and {role.arn} has no permission for keys of other "
            "accounts, as a vendor's role has. Give the Key ARN that Pinecone's console shows; or, "
            "for a vendor's role whose stack was deleted, --customer-account-ids."
        )
    place, denial = Place("trust", role.arn), assume_role_denial()
    suspended = any(place.same(one, denial) for one in role.trust)
    return {
        "customer_account_ids": sorted(accounts),
        "customer_key_arns": sorted(keys) or None,
        "suspended": suspended or None,
    }


def customers_in(permissions: Sequence[Permissions]) -> tuple[list[str], list[str]]:
    """Accounts of customers and single keys that the guide's statement is about."""
    accounts: dict[str, None] = {}
    keys: dict[str, None] = {}
    for one in (statement for policy in permissions for statement in policy.statements):
        resources = as_list(one.get("Resource")) if isinstance(one, dict) else []
        for name in resources:
            whole = _CUSTOMER.fullmatch(str(name))
            if not whole and not checks.KEY_ARN.fullmatch(str(name)):
                continue
            wanted = customer_statement("", resources)
            if Place("permissions").same(one, wanted):
                (accounts if whole else keys)[whole[1] if whole else name] = None
    return list(accounts), [key for key in keys if key.split(":")[4] not in accounts]


def _trust(role: SeenRole) -> Props:
    found = next(filter(None, map(_of_statement, role.trust)), None)
    if found is None:
        raise AdoptError(
            f"--role-arn: got {role.arn}, but no statement of its trust policy lets in roles of "
            f"Pinecone's ({ROLE_NAME_PREFIX}…). Copy the Role ARN that Pinecone's console shows."
        )
    if found["regions"] == "ALL_REGIONS" and found["external_id"] is None:
        raise AdoptError(
            f"--role-arn: got {role.arn}, whose trust policy lets in Pinecone's role of every "
            "region without an external ID: whoever names this role at Pinecone uses the key. No "
            "entry can say that. First put the guide's second snippet (explicit regions) into the "
            "trust policy, and run this again."
        )
    return found


def _of_statement(statement: Any) -> Props | None:
    """What one of the guide's three snippets says; None of any other statement."""
    if not isinstance(statement, dict) or statement.get("Effect") != "Allow":
        return None
    listed = list(filter(None, map(_PINECONE.fullmatch, principals(statement))))
    regions = [one[2] for one in listed if checks.REGION.fullmatch(one[2])]
    external_ids = _compared_with(statement, "StringEquals", "sts:ExternalId")
    found: Props = {
        "external_id": external_ids[0] if len(external_ids) == 1 else None,
        "pin_account": None,
    }
    if regions:
        return {"pinecone_account_id": listed[0][1], "regions": regions, **found}
    for name in _compared_with(statement, "StringLike", "aws:PrincipalArn"):
        every = _PINECONE.fullmatch(name)
        if every and every[2] == "*":
            pinned = principals(statement) != ["*"]
            return {
                "pinecone_account_id": every[1],
                "regions": "ALL_REGIONS",
                **found,
                "pin_account": pinned or None,
            }
    return None


def _compared_with(statement: Mapping[str, Any], operator: str, key: str) -> list[str]:
    condition = statement.get("Condition")
    keys = condition.get(operator) if isinstance(condition, dict) else None
    for name, values in keys.items() if isinstance(keys, dict) else ():
        if name.lower() == key.lower():
            return [str(one) for one in as_list(values)]
    return []


def _key_access(key: SeenKey, role_arn: str) -> str | None:
    allowed = {
        str(action).lower()
        for one in key.policy
        if role_arn in principals(one) and one.get("Effect") == "Allow"
        for action in as_list(one.get("Action", []))
    }
    is_two = allowed == set(map(str.lower, ENCRYPT_DECRYPT))
    return KeyAccess.ENCRYPT_DECRYPT.name if is_two else None


def _key_admins(key: SeenKey) -> list[str]:
    """The principals of the console's statement, but for those that were deleted."""
    for one in key.policy:
        if isinstance(one, dict) and one.get("Effect") == "Allow":
            known = set(ADMINISTRATION) & set(map(str, as_list(one.get("Action", []))))
            if len(known) >= _MOST_OF_THE_ACTIONS:
                return [name for name in principals(one) if PRINCIPAL_ARN.fullmatch(name)]
    return []


def _alias(key: SeenKey, wanted: str | None) -> str | None:
    if wanted is not None:
        wanted = f"alias/{wanted.removeprefix('alias/')}"
        if wanted not in key.aliases:
            raise AdoptError(
                f"--alias: got {wanted}, but the key has {', '.join(key.aliases) or 'none'}. "
                "Choose one that it has."
            )
        return wanted
    if len(key.aliases) > 1:
        raise AdoptError(
            f"--alias: the key has several, {', '.join(key.aliases)}, and a stack has one. Choose "
            "it; the others stay as they are, outside of the stack."
        )
    return next(iter(key.aliases), None)


def in_yaml(props: Props, top: Mapping[str, Any]) -> dict[str, str | None]:
    """Props as they are written in a stack: what the top of the file says otherwise is taken back.

    Args:
        props: of the entry; None is left out.
        top: what the file says for all stacks.
    """
    return dict(_lines(props, top))


def _lines(props: Props, top: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    for name in dict.fromkeys(["account", *StackSettings.model_fields]):
        own = props.get(name)
        shared = top.get(name) if name in Settings.model_fields else None
        if name in _NOT_SEEN or (name == "pending_window" and "alias" in props):
            continue
        if own != shared:
            yield name, "null" if own is None else _text(own)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    if not isinstance(value, str) or (_PLAIN.fullmatch(value) and value.lower() not in _WORDS):
        return value if isinstance(value, str) else json.dumps(value)
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in quoted)
