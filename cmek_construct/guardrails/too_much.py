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

from cmek_construct import checks, guide
from cmek_construct.guardrails.rule import ANY_ROLE, ONE_ROLE, Trust, Violation, broken
from cmek_construct.policy import Policy, Statement, Witness, aws, words
from cmek_construct.policy.questions import Questions
from cmek_construct.policy.statements import DELETED
from cmek_construct.policy.text import alone, hole, holes, is_known, is_unreadable, parts
from cmek_construct.templates.evidence import LOOK_ALIKE, NOBODY, account_of, allowing
from cmek_construct.templates.found import Attached, Found, Naming, Now, Resource
from cmek_construct.templates.reading import members
from cmek_construct.templates.stacks import ROLE

_GRANTS_NOTHING: Final = ("AWS::EC2::VPCEndpoint", "AWS::Organizations::Policy")  # they only narrow what others allow
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
_SAID_ELSEWHERE: Final = re.compile(r"\$\{(export|output|parameter) [^{}]+\}")
_WHOLE: Final = re.compile(r"\*|[0-9]{12}|arn:[^:]*:iam::[^:]*:root")  # everybody, or a whole account
_Row: TypeAlias = tuple[str, str, object]  # a rule, what its acknowledgement names, and whether it is about a witness


def of_permission(attached: Attached, found: Found) -> Iterator[Violation]:
    """A policy of the role that says more than the guide's statement of a customer, or cannot be read."""
    name, place, policy, account = attached.name, attached.place, attached.policy, attached.role.stack.account
    if policy is None:
        if is_unreadable(name):
            yield broken("cannot-be-judged", place, "a policy", witness=name, name=name)
        elif not attached.is_boundary:
            yield broken("role-permissions", place, "not shown", witness=name, name=name)
        return
    for what in (what for statement in policy.statements for what in statement.unreadable):
        yield broken("cannot-be-judged", place, "of a policy", witness=what, name=name, what=what)
    # No template may say which account is the role's own, in which it has a key already.
    may_be_own = attached.role in found.keys_of and not is_known(account)
    readable = [statement for statement in allowing(policy) if not statement.unreadable]
    # The guide's second tab, or exact keys of another account with a key user's actions.
    limit = []
    for text in (text for one in readable if not may_be_own for text in one.resources or ()):
        for form, actions in ((aws.EACH_KEY, guide.ENCRYPT_DECRYPT), (checks.KEY_ARN, guide.KEY_USE)):
            if form.fullmatch(text) and account_of(text) != account:
                limit.append({"Effect": "Allow", "Action": list(actions), "Resource": text})
    # Denials give nothing: they are looked at only where something is too much without them.
    excess = [] if attached.is_boundary else readable
    for statements in (tuple(allowing(policy)), policy.statements):
        asked = Policy("permissions", statements, forms=policy.forms)
        beyond = found.ask.beyond(asked, guide.policy_document(*limit)) if excess else []
        excess = [witness.statement for witness in beyond]
    for statement in (one for one in readable if any(one is too_much for too_much in excess)):
        said = words.of_statement(statement.raw)
        said += [" No template says which account is its own."] * may_be_own
        does = " ".join([*_texts_of(statement, "actions"), *_texts_of(statement, "resources")])
        yield broken("role-permissions", place, witness=does, name=name, said=said)


def _texts_of(statement: Statement, member: str) -> list[str]:
    some, others = getattr(statement, member), getattr(statement, f"not_{member}")
    return list(some) if some is not None else ["all but", *(others or ())]


def of_naming(naming: Naming, ask: Questions) -> Iterator[Violation]:
    """Another resource that lets the role in."""
    kind, policy = naming.place.type, naming.policy
    if kind in _GRANTS_NOTHING:
        return
    where = {"member": naming.member, "type": kind}
    if policy is None:
        # Whether a property, by its path, says whom its resource lets in.
        names = [one for one in naming.member.split(".") if not one.isdecimal()]
        of_aws = takewhile(lambda name: not _FREE.fullmatch(name), names)
        if not _TAKEN_ON.fullmatch(names[-1]) and any(map(_LET_IN.fullmatch, of_aws)):
            yield broken("role-permissions", naming.place, "named", witness=f"{kind} {naming.member}", **where)
        return
    # What the role may do and not every role of its account may.
    account = f"arn:aws:iam::{account_of(naming.arn)}"
    root = {"Effect": "Allow", "Principal": {"AWS": f"{account}:root"}, "Action": "*", "Resource": "*"}
    everybodys, of_role = (
        [witness.statement for witness in ask.beyond(policy, guide.policy_document(root), who)]
        for who in (f"{account}:role/{NOBODY}", naming.arn)
    )
    for statement in {id(one): one for one in of_role}.values():
        if statement.unreadable or statement not in everybodys:
            does, said = " ".join([kind, *_texts_of(statement, "actions")]), words.actions({**members(statement.raw)})
            yield broken("role-permissions", naming.place, "let", witness=does, does=said, **where)


