"""What the simulator says: of a request, for each thing that its unknowns may turn out to be."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final

from tests.policies.conditions import conditions_of, listed
from tests.policies.generate import VERSION, Document, Generated
from tests.policies.requests import ANONYMOUS, Call, Draws, Value
from tests.policies.vocabulary import BY_NAME, PATHS, role_of
from tests.simulator.simulator import Request, Result, simulate

_BATCH: Final = 1500
_EVERYTHING: Final = {"Version": VERSION, "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@dataclass(frozen=True)
class Instance:
    """A policy without holes, and a call of which all is known."""

    kind: str
    document: str
    call: Call
    own: bool

    def request(self) -> Request:
        """The same, to the simulator."""
        call = self.call
        context: dict[str, Any] = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in (*call.follows().items(), *call.context.items())
            if value is not None
        }
        principal = None if call.principal == ANONYMOUS else call.principal
        policy: Document = json.loads(self.document)
        account = str(call.account) if call.resource == "*" else call.resource.split(":")[4]
        if self.kind != "permissions":
            lets = self.own or call.is_federated or call.principal.endswith(":root")
            own = [_EVERYTHING] if lets and principal and not call.is_service else []
            return Request(principal, call.action, call.resource, account, _for_simulator(policy), own, context)
        lets_account: Document = {
            "Version": VERSION,
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": call.account}, "Action": "*", "Resource": "*"}],
        }
        own = [_for_simulator(policy)]
        return Request(principal, call.action, call.resource, account, lets_account, own, context)


def _for_simulator(policy: Document) -> Document:
    """The policy, said so that the simulator takes it as AWS does.

    It looks for policy variables whatever the Version is. In an older one they are text:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
    """
    if policy.get("Version") == VERSION:
        return policy
    changed: Document = json.loads(json.dumps(policy).replace("${", "${$}{"))
    return changed


class Simulator:
    """Answers, each asked for once. Two processes of Node work at a time."""

    def __init__(self) -> None:
        self._known: dict[str, bool | None] = {}
        self.asked = 0

    def allows(self, instances: Sequence[Instance]) -> list[bool | None]:
        """Whether each is allowed; None if it is no request that AWS knows."""
        keys = [_key(one) for one in instances]
        new = {key: one for key, one in zip(keys, instances, strict=True) if key not in self._known}
        batches = [list(new)[at : at + _BATCH] for at in range(0, len(new), _BATCH)]
        with ThreadPoolExecutor(2) as pool:
            answers = pool.map(lambda batch: _said([new[key] for key in batch]), batches)
            for batch, said in zip(batches, answers, strict=True):
                self._known.update(zip(batch, said, strict=True))
        self.asked += len(new)
        return [self._known[key] for key in keys]


def _said(batch: Sequence[Instance]) -> list[bool | None]:
    """The answers to a batch, which is halved until what is no request stands alone."""
    try:
        answers = simulate([one.request() for one in batch])
    except RuntimeError:
        half = len(batch) // 2
        return [*_said(batch[:half]), *_said(batch[half:])] if half else [None]
    return [answer.result is Result.ALLOWED for answer in answers]


def _key(one: Instance) -> str:
    call = one.call
    said = (one.kind, one.document, call.principal, call.role, call.action, call.resource)
    return json.dumps((*said, sorted(call.context.items()), one.own))


def instances(
    policy: Generated, call: Call, rng: random.Random, draws: Draws, most: int = 4
) -> list[tuple[Mapping[str, str], Call]]:
    """Values of the holes, and calls of which all is known, that this call may be.

    The first has the holes as the policy was made. Each of the others changes something.
    """
    unknown = [key for key in _keys(policy) if _is_unknown(call, key)]
    several = bool(policy.holes or unknown) or _is_of_any_path(call)
    found: list[tuple[Mapping[str, str], Call]] = [(policy.made_with, _known(call, unknown, draws, rng, absent=True))]
    for number in range(most - 1 if several else 0):
        holes = {name: rng.choice(values if number else values[1:] or values) for name, values in policy.holes.items()}
        found.append((holes, _known(call, unknown, draws, rng, absent=False)))
    return found


def _is_of_any_path(call: Call) -> bool:
    return call.role is None and ":assumed-role/" in call.principal


def _keys(policy: Generated) -> list[str]:
    statements = listed(policy.document["Statement"])
    return [key.name for one in statements for _, key, _ in conditions_of(one)]


def _is_unknown(call: Call, name: str) -> bool:
    return name not in call.context and name not in call.follows()


def _known(call: Call, unknown: Iterable[str], draws: Draws, rng: random.Random, absent: bool) -> Call:
    context: dict[str, Value] = dict(call.context)
    for name in unknown:
        key = BY_NAME[name.lower()]
        if absent or not call.may_have(key) or rng.random() < 0.3:
            context[name] = None
            continue
        said = [
            (operator, values)
            for one in draws.statements
            for operator, other, values in conditions_of(one)
            if other is key
        ]
        operator, values = rng.choice(said or [("Null", [])])
        value = draws.value(context, call, key, operator, values)
        context[name] = (value,) if key.several else value
    role = call.role
    if _is_of_any_path(call):
        role = role_of(call.principal, "" if absent else rng.choice(PATHS))
    return replace(call, context=draws.about_resource(context), role=role)
