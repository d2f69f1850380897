"""What templates would do to what is locked, and is refused; what `cmek lock` and `unlock` do."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from cmek_construct import templates
from cmek_construct.checks import printable
from cmek_construct.lock.identity import CONDITION, EXTERNAL_ID, PINECONE, StackNow, replaced, stacks_of
from cmek_construct.lock.text import FILE, Lock, LockError, Place, Stack, read, stacks_at
from cmek_construct.templates.choices import OTHER_VALUE
from cmek_construct.templates.files import STACK_SET

LOCKED_ROLE: Final = "locked-role"
LOCKED_KEY: Final = "locked-key"
LOCKED_PLACE: Final = "locked-place"
LOCK_FILE: Final = "lock-file"
_RULES: Final = {"role": LOCKED_ROLE, "account": LOCKED_ROLE, "key": LOCKED_KEY}
_LOGICAL_ID: Final = "logical ID"
_NONE: Final = "gone"
_MANY: Final = 3
_NO_CASES: Final = re.compile("Properties|Source of |Condition .")
"""Values that are objects by themselves."""


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
    if not lock:
        return []
    stacks = stacks_of(run)
    return [*_gone(lock, stacks, str(lock_file)), *changes(lock, stacks, str(lock_file))]


def changes(lock: Lock, stacks: Sequence[StackNow], file: str, *, beside: bool = False) -> Iterator[Refusal]:
    """What of them would change what is locked.

    Args:
        lock: the lock.
        stacks: as their templates say them.
        file: of the lock, for messages.
        beside: a stack that is locked in another account or region is one more of its name.
    """
    places = [one.place for one in stacks]
    for stack in stacks:
        for own in stacks_at(lock, stack.place, places):
            several = sum(one.stack == own.stack for one in lock) > 1
            options = f"{_options(own) if several else ''}{_of_file(file)}"
            for resource, locked in lock[own].items():
                word = locked.word
                for name, old, new in _differences(lock[own], resource, stack) if not locked.unlocked else ():
                    yield Refusal(
                        _RULES.get(word, LOCKED_PLACE),
                        *_where(stack.top, new if name == _LOGICAL_ID and new in stack.resources else resource),
                        f"{own}: the {word} {resource} is locked in {file}, but its {name} was {_shown(old)} and is "
                        f"now {_shown(new)}.",
                        _consequence(word, name, new, locked.deployed.get("Arn")),
                        f"Undo the change. Or, if it is meant, run `cmek unlock {own.stack} {resource}{options} "
                        f'--reason "…"`; the reason stays in {file}.',
                    )
        if not beside:
            yield from _moves(lock, stack, places, file)


def _differences(locked: Stack, resource: str, stack: StackNow) -> Iterator[tuple[str, str, str]]:
    """Name, old and new value of what is not the same."""
    old, new = locked[resource], stack.identity(resource)
    if new is None:
        others = ((name, stack.identity(name)) for name in stack.resources if name not in locked)
        beside = [name for name, one in others if one and one.word == old.word]
        yield _LOGICAL_ID, resource, " or ".join(beside) if 0 < len(beside) <= _MANY else _NONE
        return
    for name, was, now in old.differences(new):
        cases, cases_now = (_by_case(name, one.values.get(name)) for one in (old, new))
        # In more cases than there were it may be another; but where one case stands for all other values, it is.
        is_kept = cases and all(case in cases_now and cases_now[case] == one for case, one in cases.items())
        if not is_kept or any(OTHER_VALUE in case for case in cases):
            yield name, was, now


def _by_case(name: str, value: Any) -> Mapping[str, Any]:
    """A value that is told case by case; nothing of one that is not."""
    if name == CONDITION and isinstance(value, list):
        return dict.fromkeys(value)
    return value if isinstance(value, dict) and not _NO_CASES.match(name) else {}


def _consequence(word: str, name: str, new: str, arn: str | None) -> str:
    """What the deploy would do."""
    if name == EXTERNAL_ID and word == "key":
        return (
            "Pinecone stores the external ID for good, and the role that was given asks for the "
            "one that it has: another one shuts Pinecone out."
        )
    if name in (EXTERNAL_ID, PINECONE):
        return (
            "The deploy would shut Pinecone out of the role, or let somebody else in. Pinecone "
            "comes from its own account, and stores the external ID for good."
        )
    of_all = "the role and key of each account"
    which = f"the {word} {arn or 'that Pinecone has'}" if word in ("role", "key") else of_all
    does = "drop" if new == _NONE or name == CONDITION else "make another one in place of"
    return f"The deploy would {does} {which}. Pinecone stores its ARN and can never be given another one."


def _moves(lock: Lock, stack: StackNow, places: Sequence[Place], file: str) -> Iterator[Refusal]:
    """A locked stack that is no longer where it was, and that is where none was."""
    new = stack.place
    old = [one for one in lock if one.stack == new.stack and any(not each.unlocked for each in lock[one].values())]
    if not old or stacks_at(lock, new) or any(one.may_be(place) for one in old for place in places):
        return
    was = old[0]
    both = [("account", was.account, new.account), ("region", was.region, new.region)]
    changed = ", and ".join(f"its {what} was {a} and is now {b}" for what, a, b in both if a != b)
    yield Refusal(
        LOCKED_PLACE,
        *_where(stack.top, ""),
        f"{was}: the stack is locked in {file}, but {changed}.",
        "The deploy would make another role and key there, of which Pinecone knows nothing, and "
        "nobody would look after those that it has.",
        f"Undo the change. Or, if it is meant, run `cmek unlock {was.stack}{_options(was)}"
        f'{_of_file(file)} --reason "…"`; the reason stays in {file}. If the app has the stack in '
        f"both, run `cmek lock --beside{_of_file(file)}`.",
    )


def _gone(lock: Lock, stacks: Sequence[StackNow], file: str) -> Iterator[Refusal]:
    """Stacks that were deployed and deleted, while role and key are still there."""
    places = [one.place for one in stacks]
    for stack in stacks:
        for own in stacks_at(lock, stack.place, places):
            found = [one for one in lock[own].values() if one.gone and not one.unlocked]
            arns = sorted((a.deployed.get("Arn", "") for a in found), key=lambda a: ":key/" in a)
            if not found:
                continue
            taken = [f" --{'key' if ':key/' in arn else 'role'}-arn {arn}" for arn in arns]
            options = f"{_options(own)}{_of_file(file)}"
            yield Refusal(
                LOCKED_PLACE,
                *_where(stack.top, ""),
                f"{own}: {file} says that the stack was seen to be gone on {found[0].gone}.",
                f"The deploy would make others in place of {' and '.join(arns)}, which outlive "
                "their stack, and which Pinecone stores for good.",
                f"Take them back: `cmek adopt {own.stack}{''.join(taken)}` clears this and says what to run next. In "
                f'an app of your own, run `cmek unlock {own.stack}{options} --reason "…"`, `npx cdk import '
                f"{own.stack}`, and `cmek lock --deployed{_of_file(file)}`.",
            )


def _where(stack: templates.Stack, resource: str) -> tuple[Path, str]:
    """The file and the logical ID in it, for the path of the construct in the report."""
    first, _, rest = resource.partition("/")
    child = stack.children.get(first)
    if child is None or child.is_in_stack_set:
        return stack.template.file, first
    return _where(child, rest)


def _options(place: Place) -> str:
    return f" --account {place.account} --region {place.region}"


def _of_file(lock_file: str) -> str:
    return "" if lock_file == FILE else f" --file {lock_file}"


def _shown(value: str) -> str:
    text = re.sub(r"\s+", " ", value)
    return printable(text if len(text) <= 120 else f"{text[:100]}… ({len(text):,} characters)")


def lock_again(locked: Stack, one: StackNow, ours: Collection[str]) -> tuple[Stack, list[str]]:
    """What is locked of a stack, with what is new or was unlocked; never with a change of what is in force.

    Args:
        locked: as it is.
        one: the stack as its template says it.
        ours: the roles and keys that are Pinecone's, each after the name of its stack and a ``/``.

    Returns:
        The stack, and what changed, each in one line.
    """
    stack, done = dict(locked), list[str]()
    for resource, before in locked.items():
        new = one.identity(resource) if before.unlocked else None
        if new is not None:
            differences = before.differences(new)
            names = [f"{name} {value}" for name, value in before.deployed.items()]
            until = f"until then {', '.join([*(f'{name} {was}' for name, was, _ in differences), *names])}"
            said = until if differences else "locked again as it was"
            history = (*before.history, *(f"{note} ({said})" for note in before.unlocked))
            stack[resource] = replace(new, deployed={} if replaced(differences) else before.deployed, history=history)
            done.append(f"{resource}: {'locked anew, as it was unlocked' if differences else said}")
    # Pinecone's roles and keys, the stack sets in which they stand, and those sets' accounts.
    own = [path for path in one.resources if f"{one.top.name}/{path}" in ours]
    sets = [path for path, place in one.resources.items() if place.type == STACK_SET]
    around = [path for path in sets if any(each.startswith(f"{path}/") for each in own)]
    accounts = [path for path in one.accounts if path.rpartition("/")[0] in around] if around else []
    for resource in (*own, *around, *accounts):
        identity = one.identity(resource) if resource not in stack else None
        if identity is not None:
            stack[resource] = identity
            done.append(f"{resource}: locked, {'an' if identity.word[0] == 'a' else 'a'} {identity.word}")
    return stack, done


def marked_gone(locked: Stack, date: str) -> Stack:
    """A stack that was deployed and is gone, as was seen on a date; with no date, that is not."""
    return {
        resource: replace(one, gone=(date and one.gone) or date) if "Arn" in one.deployed and not one.unlocked else one
        for resource, one in locked.items()
    }
