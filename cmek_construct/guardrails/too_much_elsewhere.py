"""Too much elsewhere: what the role may do besides, and what goes to Pinecone's console."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Any, Final

from cmek_construct import guide
from cmek_construct import warnings as ids
from cmek_construct.guardrails.excess import READABLE
from cmek_construct.guardrails.judged import Carried, Elsewhere, Permission
from cmek_construct.guardrails.rule import Fault, rule
from cmek_construct.policy import Policy, Statement, Witness, words
from cmek_construct.policy.sentences import Quoted, plain
from cmek_construct.templates.evidence import allowing
from cmek_construct.templates.matching import NOBODY
from cmek_construct.templates.texts import is_known, is_unreadable, parts

_ALL_KEYS: Final = re.compile(r"arn:aws:kms:\*:(?P<account>[0-9]{12}):key/\*")
_ONE_KEY: Final = re.compile(r"arn:aws:kms:[a-z0-9-]+:(?P<account>[0-9]{12}):key/[A-Za-z0-9-]{1,64}")
_GRANTS_NOTHING: Final = ("AWS::EC2::VPCEndpoint", "AWS::Organizations::Policy")
"""Their policies only narrow what others allow."""
_LET_IN: Final = re.compile(
    r"[A-Za-z]*(?i:principal|identity|grantee|owner|admin|member|user|accessor)[A-Za-z]*|mapRoles"
)
"""How AWS names what a resource lets in: words for who somebody is."""
_FREE: Final = re.compile(
    r"\w*(Variables|Parameters|Tags|Arguments|Attributes|Labels|Metadata)|Value|SecretString"
    r"|\w*(EventPattern|FilterPattern|FilterPolicy|Criteria|DashboardBody)"
)
"""Properties within which names are one's own, or those of what has happened: no doors."""
_TAKEN_ON: Final = re.compile(r"(\w*[a-z])?Role(Arn|ARN|Name)?")
"""How it names a role that a service takes on, whose trust policy then decides."""


_PERMISSIONS: Final = {
    "sentence": "The role has no permissions but those on customers' keys of the guide's second tab.",
    "allows": "Pinecone could do so in your account, beside using the key.",
    "cure": "Take the policy off the role: the key policy lets it use the key.",
}


@rule(ids.CANNOT_BE_JUDGED, Permission, **READABLE)
def unread_permission(permission: Permission) -> Iterator[Fault]:
    """A policy of the role that cannot be read."""
    policy, name = permission.attached.policy, permission.attached.name
    if policy is None and is_unreadable(name):
        yield Fault(f"A policy of the role is {Quoted(name)}, which cannot be read.", name)
    for statement in policy.statements if policy else ():
        for what in statement.unreadable:
            yield Fault(f"The policy {Quoted(name)} of the role has {Quoted(what)}.", what)


@rule("role-permissions", Permission, **_PERMISSIONS)
def permissions(permission: Permission) -> Iterator[Fault]:
    """A policy of the role that says more than the guide's statement of a customer."""
    attached = permission.attached
    if attached.is_boundary:
        return
    if attached.policy is None:
        if not is_unreadable(attached.name):
            what = "which no template shows"
            yield Fault(f"The role has the policy {Quoted(attached.name)}, {what}.", attached.name)
        return
    readable = [one for one in allowing(attached.policy) if not one.unreadable]
    limit = _second_tab(readable, permission)
    excess: list[Witness] = []
    # Denials give nothing: they are looked at only where something is too much without them.
    for statements in (tuple(allowing(attached.policy)), attached.policy.statements):
        policy = Policy("permissions", statements, forms=attached.policy.forms)
        excess = permission.context.ask.beyond(policy, limit) if readable else []
        if not excess:
            return
    for statement in readable:
        if any(one.statement is statement for one in excess):
            said = plain(words.of_statement(_plainly(statement)))
            does = [*_texts_of(statement, "actions"), *_texts_of(statement, "resources")]
            unknown = " No template says which account is its own." * _may_be_own(permission)
            yield Fault(f"By {Quoted(attached.name)}: {said}{unknown}", " ".join(does))


def _texts_of(statement: Statement, member: str) -> list[str]:
    some, others = getattr(statement, member), getattr(statement, f"not_{member}")
    return list(some) if some is not None else ["all but", *(others or ())]


