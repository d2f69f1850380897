// The same role, key, alias and outputs by bare L2s, as an ordinary CDK app in JavaScript has
// them. Run as `node bare_l2.js accounts.json`; NODE_PATH has the folder of aws-cdk-lib.
"use strict";

const fs = require("node:fs");
const cdk = require("aws-cdk-lib");
const iam = require("aws-cdk-lib/aws-iam");
const kms = require("aws-cdk-lib/aws-kms");

const RETAIN = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;

class BareStack extends cdk.Stack {
  constructor(scope, name, account) {
    super(scope, name, {
      env: { account: account.account, region: account.region },
      description: `Role and KMS key for Pinecone, ${name}`,
      terminationProtection: true,
    });
    const pinecone = new iam.CompositePrincipal(
      ...account.principals.map((arn) => new iam.ArnPrincipal(arn)),
    ).withConditions({ StringEquals: { "sts:ExternalId": account.external_id } });
    const role = new iam.Role(this, "Role", { assumedBy: pinecone });
    role.applyRemovalPolicy(RETAIN);

    const key = new kms.Key(this, "Key", { enableKeyRotation: true, removalPolicy: RETAIN });
    key.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: "Allow use of the key",
        principals: [role],
        actions: [
          "kms:Encrypt",
          "kms:Decrypt",
          "kms:ReEncrypt*",
          "kms:GenerateDataKey*",
          "kms:DescribeKey",
        ],
        resources: ["*"],
      }),
    );
    key.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: "Allow attachment of persistent resources",
        principals: [role],
        actions: ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
        resources: ["*"],
        conditions: { Bool: { "kms:GrantIsForAWSResource": "true" } },
      }),
    );
    new kms.Alias(this, "Alias", {
      aliasName: `alias/pinecone-cmek/${name}`,
      targetKey: key,
      removalPolicy: RETAIN,
    });

    new cdk.CfnOutput(this, "RoleArn", { value: role.roleArn, description: "For Role ARN" });
    new cdk.CfnOutput(this, "KeyArn", { value: key.keyArn, description: "For Key ARN" });
    new cdk.CfnOutput(this, "ExternalId", {
      value: account.external_id,
      description: "For External ID",
    });
  }
}

const app = new cdk.App();
for (const [name, account] of Object.entries(JSON.parse(fs.readFileSync(process.argv[2])))) {
  new BareStack(app, name, account);
}
app.synth();
