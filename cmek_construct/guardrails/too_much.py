"""Too much: what a policy allows beyond its limit, and what goes to Pinecone's console.

Of one principal and statement of a key policy or a trust policy the first rule that is about it names it. The order is
from the narrow to the wide: the last takes what is left.
"""

import fnmatch
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import takewhile
from typing import Any, Final, TypeAlias

from cmek_construct import guide
from cmek_construct.guardrails.rule import ANY_ROLE, ONE_ROLE, KeyUse, Trust, Violation, broken, hidden
from cmek_construct.policy import Policy, Statement, Witness, aws, words
from cmek_construct.policy.questions import Questions
from cmek_construct.policy.statements import DELETED
from cmek_construct.policy.text import is_known, is_unreadable, parts
from cmek_construct.policy.words import Quoted, plain
from cmek_construct.templates.evidence import LOOK_ALIKE, NOBODY, allowing
from cmek_construct.templates.found import Attached, Found, Naming

# The role's own permissions, what lets it in elsewhere, and the outputs.

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
_CONSOLE: Final = {"Role ARN": ("iam", "role/"), "Key ARN": ("kms", "key/")}
"""The fields of Pinecone's console that take an ARN: of which service, and how what it names begins."""


def of_permission(attached: Attached, found: Found) -> Iterator[Violation]:
    """A policy of the role that says more than the guide's statement of a customer, or cannot be read."""
    name, place, policy, account = attached.name, attached.place, attached.policy, attached.role.stack.account
    if policy is None:
        if is_unreadable(name):
            yield broken(
                "cannot-be-judged", place, f"A policy of the role is {Quoted(name)}, which cannot be read.", name
            )
        elif not attached.is_boundary:
            what = f"The role has the policy {Quoted(name)}, which no template shows."
            yield broken("role-permissions", place, what, name)
        return
    for what in (what for statement in policy.statements for what in statement.unreadable):
        yield broken("cannot-be-judged", place, f"The policy {Quoted(name)} of the role has {Quoted(what)}.", what)
    # No template may say which account is the role's own, in which it has a key already.
    may_be_own = attached.role in found.keys_of and not is_known(account)
    readable = [statement for statement in allowing(policy) if not statement.unreadable]
    # The guide's second tab, or exact keys of another account with a key user's actions.
    limit = []
    for text in (text for one in readable if not may_be_own for text in one.resources or ()):
        for form, actions in ((_ALL_KEYS, guide.ENCRYPT_DECRYPT), (_ONE_KEY, guide.KEY_USE)):
            key = form.fullmatch(text)
            if key and key["account"] != account:
                limit.append({"Effect": "Allow", "Action": list(actions), "Resource": text})
    # Denials give nothing: they are looked at only where something is too much without them.
    excess = [] if attached.is_boundary else readable
    for statements in (tuple(allowing(policy)), policy.statements):
        asked = Policy("permissions", statements, forms=policy.forms)
        beyond = found.ask.beyond(asked, guide.policy_document(*limit)) if excess else []
        excess = [witness.statement for witness in beyond]
    for statement in (one for one in readable if any(one is too_much for too_much in excess)):
        said = plain(words.of_statement(_plainly(statement)))
        unknown = " No template says which account is its own." * may_be_own
        does = [*_texts_of(statement, "actions"), *_texts_of(statement, "resources")]
        yield broken("role-permissions", place, f"By {Quoted(name)}: {said}{unknown}", " ".join(does))


def _texts_of(statement: Statement, member: str) -> list[str]:
    some, others = getattr(statement, member), getattr(statement, f"not_{member}")
    return list(some) if some is not None else ["all but", *(others or ())]


def _plainly(statement: Statement) -> dict[str, Any]:
    return statement.raw if isinstance(statement.raw, dict) else {"Effect": statement.effect}


def of_naming(naming: Naming, ask: Questions) -> Iterator[Violation]:
    """Another resource that lets the role in."""
    kind, policy = naming.place.type, naming.policy
    if kind in _GRANTS_NOTHING:
        return
    where = f"{Quoted(naming.member)} of a {Quoted(kind)}"
    if policy is None:
        # Whether a property, by its path, says whom its resource lets in.
        names = [one for one in naming.member.split(".") if not one.isdecimal()]
        of_aws = takewhile(lambda name: not _FREE.fullmatch(name), names)
        if not _TAKEN_ON.fullmatch(names[-1]) and any(map(_LET_IN.fullmatch, of_aws)):
            yield broken("role-permissions", naming.place, f"{where} names the role.", f"{kind} {naming.member}")
        return
    # What the role may do and not every role of its account may.
    account = f"arn:aws:iam::{parts(naming.arn, ':')[4]}"
    root = {"Effect": "Allow", "Principal": {"AWS": f"{account}:root"}, "Action": "*", "Resource": "*"}
    everybodys, of_role = (
        [witness.statement for witness in ask.beyond(policy, guide.policy_document(root), who)]
        for who in (f"{account}:role/{NOBODY}", naming.arn)
    )
    for statement in {id(one): one for one in of_role}.values():
        if statement.unreadable or statement not in everybodys:
            what = f"{where} lets the role {plain(words.actions(_plainly(statement)))}."
            yield broken("role-permissions", naming.place, what, " ".join([kind, *_texts_of(statement, "actions")]))


