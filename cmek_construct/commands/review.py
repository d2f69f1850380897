"""`cmek check` and `cmek review`: templates judged by the guardrails, for a pipeline and for a reviewer."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import typer

from cmek_construct.checks import printable
from cmek_construct.commands.options import ACCOUNT_OF_TEMPLATES, ACKNOWLEDGE, AS_JSON, TEMPLATES, VENDORS, flag, option
from cmek_construct.commands.printing import counted, refuse, shown, tell_what_to_ask, told
from cmek_construct.guardrails.judging import guarded, refused_at_synth
from cmek_construct.policy.words import Quoted, visible
from cmek_construct.review.changes import differences
from cmek_construct.review.parts import Template, by, templates_of
from cmek_construct.templates.run import Run, read_run
from cmek_construct.warnings import GUARDRAILS

_SHOWN: Final = {name: name for name in ("rule", "logical_id", "what", "allows", "cure")} | {"acknowledged": "meant"}
"""Of a violation, for a machine."""


@told()
def check(
    paths: list[Path] = TEMPLATES,
    acknowledge: list[Any] | None = ACKNOWLEDGE,
    vendor_role_arn: list[str] | None = VENDORS,
    account: str | None = ACCOUNT_OF_TEMPLATES,
    as_json: bool = AS_JSON,
) -> Iterator[str]:
    """Judge templates by the guardrails, without CDK.

    Fails for what says more than Pinecone's guide, for what cannot be read, and where nothing of Pinecone's is in any
    of them.
    """
    acknowledged: dict[str, str] = dict(acknowledge or [])
    run = read_run(paths, account)
    found, violations = guarded(run, vendor_role_arn or [], acknowledged)
    every: list[Sequence[Any]] = [found.roles, found.keys, violations]
    roles, keys, wrong = (by(some, lambda one: one.place.stack) for some in every)
    stacks: list[dict[str, Any]] = [
        {
            "template": stack.template.name,
            "roles": [one.place.logical_id for one in roles.get(stack, ())],
            "keys": [one.place.logical_id for one in keys.get(stack, ())],
            "violations": [{name: getattr(one, own) for name, own in _SHOWN.items()} for one in wrong.get(stack, ())],
        }
        for stack in found.run.stacks
    ]
    yield from shown(as_json, lambda: stacks, (line for one in stacks for line in _lines(**one)))
    problems = [*map(str, found.problems), *refused_at_synth(run, but=GUARDRAILS)]
    refused = [one for one in violations if one.meant is None]
    if not found.roles and not found.keys:
        problems.append("Nothing of Pinecone's was found, so nothing was checked.")
    tell_what_to_ask(found)
    broken = {one.rule for one in violations}
    for rule in (one for one in acknowledged if one not in broken):
        typer.echo(f"--acknowledge {rule}: nothing breaks it any more.", err=True)
    if stacks:
        typer.echo(
            f"{counted(stacks, 'template')}, {counted(found.roles, 'role')} and "
            f"{counted(found.keys, 'key')} judged: {counted(refused, 'violation')}.",
            err=as_json,
        )
    if problems or refused:
        refuse(*problems)


def _lines(template: str, roles: list[str], keys: list[str], violations: list[dict[str, Any]]) -> Iterator[str]:
    """What there is to say of one template, for a person."""
    if not roles and not keys and not violations:
        yield f"{template}: nothing of Pinecone's"
        return
    yield f"{template}: {counted(roles, 'role')}, {counted(keys, 'key')}" + ("" if violations else ": nothing wrong")
    for one in violations:
        meant = one["acknowledged"]
        yield f"  {'WRONG' if meant is None else 'acknowledged'} {one['rule']}: {Quoted(one['logical_id'])}"
        yield f"    {one['what']}"
        yield f"    Allows: {one['allows']}"
        yield f"    Cure: {one['cure']}" if meant is None else f"    Reason: {visible(meant)}"


def judged(
    run: Run, vendor_role_arns: Sequence[str] = (), acknowledged: Mapping[str, str] | None = None
) -> tuple[list[Template], list[str]]:
    """Templates judged by the guardrails, and what could not be read; the rest is as `guarded` takes it."""
    found, violations = guarded(run, vendor_role_arns, acknowledged or {})
    return templates_of(found, violations, vendor_role_arns), list(map(str, found.problems))


@told(
    epilog="Exit codes: 0 written, whatever the guardrails found (cmek check is the gate); 1 something "
    "could not be read or written, and nothing is; 2 wrong usage.",
)
def review(
    paths: list[Path] = TEMPLATES,
    out: Path | None = option("FILE", "The page. Default: review.html; none with --markdown."),
    against: list[Path] | None = option("OLD", "Show what changes from these templates. Repeatable."),
    as_markdown: bool = flag("--markdown", "With --against: print what changes, for a pull request."),
    acknowledge: list[Any] | None = ACKNOWLEDGE,
    vendor_role_arn: list[str] | None = VENDORS,
    account: str | None = ACCOUNT_OF_TEMPLATES,
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
    refused = list(refused_at_synth(run, but=GUARDRAILS))
    for one in refused:
        typer.echo(one, err=True)
    from cmek_construct.review.page import Page, html, markdown  # their engine takes long

    if as_markdown:
        typer.echo(markdown(changed or []), nl=False)
        if out is None:
            return
    page, file = Page(new, version("cmek-construct"), changed, refused), out or Path("review.html")
    place, found = printable(file), page.open_findings
    try:
        if file.exists() and not file.read_bytes().startswith(b"<!doctype html>"):
            refuse(f"{place}: it is there already and is no page of `cmek review`. Give --out.")
        file.write_text(html(page), encoding="utf-8", newline="\n")
    except OSError as error:
        refuse(f"{place}: cannot be written: {error.strerror}. Give another file with --out.")
    kept = "refused by the lock" if refused else "all guardrails kept"
    said = f"{counted(found, 'violation')} of the guardrails" if found else kept
    typer.echo(
        f"Wrote {place}: {counted(page.templates, 'template')}, {counted(page.each, 'text')} to read; "
        f"{said}. Open it in a browser, read it, print it, sign it.",
        err=True,
    )
