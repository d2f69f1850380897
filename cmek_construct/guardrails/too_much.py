"""Too much: what a policy may allow somebody beyond its limit, named by the dimension it is in.

Of one principal and statement the first rule that is about it names it. The order is from the
narrow to the wide: the last of each policy takes what is left.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from cmek_construct import guide
from cmek_construct.guardrails import ids
from cmek_construct.guardrails.judged import (
    Carried,
    KeyExcess,
    KeyUse,
    Permission,
    Trust,
    TrustExcess,
)
from cmek_construct.guardrails.meant import (
    ANY_REGION,
    EXTERNAL,
    PINECONES_ROLE,
    PRINCIPAL_ARN,
    values_of,
)
from cmek_construct.guardrails.rule import Fault, rule
from cmek_construct.policy import Policy, Statement, Witness, canonical, read, words
from cmek_construct.policy.principals import DELETED
from cmek_construct.policy.sentences import Quoted, plain
from cmek_construct.templates.evidence import allowing
from cmek_construct.templates.found import Naming
from cmek_construct.templates.texts import is_known, is_unreadable, parts

_LOOK_ALIKE: Final = re.compile(r"pine[-_]?cone[^:\"]*(cmek|cmk)", re.IGNORECASE)
_WHOLE: Final = re.compile(r"\*|[0-9]{12}|arn:[^:]*:iam::[^:]*:root")
_ALL_KEYS: Final = re.compile(r"arn:aws:kms:\*:(?P<account>[0-9]{12}):key/\*")
_ONE_KEY: Final = re.compile(
    r"arn:aws:kms:[a-z0-9-]+:(?P<account>[0-9]{12}):key/[A-Za-z0-9-]{1,64}"
)
_GRANTS_NOTHING: Final = ("AWS::EC2::VPCEndpoint", "AWS::Organizations::Policy")
"""Their policies only narrow what others allow."""
_LETS_IN: Final = re.compile(r"principal|grantee|\badmins?\b", re.IGNORECASE)
"""Properties in which a resource says whom it lets in."""
_GUIDE: Final = "Write one of the three trust policies of Pinecone's guide (step 1.5)."
_NUMBER: Final = "Copy Pinecone's number from the Pinecone console, Manage > CMEK > Add CMEK."
_READABLE: Final = {
    "sentence": "Everything that says who may do what can be read from the template.",
    "allows": "Nobody can tell whom it lets in before it is deployed.",
    "cure": "Write it out, or for an external ID take a parameter.",
}


# Whom the trust policy lets in.


def trust_excesses(trust: Trust) -> Iterator[TrustExcess]:
    """What a trust policy may allow, and the guide's does not, principal by principal."""
    policy = trust.now.trust
    for one in trust.context.ask.beyond(policy, trust.meant.limit(policy)):
        for who in _named(one):
            yield TrustExcess(trust, one, who)


@rule(ids.CANNOT_BE_JUDGED, TrustExcess, **_READABLE)
def unread_trust(excess: TrustExcess) -> Iterator[Fault]:
    """What cannot be read, and may be anything."""
    yield from _unread("The trust policy", excess.witness, excess.who)


@rule(
    "trust-partition",
    TrustExcess,
    sentence="Pinecone's roles are of the AWS partition aws.",
    allows="An account of that partition, which is not Pinecone's, would be trusted.",
    cure=_GUIDE,
)
def other_partition(excess: TrustExcess) -> Iterator[Fault]:
    """A role of another AWS partition."""
    if re.match(r"arn:aws-[a-z-]+:", excess.who) and _LOOK_ALIKE.search(excess.who):
        yield _by_whom(excess)


@rule(
    "trust-own-account",
    TrustExcess,
    sentence="Pinecone's account is not the role's own.",
    allows="Your own roles of Pinecone's names could assume the role; Pinecone could not.",
    cure=_NUMBER,
)
def own_account(excess: TrustExcess) -> Iterator[Fault]:
    """The account of the role itself in the place of Pinecone's."""
    own = excess.of.now.account
    form = ANY_REGION.fullmatch(excess.who)
    in_pattern = _WHOLE.fullmatch(excess.who) and own in _accounts_compared(excess)
    if (
        in_pattern
        or excess.who in (own, f"arn:aws:iam::{own}:root")
        or (form and form["account"] == own)
    ):
        yield _by_whom(excess)


