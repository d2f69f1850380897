"""Edits of a good template that change nothing of who gets in: each passes."""

from __future__ import annotations

from typing import Any, Final

from cmek_construct.guide import ADMINISTRATION, key_denial
from tests.forms import CUSTOMER, PINECONE
from tests.mutants.made import (
    CONDITIONS,
    USE,
    Edit,
    Template,
    add,
    allow,
    deny,
    equals,
    grant,
    key,
    key_policy,
    resource_id,
    role,
    role_arn,
    trust,
    without_its_role,
)

ROOT_ARN = f"arn:aws:iam::{CUSTOMER}:root"
OF_ACCOUNT = "arn:aws:iam::${AWS::AccountId}"
CUSTOMERS_KEYS = "arn:aws:kms:*:777788889999:key/*"
ORGANIZATION = "o-1234567890"
_PINECONES = f"arn:aws:iam::{PINECONE}:role/pinecone_cmek_access_{{}}"
_TWO = ("us-east-1", "eu-west-1")
NO_VALUE = {"Ref": "AWS::NoValue"}


def _denied(template: Template, *actions: str, **condition: Any) -> object:
    key_policy(template).append(deny("*", *(actions or ["kms:*"]), Condition=condition))
    return template


def _allowed(template: Template, principal: Any, *actions: str) -> object:
    key_policy(template).append(allow({"AWS": principal}, *actions))
    return template


def _worker(template: Template, principal: Template) -> object:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    document = {"Statement": [statement]}
    add(template, "Worker", "IAM::Role", AssumeRolePolicyDocument=document)
    return _allowed(template, {"Fn::GetAtt": ["Worker", "Arn"]}, "kms:Decrypt")


def _workers(template: Template, number: int) -> object:
    for name in (f"Worker{one}" for one in range(number)):
        add(template, name, "IAM::Role", AssumeRolePolicyDocument=_trust_of_workers())
        _allowed(template, {"Fn::GetAtt": [name, "Arn"]}, *ADMINISTRATION)
    return template


