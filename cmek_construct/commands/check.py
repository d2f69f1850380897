"""`cmek check`: templates judged by the guardrails, without CDK."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import typer

from cmek_construct.commands.options import ACCOUNT_OF_TEMPLATES, ACKNOWLEDGE, AS_JSON, TEMPLATES, VENDORS
from cmek_construct.commands.printing import counted, refuse, tell_json, tell_what_to_ask, told
from cmek_construct.guardrails.judging import guarded, refused_at_synth
from cmek_construct.guardrails.rule import Violation
from cmek_construct.policy.words import Quoted, visible
from cmek_construct.templates.found import Found, Resource
from cmek_construct.templates.run import read_run
from cmek_construct.templates.stacks import Stack
from cmek_construct.warnings import GUARDRAILS

_SHOWN: Final = {name: name for name in ("rule", "logical_id", "what", "allows", "cure")} | {"acknowledged": "meant"}
"""Of a violation, for a machine."""


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
    run = read_run(paths, account)
    found, violations = guarded(run, vendor_role_arn or [], acknowledged)
    roles, keys, wrong = (_by_stack(found, some) for some in (found.roles, found.keys, violations))
    judged = [(stack.template.name, roles[stack], keys[stack], wrong[stack]) for stack in found.run.stacks]
    if as_json:
        tell_json([_as_data(*one) for one in judged])
    else:
        for one in judged:
            yield from _lines(*one)
    problems = [*map(str, found.problems), *refused_at_synth(run, but=GUARDRAILS)]
    refused = [one for one in violations if one.meant is None]
    if not found.roles and not found.keys:
        problems.append("Nothing of Pinecone's was found, so nothing was checked.")
    tell_what_to_ask(found)
    broken = {one.rule for one in violations}
    for rule in (one for one in acknowledged if one not in broken):
        typer.echo(f"--acknowledge {rule}: nothing breaks it any more.", err=True)
    if judged:
        typer.echo(
            f"{counted(judged, 'template')}, {counted(found.roles, 'role')} and "
            f"{counted(found.keys, 'key')} judged: {counted(refused, 'violation')}.",
            err=as_json,
        )
    if problems or refused:
        refuse(*problems)


def _by_stack(found: Found, some: Iterable[Any]) -> dict[Stack, list[Any]]:
    each: dict[Stack, list[Any]] = {stack: [] for stack in found.run.stacks}
    for one in some:
        each[one.place.stack].append(one)
    return each


def _lines(template: str, roles: list[Resource], keys: list[Resource], violations: list[Violation]) -> Iterator[str]:
    """What there is to say of one template, for a person."""
    if not roles and not keys and not violations:
        yield f"{template}: nothing of Pinecone's"
        return
    yield f"{template}: {counted(roles, 'role')}, {counted(keys, 'key')}" + ("" if violations else ": nothing wrong")
    for one in violations:
        mark = "WRONG" if one.meant is None else "acknowledged"
        yield f"  {mark} {one.rule}: {Quoted(one.logical_id)}"
        yield f"    {one.what}"
        yield f"    Allows: {one.allows}"
        yield f"    Cure: {one.cure}" if one.meant is None else f"    Reason: {visible(one.meant)}"


def _as_data(template: str, roles: list[Resource], keys: list[Resource], violations: list[Violation]) -> dict[str, Any]:
    """What was found in one, for a machine."""
    return {
        "template": template,
        "roles": [one.place.logical_id for one in roles],
        "keys": [one.place.logical_id for one in keys],
        "violations": [{name: getattr(one, own) for name, own in _SHOWN.items()} for one in violations],
    }
