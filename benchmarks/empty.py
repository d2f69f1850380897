"""A CDK app of one empty stack: what no app in Python can be quicker than."""

import aws_cdk as cdk

app = cdk.App()
cdk.Stack(app, "Empty")
app.synth()