@rule(
    "trust-accounts",
    TrustExcess,
    sentence="Pinecone's account is one.",
    allows="Roles of Pinecone's names in an account that is not Pinecone's could assume the role.",
    cure=_NUMBER,
)
def accounts(excess: TrustExcess) -> Iterator[Fault]:
    """A second account in the place of Pinecone's."""
    account = excess.of.meant.account
    form = PINECONES_ROLE.fullmatch(excess.who)
    others = set(_accounts_compared(excess)) - {account} if account else set()
    asked = ANY_REGION.fullmatch(excess.witness.request.principal)
    in_pattern = _WHOLE.fullmatch(excess.who) and asked and asked["account"] in others
    if in_pattern or (form and account and form["account"] != account):
        yield _by_whom(excess)


@rule(
    "trust-look-alike",
    TrustExcess,
    sentence="Pinecone's roles are named to the letter: pinecone_cmek_access_<region>.",
    allows="Whoever makes a role of this name could assume the role; Pinecone could not.",
    cure=_GUIDE,
)
def look_alike(excess: TrustExcess) -> Iterator[Fault]:
    """A role that is called nearly as Pinecone's."""
    if _LOOK_ALIKE.search(excess.who) and not _is_pinecone(excess):
        yield _by_whom(excess)


@rule(
    "trust-action",
    TrustExcess,
    sentence="The trust policy allows sts:AssumeRole alone.",
    allows="Who is let in could do more than to assume the role, such as tag its sessions or come "
    "with a web identity.",
    cure="Leave sts:AssumeRole as the one action.",
)
def action(excess: TrustExcess) -> Iterator[Fault]:
    """Pinecone may do something else than to assume the role."""
    if _is_pinecone(excess) and excess.witness.request.action != "sts:AssumeRole":
        yield Fault(_said("The trust policy", excess), " ".join(_actions(excess.witness)))


@rule(
    "trust-external-id",
    TrustExcess,
    sentence="An external ID is one legal value, always asked for, and the one of the output.",
    allows="Pinecone could be made to use the role for another of its customers, who presents "
    "another external ID.",
    cure="Ask for the one external ID of cmek.yaml, by StringEquals.",
)
def external_id(excess: TrustExcess) -> Iterator[Fault]:
    """Pinecone may come in with another external ID, or with none."""
    if _is_pinecone(excess):
        asked = [
            f"{one.operator} {' '.join(one.values)}"
            for one in excess.witness.statement.conditions
            if one.key.lower() == EXTERNAL
        ]
        yield Fault(_said("The trust policy", excess), " ".join(asked) or "none")


@rule(
    "trust-principal-pattern",
    TrustExcess,
    sentence="aws:PrincipalArn is compared with Pinecone's roles of Pinecone's account alone.",
    allows="Roles that are not Pinecone's could assume the role, with the external ID.",
    cure=_GUIDE,
)
def principal_pattern(excess: TrustExcess) -> Iterator[Fault]:
    """In the guide's third policy: others than Pinecone's roles in one account."""
    compared = list(values_of(excess.witness.statement, PRINCIPAL_ARN))
    if _WHOLE.fullmatch(excess.who) and compared:
        yield _by_whom(excess, " ".join(compared))


@rule(
    "trust-open-to-all",
    TrustExcess,
    sentence="Everybody, or a whole account, is named under both conditions of the guide's third "
    "trust policy alone.",
    allows="Everybody there could assume the role.",
    cure="Ask for sts:ExternalId by StringEquals and for aws:PrincipalArn by StringLike, or name "
    "Pinecone's roles.",
)
def open_to_all(excess: TrustExcess) -> Iterator[Fault]:
    """Everybody, a whole account, or all but some."""
    if _WHOLE.fullmatch(excess.who):
        yield _by_whom(excess)


@rule(
    "trust-foreign-principal",
    TrustExcess,
    sentence="The trust policy names Pinecone's CMEK roles and nobody else.",
    allows="They could assume the role and decrypt what Pinecone stores.",
    cure="Take the principal out of the role's trust policy; give who needs it a role of its own.",
)
def foreign_in_trust(excess: TrustExcess) -> Iterator[Fault]:
    """Somebody who is not Pinecone, nor looks like it."""
    yield _by_whom(excess)


