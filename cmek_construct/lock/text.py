"""The text of cmek.lock: each line says all, so that any order and any merge of lines is right.

``STACK ACCOUNT REGION RESOURCE NAME = VALUE``. The stack stands in every line for the sake of
merges: git may put the lines of two branches between each other. A line may stand twice; two
lines that contradict each other are refused.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from cmek_construct.checks import ACCOUNT_ID, REGION, printable
from cmek_construct.lock.identity import NOT_SET, REPLACING, REPLACING_STACK_SET, Identity, names_of
from cmek_construct.lock.model import (
    ANY_ACCOUNT,
    ANY_REGION,
    RESOURCE,
    STACK_NAME,
    Lock,
    Locked,
    LockError,
    Place,
)

FORMAT: Final = 1
HEADER: Final = f"""\
# The roles and keys that Pinecone stores for good, by what CloudFormation would replace them by.
# `cmek lock` writes this file and `cmek unlock` takes a role or key out of force, with a reason.
# Commit it. Comments are not kept.
format = {FORMAT}
"""
_LINE: Final = re.compile(r"(\S+ \S+ \S+ \S+) ([A-Za-z]+) = (.+)")
_PLAIN: Final = re.compile(r'"[A-Za-z0-9_:/.-]*"')
"""Most values: not worth a parser."""
_FORMAT: Final = re.compile(r"format = ([0-9]{1,9})")
_CONFLICT: Final = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")
_DEPLOYED: Final = ("Arn", "RoleId")
_NOTES: Final = ("Unlocked", "History")
_KNOWN: Final = frozenset(
    ("Type", *_DEPLOYED, *_NOTES, *REPLACING_STACK_SET)
    + tuple(name for kind in REPLACING for name in names_of(kind))
)


class _Line(NamedTuple):
    number: int
    place: Place
    resource: str
    name: str
    value: str

    @property
    def text(self) -> str:
        """The value of a name that has text for its value."""
        found = json.loads(self.value)
        if not isinstance(found, str):
            raise LockError(_damaged(self.number, f"{self.name} is no text"))
        return found


def parse(text: str, name: str) -> Lock:
    """The lock that a text says.

    Args:
        text: of the file.
        name: of the file, for messages.

    Raises:
        LockError: it is damaged, has conflict markers, or comes from a newer version.
    """
    try:
        lines = list(_lines(text))
        by_resource: dict[Place, dict[str, list[_Line]]] = {}
        for line in lines:
            by_resource.setdefault(line.place, {}).setdefault(line.resource, []).append(line)
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
        if not line or line.startswith("#"):
            continue
        if found := _FORMAT.fullmatch(line):
            has_format = True
            if int(found[1]) != FORMAT:
                raise LockError(
                    f"{number}: it is of format {int(found[1])}, but this version reads format "
                    f"{FORMAT}. Install the version of cmek-construct that wrote it, or a newer."
                )
            continue
        yield _line(number, line)
    if not has_format:
        raise LockError(_damaged(1, f'"format = {FORMAT}" is missing'))


def _line(number: int, line: str) -> _Line:
    found = _LINE.fullmatch(line)
    if found is None:
        raise LockError(_damaged(number, f"got {_short(line)}"))
    where, name, value = found.groups()
    try:
        if name not in _KNOWN or not _is_value(value):
            raise ValueError(name if name not in _KNOWN else value)
        return _Line(number, *_where(where), name, value)
    except ValueError as error:
        raise LockError(_damaged(number, f"got {_short(str(error))}")) from None


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


def _is_value(value: str) -> bool:
    if value == NOT_SET or _PLAIN.fullmatch(value):
        return True
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        return False
    return True


def _locked(lines: Sequence[_Line]) -> Locked:
    """One role or key out of its lines."""
    said: dict[str, _Line] = {}
    notes: dict[str, list[str]] = {name: [] for name in _NOTES}
    for line in lines:
        if line.name in notes:
            notes[line.name].append(line.text)
            continue
        before = said.setdefault(line.name, line)
        if before.value != line.value:
            raise LockError(
                f"{line.number}: {line.place}: {line.resource}: {line.name} is {_short(line.value)}"
                f", but {_short(before.value)} in line {before.number}: two branches locked "
                "two of them. Keep the lines of the one that is deployed and delete the other's."
            )
    deployed: dict[str, str] = {name: said.pop(name).text for name in _DEPLOYED if name in said}
    unlocked, history = (tuple(sorted(set(notes[name]))) for name in _NOTES)
    if not said and not deployed and not unlocked and history:
        return Locked(None, history=history)
    return Locked(_identity(lines[0], said), deployed, unlocked, history)


def _identity(first: _Line, said: dict[str, _Line]) -> Identity:
    where = f"{first.place}: {first.resource}"
    resource_type = said.pop("Type").text if "Type" in said else ""
    if resource_type not in REPLACING:
        raise LockError(_damaged(first.number, f"{where} has no Type that is known"))
    for name in names_of(resource_type):
        if name not in said:
            raise LockError(_damaged(first.number, f"{where} has no line {name}"))
    for name in said:
        if name not in (*names_of(resource_type), *REPLACING_STACK_SET):
            raise LockError(_damaged(said[name].number, f"{name} is nothing of {resource_type}"))
    return Identity(resource_type, {name: line.value for name, line in said.items()})


def render(lock: Lock) -> str:
    """The text of a lock."""
    blocks = [HEADER]
    for place in sorted(lock):
        lines = [
            f"{place.stack} {place.account} {place.region} {resource} {name} = {value}\n"
            for resource in sorted(lock[place])
            for name, value in _said(lock[place][resource])
        ]
        blocks.append("".join(lines))
    return "\n".join(filter(None, blocks))


def _said(locked: Locked) -> Iterator[tuple[str, str]]:
    if locked.identity is not None:
        yield "Type", json.dumps(locked.identity.type)
    for note in locked.unlocked:
        yield "Unlocked", json.dumps(note, ensure_ascii=False)
    if locked.identity is not None:
        values = locked.identity.values
        for name in (*names_of(locked.identity.type), *REPLACING_STACK_SET):
            if name in values:
                yield name, values[name]
    for name in _DEPLOYED:
        if name in locked.deployed:
            yield name, json.dumps(locked.deployed[name])
    for note in locked.history:
        yield "History", json.dumps(note, ensure_ascii=False)


def _short(text: str) -> str:
    return printable(text if len(text) <= 120 else f"{text[:100]}…")


def _damaged(number: int, what: str) -> str:
    return (
        f"{number}: {what}, but a line is STACK ACCOUNT REGION RESOURCE NAME = VALUE, as `cmek "
        "lock` wrote it. Take the file from git as it was (`git log -p` shows what changed)."
    )
