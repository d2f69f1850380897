"""Our app without the guardrails: the difference is what they cost."""

import gc

gc.disable()

import aws_cdk as cdk  # noqa: E402

from cmek_construct.deployment.reading import read_entries  # noqa: E402
from cmek_construct.deployment.stack import CmekStack  # noqa: E402

untraced = {"aws:cdk:disable-creation-stack-traces": True}
app = cdk.App(analytics_reporting=False, stack_traces=False, context=untraced)
for entry in read_entries("cmek.yaml"):
    CmekStack(app, entry)
app.synth()
gc.freeze()