@rule(
    "trust-look-alike",
    Trust,
    sentence="Pinecone's roles are named to the letter: pinecone_cmek_access_<region>.",
    allows="Whoever makes a role of this name could assume the role; Pinecone could not.",
    cure=_GUIDE,
)
def other_spelling(trust: Trust) -> Iterator[Fault]:
    """One of Pinecone's roles in capitals or under a path, where IAM keeps one name a role."""
    for statement in allowing(trust.now.trust):
        for one in statement.principals or ():
            name = parts(one.name, "/")[-1].lower()
            is_like = name.startswith(guide.ROLE_NAME_PREFIX) and one.name.startswith(
                "arn:aws:iam:"
            )
            if is_like and not (ANY_REGION.fullmatch(one.name) or is_unreadable(one.name)):
                what = f"The trust policy names {Quoted(shown(trust, one.name))}, which is not to "
                yield Fault(f"{what}the letter one of Pinecone's roles.", shown(trust, one.name))


@rule(ids.CANNOT_BE_JUDGED, Trust, **_READABLE)
def not_typed(trust: Trust) -> Iterator[Fault]:
    """What only the deploy knows, and no deployer gives, in the place of an account or an ID."""
    for text in (trust.meant.account, trust.meant.external_id):
        if text and text.startswith("${") and text[2:-1] not in trust.context.typed:
            what = f"The trust policy has {shown(trust, text)} in the place of an account or an ID."
            yield Fault(what, shown(trust, text))


def _accounts_compared(excess: TrustExcess) -> Iterator[str]:
    for value in values_of(excess.witness.statement, PRINCIPAL_ARN):
        found = ANY_REGION.fullmatch(value)
        if found:
            yield found["account"]


def _is_pinecone(excess: TrustExcess) -> bool:
    """Whether it is about one of Pinecone's roles that is meant."""
    account = excess.of.meant.account
    named = PINECONES_ROLE.fullmatch(excess.who)
    if named:
        return named["account"] == account
    asked = ANY_REGION.fullmatch(excess.witness.request.principal)
    return bool(_WHOLE.fullmatch(excess.who) and asked and asked["account"] == account)


def _by_whom(excess: TrustExcess, besides: str = "") -> Fault:
    whom = f"{shown(excess.of, excess.who)} {besides}"
    return Fault(_said("The trust policy", excess), whom.strip())


# Who may use the key.


def key_excesses(use: KeyUse) -> Iterator[KeyExcess]:
    """What a key policy may allow beyond its limit, principal by principal."""
    policy = use.now.policy
    for one in use.context.ask.beyond(policy, key_limit(use)):
        for who in _named(one):
            yield KeyExcess(use, one, who)


def key_limit(use: KeyUse) -> Policy:
    """The owner's account rules the key; the role, and who is of another account, uses it."""
    owner = use.now.account
    others: dict[str, Any] = {"StringEquals": {"aws:PrincipalAccount": owner}}
    if use.role_arns:
        others["ArnNotEquals"] = {"aws:PrincipalArn": list(use.role_arns)}
    people = {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": "kms:*",
        "Resource": "*",
        "Condition": others,
    }
    users = dict.fromkeys([*use.role_arns, *_foreigners(use), *sorted(use.context.vendors)])
    document = guide.policy_document(
        guide.root_statement(owner),
        people,
        *(
            statement
            for user in users
            for statement in guide.role_statements(user, guide.KeyAccess.KEY_USER)
        ),
    )
    policy = use.now.policy
    return read(document, "key", resource=policy.resource, texts=canonical, forms=policy.forms)


def _foreigners(use: KeyUse) -> Iterator[str]:
    """The AWS principals of other accounts that are let in by name."""
    for statement in allowing(use.now.policy):
        for one in statement.principals or ():
            known = one.name == "*" or one.name in use.role_arns or use.is_own(one.name)
            deleted = DELETED.fullmatch(one.name)
            if one.kind == "AWS" and not (known or deleted or is_unreadable(one.name)):
                yield one.name


@rule(ids.CANNOT_BE_JUDGED, KeyExcess, **_READABLE)
def unread_key(excess: KeyExcess) -> Iterator[Fault]:
    """What cannot be read, and may be anything."""
    yield from _unread("The key policy", excess.witness, excess.who)


@rule(
    "key-role-access",
    KeyExcess,
    sentence="Pinecone's role, and whoever is of another account, is no more than a key user of "
    "the KMS console.",
    allows="They could do more than to use the key: change its policy, disable it or have it "
    "deleted.",
    cure=f"Leave {', '.join(guide.KEY_USE[:-1])} and {guide.KEY_USE[-1]}.",
)
def role_access(excess: KeyExcess) -> Iterator[Fault]:
    """More than a key user may."""
    if _is_user(excess) and excess.witness.request.action not in guide.GRANTS:
        yield _of_key(excess, *_actions(excess.witness))


