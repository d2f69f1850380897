"""A statement of a template beside the guide's: which one, filled in how, and what differs."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from cmek_construct import checks, guide
from cmek_construct.guide import GRANTS, PINECONE_REGIONS, KeyAccess, Statement
from cmek_construct.policy.sentences import Quoted, as_list

EXPLICIT_WITH_ID: Final = "Explicit regions + external ID"
EXPLICIT: Final = "Explicit regions + no external ID"
ALL_REGIONS: Final = "All regions + external ID"
ROOT: Final = "The account rules its key"
ADMINISTRATORS: Final = "Key administrators"
USE: Final = "Key users: use of the key"
ATTACH: Final = "Key users: attachment of persistent resources"
CUSTOMER: Final = "Keys outside your account"
_OF_KEY: Final = (ROOT, ADMINISTRATORS, USE, ATTACH)
"""In the order of the guide's key policy."""
Beside: TypeAlias = tuple[str | None, Statement]
"""A statement of the guide by its title, the template's values in its places to fill in."""
_NOTHING: Final[Beside] = (None, {})
_PLACE: Final = re.compile("<(Pinecone|external ID|role|administrator|customer|label)>")
_ORDER: Final = ("Sid", "Effect", "Principal", "Action", "Resource", "Condition")
_PINECONE: Final = re.compile(rf"arn:aws:iam::([0-9]{{12}}|\$\{{[A-Za-z0-9.:]+\}}):role/{guide.ROLE_NAME_PREFIX}")


@dataclass(frozen=True)
class Line:
    """A line of JSON, and on which side it stands."""

    side: str
    """``both``, ``guide`` or ``template``."""
    text: str


@dataclass(frozen=True)
class Comparison:
    """A statement and the guide's."""

    title: str | None
    """Of the guide's statement; None: the guide has no such statement."""
    lines: list[Line]
    """Of both, the template's values in the places that the guide leaves to fill in."""
    own: list[str]
    """The statement alone, line by line."""

    @property
    def different(self) -> list[Line]:
        """The lines that stand on one side alone."""
        return [line for line in self.lines if line.side != "both"]

    @property
    def same(self) -> bool:
        """Nothing differs but perhaps the label, which lets nobody do anything."""
        labels = (line.text.lstrip().startswith('"Sid":') for line in self.different)
        return self.title is not None and all(labels)

    @property
    def verdict(self) -> str:
        """In one phrase."""
        if self.title is None:
            return "The guide has no such statement"
        if not self.different:
            return "Same as the guide"
        if self.same:
            return "Same as the guide but for its label (Sid)"
        more = any(line.side == "template" for line in self.different)
        return "Differs from the guide" if more else "Says less than the guide"


@dataclass(frozen=True)
class Known:
    """What is known beside the statements of one policy."""

    account: str
    """That owns role or key: twelve digits, or ``${AWS::AccountId}``."""
    roles: frozenset[str]
    """The ARNs of the roles that Pinecone takes on."""
    people: Mapping[str, str]
    """What roles and users of the templates are called, by their ARNs."""


def compare(statement: Statement, kind: str, known: Known) -> Comparison:
    """Put a statement beside the guide's.

    Args:
        statement: the statement, with CloudFormation's functions as text.
        kind: ``trust``, ``key`` or ``permissions``: which policy it stands in.
        known: what is known beside it.
    """
    own = _lines(_arranged(statement, {}))
    beside = {"trust": _of_trust, "key": _of_key}.get(kind, _of_permissions)
    title, wanted = beside(statement, known) if statement.get("Effect") == "Allow" else _NOTHING
    if title is None:
        return Comparison(None, [Line("template", line) for line in own], own)
    arranged = _lines(_arranged(statement, wanted))
    return Comparison(title, _differences(_lines(wanted), arranged), own)


