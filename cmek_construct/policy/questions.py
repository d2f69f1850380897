"""The three questions: what a policy allows, what goes beyond a limit, and what falls short.

A policy is a set of requests, as far as is known. A request is surely allowed if it is whatever the
unknowns turn out to be, and maybe if some choice of them allows it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from itertools import islice, product
from operator import or_
from typing import Final

from cmek_construct.policy import aws, conditions, principals
from cmek_construct.policy.patterns import ANY, CannotBeJudged, Pattern, Token, one_of, star
from cmek_construct.policy.principals import OWN, PRINCIPAL
from cmek_construct.policy.space import Box, Dimension, Space, Value, both, merged, within
from cmek_construct.policy.statements import Policy, Statement
from cmek_construct.policy.text import ANYTHING, arn, is_plain, items, part, split, word

_ACTION: Final = "action"
_RESOURCE: Final = "resource"
_NEW_ACTION: Final = "an action that AWS may add"
_LETTER: Final = one_of("abcdefghijklmnopqrstuvwxyz0123456789-")
_WORD: Final = (Token(_LETTER), star(_LETTER))
_ACTIONS: Final = (Pattern((*_WORD, *word(":").tokens, *_WORD)),)
_KNOWN: Final = {name: Pattern(word(name).tokens) for name in aws.ACTIONS}
_TEXTS: Final = (Pattern(ANYTHING.tokens),)
_YES_NO: Final = (Pattern(word("no").tokens), Pattern(word("yes").tokens))
_MOST_TRIED: Final = 24
_MOST_STATEMENTS: Final = 2_000
_SHOWN: Final = 6


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
    """The ARN of a role (each of its sessions), a user, an account's root or a session; an AWS
    service; or ``anonymous``. With ``*``, each whose ARN is of that form."""
    action: str
    resource: str | None = None
    """The ARN of what is acted on, where the policy does not say it."""
    context: Mapping[str, str | Sequence[str] | None] = field(default_factory=dict)
    """Condition keys. None says that a key is not sent; of one that is missing nothing is known.
    What follows from the principal, such as ``aws:PrincipalArn``, need not stand here."""
    own: bool | None = None
    """Whether the IAM policies of the principal's own account let it. None: that is not known."""
    but: Sequence[str] = ()
    """Principals that are not meant, where it is about several."""


@dataclass(frozen=True)
class Said:
    """An answer, and why."""

    verdict: Verdict
    statement: Statement | None = None
    """The statement that decides."""
    hangs_on: tuple[str, ...] = ()
    """What is not known."""


def allows(policy: Policy, request: Request) -> Said:
    """What a policy says to a request.

    Raises:
        CannotBeJudged: it is too large.
    """
    return answers(policy, [request])[0]


def answers(policy: Policy, requests: Sequence[Request]) -> list[Said]:
    """What a policy says to each of some requests.

    Raises:
        CannotBeJudged: it is too large.
    """
    space = _space([policy], [name for one in requests for name in (one.principal, *one.but)])
    for _ in space.twice():
        rules = _Rules(space, policy)
        asked = [_asked(space, policy, one) for one in requests]
    return [_answer(rules, one, boxes) for one, boxes in zip(requests, asked, strict=True)]


def _space(policies: Sequence[Policy], others: Iterable[str]) -> Space:
    """The space of some policies, and of some principals that are asked about."""
    if sum(len(one.statements) for one in policies) > _MOST_STATEMENTS:
        raise CannotBeJudged(f"more than {_MOST_STATEMENTS:,} statements")
    named = [
        one.name
        for policy in policies
        for statement in policy.statements
        for one in (*(statement.principals or ()), *(statement.not_principals or ()))
    ]
    return Space(principals.spelled([*others, *named]))


