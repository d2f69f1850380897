"""Templates as a reviewer is shown them: read, judged, and ready to be asked who can do what."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from cmek_construct.checks import printable
from cmek_construct.guardrails.template import OWN_ACCOUNT
from cmek_construct.operations.reviewing import check as checking
from cmek_construct.operations.reviewing import templates, who
from cmek_construct.operations.reviewing.check import Judged
from cmek_construct.operations.reviewing.templates import Template as Read
from cmek_construct.operations.reviewing.together import Recognized, recognized
from cmek_construct.operations.reviewing.who import GRANT, Row
from cmek_construct.review.parts import parts_of
from cmek_construct.review.seen import Access, Answer, Finding, Part, Template
from cmek_construct.templates.run import read_run
from cmek_construct.templates.stacks import Stack


@dataclass(frozen=True)
class Source:
    """What was read, and what could not be."""

    templates: list[Template]
    problems: list[str]


class Environment(NamedTuple):
    """Where a cloud assembly says that a template is deployed."""

    name: str
    account: str | None
    region: str | None


def read(
    paths: Sequence[Path], vendor_role_arns: Sequence[str], acknowledged: Mapping[str, str]
) -> Source:
    """Read templates and judge them by the guardrails.

    Args:
        paths: files, or folders such as ``cdk.out``.
        vendor_role_arns: roles of other accounts that a key policy may name.
        acknowledged: reasons, by rule.
    """
    found = templates.read(paths)
    files = {printable(path): path for path in _files(paths)}
    seen = recognized(found.templates, vendor_role_arns)
    run = read_run(paths)
    by_app = checking.in_app(checking.folders(paths, run))
    what, results = checking.check(run, vendor_role_arns, acknowledged, by_app)
    asker = cache(partial(who.Asker, what))
    places = {stack.template.name: stack for stack in reversed(what.run.stacks)}
    judged = {one.template: one for one in results}
    stacks = {folder: _stacks(folder) for folder in {file.parent for file in files.values()}}
    made = []
    for one, ours in zip(found.templates, seen, strict=True):
        result = judged.get(one.name, Judged(one.name))
        outer, _, inner = one.name.partition(" > ")
        environment = _environment(files[outer], stacks[files[outer].parent], inner)
        ask = partial(_ask, asker, places.get(one.name))
        made.append(_template(one, ours, result, files[outer], environment, found.templates, ask))
    return Source(_each_named(made), found.problems)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        yield path
        yield from path.rglob("*.template.json") if path.is_dir() else ()


def _template(
    one: Read,
    seen: Recognized,
    judged: Judged,
    file: Path,
    environment: Environment,
    together: Sequence[Read],
    ask: Callable[[], Access],
) -> Template:
    owner = seen.template.account
    account = environment.account or (None if owner == OWN_ACCOUNT else owner)
    parts = parts_of(seen.template, seen.ours, account)
    inside = {other.name for other in together if other.name.startswith(f"{one.name} > ")}
    findings = [
        Finding(
            violation.rule,
            violation.logical_id,
            violation.what,
            violation.allows,
            violation.cure,
            reason,
        )
        for violation, reason in zip(judged.violations, judged.reasons, strict=True)
        if f"{one.name} > {violation.logical_id}" not in inside
    ]
    known = {logical_id for part in parts for logical_id in part.logical_ids}
    return Template(
        name=environment.name,
        file=one.name,
        sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        account=account,
        region=environment.region,
        parts=[_with_findings(part, findings) for part in parts],
        findings=[one for one in findings if one.where not in known],
        ask=ask,
    )


def _with_findings(part: Part, findings: Sequence[Finding]) -> Part:
    own = set(part.logical_ids)
    return replace(part, findings=[one for one in findings if one.where in own])


def _environment(file: Path, stacks: Mapping[str, Any], inner: str) -> Environment:
    """Where a template is deployed; one inside a stack set goes to accounts that nobody says."""
    name = printable(re.sub(r"\.template\.json$|\.json$|\.ya?ml$", "", file.name))
    stack = stacks.get(file.name, {})
    name = printable(stack.get("displayName") or name)
    if inner:
        return Environment(f"{name} > {inner}", None, None)
    place = re.fullmatch(r"aws://([^/]+)/([a-z0-9-]+)", str(stack.get("environment")))
    if place is None:
        return Environment(name, None, None)
    account = place[1] if re.fullmatch("[0-9]{12}", place[1]) else None
    return Environment(name, account, None if place[2] == "unknown-region" else place[2])


def _stacks(folder: Path) -> dict[str, dict[str, Any]]:
    """The stacks of a cloud assembly by the names of their files; none where there is no such."""
    try:
        artifacts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["artifacts"]
        return {
            str(one["properties"]["templateFile"]): one
            for one in artifacts.values()
            if one.get("type") == "aws:cloudformation:stack"
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _each_named(made: list[Template]) -> list[Template]:
    """Templates whose names are their own: one that is there twice is called by its file."""
    counted = Counter(one.name for one in made)
    return [replace(one, name=one.file) if counted[one.name] > 1 else one for one in made]


def _ask(asker: Callable[[], who.Asker], stack: Stack | None) -> Access:
    """Who can do what by one template."""
    if stack is None:
        return Access()
    answers = asker().about(stack)
    notes = [
        f"As deployed with {printable(name)}={printable(value)}, the template's default."
        for name, value in answers.assumed.items()
    ]
    if not answers.account_is_known:
        notes.append("The template does not say its account.")
    notes += filter(None, [asker().different])
    return Access([_answer(row) for row in answers.rows], notes)


_PRESENTS = {
    "right": "the right external ID",
    "wrong": "another external ID",
    "none": "no external ID",
}


def _answer(row: Row) -> Answer:
    what = _PRESENTS[row.presents] if row.presents else row.action
    if row.action == GRANT:
        what += {True: " for an AWS service", False: " for others", None: ""}[row.for_aws_service]
    by = row.doubt or row.statement
    return Answer(
        row.resource, row.who.words, row.who.arn, what, row.verdict.value, by, row.who.is_pinecone
    )
