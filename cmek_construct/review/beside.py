"""A statement of a template beside the guide's: which one, filled in how, and what differs."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cmek_construct import checks, guide
from cmek_construct.guide import GRANTS, PINECONE_REGIONS, KeyAccess, Statement
from cmek_construct.policy.sentences import Quoted, as_list

_STEP: Final = "Pinecone's guide, step 1.5"
_CONSOLE: Final = "the KMS console's default key policy"
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
_SOURCES: Final = {
    EXPLICIT_WITH_ID: _STEP,
    EXPLICIT: _STEP,
    ALL_REGIONS: _STEP,
    ROOT: f"{_CONSOLE} (guide, step 2.10)",
    ADMINISTRATORS: f"{_CONSOLE} (guide, step 2.10, where it has none)",
    USE: f"{_CONSOLE} (guide, step 2.11)",
    ATTACH: f"{_CONSOLE} (guide, step 2.11)",
    CUSTOMER: "Pinecone's guide, step 1, second tab: there in the box of the trust policy, where "
    "AWS refuses it; here a permission of the role, once for each customer",
}
_PLACE: Final = re.compile("<(Pinecone|external ID|role|administrator|customer|label)>")
_ORDER: Final = ("Sid", "Effect", "Principal", "Action", "Resource", "Condition")
_PINECONE: Final = re.compile(
    rf"arn:aws:iam::([0-9]{{12}}|\$\{{[A-Za-z0-9.:]+\}}):role/{guide.ROLE_NAME_PREFIX}"
)


@dataclass(frozen=True)
class Snippet:
    """A statement of the guide or of the console, the template's values in its places to fill in.

    Words in ``<…>`` are places for which the template has no value.
    """

    title: str
    statement: Statement

    @property
    def source(self) -> str:
        """Where it stands."""
        return _SOURCES[self.title]


@dataclass(frozen=True)
class Line:
    """A line of JSON, and on which side it stands."""

    side: str
    """``both``, ``guide`` or ``template``."""
    text: str


@dataclass(frozen=True)
class Comparison:
    """A statement and the guide's."""

    snippet: Snippet | None
    """None: the guide has no such statement."""
    lines: list[Line]
    own: list[str]
    """The statement alone, line by line."""

    @property
    def title(self) -> str | None:
        """Of the guide's statement."""
        return self.snippet.title if self.snippet else None

    @property
    def different(self) -> list[Line]:
        """The lines that stand on one side alone."""
        return [line for line in self.lines if line.side != "both"]

    @property
    def same(self) -> bool:
        """Nothing differs but perhaps the label, which lets nobody do anything."""
        labels = (line.text.lstrip().startswith('"Sid":') for line in self.different)
        return self.snippet is not None and all(labels)

    @property
    def verdict(self) -> str:
        """In one phrase."""
        if self.snippet is None:
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
    roles: frozenset[str] = frozenset()
    """The ARNs of the roles that Pinecone takes on."""
    people: Mapping[str, str] = field(default_factory=dict)
    """What roles and users of the templates are called, by their ARNs."""


def compare(statement: Statement, kind: str, known: Known) -> Comparison:
    """Put a statement beside the guide's.

    Args:
        statement: the statement, with CloudFormation's functions as text.
        kind: ``trust``, ``key`` or ``permissions``: which policy it stands in.
        known: what is known beside it.
    """
    own = _lines(_arranged(statement, {}))
    if statement.get("Effect") != "Allow":
        snippet = None
    else:
        snippet = {"trust": _of_trust, "key": _of_key}.get(kind, _of_permissions)(statement, known)
    if snippet is None:
        return Comparison(None, [Line("template", line) for line in own], own)
    wanted = snippet.statement
    return Comparison(
        snippet, _differences(_lines(wanted), _lines(_arranged(statement, wanted))), own
    )


def missing(titles: set[str | None]) -> list[Snippet]:
    """What every key policy of the guide has, and is not among these."""
    document = guide.key_policy("", "", KeyAccess.KEY_USER, admins=[""])
    every = zip(_OF_KEY, document["Statement"], strict=True)
    return [Snippet(*one) for one in every if one[0] in (ROOT, USE) and one[0] not in titles]


def _named(statement: Statement) -> list[Any]:
    principal = statement.get("Principal")
    return as_list(principal["AWS"]) if isinstance(principal, dict) and "AWS" in principal else []


def _of_trust(statement: Statement, known: Known) -> Snippet | None:
    names, text = _named(statement), json.dumps(statement)
    found = _PINECONE.search(text)
    account = found[1] if found else "<Pinecone>"
    external_id = _external_id(statement)
    condition = json.dumps(statement.get("Condition"))
    if not any(isinstance(name, str) and _PINECONE.match(name) for name in names):
        if "aws:PrincipalArn" in condition or statement.get("Principal") == "*" or "*" in names:
            third = guide.trust_statement(account, guide.ALL_REGIONS, external_id)
            return Snippet(ALL_REGIONS, third)
        return None
    role = f"arn:aws:iam::{account}:role/{guide.ROLE_NAME_PREFIX}"
    regions = [one for one in PINECONE_REGIONS if f"{role}{one}" in names] or PINECONE_REGIONS
    if "sts:ExternalId" in condition:
        return Snippet(EXPLICIT_WITH_ID, guide.trust_statement(account, regions, external_id))
    return Snippet(EXPLICIT, guide.trust_statement(account, regions))


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


