"""What is Pinecone's in a run: found by whom it lets in, never by the word alone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from cmek_construct.policy import Policy, Request, Verdict
from cmek_construct.templates.files import template_of
from cmek_construct.templates.found import Found
from cmek_construct.templates.pinecone import find
from cmek_construct.templates.run import Run
from tests import forms
from tests.forms import CUSTOMER, PINECONE
from tests.judged import judge, names
from tests.policies import allows

Template = dict[str, Any]
STRANGER = "777788889999"
ARN = f"arn:aws:iam::{CUSTOMER}:role"


def found_in(*templates: Template, account: str | None = None, **options: Any) -> Found:
    named = [template_of(one, f"t{number}") for number, one in enumerate(templates)]
    return find(Run(named, account), **options)


def good() -> Template:
    template: Template = forms.template("explicit_with_id")
    return template


def of_type(template: Template, kind: str) -> Any:
    [found] = [one for one in template["Resources"].values() if one["Type"] == f"AWS::{kind}"]
    return found["Properties"]


def id_of(template: Template, kind: str) -> str:
    [found] = [i for i, one in template["Resources"].items() if one["Type"] == f"AWS::{kind}"]
    return str(found)


def with_more(template: Template, kind: str, **properties: Any) -> Template:
    template["Resources"]["More"] = {"Type": f"AWS::{kind}", "Properties": properties}
    return template


def role_of(principal: Any, **condition: Any) -> Template:
    statement: Template = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    if condition:
        statement["Condition"] = condition
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    properties = {"AssumeRolePolicyDocument": policy}
    return {"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": properties}}}


def s3(principal: Any, **more: Any) -> Template:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "s3:*", "Resource": "*"}
    return {"Statement": [statement | more]}


def test_role_key_alias_and_outputs_are_found_with_their_places() -> None:
    found = found_in(good())
    [role], [key], [alias] = found.roles, found.keys, found.aliases
    assert role.place.path == id_of(good(), "IAM::Role")
    assert key.cases[0].roles == {role.place}
    assert alias.key == key.place
    assert {one.label: one.of for one in found.outputs} == {
        "Role ARN": role.place,
        "Key ARN": key.place,
        "External ID": None,
    }
    assert role.cases[0].account == CUSTOMER, "by the root that rules the key"


@pytest.mark.parametrize(
    "name",
    [
        "pinecone_cmek_access_us-east-1",
        "pinecone_cmk_access_us-east-1",
        "pinecone_cmek_acces_us-east-1",
        "pinecone-cmek-access-us-east-1",
        "Pinecone_CMEK_access_us-east-1",
        "pinecone?cmek?access_*",
        "*pinecone_cmek_access_*",
        "pinecone*",
    ],
)
def test_a_role_is_known_by_whom_it_may_let_in(name: str) -> None:
    arn = f"arn:aws:iam::{PINECONE}:role/{name}"
    assert found_in(role_of({"AWS": arn})).roles
    assert found_in(role_of({"AWS": "*"}, StringLike={"aws:PrincipalArn": arn})).roles
    by_parameter = {"Fn::Sub": f"arn:aws:iam::${{P}}:role/{name}"}
    assert found_in({**role_of({"AWS": by_parameter}), "Parameters": {"P": {}}}).roles


@pytest.mark.parametrize(
    "template",
    [
        role_of({"AWS": f"{ARN}/pinecone-cmek-pipeline"}),
        role_of({"AWS": f"{ARN}/x"}, StringEquals={"aws:PrincipalTag/app": "pinecone-cmek-access"}),
        role_of({"Federated": "x"}, StringLike={"token:sub": "repo:acme/pinecone_cmek_access:*"}),
        role_of({"Service": "lambda.amazonaws.com"}),
        {},
    ],
)
def test_the_word_alone_makes_nothing_pinecones(template: Template) -> None:
    found = found_in(template, account=CUSTOMER)
    assert (found.roles, found.keys, found.unread) == ([], [], [])


def test_what_a_lock_has_is_found_whatever_it_looks_like() -> None:
    template = role_of({"Service": "lambda.amazonaws.com"})
    found = found_in(template, known=lambda place: place.path == "R")
    assert [role.place.path for role in found.roles] == ["R"]


def test_a_role_that_the_outputs_name_is_found() -> None:
    template = role_of({"AWS": f"arn:aws:iam::{STRANGER}:root"})
    description = 'For "Role ARN" in the Pinecone console, Manage > CMEK > Add CMEK'
    value = {"Fn::GetAtt": ["R", "Arn"]}
    template["Outputs"] = {"O": {"Description": description, "Value": value}}
    assert found_in(template).roles


def test_a_key_that_lets_in_a_declared_vendor_is_found() -> None:
    arn = f"arn:aws:iam::{STRANGER}:role/vendor"
    policy = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "kms:*"}]}
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy}}
    assert not found_in({"Resources": {"K": key}}).keys
    assert found_in({"Resources": {"K": key}}, vendors=[arn]).keys


def test_a_strangers_key_beside_does_not_say_whose_account_it_is() -> None:
    root = {"AWS": f"arn:aws:iam::{STRANGER}:root"}
    policy = {"Statement": [{"Effect": "Allow", "Principal": root, "Action": "kms:*"}]}
    found = found_in(with_more(good(), "KMS::Key", KeyPolicy=policy))
    assert [one.cases[0].account for one in found.keys] == [CUSTOMER]


def test_two_accounts_that_rule_the_key_are_refused() -> None:
    template = good()
    root = {"AWS": f"arn:aws:iam::{STRANGER}:root"}
    more = {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}
    of_type(template, "KMS::Key")["KeyPolicy"]["Statement"].append(more)
    [problem] = found_in(template).problems
    assert STRANGER in problem.what
    assert CUSTOMER in problem.what


OWN_ROOT = {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}


@pytest.mark.parametrize(
    "own",
    [
        {"Principal": {"AWS": OWN_ROOT}, "Action": ["kms:Put*", "kms:ScheduleKeyDeletion"]},
        {"Principal": {"AWS": OWN_ROOT}, "Action": "kms:?*"},
        {"Principal": {"AWS": OWN_ROOT}, "NotAction": "kms:Nothing"},
        {
            "Principal": {"AWS": {"Ref": "AWS::AccountId"}},
            "Action": "kms:*",
            "Condition": {"StringEquals": {"kms:CallerAccount": {"Ref": "AWS::AccountId"}}},
        },
    ],
    ids=["a list", "a pattern", "all but one", "a condition"],
)
def test_whom_the_key_lets_in_beside_its_own_root_is_a_stranger(own: Template) -> None:
    template = good()
    statements = of_type(template, "KMS::Key")["KeyPolicy"]["Statement"]
    statements[0] = {"Effect": "Allow", "Resource": "*", **own}
    root = {"AWS": f"arn:aws:iam::{STRANGER}:root"}
    more = {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}
    statements.append(more)
    found = found_in(template)
    assert [one.cases[0].account for one in found.keys] == ["${AWS::AccountId}"]
    assert "key-foreign-principal" in names(judge(template))


def by_stack_name(template: Template) -> str:
    of_type(template, "IAM::Role")["RoleName"] = {"Fn::Sub": "${AWS::StackName}-pinecone"}
    return "prod-pinecone"


def generated(template: Template) -> str:
    return f"Prod-{id_of(template, 'IAM::Role')}-AbCdEf123456"


def in_capitals(template: Template) -> str:
    of_type(template, "IAM::Role")["RoleName"] = "pinecone-cmek"
    return "PINECONE-cmek"


@pytest.mark.parametrize("name_of", [by_stack_name, generated, in_capitals])
def test_a_literal_that_may_be_the_roles_name_is_the_role(name_of: Callable[[Template], str]) -> None:
    template = good()
    name = name_of(template)
    more = with_more(template, "IAM::Policy", PolicyDocument=s3("*"), Roles=[name])
    assert len(found_in(more).attached) == 1
    more = with_more(template, "S3::BucketPolicy", PolicyDocument=s3({"AWS": f"{ARN}/{name}"}))
    assert len(found_in(more).naming) == 1
    more = with_more(template, "IAM::Policy", PolicyDocument=s3("*"), Roles=["Prod-Other-1"])
    assert found_in(more).attached == []


def test_a_reference_that_is_not_known_is_listed_and_not_the_role() -> None:
    role = {"Fn::ImportValue": "CiRole"}
    template = with_more(good(), "IAM::Policy", PolicyDocument=s3("*"), Roles=[role])
    found = found_in(template)
    assert found.attached == []
    [unknown] = found.unknown
    assert (unknown.place.path, unknown.member) == ("More", "Roles")


def naming_by(member: str, value: Any, role: Any) -> dict[str, Any]:
    text = json.dumps(value).replace('"ROLE"', json.dumps(role))
    return {member: json.loads(text)}


@pytest.mark.parametrize(
    ("member", "value", "in_policy"),
    [
        ("PolicyDocument", s3({"AWS": "ROLE"}), True),
        ("PolicyDocument", s3("*", Condition={"ArnEquals": {"aws:PrincipalArn": "ROLE"}}), True),
        ("ResourcePolicy", {"PolicyDocument": s3({"AWS": ["ROLE"]})}, True),
        ("PolicyDocument", {"Fn::If": ["X", s3({"AWS": "ROLE"}), {}]}, True),
        ("PolicyDocument", {"Fn::ToJsonString": s3({"AWS": "ROLE"})}, True),
        ("Admins", [{"DataLakePrincipalIdentifier": "ROLE"}], False),
        ("Principal", "ROLE", False),
    ],
)
def test_other_resources_that_name_the_role_are_found(member: str, value: Any, in_policy: bool) -> None:
    template = good()
    role = {"Fn::GetAtt": [id_of(template, "IAM::Role"), "Arn"]}
    template["Conditions"] = {"X": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}}
    found = found_in(with_more(template, "Some::Thing", **naming_by(member, value, role)))
    [naming] = found.naming
    assert (naming.place.path, naming.policy is not None) == ("More", in_policy)
    assert naming.role == found.roles[0].place


def test_roles_that_are_named_by_a_pattern_are_told_in_one_order() -> None:
    template = good()
    role = of_type(template, "IAM::Role")
    every = [f"role-{number}" for number in range(9)]
    for name in every:
        template["Resources"][name] = {"Type": "AWS::IAM::Role", "Properties": {**role, "RoleName": name}}
    pattern = s3("*", Condition={"ArnLike": {"aws:PrincipalArn": f"{ARN}/role-?"}})
    found = found_in(with_more(template, "S3::BucketPolicy", PolicyDocument=pattern), account=CUSTOMER)
    assert [one.role.logical_id for one in found.naming] == every


def test_a_policy_as_text_in_which_a_member_stands_twice_may_be_anything() -> None:
    template = good()
    role = of_type(template, "IAM::Role")
    twice = json.dumps(role["AssumeRolePolicyDocument"])[:-1] + ', "Statement": []}'
    role["AssumeRolePolicyDocument"] = twice
    [found] = found_in(template).roles
    assert verdict(found.cases[0].policy, STRANGER) is Verdict.CANNOT_TELL


def verdict(trust: Policy, account: str) -> Verdict:
    return allows(trust, Request(f"arn:aws:iam::{account}:role/x", "sts:AssumeRole")).verdict


def test_each_case_has_its_own_policy() -> None:
    template = good()
    role = of_type(template, "IAM::Role")
    opened = json.loads(json.dumps(role["AssumeRolePolicyDocument"]))
    opened["Statement"] = [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]
    role["AssumeRolePolicyDocument"] = {"Fn::If": ["Open", opened, role["AssumeRolePolicyDocument"]]}
    template["Conditions"] = {"Open": {"Fn::Equals": [{"Ref": "P"}, "yes"]}}
    template["Parameters"] = {"P": {"Type": "String", "Default": "no"}}
    [found] = found_in(template).roles
    said = {one.case.words(): verdict(one.policy, STRANGER) for one in found.cases}
    assert said["t0.P is 'yes'"] is not Verdict.NO
    assert said["t0.P is 'no'"] is Verdict.NO


def test_cases_that_exclude_each_other_do_not_agree() -> None:
    template = good()
    name = {"Fn::If": ["Prod", "a", "b"]}
    of_type(template, "IAM::Role")["RoleName"] = name
    template["Conditions"] = {"Prod": {"Fn::Equals": [{"Ref": "P"}, "prod"]}}
    template["Parameters"] = {"P": {"Type": "String"}}
    found = found_in(template)
    [role], [key] = found.roles, found.keys
    together = [
        (one.arn.rpartition("/")[2], other.policy.statements[1].principals)
        for one in role.cases
        for other in key.cases
        if one.case.agrees(other.case)
    ]
    assert len(together) == 2
    for own, principals in together:
        assert principals is not None
        assert principals[0].name.endswith(f"role/{own}")


def test_what_rewrites_the_template_cannot_be_judged_and_aws_own_macros_can() -> None:
    assert found_in({**good(), "Transform": "OurMacro"}).unread
    assert found_in({**good(), "Transform": ["AWS::Include"]}).unread
    assert not found_in({**good(), "Transform": "AWS::LanguageExtensions"}).unread
    assert not found_in({"Transform": "OurMacro"}).unread


def test_a_stack_set_that_cannot_be_read_is_told_if_it_may_have_role_or_key() -> None:
    for body, told in (
        ({"Fn::Sub": "arn:aws:iam::${P}:role/pinecone_cmek_access_us-east-1"}, 1),
        ("{ pinecone_cmek_access_us-east-1", 1),
        ({"Ref": "Body"}, 0),
        ("{ nothing of ours", 0),
    ):
        template = with_more({"Resources": {}}, "CloudFormation::StackSet", TemplateBody=body)
        assert len(found_in(template).unread) == told


def test_a_key_of_which_nobody_can_tell_whose_it_is_is_told() -> None:
    [unread] = found_in(with_more(good(), "KMS::Key", KeyPolicy={"Ref": "P"})).unread
    assert unread.place.path == "More"


@pytest.mark.parametrize(
    "text",
    [
        "${" * 200_000,
        "pinecone" * 40_000,
        "arn:aws:iam::*:role/" + "*a" * 1_000,
        f"{ARN}/" + "${!x}" * 50_000,
        {"Fn::Sub": "${" * 200_000},
        {"Fn::Join": ["", ["${", {"Ref": "P"}] * 5_000]},
    ],
)
def test_no_text_takes_longer_than_a_moment(text: Any) -> None:
    template = good()
    name = {"Fn::Sub": "${A}-${B}-${C}-${D}-${E}-${F}-${G}x"}
    of_type(template, "IAM::Role")["RoleName"] = name
    template["Parameters"] = {one: {"Type": "String"} for one in "ABCDEFGP"}
    policy = s3({"AWS": [text, f"{ARN}/{'-' * 60}"]}, Condition={"X": {"aws:PrincipalArn": text}})
    start = time.monotonic()
    found_in(with_more(template, "S3::BucketPolicy", PolicyDocument=policy))
    found_in(role_of({"AWS": text}))
    assert time.monotonic() - start < 3


def test_a_condition_that_never_holds_makes_no_role() -> None:
    template = good()
    template["Conditions"] = {"Never": {"Fn::Equals": ["a", "b"]}}
    for resource in template["Resources"].values():
        resource["Condition"] = "Never"
    assert found_in(template).roles == []


def with_key_of_many_cases(template: Template, principal: Any) -> Template:
    """A key that is for one of twenty services, which are more cases than can be judged."""
    services = [f"service{number}" for number in range(20)]
    statement = {
        "Effect": "Allow",
        "Principal": principal,
        "Action": "kms:Decrypt",
        "Resource": "*",
        "Condition": {"StringEquals": {"kms:ViaService": {"Fn::Sub": "${Which}.amazonaws.com"}}},
    }
    is_first = {"Fn::Equals": [{"Ref": "Which"}, services[0]]}
    template.setdefault("Parameters", {})["Which"] = {"Type": "String", "AllowedValues": services}
    template.setdefault("Conditions", {})["First"] = is_first
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return with_more(template, "KMS::Key", KeyPolicy=document)


def of_many_cases(text: str) -> tuple[Template, Template]:
    """A text of one of twenty values, which are more cases than can be judged; and a template."""
    values = [f"value{number}" for number in range(20)]
    which = {"Type": "String", "AllowedValues": values}
    first = {"First": {"Fn::Equals": [{"Ref": "Which"}, values[0]]}}
    return {"Fn::Sub": text}, {"Parameters": {"Which": which}, "Conditions": first}


def role_of_many_cases() -> Template:
    """A role in whose template nothing is called Pinecone's."""
    principal, template = of_many_cases(f"arn:aws:iam::{STRANGER}:role/${{Which}}")
    template |= role_of({"AWS": principal})
    template["Resources"]["R"]["Properties"]["RoleName"] = "search"
    return template


