"""Run B: `beyond` and `short` of two policies find what the simulator tells apart, and no more."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from cmek_construct import policy as judged
from cmek_construct.policy import CannotBeJudged, Request, Witness
from tests.policies.allowing import as_read, shown
from tests.policies.exceptions import excepted
from tests.policies.generate import Generated, draw_policy
from tests.policies.holes import with_holes
from tests.policies.mutate import CHANGES, RENAMED, mutated
from tests.policies.requests import Call, Draws, Value
from tests.policies.truth import Instance, Simulator, instances
from tests.policies.vocabulary import KEY, ROLE, Cast, role_of

CALLS_OF_A_PAIR = 10
OTHER = "another policy"
SAME = "the same"
_VARIABLE: Final = re.compile(r"\$\{policy variable ([^}]*)\}")
_CHANGES = (*CHANGES, *(2 * [RENAMED]), *(10 * [OTHER]), SAME)


@dataclass(frozen=True)
class Told:
    """A call that one policy allows and the other does not, with these values of the holes."""

    holes: Mapping[str, str]
    call: Call
    own: bool
    first: bool
    """Whether it is the first that allows it."""


@dataclass(frozen=True)
class Pair:
    """Two policies, how the second differs, and the calls that tell them apart."""

    change: str
    first: Generated
    second: Generated
    told: Sequence[Told]
    assignments: Sequence[Mapping[str, str]]
    """Some values that the holes of both may have."""

    def instances(self, holes: Mapping[str, str], call: Call, own: bool) -> list[Instance]:
        """One call to each of the two."""
        return [Instance(one.kind, json.dumps(one.concrete(holes)), call, own) for one in (self.first, self.second)]


@dataclass(frozen=True)
class Fault:
    """What is wrong with the answer about a pair."""

    what: str
    pair: Pair
    seen: str

    def __str__(self) -> str:
        """All that is needed to see it again."""
        return "\n".join(
            (
                f"{self.what} ({self.pair.change}, {self.pair.first.kind} policies)",
                f"  first  {json.dumps(self.pair.first.document)}",
                f"  second {json.dumps(self.pair.second.document)}",
                f"  {self.seen}",
            )
        )


@dataclass
class Figures:
    """What a run came to."""

    pairs: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    excepted: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)

    def add(self, other: Figures) -> None:
        """Take another run's in."""
        self.pairs += other.pairs
        self.counts += other.counts
        self.excepted += other.excepted
        self.faults += other.faults


def pairs(simulator: Simulator, numbers: Iterable[int]) -> list[Pair]:
    """Pairs of these numbers, with what the simulator says to calls about each."""
    drawn = [_drawn(number) for number in numbers]
    asked = [one for pair, calls in drawn for holes, call, own in calls for one in pair.instances(holes, call, own)]
    said = iter(simulator.allows(asked))
    found = []
    for pair, calls in drawn:
        told = []
        for holes, call, own in calls:
            one, other = next(said), next(said)
            if one is not other:
                told.append(Told(holes, call, own, bool(one)))
        found.append(replace(pair, told=told))
    return found


def _drawn(number: int) -> tuple[Pair, list[tuple[Mapping[str, str], Call, bool]]]:
    rng = random.Random(f"differing {number}")
    cast = Cast(rng)
    first = draw_policy(cast)
    change = _CHANGES[number % len(_CHANGES)]
    if change == RENAMED or rng.random() < 0.1:
        first = with_holes(first, cast)
    second = _second(first, cast, change)
    if second is None:
        change, second = OTHER, draw_policy(cast, first.kind)
    holes = {**first.holes, **second.holes}
    assignments: list[Mapping[str, str]] = [
        {name: values[0] for name, values in holes.items()},
        *({name: rng.choice(values) for name, values in holes.items()} for _ in holes),
    ]
    filled = [one.filled(assignments[0]) for one in (first, second)]
    draws = Draws(cast, first.kind, filled, complete=True)
    calls = []
    for _ in range(CALLS_OF_A_PAIR):
        [(_, call)] = instances(first, draws.call(), rng, draws, most=1)
        calls.append((rng.choice(assignments), call, rng.random() < 0.7))
    return Pair(change, first, second, (), assignments), calls


def _second(first: Generated, cast: Cast, change: str) -> Generated | None:
    if change == SAME:
        return first
    return draw_policy(cast, first.kind) if change == OTHER else mutated(first, cast, change)


def compare(found: Sequence[Pair], simulator: Simulator) -> Figures:
    """What `beyond` and `short` say to each, beside what is true."""
    figures = Figures()
    certain: list[tuple[Pair, bool, Witness]] = []
    for pair in found:
        figures.pairs[pair.change] += 1
        one, other = as_read(pair.first), as_read(pair.second)
        try:
            more, less = judged.beyond(one, other), judged.short(one, other, facts={})
        except CannotBeJudged:
            figures.counts["cannot be judged"] += 1
            continue
        for witnesses, is_first in ((more, True), (less, False)):
            _note(figures, pair, witnesses, is_first)
            certain += [(pair, is_first, witness) for witness in witnesses if witness.certain]
    _confirm(figures, certain, simulator)
    return figures


