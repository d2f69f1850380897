"""`cmek check`: templates judged by the guardrails, without CDK."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from cmek_construct.commands.options import ACCOUNT_OF_TEMPLATES, ACKNOWLEDGE, AS_JSON, TEMPLATES, VENDORS
from cmek_construct.commands.printing import counted, refuse, tell_json, tell_what_to_ask, told
from cmek_construct.guardrails.judging import Judged, guarded
from cmek_construct.policy.sentences import Quoted, visible
from cmek_construct.templates.run import read_run


@told("check")
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
    found, judged = guarded(read_run(paths, account), paths, vendor_role_arn or [], acknowledged)
    if as_json:
        tell_json(list(map(_as_data, judged)))
    else:
        for one in judged:
            yield from _lines(one)
    problems = list(map(str, found.problems))
    roles = [role for one in judged for role in one.roles]
    keys = [key for one in judged for key in one.keys]
    violations = [pair for one in judged for pair in one.found]
    refused = [violation for violation, reason in violations if reason is None]
    if not roles and not keys:
        problems.append("Nothing of Pinecone's was found, so nothing was checked.")
    tell_what_to_ask(found)
    broken = {violation.rule for violation, _ in violations}
    for rule in (one for one in acknowledged if one not in broken):
        typer.echo(f"--acknowledge {rule}: nothing breaks it any more.", err=True)
    if judged:
        typer.echo(
            f"{counted(judged, 'template')}, {counted(roles, 'role')} and "
            f"{counted(keys, 'key')} judged: {counted(refused, 'violation')}.",
            err=as_json,
        )
    if problems or refused:
        refuse(*problems)


def _lines(judged: Judged) -> Iterator[str]:
    """What there is to say of one template, for a person."""
    if not judged.roles and not judged.keys and not judged.found:
        yield f"{judged.template}: nothing of Pinecone's"
        return
    found = f"{counted(judged.roles, 'role')}, {counted(judged.keys, 'key')}"
    yield f"{judged.template}: {found}" + ("" if judged.found else ": nothing wrong")
    for one, reason in judged.found:
        mark = "WRONG" if reason is None else "acknowledged"
        yield f"  {mark} {one.rule}: {Quoted(one.logical_id)}"
        yield f"    {one.what}"
        yield f"    Allows: {one.allows}"
        yield f"    Cure: {one.cure}" if reason is None else f"    Reason: {visible(reason)}"


def _as_data(judged: Judged) -> dict[str, Any]:
    """The same for a machine."""
    shown = ("rule", "logical_id", "what", "allows", "cure")
    found = [{name: getattr(one, name) for name in shown} | {"acknowledged": why} for one, why in judged.found]
    return {"template": judged.template, "roles": judged.roles, "keys": judged.keys, "violations": found}
