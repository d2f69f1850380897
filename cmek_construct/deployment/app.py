"""The CDK app of a cmek.yaml: one stack per entry, with the guardrails on."""

from __future__ import annotations

import gc
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module


def synthesize(path: str) -> None:
    """Make the stacks of a file; mistakes in it end the process, all of them told.

    Args:
        path: the file, usually ``cmek.yaml``.
    """
    gc.disable()  # A synth makes little garbage, and its imports much that a collection looks at.
    # The import of the CDK waits for Node; Python reads the rest meanwhile.
    meanwhile = ThreadPoolExecutor(1)
    for name in ("cmek_construct.deployment.reading", "cmek_construct.guardrails.judging"):
        meanwhile.submit(import_module, name)
    import aws_cdk as cdk

    from cmek_construct import CmekGuardrails
    from cmek_construct.deployment.reading import read_entries
    from cmek_construct.deployment.stack import CmekStack

    app = cdk.App(analytics_reporting=False, stack_traces=False)
    cdk.Validations.of(app).add_plugins(CmekGuardrails())
    try:
        # `-c only=NAME,…` builds the named stacks alone: quick, however long the file is.
        for entry in read_entries(path, only=app.node.try_get_context("only")):
            CmekStack(app, entry)
    except ValueError as error:
        sys.exit(str(error))
    app.synth()
