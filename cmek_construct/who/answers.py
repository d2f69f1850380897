"""Who may do what by the templates: everybody who is asked about, with each answer.

Pure Python over plain data. No template shows the IAM policies of the accounts, nor the policies of an organization: an
answer says what the role's trust policy and the key policy say.
"""

import json
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import count, groupby
from typing import Final, NamedTuple, TypeAlias, TypeVar

from cmek_construct import guide
from cmek_construct.checks import printable
from cmek_construct.policy import CannotBeJudged, Policy, Principal, Request, Statement, Verdict, aws
from cmek_construct.policy.statements import DELETED, Condition
from cmek_construct.policy.text import alone, is_known, is_wild
from cmek_construct.policy.words import in_doubt, plain
from cmek_construct.templates.evidence import allowing, pinecones_accounts
from cmek_construct.templates.found import Found, Now, Resource, Unread
from cmek_construct.templates.reading import by, members
from cmek_construct.templates.stacks import ROLE, Stack
from cmek_construct.who.people import People, Somebody, is_asked

NOT_SHOWN: Final = (
    "No template shows this: the account's own IAM policies can add to it, and an organization's "
    "SCPs and RCPs can take away."
)
ASSUME: Final = "sts:AssumeRole"
GRANT: Final = "kms:CreateGrant"
ON_KEY: Final = (
    *("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:DescribeKey"),
    *(GRANT, "kms:PutKeyPolicy", "kms:DisableKey", "kms:ScheduleKeyDeletion"),
)
_MOST_DAYS: Final = 20  # that are tried
_VIA: Final = "kms:viaservice"
_ANY: Final = "an AWS service"
_TLS: Final = {"aws:securetransport": aws.DIRECT_CALL["aws:securetransport"]}
_OTHER_ID: Final = "another-external-id"
Sent: TypeAlias = Mapping[str, str | None]  # condition keys with their values
T = TypeVar("T", bound=Hashable)
Alike: TypeAlias = list[tuple[list[Somebody], dict[T, list["Row"]]]]
"""Each time those who get the same answers, and the questions of one of them by the answer."""
_Answers: TypeAlias = Iterator[tuple["Row", "Row"]]


class Row(NamedTuple):
    """One question and its answer."""

    resource: str  # the logical ID of the role or the key that the question is about
    who: Somebody
    action: str
    presents: str | None = None
    """The external ID, where there is one to present: ``right``, ``denied`` (by the policy), ``wrong`` or ``none``."""
    external_id: str | None = None
    for_aws_service: bool | None = None  # whether an AWS service asks on somebody's behalf, for a grant
    verdict: Verdict = Verdict.NO
    statement: str | None = None  # the statement that decides, by its Sid or its number
    doubt: str | None = None  # what is not known, and where it stands
    then: str = ""  # the answer in words where it is another through an AWS service, or once the key is unused
    unused: bool = False  # whether the answer is no as long as the key is used

    @property
    def answer(self) -> str:
        """The answer in words."""
        return self.then or self.verdict.value


class Who(NamedTuple):
    """All answers about one template."""

    template: str
    account: str
    account_is_known: bool
    assumed: Mapping[str, str]  # parameters whose default decided a condition of the template
    own_permissions: Sequence[str]  # roles of Pinecone's that have permissions of their own in the template
    rows: list[Row]  # about the roles, then about the keys


def together(rows: Iterable[Row], said: Callable[[Row], T]) -> Alike[T]:
    """Those who get the same answers about a role or key, and the questions of one of them by the answer as shown."""
    found: dict[object, tuple[list[Somebody], dict[T, list[Row]]]] = {}
    for somebody, some in by(rows, lambda row: row.who).items():
        answers = by(some, said)
        same = tuple((answer, *((row.action, *row[3:6]) for row in some)) for answer, some in answers.items())
        found.setdefault(same, ([], answers))[0].append(somebody)
    return list(found.values())


def who(found: Found) -> list[Who]:
    """The answers about every template that has something of Pinecone's."""
    return [one for stack in found.run.stacks if (one := about(found, stack)).rows]


