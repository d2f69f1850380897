"""What templates would do to what is locked, and is refused; what `cmek lock` and `unlock` do."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from cmek_construct import templates
from cmek_construct.lock import text
from cmek_construct.lock.identity import EXTERNAL_ID, PINECONE, StackNow, stacks_of
from cmek_construct.lock.text import Lock, LockError, Place, Stack, said, shortened, stacks_at
from cmek_construct.templates.files import STACK_SET

_LOCKED_PLACE: Final = "locked-place"
_RULES: Final = {"role": "locked-role", "deployment target": "locked-role", "key": "locked-key"}
_LOGICAL_ID: Final = "logical ID"
_NONE: Final = "gone"
_DROPPING: Final = (text.CONDITION, "Regions")  # without a case or a Region, what is there goes


class Refusal(NamedTuple):
    """What one template does to what is locked."""

    rule: str
    file: Path
    logical_id: str
    what: str
    consequence: str
    cure: str


def refusals(lock_file: Path, run: templates.Run) -> list[Refusal]:
    """What the templates of an app would do to what a lock has: nothing to a stack that is not among them."""
    try:
        lock = text.read(lock_file)
    except LockError as error:
        files = (one.file for one in run.templates[:1])
        return [_refusal("unread", "lock-file", (file, "", ""), "", {"why": error}) for file in files]
    return list(changes(lock, stacks_of(run), str(lock_file)))


def _refusal(
    row: str, rule: str, where: tuple[Path, str, str], file: str, facts: Mapping[str, object], part: str = "consequence"
) -> Refusal:
    """One of `refusals.ini`, filled in."""
    facts = {**facts, "file": file, "of_file": "" if file == text.FILE else f" --file {file}"}
    return Refusal(rule, *where[:2], *(said(row, one, **facts) for one in ("what", part, "cure")))


def changes(
    lock: Lock, stacks: Sequence[StackNow], file: str, *, beside: bool = False, gone: bool = True
) -> Iterator[Refusal]:
    """What of some stacks, as their templates say them, would change what a lock has; messages name its file.

    ``beside``: a stack that is locked in another account or region is one more of its name. ``gone``: whether to refuse
    a stack that was seen to be gone.
    """
    places = [one.place for one in stacks]
    counted = Counter(one.stack for one in lock)
    in_force = [one for one, own in lock.items() if any(not each.unlocked for each in own.values())]
    for stack in stacks:
        for own in stacks_at(lock, stack.place, places):
            if gone:
                yield from _gone(own, lock[own], stack, file)
            yield from _changed(own, lock[own], stack, file, _options(own) if counted[own.stack] > 1 else "")
        old = [one for one in in_force if one.stack == stack.place.stack]
        is_there = stacks_at(lock, stack.place) or any(one.may_be(place) for one in old for place in places)
        if old and not is_there and not beside:
            # It is no longer where it was, and is where none was.
            own = old[0]
            both = zip(Place._fields, own, stack.place, strict=True)
            changed = ", and ".join(f"its {what} was {was} and is now {now}" for what, was, now in both if was != now)
            facts = {"own": own, "changed": changed, "options": _options(own)}
            yield _refusal("moved", _LOCKED_PLACE, stack.top.reported(""), file, facts)


def _gone(own: Place, locked: Stack, stack: StackNow, file: str) -> Iterator[Refusal]:
    """A stack that was deployed and deleted, while role and key are still there."""
    found = [one for one in locked.values() if one.gone and not one.unlocked]
    arns = sorted((one.deployed.get("Arn", "") for one in found), key=lambda arn: ":key/" in arn)
    taken = "".join(f" --{'key' if ':key/' in arn else 'role'}-arn {arn}" for arn in arns)
    if found:
        facts = {"own": own, "date": found[0].gone, "arns": " and ".join(arns), "taken": taken}
        yield _refusal("gone", _LOCKED_PLACE, stack.top.reported(""), file, {**facts, "options": _options(own)})


def _changed(own: Place, locked: Stack, stack: StackNow, file: str, options: str) -> Iterator[Refusal]:
    """Roles, keys and stack sets that would be others, or are gone from the template."""
    for resource, old in locked.items():
        if old.unlocked:
            continue
        new = stack.identity(resource)
        if new is not None:
            differences = old.differences(new)
        else:
            others = ((name, stack.identity(name)) for name in stack.resources if name not in locked)
            moved = [name for name, one in others if one and one.word == old.word]
            differences = [(_LOGICAL_ID, resource, " or ".join(moved) if 0 < len(moved) <= 3 else _NONE)]
        which = f"the role and key {'of each account' if old.type == STACK_SET else 'there'}"
        if old.word in ("role", "key"):
            which = f"the {old.word} {old.deployed.get('Arn') or 'that Pinecone has'}"
        facts = {"own": own, "word": old.word, "resource": resource, "which": which, "options": options}
        for name, was, now in differences:
            consequence = "dropped" if now == _NONE or name in _DROPPING else "another"
            if name in (EXTERNAL_ID, PINECONE):
                is_of_key = name == EXTERNAL_ID and old.word == "key"
                consequence = "another id" if is_of_key else "another trust"
            where = stack.top.reported(now if name == _LOGICAL_ID and now in stack.resources else resource)
            facts |= {"name": name, "was": shortened(was), "now": shortened(now)}
            yield _refusal("changed", _RULES.get(old.word, _LOCKED_PLACE), where, file, facts, consequence)


def _options(place: Place) -> str:
    return f" --account {place.account} --region {place.region}"


def lock_again(locked: Stack, one: StackNow, ours: Collection[str]) -> tuple[Stack, list[str]]:
    """What is locked of a stack, with what is new or was unlocked, and what changed, each in one line.

    Never with a change of what is in force. Ours are the roles and keys that are Pinecone's, each after the name of its
    stack and a ``/``. A name that no line can have is a `LockError`.
    """
    stack, now, done = dict(locked), one.stored(ours), list[str]()
    for resource, before in locked.items():
        new = now.get(resource)
        differences = before.differences(new) if new else []
        if new and not before.unlocked and not differences and new.differences(before):
            stack[resource] = replace(before, values=new.values)
            done.append(f"{resource}: locked in the cases that are new")
        elif new and before.unlocked:
            was = [*((name, value) for name, value, _ in differences), *before.deployed.items()]
            until = f"until then {', '.join(f'{name} {value}' for name, value in was)}"
            so = until if differences else "locked again as it was"
            history = (*before.history, *(f"{note} ({so})" for note in before.unlocked))
            # With another policy it is the same role to AWS.
            is_same = all(name in (EXTERNAL_ID, PINECONE) for name, _, _ in differences)
            stack[resource] = replace(new, deployed=before.deployed if is_same else {}, history=history)
            done.append(f"{resource}: {'locked anew, as it was unlocked' if differences else so}")
    for resource, identity in now.items():
        if resource not in stack:
            if not text.RESOURCE.fullmatch(resource):
                raise LockError(said("file", "name", stack=one.place, resource=shortened(resource)))
            stack[resource] = identity
            done.append(f"{resource}: locked, a {identity.word}")
    return stack, done


def marked_gone(locked: Stack, date: str) -> Stack:
    """A stack that was deployed and is gone, as was seen on a date; with no date, that is not."""
    return {
        resource: replace(one, gone=(date and one.gone) or date) if "Arn" in one.deployed and not one.unlocked else one
        for resource, one in locked.items()
    }
