"""`cmek lock` and `cmek unlock`: what they read of templates and of AWS, and how they write."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final

import typer

from cmek_construct import templates
from cmek_construct.aws.objects import Resource
from cmek_construct.aws.reading import read_key_arn, read_resources, read_role_names
from cmek_construct.aws.session import Asking, AwsError, Session
from cmek_construct.checks import STACK_NAME, printable, within
from cmek_construct.commands.options import PROFILE, TEMPLATES, checked, flag, option
from cmek_construct.commands.printing import in_words, refuse, refused, text, told
from cmek_construct.deployment import writing
from cmek_construct.deployment.reading import text_of
from cmek_construct.guardrails.judging import refused_at_synth
from cmek_construct.health.findings import Refused, known
from cmek_construct.lock.changing import changes, lock_again, marked_gone
from cmek_construct.lock.identity import REPLACING, StackNow, stacks_of
from cmek_construct.lock.text import FILE, Lock, Place, Stack, is_locked, read, render, stacks_at
from cmek_construct.templates.files import NESTED, STACK_SET
from cmek_construct.templates.stacks import ROLE

_FILE: Final = option("FILE", Path(FILE))
_reason: Final = within(
    lambda it: it and it.isprintable(), "it is a line of text that says why: it stays in the file", "Write it in words."
)


@told()
def lock(
    paths: list[Path] = TEMPLATES,
    check: bool = flag("--check"),
    with_deployed: bool = flag("--deployed"),
    asking: Asking = PROFILE,
    beside: bool = flag("--beside"),
    file: Path = _FILE,
) -> Iterator[str]:
    """Lock role and key: what would replace or drop them is refused from then on.

    Writes cmek.lock, which the guardrails read at each synth. Locks what is new and what was unlocked; never changes
    what is locked.
    """
    if asking.profile and not with_deployed:
        raise typer.BadParameter("it is for --deployed alone", param_hint="--profile")
    before = read(file)
    stacks, ours = _read_templates(paths, before)
    changed = [f"{one.what} {one.cure}" for one in changes(before, stacks, str(file), beside=beside, gone=False)]
    if changed:
        refuse(*changed)
    if not any(f"{one.top.name}/{path}" in ours for one in stacks for path in one.resources):
        raise refused("lock.j2", "has_none", files=map(printable, paths))
    for said in refused_at_synth(stacks[0].run, so=", and what is refused is not locked"):
        raise Refused(said)
    after, done, unread = _updated(before, stacks, ours, asking if with_deployed else None)
    if check and done:
        refuse(*done, f"{file} is not up to date: run `cmek lock` and commit it.", *unread)
    if after != before:
        yield from (*done, *_write(file, after), f"Wrote {file}. Read it and commit it.")
    elif not unread:
        yield f"{file} is up to date." if check else f"{file} has all of it already."
    if unread:
        refuse(*unread)


def _read_templates(paths: Sequence[Path], lock: Lock) -> tuple[list[StackNow], set[str]]:
    """The stacks of files and cloud assemblies, and which roles and keys are Pinecone's: all that a lock has."""
    run = templates.read_run(paths)
    found = templates.find(run, known=partial(is_locked, lock))
    unread = [one for one in found.unread if one.place.type in REPLACING and one.place not in found.by_place]
    problems = [*map(str, found.problems)] or [f"{one} Until then it cannot be locked." for one in unread]
    if problems:
        raise Refused("\n".join(problems))
    stacks = stacks_of(run)
    for one in stacks:
        if not STACK_NAME.fullmatch(one.place.stack):
            raise refused("lock.j2", "no_name", file=printable(one.top.template.file), name=one.place.stack)
    return stacks, set(map(str, found.by_place))


def _updated(
    before: Lock, stacks: list[StackNow], ours: set[str], asking: Asking | None
) -> tuple[Lock, list[str], list[str]]:
    """A lock with what templates have, and AWS where it is asked; what changed; and what was not read, and stays so."""
    lock, done, unread = dict(before), list[str](), list[str]()
    places = [one.place for one in stacks]
    for one in stacks:
        for place in stacks_at(lock, one.place, places) or [one.place]:
            stack, said = lock_again(lock.get(place, {}), one, ours)
            try:
                if asking and stack:
                    stack, more = _as_deployed(place, stack, before.get(place, {}), asking)
                    said += more
            except (Refused, AwsError) as error:
                unread.append(f"{place}: {in_words(error, asking)}")
                continue
            if stack:
                lock[place] = stack
            done += [f"{place}: {each}" for each in said]
            if asking and any(each.gone for each in stack.values()):
                unread.append(text("lock.j2", "is_gone", place=place))
    return lock, done, unread


