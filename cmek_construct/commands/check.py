"""`cmek check`: templates judged by the guardrails, without CDK."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import typer

from cmek_construct.commands.options import AccountOfTemplates, Acknowledge, AsJson, Templates, VendorRoles
from cmek_construct.commands.printing import counted, refuse, tell, tell_json, tell_what_to_ask
from cmek_construct.guardrails.judging import RULE_IDS, guarded, refused_at_synth
from cmek_construct.guardrails.rule import Violation
from cmek_construct.policy.sentences import Quoted, visible
from cmek_construct.templates.found import Found
from cmek_construct.templates.run import read_run

_SHOWN: Final = {name: name for name in ("rule", "logical_id", "what", "allows", "cure")} | {"acknowledged": "meant"}
"""Of a violation, for a machine."""


def check(
    paths: Templates,
    acknowledge: Acknowledge = None,
    vendor_role_arn: VendorRoles = None,
    account: AccountOfTemplates = None,
    as_json: AsJson = False,
) -> None:
    """Judge templates by the guardrails, without CDK.

    Fails for what says more than Pinecone's guide, for what cannot be read, and where nothing of Pinecone's is in any
    of them.
    """
    run = read_run(paths, account)
    acknowledged: dict[str, str] = dict(acknowledge or [])
    found, violations = guarded(run, vendor_role_arn or [], acknowledged)
    judged = _by_template(found, violations)
    if as_json:
        tell_json(_as_data(judged))
    else:
        tell(line for one in judged for line in _lines(one))
    problems = [*map(str, found.problems), *refused_at_synth(run, but=RULE_IDS)]
    refused = [one for one in violations if one.meant is None]
    if not found.roles and not found.keys:
        problems.append("Nothing of Pinecone's was found, so nothing was checked.")
    tell_what_to_ask(found)
    broken = {one.rule for one in violations}
    for rule in (rule for rule in acknowledged if rule not in broken):
        typer.echo(f"--acknowledge {rule}: nothing breaks it any more.", err=True)
    typer.echo(
        f"{counted(judged, 'template')}, {counted(found.roles, 'role')} and "
        f"{counted(found.keys, 'key')} judged: {counted(refused, 'violation')}.",
        err=as_json,
    )
    if problems or refused:
        refuse(*problems)


class _Judged(NamedTuple):
    """One template, with the logical IDs of the roles and keys that were judged, and what was found."""

    template: str
    roles: list[str]
    keys: list[str]
    violations: list[Violation]


def _by_template(found: Found, violations: Sequence[Violation]) -> list[_Judged]:
    each = {stack: _Judged(stack.template.name, [], [], []) for stack in found.run.stacks}
    for role in found.roles:
        each[role.place.stack].roles.append(role.place.logical_id)
    for key in found.keys:
        each[key.place.stack].keys.append(key.place.logical_id)
    for one in violations:
        each[one.place.stack].violations.append(one)
    return list(each.values())


def _lines(judged: _Judged) -> Iterator[str]:
    """What there is to say of one template, for a person."""
    if not judged.roles and not judged.keys and not judged.violations:
        yield f"{judged.template}: nothing of Pinecone's"
        return
    found = f"{counted(judged.roles, 'role')}, {counted(judged.keys, 'key')}"
    yield f"{judged.template}: {found}" + ("" if judged.violations else ": nothing wrong")
    for one in judged.violations:
        mark = "WRONG" if one.meant is None else "acknowledged"
        yield f"  {mark} {one.rule}: {Quoted(one.logical_id)}"
        yield f"    {one.what}"
        yield f"    Allows: {one.allows}"
        yield f"    Cure: {one.cure}" if one.meant is None else f"    Reason: {visible(one.meant)}"


def _as_data(judged: Sequence[_Judged]) -> list[dict[str, Any]]:
    """What was found, for a machine."""
    return [
        one._asdict()
        | {"violations": [{name: getattr(each, own) for name, own in _SHOWN.items()} for each in one.violations]}
        for one in judged
    ]
