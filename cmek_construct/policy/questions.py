"""What a policy says to a request: yes, no, by the account's own IAM, or that nobody can tell.

A policy is a set of requests, as far as is known. A request is surely allowed if it is whatever the unknowns turn out
to be, and maybe if some choice of them allows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial, reduce
from operator import or_
from typing import Final

from cmek_construct.policy import conditions, principals
from cmek_construct.policy.principals import PRINCIPAL
from cmek_construct.policy.rules import ACTION, Rules, Verdict, lets, on, space_of
from cmek_construct.policy.space import Box, Space
from cmek_construct.policy.statements import Policy, Statement

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
    space = space_of([policy], people, [one.resource for one in requests if one.resource])
    for _ in space.twice():
        rules = Rules(space, policy)
        asked = list(map(_asking(space, policy), requests))
    return [_answer(rules, policy, one, boxes) for one, boxes in zip(requests, asked, strict=True)]


def _answer(rules: Rules, policy: Policy, request: Request, asked: list[Box]) -> Said:
    space = rules.space
    if not any(map(all, asked)):
        return Said(Verdict.CANNOT_TELL, hangs_on=("a request of this form is not known here",))
    split = [space.overlap(asked, [space.box(lets(space, own))]) for own in (True, False)]
    verdicts = [rules.verdict(some) for some in split if some]
    verdict = verdicts[0] if len(set(verdicts)) == 1 else Verdict.CANNOT_TELL
    if verdicts == [Verdict.YES, Verdict.NO]:
        verdict = Verdict.BY_ACCOUNT
    if verdict is Verdict.YES and request.own is False and policy.kind != "permissions":
        verdict, doubt = _across(policy, request)
        if verdict is not Verdict.YES:
            return Said(verdict, hangs_on=doubt)
    if verdict is Verdict.CANNOT_TELL:
        return Said(verdict, *rules.doubtful(asked))
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


def _asking(space: Space, policy: Policy) -> Callable[[Request], list[Box]]:
    """Makes boxes of requests: what is not said of them may be anything. Each text is looked at once."""
    callers = cache(principals.who(space).exactly)
    acted_on = cache(partial(on, space))
    sent = cache(partial(conditions.sent, space))

    def boxes(request: Request) -> list[Box]:
        but = reduce(or_, map(callers, request.but), 0)
        sets = [
            (PRINCIPAL, callers(request.principal) & ~but),
            (ACTION, space.dimensions[ACTION].where(re.escape(request.action.lower()))),
        ]
        if space.kind != "trust":
            sets.append(acted_on(policy.resource or request.resource))
        if request.own is not None:
            sets.append(lets(space, request.own))
        for name, value in request.context.items():
            if not conditions.follows(key := name.lower(), space.kind):
                sets.append((key, sent(key, value if value is None or isinstance(value, str) else tuple(value))))
        return space.possible([space.box(*sets)])

    return boxes
