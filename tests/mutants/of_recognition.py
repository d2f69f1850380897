"""Roles, keys and permissions of Pinecone's that do not look like it, or stand elsewhere."""

from __future__ import annotations

from typing import Any

from tests.forms import CUSTOMER
from tests.mutants.made import (
    OTHER_ACCOUNT,
    Template,
    add,
    allow,
    grant,
    key,
    key_policy,
    mutant,
    role,
    role_arn,
    without_its_role,
)
from tests.simulator.who_may_assume import STRANGER

POLICY = grant(Action="s3:GetObject")["PolicyDocument"]
KEPT = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}


def _attached(template: Template, roles: Any) -> Template:
    return add(template, "More", "IAM::Policy", PolicyDocument=POLICY, Roles=roles)


def _named(template: Template, kind: str, **properties: Any) -> Template:
    """A resource whose policy lets the role do something."""
    statement = allow({"AWS": role_arn(template)}, "s3:GetObject", "sts:AssumeRole")
    (member,) = [name for name, value in properties.items() if value is None]
    return add(template, "More", kind, **{**properties, member: {"Statement": [statement]}})


def _role_id(template: Template) -> str:
    return str(role_arn(template)["Fn::GetAtt"][0])


def _second_key(template: Template, **properties: Any) -> Template:
    made = add(template, "Second", "KMS::Key", EnableKeyRotation=True, **properties)
    made.update(KEPT)
    return made


def _output(template: Template, label: str, value: Any) -> None:
    (one,) = [each for each in template["Outputs"].values() if label in each["Description"]]
    one["Value"] = value


def _named_by_a_parameter(template: Template) -> object:
    """Neither an alias nor an output tells that the key is the role's."""
    del template["Outputs"]
    resources = template["Resources"]
    template["Resources"] = {n: r for n, r in resources.items() if r["Type"] != "AWS::KMS::Alias"}
    for statement in key_policy(template)[1:]:
        statement["Principal"] = {"AWS": {"Ref": "RoleArn"}}
    return template