def what_names_it(how: str) -> Template:
    template: Template
    if how == "an output for Pinecone's console":
        said = 'For "Role ARN" in the Pinecone console'
        output = {"Value": f"{ARN}/search", "Description": said}
        return {"Resources": {}, "Outputs": {"RoleArn": output}}
    template = good()
    for statement in of_type(template, "KMS::Key")["KeyPolicy"]["Statement"][1:]:
        statement["Principal"] = {"AWS": f"{ARN}/search"}
    return template


@pytest.mark.parametrize("how", ["an output for Pinecone's console", "a key of Pinecone's"])
def test_a_role_of_many_cases_that_another_template_makes_pinecones_cannot_be_judged(how: str) -> None:
    found = found_in(role_of_many_cases(), what_names_it(how), account=CUSTOMER)
    assert "R" in [one.place.logical_id for one in found.unread]
    assert "R" not in [one.place.logical_id for one in found.roles]


def test_a_role_of_many_cases_that_a_lock_has_cannot_be_judged() -> None:
    found = found_in(role_of_many_cases(), known=lambda place: place.logical_id == "R")
    assert ["more cases than can be judged" in one.why for one in found.unread] == [True]


def test_a_role_of_many_cases_that_nothing_names_is_none_of_ours() -> None:
    assert found_in(role_of_many_cases(), good(), account=CUSTOMER).unread == []


