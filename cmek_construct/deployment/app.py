"""The CDK app of a cmek.yaml: one stack per entry, with the guardrails on."""

import gc
import sys
from importlib import import_module
from threading import Thread


def synthesize(path: str) -> None:
    """Make the stacks of a file, usually ``cmek.yaml``; mistakes in it end the process, all of them told."""
    gc.disable()  # A synth makes little garbage, and its imports much that a collection looks at.
    # The CDK starts Node, and waits for it again and again; another thread imports meanwhile what asks Node nothing.
    # First jsii, which is in Node's way.
    import jsii  # noqa: F401

    meanwhile = ("deployment.reading", "guardrails.judging", "deployment.stack", "guardrails.plugin")
    Thread(target=lambda: [import_module(f"cmek_construct.{name}") for name in meanwhile]).start()
    import aws_cdk as cdk

    # Of what Python makes CDK's stack traces have no line of the user's.
    untraced = {"aws:cdk:disable-creation-stack-traces": True}
    app = cdk.App(analytics_reporting=False, stack_traces=False, context=untraced)
    from cmek_construct import CmekGuardrails
    from cmek_construct.deployment.reading import read_entries
    from cmek_construct.deployment.stack import CmekStack

    cdk.Validations.of(app).add_plugins(CmekGuardrails())
    try:
        # `-c only=NAME,…` builds the named stacks alone: quick, however long the file is.
        for entry in read_entries(path, app.node.try_get_context("only")):
            CmekStack(app, entry)
    except ValueError as error:
        sys.exit(str(error))
    app.synth()
    gc.freeze()  # What is left goes with the process: Python's end has nothing to look through.