@rule(
    "key-grants",
    KeyExcess,
    sentence="The role makes grants for AWS services alone.",
    allows="They could hand the use of the key to anybody, by a grant that outlives a change of "
    "the policy.",
    cure="Set the condition Bool kms:GrantIsForAWSResource true, or take the grant actions out.",
)
def role_grants(excess: KeyExcess) -> Iterator[Fault]:
    """Grants to others than AWS services."""
    if _is_user(excess):
        yield _of_key(excess, *_actions(excess.witness))


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
        yield Fault(_said("The key policy", excess), " ".join(["*", *_actions(excess.witness)]))


@rule(
    ids.FOREIGN_PRINCIPAL,
    KeyExcess,
    sentence="The key policy allows nothing to another account or a service, but for a vendor's "
    "role that was declared.",
    allows="They could use the key and read what it encrypts.",
    cure="Take the principal out; or declare a vendor's role, by "
    "CmekGuardrails(vendor_role_arns=[…]) or with CustomerKey.",
)
def foreign_kind(excess: KeyExcess) -> Iterator[Fault]:
    """A service, or somebody who signs in elsewhere."""
    yield _of_key(excess)


@rule(
    ids.FOREIGN_PRINCIPAL,
    KeyUse,
    sentence="The key policy allows nothing to another account or a service, but for a vendor's "
    "role that was declared.",
    allows="They could use the key and read what it encrypts.",
    cure="Take the principal out; or declare a vendor's role, by "
    "CmekGuardrails(vendor_role_arns=[…]) or with CustomerKey.",
)
def foreign_principal(use: KeyUse) -> Iterator[Fault]:
    """Somebody of another account, by name or by a parameter."""
    for who in dict.fromkeys(_foreigners(use)):
        if who not in use.context.vendors:
            what = f"The key policy lets in {Quoted(shown(use, who))}, who is not seen to be of "
            yield Fault(f"{what}the key's account.", shown(use, who))


def _is_user(excess: KeyExcess) -> bool:
    """Whether it is about the role, or one who may be no more than a user either."""
    use, who = excess.of, excess.who
    if who in use.role_arns or who in use.context.vendors or who in set(_foreigners(use)):
        return True
    return use.is_own(who) and excess.witness.statement.principals is not None


def _of_key(excess: KeyExcess, *actions: str) -> Fault:
    who = shown(excess.of, excess.who)
    return Fault(_said("The key policy", excess), " ".join([who, *actions]))


# What both policies may name.


@rule(
    "deleted-principal",
    Trust,
    sentence="Nobody who was deleted is named.",
    allows="Nobody: it matches no one, not even a role made again under the old name.",
    cure="Take it out; name the new role by its ARN.",
)
def deleted_in_trust(trust: Trust) -> Iterator[Fault]:
    """The unique ID that AWS puts in the place of a role or user that was deleted."""
    yield from _deleted("The trust policy", trust.now.trust)


@rule(
    "deleted-principal",
    KeyUse,
    sentence="Nobody who was deleted is named.",
    allows="Nobody: it matches no one, not even a role made again under the old name.",
    cure="Take it out; name the new role by its ARN.",
)
def deleted_in_key(use: KeyUse) -> Iterator[Fault]:
    """The same in a key policy."""
    yield from _deleted("The key policy", use.now.policy)


def _deleted(where: str, policy: Policy) -> Iterator[Fault]:
    for statement in policy.statements:
        for one in statement.principals or ():
            if one.kind == "AWS" and DELETED.fullmatch(one.name):
                what = f"{where} names {one.name}, the ID of a role or user that was deleted, in "
                yield Fault(f"{what}{Quoted(statement.name)}.", one.name)


# What the role may do besides.

_PERMISSIONS: Final = {
    "sentence": "The role has no permissions but those on customers' keys of the guide's second "
    "tab.",
    "allows": "Pinecone could do so in your account, beside using the key.",
    "cure": "Take the policy off the role: the key policy lets it use the key.",
}