def _accounts_of_pinecone(some: Iterable[Resource]) -> list[str]:
    """The accounts that policies take for Pinecone's and that are not their own, each once."""
    every = [now for one in some for now in one.cases]
    return list(dict.fromkeys(it for one in every for it in pinecones_accounts(one.policy) if it != one.account))


def two_accounts(found: Found) -> str | None:
    """In one sentence that templates take more than one account for Pinecone's, if they do."""
    numbers = _accounts_of_pinecone(found.roles)
    compare = "Compare each with Pinecone's console, Manage > CMEK > Add CMEK."
    said = f"Different accounts are taken for Pinecone's: {', '.join(map(printable, numbers))}. {compare}"
    return said if len(numbers) > 1 else None


def about(found: Found, stack: Stack) -> Who:
    """The answers about one stack."""
    some = sorted(found.by_stack.get(stack, []), key=lambda one: one.place.type != ROLE)
    read = [one for one in some if isinstance(one, Resource)]
    named = {place for one in read for now in one.cases for place in now.roles}
    beside = (found.by_place[place] for place in sorted(named, key=str))
    pinecone = next(iter(_accounts_of_pinecone([*read, *beside])), None)
    assumed: dict[str, str] = {}
    return Who(
        template=stack.template.name,
        account=stack.short(stack.account),
        account_is_known=is_known(stack.account),
        rows=[row for one in some for row in _about(found, one, pinecone, assumed)],
        assumed=assumed,
        own_permissions=[one.place.logical_id for one in read if not all(it.is_boundary for it in one.attached)],
    )


def _about(found: Found, one: Resource | Unread, pinecone: str | None, assumed: dict[str, str]) -> list[Row]:
    """The rows about one role or key."""
    place = one.place
    try:
        if isinstance(one, Unread):
            raise CannotBeJudged(one.why)
        cases, defaults = one.by_default()
        assumed |= defaults
        policies, asked = zip(*(_asked(found, now, pinecone) for now in cases), strict=True)
        rows = list(dict.fromkeys(row for some in asked for row in some))
        answered = _in_every_way(partial(_answers, found, cases), policies, rows)
    except CannotBeJudged as error:
        action = ASSUME if place.type == ROLE else ", ".join(ON_KEY)
        anybody, doubt = Somebody("anybody", "arn:aws:iam::*:*"), f"it cannot be judged: {error}"
        return [Row(place.logical_id, anybody, action, verdict=Verdict.CANNOT_TELL, doubt=doubt)]
    more = dict.fromkeys(row for policy in policies for row in _not_asked(place.logical_id, policy))
    return list(_told([*answered, *more], place.stack))