def of_outputs(found: Found) -> Iterator[Violation]:
    """An output for Pinecone's console that gives something else than the role or key."""
    accounts = {place.stack.account for place in found.by_place}
    is_any = not all(map(is_known, accounts))
    for output in (one for one in found.outputs if found.by_place and one.label in _CONSOLE):
        stack, (service, kind) = output.place.stack, _CONSOLE[output.label]
        those = (one for one in found.by_stack.get(stack, ()) if isinstance(one, Resource) and not one.outputs)
        instead = [one.place.logical_id for one in those if (one.place.type == ROLE) is (service == "iam")]
        for case, value in ((now.case, now.value) for now in output.cases):
            arn = parts(value, ":")
            is_arn = len(arn) == 6 and arn[2] == service and arn[5].startswith(kind)
            if is_arn and found.called(value, case):
                continue
            # It may be one of the account that was given to a construct; or what a parameter or another stack says, at
            # which a person is asked to look.
            is_given = is_arn and (is_any or arn[4] == stack.account or arn[4] in accounts)
            is_given |= (alone(value) or value) in map(stack.named, stack.parameters)
            is_given |= _SAID_ELSEWHERE.fullmatch(value) is not None
            facts: dict[str, Any] = {"witness": value, "label": output.label, "value": value}
            if not is_given or is_unreadable(value):
                yield broken("output-value", output.place, **facts)
            elif instead:
                yield broken("output-value", output.place, "instead", **facts, own=instead[0])


def _beyond(
    of: Now, ask: Questions, limit: guide.Policy, rows: Callable[[Witness, str], list[_Row]]
) -> Iterator[Violation]:
    """What a policy allows beyond its limit: each statement and principal under one rule; and whom it names in vain."""
    found: dict[int, list[Violation]] = {}
    kind, short = of.policy.kind, of.place.stack.short
    for witness in ask.beyond(of.policy, limit):
        statement = witness.statement
        maybe = () if witness.certain else witness.hangs_on
        everybody = statement.not_principals is not None or any(one.name == "*" for one in statement.principals or ())
        for who in ("*",) if everybody else witness.principals:
            texts = (who, *statement.compared(aws.PRINCIPAL_ARN), *statement.compared(aws.EXTERNAL_ID), *maybe)
            # What cannot be read may be anything.
            hidden = [*filter(is_unreadable, texts), *statement.unreadable]
            if hidden:
                beyond = broken("cannot-be-judged", of.place, witness=hidden[0], kind=kind, text=hidden[0])
            else:
                rule, whom = next((rule, about) for rule, about, is_it in rows(witness, who) if is_it)
                narrowed = replace(witness, principals=(who,), actions=tuple(_actions_of(witness)))
                said = [
                    short(words.plain([words.Quoted(statement.name), ": ", *words.of_witness(narrowed, of.account)]))
                ]
                beyond = broken(rule, of.place, "allowed", witness=whom, kind=kind, said=said)
            found.setdefault(id(statement), []).append(beyond)
    for some in found.values():
        ids = {one.breaks.id for one in some}
        yield from (one for one in some if ids.isdisjoint(one.breaks.said_by.split()))
    # The unique ID that AWS puts in the place of a role or user that was deleted.
    for statement in of.policy.statements:
        for one in statement.named():
            if one.kind == "AWS" and DELETED.fullmatch(one.name):
                named = {"id": one.name, "kind": kind, "statement": statement.name}
                yield broken("deleted-principal", of.place, witness=one.name, **named)


def _actions_of(witness: Witness) -> list[str]:
    """The actions as the statement has them."""
    if witness.statement.not_actions:
        return [" ".join(_texts_of(witness.statement, "actions"))]
    names = [one.lower() for one in witness.actions]
    found = [text for text in witness.statement.actions or () if fnmatch.filter(names, text.lower())]
    return found or list(witness.actions)


