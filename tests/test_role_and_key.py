"""Role, key, alias and outputs: what a careful person would have clicked together."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cmek_construct import KeyAccess, PineconeKey, PineconePrincipal, PineconeRole
from tests.building import (
    ACCOUNT,
    EXTERNAL_ID,
    PINECONE,
    REGIONS,
    cmek,
    cmek_template,
    key,
    key_statements,
    new_stack,
    of_type,
    only,
    role,
    template_of,
)

ROLE_ARN = {"Fn::GetAtt": ["CmekRoleB9267AA0", "Arn"]}
KEY_ARN = {"Fn::GetAtt": ["CmekKey21C8C2B3", "Arn"]}
ROOT_STATEMENT = {
    "Sid": "Enable IAM User Permissions",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}
CONSOLE_KEY_USER = [
    {
        "Sid": "Allow use of the key",
        "Effect": "Allow",
        "Principal": {"AWS": ROLE_ARN},
        "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
        "Resource": "*",
    },
    {
        "Sid": "Allow attachment of persistent resources",
        "Effect": "Allow",
        "Principal": {"AWS": ROLE_ARN},
        "Action": ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
        "Resource": "*",
        "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
    },
]
CONSOLE_ADMIN_ACTIONS = [
    "kms:Create*",
    "kms:Describe*",
    "kms:Enable*",
    "kms:List*",
    "kms:Put*",
    "kms:Update*",
    "kms:Revoke*",
    "kms:Disable*",
    "kms:Get*",
    "kms:Delete*",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:ScheduleKeyDeletion",
    "kms:CancelKeyDeletion",
    "kms:RotateKeyOnDemand",
]


def test_the_template_has_one_role_one_key_one_alias_and_nothing_else() -> None:
    types = sorted(resource["Type"] for resource in cmek_template()["Resources"].values())
    assert types == ["AWS::IAM::Role", "AWS::KMS::Alias", "AWS::KMS::Key"]


def test_the_role_has_a_trust_policy_and_nothing_else() -> None:
    assert list(role(cmek_template())) == ["AssumeRolePolicyDocument"]


def test_the_key_is_what_the_guide_has_a_person_click() -> None:
    properties = key(cmek_template())
    policy = properties.pop("KeyPolicy")
    assert properties == {
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "MultiRegion": False,
        "EnableKeyRotation": True,
    }
    assert policy == {"Version": "2012-10-17", "Statement": [ROOT_STATEMENT, *CONSOLE_KEY_USER]}


def test_encrypt_decrypt_access_is_the_guides_two_actions() -> None:
    _, use = key_statements(cmek_template(key_access=KeyAccess.ENCRYPT_DECRYPT))
    assert use == CONSOLE_KEY_USER[0] | {"Action": ["kms:Decrypt", "kms:Encrypt"]}


def test_key_admins_stand_in_the_key_policy_as_the_console_writes_them() -> None:
    stack = new_stack()
    ours = iam.Role(stack, "Admin", assumed_by=iam.AccountRootPrincipal())
    arn = f"arn:aws:iam::{ACCOUNT}:role/security"
    cmek(stack, key_admins=[ours, iam.ArnPrincipal(arn)])
    template = template_of(stack)
    policy = only(template, "AWS::KMS::Key")["Properties"]["KeyPolicy"]["Statement"]
    assert policy[1] == {
        "Sid": "Allow access for Key Administrators",
        "Effect": "Allow",
        "Principal": {"AWS": [stack.resolve(ours.role_arn), arn]},
        "Action": CONSOLE_ADMIN_ACTIONS,
        "Resource": "*",
    }
    assert not of_type(template, "AWS::IAM::Policy")


def test_the_condition_of_a_key_admin_is_kept() -> None:
    stack = new_stack()
    mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    cmek(stack, key_admins=[iam.ArnPrincipal(f"arn:aws:iam::{ACCOUNT}:user/ann").with_conditions(mfa)])
    assert key_statements(template_of(stack))[1]["Condition"] == mfa


def test_role_and_key_are_kept_and_a_failed_first_create_leaves_no_orphan() -> None:
    template = cmek_template()
    for resource_type in ("AWS::IAM::Role", "AWS::KMS::Key"):
        resource = only(template, resource_type)
        assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
        assert resource["UpdateReplacePolicy"] == "Retain"


def test_the_alias_is_kept_on_deletion_and_leaves_no_stale_one_behind() -> None:
    alias = only(cmek_template(), "AWS::KMS::Alias")
    assert alias["DeletionPolicy"] == "RetainExceptOnCreate"
    assert alias["UpdateReplacePolicy"] == "Delete"
    assert alias["Properties"]["TargetKeyId"] == KEY_ARN


@pytest.mark.parametrize(
    ("policy", "deletion", "alias_replacement"),
    [
        (cdk.RemovalPolicy.DESTROY, "Delete", "Delete"),
        (cdk.RemovalPolicy.RETAIN, "Retain", "Delete"),
        (cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE, "RetainExceptOnCreate", "Delete"),
    ],
)
def test_removal_policy_is_honoured_for_role_key_and_alias(
    policy: cdk.RemovalPolicy, deletion: str, alias_replacement: str
) -> None:
    template = cmek_template(removal_policy=policy)
    assert {resource["DeletionPolicy"] for resource in template["Resources"].values()} == {deletion}
    assert only(template, "AWS::KMS::Alias")["UpdateReplacePolicy"] == alias_replacement


@pytest.mark.parametrize(
    ("given", "rendered"),
    [
        ("pinecone", "alias/pinecone"),
        ("alias/pinecone", "alias/pinecone"),
        ("team/pinecone_1-2", "alias/team/pinecone_1-2"),
    ],
)
def test_alias_has_its_prefix_once(given: str, rendered: str) -> None:
    alias = only(cmek_template(alias=given), "AWS::KMS::Alias")
    assert alias["Properties"]["AliasName"] == rendered


def test_default_aliases_are_unique_by_construct_path_and_fit_kms() -> None:
    stack = new_stack()
    deep: Any = stack
    for _ in range(30):
        deep = Construct(deep, "Level" * 5)
    for scope, name in ((stack, "One"), (stack, "Two"), (deep, "One")):
        cmek(scope, name)
    aliases = [alias["Properties"]["AliasName"] for alias in of_type(template_of(stack), "AWS::KMS::Alias").values()]
    assert len(set(aliases)) == 3
    assert max(map(len, aliases)) <= 256


def test_outputs_are_the_fields_of_the_add_cmek_dialog() -> None:
    outputs = cmek_template()["Outputs"]
    said = {output["Description"].split('"')[1]: output["Value"] for output in outputs.values()}
    assert said == {"Role ARN": ROLE_ARN, "Key ARN": KEY_ARN, "External ID": EXTERNAL_ID}
    assert all("Manage > CMEK > Add CMEK" in output["Description"] for output in outputs.values())


def test_without_external_id_there_is_no_such_output() -> None:
    assert [name[:10] for name in cmek_template(external_id=None)["Outputs"]] == ["CmekRoleAr", "CmekKeyArn"]


def test_every_other_prop_reaches_the_template() -> None:
    stack = new_stack()
    boundary = iam.ManagedPolicy.from_managed_policy_arn(stack, "Boundary", f"arn:aws:iam::{ACCOUNT}:policy/edge")
    cmek(
        stack,
        role_name="pinecone",
        role_path="/vendors/",
        permissions_boundary=boundary,
        description="Pinecone's",
        rotation_period=cdk.Duration.days(180),
        multi_region=True,
        pending_window=cdk.Duration.days(14),
    )
    template = template_of(stack)
    assert role(template) | {"AssumeRolePolicyDocument": None} == {
        "AssumeRolePolicyDocument": None,
        "RoleName": "pinecone",
        "Path": "/vendors/",
        "PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/edge",
    }
    assert key(template) | {"KeyPolicy": None} == {
        "KeyPolicy": None,
        "Description": "Pinecone's",
        "EnableKeyRotation": True,
        "RotationPeriodInDays": 180,
        "MultiRegion": True,
        "PendingWindowInDays": 14,
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyUsage": "ENCRYPT_DECRYPT",
    }


def test_a_used_key_is_protected_by_a_denial_to_everybody_that_spares_the_policy() -> None:
    usual, protected, suspended = (
        key(cmek_template(**props))["KeyPolicy"]["Statement"]
        for props in (
            {},
            {"protect_used_key": cdk.Duration.days(90)},
            {"protect_used_key": cdk.Duration.days(90), "suspended": True},
        )
    )
    assert protected == [
        *usual,
        {
            "Sid": "Deny disabling or deleting a key in use",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": ["kms:DisableKey", "kms:ScheduleKeyDeletion"],
            "Resource": "*",
            "Condition": {"NumericLessThan": {"kms:TrailingDaysWithoutKeyUsage": "90"}},
        },
    ]
    assert [one for one in suspended if one not in protected] == [
        one for one in key(cmek_template(suspended=True))["KeyPolicy"]["Statement"] if one not in usual
    ]


def test_rotation_can_be_off_as_in_the_console() -> None:
    assert key(cmek_template(enable_key_rotation=False))["EnableKeyRotation"] is False


def test_role_and_key_take_the_l2s_names_when_they_stand_alone() -> None:
    stack = new_stack()
    pinecone = PineconeRole(
        stack,
        "Role",
        pinecone_account_id=PINECONE,
        regions=REGIONS,
        external_id=EXTERNAL_ID,
        role_name="pinecone",
        path="/vendors/",
        description="For Pinecone",
    )
    PineconeKey(
        stack,
        "Key",
        role=pinecone,
        admins=[iam.ArnPrincipal(f"arn:aws:iam::{ACCOUNT}:user/ann")],
        description="Pinecone's",
    )
    template = template_of(stack)
    assert role(template)["Description"] == "For Pinecone"
    assert role(template)["Path"] == "/vendors/"
    assert key(template)["Description"] == "Pinecone's"
    assert len(key_statements(template)) == 4


def test_role_and_key_are_the_l2s_with_all_their_methods() -> None:
    stack = new_stack()
    ours = cmek(stack)
    assert isinstance(ours.role, iam.Role)
    assert isinstance(ours.key, kms.Key)
    function = lambda_.Function(
        stack,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("def handler(*_): pass"),
        environment_encryption=ours.key,
    )
    assert function.role is not None
    ours.key.grant_decrypt(function)
    ours.key.grant_admin(iam.ArnPrincipal(f"arn:aws:iam::{ACCOUNT}:role/admin"))
    first, second = ours.key.add_alias("alias/mine"), ours.key.add_alias("alias/other")
    assert (first.node.id, second.node.id) == ("Alias", "Aliasalias--other")
    ours.key.add_to_resource_policy(
        iam.PolicyStatement(sid="Mine", actions=["kms:Decrypt"], resources=["*"], principals=[function.role])
    )
    ours.role.add_managed_policy(iam.ManagedPolicy.from_aws_managed_policy_name("ReadOnlyAccess"))
    ours.role.add_to_policy(iam.PolicyStatement(actions=["s3:ListBucket"], resources=["*"]))
    ours.role.grant_pass_role(function.role)
    ours.role.grant_assume_role(function.role)
    ours.role.without_policy_updates()
    assert ours.role.role_id
    assert ours.role.role_name
    template = template_of(stack)
    assert "Mine" in [statement.get("Sid") for statement in key_statements(template)]
    assert len(of_type(template, "AWS::KMS::Alias")) == 3
    assert len(of_type(template, "AWS::IAM::Policy")) >= 2


def test_a_grant_to_pinecone_itself_is_refused_in_words() -> None:
    stack = new_stack()
    plain = kms.Key(stack, "Key")
    principal = PineconePrincipal(PINECONE, regions=REGIONS, external_id=EXTERNAL_ID)
    with pytest.raises(RuntimeError, match=r"got a grant.*belongs in a trust policy"):
        plain.grant_decrypt(principal)


def test_env_agnostic_stacks_let_cloudformation_fill_in_the_account() -> None:
    stack = new_stack(account=None, region=None)
    cmek(stack)
    root = key_statements(template_of(stack))[0]["Principal"]["AWS"]
    assert root == {"Fn::Join": ["", ["arn:aws:iam::", {"Ref": "AWS::AccountId"}, ":root"]]}
