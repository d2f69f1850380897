"""What a reviewer must know that stands in no template: said the same way on each page."""

from __future__ import annotations

from typing import Final

FOR_GOOD: Final = (
    (
        "Role ARN, Key ARN and External ID in Pinecone",
        "Pinecone stores all three when the key is added, one key for a project, and cannot "
        "change them afterwards.",
    ),
    (
        "The role's name and path",
        "A change makes CloudFormation replace the role. Pinecone does not know the new one, and "
        "to a policy that named the old one it is another role, even under the old name.",
    ),
    (
        "The key's spec, usage, origin and multi-Region setting",
        "KMS cannot change them on a key that is there. Another key cannot read what this one "
        "encrypted.",
    ),
    (
        "The logical IDs of role and key in the template",
        "Another logical ID is another resource: the old one stays behind or is deleted, and "
        "Pinecone does not know the new one.",
    ),
    (
        "Account and Region",
        "They are part of both ARNs. A single-Region key cannot be moved.",
    ),
)

COSTS: Final = (
    "Each key costs about 1 USD a month. With automatic rotation each of the first two rotations "
    "adds about 1 USD a month; later ones add nothing.",
    "Pinecone's requests to KMS are charged to, and count against the request quota of, the "
    "account of the role that makes them.",
    "Role, policies and alias cost nothing.",
)

REVOKE: Final = (
    "In one deploy: set suspended=True (in cmek.yaml suspended: true). One statement in the key "
    "policy then forbids the role everything, whatever another policy allows it.",
    "At once, by hand: disable the key (aws kms disable-key). Nobody can use it until it is "
    "enabled.",
    "Neither takes back grants that the role made for AWS services, where its policy lets it make "
    "some: list them (aws kms list-grants) and revoke them (aws kms revoke-grant).",
    "Pinecone goes on with data keys that it has cached, for some time, which it does not publish. "
    "Then requests fail.",
    "A role that stands without a key of its own is suspended in its trust policy. A session that "
    "runs goes on to its end, one hour at most.",
)
LET_IN_AGAIN: Final = (
    "Set suspended to false and deploy: the policy is then what it was before, to the letter. Or "
    "enable the key. No data was lost.",
    "Never delete role or key to revoke: that ends the data with the access, for good.",
)

NOT_SHOWN: Final = (
    "The account's own IAM policies. The key policy hands the key to the account (its root), so "
    "any identity of the account whose IAM policy allows kms:Decrypt on this key, or on all, can "
    "use it.",
    "Service and resource control policies of the organization (SCP, RCP). They only take away: "
    "they can block Pinecone although everything here allows it.",
    "What was changed in AWS after the deploy, and whether this very template is what is deployed.",
    "A role or key that another template makes, or that was imported by its ARN.",
    "Its account, where no cloud assembly (cdk.out) beside it says it. Then it is taken to be the "
    "one whose root the key policy names.",
    "Whether Pinecone's AWS account number is the right one: only Pinecone's console shows it, "
    "under Manage > CMEK > Add CMEK.",
)

ONLY_PINECONE_KNOWS: Final = (
    "Do kms:Encrypt and kms:Decrypt alone pass Add CMEK? The guide's second tab grants these two "
    "alone, which is evidence and no proof. So the KMS console's key user is the default.",
    "May the key's Region differ from that of the index?",
    "What does Pinecone send as encryption context? So no condition asks for one.",
)
