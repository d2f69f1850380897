"""Pinecone's role and key inside a stack that you have already, with your tags and your names."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from cmek_construct import PineconeCmek


class VectorSearch(cdk.Stack):
    """A stack of a product's own."""

    def __init__(self, scope: Construct, construct_id: str, *, env: cdk.Environment) -> None:
        super().__init__(scope, construct_id, env=env)
        self.cmek = PineconeCmek(
            self,
            "Cmek",
            pinecone_account_id="999988887777",  # yours: Pinecone console, Manage > CMEK
            regions=["us-east-1", "eu-west-1"],
            external_id="5b4f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f",  # yours: uuidgen, once
            alias="vector-search/pinecone",
            rotation_period=cdk.Duration.days(180),
        )
        role = self.cmek.role
        if isinstance(role, iam.Role):  # made here, not imported: all that iam.Role has
            cdk.CfnOutput(self, "RoleId", value=role.role_id)
        cdk.Tags.of(self).add("data-classification", "confidential")


app = cdk.App()
VectorSearch(app, "VectorSearch", env=cdk.Environment(account="111122223333", region="us-east-1"))
app.synth()
