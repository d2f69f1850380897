"""Too much: what a trust policy or a key policy allows beyond its limit.

Of one principal and statement the first rule that is about it names it. The order is from the narrow to the wide: the
last takes what is left.
"""

import fnmatch
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from cmek_construct import guide
from cmek_construct import warnings as ids
from cmek_construct.guardrails.rule import ACCESS_UNREAD, ANY_REGION, PINECONES_ROLE, KeyUse, Rule, Trust, Violation
from cmek_construct.policy import Witness, aws, words
from cmek_construct.policy.statements import DELETED
from cmek_construct.policy.text import is_unreadable, parts
from cmek_construct.policy.words import Quoted, plain
from cmek_construct.templates.evidence import LOOK_ALIKE, allowing


def _beyond(
    subject: Trust | KeyUse, limit: guide.Policy, name: Callable[[Witness, str], tuple[Rule, str]]
) -> Iterator[Violation]:
    """What a policy allows beyond its limit: each statement and principal under one rule; and whom it names in vain."""
    found: dict[int, list[tuple[Rule, Violation]]] = {}
    for witness in subject.context.ask.beyond(subject.now.policy, limit):
        statement = witness.statement
        maybe = () if witness.certain else witness.hangs_on
        everybody = statement.not_principals is not None or any(one.name == "*" for one in statement.principals or ())
        for who in ("*",) if everybody else witness.principals:
            texts = (who, *statement.compared(aws.PRINCIPAL_ARN), *statement.compared(aws.EXTERNAL_ID), *maybe)
            # What cannot be read may be anything.
            hidden = [*filter(is_unreadable, texts), *statement.unreadable]
            if hidden:
                rule, whom = ACCESS_UNREAD, hidden[0]
                what = f"{subject.where} has {Quoted(whom)}, which cannot be judged from the template."
            else:
                rule, whom = name(witness, who)
                narrowed = replace(witness, principals=(who,), actions=tuple(_actions_of(witness)))
                said = f"{Quoted(statement.name)}: {plain(words.of_witness(narrowed, subject.now.account))}"
                what = subject.place.stack.short(f"{subject.where}, {said}")
            found.setdefault(id(statement), []).append((rule, rule.broken(subject.place, what, whom)))
    for some in found.values():
        rules = {rule for rule, _ in some}
        yield from (one for rule, one in some if not rules.intersection(_SAID_BY.get(rule, ())))
    # The unique ID that AWS puts in the place of a role or user that was deleted.
    for statement in subject.now.policy.statements:
        for one in statement.principals or ():
            if one.kind == "AWS" and DELETED.fullmatch(one.name):
                what = f"{one.name}, the ID of a role or user that was deleted, in {Quoted(statement.name)}."
                yield DELETED_PRINCIPAL.broken(subject.place, f"{subject.where} names {what}", one.name)


def _actions_of(witness: Witness) -> list[str]:
    """The actions as the statement has them."""
    written = witness.statement.actions
    if written is None:
        others = witness.statement.not_actions or ()
        return ["all but", *others] if others else list(witness.actions)
    found = [text for text in written if any(fnmatch.fnmatchcase(one.lower(), text.lower()) for one in witness.actions)]
    return found or list(witness.actions)


# The key policy.

ROLE_ACCESS: Final = Rule(
    "key-role-access",
    sentence="Pinecone's role, and whoever is of another account, is no more than a key user of the KMS console.",
    allows="They could do more than to use the key: change its policy, disable it or have it deleted.",
    cure=f"Leave {', '.join(guide.KEY_USE[:-1])} and {guide.KEY_USE[-1]}.",
)
GRANTS: Final = Rule(
    "key-grants",
    sentence="The role makes grants for AWS services alone.",
    allows="They could hand the use of the key to anybody, by a grant that outlives a change of the policy.",
    cure="Set the condition Bool kms:GrantIsForAWSResource true, or take the grant actions out.",
)
KEY_OPEN: Final = Rule(
    "key-open-to-all",
    sentence="The key policy allows nothing to everybody.",
    allows="Everybody who meets its conditions could do so, in whatever account.",
    cure="Name the roles of your account that need the key.",
)
FOREIGN: Final = Rule(
    ids.FOREIGN_PRINCIPAL,
    sentence="The key policy allows nothing to another account or a service, but for a vendor's "
    "role that was declared.",
    allows="They could use the key and read what it encrypts.",
    cure="Take the principal out; or declare a vendor's role, by CmekGuardrails(vendor_role_arns=[…]) or with "
    "CustomerKey.",
)
DELETED_PRINCIPAL: Final = Rule(
    "deleted-principal",
    sentence="Nobody who was deleted is named.",
    allows="Nobody: it matches no one, not even a role made again under the old name.",
    cure="Take it out; name the new role by its ARN.",
)