def of_outputs(found: Found) -> Iterator[Violation]:
    """An output for Pinecone's console that gives something else than the role or key."""
    for output in (one for one in found.outputs if found.by_place and one.of is None and one.label in _CONSOLE):
        stack, (service, kind) = output.place.stack, _CONSOLE[output.label]
        those = [one for one in (found.roles if service == "iam" else found.keys) if one.place.stack is stack]
        instead = [one.place.logical_id for one in those if not one.outputs]
        known = {stack.account, *(place.stack.account for place in found.by_place)}
        for value in dict.fromkeys(now.value for now in output.cases):
            arn = parts(value, ":")
            # It may be a role or key of the account that was given to a construct.
            is_arn = len(arn) == 6 and not is_unreadable(value) and arn[2] == service and arn[5].startswith(kind)
            is_given = is_arn and (arn[4] in known or not all(map(is_known, known)))
            if not is_given or instead:
                why = "which is neither in the templates nor of their account"
                why = f"and not {Quoted(instead[0])} of its own stack" if is_given else why
                what = f"The output for {output.label} in Pinecone's console gives {Quoted(value)}, {why}."
                yield broken("output-value", output.place, what, value)


# Key policies and trust policies.

_SAID_BY: Final = {
    "trust-external-id": ["trust-open-to-all"],
    "trust-action": ["trust-open-to-all"],
    "key-grants": ["key-role-access", "key-open-to-all"],
    "key-role-access": ["key-open-to-all"],
}
"""What another rule says already, of the same statement."""
_Row: TypeAlias = tuple[str, str, object]
"""A rule, what of a witness its acknowledgement names, and whether the rule is about the witness."""


def _beyond(
    subject: Trust | KeyUse, limit: guide.Policy, rows: Callable[[Witness, str], list[_Row]]
) -> Iterator[Violation]:
    """What a policy allows beyond its limit: each statement and principal under one rule; and whom it names in vain."""
    found: dict[int, list[Violation]] = {}
    for witness in subject.found.ask.beyond(subject.now.policy, limit):
        statement = witness.statement
        maybe = () if witness.certain else witness.hangs_on
        everybody = statement.not_principals is not None or any(one.name == "*" for one in statement.principals or ())
        for who in ("*",) if everybody else witness.principals:
            if unread := hidden(statement, who, more=maybe):
                rule, whom = "cannot-be-judged", unread[0]
                what = f"{subject.where} has {Quoted(whom)}, which cannot be judged from the template."
            else:
                rule, whom = next((rule, about) for rule, about, is_it in rows(witness, who) if is_it)
                narrowed = replace(witness, principals=(who,), actions=tuple(_actions_of(witness)))
                said = f"{Quoted(statement.name)}: {plain(words.of_witness(narrowed, subject.now.account))}"
                what = subject.place.stack.short(f"{subject.where}, {said}")
            found.setdefault(id(statement), []).append(broken(rule, subject.place, what, whom))
    for some in found.values():
        rules = {one.name for one in some}
        yield from (one for one in some if not rules.intersection(_SAID_BY.get(one.name, ())))
    # The unique ID that AWS puts in the place of a role or user that was deleted.
    for statement in subject.now.policy.statements:
        for one in statement.named():
            if one.kind == "AWS" and DELETED.fullmatch(one.name):
                what = f"{one.name}, the ID of a role or user that was deleted, in {Quoted(statement.name)}."
                yield broken("deleted-principal", subject.place, f"{subject.where} names {what}", one.name)


def _actions_of(witness: Witness) -> list[str]:
    """The actions as the statement has them."""
    if witness.statement.not_actions:
        return [" ".join(_texts_of(witness.statement, "actions"))]
    names = [one.lower() for one in witness.actions]
    found = [text for text in witness.statement.actions or () if fnmatch.filter(names, text.lower())]
    return found or list(witness.actions)


# The key policy.


