"""The command line of `cmek review`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cmek_construct.checks import printable
from cmek_construct.commands.errors import refuse
from cmek_construct.commands.options import (
    AccountOfTemplates,
    Acknowledge,
    Templates,
    VendorRoles,
)
from cmek_construct.commands.printing import counted

if TYPE_CHECKING:
    from cmek_construct.review.page import Page

_PAGE = "<!doctype html>"
EXIT_CODES = (
    "Exit codes: 0 written, whatever the guardrails found (cmek check is the gate); 1 something "
    "could not be read or written, and nothing is; 2 wrong usage."
)


def review(
    paths: Templates,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The page. Default: review.html; none with --markdown."),
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(metavar="OLD", help="Show what changes from these templates. Repeatable."),
    ] = None,
    as_markdown: Annotated[
        bool,
        typer.Option("--markdown", help="With --against: print what changes, for a pull request."),
    ] = False,
    acknowledge: Acknowledge = None,
    vendor_role_arn: VendorRoles = None,
    account: AccountOfTemplates = None,
) -> None:
    """Write a page for a security reviewer to read and sign.

    From the templates alone: who reaches what, each statement in plain words beside Pinecone's
    guide, who can do what, and what the guardrails found.
    """
    if as_markdown and not against:
        raise typer.BadParameter("it is for --against alone", param_hint="--markdown")
    # Imported where they are needed: they take longer than all else that `cmek` does.
    from cmek_construct.commands.reviewing import read
    from cmek_construct.review.changes import differences
    from cmek_construct.review.render import markdown

    acknowledged = dict(acknowledge or [])
    new = read(paths, vendor_role_arn or [], acknowledged, account)
    old = read(against, vendor_role_arn or [], acknowledged, account) if against else None
    problems = new.problems + (old.problems if old else [])
    if not problems and not any(one.parts or one.findings for one in new.templates) and not old:
        problems = ["Nothing of Pinecone's was found: there is nothing to review."]
    if problems:
        refuse(*problems)
    changed = differences(old.templates, new.templates) if old else None
    if as_markdown and changed is not None:
        typer.echo(markdown(changed), nl=False)
    if out is None and as_markdown:
        return
    _write(new.page(changed), out or Path("review.html"))


def _write(page: Page, file: Path) -> None:
    from cmek_construct.review.render import html

    text = html(page)
    shown = printable(file)
    try:
        if file.exists() and not file.read_bytes().startswith(_PAGE.encode()):
            refuse(f"{shown}: it is there already and is no page of `cmek review`. Give --out.")
        file.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        refuse(f"{shown}: cannot be written: {error.strerror}. Give another file with --out.")
    found = page.open_findings
    said = f"{counted(found, 'violation')} of the guardrails" if found else "all guardrails kept"
    typer.echo(
        f"Wrote {shown}: {counted(page.templates, 'template')}, {len(page.each):,} different; "
        f"{said}. Open it in a browser, read it, print it, sign it.",
        err=True,
    )