@pytest.mark.parametrize("where", ["an output", "an alias"])
def test_a_key_of_many_cases_that_another_template_makes_pinecones_cannot_be_judged(where: str) -> None:
    key = with_key_of_many_cases({"Resources": {}}, {"AWS": f"{ARN}/Other"})
    key["Outputs"] = {"Id": {"Value": {"Ref": "More"}, "Export": {"Name": "the-id"}}}
    imported = {"Fn::ImportValue": "the-id"}
    properties = {"AliasName": "alias/pinecone-cmek/search", "TargetKeyId": imported}
    other = {
        "an output": {
            "Resources": {},
            "Outputs": {"A": {"Value": imported, "Description": 'For "Key ARN" in the Pinecone console'}},
        },
        "an alias": {"Resources": {"A": {"Type": "AWS::KMS::Alias", "Properties": properties}}},
    }[where]
    assert [one.place.logical_id for one in found_in(key, other).unread] == ["More"]


@pytest.mark.parametrize("around", ["nothing of Pinecone's", "Pinecone's role and key"])
def test_a_key_of_many_cases_that_nothing_makes_pinecones_is_none_of_ours(around: str) -> None:
    template = {"Resources": {}} if around.startswith("nothing") else good()
    found = found_in(with_key_of_many_cases(template, {"AWS": f"arn:aws:iam::{STRANGER}:root"}))
    assert found.unread == []


@pytest.mark.parametrize("how", ["names the role", "calls itself Pinecone's", "imports whom it names"])
def test_a_key_of_many_cases_that_may_be_pinecones_cannot_be_judged(how: str) -> None:
    template = good()
    principal = {
        "names the role": {"AWS": {"Fn::GetAtt": [id_of(template, "IAM::Role"), "Arn"]}},
        "calls itself Pinecone's": {"AWS": f"arn:aws:iam::{STRANGER}:role/pinecone-cmek"},
        "imports whom it names": {"AWS": {"Fn::ImportValue": "Somebody"}},
    }[how]
    found = found_in(with_key_of_many_cases(template, principal))
    assert [one.place.logical_id for one in found.unread] == ["More"]
    assert "more cases than can be judged" in found.unread[0].why
