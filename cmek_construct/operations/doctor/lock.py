"""What `cmek.lock` holds of one stack: which role and key Pinecone stores."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cmek_construct.deployment.reading import Entry
from cmek_construct.lock.model import ROLE, Place, stacks_at
from cmek_construct.lock.text import FILE, read

LOCK: Final = Path(FILE)


@dataclass(frozen=True)
class LockedIdentity:
    """The role and the key of a stack, as far as they are locked and were deployed."""

    role_arn: str | None = None
    role_id: str | None = None
    key_arn: str | None = None

    def way_back(self, entry: Entry, profile: str | None) -> str | None:
        """The command that takes role and key back when their stack is gone.

        What is not known of them stands in it as the README writes it, ROLE-ARN or KEY-ARN.

        Args:
            entry: of the stack.
            profile: the AWS profile that was asked with.

        Returns:
            The command; None where nothing is locked, so that a deploy makes no second role or key.
        """
        if self == LockedIdentity():
            return None
        own = entry.settings
        role, key = own.role or self.role_arn, own.key or self.key_arn
        command = ["cmek", "adopt", entry.name, "--role-arn", role or "ROLE-ARN"]
        if own.customers is None:
            command += ["--key-arn", key or "KEY-ARN"]
        if (own.role and f"::{own.account}:" not in own.role) or (
            own.key and f":{own.region}:{own.account}:" not in own.key
        ):
            # `cmek adopt` takes nothing of two accounts or regions.
            command = ["npx", "cdk", "import", entry.name]
        return shlex.join([*command, "--profile", profile] if profile else command)


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
