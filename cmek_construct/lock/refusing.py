"""What of the templates that an app synthesizes is refused for the lock's sake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cmek_construct.lock import reading
from cmek_construct.lock.comparing import changes, moves
from cmek_construct.lock.model import Lock, LockError, Place, stacks_at
from cmek_construct.lock.synthesized import Synthesized, places, read

LOCKED_ROLE: Final = "locked-role"
LOCKED_KEY: Final = "locked-key"
LOCKED_PLACE: Final = "locked-place"
LOCK_FILE: Final = "lock-file"


@dataclass(frozen=True)
class Refusal:
    """What one template does to what is locked."""

    rule: str
    file: Path
    logical_id: str
    what: str
    consequence: str
    cure: str


def refusals(lock_file: Path, templates: Sequence[Path]) -> list[Refusal]:
    """What these templates of an app would replace or drop.

    A stack that is locked and not among them is no matter: CloudFormation does nothing to it.
    """
    try:
        lock = reading.read(lock_file)
    except LockError as error:
        return [
            Refusal(
                LOCK_FILE,
                template,
                "",
                str(error),
                "Until it can be read, nothing keeps a role or key from being replaced.",
                "Mend the file.",
            )
            for template in templates[:1]
        ]
    return list(_refusals(lock, str(lock_file), templates)) if lock else []


def _refusals(lock: Lock, name: str, templates: Sequence[Path]) -> Iterator[Refusal]:
    files = [
        found
        for folder in dict.fromkeys(template.parent for template in templates)
        for found in places(folder).items()
    ]
    others = [place for _, place in files]
    for file, place in files:
        if stacks_at(lock, place, others):
            yield from _of_stack(lock, name, read(file, place), others)
    file_of = {place: file for file, place in files}
    for move in moves(lock, file_of):
        yield Refusal(
            LOCKED_PLACE,
            file_of[move.new],
            "",
            move.what(name),
            move.consequence,
            move.cure(name),
        )


def _of_stack(
    lock: Lock, name: str, stack: Synthesized, others: Sequence[Place]
) -> Iterator[Refusal]:
    for change in changes(lock, stack.place, stack.identities(), others):
        where, logical_id = _where(stack, change.in_its_place or change.resource)
        yield Refusal(
            LOCKED_ROLE if change.word == "role" else LOCKED_KEY,
            where,
            logical_id,
            change.what(name),
            change.consequence,
            change.cure(name),
        )


def _where(stack: Synthesized, resource: str) -> tuple[Path, str]:
    """The file and the logical ID in it, for the path of the construct in the report."""
    *within, logical_id = resource.split("/")
    for part in stack.parts:
        if part.within == tuple(within):
            return part.file, within[-1] if part.stack_set else logical_id
    return stack.file, logical_id
