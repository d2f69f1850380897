"""Who may do what by the templates: everybody who is asked about, with each answer.

Pure Python over plain data. No template shows the IAM policies of the accounts, nor the policies of an organization: an
answer says what the role's trust policy and the key policy say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, count
from typing import Final, TypeAlias

from cmek_construct import guide
from cmek_construct.checks import printable
from cmek_construct.guardrails.questions import Questions
from cmek_construct.policy import CannotBeJudged, Policy, Principal, Request, Said, Statement, Verdict
from cmek_construct.policy.aws import DIRECT_CALL, EXTERNAL_ID, TRAILING_DAYS
from cmek_construct.policy.statements import Condition
from cmek_construct.templates.attributes import ROLE
from cmek_construct.templates.choices import Case, InCase
from cmek_construct.templates.found import Found, Key, KeyNow, Place, RoleNow, Unread
from cmek_construct.templates.stacks import Stack
from cmek_construct.templates.texts import is_known
from cmek_construct.templates.values import by_default
from cmek_construct.who.people import People, Somebody, is_wild, not_asked
from cmek_construct.who.policies import (
    Ours,
    accounts_of_pinecone,
    external_ids,
    policy_of,
    two_accounts,
    with_ids_apart,
)
from cmek_construct.who.rows import Row, Who, called, shortened

NOT_SHOWN: Final = (
    "No template shows this: the account's own IAM policies can add to it, and an organization's "
    "SCPs and RCPs can take away."
)
ASSUME: Final = "sts:AssumeRole"
GRANT: Final = "kms:CreateGrant"
ON_KEY: Final = (
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:DescribeKey",
    GRANT,
    "kms:PutKeyPolicy",
    "kms:DisableKey",
    "kms:ScheduleKeyDeletion",
)
_GRANT_KEY: Final = "kms:GrantIsForAWSResource"
_VIA: Final = "kms:viaservice"
_ANY: Final = "an AWS service"
_TLS: Final = {"aws:securetransport": DIRECT_CALL["aws:securetransport"]}
_HOW: Final = tuple(name for name in DIRECT_CALL if name not in _TLS)
"""The condition keys that say through which services a call comes, if through any."""
_OTHER_ID: Final = "another-external-id"
Now: TypeAlias = InCase[RoleNow] | InCase[KeyNow]
Sent: TypeAlias = Mapping[str, str | None]
"""The condition keys of a request."""
Ask: TypeAlias = Callable[[Sequence[Policy], Sequence[Row], Sent], list[Row]]
"""Gives rows their answers, by the policy in each case."""


def who(found: Found) -> list[Who]:
    """The answers about every template that has something of Pinecone's."""
    asker = Asker(found)
    return [one for stack in found.run.stacks if (one := asker.about(stack)).rows]


class Asker:
    """Asks everybody about the roles and keys of a run."""

    def __init__(self, found: Found) -> None:
        """Look at what is Pinecone's in a run."""
        self._ask = Questions()
        self._roles = {role.place: role for role in found.roles}
        self.different = two_accounts(found)
        """That more than one account is taken for Pinecone's, in words."""
        self._with_policies = {one.role for one in found.attached if not one.is_boundary}
        self._people = found.arns
        self._by_stack: dict[Stack, list[Ours]] = {}
        every: list[Ours] = [*found.roles, *found.keys]
        unread = {one.place: one for one in reversed(found.unread) if one.place.is_role_or_key}
        for one in [*every, *unread.values()]:
            self._by_stack.setdefault(one.place.stack, []).append(one)

    def about(self, stack: Stack) -> Who:
        """The answers about one stack."""
        some = self._by_stack.get(stack, [])
        roles = [one for one in some if one.place.type == ROLE]
        keys = [one for one in some if one.place.type != ROLE]
        pinecone = self._pinecone(some)
        assumed: dict[str, str] = {}
        return Who(
            template=stack.template.name,
            account=stack.short(stack.account),
            account_is_known=is_known(stack.account),
            roles=[row for one in roles for row in self._about(one, pinecone, assumed)],
            keys=[row for one in keys for row in self._about(one, pinecone, assumed)],
            assumed=assumed,
            own_permissions=[one.place.logical_id for one in roles if one.place in self._with_policies],
        )

    def _about(self, one: Ours, pinecone: str | None, assumed: dict[str, str]) -> list[Row]:
        """The rows about one role or key."""
        if isinstance(one, Unread):
            return [_not_judged(one.place, one.why)]
        stack, name = one.place.stack, one.place.logical_id
        every: list[Now] = [*one.cases]
        cases, defaults = by_default(stack, every)
        assumed |= defaults
        asked = [self._questions(one.place, now, pinecone) for now in cases]
        rows = asked[0][1]
        if len(asked) > 1:
            rows = list(dict.fromkeys(row for _, some in asked for row in some))
        differing = _differing([now.case for now in cases])
        policies, account = [policy for policy, _ in asked], cases[0].value.account

        def ask(policies: Sequence[Policy], rows: Sequence[Row], sent: Sent) -> list[Row]:
            requests = [_request(row, account, sent) for row in rows]
            said = zip(*(self._ask.answers(each, requests) for each in policies), strict=True)
            return [_answered(row, each, differing) for row, each in zip(rows, said, strict=True)]

        try:
            answered = ask(policies, rows, DIRECT_CALL)
            for service in _services(policies):
                answered = _through(service, policies, ask, answered)
            answered = _by_how(policies, ask, answered)
            answered = _by_other_ids(policies, ask, answered)
            answered = _when_unused(policies, ask, answered)
        except CannotBeJudged as error:
            return [_not_judged(one.place, str(error))]
        more = dict.fromkeys(row for policy, _ in asked for row in _not_asked(name, policy))
        return shortened([*called(answered), *more], stack)

    def _questions(self, place: Place, now: Now, pinecone: str | None) -> tuple[Policy, list[Row]]:
        """The policy in one case, and what is asked of it."""
        one, name = now.value, place.logical_id
        policy = policy_of(one)
        people = People(policy, one.account, pinecone, self._people, place.stack)
        if isinstance(one, RoleNow):
            ids = list(_presented(policy))
            whom = people.who_may_assume(one.arn)
            rows = [Row(name, somebody, ASSUME, *each) for somebody in whom for each in ids]
            return with_ids_apart(policy), rows
        arns = [role.value.arn for role in self._of_key(place, one, now.case)]
        rows = [
            Row(name, somebody, action, for_aws_service=service)
            for somebody in people.who_may_use(arns)
            for action in ON_KEY
            for service in ((True, False) if action == GRANT else (None,))
        ]
        return policy, rows

    def _of_key(self, key: Place, now: KeyNow, case: Case) -> Iterator[InCase[RoleNow]]:
        """The roles that a key names; of one that names none the only one beside it."""
        beside = [one.place for one in self._by_stack[key.stack] if one.place in self._roles]
        places = now.roles or frozenset(beside if len(beside) == 1 else ())
        for place in sorted(places, key=str):
            yield from (one for one in self._roles[place].cases if one.case.agrees(case))

    def _pinecone(self, some: Sequence[Ours]) -> str | None:
        """Pinecone's account, by what is in a stack or by the roles that its keys name."""
        keys = [one for one in some if isinstance(one, Key)]
        named = {place for key in keys for now in key.cases for place in now.value.roles}
        roles = [self._roles[place] for place in sorted(named, key=str)]
        return next(iter(accounts_of_pinecone([*some, *roles])), None)


