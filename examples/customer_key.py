"""A vendor's customer: the key that the vendor's Pinecone project is encrypted with."""

import aws_cdk as cdk

from cmek_construct import CustomerKey

app = cdk.App()
stack = cdk.Stack(app, "VendorKey", env=cdk.Environment(account="444455556666", region="us-east-1"))

# Needs the vendor's role to be there. Send the output of this stack back to the vendor.
CustomerKey(
    stack,
    "Pinecone",
    role_arn="arn:aws:iam::111122223333:role/Vendor-Role1ABCC5F0-x",  # the vendor tells it
    alias="vendor/pinecone",
)
app.synth()