def missing(titles: set[str | None]) -> list[tuple[str, str]]:
    """What every key policy of the guide has, and is not among these: labels and titles."""
    document = guide.key_policy("", "", KeyAccess.KEY_USER, admins=[""])
    every = zip(_OF_KEY, document["Statement"], strict=True)
    return [(one["Sid"], title) for title, one in every if title in {ROOT, USE} - titles]


def _named(statement: Statement) -> list[Any]:
    principal = statement.get("Principal")
    return as_list(principal["AWS"]) if isinstance(principal, dict) and "AWS" in principal else []


def _of_trust(statement: Statement, known: Known) -> Beside:
    names, text = _named(statement), json.dumps(statement)
    found = _PINECONE.search(text)
    account = found[1] if found else "<Pinecone>"
    external_id = _external_id(statement)
    condition = json.dumps(statement.get("Condition"))
    if not any(isinstance(name, str) and _PINECONE.match(name) for name in names):
        if "aws:PrincipalArn" in condition or statement.get("Principal") == "*" or "*" in names:
            return ALL_REGIONS, guide.trust_statement(account, guide.ALL_REGIONS, external_id)
        return _NOTHING
    role = f"arn:aws:iam::{account}:role/{guide.ROLE_NAME_PREFIX}"
    regions = [one for one in PINECONE_REGIONS if f"{role}{one}" in names] or PINECONE_REGIONS
    if "sts:ExternalId" in condition:
        return EXPLICIT_WITH_ID, guide.trust_statement(account, regions, external_id)
    return EXPLICIT, guide.trust_statement(account, regions)


def _external_id(statement: Statement) -> str:
    """What may stand in its place: a legal one, or one that whoever deploys types in."""
    try:
        found = statement["Condition"]["StringEquals"]["sts:ExternalId"]
    except (KeyError, TypeError):
        found = None
    legal = isinstance(found, str) and (
        checks.EXTERNAL_ID.fullmatch(found) or re.fullmatch(r"\$\{[A-Za-z0-9]+\}", found)
    )
    return str(found) if legal else "<external ID>"


def _of_key(statement: Statement, known: Known) -> Beside:
    title = _title(statement)
    if title is None:
        return _NOTHING
    names = [name for name in _named(statement) if isinstance(name, str)]
    role = names[0] if names and names[0] in known.roles else "<role>"
    own = re.compile(rf"arn:aws:iam::{re.escape(known.account)}:(role|user)/[^*?]+")
    admins = names if names and all(map(own.fullmatch, names)) else ["<administrator>"]
    document = guide.key_policy(known.account, role, KeyAccess.KEY_USER, admins=admins)
    return title, document["Statement"][_OF_KEY.index(title)]


def _title(statement: Statement) -> str | None:
    """Which statement of the guide's key policy one is most like."""
    actions = {str(action) for action in as_list(statement.get("Action"))}
    root = any(str(name).endswith(":root") for name in _named(statement))
    if root and actions & {"kms:*", "*"}:
        return ROOT
    if actions.intersection(GRANTS):
        return ATTACH
    if {"kms:Put*", "kms:PutKeyPolicy"} & actions:
        return ADMINISTRATORS
    return USE if actions & {*guide.ENCRYPT_DECRYPT, "kms:*"} else None


def _of_permissions(statement: Statement, known: Known) -> Beside:
    customers = (
        re.match(r"arn:aws:kms:[^:]*:([0-9]{12}):key/", str(resource))
        for resource in as_list(statement.get("Resource"))
    )
    customer = next((found[1] for found in customers if found), "<customer>")
    label = statement.get("Sid")
    sid = {"Sid": label if isinstance(label, str) else "<label>"}
    return CUSTOMER, {**guide.customer_statement(customer), **sid}


