"""Two policies beside each other: what one may allow and the other does not.

What goes beyond a limit and what falls short of a need are the same question, asked from either side. Each answer is a
witness: requests, of which one is spelled out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import islice, product
from operator import or_
from typing import Any, Final

from cmek_construct.policy import aws, context, rules
from cmek_construct.policy.patterns import CannotBeJudged
from cmek_construct.policy.rules import ACTION, RESOURCE, YES, Request, Rules, Verdict, lets
from cmek_construct.policy.space import Box, Dimension, Value, both, merged
from cmek_construct.policy.statements import Policy, Statement, read
from cmek_construct.policy.text import with_holes

_NAMES: Final = aws.ACTIONS["permissions"]
_MOST_TRIED: Final = 24
_SHOWN: Final = 6


@dataclass(frozen=True)
class Witness:
    """Requests that one policy may allow and the other does not, and one of them."""

    statement: Statement  # by which statement
    principals: tuple[str, ...]
    actions: tuple[str, ...]
    certain: bool  # whether it is so whatever the unknowns turn out to be
    hangs_on: tuple[str, ...]  # what is not known, if it is not certain
    request: Request
    """One of the requests. A hole stands there by its name; an action of another service than KMS and STS, and what
    it acts on, is an example."""


def beyond(policy: Policy, limit: Policy, principal: str | None = None) -> list[Witness]:
    """What a policy may allow, and a limit does not: for each statement, the requests.

    Those of everybody, or of one principal, as in a `Request`. What is too large is a `CannotBeJudged`.
    """
    if says_no_more(policy, limit):
        return []
    return list(_Comparison(policy, limit, principal).witnesses())


def says_no_more(policy: Policy, limit: Policy) -> bool:
    """Whether a policy allows nothing but what a limit does, in the same words."""
    allowed = [one for one in limit.statements if one.effect == "Allow" and not one.unreadable]
    allowing = (one for one in policy.statements if one.effect != "Deny")
    if len(allowed) < len(limit.statements) or not all(one in allowed for one in allowing):
        return False
    compared = (value for one in policy.statements for each in one.conditions for value in each.values)
    return limit.typed or not policy.typed or not any("${" in value for value in compared)


def short(policy: Policy, need: Policy, facts: Mapping[str, str | None] = aws.DIRECT_CALL) -> list[Witness]:
    """What is needed, and a policy does not surely allow. What is too large is a `CannotBeJudged`.

    The facts are what is true of the requests that are needed, by condition key: by default each is a call over TLS,
    and no call of an AWS service for somebody.
    """
    return list(_Comparison(policy, need, facts=facts).witnesses())


def surely_allows(document: Any, need: Any) -> bool:
    """Whether a trust policy surely allows all that another one does, whatever the deploy fills in.

    Both are as resolved by CDK: CloudFormation's functions are JSON in them.
    """
    own, needed = (read(with_holes(one), "trust", forms={}) for one in (document, need))
    try:
        return not short(own, needed)
    except CannotBeJudged:
        return False


class _Comparison:
    """What the first of two policies allows beyond the other; with facts, what the other does beyond the first."""

    def __init__(
        self, policy: Policy, other: Policy, principal: str | None = None, facts: Mapping[str, str | None] | None = None
    ) -> None:
        self._is_need = facts is not None
        self._space = space = rules.space_of([policy, other], [principal] if principal else [])
        for _ in space.twice():
            first, second = Rules(space, policy), Rules(space, other)
            meant = [(context.PRINCIPAL, context.exactly(space, principal))] if principal else []
            meant += [rules.on(space, space.resource)] if space.kind == "key" else []
            sent = (facts or {}).items()
            meant += [(key, context.sent(space, key, value)) for key, value in sent if key in space.dimensions]
            everybody, at_home = space.dimensions[context.PRINCIPAL].all, context.at_home(space)
            # Across accounts nobody gets in without leave of their own.
            near = at_home if context.owner_of(space.resource or "") else everybody
            alone = space.box(*meant, lets(space, own=False), (context.PRINCIPAL, near))
            self._base = [box for box in (space.box(*meant, lets(space)), alone) if all(box)]
            self._across = space.box(lets(space, own=False), (context.PRINCIPAL, everybody & ~at_home))
            """Requests of who may be of another account, without leave of that."""
        self._own, self._limits = (second, first) if self._is_need else (first, second)
        self._dimensions = list(space.dimensions.values())

    def witnesses(self) -> Iterator[Witness]:
        """One for each piece of a statement that is beyond the limit."""
        space, limits = self._space, self._limits
        for statement, box in self._own.allow:
            left = space.without(space.overlap([box], self._base), [*space.never, *self._own.denying])
            pieces = space.without(left, limits.allowing)
            pieces += space.overlap(space.overlap(left, limits.allowing), limits.denying)
            for piece in merged(pieces):
                yield self._witness(statement, box, piece)

    def _witness(self, statement: Statement, box: Box, piece: Box) -> Witness:
        asked = both(box, self._base[0]) or piece
        # Single requests of the piece, those that a person would name first.
        choices = list(islice(product(*map(_best, self._dimensions, piece)), _MOST_TRIED))
        certain = next(filter(None, (self._surely(one, asked) for one in choices)), None)
        hangs_on = () if certain else tuple(dict.fromkeys(self._hangs_on(piece, choices[0], asked)))
        texts = certain or [value.shown for value in choices[0]]
        of = dict(zip(self._space.dimensions, texts, strict=True))
        some = dict(zip(self._space.dimensions, piece, strict=True))
        # In the words of AWS.
        who, what = context.name_of(of[context.PRINCIPAL]), _NAMES.get(of[ACTION], of[ACTION])
        keys = {one.name: context.value_of(of[one.name]) for one in self._dimensions if one.is_key}
        request = Request(who, what, of.get(RESOURCE) or None, keys, of[context.OWN] == YES)
        named, does = self._principals(statement, some[context.PRINCIPAL]), self._actions(statement, some[ACTION])
        return Witness(statement, named, does, certain is not None, hangs_on, request)

    def _principals(self, statement: Statement, some: int) -> tuple[str, ...]:
        """Some principals, as the statement names them where it does."""
        space, people = self._space, self._space.dimensions[context.PRINCIPAL]
        if statement.unreadable or some == people.all:
            return ("*",)
        named = [(one.name, reduce(or_, context.whom(space, [one]))) for one in statement.principals or ()]
        found = [name for name, whole in named if whole & some and whole != people.all]
        names = (context.name_of(one.shown) for one in people.members(some))
        return tuple(found) or tuple(dict.fromkeys(names))[:_SHOWN]

    def _actions(self, statement: Statement, some: int) -> tuple[str, ...]:
        """Some actions: as the statement has them, or one by one where not all are in."""
        if statement.unreadable:
            return ("*",)
        dimension = self._space.dimensions[ACTION]
        found: list[str] = []
        for text in statement.actions or ():
            whole = rules.action(dimension, text)
            if whole and not whole & ~some:
                found.append(text)
                some &= ~whole
        rest = [value.text for value in dimension.members(some)]
        found += [_NAMES[text] for text in rest if text in _NAMES]
        return tuple(found or rest)

    def _surely(self, chosen: Sequence[Value], asked: Box) -> list[str] | None:
        """The texts of a request, if it is so for every choice of the unknowns, or for every value of its holes.

        Of a request that is needed, what it sends is an unknown, too.
        """
        if any(self._examples(chosen)):
            return None
        for by_holes in (False, True):
            box, texts = [], []
            for one, value, some in zip(self._dimensions, chosen, asked, strict=True):
                is_sent = self._is_need and one.is_key
                whole = one.as_holes(value) if by_holes else one.as_text(value)
                box.append(one.all if one.is_unknown else one.loosened(some) if is_sent else whole)
                texts.append(value.shown if by_holes or is_sent else value.text)
            made = self._space.without([tuple(box)], self._space.never)
            is_said = made and not self._space.overlap(made, [self._across])
            if is_said and (self._own.verdict(made), self._limits.verdict(made)) == (Verdict.YES, Verdict.NO):
                return texts
        return None

    def _hangs_on(self, piece: Box, chosen: Sequence[Value], asked: Box) -> Iterator[str]:
        for dimension, some, value, sent in zip(self._dimensions, piece, chosen, asked, strict=True):
            if dimension.is_unknown and some != dimension.all:
                yield dimension.name
            elif self._is_need and dimension.is_key and some != sent:
                yield f"what is sent as {dimension.name}"
            yield from dimension.differences(some & dimension.as_text(value))
        yield from self._examples(chosen)
        alone = (1 << one.values.index(value) for one, value in zip(self._dimensions, chosen, strict=True))
        if both(tuple(alone), self._across):
            yield rules.WHOSE_ACCOUNT

    def _examples(self, chosen: Sequence[Value]) -> Iterator[str]:
        """What is no text that a request has: an action that AWS may add, a number called x."""
        for dimension, value in zip(self._dimensions, chosen, strict=True):
            is_known = value.text in aws.ACTIONS[self._space.kind]
            if dimension.name == ACTION and value.text.startswith(("kms:", "sts:")) and not is_known:
                yield "an action that AWS may add"
            if dimension.is_typed and value.text and value.undecided:
                yield f"what is sent as {dimension.name}"


def _best(dimension: Dimension, some: int) -> list[Value]:
    """A few values of a set, those that a person would name first."""
    is_likely: Callable[[str], bool] = {
        ACTION: _NAMES.__contains__,
        context.PRINCIPAL: lambda text: text.startswith("arn:"),
        RESOURCE: lambda text: ":key/" in text,
        context.OWN: YES.__eq__,
    }.get(dimension.name, lambda _: True)
    found = sorted(dimension.members(some), key=lambda value: (not is_likely(value.text), len(value.undecided)))
    return found[: 6 if dimension.name == context.PRINCIPAL else 2]
