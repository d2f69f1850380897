"""What `cmek.lock` holds of one stack: which role and key Pinecone stores."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cmek_construct.deployment.reading import Entry
from cmek_construct.lock.identity import ROLE
from cmek_construct.lock.model import Place, stacks_at
from cmek_construct.lock.reading import FILE, read

LOCK: Final = Path(FILE)


@dataclass(frozen=True)
class LockedIdentity:
    """The role and the key of a stack, as far as they are locked and were deployed."""

    role_arn: str | None = None
    role_id: str | None = None
    key_arn: str | None = None


def locked_identity(entry: Entry) -> LockedIdentity:
    """What the lock in this folder holds of a stack: nothing, where there is no lock.

    Raises:
        LockError: there is a lock, and it cannot be used.
    """
    lock = read(LOCK)
    own = entry.settings
    places = stacks_at(lock, Place.of(entry.name, own.account, own.region or ""))
    roles: dict[str, str | None] = {}
    keys: dict[str, str | None] = {}
    for one in (one for place in places for one in lock[place].values() if one.in_force):
        assert one.identity is not None
        kind = roles if one.identity.type == ROLE else keys
        if "Arn" in one.deployed:
            kind[one.deployed["Arn"]] = one.deployed.get("RoleId")
    role_arn = next(iter(roles), None)
    return LockedIdentity(role_arn, roles.get(role_arn or ""), next(iter(keys), None))