def of_key(use: KeyUse) -> Iterator[Violation]:
    """Who may do more with the key than its limit says, or is of another account."""
    owner, vendors, shown = use.now.account, use.context.vendors, use.place.stack.short
    every = dict.fromkeys(one for statement in allowing(use.now.policy) for one in statement.principals or ())
    names = [one.name for one in every if one.kind == "AWS" and one.name not in ("*", *use.role_arns)]
    others = [one for one in names if not (_is_of(one, owner) or DELETED.fullmatch(one) or is_unreadable(one))]
    elsewhere = [one.name for one in every if one.kind == "Federated"]
    users = dict.fromkeys([*use.role_arns, *others, *sorted(vendors)])

    def named(witness: Witness, who: str) -> tuple[Rule, str]:
        does = " ".join([shown(who), *_actions_of(witness)])
        if who in elsewhere:
            return FOREIGN, shown(who)
        if who in users or (_is_of(who, owner) and witness.statement.principals is not None):
            return (GRANTS if witness.request.action in guide.GRANTS else ROLE_ACCESS), does
        return (KEY_OPEN, does) if who == "*" else (FOREIGN, shown(who))

    # The owner's account rules the key; the role, and who is of another account, uses it.
    of_account: dict[str, Any] = {"StringEquals": {"aws:PrincipalAccount": owner}}
    if use.role_arns:
        of_account["ArnNotEquals"] = {"aws:PrincipalArn": use.role_arns}
    people = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*", "Condition": of_account}
    used = (statement for user in users for statement in guide.role_statements(user, guide.KeyAccess.KEY_USER))
    yield from _beyond(use, guide.policy_document(guide.root_statement(owner), people, *used), named)
    of_construct = use.context.found.run.said_of(use.place.stack, use.place.logical_id, use.case)
    for who in (one for one in others if one not in vendors):
        what = f"The key policy lets in {Quoted(shown(who))}, who is not seen to be of the key's account."
        meant = "The prop role names this role of another account" if who == of_construct else None
        yield FOREIGN.broken(use.place, what, shown(who), meant)


def _is_of(name: str, account: str) -> bool:
    """Whether a principal is an account, or one of it."""
    found = parts(name, ":")
    return account in (name, found[4] if len(found) > 5 else None)


# The trust policy.

_WHOLE: Final = re.compile(r"\*|[0-9]{12}|arn:[^:]*:iam::[^:]*:root")
_GUIDE: Final = "Write one of the three trust policies of Pinecone's guide (step 1.5)."
_NUMBER: Final = "Copy Pinecone's number from the Pinecone console, Manage > CMEK > Add CMEK."
PARTITION: Final = Rule(
    "trust-partition",
    sentence="Pinecone's roles are of the AWS partition aws.",
    allows="An account of that partition, which is not Pinecone's, would be trusted.",
    cure=_GUIDE,
)
OWN_ACCOUNT: Final = Rule(
    "trust-own-account",
    sentence="Pinecone's account is not the role's own.",
    allows="Your own roles of Pinecone's names could assume the role; Pinecone could not.",
    cure=_NUMBER,
)
ACCOUNTS: Final = Rule(
    "trust-accounts",
    sentence="Pinecone's account is one.",
    allows="Roles of Pinecone's names in an account that is not Pinecone's could assume the role.",
    cure=_NUMBER,
)
LOOKS_ALIKE: Final = Rule(
    "trust-look-alike",
    sentence="Pinecone's roles are named to the letter: pinecone_cmek_access_<region>.",
    allows="Whoever makes a role of this name could assume the role; Pinecone could not.",
    cure=_GUIDE,
)
ACTION: Final = Rule(
    "trust-action",
    sentence="The trust policy allows sts:AssumeRole alone.",
    allows="Who is let in could do more than to assume the role, such as tag its sessions or come with a web identity.",
    cure="Leave sts:AssumeRole as the one action.",
)
EXTERNAL_ID: Final = Rule(
    "trust-external-id",
    sentence="An external ID is one legal value, always asked for, and the one of the output.",
    allows="Pinecone could be made to use the role for another of its customers, who presents another external ID.",
    cure="Ask for the one external ID of cmek.yaml, by StringEquals.",
)
PATTERN: Final = Rule(
    "trust-principal-pattern",
    sentence="aws:PrincipalArn is compared with Pinecone's roles of Pinecone's account alone.",
    allows="Roles that are not Pinecone's could assume the role, with the external ID.",
    cure=f"{_GUIDE} Where its account is a parameter: AllowedPattern: '[0-9]{{12}}', so that nobody types a wildcard.",
)
TRUST_OPEN: Final = Rule(
    "trust-open-to-all",
    sentence="Everybody, or a whole account, is named under both conditions of the guide's third trust policy alone.",
    allows="Everybody there could assume the role.",
    cure="Ask for sts:ExternalId by StringEquals and for aws:PrincipalArn by StringLike, or name Pinecone's roles.",
)
FOREIGN_IN_TRUST: Final = Rule(
    "trust-foreign-principal",
    sentence="The trust policy names Pinecone's CMEK roles and nobody else.",
    allows="They could assume the role and decrypt what Pinecone stores.",
    cure="Take the principal out of the role's trust policy; give who needs it a role of its own.",
)
_SAID_BY: Final = {
    EXTERNAL_ID: [TRUST_OPEN],
    ACTION: [TRUST_OPEN],
    GRANTS: [ROLE_ACCESS, KEY_OPEN],
    ROLE_ACCESS: [KEY_OPEN],
}
"""What another rule says already, of the same statement."""


