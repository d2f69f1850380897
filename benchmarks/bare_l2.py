"""The same role, key, alias and outputs by bare L2s, as an ordinary CDK app in Python has them.

Run as ``python bare_l2.py accounts.json``.
"""

import json
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

RETAIN = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE


class BareStack(cdk.Stack):
    """One account."""

    def __init__(self, scope: Construct, name: str, account: dict[str, Any]) -> None:
        """Make role, key, alias and outputs."""
        super().__init__(
            scope,
            name,
            env=cdk.Environment(account=account["account"], region=account["region"]),
            description=f"Role and KMS key for Pinecone, {name}",
            termination_protection=True,
        )
        pinecone = iam.CompositePrincipal(*(iam.ArnPrincipal(arn) for arn in account["principals"])).with_conditions(
            {"StringEquals": {"sts:ExternalId": account["external_id"]}}
        )
        role = iam.Role(self, "Role", assumed_by=pinecone)
        role.apply_removal_policy(RETAIN)

        key = kms.Key(self, "Key", enable_key_rotation=True, removal_policy=RETAIN)
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Allow use of the key",
                principals=[role],
                actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
                resources=["*"],
            )
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Allow attachment of persistent resources",
                principals=[role],
                actions=["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
                resources=["*"],
                conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
            )
        )
        kms.Alias(self, "Alias", alias_name=f"alias/pinecone-cmek/{name}", target_key=key, removal_policy=RETAIN)

        cdk.CfnOutput(self, "RoleArn", value=role.role_arn, description="For Role ARN")
        cdk.CfnOutput(self, "KeyArn", value=key.key_arn, description="For Key ARN")
        cdk.CfnOutput(self, "ExternalId", value=account["external_id"], description="For External ID")


app = cdk.App()
for name, account in json.loads(Path(sys.argv[1]).read_text()).items():
    BareStack(app, name, account)
app.synth()
