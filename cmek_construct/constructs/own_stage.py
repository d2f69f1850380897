"""A template from a stage of its own, of which no reference of an app is a part."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from typing import Any

import aws_cdk as cdk
from constructs import RootConstruct

from cmek_construct.constructs.cdk import explain


def synthesized(
    make: Callable[[cdk.Stack], object],
    *,
    region: str | None = None,
    description: str | None = None,
    flags: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The template of one stack: a role and a key, why they are there, and nothing of the CDK's.

    Args:
        make: makes role and key in the stack.
        region: of the stack. Default: only the deploy knows.
        description: of the template. Default: none.
        flags: context of the stage. Default: none, which is CDK's behavior of old.

    Raises:
        ValueError: what is made there is outside its limits.
    """
    with tempfile.TemporaryDirectory(prefix="own-stage-") as folder:
        # Without an app: no context of the CDK CLI, no tree.json, no validation.
        stage = cdk.Stage(RootConstruct(), "Default", outdir=folder)
        for name, value in (flags or {}).items():
            stage.node.set_context(name, value)
        stack = cdk.Stack(
            stage,
            "Cmek",
            stack_name="Cmek",
            description=description,
            env=cdk.Environment(region=region),
            synthesizer=cdk.BootstraplessSynthesizer(),
        )
        make(stack)
        explain(stack)
        template: dict[str, Any] = stage.synth().get_stack_artifact(stack.artifact_id).template
    return template
