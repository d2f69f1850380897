"""Who may do what by the templates: everybody who is asked about, with each answer.

Pure Python over plain data. No template shows the IAM policies of the accounts, nor the policies of an organization: an
answer says what the role's trust policy and the key policy say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, count
from typing import Final, TypeAlias

from cmek_construct import guide
from cmek_construct.checks import printable
from cmek_construct.guardrails.questions import Questions
from cmek_construct.policy import CannotBeJudged, Policy, Principal, Request, Said, Statement, Verdict
from cmek_construct.policy.aws import DIRECT_CALL, EXTERNAL_ID, TRAILING_DAYS
from cmek_construct.policy.statements import Condition
from cmek_construct.templates.choices import Case, InCase
from cmek_construct.templates.evidence import pinecones_accounts
from cmek_construct.templates.found import Found, Now, Place, Resource, Unread
from cmek_construct.templates.stacks import ROLE, Stack
from cmek_construct.templates.texts import alone, is_known
from cmek_construct.templates.values import by_default
from cmek_construct.who.people import People, Somebody, is_wild, not_asked
from cmek_construct.who.rows import ASSUME, GRANT, ON_KEY, Row, Who

NOT_SHOWN: Final = (
    "No template shows this: the account's own IAM policies can add to it, and an organization's "
    "SCPs and RCPs can take away."
)
_VIA: Final = "kms:viaservice"
_ANY: Final = "an AWS service"
_TLS: Final = {"aws:securetransport": DIRECT_CALL["aws:securetransport"]}
_HOW: Final = tuple(name for name in DIRECT_CALL if name not in _TLS)
"""The condition keys that say through which services a call comes, if through any."""
_OTHER_ID: Final = "another-external-id"
_PERSON: Final = re.compile("the account's (role|user)")
Ours: TypeAlias = Resource | Unread
Ask: TypeAlias = Callable[[Sequence[Policy], Sequence[Row], Mapping[str, str | None]], list[Row]]
"""Gives rows their answers, by the policy in each case and with some condition keys."""


def who(found: Found) -> list[Who]:
    """The answers about every template that has something of Pinecone's."""
    asker = Asker(found)
    return [one for stack in found.run.stacks if (one := asker.about(stack)).rows]


def accounts_of_pinecone(some: Iterable[Ours]) -> list[str]:
    """The accounts that policies take for Pinecone's and that are not their own, each once."""
    every = (now.value for one in some if not isinstance(one, Unread) for now in one.cases)
    found = (account for one in every for account in pinecones_accounts(one.policy) if account != one.account)
    return list(dict.fromkeys(found))


def two_accounts(found: Found) -> str | None:
    """In one sentence that templates take more than one account for Pinecone's, if they do."""
    numbers = accounts_of_pinecone(found.roles)
    if len(numbers) < 2:
        return None
    return (
        f"Different accounts are taken for Pinecone's: {', '.join(map(printable, numbers))}. "
        "Compare each with Pinecone's console, Manage > CMEK > Add CMEK."
    )