def _answer(rules: _Rules, request: Request, asked: list[Box]) -> Said:
    space = rules.space
    if not any(map(all, asked)):
        return Said(Verdict.CANNOT_TELL, hangs_on=("a request of this form is not known here",))
    own = space.dimensions[OWN]
    verdicts = {}
    for lets in (True, False):
        one = space.box({OWN: own.where(_YES_NO[lets])})
        some = [shared for box in asked if (shared := both(box, one))]
        verdicts[lets] = rules.verdict(some) if some else None
    with_own, without = verdicts[True], verdicts[False]
    if with_own is None or without is None or with_own is without:
        verdict = with_own or without or Verdict.CANNOT_TELL
    elif (with_own, without) == (Verdict.YES, Verdict.NO):
        verdict = Verdict.BY_ACCOUNT
    else:
        verdict = Verdict.CANNOT_TELL
    if verdict is Verdict.YES and request.own is False:
        verdict, doubt = _across(rules.policy, request)
        if verdict is not Verdict.YES:
            return Said(verdict, hangs_on=doubt)
    if verdict is Verdict.CANNOT_TELL:
        return Said(verdict, rules.doubtful(asked), rules.hangs_on(asked))
    return Said(verdict, rules.deciding(asked, verdict))


def _across(policy: Policy, request: Request) -> tuple[Verdict, tuple[str, ...]]:
    """What becomes of a yes to one whose own account says no: in one account it is enough."""
    if not request.principal.startswith("arn:") or request.principal.endswith(":root"):
        return Verdict.YES, ()
    own = split(items(request.principal), ":", 5)[4]
    owner = split(items(policy.resource or request.resource or ":::::"), ":", 5)[4]
    if own == owner:
        return Verdict.YES, ()
    if is_plain(own) and is_plain(owner) and owner:
        return Verdict.NO, ()
    return Verdict.CANNOT_TELL, ("whose account it is",)


class _Rules:
    """The statements of a policy as boxes of a space."""

    def __init__(self, space: Space, policy: Policy) -> None:
        self.space = space
        self.policy = policy
        self.allow: list[tuple[Statement, Box]] = []
        self.deny: list[tuple[Statement, Box]] = []
        for one in policy.statements:
            for effect in [one.effect] if one.effect else ["Allow", "Deny"]:
                boxes = self.allow if effect == "Allow" else self.deny
                space.budget.spend()
                boxes += [(one, box) for box in _boxes(space, one, policy, effect) if all(box)]

    @cached_property
    def allowing(self) -> list[Box]:
        return [box for _, box in self.allow]

    @cached_property
    def denying(self) -> list[Box]:
        return [box for _, box in self.deny]

    def verdict(self, asked: Sequence[Box]) -> Verdict:
        """What is said to all of these requests."""
        outside = self.space.without(asked, self.allowing)
        if not outside and not self.space.overlap(asked, self.denying):
            return Verdict.YES
        allowed = self.space.overlap(asked, self.allowing)
        if not self.space.without(allowed, self.denying):
            return Verdict.NO
        return Verdict.CANNOT_TELL

    def deciding(self, asked: Sequence[Box], verdict: Verdict) -> Statement | None:
        """The statement that decides: one that names the principal before one of its account."""
        own = self.space.dimensions[OWN]
        for one, box in self.deny if verdict is Verdict.NO else self.allow:
            if all(within(some, box) for some in asked):
                return one
        if verdict is Verdict.NO:
            return None
        by_account = self.space.box({OWN: own.where(_YES_NO[True])})
        some = [shared for box in asked if (shared := both(box, by_account))]
        return next((one for one, box in self.allow if self.space.overlap(some, [box])), None)

    def _partly(self, asked: Sequence[Box]) -> Iterator[tuple[Statement, Box, Box]]:
        """The statements that are about some of the requests, or may be."""
        for one, box in [*self.deny, *self.allow]:
            for some in asked:
                if both(some, box) and not within(some, box):
                    yield one, box, some

    def doubtful(self, asked: Sequence[Box]) -> Statement | None:
        """A statement of which it cannot be told whether it is about the requests."""
        return next((one for one, _, _ in self._partly(asked)), None)

    def hangs_on(self, asked: Sequence[Box]) -> tuple[str, ...]:
        """What is not known of the requests, or of the statements."""
        found: dict[str, None] = {}
        for _, box, some in self._partly(asked):
            for dimension, mine, asks in zip(
                self.space.dimensions.values(), box, some, strict=True
            ):
                if asks & ~mine:
                    found |= dict.fromkeys(dimension.differences(asks & mine) or [dimension.name])
        return tuple(name for name in found if name != OWN or len(found) == 1)