def _of_key(statement: Statement, known: Known) -> Snippet | None:
    title = _title(statement)
    if title is None:
        return None
    names = [name for name in _named(statement) if isinstance(name, str)]
    role = names[0] if names and names[0] in known.roles else "<role>"
    own = re.compile(rf"arn:aws:iam::{re.escape(known.account)}:(role|user)/[^*?]+")
    admins = names if names and all(map(own.fullmatch, names)) else ["<administrator>"]
    document = guide.key_policy(known.account, role, KeyAccess.KEY_USER, admins=admins)
    return Snippet(title, document["Statement"][_OF_KEY.index(title)])


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


def _of_permissions(statement: Statement, known: Known) -> Snippet:
    customers = (
        re.match(r"arn:aws:kms:[^:]*:([0-9]{12}):key/", str(resource))
        for resource in as_list(statement.get("Resource"))
    )
    customer = next((found[1] for found in customers if found), "<customer>")
    label = statement.get("Sid")
    sid = {"Sid": label if isinstance(label, str) else "<label>"}
    return Snippet(CUSTOMER, {**guide.customer_statement(customer), **sid})


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


# Why a statement may be meant: what is known about it, no excuse.

_PINNED: Final = (
    "A prop of this library, pin_account: it names Pinecone's account in place of everybody. Both "
    "conditions still hold, so the same callers get in; and AWS refuses a number that no account "
    "has."
)
_TWO_ACTIONS: Final = (
    "A prop of this library, KeyAccess.ENCRYPT_DECRYPT: the two actions of the guide's second tab. "
    "Whether they pass Pinecone's Add CMEK, only Pinecone knows."
)
_SUSPENDED: Final = (
    "A prop of this library, suspended: while it stands here, Pinecone is cut off. Taking it away "
    "lets Pinecone in again."
)
_SINGLE_KEYS: Final = (
    "It names single keys, where the guide has all keys of the customer's account."
)
_ADMINISTRATORS: Final = (
    "The guide keeps the console's default, which names no administrators. Whoever is named here "
    "may change the key policy."
)
_NO_EXTERNAL_ID: Final = (
    "No external ID: the guide allows it. Then Pinecone alone sees to it that no other customer of "
    "Pinecone's has it use this role."
)
_ROLE_FROM_ELSEWHERE: Final = (
    "Whom it names is no role for Pinecone in these templates: whether it is the one you mean, "
    "only you can tell."
)
_LABEL: Final = "A label lets nobody do anything."
_KEY_ARN: Final = re.compile(r"arn:aws:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+")


def why(statement: Statement, kind: str, comparison: Comparison) -> list[str]:
    """What a reviewer should know about a statement beside the differences."""
    title, lines = comparison.title, [line.text for line in comparison.different]
    if title is None:
        return [_SUSPENDED] if _is_suspension(statement, kind) else []
    changed = {text.split('"')[1] for text in lines if '"' in text}
    actions = {str(one) for one in as_list(statement.get("Action"))}
    resources = [str(one) for one in as_list(statement.get("Resource"))]
    known = {
        _ADMINISTRATORS: title == ADMINISTRATORS,
        _ROLE_FROM_ELSEWHERE: title in (USE, ATTACH) and any("<role>" in text for text in lines),
        _NO_EXTERNAL_ID: title == EXPLICIT,
        _LABEL: changed == {"Sid"},
        _TWO_ACTIONS: title == USE and actions == {*guide.ENCRYPT_DECRYPT},
        _PINNED: title == ALL_REGIONS and changed == {"AWS"} and _is_pinned(statement),
        _SINGLE_KEYS: title == CUSTOMER and all(map(_KEY_ARN.fullmatch, resources)),
    }
    return [sentence for sentence, holds in known.items() if holds]


def _is_pinned(statement: Statement) -> bool:
    """The root that is named is of the account whose roles the condition asks for."""
    root = str(statement["Principal"]["AWS"])
    pattern = str(statement["Condition"]["StringLike"]["aws:PrincipalArn"])
    return root.endswith(":root") and root.split(":")[4] == pattern.split(":")[4]


def _is_suspension(statement: Statement, kind: str) -> bool:
    action = {"key": ["kms:*"], "trust": ["sts:AssumeRole"]}.get(kind)
    denies = statement.get("Effect") == "Deny" and "Condition" not in statement
    return denies and as_list(statement.get("Action")) == action
