"""Since when Pinecone is cut off and nobody has asked for the key, and how that is known.

The newest of what is seen counts: the suspension, any attempt to use the key, by anybody, denied or
not, and the last time that the role made any request. What could not be read is never "none".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final

from cmek_construct.checks import printable
from cmek_construct.operations.doctor.source import (
    Key,
    Role,
    Unread,
    as_statements,
    asked,
    client,
)
from cmek_construct.operations.doctor.suspension import is_suspended
from cmek_construct.operations.doctor.words import Case

_PAGES: Final = 20
"""Of 50 events each. CloudTrail answers two look-ups a second and account."""
_USE: Final = ("Decrypt", "Encrypt", "GenerateDataKey", "ReEncrypt")
_POLICY: Final = ("PutKeyPolicy", "CreateKey")
_LATE: Final = "some 15 minutes later, and for 90 days"


@dataclass(frozen=True)
class Quiet:
    """How long it has been quiet."""

    since: datetime | None
    """None: not known, for what ``why`` says."""
    why: str
    unread: bool = False
    """Whether something could not be read, and not just is not there yet."""
    asked_at: datetime | None = None
    """The last time that somebody is seen to have asked for the key."""


_At = tuple[datetime, str]


@dataclass(frozen=True)
class _Seen:
    """What CloudTrail shows of the key."""

    policy: _At | None
    """The last change of its policy."""
    suspends: bool
    """Whether that change was the suspension."""
    use: _At | None


def quiet(case: Case, session: Any, key: Key, said: datetime | None) -> Quiet:
    """Since when it has been quiet.

    Args:
        case: the stack, suspended by its key policy.
        session: of somebody who may read.
        key: as KMS shows it.
        said: the day that the person says, for where it cannot be read.
    """
    role = Role(session, case.role_arn)
    seen = asked(lambda: _seen(case, session))
    cannot = list(_cannot(role.described, seen))
    if cannot and said is None:
        return Quiet(None, "; ".join(cannot), unread=True)
    attempts = list(_attempts(role.described, seen))
    asked_at = max(attempts)[0] if attempts else None
    if said is None and not (isinstance(seen, _Seen) and seen.suspends):
        words = f"CloudTrail does not show the suspension: it shows it {_LATE}"
        return Quiet(None, words, asked_at=asked_at)
    found = attempts + list(_changes(key.described, seen))
    since, why = max([*found, (said, "as you say")] if said else found)
    return Quiet(since, why, asked_at=asked_at)


def _cannot(role: Any, seen: Any) -> Iterator[str]:
    if isinstance(role, Unread):
        yield f"the role's last use was not read ({role.why}): it needs iam:GetRole"
    if not isinstance(seen, _Seen):
        why = seen.why if isinstance(seen, Unread) else "there is none"
        yield f"the key's use was not read ({why}): it needs cloudtrail:LookupEvents"


def _attempts(role: Any, seen: Any) -> Iterator[_At]:
    """When somebody asked for the key."""
    last = (role.get("RoleLastUsed") or {}).get("LastUsedDate") if isinstance(role, dict) else None
    if last:
        yield last, "by IAM, the role was used then: Pinecone still asks"
    if isinstance(seen, _Seen) and seen.use:
        yield seen.use


def _changes(key: Any, seen: Any) -> Iterator[_At]:
    """Before what the key cannot have been suspended."""
    if isinstance(key, Mapping) and "CreationDate" in key:
        yield key["CreationDate"], "the key was made then"
    if isinstance(seen, _Seen) and seen.policy:
        yield seen.policy


def _seen(case: Case, session: Any) -> _Seen:
    """What CloudTrail shows of the key, the newest first, back to the last change of its policy."""
    use: _At | None = None
    for event in _events(case, session):
        name, when = str(event["EventName"]), event["EventTime"].astimezone(timezone.utc)
        said = json.loads(event["CloudTrailEvent"])
        if name.startswith(_USE) and use is None:
            use = (when, f"{_who(case, said)} asked for {printable(name)} then")
        if name in _POLICY and "errorCode" not in said:
            suspends = _suspends(case, said)
            words = "suspended" if suspends else "the key policy was changed"
            return _Seen((when, f"by CloudTrail, {words} then"), suspends, use)
    return _Seen(None, False, use)


def _events(case: Case, session: Any) -> Iterator[Any]:
    cloudtrail = client(session, "cloudtrail")
    by_key = [{"AttributeKey": "ResourceName", "AttributeValue": case.key_arn}]
    answer: dict[str, Any] = {}
    for _page in range(_PAGES):
        more = {"NextToken": answer["NextToken"]} if answer.get("NextToken") else {}
        answer = cloudtrail.lookup_events(LookupAttributes=by_key, MaxResults=50, **more)
        yield from answer["Events"]
        if not answer.get("NextToken"):
            return
    raise ValueError(f"the key has more than {_PAGES * 50} events")


def _suspends(case: Case, said: Any) -> bool:
    policy = (said.get("requestParameters") or {}).get("policy")
    return policy is not None and is_suspended(case, as_statements(policy))


def _who(case: Case, said: Any) -> str:
    who = said.get("userIdentity") or {}
    issuer = who.get("sessionContext", {}).get("sessionIssuer", {}).get("arn")
    if issuer == case.role_arn:
        return "Pinecone"
    return printable(issuer or who.get("arn") or who.get("invokedBy") or "somebody")
