"""`cmek review`: templates read, judged, and put on a page for a reviewer."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import typer

from cmek_construct.checks import printable
from cmek_construct.commands.options import ACCOUNT, ACKNOWLEDGE, TEMPLATES, VENDORS, flag, option
from cmek_construct.commands.printing import counted, refuse, refused, text, told
from cmek_construct.guardrails.judging import guarded, refused_at_synth
from cmek_construct.review.changes import differences
from cmek_construct.review.parts import Template, templates_of
from cmek_construct.templates.run import Run, read_run
from cmek_construct.warnings import GUARDRAILS


def judged(
    run: Run, vendor_role_arns: Sequence[str] = (), acknowledged: Mapping[str, str] | None = None
) -> tuple[list[Template], list[str]]:
    """Templates judged by the guardrails, and what could not be read; the rest is as `guarded` takes it."""
    found, violations = guarded(run, vendor_role_arns, acknowledged or {})
    return templates_of(found, violations), list(map(str, found.problems))


@told()
def review(
    paths: list[Path] = TEMPLATES,
    out: Path | None = option("FILE"),
    against: list[Path] | None = option("OLD"),
    as_markdown: bool = flag("--markdown"),
    acknowledge: list[Any] | None = ACKNOWLEDGE,
    vendor_role_arn: list[str] | None = VENDORS,
    account: str | None = ACCOUNT,
) -> None:
    """Write a page for a security reviewer to read and sign.

    From the templates alone: who reaches what, each statement in plain words beside Pinecone's guide, who can do what,
    and what the guardrails found.
    """
    if as_markdown and not against:
        raise typer.BadParameter("it is for --against alone", param_hint="--markdown")
    roles, reasons, run = vendor_role_arn or [], dict(acknowledge or []), read_run(paths, account)
    new, problems = judged(run, roles, reasons)
    changed = None
    if against:
        old, more = judged(read_run(against, account), roles, reasons)
        problems += more
        changed = differences(old, new)
    elif not problems and not any(one.parts or one.findings for one in new):
        problems = ["Nothing of Pinecone's was found: there is nothing to review."]
    if problems:
        refuse(*problems)
    locked = list(refused_at_synth(run, but=GUARDRAILS))
    for one in locked:
        typer.echo(one, err=True)
    from cmek_construct.review.page import Page, html, markdown  # their engine takes long

    if as_markdown:
        typer.echo(markdown(changed or []), nl=False)
        if out is None:
            return
    page, file = Page(new, version("cmek-construct"), changed, locked), out or Path("review.html")
    shown = printable(file)
    try:
        if file.exists() and not file.read_bytes().startswith(b"<!doctype html>"):
            raise refused("review.j2", "no_page", file=shown)
        file.write_text(html(page), encoding="utf-8", newline="\n")
    except OSError as error:
        raise refused("review.j2", "not_written", file=shown, why=error.strerror) from None
    typer.echo(text("review.j2", "wrote", file=shown, page=page, counted=counted), err=True)
