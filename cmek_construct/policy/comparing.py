"""Two policies beside each other: what one may allow and the other does not.

What goes beyond a limit and what falls short of a need are the same question, asked from either
side. Each answer is a witness: requests, of which one is spelled out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Final

from cmek_construct.policy import aws, conditions, principals
from cmek_construct.policy.principals import OWN, PRINCIPAL
from cmek_construct.policy.questions import Request
from cmek_construct.policy.rules import (
    ACTION,
    RESOURCE,
    Rules,
    Verdict,
    action,
    on,
    possible,
    space_of,
)
from cmek_construct.policy.space import Box, Dimension, Space, Value, both, merged
from cmek_construct.policy.statements import Policy, Statement

_NEW_ACTION: Final = "an action that AWS may add"
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
    """One of the requests. A hole stands there by its name."""


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


def short(policy: Policy, need: Policy) -> list[Witness]:
    """What is needed, and a policy does not surely allow.

    Raises:
        CannotBeJudged: it is too large.
    """
    return list(_comparisons(policy, need)[1].witnesses())


def _comparisons(
    one: Policy, other: Policy, principal: str | None = None
) -> tuple[_Comparison, _Comparison]:
    """The first beside the second, and the second beside the first."""
    space = space_of([one, other], [principal] if principal else [])
    for _ in space.twice():
        rules, others = Rules(space, one), Rules(space, other)
        base = on(space, one, one.resource or other.resource) if one.kind == "key" else {}
        if principal:
            base[PRINCIPAL] = principals.who(space, one).exactly(principal)
    box = space.box(base)
    return _Comparison(rules, others, box), _Comparison(others, rules, box)


class _Comparison:
    """Two policies in one space."""

    def __init__(self, rules: Rules, limits: Rules, base: Box) -> None:
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
        if _is_new(chosen[self._space.at(ACTION)].text):
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
            if dimension.name == ACTION and _is_new(value.text):
                yield _NEW_ACTION


def _is_new(action: str) -> bool:
    return action.startswith(aws.SERVICES) and action not in aws.ACTIONS


def _best(dimension: Dimension, some: int) -> list[Value]:
    """A few values of a set, those that a person would name first."""

    def unlikely(value: Value) -> tuple[bool, bool, int]:
        known = dimension.name != ACTION or not _is_new(value.text)
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
    dimension, some = space.dimensions[ACTION], piece[space.at(ACTION)]
    found: list[str] = []
    for text in statement.actions or ():
        whole = action(dimension, statement, text)
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
        if name not in (PRINCIPAL, ACTION, RESOURCE, OWN) and not space.dimensions[name].is_unknown
    }
    name = values[ACTION].text
    resource = values[RESOURCE].text if RESOURCE in values else None
    return Request(
        principals.name_of(values[PRINCIPAL].text, values[PRINCIPAL].flags),
        aws.ACTIONS.get(name, name),
        resource,
        context,
        values[OWN].text == "yes",
    )
