"""The model of the page: everything that it says, before it is laid out."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from cmek_construct.policy.aws import TRAILING_DAYS
from cmek_construct.policy.sentences import Words
from cmek_construct.review.beside import why
from cmek_construct.review.changes import NOTHING, Difference
from cmek_construct.review.picture import Picture, draw
from cmek_construct.review.seen import CUT_OFF, Answer, Finding, Said, Template
from cmek_construct.review.shapes import Shape, shapes_of, used_twice

FEW: Final = 12
"""Places that are listed beside their shape; more of them stand in a table at the end."""
MOST: Final = 50
"""Shapes that are shown whole. Those with a violation come first."""
MOST_LISTED: Final = 200
"""Findings that are about no shape, and things that only a person can tell."""


@dataclass(frozen=True)
class RuleResult:
    """A rule of the guardrails, and how it came out."""

    id: str
    sentence: str
    broken: int
    acknowledged: list[tuple[str, str | None, int]]
    """What was acknowledged, why, and how often."""


@dataclass
class Table:
    """All answers about one role or one key, by who asks and what is asked."""

    about: str
    lines: dict[tuple[str, str], dict[str, Answer]] = field(default_factory=dict)

    @property
    def asked(self) -> list[str]:
        """Everything that was asked, in its order."""
        return list(dict.fromkeys(what for cells in self.lines.values() for what in cells))

    @property
    def is_of_role(self) -> bool:
        """Few questions: each gets a column."""
        return len(self.asked) <= 3

    @staticmethod
    def grouped(cells: Mapping[str, Answer]) -> list[tuple[str, str | None, list[str]]]:
        """The questions that have one answer by one statement, together."""
        found: dict[tuple[str, str | None], list[str]] = {}
        for what, answer in cells.items():
            found.setdefault((answer.answer, answer.by), []).append(what)
        return [(*answer, whats) for answer, whats in found.items()]


@dataclass(frozen=True)
class Page:
    """What the reviewer reads and signs."""

    templates: list[Template]
    """Those with something of Pinecone's."""
    others: list[Template]
    """Those without."""
    rules: Sequence[tuple[str, str]]
    """Every rule of the guardrails: its id and its sentence."""
    version: str
    differences: list[Difference] | None = None

    few = FEW
    most_listed = MOST_LISTED
    nothing = NOTHING

    @property
    def digest(self) -> str:
        """Of the list of templates: the one number that a signature is bound to."""
        lines = "".join(f"{one.sha256}  {one.file}\n" for one in self.templates)
        return hashlib.sha256(lines.encode()).hexdigest()

    @cached_property
    def shapes(self) -> list[Shape]:
        """The distinct shapes."""
        return shapes_of(self.templates)

    @property
    def shown(self) -> list[Shape]:
        """The shapes that are shown whole: nobody reads more in one sitting."""
        return self.shapes[:MOST]

    @property
    def not_shown(self) -> int:
        """How many shapes are in the table alone."""
        return len(self.shapes) - len(self.shown)

    @cached_property
    def findings(self) -> list[Finding]:
        """All that the guardrails found."""
        return [one for each in (*self.templates, *self.others) for one in each.all_findings]

    @property
    def open_findings(self) -> list[Finding]:
        """Those that nobody acknowledged."""
        return [one for one in self.findings if one.acknowledged is None]

    @property
    def elsewhere(self) -> list[tuple[Template, Finding]]:
        """Those that are about no role or key that is shown."""
        return [(each, one) for each in (*self.templates, *self.others) for one in each.findings]

    @cached_property
    def results(self) -> list[RuleResult]:
        """The rules with their results."""
        by_rule: dict[str, list[Finding]] = {}
        for one in self.findings:
            by_rule.setdefault(one.rule.partition("[")[0], []).append(one)
        found = []
        for rule, sentence in self.rules:
            own = by_rule.get(rule, [])
            reasons = Counter((one.rule, one.acknowledged) for one in own)
            broken = sum(count for (_, reason), count in reasons.items() if reason is None)
            acknowledged = [(*one, count) for one, count in reasons.items() if one[1] is not None]
            found.append(RuleResult(rule, sentence, broken, acknowledged))
        return found

    @cached_property
    def statements(self) -> list[Said]:
        """Every statement of every shape."""
        return [said for shape in self.shapes for said in shape.part.said]

    @cached_property
    def different(self) -> list[Said]:
        """The statements that are not the guide's."""
        return [said for said in self.statements if not said.as_guide]

    @cached_property
    def accounts_named(self) -> list[str]:
        """What the templates take for Pinecone's account."""
        roles = (shape.part.role for shape in self.shapes)
        return _once(one for role in roles if role for one in role.pinecones)

    @property
    def takes_own_for_pinecones(self) -> bool:
        """Whether an account of one's own stands in the place of Pinecone's."""
        return any(
            shape.part.role and shape.template.account in shape.part.role.pinecones
            for shape in self.shapes
        )

    @cached_property
    def to_check(self) -> list[tuple[Words, list[str]]]:
        """What only a person can tell, and the templates that it is in."""
        found: dict[tuple[str, ...], list[str]] = {}
        for template in (*self.templates, *self.others):
            for words in template.to_check:
                found.setdefault(tuple(words), []).append(template.name)
        return [(list(words), names) for words, names in found.items()]

    @property
    def count_of_cut(self) -> int:
        """Roles that Pinecone cannot use now, in the forms that are shown."""
        cut = (one for one in self.shown if one.part.role and self.pinecone_now(one) == CUT_OFF)
        return sum(len(one.places) for one in cut)

    @property
    def ids_used_twice(self) -> list[str]:
        """External IDs that stand in more than one place."""
        return used_twice(self.templates)

    @property
    def count_of_keys(self) -> int:
        """Keys in all templates."""
        return sum(len(part.keys) for one in self.templates for part in one.parts)

    @property
    def protects_used_keys(self) -> bool:
        """Whether a key may not be disabled while it is used."""
        return any(
            condition.lower() == TRAILING_DAYS
            for one in self.templates
            for part in one.parts
            for said in part.said
            for keys in (said.statement.get("Condition") or {}).values()
            for condition in keys
        )

    @property
    def count_of_roles(self) -> int:
        """Roles in all templates."""
        return sum(part.role is not None for one in self.templates for part in one.parts)

    @property
    def parameters(self) -> list[str]:
        """What whoever deploys types in, and policies hang on."""
        return _once(name for shape in self.shapes for name in _typed(shape))

    def picture(self, shape: Shape) -> Picture:
        """Who reaches what, drawn."""
        return draw(shape.part, shape.template.access)

    def pinecone_now(self, shape: Shape) -> str:
        """What Pinecone can do by the answers; of a form that is not shown nothing was asked."""
        shown = shape.number <= len(self.shown)
        return shape.template.access.of_pinecone(shape.part) if shown else "not asked"

    def tables(self, shape: Shape) -> list[Table]:
        """Who can do what."""
        found = {one: Table(one) for one in shape.part.logical_ids}
        for answer in shape.template.access.answers:
            if answer.about in found:
                lines = found[answer.about].lines
                lines.setdefault((answer.who, answer.arn), {})[answer.what] = answer
        return [table for table in found.values() if table.lines]

    def why(self, said: Said) -> list[str]:
        """What to know about a statement."""
        return why(said.statement, said.kind, said.comparison)


def _once(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _typed(shape: Shape) -> Iterator[str]:
    for line in (line for said in shape.part.said for line in said.comparison.own):
        for name in re.findall(r"\$\{([^{}]+)\}", line):
            if name in shape.template.parameters:
                yield name
