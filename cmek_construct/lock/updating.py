"""What `cmek lock` and `cmek unlock` make of a lock."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cmek_construct.lock.identity import StackNow, replaced
from cmek_construct.lock.model import (
    Identity,
    Lock,
    Locked,
    LockError,
    Place,
    shown,
    stacks_at,
)
from cmek_construct.templates.files import STACK_SET


@dataclass(frozen=True)
class Update:
    """A lock as it is to be, and how it comes to that."""

    lock: Lock
    done: list[str] = field(default_factory=list)
    """What changed, each in one line."""


def update(lock: Lock, stacks: Sequence[StackNow], ours: Collection[str]) -> Update:
    """Lock what is new or was unlocked; never change what is in force.

    Args:
        lock: as it is.
        stacks: as their templates say them.
        ours: the roles and keys that are Pinecone's, each after the name of its stack and a ``/``.
    """
    updated = dict(lock)
    found = Update(updated)
    places = [one.place for one in stacks]
    for one in stacks:
        for place in stacks_at(updated, one.place, places) or [one.place]:
            stack = dict(updated.get(place, {}))
            found.done.extend(f"{place}: {said}" for said in _update(stack, one, ours))
            if stack:
                updated[place] = stack
    return found


def _update(stack: dict[str, Locked], one: StackNow, ours: Collection[str]) -> Iterator[str]:
    for resource, locked in list(stack.items()):
        if locked.identity is not None and locked.unlocked:
            again = _locked_again(locked, locked.identity, one.identity(resource))
            stack[resource], said = again
            yield f"{resource}: {said}"
    for resource in _to_lock(one, ours):
        before = stack.get(resource, Locked(None))
        identity = one.identity(resource) if before.identity is None else None
        if identity is not None:
            stack[resource] = replace(before, identity=identity)
            yield f"{resource}: locked, {'an' if identity.word[0] == 'a' else 'a'} {identity.word}"


def _to_lock(one: StackNow, ours: Collection[str]) -> Iterator[str]:
    """Pinecone's roles and keys, the stack sets in which they stand, and those sets' accounts."""
    own = [path for path in one.resources if f"{one.top.name}/{path}" in ours]
    around = [
        path
        for path, place in one.resources.items()
        if place.type == STACK_SET and any(each.startswith(f"{path}/") for each in own)
    ]
    yield from (*own, *around)
    if around:
        yield from (path for path in one.accounts if path.rpartition("/")[0] in around)


def _locked_again(locked: Locked, old: Identity, new: Identity | None) -> tuple[Locked, str]:
    """What was unlocked, as a template has it now; its reasons become history."""
    gone = [old.type, *(f"{name} {shown(value)}" for name, value in old.values.items())]
    changed = [f"{name} {was}" for name, was, _ in old.differences(new)] if new else gone
    named = [f"{name} {value}" for name, value in locked.deployed.items()]
    was = f"until then {', '.join([*changed, *named])}" if changed else "locked again as it was"
    history = (*locked.history, *(f"{note} ({was})" for note in locked.unlocked))
    same = new is not None and not replaced(old.differences(new))
    again = Locked(new, locked.deployed if same else {}, history=history)
    said = f"{'locked anew' if new else 'given up'}, as it was unlocked"
    return again, said if changed else was


def unlock(lock: Lock, place: Place, which: str | None, note: str) -> Update:
    """Take roles and keys out of force.

    Args:
        lock: as it is.
        place: their stack.
        which: one role or key; or ``role`` or ``key``. Default: all.
        note: date and reason.

    Raises:
        LockError: nothing of that is in force.
    """
    stack, done, there = dict(lock[place]), list[str](), list[str]()
    for resource, locked in lock[place].items():
        word = locked.identity.word if locked.identity else None
        if locked.in_force and which in (None, resource, word):
            stack[resource] = replace(locked, unlocked=(note,), gone="")
            done.append(f"{place}: {resource}: unlocked")
        state = f"{word}, {'locked' if locked.in_force else 'unlocked'}" if word else "given up"
        there.append(f"{resource} ({state})")
    if not done:
        what = f"{which!a} of it" if which else "nothing of it"
        raise LockError(
            f"{place}: {what} is locked now. It has: {', '.join(there)}. `cmek lock` locks what "
            "templates have."
        )
    return Update({**lock, place: stack}, done)


def deployed(
    lock: Lock, place: Place, resource: str, names: Mapping[str, str], unlocked: Sequence[str] = ()
) -> Update:
    """A lock with what AWS calls one role or key.

    Args:
        lock: as it is.
        place: the stack.
        resource: the role or key.
        names: what AWS calls it.
        unlocked: date and reason, if it was unlocked until now: other names are meant then.

    Raises:
        LockError: it is locked under other names: somebody made it again.
    """
    locked = lock[place][resource]
    if locked.deployed == names and not locked.gone:
        return Update(lock)
    history = locked.history
    for name, value in names.items():
        before = locked.deployed.get(name, value)
        if before != value and not unlocked:
            raise LockError(_made_again(place, resource, name, before, value))
        if before != value:
            history += tuple(f"{note} (until then {name} {before})" for note in unlocked)
    again = replace(locked, deployed=dict(names), history=history, gone="")
    said = f"{place}: {resource}: {', '.join(names.values())}"
    return Update({**lock, place: {**lock[place], resource: again}}, [said])


def marked_gone(lock: Lock, place: Place, date: str) -> Update:
    """A lock that says that a stack which was deployed is gone; with no date, that it is not."""
    stack = {
        resource: replace(one, gone=(date and one.gone) or date) if "Arn" in one.deployed else one
        for resource, one in lock[place].items()
    }
    said = f"{place}: {'the stack is gone' if date else 'no longer gone'}"
    return Update({**lock, place: stack}, [said] if stack != lock[place] else [])


def _made_again(place: Place, resource: str, name: str, before: str, value: str) -> str:
    again = (
        "Somebody made the role again: to a key policy that named the old one it is another role, "
        "and Pinecone is shut out until the policy is written anew (deploy `suspended: true`, "
        "then `false`). "
        if name == "RoleId"
        else "Pinecone stores the old one for good. "
    )
    return (
        f"{place}: {resource}: its {name} is locked as {before}, but AWS has {value}. {again}"
        f'If it is meant, run `cmek unlock {place.stack} {resource} --reason "…"`, then `cmek lock '
        "--deployed` again."
    )
