"""What a lock holds: per stack, and in it per role, key and stack set."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cmek_construct import templates
from cmek_construct.checks import ACCOUNT_ID, REGION
from cmek_construct.templates.attributes import KEY, KEYS, ROLE
from cmek_construct.templates.files import STACK_SET

ANY_ACCOUNT: Final = "any-account"
ANY_REGION: Final = "any-region"
STACK_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
RESOURCE: Final = re.compile(r"[A-Za-z0-9]{1,255}(/[A-Za-z0-9]{1,255})*")
"""A logical ID; within a nested stack or a stack set, after the ID of that one."""
OF_ACCOUNT: Final = "account"
"""What stands in place of a type, for an account of a stack set that has values of its own."""
_BY_DEFAULT: Final = {
    "KeySpec": "SYMMETRIC_DEFAULT",
    "KeyUsage": "ENCRYPT_DECRYPT",
    "Origin": "AWS_KMS",
    "MultiRegion": "false",
}
"""What a property of a key is where it is not set. Source: its page in CloudFormation's guide."""
WORDS: Final[Mapping[str, str]] = {
    ROLE: "role",
    **dict.fromkeys(KEYS, "key"),
    STACK_SET: "stack set",
    OF_ACCOUNT: "account",
}
"""All that can be locked: by type, what a message calls it."""


class LockError(ValueError):
    """The lock cannot be used. The message has one line for each fault, and the way out."""


@dataclass(frozen=True, order=True)
class Place:
    """A stack by its name, account and region, as far as the app knows them."""

    stack: str
    account: str = ANY_ACCOUNT
    region: str = ANY_REGION

    @classmethod
    def of(cls, stack: str, account: str | None, region: str | None) -> Place:
        """The place of a stack; account and region count where they are told."""
        return cls(
            stack,
            account if account and ACCOUNT_ID.fullmatch(account) else ANY_ACCOUNT,
            region if region and REGION.fullmatch(region) else ANY_REGION,
        )

    @classmethod
    def of_top(cls, top: templates.Stack) -> Place:
        """The place of a stack of a run; a template by itself counts as that of its file's name."""
        one = top.template
        return cls.of(one.stack or one.file.name.partition(".")[0], one.account, one.region)

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
class Identity:
    """What makes one role, key or stack set the one that Pinecone stores."""

    type: str
    values: Mapping[str, Any]
    """By name, of JSON. What is not set has no name here."""

    @property
    def word(self) -> str:
        """``role``, ``key``, ``stack set`` or ``account``."""
        return WORDS[self.type]

    def differences(self, other: Identity) -> list[tuple[str, str, str]]:
        """Name, own value and the other's value of what is not the same."""
        if self.type != other.type:
            return [("Type", self.type, other.type)]
        return [
            (name, shown(self.values.get(name)), shown(other.values.get(name)))
            for name in dict.fromkeys([*self.values, *other.values])
            if self._meant(name) != other._meant(name)
        ]

    def _meant(self, name: str) -> Any:
        """A value as AWS takes it: of a key also what is not set, and a truth value in any case."""
        value = self.values.get(name, _BY_DEFAULT.get(name) if self.type == KEY else None)
        return value.lower() if name == "MultiRegion" and isinstance(value, str) else value


def shown(value: Any) -> str:
    """A value for a person."""
    return "not set" if value is None else json.dumps(value, sort_keys=True, ensure_ascii=True)


@dataclass(frozen=True)
class Locked:
    """One role, key, stack set or account of a stack set."""

    identity: Identity | None
    """None: it was given up, and its history is left."""
    deployed: Mapping[str, str] = field(default_factory=dict)
    """What AWS calls it: its ``Arn``, and of a role the ``RoleId``."""
    unlocked: tuple[str, ...] = ()
    """Date and reason of whoever unlocked it; of both, if two branches did."""
    history: tuple[str, ...] = ()
    """What it was before, and why it was changed."""
    gone: str = ""
    """The date on which its stack, which was deployed, was seen to be gone."""

    @property
    def in_force(self) -> bool:
        """Whether a change is refused."""
        return self.identity is not None and not self.unlocked


Stack = Mapping[str, Locked]
"""What is locked, by `RESOURCE`."""
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


def known(lock: Lock) -> Callable[[templates.Place], bool]:
    """Which roles and keys of a run are known to be Pinecone's: for `templates.find`."""

    def is_known(place: templates.Place) -> bool:
        stacks = [lock[one] for one in stacks_at(lock, Place.of_top(place.stack.top))]
        locked = [stack[place.path] for stack in stacks if place.path in stack]
        return any(one.identity is not None for one in locked)

    return is_known
