"""The key is forever: what moves a logical ID or replaces a role or a key, and what does not."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from syrupy.assertion import SnapshotAssertion

from cmek_construct import ALL_REGIONS, KeyAccess
from tests.building import (
    ACCOUNT,
    EXTERNAL_ID,
    PINECONE,
    Template,
    cmek,
    cmek_template,
    new_app,
    new_stack,
    template_of,
)

# Properties by which CloudFormation would make another one (its resource reference).
REPLACING = {"AWS::IAM::Role": {"RoleName", "Path"}, "AWS::KMS::Key": {"KeySpec", "KeyUsage", "MultiRegion", "Origin"}}


def identity(template: Template) -> dict[str, Any]:
    """Logical IDs of role and key, with the properties that would replace them."""
    return {
        logical_id: {
            name: value for name, value in resource["Properties"].items() if name in REPLACING[resource["Type"]]
        }
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] in REPLACING
    }


MUTABLE: dict[str, dict[str, Any]] = {
    "pinecone_account_id": {"pinecone_account_id": "999988887770"},
    "regions": {"regions": ["ap-southeast-1"]},
    "all regions": {"regions": ALL_REGIONS},
    "pinned": {"regions": ALL_REGIONS, "pin_account": True},
    "external_id": {"external_id": "2c1f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f"},
    "no external_id": {"external_id": None},
    "key_access": {"key_access": KeyAccess.ENCRYPT_DECRYPT},
    "alias": {"alias": "another"},
    "description": {"description": "Another"},
    "enable_key_rotation": {"enable_key_rotation": False},
    "rotation_period": {"rotation_period": 90},
    "pending_window": {"pending_window": 7},
    "removal_policy": {"removal_policy": "RETAIN"},
    "suspended": {"suspended": True},
}


def props(change: str) -> dict[str, Any]:
    """The props of a change, with CDK's types where the table has plain ones."""
    changed = dict(MUTABLE[change])
    for name in ("rotation_period", "pending_window"):
        if name in changed:
            changed[name] = cdk.Duration.days(changed[name])
    if "removal_policy" in changed:
        changed["removal_policy"] = cdk.RemovalPolicy[changed["removal_policy"]]
    return changed


@pytest.mark.parametrize("change", MUTABLE)
def test_a_change_of_a_mutable_prop_changes_in_place(change: str) -> None:
    before, after = cmek_template(), cmek_template(**props(change))
    assert before != after
    assert identity(before) == identity(after)


def test_key_admins_and_a_boundary_change_in_place() -> None:
    stack = new_stack()
    cmek(
        stack,
        key_admins=[iam.AccountRootPrincipal()],
        permissions_boundary=iam.ManagedPolicy.from_aws_managed_policy_name("ReadOnlyAccess"),
    )
    assert identity(template_of(stack)) == identity(cmek_template())


def test_another_alias_replaces_the_alias_alone() -> None:
    before, after = cmek_template(), cmek_template(alias="another")
    changed = {
        logical_id
        for logical_id in before["Resources"]
        if before["Resources"][logical_id] != after["Resources"][logical_id]
    }
    assert changed == {"CmekKeyPineconeAliasCFCDFEA1"}


def test_other_constructs_come_and_go_beside_it() -> None:
    stack = new_stack()
    iam.Role(stack, "Before", assumed_by=iam.AccountRootPrincipal())
    cmek(stack, "Other")
    cmek(stack)
    cmek(stack, "After")
    assert identity(template_of(stack)).items() >= identity(cmek_template()).items()


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"external_id": None},
        {"regions": ALL_REGIONS},
        {"regions": ALL_REGIONS, "pin_account": True},
        {"suspended": True},
    ],
    ids=["explicit-with-id", "explicit-without-id", "all-regions", "pinned", "suspended"],
)
def test_the_template_of_a_form_is_an_interface(form: dict[str, Any], snapshot: SnapshotAssertion) -> None:
    """A changed logical ID here is another key for everybody: a major version, if ever."""
    assert cmek_template(**form) == snapshot


def test_the_template_of_a_given_role_and_key_is_an_interface(snapshot: SnapshotAssertion) -> None:
    stack = new_stack()
    theirs = iam.Role.from_role_arn(stack, "Theirs", f"arn:aws:iam::{ACCOUNT}:role/theirs")
    cmek(stack, role=theirs)
    assert template_of(stack) == snapshot


def test_two_synths_give_the_same_bytes() -> None:
    one, other = json.dumps(cmek_template()), json.dumps(cmek_template())
    assert one == other


def test_the_logical_ids_do_not_depend_on_the_environment() -> None:
    agnostic = new_stack(new_app(), account=None, region=None)
    cmek(agnostic, pinecone_account_id=PINECONE, external_id=EXTERNAL_ID)
    assert identity(template_of(agnostic)) == identity(cmek_template())
