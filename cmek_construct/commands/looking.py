"""Looks at one stack of cmek.yaml: which role and key it is, what they are, what it gives out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final, TypeVar

from cmek_construct.aws import reading
from cmek_construct.aws.objects import Key, Stack, Unread
from cmek_construct.aws.session import Asking, Session
from cmek_construct.checks import printable
from cmek_construct.customers import Customers
from cmek_construct.deployment.reading import Entry
from cmek_construct.health.deployed import (
    Deployed,
    LockedIdentity,
    checked_outputs,
    deployed_customers,
    identities,
    locked_identity,
    own_outputs,
)
from cmek_construct.health.findings import Refused
from cmek_construct.health.role_and_key import alias_of_file
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


def case_of(session: Session, entry: Entry, lock: LockedIdentity, profile: str | None = None) -> Deployed:
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
            f"{entry.name}: which role and key it is, neither the stack's outputs say ({why}) nor "
            f"cmek.lock. `cmek doctor {entry.name}` says what to do."
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


def outputs_of(entry: Entry, file: Path | None, asking: Asking) -> tuple[dict[str, str], Customers | None]:
    """The outputs of one stack; of a vendor's, its deployed customers too, where AWS is asked.

    Credentials of another account are enough if they may assume the lookup role that `cdk bootstrap --trust` made in
    the account of the stack.

    Args:
        entry: of the stack.
        file: that `cdk deploy --outputs-file` wrote. Default: CloudFormation is asked.
        asking: with which credentials.

    Raises:
        AwsError: AWS cannot be asked.
        LockError: the stack is not there, and what is locked of it cannot be told.
        Refused: the stack is not there, or is not whole; the file or the stack in it is missing.
    """
    if file is not None:
        return checked_outputs(entry, _in_file(entry, file)), None
    own = entry.settings
    session = asking.reading(own.account, own.region or "", entry.name)
    stack = reading.read_stack(session, entry.name)
    if isinstance(stack, Unread):
        raise Refused(f"{entry.name}: {stack.why}. Choose --profile, or give --outputs.")
    if stack is None or stack.is_empty:
        what = f"the stack came to nothing ({stack.status})" if stack else "there is no such stack"
        command = locked(entry).way_back(entry, stack, asking.profile) or f"npx cdk deploy {entry.name}"
        raise Refused(f"{entry.name}: {what} in account {own.account}, {own.region}. Run `{command}` first.")
    if not stack.is_whole:
        raise Refused(
            f"{entry.name}: the stack is in {stack.status}, so its role and key may not last. Wait "
            "for the deploy to end, or mend it and deploy again."
        )
    outputs = checked_outputs(entry, dict(stack.outputs))
    if own.customers is None:
        return outputs, None
    return outputs, deployed_customers(entry, reading.read_template(session, entry.name))


def _in_file(entry: Entry, file: Path) -> Any:
    instead = f"`npx cdk deploy {entry.name} --outputs-file {file}` writes it."
    if locked(entry).way_back(entry, None):
        instead = "Leave --outputs out, and AWS is asked."
    try:
        return json_in(file, instead)[entry.name]
    except KeyError:
        raise Refused(f"{entry.name}: {file} has no such stack. {instead}") from None


def json_in(file: Path, instead: str) -> dict[str, Any]:
    """The JSON object in a file that a command printed or wrote.

    Args:
        file: of a person's.
        instead: what makes such a file, or what to do without one.

    Raises:
        Refused: it cannot be read, or is none.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Refused(f"{printable(file)}: cannot be read: {error.strerror}. {instead}") from None
    return json_of(content, file, instead)


def json_of(content: str | bytes, place: Path, instead: str) -> dict[str, Any]:
    """A JSON object; PowerShell writes files in UTF-16, which `json` knows by its first bytes."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Refused(f"{printable(place)}: cannot be read as JSON: {error}. {instead}") from None
    if not isinstance(found, dict):
        raise Refused(f"{printable(place)}: is no JSON object. {instead}")
    return found
