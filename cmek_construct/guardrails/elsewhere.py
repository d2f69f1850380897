"""Too much elsewhere: what the role may do besides, and what goes to Pinecone's console."""

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Any, Final

from cmek_construct import guide
from cmek_construct.guardrails.rule import ACCESS_UNREAD, Context, Rule, Violation
from cmek_construct.policy import Policy, Statement, words
from cmek_construct.policy.questions import Questions
from cmek_construct.policy.text import is_known, is_unreadable, parts
from cmek_construct.policy.words import Quoted, plain
from cmek_construct.templates.evidence import NOBODY, allowing
from cmek_construct.templates.found import Attached, Found, Naming

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

PERMISSIONS: Final = Rule(
    "role-permissions",
    sentence="The role has no permissions but those on customers' keys of the guide's second tab.",
    allows="Pinecone could do so in your account, beside using the key.",
    cure="Take the policy off the role: the key policy lets it use the key.",
)
OUTPUT_VALUE: Final = Rule(
    "output-value",
    sentence="What an output gives for Pinecone's console is the role or the key.",
    allows="Pinecone would encrypt with a key, or assume a role, of somebody else, for good.",
    cure="Set the output's Value to the ARN of the role or the key.",
)


def of_permission(attached: Attached, context: Context) -> Iterator[Violation]:
    """A policy of the role that says more than the guide's statement of a customer, or cannot be read."""
    name, place, policy, account = attached.name, attached.place, attached.policy, attached.role.stack.account
    if policy is None:
        if is_unreadable(name):
            yield ACCESS_UNREAD.broken(place, f"A policy of the role is {Quoted(name)}, which cannot be read.", name)
        elif not attached.is_boundary:
            yield PERMISSIONS.broken(place, f"The role has the policy {Quoted(name)}, which no template shows.", name)
        return
    for what in (what for statement in policy.statements for what in statement.unreadable):
        yield ACCESS_UNREAD.broken(place, f"The policy {Quoted(name)} of the role has {Quoted(what)}.", what)
    # No template may say which account is the role's own, in which it has a key already.
    may_be_own = attached.role in context.keys and not is_known(account)
    readable = [statement for statement in allowing(policy) if not statement.unreadable]
    limit = _second_tab([] if may_be_own else readable, account)
    # Denials give nothing: they are looked at only where something is too much without them.
    excess = [] if attached.is_boundary else readable
    for statements in (tuple(allowing(policy)), policy.statements):
        asked = Policy("permissions", statements, forms=policy.forms)
        excess = _beyond(context.ask, asked, limit) if excess else []
    for statement in (one for one in readable if any(one is too_much for too_much in excess)):
        said = plain(words.of_statement(_plainly(statement)))
        unknown = " No template says which account is its own." * may_be_own
        does = [*_texts_of(statement, "actions"), *_texts_of(statement, "resources")]
        yield PERMISSIONS.broken(place, f"By {Quoted(name)}: {said}{unknown}", " ".join(does))


def _beyond(ask: Questions, policy: Policy, limit: guide.Policy, who: str | None = None) -> list[Statement]:
    """The statements that allow more than a limit: everybody, or somebody."""
    return [witness.statement for witness in ask.beyond(policy, limit, who)]


def _second_tab(statements: list[Statement], own_account: str) -> guide.Policy:
    """The guide's second tab, or exact keys of another account with a key user's actions."""
    found = []
    for text in (text for one in statements for text in one.resources or ()):
        for form, actions in ((_ALL_KEYS, guide.ENCRYPT_DECRYPT), (_ONE_KEY, guide.KEY_USE)):
            key = form.fullmatch(text)
            if key and key["account"] != own_account:
                found.append({"Effect": "Allow", "Action": list(actions), "Resource": text})
    return guide.policy_document(*found)


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
    where = f"{Quoted(naming.member)} of a {kind}"
    if policy is None:
        # Whether a property, by its path, says whom its resource lets in.
        names = [one for one in naming.member.split(".") if not one.isdecimal()]
        of_aws = takewhile(lambda name: not _FREE.fullmatch(name), names)
        if not _TAKEN_ON.fullmatch(names[-1]) and any(map(_LET_IN.fullmatch, of_aws)):
            yield PERMISSIONS.broken(naming.place, f"{where} names the role.", f"{kind} {naming.member}")
        return
    # What the role may do and not every role of its account may.
    account = f"arn:aws:iam::{parts(naming.arn, ':')[4]}"
    root = {"Effect": "Allow", "Principal": {"AWS": f"{account}:root"}, "Action": "*", "Resource": "*"}
    everybodys, of_role = (
        _beyond(ask, policy, guide.policy_document(root), who) for who in (f"{account}:role/{NOBODY}", naming.arn)
    )
    for statement in {id(one): one for one in of_role}.values():
        if statement.unreadable or statement not in everybodys:
            what = f"{where} lets the role {plain(words.actions(_plainly(statement)))}."
            yield PERMISSIONS.broken(naming.place, what, " ".join([kind, *_texts_of(statement, "actions")]))


def of_outputs(found: Found) -> Iterator[Violation]:
    """An output for Pinecone's console that gives something else than the role or key."""
    ours = [*found.roles, *found.keys]
    named = {one.of for one in found.outputs}
    for output in (one for one in found.outputs if ours and one.of is None and one.label in _CONSOLE):
        stack, (service, kind) = output.place.stack, _CONSOLE[output.label]
        places = [one.place for one in (found.roles if service == "iam" else found.keys) if one.place not in named]
        instead = [place.logical_id for place in places if place.stack.name == stack.name]
        known = {stack.account, *(one.place.stack.account for one in ours)}
        for value in dict.fromkeys(now.value for now in output.cases):
            arn = parts(value, ":")
            # It may be a role or key of the account that was given to a construct.
            is_arn = len(arn) == 6 and not is_unreadable(value) and arn[2] == service and arn[5].startswith(kind)
            is_given = is_arn and (arn[4] in known or not all(map(is_known, known)))
            if not is_given or instead:
                why = "which is neither in the templates nor of their account"
                why = f"and not {Quoted(instead[0])} of its own stack" if is_given else why
                what = f"The output for {output.label} in Pinecone's console gives {Quoted(value)}, {why}."
                yield OUTPUT_VALUE.broken(output.place, what, value)
