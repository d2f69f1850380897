"""One's own role and key, made elsewhere or imported."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from cmek_construct import ALL_REGIONS, KeyAccess, PineconePrincipal, PineconeRole
from cmek_construct.guide import root_statement
from tests.building import (
    ACCOUNT,
    EXTERNAL_ID,
    PINECONE,
    REGIONS,
    cmek,
    key_statements,
    new_app,
    new_stack,
    of_type,
    only,
    template_of,
    warnings_of,
)

KEY_ARN = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER_KEY_ARN = KEY_ARN.replace(ACCOUNT, "444455556666")
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/theirs"
ROLES_OF_PINECONE = [f"arn:aws:iam::{PINECONE}:role/pinecone_cmek_access_{region}" for region in REGIONS]


def pasted(warning: str) -> Any:
    """The JSON that a warning gives to paste."""
    starts = [index for index, character in enumerate(warning) if character in "[{"]
    document, _ = json.JSONDecoder().raw_decode(warning[starts[0] :])
    return document


def own_role(stack: cdk.Stack, **props: Any) -> iam.Role:
    usual: dict[str, Any] = {"regions": REGIONS, "external_id": EXTERNAL_ID}
    role = iam.Role(stack, "Mine", assumed_by=PineconePrincipal(PINECONE, **(usual | props)))
    role.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
    return role


def test_ones_own_key_gets_the_key_users_statements_and_keeps_its_own() -> None:
    stack = new_stack()
    mine = kms.Key(stack, "Mine")
    ours = cmek(stack, key=mine)
    template = template_of(stack)
    assert ours.key is mine
    statements = key_statements(template)
    assert [statement.get("Sid") for statement in statements] == [
        None,
        "Allow use of the key",
        "Allow attachment of persistent resources",
    ]
    assert statements[1]["Principal"] == {"AWS": stack.resolve(ours.role.role_arn)}
    assert not of_type(template, "AWS::IAM::Policy")
    assert warnings_of(stack) == {}


@pytest.mark.parametrize("there", [0, 1])
def test_a_wrapped_l1_key_gets_them_too(there: int) -> None:
    stack = new_stack()
    policy = {"Version": "2012-10-17", "Statement": [root_statement(ACCOUNT)][:there]}
    mine = kms.Key.from_cfn_key(kms.CfnKey(stack, "Mine", key_policy=policy))
    for name in ("One", "Other"):
        cmek(stack, name, key=mine, key_access=KeyAccess.ENCRYPT_DECRYPT)
    statements = key_statements(template_of(stack))[there:]
    assert [one["Action"] for one in statements] == [["kms:Decrypt", "kms:Encrypt"]] * 2
    assert [one["Sid"][:35] for one in statements] == ["Allow use of the key", "Allow use of the key for StackOther"]
    assert warnings_of(stack) == {}


def test_ones_own_role_with_the_very_statement_is_used_in_silence() -> None:
    stack = new_stack()
    mine = own_role(stack)
    ours = cmek(stack, role=mine)
    assert ours.role is mine
    assert len(of_type(template_of(stack), "AWS::IAM::Role")) == 1
    assert warnings_of(stack) == {}


def test_the_order_of_regions_and_the_sid_do_not_matter() -> None:
    stack = new_stack()
    mine = iam.Role(stack, "Mine", assumed_by=iam.AccountRootPrincipal())
    mine.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    assert mine.assume_role_policy
    mine.assume_role_policy.add_statements(
        iam.PolicyStatement(
            sid="Other",
            actions=["sts:AssumeRole"],
            principals=[
                iam.ArnPrincipal(f"arn:aws:iam::{PINECONE}:role/pinecone_cmek_access_{region}")
                for region in reversed(REGIONS)
            ],
            conditions={"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
        )
    )
    cmek(stack, role=mine)
    assert warnings_of(stack) == {}


@pytest.mark.parametrize(
    "other",
    [{"external_id": "5b4f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e00"}, {"regions": ["us-east-1"]}],
    ids=["another external ID", "fewer regions"],
)
def test_ones_own_role_without_it_warns_with_the_statement_and_stays_as_it_is(other: dict[str, Any]) -> None:
    stack = new_stack()
    mine = own_role(stack, **other)
    before = only(template_of(stack), "AWS::IAM::Role")
    cmek(stack, role=mine)
    assert only(template_of(stack), "AWS::IAM::Role") == before
    (warning,) = warnings_of(stack).items()
    assert warning[0] == "cmek-construct:role-trust-policy"
    assert pasted(warning[1])["Condition"] == {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}}


def test_ones_own_role_that_lets_in_more_of_pinecone_lets_in_what_is_asked() -> None:
    stack = new_stack()
    cmek(stack, role=own_role(stack, regions=ALL_REGIONS))
    assert warnings_of(stack) == {}


@pytest.mark.parametrize(
    ("denied", "warns"),
    [
        ({"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/other"}}, False),
        ({"NotPrincipal": {"AWS": [PINECONE, *ROLES_OF_PINECONE]}}, False),
        ({"Principal": {"AWS": "*"}, "Action": "sts:TagSession"}, False),
        ({"Principal": {"AWS": PINECONE}}, True),
        ({"Principal": {"AWS": ROLES_OF_PINECONE[1]}}, True),
        ({"NotPrincipal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/other"}}, True),
        ({"Principal": "*", "Condition": {"StringLike": {"sts:ExternalId": "5b4*"}}}, True),
        ({"Principal": "*", "Condition": {"StringLike": {"sts:ExternalId": "6*"}}}, False),
        ({"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, True),
    ],
    ids=json.dumps,
)
def test_a_denial_in_ones_own_role_warns_if_it_may_be_about_pinecone(denied: dict[str, Any], warns: bool) -> None:
    stack = new_stack()
    mine = own_role(stack)
    assert mine.assume_role_policy
    statement = {"Effect": "Deny", "Action": "sts:AssumeRole", **denied}
    mine.assume_role_policy.add_statements(iam.PolicyStatement.from_json(statement))
    cmek(stack, role=mine)
    assert list(warnings_of(stack)) == ["cmek-construct:role-trust-policy"] * warns


@pytest.mark.parametrize(
    ("given", "asked"),
    [(0, 0), (2, 2), (0, 1), (0, 2), (0, 3)],
    ids=["one parameter", "a function of two", "another parameter", "a function", "a text"],
)
def test_what_only_the_deploy_knows_is_the_same_in_both_or_it_is_not_sure(given: int, asked: int) -> None:
    stack = new_stack()
    account, one, other = (cdk.CfnParameter(stack, name).value_as_string for name in ("Account", "One", "Other"))
    ids = [one, other, f"{one}-{cdk.Fn.select(0, cdk.Fn.split('-', other))}", EXTERNAL_ID]
    principal = PineconePrincipal(account, regions=REGIONS, external_id=ids[given])
    mine = iam.Role(stack, "Mine", assumed_by=principal)
    cmek(stack, role=mine, pinecone_account_id=account, external_id=ids[asked])
    assert ("cmek-construct:role-trust-policy" in warnings_of(stack)) is (given != asked)


def test_an_imported_role_warns_with_the_guides_statement_ready_to_paste() -> None:
    stack = new_stack()
    cmek(stack, role=iam.Role.from_role_arn(stack, "Theirs", ROLE_ARN))
    warning = warnings_of(stack)["cmek-construct:role-trust-policy"]
    expected = new_stack()
    cmek(expected)
    trust = only(template_of(expected), "AWS::IAM::Role")["Properties"]["AssumeRolePolicyDocument"]
    assert pasted(warning) == trust["Statement"][0]


def test_an_imported_key_warns_with_the_statements_ready_to_paste() -> None:
    stack = new_stack()
    cmek(stack, key=kms.Key.from_key_arn(stack, "Theirs", KEY_ARN))
    warning = warnings_of(stack)["cmek-construct:key-policy"]
    use, attach = pasted(warning)
    assert use["Principal"] == attach["Principal"] == {"AWS": "<output RoleArn>"}
    assert attach["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    assert "Token[" not in warning


def test_with_both_imported_the_key_policy_names_the_role_and_outputs_are_made() -> None:
    stack = new_stack()
    cmek(stack, role=iam.Role.from_role_arn(stack, "Role", ROLE_ARN), key=kms.Key.from_key_arn(stack, "Key", KEY_ARN))
    assert pasted(warnings_of(stack)["cmek-construct:key-policy"])[0]["Principal"] == {"AWS": ROLE_ARN}
    template = template_of(stack)
    assert "Resources" not in template
    assert {output["Value"] for output in template["Outputs"].values()} == {ROLE_ARN, KEY_ARN, EXTERNAL_ID}


@pytest.mark.parametrize("key_is_given", [True, False])
def test_in_two_accounts_the_permissions_of_the_role_are_said(key_is_given: bool) -> None:
    stack = new_stack()
    if key_is_given:
        cmek(stack, key=kms.Key.from_key_arn(stack, "Theirs", OTHER_KEY_ARN))
    else:
        theirs = ROLE_ARN.replace(ACCOUNT, "444455556666")
        cmek(stack, role=iam.Role.from_role_arn(stack, "Theirs", theirs))
    policy = pasted(warnings_of(stack)["cmek-construct:role-in-another-account"])
    assert policy["Statement"][0]["Resource"] == (OTHER_KEY_ARN if key_is_given else "<output KeyArn>")
    assert "kms:Decrypt" in policy["Statement"][0]["Action"]


def test_role_and_key_may_stand_in_other_stacks_and_outputs_stand_beside_them() -> None:
    app = new_app()
    keys, roles, mine = (new_stack(app, name) for name in ("Keys", "Roles", "Mine"))
    role, key = own_role(roles), kms.Key(keys, "Key")
    cmek(mine, "NewRole", key=key)
    cmek(mine, "NewKey", role=role)
    said = {
        stack.stack_name: sorted(
            output["Description"].split('"')[1]
            for output in template_of(stack)["Outputs"].values()
            if "Description" in output
        )
        for stack in (keys, roles, mine)
    }
    assert said == {
        "Keys": ["Key ARN"],
        "Roles": ["Role ARN"],
        "Mine": ["External ID", "External ID", "Key ARN", "Role ARN"],
    }


def test_two_projects_may_share_one_key() -> None:
    app = new_app()
    keys, mine = new_stack(app, "Keys"), new_stack(app, "Mine")
    shared = kms.Key(keys, "Key")
    for name in ("One", "Two"):
        cmek(mine, name, key=shared)
    sids = [statement.get("Sid") for statement in key_statements(template_of(keys))]
    assert len(sids) == len(set(sids)) == 5
    outputs = [name for name in template_of(keys)["Outputs"] if "KeyArn" in name]
    assert len(outputs) == 2


def test_a_pinecone_key_of_one_project_may_serve_another() -> None:
    stack = new_stack()
    cmek(stack, "Two", key=cmek(stack, "One").key)
    sids = [statement["Sid"] for statement in key_statements(template_of(stack))]
    assert sids[:3] == [
        "Enable IAM User Permissions",
        "Allow use of the key",
        "Allow attachment of persistent resources",
    ]
    assert len(set(sids)) == 5


def test_a_given_role_that_denies_is_not_said_to_let_in() -> None:
    stack = new_stack()
    mine = PineconeRole(
        stack, "Mine", pinecone_account_id=PINECONE, regions=REGIONS, external_id=EXTERNAL_ID, suspended=True
    )
    cmek(stack, role=mine)
    assert list(warnings_of(stack)) == ["cmek-construct:role-trust-policy"]


def test_a_given_role_that_is_kept_out_of_the_app_is_not_said_to_let_in() -> None:
    stack = new_stack()
    iam.Role.customize_roles(stack, use_precreated_roles={"Stack/Mine": "by-security"})
    cmek(stack, role=own_role(stack))
    assert list(warnings_of(stack)) == ["cmek-construct:role-trust-policy"]
