"""The model of the page: everything that it says, before it is laid out."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from cmek_construct.policy.sentences import Words
from cmek_construct.review import facts
from cmek_construct.review.differences import NOTHING, Difference
from cmek_construct.review.explain import why
from cmek_construct.review.picture import Picture, draw
from cmek_construct.review.seen import CUT_OFF, Finding, Said, Template
from cmek_construct.review.shapes import Shape, shapes_of, used_twice
from cmek_construct.review.tables import Table, tables_of

FEW: Final = 12
"""Places that are listed beside their shape; more of them stand in a table at the end."""

MOST: Final = 50
"""Shapes that are shown whole. Those with a violation come first."""


@dataclass(frozen=True)
class RuleResult:
    """A rule of the guardrails, and how it came out."""

    id: str
    sentence: str
    broken: int
    acknowledged: list[tuple[str, str, int]]
    """What was acknowledged, why, and how often."""


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

    facts = facts
    few = FEW
    most_checks = 200

    @property
    def shown(self) -> list[Shape]:
        """The shapes that are shown whole: nobody reads more in one sitting."""
        return self.shapes[:MOST]

    @property
    def not_shown(self) -> int:
        """How many shapes are in the table alone."""
        return len(self.shapes) - len(self.shown)

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

    @cached_property
    def findings(self) -> list[tuple[Template, Finding]]:
        """All that the guardrails found."""
        every = [*self.templates, *self.others]
        return [(template, one) for template in every for one in template.all_findings]

    @property
    def open_findings(self) -> list[tuple[Template, Finding]]:
        """Those that nobody acknowledged."""
        return [(template, one) for template, one in self.findings if one.acknowledged is None]

    @property
    def elsewhere(self) -> list[tuple[Template, Finding]]:
        """Those that are about no role or key that is shown."""
        every = [*self.templates, *self.others]
        return [(template, one) for template in every for one in template.findings]

    def of_shape(self, shape: Shape) -> list[tuple[Template, Finding]]:
        """Those of the first place of a shape: the others have the same."""
        return [(shape.template, one) for one in shape.part.findings]

    @cached_property
    def results(self) -> list[RuleResult]:
        """The rules with their results."""
        found = []
        for rule, sentence in self.rules:
            own = [one for _, one in self.findings if one.rule.partition("[")[0] == rule]
            reasons = Counter((one.rule, one.acknowledged) for one in own if one.acknowledged)
            acknowledged = [(name, why, count) for (name, why), count in reasons.items() if why]
            broken = sum(one.acknowledged is None for one in own)
            found.append(RuleResult(rule, sentence, broken, acknowledged))
        return found

    @cached_property
    def statements(self) -> list[Said]:
        """Every statement of every shape."""
        return [said for shape in self.shapes for said in shape.part.said]

    @property
    def different(self) -> list[Said]:
        """The statements that are not the guide's."""
        return [said for said in self.statements if not said.as_guide]

    @property
    def accounts_named(self) -> list[str]:
        """What the templates take for Pinecone's account."""
        named = [one for shape in self.shapes for one in _accounts_named(shape)]
        return list(dict.fromkeys(named))

    @property
    def takes_own_for_pinecones(self) -> bool:
        """Whether an account of one's own stands in the place of Pinecone's."""
        return any(shape.template.account in _accounts_named(shape) for shape in self.shapes)

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
    def count_of_roles(self) -> int:
        """Roles in all templates."""
        return sum(part.role is not None for one in self.templates for part in one.parts)

    @property
    def parameters(self) -> list[str]:
        """Parameters that policies of the shown forms hang on."""
        return list(
            dict.fromkeys(
                name
                for shape in self.shapes
                for said in shape.part.said
                for line in said.comparison.own
                for name in re.findall(r"\$\{([^{}]+)\}", line)
                if name in shape.template.parameters
            )
        )

    def picture(self, shape: Shape) -> Picture:
        """Who reaches what, drawn."""
        return draw(shape.part, shape.template.access)

    def pinecone_now(self, shape: Shape) -> str:
        """What Pinecone can do by the answers; of a form that is not shown nothing was asked."""
        shown = shape.number <= len(self.shown)
        return shape.template.access.of_pinecone(shape.part) if shown else "not asked"

    def tables(self, shape: Shape) -> list[Table]:
        """Who can do what."""
        return tables_of(shape.template.access.answers, shape.part.logical_ids)

    def why(self, said: Said) -> list[str]:
        """What to know about a statement."""
        return why(said.statement, said.kind, said.comparison)


def _accounts_named(shape: Shape) -> list[str]:
    return shape.part.role.pinecones if shape.part.role else []
