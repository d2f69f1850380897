"""`cmek check`: templates judged by the guardrails, without CDK."""

from collections.abc import Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

import typer

from cmek_construct.commands.options import ACCOUNT, ACKNOWLEDGE, AS_JSON, TEMPLATES, VENDORS
from cmek_construct.commands.printing import counted, refuse, shown, tell_what_to_ask, told
from cmek_construct.guardrails.judging import guarded, refused_at_synth
from cmek_construct.policy.words import Quoted, visible
from cmek_construct.templates.reading import by
from cmek_construct.templates.run import read_run
from cmek_construct.warnings import GUARDRAILS

_SHOWN: Final = ("rule", "logical_id", "what", "allows", "cure", "acknowledged")  # of a violation, for a machine
_VALUES: Final = attrgetter("rule", "place.logical_id", "what", "breaks.allows", "breaks.cure", "meant")


@told()
def check(
    paths: list[Path] = TEMPLATES,
    acknowledge: list[Any] | None = ACKNOWLEDGE,
    vendor_role_arn: list[str] | None = VENDORS,
    account: str | None = ACCOUNT,
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
    judged: list[dict[str, Any]] = [
        {
            "template": stack.template.name,
            "roles": [one.place.logical_id for one in roles.get(stack, ())],
            "keys": [one.place.logical_id for one in keys.get(stack, ())],
            "violations": [dict(zip(_SHOWN, _VALUES(one), strict=True)) for one in wrong.get(stack, ())],
        }
        for stack in found.run.stacks
    ]
    yield from shown(as_json, lambda: judged, (line for one in judged for line in _lines(**one)))
    problems = [*map(str, found.problems), *refused_at_synth(run, but=GUARDRAILS)]
    refused = [one for one in violations if one.meant is None]
    if not found.by_place:
        problems.append("Nothing of Pinecone's was found, so nothing was checked.")
    tell_what_to_ask(found)
    broken = {one.rule for one in violations}
    for rule in (one for one in acknowledged if one not in broken):
        typer.echo(f"--acknowledge {rule}: nothing breaks it any more.", err=True)
    if judged:
        seen = f"{counted(judged, 'template')}, {counted(found.roles, 'role')} and {counted(found.keys, 'key')}"
        typer.echo(f"{seen} judged: {counted(refused, 'violation')}.", err=as_json)
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
