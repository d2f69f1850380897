// Role and key from the template of `cmek template`, in a CDK app in TypeScript, and what is one's own
// beside them. Node 24 runs it as it is: `npm install`, then `npx cdk synth`.
import * as cdk from 'aws-cdk-lib';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';

const app = new cdk.App();
const stack = new cdk.Stack(app, 'PineconeCmek', {
  env: { account: '111122223333', region: 'us-east-1' },
  terminationProtection: true,
});

const cmek = new CfnInclude(stack, 'Cmek', {
  templateFile: 'pinecone-cmek.template.json',
  parameters: {
    PineconeAccountId: '999988887777', // from the Pinecone console, Manage > CMEK > Add CMEK
    PineconeExternalId: '5b4f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f', // one's own, for good
    InUsEast1: 'yes',
    InEuWest1: 'yes',
  },
});
const key: kms.IKey = kms.Key.fromCfnKey(cmek.getResource('Key961B73FD') as kms.CfnKey);

// The logical IDs stay as they are in the template: role and key are never replaced by this.
new events.Rule(stack, 'KeyIsTouched', {
  description: 'Tells people when the key is disabled, or its end is ordered',
  eventPattern: {
    source: ['aws.kms'],
    detail: {
      eventName: ['DisableKey', 'ScheduleKeyDeletion'],
      resources: { ARN: [key.keyArn] },
    },
  },
  targets: [new targets.SnsTopic(new sns.Topic(stack, 'OnCall'))],
});