def _through(service: str, policies: Sequence[Policy], ask: Ask, rows: Sequence[Row]) -> list[Row]:
    """The rows, with those to whom more is said where this service calls for them."""
    out = [row for row in rows if row.verdict in (Verdict.NO, Verdict.BY_ACCOUNT)]
    more: dict[Row, Row] = {}
    for row, now in zip(out, ask(policies, out, _called_by(_example(service))), strict=True):
        if now.verdict is Verdict.CANNOT_TELL:
            more[row] = now._replace(doubt=f"through {service}: {now.doubt}")
        elif now.verdict not in (Verdict.NO, row.verdict):
            more[row] = row._replace(statement=now.statement, through=(*row.through, service), for_them=now.verdict)
    return [more.get(row, row) for row in rows]


def _by_how(policies: Sequence[Policy], ask: Ask, rows: list[Row]) -> list[Row]:
    """The rows, with those who may come in some way, though not directly nor as an example does."""
    if not any(one.on(*_HOW) for policy in policies for one in policy.statements):
        return rows
    out = [row for row in rows if row.verdict is Verdict.NO and not row.through]
    more = dict(zip(out, ask(policies, out, _TLS), strict=True))
    return [more.get(row, row) for row in rows]


def _by_other_ids(policies: Sequence[Policy], ask: Ask, rows: list[Row]) -> list[Row]:
    """The rows, with those whom an external ID may let in that is not among those presented."""
    ids = tuple(dict.fromkeys(one for policy in policies for one in external_ids(policy)))
    out = [
        row for row in rows if row.verdict is Verdict.NO and (row.presents == "wrong" or is_wild(row.external_id or ""))
    ]
    others = [_without(ids, policy) for policy in policies] if ids else []
    if not others or not out:
        return rows
    found = ask(others, [row._replace(presents=None) for row in out], _TLS)
    more = {
        row: row._replace(verdict=now.verdict, statement=now.statement or None, doubt=now.doubt)
        for row, now in zip(out, found, strict=True)
        if now.verdict is not Verdict.NO
    }
    return [more.get(row, row) for row in rows]


def _without(ids: tuple[str, ...], policy: Policy) -> Policy:
    """A policy that lets nobody in with these external IDs, by a statement that has no name."""
    denied = Statement(
        "",
        "Deny",
        principals=(Principal("AWS", "*"),),
        actions=("*",),
        conditions=(Condition("StringEquals", EXTERNAL_ID, ids),),
        raw=ids,
    )
    return replace(policy, statements=(*policy.statements, denied))


