"""Templates as a reviewer is shown them: read, judged, and ready to be asked who can do what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Final

from cmek_construct.checks import printable
from cmek_construct.guardrails.acknowledged import by_place, guarded
from cmek_construct.review.parts import templates_of
from cmek_construct.review.seen import Access, Answer, Template
from cmek_construct.templates.run import read_run
from cmek_construct.templates.stacks import Stack
from cmek_construct.who.answers import GRANT, Asker
from cmek_construct.who.rows import Row

_PRESENTS: Final = {
    "right": "the right external ID",
    "wrong": "another external ID",
    "none": "no external ID",
}


@dataclass(frozen=True)
class Source:
    """What was read, and what could not be."""

    templates: list[Template]
    problems: list[str]


def read(
    paths: Sequence[Path], vendor_role_arns: Sequence[str], acknowledged: Mapping[str, str]
) -> Source:
    """Read templates and judge them by the guardrails.

    Args:
        paths: files, or folders such as ``cdk.out``.
        vendor_role_arns: roles of other accounts that a key policy may name.
        acknowledged: reasons, by rule.
    """
    run = read_run(paths)
    found, judged = guarded(run, paths, vendor_role_arns, acknowledged)
    asker = cache(partial(Asker, found))
    made = templates_of(found, by_place(judged), vendor_role_arns, partial(_ask, asker))
    return Source(made, list(map(str, found.problems)))


def _ask(asker: Callable[[], Asker], stack: Stack) -> Access:
    """Who can do what by one template."""
    answers = asker().about(stack)
    notes = [
        f"As deployed with {printable(name)}={printable(value)}, the template's default."
        for name, value in answers.assumed.items()
    ]
    if not answers.account_is_known:
        notes.append("The template does not say its account.")
    notes += filter(None, [asker().different])
    return Access([_answer(row) for row in answers.rows], notes)


def _answer(row: Row) -> Answer:
    what = _PRESENTS[row.presents] if row.presents else row.action
    if row.action == GRANT:
        what += {True: " for an AWS service", False: " for others", None: ""}[row.for_aws_service]
    by = row.doubt or row.statement
    who, direct = row.who, row.verdict.value
    return Answer(row.resource, who.words, who.arn, what, row.answer, by, who.is_pinecone, direct)
