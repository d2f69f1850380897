"""One row per question: what was expected and what was answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

_WIDTH_OF_A_FILE = 120
_ANSWER_WIDTH = 24


class CannotGoOnError(Exception):
    """Something failed that everything after it needs. The message says what was seen."""


@dataclass(frozen=True)
class Row:
    """A question and its answers."""

    heading: str
    question: str
    expected: str
    given: str

    @property
    def right(self) -> bool:
        """Whether the answer is the expected one."""
        return self.expected == self.given


class Report:
    """Collects the rows and shows them as they come."""

    def __init__(self, *, as_json: bool = False) -> None:
        """Show everything on stdout; or as JSON: rows on stdout, the rest on stderr."""
        self.rows: list[Row] = []
        self.console = Console(stderr=as_json, highlight=False)
        if not self.console.is_terminal:
            self.console.width = _WIDTH_OF_A_FILE
        self._as_json = as_json
        self._heading = ""

    @property
    def wrong(self) -> list[Row]:
        """The rows whose answer is not the expected one."""
        return [row for row in self.rows if not row.right]

    def heading(self, text: str) -> None:
        """Begin a group of rows."""
        self._heading = text
        line = self._line()
        line.add_row("", f"[bold]{escape(text)}", "[dim]expected", "[dim]given")
        self.console.print()
        self.console.print(line)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Say what takes a moment."""
        self.console.print(f"[dim] …  {escape(text)}")
        with self.console.status(escape(text)):
            yield

    def row(self, question: str, expected: str, given: str) -> None:
        """Add one question."""
        row = Row(self._heading, question, expected, given)
        self.rows.append(row)
        mark, style = ("✓", "green") if row.right else ("✗", "bold red")
        line = self._line()
        line.add_row(
            f"[{style}]{mark}", *map(escape, (question, expected)), f"[{style}]{escape(given)}"
        )
        self.console.print(line)

    def end(self, seconds: float) -> None:
        """Say how it went, and which rows are wrong."""
        if self._as_json:
            rows = [asdict(row) | {"right": row.right} for row in self.rows]
            print(json.dumps(rows, indent=2, ensure_ascii=False))
        for row in self.wrong:
            self.console.print(
                f"[bold red]WRONG[/] {escape(row.heading)}: {escape(row.question)}: expected "
                f"{escape(row.expected)}, got {escape(row.given)}",
                soft_wrap=True,
            )
        verdict = f"{len(self.wrong)} wrong" if self.wrong else "all as expected"
        self.console.print(f"\n{len(self.rows)} questions, {verdict}; {seconds:.0f} seconds.")

    def _line(self) -> Table:
        line = Table.grid(padding=(0, 1), expand=True)
        line.add_column(width=3, justify="center")
        line.add_column(ratio=1)
        line.add_column(width=_ANSWER_WIDTH, overflow="fold")
        line.add_column(width=_ANSWER_WIDTH, overflow="fold")
        return line
