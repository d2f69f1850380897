"""Wrong input: one clear error, before anything is built."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cmek_construct import ALL_REGIONS, PineconeCmek, PineconeKey, PineconePrincipal, PineconeRole
from tests.building import (
    ACCOUNT,
    EXTERNAL_ID,
    PINECONE,
    REGIONS,
    cmek,
    new_app,
    new_stack,
    template_of,
    trust_statements,
)

KEY_ARN = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/theirs"
Build = Callable[..., Any]


def build_cmek(scope: Construct, **props: Any) -> Any:
    return cmek(scope, **props)


def build_role(scope: Construct, **props: Any) -> Any:
    usual: dict[str, Any] = {"pinecone_account_id": PINECONE, "regions": REGIONS, "external_id": EXTERNAL_ID}
    return PineconeRole(scope, "Role", **(usual | props))


def build_key(scope: Construct, **props: Any) -> Any:
    theirs = iam.Role.from_role_arn(scope, "Theirs", ROLE_ARN)
    return PineconeKey(scope, "Key", **({"role": theirs} | props))


def build_principal(scope: Construct, **props: Any) -> Any:
    usual: dict[str, Any] = {"regions": REGIONS, "external_id": EXTERNAL_ID}
    usual |= props
    return PineconePrincipal(usual.pop("account_id", PINECONE), **usual)


def children(scope: Construct) -> list[str]:
    return [child.node.id for child in scope.node.children if child.node.id != "Theirs"]


def refused(build: Build, parameter: str, value: Any, **others: Any) -> str:
    """The message with which a value is refused; nothing was built."""
    stack = new_stack()
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the callers look at the message
        build(stack, **({parameter: value} | others))
    assert children(stack) == []
    message = str(refusal.value)
    assert message.startswith(parameter)
    assert "\n" not in message
    assert "Token[" not in message
    assert message.count(". ") >= 1, "a way out is missing"
    return message


ACCOUNTS = {build_cmek: "pinecone_account_id", build_role: "pinecone_account_id"}
TRUSTING: list[Build] = [build_cmek, build_role, build_principal]


def repr_of(value: Any) -> str:
    """A test id that is the same in every process."""
    if isinstance(value, cdk.Duration):
        return f"{value.to_hours()} hours"
    return repr(value)


def account_parameter(build: Build) -> str:
    return "account_id" if build is build_principal else "pinecone_account_id"


@pytest.mark.parametrize("build", TRUSTING)
@pytest.mark.parametrize(
    "value",
    ["", "99998888777", "9999888877776", "99998888777x", "999988887777\n", " 999988887777"]
    + ["٩٩٩٩٨٨٨٨٧٧٧٧", "９９９９８８８８７７７７", "arn:aws:iam::999988887777:root"]
    + [None, True, 999988887777, 88887777, 9.9, ["999988887777"], b"999988887777"],
)
def test_account_id_is_12_digits_in_a_string(build: Build, value: Any) -> None:
    message = refused(build, account_parameter(build), value)
    assert "12 digits" in message
    if isinstance(value, int) and not isinstance(value, bool):
        assert "leading zeros" in message
        assert "quotes" in message


@pytest.mark.parametrize("build", TRUSTING)
@pytest.mark.parametrize("value", [[], (), "us-east-1", "ALL_REGIONS", None, {"us-east-1"}, 7, True, {"us-east-1": 1}])
def test_regions_are_a_list_that_is_not_empty(build: Build, value: Any) -> None:
    assert "list" in refused(build, "regions", value)


@pytest.mark.parametrize("build", TRUSTING)
@pytest.mark.parametrize(
    "region",
    ["", "us-east", "us_east_1", "US-EAST-1", "us-east-1\n", "us-east-1a", "us-east-١", "*"]
    + ["us-east-*", "us-east-1 ", None, 1, True, "us-east-1,eu-west-1"],
)
def test_a_region_has_the_form_of_a_region(build: Build, region: Any) -> None:
    assert refused(build, "regions", ["eu-west-1", region]).startswith("regions[1]")


@pytest.mark.parametrize("build", TRUSTING)
def test_a_region_stands_once(build: Build) -> None:
    message = refused(build, "regions", ["us-east-1", "eu-west-1", "us-east-1"])
    assert message.startswith("regions[2]: got 'us-east-1'")


@pytest.mark.parametrize("build", TRUSTING)
def test_a_list_token_of_regions_is_refused(build: Build) -> None:
    stack = new_stack()
    listed = cdk.CfnParameter(stack, "Regions", type="CommaDelimitedList").value_as_list
    with pytest.raises(ValueError, match="list token") as refusal:
        build(stack, regions=listed)
    assert "Token[" not in str(refusal.value)


@pytest.mark.parametrize("build", TRUSTING)
@pytest.mark.parametrize(
    "value",
    ["", "x", "x" * 1225, "with space", "new\nline", f"{EXTERNAL_ID}\n", "umläut", "a*b", "a?b"]
    + ["٠١٢٣", True, 5, ["id"], b"id-in-bytes"],
)
def test_external_id_is_what_sts_takes(build: Build, value: Any) -> None:
    assert "2 to 1,224" in refused(build, "external_id", value)


@pytest.mark.parametrize("build", TRUSTING)
@pytest.mark.parametrize("value", ["xx", "x" * 1224, "a+b=c,d.e@f:g/h-i_j", EXTERNAL_ID.upper()])
def test_external_id_of_what_sts_takes_is_taken(build: Build, value: str) -> None:
    assert build(new_stack(), external_id=value)


@pytest.mark.parametrize("build", TRUSTING)
def test_all_regions_without_external_id_is_refused(build: Build) -> None:
    stack = new_stack()
    with pytest.raises(ValueError, match=r"external_id: got None with regions=ALL_REGIONS"):
        build(stack, regions=ALL_REGIONS, external_id=None)
    assert children(stack) == []


@pytest.mark.parametrize("build", TRUSTING)
def test_pin_account_is_for_all_regions_alone(build: Build) -> None:
    assert "explicit regions" in refused(build, "pin_account", True)


@pytest.mark.parametrize("build", TRUSTING)
@pytest.mark.parametrize("value", ["yes", 1, "False"])
def test_pin_account_is_a_bool(build: Build, value: Any) -> None:
    refused(build, "pin_account", value, regions=ALL_REGIONS)


@pytest.mark.parametrize("build", TRUSTING)
def test_a_trust_policy_that_iam_can_never_take_is_refused(build: Build) -> None:
    many = [f"xx-region-{number}" for number in range(100)] + [f"yy-region-{number}" for number in range(30)]
    message = refused(build, "regions", many)
    assert "8,192" in message
    assert "ALL_REGIONS" in message


@pytest.mark.parametrize(("build", "parameter"), [(build_cmek, "role_name"), (build_role, "role_name")])
@pytest.mark.parametrize("value", ["", "x" * 65, "with space", "slash/ed", "ünicode", "n\n", True, 5])
def test_role_name_is_what_iam_takes(build: Build, parameter: str, value: Any) -> None:
    assert "64" in refused(build, parameter, value)


@pytest.mark.parametrize(("build", "parameter"), [(build_cmek, "role_path"), (build_role, "path")])
@pytest.mark.parametrize("value", ["", "x", "/x", "x/", "/with space/", f"/{'x' * 511}/", "/ü/", "/x/\n", True, 5])
def test_path_is_what_iam_takes(build: Build, parameter: str, value: Any) -> None:
    assert "512" in refused(build, parameter, value)


@pytest.mark.parametrize("build", [build_cmek, build_key])
@pytest.mark.parametrize(
    "value",
    ["", "alias/", "alias/aws/kms", "aws/kms", "with space", "x" * 251, f"alias/{'x' * 251}"]
    + ["a.b", "ünicode", "x\n", "alias/x:y", True, 5, KEY_ARN],
)
def test_alias_is_what_kms_takes(build: Build, value: Any) -> None:
    assert "256" in refused(build, "alias", value)


@pytest.mark.parametrize("build", [build_cmek, build_key])
@pytest.mark.parametrize("value", ["x" * 8193, True, 5])
def test_description_is_what_kms_takes(build: Build, value: Any) -> None:
    assert "8,192" in refused(build, "description", value)


@pytest.mark.parametrize("build", [build_cmek, build_key])
@pytest.mark.parametrize(
    "value",
    [cdk.Duration.days(89), cdk.Duration.days(2561), cdk.Duration.hours(36)]
    + [cdk.Duration.hours(24 * 100 + 12), 365, "365", True],
    ids=repr_of,
)
def test_rotation_period_is_90_to_2560_whole_days(build: Build, value: Any) -> None:
    assert refused(build, "rotation_period", value)


@pytest.mark.parametrize("build", [build_cmek, build_key])
@pytest.mark.parametrize(
    "value", [cdk.Duration.days(6), cdk.Duration.days(31), cdk.Duration.hours(180), 30, True], ids=repr_of
)
def test_pending_window_is_7_to_30_whole_days(build: Build, value: Any) -> None:
    assert refused(build, "pending_window", value)


@pytest.mark.parametrize("build", [build_cmek, build_key])
@pytest.mark.parametrize(
    "value", [cdk.Duration.days(0), cdk.Duration.days(366), cdk.Duration.hours(36), 90, True], ids=repr_of
)
def test_a_used_key_is_protected_for_1_to_365_whole_days(build: Build, value: Any) -> None:
    assert refused(build, "protect_used_key", value)


@pytest.mark.parametrize("build", [build_cmek, build_key])
def test_the_bounds_of_the_days_are_taken(build: Build) -> None:
    for rotation, window, protected in ((90, 7, 1), (2560, 30, 365)):
        assert build(
            new_stack(),
            rotation_period=cdk.Duration.days(rotation),
            pending_window=cdk.Duration.hours(window * 24),
            protect_used_key=cdk.Duration.days(protected),
        )


@pytest.mark.parametrize("build", [build_cmek, build_key])
def test_a_rotation_period_without_rotation_is_refused(build: Build) -> None:
    stack = new_stack()
    with pytest.raises(ValueError, match=r"rotation_period: .*enable_key_rotation=False"):
        build(stack, rotation_period=cdk.Duration.days(90), enable_key_rotation=False)
    assert children(stack) == []


@pytest.mark.parametrize(
    ("build", "parameter"),
    [
        (build_cmek, "enable_key_rotation"),
        (build_key, "enable_key_rotation"),
        (build_cmek, "multi_region"),
        (build_key, "multi_region"),
        (build_cmek, "suspended"),
        (build_key, "suspended"),
        (build_role, "suspended"),
    ],
)
@pytest.mark.parametrize("value", ["yes", "false", 0, 1])
def test_a_flag_is_a_bool(build: Build, parameter: str, value: Any) -> None:
    assert "True or False" in refused(build, parameter, value)


@pytest.mark.parametrize("build", [build_cmek, build_role, build_key])
@pytest.mark.parametrize("value", ["destroy", cdk.RemovalPolicy.SNAPSHOT, True])
def test_removal_policy_is_one_that_a_key_can_have(build: Build, value: Any) -> None:
    assert "RemovalPolicy.RETAIN" in refused(build, "removal_policy", value)


@pytest.mark.parametrize("build", [build_cmek, build_key])
@pytest.mark.parametrize("value", ["KEY_USER", True])
def test_key_access_is_the_enum(build: Build, value: Any) -> None:
    assert "KeyAccess.KEY_USER" in refused(build, "key_access", value)


@pytest.mark.parametrize("build", [build_cmek, build_role])
def test_a_permissions_boundary_is_no_arn(build: Build) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:policy/edge"
    assert "from_managed_policy_arn" in refused(build, "permissions_boundary", arn)


@pytest.mark.parametrize(("build", "parameter"), [(build_cmek, "key_admins"), (build_key, "admins")])
@pytest.mark.parametrize("value", [ROLE_ARN, [ROLE_ARN], [7], {7}, iter([7])])
def test_key_admins_are_a_list_and_no_arns(build: Build, parameter: str, value: Any) -> None:
    assert "iam.ArnPrincipal" in refused(build, parameter, value)


@pytest.mark.parametrize(
    "region",
    ["cn-north-1", "us-gov-west-1", "eusc-de-east-1", "us-iso-east-1"]
    + ["us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1"],
)
@pytest.mark.parametrize("build", [build_cmek, build_role, build_key])
def test_a_stack_in_another_partition_is_refused(build: Build, region: str) -> None:
    stack = new_stack(region=region)
    with pytest.raises(ValueError, match=rf"region: got '{region}'.*partition `aws`"):
        build(stack)
    assert children(stack) == []


@pytest.mark.parametrize("build", [build_cmek, build_key])
@pytest.mark.parametrize("value", [ROLE_ARN, 7])
def test_a_role_is_no_arn(build: Build, value: Any) -> None:
    assert "from_role_arn" in refused(build, "role", value)


@pytest.mark.parametrize("value", [KEY_ARN, "alias/x", 7])
def test_a_key_is_no_arn(value: Any) -> None:
    assert "from_key_arn" in refused(build_cmek, "key", value)


def test_an_alias_is_no_key() -> None:
    stack = new_stack()
    for alias in (
        kms.Alias.from_alias_name(stack, "Imported", "alias/theirs"),
        kms.Alias(stack, "Own", alias_name="alias/x", target_key=kms.Key(stack, "Key")),
    ):
        with pytest.raises(ValueError, match="the alias's ARN for good"):
            cmek(stack, key=alias)
    assert stack.node.try_find_child("Cmek") is None


@pytest.mark.parametrize(
    "props",
    [
        {"key_spec": kms.KeySpec.RSA_2048},
        {"key_spec": kms.KeySpec.HMAC_256, "key_usage": kms.KeyUsage.GENERATE_VERIFY_MAC},
        {"key_spec": kms.KeySpec.ECC_NIST_P256, "key_usage": kms.KeyUsage.SIGN_VERIFY},
    ],
    ids=repr_of,
)
def test_a_key_of_another_kind_is_refused(props: dict[str, Any]) -> None:
    stack = new_stack()
    with pytest.raises(ValueError, match=r"key \(key_spec\): .*symmetric"):
        cmek(stack, key=kms.Key(stack, "Key", **props))
    assert stack.node.try_find_child("Cmek") is None


@pytest.mark.parametrize(
    ("parameter", "value"), [("role_name", "x"), ("role_path", "/x/"), ("permissions_boundary", "boundary")]
)
def test_props_of_a_new_role_are_refused_beside_a_given_one(parameter: str, value: Any) -> None:
    stack = new_stack()
    given = iam.Role.from_role_arn(stack, "Theirs", ROLE_ARN)
    if value == "boundary":
        value = iam.ManagedPolicy.from_aws_managed_policy_name("ReadOnlyAccess")
    with pytest.raises(ValueError, match=rf"{parameter}: .*together with role="):
        cmek(stack, role=given, **{parameter: value})
    assert children(stack) == []


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("alias", "x"),
        ("description", "x"),
        ("enable_key_rotation", True),
        ("rotation_period", cdk.Duration.days(90)),
        ("multi_region", False),
        ("pending_window", cdk.Duration.days(7)),
        ("protect_used_key", cdk.Duration.days(90)),
        ("key_admins", [iam.ArnPrincipal(ROLE_ARN)]),
    ],
    ids=lambda value: value if isinstance(value, str) else "value",
)
def test_props_of_a_new_key_are_refused_beside_a_given_one(parameter: str, value: Any) -> None:
    stack = new_stack()
    given = kms.Key.from_key_arn(stack, "Theirs", KEY_ARN)
    with pytest.raises(ValueError, match=rf"{parameter}: .*together with key="):
        cmek(stack, key=given, **{parameter: value})
    assert children(stack) == []


def test_a_removal_policy_of_nothing_new_is_refused() -> None:
    stack = new_stack()
    with pytest.raises(ValueError, match=r"removal_policy: .*together with role and key="):
        cmek(
            stack,
            role=iam.Role.from_role_arn(stack, "Role", ROLE_ARN),
            key=kms.Key.from_key_arn(stack, "Key", KEY_ARN),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )


def test_a_role_of_another_partition_is_refused() -> None:
    stack = new_stack()
    arn = ROLE_ARN.replace("arn:aws:", "arn:aws-us-gov:")
    with pytest.raises(ValueError, match="partition `aws`"):
        cmek(stack, role=iam.Role.from_role_arn(stack, "Theirs", arn))
    assert children(stack) == []


def test_a_key_of_another_partition_is_refused() -> None:
    stack = new_stack()
    arn = KEY_ARN.replace("arn:aws:", "arn:aws-cn:").replace("us-east-1", "cn-north-1")
    with pytest.raises(ValueError, match="partition `aws`"):
        cmek(stack, key=kms.Key.from_key_arn(stack, "Theirs", arn))


def test_undoing_props_of_the_l2s_are_not_taken() -> None:
    stack = new_stack()
    for build, props in (
        (build_role, {"assumed_by": iam.AccountRootPrincipal()}),
        (build_role, {"external_ids": ["x"]}),
        (build_key, {"policy": iam.PolicyDocument()}),
        (build_key, {"key_spec": kms.KeySpec.RSA_2048}),
        (build_key, {"key_usage": kms.KeyUsage.SIGN_VERIFY}),
        (build_key, {"enabled": False}),
    ):
        with pytest.raises(TypeError):
            build(cdk.Stack(new_app(), "Other"), **props)
    assert children(stack) == []


def test_tokens_pass_unchecked_and_reach_the_template() -> None:
    stack = new_stack()
    account = cdk.CfnParameter(stack, "PineconeAccount").value_as_string
    external_id = cdk.CfnParameter(stack, "Id").value_as_string
    region = cdk.CfnParameter(stack, "PineconeRegion").value_as_string
    alias = cdk.CfnParameter(stack, "Alias").value_as_string
    role_name = cdk.CfnParameter(stack, "RoleName").value_as_string
    description = cdk.CfnParameter(stack, "Description").value_as_string
    cmek(
        stack,
        pinecone_account_id=account,
        external_id=external_id,
        regions=[region],
        alias=alias,
        role_name=role_name,
        description=description,
    )
    template = template_of(stack)
    (statement,) = trust_statements(template)
    assert statement["Condition"]["StringEquals"]["sts:ExternalId"] == {"Ref": "Id"}
    assert statement["Principal"]["AWS"]["Fn::Join"][1] == [
        "arn:aws:iam::",
        {"Ref": "PineconeAccount"},
        ":role/pinecone_cmek_access_",
        {"Ref": "PineconeRegion"},
    ]
    aliases = [
        one["Properties"]["AliasName"] for one in template["Resources"].values() if one["Type"] == "AWS::KMS::Alias"
    ]
    assert aliases == [{"Ref": "Alias"}]


def test_all_parameters_after_the_id_are_keyword_only() -> None:
    positional: Any = PineconeCmek
    with pytest.raises(TypeError):
        positional(new_stack(), "Cmek", PINECONE, REGIONS)
