"""`cmek retire`: the end of a key, in the order that loses nothing, and the way back until then.

Nothing is remembered between two runs: each looks at everything anew. So it does not matter where
one was stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Annotated, Final

import typer

from cmek_construct.aws import reading, writing
from cmek_construct.aws.events import read_calls, read_last
from cmek_construct.aws.objects import Key, Unread
from cmek_construct.aws.session import Asking, AwsError, Session
from cmek_construct.commands.errors import refusals
from cmek_construct.commands.looking import case_of, locked
from cmek_construct.commands.options import Name, Profile, flag, role_arn
from cmek_construct.commands.printing import marked, tell
from cmek_construct.commands.project import indexes
from cmek_construct.deployment.reading import read_entries
from cmek_construct.deployment.writing import FILE
from cmek_construct.health.deployed import Deployed
from cmek_construct.health.findings import Refused
from cmek_construct.health.lockout import is_suspended
from cmek_construct.health.retirement import USE, WINDOW, Steps, ends, is_done, steps

EXIT_CODES: Final = (
    "Exit codes: 0 the checklist has nothing wrong, or what was asked for is done; 1 something is "
    "wrong or not to be read, or it was refused; 2 wrong usage."
)
Role = Annotated[
    str | None,
    role_arn(
        "A role of the stack's account to act as. It needs cloudformation:DescribeStacks, "
        "kms:DescribeKey, kms:GetKeyPolicy, kms:GetKeyLastUsage, iam:GetRole and "
        "cloudtrail:LookupEvents; to change something, kms:ScheduleKeyDeletion, or "
        "kms:CancelKeyDeletion and kms:EnableKey.",
        "role",
    ),
]


@dataclass(frozen=True)
class Ask:
    """What was asked for, and with which credentials."""

    name: str
    asking: Asking
    days: int = 7
    quiet_since: datetime | None = None


def retire(
    name: Name,
    schedule_deletion: Annotated[
        bool,
        flag(
            "--schedule-deletion",
            "Order the deletion of the key, 30 days from now, if all before it is done. Asks "
            "for the name to be typed.",
        ),
    ] = False,
    cancel: Annotated[
        bool, flag("--cancel", "Take the order back. The key stays suspended.")
    ] = False,
    days: Annotated[
        int, typer.Option(min=1, max=90, help="How long nobody must have used the key.")
    ] = 7,
    quiet_since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            metavar="YYYY-MM-DD",
            help="Where KMS and CloudTrail do not tell: since when nobody has used the key, as you "
            "have seen yourself. What is seen to be later goes before it.",
        ),
    ] = None,
    profile: Profile = None,
    role: Role = None,
) -> None:
    """End a key, in the order that loses nothing: a checklist of what is done and what is next.

    Without --schedule-deletion or --cancel it changes nothing. All indexes must be deleted first;
    whether they are is asked of Pinecone with the project's API key, in PINECONE_API_KEY.
    """
    if schedule_deletion and cancel:
        raise typer.BadParameter("it is --schedule-deletion or --cancel", param_hint="--cancel")
    since = quiet_since and quiet_since.replace(tzinfo=timezone.utc)
    if since and since > datetime.now(timezone.utc):
        raise typer.BadParameter("the day has not come yet", param_hint="--quiet-since")
    ask = Ask(name, Asking("retire", profile, role), days, since)
    lines = _cancel(ask) if cancel else _schedule(ask, _typed) if schedule_deletion else _show(ask)
    interrupted = f"Interrupted. To see how it stands: cmek retire {name}"
    with refusals("retire", name, interrupted=interrupted):
        tell(lines)


def _typed(question: str) -> str:
    return str(typer.prompt(question, default="", show_default=False))


def _show(ask: Ask) -> Iterator[str]:
    """The checklist: what is done, and what is next."""
    case, _, found = _look(ask, writes=ask.asking.role is not None)
    yield from _checklist(case, found)
    if any(step.fails for step in found.steps):
        raise Refused("Not all of it is right, or could be read.")


def _schedule(ask: Ask, typed: Callable[[str], str]) -> Iterator[str]:
    """Order the deletion of the key, if all before it is done."""
    case, session, found = _look(ask, writes=True)
    yield from _checklist(case, found)
    if is_done(found.steps[-1]):
        return
    first = found.next
    if first is not None and (first is not found.steps[-1] or first.fails):
        raise Refused(f"Refused. First, step {found.number(first)}: {first.words}.")
    _confirm(case, typed)
    key_arn = str(case.key_arn)
    refused = _called(lambda: writing.order_deletion(session, key_arn, WINDOW))
    after = _key(case, session)
    if not after.is_ending:
        raise refused or Refused("The deletion was ordered, but the key reads as before.")
    yield ""
    yield f"Done: the deletion of {case.key_arn} is {ends(after)}."
    yield from _afterwards(case, after)


def _cancel(ask: Ask) -> Iterator[str]:
    """Take the order back, and leave the key enabled, and suspended if it was."""
    case, session = _case(ask, writes=True)
    key_arn, was_ending = str(case.key_arn), _key(case, session).is_ending
    refused = None
    if was_ending:
        refused = _called(lambda: writing.cancel_deletion(session, key_arn))
    after = _key(case, session)
    if after.is_ending:
        raise refused or Refused("The order was taken back, but the key reads as before.")
    policy = after.policy
    suspended = not isinstance(policy, Unread) and is_suspended(case, policy)
    if after.state == "Disabled":
        if not was_ending and not suspended:
            raise Refused(
                "No deletion is ordered. The key is disabled and not suspended, so that was done "
                f"for another reason. To enable it: {case.kms('enable-key')}"
            )
        refused = _called(lambda: writing.enable(session, key_arn))
        if _key(case, session).state != "Enabled":
            raise refused or Refused("The key was enabled, but reads as before.")
    yield (
        f"{'Taken back' if was_ending else 'Nothing to take back'}: no deletion of the key is "
        f"ordered, and {case.key_arn} is enabled."
    )
    yield (
        f"It is still suspended. To let Pinecone back in: cmek resume {case.entry.name}"
        if suspended
        else f"It is NOT suspended. To see how it stands: cmek doctor {case.entry.name}"
    )


def _called(call: Callable[[], None]) -> AwsError | None:
    """Call KMS; what it refuses counts only if the key is not so already."""
    try:
        call()
    except AwsError as error:
        return error
    return None


def _case(ask: Ask, *, writes: bool) -> tuple[Deployed, Session]:
    (entry,) = read_entries(FILE, only=ask.name)
    own = entry.settings
    if own.customers is not None:
        raise Refused(
            f"{entry.name}: a vendor's stack has no key: the keys are its customers', and theirs "
            "to retire. When a customer leaves, take it out of customer_account_ids or "
            f"customer_key_arns, and run: npx cdk deploy {entry.name}"
        )
    if own.key is not None:
        raise Refused(
            f"{entry.name}: its key is given by ARN, so it was not made here, and may encrypt more "
            "than this project. Retire it where it was made; the guide's steps are the same."
        )
    lock, region = locked(entry), own.region or ""
    session = (
        ask.asking.writing(own.account, region)
        if writes
        else ask.asking.reading(own.account, region, entry.name)
    )
    return case_of(session, entry, lock, ask.asking.profile), session


def _look(ask: Ask, *, writes: bool) -> tuple[Deployed, Session, Steps]:
    case, session = _case(ask, writes=writes)
    if case.lock.key_arn not in (None, case.key_arn):
        raise Refused(
            f"{case.entry.name}: the stack's key is {case.key_arn}, but cmek.lock has "
            f"{case.lock.key_arn}, which Pinecone stores. Find out which is right before either is "
            f"deleted: cmek doctor {case.entry.name}"
        )
    key_arn = str(case.key_arn)
    role = reading.read_role(session, case.role_arn)
    key = reading.read_key(session, key_arn, last_use=True)
    seen = replace(case, role=role, key=key)
    since = seen.now - timedelta(days=ask.days)
    attempt = read_last(session, key_arn, USE, since) if key is not None else None
    found = indexes()
    names = list(found) if isinstance(found, dict) else found
    key_id, region = key_arn.rpartition("/")[2], key_arn.split(":")[3]
    changes = read_calls(session, ["PutKeyPolicy"], key_id, region)
    return seen, session, steps(seen, names, attempt, ask.days, ask.quiet_since, changes)


def _confirm(case: Deployed, typed: Callable[[str], str]) -> None:
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
            raise Refused(f"Typed {answer!a}, not {name}: nothing was changed.")


def _key(case: Deployed, session: Session) -> Key:
    found = reading.read_key(session, str(case.key_arn))
    if found is None:
        raise Refused(f"KMS knows no key {case.key_arn}: it is deleted, for good.")
    if isinstance(found, Unread):
        raise Refused(
            f"The key cannot be read ({found.why}): it needs kms:DescribeKey. Choose --profile, or "
            "--role, and run the same again."
        )
    return found


def _checklist(case: Deployed, found: Steps) -> Iterator[str]:
    """Each step with its mark, and which is next."""
    yield f"{case.entry.name}: retirement of {case.key_arn}"
    for number, step in enumerate(found.steps, 1):
        mark, _, words = marked(step).partition(" ")
        yield f"{mark} {number}. {words}"
        if step.cure and (step.fails or step.elsewhere):
            yield f"       {step.cure}"
    yield ""
    left = found.next
    if is_done(found.steps[-1]):
        yield from _afterwards(case, found.key)
    elif left is not None:
        yield f"Next: step {found.number(left)}. {left.cure or left.words}"


def _afterwards(case: Deployed, key: Key | Unread | None) -> Iterator[str]:
    """What is left to do once the deletion is ordered, or the key is gone."""
    name, own = case.entry.name, case.entry.settings
    if key is not None:
        yield f"Until then it can be taken back, and nothing is lost: cmek retire {name} --cancel"
        yield (
            "Until then, leave the stack, cmek.yaml and cmek.lock as they are. `cmek doctor` calls "
            "the deletion WRONG: that is meant. When it is done:"
        )
    else:
        yield "The key is gone. What is left:"
    if case.way_back is None:
        yield (
            f"- The stack: write termination_protection: false into {name} in cmek.yaml; then: npx "
            f"cdk deploy {name} && npx cdk destroy {name}"
        )
    if own.role is None:
        yield (
            f"- The role, which outlives its stack (the alias goes with the key): "
            f"{case.iam('delete-role')}"
        )
    yield (
        f'- The files: cmek unlock {name} --reason "retired", take {name} out of cmek.yaml, and '
        "commit both."
    )
