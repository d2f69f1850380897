"""Two policies beside each other: what one may allow and the other does not.

What goes beyond a limit and what falls short of a need are the same question, asked from either side. Each answer is a
witness: requests, of which one is spelled out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from types import MappingProxyType
from typing import Final, TypeAlias

from cmek_construct.policy import aws, conditions, principals
from cmek_construct.policy.names import told_apart
from cmek_construct.policy.principals import OWN, PRINCIPAL
from cmek_construct.policy.questions import WHOSE_ACCOUNT, Request
from cmek_construct.policy.rules import ACTION, RESOURCE, YES_NO, Rules, Verdict, action, on, space_of
from cmek_construct.policy.space import Box, Dimension, Space, Value, both, merged
from cmek_construct.policy.statements import Policy, Statement

_NEW_ACTION: Final = "an action that AWS may add"
_NAMES: Final = aws.ACTIONS["permissions"]
_Whole: TypeAlias = Callable[[Dimension, Value], int]
_READINGS: Final[Sequence[tuple[_Whole, Callable[[Dimension, Value], str]]]] = (
    (Dimension.as_text, lambda _, value: value.text),
    (Dimension.as_holes, Dimension.with_holes),
)
"""An atom for one text whatever its holes are, or for what its holes are; and how that is shown."""
_NO_KEYS: Final = (PRINCIPAL, ACTION, RESOURCE, OWN)
"""Dimensions that are no condition keys."""
_MOST_TRIED: Final = 24
_SHOWN: Final = 6


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
    """One of the requests. A hole stands there by its name; an action of another service than KMS and STS, and what
    it acts on, is an example."""


def beyond(policy: Policy, limit: Policy, principal: str | None = None) -> list[Witness]:
    """What a policy may allow, and a limit does not: for each statement, the requests.

    Args:
        policy: what may be too much.
        limit: what is not.
        principal: whose requests alone are meant, as in a `Request`. Default: everybody's.

    Raises:
        CannotBeJudged: it is too large.
    """
    return list(_comparisons(policy, limit, principal)[0].witnesses())


def short(policy: Policy, need: Policy, facts: Mapping[str, str | None] = aws.DIRECT_CALL) -> list[Witness]:
    """What is needed, and a policy does not surely allow.

    Args:
        policy: what may be too little.
        need: what is needed.
        facts: what is true of the requests that are needed, by condition key. Default: each is a call over TLS, and no
            call of an AWS service for somebody.

    Raises:
        CannotBeJudged: it is too large.
    """
    return list(_comparisons(policy, need, facts=facts)[1].witnesses())


def _comparisons(
    one: Policy, other: Policy, principal: str | None = None, facts: Mapping[str, str | None] = MappingProxyType({})
) -> tuple[_Comparison, _Comparison]:
    """The first beside the second, and the second beside the first."""
    people = [principal] if principal else []
    one, other = told_apart([one, other], people)
    space = space_of([one, other], people)
    for _ in space.twice():
        rules, others = Rules(space, one), Rules(space, other)
        resource = one.resource or other.resource
        base = list(_base(space, one, resource))
        who = principals.who(space, one)
        elsewhere = who.everybody() & ~who.at_home(resource, surely=True)
        if principal:
            asked = who.exactly(principal)
            base = space.overlap(base, [space.box({PRINCIPAL: asked})])
        for key in space.dimensions.keys() & facts:
            sent = conditions.sent(space, key, facts[key], {})
            base = space.overlap(base, [space.box({key: sent})])
    across = space.box({OWN: space.dimensions[OWN].where(YES_NO[False]), PRINCIPAL: elsewhere})
    return (
        _Comparison(rules, others, base, across, is_need=False),
        _Comparison(others, rules, base, across, is_need=True),
    )


def _base(space: Space, policy: Policy, resource: str | None) -> Iterator[Box]:
    """The requests that are compared: across accounts nobody gets in without leave of their own."""
    sets = on(space, policy, resource) if policy.kind == "key" else {}
    own = space.dimensions[OWN]
    yield space.box({**sets, OWN: own.where(YES_NO[True])})
    at_home = principals.who(space, policy).at_home(resource)
    yield space.box({**sets, OWN: own.where(YES_NO[False]), PRINCIPAL: at_home})


class _Comparison:
    """Two policies in one space."""

    def __init__(self, rules: Rules, limits: Rules, base: list[Box], across: Box, *, is_need: bool) -> None:
        self._is_need = is_need
        self._space = rules.space
        self._rules = rules
        self._limits = limits
        self._base = base
        self._across = across
        """Requests of who may be of another account, without leave of that."""

    def witnesses(self) -> Iterator[Witness]:
        """One for each piece of a statement that is beyond the limit."""
        space = self._space
        for statement, box in self._rules.allow:
            made = space.possible(space.overlap([box], self._base))
            left = space.without(made, self._rules.denying)
            inside = space.overlap(left, self._limits.allowing)
            pieces = space.without(left, self._limits.allowing)
            pieces += space.overlap(inside, self._limits.denying)
            for piece in merged(pieces):
                yield self._witness(statement, box, piece)

    def _witness(self, statement: Statement, box: Box, piece: Box) -> Witness:
        sent = [mine & asked for mine, asked in zip(box, self._base[0], strict=True)]
        surely = (self._surely(one, sent) for one in self._choices(piece))
        texts = next(filter(None, surely), None)
        certain = texts is not None
        hangs_on: tuple[str, ...] = ()
        if texts is None:
            chosen = next(self._choices(piece))
            texts = tuple(map(Dimension.with_holes, self._space.dimensions.values(), chosen))
            hangs_on = tuple(dict.fromkeys(self._hangs_on(piece, chosen, sent)))
        readable = not statement.unreadable
        return Witness(
            statement,
            self._principals(statement, piece) if readable else ("*",),
            self._actions(statement, piece) if readable else ("*",),
            certain,
            hangs_on,
            _request(self._space, texts),
        )

    def _principals(self, statement: Statement, piece: Box) -> tuple[str, ...]:
        """The principals of a piece, as the statement names them where it does."""
        people = principals.who(self._space, self._rules.policy)
        some = piece[self._space.at(PRINCIPAL)]
        if some == people.everybody():
            return ("*",)
        named = []
        for one in statement.principals or ():
            whole = people.direct([one]) | people.by_account([one])
            if whole != people.everybody() and whole & some:
                named.append(one.name)
        members = people.dimension.members(some)
        found = [principals.name_of(people.dimension.with_holes(one)) for one in members]
        return tuple(named) or tuple(dict.fromkeys(found))[:_SHOWN]

    def _actions(self, statement: Statement, piece: Box) -> tuple[str, ...]:
        """The actions of a piece: as the statement has them, or one by one where not all are in."""
        dimension, some = self._space.dimensions[ACTION], piece[self._space.at(ACTION)]
        found: list[str] = []
        for text in statement.actions or ():
            whole = action(dimension, text)
            if whole and not whole & ~some:
                found.append(text)
                some &= ~whole
        rest = [value.text for value in dimension.members(some)]
        found += [_NAMES[text] for text in rest if text in _NAMES]
        return tuple(found or rest)

    def _choices(self, piece: Box) -> Iterator[tuple[Value, ...]]:
        """Single requests of a piece, those that a person would name first."""
        ordered = [
            _best(dimension, some) for dimension, some in zip(self._space.dimensions.values(), piece, strict=True)
        ]
        yield from islice(product(*ordered), _MOST_TRIED)

    def _surely(self, chosen: Sequence[Value], sent: Sequence[int]) -> tuple[str, ...] | None:
        """The texts of a request, if it is so for every choice of the unknowns, or for every value of its holes.

        Of a request that is needed, what it sends is an unknown, too.
        """
        if any(self._examples(chosen)):
            return None
        dimensions = self._space.dimensions.values()
        for whole, text in _READINGS:

            def spread(one: Dimension, value: Value, some: int, whole: _Whole = whole) -> int:
                if one.is_unknown:
                    return one.all
                return one.loosened(some) if self._is_sent(one) else whole(one, value)

            if self._is_beyond(tuple(map(spread, dimensions, chosen, sent))):
                return tuple(
                    one.with_holes(value) if self._is_sent(one) else text(one, value)
                    for one, value in zip(dimensions, chosen, strict=True)
                )
        return None

    def _is_sent(self, dimension: Dimension) -> bool:
        """Whether it is a condition key of a request that is needed."""
        return self._is_need and dimension.name not in _NO_KEYS

    def _is_beyond(self, box: Box) -> bool:
        asked = self._space.possible([box])
        return (
            bool(asked)
            and not self._space.overlap(asked, [self._across])
            and self._rules.verdict(asked) is Verdict.YES
            and self._limits.verdict(asked) is Verdict.NO
        )

    def _hangs_on(self, piece: Box, chosen: Sequence[Value], sent: Sequence[int]) -> Iterator[str]:
        for dimension, some, value, asked in zip(self._space.dimensions.values(), piece, chosen, sent, strict=True):
            if dimension.is_unknown and some != dimension.all:
                yield dimension.name
            elif self._is_sent(dimension) and some != asked:
                yield f"what is sent as {dimension.name}"
            yield from dimension.differences(some & dimension.as_text(value))
        yield from self._examples(chosen)
        one = tuple(map(Dimension.just, self._space.dimensions.values(), chosen))
        if both(one, self._across):
            yield WHOSE_ACCOUNT

    def _examples(self, chosen: Sequence[Value]) -> Iterator[str]:
        """What is no text that a request has: an action that AWS may add, a number called x."""
        known = aws.ACTIONS[self._rules.policy.kind]
        for dimension, value in zip(self._space.dimensions.values(), chosen, strict=True):
            text = value.text
            if dimension.name == ACTION and text.startswith(aws.SERVICES) and text not in known:
                yield _NEW_ACTION
            if dimension.is_typed and text and value.undecided:
                yield f"what is sent as {dimension.name}"


def _best(dimension: Dimension, some: int) -> list[Value]:
    """A few values of a set, those that a person would name first."""

    def unlikely(value: Value) -> tuple[bool, int]:
        named = {
            ACTION: value.text in _NAMES,
            PRINCIPAL: value.text.startswith("arn:"),
            RESOURCE: ":key/" in value.text,
            OWN: value.text == "yes",
        }
        return not named.get(dimension.name, True), len(value.undecided)

    return sorted(dimension.members(some), key=unlikely)[: 6 if dimension.name == PRINCIPAL else 2]


def _request(space: Space, texts: Sequence[str]) -> Request:
    """One request in the words of AWS."""
    values = dict(zip(space.dimensions, texts, strict=True))
    context = {
        name: conditions.value_of(text)
        for name, text in values.items()
        if name not in _NO_KEYS and not space.dimensions[name].is_unknown
    }
    return Request(
        principals.name_of(values[PRINCIPAL]),
        _NAMES.get(values[ACTION], values[ACTION]),
        values.get(RESOURCE) or None,
        context,
        values[OWN] == "yes",
    )
