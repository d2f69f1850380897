"""`cmek check`: templates judged by the guardrails, without CDK."""

from __future__ import annotations

import json

import typer

from cmek_construct.commands import checking
from cmek_construct.commands.errors import refuse
from cmek_construct.commands.options import Acknowledge, AsJson, Templates, VendorRoles
from cmek_construct.templates.run import read_run
from cmek_construct.who.policies import two_accounts


def check(
    paths: Templates,
    acknowledge: Acknowledge = None,
    vendor_role_arn: VendorRoles = None,
    as_json: AsJson = False,
) -> None:
    """Judge templates by the guardrails, without CDK.

    Fails for what says more than Pinecone's guide, for what cannot be read, and where nothing of
    Pinecone's is in any of them.
    """
    run = read_run(paths)
    acknowledged: dict[str, str] = dict(acknowledge or [])
    by_app = checking.in_app(checking.folders(paths, run))
    found, judged = checking.check(run, vendor_role_arn or [], acknowledged, by_app)
    if as_json:
        typer.echo(json.dumps(checking.as_data(judged), indent=2))
    else:
        for line in (line for one in judged for line in checking.lines(one)):
            typer.echo(line)
    problems = list(map(str, found.problems))
    roles = [role for one in judged for role in one.roles]
    keys = [key for one in judged for key in one.keys]
    refused = [violation for one in judged for violation in one.refused]
    if not roles and not keys:
        problems.append("Nothing of Pinecone's was found, so nothing was checked.")
    said = two_accounts(found)
    if said:
        typer.echo(said, err=True)
    for rule in checking.unused(judged, acknowledged):
        typer.echo(f"--acknowledge {rule}: nothing breaks it any more.", err=True)
    typer.echo(
        f"{checking.counted(judged, 'template')}, {checking.counted(roles, 'role')} and "
        f"{checking.counted(keys, 'key')} judged: {checking.counted(refused, 'violation')}.",
        err=as_json,
    )
    if problems or refused:
        refuse(*problems)
