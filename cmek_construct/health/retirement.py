"""The steps of a retirement, each looked at: done, not yet, wrong, or not to be known from here.

They are "Delete a key" of Pinecone's guide, and after it what keeps a mistake from being final.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from cmek_construct.aws.objects import Event, Key, LastUse, Role, Unread
from cmek_construct.checks import few, printable
from cmek_construct.health.deployed import Deployed, at
from cmek_construct.health.doctor import about_brake, who_used
from cmek_construct.health.findings import Finding, Verdict, not_read, right, said, unknown, wrong

WINDOW: Final = 30
"""Days from the order to delete a key to its end: the longest that KMS has."""
Seen: TypeAlias = tuple[datetime, str]
"""When the key was used, or somebody asked for it, and how that is known."""
USE: Final = ("Decrypt", "Encrypt", "GenerateDataKey", "ReEncrypt")
"""How the names of the calls begin that use a key."""


def next_of(found: Sequence[Finding]) -> Finding | None:
    """The first step that is to be done, of those that can be known; an alarm of the last goes before all."""
    if found[-1].fails:
        return found[-1]
    return next((one for one in found if one.verdict is not Verdict.RIGHT and not one.elsewhere), None)


def ends(key: Key) -> str:
    when = key.deletion_date
    return f"ordered for {at(when)}" if when else "ordered for when its last replica is deleted"


def steps(
    case: Deployed,
    indexes: Sequence[str] | Unread | None,
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
    deleted = unknown(
        "deleted-at-pinecone",
        "Key deleted at Pinecone: not to be known from here; it is asked before the last step. In Pinecone's console, "
        "in that project: Manage > CMEK, the key's … menu > Delete. Pinecone deletes it only when all indexes are",
        "",
        elsewhere=True,
    )
    of_indexes, suspended, (seen, unread) = _indexes(indexes), _suspended(case), _seen(case, attempt)
    quiet = said("quiet", f"{days} days without use: they count once it is suspended")
    if case.key is None:
        quiet = right("quiet", f"{days} days without use: the key is gone")
    elif isinstance(case.key, Key) and suspended.verdict is Verdict.RIGHT:
        told = [(quiet_since, "as you say")] if quiet_since else []
        quiet = _quiet(case, case.key, [*seen, *told], [] if told else unread, days, changes)
    early = []
    if of_indexes.verdict is Verdict.SAID:
        early.append("there are indexes left, whose data goes with it")
    if suspended.verdict in (Verdict.SAID, Verdict.WRONG):
        early.append("it was not suspended before")
    if isinstance(case.key, Key) and seen and max(seen)[0] > case.now - timedelta(days=days):
        early.append(f"somebody still asks for it (the last time at {at(max(seen)[0])})")
    return [of_indexes, deleted, suspended, quiet, _deletion(case, early)]


def _indexes(found: Sequence[str] | Unread | None) -> Finding:
    if found is None:
        words = "Indexes of the project: not known, for PINECONE_API_KEY is not set"
        return unknown("indexes", words, "Set it to an API key of the project, and they are looked for", elsewhere=True)
    if isinstance(found, Unread):
        return unknown("indexes", f"Indexes of the project: {found.why}".rstrip("."), "")
    if found:
        cure = "Save what is still needed of them, and delete all of them in Pinecone"
        return said("indexes", f"Indexes are left ({len(found)}): {few(found)}", cure)
    words = "Indexes: there are none in the project of PINECONE_API_KEY: see yourself that it is the right one"
    return right("indexes", words)


def _suspended(case: Deployed) -> Finding:
    if case.key is None:
        return right("suspended", "Suspended: the key is gone")
    found = about_brake(case)
    if found.verdict is Verdict.RIGHT:
        return said("suspended", "Suspended: not yet", f'cmek suspend {case.name} --reason "retirement"')
    words = f"Suspended: {found.words.removeprefix('SUSPENDED on purpose: ')}"
    return replace(found, verdict=Verdict.RIGHT if found.verdict is Verdict.SAID else found.verdict, words=words)


def _seen(case: Deployed, attempt: Event | Unread | None) -> tuple[list[Seen], list[str]]:
    """When somebody used the key, or asked for it; and what of that could not be read."""
    role, use, seen = case.role, case.key.last_use if isinstance(case.key, Key) else None, list[Seen]()
    if isinstance(role, Role) and role.last_used:
        seen.append((role.last_used, "by IAM, the role was used then: Pinecone still asks"))
    if isinstance(use, LastUse) and use.when:
        seen.append((use.when, f"by KMS, the key was used then ({printable(use.operation)})"))
    if isinstance(attempt, Event):
        seen.append((attempt.when, f"{who_used(case, attempt)} asked for {printable(attempt.name)} then"))
    sources = (
        ("the role's last use", role, "iam:GetRole"),
        ("the key's last use", use or Unread("it was not asked"), "kms:GetKeyLastUsage"),
        ("whether somebody asked in vain", attempt, "cloudtrail:LookupEvents"),
    )
    unread = ((what, one, action) for what, one, action in sources if isinstance(one, Unread))
    return seen, [f"{what} was not read ({one.why}): it needs {action}" for what, one, action in unread]


def _quiet(
    case: Deployed, key: Key, seen: list[Seen], unread: list[str], days: int, changes: Sequence[Event] | Unread
) -> Finding:
    """Since when nobody has used the key: the newest of what is seen counts, never what could not be."""
    title, again = f"{days} days without use", f"cmek retire {case.name}"
    if unread:
        cure = f"{again} --quiet-since YYYY-MM-DD, once you have looked yourself"
        return unknown("quiet", f"{title}: not known: {'; '.join(unread)}", cure)
    if key.created:
        seen.append((key.created, "the key was made then"))
    if isinstance(key.last_use, LastUse) and key.last_use.when is None:
        seen.append((key.last_use.tracked_since, "KMS has seen no use since"))
    since, why = max(seen)
    # Who cannot use a key is not seen to do without it.
    puts = [] if isinstance(changes, Unread) else [one.when for one in changes if not one.refused]
    hides = "A suspension hides use, and since when there is one is not known: see that for some days the key could be "
    hides += "used, and was not"
    if puts and puts[0] <= since:
        hides = f"In all that time it was suspended (since {at(puts[0])} at the latest), which hides use: that nobody "
        hides += "is seen to have asked in vain is all that speaks for it"
    elif puts:
        hides = f"Until {at(puts[0])} it could be used, and was not; since then it is suspended, which hides use, and "
        hides += "nobody is seen to have asked in vain"
    words, end = f"quiet since {at(since)} ({why}). {hides}", since + timedelta(days=days)
    if end <= case.now:
        return right("quiet", f"{title}: {words}")
    return said("quiet", f"{title}: not yet, {words}", f"Wait until {at(end)}, and run {again} again")


def _deletion(case: Deployed, early: Sequence[str]) -> Finding:
    title, again, key = "Deletion of the key", f"cmek retire {case.name}", case.key
    if isinstance(key, Unread):
        return not_read("deletion", "the key", key, "kms:DescribeKey")
    if key is not None and not key.is_ending:
        return said("deletion", f"{title}: not ordered yet", f"{again} --schedule-deletion")
    if not early:
        return right("deletion", f"{title}: {'it is deleted' if key is None else ends(key)}")
    words, cure = "IT IS DELETED", "Find out with Pinecone and AWS Support what is lost"
    if key is not None:
        words, cure = ends(key), f"Take it back NOW: {again} --cancel"
    return wrong("deletion", f"{title}: {words}, but {'; '.join(early)}", cure)