def of_key(key: Now, role_arns: list[str], found: Found) -> Iterator[Violation]:
    """Who may do more with the key than its limit says, or is of another account."""
    place, owner, vendors, shown = key.place, key.account, found.vendors, key.place.stack.short
    every = dict.fromkeys(one for statement in allowing(key.policy) for one in statement.principals or ())
    names = [one.name for one in every if one.kind == "AWS" and one.name not in ("*", *role_arns)]
    others = [one for one in names if not (account_of(one) == owner or DELETED.fullmatch(one) or is_unreadable(one))]
    elsewhere = [one.name for one in every if one.kind == "Federated"]
    users = dict.fromkeys([*role_arns, *others, *sorted(vendors)])

    def rows(witness: Witness, who: str) -> list[_Row]:
        does = " ".join([shown(who), *_actions_of(witness)])
        is_user = who in users or (account_of(who) == owner and witness.statement.principals is not None)
        return [
            ("key-foreign-principal", shown(who), who in elsewhere),
            ("key-grants", does, is_user and witness.request.action in guide.GRANTS),
            ("key-role-access", does, is_user),
            ("key-open-to-all", does, who == "*"),
            ("key-foreign-principal", shown(who), True),
        ]

    # The owner's account rules the key; the role, and who is of another account, uses it.
    of_account: dict[str, Any] = {"StringEquals": {"aws:PrincipalAccount": owner}}
    if role_arns:
        of_account["ArnNotEquals"] = {"aws:PrincipalArn": role_arns}
    people = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*", "Condition": of_account}
    used = (statement for user in users for statement in guide.role_statements(user, guide.KeyAccess.KEY_USER))
    limit = guide.policy_document(guide.root_statement(owner), people, *used)
    yield from _beyond(key, found.ask, limit, rows)
    of_construct = found.run.said_of(place.stack, place.logical_id, key.case)
    for who in (one for one in others if one not in vendors):
        meant = "The prop role names this role of another account" if who == of_construct else None
        yield broken("key-foreign-principal", place, witness=shown(who), whom=shown(who))._replace(meant=meant)


def of_trust(trust: Trust, found: Found) -> Iterator[Violation]:
    """Who else than Pinecone may assume the role, and how."""
    place, own, pinecone, short = trust.now.place, trust.now.account, trust.pinecone, trust.now.place.stack.short
    names = (name for one in (pinecone, trust.external_id) for name in holes(one or ""))
    unread = [hole(name) for name in names if name not in found.run.typed]
    for whom in map(short, unread):
        yield broken("cannot-be-judged", place, "in a place", witness=whom, text=whom)

    def rows(witness: Witness, who: str) -> list[_Row]:
        statement, does = witness.statement, " ".join(_actions_of(witness))
        whom, is_whole = short(who), _WHOLE.fullmatch(who)
        arns = statement.compared(aws.PRINCIPAL_ARN)
        like = {it["account"] for it in map(ANY_ROLE.fullmatch, arns if is_whole else [who]) if it}
        form = ANY_ROLE.fullmatch(witness.request.principal) if is_whole else ONE_ROLE.fullmatch(who)
        account = form["account"] if form else None
        is_pinecone = account is not None and account == pinecone
        asked = " ".join(f"{one.operator} {' '.join(one.values)}" for one in statement.on(aws.EXTERNAL_ID)) or "none"
        return [
            ("trust-partition", whom, re.match(r"arn:aws-[a-z-]+:", who) and LOOK_ALIKE.search(who)),
            ("trust-own-account", whom, own in like or who in (own, f"arn:aws:iam::{own}:root")),
            ("trust-accounts", whom, pinecone and account in like and not is_pinecone),
            ("trust-look-alike", whom, LOOK_ALIKE.search(who) and not is_pinecone),
            ("trust-action", does, is_pinecone and witness.request.action != "sts:AssumeRole"),
            ("trust-external-id", short(asked) if asked.startswith("StringLike ") else asked, is_pinecone),
            ("cannot-be-judged", short(str(pinecone)), is_whole and pinecone in unread and like == {pinecone}),
            ("trust-principal-pattern", f"{whom} {' '.join(arns)}", is_whole and arns),
            ("trust-open-to-all", whom, is_whole),
            ("trust-foreign-principal", whom, True),
        ]

    yield from _beyond(trust.now, found.ask, trust.limit, rows)
    # One of Pinecone's roles in capitals or under a path, where IAM keeps one name a role.
    for one in (one for statement in allowing(trust.now.policy) for one in statement.principals or ()):
        name = parts(one.name, "/")[-1].lower()
        is_like = name.startswith(guide.ROLE_NAME_PREFIX) and one.name.startswith("arn:aws:iam:")
        if is_like and not (ANY_ROLE.fullmatch(one.name) or is_unreadable(one.name)):
            whom = short(one.name)
            yield broken("trust-look-alike", place, witness=whom, whom=whom)
