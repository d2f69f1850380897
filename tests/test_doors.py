"""A limit is the same at every door: constructor, file, command, a role or key that is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_ssm as ssm

from cmek_construct import CmekGuardrails, CustomerKey, PineconeCmek, PineconeKey, PineconePrincipal, PineconeRole
from cmek_construct.deployment.reading import ConfigError, parse_entries
from tests.building import ACCOUNT, EXTERNAL_ID, PINECONE, REGIONS, cmek, new_app, new_stack, warnings_of
from tests.command import cmek as command

PINECONES_OWN = f"arn:aws:iam::{PINECONE}:role/pinecone_cmek_access_us-east-1"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/me"
NO_ROLES = [SESSION, f"arn:aws:iam::{ACCOUNT}:user/me", f"arn:aws:iam::{ACCOUNT}:role/*", PINECONES_OWN]
KEY = "arn:aws:kms:us-east-1:111122223333:"
NO_KEYS = [f"{KEY}alias/x", f"{KEY}key/*"]
PLACEHOLDER = "XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX"


def in_file(prop: str, value: str) -> str:
    """What is said of a prop in cmek.yaml."""
    text = (
        f'pinecone_account_id: "{PINECONE}"\nregions: [us-east-1]\nregion: us-east-1\n'
        f'stacks:\n  acme:\n    account: "{ACCOUNT}"\n    {prop}: {value}\n'
    )
    with pytest.raises(ConfigError) as refusal:
        parse_entries(text, "cmek.yaml")
    return str(refusal.value)


def refused(build: Any) -> str:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the callers look at the message
        build(new_stack())
    message = str(refusal.value)
    assert message.count(". ") >= 1, "a way out is missing"
    assert "Token[" not in message
    return message


@pytest.mark.parametrize("arn", NO_ROLES)
def test_a_role_is_a_role_at_every_door(arn: str) -> None:
    def given(stack: cdk.Stack) -> None:
        cmek(stack, role=iam.Role.from_role_arn(stack, "Theirs", arn))

    def of_a_key(stack: cdk.Stack) -> None:
        PineconeKey(stack, "Key", role=iam.Role.from_role_arn(stack, "Theirs", arn))

    assert refused(given).startswith("role: ")
    assert refused(of_a_key).startswith("role: ")
    assert refused(lambda stack: CustomerKey(stack, "Key", role_arn=arn)).startswith("role_arn: ")
    assert refused(lambda _: CmekGuardrails(vendor_role_arns=[arn])).startswith("vendor_role_arns")
    assert "acme.role: got" in in_file("role", f"'{arn}'")


@pytest.mark.parametrize("option", ["check . --vendor-role-arn", "customer-kit --role-arn"])
def test_one_of_pinecones_own_roles_is_no_vendors_role_for_a_command(option: str, tmp_path: Path) -> None:
    said = command(tmp_path, *option.split(), PINECONES_OWN, code=2).stderr
    assert "Pinecone's own" in " ".join(said.replace("│", " ").split())


def test_a_role_by_name_is_given_by_its_name() -> None:
    def by_arn(stack: cdk.Stack) -> None:
        name = f"arn:aws:iam::{ACCOUNT}:role/theirs"
        cmek(stack, role=iam.Role.from_role_name(stack, "Theirs", name))

    assert refused(by_arn).startswith("role: got a token, but it is an ARN like")
    stack = new_stack()
    cmek(stack, role=iam.Role.from_role_name(stack, "Theirs", "path/theirs"))


@pytest.mark.parametrize("arn", NO_KEYS)
def test_a_key_is_a_key_at_every_door(arn: str) -> None:
    def given(stack: cdk.Stack) -> None:
        cmek(stack, key=kms.Key.from_key_arn(stack, "Theirs", arn))

    assert refused(given).startswith("key: ")
    assert "acme.key: got" in in_file("key", f"'{arn}'")


@pytest.mark.parametrize("arn", [SESSION, PINECONES_OWN, f"arn:aws:iam::{ACCOUNT}:role/*"])
def test_a_session_administers_no_key(arn: str) -> None:
    admins = [iam.ArnPrincipal(arn)]
    assert refused(lambda stack: cmek(stack, key_admins=admins)).startswith("key_admins")
    assert "acme.key_admins[0]: got" in in_file("key_admins", f"['{arn}']")


@pytest.mark.parametrize(
    "admin",
    [
        iam.ServicePrincipal("s3.amazonaws.com"),
        iam.FederatedPrincipal("cognito-identity.amazonaws.com"),
        iam.CanonicalUserPrincipal("79a59df900b949e55d96a1e698fbaced"),
    ],
    ids=lambda admin: type(admin).__name__,
)
def test_a_service_or_a_login_of_elsewhere_administers_no_key(admin: iam.PrincipalBase) -> None:
    vendor = "arn:aws:iam::444455556666:role/vendor"
    for build in (
        lambda stack: cmek(stack, key_admins=[admin]),
        lambda stack: CustomerKey(stack, "Key", role_arn=vendor, key_admins=[admin]),
    ):
        assert "a role, a user or an account administers a key" in refused(build)


def test_an_account_or_a_role_administers_a_key() -> None:
    for admin in (iam.AccountPrincipal(ACCOUNT), iam.AccountRootPrincipal()):
        cmek(new_stack(), key_admins=[admin])
    stack = new_stack()
    cmek(stack, key_admins=[iam.Role(stack, "Admin", assumed_by=iam.AccountRootPrincipal())])


def test_a_key_policy_that_kms_cannot_take_is_refused_with_its_size() -> None:
    arns = [f"arn:aws:iam::{ACCOUNT}:role/administrators-of-the-keys-{n:03}" for n in range(600)]
    admins = [iam.ArnPrincipal(arn) for arn in arns]
    said = "the key policy then has"
    assert said in refused(lambda stack: cmek(stack, key_admins=admins))
    assert "and KMS takes 32,768" in refused(lambda stack: cmek(stack, key_admins=admins))
    assert said in in_file("key_admins", str(arns))


@pytest.mark.parametrize("value", [PLACEHOLDER, PLACEHOLDER.lower()])
def test_the_guides_placeholder_is_no_external_id(value: str) -> None:
    assert "placeholder" in refused(lambda stack: cmek(stack, external_id=value))
    assert "placeholder" in in_file("external_id", value)


@pytest.mark.parametrize("value", ["Pinecone — prod", "a “role”", "x" * 1_001])
def test_a_roles_description_has_the_characters_of_iam(value: str) -> None:
    def build(stack: cdk.Stack) -> None:
        PineconeRole(stack, "Role", pinecone_account_id=PINECONE, regions=REGIONS, description=value)

    assert refused(build).startswith("description: ")


@pytest.mark.parametrize(
    "tags", ["{Owner: a, owner: b}", "{'a<b': c}", "{a: 'x;y'}", str({f"t{n}": "x" for n in range(51)})]
)
def test_tags_are_those_that_iam_and_kms_take_both(tags: str) -> None:
    assert "acme.tags" in in_file("tags", tags)


def test_the_account_of_the_stack_is_not_pinecones_whoever_writes_it() -> None:
    stack = new_stack(account=None)
    cmek(stack, pinecone_account_id=cdk.Aws.ACCOUNT_ID)
    assert list(warnings_of(stack)) == ["cmek-construct:pinecone-account-is-own"]


def test_a_value_that_is_not_looked_up_yet_passes_as_a_token_does() -> None:
    stack = new_stack()
    value = ssm.StringParameter.value_from_lookup(stack, "/pinecone")
    assert value.startswith("dummy-value-for-")
    props: dict[str, Any] = {"pinecone_account_id": value, "external_id": value, "alias": value}
    cmek(stack, **props, regions=[value], description=value)
    CustomerKey(stack, "Whole", role_arn=value)
    CustomerKey(stack, "Part", role_arn=f"arn:aws:iam::444455556666:role/{value}")
    key = kms.Key.from_key_arn(stack, "Theirs", f"{KEY}key/{value}")
    cmek(cdk.Stack(stack, "Nested"), external_id=EXTERNAL_ID, key=key)
    assert set(warnings_of(stack)) <= {"cmek-construct:key-policy"}


@pytest.mark.parametrize("literally", [True, False])
def test_a_role_and_a_key_that_are_not_looked_up_yet_are_taken(literally: bool) -> None:
    stack = new_stack(new_app(**{"@aws-cdk/core:enablePartitionLiterals": literally}))
    role = iam.Role.from_lookup(stack, "Role", role_name="theirs")
    cmek(stack, role=role, key=kms.Key.from_lookup(stack, "Key", alias_name="alias/theirs"))
    assert set(warnings_of(stack)) >= {"cmek-construct:role-trust-policy", "cmek-construct:key-policy"}


def test_a_given_role_that_may_go_with_its_stack_warns_with_the_line_to_write() -> None:
    stack = new_stack()
    role = PineconeRole(
        stack,
        "Mine",
        pinecone_account_id=PINECONE,
        regions=REGIONS,
        external_id=EXTERNAL_ID,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    cmek(stack, role=role)
    (said,) = warnings_of(stack).items()
    assert said[0] == "cmek-construct:role-not-retained"
    assert "role.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)" in said[1]


def test_a_given_role_is_judged_when_the_app_is_done_with_it() -> None:
    stack = new_stack()
    role = PineconeRole(stack, "Mine", pinecone_account_id=PINECONE, regions=REGIONS, external_id=EXTERNAL_ID)
    cmek(stack, role=role)
    assert role.assume_role_policy
    everybody = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}
    role.assume_role_policy.add_statements(iam.PolicyStatement.from_json(everybody))
    cdk.RemovalPolicies.of(stack).destroy()
    assert set(warnings_of(stack)) == {"cmek-construct:role-not-retained", "cmek-construct:role-trust-policy"}


def test_an_unknown_prop_is_one_error_with_the_nearest_name() -> None:
    with pytest.raises(TypeError, match=r"PineconeCmek: there is no prop 'rolename'. Is it role_n"):
        cmek(new_stack(), rolename="x")
    with pytest.raises(TypeError, match=r"Is it pinecone_account_id\?"):
        PineconeCmek(new_stack(), "Cmek", account=PINECONE, regions=REGIONS)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"there is no prop 'pinecone_account_id'. Is it account_id\?"):
        PineconePrincipal(pinecone_account_id=PINECONE, regions=REGIONS)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"PineconeRole: regions is missing"):
        PineconeRole(new_stack(), "Role", pinecone_account_id=PINECONE)  # type: ignore[call-arg]
