"""What a policy says to a request: yes, no, by the account's own IAM, or that nobody can tell.

A policy is a set of requests, as far as is known: a box for each statement. A request is surely allowed if it is
whatever the unknowns turn out to be, and maybe if some choice of them allows it.
"""

import enum
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial, reduce
from itertools import product
from operator import or_
from typing import Final

from cmek_construct.policy import aws, context
from cmek_construct.policy.patterns import ANYTHING, BETWEEN, CannotBeJudged
from cmek_construct.policy.space import Box, Dimension, Space, both, within
from cmek_construct.policy.statements import Policy, Statement
from cmek_construct.policy.text import Doubt, Reading, lower, parts

ACTION: Final = "action"
RESOURCE: Final = "resource"
YES, NO = "yes", "no"
_SERVICE: Final = re.compile("(?!aws$)[a-z0-9-]+")
"""What begins the condition keys of a service; those of who signs in elsewhere have a dot."""
WHOSE_ACCOUNT: Final = "whose account it is"
_MEANT_ELSEWHERE: Final = "what conditions and denials of a key policy are to those who sign in elsewhere"
_MOST_STATEMENTS: Final = 2_000


class Verdict(enum.Enum):
    """An answer."""

    YES = "yes"
    NO = "no"
    BY_ACCOUNT = "only by IAM policies of the account"
    """The policy names the principal's account, whose own IAM policies then decide."""
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class Request:
    """One call of an AWS API."""

    principal: str
    """The ARN of a role (each of its sessions), a user, an account's root or a session; an AWS service; or
    ``anonymous``. With ``*``, each whose ARN is of that form."""
    action: str
    resource: str | None = None  # the ARN of what is acted on, where the policy does not say it
    context: Mapping[str, str | Sequence[str] | None] = field(default_factory=dict)
    """Condition keys. None says that a key is not sent; of one that is missing nothing is known. What follows from
    the principal, such as ``aws:PrincipalArn``, need not stand here."""
    own: bool | None = None  # whether the IAM policies of the principal's own account let it. None: that is not known.
    but: Sequence[str] = ()  # principals that are not meant, where it is about several


@dataclass(frozen=True)
class Said:
    """An answer, and why."""

    verdict: Verdict
    statement: Statement | None = None  # the statement that decides
    hangs_on: tuple[str, ...] = ()  # what is not known


def space_of(policies: Sequence[Policy], people: Sequence[str]) -> Space:
    """The space of some policies of one kind, and of the principals that are asked about."""
    if sum(len(one.statements) for one in policies) > _MOST_STATEMENTS:
        raise CannotBeJudged(f"more than {_MOST_STATEMENTS:,} statements")
    kind = policies[0].kind
    resource = next((one.resource for one in policies if one.resource), None)
    forms = {name: form for one in policies for name, form in one.forms.items()}
    named = [one for policy in policies for statement in policy.statements for one in statement.named()]
    spelled = context.spelled([*people, *(one.name for one in named)])
    space = Space(kind, resource, Reading(forms), spelled, named)
    space.dimension(context.OWN, (NO, YES))
    service = {"key": "kms:", "trust": "sts:"}.get(kind, f"{aws.WORD}:")
    actions = space.dimension(ACTION, (service + aws.WORD,))
    for name in aws.ACTIONS[kind]:
        actions.where(name)
    space.dimension(context.PRINCIPAL, context.EVERYBODY)
    if kind != "trust":
        space.dimension(RESOURCE, (ANYTHING,))
    return space


