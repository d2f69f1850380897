"""One stage per environment: another account, another Pinecone project, another external ID."""

import aws_cdk as cdk
from constructs import Construct

from cmek_construct import ALL_REGIONS, PineconeCmek


class Search(cdk.Stage):
    """What each environment gets."""

    def __init__(self, scope: Construct, construct_id: str, *, account: str, external_id: str) -> None:
        super().__init__(scope, construct_id, env=cdk.Environment(account=account, region="eu-west-1"))
        stack = cdk.Stack(self, "Pinecone", termination_protection=True)
        PineconeCmek(
            stack,
            "Cmek",
            pinecone_account_id="999988887777",  # yours: Pinecone console, Manage > CMEK
            regions=ALL_REGIONS,
            external_id=external_id,
        )


app = cdk.App()
Search(app, "Test", account="111122223333", external_id="5b4f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f")
Search(app, "Prod", account="444455556666", external_id="0c3f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f")
app.synth()
