"""Looks at one stack of cmek.yaml: which role and key it is, what it gives out, and what files say of it."""

import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from cmek_construct.aws import reading
from cmek_construct.aws.objects import Stack, Unread
from cmek_construct.aws.session import Asking, Session
from cmek_construct.checks import printable
from cmek_construct.commands.printing import refused, text
from cmek_construct.customers import Customers
from cmek_construct.deployment.reading import Entry, read_entries
from cmek_construct.deployment.writing import FILE as CMEK_YAML
from cmek_construct.health.comparing import customers_in
from cmek_construct.health.deployed import EXTERNAL_ID, KEY_ARN, Deployed, LockedIdentity, about_stack, wrong_outputs
from cmek_construct.health.findings import Refused
from cmek_construct.lock.text import FILE, Place, read, stacks_at
from cmek_construct.templates.reading import members
from cmek_construct.templates.stacks import ROLE

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


def locked(entry: Entry) -> LockedIdentity:
    """What the lock in this folder holds of a stack, if there is one; or a `LockError`."""
    lock, here = read(Path(FILE)), Place.of(entry.name, entry.account, entry.region or "")
    places = stacks_at(lock, here)
    found = [one for place in places for one in lock[place].values() if not one.unlocked and "Arn" in one.deployed]
    role = next((one.deployed for one in found if one.type == ROLE), {})
    key = next((one.deployed for one in found if one.type != ROLE), {})
    others = [one for one in lock if one.stack == entry.name and one not in places and not one.may_be(here)]
    elsewhere = tuple(f"{one.account}, {one.region}" for one in others)
    return LockedIdentity(role.get("Arn"), role.get("RoleId"), key.get("Arn"), elsewhere)


def look(
    entry: Entry, asking: Asking, lock: LockedIdentity | None = None, *, writes: bool = False
) -> tuple[Deployed, Session]:
    """A stack in whatever state it is, and a session of somebody who may read there, or write; or an `AwsError`."""
    # Which role and key it is, may not be known (`is_known`). A lock that was not read before is read here.
    session = asking.of_stack(entry.account, entry.region or "", entry.name, writes=writes)
    return Deployed.of(entry, lock or locked(entry), reading.read_stack(session, entry.name), asking.profile), session


def is_known(case: Deployed) -> bool:
    """Whether role and key are known, by the file, the stack's outputs, or the lock."""
    return bool(case.role_arn) and (case.key_arn is not None or case.entry.customers is not None)


def refuse_unknown(case: Deployed) -> None:
    """Go on only where it is known which role and key it is."""
    if not is_known(case):
        raise refused("looking.j2", "not_known", case=case, stack=about_stack(case))


def outputs_of(entry: Entry, file: Path | None, asking: Asking) -> tuple[Mapping[str, Any], Customers | None]:
    """The outputs of this very stack, in the file of `cdk deploy --outputs-file` or AWS: what Pinecone stores stays."""
    if file is not None:
        is_gone = bool(Deployed.of(entry, locked(entry)).way_back)
        instead = text("looking.j2", "instead", name=entry.name, file=file, is_gone=is_gone)
        in_file = json_in(file, instead)
        if entry.name not in in_file:
            raise Refused(f"{entry.name}: {file} has no such stack. {instead}")
        found: Mapping[str, Any] = members(in_file[entry.name])
    else:
        case, session = look(entry, asking, LockedIdentity())
        if not (isinstance(case.stack, Stack) and case.stack.state == "whole"):
            case = replace(case, lock=locked(entry))
            is_unread = isinstance(case.stack, Unread)
            raise refused("looking.j2", "no_outputs", case=case, stack=about_stack(case), is_unread=is_unread)
        found = case.stack.outputs
    for name, words in wrong_outputs(found, "this stack", entry.account, entry.region, (entry.role, entry.key)).items():
        if name != KEY_ARN or not entry.customers:
            raise refused("looking.j2", "wrong_output", name=entry.name, words=words)
    if (its_id := found.get(EXTERNAL_ID)) != entry.external_id:
        raise refused("looking.j2", "another_id", entry=entry, its_id=its_id)
    if entry.customers is None or file is not None:
        return found, None
    case = replace(case, template=reading.read_template(session, entry.name))
    if "permissions" not in case.written:
        why = case.template.why if isinstance(case.template, Unread) else "it is no template of a role"
        raise refused("looking.j2", "no_customers", name=case.name, why=why)
    return found, customers_in(case.written["permissions"])  # of a vendor's its deployed customers, where AWS is asked


def json_in(file: Path, instead: str, within: str | None = None) -> dict[str, Any]:
    """The JSON object in a file that a command wrote, or in a text in it; ``instead`` says which, or what else."""
    try:  # PowerShell writes files in UTF-16, which `json` knows by its first bytes
        found = json.loads(file.read_bytes() if within is None else within)
        if isinstance(found, dict):
            return found
        why = "is no JSON object"
    except OSError as error:
        why = f"cannot be read: {error.strerror}"
    except (ValueError, RecursionError) as error:
        why = f"cannot be read as JSON: {error}"
    raise Refused(f"{printable(file)}: {why}. {instead}")