class Asker:
    """Asks everybody about the roles and keys of a run."""

    def __init__(self, found: Found) -> None:
        """Look at what is Pinecone's in a run."""
        self._questions = Questions()
        self._roles = {role.place: role for role in found.roles}
        self._with_policies = {one.role for one in found.attached if not one.is_boundary}
        self._people = found.arns
        self._different = two_accounts(found)
        self._by_stack: dict[Stack, list[Ours]] = {}
        unread = {one.place: one for one in reversed(found.unread) if one.place.is_role_or_key}
        every: list[Ours] = [*found.roles, *found.keys, *unread.values()]
        for one in every:
            self._by_stack.setdefault(one.place.stack, []).append(one)

    def about(self, stack: Stack) -> Who:
        """The answers about one stack."""
        some = self._by_stack.get(stack, [])
        roles = [one for one in some if one.place.type == ROLE]
        named = {place for one in some if isinstance(one, Resource) for now in one.cases for place in now.value.roles}
        beside = (self._roles[place] for place in sorted(named, key=str))
        pinecone = next(iter(accounts_of_pinecone([*some, *beside])), None)
        assumed: dict[str, str] = {}
        return Who(
            template=stack.template.name,
            account=stack.short(stack.account),
            account_is_known=is_known(stack.account),
            roles=[row for one in roles for row in self._about(one, pinecone, assumed)],
            keys=[row for one in some if one.place.type != ROLE for row in self._about(one, pinecone, assumed)],
            assumed=assumed,
            different=self._different,
            own_permissions=[one.place.logical_id for one in roles if one.place in self._with_policies],
        )

    def _about(self, one: Ours, pinecone: str | None, assumed: dict[str, str]) -> list[Row]:
        """The rows about one role or key."""
        if isinstance(one, Unread):
            return [_not_judged(one.place, one.why)]
        cases, defaults = by_default(one.place.stack, one.cases)
        assumed |= defaults
        asked = [self._asked(one.place, now, pinecone) for now in cases]
        policies = [policy for policy, _ in asked]
        differing = _differing([now.case for now in cases])

        def ask(policies: Sequence[Policy], rows: Sequence[Row], sent: Mapping[str, str | None]) -> list[Row]:
            requests = [_request(row, cases[0].value.account, sent) for row in rows]
            said = zip(*(self._questions.answers(each, requests) for each in policies if rows), strict=True)
            return [_answered(row, each, differing) for row, each in zip(rows, said, strict=True)]

        try:
            answered = _in_every_way(policies, list(dict.fromkeys(row for _, rows in asked for row in rows)), ask)
        except CannotBeJudged as error:
            return [_not_judged(one.place, str(error))]
        more = dict.fromkeys(row for policy in policies for row in _not_asked(one.place.logical_id, policy))
        return _told([*answered, *more], one.place.stack)

    def _asked(self, place: Place, now: InCase[Now], pinecone: str | None) -> tuple[Policy, list[Row]]:
        """The policy in one case, and what is asked of it."""
        one, name = now.value, place.logical_id
        policy = one.policy
        people = People(policy, one.account, pinecone, self._people, place.stack)
        if place.type == ROLE:
            ids = list(_presented(policy))
            return _with_ids_apart(policy), [
                Row(name, somebody, ASSUME, *each) for somebody in people.asked([one.arn]) for each in ids
            ]
        beside = [other.place for other in self._by_stack[place.stack] if other.place in self._roles]
        # Of a key that names no role, the only one beside it.
        places = one.roles or (beside if len(beside) == 1 else ())
        roles = (role for at in sorted(places, key=str) for role in self._roles[at].cases)
        return policy, [
            Row(name, somebody, action, for_aws_service=service)
            for somebody in people.asked(role.value.arn for role in roles if role.case.agrees(now.case))
            for action in ON_KEY
            for service in ((True, False) if action == GRANT else (None,))
        ]


