"""Cutting Pinecone off, and letting it back in."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from cmek_construct import PineconeKey, PineconeRole
from tests.building import (
    ACCOUNT,
    EXTERNAL_ID,
    PINECONE,
    REGIONS,
    cmek,
    cmek_template,
    key_statements,
    new_stack,
    template_of,
    trust_statements,
    warnings_of,
)

KEY_ARN = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/theirs"
NOBODY = {"Sid": "DenyEverybodyWhileSuspended", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}


def test_suspended_adds_one_denial_to_the_key_policy_and_changes_nothing_else() -> None:
    before, after = cmek_template(), cmek_template(suspended=True)
    denial = key_statements(after).pop()
    assert denial == {
        "Sid": "Deny Pinecone while suspended",
        "Effect": "Deny",
        "Principal": {"AWS": {"Fn::GetAtt": ["CmekRoleB9267AA0", "Arn"]}},
        "Action": "kms:*",
        "Resource": "*",
    }
    (key_id,) = (name for name, one in after["Resources"].items() if "KeyPolicy" in one["Properties"])
    after["Resources"][key_id]["Properties"]["KeyPolicy"]["Statement"].remove(denial)
    assert after == before


def test_resumed_is_the_first_template_again() -> None:
    assert cmek_template(suspended=False) == cmek_template()


def test_a_role_that_stands_alone_lets_nobody_in() -> None:
    stack = new_stack()
    PineconeRole(stack, "Role", pinecone_account_id=PINECONE, regions=REGIONS, external_id=EXTERNAL_ID, suspended=True)
    statements = trust_statements(template_of(stack))
    assert statements[1:] == [NOBODY]
    assert statements[0]["Effect"] == "Allow"


def test_a_key_that_stands_alone_denies_its_role() -> None:
    stack = new_stack()
    theirs = iam.Role.from_role_arn(stack, "Theirs", ROLE_ARN)
    PineconeKey(stack, "Key", role=theirs, suspended=True)
    assert key_statements(template_of(stack))[-1]["Principal"] == {"AWS": ROLE_ARN}


def test_beside_an_imported_key_a_new_role_lets_nobody_in() -> None:
    stack = new_stack()
    cmek(stack, key=kms.Key.from_key_arn(stack, "Key", KEY_ARN), suspended=True)
    assert trust_statements(template_of(stack))[1:] == [NOBODY]


def test_beside_an_imported_key_the_users_own_role_lets_nobody_in() -> None:
    stack = new_stack()
    mine = iam.Role(stack, "Mine", assumed_by=iam.AccountRootPrincipal())
    cmek(stack, role=mine, key=kms.Key.from_key_arn(stack, "Key", KEY_ARN), suspended=True)
    assert trust_statements(template_of(stack))[1:] == [NOBODY]


def test_the_users_own_key_denies_the_role() -> None:
    stack = new_stack()
    cmek(stack, key=kms.Key(stack, "Mine"), suspended=True)
    template = template_of(stack)
    assert key_statements(template)[-1]["Sid"] == "Deny Pinecone while suspended"
    assert len(trust_statements(template)) == 1


def test_an_imported_role_is_denied_by_a_new_key() -> None:
    stack = new_stack()
    cmek(stack, role=iam.Role.from_role_arn(stack, "Theirs", ROLE_ARN), suspended=True)
    assert key_statements(template_of(stack))[-1]["Principal"] == {"AWS": ROLE_ARN}


def test_with_role_and_key_imported_suspended_is_refused_with_the_statement_to_add() -> None:
    stack = new_stack()
    theirs = iam.Role.from_role_arn(stack, "Theirs", ROLE_ARN)
    imported = kms.Key.from_key_arn(stack, "Key", KEY_ARN)
    with pytest.raises(ValueError, match=r"suspended: .*both imported.*kms:\*") as refusal:
        cmek(stack, role=theirs, key=imported, suspended=True)
    assert ROLE_ARN in str(refusal.value)
    assert [child.node.id for child in stack.node.children] == ["Theirs", "Key"]


def test_beside_an_imported_key_the_denial_for_its_policy_is_said() -> None:
    stack = new_stack()
    cmek(stack, key=kms.Key.from_key_arn(stack, "Key", KEY_ARN), suspended=True)
    said = warnings_of(stack)["cmek-construct:key-policy"]
    assert '"Deny Pinecone while suspended"' in said


@pytest.mark.parametrize("given", [True, False])
def test_a_role_that_is_kept_out_of_the_app_cannot_be_suspended_in_silence(given: bool) -> None:
    stack = new_stack()
    paths = {"Stack/Cmek/Role": "by-security", "Stack/Mine": "by-security"}
    iam.Role.customize_roles(stack, use_precreated_roles=paths)
    props: dict[str, Any] = {"key": kms.Key.from_key_arn(stack, "Key", KEY_ARN)}
    if given:
        props["role"] = iam.Role(stack, "Mine", assumed_by=iam.AccountRootPrincipal())
    with pytest.raises(ValueError, match=r"suspended: got True, but .*by hand: \{"):
        cmek(stack, suspended=True, **props)


def test_a_role_that_is_kept_out_of_the_app_is_denied_by_our_own_key() -> None:
    stack = new_stack()
    iam.Role.customize_roles(stack, use_precreated_roles={"Stack/Cmek/Role": "by-security"})
    cmek(stack, suspended=True)
    assert key_statements(template_of(stack))[-1]["Effect"] == "Deny"
