"""`cmek suspend` and `cmek resume`, the emergency brake: the file first, then AWS.

The file goes first both ways: no later deploy can undo a suspension, and a resumption that stops halfway leaves
Pinecone out while the file says in, which is safe; the reverse would let Pinecone in while the file says out. Run
again, either comes to its end.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final

import typer

from cmek_construct.aws import writing
from cmek_construct.aws.objects import Grant, Stack, Unread
from cmek_construct.aws.reading import read_grants, read_policy
from cmek_construct.aws.session import Asking, AwsError, Session
from cmek_construct.checks import printable
from cmek_construct.commands.looking import case_of, locked
from cmek_construct.commands.options import Profile, flag, option, role_arn
from cmek_construct.commands.printing import refusals, tell
from cmek_construct.deployment.reading import ConfigError, Entry, read_entries
from cmek_construct.deployment.writing import FILE, NotWrittenError, set_suspended
from cmek_construct.guide import key_denial
from cmek_construct.health.deployed import Deployed, LockedIdentity, identities
from cmek_construct.health.findings import Refused
from cmek_construct.health.key import grant_in_words, is_ours
from cmek_construct.health.lockout import is_suspended, kept, to_write
from cmek_construct.lock.text import LockError
from cmek_construct.policy.statements import as_of_2012

_TRIES: Final = 6
"""How often a policy is read back, a second apart, until it says what was written."""
Name = Annotated[str, typer.Argument(help="The stack in cmek.yaml.")]
Role = Annotated[
    str | None,
    role_arn(
        "A role of the stack's account to act as. It needs kms:GetKeyPolicy, kms:PutKeyPolicy, "
        "kms:ListGrants, kms:RevokeGrant and cloudformation:DescribeStacks; where the denial is in "
        "the role's trust policy, iam:GetRole and iam:UpdateAssumeRolePolicy.",
        "role",
    ),
]


@dataclass(frozen=True)
class Ask:
    """What was asked for, and with which credentials."""

    name: str
    on: bool
    asking: Asking
    reason: str = ""
    revoke_grants: bool = False


def suspend(
    name: Name,
    reason: Annotated[str, option("TEXT", "Why. It is written into cmek.yaml, for others.")],
    profile: Profile = None,
    role: Role = None,
    revoke_grants: Annotated[
        bool,
        flag(
            "--revoke-grants",
            "Revoke the grants on the key (of a key that is given by ARN, the role's), without asking: they do not "
            "come back. Without it they are listed, and revoked only if you say so in a terminal.",
        ),
    ] = False,
) -> None:
    """Cut Pinecone off, in seconds.

    Writes suspended: true into cmek.yaml, then denies the role everything in the key policy, and reads it back. Run it
    again as often as you like.
    """
    if not reason.strip():
        raise typer.BadParameter("say why, in words", param_hint="--reason")
    _run(Ask(name, True, Asking("suspend", profile, role), reason, revoke_grants))


def resume(name: Name, profile: Profile = None, role: Role = None) -> None:
    """Let Pinecone back in.

    Takes suspended: true out of cmek.yaml, then the denial out of the key policy, and reads it back. Run it again as
    often as you like.
    """
    _run(Ask(name, False, Asking("resume", profile, role)))


def _run(ask: Ask) -> None:
    interrupted = _not_done(ask, "It was interrupted.")
    with refusals(ask.asking.command, interrupted=interrupted):
        tell(_lines(ask))


def _lines(ask: Ask) -> Iterator[str]:
    """Suspend or resume one stack; the lines say what is done, as it is done."""
    entry = _entry(ask.name)
    _refuse_in_vain(entry, ask.on)
    by_hand = ""
    try:
        changed = set_suspended(ask.name, ask.on, ask.reason)
        entry = _entry(ask.name)
        word = str(ask.on).lower()
        yield f"{FILE}: {ask.name}: {'' if changed else 'already '}suspended: {word}"
    except NotWrittenError as error:
        if not ask.on:
            raise
        # The file cannot be edited, and Pinecone is to be cut off now.
        by_hand = error.line
        entry = replace(entry, settings=replace(entry.settings, suspended=True))
    case = None
    try:
        session = ask.asking.writing(entry.settings.account, entry.settings.region or "")
        case = case_of(session, entry, _lock_of(entry), ask.asking.profile)
        changed, left = _brake(case, session, ask.on)
    except (AwsError, Refused) as error:
        raise Refused(_not_done(ask, f"{str(error).rstrip('.')}.", entry, case)) from None
    yield from _said(case, ask.on, changed, left)
    if by_hand:
        yield (
            f"{FILE} IS NOT CHANGED: it is written in a way in which that cannot be set alone. Write by hand into "
            f"stacks.{ask.name}:  {by_hand}  Without it the next deploy that changes the policy lets Pinecone back in."
        )
    if isinstance(case.stack, Stack) and case.stack.status.endswith("_IN_PROGRESS"):
        yield (
            f"A DEPLOY IS RUNNING ({case.stack.status}), and may write the policy of the file that "
            "it began with. Run this again when it has ended."
        )
    if ask.on:
        yield from _grants(case, session, ask)
    yield from _what_is_left(case, ask.on, left)


def _entry(name: str) -> Entry:
    found = [entry for entry in read_entries(FILE, only=name) if entry.name == name]
    if not found:
        raise ConfigError(f"{FILE}: stacks: got {name!r}, but this takes one name. Name one stack.")
    return found[0]


def _lock_of(entry: Entry) -> LockedIdentity:
    """What is locked; a lock that cannot be read does not hold up the brake."""
    try:
        return locked(entry)
    except LockError:
        return LockedIdentity()


def _refuse_in_vain(entry: Entry, on: bool) -> None:
    own = entry.settings
    if own.role and own.key:
        does = "Add to" if on else "Take out of"
        raise Refused(
            f"{entry.name}: role and key are both given by ARN, and their policies are yours. "
            f"{does} the key policy, by hand: {json.dumps(key_denial(own.role))}"
        )


def _brake(case: Deployed, session: Session, on: bool) -> tuple[bool, str]:
    """Put the brake on or take it off, and read it back.

    Returns:
        Whether the policy was changed, which it is not if it says so already; and in words what is
        there and not as in the file.

    Raises:
        AwsError: AWS refused, or could not be asked.
        Refused: the policy is not so.
    """
    arn = str(case.brake.resource)
    before = read_policy(session, arn)
    wanted = to_write(case, before, as_of_2012(before), on)
    for index, policy in enumerate(wanted):
        try:
            writing.put_policy(session, arn, policy)
            break
        except AwsError as error:
            if index == len(wanted) - 1 or error.code not in writing.MALFORMED:
                raise
    for _try in range(_TRIES):
        after = as_of_2012(read_policy(session, arn))
        if is_suspended(case, after) is on:
            break
        time.sleep(1)
    else:
        raise Refused(f"the {case.brake.kind} policy was written, but reads as before")
    found = case.brake.drift(kept(case, after), case.wanted(case.brake.kind))
    return bool(wanted), found.in_words(case.entry.settings.account)


def _said(case: Deployed, on: bool, changed: bool, left: str) -> Iterator[str]:
    how = "written and read back" if changed else "it was so already, and was read again"
    if case.brake.kind == "trust":
        words = "CUT OFF: nobody can take on" if on else "LET IN: Pinecone can take on"
        yield f"{words} the role {case.role_arn} (trust policy: {how})"
    else:
        words = "can do nothing with" if on else "is no longer denied"
        state = "CUT OFF" if on else "LET IN"
        yield f"{state}: {case.role_arn} {words} {case.key_arn} (key policy: {how})"
    if left:
        yield f"Kept as it is, though not as in the file; the next deploy undoes it: {left}"


def _grants(case: Deployed, session: Session, ask: Ask) -> Iterator[str]:
    """The grants on the key, which outlive the brake; a vendor has no key."""
    if case.key_arn is None:
        return
    found = read_grants(session, case.key_arn)
    if isinstance(found, Unread):
        raise Refused(
            f"Pinecone's role is cut off, but the grants on the key could not be listed ({found.why}), and a grant "
            f"outlives the suspension. Look yourself: {case.kms('list-grants')}"
        )
    if not found:
        yield "Grants on the key: none"
        return
    yield "Grants on the key, which outlive the suspension (KMS does not show who made them):"
    yield from (f"  {grant_in_words(one)}" for one in found)
    theirs = [one for one in found if _is_revocable(case, one)]
    if theirs and (ask.revoke_grants or _wants_to_revoke(len(theirs))):
        _revoke(case, session, theirs)
        yield f"Revoked: {len(theirs)}"
    elif theirs:
        yield "Not revoked. To do it: the same command with --revoke-grants"


def _is_revocable(case: Deployed, grant: Grant) -> bool:
    """Of a key that serves Pinecone alone each is, of another the role's."""
    return case.entry.settings.key is None or is_ours(case.role_arn, grant)


