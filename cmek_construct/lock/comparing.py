"""What a template would do to a role or key that is locked."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from cmek_construct.checks import printable
from cmek_construct.lock.identity import CONDITION, EXTERNAL_ID, PINECONE, StackNow
from cmek_construct.lock.model import RESOURCE, Identity, Lock, Place, Stack, stacks_at
from cmek_construct.lock.text import FILE

_LOGICAL_ID: Final = "logical ID"
_NONE: Final = "gone"
_MANY: Final = 3


@dataclass(frozen=True)
class Change:
    """One difference between what is locked and a template."""

    place: Place
    resource: str
    word: str
    """``role``, ``key``, ``stack set`` or ``account``."""
    name: str
    """Of the value, or ``logical ID``."""
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
        """The value, the old and the new one."""
        return (
            f"{self.place}: the {self.word} {self.resource} is locked in {lock_file}, but its "
            f"{self.name} was {_shown(self.old)} and is now {_shown(self.new)}."
        )

    @property
    def consequence(self) -> str:
        """What the deploy would do."""
        if self.name in (EXTERNAL_ID, PINECONE):
            return (
                "The deploy would shut Pinecone out of the role, or let somebody else in. Pinecone "
                "comes from its own account, and stores the external ID for good."
            )
        which = f"the {self.word} {self.arn}" if self.arn else f"the {self.word} that Pinecone has"
        if self.word not in ("role", "key"):
            which = "the role and key of each account"
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
            f'{self.place.stack} {self.resource}{self.options}{of_file(lock_file)} --reason "…"`; '
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
            f"Undo the change. Or, if it is meant, run `cmek unlock {self.old.stack}"
            f'{_options(self.old)}{of_file(lock_file)} --reason "…"`; the reason stays in '
            f"{lock_file}. If the app has the stack in both, run `cmek lock --beside"
            f"{of_file(lock_file)}`."
        )


@dataclass(frozen=True)
class Gone:
    """A locked stack that was deployed and was deleted, while role and key are still there."""

    place: Place
    since: str
    arns: tuple[str, ...]

    def what(self, lock_file: str) -> str:
        """What is known."""
        return f"{self.place}: {lock_file} says that the stack was seen to be gone on {self.since}."

    @property
    def consequence(self) -> str:
        """What the deploy would do."""
        return (
            f"The deploy would make others in place of {' and '.join(self.arns)}, which outlive "
            "their stack, and which Pinecone stores for good."
        )

    def cure(self, lock_file: str) -> str:
        """The ways out."""
        options = [f" --{'role' if ':role/' in arn else 'key'}-arn {arn}" for arn in self.arns]
        own = f"{self.place.stack}{_options(self.place)}{of_file(lock_file)}"
        return (
            f"Take them back: `cmek adopt {self.place.stack}{''.join(options)}` clears this and "
            f'says what to run next. In an app of your own, run `cmek unlock {own} --reason "…"`, '
            f"`npx cdk import {self.place.stack}`, and `cmek lock --deployed{of_file(lock_file)}`."
        )


def gone(lock: Lock, place: Place) -> Gone | None:
    """What is said of a stack that is gone."""
    found = [
        one for one in lock[place].values() if one.gone and one.in_force and "Arn" in one.deployed
    ]
    arns = sorted((one.deployed["Arn"] for one in found), key=lambda arn: ":role/" not in arn)
    return Gone(place, found[0].gone, tuple(arns)) if found else None


def changes(lock: Lock, stack: StackNow, others: Collection[Place] = ()) -> Iterator[Change]:
    """What a template would do to what is locked of its stack.

    Args:
        lock: the lock.
        stack: as its template says it.
        others: the places of all stacks beside it.
    """
    for own in stacks_at(lock, stack.place, others):
        several = sum(one.stack == own.stack for one in lock) > 1
        for resource, locked in lock[own].items():
            old = locked.identity
            if old is not None and locked.in_force:
                for difference in _differences(lock[own], resource, old, stack):
                    arn, options = locked.deployed.get("Arn"), _options(own) if several else ""
                    yield Change(own, resource, old.word, *difference, arn, options)


def _differences(
    locked: Stack, resource: str, old: Identity, stack: StackNow
) -> list[tuple[str, str, str]]:
    new = stack.identity(resource)
    if new:
        return old.differences(new)
    beside = [
        name
        for name, one in stack.identities()
        if one.word == old.word and name not in locked and old.word in ("role", "key")
    ]
    in_its_place = " or ".join(beside) if 0 < len(beside) <= _MANY else _NONE
    return [(_LOGICAL_ID, resource, in_its_place)]


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


def _options(place: Place) -> str:
    return f" --account {place.account} --region {place.region}"


def of_file(lock_file: str) -> str:
    """The option that names the lock, where it is not the usual one."""
    return "" if lock_file == FILE else f" --file {lock_file}"


def _shown(value: str) -> str:
    text = re.sub(r"\s+", " ", value)
    return printable(text if len(text) <= 120 else f"{text[:100]}… ({len(text):,} characters)")