def _plainly(statement: Statement) -> dict[str, Any]:
    return statement.raw if isinstance(statement.raw, dict) else {"Effect": statement.effect}


def _may_be_own(permission: Permission) -> bool:
    """Whether any account may be the role's own, in which it has a key already."""
    return bool(permission.keys) and not is_known(permission.account)


def _second_tab(statements: list[Statement], permission: Permission) -> guide.Policy:
    """The guide's second tab, or exact keys of another account with a key user's actions."""
    found = []
    for text in (text for one in statements for text in one.resources or ()):
        for form, actions in ((_ALL_KEYS, guide.ENCRYPT_DECRYPT), (_ONE_KEY, guide.KEY_USE)):
            key = form.fullmatch(text)
            if key and key["account"] != permission.account and not _may_be_own(permission):
                found.append({"Effect": "Allow", "Action": list(actions), "Resource": text})
    return guide.policy_document(*found)


@rule("role-permissions", Elsewhere, **_PERMISSIONS)
def elsewhere(one: Elsewhere) -> Iterator[Fault]:
    """Another resource that lets the role in."""
    naming = one.naming
    if naming.place.type in _GRANTS_NOTHING:
        return
    member, kind = Quoted(naming.member), naming.place.type
    if naming.policy is None:
        if _says_whom(naming.member):
            yield Fault(f"{member} of a {kind} names the role.", f"{kind} {naming.member}")
        return
    for statement in _letting_in(one, naming.policy):
        does = _texts_of(statement, "actions")
        said = plain(words.actions(_plainly(statement)))
        yield Fault(f"{member} of a {kind} lets the role {said}.", " ".join([kind, *does]))


def _letting_in(one: Elsewhere, policy: Policy) -> Iterator[Statement]:
    """The statements by which the role may do what not every role of its account may."""
    account = parts(one.naming.arn, ":")[4]
    root = {"AWS": f"arn:aws:iam::{account}:root"}
    by_iam = guide.policy_document({"Effect": "Allow", "Principal": root, "Action": "*", "Resource": "*"})
    ask = one.context.ask
    for_all = ask.beyond(policy, by_iam, f"arn:aws:iam::{account}:role/{NOBODY}")
    everybodys = [witness.statement for witness in for_all]
    of_role = (witness.statement for witness in ask.beyond(policy, by_iam, one.naming.arn))
    for statement in {id(each): each for each in of_role}.values():
        if statement.unreadable or statement not in everybodys:
            yield statement


def _says_whom(member: str) -> bool:
    """Whether a property, by its path, says whom its resource lets in."""
    names = [one for one in member.split(".") if not one.isdecimal()]
    of_aws = takewhile(lambda name: not _FREE.fullmatch(name), names)
    return not _TAKEN_ON.fullmatch(names[-1]) and any(map(_LET_IN.fullmatch, of_aws))


@rule(
    "output-value",
    Carried,
    sentence="What an output gives for Pinecone's console is the role or the key.",
    allows="Pinecone would encrypt with a key, or assume a role, of somebody else, for good.",
    cure="Set the output's Value to the ARN of the role or the key.",
)
def other_output(one: Carried) -> Iterator[Fault]:
    """An output that gives something else."""
    output = one.output
    if output.of is not None or output.label not in ("Role ARN", "Key ARN"):
        return
    for value in dict.fromkeys(now.value for now in output.cases):
        what = f"The output for {output.label} in Pinecone's console gives {Quoted(value)}, "
        if not _is_given(value, output.label, one.accounts):
            yield Fault(f"{what}which is neither in the templates nor of their account.", value)
        elif one.instead:
            yield Fault(f"{what}and not {Quoted(one.instead[0])} of its own stack.", value)


def _is_given(value: str, label: str, accounts: frozenset[str]) -> bool:
    """Whether it may be a role or key of the account that was given to a construct."""
    found = parts(value, ":")
    if len(found) != 6 or is_unreadable(value):
        return False
    service, kind = ("iam", "role/") if label == "Role ARN" else ("kms", "key/")
    of_account = found[4] in accounts or not all(map(is_known, accounts))
    return found[2] == service and of_account and found[5].startswith(kind)
