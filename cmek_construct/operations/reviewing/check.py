"""The guardrails over template files: what they found, and what was acknowledged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cmek_construct.guardrails import ids
from cmek_construct.guardrails.judging import Document, judge_all
from cmek_construct.guardrails.policies import shown
from cmek_construct.guardrails.rule import Violation
from cmek_construct.guardrails.rules import RULES
from cmek_construct.operations.reviewing.templates import Template
from cmek_construct.operations.reviewing.together import recognized

_ACKNOWLEDGED: Final = re.compile(rf"(?:{ids.PLUGIN}::)?(([a-z-]+)(?:\[[^\]]*\])?)=(.*\S.*)", re.S)


@dataclass(frozen=True)
class Judged:
    """One template, and what the guardrails have against it."""

    template: str
    roles: list[str]
    """The logical IDs of the roles that were judged."""
    keys: list[str]
    violations: list[Violation]
    acknowledged: Mapping[str, str]
    """The reasons of all that is acknowledged, by rule."""

    @property
    def refused(self) -> list[Violation]:
        """What is not acknowledged."""
        return [one for one in self.violations if one.rule not in self.acknowledged]


def acknowledgement(text: str) -> tuple[str, str]:
    """Rule and reason out of ``RULE=REASON``.

    Raises:
        ValueError: it is none, or there is no such rule.
    """
    found = _ACKNOWLEDGED.fullmatch(text)
    if found is None:
        raise ValueError("it is RULE=REASON, with the rule as `cmek check` prints it")
    if all(rule.id != found[2] for rule in RULES):
        names = ", ".join(sorted({rule.id for rule in RULES}))
        raise ValueError(f"there is no rule {found[2]}. There are: {names}")
    return found[1], found[3].strip()


def check(
    templates: Sequence[Template],
    vendor_role_arns: Sequence[str],
    acknowledged: Mapping[str, str],
) -> list[Judged]:
    """What the guardrails have against each template.

    Args:
        templates: which may import what others of them export.
        vendor_role_arns: roles of other accounts that a key policy may name.
        acknowledged: reasons, by rule.
    """
    documents = [Document(template.content, template.account) for template in templates]
    found = recognized(templates, None, vendor_role_arns)
    return [
        Judged(
            one.name,
            [role.resource.logical_id for role in one.ours.roles],
            [key.resource.logical_id for key in one.ours.keys],
            violations,
            acknowledged,
        )
        for one, violations in zip(found, judge_all(documents, vendor_role_arns), strict=True)
    ]


def unused(judged: Sequence[Judged], acknowledged: Mapping[str, str]) -> list[str]:
    """Acknowledged rules that nothing breaks."""
    broken = {violation.rule for one in judged for violation in one.violations}
    return [rule for rule in acknowledged if rule not in broken]


def lines(judged: Judged) -> Iterator[str]:
    """What there is to say of one template, for a person."""
    if not judged.roles and not judged.keys and not judged.violations:
        yield f"{judged.template}: nothing of Pinecone's"
        return
    found = f"{counted(judged.roles, 'role')}, {counted(judged.keys, 'key')}"
    yield f"{judged.template}: {found}" + ("" if judged.violations else ": nothing wrong")
    for one in judged.violations:
        reason = judged.acknowledged.get(one.rule)
        mark = "WRONG" if reason is None else "acknowledged"
        yield f"  {mark} {one.rule}: {shown(one.logical_id)}"
        yield f"    {one.what}"
        yield f"    Allows: {one.allows}"
        yield f"    Cure: {one.cure}" if reason is None else f"    Reason: {shown(reason)}"


def counted(found: Sequence[object], name: str) -> str:
    """``1 role``, ``2 roles``."""
    return f"{len(found)} {name}" + ("" if len(found) == 1 else "s")


def as_data(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """What was found, for a machine."""
    return [
        {
            "template": one.template,
            "roles": one.roles,
            "keys": one.keys,
            "violations": [
                {**vars(violation), "acknowledged": one.acknowledged.get(violation.rule)}
                for violation in one.violations
            ],
        }
        for one in judged
    ]