def _in_every_way(policies: Sequence[Policy], rows: Sequence[Row], ask: Ask) -> list[Row]:
    """The rows with their answers: called directly, and to whom more is said in another way, with that."""
    said = dict(zip(rows, ask(policies, rows, DIRECT_CALL), strict=True))
    for service in _services(policies):
        out = [row for row in rows if said[row].verdict in (Verdict.NO, Verdict.BY_ACCOUNT)]
        for row, now in zip(out, ask(policies, out, _called_by(service)), strict=True):
            one = said[row]
            if now.verdict is Verdict.CANNOT_TELL:
                doubt = f"through {service}: {now.doubt}"
                said[row] = one._replace(verdict=now.verdict, statement=now.statement, doubt=doubt)
            elif now.verdict not in (Verdict.NO, one.verdict):
                through = (*one.through, service)
                said[row] = one._replace(statement=now.statement, through=through, only_then=now.verdict)
    if any(one.on(*_HOW) for policy in policies for one in policy.statements):
        # Somebody may come in, though neither directly nor as the example of a service does.
        out = [row for row in rows if said[row].verdict is Verdict.NO and not said[row].through]
        said |= zip(out, ask(policies, out, _TLS), strict=True)
    ids = tuple(dict.fromkeys(one for policy in policies for one in _compared(policy, EXTERNAL_ID)))
    if ids:
        # An external ID may let somebody in that is not among those presented.
        others = [_without(ids, policy) for policy in policies]
        out = [row for row in rows if said[row].verdict is Verdict.NO]
        out = [row for row in out if row.presents == "wrong" or is_wild(row.external_id or "")]
        for row, now in zip(out, ask(others, [row._replace(presents=None) for row in out], _TLS), strict=True):
            if now.verdict is not Verdict.NO:
                said[row] = said[row]._replace(verdict=now.verdict, statement=now.statement or None, doubt=now.doubt)
    days = max(
        (int(one) for policy in policies for one in _compared(policy, TRAILING_DAYS) if one.isdecimal()), default=0
    )
    out = [row for row in rows if days and row.action in guide.ENDING]
    used, unused = (ask(policies, out, {**DIRECT_CALL, TRAILING_DAYS: str(since)}) for since in (0, days))
    for row, before, now in zip(out, used, unused, strict=True):
        if before.verdict is Verdict.NO and now.verdict in (Verdict.YES, Verdict.BY_ACCOUNT):
            said[row] = now._replace(statement=before.statement, unused=days, only_then=now.verdict)
    return list(said.values())


def _compared(policy: Policy, key: str) -> list[str]:
    """All that a policy compares a condition key with."""
    return [value for one in policy.statements for value in one.compared(key)]


def _with_ids_apart(policy: Policy) -> Policy:
    """A policy of which another external ID is none of those that only the deploy knows."""
    said = json.dumps([one.raw for one in policy.statements], default=str)
    ids = [one for one in _compared(policy, EXTERNAL_ID) if not is_known(one)]
    if not ids or not all(alone(one) and said.count(one) == ids.count(one) for one in ids):
        return policy
    apart = {str(alone(one)): f"<{number}>" for number, one in enumerate(ids)}
    return replace(policy, forms={**policy.forms, **apart})


def _without(ids: tuple[str, ...], policy: Policy) -> Policy:
    """A policy that lets nobody in with these external IDs, by a statement that has no name."""
    everybody, only = (Principal("AWS", "*"),), (Condition("StringEquals", EXTERNAL_ID, ids),)
    denied = Statement("", "Deny", principals=everybody, actions=("*",), conditions=only, raw=ids)
    return replace(policy, statements=(*policy.statements, denied))


def _services(policies: Sequence[Policy]) -> dict[str, None]:
    """The AWS services that may call for somebody where nobody else may, as policies have them."""
    found: dict[str, None] = {}
    for statement in (one for policy in policies for one in policy.statements):
        denies = statement.effect == "Deny"
        for one in statement.on(_VIA):
            operator = one.operator.lower()
            if operator == "null":
                found |= dict.fromkeys([_ANY] if str(denies).lower() in map(str.lower, one.values) else [])
            elif ("not" in operator) is denies:
                found |= dict.fromkeys(one.values)
    return found


def _called_by(service: str) -> dict[str, str | None]:
    """What is sent where a service of a pattern calls; through which others it came is not known."""
    example = service.replace("*", "us-east-1").replace("?", "x")
    direct = {name: value for name, value in DIRECT_CALL.items() if name != "aws:calledvia"}
    return {**direct, "aws:viaawsservice": "true", _VIA: "s3.us-east-1.amazonaws.com" if service == _ANY else example}


