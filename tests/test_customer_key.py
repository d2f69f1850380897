"""The key of a customer, for the role of a vendor in another account."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from cmek_construct import CustomerKey, KeyAccess, PineconeKey
from tests.building import ACCOUNT, Template, key, key_statements, new_stack, of_type, only, template_of, warnings_of

VENDOR = "777788889990"
ROLE_ARN = f"arn:aws:iam::{VENDOR}:role/path/Vendor-Role1ABCC5F0-x"
ROOT = {
    "Sid": "Enable IAM User Permissions",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}


def template(**props: Any) -> Template:
    stack = new_stack()
    CustomerKey(stack, "Vendor", **({"role_arn": ROLE_ARN} | props))
    assert warnings_of(stack) == {}
    return template_of(stack)


def test_the_key_policy_names_exactly_the_vendors_role_and_two_actions() -> None:
    assert key_statements(template()) == [
        ROOT,
        {
            "Sid": "Allow use of the key",
            "Effect": "Allow",
            "Principal": {"AWS": ROLE_ARN},
            "Action": ["kms:Decrypt", "kms:Encrypt"],
            "Resource": "*",
        },
    ]


def test_the_key_is_that_of_the_guide_retained_and_rotating() -> None:
    made = template()
    assert {name: value for name, value in key(made).items() if name != "KeyPolicy"} == {
        "EnableKeyRotation": True,
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "MultiRegion": False,
    }
    resource = only(made, "AWS::KMS::Key")
    assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resource["UpdateReplacePolicy"] == "Retain"
    assert sorted(one["Type"] for one in made["Resources"].values()) == ["AWS::KMS::Alias", "AWS::KMS::Key"]


def test_the_key_arn_is_the_one_output() -> None:
    made = template()
    (key_id,) = of_type(made, "AWS::KMS::Key")
    (output,) = made["Outputs"].values()
    assert output["Value"] == {"Fn::GetAtt": [key_id, "Arn"]}
    assert "vendor" in output["Description"]


def test_the_logical_ids_stay() -> None:
    made = template()
    assert list(made["Resources"]) == ["VendorKey375DFBE0", "VendorKeyPineconeAlias85EA6744"]
    assert list(made["Outputs"]) == ["VendorKeyArnCF36BA78"]


def test_it_shares_its_statements_with_pinecone_key() -> None:
    for access in KeyAccess:
        for suspended in (True, False):
            stack = new_stack()
            theirs = iam.Role.from_role_arn(stack, "Theirs", ROLE_ARN)
            PineconeKey(stack, "Key", role=theirs, key_access=access, suspended=suspended)
            assert key_statements(template_of(stack)) == key_statements(
                template(key_access=access, suspended=suspended)
            )


def test_suspended_adds_one_denial_of_the_vendors_role() -> None:
    before, after = key_statements(template()), key_statements(template(suspended=True))
    assert after[:-1] == before
    assert after[-1] == {
        "Sid": "Deny Pinecone while suspended",
        "Effect": "Deny",
        "Principal": {"AWS": ROLE_ARN},
        "Action": "kms:*",
        "Resource": "*",
    }


def test_the_props_of_the_key_are_taken() -> None:
    made = template(
        alias="pinecone/vendor",
        description="For the vendor",
        rotation_period=cdk.Duration.days(180),
        pending_window=cdk.Duration.days(14),
        multi_region=True,
        key_admins=[iam.ArnPrincipal(f"arn:aws:iam::{ACCOUNT}:role/keys")],
    )
    assert key(made)["RotationPeriodInDays"] == 180
    assert key(made)["PendingWindowInDays"] == 14
    assert key(made)["Description"] == "For the vendor"
    assert key(made)["MultiRegion"] is True
    assert only(made, "AWS::KMS::Alias")["Properties"]["AliasName"] == "alias/pinecone/vendor"
    assert [one["Sid"] for one in key_statements(made)] == [
        "Enable IAM User Permissions",
        "Allow access for Key Administrators",
        "Allow use of the key",
    ]


def test_a_role_arn_that_only_the_deploy_knows_is_taken() -> None:
    stack = new_stack()
    parameter = cdk.CfnParameter(stack, "VendorRole")
    CustomerKey(stack, "Vendor", role_arn=parameter.value_as_string)
    assert key_statements(template_of(stack))[1]["Principal"] == {"AWS": {"Ref": "VendorRole"}}


@pytest.mark.parametrize(
    "value",
    [
        None,
        VENDOR,
        f"arn:aws:iam::{VENDOR}:root",
        f"arn:aws:iam::{VENDOR}:role/*",
        f"arn:aws:iam::{VENDOR}:user/somebody",
        f"arn:aws:sts::{VENDOR}:assumed-role/x/y",
        f"arn:aws-cn:iam::{VENDOR}:role/x",
        "*",
    ],
)
def test_a_role_arn_is_the_arn_of_one_role(value: Any) -> None:
    assert refused(role_arn=value).startswith("role_arn: got ")


def test_a_role_of_the_same_account_is_refused() -> None:
    message = refused(role_arn=f"arn:aws:iam::{ACCOUNT}:role/ours")
    assert "PineconeKey(role=…)" in message


@pytest.mark.parametrize(
    "props",
    [
        {"alias": "alias/aws/x"},
        {"rotation_period": cdk.Duration.days(5)},
        {"pending_window": cdk.Duration.days(3)},
        {"key_access": "KEY_USER"},
        {"key_admins": ["arn"]},
        {"removal_policy": "destroy"},
        {"suspended": "yes"},
        {"description": 5},
    ],
    ids=lambda props: next(iter(props)),
)
def test_wrong_props_are_refused_and_nothing_is_built(props: dict[str, Any]) -> None:
    assert refused(**props).startswith(next(iter(props)))


def refused(**props: Any) -> str:
    stack = new_stack()
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the callers look at the message
        CustomerKey(stack, "Vendor", **({"role_arn": ROLE_ARN} | props))
    assert stack.node.children == []
    return str(refusal.value)
