"""`cmek template`: one plain CloudFormation template, for people without Python or the CDK."""

from __future__ import annotations

import json
from typing import Final

import typer

EPILOG: Final = (
    "Parameters: PineconeAccountId and PineconeExternalId; InAllRegions, or InUsEast1, InUsWest2, "
    "… for each of the guide's regions, `yes` or `no`. It deploys as it is: by the console, by "
    "`aws cloudformation deploy --capabilities CAPABILITY_IAM`, by StackSets or Service Catalog."
)


def template() -> None:
    """Print one plain CloudFormation template of role, key, alias and outputs."""
    # Starts Node: `cmek check` and `cmek doctor` do not wait for it.
    from cmek_construct.deployment.plain_template import plain_template

    typer.echo(json.dumps(plain_template(), indent=2, ensure_ascii=False))
