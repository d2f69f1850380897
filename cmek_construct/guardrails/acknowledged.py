"""Templates judged by the guardrails, and what was acknowledged: by who asks, or in the app."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cmek_construct import warnings as ids
from cmek_construct.guardrails.judging import judge
from cmek_construct.guardrails.rule import Violation
from cmek_construct.templates.found import Found, Place
from cmek_construct.templates.pinecone import find
from cmek_construct.templates.reading import members
from cmek_construct.templates.run import Run

_REPORT: Final = "validation-report.json"


@dataclass(frozen=True)
class Judged:
    """One template, and what the guardrails have against it."""

    template: str
    roles: list[str]
    """The logical IDs of the roles that were judged."""
    keys: list[str]
    found: list[tuple[Violation, str | None]]
    """Each violation, and why it was acknowledged."""

    @property
    def refused(self) -> list[Violation]:
        """What is not acknowledged."""
        return [one for one, reason in self.found if reason is None]


def guarded(
    run: Run, paths: Sequence[Path], vendor_role_arns: Sequence[str], acknowledged: Mapping[str, str]
) -> tuple[Found, list[Judged]]:
    """What the guardrails have against each template of a run.

    Args:
        run: the templates.
        paths: what was read: files, or folders that may be a cloud assembly.
        vendor_role_arns: roles of other accounts that a key policy may name.
        acknowledged: reasons, by rule.
    """
    found = find(run, vendor_role_arns=vendor_role_arns)
    folders = (one for one in paths if one.is_dir())
    by_app = _in_app([*folders, *(one.file.parent for one in run.templates)])
    by_stack: dict[str, list[Violation]] = {}
    for one in judge(run, found, vendor_role_arns):
        by_stack.setdefault(one.place.stack.name, []).append(one)
    roles, keys = _by_stack(found.roles), _by_stack(found.keys)
    judged = []
    for stack in run.stacks:
        with_reasons = [
            (one, acknowledged.get(one.rule) or by_app.get((one.rule, *_where(one))) or one.meant)
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


def _in_app(folders: Iterable[Path]) -> dict[tuple[str, str, str], str]:
    """What apps acknowledge by themselves: reasons, by rule, file and logical ID."""
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
