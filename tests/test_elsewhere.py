"""What other resources and other templates of a run say about Pinecone's role."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cmek_construct.templates.files import template_of
from cmek_construct.templates.pinecone import find
from cmek_construct.templates.run import Run
from tests import forms
from tests.command import cmek
from tests.forms import CUSTOMER
from tests.judged import judge, judge_all, names
from tests.mutants.made import Template, add, allow, grant, key, key_policy, resource_id, role, role_arn

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
        {"Policy": {"Fn::Sub": ['[{"Rules": [], "Principal": ["${Who}"], "Permission": ["aoss:*"]}]', {"Who": arn}]}},
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


@pytest.mark.parametrize("session", ["", ":*", "*", ":one"])
@pytest.mark.parametrize("others", [[], ["AIDASOMEBODYSOMEBODY1"]])
def test_a_condition_on_the_id_of_the_role_lets_it_in(session: str, others: list[str]) -> None:
    template = forms.template("explicit_with_id")
    user = {"Fn::Sub": f"${{{role_arn(template)['Fn::GetAtt'][0]}.RoleId}}{session}"}
    bucket_policy(template, Principal="*", Condition={"StringLike": {"aws:userId": [user, *others]}})
    assert broken(template) == {"role-permissions"}


def test_whom_a_denial_for_all_but_some_spares_is_let_in_by_what_is_open_to_all() -> None:
    template = forms.template("explicit_with_id")
    bucket_policy(template, Principal="*")
    spared = {"AWS": [role_arn(template), f"arn:aws:iam::{CUSTOMER}:root"]}
    statements = template["Resources"]["More"]["Properties"]["PolicyDocument"]["Statement"]
    statements.append({"Effect": "Deny", "NotPrincipal": spared, "Action": "*", "Resource": "*"})
    assert broken(template) == {"role-permissions"}


ALL_OF_ACCOUNT = f"arn:aws:iam::{CUSTOMER}:role"
PATTERNS = {
    f"{ALL_OF_ACCOUNT}/vendors/*": True,
    f"{ALL_OF_ACCOUNT}/vendors/pinecone/C*": True,
    "arn:aws:iam::*:*/Cmek": True,
    "*/Cmek": True,
    f"{ALL_OF_ACCOUNT}/*": False,
    f"{ALL_OF_ACCOUNT}/vendor/*": False,
    f"{ALL_OF_ACCOUNT}/*/Admin": False,
    "arn:aws:iam::*:*": False,
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_lets_the_role_in_where_its_arn_is_of_it_and_not_every_roles(pattern: str) -> None:
    template = forms.template("explicit_with_id")
    role(template).update(RoleName="Cmek", Path="/vendors/pinecone/")
    bucket_policy(template, Principal="*", Condition={"StringLike": {"aws:PrincipalArn": pattern}})
    assert broken(template) == ({"role-permissions"} if PATTERNS[pattern] else set())


def test_what_a_second_condition_or_a_denial_takes_from_the_role_is_none_of_its_own() -> None:
    named = {"aws:PrincipalArn": f"{ALL_OF_ACCOUNT}/vendors/*"}
    for more in ({"ArnNotLike": {"aws:PrincipalArn": f"{ALL_OF_ACCOUNT}/vendors/Cmek"}}, None):
        template = forms.template("explicit_with_id")
        role(template).update(RoleName="Cmek", Path="/vendors/")
        bucket_policy(template, Principal="*", Condition={"ArnLike": named, **(more or {})})
        if more is None:
            document = template["Resources"]["More"]["Properties"]["PolicyDocument"]
            denial = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
            document["Statement"].append({**denial, "Principal": {"AWS": role_arn(template)}})
        assert broken(template) == set()


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
    "policy", [lambda t: role(t)["AssumeRolePolicyDocument"], lambda t: key(t)["KeyPolicy"]], ids=["trust", "key"]
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


def _connector(role_id: str, source: str) -> Template:
    function = {"Role": {"Fn::GetAtt": [role_id, "Arn"]}}
    ends = {"Source": {"Id": source}, "Destination": {"Id": "Table"}, "Permissions": ["Read"]}
    return {
        "Fn": {"Type": "AWS::Serverless::Function", "Properties": function},
        "Other": {"Type": "AWS::Serverless::Function", "Properties": {"Handler": "x"}},
        "More": {"Type": "AWS::Serverless::Connector", "Properties": ends},
    }


def _embedded(role_id: str, _: str) -> Template:
    own = {"Table": {"Properties": {"Destination": {"Id": "Table"}, "Permissions": ["Read"]}}}
    function = _connector(role_id, "Fn")["Fn"]
    return {"Fn": {**function, "Connectors": own}}


def _of_type(kind: str, **properties: Any) -> Callable[[str, str], Template]:
    def made(role_id: str, key_id: str) -> Template:
        text = json.dumps(properties).replace("ROLE", role_id).replace("KEY", key_id)
        return {"More": {"Type": kind, "Properties": json.loads(text)}}

    return made


_CALL = {"service": "IAM", "action": "attachRolePolicy"}
_READ = {"service": "iam", "action": "getRole", "parameters": {"RoleName": {"Ref": "ROLE"}}}
_GRANT = {"service": "@aws-sdk/client-kms", "action": "CreateGrantCommand"}
BECOMES = {
    "a connector of a function that has the role": lambda r, _: _connector(r, "Fn"),
    "a connector within such a function": _embedded,
    "a connector that has the name": _of_type("AWS::Serverless::Connector", Source={"RoleName": {"Ref": "ROLE"}}),
    "an application": _of_type("AWS::Serverless::Application", Location="x", Parameters={"R": {"Ref": "ROLE"}}),
    "a module": _of_type("Acme::IAM::Access::MODULE", Role={"Ref": "ROLE"}),
    "a nested stack, in a list as text": _of_type(
        "AWS::CloudFormation::Stack",
        TemplateURL="https://x",
        Parameters={"Roles": {"Fn::Join": [",", ["x", {"Ref": "ROLE"}]]}},
    ),
    "a nested stack, in a text": _of_type(
        "AWS::CloudFormation::Stack", TemplateURL="https://x", Parameters={"Role": {"Fn::Sub": "as-${ROLE}"}}
    ),
    "a call of IAM": _of_type("Custom::AWS", Create={**_CALL, "parameters": {"RoleName": {"Ref": "ROLE"}}}),
    "a grant by a custom resource": _of_type(
        "Custom::Grant", KeyId={"Ref": "KEY"}, GranteePrincipal=f"arn:aws:iam::{STRANGER}:role/x"
    ),
    "a grant by a call of KMS": _of_type("Custom::AWS", Create={**_GRANT, "parameters": {"KeyId": {"Ref": "KEY"}}}),
}
HARMLESS = {
    "a connector of another function": lambda r, _: _connector(r, "Other"),
    "a function that has the role": lambda r, _: {"Fn": _connector(r, "Fn")["Fn"]},
    "a module that does not name it": _of_type("Acme::S3::Bucket::MODULE", Name="x"),
    "a nested stack that is not handed it": _of_type(
        "AWS::CloudFormation::Stack", TemplateURL="https://x", Parameters={"Role": "x"}
    ),
    "a parameter of SSM that has the ARN": _of_type(
        "AWS::SSM::Parameter", Type="String", Value={"Fn::Sub": '{"role": "${ROLE.Arn}"}'}
    ),
    "a call of IAM that reads": _of_type("Custom::AWS", Create=_READ),
}


@pytest.mark.parametrize("what", [*BECOMES, *HARMLESS])
def test_what_becomes_something_that_is_not_seen_cannot_be_judged_if_it_has_the_role(what: str) -> None:
    template = forms.template("explicit_with_id")
    ids = [resource_id(template, "IAM::Role"), resource_id(template, "KMS::Key")]
    template["Resources"] |= {**BECOMES, **HARMLESS}[what](*ids)
    assert broken(template) == ({"cannot-be-judged"} if what in BECOMES else set())


def test_an_account_whose_root_has_the_key_of_a_role_of_another_is_a_problem() -> None:
    template = forms.template("explicit_with_id")
    role(template)["RoleName"] = "Cmek"
    text = json.dumps(key_policy(template)).replace(CUSTOMER, STRANGER)
    for number, statement in enumerate(json.loads(text)):
        own = {"AWS": f"arn:aws:iam::{CUSTOMER}:role/Cmek"}
        key_policy(template)[number] = {**statement, "Principal": own} if number else statement
    run = Run([template_of(template, "t")])
    [problem] = find(run).problems
    assert CUSTOMER in str(problem)
    assert STRANGER in str(problem)


@pytest.mark.parametrize("account", [None, CUSTOMER, "123456789012"])
def test_a_literal_accounts_keys_are_a_customers_where_the_own_account_is_known(account: str | None) -> None:
    template = forms.template("environment_agnostic")
    keys = f"arn:aws:kms:*:{CUSTOMER}:key/*"
    role(template)["Policies"] = [grant(Action=["kms:Encrypt", "kms:Decrypt"], Resource=keys)]
    found = names(judge(template, account=account))
    assert found == (set() if account == "123456789012" else {"role-permissions"})


@pytest.mark.parametrize(
    ("date", "right"),
    [
        ("2024-01-01T00:00:00Z", set()),
        ("2999-01-01T00:00:00Z", {"pinecone-locked-out"}),
        ("9" * 20, {"pinecone-not-seen-to-come-in"}),
    ],
)
def test_a_denial_to_sessions_that_began_long_ago_keeps_nobody_out(date: str, right: set[str]) -> None:
    template = forms.template("explicit_with_id")
    older = {"DateLessThan": {"aws:TokenIssueTime": date}}
    denial = grant(Effect="Deny", Action=["*"], Resource=["*"], Condition=older)
    role(template)["Policies"] = [{**denial, "PolicyName": "AWSRevokeOlderSessions"}]
    assert broken(template) == right


def for_console(label: str, value: Any) -> Template:
    return {"Description": f'For "{label}" in the Pinecone console', "Value": value}


@pytest.mark.parametrize(
    ("label", "kind", "function"),
    [
        ("Key ARN", "IAM::Role", "Fn::GetAtt"),
        ("Role ARN", "KMS::Key", "Fn::GetAtt"),
        ("Key ARN", "KMS::Key", "Ref"),
        ("Role ARN", "IAM::Role", "Ref"),
    ],
)
def test_an_output_for_the_console_is_the_arn_that_its_field_takes(label: str, kind: str, function: str) -> None:
    template = forms.template("explicit_with_id")
    own = resource_id(template, kind)
    value = {"Ref": own} if function == "Ref" else {"Fn::GetAtt": [own, "Arn"]}
    template["Outputs"] = {"Wrong": for_console(label, value)}
    [violation] = judge(template, account=CUSTOMER)
    assert violation.rule.startswith("output-value[")
    assert f"is no {label} of the templates" in violation.what


@pytest.mark.parametrize("label", ["Key ARN", "Role ARN"])
@pytest.mark.parametrize(
    ("value", "parameter"),
    [
        ({"Fn::ImportValue": "Theirs"}, {}),
        ({"Ref": "Theirs"}, {"Type": "String"}),
        ({"Ref": "Theirs"}, {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/theirs"}),
    ],
    ids=["another stack", "the deployer", "SSM"],
)
def test_what_another_says_for_the_console_is_for_a_person_to_look_at(value: Any, parameter: Any, label: str) -> None:
    template = forms.template("explicit_with_id")
    gone, *_ = (name for name, one in template["Outputs"].items() if label in one["Description"])
    other = resource_id(template, "KMS::Key" if label == "Key ARN" else "IAM::Role")
    template |= {"Parameters": {"Theirs": parameter}} if parameter else {}
    template["Outputs"]["Theirs"] = for_console(label, value)
    assert broken(template) == set()
    del template["Outputs"][gone]
    assert broken(template) == {"output-value"}, f"in place of {other}"


def two_keys(other_arn: Any) -> Template:
    """A key in test and another one in production, or what is instead of it, and an output of the one that there is."""
    template = forms.template("explicit_with_id")
    own = resource_id(template, "KMS::Key")
    template["Parameters"] = {"Stage": {"Type": "String", "AllowedValues": ["test", "prod"]}}
    template["Conditions"] = {
        "Test": {"Fn::Equals": [{"Ref": "Stage"}, "test"]},
        "Prod": {"Fn::Not": [{"Condition": "Test"}]},
    }
    resources = template["Resources"]
    resources["Other"] = {**resources[own], "Condition": "Prod"}
    resources[own]["Condition"] = "Test"
    template["Outputs"] = {
        "KeyArn": for_console("Key ARN", {"Fn::If": ["Test", {"Fn::GetAtt": [own, "Arn"]}, other_arn]})
    }
    for alias in [one for one in resources.values() if one["Type"] == "AWS::KMS::Alias"]:
        alias["Properties"]["TargetKeyId"] = {"Fn::If": ["Test", {"Ref": own}, {"Ref": "Other"}]}
    return template


def test_an_output_of_one_key_or_the_other_passes_and_no_person_is_asked(tmp_path: Path) -> None:
    template = two_keys({"Fn::GetAtt": ["Other", "Arn"]})
    assert broken(template) == set()
    (tmp_path / "t.json").write_text(json.dumps(template))
    assert "Ask a person" not in cmek(tmp_path, "check", "t.json").stderr


def test_of_an_output_in_several_cases_that_is_refused_which_is_none_of_the_keys() -> None:
    stranger = f"arn:aws:kms:us-east-1:{STRANGER}:key/1234"
    [violation] = judge(two_keys(stranger), account=CUSTOMER)
    assert stranger in violation.rule


def test_the_external_id_may_have_a_part_that_the_deployer_types() -> None:
    template = forms.template("explicit_with_id")
    template["Parameters"] = {"Stage": {"Type": "String"}}
    [statement] = role(template)["AssumeRolePolicyDocument"]["Statement"]
    statement["Condition"]["StringEquals"]["sts:ExternalId"] = {"Fn::Sub": "acme-${Stage}"}
    template["Outputs"] = {}
    assert broken(template) == set()


@pytest.mark.parametrize(
    "text", ["{{resolve:ssm:/pinecone/id}}", {"Fn::Sub": "acme-${AWS::StackName}"}, {"Fn::Base64": "x"}]
)
def test_an_external_id_that_cannot_be_read_is_not_said_to_keep_pinecone_out(text: Any) -> None:
    template = forms.template("explicit_with_id")
    [statement] = role(template)["AssumeRolePolicyDocument"]["Statement"]
    statement["Condition"]["StringEquals"]["sts:ExternalId"] = text
    template["Outputs"] = {}
    assert names(judge(template)) == {"cannot-be-judged"}


def test_a_role_whose_path_the_deployer_types_is_the_one_that_the_key_names() -> None:
    template = forms.template("explicit_with_id")
    template["Parameters"] = {"Path": {"Type": "String", "Default": "/"}}
    role(template)["Path"] = {"Ref": "Path"}
    assert broken(template) == set()


# With AWS::LanguageExtensions.

STAGES: Template = {
    "Parameters": {"Stage": {"Type": "String", "AllowedValues": ["prod", "test"]}},
    "Conditions": {
        "Fn::ForEach::Stages": ["One", ["Prod", "Test"], {"Is${One}": {"Fn::Equals": ["Prod", {"Ref": "One"}]}}]
    },
}


@pytest.mark.parametrize(
    ("kept", "rules"),
    [
        ({"Fn::If": ["IsTest", "Delete", "Retain"]}, set()),
        ({"Fn::FindInMap": ["Kept", {"Ref": "Stage"}, "of"]}, set()),
        ({"Fn::If": ["IsProd", "Delete", "Retain"]}, {"key-retained"}),
        ({"Ref": "Stage"}, {"key-retained"}),
    ],
)
def test_what_becomes_of_a_key_may_be_said_by_a_function(kept: Any, rules: set[str]) -> None:
    template = forms.template("explicit_with_id") | STAGES
    template["Mappings"] = {"Kept": {"prod": {"of": "Retain"}, "test": {"of": "RetainExceptOnCreate"}}}
    template["Resources"][resource_id(template, "KMS::Key")]["DeletionPolicy"] = kept
    assert broken(template) == rules


@pytest.mark.parametrize("is_let_in", [True, False])
def test_a_loop_makes_conditions(is_let_in: bool) -> None:
    template = forms.template("explicit_with_id") | STAGES
    stranger = allow({"AWS": f"arn:aws:iam::{STRANGER}:root"}, "kms:Decrypt")
    key_policy(template).append({"Fn::If": ["IsProd" if is_let_in else "IsTest", stranger, {"Ref": "AWS::NoValue"}]})
    assert broken(template) == ({"key-foreign-principal"} if is_let_in else set())


@pytest.mark.parametrize("account", [CUSTOMER, STRANGER])
def test_a_loop_makes_outputs(account: str) -> None:
    template = forms.template("explicit_with_id")
    own = resource_id(template, "KMS::Key")
    output = for_console("Key ARN", f"arn:aws:kms:us-east-1:{STRANGER}:key/1234")
    if account == CUSTOMER:
        output["Value"] = {"Fn::GetAtt": [{"Fn::Sub": "${Name}"}, "Arn"]}
    template["Outputs"] = {"Fn::ForEach::Keys": ["Name", [own], {"Arn${Name}": output}]}
    assert broken(template) == (set() if account == CUSTOMER else {"output-value"})


@pytest.mark.parametrize("function", ["Fn::GetAtt", "Ref"])
def test_a_function_may_say_of_what_a_reference_is(function: str) -> None:
    template = forms.template("explicit_with_id")
    own = {"Fn::Join": ["", [resource_id(template, "IAM::Role")]]}
    name = {"Fn::Sub": [f"arn:aws:iam::{CUSTOMER}:role/${{Name}}", {"Name": {"Ref": own}}]}
    whom = {"Fn::GetAtt": [own, "Arn"]} if function == "Fn::GetAtt" else name
    bucket_policy(template, Principal={"AWS": whom})
    assert broken(template) == {"role-permissions"}


def test_a_parameter_that_is_the_name_of_one_of_ssm_is_that_name() -> None:
    template = forms.template("explicit_with_id")
    role(template)["RoleName"] = "cmek"
    kind = "AWS::SSM::Parameter::Name"
    template["Parameters"] = {"Name": {"Type": kind, "AllowedValues": ["cmek"], "Default": "cmek"}}
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    add(template, "More", "IAM::Policy", PolicyName="x", Roles=[{"Ref": "Name"}], PolicyDocument=policy)
    assert broken(template) == {"role-permissions"}


@pytest.mark.parametrize(
    ("primary", "is_multi_region"),
    [({"Ref": "Primary"}, True), (f"arn:aws:kms:us-east-1:{CUSTOMER}:key/mrk-1", True)]
    + [({"Ref": "Primary"}, False), (f"arn:aws:kms:us-east-1:{CUSTOMER}:key/mrk-1", False)],
)
def test_a_replica_may_be_of_any_multi_region_key(primary: Any, is_multi_region: bool) -> None:
    template = forms.template("explicit_with_id")
    key(template)["MultiRegion"] = is_multi_region
    stranger = allow({"AWS": f"arn:aws:iam::{STRANGER}:root"}, "kms:Decrypt")
    policy = {"Version": "2012-10-17", "Statement": [key_policy(template)[0], stranger]}
    replica: Template = {"Parameters": {"Primary": {"Type": "String"}}, "Resources": {}}
    add(replica, "R", "KMS::ReplicaKey", PrimaryKeyArn=primary, KeyPolicy=policy)
    found = names(judge_all([(template, CUSTOMER), (replica, CUSTOMER)]))
    assert ("key-foreign-principal" in found) is is_multi_region
