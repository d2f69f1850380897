"""What a template would do to a role or key that is locked."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cmek_construct.checks import printable
from cmek_construct.lock.identity import CONDITION, Identity
from cmek_construct.lock.model import RESOURCE, Lock, Place, Stack, stacks_at
from cmek_construct.lock.reading import FILE

_LOGICAL_ID: Final = "logical ID"
_NONE: Final = "gone"
_MANY: Final = 3


@dataclass(frozen=True)
class Change:
    """One difference between a locked role or key and a template."""

    place: Place
    resource: str
    word: str
    """``role`` or ``key``."""
    name: str
    """Of the property, or ``logical ID``."""
    old: str
    new: str
    arn: str | None
    options: str = ""
    """Of `cmek unlock`, where the name of the stack is not enough."""

    @property
    def in_its_place(self) -> str | None:
        """The resource that the template has in place of a locked one."""
        one = self.new != _NONE and RESOURCE.fullmatch(self.new)
        return self.new if self.name == _LOGICAL_ID and one else None

    def what(self, lock_file: str) -> str:
        """The property, the old and the new value."""
        return (
            f"{self.place}: the {self.word} {self.resource} is locked in {lock_file}, but its "
            f"{self.name} was {_shown(self.old)} and is now {_shown(self.new)}."
        )

    @property
    def consequence(self) -> str:
        """What the deploy would do."""
        which = f"the {self.word} {self.arn}" if self.arn else f"the {self.word} that Pinecone has"
        drops = self.new == _NONE or self.name == CONDITION
        does = "drop" if drops else "make another one in place of"
        return (
            f"The deploy would {does} {which}. Pinecone stores its ARN and can never be given "
            "another one."
        )

    def cure(self, lock_file: str) -> str:
        """The two ways out."""
        return (
            "Undo the change. Or, if it is meant, run `cmek unlock "
            f'{self.place.stack} {self.resource}{self.options}{_of(lock_file)} --reason "…"`; '
            f"the reason stays in {lock_file}."
        )


@dataclass(frozen=True)
class Move:
    """A locked stack that goes to another account or region."""

    old: Place
    new: Place

    def what(self, lock_file: str) -> str:
        """What was, and what is."""
        names = [
            (name, was, now)
            for name, was, now in (
                ("account", self.old.account, self.new.account),
                ("region", self.old.region, self.new.region),
            )
            if was != now
        ]
        changed = ", and ".join(
            f"its {name} was {was} and is now {now}" for name, was, now in names
        )
        return f"{self.old}: the stack is locked in {lock_file}, but {changed}."

    @property
    def consequence(self) -> str:
        """What the deploy would do."""
        return (
            "The deploy would make another role and key there, of which Pinecone knows nothing, "
            "and nobody would look after those that it has."
        )

    def cure(self, lock_file: str) -> str:
        """The ways out."""
        return (
            f"Undo the change. Or, if it is meant, run `cmek unlock {self.old.stack} --account "
            f'{self.old.account} --region {self.old.region}{_of(lock_file)} --reason "…"`; the '
            f"reason stays in {lock_file}. If the app has the stack in both, run `cmek lock "
            f"--beside{_of(lock_file)}`."
        )


def changes(
    lock: Lock,
    place: Place,
    identities: Mapping[str, Identity],
    others: Collection[Place] = (),
) -> Iterator[Change]:
    """What a template would do to what is locked of its stack.

    Args:
        lock: the lock.
        place: where the stack goes.
        identities: every role and key in its template.
        others: the places of all stacks beside it.
    """
    for own in stacks_at(lock, place, others):
        several = sum(one.stack == own.stack for one in lock) > 1
        options = f" --account {own.account} --region {own.region}" if several else ""
        for resource, locked in lock[own].items():
            if locked.in_force and locked.identity is not None:
                new = identities.get(resource)
                differences = (
                    locked.identity.differences(new)
                    if new
                    else [
                        (_LOGICAL_ID, resource, _in_place(lock[own], locked.identity, identities))
                    ]
                )
                for difference in differences:
                    yield Change(
                        own,
                        resource,
                        locked.identity.word,
                        *difference,
                        locked.deployed.get("Arn"),
                        options,
                    )


def moves(lock: Lock, places: Collection[Place]) -> Iterator[Move]:
    """Locked stacks of which an app has none where it was, and one where none was."""
    for new in places:
        if stacks_at(lock, new):
            continue
        old = [one for one in lock if one.stack == new.stack and _is_in_force(lock[one])]
        if old and not any(one.may_be(place) for one in old for place in places):
            yield Move(old[0], new)


def _is_in_force(stack: Stack) -> bool:
    return any(locked.in_force for locked in stack.values())


def _in_place(stack: Stack, old: Identity, identities: Mapping[str, Identity]) -> str:
    new = [name for name, one in identities.items() if one.word == old.word and name not in stack]
    return " or ".join(new) if 0 < len(new) <= _MANY else _NONE


def _of(lock_file: str) -> str:
    return "" if lock_file == FILE else f" --file {lock_file}"


def _shown(value: str) -> str:
    text = re.sub(r"\s+", " ", value)
    return printable(text if len(text) <= 120 else f"{text[:100]}… ({len(text):,} characters)")
