"""`PineconeCmekStackSet`: the set, the template inside it, and what is refused."""

from __future__ import annotations

import functools
import json
import time
import uuid
from importlib import resources
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
import jsonschema
import pytest
from aws_cdk import aws_iam as iam
from constructs import IConstruct

from cmek_construct import ALL_REGIONS, KeyAccess, PineconeCmek, PineconeCmekStackSet, StackSetTargets, checks
from cmek_construct.constructs import own_stage
from tests.building import (
    ACCOUNT,
    EXTERNAL_ID,
    PINECONE,
    REGION,
    REGIONS,
    Template,
    new_app,
    new_stack,
    only,
    template_of,
    trust_statements,
    warnings_of,
    without_context,
)
from tests.linted import lint

UNITS = ["ou-ab12-11112222", "r-ab12"]
ACCOUNTS = ["222233334444", "333344445555", "044455556666"]
IDS = {account: str(uuid.UUID(int=int(account), version=4)) for account in ACCOUNTS}
NAMES: dict[str, Any] = {"stack_set_name": "pinecone-cmek", "region": REGION}
CMEK: dict[str, Any] = {"pinecone_account_id": PINECONE, "regions": REGIONS, "external_id": EXTERNAL_ID}
units = StackSetTargets.organizational_units
accounts = StackSetTargets.accounts
BY_UNIT: dict[str, Any] = {"targets": units(UNITS)}
BY_NAME: dict[str, Any] = {"targets": accounts(ACCOUNTS)}
BY_ID: dict[str, Any] = {"targets": accounts(IDS), "external_id": None}
WAYS = {"by unit": BY_UNIT, "by name": BY_NAME, "an ID each": BY_ID}


def fleet(stack: cdk.Stack, **props: Any) -> PineconeCmekStackSet:
    """A set of the first form for two units, with some props changed."""
    return PineconeCmekStackSet(stack, "Fleet", **{**NAMES, **CMEK, **BY_UNIT, **props})


def outer(**props: Any) -> Template:
    """The template of the stack that has the set."""
    stack = new_stack()
    fleet(stack, **props)
    return template_of(stack)


def stack_set(**props: Any) -> Template:
    """The properties of the set."""
    return dict(only(outer(**props), "AWS::CloudFormation::StackSet")["Properties"])


def inner(**props: Any) -> Template:
    """The template inside the set."""
    return without_context(json.loads(stack_set(**props)["TemplateBody"]))


def direct(flags: dict[str, Any], **props: Any) -> Template:
    """The template of `PineconeCmek` in a stack of its own, without a set."""
    stack = cdk.Stack(
        new_app(**flags), "Direct", env=cdk.Environment(region=REGION), synthesizer=cdk.BootstraplessSynthesizer()
    )
    names = {"role_name": "pinecone-cmek", "alias": "alias/pinecone-cmek/pinecone-cmek"}
    PineconeCmek(stack, "Default", **{**CMEK, **names, **props})
    return template_of(stack)


@pytest.mark.parametrize(
    "props",
    [
        {},
        {"external_id": None},
        {"regions": ALL_REGIONS, "pin_account": True},
        {"suspended": True},
        {
            "role_name": "pinecone",
            "role_path": "/security/",
            "key_access": KeyAccess.ENCRYPT_DECRYPT,
            "alias": "pinecone",
            "description": "Schlüssel",
            "rotation_period": cdk.Duration.days(180),
            "multi_region": True,
            "pending_window": cdk.Duration.days(7),
        },
        {"enable_key_rotation": False},
    ],
    ids=lambda props: " ".join(props) or "first form",
)
def test_the_template_inside_is_the_very_one_of_the_construct(props: dict[str, Any]) -> None:
    assert inner(**props) == direct({}, **props)


def test_the_template_inside_follows_the_feature_flags_of_the_app() -> None:
    flags = {"@aws-cdk/aws-iam:minimizePolicies": True}
    stack = new_stack(new_app(**flags))
    fleet(stack)
    body = only(template_of(stack), "AWS::CloudFormation::StackSet")["Properties"]["TemplateBody"]
    assert without_context(json.loads(body)) == direct(flags) != direct({})


