"""A policy as boxes of a space: what each statement is about, and what all of them say."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterable, Iterator, Sequence, Set
from functools import cached_property, partial, reduce
from operator import or_
from typing import Final

from cmek_construct.policy import aws, conditions, principals
from cmek_construct.policy.names import generated
from cmek_construct.policy.patterns import ANY, BETWEEN, CannotBeJudged, Pattern, Token, one_of, star
from cmek_construct.policy.principals import OWN, PRINCIPAL
from cmek_construct.policy.space import Box, Dimension, Space, Value, both, within
from cmek_construct.policy.statements import Policy, Statement
from cmek_construct.policy.text import ANYTHING, DIGITS, Hole, Part, arn, items, part, split, word, written

ACTION: Final = "action"
RESOURCE: Final = "resource"
_LETTER: Final = one_of("abcdefghijklmnopqrstuvwxyz0123456789-")
_WORD: Final = (Token(_LETTER), star(_LETTER))
_OF_SERVICE: Final = {"key": word("kms:").tokens, "trust": word("sts:").tokens}
"""The actions that such a policy can be about."""
_KNOWN: Final = {name: Pattern(word(name).tokens) for name in aws.ACTIONS["permissions"]}
_TEXTS: Final = (Pattern(ANYTHING.tokens),)
_SOMETHING: Final = Part((Token(ANY), star(ANY)))
_BEGIN: Final = word("arn:aws") + Part((star(_LETTER),))
_OWNER: Final = word(":") + Part(DIGITS) + word(":")
_OF_KMS: Final = _BEGIN + word(":kms:") + Part(_WORD) + _OWNER
_KEY: Final = _OF_KMS + word("key/") + _SOMETHING
_ACTED_ON: Final = (
    (aws.ACTIONS["key"].keys() - aws.ALIAS, (_KEY,)),
    (aws.ALIAS, (_KEY, _OF_KMS + word("alias/") + _SOMETHING)),
    (aws.ACTIONS["trust"].keys(), (_BEGIN + word(":iam:") + _OWNER + word("role/") + _SOMETHING,)),
    ({"sts:assumeroot"}, (_BEGIN + word(":iam:") + _OWNER + word("root"),)),
    ({"sts:getfederationtoken"}, (_BEGIN + word(":sts:") + _OWNER + word("federated-user/") + _SOMETHING,)),
    (aws.ON_NOTHING, (Part(()),)),
    (aws.OPEN, ()),
)
"""What actions are for."""
YES_NO: Final = (Pattern(word("no").tokens), Pattern(word("yes").tokens))
_SERVICE: Final = re.compile("[a-z0-9-]+")
"""What begins the condition keys of a service; those of who signs in elsewhere have a dot."""
_MOST_STATEMENTS: Final = 2_000


class Verdict(enum.Enum):
    """An answer."""

    YES = "yes"
    NO = "no"
    BY_ACCOUNT = "only by IAM policies of the account"
    """The policy names the principal's account, whose own IAM policies then decide."""
    CANNOT_TELL = "cannot tell"


def space_of(policies: Sequence[Policy], others: Iterable[str]) -> Space:
    """The space of some policies, and of some principals that are asked about."""
    if sum(len(one.statements) for one in policies) > _MOST_STATEMENTS:
        raise CannotBeJudged(f"more than {_MOST_STATEMENTS:,} statements")
    named = [
        one.name
        for policy in policies
        for statement in policy.statements
        for one in (*(statement.principals or ()), *(statement.not_principals or ()))
    ]
    apart = frozenset(f"name is {written((Hole(name),))}" for one in policies for name in generated(one.forms))
    return Space(principals.spelled([*others, *named]), apart)


class Rules:
    """The statements of a policy as boxes of a space."""

    def __init__(self, space: Space, policy: Policy) -> None:
        self.space = space
        self.policy = policy
        self.allow: list[tuple[Statement, Box]] = []
        self.deny: list[tuple[Statement, Box]] = []
        space.dimension(OWN, YES_NO)
        space.never = list(_impossible(space, policy))
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
        by_account = self.space.box({OWN: own.where(YES_NO[True])})
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
            for dimension, mine, asks in zip(self.space.dimensions.values(), box, some, strict=True):
                if asks & ~mine:
                    found |= dict.fromkeys(dimension.differences(asks & mine) or [dimension.name])
        return tuple(name for name in found if name != OWN or len(found) == 1)


def _impossible(space: Space, policy: Policy) -> Iterator[Box]:
    """Requests that nobody can make: an action on what it is not for, or with a key of others."""
    actions, people = actions_of(space, policy), principals.who(space, policy)
    if policy.kind == "permissions":
        yield space.box({PRINCIPAL: people.everybody() & ~people.has_arn()})
        resources = space.dimension(RESOURCE, _TEXTS)
        for names, forms in _ACTED_ON:
            named = actions.of(partial(_is_one_of, names))
            these = reduce(or_, (resources.where(Pattern(one.tokens)) for one in forms), 0)
            yield space.box({ACTION: named, RESOURCE: resources.all & ~these})
    else:
        federated = actions.of(lambda value: value.text not in aws.FEDERATED)
        yield space.box({PRINCIPAL: people.federated(), ACTION: federated})
    for key, dimension in space.dimensions.items():
        service, _, name = key.partition(":")
        if name and service != "aws" and _SERVICE.fullmatch(service):
            present = dimension.of(lambda value: value.text != "")
            yield space.box({key: present, ACTION: actions.of(partial(_lacks, key))})