def _as_deployed(place: Place, stack: Stack, before: Stack, asking: Asking) -> tuple[Stack, list[str]]:
    """A stack with what AWS calls each role and key; and what changed."""
    if not place.is_told:
        raise refused("lock.j2", "no_place")
    session = asking.of_stack(place.account, place.region, place.stack)
    held = read_resources(session, place.stack)
    if not held and any(one.deployed for one in stack.values()):
        gone = marked_gone(stack, date.today().isoformat())
        return gone, ["the stack is gone"] if gone != stack else []
    deleted = text("lock.j2", "is_deleted", place=place)
    found = known(held, "the stack", "there is no such stack. Deploy it first.")
    resources = _with_nested(session, found, deleted)
    in_sets = tuple(f"{name}/" for name, one in resources.items() if one.type == STACK_SET)
    named, done = dict(stack), list[str]()
    for resource, locked in stack.items():
        if locked.unlocked or locked.word not in ("role", "key") or resource.startswith(in_sets):
            continue
        if resource not in resources or resources[resource].type != locked.type:
            raise refused("lock.j2", "not_deployed", resource=resource, locked=locked)
        ask: Any = read_role_names if locked.type == ROLE else read_key_arn
        called = known(ask(session, resources[resource].physical_id), resource, f"{resource}: {deleted}")
        names: dict[str, str] = {"Arn": called} if isinstance(called, str) else called
        if locked.deployed == names and not locked.gone:
            continue
        history = locked.history
        unlocked = before[resource].unlocked if resource in before else ()
        for name, value in names.items():
            was = locked.deployed.get(name, value)
            if was != value and not unlocked:
                about = {"place": place, "resource": resource, "name": name, "was": was, "value": value}
                raise refused("lock.j2", "is_another", **about)
            history += tuple(f"{note} (until then {name} {was})" for note in unlocked if was != value)
        named[resource] = replace(locked, deployed=names, history=history, gone="")
        done.append(f"{resource}: {', '.join(names.values())}")
    return named, done


def _with_nested(session: Session, held: list[Resource], deleted: str, within: str = "") -> dict[str, Resource]:
    """The resources of a deployed stack, and of its nested stacks, by their logical IDs."""
    found = {within + one.logical_id: one for one in held}
    for name, one in [*found.items()]:
        if one.type == NESTED:
            inner = known(read_resources(session, one.physical_id), name, f"{name}: {deleted}")
            found |= _with_nested(session, inner, deleted, f"{name}/")
    return found


@told()
def unlock(
    stack: str = typer.Argument(...),
    which: str | None = typer.Argument(None, metavar="RESOURCE"),
    reason: str = checked(_reason, "TEXT", "reason", str.strip, default=...),
    account: str | None = option("DIGITS"),
    region: str | None = option("REGION"),
    file: Path = _FILE,
) -> Iterator[str]:
    """Let the next deploy replace or drop a role or key that is locked.

    The reason and the date stay in the file. The next `cmek lock` locks what is there then.
    """
    before = read(file)
    named = [one for one in before if one.stack == stack]
    places = [one for one in named if account in (None, one.account) and region in (None, one.region)]
    if len(places) != 1:
        names = sorted(map(str, before))
        raise refused("lock.j2", "not_one", file=file, stack=stack, places=sorted(places), names=names)
    [place] = places
    here = before[place]
    meant = [name for name, one in here.items() if not one.unlocked and which in (None, name, one.word)]
    if not meant:
        raise refused("lock.j2", "not_locked", place=place, which=which, here=here)
    note = f"{date.today().isoformat()} {reason}"
    while any(one.startswith(f"{note} (") for name in meant for one in here[name].history):
        note += ", again"  # a note that was made before is no longer in force
    after = {name: replace(here[name], unlocked=(note,), gone="") for name in meant}
    _write(file, {**before, place: {**here, **after}})
    yield from (f"{place}: {name}: unlocked" for name in meant)
    yield f"Wrote {file}. Make the change, run `npx cdk synth` and `cmek lock`, and commit all of it together."


def clear_gone(stack: str, account: str, region: str) -> list[str]:
    """Have the lock in this folder no longer say that a stack is gone, for it is taken back; and what was done."""
    before = read(Path(FILE))
    here = stacks_at(before, Place.of(stack, account, region))
    lock = {**before, **{place: marked_gone(before[place], "") for place in here}}
    if lock != before:
        _write(Path(FILE), lock)
    return [f"{FILE}: {place}: no longer gone" for place in here if lock[place] != before[place]]


def _write(file: Path, lock: Lock) -> list[str]:
    """Write a lock, all or nothing of it, and say what else was written."""
    if file.is_symlink():
        raise refused("lock.j2", "is_link", file=file)
    done = []
    newline = "\r\n" if file.exists() and b"\r\n" in file.read_bytes() else "\n"
    # A new one in a git checkout gets a line in ``.gitattributes``: git then keeps the lines of both branches, where it
    # would ask a person to do so.
    attributes, line = file.absolute().with_name(".gitattributes"), f"{file.name} merge=union"
    in_git = any((folder / ".git").exists() for folder in attributes.parents)
    if in_git and not file.exists() and not attributes.is_symlink():
        before = text_of(attributes) if attributes.exists() else ""
        if not any(one.split()[:1] == [file.name] for one in before.splitlines()):
            writing.replace(attributes, before + ("\n" if before and not before.endswith("\n") else "") + line + "\n")
            done = [f"{attributes.name}: {line} (git keeps the lines of both branches). Commit it as well."]
    writing.replace(file, render(lock).replace("\n", newline))
    return done
