"""`cmek doctor`: whether the deployed role and key are what the file says, and what to do."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from enum import Enum
from functools import partial
from typing import Annotated, Final

import typer

from cmek_construct.aws.events import IAM_REGION, read_calls, read_event
from cmek_construct.aws.objects import Control, Key, LastUse, Unread
from cmek_construct.aws.reading import read_controls, read_stack
from cmek_construct.aws.session import Asking, AwsError, Session
from cmek_construct.commands.looking import LOCK, case_of, locked, side_by_side, with_all
from cmek_construct.commands.options import AsJson, OneOrAll, Profile, flag
from cmek_construct.commands.printing import advice, refusals, refuse, tell, tell_json, whole
from cmek_construct.commands.project import indexes
from cmek_construct.deployment.reading import Entry, read_entries
from cmek_construct.deployment.writing import FILE
from cmek_construct.health import doctor as health
from cmek_construct.health.deployed import Deployed, LockedIdentity, identities, own_outputs
from cmek_construct.health.doctor import HEALTHY, UNREAD, WRONG, Examined
from cmek_construct.health.findings import Effect, Finding, Verdict, not_read, unknown
from cmek_construct.health.role_and_key import who_used
from cmek_construct.lock.text import LockError

EXIT_CODES: Final = (
    "Exit codes: 0 healthy; 1 something is wrong; 2 wrong usage; 3 something could not be read, "
    "and nothing else is wrong."
)
_ORDER: Final = (Verdict.WRONG, Verdict.UNKNOWN, Verdict.SAID, Verdict.RIGHT)
_WORDS: Final[dict[Effect | None, str]] = {
    Effect.KEY_ENDS: "THE KEY WILL END",
    Effect.SOMEBODY_LET_IN: "somebody is let in",
    Effect.PINECONE_LOCKED_OUT: "Pinecone is locked out",
    Effect.OWNER_LOCKED_OUT: "the owner is locked out",
    None: "no harm yet",
}
"""What faults do to people: the worst first."""


class Policy(str, Enum):
    """What ``--show`` shows."""

    TRUST = "trust-policy"
    KEY = "key-policy"


def doctor(
    name: OneOrAll = None,
    profile: Profile = None,
    as_json: AsJson = False,
    show: Annotated[
        Policy | None, typer.Option(help="Print this policy as the file says it, and look at nothing.")
    ] = None,
    cloudtrail: Annotated[
        bool,
        typer.Option(
            "--cloudtrail/--no-cloudtrail",
            help="Ask KMS and CloudTrail for the last use, and CloudTrail for who did what.",
        ),
    ] = True,
    organization: Annotated[
        bool,
        flag(
            "--organization",
            "From the management account: show the organization's SCPs and RCPs over the "
            "account that mention STS or KMS.",
        ),
    ] = False,
) -> None:
    """Say whether the deployed role and key are what the file says.

    Changes nothing. For each thing that is wrong: what it means for the data, how long there is, and what to run. With
    a project's API key in PINECONE_API_KEY and one stack: also whether the project's indexes are under this key.
    """
    with refusals("doctor"):
        entries = read_entries(FILE, only=name)
    asking = Asking("doctor", profile)
    if show is not None:
        _show(entries, show, asking)
        return
    of_project = indexes() if len(entries) == 1 else None
    examined = partial(_examined, asking, cloudtrail, organization, of_project)
    found = side_by_side(examined, entries)
    if as_json:
        tell_json([one.as_data() for one in found])
    else:
        tell(_screen(found))
    codes = {one.code for one in found}
    raise typer.Exit(WRONG if WRONG in codes else max(codes, default=UNREAD))


def _examined(
    asking: Asking,
    cloudtrail: bool,
    organization: bool,
    indexes: Mapping[str, str | None] | Unread | None,
    entry: Entry,
) -> Examined:
    """Look at one stack, and change nothing."""
    of_lock: list[Finding] = []
    try:
        lock = locked(entry)
    except LockError as error:
        mend = "Mend the file, or take it from git as it was."
        words = f"not read: {LOCK} ({error}): a role that was made again may not be seen"
        lock, of_lock = LockedIdentity(), [unknown("lock", words, mend)]
    own = entry.settings
    try:
        session = asking.reading(own.account, own.region or "", entry.name)
    except AwsError as error:
        nothing = unknown("aws", f"not read: anything ({error})", advice(error, "doctor"))
        return Examined(entry, *identities(entry, {}, lock), [*of_lock, nothing])
    stack = read_stack(session, entry.name)
    role_arn, key_arn = identities(entry, own_outputs(entry, stack), lock)
    way_back = lock.way_back(entry, stack, asking.profile)
    found = [health.about_stack(entry, stack, of_lock[0].cure if of_lock else way_back, lock)]
    found += of_lock
    if role_arn is None or (key_arn is None and own.customers is None):
        what = "role and key: neither the stack's outputs nor cmek.lock say which they are"
        nobody = not_read("role-and-key", what, Unread("nothing was looked at"), f"read the stack {entry.name}")
        return Examined(entry, role_arn, key_arn, [*found, nobody])
    now = datetime.now(timezone.utc)
    case = Deployed(entry, role_arn, key_arn, lock, now, stack, profile=asking.profile)
    case = with_all(session, case, last_use=cloudtrail)
    found += health.diagnosis(case, _last_user(session, case) if cloudtrail else None)
    if indexes is not None and case.key_arn is not None:
        found += health.about_indexes(case, indexes)
    if organization:
        found += health.about_controls(case, _controls(asking, own.account))
    if cloudtrail:
        found = [_with_culprit(session, case, one) for one in found]
    return Examined(entry, role_arn, key_arn, found)


def _controls(asking: Asking, account: str) -> Sequence[Control] | Unread:
    """With the profile's own credentials: no other account sees them."""
    try:
        return read_controls(asking.own(IAM_REGION), account)
    except AwsError as error:
        return Unread(str(error))


