"""The guide's three trust policies, to the letter."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import aws_iam as iam

from cmek_construct import ALL_REGIONS, PINECONE_REGIONS, PineconePrincipal
from tests.building import (
    EXTERNAL_ID,
    PINECONE,
    cmek,
    cmek_template,
    new_app,
    new_stack,
    role,
    template_of,
    trust_statements,
)

GUIDE_PRINCIPALS = [
    f"arn:aws:iam::{PINECONE}:role/pinecone_cmek_access_us-east-1",
    f"arn:aws:iam::{PINECONE}:role/pinecone_cmek_access_us-west-2",
    f"arn:aws:iam::{PINECONE}:role/pinecone_cmek_access_eu-west-1",
    f"arn:aws:iam::{PINECONE}:role/pinecone_cmek_access_eu-central-1",
    f"arn:aws:iam::{PINECONE}:role/pinecone_cmek_access_ap-southeast-1",
]
EXPLICIT_WITH_ID = {
    "Sid": "AllowPineconeToAssumeIntoRoleFromExplicitRegionswithID",
    "Effect": "Allow",
    "Principal": {"AWS": GUIDE_PRINCIPALS},
    "Action": "sts:AssumeRole",
    "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
}
EXPLICIT_WITHOUT_ID = {
    "Sid": "AllowPineconeToAssumeIntoRoleFromExplicitRegions",
    "Effect": "Allow",
    "Principal": {"AWS": GUIDE_PRINCIPALS},
    "Action": "sts:AssumeRole",
}
ALL_WITH_ID = {
    "Sid": "AllowPineconeToAssumeIntoRoleFromAllRegions",
    "Effect": "Allow",
    "Principal": {"AWS": "*"},
    "Action": "sts:AssumeRole",
    "Condition": {
        "StringEquals": {"sts:ExternalId": EXTERNAL_ID},
        "StringLike": {"aws:PrincipalArn": f"arn:aws:iam::{PINECONE}:role/pinecone_cmek_access_*"},
    },
}
FORMS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "explicit regions and external ID": ({"regions": PINECONE_REGIONS, "external_id": EXTERNAL_ID}, EXPLICIT_WITH_ID),
    "explicit regions without external ID": ({"regions": PINECONE_REGIONS, "external_id": None}, EXPLICIT_WITHOUT_ID),
    "all regions and external ID": ({"regions": ALL_REGIONS, "external_id": EXTERNAL_ID}, ALL_WITH_ID),
}


@pytest.fixture(params=FORMS, ids=list(FORMS))
def form(request: pytest.FixtureRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    return FORMS[request.param]


def test_trust_policy_is_the_guides_to_the_letter(form: tuple[dict[str, Any], dict[str, Any]]) -> None:
    props, guide = form
    assert role(cmek_template(**props))["AssumeRolePolicyDocument"] == {"Version": "2012-10-17", "Statement": [guide]}


def test_an_ordinary_role_renders_the_same(form: tuple[dict[str, Any], dict[str, Any]]) -> None:
    props, guide = form
    stack = new_stack()
    iam.Role(stack, "Role", assumed_by=PineconePrincipal(PINECONE, **props))
    assert trust_statements(template_of(stack)) == [guide]


def test_minimize_policies_keeps_the_members(form: tuple[dict[str, Any], dict[str, Any]]) -> None:
    props, guide = form
    stack = new_stack(new_app(**{"@aws-cdk/aws-iam:minimizePolicies": True}))
    cmek(stack, **props)
    (statement,) = trust_statements(template_of(stack))
    principals = statement["Principal"]["AWS"]
    if isinstance(principals, list):
        statement["Principal"]["AWS"] = sorted(principals, key=GUIDE_PRINCIPALS.index)
    assert statement == guide


def test_principals_stand_in_the_order_given() -> None:
    (statement,) = trust_statements(cmek_template(regions=["eu-west-1", "us-east-1"]))
    assert statement["Principal"]["AWS"] == [GUIDE_PRINCIPALS[2], GUIDE_PRINCIPALS[0]]


def test_pin_account_names_the_account_root_in_place_of_the_star() -> None:
    (statement,) = trust_statements(cmek_template(regions=ALL_REGIONS, pin_account=True))
    assert statement == ALL_WITH_ID | {"Principal": {"AWS": f"arn:aws:iam::{PINECONE}:root"}}


def test_pinecone_regions_are_the_guides_in_its_order() -> None:
    assert [arn.rpartition("_")[2] for arn in GUIDE_PRINCIPALS] == list(PINECONE_REGIONS)


@pytest.mark.parametrize("props", [props for props, _ in FORMS.values()], ids=list(FORMS))
def test_conditions_and_session_tags_keep_the_statement(props: dict[str, Any]) -> None:
    stack = new_stack()
    principal = PineconePrincipal(PINECONE, **props)
    iam.Role(
        stack,
        "Role",
        assumed_by=principal.with_conditions({"StringEquals": {"aws:SourceVpce": "vpce-1"}}).with_session_tags(),
    )
    (statement,) = trust_statements(template_of(stack))
    guide = next(guide for given, guide in FORMS.values() if given == props)
    assert statement["Sid"] == guide["Sid"]
    assert statement["Principal"] == guide["Principal"]
    assert set(statement["Action"]) == {"sts:AssumeRole", "sts:TagSession"}
    for operator, keys in guide.get("Condition", {}).items():
        assert statement["Condition"][operator].items() >= keys.items()
    assert statement["Condition"]["StringEquals"]["aws:SourceVpce"] == "vpce-1"


def test_a_statement_with_the_principal_carries_its_conditions() -> None:
    statement = iam.PolicyStatement(
        actions=["kms:Decrypt"],
        resources=["*"],
        principals=[PineconePrincipal(PINECONE, regions=ALL_REGIONS, external_id=EXTERNAL_ID)],
    )
    stack = new_stack()
    assert stack.resolve(statement.to_statement_json())["Condition"] == ALL_WITH_ID["Condition"]


def test_equal_principals_are_one_and_others_are_not() -> None:
    def principal(**props: Any) -> str:
        usual: dict[str, Any] = {"regions": ["us-east-1"], "external_id": EXTERNAL_ID}
        return PineconePrincipal(PINECONE, **(usual | props)).dedupe_string()

    assert principal() == principal()
    others = [
        principal(),
        principal(external_id=None),
        principal(regions=["us-east-1", "eu-west-1"]),
        principal(regions=ALL_REGIONS),
        principal(regions=ALL_REGIONS, pin_account=True),
    ]
    assert len(set(others)) == len(others)