@rule(ids.CANNOT_BE_JUDGED, Permission, **_READABLE)
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
    policy = Policy("permissions", tuple(attached.policy.statements), forms=attached.policy.forms)
    excess = (
        permission.context.ask.beyond(policy, _second_tab(readable, permission)) if readable else []
    )
    for statement in readable:
        if any(one.statement is statement for one in excess):
            said = plain(words.of_statement(_plainly(statement)))
            does = [*_all(statement, "actions"), *_all(statement, "resources")]
            yield Fault(f"By {Quoted(attached.name)}: {said}", " ".join(does))


def _second_tab(statements: list[Statement], permission: Permission) -> Policy:
    """The guide's second tab, or exact keys of another account with a key user's actions."""
    found = []
    for text in (text for one in statements for text in one.resources or ()):
        for form, actions in ((_ALL_KEYS, guide.ENCRYPT_DECRYPT), (_ONE_KEY, guide.KEY_USE)):
            key = form.fullmatch(text)
            if key and key["account"] != permission.account:
                found.append({"Effect": "Allow", "Action": list(actions), "Resource": text})
    return read(guide.policy_document(*found), "permissions", texts=canonical)


@rule("role-permissions", Naming, **_PERMISSIONS)
def elsewhere(naming: Naming) -> Iterator[Fault]:
    """Another resource that lets the role in."""
    if naming.place.type in _GRANTS_NOTHING:
        return
    member, kind = Quoted(naming.member), naming.place.type
    if naming.policy is None:
        if _LETS_IN.search(naming.member):
            yield Fault(f"{member} of a {kind} names the role.", f"{kind} {naming.member}")
        return
    for statement in allowing(naming.policy):
        if _lets_in(statement, naming.text):
            does = _all(statement, "actions")
            said = plain(words.actions(_plainly(statement)))
            yield Fault(f"{member} of a {kind} lets the role {said}.", " ".join([kind, *does]))


def _lets_in(statement: Statement, text: str) -> bool:
    """Whether a statement lets in whom a text names: as a principal, or by a condition."""
    if any(one.name == text for one in statement.principals or ()):
        return True
    positive = [one for one in statement.conditions if "Not" not in one.operator]
    return any(one.key.lower() == PRINCIPAL_ARN and text in one.values for one in positive)


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


# Words.


def _named(witness: Witness) -> tuple[str, ...]:
    """The principals as the statement names them."""
    statement = witness.statement
    everybody = any(one.name == "*" for one in statement.principals or ())
    if everybody or statement.not_principals is not None:
        return ("*",)
    return witness.principals


def shown(subject: Trust | KeyUse, text: str) -> str:
    """A text for a person: what is of the same stack by its name alone."""
    stack = subject.place.stack
    return text.replace(f"${{{stack.named('')}", "${")


def _said(where: str, excess: TrustExcess | KeyExcess) -> str:
    account = excess.of.now.account
    words_of = plain(words.of_witness(_narrowed(excess), account))
    return f"{where}, {Quoted(excess.witness.statement.name)}: {words_of}"


def _narrowed(excess: TrustExcess | KeyExcess) -> Witness:
    """The witness, for one of its principals."""
    witness = excess.witness
    return replace(witness, principals=(excess.who,), actions=tuple(_actions(witness)))


def _actions(witness: Witness) -> list[str]:
    """The actions as the statement has them."""
    written = witness.statement.actions
    if written is None:
        others = witness.statement.not_actions or ()
        return ["all but", *others] if others else list(witness.actions)
    found = [
        text
        for text in written
        if any(fnmatch.fnmatchcase(one.lower(), text.lower()) for one in witness.actions)
    ]
    return found or list(witness.actions)


def _all(statement: Statement, member: str) -> list[str]:
    some, others = getattr(statement, member), getattr(statement, f"not_{member}")
    return list(some or ()) if some is not None else ["all but", *(others or ())]


def _plainly(statement: Statement) -> dict[str, Any]:
    return statement.raw if isinstance(statement.raw, dict) else {"Effect": statement.effect}


def _unread(where: str, witness: Witness, who: str) -> Iterator[Fault]:
    statement = witness.statement
    values = [*values_of(statement, PRINCIPAL_ARN), *values_of(statement, EXTERNAL)]
    maybe = () if witness.certain else witness.hangs_on
    hidden = [one for one in (who, *values, *maybe) if is_unreadable(one)]
    hidden += statement.unreadable
    if hidden:
        what = f"{where} has {Quoted(hidden[0])}, which cannot be judged from the template."
        yield Fault(what, hidden[0])