def _boxes(space: Space, statement: Statement, policy: Policy, effect: str) -> Iterator[Box]:
    """The requests that a statement is about."""
    people = principals.who(space, policy)
    own = space.dimension(OWN, _YES_NO)
    sets: dict[str, int] = {}

    def narrow(name: str, wanted: int) -> None:
        before = sets.get(name, space.dimensions[name].all)
        sets[name] = before & wanted

    narrow(_ACTION, _actions(space, statement))
    if policy.kind != "trust":
        narrow(_RESOURCE, _resources(space, statement, policy))
    for condition in statement.conditions:
        narrow(*conditions.meets(space, statement, condition, policy))
    for what in statement.unreadable:
        unknown = space.dimension(what, _YES_NO, is_unknown=True)
        narrow(what, unknown.where(_YES_NO[1]))
    allowed = own.where(_YES_NO[1])
    before = sets.get(PRINCIPAL, people.everybody())
    if policy.kind == "permissions" or (
        statement.principals is None and statement.not_principals is None
    ):
        yield space.box(sets)
        return
    direct, by_account = _principals(people, statement, policy)
    if effect == "Deny":
        yield space.box({**sets, PRINCIPAL: before & (direct | by_account)})
        return
    yield space.box({**sets, PRINCIPAL: before & direct})
    yield space.box({**sets, PRINCIPAL: before & by_account & ~direct, OWN: allowed})


def _principals(people: principals.Who, statement: Statement, policy: Policy) -> tuple[int, int]:
    """Who is named, and who is of an account that is named."""
    if statement.principals is None:
        return principals.spared(people, statement, policy), 0
    return people.direct(statement.principals), people.by_account(statement.principals)


def _actions(space: Space, statement: Statement) -> int:
    dimension = _action_dimension(space)
    if statement.actions is None and statement.not_actions is None:
        return dimension.all
    if statement.actions is None:
        others = [_action(dimension, statement, text) for text in statement.not_actions or ()]
        return dimension.all & ~reduce(or_, others, 0)
    return reduce(or_, (_action(dimension, statement, text) for text in statement.actions), 0)


def _action_dimension(space: Space) -> Dimension:
    """The actions, of which those that are known are told apart."""
    dimension = space.dimension(_ACTION, _ACTIONS)
    for pattern in _KNOWN.values():
        dimension.where(pattern)
    return dimension


def _action(dimension: Dimension, statement: Statement, text: str) -> int:
    """The actions of one text."""
    if text == "*":
        return dimension.all
    whole = items(text if "${" in text else text.lower(), wild=True)
    if len(split(whole, ":")) < 2:
        return dimension.perhaps(f"{statement.name}: the Action {text}")
    one = part(whole, _ACTION, ANY, {})
    return dimension.where(Pattern(one.tokens), one.flags)


def _resources(space: Space, statement: Statement, policy: Policy) -> int:
    """The resources that a statement is about."""
    dimension = space.dimension(_RESOURCE, _TEXTS)
    if statement.resources is None and statement.not_resources is None:
        return dimension.all
    if statement.resources is None:
        others = [_resource(dimension, statement, t, policy) for t in statement.not_resources or ()]
        return dimension.all & ~reduce(or_, others, 0)
    found = (_resource(dimension, statement, text, policy) for text in statement.resources)
    return reduce(or_, found, 0)


def _resource(dimension: Dimension, statement: Statement, text: str, policy: Policy) -> int:
    """The resources of one text."""
    if text == "*" or (policy.kind == "key" and text == policy.resource):
        return dimension.all
    parts = split(items(text, wild=True, variables=statement.variables), ":", 5)
    if len(parts) != 6:
        return dimension.perhaps(f"{statement.name}: the Resource {text}")
    one = arn(parts, policy.forms)
    return dimension.where(Pattern(one.tokens), one.flags)


