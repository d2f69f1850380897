"""`cmek lock` and `cmek unlock`: what they read of templates and of AWS, and how they write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer

from cmek_construct import templates
from cmek_construct.aws.objects import Resource, Unread
from cmek_construct.aws.reading import read_key_arn, read_resources, read_role_names
from cmek_construct.aws.session import Asking, AwsError, Session
from cmek_construct.checks import STACK_NAME, printable
from cmek_construct.commands.options import Templates, flag, option
from cmek_construct.commands.printing import in_words, refusals, refuse, tell
from cmek_construct.deployment.writing import replace
from cmek_construct.lock import changing
from cmek_construct.lock.changing import changes, deployed, lock_again, marked_gone
from cmek_construct.lock.identity import REPLACING, StackNow, stacks_of
from cmek_construct.lock.text import (
    ANY_ACCOUNT,
    ANY_REGION,
    FILE,
    Identity,
    Lock,
    LockError,
    Place,
    Stack,
    known,
    read,
    render,
    stacks_at,
)
from cmek_construct.templates.files import NESTED, STACK_SET

ATTRIBUTES: Final = ".gitattributes"
_UNION: Final = "merge=union"
T = TypeVar("T")

File = Annotated[Path, typer.Option("--file", metavar="FILE", help="The lock. Default: cmek.lock here.")]


def _reason(text: str) -> str:
    text = text.strip()
    if not text or not text.isprintable():
        raise typer.BadParameter("it is a line of text that says why: it stays in the file")
    return text


def lock(
    paths: Templates,
    check: Annotated[bool, flag("--check", "Write nothing; exit code 1 if there is anything to do.")] = False,
    with_deployed: Annotated[
        bool, flag("--deployed", "Ask AWS for the ARNs and the role's unique ID, and lock.")
    ] = False,
    profile: Annotated[str | None, option("NAME", "With --deployed: AWS profile to ask with.")] = None,
    beside: Annotated[
        bool, flag("--beside", "A stack that is locked in another account or region is one more.")
    ] = False,
    file: File = Path(FILE),
) -> None:
    """Lock role and key: what would replace or drop them is refused from then on.

    Writes cmek.lock, which the guardrails read at each synth. Locks what is new and what was unlocked; never changes
    what is locked.
    """
    if profile and not with_deployed:
        raise typer.BadParameter("it is for --deployed alone", param_hint="--profile")
    with refusals("lock"):
        before = read(file)
        stacks, ours = read_templates(paths, before)
        refused = [*changes(before, stacks, str(file), beside=beside)]
        if refused:
            refuse(*(f"{one.what} {one.cure}" for one in refused))
        after, done, unread = _updated(before, stacks, ours, Asking("lock", profile) if with_deployed else None)
        if check and done:
            refuse(*done, f"{file} is not up to date: run `cmek lock` and commit it.", *unread)
        if after != before:
            more = write_lock(file, after)
            tell([*done, *more, f"Wrote {file}. Read it and commit it."])
        elif not unread:
            typer.echo(f"{file} is up to date." if check else f"{file} has all of it already.")
    if unread:
        refuse(*unread)


def _updated(
    before: Lock, stacks: list[StackNow], ours: set[str], asking: Asking | None
) -> tuple[Lock, list[str], list[str]]:
    """A lock with what templates have, and AWS where it is asked; what changed; and what could not be read, in words.

    A stack that cannot be read stays as it was.
    """
    lock, done, unread = dict(before), list[str](), list[str]()
    places = [one.place for one in stacks]
    for one in stacks:
        for place in stacks_at(lock, one.place, places) or [one.place]:
            stack, said = lock_again(lock.get(place, {}), one, ours)
            try:
                if asking and stack:
                    stack, more = _of_aws(place, stack, before.get(place, {}), asking)
                    said += more
            except (LockError, AwsError) as error:
                unread.append(in_words(error, "lock", str(place)) if isinstance(error, AwsError) else str(error))
                continue
            if stack:
                lock[place] = stack
            done += [f"{place}: {each}" for each in said]
            if asking and any(each.gone for each in stack.values()):
                unread.append(
                    f"{place}: the stack is gone, and {FILE} says so: take role and key back before "
                    f"any deploy (`cmek doctor {place.stack}` says how; in an app of your own, `cmek "
                    f"unlock {place.stack}`, `npx cdk import {place.stack}`, and this again)."
                )
    return lock, done, unread


def _of_aws(place: Place, stack: Stack, before: Stack, asking: Asking) -> tuple[Stack, list[str]]:
    """A stack with what AWS calls each role and key; and what changed.

    Credentials of another account are enough if they may assume the lookup role that `cdk bootstrap --trust` made in
    the account of the stack.

    Raises:
        LockError: the stack is not deployed as it is locked.
        AwsError: AWS cannot be asked.
    """
    if place.account == ANY_ACCOUNT or place.region == ANY_REGION:
        raise LockError(
            f"{place}: its template says neither account nor region, so nobody can tell which "
            "deployed stack it is. Give the stack an env, or leave --deployed out."
        )
    session = asking.reading(place.account, place.region, place.stack)
    held = read_resources(session, place.stack)
    if held is None:
        if not any(one.deployed for one in stack.values()):
            raise LockError(f"{place}: there is no such stack. Deploy it first.")
        gone = marked_gone(stack, date.today().isoformat())
        return gone, ["the stack is gone"] if gone != stack else []
    resources = dict(_nested(session, place, held))
    named, done = dict(stack), list[str]()
    for resource, locked in stack.items():
        names = _names(session, place, resource, locked.identity, resources) if locked.in_force else None
        if names and (locked.deployed != names or locked.gone):
            unlocked = before[resource].unlocked if resource in before else ()
            again = f"cmek unlock {place.stack} {resource}"
            named[resource] = deployed(locked, names, unlocked, f"{place}: {resource}", again)
            done.append(f"{resource}: {', '.join(names.values())}")
    return named, done


def _names(
    session: Session, place: Place, resource: str, identity: Identity, held: dict[str, Resource]
) -> dict[str, str] | None:
    """What AWS calls a role or key; None of what is neither, or within a stack set."""
    around = [resource[:at] for at, one in enumerate(resource) if one == "/"]
    if identity.word not in ("role", "key") or any(one in held and held[one].type == STACK_SET for one in around):
        return None
    own = held.get(resource)
    if own is None or own.type != identity.type:
        raise LockError(
            f"{place}: {resource} is locked as {identity.type}, but the deployed stack has no such "
            "resource. Deploy the template that was locked, or lock the one that is deployed."
        )
    if identity.word == "role":
        names = _known(place, read_role_names(session, own.physical_id), resource)
        start = f"arn:aws:iam::{place.account}:role/"
    else:
        names = {"Arn": _known(place, read_key_arn(session, own.physical_id), resource)}
        start = f"arn:aws:kms:{place.region}:{place.account}:key/"
    if not names["Arn"].startswith(start):
        raise LockError(
            f"{place}: {resource}: AWS says {names['Arn']!a}, but that of this stack is {start}…. Check "
            "account, region and credentials."
        )
    return names


def _nested(
    session: Session, place: Place, held: list[Resource] | Unread, within: str = ""
) -> Iterator[tuple[str, Resource]]:
    """The resources of a deployed stack, and of its nested stacks."""
    for resource in _known(place, held, "the stack"):
        name = within + resource.logical_id
        yield name, resource
        if resource.type == NESTED:
            inner = _known(place, read_resources(session, resource.physical_id), name)
            yield from _nested(session, place, inner, f"{name}/")


def _known(place: Place, found: T | Unread | None, what: str) -> T:
    if found is None:
        raise LockError(
            f"{place}: {what}: the stack has it, but somebody deleted it. See what is to be done: "
            f"cmek doctor {place.stack}"
        )
    if isinstance(found, Unread):
        raise LockError(f"{place}: {what}: {found.why}. Choose --profile, or leave --deployed out.")
    return found


def unlock(
    stack: Annotated[str, typer.Argument(help="Name of the stack.")],
    which: Annotated[
        str | None,
        typer.Argument(
            metavar="RESOURCE", help="Its logical ID as in the lock; or role, or key. Default: all of the stack."
        ),
    ] = None,
    reason: Annotated[str, typer.Option(parser=_reason, metavar="TEXT", help="Why. It stays in the file.")] = ...,  # type: ignore[assignment]
    account: Annotated[str | None, option("DIGITS", "If the name is locked in several.")] = None,
    region: Annotated[str | None, option("REGION", "If the name is locked in several.")] = None,
    file: File = Path(FILE),
) -> None:
    """Let the next deploy replace or drop a role or key that is locked.

    The reason and the date stay in the file. The next `cmek lock` locks what is there then.
    """
    with refusals("lock"):
        before = read(file)
        places = [
            one
            for one in before
            if one.stack == stack and account in (None, one.account) and region in (None, one.region)
        ]
        if not places:
            names = ", ".join(sorted(map(str, before))) or "nothing"
            raise LockError(f"{file}: got {stack!a}, but it has {names}. Check the name.")
        if len(places) > 1:
            raise LockError(
                f"{file}: {stack} is locked as {', '.join(map(str, sorted(places)))}. Say which, with "
                "--account and --region."
            )
        [place] = places
        found, done = changing.unlock(before[place], place, which, f"{date.today().isoformat()} {reason}")
        write_lock(file, {**before, place: found})
    unlocked = "".join(f"{place}: {one}: unlocked\n" for one in done)
    typer.echo(
        f"{unlocked}Wrote {file}. Make the change, run `npx cdk synth` and `cmek lock`, and commit all of it together."
    )


def read_templates(paths: Sequence[Path], lock: Lock) -> tuple[list[StackNow], set[str]]:
    """The stacks of these files and cloud assemblies, and which roles and keys are Pinecone's.

    Args:
        paths: template files; or folders that `cdk synth` wrote, stages included.
        lock: what it has is Pinecone's, whatever it looks like.

    Raises:
        LockError: one cannot be read, or nothing of Pinecone's is in any of them.
    """
    run = templates.read_run(paths)
    found = templates.find(run, known=known(lock))
    if found.problems:
        raise LockError("\n".join(map(str, found.problems)))
    judged = {*(one.place for one in found.roles), *(one.place for one in found.keys)}
    unread = [one for one in found.unread if one.place.type in REPLACING and one.place not in judged]
    if unread:
        raise LockError("\n".join(f"{one} Until then it cannot be locked." for one in unread))
    stacks = stacks_of(run)
    if not {one.stack.top.name for one in judged} & {one.top.name for one in stacks}:
        names = ", ".join(printable(path) for path in paths)
        raise LockError(f"{names}: it has no role or key of Pinecone's, so there is nothing to do.")
    for one in stacks:
        if not STACK_NAME.fullmatch(one.place.stack):
            raise LockError(
                f"{printable(one.top.template.file)}: a template by itself is locked under the name of its file, but "
                f"{one.place.stack!a} is no name of a stack. Call the file as the stack, NAME.json."
            )
    return stacks, set(map(str, judged))


def write_lock(file: Path, lock: Lock) -> list[str]:
    """Write a lock, all or nothing of it.

    A new one in a git checkout gets a line in ``.gitattributes``: git then keeps the lines of both branches, where it
    would ask a person to do so.

    Returns:
        What else was written.

    Raises:
        LockError: it is a symbolic link.
    """
    if file.is_symlink():
        raise LockError(
            f"{file}: it is a symbolic link, and those are not written through. Name the file "
            f"itself: --file {file.resolve()}."
        )
    done = [] if file.exists() else _declare(file.absolute())
    newline = "\r\n" if file.exists() and b"\r\n" in file.read_bytes() else "\n"
    replace(file, render(lock).replace("\n", newline))
    return done


def clear_gone(stack: str, account: str, region: str) -> list[str]:
    """Have the lock in this folder no longer say that a stack is gone: it is taken back.

    Returns:
        What was done.
    """
    before = read(Path(FILE))
    gone = stacks_at(before, Place.of(stack, account, region))
    lock = {**before, **{place: marked_gone(before[place], "") for place in gone}}
    if lock != before:
        write_lock(Path(FILE), lock)
    return [f"{FILE}: {place}: no longer gone" for place in gone if lock[place] != before[place]]


def _declare(path: Path) -> list[str]:
    attributes = path.with_name(ATTRIBUTES)
    in_git = any((folder / ".git").exists() for folder in path.parents)
    if not in_git or attributes.is_symlink():
        return []
    text = attributes.read_bytes().decode("utf-8") if attributes.exists() else ""
    if any(line.split()[:1] == [path.name] for line in text.splitlines()):
        return []
    line = f"{path.name} {_UNION}"
    replace(attributes, text + ("\n" if text and not text.endswith("\n") else "") + line + "\n")
    return [f"{ATTRIBUTES}: {line} (git keeps the lines of both branches). Commit it as well."]
