"""`cmek_construct.guide`, held to copies that were typed from the guide and the console alone."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest

from cmek_construct import guide
from cmek_construct.guide import ALL_REGIONS, PINECONE_REGIONS, KeyAccess, key_policy_in_template
from rehearsal import guide as typed
from tests.building import ACCOUNT, EXTERNAL_ID, PINECONE
from tests.test_role_and_key import CONSOLE_ADMIN_ACTIONS
from tests.test_structure import PACKAGE, modules

ROLE = f"arn:aws:iam::{ACCOUNT}:role/acme"
ADMIN = f"arn:aws:iam::{ACCOUNT}:role/admin"
REGIONS = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-1"]
TAB = {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:Encrypt"]}


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (
            guide.trust_policy(PINECONE, PINECONE_REGIONS, EXTERNAL_ID),
            typed.explicit_regions_with_id(PINECONE, REGIONS, EXTERNAL_ID),
        ),
        (guide.trust_policy(PINECONE, PINECONE_REGIONS), typed.explicit_regions_without_id(PINECONE, REGIONS)),
        (guide.trust_policy(PINECONE, ALL_REGIONS, EXTERNAL_ID), typed.all_regions_with_id(PINECONE, EXTERNAL_ID)),
        (guide.key_policy(ACCOUNT, ROLE, KeyAccess.KEY_USER), typed.key_policy(ACCOUNT, ROLE)),
    ],
    ids=["explicit regions with ID", "explicit regions", "all regions", "key policy"],
)
def test_a_policy_is_the_guides_to_the_letter(made: guide.Policy, wanted: guide.Policy) -> None:
    assert json.dumps(made) == json.dumps(wanted)


def test_administrators_stand_after_the_account_with_the_consoles_actions() -> None:
    console: guide.Statement = {"Sid": "Allow access for Key Administrators", "Effect": "Allow"}
    console |= {"Principal": {"AWS": ADMIN}, "Action": CONSOLE_ADMIN_ACTIONS, "Resource": "*"}
    root, *users = typed.key_policy(ACCOUNT, ROLE)["Statement"]
    made = guide.key_policy(ACCOUNT, ROLE, KeyAccess.KEY_USER, admins=[ADMIN, ADMIN])
    assert made["Statement"] == [root, console, *users]


def test_suspended_adds_one_denial_at_the_end_and_changes_nothing_else() -> None:
    denial: guide.Statement = {"Sid": "Deny Pinecone while suspended", "Effect": "Deny"}
    denial |= {"Principal": {"AWS": ROLE}, "Action": "kms:*", "Resource": "*"}
    made = guide.key_policy(ACCOUNT, ROLE, KeyAccess.KEY_USER, suspended=True)
    assert made["Statement"] == [*typed.key_policy(ACCOUNT, ROLE)["Statement"], denial]

    nobody: guide.Statement = {"Sid": "DenyEverybodyWhileSuspended", "Effect": "Deny"}
    nobody |= {"Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    trust = guide.trust_policy(PINECONE, REGIONS, suspended=True)
    usual = typed.explicit_regions_without_id(PINECONE, REGIONS)["Statement"]
    assert trust["Statement"] == [*usual, nobody]


@pytest.mark.parametrize("suspended", [True, False])
def test_the_key_policy_in_a_template_is_the_key_policy_of_the_account(suspended: bool) -> None:
    access = KeyAccess.ENCRYPT_DECRYPT
    made = key_policy_in_template(ROLE, access, "Off")["Statement"]
    root, (name, then, otherwise) = made[0]["Principal"], made.pop()["Fn::If"]
    assert (name, otherwise) == ("Off", {"Ref": "AWS::NoValue"})
    root["AWS"] = root["AWS"]["Fn::Sub"].replace("${AWS::AccountId}", ACCOUNT)
    deployed = [*made, then] if suspended else made
    wanted = guide.key_policy(ACCOUNT, ROLE, access, suspended=suspended)
    assert deployed == wanted["Statement"]


def test_permissions_are_the_guides_second_tab_a_policy_for_each_last_digit() -> None:
    key = "arn:aws:kms:eu-west-1:777788886666:key/1"
    made = guide.permissions(["444455556666", "111122223331"], [key])
    assert list(made) == ["1", "6"]
    assert made["6"]["Statement"] == [
        {"Sid": "444455556666", **TAB, "Resource": "arn:aws:kms:*:444455556666:key/*"},
        {"Sid": "777788886666", **TAB, "Resource": [key]},
    ]


def test_no_other_product_file_spells_an_action_list_of_the_guide() -> None:
    lists: list[Any] = [guide.ENCRYPT_DECRYPT, guide.KEY_USE, guide.GRANTS, guide.ADMINISTRATION]
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.List | ast.Tuple | ast.Set):
                spelled = {one.value for one in node.elts if isinstance(one, ast.Constant)}
                is_here = path == PACKAGE / "guide.py"
                assert is_here or not any(spelled == set(one) for one in lists), path