def of_trust(trust: Trust) -> Iterator[Violation]:
    """Who else than Pinecone may assume the role, and how."""
    own, pinecone = trust.now.account, trust.pinecone
    values = (pinecone, trust.external_id)
    unread = [one for one in values if one and one.startswith("${") and one[2:-1] not in trust.context.typed]
    for whom in map(trust.place.stack.short, unread):
        what = f"The trust policy has {whom} in the place of an account or an ID."
        yield ACCESS_UNREAD.broken(trust.place, what, whom)

    def named(witness: Witness, who: str) -> tuple[Rule, str]:
        statement, whom = witness.statement, trust.place.stack.short(who)
        role, in_any, is_whole = PINECONES_ROLE.fullmatch(who), ANY_REGION.fullmatch(who), _WHOLE.fullmatch(who)
        asked = ANY_REGION.fullmatch(witness.request.principal)
        arns = statement.compared(aws.PRINCIPAL_ARN)
        accounts = {it["account"] for it in map(ANY_REGION.fullmatch, arns) if it} if is_whole else set()
        of_whom = role or (asked if is_whole else None)
        is_pinecone = of_whom is not None and of_whom["account"] == pinecone
        if re.match(r"arn:aws-[a-z-]+:", who) and LOOK_ALIKE.search(who):
            return PARTITION, whom
        if own in accounts or who in (own, f"arn:aws:iam::{own}:root") or (in_any and in_any["account"] == own):
            return OWN_ACCOUNT, whom
        if pinecone and of_whom and of_whom["account"] != pinecone and (role or of_whom["account"] in accounts):
            return ACCOUNTS, whom
        if LOOK_ALIKE.search(who) and not is_pinecone:
            return LOOKS_ALIKE, whom
        if is_pinecone and witness.request.action != "sts:AssumeRole":
            return ACTION, " ".join(_actions_of(witness))
        if is_pinecone:
            ids = [f"{one.operator} {' '.join(one.values)}" for one in statement.on(aws.EXTERNAL_ID)]
            said = " ".join(ids) or "none"
            return EXTERNAL_ID, trust.place.stack.short(said) if said.startswith("StringLike ") else said
        if pinecone in unread and accounts == {pinecone}:
            return ACCESS_UNREAD, trust.place.stack.short(str(pinecone))
        if is_whole:
            return (PATTERN, f"{whom} {' '.join(arns)}") if arns else (TRUST_OPEN, whom)
        return FOREIGN_IN_TRUST, whom

    yield from _beyond(trust, trust.limit, named)


def not_to_the_letter(trust: Trust) -> Iterator[Violation]:
    """One of Pinecone's roles in capitals or under a path, where IAM keeps one name a role."""
    for one in (one for statement in allowing(trust.now.policy) for one in statement.principals or ()):
        name = parts(one.name, "/")[-1].lower()
        is_like = name.startswith(guide.ROLE_NAME_PREFIX) and one.name.startswith("arn:aws:iam:")
        if is_like and not (ANY_REGION.fullmatch(one.name) or is_unreadable(one.name)):
            whom = trust.place.stack.short(one.name)
            what = f"The trust policy names {Quoted(whom)}, which is not to the letter one of Pinecone's roles."
            yield LOOKS_ALIKE.broken(trust.place, what, whom)
