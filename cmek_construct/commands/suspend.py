"""`cmek suspend` and `cmek resume`, the emergency brake: the file first, then AWS.

The file goes first both ways: no later deploy can undo a suspension, and a resumption that stops halfway leaves
Pinecone out while the file says in, which is safe; the reverse would let Pinecone in while the file says out. Run
again, either comes to its end.
"""

import json
import re
import shlex
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import typer

from cmek_construct.aws import reading
from cmek_construct.aws.objects import Unread
from cmek_construct.aws.session import Asking, AwsError, Reason, Session
from cmek_construct.checks import printable
from cmek_construct.commands.looking import entries_here, locked, look, refuse_unknown
from cmek_construct.commands.options import NAME, PROFILE, a_role, flag, option
from cmek_construct.commands.printing import refused, text, told
from cmek_construct.deployment.writing import FILE, NotWrittenError, set_suspended
from cmek_construct.guide import key_denial
from cmek_construct.health.deployed import Deployed, LockedIdentity
from cmek_construct.health.doctor import grant_in_words, is_ours
from cmek_construct.health.findings import Refused
from cmek_construct.health.policies import is_suspended, kept, refused_actions, to_write
from cmek_construct.lock.text import LockError
from cmek_construct.policy.statements import as_of_2012


def _not_done(name: str, reason: str = "", why: str = "", case: Deployed | None = None, **_: Any) -> str:
    """What stands where, if it could not be done, and what to do now, the best first."""
    said = printable(reason)
    reason = shlex.quote(said) if re.search(r'[$`!"\\]', said) else f'"{said}"' if said else ""
    return text("suspend.j2", "not_done", name=name, reason=reason, why=why, case=case)


@told(interrupted=_not_done)
def suspend(
    name: str = NAME,
    reason: str = option("TEXT", ...),
    asking: Asking = PROFILE,
    role: str | None = a_role("role"),
    revoke_grants: bool = flag("--revoke-grants"),
) -> Iterator[str]:
    """Cut Pinecone off, in seconds.

    Writes suspended: true into cmek.yaml, then denies the role everything in the key policy, and reads it back. Run it
    again as often as you like.
    """
    if not reason.strip():
        raise typer.BadParameter("say why, in words", param_hint="--reason")
    yield from _brake(name, replace(asking, role=role), reason, revoke_grants)


@told(interrupted=_not_done)
def resume(name: str = NAME, asking: Asking = PROFILE, role: str | None = a_role("role")) -> Iterator[str]:
    """Let Pinecone back in.

    Takes suspended: true out of cmek.yaml, then the denial out of the key policy, and reads it back. Run it again as
    often as you like.
    """
    yield from _brake(name, replace(asking, role=role))


def _brake(name: str, asking: Asking, reason: str = "", revoke_grants: bool = False) -> Iterator[str]:
    """Suspend one stack, for a reason, or without one resume it; the lines say what is done, as it is done."""
    (entry,) = entries_here(name)
    on, by_hand = bool(reason), False
    if entry.role and entry.key:
        raise refused("suspend.j2", "not_ours", name=name, on=on, denial=json.dumps(key_denial(entry.role)))
    try:
        already = "" if set_suspended(name, on, reason) else "already "
        yield f"{FILE}: {name}: {already}suspended: {str(on).lower()}"
    except NotWrittenError:
        if not on:
            raise
        by_hand = True  # the file cannot be edited, and Pinecone is to be cut off now
    entry = replace(entry, suspended=on)
    lock = LockedIdentity()
    with suppress(LockError):  # one that cannot be read does not hold up the brake
        lock = locked(entry)
    case = Deployed.of(entry, lock, Unread("not asked yet"))
    try:
        case, session = look(entry, asking, lock, writes=True)
        refuse_unknown(case)
        how, left, is_let_in = _put(case, session, on)
    except (AwsError, Refused) as error:
        raise Refused(_not_done(name, reason, f"{str(error).rstrip('.')}.", case)) from None
    if not (on or is_let_in):
        raise refused("suspend.j2", "still_out", case=case, left=left)
    yield text("suspend.j2", "done", case=case, on=on, how=how, left=left, by_hand=by_hand)
    if on and case.key_arn is not None:
        yield from _grants(case, session, revoke_grants)
    yield "\n" + text("suspend.j2", "next", case=case, on=on, denial=json.dumps(key_denial(case.role_arn)))


def _put(case: Deployed, session: Session, on: bool) -> tuple[str, str, bool]:
    """Put the brake on or take it off, and read it back: how, what is not as in the file, and whether it lets in."""
    brake, arn = case.brake, str(case.brake.resource)
    before = reading.read_policy(session, arn)
    wanted = to_write(case, before, as_of_2012(before), on)
    for policy in wanted:
        try:
            session.put_policy(arn, policy)
            break
        except AwsError as error:
            if policy is wanted[-1] or error.reason is not Reason.MALFORMED:
                raise
    for _try in range(6):  # a second apart, until it says what was written
        after = as_of_2012(reading.read_policy(session, arn))
        if is_suspended(case, after) is on:
            # Beside the external ID that Pinecone stores, whatever the file says.
            stored = replace(case, entry=replace(case.entry, external_id=case.external_id))
            left = brake.drift(kept(case, after), stored.wanted(brake.kind))
            how = "written and read back" if wanted else "it was so already, and was read again"
            return how, left.in_words(case.entry.account), not refused_actions(stored, brake.kind, after)[0]
        time.sleep(1)
    raise Refused(f"the {brake.kind} policy was written, but reads as before")


def _grants(case: Deployed, session: Session, revoke: bool) -> Iterator[str]:
    found = reading.read_grants(session, str(case.key_arn))
    if isinstance(found, Unread):
        raise refused("suspend.j2", "grants_not_listed", case=case, why=found.why)
    yield text("suspend.j2", "grants", found=[grant_in_words(one) for one in found])
    # Of a key that serves Pinecone alone each is to be revoked, of another the role's.
    theirs = [one for one in found if case.entry.key is None or is_ours(case.role_arn, one)]
    for grant in theirs if revoke else ():
        try:
            session.revoke_grant(str(case.key_arn), grant.id)
        except AwsError as error:
            raise refused("suspend.j2", "grant_left", case=case, grant=printable(grant.id), error=error) from None
    if theirs:
        yield f"Revoked: {len(theirs)}" if revoke else text("suspend.j2", "not_revoked")
