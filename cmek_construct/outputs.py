"""The outputs that a person carries to Pinecone's console."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct


def dialog_output(scope: Construct, name: str, label: str, value: str) -> None:
    """The value of one field of the "Add CMEK" dialog."""
    cdk.CfnOutput(
        scope,
        name,
        value=value,
        description=f'For "{label}" in the Pinecone console, Manage > CMEK > Add CMEK',
    )