class Rules:
    """The statements of a policy as boxes of a space."""

    def __init__(self, space: Space, policy: Policy) -> None:
        self.space = space
        self.allow: list[tuple[Statement, Box]] = []
        self.deny: list[tuple[Statement, Box]] = []
        space.never = list(_impossible(space))
        for one in policy.statements:
            for effect in [one.effect] if one.effect else ["Allow", "Deny"]:
                boxes = self.allow if effect == "Allow" else self.deny
                space.spend(1)
                boxes += [(one, box) for box in _boxes(space, one, effect, policy.typed) if all(box)]
        self.allowing = [box for _, box in self.allow]
        self.denying = [box for _, box in self.deny]

    def verdict(self, asked: Sequence[Box]) -> Verdict:
        """What is said to all of these requests."""
        if not self.space.without(asked, self.allowing) and not self.space.overlap(asked, self.denying):
            return Verdict.YES
        allowed = self.space.overlap(asked, self.allowing)
        return Verdict.CANNOT_TELL if self.space.without(allowed, self.denying) else Verdict.NO

    def why(self, asked: Sequence[Box], verdict: Verdict) -> tuple[Statement | None, tuple[str, ...]]:
        """The statement that decides, or one that may be about the requests or not; and what is not known of all such.

        Of those that decide, one that names the principal is before one of its account.
        """
        if verdict is not Verdict.CANNOT_TELL:
            about = self.deny if verdict is Verdict.NO else self.allow
            one = next((one for one, box in about if all(within(some, box) for some in asked)), None)
            if one is None and verdict is not Verdict.NO:
                alone = self.space.overlap(asked, [self.space.box(lets(self.space))])
                one = next((one for one, box in about if self.space.overlap(alone, [box])), None)
            return one, ()
        each = product([*self.deny, *self.allow], asked)
        partly = [(one, box, some) for (one, box), some in each if both(some, box) and not within(some, box)]
        found: dict[str, None] = {}
        for _, box, some in partly:
            for dimension, mine, asks in zip(self.space.dimensions.values(), box, some, strict=True):
                if asks & ~mine:
                    whole = Doubt(dimension.name) if dimension.is_key else dimension.name
                    found |= dict.fromkeys(dimension.differences(asks & mine) or [whole])
        return partly[0][0] if partly else None, tuple(one for one in found if one != context.OWN or len(found) == 1)


def lets(space: Space, own: bool = True) -> tuple[str, int]:
    """The requests that the principal's own account lets, or does not."""
    return context.OWN, space.dimensions[context.OWN].where(YES if own else NO)


def _impossible(space: Space) -> Iterator[Box]:
    """Requests that nobody can make: an action on what it is not for, or with a key of others."""
    actions, people = space.dimensions[ACTION], space.dimensions[context.PRINCIPAL]

    def others(names: Collection[str]) -> int:
        return actions.of(lambda value: value.text not in names)

    if space.kind == "permissions":
        yield space.box((context.PRINCIPAL, people.all & ~people.where(context.WITH_ARN)))
        resources = space.dimensions[RESOURCE]
        for names, patterns in aws.ACTED_ON:
            these = reduce(or_, map(resources.where, patterns), 0)
            yield space.box((ACTION, actions.all & ~others(names)), (RESOURCE, resources.all & ~these))
    if space.kind == "trust":
        yield space.box((context.PRINCIPAL, people.where(context.SIGNED_IN_ELSEWHERE)), (ACTION, others(aws.FEDERATED)))
    for key, dimension in space.dimensions.items():
        service, _, name = key.partition(":")
        if name and _SERVICE.fullmatch(service):
            of_service = {value.text for value in actions.values if value.text.startswith(f"{service}:")}
            lacks = others(aws.KEYS.get(":".join(key.split(":")[:2]), of_service))
            yield space.box((key, dimension.of(lambda value: value.text != "")), (ACTION, lacks))


def _boxes(space: Space, statement: Statement, effect: str, is_typed: bool) -> Iterator[Box]:
    """The requests that a statement is about."""
    if statement.unreadable:
        # It may be another statement altogether.
        unknown = BETWEEN.join((statement.unreadable[0], effect, json.dumps(statement.raw, default=str)))
        yield space.box((unknown, space.dimension(unknown, (NO, YES)).where(YES)))
        return
    actions = space.dimensions[ACTION]
    about = [(ACTION, _of(actions, statement.actions, statement.not_actions, partial(action, actions)))]
    if space.kind != "trust":
        resources, meant = space.dimensions[RESOURCE], partial(_resource, space, statement.variables)
        about.append((RESOURCE, _of(resources, statement.resources, statement.not_resources, meant)))
    halves = {True: actions.all}
    if space.kind == "permissions" and statement.on(aws.CALLER_ACCOUNT):
        silent = actions.of(lambda value: value.text in aws.WITHOUT_CALLER_ACCOUNT or not value.text.startswith("kms:"))
        halves = {True: actions.all & ~silent, False: silent}
    named = statement.principals or () if space.kind == "key" and effect == "Allow" else ()
    doubted = context.signed_in(space, named, _MEANT_ELSEWHERE)
    met = [[*about, (ACTION, half)] for half in halves.values()]
    for sets, says_caller in zip(met, halves, strict=True):
        for one in statement.conditions:
            is_sent = says_caller or one.key.lower() != aws.CALLER_ACCOUNT
            name, some = context.meets(space, one, statement.variables, is_sent, is_typed)
            sets.append((name, some | doubted if name == context.PRINCIPAL else some))
    whom: list[list[tuple[str, int]]] = [[]]
    if space.kind != "permissions":
        # Who is meant, and who with leave of their own account alone.
        direct, by_account = context.named(space, statement)
        whom = [[(context.PRINCIPAL, direct)], [(context.PRINCIPAL, by_account & ~direct), lets(space)]]
        if effect == "Deny":
            elsewhere = partial(context.signed_in, space, space.named if space.kind == "key" else ())
            whom = [[(context.PRINCIPAL, (direct | by_account) & ~(elsewhere() & ~elsewhere(_MEANT_ELSEWHERE)))]]
    yield from (space.box(*sets, *who) for sets in met for who in whom)


