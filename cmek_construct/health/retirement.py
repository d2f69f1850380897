"""The steps of a retirement, each looked at: done, not yet, wrong, or not to be known from here.

They are "Delete a key" of Pinecone's guide, and after it what keeps a mistake from being final.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from cmek_construct.aws.objects import Event, Key, LastUse, Role, Unread
from cmek_construct.checks import few, printable
from cmek_construct.health.deployed import Deployed, at
from cmek_construct.health.doctor import about_brake, who_used
from cmek_construct.health.findings import Finding, Rows, Verdict

WINDOW: Final = 30  # days from the order to delete a key to its end: the longest that KMS has
Seen: TypeAlias = tuple[datetime, str]  # when the key was used, or somebody asked for it, and how that is known
USE: Final = ("Decrypt", "Encrypt", "GenerateDataKey", "ReEncrypt")  # how the names of the calls begin that use a key
_ROWS: Final = Rows("retirement.ini")


def next_of(found: Sequence[Finding]) -> Finding | None:
    """The first step that is to be done, of those that can be known; an alarm of the last goes before all."""
    if found[-1].fails:
        return found[-1]
    return next((one for one in found if one.verdict is not Verdict.RIGHT and not one.elsewhere), None)


def ends(key: Key) -> str:
    when = key.metadata.get("DeletionDate")
    return f"ordered for {at(when)}" if when else "ordered for when its last replica is deleted"


def steps(
    case: Deployed,
    indexes: Collection[str] | Unread | None,
    attempt: Event | Unread | None,
    days: int,
    quiet_since: datetime | None,
    changes: Sequence[Event] | Unread,
) -> list[Finding]:
    """What was found at each step, in their order.

    Of the project's ``indexes`` None says that nobody was asked. ``attempt`` is the last call that asked for the key,
    refused or not, and ``changes`` are those that put the key policy, the newest first, by CloudTrail. Nobody must have
    used the key for so many ``days``, and has not ``quiet_since``, as the person says.
    """
    of_indexes, suspended, (seen, unread) = _indexes(indexes), _suspended(case), _seen(case, attempt)
    quiet = _ROWS.finding("quiet.not-suspended" if case.key else "quiet.key-gone", days=days)
    if isinstance(case.key, Key) and suspended.verdict is Verdict.RIGHT:
        told = [(quiet_since, "as you say")] if quiet_since else []
        quiet = _quiet(case, case.key, [*seen, *told], [] if told else unread, days, changes)
    early = []
    if of_indexes.verdict is Verdict.SAID:
        early.append("there are indexes left, whose data goes with it")
    if suspended.verdict in (Verdict.SAID, Verdict.WRONG):
        early.append("it was not suspended before")
    if isinstance(case.key, Key) and seen and max(seen)[0] > case.now - timedelta(days=days):
        early.append(f"somebody still asks for it (the last time at {at(max(seen)[0])})")
    return [of_indexes, _ROWS.finding("deleted-at-pinecone"), suspended, quiet, _deletion(case, early)]


def _indexes(found: Collection[str] | Unread | None) -> Finding:
    if found is None:
        return _ROWS.finding("indexes.not-asked")
    if isinstance(found, Unread):
        return _ROWS.finding("indexes.not-read", why=found.why.rstrip("."))
    return _ROWS.finding("indexes.left" if found else "indexes", number=len(found), names=few([*found]))


def _suspended(case: Deployed) -> Finding:
    if case.key is None:
        return _ROWS.finding("suspended.key-gone")
    found = about_brake(case)
    if found.verdict in (Verdict.WRONG, Verdict.UNKNOWN):
        return replace(found, words=f"Suspended: {found.words}")
    return _ROWS.finding("suspended" if found.verdict is Verdict.SAID else "suspended.not-yet", case=case)


def _seen(case: Deployed, attempt: Event | Unread | None) -> tuple[list[Seen], list[str]]:
    """When somebody used the key, or asked for it; and what of that could not be read."""
    role, use, seen = case.role, case.key.last_use if isinstance(case.key, Key) else None, list[Seen]()
    if isinstance(role, Role) and role.last_used:
        seen.append((role.last_used, "by IAM, the role was used then: Pinecone still asks"))
    if isinstance(use, LastUse) and use.when:
        seen.append((use.when, f"by KMS, the key was used then ({printable(use.operation)})"))
    if isinstance(attempt, Event):
        seen.append((attempt.when, f"{who_used(case, attempt)} asked for {printable(attempt.name)} then"))
    not_asked = Unread("it was not asked", "kms:GetKeyLastUsage")
    sources = {"unread.role": role, "unread.key": use or not_asked, "unread.attempt": attempt}
    return seen, [_ROWS.text(row, unread=one) for row, one in sources.items() if isinstance(one, Unread)]


def _quiet(
    case: Deployed, key: Key, seen: list[Seen], unread: list[str], days: int, changes: Sequence[Event] | Unread
) -> Finding:
    """Since when nobody has used the key: the newest of what is seen counts, never what could not be."""
    if unread:
        return _ROWS.finding("quiet.not-known", case=case, days=days, unread="; ".join(unread))
    if "CreationDate" in key.metadata:
        seen.append((key.metadata["CreationDate"], "the key was made then"))
    if isinstance(key.last_use, LastUse) and key.last_use.when is None:
        seen.append((key.last_use.tracked_since, "KMS has seen no use since"))
    since, why = max(seen)
    # Who cannot use a key is not seen to do without it.
    puts = [] if isinstance(changes, Unread) else [one.when for one in changes if not one.refused]
    hides = _ROWS.text("hides")
    if puts:
        hides = _ROWS.text("hides.all" if puts[0] <= since else "hides.since", put=at(puts[0]))
    end = since + timedelta(days=days)
    row = "quiet" if end <= case.now else "quiet.not-yet"
    return _ROWS.finding(row, case=case, days=days, since=at(since), why=why, hides=hides, end=at(end))


def _deletion(case: Deployed, early: Sequence[str]) -> Finding:
    key = case.key
    if isinstance(key, Unread):
        return _ROWS.finding("deletion.not-read", case=case)
    row = "deletion"
    if key and not key.is_ending:
        row = "deletion.not-yet"
    elif early:
        row = "deletion.too-early" if key else "deletion.was-too-early"
    return _ROWS.finding(row, case=case, state=ends(key) if key else "it is deleted", early="; ".join(early))
