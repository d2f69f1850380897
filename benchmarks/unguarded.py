"""Our app without the guardrails: the difference is what they cost."""

import aws_cdk as cdk

from cmek_construct.deployment.reading import read_entries
from cmek_construct.deployment.stack import CmekStack

app = cdk.App(analytics_reporting=False, stack_traces=False)
for entry in read_entries("cmek.yaml"):
    CmekStack(app, entry)
app.synth()