def _of(some: Dimension, named: Sequence[str] | None, others: Sequence[str] | None, meant: Callable[[str], int]) -> int:
    """What is named, or all but what is; all where neither is there."""
    found = reduce(or_, map(meant, (others if named is None else named) or ()), 0)
    return some.all & ~found if named is None else found


def action(dimension: Dimension, text: str) -> int:
    """The actions of one text."""
    if text == "*":
        return dimension.all
    if len(parts(text, ":")) < 2:
        return dimension.perhaps(Doubt(f"the Action {text}", " is meant"))
    return dimension.like(Reading({}).form(lower(text), ACTION))


def _resource(space: Space, variables: bool, text: str) -> int:
    dimension = space.dimensions[RESOURCE]
    if text == "*" or (space.kind == "key" and text == space.resource):
        return dimension.all
    found = space.reading._replace(variables=variables).arn(text)
    return dimension.like(found) if found else dimension.perhaps(Doubt(f"the Resource {text}", " is meant"))


def on(space: Space, resource: str | None) -> tuple[str, int]:
    """The one resource that requests are about, where it is known."""
    if resource is None:
        return RESOURCE, space.dimensions[RESOURCE].all
    reading = space.reading._replace(wild=False)
    return RESOURCE, space.dimensions[RESOURCE].like(reading.arn(resource) or reading.form(resource, RESOURCE))


def answers(policy: Policy, requests: Sequence[Request]) -> list[Said]:
    """What a policy says to each of some requests. What is too large is a `CannotBeJudged`."""
    space = space_of([policy], [name for one in requests for name in (one.principal, *one.but)])
    for _ in space.twice():
        rules = Rules(space, policy)
        asked = list(map(_asking(space, policy.resource), requests))
    return [_answer(rules, policy, one, boxes) for one, boxes in zip(requests, asked, strict=True)]


def _answer(rules: Rules, policy: Policy, request: Request, asked: list[Box]) -> Said:
    space = rules.space
    if not asked:
        return Said(Verdict.CANNOT_TELL, hangs_on=("a request of this form is not known here",))
    split = [space.overlap(asked, [space.box(lets(space, own))]) for own in (True, False)]
    verdicts = [rules.verdict(some) for some in split if some]
    verdict = verdicts[0] if len(set(verdicts)) == 1 else Verdict.CANNOT_TELL
    if verdicts == [Verdict.YES, Verdict.NO]:
        verdict = Verdict.BY_ACCOUNT
    if verdict is Verdict.YES and request.own is False and policy.kind != "permissions":
        # To one whose own account says no, a yes is enough in one account alone.
        own = context.owner_of(request.principal)
        owner = context.owner_of(policy.resource or request.resource or "")
        is_one = request.principal.startswith("arn:") and not request.principal.endswith(":root")
        if is_one and own and owner and own != owner and "$" not in own + owner:
            return Said(Verdict.NO)
        if is_one and own != owner:
            return Said(Verdict.CANNOT_TELL, hangs_on=(WHOSE_ACCOUNT,))
    return Said(verdict, *rules.why(asked, verdict))


def _asking(space: Space, resource: str | None) -> Callable[[Request], list[Box]]:
    """Makes boxes of requests: what is not said of them may be anything. Each text is looked at once."""
    callers = cache(partial(context.exactly, space))
    acted_on = cache(partial(on, space))
    sent = cache(partial(context.sent, space))

    def boxes(request: Request) -> list[Box]:
        but = reduce(or_, map(callers, request.but), 0)
        action = space.dimensions[ACTION].where(re.escape(request.action.lower()))
        sets = [(context.PRINCIPAL, callers(request.principal) & ~but), (ACTION, action)]
        sets += [acted_on(resource or request.resource)] if space.kind != "trust" else []
        sets += [] if request.own is None else [lets(space, request.own)]
        for name, value in request.context.items():
            if not context.follows(key := name.lower(), space.kind):
                sets.append((key, sent(key, value if value is None or isinstance(value, str) else tuple(value))))
        return space.without([space.box(*sets)], space.never)

    return boxes
