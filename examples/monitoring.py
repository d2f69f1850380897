"""Tells people when Pinecone's role or key is touched, in a Region other than IAM's own."""

import aws_cdk as cdk
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions

from cmek_construct import PineconeCmek, PineconeCmekMonitoring

app = cdk.App()
stack = cdk.Stack(app, "Search", env=cdk.Environment(account="111122223333", region="eu-west-1"))
cmek = PineconeCmek(
    stack,
    "Cmek",
    pinecone_account_id="999988887777",  # yours: Pinecone console, Manage > CMEK > Add CMEK
    regions=["eu-west-1"],
    external_id="5b4f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f",  # yours: uuidgen, once
)

topic = sns.Topic(stack, "PineconeKeyTouched")
topic.add_subscription(subscriptions.EmailSubscription("on-call@example.com"))  # yours

# Needs a CloudTrail trail in this Region and in us-east-1. A second stack, in us-east-1, is made
# for what happens to the role: `cdk deploy Search` deploys both.
PineconeCmekMonitoring(stack, "Monitoring", cmek=cmek, topic=topic)
app.synth()