def test_the_metadata_that_the_cdk_cli_asks_for_stay_outside() -> None:
    stack = new_stack(new_app(**{"aws:cdk:enable-path-metadata": True}))
    fleet(stack)
    found = only(template_of(stack), "AWS::CloudFormation::StackSet")
    assert "aws:cdk:path" in found["Metadata"]
    assert "aws:cdk" not in found["Properties"]["TemplateBody"]


def test_the_logical_ids_are_an_interface() -> None:
    assert list(inner()["Resources"]) == ["Role1ABCC5F0", "Key961B73FD", "KeyPineconeAlias0F7AA316"]
    assert list(inner()["Outputs"]) == ["RoleArn", "KeyArn", "ExternalId"]
    assert list(outer()["Resources"]) == ["FleetStackSetEF56E433"]


def test_the_template_inside_has_only_what_it_needs() -> None:
    assert set(inner()) == {"Resources", "Outputs"}
    assert set(inner(**BY_ID)) == {"Resources", "Outputs", "Parameters", "Rules"}
    assert "\n" not in stack_set()["TemplateBody"]


def test_a_set_for_units_is_service_managed_and_deploys_to_accounts_that_join() -> None:
    properties = stack_set()
    del properties["TemplateBody"]
    assert properties == {
        "StackSetName": "pinecone-cmek",
        "Description": "Role and KMS key for Pinecone (CMEK) in each account",
        "PermissionModel": "SERVICE_MANAGED",
        "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": True},
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "ManagedExecution": {"Active": True},
        "OperationPreferences": {
            "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
            "MaxConcurrentCount": 10,
            "FailureToleranceCount": 0,
        },
        "StackInstancesGroup": [{"DeploymentTargets": {"OrganizationalUnitIds": UNITS}, "Regions": [REGION]}],
    }


def test_a_set_for_named_accounts_is_self_managed() -> None:
    properties = stack_set(targets=accounts(ACCOUNTS, execution_role_name="Execution"))
    assert properties["PermissionModel"] == "SELF_MANAGED"
    assert properties["ExecutionRoleName"] == "Execution"
    assert "AutoDeployment" not in properties
    assert properties["StackInstancesGroup"] == [{"DeploymentTargets": {"Accounts": ACCOUNTS}, "Regions": [REGION]}]


def test_an_id_for_each_account_is_a_group_for_each_with_an_override() -> None:
    properties = stack_set(**BY_ID)
    assert properties["StackInstancesGroup"] == [
        {
            "DeploymentTargets": {"Accounts": [account]},
            "ParameterOverrides": [{"ParameterKey": "ExternalId", "ParameterValue": IDS[account]}],
            "Regions": [REGION],
        }
        for account in ACCOUNTS
    ]
    assert "Parameters" not in properties
    template = json.loads(properties["TemplateBody"])
    (statement,) = trust_statements(template)
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}}
    assert template["Outputs"]["ExternalId"]["Value"] == {"Ref": "ExternalId"}
    assert EXTERNAL_ID not in properties["TemplateBody"]


def test_an_account_without_an_id_fails_in_a_rule_that_names_the_cure() -> None:
    template = inner(**BY_ID)
    assert template["Parameters"]["ExternalId"]["Default"] == ""
    ((assertion,),) = (rule["Assertions"] for rule in template["Rules"].values())
    assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "ExternalId"}, ""]}]}
    assert "add both to the mapping in StackSetTargets.accounts" in assertion["AssertDescription"]


def test_but_for_the_id_the_template_is_the_same() -> None:
    template = inner(**BY_ID)
    del template["Parameters"], template["Rules"]
    text = json.dumps(template).replace(json.dumps({"Ref": "ExternalId"}), json.dumps(EXTERNAL_ID))
    assert json.loads(text) == direct({})


@pytest.mark.parametrize("way", WAYS)
def test_set_stacks_roles_and_keys_are_kept(way: str) -> None:
    resource = only(outer(**WAYS[way]), "AWS::CloudFormation::StackSet")
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")
    for kind in ("AWS::IAM::Role", "AWS::KMS::Key"):
        kept = only(inner(**WAYS[way]), kind)
        assert kept["DeletionPolicy"] == "RetainExceptOnCreate"
        assert kept["UpdateReplacePolicy"] == "Retain"


