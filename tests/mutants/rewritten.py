"""What a macro, a text that is read twice or a value that is not plain makes of a template."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from tests.mutants.made import (
    Template,
    add,
    all_regions,
    allow,
    equals,
    grant,
    key,
    mutant,
    resource,
    role,
    role_arn,
    trust,
)

INCLUDE = {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://b/x"}}}


def _twice(template: Template) -> None:
    """A statement for everybody, that another reader takes for the one."""
    text = json.dumps(role(template)["AssumeRolePolicyDocument"])
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
    role(template)["AssumeRolePolicyDocument"] = f'{{"Statement": [{json.dumps(statement)}], {text[1:]}'


def _account(template: Template, value: str) -> Template:
    pattern = {"Fn::Sub": f"arn:aws:iam::{value}:role/pinecone_cmek_access_*"}
    trust(template).update(Condition=all_regions(pattern))
    return template


def _external_id(template: Template, value: Any, parameter: Mapping[str, str]) -> None:
    template["Parameters"] = {"Id": {"Type": "String", **parameter}}
    template.pop("Outputs")
    trust(template).update(Condition=equals(StringEquals=value))


AWS_MANAGED = "arn:aws:iam::aws:policy"
GRANT = {"PolicyDocument": grant(Action="s3:GetObject")["PolicyDocument"]}
_AS_TEXT = '{"Effect": "Allow", "Principal": {"AWS": "${%s.Arn}"}, "Action": "s3:*"}'


def _id(template: Template) -> Template:
    return {"Ref": role_arn(template)["Fn::GetAtt"][0]}


def _looped(name: str, value: Any) -> Template:
    """A member that a loop writes."""
    return {"Fn::ForEach::Members": ["Member", [name], {"${Member}": value}]}


def _reading(template: Template) -> Template:
    return allow({"AWS": role_arn(template)}, "s3:GetObject")


def _decrypting(template: Template) -> Template:
    (name,) = [n for n, one in template["Resources"].items() if one["Type"] == "AWS::KMS::Key"]
    resource_arn = {"Fn::GetAtt": [name, "Arn"]}
    return {"PolicyDocument": grant(Action="kms:Decrypt", Resource=resource_arn)["PolicyDocument"]}


def _bucket(template: Template, document: Any) -> Template:
    return add(template, "More", "S3::BucketPolicy", Bucket="b", PolicyDocument=document)


def _over_a_parameter(template: Template) -> Template:
    properties = {"Bucket": {"Ref": "N"}, "PolicyDocument": {"Statement": [_reading(template)]}}
    made = {"P${N}": {"Type": "AWS::S3::BucketPolicy", "Properties": properties}}
    return {"Fn::ForEach::Policies": ["N", {"Ref": "Names"}, made]}


for words, edit in (
    ("Fn::Transform at the top", lambda t: t.update(INCLUDE)),
    ("Fn::Transform among the outputs", lambda t: t["Outputs"].update(INCLUDE)),
    ("Fn::Transform beside the role's type", lambda t: resource(t, "IAM::Role").update(INCLUDE)),
    ("Fn::Transform beside the key's type", lambda t: resource(t, "KMS::Key").update(INCLUDE)),
    ("Fn::Transform in the trust policy", lambda t: role(t)["AssumeRolePolicyDocument"].update(INCLUDE)),
    ("Fn::Transform in the key policy", lambda t: key(t)["KeyPolicy"].update(INCLUDE)),
    ("Fn::Transform in a condition", lambda t: trust(t)["Condition"]["StringEquals"].update(INCLUDE)),
    ("a trust policy whose text says Statement twice", _twice),
    ("a member of the key policy that is none", lambda t: key(t)["KeyPolicy"].update(statement=[])),
    ("Fn::Transform among the role's properties", lambda t: role(t).update(INCLUDE)),
    ("Fn::Transform among the key's properties", lambda t: key(t).update(INCLUDE)),
    ("Fn::Transform in a tag of the role", lambda t: role(t).update(Tags=[{"Key": "team", **INCLUDE}])),
    (
        "managed policies of the role by Fn::ForEach",
        lambda t: role(t).update(_looped("ManagedPolicyArns", [f"{AWS_MANAGED}/PowerUserAccess"])),
    ),
    (
        "the lockout check by Fn::ForEach",
        lambda t: key(t).update(_looped("BypassPolicyLockoutSafetyCheck", value=True)),
    ),
    (
        "a policy whose roles are by Fn::ForEach",
        lambda t: add(t, "More", "IAM::Policy", **GRANT, **_looped("Roles", [_id(t)])),
    ),
    ("a policy for the key with Fn::Transform", lambda t: add(t, "More", "IAM::Policy", **_decrypting(t), **INCLUDE)),
    (
        "a bucket policy whose statements are by Fn::ForEach",
        lambda t: _bucket(t, {"Version": "2012-10-17", **_looped("Statement", [_reading(t)])}),
    ),
    ("bucket policies by Fn::ForEach over a parameter", lambda t: t["Resources"].update(_over_a_parameter(t))),
    (
        "a bucket policy whose Version only the deploy knows",
        lambda t: _bucket(t, {"Version": {"Ref": "Version"}, "Statement": [_reading(t)]}),
    ),
    (
        "a bucket policy as text with what only the deploy knows",
        lambda t: _bucket(t, {"Fn::Sub": f'{{"Statement": [{_AS_TEXT % _id(t)["Ref"]}]${{More}}}}'}),
    ),
    (
        "a policy of an event bus with its Statement beside",
        lambda t: add(t, "More", "Events::EventBusPolicy", Statement=_reading(t), StatementId="a"),
    ),
    ("sessions by a parameter", lambda t: role(t).update(MaxSessionDuration={"Ref": "Seconds"})),
):
    mutant(words, "cannot-be-judged", "whatever the deploy makes of it", edit)
for words, rule, allows, edit in (
    (
        "sessions of a number with a point",
        "role-session",
        "a session outlives the suspension",
        lambda t: role(t).update(MaxSessionDuration="43200.0"),
    ),
    (
        "a short pending window in one of two cases",
        "key-pending-window",
        "a week and the data is lost, in one of the two cases",
        lambda t: key(t).update(PendingWindowInDays={"Fn::If": ["Debug", 30, 7]}),
    ),
    (
        "a pending window of a number with a point",
        "key-pending-window",
        "a week and the data is lost",
        lambda t: key(t).update(PendingWindowInDays=7.0),
    ),
    (
        "the lockout check bypassed by yes",
        "key-lockout-check",
        "a policy that locks all out",
        lambda t: key(t).update(BypassPolicyLockoutSafetyCheck="yes"),
    ),
    (
        "several Regions by a number",
        "key-multi-region",
        "whoever replicates the key",
        lambda t: key(t).update(MultiRegion=1),
    ),
    (
        "rotation by a word",
        "key-rotation",
        "the same key material for good",
        lambda t: key(t).update(EnableKeyRotation="no"),
    ),
    ("a key that is enabled by a number", "key-enabled", "nobody reads the data", lambda t: key(t).update(Enabled=0)),
):
    mutant(words, rule, allows, edit)
mutant(
    "an external ID of a parameter that may be empty",
    "pinecone-locked-out",
    "nobody, if nobody types one",
    partial(_external_id, value={"Ref": "Id"}, parameter={"Default": ""}),
)
for words, value, parameter in (
    ("an external ID of a list", {"Ref": "Id"}, {"Type": "CommaDelimitedList"}),
    (
        "an external ID of the parameter store",
        {"Ref": "Id"},
        {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/id"},
    ),
    ("an external ID that is the stack's name", {"Ref": "AWS::StackName"}, {}),
    ("an external ID that is the Region", {"Fn::Sub": "${AWS::Region}"}, {}),
    ("an external ID that is a resource's name", {"Fn::GetAtt": ["CmekKey21C8C2B3", "KeyId"]}, {}),
):
    mutant(
        words,
        "cannot-be-judged",
        "Pinecone, for whoever learns or sets it",
        partial(_external_id, value=value, parameter=parameter),
    )
for words, account in (
    ("an account that is the Region", "${AWS::Region}"),
    ("an account that is a resource's name", "${CmekRoleB9267AA0}"),
    ("an account that is an attribute", "${Somebody.Account}"),
):
    mutant(
        words,
        "cannot-be-judged",
        "the account that the deploy puts there",
        partial(_account, value=account),
        form="all_regions",
    )
mutant(
    "an account of the parameter store",
    "cannot-be-judged",
    "the account that somebody puts there",
    lambda t: (
        t.update(Parameters={"Account": {"Type": "AWS::SSM::Parameter::Value<String>"}}),
        _account(t, "${Account}"),
    ),
    form="all_regions",
)
