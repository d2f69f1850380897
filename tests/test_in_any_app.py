"""The construct in apps that nobody tuned for it."""

from __future__ import annotations

import json
import tarfile
from importlib import resources
from typing import Any

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct, IConstruct

from cmek_construct import ALL_REGIONS, PineconeCmek, PineconeKey, PineconeRole
from tests.building import (
    ACCOUNT,
    EXTERNAL_ID,
    PINECONE,
    REGION,
    REGIONS,
    cmek,
    cmek_template,
    key,
    new_app,
    new_stack,
    of_type,
    only,
    role,
    template_of,
    warnings_of,
)


def flags_of_cdk_init() -> dict[str, Any]:
    """The feature flags that `cdk init` writes, out of the installed aws-cdk-lib."""
    (archive,) = (path for path in resources.files("aws_cdk._jsii").iterdir() if path.name.startswith("aws-cdk-lib@"))
    with resources.as_file(archive) as path, tarfile.open(path) as tar:
        file = tar.extractfile("package/recommended-feature-flags.json")
        assert file is not None
        flags: dict[str, Any] = json.load(file)
    return flags


def meaning(template: Any) -> Any:
    """A template in which the order of policies' lists does not matter."""
    if isinstance(template, dict):
        return {name: meaning(value) for name, value in template.items()}
    if isinstance(template, list):
        return sorted((meaning(value) for value in template), key=json.dumps)
    return template


@pytest.mark.parametrize("on", [True, False], ids=["on", "off"])
def test_all_flags_of_cdk_init_give_the_same_meaning(on: bool) -> None:
    flags = flags_of_cdk_init()
    assert len(flags) > 80
    if not on:
        flags = {name: not value for name, value in flags.items() if isinstance(value, bool)}
    stack = new_stack(new_app(**flags))
    cmek(stack)
    template = template_of(stack)
    assert meaning(template) == meaning(cmek_template())


def test_each_flag_of_cdk_init_alone_keeps_the_logical_ids() -> None:
    wanted = set(cmek_template()["Resources"])
    for name, value in flags_of_cdk_init().items():
        stack = new_stack(new_app(**{name: value}))
        cmek(stack)
        assert set(template_of(stack)["Resources"]) == wanted, name


def test_several_live_in_one_stack() -> None:
    stack = new_stack()
    for name in ("One", "Two", "Three"):
        cmek(stack, name)
    template = template_of(stack)
    assert [len(of_type(template, f"AWS::{kind}")) for kind in ("IAM::Role", "KMS::Key")] == [3, 3]
    assert len(template["Outputs"]) == 9


def test_a_stage_per_environment() -> None:
    app = new_app()
    templates = []
    for name, account in (("Test", "111122223333"), ("Prod", "444455556666")):
        stage = cdk.Stage(app, name, env=cdk.Environment(account=account, region="us-east-1"))
        stack = cdk.Stack(stage, "Stack")
        cmek(stack)
        templates.append(template_of(stack))
    test, prod = templates
    assert set(test["Resources"]) == set(prod["Resources"])
    assert "444455556666" in json.dumps(prod)


def test_a_nested_stack() -> None:
    stack = new_stack()
    nested = cdk.NestedStack(stack, "Nested")
    cmek(nested)
    assert of_type(template_of(stack), "AWS::CloudFormation::Stack")


def test_role_and_key_in_different_stacks_accounts_and_regions() -> None:
    app = new_app()
    roles, keys = new_stack(app, "Roles"), new_stack(app, "Keys", region="eu-west-1")
    far = new_stack(app, "Far", account="444455556666")
    pinecone = PineconeRole(
        roles, "Role", pinecone_account_id=PINECONE, regions=REGIONS, external_id=EXTERNAL_ID, role_name="pinecone"
    )
    PineconeKey(keys, "Key", role=pinecone)
    PineconeKey(far, "Key", role=pinecone)
    for stack in (keys, far):
        assert f":iam::{ACCOUNT}:role/pinecone" in json.dumps(template_of(stack))
    assert list(warnings_of(far)) == ["cmek-construct:role-in-another-account"]
    assert warnings_of(keys) == {}


def test_account_and_external_id_come_from_parameters() -> None:
    stack = new_stack(account=None, region=None)
    cmek(
        stack,
        pinecone_account_id=cdk.CfnParameter(stack, "PineconeAccount").value_as_string,
        external_id=cdk.CfnParameter(stack, "ExternalId", no_echo=True).value_as_string,
        regions=ALL_REGIONS,
        pin_account=True,
    )
    (statement,) = role(template_of(stack))["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"]["StringEquals"] == {"sts:ExternalId": {"Ref": "ExternalId"}}
    assert warnings_of(stack) == {}


def test_tags_and_boundaries_by_aspect_and_mixin_arrive() -> None:
    stack = new_stack()
    cmek(stack)
    cdk.Tags.of(stack).add("owner", "security")
    boundary = iam.ManagedPolicy.from_managed_policy_arn(stack, "Boundary", f"arn:aws:iam::{ACCOUNT}:policy/edge")
    iam.PermissionsBoundary.of(stack).apply(boundary)
    template = template_of(stack)
    tag = {"Key": "owner", "Value": "security"}
    assert role(template)["Tags"] == key(template)["Tags"] == [tag]
    assert role(template)["PermissionsBoundary"].endswith(":policy/edge")


@jsii.implements(cdk.IAspect)
class Describe:
    """An aspect of a user's own."""

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, kms.CfnKey):
            node.description = "Described by an aspect"


def test_a_users_own_aspect_reaches_the_key() -> None:
    stack = new_stack()
    cmek(stack)
    cdk.Aspects.of(stack).add(Describe())
    assert key(template_of(stack))["Description"] == "Described by an aspect"


def test_destroy_for_a_whole_stack_is_honoured() -> None:
    stack = new_stack()
    cmek(stack)
    cdk.RemovalPolicies.of(stack).destroy()
    policies = {resource["DeletionPolicy"] for resource in template_of(stack)["Resources"].values()}
    assert policies == {"Delete"}


def test_roles_can_be_kept_out_of_the_app_by_customize_roles() -> None:
    stack = new_stack()
    iam.Role.customize_roles(stack, use_precreated_roles={"Stack/Cmek/Role": "by-security"})
    cmek(stack)
    template = template_of(stack)
    assert not of_type(template, "AWS::IAM::Role")
    assert "role/by-security" in json.dumps(only(template, "AWS::KMS::Key"))


def test_a_key_may_encrypt_other_things_too() -> None:
    stack = new_stack()
    ours = cmek(stack)
    sns.Topic(stack, "Topic", master_key=ours.key)
    assert only(template_of(stack), "AWS::SNS::Topic")


class Platform(Construct):
    """A construct of a user's own that makes ours a part of it."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.cmek = PineconeCmek(self, "Cmek", pinecone_account_id=PINECONE, regions=REGIONS, external_id=EXTERNAL_ID)


def test_it_composes_into_a_construct_of_ones_own() -> None:
    stack = new_stack()
    Platform(stack, "Platform")
    assert role(template_of(stack))


def test_what_a_user_keeps_on_a_construct_of_ones_own_does_not_matter() -> None:
    class Search(cdk.Stack):
        def __init__(self) -> None:
            super().__init__(new_app(), "Search", env=cdk.Environment(account=ACCOUNT, region=REGION))
            self._environment, self._arn = "prod", "arn"
            self.cmek = cmek(self)

    stack = Search()
    assert stack.cmek.node.find_child("Key")
    assert set(vars(stack)) - set(vars(new_stack())) == {"_environment", "_arn", "cmek"}
