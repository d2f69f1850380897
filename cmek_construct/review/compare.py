"""A statement of a template beside the guide's: which one, filled in how, and what differs."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from cmek_construct import checks
from cmek_construct.guide import ENCRYPT_DECRYPT, GRANTS, ROLE_NAME_PREFIX, Statement
from cmek_construct.policy.sentences import Quoted, as_list
from cmek_construct.review import snippets
from cmek_construct.review.snippets import Snippet

_ORDER: Final = ("Sid", "Effect", "Principal", "Action", "Resource", "Condition")
_PINECONE: Final = re.compile(
    rf"arn:aws:iam::([0-9]{{12}}|\$\{{[A-Za-z0-9.:]+\}}):role/{ROLE_NAME_PREFIX}"
)


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
    def same(self) -> bool:
        """Nothing differs but perhaps the label, which lets nobody do anything."""
        return self.snippet is not None and all(
            line.side == "both" or line.text.lstrip().startswith('"Sid":') for line in self.lines
        )

    @property
    def verdict(self) -> str:
        """In one phrase."""
        if self.snippet is None:
            return "The guide has no such statement"
        if all(line.side == "both" for line in self.lines):
            return "Same as the guide"
        if self.same:
            return "Same as the guide but for its label (Sid)"
        more = any(line.side == "template" for line in self.lines)
        return "Differs from the guide" if more else "Says less than the guide"


@dataclass(frozen=True)
class Known:
    """What a place of the guide's to fill in may be filled with."""

    account: str | None
    """The account that owns role or key."""
    roles: frozenset[str]
    """How a policy names the roles that Pinecone takes on."""


def compare(statement: Statement, kind: str, known: Known) -> Comparison:
    """Put a statement beside the guide's.

    Args:
        statement: the statement, with CloudFormation's functions as text.
        kind: ``trust``, ``key`` or ``permissions``: which policy it stands in.
        known: what is known beside it.
    """
    snippet = _snippet(statement, kind)
    own = _lines(_arranged(statement, {}))
    if snippet is None:
        return Comparison(None, [Line("template", line) for line in own], own)
    wanted = _filled(snippet, statement, known)
    return Comparison(
        snippet, _differences(_lines(wanted), _lines(_arranged(statement, wanted))), own
    )


def _snippet(statement: Statement, kind: str) -> Snippet | None:
    if statement.get("Effect") != "Allow":
        return None
    if kind == "permissions":
        return snippets.CUSTOMER
    principal = statement.get("Principal")
    names = as_list(principal["AWS"]) if isinstance(principal, dict) and "AWS" in principal else []
    condition = json.dumps(statement.get("Condition"))
    if kind == "trust":
        if not any(isinstance(name, str) and _PINECONE.match(name) for name in names):
            by_arn = "aws:PrincipalArn" in condition or principal == "*" or "*" in names
            return snippets.ALL_REGIONS if by_arn else None
        return snippets.EXPLICIT_WITH_ID if "sts:ExternalId" in condition else snippets.EXPLICIT
    actions = {str(action) for action in as_list(statement.get("Action"))}
    if any(str(name).endswith(":root") for name in names) and actions & {"kms:*", "*"}:
        return snippets.ROOT
    if actions.intersection(GRANTS):
        return snippets.ATTACH
    if {"kms:Put*", "kms:PutKeyPolicy"} & actions:
        return snippets.ADMINISTRATORS
    return snippets.USE if actions & {*ENCRYPT_DECRYPT, "kms:*"} else None


def _filled(snippet: Snippet, statement: Statement, known: Known) -> Statement:
    """The guide's statement with the template's own values in the places to fill in."""
    wanted: Statement = json.loads(json.dumps(snippet.statement))
    principal = statement.get("Principal")
    names = as_list(principal.get("AWS")) if isinstance(principal, dict) else []
    texts = [name for name in names if isinstance(name, str)]
    pinecone = _PINECONE.search(json.dumps(statement))
    values = {
        "<Pinecone>": pinecone[1] if pinecone else None,
        "<this account>": known.account or "${AWS::AccountId}",
        "<external ID>": _external_id(statement),
        "<label>": statement.get("Sid"),
        "<role>": texts[0] if texts and texts[0] in known.roles else None,
        "<customer>": _customer(statement),
    }
    filled: Statement = _fill(wanted, {k: v for k, v in values.items() if isinstance(v, str)})
    if snippet in (snippets.EXPLICIT, snippets.EXPLICIT_WITH_ID):
        kept = [arn for arn in texts if arn in filled["Principal"]["AWS"]]
        filled["Principal"]["AWS"] = kept or filled["Principal"]["AWS"]
    if snippet is snippets.ADMINISTRATORS and all(map(_of(known.account), texts)):
        filled["Principal"]["AWS"] = texts
    return filled


def _of(account: str | None) -> Any:
    """Whether an ARN is of this account."""
    own = re.compile(rf"arn:aws:iam::{account or '-'}:(role|user)/[^*?]+|\$\{{\w+\.Arn\}}")
    return lambda arn: own.fullmatch(arn) is not None


def _external_id(statement: Statement) -> str | None:
    """What may stand in its place: a legal one, or one that whoever deploys types in."""
    try:
        found = statement["Condition"]["StringEquals"]["sts:ExternalId"]
    except (KeyError, TypeError):
        return None
    legal = isinstance(found, str) and (
        checks.EXTERNAL_ID.fullmatch(found) or re.fullmatch(r"\$\{[A-Za-z0-9]+\}", found)
    )
    return found if legal else None


def _customer(statement: Statement) -> str | None:
    for resource in as_list(statement.get("Resource")):
        found = re.match(r"arn:aws:kms:[^:]*:([0-9]{12}):key/", str(resource))
        if found:
            return found[1]
    return None


def _fill(value: Any, values: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _fill(one, values) for key, one in value.items()}
    if isinstance(value, list):
        return [_fill(one, values) for one in value]
    for place, own in values.items():
        value = value.replace(place, own)
    return value


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
    """Line by line; a comma at the end is no difference."""
    bare = [[line.rstrip(",") for line in lines] for lines in (guides, own)]
    found: list[Line] = []
    matcher = difflib.SequenceMatcher(None, bare[0], bare[1], autojunk=False)
    for tag, from_guide, to_guide, from_own, to_own in matcher.get_opcodes():
        if tag == "equal":
            found += [Line("both", line) for line in own[from_own:to_own]]
            continue
        found += [Line("guide", line) for line in guides[from_guide:to_guide]]
        found += [Line("template", line) for line in own[from_own:to_own]]
    return found
