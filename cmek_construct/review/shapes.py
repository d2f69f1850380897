"""What is the same in many accounts is read and signed once: one shape, and where it stands."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cmek_construct import checks
from cmek_construct.guide import Statement
from cmek_construct.review.seen import KeySeen, Part, Policy, RoleSeen, Template

_NAMES_ONLY: Final = ("RoleName", "Description", "Tags")
"""Properties that let nobody do anything: they may differ within a shape."""
_EXTERNAL_ID: Final = "<external ID>"
_OWN_ACCOUNT: Final = "<own account>"


@dataclass(frozen=True)
class Place:
    """Where a shape stands, and what is its own there."""

    template: Template
    part: Part

    @property
    def external_ids(self) -> list[str]:
        """What Pinecone presents here."""
        return external_ids(self.part.role.trust) if self.part.role else []

    @property
    def names(self) -> list[str]:
        """Names of role and aliases that the template gives."""
        role = self.part.role
        own = [role.properties.get("RoleName")] if role else []
        return [*filter(None, own), *(one.name for key in self.part.keys for one in key.aliases)]


@dataclass(frozen=True)
class Shape:
    """One text, and all places where it stands."""

    number: int
    places: list[Place]

    @property
    def part(self) -> Part:
        """The first of them, which the page shows."""
        return self.places[0].part

    @property
    def template(self) -> Template:
        """The template of the first of them."""
        return self.places[0].template


def shapes_of(templates: Iterable[Template]) -> list[Shape]:
    """The distinct shapes: first those that a guardrail refuses, each as it is first met."""
    found: dict[str, list[Place]] = {}
    for template in templates:
        for part in template.parts:
            found.setdefault(text_of(part, template.account), []).append(Place(template, part))
    refused_first = sorted(found.values(), key=lambda places: not places[0].part.refused)
    return [Shape(number, places) for number, places in enumerate(refused_first, 1)]


def used_twice(templates: Iterable[Template]) -> list[str]:
    """External IDs that stand in more than one place: each is to be Pinecone's for one project."""
    places = (Place(template, part) for template in templates for part in template.parts)
    counted = Counter(one for place in places for one in place.external_ids)
    return [one for one, count in counted.items() if count > 1]


def external_id(statement: Statement) -> str | None:
    """What a trust statement asks for, if it asks for one text of the right form."""
    try:
        value = statement["Condition"]["StringEquals"]["sts:ExternalId"]
    except (KeyError, TypeError):
        return None
    known = isinstance(value, str) and checks.EXTERNAL_ID.fullmatch(value)
    return value if known else None


def text_of(part: Part, account: str | None) -> str:
    """What is the same wherever a shape stands: own account, IDs and names are left out.

    Each only where it stands for itself: an external ID in its condition, an account in an ARN.
    """
    findings = sorted((one.rule, one.acknowledged or "") for one in part.findings)
    role = _role(part.role) if part.role else None
    keys = [_key(key) for key in part.keys]
    text = json.dumps([role, keys, findings, [one for one, _ in part.outputs]], sort_keys=True)
    for index, logical_id in enumerate(part.logical_ids):
        text = re.sub(rf"\$\{{{re.escape(logical_id)}(?=[.}}])", f"${{{index}", text)
    if account is not None:
        text = re.sub(rf"(?<=[:\"]){account}(?=[:\"])", _OWN_ACCOUNT, text)
    return text.replace("${AWS::AccountId}", _OWN_ACCOUNT)


def _role(role: RoleSeen) -> list[Any]:
    policies = [_policy(policy) for policy in (role.trust, *role.permissions)]
    return [_properties(role.properties), role.retained, policies]


def _key(key: KeySeen) -> list[Any]:
    aliases = [alias.retained for alias in key.aliases]
    return [_properties(key.properties), key.retained, _policy(key.policy), aliases]


def _properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name not in _NAMES_ONLY}


def _policy(policy: Policy) -> list[Any]:
    said = [[said.when, _without_external_id(said.called)] for said in policy.said]
    return [*said, policy.variables]


def _without_external_id(statement: Statement) -> Statement:
    if external_id(statement) is None:
        return statement
    own = statement["Condition"]["StringEquals"]
    equals = {**own, "sts:ExternalId": _EXTERNAL_ID}
    return {**statement, "Condition": {**statement["Condition"], "StringEquals": equals}}


def external_ids(trust: Policy) -> list[str]:
    """The external IDs that a trust policy asks for."""
    found = (external_id(said.statement) for said in trust.allows)
    return list(dict.fromkeys(one for one in found if one is not None))
