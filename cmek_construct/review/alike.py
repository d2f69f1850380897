"""What is the same in many accounts is read and signed once: all parts that are alike."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from cmek_construct.guide import Statement
from cmek_construct.review.model import NAMES, Part, Policy, Said, Template, Thing

_THEIR_OWN: Final = (*NAMES, "TargetKeyId", "Description", "Tags")
"""Properties that let nobody do anything: they may differ among what is alike."""
_EXTERNAL_ID: Final = "<external ID>"
_OWN_ACCOUNT: Final = "<own account>"


@dataclass(frozen=True)
class Alike:
    """Roles and keys of one text, wherever they stand."""

    number: int
    parts: list[Part]

    @property
    def part(self) -> Part:
        """The first of them, which the page shows."""
        return self.parts[0]

    @property
    def template(self) -> Template:
        """The template of the first of them."""
        return self.part.template


def alike(templates: Iterable[Template]) -> list[Alike]:
    """The distinct ones: first those that a guardrail refuses, each as it is first met."""
    found: dict[str, list[Part]] = {}
    for part in (part for template in templates for part in template.parts):
        found.setdefault(_text(part), []).append(part)
    refused_first = sorted(found.values(), key=lambda parts: not parts[0].refused)
    return [Alike(number, parts) for number, parts in enumerate(refused_first, 1)]


def _text(part: Part) -> str:
    """What is the same among what is alike: own account, IDs and names are left out.

    Each only where it stands for itself: an external ID in its condition, an account in an ARN.
    """
    findings = sorted((one.rule, one.acknowledged or "") for one in part.findings)
    things = [_thing(one) for one in part.things]
    text = json.dumps([things, findings, [label for label, _ in part.outputs]], sort_keys=True)
    for index, logical_id in enumerate(part.logical_ids):
        text = re.sub(rf"\$\{{{re.escape(logical_id)}(?=[.}}])", f"${{{index}", text)
    account = part.template.account
    if account is not None:
        text = re.sub(rf"(?<=[:\"]){account}(?=[:\"])", _OWN_ACCOUNT, text)
    return text.replace("${AWS::AccountId}", _OWN_ACCOUNT)


def _thing(one: Thing) -> list[Any]:
    properties = {name: value for name, value in one.properties.items() if name not in _THEIR_OWN}
    return [one.kind, properties, one.retained, [_policy(policy) for policy in one.policies]]


def _policy(policy: Policy) -> list[Any]:
    return [*([said.when, _without_external_id(said)] for said in policy.said), policy.variables]


def _without_external_id(said: Said) -> Statement:
    if said.external_id is None:
        return said.called
    condition = said.called["Condition"]
    equals = {**condition["StringEquals"], "sts:ExternalId": _EXTERNAL_ID}
    return {**said.called, "Condition": {**condition, "StringEquals": equals}}
