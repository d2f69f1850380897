"""What `cmek lock` reads of templates and of AWS, and how it writes cmek.lock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

from cmek_construct import templates
from cmek_construct.aws.objects import Resource, Unread
from cmek_construct.aws.reading import read_key_arn, read_resources, read_role_names
from cmek_construct.aws.session import Asking, Session
from cmek_construct.checks import printable
from cmek_construct.deployment.replacing import replace
from cmek_construct.lock.identity import REPLACING, StackNow, stacks_of
from cmek_construct.lock.model import (
    ANY_ACCOUNT,
    ANY_REGION,
    STACK_NAME,
    Lock,
    LockError,
    Place,
    Stack,
    known,
    stacks_at,
)
from cmek_construct.lock.text import FILE, read, render
from cmek_construct.lock.updating import marked_gone
from cmek_construct.templates.files import NESTED, STACK_SET


def read_templates(paths: Sequence[Path], lock: Lock) -> tuple[list[StackNow], set[str]]:
    """The stacks of these files and cloud assemblies, and which roles and keys are Pinecone's.

    Args:
        paths: template files; or folders that `cdk synth` wrote, stages included.
        lock: what it has is Pinecone's, whatever it looks like.

    Raises:
        LockError: one cannot be read, or nothing of Pinecone's is in any of them.
    """
    for path in paths:
        if not path.exists():
            raise LockError(
                f"{printable(path)}: there is no such file or folder. Run `npx cdk synth` first, "
                "or name template files."
            )
    run = templates.read_run(paths)
    found = templates.find(run, known=known(lock))
    if found.problems:
        raise LockError("\n".join(map(str, found.problems)))
    judged = {*(one.place for one in found.roles), *(one.place for one in found.keys)}
    unread = [one for one in found.unread if one.place.type in REPLACING]
    unread = [one for one in unread if one.place not in judged]
    if unread:
        raise LockError("\n".join(f"{one} Until then it cannot be locked." for one in unread))
    stacks = stacks_of(run)
    tops = {one.top.name for one in stacks}
    ours = {str(one) for one in [*(r.place for r in found.roles), *(k.place for k in found.keys)]}
    if not any(name.startswith(f"{top}/") for top in tops for name in ours):
        names = ", ".join(printable(path) for path in paths)
        raise LockError(f"{names}: it has no role or key of Pinecone's, so there is nothing to do.")
    for one in stacks:
        if not STACK_NAME.fullmatch(one.place.stack):
            raise LockError(
                f"{printable(one.top.template.file)}: a template by itself is locked under the "
                f"name of its file, but {one.place.stack!a} is no name of a stack. Call the file "
                "as the stack, NAME.json."
            )
    return stacks, ours


T = TypeVar("T")


def deployed_names(place: Place, stack: Stack, asking: Asking) -> dict[str, dict[str, str]] | None:
    """What AWS calls each role and key of a stack; read-only. None where there is no such stack.

    Credentials of another account are enough if they may assume the lookup role that
    `cdk bootstrap --trust` made in the account of the stack.

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
        return None
    return dict(_names(session, place, stack, dict(_nested(session, place, held))))


def _known(place: Place, found: T | Unread | None, what: str) -> T:
    if found is None:
        raise LockError(
            f"{place}: {what}: the stack has it, but somebody deleted it. See what is to be done: "
            f"cmek doctor {place.stack}"
        )
    if isinstance(found, Unread):
        advice = "Choose --profile, or leave --deployed out."
        raise LockError(f"{place}: {what}: {found.why}. {advice}")
    return found


def _names(
    session: Session, place: Place, stack: Stack, deployed: dict[str, Resource]
) -> Iterator[tuple[str, dict[str, str]]]:
    sets = {name for name, one in deployed.items() if one.type == STACK_SET}
    for resource, locked in stack.items():
        if locked.identity is None or locked.identity.word not in ("role", "key"):
            continue
        if any(resource.startswith(f"{one}/") for one in sets):
            continue
        own = deployed.get(resource)
        if own is None or own.type != locked.identity.type:
            raise LockError(
                f"{place}: {resource} is locked as {locked.identity.type}, but the deployed stack "
                "has no such resource. Deploy the template that was locked, or lock the one that "
                "is deployed."
            )
        if locked.identity.word == "role":
            role = _known(place, read_role_names(session, own.physical_id), resource)
            _check(place, resource, role["Arn"], f"arn:aws:iam::{place.account}:role/")
            yield resource, role
        else:
            arn = _known(place, read_key_arn(session, own.physical_id), resource)
            _check(place, resource, arn, f"arn:aws:kms:{place.region}:{place.account}:key/")
            yield resource, {"Arn": arn}


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


def _check(place: Place, resource: str, arn: str, start: str) -> None:
    if not arn.startswith(start):
        raise LockError(
            f"{place}: {resource}: AWS says {arn!a}, but that of this stack is {start}…. Check "
            "account, region and credentials."
        )


ATTRIBUTES: Final = ".gitattributes"
_UNION: Final = "merge=union"


def write_lock(file: Path, lock: Lock) -> list[str]:
    """Write a lock, all or nothing of it.

    A new one in a git checkout gets a line in ``.gitattributes``: git then keeps the lines of both
    branches, where it would ask a person to do so.

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
    before, done = read(Path(FILE)), list[str]()
    lock = before
    for place in stacks_at(lock, Place.of(stack, account, region)):
        found = marked_gone(lock, place, "")
        lock, done = found.lock, [*done, *found.done]
    if lock != before:
        write_lock(Path(FILE), lock)
    return [f"{FILE}: {one}" for one in done]


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