def _last_user(session: Session, case: Deployed) -> str | Unread | None:
    use = case.key.last_use if isinstance(case.key, Key) else None
    if not isinstance(use, LastUse) or use.when is None or case.key_arn is None:
        return None
    return who_used(case, read_event(session, use.event_id, case.key_arn.split(":")[3]))


def _with_culprit(session: Session, case: Deployed, finding: Finding) -> Finding:
    """A finding with who did it, where somebody did."""
    if finding.verdict is not Verdict.WRONG or not finding.events:
        return finding
    names = [one.partition(":")[2] for one in finding.events]
    if finding.events[0].startswith("iam:") or case.key_arn is None:
        events = read_calls(session, names, case.role_name, IAM_REGION)
    else:
        region, key_id = case.key_arn.split(":")[3], case.key_arn.rpartition("/")[2]
        events = read_calls(session, names, key_id, region)
    return health.with_culprit(finding, events)


def _show(entries: list[Entry], policy: Policy, asking: Asking) -> None:
    if len(entries) != 1:
        raise typer.BadParameter("name one stack", param_hint="--show")
    (entry,) = entries
    own, role_arn = entry.settings, entry.settings.role or ""
    if policy.value not in health.expected_policies(entry, role_arn):
        refuse(f"{entry.name}: there is no such policy to show: the stack makes no key.")
    if policy is Policy.KEY and not role_arn:
        with refusals("doctor", entry.name):
            session = asking.reading(own.account, own.region or "", entry.name)
            role_arn = case_of(session, entry, locked(entry)).role_arn
    typer.echo(json.dumps(health.expected_policies(entry, role_arn)[policy.value], indent=2))


def _screen(examined: Sequence[Examined]) -> Iterator[str]:
    """The lines: of one stack all, of several what is not right; first what is wrong."""
    for one in examined:
        own = one.entry.settings
        yield f"{one.entry.name}: {one.verdict} (account {own.account}, {own.region})"
        if len(examined) > 1 and one.code == HEALTHY:
            continue
        if one.code == WRONG:
            yield f"  {_summary(one.findings)}"
        yield f"  role {one.role_arn or 'not known'}"
        if own.customers is None:
            yield f"  key  {one.key_arn or 'not known'}"
        for verdict in _ORDER if len(examined) == 1 else _ORDER[:2]:
            yield from _lines(one.findings, verdict)
        yield ""
    if len(examined) > 1:
        healthy = sum(one.code == HEALTHY for one in examined)
        yield f"{healthy} of {len(examined)} are healthy."


def _summary(findings: Sequence[Finding]) -> str:
    """What the faults do to people, in one line."""
    counted = Counter(one.effect for one in findings if one.verdict is Verdict.WRONG)
    said = [f"{words} ({counted[effect]})" for effect, words in _WORDS.items() if counted[effect]]
    return f"{sum(counted.values())} wrong: {', '.join(said)}"


def _by_effect(finding: Finding) -> int:
    return list(_WORDS).index(finding.effect)


def _lines(findings: Iterable[Finding], verdict: Verdict) -> Iterator[str]:
    for finding in sorted(findings, key=_by_effect):
        if finding.verdict is verdict:
            yield from whole(finding)
