"""One row per question: what was expected and what was answered."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

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


class _Screen:
    """What all lanes write on, each line under the heading of its own."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._heading = ""
        self._lock = threading.Lock()
        # The last lines of a terminal: what is being done now, and since when.
        self.running = Progress(
            SpinnerColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[heading]}", "bold", markup=False, table_column=_part(2)),
            TextColumn("{task.description}", markup=False, table_column=_part(3)),
            console=console,
            expand=True,
            transient=True,
            disable=not console.is_terminal,
        )

    def show(self, heading: str, line: Table | Text, *, cut: bool = False) -> None:
        """Write one line, and before it the heading, if that of the line before is another."""
        with self._lock:
            if self._heading != heading:
                self._heading = heading
                words = (f"[bold]{escape(heading)}", "[dim]expected", "[dim]given")
                self._console.print()
                self._console.print(_line("", *words))
            self._console.print(line, no_wrap=cut, overflow="ellipsis" if cut else "fold")


class Report:
    """Collects the rows and shows them as they come, of several lanes at the same time."""

    def __init__(self, *, as_json: bool = False) -> None:
        """Show everything on stdout; or as JSON: rows on stdout, the rest on stderr."""
        self.rows: list[Row] = []
        self.console = Console(stderr=as_json, highlight=False)
        if not self.console.is_terminal:
            self.console.width = _WIDTH_OF_A_FILE
        self._screen = _Screen(self.console)
        self._began = time.monotonic()
        self._as_json = as_json
        self._heading = ""

    def lane(self) -> Report:
        """The same report, for acts with headings of their own that are played beside others."""
        return copy(self)

    @property
    def wrong(self) -> list[Row]:
        """The rows whose answer is not the expected one."""
        return [row for row in self.rows if not row.right]

    def heading(self, text: str) -> None:
        """Begin a group of rows."""
        self._heading = text

    @contextmanager
    def live(self) -> Iterator[None]:
        """On a terminal, show in its last lines what is being done, as long as the block lasts."""
        with self._screen.running:
            yield

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Say what is being done, and how long it took."""
        began, running = time.monotonic(), self._screen.running
        task = running.add_task(text, heading=self._heading)
        try:
            yield
        finally:
            running.remove_task(task)
            took = f"{time.monotonic() - began:5.1f} s"
            self._screen.show(self._heading, Text(f" …  {took}  {text}", "dim"), cut=True)

    def row(self, question: str, expected: str, given: str, said: str = "") -> None:
        """Add one question.

        Args:
            question: in words.
            expected: the right answer.
            given: the answer.
            said: what a command said that was asked for it; shown if the answer is wrong.
        """
        row = Row(self._heading, question, expected, given)
        self.rows.append(row)
        mark, style = ("✓", "green") if row.right else ("✗", "bold red")
        line = _line(f"[{style}]{mark}", *map(escape, (question, expected)), f"[{style}]{escape(given)}")
        self._screen.show(self._heading, line)
        if not row.right:
            for text in said.splitlines():
                self._screen.show(self._heading, Text(f"      {text}"))

    def end(self) -> None:
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
        seconds = time.monotonic() - self._began
        self.console.print(f"\n{len(self.rows)} questions, {verdict}; {seconds:.0f} seconds.")


def _part(ratio: int) -> Column:
    return Column(ratio=ratio, no_wrap=True, overflow="ellipsis")


def _line(mark: str, *cells: str) -> Table:
    line = Table.grid(padding=(0, 1), expand=True)
    line.add_column(width=3, justify="center")
    line.add_column(ratio=1)
    line.add_column(width=_ANSWER_WIDTH, overflow="fold")
    line.add_column(width=_ANSWER_WIDTH, overflow="fold")
    line.add_row(mark, *cells)
    return line