def _arranged(value: Any, like: Any) -> Any:
    """The same members, in the order of the guide, and a list of one as one: no other meaning."""
    if isinstance(value, dict):
        model = like if isinstance(like, dict) else {}
        order = list(model) or list(_ORDER)
        keys = sorted(value, key=lambda key: order.index(key) if key in order else len(order))
        return {key: _arranged(value[key], model.get(key)) for key in keys}
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        wanted = as_list(like)
        return sorted(value, key=lambda one: wanted.index(one) if one in wanted else len(wanted))
    return value


def _lines(statement: Statement) -> list[str]:
    def unwrapped(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: unwrapped(one) for key, one in value.items()}
        return value[0] if isinstance(value, list) and len(value) == 1 else value

    text = json.dumps(unwrapped(statement), indent=2)
    return [Quoted(line) for line in text.splitlines()]


def _differences(guides: list[str], own: list[str]) -> list[Line]:
    """Line by line; a comma at the end is no difference, and a place to fill in is no value."""
    bare = [[line.rstrip(",") for line in lines] for lines in (guides, own)]
    bare[0] = [f"{line}\0" if _PLACE.search(line) else line for line in bare[0]]
    found: list[Line] = []
    matcher = difflib.SequenceMatcher(None, bare[0], bare[1], autojunk=False)
    for tag, from_guide, to_guide, from_own, to_own in matcher.get_opcodes():
        if tag == "equal":
            found += [Line("both", line) for line in own[from_own:to_own]]
            continue
        found += [Line("guide", line) for line in guides[from_guide:to_guide]]
        found += [Line("template", line) for line in own[from_own:to_own]]
    return found


# Why a statement may be meant: what is known about it, no excuse. The page has the words.

_KEY_ARN: Final = re.compile(r"arn:aws:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+")


def why(statement: Statement, kind: str, comparison: Comparison, known: Known) -> list[str]:
    """What a reviewer should know about a statement beside the differences, by name."""
    title, lines = comparison.title, [line.text for line in comparison.different]
    changed = {text.split('"')[1] for text in lines if '"' in text}
    actions = {str(one) for one in as_list(statement.get("Action"))}
    resources = [str(one) for one in as_list(statement.get("Resource"))]
    told = {
        "suspended": _suspends(statement, kind, known),
        "protect_used_key": kind == "key" and _says(statement, _protection(statement)),
        "administrators": title == ADMINISTRATORS,
        "elsewhere": title in (USE, ATTACH) and any("<role>" in text for text in lines),
        "no_external_id": title == EXPLICIT,
        "label": title is not None and changed == {"Sid"},
        "two_actions": title == USE and actions == {*guide.ENCRYPT_DECRYPT},
        "pin_account": title == ALL_REGIONS and changed == {"AWS"} and _is_pinned(statement),
        "single_keys": title == CUSTOMER and all(map(_KEY_ARN.fullmatch, resources)),
    }
    return [name for name, holds in told.items() if holds]


def _says(statement: Statement, ours: Statement) -> bool:
    """Whether a statement says what one of this library's says, under whatever label."""
    return Comparison("", _differences(_lines(ours), _lines(_arranged(statement, ours))), []).same


def _is_pinned(statement: Statement) -> bool:
    """The root that is named is of the account whose roles the condition asks for."""
    root = str(statement["Principal"]["AWS"])
    pattern = str(statement["Condition"]["StringLike"]["aws:PrincipalArn"])
    return root.endswith(":root") and root.split(":")[4] == pattern.split(":")[4]


def _suspends(statement: Statement, kind: str, known: Known) -> bool:
    """Whether it is what `suspended` writes: of a key policy, for a role of Pinecone's."""
    if kind == "trust":
        return _says(statement, guide.assume_role_denial())
    return kind == "key" and any(
        _says(statement, guide.key_denial(role)) for role in known.roles & set(map(str, _named(statement)))
    )


def _protection(statement: Statement) -> Statement:
    """What `protect_used_key` writes for the days that a statement has, if it has some."""
    days = re.search(r'"([0-9]+)"', json.dumps(statement.get("Condition")))
    return guide.used_key_denial(int(days[1]) if days else 0)
