"""What other resources and other templates of a run say about Pinecone's role."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import forms
from tests.command import cmek
from tests.forms import CUSTOMER
from tests.judged import judge, names
from tests.mutants.made import Template, add, allow, key, key_policy, role, role_arn

STRANGER = "777788889999"


def broken(template: Template) -> set[str]:
    return names(judge(template, account=CUSTOMER))


def bucket_policy(template: Template, **whom: Any) -> None:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **whom}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    add(template, "More", "S3::BucketPolicy", Bucket="b", PolicyDocument=document)


def test_a_policy_of_a_vpc_endpoint_that_names_the_role_grants_nothing() -> None:
    template = forms.template("explicit_with_id")
    statement = {"Effect": "Allow", "Principal": {"AWS": role_arn(template)}, "Action": "s3:*"}
    document = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": "*"}]}
    add(template, "More", "EC2::VPCEndpoint", VpcId="v", PolicyDocument=document)
    assert broken(template) == set()


def test_not_principal_in_a_denial_of_a_bucket_names_whom_it_spares() -> None:
    template = forms.template("explicit_with_id")
    bucket_policy(template, Effect="Deny", NotPrincipal={"AWS": role_arn(template)})
    assert broken(template) == set()


def test_not_principal_in_an_allow_of_a_bucket_does_not_let_in_whom_it_names() -> None:
    template = forms.template("explicit_with_id")
    bucket_policy(template, NotPrincipal={"AWS": role_arn(template)})
    assert broken(template) == set()


def test_a_principal_in_an_allow_of_a_bucket_lets_the_role_in() -> None:
    template = forms.template("explicit_with_id")
    bucket_policy(template, Principal={"AWS": role_arn(template)})
    assert broken(template) == {"role-permissions"}


def _policy_of(whom: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": whom}, "Action": "s3:*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


_MAP = json.dumps([{"data": {"mapRoles": json.dumps([{"rolearn": "${Who}", "groups": ["all"]}])}}])
DOORS: dict[str, Callable[[Any], tuple[str, Template]]] = {
    "an access entry": lambda arn: ("EKS::AccessEntry", {"PrincipalArn": arn}),
    "an administrator of a data lake": lambda arn: (
        "LakeFormation::DataLakeSettings",
        {"Admins": [{"DataLakePrincipalIdentifier": arn}]},
    ),
    "the master user of a search domain": lambda arn: (
        "OpenSearchService::Domain",
        {"AdvancedSecurityOptions": {"MasterUserOptions": {"MasterUserARN": arn}}},
    ),
    "the identity of an access policy": lambda arn: (
        "IoTSiteWise::AccessPolicy",
        {"AccessPolicyIdentity": {"IamRole": {"arn": arn}}},
    ),
    "the owner of an environment": lambda arn: ("Cloud9::EnvironmentEC2", {"OwnerArn": arn}),
    "a list of rules as text": lambda arn: (
        "OpenSearchServerless::AccessPolicy",
        {
            "Policy": {
                "Fn::Sub": [
                    '[{"Rules": [], "Principal": ["${Who}"], "Permission": ["aoss:*"]}]',
                    {"Who": arn},
                ]
            }
        },
    ),
    "a policy as text in text": lambda arn: (
        "CloudFormation::CustomResource",
        {"Call": {"Fn::Sub": [json.dumps({"Policy": _policy_of("${Who}")}), {"Who": arn}]}},
    ),
    "the map of a cluster": lambda arn: (
        "CloudFormation::CustomResource",
        {"Manifest": {"Fn::Sub": [_MAP, {"Who": arn}]}},
    ),
}


@pytest.mark.parametrize("door", DOORS)
def test_whatever_says_whom_it_lets_in_and_names_the_role_is_a_door(door: str) -> None:
    template = forms.template("explicit_with_id")
    kind, properties = DOORS[door](role_arn(template))
    add(template, "More", kind, **properties)
    assert broken(template) == {"role-permissions"}


@pytest.mark.parametrize("session", ["", ":*"])
def test_a_condition_on_the_id_of_the_role_lets_it_in(session: str) -> None:
    template = forms.template("explicit_with_id")
    user = {"Fn::Sub": f"${{{role_arn(template)['Fn::GetAtt'][0]}.RoleId}}{session}"}
    bucket_policy(template, Principal="*", Condition={"StringLike": {"aws:userId": user}})
    assert broken(template) == {"role-permissions"}


def test_what_hangs_on_the_region_is_compared_in_the_same_region() -> None:
    template = forms.template("explicit_with_id")
    regions = {one: {"a": f"arn:aws:iam::{CUSTOMER}:role/Of-{one}"} for one in ("eu-west-1", "x-1")}
    template["Mappings"] = {"Own": regions}
    whom = {"Fn::FindInMap": ["Own", {"Ref": "AWS::Region"}, "a"]}
    key_policy(template).append(allow({"AWS": whom}, "kms:DescribeKey"))
    assert broken(template) == set()


def test_an_output_of_the_key_in_another_region_is_none_of_the_key() -> None:
    template = forms.template("explicit_with_id")
    [key_id] = [n for n, one in template["Resources"].items() if one["Type"] == "AWS::KMS::Key"]
    arn = {"Fn::Sub": f"arn:aws:kms:sa-east-1:{CUSTOMER}:key/${{{key_id}}}"}
    said = 'For "Key ARN" in the Pinecone console'
    template["Outputs"] = {"KeyArn": {"Value": arn, "Description": said}}
    assert broken(template) == {"output-value"}


@pytest.mark.parametrize(
    ("kind", "member"),
    [
        ("Lambda::Function", "Role"),
        ("CloudFormation::StackSet", "AdministrationRoleARN"),
        ("SageMaker::Domain", "DefaultUserSettings.ExecutionRole"),
        ("Lambda::Function", "Environment.Variables.PrincipalArn"),
        ("SSM::Parameter", "Value"),
    ],
)
def test_what_only_says_which_role_there_is_lets_nobody_in(kind: str, member: str) -> None:
    template = forms.template("explicit_with_id")
    value: Any = role_arn(template)
    for name in reversed(member.split(".")):
        value = {name: value}
    add(template, "More", kind, **value)
    assert broken(template) == set()


@pytest.mark.parametrize(
    "policy",
    [lambda t: role(t)["AssumeRolePolicyDocument"], lambda t: key(t)["KeyPolicy"]],
    ids=["trust", "key"],
)
def test_a_version_that_is_none_cannot_be_judged(policy: Callable[[Template], Template]) -> None:
    template = forms.template("explicit_with_id")
    policy(template)["Version"] = "2012-10-18"
    assert broken(template) == {"cannot-be-judged"}


@pytest.mark.parametrize("command", ["who", "review"])
def test_two_accounts_that_are_taken_for_pinecones_are_said(command: str, tmp_path: Path) -> None:
    one = json.dumps(forms.template("explicit_with_id"))
    other = one.replace(forms.PINECONE, STRANGER)
    for name, text in (("one", one), ("other", other)):
        (tmp_path / f"{name}.json").write_text(text)
    printed = cmek(tmp_path, command, "one.json", "other.json")
    said = printed.stdout + printed.stderr
    if command == "review":
        said = (tmp_path / "review.html").read_text("utf-8")
    assert "Different accounts are taken for Pinecone" in said
    assert forms.PINECONE in said
    assert STRANGER in said


@pytest.mark.parametrize("command", ["check", "who", "review"])
def test_every_command_says_that_a_principal_was_deleted(command: str, tmp_path: Path) -> None:
    template = forms.template("explicit_with_id")
    key_policy(template)[1]["Principal"] = {"AWS": "AROAJ2UCCR6DPCEXAMPLE"}
    (tmp_path / "t.json").write_text(json.dumps(template))
    printed = cmek(tmp_path, command, "t.json", code=1 if command == "check" else 0)
    said = printed.stdout + printed.stderr
    if command == "review":
        said = (tmp_path / "review.html").read_text("utf-8")
    assert "AROAJ2UCCR6DPCEXAMPLE" in said
    assert "deleted" in said
