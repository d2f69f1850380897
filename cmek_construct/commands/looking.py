"""Looks at one stack of cmek.yaml: which role and key it is, and what they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Final, TypeVar

from cmek_construct.aws import reading
from cmek_construct.aws.objects import Key, Stack, Unread
from cmek_construct.aws.session import Session
from cmek_construct.deployment.reading import Entry
from cmek_construct.health.deployed import (
    Deployed,
    LockedIdentity,
    identities,
    locked_identity,
    own_outputs,
)
from cmek_construct.health.findings import Refused
from cmek_construct.health.key import alias_of_file
from cmek_construct.lock.text import FILE, read
from cmek_construct.templates.attributes import ALIAS

LOCK: Final = Path(FILE)
_AT_A_TIME: Final = 10
T = TypeVar("T")
R = TypeVar("R")


def side_by_side(look: Callable[[T], R], several: Iterable[T]) -> list[R]:
    """Look at several, some at a time; after Ctrl-C nobody waits for those under way."""
    pool = ThreadPoolExecutor(_AT_A_TIME)
    try:
        return list(pool.map(look, several))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def locked(entry: Entry) -> LockedIdentity:
    """What the lock in this folder holds of a stack: nothing, where there is no lock.

    Raises:
        LockError: there is a lock, and it cannot be used.
    """
    return locked_identity(read(LOCK), entry)


def case_of(
    session: Session, entry: Entry, lock: LockedIdentity, profile: str | None = None
) -> Deployed:
    """The role and the key of a stack, whatever state it is in; not yet what they are.

    Raises:
        Refused: it is not known which they are.
    """
    stack = reading.read_stack(session, entry.name)
    role_arn, key_arn = identities(entry, own_outputs(entry, stack), lock)
    if role_arn is None or (key_arn is None and entry.settings.customers is None):
        why = "there is no such stack"
        if stack is not None:
            why = stack.why if isinstance(stack, Unread) else stack.status
        raise Refused(
            f"which role and key it is, neither the stack's outputs say ({why}) nor cmek.lock"
        )
    now = datetime.now(timezone.utc)
    return Deployed(entry, role_arn, key_arn, lock, now, stack, profile=profile)


def with_all(session: Session, case: Deployed, *, last_use: bool) -> Deployed:
    """The case with all that AWS shows of its stack, role and key."""
    role, key = reading.read_role(session, case.role_arn), None
    if case.key_arn is not None:
        key = reading.read_key(session, case.key_arn, last_use=last_use)
    template: str | Unread = Unread("there is no such stack")
    if isinstance(case.stack, Stack):
        template = reading.read_template(session, case.entry.name)
    seen = replace(case, role=role, key=key, template=template, alias=_alias(session, case))
    wanted = alias_of_file(seen)
    if not isinstance(key, Key) or not isinstance(wanted, str):
        return seen
    return replace(seen, alias_target=reading.read_key_arn(session, wanted))


def _alias(session: Session, case: Deployed) -> str | Unread | None:
    """The alias that the stack made."""
    if case.key_arn is None or case.entry.settings.key is not None:
        return None
    found = reading.read_resources(session, case.entry.name)
    if found is None or isinstance(found, Unread):
        return found
    return next((one.physical_id for one in found if one.type == ALIAS), None)
