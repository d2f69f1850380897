"""`cmek sheet --fleet`, asked of stacks that moto makes from the very values of the set.

Moto makes the stacks of a set, with roles and keys, in their accounts. It does not say where: the stack IDs that it
lists are made up, and those of service-managed sets are hidden (both are mended here, and a test says when they no
longer need to be). It lets every role be assumed, knows no pages of instances, and evaluates no template rules.
"""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto.cloudformation.models import StackInstance, cloudformation_backends
from typer.testing import CliRunner

from cmek_construct import StackSetTargets
from cmek_construct.commands.app import cli
from tests.building import EXTERNAL_ID, REGION, Template
from tests.test_doctor import aws
from tests.test_stack_set import ACCOUNTS, BY_ID, BY_NAME, IDS, stack_set

__all__ = ["aws"]
SET = "pinecone-cmek"
OF_THE_SET = (
    "StackSetName",
    "TemplateBody",
    "Capabilities",
    "PermissionModel",
    "AutoDeployment",
    "ManagedExecution",
    "Description",
)


@pytest.fixture
def mended(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Moto, with each instance of a set naming its stack, and the stack in its account."""
    unmended = StackInstance.to_dict

    def to_dict(instance: Any) -> dict[str, Any]:
        stacks = cloudformation_backends[instance.account_id][instance.region_name].stacks
        if instance.permission_model == "SERVICE_MANAGED" and not hasattr(instance, "shown"):
            stacks[instance.stack.stack_id] = instance.stack
            instance.shown = True
        return {**unmended(instance), "StackId": instance.stack.stack_id}

    monkeypatch.setattr(StackInstance, "to_dict", to_dict)


def make(properties: Template) -> None:
    """What CloudFormation's handler asks of StackSets for the properties of the resource."""
    cloudformation = boto3.client("cloudformation")
    cloudformation.create_stack_set(**{name: properties[name] for name in OF_THE_SET if name in properties})
    for group in properties["StackInstancesGroup"]:
        targets = {"DeploymentTargets": group["DeploymentTargets"]}
        if properties["PermissionModel"] == "SELF_MANAGED":  # moto looks for them outside alone
            targets = group["DeploymentTargets"]
        cloudformation.create_stack_instances(
            StackSetName=properties["StackSetName"],
            Regions=group["Regions"],
            ParameterOverrides=group.get("ParameterOverrides", []),
            OperationPreferences=properties["OperationPreferences"],
            **targets,
        )


def organization() -> tuple[str, list[str]]:
    """An organizational unit with three accounts."""
    organizations = boto3.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    unit = organizations.create_organizational_unit(ParentId=root, Name="search")
    accounts = []
    for number in range(3):
        made = organizations.create_account(Email=f"{number}@example.com", AccountName=f"{number}")
        account = made["CreateAccountStatus"]["AccountId"]
        organizations.move_account(
            AccountId=account, SourceParentId=root, DestinationParentId=unit["OrganizationalUnit"]["Id"]
        )
        accounts.append(account)
    return unit["OrganizationalUnit"]["Id"], accounts


def inside(account: str, service: str) -> Any:
    """A client in one account."""
    role = f"arn:aws:iam::{account}:role/Any"
    keys = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return boto3.client(
        service,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def only_stack(account: str) -> Any:
    """The one stack of an account."""
    (stack,) = inside(account, "cloudformation").describe_stacks()["Stacks"]
    return stack


def sheet(*arguments: str, code: int = 0) -> Any:
    result = CliRunner().invoke(cli, ["sheet", "--fleet", SET, *arguments])
    assert result.exit_code == code, result.output
    return result


def rows(*arguments: str, code: int = 0) -> dict[str, dict[str, Any]]:
    """The rows as data, by account."""
    listed = json.loads(sheet("--json", *arguments, code=code).stdout)
    return {row["account"]: row for row in listed}


@pytest.mark.usefixtures("mended")
def test_every_account_of_a_unit_has_a_row_to_paste() -> None:
    unit, accounts = organization()
    make(stack_set(targets=StackSetTargets.organizational_units([unit])))
    found = rows()
    assert sorted(found) == sorted(accounts)
    for account, row in found.items():
        keys = inside(account, "kms").list_keys()["Keys"]
        assert row["key_arn"] in [key["KeyArn"] for key in keys]
        assert row["key_arn"].startswith(f"arn:aws:kms:{REGION}:{account}:key/")
        assert inside(account, "iam").get_role(RoleName=SET)["Role"]["Arn"] == row["role_arn"]
        assert (row["region"], row["external_id"]) == (REGION, EXTERNAL_ID)
        assert (row["status"], row["problem"]) == ("CURRENT", None)


@pytest.mark.usefixtures("mended")
def test_accounts_with_an_id_each_show_their_own() -> None:
    make(stack_set(**BY_ID))
    found = rows()
    assert {account: row["external_id"] for account, row in found.items()} == IDS
    for account in ACCOUNTS:
        role = inside(account, "iam").get_role(RoleName=SET)["Role"]
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": IDS[account]}}


@pytest.mark.usefixtures("mended")
def test_the_table_breaks_no_value() -> None:
    make(stack_set(**BY_NAME))
    found = rows()
    printed = sheet().stdout.splitlines()
    assert re.split(r"  +", printed[0].strip()) == ["Account", "Region", "Role ARN", "Key ARN", "External ID", "Status"]
    for line, account in zip(printed[1:], sorted(ACCOUNTS), strict=True):
        row = found[account]
        cells = [account, REGION, row["role_arn"], row["key_arn"], EXTERNAL_ID, "CURRENT"]
        assert line.split() == cells


@pytest.mark.usefixtures("mended")
def test_the_csv_has_the_same_rows() -> None:
    make(stack_set(**BY_NAME, external_id=None))
    listed = list(csv.DictReader(io.StringIO(sheet("--csv").stdout)))
    found = rows()
    assert [row["account"] for row in listed] == sorted(ACCOUNTS)
    for row in listed:
        same = {name: found[row["account"]][name] or "" for name in row}
        assert row == same
        assert row["external_id"] == ""
    assert "(leave blank)" in sheet().stdout


@pytest.mark.usefixtures("mended")
def test_a_suspended_set_says_so_in_every_row() -> None:
    make(stack_set(**BY_NAME, suspended=True, role_path="/security/"))
    assert {row["status"] for row in rows().values()} == {"CURRENT, suspended"}
    assert rows()[ACCOUNTS[0]]["role_arn"].endswith(":role/security/pinecone-cmek")


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize("arguments", [[], ["--csv"], ["--json"]])
def test_an_account_that_cannot_be_read_is_a_row_that_says_so(arguments: list[str]) -> None:
    make(stack_set(**BY_NAME))
    lost = ACCOUNTS[1]
    inside(lost, "cloudformation").delete_stack(StackName=only_stack(lost)["StackName"])
    printed = sheet(*arguments, code=1)
    assert all(account in printed.stdout for account in ACCOUNTS)
    assert printed.stdout.count("arn:aws:kms") == 2
    assert f"{lost}: the stack is in DELETE_COMPLETE" in printed.stderr


@pytest.mark.usefixtures("mended")
def test_a_stack_that_is_not_as_the_set_has_it_is_not_pasted(monkeypatch: pytest.MonkeyPatch) -> None:
    make(stack_set(**BY_ID))
    shown = StackInstance.to_dict

    def to_dict(instance: Any) -> dict[str, Any]:
        outdated = {"Status": "OUTDATED"} if instance.account_id == ACCOUNTS[0] else {}
        return {**shown(instance), **outdated}

    monkeypatch.setattr(StackInstance, "to_dict", to_dict)
    found = rows(code=1)
    assert "not as the set has it" in found[ACCOUNTS[0]]["problem"]
    assert found[ACCOUNTS[0]]["key_arn"] is None
    assert found[ACCOUNTS[1]]["external_id"] == IDS[ACCOUNTS[1]]


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize(
    ("output", "value"),
    [
        ("RoleArn", f"arn:aws:iam::{ACCOUNTS[1]}:role/pinecone-cmek"),
        ("KeyArn", f"arn:aws:kms:eu-west-1:{ACCOUNTS[0]}:key/1234abcd"),
        ("KeyArn", f"arn:aws:kms:{REGION}:{ACCOUNTS[1]}:key/1234abcd"),
        ("KeyArn", f"arn:aws:kms:{REGION}:{ACCOUNTS[0]}:alias/x"),
        ("ExternalId", "0f1d8b6e 7a52"),
        ("ExternalId", "0f1d8b6e\u202e7a52"),
    ],
)
def test_outputs_of_another_account_or_form_are_refused(output: str, value: str) -> None:
    make(stack_set(**BY_NAME))
    template = json.loads(stack_set(**BY_NAME)["TemplateBody"])
    template["Outputs"][output]["Value"] = value
    inside(ACCOUNTS[0], "cloudformation").update_stack(
        StackName=only_stack(ACCOUNTS[0])["StackName"], TemplateBody=json.dumps(template)
    )
    found = rows(code=1)
    assert f"output {output}" in found[ACCOUNTS[0]]["problem"]
    assert ascii(value) in found[ACCOUNTS[0]]["problem"]
    assert found[ACCOUNTS[0]]["role_arn"] is None
    assert found[ACCOUNTS[1]]["problem"] is None


@pytest.mark.usefixtures("mended")
def test_a_role_that_may_not_be_assumed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    make(stack_set(**BY_NAME))
    call = BaseClient._make_api_call
    asked: list[str] = []

    def refuse_one(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        if operation == "AssumeRole":
            asked.append(parameters["RoleArn"])
            if ACCOUNTS[2] in parameters["RoleArn"]:
                raise ClientError({"Error": {"Code": "AccessDenied"}}, operation)
        return call(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", refuse_one)
    found = rows("--role=Auditor", code=1)
    assert sorted(asked) == sorted(f"arn:aws:iam::{one}:role/Auditor" for one in ACCOUNTS)
    assert f"may not assume arn:aws:iam::{ACCOUNTS[2]}:role/Auditor" in found[ACCOUNTS[2]]["problem"]
    assert [found[one]["problem"] for one in ACCOUNTS[:2]] == [None, None]
    asked.clear()
    rows(code=1)
    assert all(arn.endswith(":role/OrganizationAccountAccessRole") for arn in asked)


@pytest.mark.usefixtures("mended")
def test_call_as_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    make(stack_set(**BY_ID))
    call = BaseClient._make_api_call
    asked: dict[str, Any] = {}

    def note(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        asked[operation] = parameters.pop("CallAs", None)
        return call(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", note)
    rows("--call-as=DELEGATED_ADMIN")
    assert [asked[one] for one in ("DescribeStackSet", "ListStackInstances")] == ["DELEGATED_ADMIN"] * 2
    assert asked["DescribeStacks"] is None


@pytest.mark.usefixtures("aws")
def test_a_set_that_is_not_there_is_refused() -> None:
    printed = sheet(code=1)
    assert printed.stdout == ""
    assert "pinecone-cmek: AWS refused" in printed.stderr
    assert "--call-as DELEGATED_ADMIN" in printed.stderr


@pytest.mark.usefixtures("mended")
def test_of_a_set_of_another_kind_nothing_is_pasted() -> None:
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "other"}}}}
    make({**stack_set(**BY_NAME), "TemplateBody": json.dumps(template)})
    assert all("the output RoleArn is ''" in row["problem"] for row in rows(code=1).values())


@pytest.mark.usefixtures("aws")
def test_a_set_without_stacks_is_refused() -> None:
    make({**stack_set(**BY_NAME), "StackInstancesGroup": []})
    assert "the stack set has no stacks" in sheet(code=1).stderr


def test_without_credentials_it_says_what_to_do() -> None:
    said = sheet("--region=us-east-1", code=1).stderr
    assert "Sign in" in said
    assert "--outputs" not in said


@pytest.mark.usefixtures("aws")
def test_without_a_region_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert "Give --region" in sheet(code=1).stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fleet", SET, "--call-as=ME"], "DELEGATED_ADMIN"),
        (["--fleet", SET, "acme"], "it takes no NAME"),
        (["--fleet", SET, "--outputs=o.json"], "it takes no NAME"),
        (["--csv"], "for --fleet alone"),
        (["--role=Auditor"], "for --fleet alone"),
        (["--call-as=SELF"], "for --fleet alone"),
        (["--region=us-east-1"], "for --fleet alone"),
    ],
    ids=" ".join,
)
def test_options_that_do_not_fit_are_wrong_usage(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(cli, ["sheet", *arguments])
    assert result.exit_code == 2
    assert said in result.output


@pytest.mark.usefixtures("aws")
def test_moto_still_needs_its_mend() -> None:
    make(stack_set(**BY_NAME))
    assert all("no such stack" in row["problem"] for row in rows(code=1).values())
