"""A template from an app of its own, of which no reference of another app is a part."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from typing import Any, Final

import aws_cdk as cdk

from cmek_construct.constructs.cdk import explain

_QUIET: Final = {
    "aws:cdk:enable-path-metadata": False,
    "aws:cdk:enable-asset-metadata": False,
}


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
        flags: context of the app. Default: none, which is CDK's behavior of old.

    Raises:
        ValueError: what is made there is outside its limits.
    """
    with tempfile.TemporaryDirectory(prefix="own-app-") as folder:
        app = cdk.App(
            outdir=folder,
            analytics_reporting=False,
            auto_synth=False,
            builtin_cloud_formation_validation=False,
            tree_metadata=False,
            stack_traces=False,
            post_cli_context={**(flags or {}), **_QUIET},
        )
        stack = cdk.Stack(
            app,
            "Cmek",
            description=description,
            env=cdk.Environment(region=region),
            synthesizer=cdk.BootstraplessSynthesizer(),
        )
        make(stack)
        explain(stack)
        template: dict[str, Any] = app.synth().get_stack_artifact(stack.artifact_id).template
    return template