def _when_unused(policies: Sequence[Policy], ask: Ask, rows: list[Row]) -> list[Row]:
    """The rows, with those who may end the key only once nobody has used it for some days."""
    days = max(_protected_days(policies), default=0)
    ending = [row for row in rows if days and row.action in guide.ENDING]
    if not ending:
        return rows
    used, unused = (ask(policies, ending, {**DIRECT_CALL, TRAILING_DAYS: str(sent)}) for sent in (0, days))
    more = {
        row: row._replace(verdict=now.verdict, statement=no.statement, doubt=None, unused=days)
        for row, no, now in zip(ending, used, unused, strict=True)
        if no.verdict is Verdict.NO and now.verdict in (Verdict.YES, Verdict.BY_ACCOUNT)
    }
    return [more.get(row, row) for row in rows]


def _services(policies: Sequence[Policy]) -> list[str]:
    """The AWS services that may call for somebody where nobody else may, as policies have them."""
    conditions = (
        (one, statement.effect == "Deny")
        for policy in policies
        for statement in policy.statements
        for one in statement.on(_VIA)
    )
    found: list[str] = []
    for one, is_denial in conditions:
        if one.operator.lower() == "null":
            found += [_ANY] if str(is_denial).lower() in map(str.lower, one.values) else []
        elif ("not" in one.operator.lower()) is is_denial:
            found += one.values
    return list(dict.fromkeys(found))


def _example(service: str) -> str:
    """A text that a pattern of services matches."""
    if service == _ANY:
        return "s3.us-east-1.amazonaws.com"
    return service.replace("*", "us-east-1").replace("?", "x")


def _called_by(service: str) -> dict[str, str | None]:
    """What is sent where a service calls; through which others it came is not known."""
    direct = {name: value for name, value in DIRECT_CALL.items() if name != "aws:calledvia"}
    return {**direct, "aws:viaawsservice": "true", _VIA: service}


def _protected_days(policies: Sequence[Policy]) -> list[int]:
    """Within how many days of its last use a key may not be ended."""
    return [
        int(value)
        for policy in policies
        for statement in policy.statements
        for value in statement.compared(TRAILING_DAYS)
        if value.isdecimal()
    ]


def _request(row: Row, account: str, sent: Sent) -> Request:
    """One question. Who is of another account has the leave of that account, which it needs."""
    context = dict(sent)
    if row.presents is not None:
        context["sts:ExternalId"] = row.external_id
    if row.for_aws_service is not None:
        context[_GRANT_KEY] = str(row.for_aws_service).lower()
    who, own = row.who, row.who.own_policies
    if who.account is not None and who.account != account:
        own = True
    elif own:
        own = None
    return Request(who.arn, row.action, context=context, own=own, but=who.but)


def _presented(policy: Policy) -> Iterator[tuple[str, str | None]]:
    """The external IDs to present: each that is asked for, another, and none."""
    ids = dict.fromkeys(external_ids(policy))
    yield from (("right", one) for one in ids)
    others = chain([_OTHER_ID], (f"{_OTHER_ID}-{number}" for number in count(2)))
    yield "wrong", next(one for one in others if one not in ids)
    yield "none", None


def _differing(cases: Sequence[Case]) -> list[str]:
    """What the cases of a template hang on."""
    names = dict.fromkeys(name for one in cases for name in one.choices)
    found = [name for name in names if len({one.choices.get(name) for one in cases}) > 1]
    members = [name for one in cases if one.members for name in one.asked]
    return list(dict.fromkeys([*found, *members]))


def _answered(row: Row, said: Sequence[Said], differing: Sequence[str]) -> Row:
    """A row with its answer: the one that is given in every case of the template's conditions."""
    first, name = said[0], _name(said[0].statement)
    if len({one.verdict for one in said}) > 1:
        doubt = f"the template's choice of {', '.join(map(printable, differing))}"
        return row._replace(verdict=Verdict.CANNOT_TELL, doubt=doubt)
    if first.verdict is Verdict.CANNOT_TELL:
        doubt = ", ".join(map(printable, first.hangs_on)) or "what it says is not known"
        return row._replace(verdict=first.verdict, statement=name, doubt=f"{name}: {doubt}" if name else doubt)
    return row._replace(verdict=first.verdict, statement=name)


def _name(statement: Statement | None) -> str | None:
    """Its Sid, or its number."""
    if statement is None:
        return None
    sid = statement.raw.get("Sid") if isinstance(statement.raw, dict) else None
    return printable(sid if isinstance(sid, str) and sid else statement.name)


def _not_asked(logical_id: str, policy: Policy) -> Iterator[Row]:
    """One row for each who is let in and is nobody who can be asked about."""
    for statement, words, doubt in not_asked(policy):
        yield Row(
            logical_id,
            Somebody(printable(words), ""),
            printable(", ".join(statement.actions or ("all but some",))),
            verdict=Verdict.CANNOT_TELL if doubt else Verdict.NO,
            statement=_name(statement),
            doubt=printable(doubt) if doubt else None,
        )


def _not_judged(place: Place, why: str) -> Row:
    action = ASSUME if place.type == ROLE else ", ".join(ON_KEY)
    somebody = Somebody("anybody", "arn:aws:iam::*:*")
    return Row(place.logical_id, somebody, action, verdict=Verdict.CANNOT_TELL, doubt=f"it cannot be judged: {why}")