def _is_one_of(names: Set[str], action: Value) -> bool:
    return action.text in names


def _lacks(key: str, action: Value) -> bool:
    """Whether a condition key does not come with an action."""
    service, name = key.split(":")[:2]
    known = aws.KEYS.get(f"{service}:{name}")
    if known is not None:
        return action.text not in known
    return action.text.partition(":")[0] != service


def _says_caller(wanted: bool, action: Value) -> bool:
    """Whether a request for an action says the caller's account."""
    says = action.text.startswith("kms:") and action.text not in aws.WITHOUT_CALLER_ACCOUNT
    return says is wanted


def _boxes(space: Space, statement: Statement, policy: Policy, effect: str) -> Iterator[Box]:
    """The requests that a statement is about."""
    asks = policy.kind == "permissions" and any(map(conditions.asks_for_caller_account, statement.conditions))
    for with_caller in (True, False) if asks and not statement.unreadable else (None,):
        yield from _made(space, statement, policy, effect, with_caller)


def _made(space: Space, statement: Statement, policy: Policy, effect: str, with_caller: bool | None) -> Iterator[Box]:
    """The same, of the requests alone that say the caller's account, or of those that do not."""
    people = principals.who(space, policy)
    own = space.dimension(OWN, YES_NO)
    sets: dict[str, int] = {}

    def narrow(name: str, wanted: int) -> None:
        before = sets.get(name, space.dimensions[name].all)
        sets[name] = before & wanted

    if statement.unreadable:
        # It may be another statement altogether.
        unknown = BETWEEN.join((statement.unreadable[0], effect, json.dumps(statement.raw, default=str)))
        narrow(unknown, space.dimension(unknown, YES_NO, is_unknown=True).where(YES_NO[1]))
        yield space.box(sets)
        return
    narrow(ACTION, _actions(space, statement, policy))
    if policy.kind != "trust":
        narrow(RESOURCE, _resources(space, statement, policy))
    for condition in statement.conditions:
        is_sent = with_caller is not False or not conditions.asks_for_caller_account(condition)
        narrow(*conditions.meets(space, statement, condition, policy, is_sent=is_sent))
    allowed = own.where(YES_NO[1])
    before = sets.get(PRINCIPAL, people.everybody())
    if policy.kind == "permissions":
        if with_caller is not None:
            narrow(ACTION, actions_of(space, policy).of(partial(_says_caller, with_caller)))
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


def _actions(space: Space, statement: Statement, policy: Policy) -> int:
    """The actions that a statement is about."""
    dimension = actions_of(space, policy)
    if statement.actions is None and statement.not_actions is None:
        return dimension.all
    if statement.actions is None:
        others = [action(dimension, text) for text in statement.not_actions or ()]
        return dimension.all & ~reduce(or_, others, 0)
    return reduce(or_, (action(dimension, text) for text in statement.actions), 0)


def actions_of(space: Space, policy: Policy) -> Dimension:
    """The actions that a policy can be about, of which those that are known are told apart."""
    service = _OF_SERVICE.get(policy.kind, (*_WORD, *word(":").tokens))
    dimension = space.dimension(ACTION, (Pattern((*service, *_WORD)),))
    for name in aws.ACTIONS[policy.kind]:
        dimension.where(_KNOWN[name])
    return dimension


def action(dimension: Dimension, text: str) -> int:
    """The actions of one text."""
    if text == "*":
        return dimension.all
    whole = items(text if "${" in text else text.lower(), wild=True)
    if len(split(whole, ":")) < 2:
        return dimension.perhaps(f"the Action {text} is meant")
    one = part(whole, ACTION, ANY, {})
    return dimension.like(Pattern(one.tokens), one.flags)


def _resources(space: Space, statement: Statement, policy: Policy) -> int:
    """The resources that a statement is about."""
    dimension = space.dimension(RESOURCE, _TEXTS)
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
        return dimension.perhaps(f"the Resource {text} is meant")
    one = arn(parts, policy.forms)
    return dimension.like(Pattern(one.tokens), one.flags)


def on(space: Space, policy: Policy, resource: str | None) -> dict[str, int]:
    """The one resource that requests are about, where it is known."""
    dimension = space.dimension(RESOURCE, _TEXTS)
    if resource is None:
        return {}
    whole = items(resource)
    parts = split(whole, ":", 5)
    is_arn = len(parts) == 6
    one = arn(parts, policy.forms) if is_arn else part(whole, RESOURCE, ANY, policy.forms)
    return {RESOURCE: dimension.like(Pattern(one.tokens), one.flags)}
