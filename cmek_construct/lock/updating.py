"""What `cmek lock` and `cmek unlock` make of a lock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cmek_construct.lock.comparing import Change, Move, changes, moves
from cmek_construct.lock.identity import Identity
from cmek_construct.lock.model import Lock, Locked, LockError, Place, Stack, stacks_at


@dataclass(frozen=True)
class Found:
    """One stack as its template says it."""

    place: Place
    identities: Mapping[str, Identity]
    """Every role and key."""
    ours: Sequence[str]
    """Those that are Pinecone's."""


@dataclass(frozen=True)
class Update:
    """A lock as it is to be, and how it comes to that."""

    lock: Lock
    done: list[str] = field(default_factory=list)
    """What changed, each in one line."""
    refused: list[Change | Move] = field(default_factory=list)


def update(lock: Lock, stacks: Sequence[Found], *, beside: bool = False) -> Update:
    """Lock what is new or was unlocked; never change what is in force.

    Args:
        lock: as it is.
        stacks: as their templates say them.
        beside: a stack that is locked in another account or region is one more of its name.
    """
    updated = dict(lock)
    found = Update(updated)
    places = [one.place for one in stacks]
    if not beside:
        found.refused.extend(moves(lock, places))
    for one in stacks:
        found.refused.extend(changes(updated, one.place, one.identities, places))
        for place in stacks_at(updated, one.place, places) or [one.place]:
            stack = dict(updated.get(place, {}))
            found.done.extend(f"{place}: {said}" for said in _update(stack, one))
            if stack:
                updated[place] = stack
    return found


def _update(stack: dict[str, Locked], one: Found) -> Iterator[str]:
    for resource, locked in list(stack.items()):
        if locked.identity is not None and locked.unlocked:
            identity = one.identities.get(resource)
            stack[resource], said = _locked_again(locked, locked.identity, identity)
            yield f"{resource}: {said}"
    for resource in one.ours:
        before = stack.get(resource, Locked(None))
        if before.identity is None:
            identity = one.identities[resource]
            stack[resource] = replace(before, identity=identity)
            yield f"{resource}: locked, a {identity.word}"


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
    values = [f"{name} {value}" for name, value in old.values.items()]
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
                stack[resource] = replace(locked, unlocked=(note,))
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
    if locked.deployed == names:
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
        resource: replace(locked, deployed=dict(names), history=history),
    }
    said = f"{place}: {resource}: {', '.join(names.values())}"
    return Update({**lock, place: stack}, [said])


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
