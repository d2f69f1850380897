"""`cmek suspend` and `cmek resume`: the file first, then AWS, then what is left to do.

The file goes first both ways: no later deploy can undo a suspension, and a resumption that stops
halfway leaves Pinecone out while the file says in, which is safe; the reverse would let Pinecone
in while the file says out. Run again, either comes to its end.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import typer

from cmek_construct.checks import printable
from cmek_construct.deployment import documents
from cmek_construct.deployment.reading import ConfigError, Entry, read_entries
from cmek_construct.guide import key_denial
from cmek_construct.operations.doctor.key import grant_in_words
from cmek_construct.operations.doctor.words import Case
from cmek_construct.operations.suspending import grants as brake_grants
from cmek_construct.operations.suspending.account import case_of, writing_session
from cmek_construct.operations.suspending.brake import Braked, BrakeError, set_brake
from cmek_construct.operations.writing import FILE, set_flag


class SuspendError(Exception):
    """Not all is done. The message says what is, and what to do now."""


@dataclass(frozen=True)
class Ask:
    """What was asked for, and with which credentials."""

    name: str
    reason: str
    profile: str | None = None
    role: str | None = None
    revoke_grants: bool = False


def run(ask: Ask, on: bool) -> Iterator[str]:
    """Suspend or resume one stack; the lines say what is done, as it is done.

    Raises:
        ConfigError: cmek.yaml has mistakes, or the setting cannot be written; AWS was not asked.
        SuspendError: AWS refused, or cannot be asked.
    """
    entry = _entry(ask.name)
    _refuse_in_vain(entry, on)
    changed = set_flag(ask.name, "suspended", on, ask.reason)
    word = str(on).lower()
    yield f"{FILE}: {ask.name}: {'' if changed else 'already '}suspended: {word}"
    entry = _entry(ask.name)
    case = None
    try:
        session = writing_session(entry, ask.profile, ask.role)
        case, changing = case_of(entry, session, ask.profile)
        done = set_brake(case, session, on)
    except BrakeError as error:
        raise SuspendError(not_done(ask, on, f"{error}.", entry, case)) from None
    yield from _done(case, done, on)
    if changing:
        yield (
            f"A DEPLOY IS RUNNING ({changing}), and may write the policy of the file that it began "
            "with. Run this again when it has ended."
        )
    if on:
        yield from _grants(case, session, ask)
    yield from _what_is_left(case, done, on)


def _entry(name: str) -> Entry:
    found = [entry for entry in read_entries(FILE, only=name) if entry.name == name]
    if not found:
        raise ConfigError(f"{FILE}: stacks: got {name!r}, but this takes one name. Name one stack.")
    return found[0]


def _refuse_in_vain(entry: Entry, on: bool) -> None:
    own = entry.settings
    if own.role and own.key:
        does = "Add to" if on else "Take out of"
        raise SuspendError(
            f"{entry.name}: role and key are both given by ARN, and their policies are yours. "
            f"{does} the key policy, by hand: {json.dumps(key_denial(own.role))}"
        )


def _done(case: Case, done: Braked, on: bool) -> Iterator[str]:
    how = "written and read back" if done.changed else "it was so already, and was read again"
    by_trust = documents.is_suspended_by_trust(case.entry.settings)
    if by_trust:
        words = "CUT OFF: nobody can take on" if on else "LET IN: Pinecone can take on"
        yield f"{words} the role {case.role_arn} ({done.what}: {how})"
    else:
        words = "can do nothing with" if on else "is no longer denied"
        state = "CUT OFF" if on else "LET IN"
        yield f"{state}: {case.role_arn} {words} {case.key_arn} ({done.what}: {how})"
    if done.kept:
        yield f"Kept as it is, though not as in the file; the next deploy undoes it: {done.kept}"


def _grants(case: Case, session: Any, ask: Ask) -> Iterator[str]:
    try:
        found = brake_grants.grants_of(case, session)
        if not found:
            if case.key_arn is not None:
                yield "Grants on the key: none"
            return
        yield "Grants on the key, which outlive the suspension (KMS does not show who made them):"
        yield from (f"  {grant_in_words(one)}" for one in found)
        theirs = brake_grants.revocable(case, found)
        if theirs and (ask.revoke_grants or _wants_to_revoke(len(theirs))):
            brake_grants.revoke(case, session, theirs)
            yield f"Revoked: {len(theirs)}"
        elif theirs:
            yield "Not revoked. To do it: the same command with --revoke-grants"
    except BrakeError as error:
        raise SuspendError(f"Pinecone's role is cut off, but {error}") from None


def _wants_to_revoke(count: int) -> bool:
    return sys.stdin.isatty() and typer.confirm(f"Revoke {count} of them?")


def _what_is_left(case: Case, done: Braked, on: bool) -> Iterator[str]:
    name, own = case.entry.name, case.entry.settings
    yield ""
    if on and documents.is_suspended_by_trust(own):
        yield "- A session of Pinecone's that runs goes on to its end, an hour at most."
        if own.key is not None:
            denial = json.dumps(key_denial(case.role_arn))
            yield f"  To end it now, add to the policy of your key: {denial}"
        else:
            yield "  A customer ends it at once with Suspended=true in the kit's stack."
    if on:
        yield (
            "- Pinecone's cached data keys live about 15 minutes more. Then every request to the "
            "project's indexes fails. Nothing is lost."
        )
    else:
        yield "- Pinecone works again as soon as it asks the next time: read a record to see it."
    more = "That undoes what was kept." if done.kept else "That changes nothing more."
    yield (
        f"- Commit {FILE} now. The stack is gone; before any deploy: {case.way_back}"
        if case.way_back
        else f"- Commit {FILE} now, and deploy it: npx cdk deploy {name}. {more} A deploy of the "
        f"old file could {'let Pinecone back in' if on else 'cut Pinecone off'}."
    )
    back = f"cmek resume {name}" if on else f'cmek suspend {name} --reason "…"'
    yield f"- The way back: {back}. To see how it stands: cmek doctor {name}"


def not_done(
    ask: Ask, on: bool, why: str, entry: Entry | None = None, case: Case | None = None
) -> str:
    """What stands where, if it could not be done, and what to do now, the best first."""
    name = ask.name
    account = entry.settings.account if entry else "of the stack"
    again = f"cmek {'suspend' if on else 'resume'} {name}"
    if on:
        again += f" --reason {json.dumps(printable(ask.reason), ensure_ascii=False)}"
    ways = [
        f"{again} --profile NAME   (or --role ARN: somebody of account {account} who may write "
        "the policy; --help lists the actions. The roles of `cdk bootstrap` may not.)"
    ]
    if case is None or case.way_back is None:
        ways.append(
            f"npx cdk deploy {name} -c only={name} --require-approval never   (minutes, and only "
            f"if the stack was not deleted; then see with `cmek doctor {name}`: it does nothing if "
            f"the last deploy said {'suspended' if on else 'not suspended'} already)"
        )
    if on and entry and entry.settings.customers is None and entry.settings.key is None:
        ways.append(
            f"aws kms disable-key --region {entry.settings.region} --key-id KEY-ARN   (cuts "
            "everybody off; enable-key takes it back)"
        )
    lines = [
        f"PINECONE IS PERHAPS NOT CUT OFF. {FILE} says suspended, but AWS may not do it yet:"
        if on
        else f"PINECONE IS PERHAPS STILL CUT OFF. {FILE} says not suspended, but AWS may do it:",
        f"  {why}",
        "Now, one of:",
        *(f"  {number}. {way}" for number, way in enumerate(ways, 1)),
    ]
    return "\n".join(lines)
