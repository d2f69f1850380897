"""Judges what is Pinecone's in a run of templates: the one way to a verdict, for all who ask.

With what was acknowledged: by who asks, or in the app.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

from cmek_construct import warnings as ids
from cmek_construct.guardrails import elsewhere, kept, rule, too_little, too_much
from cmek_construct.guardrails.rule import Violation
from cmek_construct.guardrails.subjects import Context, key_uses, trusts
from cmek_construct.policy import CannotBeJudged
from cmek_construct.policy.questions import Questions
from cmek_construct.policy.sentences import Quoted
from cmek_construct.templates.found import Found, Place
from cmek_construct.templates.pinecone import find
from cmek_construct.templates.reading import members
from cmek_construct.templates.run import Run

_EVERY: Final = [one for file in (kept, too_little, rule, elsewhere, too_much) for one in vars(file).values()]
RULES: Final = tuple(dict.fromkeys(one for one in _EVERY if isinstance(one, rule.Rule)))
"""Every rule, as the files have them. The ids are an interface: people acknowledge them."""
REPORT: Final = "validation-report.json"
"""The file of an assembly in which CDK says what the plugins found."""


def judge(run: Run, found: Found, vendor_role_arns: Collection[str] = ()) -> list[Violation]:
    """What the templates of a run say that they must not; each once, resource by resource.

    Args:
        run: the templates.
        found: what is Pinecone's in them.
        vendor_role_arns: roles of other accounts that a key policy may name.
    """
    violations: dict[tuple[str, Place], Violation] = {}
    for one in _violations(Context(run, found, frozenset(vendor_role_arns), Questions())):
        violations.setdefault((one.rule, one.place), one)
    return list(violations.values())


def _violations(context: Context) -> Iterator[Violation]:
    found = context.found
    for trust in trusts(context):
        of_role = (too_much.of_trust, too_much.not_to_the_letter, kept.of_role, too_little.of_trust)
        yield from _judged(trust.place, *(check(trust) for check in of_role))
    for use in key_uses(context):
        of_key = (too_much.of_key, kept.of_key, too_little.of_key)
        yield from _judged(use.place, *(check(use) for check in of_key))
    keys = {one.place for one in found.keys}
    for alias in found.aliases:
        yield from kept.of_alias(alias, keys)
    for one in found.attached:
        yield from _judged(one.place, too_little.of_permission(one, context), elsewhere.of_permission(one, context))
    for naming in found.naming:
        yield from _judged(naming.place, elsewhere.of_naming(naming, context.ask))
    yield from elsewhere.of_outputs(found)
    for unread in found.unread:
        yield kept.UNREAD.broken(unread.place, f"{Quoted(unread.place.path)}: {unread.why} {unread.way_out}")


def _judged(place: Place, *checks: Iterator[Violation]) -> Iterator[Violation]:
    try:
        yield from chain(*checks)
    except CannotBeJudged as why:
        yield kept.UNREAD.broken(place, f"Its policies cannot be compared: {why}.", str(why))


@dataclass(frozen=True)
class Judged:
    """One template, and what the guardrails have against it."""

    template: str
    roles: list[str]
    """The logical IDs of the roles that were judged."""
    keys: list[str]
    found: list[tuple[Violation, str | None]]
    """Each violation, and why it was acknowledged."""


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
    judged = {stack.name: Judged(stack.template.name, [], [], []) for stack in run.stacks}
    for role in found.roles:
        judged[role.place.stack.name].roles.append(role.place.logical_id)
    for key in found.keys:
        judged[key.place.stack.name].keys.append(key.place.logical_id)
    for one in judge(run, found, vendor_role_arns):
        file, logical_id, _ = one.reported
        reason = acknowledged.get(one.rule) or by_app.get((one.rule, file.name, logical_id)) or one.meant
        judged[one.place.stack.name].found.append((one, reason))
    return found, list(judged.values())


def by_place(judged: Sequence[Judged]) -> dict[Place, list[tuple[Violation, str | None]]]:
    """What was found at each place, with the reason for which it is acknowledged."""
    found: dict[Place, list[tuple[Violation, str | None]]] = {}
    for violation, reason in (pair for one in judged for pair in one.found):
        found.setdefault(violation.place, []).append((violation, reason))
    return found


def _reports(folders: Iterable[Path]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """What the guardrails said when an app was synthesized, by the folder of its cloud assembly."""
    for folder in dict.fromkeys(folders):
        try:
            report = members(json.loads((folder / REPORT).read_text(encoding="utf-8")))
        except (OSError, ValueError, RecursionError):
            continue
        ours = (one for one in map(members, report.get("pluginReports", ())) if one.get("pluginName") == ids.PLUGIN)
        yield from ((folder, one) for one in ours)


def refused_at_synth(folders: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """The cloud assemblies that the guardrails refused when they were made, each with the rules."""
    for folder, report in _reports(folders):
        rules = dict.fromkeys(str(members(one).get("ruleName")) for one in report.get("violations") or ())
        if rules:
            yield folder, ", ".join(rules)


def _in_app(folders: Iterable[Path]) -> dict[tuple[str, str, str], str]:
    """What apps acknowledge by themselves: reasons, by rule, file and logical ID."""
    found: dict[tuple[str, str, str], str] = {}
    for _, report in _reports(folders):
        for one in map(members, report.get("suppressedViolations") or ()):
            for construct in one.get("violatingConstructs", ()):
                resource = members(construct).get("cloudFormationResource") or {}
                where = Path(str(resource.get("templatePath"))).name
                found[str(one.get("ruleName")), where, str(resource.get("logicalId"))] = str(one.get("reason"))
    return found