def _asked(space: Space, policy: Policy, request: Request) -> list[Box]:
    """A request as boxes: what is not said of it may be anything."""
    people = principals.who(space, policy)
    action = _action_dimension(space)
    sets = {
        PRINCIPAL: people.exactly(request.principal)
        & ~reduce(or_, map(people.exactly, request.but), 0),
        _ACTION: action.where(Pattern(word(request.action.lower()).tokens)),
    }
    if policy.kind != "trust":
        sets |= _on(space, policy, policy.resource or request.resource)
    if request.own is not None:
        sets[OWN] = space.dimension(OWN, _YES_NO).where(_YES_NO[request.own])
    for name, value in request.context.items():
        key = name.lower()
        if key not in conditions.OF_PRINCIPAL:
            sets[key] = conditions.sent(space, key, value, policy.forms)
    return possible(space, [space.box(sets)])


def _on(space: Space, policy: Policy, resource: str | None) -> dict[str, int]:
    """The one resource that requests are about, where it is known."""
    dimension = space.dimension(_RESOURCE, _TEXTS)
    if resource is None:
        return {}
    one = part(items(resource), _RESOURCE, ANY, policy.forms)
    return {_RESOURCE: dimension.where(Pattern(one.tokens), one.flags)}


def possible(space: Space, boxes: Iterable[Box]) -> list[Box]:
    """Without requests that nobody can make: with a key that does not come with the action."""
    never = []
    action = space.dimensions[_ACTION]
    for key, names in aws.KEYS.items():
        if key in space.dimensions:
            dimension = space.dimensions[key]
            absent = dimension.of(lambda value: value.text == "")
            others = action.all & ~sum(action.where(_KNOWN[name]) for name in names)
            never.append(space.box({key: dimension.all & ~absent, _ACTION: others}))
    return space.without(boxes, never) if space.is_closed else list(boxes)


@dataclass(frozen=True)
class Witness:
    """Requests that one policy may allow and the other does not, and one of them."""

    statement: Statement
    """By which statement."""
    principals: tuple[str, ...]
    actions: tuple[str, ...]
    certain: bool
    """Whether it is so whatever the unknowns turn out to be."""
    hangs_on: tuple[str, ...]
    """What is not known, if it is not certain."""
    request: Request
    """One of the requests. A hole stands there by its name."""


def beyond(policy: Policy, limit: Policy) -> list[Witness]:
    """What a policy may allow, and a limit does not: for each statement, the requests.

    Raises:
        CannotBeJudged: it is too large.
    """
    space = _space([policy, limit], [])
    for _ in space.twice():
        rules, limits = _Rules(space, policy), _Rules(space, limit)
        on = _on(space, policy, policy.resource) if policy.kind == "key" else {}
    return list(_Comparison(rules, limits, space.box(on)).witnesses())


def short(policy: Policy, need: Policy) -> list[Witness]:
    """What is needed, and a policy does not surely allow.

    Raises:
        CannotBeJudged: it is too large.
    """
    return beyond(need, policy)


