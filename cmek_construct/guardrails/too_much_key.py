"""Too much in a key policy: who may do more with the key than its limit says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from cmek_construct import guide
from cmek_construct import warnings as ids
from cmek_construct.guardrails.excess import actions_of, said, shown
from cmek_construct.guardrails.judged import KeyExcess, KeyUse, Trust
from cmek_construct.guardrails.rule import Fault, rule
from cmek_construct.policy.principals import DELETED
from cmek_construct.policy.sentences import Quoted
from cmek_construct.templates.evidence import allowing
from cmek_construct.templates.texts import is_unreadable


def key_limit(use: KeyUse) -> guide.Policy:
    """The owner's account rules the key; the role, and who is of another account, uses it."""
    owner = use.now.account
    others: dict[str, Any] = {"StringEquals": {"aws:PrincipalAccount": owner}}
    if use.role_arns:
        others["ArnNotEquals"] = {"aws:PrincipalArn": list(use.role_arns)}
    people = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*", "Condition": others}
    users = dict.fromkeys([*use.role_arns, *_foreigners(use), *sorted(use.context.vendors)])
    return guide.policy_document(
        guide.root_statement(owner),
        people,
        *(statement for user in users for statement in guide.role_statements(user, guide.KeyAccess.KEY_USER)),
    )


def _foreigners(use: KeyUse) -> Iterator[str]:
    """The AWS principals of other accounts that are let in by name."""
    for statement in allowing(use.now.policy):
        for one in statement.principals or ():
            known = one.name == "*" or one.name in use.role_arns or use.is_own(one.name)
            deleted = DELETED.fullmatch(one.name)
            if one.kind == "AWS" and not (known or deleted or is_unreadable(one.name)):
                yield one.name


_FOREIGN: Final = {
    "sentence": "The key policy allows nothing to another account or a service, but for a vendor's "
    "role that was declared.",
    "allows": "They could use the key and read what it encrypts.",
    "cure": "Take the principal out; or declare a vendor's role, by "
    "CmekGuardrails(vendor_role_arns=[…]) or with CustomerKey.",
}


@rule(
    "key-role-access",
    KeyExcess,
    sentence="Pinecone's role, and whoever is of another account, is no more than a key user of the KMS console.",
    allows="They could do more than to use the key: change its policy, disable it or have it deleted.",
    cure=f"Leave {', '.join(guide.KEY_USE[:-1])} and {guide.KEY_USE[-1]}.",
)
def role_access(excess: KeyExcess) -> Iterator[Fault]:
    """More than a key user may."""
    if _is_user(excess) and excess.witness.request.action not in guide.GRANTS:
        yield _of_key(excess, *actions_of(excess.witness))


@rule(
    "key-grants",
    KeyExcess,
    sentence="The role makes grants for AWS services alone.",
    allows="They could hand the use of the key to anybody, by a grant that outlives a change of the policy.",
    cure="Set the condition Bool kms:GrantIsForAWSResource true, or take the grant actions out.",
)
def role_grants(excess: KeyExcess) -> Iterator[Fault]:
    """Grants to others than AWS services."""
    if _is_user(excess):
        yield _of_key(excess, *actions_of(excess.witness))


@rule(
    "key-open-to-all",
    KeyExcess,
    sentence="The key policy allows nothing to everybody.",
    allows="Everybody who meets its conditions could do so, in whatever account.",
    cure="Name the roles of your account that need the key.",
)
def key_open_to_all(excess: KeyExcess) -> Iterator[Fault]:
    """An Allow for everybody, or for all but some."""
    if excess.who == "*":
        yield Fault(said(excess), " ".join(["*", *actions_of(excess.witness)]))


@rule(ids.FOREIGN_PRINCIPAL, KeyExcess, **_FOREIGN)
def foreign_kind(excess: KeyExcess) -> Iterator[Fault]:
    """A service."""
    yield _of_key(excess)


@rule(ids.FOREIGN_PRINCIPAL, KeyUse, **_FOREIGN)
def foreign_principal(use: KeyUse) -> Iterator[Fault]:
    """Somebody of another account, by name or by a parameter."""
    for who in dict.fromkeys(_foreigners(use)):
        if who not in use.context.vendors:
            what = f"The key policy lets in {Quoted(shown(use, who))}, who is not seen to be of "
            meant = "The prop role names this role of another account"
            is_meant = who == use.role_of_construct
            text = f"{what}the key's account."
            yield Fault(text, shown(use, who), meant if is_meant else None)


@rule(ids.FOREIGN_PRINCIPAL, KeyUse, **_FOREIGN)
def signed_in_elsewhere(use: KeyUse) -> Iterator[Fault]:
    """Somebody who signs in elsewhere: AWS does not say what a key policy lets them do."""
    for statement in allowing(use.now.policy):
        for one in statement.principals or ():
            if one.kind == "Federated":
                text = f"The key policy lets in {Quoted(one.name)}, who signs in elsewhere."
                yield Fault(text, one.name)


def _is_user(excess: KeyExcess) -> bool:
    """Whether it is about the role, or one who may be no more than a user either."""
    use, who = excess.of, excess.who
    if who in use.role_arns or who in use.context.vendors or who in set(_foreigners(use)):
        return True
    return use.is_own(who) and excess.witness.statement.principals is not None


def _of_key(excess: KeyExcess, *actions: str) -> Fault:
    who = shown(excess.of, excess.who)
    return Fault(said(excess), " ".join([who, *actions]))


@rule(
    "deleted-principal",
    Trust,
    KeyUse,
    sentence="Nobody who was deleted is named.",
    allows="Nobody: it matches no one, not even a role made again under the old name.",
    cure="Take it out; name the new role by its ARN.",
)
def deleted(subject: Trust | KeyUse) -> Iterator[Fault]:
    """The unique ID that AWS puts in the place of a role or user that was deleted."""
    for statement in subject.policy.statements:
        for one in statement.principals or ():
            if one.kind == "AWS" and DELETED.fullmatch(one.name):
                what = f"{one.name}, the ID of a role or user that was deleted, in "
                what += f"{Quoted(statement.name)}."
                yield Fault(f"{subject.where} names {what}", one.name)
