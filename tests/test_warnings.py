"""What is unusual warns, with a stable id, and can be acknowledged."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from cmek_construct import ALL_REGIONS, PINECONE_REGIONS, PineconeRole
from tests.building import ACCOUNT, PINECONE, REGION, REGIONS, cmek, new_stack, role, template_of, warnings_of

UNUSUAL: dict[str, dict[str, Any]] = {
    "region-not-in-guide": {"regions": [REGION, "eu-north-1"]},
    "pinecone-account-is-own": {"pinecone_account_id": ACCOUNT},
    "no-external-id": {"external_id": None},
    "external-id-not-uuid-v4": {"external_id": "our-own-name"},
    "trust-policy-over-quota": {"regions": [REGION] + [f"xx-region-{number}" for number in range(30)]},
    "key-region-not-in-regions": {"regions": ["eu-west-1"]},
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_the_unusual_works_and_warns(name: str) -> None:
    stack = new_stack()
    cmek(stack, **UNUSUAL[name])
    warnings = warnings_of(stack)
    assert f"cmek-construct:{name}" in warnings
    assert set(warnings) <= {f"cmek-construct:{name}", "cmek-construct:region-not-in-guide"}
    assert template_of(stack)["Resources"]


@pytest.mark.parametrize("name", UNUSUAL)
def test_a_warning_can_be_acknowledged_on_the_construct(name: str) -> None:
    stack = new_stack()
    ours = cmek(stack, **UNUSUAL[name])
    cdk.Validations.of(ours).acknowledge(
        cdk.Acknowledgment(id=f"cmek-construct:{name}", reason="Decided by security, ticket 42"),
        cdk.Acknowledgment(id="cmek-construct:region-not-in-guide", reason="Pinecone told us"),
    )
    assert warnings_of(stack) == {}


def test_a_warning_of_one_construct_is_not_acknowledged_by_another() -> None:
    stack = new_stack()
    cmek(stack, "One", external_id=None)
    two = cmek(stack, "Two", external_id=None)
    cdk.Validations.of(two).acknowledge(cdk.Acknowledgment(id="cmek-construct:no-external-id", reason="Decided"))
    assert list(warnings_of(stack)) == ["cmek-construct:no-external-id"]


@pytest.mark.parametrize("regions", [REGIONS, PINECONE_REGIONS, ALL_REGIONS])
def test_the_usual_does_not_warn(regions: Any) -> None:
    stack = new_stack()
    cmek(stack, regions=regions)
    assert warnings_of(stack) == {}


def test_a_role_that_stands_alone_warns_too() -> None:
    stack = new_stack()
    PineconeRole(stack, "Role", pinecone_account_id=PINECONE, regions=["eu-north-1"])
    assert set(warnings_of(stack)) == {"cmek-construct:no-external-id", "cmek-construct:region-not-in-guide"}


def characters(stack: cdk.Stack) -> int:
    """What IAM counts of the role's trust policy."""
    policy = role(template_of(stack))["AssumeRolePolicyDocument"]
    return len(json.dumps(policy, separators=(",", ":")))


def test_the_count_of_a_long_trust_policy_is_what_iam_counts() -> None:
    stack = new_stack()
    cmek(stack, **UNUSUAL["trust-policy-over-quota"])
    said = warnings_of(stack)["cmek-construct:trust-policy-over-quota"]
    assert f"{characters(stack):,} characters" in said


@pytest.mark.parametrize("regions", [["us-east-1"] + [f"xx-r-{n}" for n in range(14)]])
@pytest.mark.parametrize(("size", "warns"), [(2048, False), (2049, True)])
def test_the_quota_is_2048_characters_to_the_letter(regions: list[str], size: int, warns: bool) -> None:
    short = new_stack()
    cmek(short, regions=regions, external_id="xx")
    stack = new_stack()
    cmek(stack, regions=regions, external_id="x" * (2 + size - characters(short)))
    assert characters(stack) == size
    assert ("cmek-construct:trust-policy-over-quota" in warnings_of(stack)) is warns


def test_no_warning_prints_a_token() -> None:
    stack = new_stack(account=None, region=None)
    account = cdk.CfnParameter(stack, "Account").value_as_string
    region = cdk.CfnParameter(stack, "Region").value_as_string
    external_id = cdk.CfnParameter(stack, "Id").value_as_string
    cmek(
        stack,
        pinecone_account_id=account,
        regions=["eu-north-1", region],
        external_id=external_id,
        role=iam.Role.from_role_arn(stack, "Role", cdk.Fn.import_value("Role")),
        key=kms.Key.from_key_arn(stack, "Key", f"arn:aws:kms:us-east-1:111122223333:key/{cdk.Fn.ref('Account')}"),
    )
    warnings = warnings_of(stack)
    assert set(warnings) == {
        "cmek-construct:key-policy",
        "cmek-construct:region-not-in-guide",
        "cmek-construct:role-trust-policy",
    }
    text = " ".join(warnings.values())
    assert "Token[" not in text
    for name in ("<pinecone_account_id>", "<region>", "<output ExternalId>", "<output RoleArn>"):
        assert name in text
