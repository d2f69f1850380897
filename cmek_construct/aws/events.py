"""CloudTrail's event history: who called what, for 90 days, without any trail.

It shows a call some 15 minutes later, and answers two look-ups a second and account.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, Final

from cmek_construct.aws.objects import Event
from cmek_construct.aws.session import Session, asked, read

IAM_REGION: Final = "us-east-1"
"""Where CloudTrail shows the events of IAM."""
_PAGE: Final = 50
_MOST: Final = 1_000


@asked
def read_event(session: Session, event_id: str, region: str) -> Event | None:
    """One event by its ID; None where CloudTrail shows it no more, or not yet."""
    return next(_events(session, region, "EventId", event_id), None)


@read
def read_calls(session: Session, names: Sequence[str], about: str, region: str) -> list[Event]:
    """The calls of some names that were about a role or key, the newest first.

    Looked up by their names: a key in use has too many other events to look through.

    Args:
        session: of somebody who may look them up.
        names: of the calls, such as ``PutKeyPolicy``.
        about: the name of the role, or the ID of the key.
        region: where they happened.
    """
    found = [
        one for name in names for one in _events(session, region, "EventName", name, most=_PAGE) if about in one.text
    ]
    return sorted(found, key=lambda one: one.when, reverse=True)


@asked
def read_last(session: Session, key_arn: str, names: tuple[str, ...], since: datetime) -> Event | None:
    """The last call about a key whose name begins with one of these, refused or not.

    Args:
        session: of somebody who may look them up.
        key_arn: of the key.
        names: how the calls' names begin.
        since: none before; that there are more events than can be read is no answer.
    """
    events = _events(session, key_arn.split(":")[3], "ResourceName", key_arn, since)
    return next((one for one in events if one.name.startswith(names)), None)


def _events(
    session: Session, region: str, attribute: str, value: str, since: datetime | None = None, most: int = _MOST
) -> Iterator[Event]:
    """The newest first."""
    cloudtrail = session.client("cloudtrail", region)
    wanted: dict[str, Any] = {
        "LookupAttributes": [{"AttributeKey": attribute, "AttributeValue": value}],
        "MaxResults": _PAGE,
        **({"StartTime": since} if since else {}),
    }
    for _page in range(0, most, _PAGE):
        answer = cloudtrail.lookup_events(**wanted)
        yield from map(_event, answer["Events"])
        if not answer.get("NextToken"):
            return
        wanted["NextToken"] = answer["NextToken"]
    if most == _MOST:
        raise ValueError(f"there are more than {most:,} events")


def _event(shown: Mapping[str, Any]) -> Event:
    said = json.loads(shown["CloudTrailEvent"])
    who = said.get("userIdentity") or {}
    issuer = (who.get("sessionContext") or {}).get("sessionIssuer") or {}
    return Event(
        str(shown["EventName"]),
        shown["EventTime"].astimezone(timezone.utc),
        str(issuer.get("arn") or who.get("arn") or who.get("invokedBy") or "somebody"),
        "errorCode" in said,
        str(shown["CloudTrailEvent"]),
    )
