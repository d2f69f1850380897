"""By what a policy is known to be Pinecone's: whom it names, never by the word alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from cmek_construct.guide import ROLE_NAME_PREFIX
from cmek_construct.policy import Policy, Statement, aws, canonical, read
from cmek_construct.policy.names import may_be_one
from cmek_construct.policy.statements import Condition, Kind
from cmek_construct.templates.matching import LONGEST_ARN, named
from cmek_construct.templates.reading import members
from cmek_construct.templates.texts import alone, is_known, is_unreadable, parts, pieces

if TYPE_CHECKING:
    from cmek_construct.templates.run import Run

_ROLE_ID: Final = re.compile(r"(\$\{[^}]*\})(?:[:*].*)?$", re.DOTALL)
"""What AWS has for who asks: the ID of a role, and the name of its session."""
_ACCESS: Final = re.compile(r"pine[-_?*]?cone[-_?*]*(cmek|cmk)[-_?*]*acc", re.IGNORECASE)
"""What calls itself one of the roles that Pinecone comes with, or comes near it."""
LOOK_ALIKE: Final = re.compile(r"pine[-_]?cone[^:\"]*(cmek|cmk)", re.IGNORECASE)
"""What is called nearly as a role of Pinecone's."""
_EXAMPLE: Final = "pinecone_cmek_access_us-east-1"
_FEWEST_LETTERS: Final = 4
_GUIDE_SID: Final = "allowpineconetoassumeintorole"
_USE_SIDS: Final = ("Allow use of the key", "Allow attachment of persistent resources")
_ROOT: Final = re.compile(r"(?:arn:aws:iam::)?([0-9]{12}|\$\{[^}]*\})(?::root)?")
_ORGANIZATION: Final = re.compile(r"o-[a-z0-9]{10,32}(/[a-z0-9/*-]*)?")
_ORGANIZATIONS: Final = ("aws:principalorgid", "aws:principalorgpaths", "aws:resourceorgid", "aws:resourceorgpaths")
_OF_PINECONE: Final = re.compile(rf":role/.*{ROLE_NAME_PREFIX}")
_ACCOUNT: Final = re.compile(r"[0-9]{12}|\$\{[^{}!?][^{}]*\}")


def policy_of(document: Any, kind: Kind, resource: str | None, run: Run) -> Policy:
    """A policy out of a resolved document; of one that is a reference, what it may be."""
    if isinstance(document, str) and alone(document):
        what = f"the policy {document}"
        return Policy(kind, (Statement(what, "", unreadable=(what,)),), resource, run.forms)
    policy = read(document, kind, resource=resource, texts=canonical, forms=run.forms)
    if not any(one.on(aws.USER_ID) for one in policy.statements):
        return policy
    statements = (replace(one, conditions=tuple(_by_arn(c, run) for c in one.conditions)) for one in policy.statements)
    return replace(policy, statements=tuple(statements))


def _by_arn(condition: Condition, run: Run) -> Condition:
    """A condition that compares the IDs of roles of the run: with their ARNs instead."""
    ids = (found[1] for one in condition.values if (found := _ROLE_ID.match(one)))
    arns = tuple(run.roles_by_id[one] for one in ids if one in run.roles_by_id)
    is_of_run = len(arns) == len(condition.values) or (arns and "Not" not in condition.operator)
    is_by_arn = condition.key.lower() == aws.USER_ID and is_of_run
    return Condition(condition.operator, aws.PRINCIPAL_ARN, arns) if is_by_arn else condition


def allowing(policy: Policy) -> Iterator[Statement]:
    """The statements that are no denials; one whose effect cannot be read may be either."""
    return (one for one in policy.statements if one.effect != "Deny")


def names_in(statement: Statement) -> Iterator[str]:
    """The texts that name AWS principals in a statement."""
    return (one.name for one in statement.people() if one.kind == "AWS")


def let_in(policy: Policy) -> Iterator[str]:
    """The texts that name AWS principals in what is no denial."""
    return (text for one in allowing(policy) for text in names_in(one))


