"""`cmek who`: who may do what with role and key, offline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

from rich import box
from rich.console import Console
from rich.segment import Segments
from rich.table import Table
from rich.text import Text

from cmek_construct.checks import printable
from cmek_construct.commands.options import AccountOfTemplates, AsJson, Templates
from cmek_construct.commands.printing import refuse, tell_json, tell_what_to_ask
from cmek_construct.policy import Verdict
from cmek_construct.templates.pinecone import find
from cmek_construct.templates.run import read_run
from cmek_construct.who import answers as asking
from cmek_construct.who.answers import GRANT, NOT_SHOWN, ON_KEY
from cmek_construct.who.rows import Row, Who

LEGEND: Final = (
    "yes: the policy lets it; whoever is of another account needs leave of that account besides. "
    "By IAM: whose IAM policies allow everything. No IAM: who has none."
)
_WIDTH: Final = 120
"""Columns of a table that no terminal shows."""
_ALL: Final = "all of these"
_STYLES: Final = {Verdict.YES.value: "bold green", Verdict.CANNOT_TELL.value: "bold red"}


def who(paths: Templates, account: AccountOfTemplates = None, as_json: AsJson = False) -> None:
    """Show who may do what with role and key, offline.

    By the templates alone: every principal against every action, with the statement that decides. What cannot be told
    is named, and the exit code is then 1.
    """
    found = find(read_run(paths, account))
    answers = asking.who(found)
    if as_json:
        tell_json({"note": NOT_SHOWN, "templates": _as_data(answers)})
    elif answers:
        _show(answers)
    problems = list(map(str, found.problems))
    problems += [printable(one) for one in found.unread if not one.place.is_role_or_key]
    tell_what_to_ask(found)
    if not answers:
        problems.append("Nothing of Pinecone's was found: there is nobody to ask about.")
    doubts = [row for one in answers for row in one.rows if row.doubt]
    if problems or doubts:
        refuse(*problems)


class Line(NamedTuple):
    """Actions of which one principal gets the same answer."""

    actions: str
    answer: str
    statement: str
    doubt: str


class Content(NamedTuple):
    """What stands in a table."""

    title: str
    columns: tuple[tuple[str, int | None], ...]
    """Their headings, and the most characters of one that is wrapped."""
    lines: tuple[tuple[str, ...], ...]
    caption: str | None = None


def _as_data(answers: Sequence[Who]) -> list[dict[str, Any]]:
    """Every answer for a machine."""
    return [
        {
            "template": one.template,
            "account": one.account,
            "account_is_known": one.account_is_known,
            "assumed": dict(one.assumed),
            "own_permissions": list(one.own_permissions),
            "rows": [_row(row) for row in one.rows],
        }
        for one in answers
    ]


def _row(row: Row) -> dict[str, Any]:
    return {
        "resource": row.resource,
        "who": row.who.words,
        "principal": row.who.arn,
        "but": list(row.who.but),
        "own_policies": row.who.own_policies,
        "action": row.action,
        "presents": row.presents,
        "external_id": row.external_id,
        "for_aws_service": row.for_aws_service,
        "answer": row.answer,
        "statement": row.statement,
        "doubt": row.doubt,
    }


def _show(answers: Sequence[Who]) -> None:
    """Every answer for a person: a table for each role and each key."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(NOT_SHOWN)
    drawn: dict[Content, Segments] = {}  # 1,000 stacks of one app have the same tables
    for one in answers:
        console.print()
        console.print(Text(_heading(one), style="bold"), soft_wrap=True)
        for note in _notes(one):
            console.print(note)
        for content in _tables(one):
            if content not in drawn:
                drawn[content] = Segments(list(console.render(_table(content))))
            console.print(drawn[content])
        for doubt in dict.fromkeys(row.doubt for row in one.rows if row.doubt):
            console.print(f"cannot tell: {doubt}")
    console.print()
    console.print(LEGEND)


def _heading(one: Who) -> str:
    where = f"account {one.account}" if one.account_is_known else "this account"
    return f"{one.template}: {where}"


