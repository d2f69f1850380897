"""Asks `@cloud-copilot/iam-simulate` who may do what, over the policies of a template.

The simulator is AGPL: a tool of these tests, installed on first use, never shipped.
"""

from __future__ import annotations

import enum
import functools
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.simulator.once import install_once

_HERE = Path(__file__).parent
Policy = dict[str, Any]


class Result(enum.Enum):
    """What a request comes to."""

    ALLOWED = "Allowed"
    DENIED = "ImplicitlyDenied"
    """No statement allows it."""
    EXPLICITLY_DENIED = "ExplicitlyDenied"
    """A statement denies it, whatever else allows it."""


@dataclass(frozen=True)
class Request:
    """One call of an AWS API, and the policies that decide it."""

    principal: str | None
    """An ARN, a service such as ``ec2.amazonaws.com``, or None for an unsigned call."""
    action: str
    resource: str
    """The ARN of what is acted on."""
    account: str
    """The account that owns it."""
    resource_policy: Policy | None
    """None for a resource that can have none, such as an alias."""
    identity_policies: Sequence[Policy] = ()
    context: Mapping[str, str] = field(default_factory=dict)
    """Condition keys. One that the action does not have is an error."""


@dataclass(frozen=True)
class Answer:
    """What the simulator says to one request."""

    result: Result
    statements: Sequence[Policy]
    """The statements of the resource's policy that allow or, if denied explicitly, deny it."""


def simulate(requests: Sequence[Request]) -> list[Answer]:
    """Answer all requests, in one Node process, and what is asked several times once.

    Raises:
        RuntimeError: a request or a policy is not valid; nothing is answered.
    """
    asked = [
        {
            "principal": request.principal,
            "action": request.action,
            "resource": request.resource,
            "account": request.account,
            "context": request.context,
            "resourcePolicy": request.resource_policy,
            "identityPolicies": list(request.identity_policies),
        }
        for request in requests
    ]
    texts = [json.dumps(one) for one in asked]
    different = dict(zip(texts, asked, strict=True))
    found = _node({"requests": list(different.values()), "actionsOn": []})["answers"]
    answers = {
        text: Answer(Result(one["result"]), one["statements"]) for text, one in zip(different, found, strict=True)
    }
    return [answers[text] for text in texts]


@functools.cache
def actions_on(service: str, resource_type: str) -> list[str]:
    """Every action of a service that AWS documents for a type of resource, such as ``key``."""
    found: list[str] = _node({"requests": [], "actionsOn": [[service, resource_type]]})["actions"][0]
    return found


def _node(questions: dict[str, Any]) -> Any:
    install_once(_HERE / "package-lock.json", _HERE / "node_modules", _npm_ci)
    done = subprocess.run(
        ["node", "simulate.mjs"], cwd=_HERE, input=json.dumps(questions), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"The simulator did not answer:\n{done.stderr}")
    return json.loads(done.stdout)


def _npm_ci() -> None:
    subprocess.run(["npm", "ci", "--silent", "--no-progress"], cwd=_HERE, check=True)
