"""Key policies that let in, or shut out, others than the guide's."""

from __future__ import annotations

from tests import forms
from tests.forms import CUSTOMER, REGION
from tests.mutants.made import (
    A_STRANGER,
    ATTACH,
    OTHER_ACCOUNT,
    ROOT,
    USE,
    Template,
    allow,
    also,
    deny,
    key_policy,
    mutant,
    role_arn,
)
from tests.simulator.who_may_assume import STRANGER, US_WEST_2


def _by_parameter(template: Template) -> None:
    template.update(Parameters={"Somebody": {"Type": "String"}})
    key_policy(template).append(allow({"AWS": {"Ref": "Somebody"}}, "kms:Decrypt"))


for words, rule, allows, edit in (
    ("no statement for the account's root", "key-owner", "nobody manages the key", lambda t: key_policy(t).pop(ROOT)),
    (
        "the root's statement under a condition",
        "key-owner",
        "nobody without that tag manages the key",
        lambda t: key_policy(t)[ROOT].update(Condition={"StringEquals": {"aws:PrincipalTag/team": "a"}}),
    ),
    (
        "the root's statement under a condition of the template",
        "key-owner",
        "nobody manages the key, in one of the two cases",
        lambda t: key_policy(t).insert(ROOT, {"Fn::If": ["Debug", key_policy(t).pop(ROOT), {"Ref": "AWS::NoValue"}]}),
    ),
    (
        "the root with less than everything",
        "key-owner",
        "nobody changes the policy again",
        lambda t: key_policy(t)[ROOT].update(Action=["kms:Decrypt", "kms:DescribeKey"]),
    ),
    (
        "everything denied to everybody",
        "key-owner-denied",
        "nobody takes the denial back",
        lambda t: key_policy(t).append(deny({"AWS": "*"}, "kms:*")),
    ),
    (
        "changes of the policy denied to the root",
        "key-owner-denied",
        "nobody takes the denial back",
        lambda t: key_policy(t).append(deny({"AWS": f"arn:aws:iam::{CUSTOMER}:root"}, "kms:Put*")),
    ),
    (
        "everything denied to all but one role",
        "key-owner-denied",
        "nobody takes the denial back once the role is gone",
        lambda t: key_policy(t).append(
            deny({"AWS": "*"}, "kms:*", Condition={"StringNotEquals": {"aws:PrincipalArn": forms.ADMIN_ROLE}})
        ),
    ),
    (
        "everything denied to all but a stranger's account",
        "key-owner-denied",
        "nobody takes the denial back",
        lambda t: key_policy(t).append(
            deny({"AWS": "*"}, "kms:*", Condition={"StringNotEquals": {"aws:PrincipalAccount": STRANGER}})
        ),
    ),
    (
        "everything denied to whom NotPrincipal does not name",
        "key-owner-denied",
        "nobody takes the denial back",
        lambda t: key_policy(t).append(
            {"Effect": "Deny", "NotPrincipal": {"AWS": role_arn(t)}, "Action": "kms:*", "Resource": "*"}
        ),
    ),
    (
        "all but encryption denied to everybody",
        "key-owner-denied",
        "nobody takes the denial back",
        lambda t: key_policy(t).append(
            {"Effect": "Deny", "Principal": "*", "NotAction": ["kms:Encrypt", "kms:Decrypt"], "Resource": "*"}
        ),
    ),
    (
        "the role with every action",
        "key-role-access",
        "Pinecone deletes the key",
        lambda t: key_policy(t)[USE].update(Action="kms:*"),
    ),
    (
        "the role with one administrative action",
        "key-role-access",
        "Pinecone deletes the key",
        lambda t: key_policy(t)[USE]["Action"].append("kms:ScheduleKeyDeletion"),
    ),
    (
        "the role as an administrator",
        "key-role-access",
        "Pinecone changes the key policy",
        lambda t: key_policy(t).append(allow({"AWS": role_arn(t)}, "kms:Put*")),
    ),
    (
        "the role with more than what begins with Decrypt",
        "key-role-access",
        "Pinecone derives secrets, too",
        lambda t: key_policy(t)[USE]["Action"].append("kms:De*"),
    ),
    (
        "the role named by its composed ARN with more",
        "key-role-access",
        "Pinecone disables the key",
        lambda t: key_policy(t).append(
            allow(
                {
                    "AWS": {
                        "Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/"
                        f"${{{role_arn(t)['Fn::GetAtt'][0]}}}"
                    }
                },
                "kms:DisableKey",
            )
        ),
    ),
    (
        "grants without condition",
        "key-grants",
        "Pinecone hands the key to anybody, for good",
        lambda t: key_policy(t)[ATTACH].pop("Condition"),
    ),
    (
        "grants under a condition that is an option",
        "key-grants",
        "Pinecone hands the key to anybody, for good",
        lambda t: key_policy(t)[ATTACH].update(Condition={"BoolIfExists": {"kms:GrantIsForAWSResource": "true"}}),
    ),
    (
        "grants under either value",
        "key-grants",
        "Pinecone hands the key to anybody, for good",
        lambda t: key_policy(t)[ATTACH].update(Condition={"Bool": {"kms:GrantIsForAWSResource": ["true", "false"]}}),
    ),
    (
        "kms:CreateGrant among the actions of use",
        "key-grants",
        "Pinecone hands the key to anybody, for good",
        lambda t: key_policy(t)[USE]["Action"].append("kms:CreateGrant"),
    ),
    (
        "everybody in the key policy",
        "key-open-to-all",
        "everybody decrypts",
        lambda t: key_policy(t).append(allow({"AWS": "*"}, "kms:Decrypt")),
    ),
    (
        "everybody, for whom a service calls",
        "key-open-to-all",
        "every account decrypts through S3",
        lambda t: key_policy(t).append(
            allow("*", "kms:Decrypt", Condition={"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}})
        ),
    ),
    (
        "a stranger's account in the key policy",
        "key-foreign-principal",
        "a stranger decrypts",
        lambda t: key_policy(t).append(allow({"AWS": f"{OTHER_ACCOUNT}:root"}, "kms:Decrypt")),
    ),
    (
        "a stranger's account as a number, beside the root",
        "key-foreign-principal",
        "a stranger rules the key",
        lambda t: also(key_policy(t)[ROOT], STRANGER),
    ),
    (
        "a stranger's role beside the role",
        "key-foreign-principal",
        "a stranger decrypts",
        lambda t: also(key_policy(t)[USE], A_STRANGER.arn),
    ),
    (
        "Pinecone's own role in the key policy",
        "key-foreign-principal",
        "Pinecone decrypts past the role, without the external ID",
        lambda t: key_policy(t).append(allow({"AWS": US_WEST_2.arn}, "kms:Decrypt")),
    ),
    (
        "a service in the key policy",
        "key-foreign-principal",
        "whoever drives the service",
        lambda t: key_policy(t).append(allow({"Service": "logs.us-east-1.amazonaws.com"}, "kms:Decrypt")),
    ),
    (
        "who signs in elsewhere in the key policy",
        "key-foreign-principal",
        "whoever has a session by that login, as far as KMS takes it",
        lambda t: key_policy(t).append(
            allow({"Federated": f"arn:aws:iam::{STRANGER}:saml-provider/Login"}, "kms:Decrypt")
        ),
    ),
    (
        "a principal that a parameter names",
        "key-foreign-principal",
        "whomever the deployer types in",
        lambda t: _by_parameter(t),
    ),
    (
        "NotPrincipal in the key policy",
        "key-open-to-all",
        "everybody but one decrypts",
        lambda t: key_policy(t).append(
            {"Effect": "Allow", "NotPrincipal": {"AWS": A_STRANGER.arn}, "Action": "kms:Decrypt", "Resource": "*"}
        ),
    ),
    (
        "NotAction for the role",
        "key-role-access",
        "Pinecone does all but delete the key",
        lambda t: key_policy(t).append(
            {
                "Effect": "Allow",
                "Principal": {"AWS": role_arn(t)},
                "NotAction": "kms:ScheduleKeyDeletion",
                "Resource": "*",
            }
        ),
    ),
    (
        "a principal of the key policy by Fn::If",
        "key-foreign-principal",
        "a stranger, in one of the two cases",
        lambda t: key_policy(t).append(
            allow({"AWS": {"Fn::If": ["Debug", A_STRANGER.arn, role_arn(t)]}}, "kms:Decrypt")
        ),
    ),
    (
        "an effect by a parameter",
        "cannot-be-judged",
        "whatever the deployer types in",
        lambda t: key_policy(t).append({**allow({"AWS": role_arn(t)}, "kms:Decrypt"), "Effect": {"Ref": "Effect"}}),
    ),
):
    mutant(words, rule, allows, edit)

# Of a key for the role of another account.

mutant(
    "a vendor's role that may delete the key",
    "key-role-access",
    "the vendor deletes the key",
    lambda t: key_policy(t)[USE]["Action"].append("kms:ScheduleKeyDeletion"),
    form="key_for_a_role_of_another_account",
)
mutant(
    "a second vendor's role beside the declared one",
    "key-foreign-principal",
    "the second vendor decrypts",
    lambda t: also(key_policy(t)[USE], A_STRANGER.arn),
    form="key_for_a_role_of_another_account",
)