def lets_pinecone_in(policy: Policy, account: str, document: Any) -> bool:
    """Whether a policy lets in who calls itself Pinecone's role, or comes near it."""
    return any(is_like_pinecone(text, account) for text in let_in(policy)) or (
        any(one.unreadable for one in allowing(policy)) and bool(_ACCESS.search(json.dumps(document, default=str)))
    )


def has_guides_sid(policy: Policy) -> bool:
    """Whether a statement has the Sid of Pinecone's guide."""
    return any(_GUIDE_SID in _sid(one).lower() for one in policy.statements)


def _sid(statement: Statement) -> str:
    return str(members(statement.raw).get("Sid", ""))


def is_like_pinecone(text: str, account: str) -> bool:
    """Whether a principal calls itself one of Pinecone's roles, or comes near it."""
    bare = "".join(before for before, _ in pieces(text[:LONGEST_ARN]))
    if _ACCESS.search(bare):
        return True
    whom = named(text, account)
    if whom is None:
        return False
    some = [before for before, _ in pieces(whom.name)]
    if sum(map(str.isalpha, "".join(some))) >= _FEWEST_LETTERS and may_be_one(_EXAMPLE, "*".join(some)):
        return True
    return whom.account != account and is_known(account) and bool(LOOK_ALIKE.search(bare))


def key_users(policy: Policy) -> Iterator[str]:
    """Those whom a key policy lets in under the Sids of the console's key users."""
    return (text for one in allowing(policy) if _sid(one).startswith(_USE_SIDS) for text in names_in(one))


def is_open_to_others(policy: Policy, account: str) -> bool:
    """Whether a trust policy may let in somebody beyond the account and AWS services."""
    return any(
        one.unreadable
        or one.not_principals is not None
        or any(each.kind == "AWS" and account_of(each.name) != account for each in one.principals or ())
        for one in allowing(policy)
    )


def pinecones_accounts(policy: Policy) -> list[str]:
    """The accounts that a policy takes for Pinecone's: of roles that are named like Pinecone's.

    Where these are of any account, it is what else the statement names.
    """
    found: list[str] = []
    for statement in allowing(policy):
        names = list(names_in(statement))
        like = [text for text in names if _OF_PINECONE.search(text)]
        accounts = list(filter(_ACCOUNT.fullmatch, map(account_of, like)))
        found += accounts or filter(_ACCOUNT.fullmatch, map(account_of, names if like else ()))
    return list(dict.fromkeys(found))


def account_of(text: str) -> str:
    """The account in an ARN; a text that is none, itself."""
    found = parts(text, ":")
    return found[4] if len(found) > 4 else text


def roots(policy: Policy) -> Iterator[tuple[str, bool]]:
    """The accounts whose root a key policy lets in, and whether it gives it everything, under no condition."""
    for statement in allowing(policy):
        is_all = not statement.conditions and any(one.lower() in ("*", "kms:*") for one in statement.actions or ())
        for principal in statement.principals or ():
            if root := _ROOT.fullmatch(principal.name):
                yield root[1], is_all and principal.kind == "AWS"


def organizations(policy: Policy) -> list[str]:
    """The organizations whose members a policy's denials spare."""
    return [value for one in policy.statements for value in _spared(one)]


def _spared(statement: Statement) -> Iterator[str]:
    for one in statement.on(*_ORGANIZATIONS) if statement.effect == "Deny" else ():
        if "Not" in one.operator and all(map(_ORGANIZATION.fullmatch, one.values)):
            yield from one.values


def spares_organization(statement: Statement) -> bool:
    """Whether a statement denies only whom is not of some organizations."""
    return any(_spared(statement))


def may_name_anybody(policy: Policy, *, by_parameter: bool) -> bool:
    """Whether a key policy names somebody of whom nobody can tell who it is.

    Args:
        policy: of a key.
        by_parameter: whether that counts which the deployer gives, too.
    """
    nameless = (one.principals is None and one.not_principals is None and one.unreadable for one in allowing(policy))
    return any(nameless) or any(is_unreadable(text) or (by_parameter and alone(text)) for text in let_in(policy))
