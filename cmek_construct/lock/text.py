"""The text of cmek.lock: one line a thing, and each says all, so that any merge of lines is right.

``STACK ACCOUNT REGION RESOURCE WHAT VALUE``, the value in JSON. The stack stands in every line for
the sake of merges: git may put the lines of two branches between each other. A line may stand
twice; two lines that contradict each other are refused.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from cmek_construct.checks import ACCOUNT_ID, REGION, printable
from cmek_construct.lock.model import (
    ANY_ACCOUNT,
    ANY_REGION,
    RESOURCE,
    STACK_NAME,
    WORDS,
    Identity,
    Lock,
    Locked,
    LockError,
    Place,
)

FILE: Final = "cmek.lock"
FORMAT: Final = 2
HEADER: Final = f"""\
# What Pinecone stores for good: the external ID, and what role and key would be replaced by.
# `cmek lock` writes this file and `cmek unlock` takes a role or key out of force, with a reason.
# Commit it. Comments are not kept.
format = {FORMAT}
"""
_LINE: Final = re.compile(r"(\S+ \S+ \S+ \S+) (\S+) (.+)")
_FORMAT: Final = re.compile(r"format = ([0-9]{1,9})")
_CONFLICT: Final = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")
_DEPLOYED: Final = ("Arn", "RoleId")
_NOTES: Final = ("Unlocked", "History", "Gone")
_OLD: Final = (
    "it is of format 1, which the versions 1.x wrote. Run `cmek lock --check` with that version a "
    f"last time, then `git rm {FILE}`, and with this one `cmek lock`, or once it is deployed `cmek "
    "lock --deployed`. The reasons of the old file stay in git."
)


class _Line(NamedTuple):
    number: int
    place: Place
    resource: str
    what: str
    value: Any


def read(file: Path) -> Lock:
    """The lock of a file; an empty one if there is no such file.

    Raises:
        LockError: it cannot be read.
    """
    try:
        text = file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        if not file.is_symlink():
            return {}
        raise LockError(f"{file}: it is a link to a file that is not there.") from None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise LockError(f"{file}: it cannot be read: {why}. Take it from git as it was.") from None
    return parse(text, str(file))


def parse(text: str, name: str) -> Lock:
    """The lock that a text says.

    Args:
        text: of the file.
        name: of the file, for messages.

    Raises:
        LockError: it is empty or damaged, has conflict markers, or comes from another version.
    """
    try:
        by_resource: dict[Place, dict[str, list[_Line]]] = {}
        for line in _lines(text):
            by_resource.setdefault(line.place, {}).setdefault(line.resource, []).append(line)
        if not by_resource:
            raise LockError(
                "1: it is empty, so it would keep nothing. Take it from git as it was (`git log "
                "-p` shows what changed); or delete it, and run `cmek lock`."
            )
        return {
            place: {resource: _locked(own) for resource, own in of_stack.items()}
            for place, of_stack in by_resource.items()
        }
    except LockError as error:
        raise LockError(f"{name}:{error}") from None


def _lines(text: str) -> Iterator[_Line]:
    has_format = False
    for number, line in enumerate(text.split("\n"), 1):
        line = line.rstrip()
        if line.startswith(_CONFLICT):
            raise LockError(
                f"{number}: a merge is not finished here: {line[:7]}. Keep the lines of both "
                "branches and delete the markers; where two lines contradict each other, keep "
                "that of the role or key that is deployed."
            )
        if found := _FORMAT.fullmatch(line):
            has_format = True
            _check_format(number, int(found[1]))
        elif line and not line.startswith("#"):
            yield _line(number, line)
    if not has_format:
        raise LockError(_damaged(1, f'"format = {FORMAT}" is missing'))


def _check_format(number: int, told: int) -> None:
    newer = (
        f"it is of format {told}, but this version reads format {FORMAT}. Install the version of "
        "cmek-construct that wrote it, or a newer."
    )
    if told != FORMAT:
        raise LockError(f"{number}: {_OLD if told == 1 else newer}")


def _line(number: int, line: str) -> _Line:
    found = _LINE.fullmatch(line)
    if found is None:
        raise LockError(_damaged(number, f"got {_short(line)}"))
    where, what, text = found.groups()
    try:
        value = json.loads(text)
        if what not in (*WORDS, *_NOTES):
            raise ValueError(what)
        if not isinstance(value, str if what in _NOTES else dict):
            raise ValueError(text)
        return _Line(number, *_where(where), what, value)
    except (ValueError, RecursionError) as error:
        why = text if isinstance(error, json.JSONDecodeError | RecursionError) else str(error)
        raise LockError(_damaged(number, f"got {_short(why)}")) from None


@functools.lru_cache
def _where(text: str) -> tuple[Place, str]:
    """``STACK ACCOUNT REGION RESOURCE``, the same in many lines; a `ValueError` of a wrong one."""
    stack, account, region, resource = text.split(" ")
    for what, right in (
        (stack, STACK_NAME.fullmatch(stack)),
        (account, account == ANY_ACCOUNT or ACCOUNT_ID.fullmatch(account)),
        (region, region == ANY_REGION or REGION.fullmatch(region)),
        (resource, RESOURCE.fullmatch(resource)),
    ):
        if not right:
            raise ValueError(what)
    return Place(stack, account, region), resource


def _locked(lines: Sequence[_Line]) -> Locked:
    """One thing out of its lines."""
    told = [line for line in lines if line.what not in _NOTES]
    unlocked, history, gone = (
        tuple(sorted({line.value for line in lines if line.what == note})) for note in _NOTES
    )
    if not told:
        if unlocked or gone or not history:
            where = f"{lines[0].place}: {lines[0].resource}"
            raise LockError(_damaged(lines[0].number, f"{where} has no line that says what it is"))
        return Locked(None, history=history)
    first, deployed = _identity(told[0]), dict[str, str]()
    for line in told:
        other = _identity(line)
        for name, one, another in other.differences(first):
            _refuse_contradiction(line, told[0].number, name, one, another)
        for name in _DEPLOYED:
            if name in line.value:
                own = line.value[name]
                if not isinstance(own, str):
                    raise LockError(_damaged(line.number, f"{name} is no text"))
                if deployed.setdefault(name, own) != own:
                    _refuse_contradiction(line, told[0].number, name, own, deployed[name])
    return Locked(first, deployed, unlocked, history, gone[-1] if gone else "")


def _identity(line: _Line) -> Identity:
    return Identity(line.what, {k: one for k, one in line.value.items() if k not in _DEPLOYED})


def _refuse_contradiction(line: _Line, before: int, name: str, one: str, another: str) -> None:
    raise LockError(
        f"{line.number}: {line.place}: {line.resource}: {name} is {_short(one)}, but "
        f"{_short(another)} in line {before}: two branches locked two of them. Keep the line of "
        "the one that is deployed and delete the other."
    )


def render(lock: Lock) -> str:
    """The text of a lock."""
    blocks = [HEADER]
    for place in sorted(lock):
        lines = [
            f"{place.stack} {place.account} {place.region} {resource} {what} {_json(value)}\n"
            for resource in sorted(lock[place])
            for what, value in _said(lock[place][resource])
        ]
        blocks.append("".join(lines))
    return "\n".join(filter(None, blocks))


def _said(locked: Locked) -> Iterator[tuple[str, Any]]:
    if locked.identity is not None:
        yield locked.identity.type, {**locked.identity.values, **locked.deployed}
    for what, notes in zip(_NOTES, (locked.unlocked, locked.history, [locked.gone]), strict=True):
        yield from ((what, note) for note in notes if note)


def _json(value: Any) -> str:
    # A line ends at a line feed alone, and JSON writes that as \n.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _short(text: str) -> str:
    return printable(text if len(text) <= 120 else f"{text[:100]}…")


def _damaged(number: int, what: str) -> str:
    return (
        f"{number}: {what}, but a line is STACK ACCOUNT REGION RESOURCE WHAT VALUE, as `cmek lock` "
        "wrote it. Take the file from git as it was (`git log -p` shows what changed)."
    )
