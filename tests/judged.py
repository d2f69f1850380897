"""Templates judged by the guardrails, as a test has them: one, or several of one run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cmek_construct.guardrails import judging
from cmek_construct.guardrails.rule import Violation
from cmek_construct.templates.files import template_of
from cmek_construct.templates.pinecone import find
from cmek_construct.templates.run import Run


def judge(template: Any, vendors: Sequence[str] = (), *, account: str | None = None) -> list[Violation]:
    """What one template says that it must not."""
    return judge_all([(template, account)], vendors)


def judge_all(templates: Sequence[tuple[Any, str | None]], vendors: Sequence[str] = ()) -> list[Violation]:
    """The same of several, each with its account where it is known."""
    read = [template_of(one, f"template{number}", account=account) for number, (one, account) in enumerate(templates)]
    run = Run(read)
    return judging.judge(find(run, vendors=vendors))


def names(violations: Sequence[Violation]) -> set[str]:
    """The rules, without their witnesses."""
    return {one.rule.partition("[")[0] for one in violations}
