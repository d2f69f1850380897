"""The guardrails over template files: what they found, and what was acknowledged."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cmek_construct import warnings as ids
from cmek_construct.guardrails.judging import judge
from cmek_construct.guardrails.rule import Violation
from cmek_construct.guardrails.rules import RULES
from cmek_construct.policy.sentences import Quoted, visible
from cmek_construct.templates.found import Found, Place
from cmek_construct.templates.pinecone import find
from cmek_construct.templates.reading import members
from cmek_construct.templates.run import Run

_ACKNOWLEDGED: Final = re.compile(rf"(?:{ids.PLUGIN}::)?(([a-z-]+)(?:\[[^\]]*\])?)=(.*\S.*)", re.S)
_REPORT: Final = "validation-report.json"
InApp = Mapping[tuple[str, str, str], str]
"""Reasons by rule, template and logical ID."""


@dataclass(frozen=True)
class Judged:
    """One template, and what the guardrails have against it."""

    template: str
    roles: list[str] = field(default_factory=list)
    """The logical IDs of the roles that were judged."""
    keys: list[str] = field(default_factory=list)
    found: list[tuple[Violation, str | None]] = field(default_factory=list)
    """Each violation, and why it was acknowledged."""

    @property
    def refused(self) -> list[Violation]:
        """What is not acknowledged."""
        return [one for one, reason in self.found if reason is None]


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


def folders(paths: Sequence[Path], run: Run) -> list[Path]:
    """Where a cloud assembly may be: the folders that were named, and those of templates."""
    return [*(one for one in paths if one.is_dir()), *(one.file.parent for one in run.templates)]


def in_app(folders: Sequence[Path]) -> InApp:
    """What an app acknowledges by itself, as its cloud assembly has it.

    Args:
        folders: of templates, of which those that are an assembly have a report.
    """
    found: dict[tuple[str, str, str], str] = {}
    for folder in dict.fromkeys(folders):
        for one in _suppressed(folder / _REPORT):
            for construct in one.get("violatingConstructs", ()):
                resource = members(construct).get("cloudFormationResource") or {}
                where = Path(str(resource.get("templatePath"))).name
                what = (str(one.get("ruleName")), where, str(resource.get("logicalId")))
                found[what] = str(one.get("reason"))
    return found


def _suppressed(file: Path) -> Iterator[Mapping[str, Any]]:
    try:
        report = members(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return
    for plugin in report.get("pluginReports", ()):
        if members(plugin).get("pluginName") == ids.PLUGIN:
            yield from map(members, plugin.get("suppressedViolations") or ())


def check(
    run: Run, vendor_role_arns: Sequence[str], acknowledged: Mapping[str, str], by_app: InApp
) -> tuple[Found, list[Judged]]:
    """What the guardrails have against each template of a run.

    Args:
        run: the templates.
        vendor_role_arns: roles of other accounts that a key policy may name.
        acknowledged: reasons, by rule.
        by_app: what the app acknowledges by itself.
    """
    found = find(run, vendor_role_arns=vendor_role_arns)
    by_stack: dict[str, list[Violation]] = {}
    for one in judge(run, found, vendor_role_arns):
        by_stack.setdefault(one.place.stack.name, []).append(one)
    roles, keys = _by_stack(found.roles), _by_stack(found.keys)
    judged = []
    for stack in run.stacks:
        with_reasons = [
            (
                one,
                acknowledged.get(one.rule) or by_app.get((one.rule, *_where(one))) or one.meant,
            )
            for one in by_stack.get(stack.name, [])
        ]
        ours = (roles.get(stack.name, []), keys.get(stack.name, []))
        judged.append(Judged(stack.template.name, *ours, with_reasons))
    return found, judged


def _by_stack(some: Sequence[Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in some:
        found.setdefault(one.place.stack.name, []).append(one.place.logical_id)
    return found


def by_place(judged: Sequence[Judged]) -> dict[Place, list[tuple[Violation, str | None]]]:
    """What was found at each place, with the reason for which it is acknowledged."""
    found: dict[Place, list[tuple[Violation, str | None]]] = {}
    for violation, reason in (pair for one in judged for pair in one.found):
        found.setdefault(violation.place, []).append((violation, reason))
    return found


def _where(violation: Violation) -> tuple[str, str]:
    """File and logical ID, of a stack set those of the set."""
    stack, logical_id = violation.place.stack, violation.logical_id
    while stack.is_in_stack_set and stack.parent:
        stack, logical_id = stack.parent, stack.within[-1]
    return stack.template.file.name, logical_id


def unused(judged: Sequence[Judged], acknowledged: Mapping[str, str]) -> list[str]:
    """Acknowledged rules that nothing breaks."""
    broken = {violation.rule for one in judged for violation, _ in one.found}
    return [rule for rule in acknowledged if rule not in broken]


def lines(judged: Judged) -> Iterator[str]:
    """What there is to say of one template, for a person."""
    if not judged.roles and not judged.keys and not judged.found:
        yield f"{judged.template}: nothing of Pinecone's"
        return
    found = f"{counted(judged.roles, 'role')}, {counted(judged.keys, 'key')}"
    yield f"{judged.template}: {found}" + ("" if judged.found else ": nothing wrong")
    for one, reason in judged.found:
        mark = "WRONG" if reason is None else "acknowledged"
        yield f"  {mark} {one.rule}: {Quoted(one.logical_id)}"
        yield f"    {one.what}"
        yield f"    Allows: {one.allows}"
        yield f"    Cure: {one.cure}" if reason is None else f"    Reason: {visible(reason)}"


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
                {
                    "rule": violation.rule,
                    "logical_id": violation.logical_id,
                    "what": violation.what,
                    "allows": violation.allows,
                    "cure": violation.cure,
                    "acknowledged": reason,
                }
                for violation, reason in one.found
            ],
        }
        for one in judged
    ]
