"""`cmek who`: who may do what with role and key, offline."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.segment import Segments
from rich.table import Column, Table
from rich.text import Text

from cmek_construct.checks import printable
from cmek_construct.commands.options import ACCOUNT, AS_JSON, TEMPLATES
from cmek_construct.commands.printing import refuse, shown, tell_what_to_ask, told
from cmek_construct.policy import Verdict
from cmek_construct.templates.pinecone import find
from cmek_construct.templates.reading import by
from cmek_construct.templates.run import read_run
from cmek_construct.who import answers as asking
from cmek_construct.who.answers import ASSUME, GRANT, NOT_SHOWN, ON_KEY, Row, Who, together

LEGEND: Final = (
    "yes: the policy lets it; whoever is of another account needs leave of that account besides. "
    "By IAM: whose IAM policies allow everything. No IAM: who has none."
)
_ALL: Final = "all of these"
_RE_ENCRYPTS: Final = {"kms:ReEncryptFrom", "kms:ReEncryptTo"}
_OF_TEMPLATE: Final = ("template", "account", "account_is_known", "assumed", "own_permissions")
_OF_WHO: Final = {"who": "words", "principal": "arn", "but": "but", "own_policies": "own_policies"}
_OF_ROW: Final = ("action", "presents", "external_id", "for_aws_service", "answer", "statement", "doubt")
_STYLES: Final = {Verdict.YES.value: "bold green", Verdict.CANNOT_TELL.value: "bold red"}


@told()
def who(paths: list[Path] = TEMPLATES, account: str | None = ACCOUNT, as_json: bool = AS_JSON) -> Iterator[str]:
    """Show who may do what with role and key, offline.

    By the templates alone: every principal against every action, with the statement that decides. What cannot be told
    is named, and the exit code is then 1.
    """
    found = find(read_run(paths, account))
    answers = asking.who(found)
    if answers and not as_json:
        _show(answers)
    yield from shown(as_json, lambda: {"note": NOT_SHOWN, "templates": list(map(_as_data, answers))}, ())
    problems = list(map(str, found.problems))
    problems += [printable(one) for one in found.unread if not one.place.is_role_or_key]
    tell_what_to_ask(found)
    if not answers:
        problems.append("Nothing of Pinecone's was found: there is nobody to ask about.")
    if problems or any(row.doubt for one in answers for row in one.rows):
        refuse(*problems)


def _as_data(one: Who) -> dict[str, Any]:
    """Every answer for a machine."""
    rows = [
        {"resource": row.resource}
        | {name: getattr(row.who, own) for name, own in _OF_WHO.items()}
        | {name: getattr(row, name) for name in _OF_ROW}
        for row in one.rows
    ]
    return {name: getattr(one, name) for name in _OF_TEMPLATE} | {"rows": rows}


_Table = tuple[str, tuple[tuple[str, int | None], ...], tuple[tuple[str, ...], ...], str | None]
"""Title, the columns' headings with the most characters of one that is wrapped, lines, and what stands below."""


def _show(answers: Sequence[Who]) -> None:
    """Every answer for a person: a table for each role and each key."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = 120

    @cache  # 1,000 stacks of one app have the same tables
    def drawn(title: str, columns: Any, lines: Any, caption: str | None) -> Segments:
        headings = (Column(heading, overflow="fold", max_width=width) for heading, width in columns)
        table = Table(*headings, caption=caption, box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        table.title = Text(f"\n{title}", style="bold")
        table.title_justify = table.caption_justify = "left"
        for line in lines:
            table.add_row(*(Text(one, style=_STYLES.get(one, "")) for one in line))
        return Segments(list(console.render(table)))

    console.print(NOT_SHOWN)
    for one in answers:
        where = f"account {one.account}" if one.account_is_known else "this account"
        console.print()
        console.print(Text(f"{one.template}: {where}", style="bold"), soft_wrap=True)
        if not one.account_is_known:
            console.print("The template does not say its account: --account says it.")
        if one.assumed:
            values = (f"{name}={printable(value)}" for name, value in one.assumed.items())
            console.print(f"As deployed with {', '.join(values)}, the template's default.")
        for logical_id in map(printable, one.own_permissions):
            more = "has policies of its own in the template: they are among the IAM policies of its account."
            console.print(f"{logical_id} {more}")
        for logical_id, rows in by(one.rows, lambda row: row.resource).items():
            table = _of_role if rows[0].action == ASSUME else _of_key
            console.print(drawn(*table(printable(logical_id), rows)))
        for doubt in dict.fromkeys(row.doubt for row in one.rows if row.doubt):
            console.print(f"cannot tell: {doubt}")
    console.print(f"\n{LEGEND}")


def _of_role(name: str, rows: Sequence[Row]) -> _Table:
    """A line for each principal, a column for each external ID that it presents."""
    presented = dict.fromkeys((row.presents, row.external_id) for row in rows if row.presents)
    count = Counter(presents for presents, _ in presented)
    others = "wrong" if count["right"] else "another" if count["denied"] else "any"
    called = {"wrong": others, "none": "none"} | ({"right": "right"} if count["right"] == 1 else {})
    columns = [(called.get(str(presents), printable(own)), 15) for presents, own in presented]
    lines = []
    for somebody, of_one in groupby(rows, key=lambda row: row.who):
        cells, deciding = zip(*((row.answer, row.statement) for row in of_one), strict=True)
        same = cells[:1] * (len(columns) - len(cells))  # whatever is presented
        lines.append((printable(somebody.words), *cells, *same, ", ".join(dict.fromkeys(filter(None, deciding)))))
    title = f"Who may assume the role {name}, by the external ID that is presented"
    return title, (("Who", 40), *columns, ("By", None)), tuple(lines), None


def _of_key(name: str, rows: Sequence[Row]) -> _Table:
    """Principals with the same answers share their lines."""
    columns = (("Who", 38), ("kms:", 35), ("Answer", 20), ("By", None))
    lines = []
    for whom, answers in together(rows, lambda row: (row.answer, row.statement or "", row.doubt)):
        names = ",\n".join(printable(somebody.words) for somebody in whom)
        for (answer, statement, _), some in answers.items():
            whole = len(answers) == 1 and {row.action for row in some} == set(ON_KEY)
            lines.append((names, _ALL if whole else _actions(some), answer, statement))
            names = ""
    first = [row for row in rows if row.who == rows[0].who]
    return f"Who may use the key {name}", columns, tuple(lines), f"{_ALL}: {_actions(first)}"


def _actions(rows: Sequence[Row]) -> str:
    called = {}
    match [row.for_aws_service for row in rows if row.action == GRANT]:
        case [bool(is_for_service)]:
            called[GRANT] = f"{GRANT} for an AWS service" if is_for_service else f"{GRANT} directly"
    if {row.action for row in rows} >= _RE_ENCRYPTS:
        called |= dict.fromkeys(_RE_ENCRYPTS, "kms:ReEncrypt")
    names = dict.fromkeys(called.get(row.action, row.action).removeprefix("kms:") for row in rows)
    return printable(", ".join(names))
