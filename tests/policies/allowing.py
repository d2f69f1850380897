"""Run A: each yes and each no of `allows` is the simulator's."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cmek_construct import policy as judged
from cmek_construct.policy import CannotBeJudged, Request, Verdict, read
from tests.policies import allows
from tests.policies.exceptions import excepted
from tests.policies.generate import Generated, draw_policy
from tests.policies.holes import with_holes
from tests.policies.requests import Call, Draws
from tests.policies.truth import Instance, Simulator, instances
from tests.policies.vocabulary import Cast

CALLS_OF_A_POLICY = 6


@dataclass(frozen=True)
class Truth:
    """What the simulator says to a call, once holes and unknown keys have these values."""

    holes: Mapping[str, str]
    call: Call
    allowed: bool
    """As far as the principal's own account lets it, or if it does where that is not known."""
    allowed_alone: bool
    """Where the principal's own account says no."""


@dataclass(frozen=True)
class Question:
    """A call, the policy that it was drawn from, and what is true."""

    policy: Generated
    call: Call
    truths: Sequence[Truth]


@dataclass(frozen=True)
class Difference:
    """A yes or a no that is not the simulator's."""

    policy: Generated
    call: Call
    verdict: str
    truth: Truth

    def __str__(self) -> str:
        """All that is needed to see it again."""
        said = "allowed" if self.truth.allowed else "denied"
        alone = "allowed" if self.truth.allowed_alone else "denied"
        by_own = "" if self.call.own is not None else f", if its own account says no {alone}"
        return "\n".join(
            (
                f"{self.policy.kind} policy {json.dumps(self.policy.document)}",
                f"  asked: {shown(self.call)}",
                f"  ours: {self.verdict}; simulator: {said}{by_own}",
                f"  with holes {dict(self.truth.holes)}, context {dict(self.truth.call.context)}",
            )
        )


def shown(call: Call) -> str:
    """A call, briefly."""
    who = call.principal + (f" (of {call.role})" if call.role else "")
    return f"{who} {call.action} {call.resource} {dict(call.context)} own={call.own}"


@dataclass
class Figures:
    """What a run came to."""

    policies: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    excepted: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    @property
    def asked(self) -> int:
        """Requests."""
        return self.verdicts.total()

    def add(self, other: Figures) -> None:
        """Take another run's in."""
        self.policies += other.policies
        self.verdicts += other.verdicts
        self.excepted += other.excepted
        self.differences += other.differences


def questions(simulator: Simulator, numbers: Iterable[int]) -> list[Question]:
    """The questions about policies of these numbers, and what is true of each."""
    drawn = [one for number in numbers for one in _drawn(number)]
    asked = [
        Instance(policy.kind, json.dumps(policy.concrete(holes)), call, own)
        for policy, _, found in drawn
        for holes, call in found
        for own in (True, False)
    ]
    said = iter(simulator.allows([one for one in asked if _matters(one)]))
    at = iter([bool(_matters(one) and next(said)) for one in asked])
    return [
        Question(policy, call, [_truth(holes, one, next(at), next(at)) for holes, one in found])
        for policy, call, found in drawn
    ]


def _matters(one: Instance) -> bool:
    """Whether the answer is one to this call: what its own account says may be known."""
    return one.call.own is not (not one.own)


def _truth(holes: Mapping[str, str], call: Call, with_own: bool, alone: bool) -> Truth:
    return Truth(holes, call, alone if call.own is False else with_own, alone)


def _drawn(number: int) -> Iterator[tuple[Generated, Call, list[tuple[Mapping[str, str], Call]]]]:
    rng = random.Random(f"allows {number}")
    cast = Cast(rng)
    policy = draw_policy(cast)
    if rng.random() < 0.12:
        policy = with_holes(policy, cast)
    draws = Draws(cast, policy.kind, [policy.filled(policy.made_with)])
    for _ in range(CALLS_OF_A_POLICY):
        call = draws.call()
        yield policy, call, instances(policy, call, rng, draws)


def compare(asked: Sequence[Question]) -> Figures:
    """What `allows` says to each, beside what is true."""
    figures = Figures(len({id(one.policy) for one in asked}))
    for one in asked:
        try:
            verdict = allows(as_read(one.policy), as_asked(one.call)).verdict
        except CannotBeJudged:
            figures.verdicts["cannot be judged"] += 1
            continue
        figures.verdicts[verdict.value] += 1
        wrong = next((truth for truth in one.truths if not agrees(verdict, one.call, truth)), None)
        if wrong is None:
            continue
        name = excepted(one.policy.concrete(wrong.holes), wrong.call)
        if name:
            figures.excepted[name] += 1
        else:
            figures.differences.append(Difference(one.policy, one.call, verdict.value, wrong))
    return figures


def as_read(policy: Generated) -> judged.Policy:
    """The policy as the module reads it: as AWS has it, where it has no holes."""
    if policy.holes:
        return read(policy.document, policy.kind, resource=policy.resource, forms={})
    return read(policy.concrete({}), policy.kind, resource=policy.resource)


def as_asked(call: Call) -> Request:
    """The call as the module is asked."""
    context: dict[str, Any] = dict(call.context)
    if call.role:
        context["aws:PrincipalArn"] = call.role
    return Request(call.principal, call.action, call.resource, context, call.own)


def agrees(verdict: Verdict, call: Call, truth: Truth) -> bool:
    """Whether a verdict is true of one thing that the unknowns may be."""
    if verdict is Verdict.CANNOT_TELL:
        return True
    if verdict is Verdict.NO:
        return not truth.allowed
    if call.own is not None:
        return verdict is Verdict.YES and truth.allowed
    at_home = call.account == call.resource.split(":")[4] and not call.principal.endswith(":root")
    alone = not at_home or truth.allowed_alone is (verdict is Verdict.YES)
    return truth.allowed and alone
