"""Looks at one stack of cmek.yaml: which role and key it is, what it gives out, and what files say of it."""

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from cmek_construct.aws import reading
from cmek_construct.aws.objects import Stack, Unread
from cmek_construct.aws.session import Asking, Session
from cmek_construct.checks import printable
from cmek_construct.customers import Customers
from cmek_construct.deployment.reading import Entry, read_entries
from cmek_construct.deployment.writing import FILE as CMEK_YAML
from cmek_construct.health import deployed
from cmek_construct.health.deployed import Deployed, LockedIdentity, about_stack
from cmek_construct.health.findings import Refused
from cmek_construct.lock.text import FILE, LockError, read

LOCK: Final = Path(FILE)
entries_here: Final = partial(read_entries, CMEK_YAML)
T = TypeVar("T")
R = TypeVar("R")


def side_by_side(look: Callable[[T], R], several: Iterable[T]) -> list[R]:
    """Look at several, ten at a time; after Ctrl-C nobody waits for those under way."""
    pool = ThreadPoolExecutor(10)
    try:
        return list(pool.map(look, several))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def known(found: T | Unread | None, what: str, gone: str, actions: str = "read it") -> T:
    """What AWS shows; refused where it is gone, as ``gone`` says, or was not read, which is no basis for anything."""
    if found is None:
        raise Refused(gone)
    if isinstance(found, Unread):
        cure = f"Ask again with credentials that may {actions} (--profile)."
        raise Refused(f"not read: {what} ({found.why}), and nothing goes on without it. {cure}")
    return found


def locked(entry: Entry, damaged: LockedIdentity | None = None) -> LockedIdentity:
    """What the lock in this folder holds of a stack, if there is one; of a lock that cannot be used, ``damaged``."""
    try:
        return deployed.locked_identity(read(LOCK), entry)
    except LockError:
        if damaged is None:
            raise
        return damaged


def look(
    entry: Entry, asking: Asking, lock: LockedIdentity | None = None, *, writes: bool = False
) -> tuple[Deployed, Session]:
    """A stack in whatever state it is, and a session of somebody who may read there, or write; or an `AwsError`.

    Which role and key it is, may not be known (`is_known`). A lock that was not read before is read here.
    """
    session = asking.of_stack(entry.settings.account, entry.settings.region or "", entry.name, writes=writes)
    return Deployed.of(entry, lock or locked(entry), reading.read_stack(session, entry.name), asking.profile), session


def is_known(case: Deployed) -> bool:
    """Whether role and key are known, by the file, the stack's outputs, or the lock."""
    return bool(case.role_arn) and (case.key_arn is not None or case.entry.settings.customers is not None)


def refuse_unknown(case: Deployed) -> None:
    """Go on only where it is known which role and key it is."""
    if not is_known(case):
        stack = about_stack(case, case.way_back).words
        why = f"which role and key it is, neither the stack's outputs say ({stack}) nor cmek.lock"
        raise Refused(f"{case.name}: {why}. `cmek doctor {case.name}` says what to do.")


def outputs_of(entry: Entry, file: Path | None, asking: Asking) -> tuple[dict[str, str], Customers | None]:
    """The outputs of one stack, in the file of `cdk deploy --outputs-file` or in AWS, if it is there and whole.

    Of a vendor's its deployed customers, too, where AWS is asked.
    """
    own = entry.settings
    if file is not None:
        instead = f"`npx cdk deploy {entry.name} --outputs-file {file}` writes it."
        if Deployed.of(entry, locked(entry)).way_back:
            instead = "Leave --outputs out, and AWS is asked."
        in_file = json_in(file, instead)
        if entry.name not in in_file:
            raise Refused(f"{entry.name}: {file} has no such stack. {instead}")
        return deployed.checked_outputs(entry, in_file[entry.name]), None
    case, session = look(entry, asking, LockedIdentity())
    stack = case.stack
    if not (isinstance(stack, Stack) and stack.is_whole):
        case = replace(case, lock=locked(entry))
        found = about_stack(case, case.way_back)
        instead = "\nOr give --outputs." if isinstance(stack, Unread) else ""
        raise Refused(f"{entry.name} (account {own.account}, {own.region}): {found.words}.\n{found.cure}{instead}")
    outputs = deployed.checked_outputs(entry, dict(stack.outputs))
    if own.customers is None:
        return outputs, None
    case = replace(case, template=reading.read_template(session, entry.name))
    return outputs, deployed.deployed_customers(case)


def json_in(file: Path, instead: str, text: str | None = None) -> dict[str, Any]:
    """The JSON object in a file that a command wrote, or in a text in it; ``instead`` says which command, or what else.

    PowerShell writes files in UTF-16, which `json` knows by its first bytes.
    """
    try:
        found = json.loads(file.read_bytes() if text is None else text)
    except OSError as error:
        raise Refused(f"{printable(file)}: cannot be read: {error.strerror}. {instead}") from None
    except (ValueError, RecursionError) as error:
        raise Refused(f"{printable(file)}: cannot be read as JSON: {error}. {instead}") from None
    if not isinstance(found, dict):
        raise Refused(f"{printable(file)}: is no JSON object. {instead}")
    return found
