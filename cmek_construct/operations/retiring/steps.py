"""The steps of a retirement, each looked at: done, not yet, wrong, or not to be known from here.

They are "Delete a key" of Pinecone's guide, and after it what keeps a mistake from being final.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from cmek_construct.checks import printable
from cmek_construct.operations.doctor import key as doctor_key
from cmek_construct.operations.doctor import role as doctor_role
from cmek_construct.operations.doctor.source import Key, Unread
from cmek_construct.operations.doctor.words import Case, not_read, right, said
from cmek_construct.operations.findings import Finding, Verdict
from cmek_construct.operations.project import pinecone_sdk
from cmek_construct.operations.project.pinecone_sdk import PineconeRefusal
from cmek_construct.operations.retiring.quiet import Quiet, quiet

WINDOW: Final = 30
"""Days from the order to delete a key to its end: the longest that KMS has."""
_SHOWN: Final = 10
_IN_CONSOLE: Final = (
    "In Pinecone's console, in that project: Manage > CMEK, the key's … menu > Delete. Pinecone "
    "deletes it only when all indexes are"
)


@dataclass(frozen=True)
class Looked:
    """What was found at each step, in their order; and the key, as KMS shows it."""

    steps: Sequence[Finding]
    key: Any

    @property
    def next(self) -> Finding | None:
        """The first that is to be done, of those that can be known; an alarm goes before all."""
        alarm = self.steps[-1]
        if alarm.fails:
            return alarm
        return next((one for one in self.steps if not is_done(one) and not one.elsewhere), None)

    def number(self, step: Finding) -> int:
        """Of a step, beginning with 1."""
        return self.steps.index(step) + 1


def is_done(step: Finding) -> bool:
    """Whether a step is done."""
    return step.verdict is Verdict.RIGHT


def look(case: Case, session: Any, days: int, quiet_since: datetime | None) -> Looked:
    """Look at each step, and change nothing.

    Args:
        case: the stack.
        session: of somebody who may read.
        days: how long nobody must have used the key.
        quiet_since: since when that is so, as the person says.
    """
    assert case.key_arn is not None
    key = Key(session, case.key_arn)
    indexes = _indexes()
    suspended = _suspended(case, key)
    counts = is_done(suspended) and key.described is not None
    found = quiet(case, session, key, quiet_since) if counts else None
    cooled = _cooled(case, key, found, days)
    before = [indexes, _deleted_at_pinecone(), suspended, cooled]
    return Looked([*before, _deletion(case, key.described, before, found, days)], key.described)


def _indexes() -> Finding:
    if not os.environ.get(pinecone_sdk.API_KEY, "").strip():
        return Finding(
            "indexes",
            Verdict.UNKNOWN,
            f"Indexes of the project: not known, for {pinecone_sdk.API_KEY} is not set",
            "Set it to an API key of the project, and they are looked for",
            elsewhere=True,
        )
    try:
        names = pinecone_sdk.indexes()
    except PineconeRefusal as error:
        return Finding("indexes", Verdict.UNKNOWN, f"Indexes of the project: {error}".rstrip("."))
    if not names:
        return right(
            "indexes",
            f"Indexes: there are none in the project of {pinecone_sdk.API_KEY}. Which project that "
            "is, Pinecone does not tell: see that it is the right one",
        )
    shown = ", ".join(map(printable, names[:_SHOWN]))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return replace(
        said("indexes", f"Indexes are left ({len(names)}): {shown}{more}"),
        cure="Save what is still needed of them, and delete all of them in Pinecone",
    )


def _deleted_at_pinecone() -> Finding:
    return Finding(
        "deleted-at-pinecone",
        Verdict.UNKNOWN,
        "Key deleted at Pinecone: not to be known from here; it is asked before the last step. "
        + _IN_CONSOLE,
        elsewhere=True,
    )


def _suspended(case: Case, key: Key) -> Finding:
    if key.described is None:
        return right("suspended", "Suspended: the key is gone")
    found = doctor_role.about_brake(case, Unread("not looked at"), key.policy())
    if found.verdict is Verdict.RIGHT:
        cure = f'cmek suspend {case.entry.name} --reason "retirement"'
        return replace(said("suspended", "Suspended: not yet"), cure=cure)
    words = f"Suspended: {found.words.removeprefix('SUSPENDED on purpose: ')}"
    verdict = Verdict.RIGHT if found.verdict is Verdict.SAID else found.verdict
    return replace(found, verdict=verdict, words=words)


def _cooled(case: Case, key: Key, found: Quiet | None, days: int) -> Finding:
    title = f"{days} days without use"
    if key.described is None:
        return right("quiet", f"{title}: the key is gone")
    again = f"cmek retire {case.entry.name} --quiet-since YYYY-MM-DD, once you have looked yourself"
    if found is None:
        return said("quiet", f"{title}: they begin with the suspension")
    if found.since is None:
        if found.unread:
            return Finding("quiet", Verdict.UNKNOWN, f"{title}: not known: {found.why}", again)
        later = f"Wait, and look again; if it was suspended more than 90 days ago: {again}"
        return replace(said("quiet", f"{title}: not yet. {found.why}"), cure=later)
    end = found.since + timedelta(days=days)
    words = f"quiet since {_at(found.since)} ({found.why})"
    if end <= case.now:
        return right("quiet", f"{title}: {words}")
    wait = f"Wait until {_at(end)}, and run cmek retire {case.entry.name} again"
    return replace(said("quiet", f"{title}: not yet, {words}"), cure=wait)


def _deletion(
    case: Case, key: Any, before: Sequence[Finding], found: Quiet | None, days: int
) -> Finding:
    title, name = "Deletion of the key", case.entry.name
    if isinstance(key, Unread):
        return not_read("deletion", "the key", key, "kms:DescribeKey")
    if key is not None and not doctor_key.is_ending(key):
        order = f"cmek retire {name} --schedule-deletion"
        return replace(said("deletion", f"{title}: not ordered yet"), cure=order)
    early = list(_too_early(case, before, found, days))
    if early:
        cure = "Find out with Pinecone and AWS Support what is lost"
        return Finding(
            "deletion",
            Verdict.WRONG,
            f"{title}: {'IT IS DELETED' if key is None else ends(key)}, but {'; '.join(early)}",
            cure if key is None else f"Take it back NOW: cmek retire {name} --cancel",
        )
    return right("deletion", f"{title}: {'it is deleted' if key is None else ends(key)}")


def _too_early(
    case: Case, before: Sequence[Finding], found: Quiet | None, days: int
) -> Iterator[str]:
    indexes, _, suspended, _ = before
    if indexes.verdict is Verdict.SAID:
        yield "there are indexes left, whose data goes with it"
    if suspended.verdict in (Verdict.SAID, Verdict.WRONG):
        yield "it was not suspended before"
    if found and found.asked_at and found.asked_at > case.now - timedelta(days=days):
        yield f"somebody still asks for it (the last time at {_at(found.asked_at)})"


def ends(key: Any) -> str:
    """When a key ends whose deletion is ordered."""
    when = key.get("DeletionDate")
    return f"ordered for {_at(when)}" if when else "ordered for when its last replica is deleted"


def _at(when: datetime) -> str:
    return f"{when.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC"
