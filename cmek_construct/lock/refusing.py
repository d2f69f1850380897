"""What of the templates that an app synthesizes is refused for the lock's sake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cmek_construct import templates
from cmek_construct.lock.comparing import Change, Gone, Move, changes, gone, moves
from cmek_construct.lock.identity import StackNow, stacks_of
from cmek_construct.lock.model import Lock, LockError, stacks_at
from cmek_construct.lock.text import read

LOCKED_ROLE: Final = "locked-role"
LOCKED_KEY: Final = "locked-key"
LOCKED_PLACE: Final = "locked-place"
LOCK_FILE: Final = "lock-file"
_RULES: Final = {"role": LOCKED_ROLE, "account": LOCKED_ROLE, "key": LOCKED_KEY}


@dataclass(frozen=True)
class Refusal:
    """What one template does to what is locked."""

    rule: str
    file: Path
    logical_id: str
    what: str
    consequence: str
    cure: str


def refusals(lock_file: Path, run: templates.Run) -> list[Refusal]:
    """What the templates of an app would do to what a lock has.

    A stack that is locked and not among them is no matter: CloudFormation does nothing to it.
    """
    try:
        lock = read(lock_file)
    except LockError as error:
        why = "Until it can be read, nothing keeps a role or key from being replaced."
        files = [one.file for one in run.templates[:1]]
        return [Refusal(LOCK_FILE, file, "", str(error), why, "Mend the file.") for file in files]
    return list(_refusals(lock, str(lock_file), stacks_of(run))) if lock else []


def _refusals(lock: Lock, name: str, stacks: list[StackNow]) -> Iterator[Refusal]:
    stack_of = {one.place: one for one in stacks}
    for place, stack in stack_of.items():
        for own in stacks_at(lock, place, stack_of):
            if is_gone := gone(lock, own):
                yield _refusal(LOCKED_PLACE, stack, "", is_gone, name)
        for change in changes(lock, stack, stack_of):
            rule = _RULES.get(change.word, LOCKED_PLACE)
            yield _refusal(rule, stack, change.in_its_place or change.resource, change, name)
    for move in moves(lock, stack_of):
        yield _refusal(LOCKED_PLACE, stack_of[move.new], "", move, name)


def _refusal(
    rule: str, stack: StackNow, resource: str, why: Change | Gone | Move, name: str
) -> Refusal:
    file, logical_id = _where(stack.top, resource)
    return Refusal(rule, file, logical_id, why.what(name), why.consequence, why.cure(name))


def _where(stack: templates.Stack, resource: str) -> tuple[Path, str]:
    """The file and the logical ID in it, for the path of the construct in the report."""
    first, _, rest = resource.partition("/")
    child = stack.children.get(first)
    if child is None or child.is_in_stack_set:
        return stack.template.file, first
    return _where(child, rest)