def _trust_of_workers() -> Template:
    statement = {"Effect": "Allow", "Principal": {"AWS": ROOT_ARN}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _role_id(template: Template) -> Template:
    return {"Fn::Sub": f"${{{resource_id(template, 'IAM::Role')}.RoleId}}:*"}


def _own(template: Template, **members: Any) -> object:
    return role(template).update(Policies=[grant(Effect="Deny", **members)])


def _denials(template: Template) -> object:
    customers = grant(Action=["kms:Encrypt", "kms:Decrypt"], Resource=CUSTOMERS_KEYS)
    for number in range(15):
        denied = {
            "Effect": "Deny",
            "Action": ["s3:*Acl*", "ec2:*Internet*", "iam:*AccessKey*"],
            "Resource": [f"arn:aws:s3:::*prod-{number}-*", "*log*archive*"],
        }
        customers["PolicyDocument"]["Statement"].append(denied)
    return role(template).update(Policies=[customers])


def _more(template: Template, **members: Any) -> object:
    return template.update(members)


HARMLESS_EDITS: Final[dict[str, Edit]] = {
    "each other account denied, by a key of one value": lambda t: _denied(
        t, **{"ForAllValues:StringNotEquals": {"aws:PrincipalAccount": CUSTOMER}}
    ),
    "services denied, with an operator for who is not signed in": lambda t: _denied(
        t, BoolIfExists={"aws:PrincipalIsAWSService": "true"}
    ),
    "decryption denied to all but the IDs of the role and the root": lambda t: key_policy(t).append(
        deny("*", "kms:Decrypt", Condition={"StringNotLike": {"aws:userid": [_role_id(t), CUSTOMER]}})
    ),
    "a change of the key policy denied to all without a tag": lambda t: key_policy(t).append(
        deny("*", "kms:PutKeyPolicy", Condition={"StringNotEquals": {"aws:PrincipalTag/team": "data"}})
    ),
    "everybody but the root by its ID": lambda t: key_policy(t).append(
        deny("*", "kms:PutKeyPolicy", Condition={"StringNotLike": {"aws:userid": CUSTOMER}})
    ),
    "a session of any name": lambda t: trust(t)["Condition"].update(StringLike={"sts:RoleSessionName": "*"}),
    "a policy for a role that a parameter names": lambda t: (
        _more(t, Parameters={"Somebody": {"Type": "String"}}),
        add(
            t,
            "More",
            "IAM::Policy",
            Roles=[{"Ref": "Somebody"}],
            PolicyDocument=grant(Action="s3:GetObject")["PolicyDocument"],
        ),
    ),
    "a denial of the role's own on what is outside the organization": lambda t: _own(
        t, Action="*", Condition={"StringNotEquals": {"aws:ResourceOrgID": ORGANIZATION}}
    ),
    "many denials beside what customers allow": _denials,
    "a denial of the role's own on another key of the stack": lambda t: (
        add(t, "Other", "KMS::Key", KeyPolicy={"Statement": [allow({"AWS": ROOT_ARN}, "kms:*")]}),
        _own(t, Action="kms:*", Resource={"Fn::GetAtt": ["Other", "Arn"]}),
    ),
    "a boundary of KMS in its own region": lambda t: (
        add(
            t,
            "Boundary",
            "IAM::ManagedPolicy",
            PolicyDocument=grant(
                Action="kms:*", Resource={"Fn::Sub": "arn:aws:kms:${AWS::Region}:${AWS::AccountId}:key/*"}
            )["PolicyDocument"],
        ),
        role(t).update(PermissionsBoundary={"Ref": "Boundary"}),
    ),
    "keys of the region in the key policy": lambda t: key_policy(t)[USE].update(
        Resource={"Fn::Sub": "arn:aws:kms:${AWS::Region}:${AWS::AccountId}:key/*"}
    ),
    "a suspension in the form of the library": lambda t: key_policy(t).append(
        key_denial({"Fn::GetAtt": [resource_id(t, "IAM::Role"), "Arn"]})  # type: ignore[arg-type]
    ),
    "an administrator by the pseudo parameter": lambda t: _allowed(
        t, {"Fn::Sub": f"{OF_ACCOUNT}:role/Admin"}, "kms:DescribeKey"
    ),
    "all without TLS denied": lambda t: _denied(t, Bool={"aws:SecureTransport": "false"}),
    "all outside the organization denied": lambda t: _denied(
        t, StringNotEqualsIfExists={"aws:PrincipalOrgID": ORGANIZATION}
    ),
    "all outside a unit denied": lambda t: _denied(
        t, **{"ForAllValues:StringNotLike": {"aws:PrincipalOrgPaths": f"{ORGANIZATION}/r-ab12/ou-ab12-11111111/*"}}
    ),
    "all other accounts denied by the pseudo parameter": lambda t: _denied(
        t, StringNotEquals={"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}
    ),
    "services that act for other organizations denied": lambda t: _denied(
        t, StringNotEqualsIfExists={"aws:SourceOrgID": ORGANIZATION}, Bool={"aws:PrincipalIsAWSService": "true"}
    ),
    "policies past the lockout check denied": lambda t: _denied(
        t, "kms:PutKeyPolicy", Bool={"kms:BypassPolicyLockoutSafetyCheck": "true"}
    ),
    "changes by all but the root and a role denied": lambda t: _denied(
        t, "kms:PutKeyPolicy", ArnNotEquals={"aws:PrincipalArn": [ROOT_ARN, f"arn:aws:iam::{CUSTOMER}:role/Security"]}
    ),
    "two of Pinecone's roles by name, and a pattern of all of them besides": lambda t: (
        trust(t)["Condition"].update(ArnLike={"aws:PrincipalArn": _PINECONES.format("*")}),
        trust(t).update(Principal={"AWS": [_PINECONES.format(one) for one in _TWO]}),
    ),
    "Pinecone's account of a mapping": lambda t: (
        _more(t, Mappings={"Accounts": {"of": {"Pinecone": PINECONE}}}),
        trust(t).update(
            Principal={
                "AWS": {
                    "Fn::Sub": [
                        "arn:aws:iam::${A}:role/pinecone_cmek_access_us-east-1",
                        {"A": {"Fn::FindInMap": ["Accounts", "of", "Pinecone"]}},
                    ]
                }
            }
        ),
    ),
    "properties of no value": lambda t: (
        key(t).update(Enabled=NO_VALUE, PendingWindowInDays=NO_VALUE, MultiRegion=NO_VALUE),
        role(t).update(MaxSessionDuration=NO_VALUE),
    ),
    "properties by Fn::If, good in either case": lambda t: (
        _more(t, **CONDITIONS),
        key(t).update(
            PendingWindowInDays={"Fn::If": ["Debug", 14, NO_VALUE]},
            KeySpec={"Fn::If": ["Debug", NO_VALUE, "SYMMETRIC_DEFAULT"]},
        ),
    ),
    "Booleans and numbers as texts": lambda t: (
        key(t).update(Enabled="TRUE", EnableKeyRotation="True", PendingWindowInDays="14"),
        role(t).update(MaxSessionDuration="3600"),
    ),
    "buckets by Fn::ForEach": lambda t: (
        _more(t, Transform="AWS::LanguageExtensions"),
        t["Resources"].update({"Fn::ForEach::Buckets": ["N", ["a"], {"B${N}": {"Type": "AWS::S3::Bucket"}}]}),
    ),
    "queues by Fn::ForEach, with members by Fn::ForEach": lambda t: (
        _more(t, Transform="AWS::LanguageExtensions"),
        t["Resources"].update({"Fn::ForEach::Queues": ["N", {"Ref": "Names"}, {"Q${N}": {"Type": "AWS::SQS::Queue"}}]}),
        add(t, "Worker", "SQS::Queue", **{"Fn::ForEach::Member": ["M", ["QueueName"], {"${M}": "worker"}]}),
    ),
    "a bucket whose policy cannot be read and names nobody": lambda t: add(
        t, "Policy", "S3::BucketPolicy", PolicyDocument={"Version": {"Ref": "Version"}}
    ),
    "an auditor who looks at the role": lambda t: add(
        t,
        "Auditor",
        "IAM::Role",
        AssumeRolePolicyDocument={
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ]
        },
        Policies=[grant(Action="iam:GetRole", Resource=role_arn(t))],
    ),
    "a worker that AWS runs": lambda t: _worker(t, {"Service": "lambda.amazonaws.com"}),
    "a worker that the account assumes": lambda t: _worker(t, {"AWS": ROOT_ARN}),
    "a rule for what the role does": lambda t: add(
        t, "Rule", "Events::Rule", EventPattern={"detail": {"userIdentity": {"arn": [role_arn(t)]}}}
    ),
    "findings of the role": lambda t: add(
        t,
        "Filter",
        "GuardDuty::Filter",
        FindingCriteria={"Criterion": {"resource.accessKeyDetails.userName": {"Eq": [role_arn(t)]}}},
    ),
    "a dashboard of the role": lambda t: add(
        t,
        "Dashboard",
        "CloudWatch::Dashboard",
        DashboardBody={"Fn::Sub": f'{{"owner": "${{{resource_id(t, "IAM::Role")}.Arn}}"}}'},
    ),
    "a policy for another role": lambda t: add(
        t,
        "More",
        "IAM::Policy",
        Roles=[{"Ref": "Worker"}],
        PolicyDocument=grant(Action="s3:GetObject")["PolicyDocument"],
    ),
    "a role that no template makes, with its second tab and a policy for another": lambda t: (
        without_its_role(t, "pinecone-cmek"),
        add(
            t,
            "Customer",
            "IAM::Policy",
            Roles=["pinecone-cmek"],
            PolicyDocument=grant(Action=["kms:Decrypt", "kms:Encrypt"], Resource="arn:aws:kms:*:777788889999:key/*")[
                "PolicyDocument"
            ],
        ),
        add(
            t,
            "More",
            "IAM::Policy",
            Roles=["pinecone-cmek-reader", {"Ref": "Worker"}],
            PolicyDocument=grant(Action="s3:GetObject")["PolicyDocument"],
        ),
    ),
    "a key administrator that is another role of the template": lambda t: _workers(t, 1),
    "as many key administrators as there may be roles": lambda t: _workers(t, 12),
    "another key for a principal of a parameter": lambda t: (
        _more(t, Parameters={"Admin": {"Type": "String"}}),
        add(
            t,
            "Other",
            "KMS::Key",
            KeyPolicy={
                "Statement": [allow({"AWS": ROOT_ARN}, "kms:*"), allow({"AWS": {"Ref": "Admin"}}, "kms:Decrypt")]
            },
        ),
    ),
    "a bucket that denies the role": lambda t: add(
        t,
        "Policy",
        "S3::BucketPolicy",
        PolicyDocument={"Statement": [deny({"AWS": {"Fn::GetAtt": [resource_id(t, "IAM::Role"), "Arn"]}}, "*")]},
    ),
    "an external ID that a rule wants": lambda t: (
        _more(
            t,
            Parameters={"Id": {"Type": "String", "Default": ""}},
            Rules={"Given": {"Assertions": [{"Assert": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Id"}, ""]}]}}]}},
            Outputs={},
        ),
        trust(t).update(Condition=equals(StringEquals={"Ref": "Id"})),
    ),
}
