"""What a policy says to a request: yes, no, by the account's own IAM, or that nobody can tell.

A policy is a set of requests, as far as is known. A request is surely allowed if it is whatever the unknowns turn out
to be, and maybe if some choice of them allows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial, reduce
from operator import or_
from typing import Final

from cmek_construct.policy import conditions, principals
from cmek_construct.policy.names import told_apart
from cmek_construct.policy.patterns import Pattern
from cmek_construct.policy.principals import OWN, PRINCIPAL
from cmek_construct.policy.rules import ACTION, YES_NO, Rules, Verdict, actions_of, on, space_of
from cmek_construct.policy.space import Box, Space, both
from cmek_construct.policy.statements import Policy, Statement
from cmek_construct.policy.text import word

WHOSE_ACCOUNT: Final = "whose account it is"


@dataclass(frozen=True)
class Request:
    """One call of an AWS API."""

    principal: str
    """The ARN of a role (each of its sessions), a user, an account's root or a session; an AWS service; or
    ``anonymous``. With ``*``, each whose ARN is of that form."""
    action: str
    resource: str | None = None
    """The ARN of what is acted on, where the policy does not say it."""
    context: Mapping[str, str | Sequence[str] | None] = field(default_factory=dict)
    """Condition keys. None says that a key is not sent; of one that is missing nothing is known. What follows from
    the principal, such as ``aws:PrincipalArn``, need not stand here."""
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
    people = [name for one in requests for name in (one.principal, *one.but)]
    acted_on = [one.resource for one in requests if one.resource]
    [policy] = told_apart([policy], [*people, *acted_on])
    space = space_of([policy], people)
    for _ in space.twice():
        rules = Rules(space, policy)
        asking = _Asking(space, policy)
        asked = [asking.boxes(one) for one in requests]
    return [_answer(rules, one, boxes) for one, boxes in zip(requests, asked, strict=True)]


def _answer(rules: Rules, request: Request, asked: list[Box]) -> Said:
    space = rules.space
    if not any(map(all, asked)):
        return Said(Verdict.CANNOT_TELL, hangs_on=("a request of this form is not known here",))
    own = space.dimensions[OWN]
    verdicts = {}
    for lets in (True, False):
        one = space.box({OWN: own.where(YES_NO[lets])})
        some = [shared for box in asked if (shared := both(box, one))]
        verdicts[lets] = rules.verdict(some) if some else None
    with_own, without = verdicts[True], verdicts[False]
    if with_own is None or without is None or with_own is without:
        verdict = with_own or without or Verdict.CANNOT_TELL
    elif (with_own, without) == (Verdict.YES, Verdict.NO):
        verdict = Verdict.BY_ACCOUNT
    else:
        verdict = Verdict.CANNOT_TELL
    if verdict is Verdict.YES and request.own is False and rules.policy.kind != "permissions":
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
    own = principals.owner_of(request.principal)
    owner = principals.owner_of(policy.resource or request.resource or "")
    if own == owner:
        return Verdict.YES, ()
    if own and owner and "$" not in own + owner:
        return Verdict.NO, ()
    return Verdict.CANNOT_TELL, (WHOSE_ACCOUNT,)


class _Asking:
    """Requests as boxes: what is not said of them may be anything. Each text is looked at once."""

    def __init__(self, space: Space, policy: Policy) -> None:
        self._space = space
        self._policy = policy
        self._action = actions_of(space, policy)
        self._on = cache(partial(on, space, policy)) if policy.kind != "trust" else None
        self._callers = cache(principals.who(space, policy).exactly)
        self._sent = cache(partial(conditions.sent, space, forms=dict(policy.forms)))

    def boxes(self, request: Request) -> list[Box]:
        """One request."""
        but = reduce(or_, map(self._callers, request.but), 0)
        sets = {
            PRINCIPAL: self._callers(request.principal) & ~but,
            ACTION: self._action.where(Pattern(word(request.action.lower()).tokens)),
        }
        if self._on is not None:
            sets |= self._on(self._policy.resource or request.resource)
        if request.own is not None:
            sets[OWN] = self._space.dimensions[OWN].where(YES_NO[request.own])
        for name, value in request.context.items():
            key = name.lower()
            if not conditions.follows(key, self._policy):
                several = value is not None and not isinstance(value, str)
                sets[key] = self._sent(key, tuple(value or ()) if several else value)
        return self._space.possible([self._space.box(sets)])
