"""`cmek retire`: the end of a key, in the order that loses nothing, and the way back until then.

Nothing is remembered between two runs: each looks at everything anew. So it does not matter where
one was stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cmek_construct.checks import printable
from cmek_construct.deployment.reading import Entry, read_entries
from cmek_construct.operations.deployed import NotDeployedError, reading_session
from cmek_construct.operations.doctor.key import is_ending
from cmek_construct.operations.doctor.source import Key, Unread, client
from cmek_construct.operations.doctor.suspension import is_suspended
from cmek_construct.operations.doctor.words import Case
from cmek_construct.operations.retiring.steps import WINDOW, Looked, ends, is_done, look
from cmek_construct.operations.retiring.words import afterwards, checklist
from cmek_construct.operations.suspending.account import case_of, writing_session
from cmek_construct.operations.suspending.brake import BrakeError
from cmek_construct.operations.writing import FILE


class RetireError(Exception):
    """It is refused, or AWS did not do it. The message says why, and the way out."""


@dataclass(frozen=True)
class Ask:
    """What was asked for, and with which credentials."""

    name: str
    days: int = 7
    quiet_since: datetime | None = None
    profile: str | None = None
    role: str | None = None


def show(ask: Ask) -> Iterator[str]:
    """The checklist: what is done, and what is next.

    Raises:
        ConfigError: cmek.yaml has mistakes, or no such stack.
        RetireError: something is wrong, or could not be read.
    """
    case, _, looked = _look(ask, writes=ask.role is not None)
    yield from checklist(case, looked)
    if any(step.fails for step in looked.steps):
        raise RetireError("Not all of it is right, or could be read.")


def schedule(ask: Ask, typed: Callable[[str], str]) -> Iterator[str]:
    """Order the deletion of the key, if all before it is done.

    Args:
        ask: for which stack.
        typed: asks a person, and gives what was typed.

    Raises:
        ConfigError: cmek.yaml has mistakes, or no such stack.
        RetireError: something before it is not done, or not confirmed, or AWS refused.
    """
    case, session, looked = _look(ask, writes=True)
    yield from checklist(case, looked)
    if is_done(looked.steps[-1]):
        return
    _refuse_another_order(looked)
    _confirm(case, typed)
    refused = _call(case, session, "schedule_key_deletion", PendingWindowInDays=WINDOW)
    after = _described(case, session)
    if not is_ending(after):
        raise refused or RetireError("The deletion was ordered, but the key reads as before.")
    yield ""
    yield f"Done: the deletion of {case.key_arn} is {ends(after)}."
    yield from afterwards(case, after)


def cancel(ask: Ask) -> Iterator[str]:
    """Take the order back, and leave the key enabled, and suspended if it was.

    Raises:
        ConfigError: cmek.yaml has mistakes, or no such stack.
        RetireError: the key is gone or disabled for another reason, or AWS refused.
    """
    case, session = _case(ask, _entry(ask), writes=True)
    was_ending = is_ending(_described(case, session))
    refused = _call(case, session, "cancel_key_deletion") if was_ending else None
    after = _described(case, session)
    if is_ending(after):
        raise refused or RetireError("The order was taken back, but the key reads as before.")
    suspended = _is_suspended(case, session)
    if after["KeyState"] == "Disabled":
        if not was_ending and not suspended:
            raise RetireError(
                "No deletion is ordered. The key is disabled and not suspended, so that was done "
                f"for another reason. To enable it: {case.kms('enable-key')}"
            )
        refused = _call(case, session, "enable_key")
        if _described(case, session)["KeyState"] != "Enabled":
            raise refused or RetireError("The key was enabled, but reads as before.")
    yield (
        f"{'Taken back' if was_ending else 'Nothing to take back'}: no deletion of the key is "
        f"ordered, and {case.key_arn} is enabled."
    )
    yield (
        f"It is still suspended. To let Pinecone back in: cmek resume {case.entry.name}"
        if suspended
        else f"It is NOT suspended. To see how it stands: cmek doctor {case.entry.name}"
    )


def _look(ask: Ask, *, writes: bool) -> tuple[Case, Any, Looked]:
    entry = _entry(ask)
    if entry.settings.key is not None:
        raise RetireError(
            f"{entry.name}: its key is given by ARN, so it was not made here, and may encrypt more "
            "than this project. Retire it where it was made; the guide's steps are the same."
        )
    case, session = _case(ask, entry, writes=writes)
    if case.lock.key_arn not in (None, case.key_arn):
        raise RetireError(
            f"{entry.name}: the stack's key is {case.key_arn}, but cmek.lock has "
            f"{case.lock.key_arn}, which Pinecone stores. Find out which is right before either is "
            f"deleted: cmek doctor {entry.name}"
        )
    return case, session, look(case, session, ask.days, ask.quiet_since)


def _entry(ask: Ask) -> Entry:
    (entry,) = read_entries(FILE, only=ask.name)
    if entry.settings.customers is not None:
        raise RetireError(
            f"{entry.name}: a vendor's stack has no key: the keys are its customers', and theirs "
            "to retire. When a customer leaves, take it out of customer_account_ids or "
            f"customer_key_arns, and run: npx cdk deploy {entry.name}"
        )
    return entry


def _case(ask: Ask, entry: Entry, *, writes: bool) -> tuple[Case, Any]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        session = (
            writing_session(entry, ask.profile, ask.role)
            if writes
            else reading_session(entry, ask.profile)
        )
        return case_of(entry, session, ask.profile)[0], session
    except (BrakeError, NotDeployedError, BotoCoreError, ClientError) as error:
        words = printable(error).removeprefix(f"{entry.name}: ").rstrip(".")
        raise RetireError(f"{entry.name}: {words}. Choose --profile, or --role.") from None


def _refuse_another_order(looked: Looked) -> None:
    first = looked.next
    if first is not None and (first is not looked.steps[-1] or first.fails):
        raise RetireError(f"Refused. First, step {looked.number(first)}: {first.words}.")


def _confirm(case: Case, typed: Callable[[str], str]) -> None:
    name = case.entry.name
    end = f"{case.now + timedelta(days=WINDOW):%Y-%m-%d}"
    for question in (
        f"At Pinecone, in the project of {name}: all indexes are deleted, and then the key, in "
        f"Manage > CMEK. If so, type {name}",
        f"From {end} on, nobody can ever read again what {case.key_arn} has encrypted, AWS "
        f"included. To order that, type {name}",
    ):
        answer = typed(question)
        if answer != name:
            raise RetireError(f"Typed {answer!a}, not {name}: nothing was changed.")


def _described(case: Case, session: Any) -> Any:
    found = Key(session, case.key_arn or "").described
    if found is None:
        raise RetireError(f"KMS knows no key {case.key_arn}: it is deleted, for good.")
    if isinstance(found, Unread):
        raise RetireError(
            f"The key cannot be read ({found.why}): it needs kms:DescribeKey. Choose --profile, or "
            "--role, and run the same again."
        )
    return found


def _is_suspended(case: Case, session: Any) -> bool:
    policy = Key(session, case.key_arn or "").policy()
    return not isinstance(policy, Unread) and is_suspended(case, policy)


def _call(case: Case, session: Any, operation: str, **more: Any) -> RetireError | None:
    """Call KMS; what it refuses counts only if the key is not so already."""
    from botocore.exceptions import BotoCoreError, ClientError

    kms = client(session, "kms")
    try:
        getattr(kms, operation)(KeyId=case.key_arn, **more)
    except (ClientError, BotoCoreError) as error:
        return RetireError(
            f"AWS refused: {printable(error)}. Run the same again, with credentials that may "
            f"kms:{''.join(word.title() for word in operation.split('_'))} (--profile, --role)."
        )
    return None
