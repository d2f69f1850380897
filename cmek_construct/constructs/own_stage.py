"""Stacks of this library: what each says of itself, and a template from a stage of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from typing import Any, Final

import aws_cdk as cdk
from constructs import RootConstruct

_ROLE_STAYS: Final = (
    "Never replace or delete the role: Pinecone stores its ARN for good, and a key policy names "
    "this very role, not another one of its name."
)
_KEY_STAYS: Final = (
    "Never replace or delete the key: Pinecone stores its ARN for good, and without the key all "
    "data of the Pinecone project is lost."
)


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


def explain(stack: cdk.Stack, *, keys_of_customers: bool = False) -> None:
    """Say in a template why role and key are there, and that neither is ever replaced.

    By AWS's schema of the metadata that its tools and agents read before they change a template.

    Args:
        stack: one of ours, whose template is no user's own.
        keys_of_customers: whether it has the role alone.
    """
    keys = "its customers' KMS keys" if keys_of_customers else "the KMS key"
    must = [_ROLE_STAYS] if keys_of_customers else [_ROLE_STAYS, _KEY_STAYS]
    arch = f"Pinecone assumes the role, and the role uses {keys} that Pinecone encrypts with (CMEK)."
    stack.add_metadata("com.aws.cloudformation.Context", {"arch": arch, "must": must})
