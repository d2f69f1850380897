"""The command line of the lock: `cmek lock` and `cmek unlock`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from cmek_construct.aws.session import Asking, AwsError
from cmek_construct.commands.errors import in_words, refusals, refuse
from cmek_construct.commands.locking import deployed_names, read_templates, write_lock
from cmek_construct.lock import updating
from cmek_construct.lock.identity import StackNow
from cmek_construct.lock.model import Lock, LockError, Place, Stack, stacks_at
from cmek_construct.lock.refusing import changes
from cmek_construct.lock.text import FILE, read
from cmek_construct.lock.updating import Update, deployed, marked_gone, update

CDK_OUT = Path("cdk.out")

File = Annotated[
    Path, typer.Option("--file", metavar="FILE", help="The lock. Default: cmek.lock here.")
]


def _reason(text: str) -> str:
    text = text.strip()
    if not text or not text.isprintable():
        raise typer.BadParameter("it is a line of text that says why: it stays in the file")
    return text


def lock(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="TEMPLATE…",
            help="Folders of `cdk synth`, or template files. Default: cdk.out.",
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 if there is anything to do.")
    ] = False,
    with_deployed: Annotated[
        bool,
        typer.Option("--deployed", help="Ask AWS for the ARNs and the role's unique ID, and lock."),
    ] = False,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="With --deployed: AWS profile to ask with.")
    ] = None,
    beside: Annotated[
        bool,
        typer.Option(
            "--beside", help="A stack that is locked in another account or region is one more."
        ),
    ] = False,
    file: File = Path(FILE),
) -> None:
    """Lock role and key: what would replace or drop them is refused from then on.

    Writes cmek.lock, which the guardrails read at each synth. Locks what is new and what was
    unlocked; never changes what is locked.
    """
    if profile and not with_deployed:
        raise typer.BadParameter("it is for --deployed alone", param_hint="--profile")
    with refusals("lock"):
        before = read(file)
        stacks, ours = read_templates(paths or [CDK_OUT], before)
        refused = [*changes(before, stacks, str(file), beside=beside)]
        if refused:
            refuse(*(f"{one.what} {one.cure}" for one in refused))
        found, unread = update(before, stacks, ours), list[str]()
        if with_deployed:
            found, unread = _with_deployed(found, before, stacks, Asking("lock", profile))
        if check and found.done:
            stale = f"{file} is not up to date: run `cmek lock` and commit it."
            refuse(*found.done, stale, *unread)
        if found.lock != before:
            more = write_lock(file, found.lock)
            typer.echo("\n".join([*found.done, *more, f"Wrote {file}. Read it and commit it."]))
        elif not unread:
            typer.echo(f"{file} is up to date." if check else f"{file} has all of it already.")
    if unread:
        refuse(*unread)


def _with_deployed(
    found: Update, before: Lock, stacks: list[StackNow], asking: Asking
) -> tuple[Update, list[str]]:
    """With what AWS calls role and key, stack by stack; and what could not be read, in words."""
    places, unread = [one.place for one in stacks], []
    for place in dict.fromkeys(at for one in places for at in stacks_at(found.lock, one, places)):
        try:
            more = _of_aws(found.lock, place, before.get(place, {}), asking)
        except (LockError, AwsError) as error:
            unread.append(
                in_words(error, "lock", str(place)) if isinstance(error, AwsError) else str(error)
            )
            found = _without(found, before, place)
            continue
        found = Update(more.lock, found.done + more.done)
        if any(one.gone for one in found.lock[place].values()):
            unread.append(
                f"{place}: the stack is gone, and {FILE} says so: take role and key back before "
                f"any deploy (`cmek doctor {place.stack}` says how; in an app of your own, `cmek "
                f"unlock {place.stack}`, `npx cdk import {place.stack}`, and this again)."
            )
    return found, unread


def _without(found: Update, before: Lock, place: Place) -> Update:
    """An update that leaves one stack as it was."""
    done = [one for one in found.done if not one.startswith(f"{place}: ")]
    others = {at: one for at, one in found.lock.items() if at != place}
    return Update({**others, **{at: before[at] for at in before if at == place}}, done)


def _of_aws(lock: Lock, place: Place, before: Stack, asking: Asking) -> Update:
    names = deployed_names(place, lock[place], asking)
    if names is None:
        if not any(one.deployed for one in lock[place].values()):
            raise LockError(f"{place}: there is no such stack. Deploy it first.")
        return marked_gone(lock, place, date.today().isoformat())
    found = Update(lock)
    for resource, own in names.items():
        old = before.get(resource)
        more = deployed(found.lock, place, resource, own, old.unlocked if old else ())
        found = Update(more.lock, found.done + more.done)
    return found


def unlock(
    stack: Annotated[str, typer.Argument(help="Name of the stack.")],
    which: Annotated[
        str | None,
        typer.Argument(
            metavar="RESOURCE",
            help="Its logical ID as in the lock; or role, or key. Default: all of the stack.",
        ),
    ] = None,
    reason: Annotated[
        str,
        typer.Option(parser=_reason, metavar="TEXT", help="Why. It stays in the file."),
    ] = ...,  # type: ignore[assignment]
    account: Annotated[
        str | None,
        typer.Option(metavar="DIGITS", help="If the name is locked in several."),
    ] = None,
    region: Annotated[
        str | None, typer.Option(metavar="REGION", help="If the name is locked in several.")
    ] = None,
    file: File = Path(FILE),
) -> None:
    """Take a role or key out of force: the next deploy may replace or drop it.

    The reason and the date stay in the file. The next `cmek lock` locks what is there then.
    """
    with refusals("lock"):
        before = read(file)
        place = _one_of(before, stack, account, region, file)
        found = updating.unlock(before, place, which, f"{date.today().isoformat()} {reason}")
        write_lock(file, found.lock)
    typer.echo(
        "\n".join(found.done) + f"\nWrote {file}. Make the change, run `npx cdk synth` and `cmek "
        "lock`, and commit all of it together."
    )


def _one_of(lock: Lock, stack: str, account: str | None, region: str | None, file: Path) -> Place:
    places = [
        one
        for one in lock
        if one.stack == stack and account in (None, one.account) and region in (None, one.region)
    ]
    if not places:
        known = ", ".join(sorted(map(str, lock))) or "nothing"
        raise LockError(f"{file}: got {stack!a}, but it has {known}. Check the name.")
    if len(places) > 1:
        raise LockError(
            f"{file}: {stack} is locked as {', '.join(map(str, sorted(places)))}. Say which, with "
            "--account and --region."
        )
    return places[0]