def _notes(one: Who) -> Iterable[str]:
    if not one.account_is_known:
        yield "The template does not say its account: --account says it."
    if one.assumed:
        values = (f"{name}={printable(value)}" for name, value in one.assumed.items())
        yield f"As deployed with {', '.join(values)}, the template's default."
    for logical_id in one.own_permissions:
        yield (
            f"{printable(logical_id)} has policies of its own in the template: they are among the "
            "IAM policies of its account."
        )


def _tables(one: Who) -> Iterator[Content]:
    for logical_id, rows in groupby(one.roles, key=lambda row: row.resource):
        yield _of_role(logical_id, list(rows))
    for logical_id, rows in groupby(one.keys, key=lambda row: row.resource):
        yield _of_key(logical_id, list(rows))


def _table(content: Content) -> Table:
    table = Table(
        title=Text(f"\n{content.title}", style="bold"),
        title_justify="left",
        caption=content.caption,
        caption_justify="left",
        pad_edge=False,
        box=box.SIMPLE_HEAD,
        show_edge=False,
    )
    for heading, width in content.columns:
        table.add_column(heading, overflow="fold", max_width=width)
    for line in content.lines:
        table.add_row(*(Text(one, style=_STYLES.get(one, "")) for one in line))
    return table


def _of_role(logical_id: str, rows: Sequence[Row]) -> Content:
    """A line for each principal, a column for each external ID that it presents."""
    presented = list(dict.fromkeys((row.presents, row.external_id) for row in rows if row.presents))
    rights = sum(presents == "right" for presents, _ in presented)
    columns = [(_presented(*one, rights), 15) for one in presented]
    title = f"Who may assume the role {printable(logical_id)}, by the external ID that is presented"
    lines = []
    for somebody, of_one in groupby(rows, key=lambda row: row.who):
        answered = list(of_one)
        cells = [row.answer for row in answered]
        cells += [cells[0]] * (len(columns) - len(cells))
        lines.append((printable(somebody.words), *cells, _statements(answered)))
    return Content(title, (("Who", 40), *columns, ("By", None)), tuple(lines))


def _presented(presents: str | None, external_id: str | None, rights: int) -> str:
    if presents == "right":
        return "right" if rights == 1 else printable(external_id)
    if presents == "wrong":
        return "wrong" if rights else "any"
    return "none"


def _of_key(logical_id: str, rows: Sequence[Row]) -> Content:
    """Principals with the same answers share their lines."""
    title = f"Who may use the key {printable(logical_id)}"
    columns = (("Who", 38), ("kms:", 35), ("Answer", 20), ("By", None))
    shared: dict[tuple[Line, ...], list[str]] = {}
    for somebody, of_one in groupby(rows, key=lambda row: row.who):
        shared.setdefault(tuple(lines(list(of_one))), []).append(printable(somebody.words))
    told = [
        ("" if index else ",\n".join(names), line.actions, line.answer, line.statement)
        for same, names in shared.items()
        for index, line in enumerate(same)
    ]
    first = [row for row in rows if row.who == rows[0].who]
    return Content(title, columns, tuple(told), f"{_ALL}: {_actions(first)}")


def lines(rows: Sequence[Row]) -> list[Line]:
    """The answers to one principal, actions with the same answer together."""
    same: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        same.setdefault((row.answer, row.statement or "", row.doubt or ""), []).append(row)
    whole = len(same) == 1 and {row.action for row in rows} == set(ON_KEY)
    return [Line(_ALL if whole else _actions(some), *answer) for answer, some in same.items()]


def _actions(rows: Sequence[Row]) -> str:
    grants = [row.for_aws_service for row in rows if row.action == GRANT]
    names = []
    for row in rows:
        name = row.action.removeprefix("kms:")
        if row.action == GRANT and len(grants) == 1 and grants[0] is not None:
            name += " for an AWS service" if grants[0] else " directly"
        names.append(name)
    if {"ReEncryptFrom", "ReEncryptTo"} <= set(names):
        names = ["ReEncrypt" if name.startswith("ReEncrypt") else name for name in names]
    return printable(", ".join(dict.fromkeys(names)))


def _statements(rows: Iterable[Row]) -> str:
    return ", ".join(dict.fromkeys(row.statement for row in rows if row.statement))
