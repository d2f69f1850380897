"""What a lock holds: per stack, and in it per role and key."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from cmek_construct.checks import ACCOUNT_ID, REGION
from cmek_construct.lock.identity import Identity

ANY_ACCOUNT: Final = "any-account"
ANY_REGION: Final = "any-region"
STACK_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
RESOURCE: Final = re.compile(r"[A-Za-z0-9]{1,255}(/[A-Za-z0-9]{1,255})*")
"""A logical ID; within a nested stack or a stack set, after the ID of that one."""


class LockError(ValueError):
    """The lock cannot be used. The message has one line for each fault, and the way out."""


@dataclass(frozen=True, order=True)
class Place:
    """A stack by its name, account and region, as far as the app knows them."""

    stack: str
    account: str = ANY_ACCOUNT
    region: str = ANY_REGION

    @classmethod
    def of(cls, stack: str, account: str, region: str) -> Place:
        """The place of a stack; account and region count where they are told."""
        return cls(
            stack,
            account if ACCOUNT_ID.fullmatch(account) else ANY_ACCOUNT,
            region if REGION.fullmatch(region) else ANY_REGION,
        )

    def may_be(self, other: Place) -> bool:
        """Whether both can be one stack."""
        return (
            self.stack == other.stack
            and (self.account == other.account or ANY_ACCOUNT in (self.account, other.account))
            and (self.region == other.region or ANY_REGION in (self.region, other.region))
        )

    def __str__(self) -> str:
        if self == Place(self.stack):
            return self.stack
        return f"{self.stack} ({self.account}, {self.region})"


@dataclass(frozen=True)
class Locked:
    """One role or key of a stack."""

    identity: Identity | None
    """None: it was given up, and its history is left."""
    deployed: Mapping[str, str] = field(default_factory=dict)
    """What AWS calls it: its ``Arn``, and of a role the ``RoleId``."""
    unlocked: tuple[str, ...] = ()
    """Date and reason of whoever unlocked it; of both, if two branches did."""
    history: tuple[str, ...] = ()
    """What it was before, and why it was changed."""

    @property
    def in_force(self) -> bool:
        """Whether a change is refused."""
        return self.identity is not None and not self.unlocked


Stack = Mapping[str, Locked]
"""Roles and keys by `RESOURCE`."""
Lock = Mapping[Place, Stack]


def stacks_at(lock: Lock, place: Place, others: Collection[Place] = ()) -> list[Place]:
    """The stacks of a lock that this one is: the very one, or those that it may be.

    Args:
        lock: the lock.
        place: of the stack.
        others: the places of all stacks beside it, which are themselves and no other.
    """
    if place in lock:
        return [place]
    return [one for one in lock if one.may_be(place) and one not in others]