def _request(row: Row, account: str, sent: Mapping[str, str | None]) -> Request:
    """One question. Who is of another account has the leave of that account, which it needs."""
    context = dict(sent)
    if row.presents is not None:
        context["sts:ExternalId"] = row.external_id
    if row.for_aws_service is not None:
        context["kms:GrantIsForAWSResource"] = str(row.for_aws_service).lower()
    own = row.who.own_policies
    if row.who.account not in (None, account):
        own = True
    elif own:
        own = None
    return Request(row.who.arn, row.action, context=context, own=own, but=row.who.but)


def _presented(policy: Policy) -> Iterator[tuple[str, str | None]]:
    """The external IDs to present: each that is asked for, another, and none."""
    ids = dict.fromkeys(_compared(policy, EXTERNAL_ID))
    yield from (("right", one) for one in ids)
    others = chain([_OTHER_ID], (f"{_OTHER_ID}-{number}" for number in count(2)))
    yield "wrong", next(one for one in others if one not in ids)
    yield "none", None


def _differing(cases: Sequence[Case]) -> str:
    """What the cases of a template hang on."""
    names = dict.fromkeys(name for one in cases for name in one.choices)
    found = [name for name in names if len({one.choices.get(name) for one in cases}) > 1]
    members = [name for one in cases if one.members for name in one.asked]
    return ", ".join(map(printable, dict.fromkeys([*found, *members])))


def _answered(row: Row, said: Sequence[Said], differing: str) -> Row:
    """A row with its answer: the one that is given in every case of the template's conditions."""
    first, name = said[0], _name(said[0].statement)
    if len({one.verdict for one in said}) > 1:
        return row._replace(verdict=Verdict.CANNOT_TELL, doubt=f"the template's choice of {differing}")
    if first.verdict is not Verdict.CANNOT_TELL:
        return row._replace(verdict=first.verdict, statement=name)
    doubt = ", ".join(map(printable, first.hangs_on)) or "what it says is not known"
    return row._replace(verdict=first.verdict, statement=name, doubt=f"{name}: {doubt}" if name else doubt)


def _name(statement: Statement | None) -> str | None:
    """Its Sid, or its number."""
    if statement is None:
        return None
    sid = statement.raw.get("Sid") if isinstance(statement.raw, dict) else None
    return printable(sid if isinstance(sid, str) and sid else statement.name)


def _not_asked(logical_id: str, policy: Policy) -> Iterator[Row]:
    """One row for each who is let in and is nobody who can be asked about."""
    for statement, words, doubt in not_asked(policy):
        actions = printable(", ".join(statement.actions or ("all but some",)))
        verdict = Verdict.CANNOT_TELL if doubt else Verdict.NO
        doubt = printable(doubt) if doubt else None
        somebody = Somebody(printable(words), "")
        yield Row(logical_id, somebody, actions, verdict=verdict, statement=_name(statement), doubt=doubt)


def _not_judged(place: Place, why: str) -> Row:
    action = ASSUME if place.type == ROLE else ", ".join(ON_KEY)
    somebody = Somebody("anybody", "arn:aws:iam::*:*")
    return Row(place.logical_id, somebody, action, verdict=Verdict.CANNOT_TELL, doubt=f"it cannot be judged: {why}")


def _told(rows: Sequence[Row], stack: Stack) -> list[Row]:
    """Rows in which what their own stack has is called without its name, and administrators of the key are so."""
    administrators = {row.who for row in rows if row.action == "kms:PutKeyPolicy" and row.answer == Verdict.YES.value}
    whom: dict[Somebody, Somebody] = {}
    for one in dict.fromkeys(row.who for row in rows):
        words = _PERSON.sub("key administrator", one.words) if one in administrators else one.words
        but = tuple(map(stack.short, one.but))
        whom[one] = one._replace(words=stack.short(words), arn=stack.short(one.arn), but=but)
    return [
        row._replace(
            who=whom[row.who],
            external_id=row.external_id and stack.short(row.external_id),
            doubt=row.doubt and stack.short(row.doubt),
        )
        for row in rows
    ]