def _in_every_way(ask: Callable[..., _Answers], policies: Sequence[Policy], rows: Sequence[Row]) -> list[Row]:
    """The rows with their answers: called directly, and to whom more is said in another way, with that."""
    said = dict(ask(policies, rows, aws.DIRECT_CALL))
    through: dict[Row, list[str]] = {}
    for service in [one for one, lets in _compared(policies, _VIA, _ANY).items() if lets]:
        out = [row for row in rows if said[row].verdict in (Verdict.NO, Verdict.BY_ACCOUNT)]
        # Of a pattern an example; through which others it came is not known.
        example = service.replace(_ANY, "s3.*.amazonaws.com").replace("*", "us-east-1").replace("?", "x")
        for row, now in ask(policies, out, {**_TLS, "aws:viaawsservice": "true", _VIA: example}):
            one = said[row]
            if now.verdict is Verdict.CANNOT_TELL:
                said[row] = now._replace(doubt=f"through {service}: {now.doubt}", then=one.then)
            elif now.verdict not in (Verdict.NO, one.verdict):
                through.setdefault(row, []).append(service)
                then = _only(f"through {' or '.join(through[row])}", now.verdict, one.verdict)
                said[row] = one._replace(statement=now.statement, then=then)
    if any(one.on(*aws.DIRECT_CALL.keys() - _TLS) for policy in policies for one in policy.statements):
        # Somebody may come in, though neither directly nor as the example of a service does.
        out = [row for row in rows if said[row].answer == Verdict.NO.value]
        said |= ask(policies, out, _TLS)
    if ids := tuple(_compared(policies, aws.EXTERNAL_ID)):
        # An external ID may let somebody in that is not among those presented: these are denied, by no name.
        one_of = Condition("StringEquals", aws.EXTERNAL_ID, ids)
        denied = Statement("", "Deny", (Principal("AWS", "*"),), actions=("*",), conditions=(one_of,), raw=ids)
        others = [replace(policy, statements=(*policy.statements, denied)) for policy in policies]
        out = [row for row in rows if row.presents == "wrong" or is_wild(row.external_id or "")]
        out = [row for row in out if said[row].verdict is Verdict.NO]
        out = [row for row in out if row.presents != "denied" or said[row].statement is None]
        for row, (_, now) in zip(out, ask(others, [row._replace(presents=None) for row in out], _TLS), strict=True):
            if now.verdict is not Verdict.NO:
                said[row] = said[row]._replace(verdict=now.verdict, statement=now.statement or None, doubt=now.doubt)
    compared = _compared(policies, aws.TRAILING_DAYS)
    known = compared if all(map(aws.DAYS.fullmatch, compared)) else ()
    days = sorted({0, *(int(one) + more for one in known for more in (0, 1))})
    out = [row for row in rows if 1 < len(days) < _MOST_DAYS and row.action in guide.ENDING]
    each = ([now for _, now in ask(policies, out, {**aws.DIRECT_CALL, aws.TRAILING_DAYS: str(one)})] for one in days)
    for row, *answers in zip(out, *each, strict=True):
        since = next((at for at, one in enumerate(answers) if one.verdict is not Verdict.NO), 0)
        now, later = answers[since], {one.verdict for one in answers[since:]}
        if since and len(later) == 1 and now.verdict is not Verdict.CANNOT_TELL:
            then = _only(f"when unused for {days[since]} days", now.verdict)
            said[row] = now._replace(statement=answers[0].statement, then=then, unused=True)
    return list(said.values())


def _answers(
    found: Found, cases: Sequence[Now], policies: Sequence[Policy], rows: Sequence[Row], sent: Sent
) -> _Answers:
    """Rows, each with its answer: the one that is given in every case of the template's conditions."""
    chosen = [{**now.case.choices, **now.case.members} for now in cases]
    names = dict.fromkeys(name for one in chosen for name in one)
    differing = ", ".join(printable(name) for name in names if len({one.get(name) for one in chosen}) > 1)
    requests = []
    for row in rows:
        context = {**sent, **({} if row.presents is None else {"sts:ExternalId": row.external_id})}
        if row.for_aws_service is not None:
            context["kms:GrantIsForAWSResource"] = str(row.for_aws_service).lower()
        # Who is of another account has the leave of that account, which it needs.
        is_other = row.who.account not in ("", cases[0].account)
        own = True if is_other else False if row.who.own_policies is False else None
        requests.append(Request(row.who.arn, row.action, context=context, own=own, but=row.who.but))
    answers = zip(*(found.ask.answers(each, requests) for each in policies if rows), strict=True)
    for row, said in zip(rows, answers, strict=True):
        verdict, name = said[0].verdict, _name(said[0].statement)
        doubt = None
        if len({one.verdict for one in said}) > 1:
            verdict, name, doubt = Verdict.CANNOT_TELL, None, f"the template's choice of {differing}"
        elif verdict is Verdict.CANNOT_TELL:
            doubt = plain(in_doubt(said[0].hangs_on))
            doubt = f"{name}: {doubt}" if name else doubt
        yield row, row._replace(verdict=verdict, statement=name, doubt=doubt)


