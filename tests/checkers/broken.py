"""A stack with faults that every checker knows: one that reports none of them did not run."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import cloudformation_include

BROKEN = "broken"
"""Stands for a form in findings."""
BROKEN_TEMPLATE = Path(__file__).with_name("broken.json")


def add_broken_stack(app: cdk.App) -> None:
    """Add the stack ``Broken``."""
    stack = cdk.Stack(app, "Broken")
    cloudformation_include.CfnInclude(stack, "Faults", template_file=str(BROKEN_TEMPLATE))
