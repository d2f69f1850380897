"""A vendor: one role for keys of customers, and for a Pinecone project with a key of its own."""

import aws_cdk as cdk

from cmek_construct import PineconeCmek, PineconeRole

PINECONE_ACCOUNT_ID = "999988887777"  # yours: Pinecone console, Manage > CMEK > Add CMEK
EXTERNAL_ID = "5b4f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f"  # yours: uuidgen, once
REGIONS = ["us-east-1"]

app = cdk.App()
stack = cdk.Stack(app, "Vendor", env=cdk.Environment(account="111122223333", region="us-east-1"))

# Every key of the first two accounts whose key policy lets the role in, and one key of a third.
role = PineconeRole(
    stack,
    "Role",
    pinecone_account_id=PINECONE_ACCOUNT_ID,
    regions=REGIONS,
    external_id=EXTERNAL_ID,
    customer_account_ids=["444455556666", "777788889999"],
    customer_key_arns=["arn:aws:kms:us-east-1:222233334444:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
)

# The same role beside a key of the vendor's own, for its own project.
PineconeCmek(
    stack,
    "Own",
    pinecone_account_id=PINECONE_ACCOUNT_ID,
    regions=REGIONS,
    external_id=EXTERNAL_ID,
    role=role,
)
app.synth()