def _asked(found: Found, one: Now, pinecone: str | None) -> tuple[Policy, list[Row]]:
    """The policy in one case, and what is asked of it."""
    place, name = one.place, one.place.logical_id
    people = People(one.policy, pinecone, found.arns, place.stack)
    if place.type == ROLE:
        # The external IDs to present: each that is asked for or denied, another, and none.
        compared = _compared([one.policy], aws.EXTERNAL_ID)
        ids: list[tuple[str, str | None]] = [("right" if lets else "denied", own) for own, lets in compared.items()]
        others = (f"{_OTHER_ID}-{number}" if number > 1 else _OTHER_ID for number in count(1))
        ids += [("wrong", next(own for own in others if own not in compared)), ("none", None)]
        rows = [Row(name, somebody, ASSUME, *each) for somebody in people.asked([one.arn]) for each in ids]
        return _with_ids_apart(one.policy), rows
    beside = [it.place for it in found.by_stack[place.stack] if it.place.type == ROLE and it.place in found.by_place]
    # Of a key that names no role, the only one beside it.
    places = one.roles or (beside if len(beside) == 1 else ())
    return one.policy, [
        Row(name, somebody, action, for_aws_service=service)
        for somebody in people.asked(role.arn for role in found.roles_in(one.case, places))
        for action in ON_KEY
        for service in ((True, False) if action == GRANT else (None,))
    ]


def _only(when: str, verdict: Verdict, otherwise: Verdict = Verdict.NO) -> str:
    """The answer in words where there is a verdict in some way, and another one otherwise."""
    by_iam = Verdict.BY_ACCOUNT.value.removeprefix("only ")
    if otherwise is Verdict.BY_ACCOUNT:
        return f"{by_iam}, or {when}"
    return f"only {when}" + (f", {by_iam}" if verdict is Verdict.BY_ACCOUNT else "")


def _compared(policies: Iterable[Policy], key: str, anything: str = "") -> dict[str, bool]:
    """All that policies compare a key with, or anything, and whether that lets somebody in whom nothing else does."""
    found: dict[str, bool] = {}
    for statement in (one for policy in policies for one in policy.statements):
        denies = statement.effect == "Deny"
        for one in statement.on(key):
            operator, values, lets = one.operator.lower(), one.values, ("not" in one.operator.lower()) is denies
            if operator == "null":
                values, lets = (anything,), str(denies).lower() in map(str.lower, one.values)
            found |= {value: lets or found.get(value, False) for value in values if value}
    return found


def _with_ids_apart(policy: Policy) -> Policy:
    """A policy of which another external ID is none of those that only the deploy knows."""
    said = json.dumps([one.raw for one in policy.statements], default=str)
    ids = [it for one in policy.statements for it in one.compared(aws.EXTERNAL_ID) if not is_known(it)]
    if not all(alone(one) and said.count(one) == ids.count(one) for one in ids):
        return policy
    return replace(policy, forms={**policy.forms, **{str(alone(one)): f"<{at}>" for at, one in enumerate(ids)}})


def _name(statement: Statement | None) -> str | None:
    """Its Sid, or its number."""
    sid = members(statement.raw).get("Sid") if statement else None
    return printable(sid if isinstance(sid, str) and sid else statement.name) if statement else None


def _not_asked(logical_id: str, policy: Policy) -> Iterator[Row]:
    """One row for each who is let in and is nobody who can be asked about."""
    for statement, one in ((it, one) for it in allowing(policy) for one in it.principals or ()):
        actions, name = printable(", ".join(statement.actions or ("all but some",))), _name(statement)
        if one.kind == "AWS" and DELETED.fullmatch(one.name):
            yield Row(logical_id, Somebody(f"{one.name}, which is deleted", ""), actions, statement=name)
        elif not is_asked(one, policy.forms):
            somebody = Somebody(printable(f"{one.kind} {one.name}"), "")
            doubt = printable(f"{one.kind} {one.name} is not known here")
            yield Row(logical_id, somebody, actions, verdict=Verdict.CANNOT_TELL, statement=name, doubt=doubt)


def _told(rows: Sequence[Row], stack: Stack) -> Iterator[Row]:
    """Rows in which what their own stack has is called without its name, and administrators of the key are so."""
    short = stack.short
    administrators = {row.who for row in rows if row.action == "kms:PutKeyPolicy" and row.answer == Verdict.YES.value}
    for who, some in groupby(rows, key=lambda row: row.who):
        own = "the account's (role|user)" if who in administrators else "(?!)"
        words = re.sub(own, "key administrator", who.words)
        called = who._replace(words=short(words), arn=short(who.arn), but=tuple(map(short, who.but)))
        for row in some:
            external_id, doubt = (text and short(text) for text in (row.external_id, row.doubt))
            yield row._replace(who=called, external_id=external_id, doubt=doubt)
