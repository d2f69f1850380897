"""The command line of the lock: `cmek lock` and `cmek unlock`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from cmek_construct.lock import reading
from cmek_construct.lock.model import Lock, LockError, Place, stacks_at
from cmek_construct.lock.updating import Found, Update, deployed, unlock, update
from cmek_construct.operations.locking import deployed as lock_deployed
from cmek_construct.operations.locking import file as lock_file
from cmek_construct.operations.locking import source as lock_source

cli = typer.Typer(rich_markup_mode=None)

CDK_OUT = Path("cdk.out")

File = Annotated[
    Path, typer.Option("--file", metavar="FILE", help="The lock. Default: cmek.lock here.")
]


def _reason(text: str) -> str:
    text = text.strip()
    if not text or not text.isprintable():
        raise typer.BadParameter("it is a line of text that says why: it stays in the file")
    return text


@cli.command("lock")
def lock_command(
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
    file: File = Path(reading.FILE),
) -> None:
    """Lock role and key: what would replace or drop them is refused from then on.

    Writes cmek.lock, which the guardrails read at each synth. Locks what is new and what was
    unlocked; never changes what is locked.
    """
    if profile and not with_deployed:
        raise typer.BadParameter("it is for --deployed alone", param_hint="--profile")
    try:
        lock = reading.read(file)
        stacks = lock_source.read(paths or [CDK_OUT])
        found = update(lock, stacks, beside=beside)
        if found.refused:
            raise LockError(
                "\n".join(f"{one.what(str(file))} {one.cure(str(file))}" for one in found.refused)
            )
        if with_deployed:
            found = _with_deployed(found, lock, stacks, profile)
    except LockError as error:
        _refuse(str(error))
    if check:
        _check(found, file)
    else:
        _write(found, lock, file)


def _with_deployed(found: Update, before: Lock, stacks: list[Found], profile: str | None) -> Update:
    for place in dict.fromkeys(
        at
        for one in stacks
        for at in stacks_at(found.lock, one.place, [each.place for each in stacks])
    ):
        names = lock_deployed.names(place, found.lock[place], profile)
        for resource, own in names.items():
            old = before.get(place, {}).get(resource)
            more = deployed(found.lock, place, resource, own, old.unlocked if old else ())
            found = Update(more.lock, found.done + more.done)
    return found


def _check(found: Update, file: Path) -> None:
    if found.done:
        _refuse("\n".join(found.done), f"{file} is not up to date: run `cmek lock` and commit it.")
    typer.echo(f"{file} is up to date.")


def _write(found: Update, before: Lock, file: Path) -> None:
    for line in found.done:
        typer.echo(line)
    if found.lock == before:
        typer.echo(f"{file} has all of it already.")
        return
    more = lock_file.write(file, found.lock)
    typer.echo("\n".join([*more, f"Wrote {file}. Read it and commit it."]))


@cli.command("unlock")
def unlock_command(
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
    file: File = Path(reading.FILE),
) -> None:
    """Take a role or key out of force: the next deploy may replace or drop it.

    The reason and the date stay in the file. The next `cmek lock` locks what is there then.
    """
    try:
        lock = reading.read(file)
        place = _one_of(lock, stack, account, region, file)
        found = unlock(lock, [place], which, f"{date.today().isoformat()} {reason}")
    except LockError as error:
        _refuse(str(error))
    lock_file.write(file, found.lock)
    for line in found.done:
        typer.echo(line)
    typer.echo(
        f"Wrote {file}. Make the change, run `npx cdk synth` and `cmek lock`, and commit all of it "
        "together."
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


def _refuse(*lines: str) -> NoReturn:
    for line in lines:
        typer.echo(line, err=True)
    raise typer.Exit(1)