def test_without_automatic_deployment_no_retention_is_said() -> None:
    assert stack_set(targets=units(UNITS, auto_deployment=False))["AutoDeployment"] == {"Enabled": False}


def test_preferences_are_those_that_are_given() -> None:
    properties = stack_set(
        targets=units(UNITS, call_as="DELEGATED_ADMIN"), max_concurrent_count=100, failure_tolerance_count=5
    )
    assert properties["CallAs"] == "DELEGATED_ADMIN"
    assert properties["OperationPreferences"]["MaxConcurrentCount"] == 100
    assert properties["OperationPreferences"]["FailureToleranceCount"] == 5


def test_tags_of_the_construct_are_those_of_the_set() -> None:
    stack = new_stack()
    cdk.Tags.of(fleet(stack)).add("data-classification", "confidential")
    properties = only(template_of(stack), "AWS::CloudFormation::StackSet")["Properties"]
    assert properties["Tags"] == [{"Key": "data-classification", "Value": "confidential"}]


def test_the_administration_role_may_be_one_of_this_stack() -> None:
    stack = new_stack()
    role = iam.Role(stack, "Admin", assumed_by=iam.ServicePrincipal("cloudformation.amazonaws.com"))
    fleet(stack, targets=accounts(ACCOUNTS, administration_role_arn=role.role_arn))
    properties = only(template_of(stack), "AWS::CloudFormation::StackSet")["Properties"]
    assert properties["AdministrationRoleARN"]["Fn::GetAtt"][1] == "Arn"


def test_the_outputs_are_the_name_and_the_one_external_id() -> None:
    values = {name: output["Value"] for name, output in outer()["Outputs"].items()}
    assert values == {"FleetStackSetName3A89FE9A": "pinecone-cmek", "FleetExternalId699865BF": EXTERNAL_ID}
    assert list(outer(**BY_ID)["Outputs"]) == ["FleetStackSetName3A89FE9A"]


def test_every_role_arn_is_known_beforehand() -> None:
    assert fleet(new_stack()).role_arn(ACCOUNTS[2]) == (f"arn:aws:iam::{ACCOUNTS[2]}:role/pinecone-cmek")
    named = fleet(new_stack(), **BY_ID, role_name="pinecone", role_path="/security/")
    assert named.role_arn(ACCOUNTS[0]) == f"arn:aws:iam::{ACCOUNTS[0]}:role/security/pinecone"
    properties = only(inner(role_name="pinecone", role_path="/security/"), "AWS::IAM::Role")
    assert properties["Properties"]["RoleName"] == "pinecone"
    assert properties["Properties"]["Path"] == "/security/"
    with pytest.raises(ValueError, match="none of the set's accounts"):
        named.role_arn("999999999999")
    with pytest.raises(ValueError, match="12 digits"):
        named.role_arn("1")


