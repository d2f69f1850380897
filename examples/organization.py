"""Role and key in every account of an organizational unit, also of those that join it later."""

import aws_cdk as cdk

from cmek_construct import PineconeCmekStackSet, StackSetTargets

app = cdk.App()

# In the management account, or in a delegated administrator's with
# StackSetTargets.organizational_units(…, call_as="DELEGATED_ADMIN").
organization = cdk.Stack(
    app,
    "Organization",
    env=cdk.Environment(account="111122223333", region="us-east-1"),
    termination_protection=True,
)
fleet = PineconeCmekStackSet(
    organization,
    "PineconeCmek",
    stack_set_name="pinecone-cmek",
    region="us-east-1",
    # yours: AWS Organizations console
    targets=StackSetTargets.organizational_units(["ou-ab12-11112222"]),
    pinecone_account_id="999988887777",  # yours: Pinecone console, Manage > CMEK > Add CMEK
    regions=["us-east-1", "eu-west-1"],
    external_id="5b4f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f",  # yours: uuidgen, once
)
cdk.Tags.of(fleet).add("data-classification", "confidential")
app.synth()