class _Comparison:
    """Two policies in one space."""

    def __init__(self, rules: _Rules, limits: _Rules, base: Box) -> None:
        self._space = rules.space
        self._rules = rules
        self._limits = limits
        self._base = base

    def witnesses(self) -> Iterator[Witness]:
        """One for each piece of a statement that is beyond the limit."""
        space = self._space
        for statement, box in self._rules.allow:
            shared = both(box, self._base)
            possible_ones = possible(space, [shared] if shared else [])
            left = space.without(possible_ones, self._rules.denying)
            inside = space.overlap(left, self._limits.allowing)
            pieces = space.without(left, self._limits.allowing)
            pieces += space.overlap(inside, self._limits.denying)
            for piece in merged(pieces):
                yield self._witness(statement, piece)

    def _witness(self, statement: Statement, piece: Box) -> Witness:
        chosen, certain = next(
            ((one, True) for one in self._choices(piece) if self._is_certain(one)),
            (next(self._choices(piece)), False),
        )
        hangs_on = () if certain else tuple(self._hangs_on(piece, chosen))
        return Witness(
            statement,
            _principals_in(self._space, statement, self._rules.policy, piece),
            _actions_in(self._space, statement, piece),
            certain,
            hangs_on,
            _request(self._space, chosen),
        )

    def _choices(self, piece: Box) -> Iterator[tuple[Value, ...]]:
        """Single requests of a piece, those that a person would name first."""
        ordered = [
            _best(dimension, some)
            for dimension, some in zip(self._space.dimensions.values(), piece, strict=True)
        ]
        yield from islice(product(*ordered), _MOST_TRIED)

    def _is_certain(self, chosen: Sequence[Value]) -> bool:
        """Whether it is so for every choice of the unknowns, or for every value of its holes."""
        if _is_new(chosen[self._space.at(_ACTION)].text):
            return False
        dimensions = list(self._space.dimensions.values())
        for whole in (Dimension.as_text, Dimension.as_holes):
            box = tuple(
                one.all if one.is_unknown else whole(one, value)
                for one, value in zip(dimensions, chosen, strict=True)
            )
            if self._is_beyond(box):
                return True
        return False

    def _is_beyond(self, box: Box) -> bool:
        asked = possible(self._space, [box])
        return (
            bool(asked)
            and self._rules.verdict(asked) is Verdict.YES
            and self._limits.verdict(asked) is Verdict.NO
        )

    def _hangs_on(self, piece: Box, chosen: Sequence[Value]) -> Iterator[str]:
        for dimension, some, value in zip(
            self._space.dimensions.values(), piece, chosen, strict=True
        ):
            if dimension.is_unknown and some != dimension.all:
                yield dimension.name
            yield from dimension.differences(some & dimension.as_text(value))
            if dimension.name == _ACTION and _is_new(value.text):
                yield _NEW_ACTION


def _is_new(action: str) -> bool:
    return action.startswith(aws.SERVICES) and action not in aws.ACTIONS


def _best(dimension: Dimension, some: int) -> list[Value]:
    """A few values of a set, those that a person would name first."""

    def unlikely(value: Value) -> tuple[bool, bool, int]:
        known = dimension.name != _ACTION or not _is_new(value.text)
        wanted = value.text != "no" if dimension.name == OWN else True
        return not known, not wanted, len(value.undecided)

    return sorted(dimension.members(some), key=unlikely)[: 6 if dimension.name == PRINCIPAL else 2]


def _principals_in(
    space: Space, statement: Statement, policy: Policy, piece: Box
) -> tuple[str, ...]:
    """The principals of a piece, as the statement names them where it does."""
    people = principals.who(space, policy)
    some = piece[space.at(PRINCIPAL)]
    if some == people.everybody():
        return ("*",)
    named = []
    for one in statement.principals or ():
        whole = people.direct([one]) | people.by_account([one])
        if whole != people.everybody() and whole & some:
            named.append(one.name)
    if named:
        return tuple(named)
    found = [principals.name_of(v.text, v.flags) for v in people.dimension.members(some)]
    return tuple(dict.fromkeys(found))[:_SHOWN]


def _actions_in(space: Space, statement: Statement, piece: Box) -> tuple[str, ...]:
    """The actions of a piece: as the statement has them where all are in it, else one by one."""
    dimension, some = space.dimensions[_ACTION], piece[space.at(_ACTION)]
    found: list[str] = []
    for text in statement.actions or ():
        whole = _action(dimension, statement, text)
        if whole and not whole & ~some:
            found.append(text)
            some &= ~whole
    rest = [value.text for value in dimension.members(some)]
    found += [aws.ACTIONS[text] for text in rest if text in aws.ACTIONS]
    return tuple(found or rest)


def _request(space: Space, chosen: Sequence[Value]) -> Request:
    """One request in the words of AWS."""
    values = dict(zip(space.dimensions, chosen, strict=True))
    context = {
        name: conditions.value_of(value.text, value.flags)
        for name, value in values.items()
        if name not in (PRINCIPAL, _ACTION, _RESOURCE, OWN)
        and not space.dimensions[name].is_unknown
    }
    action = values[_ACTION].text
    resource = values[_RESOURCE].text if _RESOURCE in values else None
    return Request(
        principals.name_of(values[PRINCIPAL].text, values[PRINCIPAL].flags),
        aws.ACTIONS.get(action, action),
        resource,
        context,
        values[OWN].text == "yes",
    )
