"""Runs `cmek check`, `who` and `review` over every template below a folder.

Each as it is, where nothing of Pinecone's may be found, and each with a role and key of Pinecone's put into it, where
the verdict is that on role and key alone.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from typer.testing import CliRunner, Result

from cmek_construct.commands.app import cli
from cmek_construct.templates import UnreadableError, parsed
from cmek_construct.templates.files import template_of
from cmek_construct.templates.reading import text_of
from cmek_construct.templates.stacks import Stack
from tests.building import cmek_template

_SUFFIXES = (".json", ".yaml", ".yml", ".template")
_SECONDS = 20
"""Of the processor: a busy machine is no fault of the command's."""
_NOTHING = "Nothing of Pinecone's was found"
_SECTIONS = ("Parameters", "Conditions", "Outputs", "Resources")


class _TooLongError(Exception):
    """A command took longer than it may."""


def main(folder: Path) -> int:
    """Print whatever is not as it should be; the exit code."""
    ours = cmek_template()
    counted: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as scratch:
        alone = _answers(_written(ours, Path(scratch)))
        for file in sorted(one for one in folder.rglob("*") if one.suffix in _SUFFIXES):
            try:
                template = parsed(text_of(file)[0])
            except UnreadableError:
                counted["no template"] += 1
                continue
            if not template.get("Resources"):
                counted["without resources"] += 1
                continue
            counted["templates"] += 1
            wrong = [*_as_it_is(file), *_with_ours(template, ours, Path(scratch), alone)]
            counted["wrong"] += bool(wrong)
            for one in wrong:
                print(f"{file}: {one}", flush=True)
    print(", ".join(f"{number} {what}" for what, number in counted.items()))
    return 1 if counted["wrong"] else 0


def _as_it_is(file: Path) -> Iterator[str]:
    """What is wrong with what is said of a template that has nothing of Pinecone's."""
    for command in ("check", "who", "review"):
        done = _run(command, str(file))
        if _crashed(done):
            yield f"{command}: {done.exception!r}"
        elif command != "review" and (done.exit_code != 1 or _NOTHING not in done.output):
            yield f"{command}: exit {done.exit_code}: {_last(done)}"
        elif "WRONG" in done.output:
            yield f"{command}: {_last(done)}"


def _with_ours(template: dict[str, Any], ours: dict[str, Any], folder: Path, alone: dict[str, Any]) -> Iterator[str]:
    """What is said otherwise of role and key where a template of another's stands around them."""
    together = dict(template)
    for section in _SECTIONS:
        if ours.get(section):
            together[section] = {**(template.get(section) or {}), **ours[section]}
    file = _written(together, folder)
    try:
        found = _answers(file)
    except AssertionError as error:
        yield f"with ours: {error}"
        return
    rewritten = list(Stack("it", template_of(template)).rewritten())
    if rewritten and found["check"] == {"cannot-be-judged"}:
        return
    for command, said in found.items():
        if said != alone[command]:
            yield f"with ours: {command}: {_difference(said, alone[command])}"


def _answers(file: Path) -> dict[str, Any]:
    """What each command says of the role and the key in a template."""
    checked = _run("check", str(file), "--json")
    asked = _run("who", str(file), "--json")
    page = _run("review", str(file), "--out", str(file.with_suffix(".html")))
    for done in (checked, asked, page):
        assert not _crashed(done), repr(done.exception)
    rules = {one["rule"].partition("[")[0] for template in json.loads(checked.stdout) for one in template["violations"]}
    rows = [
        {name: value for name, value in row.items() if name != "doubt"}
        for template in json.loads(asked.stdout)["templates"]
        for row in template["rows"]
    ]
    return {"check": rules, "who": rows, "review": page.exit_code}


def _difference(said: Any, wanted: Any) -> str:
    if not isinstance(said, list):
        return f"{said}, not {wanted}"
    more = [one for one in said if one not in wanted]
    less = [one for one in wanted if one not in said]
    return f"more: {more[:2]}; less: {less[:2]}"


def _written(template: dict[str, Any], folder: Path) -> Path:
    file = folder / "template.json"
    file.write_text(json.dumps(template, default=str), encoding="utf-8")
    return file


def _run(*arguments: str) -> Result:
    signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, _SECONDS)
    try:
        if arguments[0] == "review" and "--out" not in arguments:
            arguments += ("--out", "/dev/null")
        return CliRunner().invoke(cli, list(arguments))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _stop(*_: object) -> NoReturn:
    raise _TooLongError


def _crashed(done: Result) -> bool:
    return done.exception is not None and not isinstance(done.exception, SystemExit)


def _last(done: Result) -> str:
    return " ".join(done.output.split())[-300:]


sys.exit(main(Path(sys.argv[1])))
