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
from cmek_construct.templates.matching import named
from cmek_construct.templates.reading import members
from cmek_construct.templates.texts import alone, between, is_known, is_unreadable, parts

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
_LONGEST: Final = 2_048
"""Characters of an ARN; what is longer is none."""
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
    return replace(policy, statements=tuple(_by_arn(one, run) for one in policy.statements))


def _by_arn(statement: Statement, run: Run) -> Statement:
    """A statement that compares the IDs of roles of the run: with their ARNs instead."""
    conditions = []
    for one in statement.conditions:
        roles = {value: run.roles_by_id.get(it[1]) for value in one.values if (it := _ROLE_ID.match(value))}
        arns = tuple(filter(None, roles.values()))
        others = tuple(value for value in one.values if not roles.get(value))
        if one.key.lower() != aws.USER_ID or not arns:
            conditions.append(one)
            continue
        conditions.append(Condition(one.operator, aws.PRINCIPAL_ARN, arns))
        if others and "Not" in one.operator:  # it is none of the roles, and none of the others
            conditions.append(replace(one, values=others))
    return replace(statement, conditions=tuple(conditions))


def allowing(policy: Policy) -> Iterator[Statement]:
    """The statements that are no denials; one whose effect cannot be read may be either."""
    return (one for one in policy.statements if one.effect != "Deny")


def names_in(statement: Statement) -> Iterator[str]:
    """The texts that name AWS principals in a statement."""
    return (one.name for one in statement.people() if one.kind == "AWS")


def lets_pinecone_in(policy: Policy, account: str, document: Any) -> bool:
    """Whether a policy lets in who calls itself Pinecone's role, or comes near it."""
    for statement in allowing(policy):
        if any(is_like_pinecone(text, account) for text in names_in(statement)):
            return True
        if statement.unreadable and _ACCESS.search(json.dumps(document, default=str)):
            return True
    return False


def has_guides_sid(policy: Policy) -> bool:
    """Whether a statement has the Sid of Pinecone's guide."""
    return any(_GUIDE_SID in _sid(one).lower() for one in policy.statements)


def _sid(statement: Statement) -> str:
    return str(members(statement.raw).get("Sid", ""))


def is_like_pinecone(text: str, account: str) -> bool:
    """Whether a principal calls itself one of Pinecone's roles, or comes near it."""
    bare = "".join(between(text[:_LONGEST]))
    if _ACCESS.search(bare):
        return True
    whom = named(text, account)
    if whom is None:
        return False
    some = between(whom.name)
    if sum(map(str.isalpha, "".join(some))) >= _FEWEST_LETTERS and may_be_one(_EXAMPLE, "*".join(some)):
        return True
    return whom.account != account and is_known(account) and bool(LOOK_ALIKE.search(bare))


def key_users(policy: Policy) -> Iterator[str]:
    """Those whom a key policy lets in under the Sids of the console's key users."""
    for statement in allowing(policy):
        if _sid(statement).startswith(_USE_SIDS):
            yield from names_in(statement)


def is_open_to_others(policy: Policy, account: str) -> bool:
    """Whether a trust policy may let in somebody beyond the account and AWS services."""
    for statement in allowing(policy):
        if statement.unreadable or statement.not_principals is not None:
            return True
        for principal in statement.principals or ():
            if principal.kind == "AWS" and account_of(principal.name) != account:
                return True
    return False


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


def roots(policy: Policy) -> frozenset[str]:
    """The accounts whose root a key policy gives everything: twelve digits, or a hole."""
    found = set()
    for statement in allowing(policy):
        everything = any(one.lower() in ("*", "kms:*") for one in statement.actions or ())
        for principal in statement.principals or () if everything else ():
            root = _ROOT.fullmatch(principal.name)
            if root and principal.kind == "AWS" and not statement.conditions:
                found.add(root[1])
    return frozenset(found)


def names_root(policy: Policy, account: str) -> bool:
    """Whether a key policy lets in an account's root, to whatever and under whatever condition."""
    names = (each.name for one in allowing(policy) for each in one.principals or ())
    found = filter(None, map(_ROOT.fullmatch, names))
    return any(root[1] == account for root in found)


def organizations(policy: Policy) -> list[str]:
    """The organizations whose members a policy's denials spare."""
    return [value for one in policy.statements for value in _spared(one)]


def _spared(statement: Statement) -> Iterator[str]:
    for one in statement.conditions if statement.effect == "Deny" else ():
        known = bool(one.values) and all(map(_ORGANIZATION.fullmatch, one.values))
        if one.key.lower() in _ORGANIZATIONS and "Not" in one.operator and known:
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
    for statement in allowing(policy):
        says_whom = statement.principals is not None or statement.not_principals is not None
        if statement.unreadable and not says_whom:
            return True
        for text in names_in(statement):
            if is_unreadable(text) or (by_parameter and alone(text)):
                return True
    return False