def _note(figures: Figures, pair: Pair, witnesses: Sequence[Witness], is_first: bool) -> None:
    """Count the witnesses, and what they miss."""
    side = "beyond" if is_first else "short"
    told = [one for one in pair.told if one.first is is_first]
    figures.counts["witnesses"] += len(witnesses)
    figures.counts["certain witnesses"] += sum(one.certain for one in witnesses)
    figures.counts["with calls that tell"] += bool(told)
    figures.counts["with witnesses, and no call that tells"] += bool(witnesses and not told)
    figures.counts["no difference seen"] += not told and not witnesses
    if witnesses and pair.change == SAME:
        figures.faults.append(Fault(f"{side} itself", pair, _said(witnesses[0])))
    for one in told if not witnesses else ():
        if name := _excepted(pair, one.call, one.holes):
            figures.excepted[name] += 1
            continue
        seen = f"{shown(one.call)} with own={one.own}, holes {dict(one.holes)}"
        figures.faults.append(Fault(f"{side} misses", pair, seen))
        break


def _confirm(figures: Figures, certain: Iterable[tuple[Pair, bool, Witness]], simulator: Simulator) -> None:
    """Ask the simulator for every certain witness, with some values of the holes."""
    asked = [
        (pair, is_first, witness, holes, _called(witness.request, pair, holes))
        for pair, is_first, witness in certain
        for holes in pair.assignments
    ]
    said = iter(
        simulator.allows(
            [
                one
                for pair, _, witness, holes, call in asked
                for one in pair.instances(holes, call, witness.request.own is not False)
            ]
        )
    )
    faults: dict[tuple[int, str], Fault] = {}
    for pair, is_first, witness, holes, call in asked:
        answers = (next(said), next(said))
        if None in answers and not call.action.startswith(("kms:", "sts:")):
            figures.counts["examples of another service's action"] += 1
        elif None in answers and _goes_with_assuming(call):
            figures.counts["AssumeRole's own keys with what it does besides"] += 1
        elif None in answers:
            figures.counts["certain witnesses that are no request"] += 1
            faults.setdefault((id(pair), "no request"), Fault("no request", pair, _said(witness)))
        elif answers == (is_first, not is_first):
            figures.counts["confirmed"] += 1
        elif name := _excepted(pair, call, holes):
            figures.excepted[name] += 1
        else:
            seen = f"{_said(witness)} with holes {dict(holes)}; simulator: {answers}"
            faults.setdefault((id(pair), "not confirmed"), Fault("not confirmed", pair, seen))
    figures.faults += faults.values()


def _goes_with_assuming(call: Call) -> bool:
    """Whether keys of AssumeRole are sent with what is asked for along with it.

    The simulator has no data of that: it knows them of AssumeRole itself alone.
    """
    sent = {name.lower() for name, value in call.context.items() if value is not None}
    return call.action in ("sts:TagSession", "sts:SetSourceIdentity") and bool(
        sent & {"sts:externalid", "sts:rolesessionname"}
    )


def _excepted(pair: Pair, call: Call, holes: Mapping[str, str]) -> str | None:
    names = (excepted(one.concrete(holes), call) for one in (pair.first, pair.second))
    return next(filter(None, names), None)


def _called(request: Request, pair: Pair, holes: Mapping[str, str]) -> Call:
    """The request of a witness as a call, its holes filled, and with what its variables are."""

    def filled(text: str) -> str:
        text = _VARIABLE.sub("data", text)
        for name, value in holes.items():
            text = text.replace(f"${{{name}}}", value)
        return text

    variables = {at[1]: "data" for at in _VARIABLE.finditer(json.dumps(request.context))}
    context: dict[str, Value] = {
        name: value if value is None else filled(value) if isinstance(value, str) else tuple(map(filled, value))
        for name, value in {**request.context, **variables}.items()
    }
    resource = {"trust": ROLE, "key": KEY}.get(pair.first.kind, request.resource or "*")
    principal = filled(request.principal).removeprefix("federated:")
    role = _role_of(principal, pair, holes)
    return Call(principal, request.action, filled(resource), context, None, role)


def _role_of(principal: str, pair: Pair, holes: Mapping[str, str]) -> str | None:
    """Of a session: its role, under the path that one of the policies has."""
    if ":assumed-role/" not in principal:
        return None
    account, name = principal.split(":")[4], principal.split("/")[1]
    said = json.dumps([pair.first.concrete(holes), pair.second.concrete(holes)])
    named = re.search(rf'arn:aws:iam::{account}:role/(?:[^":*]*/)?{re.escape(name)}(?=")', said)
    return named[0] if named else role_of(principal, "")


def _said(witness: Witness) -> str:
    return f"{witness.request} by {witness.statement.name}, certain={witness.certain}"
