"""What `cmek lock` and `cmek unlock` make of a lock."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cmek_construct.lock.comparing import Change, Move, changes, moves
from cmek_construct.lock.identity import StackNow
from cmek_construct.lock.model import (
    STACK_SET,
    Identity,
    Lock,
    Locked,
    LockError,
    Place,
    Stack,
    shown,
    stacks_at,
)


@dataclass(frozen=True)
class Update:
    """A lock as it is to be, and how it comes to that."""

    lock: Lock
    done: list[str] = field(default_factory=list)
    """What changed, each in one line."""
    refused: list[Change | Move] = field(default_factory=list)


def update(
    lock: Lock, stacks: Sequence[StackNow], ours: Collection[str], *, beside: bool = False
) -> Update:
    """Lock what is new or was unlocked; never change what is in force.

    Args:
        lock: as it is.
        stacks: as their templates say them.
        ours: the roles and keys that are Pinecone's, each after the name of its stack and a ``/``.
        beside: a stack that is locked in another account or region is one more of its name.
    """
    updated = dict(lock)
    found = Update(updated)
    places = [one.place for one in stacks]
    if not beside:
        found.refused.extend(moves(lock, places))
    for one in stacks:
        found.refused.extend(changes(updated, one, places))
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
    if new is None:
        return _with_history(locked, None, _all_of(locked, old)), "given up, as it was unlocked"
    differences = old.differences(new)
    if not differences:
        kept = _with_history(locked, old, "locked again as it was")
        return replace(kept, deployed=locked.deployed), "locked again as it was"
    was = ", ".join([f"{name} {value}" for name, value, _ in differences] + _deployed(locked))
    return _with_history(locked, new, f"until then {was}"), "locked anew, as it was unlocked"


def _with_history(locked: Locked, identity: Identity | None, was: str) -> Locked:
    more = tuple(f"{note} ({was})" for note in locked.unlocked)
    return Locked(identity, history=locked.history + more)


def _all_of(locked: Locked, old: Identity) -> str:
    values = [f"{name} {shown(value)}" for name, value in old.values.items()]
    return ", ".join([f"until then {old.type}", *values, *_deployed(locked)])


def _deployed(locked: Locked) -> list[str]:
    return [f"{name} {value}" for name, value in locked.deployed.items()]


def unlock(lock: Lock, places: Sequence[Place], which: str | None, note: str) -> Update:
    """Take roles and keys out of force.

    Args:
        lock: as it is.
        places: their stacks.
        which: one role or key; or ``role`` or ``key``. Default: all.
        note: date and reason.

    Raises:
        LockError: nothing of that is in force.
    """
    updated = dict(lock)
    found = Update(updated)
    for place in places:
        stack = dict(lock[place])
        for resource, locked in stack.items():
            if locked.in_force and _is_meant(resource, locked, which):
                stack[resource] = replace(locked, unlocked=(note,), gone="")
                found.done.append(f"{place}: {resource}: unlocked")
        updated[place] = stack
    if not found.done:
        raise LockError(_nothing(lock, places, which))
    return found


def _is_meant(resource: str, locked: Locked, which: str | None) -> bool:
    word = locked.identity.word if locked.identity else None
    return which is None or which in (resource, word)


def _nothing(lock: Lock, places: Sequence[Place], which: str | None) -> str:
    there = [
        f"{resource} ({_state(locked)})"
        for place in places
        for resource, locked in lock[place].items()
    ]
    what = f"{which!a} of it" if which else "nothing of it"
    return (
        f"{', '.join(map(str, places))}: {what} is locked now. It has: {', '.join(there)}. "
        "`cmek lock` locks what templates have."
    )


def _state(locked: Locked) -> str:
    if locked.identity is None:
        return "given up"
    return f"{locked.identity.word}, {'locked' if locked.in_force else 'unlocked'}"


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
    stack: Stack = {
        **lock[place],
        resource: replace(locked, deployed=dict(names), history=history, gone=""),
    }
    said = f"{place}: {resource}: {', '.join(names.values())}"
    return Update({**lock, place: stack}, [said])


def marked_gone(lock: Lock, place: Place, date: str) -> Update:
    """A lock that says that a stack which was deployed is gone; with no date, that it is not."""
    stack = {
        resource: replace(one, gone=date if not (date and one.gone) else one.gone)
        for resource, one in lock[place].items()
        if one.identity is not None and "Arn" in one.deployed
    }
    if all(one == lock[place][resource] for resource, one in stack.items()):
        return Update(lock)
    said = f"{place}: {'the stack is gone' if date else 'no longer gone'}"
    return Update({**lock, place: {**lock[place], **stack}}, [said])


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
