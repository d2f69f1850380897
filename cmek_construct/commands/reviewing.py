"""Templates as a reviewer is shown them: read, judged, and put on a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from cmek_construct.guardrails.acknowledged import by_place, guarded
from cmek_construct.guardrails.rules import RULES
from cmek_construct.review.changes import Difference
from cmek_construct.review.model import Template
from cmek_construct.review.page import Page
from cmek_construct.review.parts import templates_of
from cmek_construct.templates.run import Run, read_run


@dataclass(frozen=True)
class Source:
    """What was read, and what could not be."""

    templates: list[Template]
    problems: list[str]

    def page(self, differences: list[Difference] | None = None) -> Page:
        """The page of them.

        Args:
            differences: what changes, if that is asked.
        """
        return Page(
            templates=[one for one in self.templates if one.parts],
            others=[one for one in self.templates if not one.parts],
            rules=_rules(),
            version=version("cmek-construct"),
            differences=differences,
        )


def read(
    paths: Sequence[Path],
    vendor_role_arns: Sequence[str],
    acknowledged: Mapping[str, str],
    account: str | None = None,
) -> Source:
    """Read templates and judge them by the guardrails.

    Args:
        paths: files, or folders such as ``cdk.out``.
        vendor_role_arns: roles of other accounts that a key policy may name.
        acknowledged: reasons, by rule.
        account: of templates that do not say theirs.
    """
    return judged(read_run(paths, account), paths, vendor_role_arns, acknowledged)


def judged(
    run: Run,
    paths: Sequence[Path] = (),
    vendor_role_arns: Sequence[str] = (),
    acknowledged: Mapping[str, str] | None = None,
) -> Source:
    """Judge templates that were read; the arguments are those of `read`."""
    found, results = guarded(run, paths, vendor_role_arns, acknowledged or {})
    made = templates_of(found, by_place(results), vendor_role_arns)
    return Source(made, list(map(str, found.problems)))


def _rules() -> list[tuple[str, str]]:
    """Each rule once: what must hold of a role, a key and an alias may have one name."""
    found: dict[str, list[str]] = {}
    for rule in RULES:
        sentences = found.setdefault(rule.id, [])
        if rule.sentence not in sentences:
            sentences.append(rule.sentence)
    return [(rule, " ".join(sentences)) for rule, sentences in found.items()]
