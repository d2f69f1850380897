"""`cmek retire`: the end of a key, in the order that loses nothing, and the way back until then.

Nothing is remembered between two runs: each looks at everything anew. So it does not matter where one was stopped.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import typer

from cmek_construct.aws import reading
from cmek_construct.aws.objects import Key, Unread
from cmek_construct.aws.session import Asking, AwsError, Session
from cmek_construct.commands.looking import entries_here, look, refuse_unknown
from cmek_construct.commands.options import NAME, PROFILE, flag, option
from cmek_construct.commands.printing import marked, refused, text, told
from cmek_construct.commands.project import indexes
from cmek_construct.health.deployed import Deployed
from cmek_construct.health.findings import Finding, Refused, Verdict, known
from cmek_construct.health.policies import is_suspended
from cmek_construct.health.retirement import USE, WINDOW, ends, next_of, steps


@told(about="{name}".format, interrupted="Interrupted. To see how it stands: cmek retire {name}".format)
def retire(
    name: str = NAME,
    schedule_deletion: bool = flag("--schedule-deletion"),
    cancel: bool = flag("--cancel"),
    days: int = typer.Option(7, min=1, max=90),
    quiet_since: datetime | None = option("YYYY-MM-DD", formats=["%Y-%m-%d"]),
    asking: Asking = PROFILE,
) -> Iterator[str]:
    """End a key, in the order that loses nothing: a checklist of what is done and what is next.

    Without --schedule-deletion or --cancel it changes nothing. All indexes must be deleted first; whether they are is
    asked of Pinecone with the project's API key, in PINECONE_API_KEY.
    """
    if schedule_deletion and cancel:
        raise typer.BadParameter("it is --schedule-deletion or --cancel", param_hint="--cancel")
    since = quiet_since and quiet_since.replace(tzinfo=timezone.utc)
    if since and since > datetime.now(timezone.utc):
        raise typer.BadParameter("the day has not come yet", param_hint="--quiet-since")
    (entry,) = entries_here(name)
    if entry.customers is not None or entry.key is not None:
        raise refused("retire.j2", "not_ours", name=name, is_vendors=entry.customers is not None)
    case, session = look(entry, asking, writes=schedule_deletion or cancel)
    refuse_unknown(case)
    if cancel:
        yield from _cancel(case, session)
        return
    key_arn = str(case.key_arn)
    if case.lock.key_arn not in (None, key_arn):
        raise refused("retire.j2", "is_another", case=case)
    key = reading.read_key(session, key_arn, last_use=True)
    case = replace(case, role=reading.read_role(session, case.role_arn), key=key)
    attempt = None if key is None else reading.read_last(session, key_arn, USE, case.now - timedelta(days=days))
    changes = reading.read_calls(session, ["PutKeyPolicy"], key_arn)
    found = steps(case, indexes(), attempt, days, since, changes)
    left, is_over = next_of(found), found[-1].verdict is Verdict.RIGHT
    yield text("retire.j2", "checklist", case=case, found=found, marked=marked, left=left, is_over=is_over)
    if schedule_deletion and left and not is_over:
        yield from _schedule(case, session, found, left)
    elif not schedule_deletion and any(step.fails for step in found):
        raise Refused("Not all of it is right, or could be read.")


def _schedule(case: Deployed, session: Session, found: Sequence[Finding], left: Finding) -> Iterator[str]:
    """Order the deletion of the key, if all before it is done and the name is typed, twice."""
    if left is not found[-1] or left.fails:
        raise refused("retire.j2", "first", found=found, left=left)
    end = (case.now + timedelta(days=WINDOW)).date()
    for question in (text("retire.j2", "is_deleted", case=case), text("retire.j2", "is_for_good", case=case, end=end)):
        answer = str(typer.prompt(question, default="", show_default=False))
        if answer != case.name:
            raise Refused(f"Typed {answer!a}, not {case.name}: nothing was changed.")
    after = _changed(case, session, "schedule_key_deletion", lambda key: key.is_ending, PendingWindowInDays=WINDOW)
    yield text("retire.j2", "ordered", case=case, ends=ends(after))


def _cancel(case: Deployed, session: Session) -> Iterator[str]:
    """Take the order back, and leave the key enabled, and suspended if it was."""
    key = _key(case, session)
    was_ending = key.is_ending
    if was_ending:
        key = _changed(case, session, "cancel_key_deletion", lambda key: not key.is_ending)
    suspended = not isinstance(key.policy, Unread) and is_suspended(case, key.policy)
    if key.state == "Disabled":
        if not was_ending and not suspended:
            raise refused("retire.j2", "is_disabled", case=case)
        _changed(case, session, "enable_key", lambda key: key.state == "Enabled")
    yield text("retire.j2", "taken_back", case=case, was_ending=was_ending, suspended=suspended)


def _key(case: Deployed, session: Session) -> Key:
    found = reading.read_key(session, str(case.key_arn))
    return known(found, "the key", f"KMS knows no key {case.key_arn}: it is deleted, for good.")


def _changed(case: Deployed, session: Session, operation: str, is_so: Callable[[Key], bool], **more: int) -> Key:
    """Change the key, and read it back: what KMS refuses counts only if it is not so already."""
    why: Exception = Refused("KMS took the change, but the key reads as before.")
    try:
        session.change_key(str(case.key_arn), operation, **more)
    except AwsError as error:
        why = error
    after = _key(case, session)
    if not is_so(after):
        raise why
    return after