TOKEN = cdk.Aws.ACCOUNT_ID
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no target": ({"targets": None}, r"StackSetTargets.accounts\(\[…\]\)"),
    "a list for targets": ({"targets": ACCOUNTS}, "it is a StackSetTargets"),
    "name": ({"stack_set_name": "1st"}, "stack_set_name"),
    "name none": ({"stack_set_name": None}, "stack_set_name"),
    "name long": ({"stack_set_name": "a" * 129}, "1 to 128 characters"),
    "name token": ({"stack_set_name": TOKEN}, "no reference of this stack"),
    "name too long for a role": ({"stack_set_name": "a" * 65}, "role_name: .*65 characters"),
    "region list": ({"region": [REGION]}, "one AWS Region"),
    "region form": ({"region": "mars"}, "one AWS Region"),
    "region partition": ({"region": "cn-north-1"}, "partition"),
    "region token": ({"region": cdk.Aws.REGION}, "no reference of this stack"),
    "pinecone account": ({"pinecone_account_id": "1"}, "Manage > CMEK"),
    "pinecone account token": ({"pinecone_account_id": TOKEN}, "no reference of this stack"),
    "regions token": ({"regions": [cdk.Aws.REGION]}, "no reference of this stack"),
    "external_id": ({"external_id": "a b"}, "external_id"),
    "external_id token": ({"external_id": TOKEN}, "no reference of this stack"),
    "all regions without": ({"regions": ALL_REGIONS, "external_id": None}, "ALL_REGIONS"),
    "role_name": ({"role_name": "a b"}, "role_name"),
    "role_path": ({"role_path": "a"}, "role_path"),
    "alias": ({"alias": "alias/aws/x"}, "alias"),
    "rotation": ({"enable_key_rotation": False, "rotation_period": cdk.Duration.days(90)}, "rot"),
    "suspended": ({"suspended": "yes"}, "suspended"),
    "concurrent 0": ({"max_concurrent_count": 0}, "max_concurrent_count: got 0"),
    "concurrent bool": ({"max_concurrent_count": True}, "max_concurrent_count: got True"),
    "tolerance": ({"failure_tolerance_count": -1}, "failure_tolerance_count: got -1"),
    "ids and one": ({**BY_ID, "external_id": EXTERNAL_ID}, "an account has one"),
    "boundary": ({"permissions_boundary_name": "arn:aws:iam::1:policy/b"}, "without arn:"),
    "boundary token": ({"permissions_boundary_name": TOKEN}, "no reference of this stack"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_input_is_refused_before_anything_is_built(case: str) -> None:
    props, said = REFUSED[case]
    stack = new_stack()
    with pytest.raises(ValueError, match=said):
        fleet(stack, **props)
    assert stack.node.children == []


NO_TARGETS: dict[str, tuple[Any, str]] = {
    "units empty": (lambda: units([]), "organizational_unit_ids: got an empty list"),
    "units a string": (lambda: units("ou-ab12-11112222"), "list of one or more"),
    "unit form": (lambda: units(["o-ab12"]), r"organizational_unit_ids\[0\]"),
    "unit twice": (lambda: units([UNITS[0]] * 2), "each stands once"),
    "units 51": (lambda: units([f"ou-ab12-{n:08}" for n in range(51)]), "50 in one operation"),
    "auto_deployment": (lambda: units(UNITS, auto_deployment="yes"), "auto_deployment"),  # type: ignore[arg-type]
    "call_as": (lambda: units(UNITS, call_as="ME"), "SELF, DELEGATED_ADMIN"),
    "accounts empty": (lambda: accounts([]), "accounts: got an empty list"),
    "account form": (lambda: accounts(["1"]), r"accounts\[0\].*12 digits"),
    "account int": (lambda: accounts([222233334444]), "loses leading zeros"),  # type: ignore[list-item]
    "account twice": (lambda: accounts([ACCOUNTS[0]] * 2), "each stands once"),
    "account token": (lambda: accounts([TOKEN]), r"accounts\[0\].*no reference of this stack"),
    "administration form": (
        lambda: accounts(ACCOUNTS, administration_role_arn="admin"),
        "administration_role_arn: .*ARN like",
    ),
    "execution form": (lambda: accounts(ACCOUNTS, execution_role_name="a b"), "execution_role_name"),
    "ids empty": (lambda: accounts({}), "accounts: got an empty list"),
    "ids the same": (
        lambda: accounts(dict.fromkeys(ACCOUNTS, EXTERNAL_ID)),
        f"external ID of account {ACCOUNTS[0]} already",
    ),
    "ids none": (lambda: accounts({**IDS, ACCOUNTS[0]: None}), r"accounts\['2222.*got None, but an external ID is"),  # type: ignore[dict-item]
    "ids form": (lambda: accounts({**IDS, ACCOUNTS[0]: "a b"}), r"accounts\['2222"),
    "ids token": (lambda: accounts({**IDS, ACCOUNTS[0]: TOKEN}), "no reference"),
}


@pytest.mark.parametrize("case", NO_TARGETS)
def test_what_no_stack_set_reaches_is_refused(case: str) -> None:
    make, said = NO_TARGETS[case]
    with pytest.raises(ValueError, match=said):
        make()


def test_what_belongs_to_one_way_alone_cannot_be_written_for_the_other() -> None:
    with pytest.raises(TypeError):
        accounts(ACCOUNTS, call_as="SELF")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        units(UNITS, execution_role_name="Execution")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        StackSetTargets()  # type: ignore[call-arg]


def test_a_stack_in_another_partition_is_refused() -> None:
    with pytest.raises(ValueError, match="partition"):
        fleet(new_stack(region="us-gov-west-1"))


@pytest.mark.parametrize(
    ("props", "warned"),
    [
        ({}, []),
        (BY_ID, []),
        ({"external_id": None}, ["no-external-id"]),
        ({"external_id": "guess"}, ["external-id-not-uuid-v4"]),
        (
            {"targets": accounts({**IDS, ACCOUNTS[1]: "guess", ACCOUNTS[2]: "guess2"}), "external_id": None},
            ["external-id-not-uuid-v4"],
        ),
        ({"region": "eu-central-1"}, ["key-region-not-in-regions"]),
        ({"regions": ["us-east-1", "sa-east-1"]}, ["region-not-in-guide"]),
        ({"targets": accounts([PINECONE])}, ["pinecone-account-is-own"]),
    ],
    ids=repr,
)
def test_the_set_warns_of_what_its_template_would(props: dict[str, Any], warned: list[str]) -> None:
    stack = new_stack()
    fleet(stack, **props)
    assert list(warnings_of(stack)) == [f"cmek-construct:{name}" for name in warned]


def test_a_template_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(stack_set(description="Schlüssel")["TemplateBody"].encode())
    monkeypatch.setattr(own_stage, "LARGEST", size)
    outer(description="Schlüssel")
    monkeypatch.setattr(own_stage, "LARGEST", size - 1)
    with pytest.raises(ValueError, match=f"{size:,} bytes, but a stack set takes {size - 1:,}"):
        outer(description="Schlüssel")


def test_the_longest_template_that_the_props_make_fits() -> None:
    regions = [f"us-east-{number}" for number in range(1, 91)]
    body = stack_set(
        stack_set_name="a" * 128,
        role_name="a" * 64,
        role_path=f"/{'a' * 510}/",
        alias="a" * 250,
        description="\N{KEY}" * 8_192,
        external_id="a" * 1_224,
        regions=regions,
        suspended=True,
    )["TemplateBody"]
    assert 40_000 < len(body.encode()) <= 51_200


@functools.cache
def thousand() -> dict[str, str]:
    return {f"{number:012}": str(uuid.UUID(int=number, version=4)) for number in range(1_000)}


@pytest.mark.parametrize("way", ["one ID", "an ID each"])
def test_a_set_of_a_thousand_accounts_takes_seconds(way: str) -> None:
    ids: dict[str, Any] = {"targets": accounts(thousand()), "external_id": None}
    one: dict[str, Any] = {"targets": accounts(list(thousand()))}
    started = time.monotonic()
    properties = stack_set(**(one if way == "one ID" else ids))
    assert time.monotonic() - started < 10
    groups = properties["StackInstancesGroup"]
    assert len(groups) == (1 if way == "one ID" else 1_000)
    assert [one for group in groups for one in group["DeploymentTargets"]["Accounts"]] == list(thousand())


def test_accounts_that_no_template_has_room_for_are_refused() -> None:
    ids = {f"{number:012}": str(uuid.UUID(int=number, version=4)) for number in range(4_000)}
    with pytest.raises(ValueError, match=r"got 4,000, .* bytes of the template, but .* 1,048,576"):
        accounts(ids)


def test_the_size_that_is_reckoned_is_the_size_that_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    template = outer(targets=accounts(thousand()), external_id=None)
    written = len(json.dumps(template, indent=1))
    monkeypatch.setattr(checks, "TEMPLATE", written - 10_000)
    with pytest.raises(ValueError, match="bytes of the template"):
        accounts(thousand())
    monkeypatch.setattr(checks, "TEMPLATE", written)
    accounts(thousand())


@functools.cache
def schema() -> Template:
    """CloudFormation's own schema of the resource, as cfn-lint carries it."""
    for path in (resources.files("cfnlint") / "data/schemas/resources").iterdir():
        found: Template = json.loads(path.read_text())
        if found.get("typeName") == "AWS::CloudFormation::StackSet":
            return found
    raise AssertionError("cfn-lint carries no schema of a stack set")


@pytest.mark.parametrize("way", WAYS)
def test_the_set_is_what_cloudformations_schema_takes(way: str) -> None:
    properties = stack_set(**WAYS[way], max_concurrent_count=1)
    jsonschema.validate(properties, schema())
    properties["StackInstancesGroup"][0]["DeploymentTargets"] = {"Accounts": ["1"]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(properties, schema())


def test_cfn_lint_finds_nothing_in_the_set_nor_in_the_template_inside(tmp_path: Path) -> None:
    for way, props in WAYS.items():
        (tmp_path / f"{way}, the set.json").write_text(json.dumps(outer(**props)))
        (tmp_path / f"{way}, inside.json").write_text(json.dumps(inner(**props)))
    # One hint of style stays, as in test_checkers.py.
    assert [match for match in lint(tmp_path) if match.rule.id != "I1022"] == []


def test_cfn_lint_looks_at_both_templates(tmp_path: Path) -> None:
    template, inside = outer(), inner()
    only(template, "AWS::CloudFormation::StackSet")["Properties"]["PermissionModel"] = "NONE"
    only(inside, "AWS::KMS::Key")["Properties"]["RotationPeriodInDays"] = 5
    (tmp_path / "set.json").write_text(json.dumps(template))
    (tmp_path / "inside.json").write_text(json.dumps(inside))
    said = {(Path(match.filename).stem, match.message) for match in lint(tmp_path)}
    assert any(of == "set" and "'NONE' is not one of" in message for of, message in said)
    assert any(of == "inside" and "5 is less than" in message for of, message in said)


# Permissions boundaries


def test_the_role_in_each_account_has_the_boundary_of_that_account() -> None:
    role = only(inner(permissions_boundary_name="vendors/limit"), "AWS::IAM::Role")
    parts = ["arn:", {"Ref": "AWS::Partition"}, ":iam::", {"Ref": "AWS::AccountId"}]
    assert role["Properties"]["PermissionsBoundary"] == {"Fn::Join": ["", [*parts, ":policy/vendors/limit"]]}


@jsii.implements(cdk.IAspect)
class BoundaryOfOnesOwn:
    """Puts a boundary on every L1 role, as a property or as an override."""

    def __init__(self, how: str) -> None:
        self.how = how

    def visit(self, node: IConstruct) -> None:
        arn = f"arn:aws:iam::{ACCOUNT}:policy/limit"
        if isinstance(node, iam.CfnRole) and self.how == "own property":
            node.permissions_boundary = arn
        elif isinstance(node, iam.CfnRole):
            node.add_property_override("PermissionsBoundary", arn)


BOUNDED = ["context", "aspect", "own property", "own override"]


def bounded(how: str) -> cdk.Stack:
    """A stack of an app that puts a boundary on every role."""
    name = {"name": "limit-${AWS::AccountId}"}
    context = {"@aws-cdk/core:permissionsBoundary": name} if how == "context" else {}
    stack = new_stack(new_app(**context))
    if how == "aspect":
        limit = iam.ManagedPolicy.from_managed_policy_name(stack, "Limit", "limit")
        iam.PermissionsBoundary.of(stack.node.root).apply(limit)
    if how.startswith("own"):
        cdk.Aspects.of(stack.node.root).add(BoundaryOfOnesOwn(how))
    return stack


@pytest.mark.parametrize("how", BOUNDED)
def test_a_boundary_of_the_app_that_the_set_would_not_have_is_one_error(how: str) -> None:
    stack = bounded(how)
    fleet(stack)
    app = stack.node.root
    assert isinstance(app, cdk.App)
    assembly = app.synth()
    messages = assembly.get_stack_artifact(stack.artifact_id).messages
    (said,) = [one.entry.data for one in messages if "permissions_boundary_name" in str(one)]
    assert "Give the name of a managed policy" in str(said)


@pytest.mark.parametrize("how", BOUNDED)
def test_with_a_boundary_of_its_own_the_set_is_made_in_such_an_app(how: str) -> None:
    stack = bounded(how)
    fleet(stack, permissions_boundary_name="limit")
    assert template_of(stack)["Resources"]
    assert warnings_of(stack) == {}