for words, rule, allows, edit in (
    (
        "a policy for roles by Fn::If",
        "role-permissions",
        "Pinecone reads all buckets, in one of the two cases",
        lambda t: _attached(t, {"Fn::If": ["Debug", [{"Ref": _role_id(t)}], []]}),
    ),
    (
        "a policy for roles by Fn::Split",
        "role-permissions",
        "Pinecone reads all buckets",
        lambda t: _attached(t, {"Fn::Split": [",", {"Ref": _role_id(t)}]}),
    ),
    (
        "a policy for a role by Fn::Select",
        "role-permissions",
        "Pinecone reads all buckets",
        lambda t: _attached(t, [{"Fn::Select": [0, [{"Ref": _role_id(t)}]]}]),
    ),
    (
        "a policy for the role in capitals",
        "role-permissions",
        "Pinecone reads all buckets",
        lambda t: (role(t).update(RoleName="pinecone-cmek"), _attached(t, ["PINECONE-CMEK"])),
    ),
    (
        "a policy for a role of a mapping",
        "role-permissions",
        "Pinecone reads all buckets",
        lambda t: (
            t.update(Mappings={"Roles": {"of": {"Pinecone": "pinecone-cmek"}}}),
            role(t).update(RoleName="pinecone-cmek"),
            _attached(t, [{"Fn::FindInMap": ["Roles", "of", "Pinecone"]}]),
        ),
    ),
    (
        "another role that trusts the role",
        "role-permissions",
        "Pinecone passes on to an administrator",
        lambda t: _named(t, "IAM::Role", AssumeRolePolicyDocument=None),
    ),
    (
        "a bucket that lets the role in",
        "role-permissions",
        "Pinecone reads the bucket",
        lambda t: _named(t, "S3::BucketPolicy", Bucket="b", PolicyDocument=None),
    ),
    (
        "a bucket that lets the role in, by a policy as text",
        "role-permissions",
        "Pinecone reads the bucket",
        lambda t: (
            role(t).update(RoleName="pinecone-cmek"),
            add(
                t,
                "More",
                "S3::BucketPolicy",
                PolicyDocument='{"Statement": {"Effect": "Allow", "Principal": {"AWS": '
                f'"arn:aws:iam::{CUSTOMER}:role/pinecone-cmek"}}, "Action": "s3:GetObject"}}}}',
            ),
        ),
    ),
    (
        "a secret that lets the role in",
        "role-permissions",
        "Pinecone reads the secret",
        lambda t: _named(t, "SecretsManager::ResourcePolicy", SecretId="s", ResourcePolicy=None),
    ),
    (
        "a function that lets the role in",
        "role-permissions",
        "Pinecone calls the function",
        lambda t: add(
            t, "More", "Lambda::Permission", Action="lambda:InvokeFunction", FunctionName="f", Principal=role_arn(t)
        ),
    ),
    (
        "a second key of the role for a stranger too",
        "key-foreign-principal",
        "a stranger decrypts",
        lambda t: (
            role(t).update(RoleName="pinecone-cmek"),
            _second_key(
                t,
                KeyPolicy={
                    "Statement": [
                        allow({"AWS": f"arn:aws:iam::{CUSTOMER}:root"}, "kms:*"),
                        allow({"AWS": f"arn:aws:iam::{CUSTOMER}:role/pinecone-cmek"}, "kms:Encrypt", "kms:Decrypt"),
                        allow({"AWS": f"{OTHER_ACCOUNT}:root"}, "kms:Decrypt"),
                    ]
                },
            ),
        ),
    ),
    (
        "a key beside the role whose policy is a parameter",
        "cannot-be-judged",
        "whomever the deployer lets in",
        lambda t: _second_key(t, KeyPolicy={"Ref": "Policy"}),
    ),
    (
        "the key that a parameter's policy makes",
        "key-owner",
        "whomever the deployer lets in",
        lambda t: key(t).update(KeyPolicy={"Fn::If": ["Debug", key(t)["KeyPolicy"], {}]}),
    ),
    (
        "a stranger's key to paste into Pinecone's console",
        "output-value",
        "a stranger reads and destroys what Pinecone stores",
        lambda t: _output(t, "Key ARN", f"arn:aws:kms:us-east-1:{STRANGER}:key/1234abcd"),
    ),
    (
        "a stranger's role to paste into Pinecone's console",
        "output-value",
        "a stranger's role is used, for good",
        lambda t: _output(t, "Role ARN", f"{OTHER_ACCOUNT}:role/pinecone-cmek"),
    ),
    (
        "a key by Fn::If to paste into Pinecone's console",
        "output-value",
        "a stranger reads what Pinecone stores, in one of the two cases",
        lambda t: _output(t, "Key ARN", {"Fn::If": ["Debug", f"arn:aws:kms:us-east-1:{STRANGER}:key/1", "k"]}),
    ),
):
    mutant(words, rule, allows, edit)
mutant(
    "the role's key by a parameter for the role",
    "cannot-be-judged",
    "whomever the deployer names",
    _named_by_a_parameter,
)
for words, edit in (
    (
        "a policy for a role that no template makes",
        lambda t: _attached(without_its_role(t, "pinecone-cmek"), ["pinecone-cmek"]),
    ),
    (
        "a policy of a role that no template makes",
        lambda t: add(
            without_its_role(t, "vectors"), "More", "IAM::RolePolicy", RoleName="vectors", PolicyDocument=POLICY
        ),
    ),
    (
        "a bucket that lets in a role that no template makes",
        lambda t: add(
            without_its_role(t, "vectors"),
            "More",
            "S3::BucketPolicy",
            PolicyDocument={"Statement": [allow({"AWS": f"arn:aws:iam::{CUSTOMER}:role/vectors"}, "s3:GetObject")]},
        ),
    ),
):
    mutant(words, "role-permissions", "Pinecone reads the buckets", edit)
