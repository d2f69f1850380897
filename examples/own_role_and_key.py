"""Your own role and your own key: from other stacks, or imported from elsewhere."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from cmek_construct import KeyAccess, PineconeCmek, PineconePrincipal

PINECONE_ACCOUNT_ID = "999988887777"  # yours: Pinecone console, Manage > CMEK > Add CMEK
EXTERNAL_ID = "5b4f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f"  # yours: uuidgen, once
REGIONS = ["us-east-1"]

app = cdk.App()
env = cdk.Environment(account="111122223333", region="us-east-1")

# The security team makes the role; PineconePrincipal gives it the guide's trust policy.
security = cdk.Stack(app, "Security", env=env)
role = iam.Role(
    security,
    "PineconeRole",
    assumed_by=PineconePrincipal(PINECONE_ACCOUNT_ID, regions=REGIONS, external_id=EXTERNAL_ID),
)
# An L2 role or key is not kept by itself, and Pinecone can never change to another one.
role.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)

# A key of one's own: the role is added to its policy. Outputs for Pinecone's dialog are made.
search = cdk.Stack(app, "Search", env=env)
PineconeCmek(
    search,
    "Cmek",
    pinecone_account_id=PINECONE_ACCOUNT_ID,
    regions=REGIONS,
    external_id=EXTERNAL_ID,
    role=role,
    key=kms.Key(
        search,
        "Key",
        enable_key_rotation=True,
        removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    ),
    key_access=KeyAccess.ENCRYPT_DECRYPT,
)

# A key that no CDK app makes: its policy cannot be changed from here, so a warning prints the
# statements to add to it by hand.
legacy = cdk.Stack(app, "Legacy", env=env)
PineconeCmek(
    legacy,
    "Cmek",
    pinecone_account_id=PINECONE_ACCOUNT_ID,
    regions=REGIONS,
    external_id="0c3f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f",
    key=kms.Key.from_key_arn(
        legacy,
        "Imported",
        "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ),
)
app.synth()