def _wants_to_revoke(count: int) -> bool:
    try:
        return sys.stdin.isatty() and typer.confirm(f"Revoke {count} of them?")
    except typer.Abort:
        return False


def _revoke(case: Deployed, session: Session, grants: Sequence[Grant]) -> None:
    for grant in grants:
        try:
            writing.revoke_grant(session, str(case.key_arn), grant.id)
        except AwsError as error:
            raise Refused(
                f"Pinecone's role is cut off, but a grant is left, and outlives the suspension: "
                f"{error}. By hand: {case.kms('revoke-grant')} --grant-id {printable(grant.id)}"
            ) from None


def _what_is_left(case: Deployed, on: bool, left: str) -> Iterator[str]:
    name, own = case.entry.name, case.entry.settings
    yield ""
    if on and case.brake.kind == "trust":
        yield "- A session of Pinecone's that runs goes on to its end, an hour at most."
        if own.key is not None:
            denial = json.dumps(key_denial(case.role_arn))
            yield f"  To end it now, add to the policy of your key: {denial}"
        else:
            yield "  A customer ends it at once with Suspended=true in the kit's stack."
    if on:
        yield (
            "- Pinecone goes on with the data keys that it has cached, for some time, which it "
            "does not publish. Then every request to the project's indexes fails. Nothing is lost."
        )
    else:
        yield "- Pinecone works again as soon as it asks the next time: read a record to see it."
    more = "That undoes what was kept." if left else "That changes nothing more."
    yield (
        f"- Commit {FILE} now. The stack is gone; before any deploy: {case.way_back}"
        if case.way_back
        else f"- Commit {FILE} now, and deploy it: npx cdk deploy {name}. {more} A deploy of the "
        f"old file could {'let Pinecone back in' if on else 'cut Pinecone off'}."
    )
    back = f"cmek resume {name}" if on else f'cmek suspend {name} --reason "…"'
    yield f"- The way back: {back}. To see how it stands: cmek doctor {name}"


