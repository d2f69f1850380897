"""`cmek check`: templates judged by the guardrails, without CDK, and what was acknowledged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import typer

from cmek_construct import warnings as ids
from cmek_construct.commands.errors import refuse
from cmek_construct.commands.options import Acknowledge, AsJson, Templates, VendorRoles
from cmek_construct.commands.printing import counted, tell, tell_json
from cmek_construct.guardrails.judging import judge
from cmek_construct.guardrails.rule import Violation
from cmek_construct.policy.sentences import Quoted, visible
from cmek_construct.templates.found import Found, Place
from cmek_construct.templates.pinecone import find
from cmek_construct.templates.reading import members
from cmek_construct.templates.run import Run, read_run
from cmek_construct.who.policies import two_accounts

_REPORT: Final = "validation-report.json"
InApp = Mapping[tuple[str, str, str], str]
"""Reasons by rule, template and logical ID."""


def check(
    paths: Templates,
    acknowledge: Acknowledge = None,
    vendor_role_arn: VendorRoles = None,
    as_json: AsJson = False,
) -> None:
    """Judge templates by the guardrails, without CDK.

    Fails for what says more than Pinecone's guide, for what cannot be read, and where nothing of
    Pinecone's is in any of them.
    """
    run = read_run(paths)
    acknowledged: dict[str, str] = dict(acknowledge or [])
    by_app = in_app(folders(paths, run))
    found, judged = guarded(run, vendor_role_arn or [], acknowledged, by_app)
    if as_json:
        tell_json(_as_data(judged))
    else:
        tell(line for one in judged for line in _lines(one))
    problems = list(map(str, found.problems))
    roles = [role for one in judged for role in one.roles]
    keys = [key for one in judged for key in one.keys]
    refused = [violation for one in judged for violation in one.refused]
    if not roles and not keys:
        problems.append("Nothing of Pinecone's was found, so nothing was checked.")
    said = two_accounts(found)
    if said:
        typer.echo(said, err=True)
    for rule in _unused(judged, acknowledged):
        typer.echo(f"--acknowledge {rule}: nothing breaks it any more.", err=True)
    typer.echo(
        f"{counted(judged, 'template')}, {counted(roles, 'role')} and "
        f"{counted(keys, 'key')} judged: {counted(refused, 'violation')}.",
        err=as_json,
    )
    if problems or refused:
        refuse(*problems)


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


def guarded(
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
            (one, acknowledged.get(one.rule) or by_app.get((one.rule, *_where(one))))
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


def _unused(judged: Sequence[Judged], acknowledged: Mapping[str, str]) -> list[str]:
    """Acknowledged rules that nothing breaks."""
    broken = {violation.rule for one in judged for violation, _ in one.found}
    return [rule for rule in acknowledged if rule not in broken]


def _lines(judged: Judged) -> Iterator[str]:
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


def _as_data(judged: Sequence[Judged]) -> list[dict[str, Any]]:
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
