"""`cmek who`: who may do what with role and key, offline."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cmek_construct.checks import printable
from cmek_construct.commands import who_table
from cmek_construct.commands.errors import refuse
from cmek_construct.commands.options import AsJson, Templates, account_of_templates, checked
from cmek_construct.templates.pinecone import find
from cmek_construct.templates.run import read_run
from cmek_construct.who import answers as asking
from cmek_construct.who.policies import two_accounts


def who(
    paths: Templates,
    account: Annotated[
        str | None,
        checked(
            account_of_templates,
            "account",
            metavar="DIGITS",
            help="The AWS account of templates that do not say theirs.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show who may do what with role and key, offline.

    By the templates alone: every principal against every action, with the statement that decides.
    What cannot be told is named, and the exit code is then 1.
    """
    found = find(read_run(paths, account))
    answers = asking.who(found)
    if as_json:
        typer.echo(
            json.dumps(
                {"note": asking.NOT_SHOWN, "templates": who_table.as_data(answers)}, indent=2
            )
        )
    elif answers:
        who_table.show(answers)
    problems = list(map(str, found.problems))
    problems += [printable(one) for one in found.unread if not one.place.is_role_or_key]
    said = two_accounts(found)
    if said:
        typer.echo(said, err=True)
    if not answers:
        problems.append("Nothing of Pinecone's was found: there is nobody to ask about.")
    doubts = [row for one in answers for row in one.rows if row.doubt]
    if problems or doubts:
        refuse(*problems)