def _not_done(ask: Ask, why: str, entry: Entry | None = None, case: Deployed | None = None) -> str:
    """What stands where, if it could not be done, and what to do now, the best first."""
    lines = [
        f"PINECONE IS PERHAPS NOT CUT OFF. {FILE} says suspended, but AWS may not do it yet:"
        if ask.on
        else f"PINECONE IS PERHAPS STILL CUT OFF. {FILE} says not suspended, but AWS may do it:",
        f"  {why}",
        "Now, one of:",
        *(f"  {number}. {way}" for number, way in enumerate(_ways(ask, entry, case), 1)),
    ]
    return "\n".join(lines)


def _ways(ask: Ask, entry: Entry | None, case: Deployed | None) -> Iterator[str]:
    name = ask.name
    account = entry.settings.account if entry else "of the stack"
    again = f"cmek {'suspend' if ask.on else 'resume'} {name}"
    if ask.on:
        again += f" --reason {json.dumps(printable(ask.reason), ensure_ascii=False)}"
    yield (
        f"{again} --profile NAME   (or --role ARN: somebody of account {account} who may write "
        "the policy; --help lists the actions. The roles of `cdk bootstrap` may not.)"
    )
    if case is None or case.way_back is None:
        yield (
            f"npx cdk deploy {name} -c only={name} --require-approval never   (minutes, and only "
            f"if the stack was not deleted; then see with `cmek doctor {name}`: it does nothing if "
            f"the last deploy said {'suspended' if ask.on else 'not suspended'} already)"
        )
    own = entry.settings if entry else None
    made_here = own and own.customers is None and own.key is None
    if ask.on and entry and made_here and entry.settings.protect_used_key is None:
        key_arn = case.key_arn if case else identities(entry, {}, _lock_of(entry))[1]
        yield (
            f"aws kms disable-key --region {entry.settings.region} --key-id {key_arn or 'KEY-ARN'}"
            "   (cuts everybody off; enable-key takes it back)"
        )
