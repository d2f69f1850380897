"""The steps of a retirement, each looked at: done, not yet, wrong, or not to be known from here.

They are "Delete a key" of Pinecone's guide, and after it what keeps a mistake from being final.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from cmek_construct.aws.objects import Event, Key, LastUse, Unread
from cmek_construct.checks import few, printable
from cmek_construct.health.deployed import Deployed
from cmek_construct.health.findings import Finding, Verdict, not_read, right, said, unknown, wrong
from cmek_construct.health.key import at, caller
from cmek_construct.health.role import about_brake

WINDOW: Final = 30
"""Days from the order to delete a key to its end: the longest that KMS has."""
USE: Final = ("Decrypt", "Encrypt", "GenerateDataKey", "ReEncrypt")
"""How the names of the calls begin that use a key."""
_IN_CONSOLE: Final = (
    "In Pinecone's console, in that project: Manage > CMEK, the key's … menu > Delete. Pinecone "
    "deletes it only when all indexes are"
)


@dataclass(frozen=True)
class Steps:
    """What was found at each step, in their order."""

    steps: Sequence[Finding]

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


@dataclass(frozen=True)
class Quiet:
    """How long nobody has used the key, or asked for it in vain."""

    since: datetime | None
    """None: not known, for what ``why`` says."""
    why: str
    asked_at: datetime | None = None
    """The last time that somebody is seen to have asked for the key."""


def is_done(step: Finding) -> bool:
    """Whether a step is done."""
    return step.verdict is Verdict.RIGHT


def steps(
    case: Deployed,
    indexes: Sequence[str] | Unread | None,
    attempt: Event | Unread | None,
    days: int,
    quiet_since: datetime | None,
    changes: Sequence[Event] | Unread,
) -> Steps:
    """Look at each step.

    Args:
        case: the stack, its role and its key, as they are.
        indexes: the names of the project's; None where nobody was asked.
        attempt: the last call that asked for the key, refused or not, by CloudTrail.
        days: how long nobody must have used the key.
        quiet_since: since when that is so, as the person says.
        changes: the calls that put the key policy, the newest first, by CloudTrail.
    """
    found = _quiet(case, case.key, attempt, quiet_since) if isinstance(case.key, Key) else None
    suspended = _suspended(case)
    before = [
        _indexes(indexes),
        _deleted_at_pinecone(),
        suspended,
        _cooled(case, found if is_done(suspended) else None, days, changes),
    ]
    return Steps([*before, _deletion(case, before, found, days)])


def _quiet(case: Deployed, key: Key, attempt: Event | Unread | None, told: datetime | None) -> Quiet:
    """Since when it has been quiet: the newest of what is seen counts, never what could not be."""
    found = list(_evidence(case, key, attempt))
    unread = [one for one in found if isinstance(one, str)]
    seen = [one for one in found if not isinstance(one, str)]
    asked_at = max(seen)[0] if seen else None
    if unread and told is None:
        return Quiet(None, "; ".join(unread), asked_at)
    if key.created:
        seen.append((key.created, "the key was made then"))
    if isinstance(key.last_use, LastUse) and key.last_use.when is None:
        seen.append((key.last_use.tracked_since, "KMS has seen no use since"))
    since, why = max([*seen, *([(told, "as you say")] if told else [])])
    return Quiet(since, why, asked_at)


def _evidence(case: Deployed, key: Key, attempt: Event | Unread | None) -> Iterator[tuple[datetime, str] | str]:
    """When somebody used the key, or asked for it; or what could not be read, as text."""
    role, use = case.role, key.last_use
    if isinstance(role, Unread):
        yield f"the role's last use was not read ({role.why}): it needs iam:GetRole"
    elif role is not None and role.last_used:
        yield role.last_used, "by IAM, the role was used then: Pinecone still asks"
    if not isinstance(use, LastUse):
        why = use.why if isinstance(use, Unread) else "it was not asked"
        yield f"the key's last use was not read ({why}): it needs kms:GetKeyLastUsage"
    elif use.when:
        yield use.when, f"by KMS, the key was used then ({printable(use.operation)})"
    if isinstance(attempt, Unread):
        yield (f"whether somebody asked in vain was not read ({attempt.why}): it needs cloudtrail:LookupEvents")
    elif attempt is not None:
        yield attempt.when, f"{caller(case, attempt)} asked for {printable(attempt.name)} then"


def _indexes(found: Sequence[str] | Unread | None) -> Finding:
    if found is None:
        return replace(
            unknown(
                "indexes",
                "Indexes of the project: not known, for PINECONE_API_KEY is not set",
                "Set it to an API key of the project, and they are looked for",
            ),
            elsewhere=True,
        )
    if isinstance(found, Unread):
        return unknown("indexes", f"Indexes of the project: {found.why}".rstrip("."), "")
    if not found:
        return right(
            "indexes",
            "Indexes: there are none in the project of PINECONE_API_KEY. Which project that is, "
            "Pinecone does not tell: see that it is the right one",
        )
    return said(
        "indexes",
        f"Indexes are left ({len(found)}): {few(found)}",
        "Save what is still needed of them, and delete all of them in Pinecone",
    )


def _deleted_at_pinecone() -> Finding:
    words = "Key deleted at Pinecone: not to be known from here; it is asked before the last step. " + _IN_CONSOLE
    return replace(unknown("deleted-at-pinecone", words, ""), elsewhere=True)


def _suspended(case: Deployed) -> Finding:
    if case.key is None:
        return right("suspended", "Suspended: the key is gone")
    found = about_brake(case)
    if found.verdict is Verdict.RIGHT:
        cure = f'cmek suspend {case.entry.name} --reason "retirement"'
        return said("suspended", "Suspended: not yet", cure)
    words = f"Suspended: {found.words.removeprefix('SUSPENDED on purpose: ')}"
    verdict = Verdict.RIGHT if found.verdict is Verdict.SAID else found.verdict
    return replace(found, verdict=verdict, words=words)


def _cooled(case: Deployed, found: Quiet | None, days: int, changes: Sequence[Event] | Unread) -> Finding:
    title = f"{days} days without use"
    if case.key is None:
        return right("quiet", f"{title}: the key is gone")
    again = f"cmek retire {case.entry.name} --quiet-since YYYY-MM-DD, once you have looked yourself"
    if found is None:
        return said("quiet", f"{title}: they count once it is suspended")
    if found.since is None:
        return unknown("quiet", f"{title}: not known: {found.why}", again)
    end = found.since + timedelta(days=days)
    words = f"quiet since {at(found.since)} ({found.why}). {_hidden(found.since, changes)}"
    if end <= case.now:
        return right("quiet", f"{title}: {words}")
    wait = f"Wait until {at(end)}, and run cmek retire {case.entry.name} again"
    return said("quiet", f"{title}: not yet, {words}", wait)


def _hidden(since: datetime, changes: Sequence[Event] | Unread) -> str:
    """What the suspension hides: who cannot use a key is not seen to do without it."""
    done = [] if isinstance(changes, Unread) else [one.when for one in changes if not one.refused]
    if not done:
        return (
            "A suspension hides use, and since when there is one is not known: see that for some "
            "days the key could be used, and was not"
        )
    if done[0] <= since:
        return (
            f"In all that time it was suspended (since {at(done[0])} at the latest), which hides "
            "use: that nobody is seen to have asked in vain is all that speaks for it"
        )
    return (
        f"Until {at(done[0])} it could be used, and was not; since then it is suspended, which "
        "hides use, and nobody is seen to have asked in vain"
    )


def _deletion(case: Deployed, before: Sequence[Finding], found: Quiet | None, days: int) -> Finding:
    title, name, key = "Deletion of the key", case.entry.name, case.key
    if isinstance(key, Unread):
        return not_read("deletion", "the key", key, "kms:DescribeKey")
    if key is not None and not key.is_ending:
        return said("deletion", f"{title}: not ordered yet", f"cmek retire {name} --schedule-deletion")
    early = list(_too_early(case, before, found, days))
    if not early:
        return right("deletion", f"{title}: {'it is deleted' if key is None else ends(key)}")
    return wrong(
        "deletion",
        f"{title}: {'IT IS DELETED' if key is None else ends(key)}, but {'; '.join(early)}",
        "Find out with Pinecone and AWS Support what is lost"
        if key is None
        else f"Take it back NOW: cmek retire {name} --cancel",
    )


def _too_early(case: Deployed, before: Sequence[Finding], found: Quiet | None, days: int) -> Iterator[str]:
    indexes, _, suspended, _ = before
    if indexes.verdict is Verdict.SAID:
        yield "there are indexes left, whose data goes with it"
    if suspended.verdict in (Verdict.SAID, Verdict.WRONG):
        yield "it was not suspended before"
    if found and found.asked_at and found.asked_at > case.now - timedelta(days=days):
        yield f"somebody still asks for it (the last time at {at(found.asked_at)})"


def ends(key: Key) -> str:
    """When a key ends whose deletion is ordered."""
    when = key.deletion_date
    return f"ordered for {at(when)}" if when else "ordered for when its last replica is deleted"
