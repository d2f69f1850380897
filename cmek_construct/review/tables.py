"""The table of who can do what, short enough to be read: one line for each who."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cmek_construct.review.seen import Answer


@dataclass
class Line:
    """One who, and the answers, by what was asked."""

    who: str
    arn: str
    cells: dict[str, Answer] = field(default_factory=dict)

    def grouped(self) -> list[tuple[str, str | None, list[str]]]:
        """The questions that have one answer by one statement, together."""
        found: dict[tuple[str, str | None], list[str]] = {}
        for what, answer in self.cells.items():
            found.setdefault((answer.answer, answer.by), []).append(what)
        return [(answer, by, whats) for (answer, by), whats in found.items()]


@dataclass
class Table:
    """All answers about one role or one key."""

    about: str
    lines: list[Line] = field(default_factory=list)

    @property
    def asked(self) -> list[str]:
        """Everything that was asked, in its order."""
        return list(dict.fromkeys(what for line in self.lines for what in line.cells))

    @property
    def is_of_role(self) -> bool:
        """Few questions: each gets a column."""
        return len(self.asked) <= 3


def tables_of(answers: Sequence[Answer], logical_ids: Sequence[str]) -> list[Table]:
    """The tables about these roles and keys."""
    found = {logical_id: Table(logical_id) for logical_id in logical_ids}
    lines: dict[tuple[str, str, str], Line] = {}
    for answer in answers:
        if answer.about not in found:
            continue
        whose = (answer.about, answer.who, answer.arn)
        if whose not in lines:
            lines[whose] = Line(answer.who, answer.arn)
            found[answer.about].lines.append(lines[whose])
        lines[whose].cells[answer.what] = answer
    return [table for table in found.values() if table.lines]