def of_key(use: KeyUse) -> Iterator[Violation]:
    """Who may do more with the key than its limit says, or is of another account."""
    owner, vendors, shown = use.now.account, use.found.vendors, use.place.stack.short
    every = dict.fromkeys(one for statement in allowing(use.now.policy) for one in statement.principals or ())
    names = [one.name for one in every if one.kind == "AWS" and one.name not in ("*", *use.role_arns)]
    others = [one for one in names if not (_is_of(one, owner) or DELETED.fullmatch(one) or is_unreadable(one))]
    elsewhere = [one.name for one in every if one.kind == "Federated"]
    users = dict.fromkeys([*use.role_arns, *others, *sorted(vendors)])

    def rows(witness: Witness, who: str) -> list[_Row]:
        does = " ".join([shown(who), *_actions_of(witness)])
        is_user = who in users or (_is_of(who, owner) and witness.statement.principals is not None)
        return [
            ("key-foreign-principal", shown(who), who in elsewhere),
            ("key-grants", does, is_user and witness.request.action in guide.GRANTS),
            ("key-role-access", does, is_user),
            ("key-open-to-all", does, who == "*"),
            ("key-foreign-principal", shown(who), True),
        ]

    # The owner's account rules the key; the role, and who is of another account, uses it.
    of_account: dict[str, Any] = {"StringEquals": {"aws:PrincipalAccount": owner}}
    if use.role_arns:
        of_account["ArnNotEquals"] = {"aws:PrincipalArn": use.role_arns}
    people = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*", "Condition": of_account}
    used = (statement for user in users for statement in guide.role_statements(user, guide.KeyAccess.KEY_USER))
    yield from _beyond(use, guide.policy_document(guide.root_statement(owner), people, *used), rows)
    of_construct = use.found.run.said_of(use.place.stack, use.place.logical_id, use.now.case)
    for who in (one for one in others if one not in vendors):
        what = f"The key policy lets in {Quoted(shown(who))}, who is not seen to be of the key's account."
        meant = "The prop role names this role of another account" if who == of_construct else None
        yield broken("key-foreign-principal", use.place, what, shown(who), meant)


def _is_of(name: str, account: str) -> bool:
    """Whether a principal is an account, or one of it."""
    found = parts(name, ":")
    return account in (name, found[4] if len(found) > 5 else None)


# The trust policy.

_WHOLE: Final = re.compile(r"\*|[0-9]{12}|arn:[^:]*:iam::[^:]*:root")


def of_trust(trust: Trust) -> Iterator[Violation]:
    """Who else than Pinecone may assume the role, and how."""
    own, pinecone = trust.now.account, trust.pinecone
    values = (pinecone, trust.external_id)
    unread = [one for one in values if one and one.startswith("${") and one[2:-1] not in trust.found.run.typed]
    for whom in map(trust.place.stack.short, unread):
        what = f"The trust policy has {Quoted(whom)} in the place of an account or an ID."
        yield broken("cannot-be-judged", trust.place, what, whom)

    def rows(witness: Witness, who: str) -> list[_Row]:
        statement, short = witness.statement, trust.place.stack.short
        whom, is_whole = short(who), _WHOLE.fullmatch(who)
        arns = statement.compared(aws.PRINCIPAL_ARN)
        like = {it["account"] for it in map(ANY_ROLE.fullmatch, arns if is_whole else [who]) if it}
        found = ANY_ROLE.fullmatch(witness.request.principal) if is_whole else ONE_ROLE.fullmatch(who)
        account = found["account"] if found else None
        is_pinecone = account is not None and account == pinecone
        asked = " ".join(f"{one.operator} {' '.join(one.values)}" for one in statement.on(aws.EXTERNAL_ID)) or "none"
        return [
            ("trust-partition", whom, re.match(r"arn:aws-[a-z-]+:", who) and LOOK_ALIKE.search(who)),
            ("trust-own-account", whom, own in like or who in (own, f"arn:aws:iam::{own}:root")),
            ("trust-accounts", whom, pinecone and account in like and not is_pinecone),
            ("trust-look-alike", whom, LOOK_ALIKE.search(who) and not is_pinecone),
            (
                "trust-action",
                " ".join(_actions_of(witness)),
                is_pinecone and witness.request.action != "sts:AssumeRole",
            ),
            ("trust-external-id", short(asked) if asked.startswith("StringLike ") else asked, is_pinecone),
            ("cannot-be-judged", short(str(pinecone)), is_whole and pinecone in unread and like == {pinecone}),
            ("trust-principal-pattern", f"{whom} {' '.join(arns)}", is_whole and arns),
            ("trust-open-to-all", whom, is_whole),
            ("trust-foreign-principal", whom, True),
        ]

    yield from _beyond(trust, trust.limit, rows)
    # One of Pinecone's roles in capitals or under a path, where IAM keeps one name a role.
    for one in (one for statement in allowing(trust.now.policy) for one in statement.principals or ()):
        name = parts(one.name, "/")[-1].lower()
        is_like = name.startswith(guide.ROLE_NAME_PREFIX) and one.name.startswith("arn:aws:iam:")
        if is_like and not (ANY_ROLE.fullmatch(one.name) or is_unreadable(one.name)):
            whom = trust.place.stack.short(one.name)
            what = f"The trust policy names {Quoted(whom)}, which is not to the letter one of Pinecone's roles."
            yield broken("trust-look-alike", trust.place, what, whom)
