"""Harmless apps: what people do beside, around and with Pinecone's role and key. All pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from cmek_construct import (
    ALL_REGIONS,
    CmekGuardrails,
    CustomerKey,
    KeyAccess,
    PineconeCmek,
    PineconeCmekStackSet,
    PineconeKey,
    PineconePrincipal,
    PineconeRole,
    StackSetTargets,
)
from tests.building import ACCOUNT, EXTERNAL_ID, PINECONE, REGION, REGIONS, cmek, new_stack

VENDOR_ROLE = "arn:aws:iam::777788889990:role/Vendor"
DECLARED_ROLE = "arn:aws:iam::777788889991:role/path/Declared"
STRANGER = "777788889992"

Harmless = Callable[[cdk.Stack], object]
HARMLESS: dict[str, Harmless] = {}
"""What fills a stack, by its name."""


def _harmless(make: Harmless) -> Harmless:
    HARMLESS[make.__name__] = make
    return make


def make_app(outdir: str) -> cdk.App:
    """An app with each in a stack of its own, under the guardrails."""
    app = cdk.App(outdir=outdir, analytics_reporting=False)
    cdk.Validations.of(app).add_plugins(CmekGuardrails(vendor_role_arns=[DECLARED_ROLE]))
    for name, make in HARMLESS.items():
        make(new_stack(app, stack_name(name)))
    return app


def stack_name(name: str) -> str:
    """The name of its stack."""
    return "".join(word.title() for word in name.split("_"))


def _app(stack: cdk.Stack) -> cdk.App:
    app = cdk.App.of(stack)
    assert isinstance(app, cdk.App)
    return app


def _worker(stack: cdk.Stack) -> iam.Role:
    return iam.Role(stack, "Worker", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))


def _resource(construct: Any) -> Any:
    return construct.node.default_child


@_harmless
def tags(stack: cdk.Stack) -> object:
    cdk.Tags.of(cmek(stack)).add("pinecone", "cmek")
    return stack


@_harmless
def descriptions_and_metadata(stack: cdk.Stack) -> object:
    ours = cmek(stack, description="Pinecone's key")
    _resource(ours.role).description = "What Pinecone assumes"
    _resource(ours.key).add_metadata("owner", "security")
    return ours


@_harmless
def a_worker_granted_decrypt_by_the_l2(stack: cdk.Stack) -> object:
    return cmek(stack).key.grant_decrypt(_worker(stack))


@_harmless
def a_worker_named_in_the_key_policy(stack: cdk.Stack) -> object:
    return cmek(stack).key.add_to_resource_policy(
        iam.PolicyStatement(actions=["kms:Decrypt"], resources=["*"], principals=[_worker(stack).grant_principal])
    )


@_harmless
def an_administrator_of_the_account(stack: cdk.Stack) -> object:
    return cmek(stack, key_admins=[iam.ArnPrincipal(f"arn:aws:iam::{ACCOUNT}:role/Admin")])


@_harmless
def a_permissions_boundary(stack: cdk.Stack) -> object:
    cmek(stack)
    boundary = iam.ManagedPolicy.from_managed_policy_name(stack, "Boundary", "Boundary")
    return iam.PermissionsBoundary.of(stack).apply(boundary)


@_harmless
def several_in_one_stack(stack: cdk.Stack) -> object:
    cmek(stack, "Plain", external_id=None)
    cmek(stack, "Everywhere", regions=ALL_REGIONS, pin_account=True)
    return cmek(stack, "Suspended", suspended=True)


@_harmless
def a_role_beside_a_project_with_another_external_id(stack: cdk.Stack) -> object:
    cmek(stack)
    return PineconeRole(stack, "Role", pinecone_account_id=PINECONE, regions=REGIONS, external_id=EXTERNAL_ID[::-1])


@_harmless
def a_customers_key(stack: cdk.Stack) -> object:
    return CustomerKey(stack, "Theirs", role_arn=VENDOR_ROLE)


@_harmless
def a_customers_key_with_more_access_suspended(stack: cdk.Stack) -> object:
    return CustomerKey(stack, "Theirs", role_arn=VENDOR_ROLE, key_access=KeyAccess.KEY_USER, suspended=True)


@_harmless
def a_customers_key_for_a_role_that_the_deployer_names(stack: cdk.Stack) -> object:
    parameter = cdk.CfnParameter(stack, "VendorRole")
    return CustomerKey(stack, "Theirs", role_arn=parameter.value_as_string)


@_harmless
def a_declared_vendors_role(stack: cdk.Stack) -> object:
    return cmek(stack).key.add_to_resource_policy(
        iam.PolicyStatement(actions=["kms:Decrypt"], resources=["*"], principals=[iam.ArnPrincipal(DECLARED_ROLE)])
    )


@_harmless
def a_role_for_keys_of_customers(stack: cdk.Stack) -> object:
    return PineconeRole(
        stack,
        "Role",
        pinecone_account_id=PINECONE,
        regions=REGIONS,
        external_id=EXTERNAL_ID,
        customer_account_ids=[STRANGER],
        customer_key_arns=[f"arn:aws:kms:{REGION}:777788889993:key/1234abcd"],
    )


@_harmless
def a_role_with_the_permissions_that_the_warning_says(stack: cdk.Stack) -> object:
    return cmek(stack).role.add_to_principal_policy(
        iam.PolicyStatement(
            actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:DescribeKey"],
            resources=[f"arn:aws:kms:{REGION}:{STRANGER}:key/1234abcd"],
        )
    )


@_harmless
def a_role_that_is_denied_something(stack: cdk.Stack) -> object:
    return cmek(stack).role.add_to_principal_policy(
        iam.PolicyStatement(effect=iam.Effect.DENY, actions=["s3:*"], resources=["*"])
    )


@_harmless
def everything_that_props_ask_for(stack: cdk.Stack) -> object:
    return cmek(
        stack,
        multi_region=True,
        enable_key_rotation=False,
        pending_window=cdk.Duration.days(7),
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )


@_harmless
def an_alias_of_ones_own_name(stack: cdk.Stack) -> object:
    ours = cmek(stack, alias="search/vectors")
    return ours.key.add_alias("alias/another")


@_harmless
def denials_that_protect_the_key(stack: cdk.Stack) -> object:
    key = cmek(stack).key
    key.add_to_resource_policy(
        iam.PolicyStatement(
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["kms:ScheduleKeyDeletion", "kms:DisableKey"],
            resources=["*"],
        )
    )
    return key.add_to_resource_policy(
        iam.PolicyStatement(
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["kms:*"],
            resources=["*"],
            conditions={"StringNotEquals": {"aws:PrincipalOrgID": "o-1234567890"}},
        )
    )


@_harmless
def one_more_condition_on_pinecone(stack: cdk.Stack) -> object:
    principal = PineconePrincipal(PINECONE, regions=REGIONS, external_id=EXTERNAL_ID)
    role = iam.Role(
        stack, "Role", assumed_by=principal.with_conditions({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})
    )
    role.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
    rule = "pinecone-not-seen-to-come-in[IpAddress_aws:sourceip_192.0.2.0/24]"
    reason = "Pinecone comes from there"
    cdk.Validations.of(role).acknowledge(cdk.Acknowledgment(id=f"cmek-guardrails::{rule}", reason=reason))
    return PineconeKey(stack, "Key", role=role)


@_harmless
def a_given_role_and_key(stack: cdk.Stack) -> object:
    role = iam.Role(stack, "Theirs", assumed_by=PineconePrincipal(PINECONE, regions=REGIONS, external_id=EXTERNAL_ID))
    role.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
    return cmek(stack, role=role, key=kms.Key(stack, "Key", enable_key_rotation=True))


@_harmless
def an_imported_role_of_the_account(stack: cdk.Stack) -> object:
    role = iam.Role.from_role_arn(stack, "Theirs", f"arn:aws:iam::{ACCOUNT}:role/Pinecone")
    return cmek(stack, role=role)


@_harmless
def an_imported_role_by_name(stack: cdk.Stack) -> object:
    return cmek(stack, role=iam.Role.from_role_name(stack, "Theirs", "Pinecone"))


@_harmless
def roles_and_keys_that_are_none_of_pinecones(stack: cdk.Stack) -> object:
    """Each would be refused if it were taken for ours."""
    cmek(stack, "PineconeCmek")
    role = iam.Role(
        stack,
        "PineconeImport",
        assumed_by=iam.ArnPrincipal(f"arn:aws:iam::{STRANGER}:role/pinecone-s3-import"),
        max_session_duration=cdk.Duration.hours(12),
    )
    s3.Bucket(stack, "Vectors").grant_read(role)
    worker = iam.Role(stack, "PineconeCmekAuditor", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    key = kms.Key(stack, "Other", multi_region=True, alias="alias/pinecone-cmek-backup")
    key.add_to_resource_policy(
        iam.PolicyStatement(actions=["kms:*"], resources=["*"], principals=[iam.AccountPrincipal(STRANGER), worker])
    )
    return kms.CfnKey(stack, "Bare", key_spec="RSA_2048", key_usage="SIGN_VERIFY")


@_harmless
def a_stack_set(stack: cdk.Stack) -> object:
    return PineconeCmekStackSet(
        stack,
        "Fleet",
        stack_set_name="pinecone",
        region=REGION,
        pinecone_account_id=PINECONE,
        regions=REGIONS,
        external_id=EXTERNAL_ID,
        targets=StackSetTargets.accounts(["222233334444"]),
    )


@_harmless
def a_role_in_another_stack(stack: cdk.Stack) -> object:
    other = new_stack(_app(stack), "RoleOfAnotherStack")
    role = PineconeRole(other, "Role", pinecone_account_id=PINECONE, regions=REGIONS, external_id=EXTERNAL_ID)
    return PineconeKey(stack, "Key", role=role)


@_harmless
def a_role_in_another_account(stack: cdk.Stack) -> object:
    other = new_stack(_app(stack), "RoleOfAnotherAccount", STRANGER)
    role = PineconeRole(
        other, "Role", pinecone_account_id=PINECONE, regions=REGIONS, external_id=EXTERNAL_ID, role_name="pinecone"
    )
    return PineconeKey(stack, "Key", role=role)


@_harmless
def a_stage_of_its_own(stack: cdk.Stack) -> object:
    stage = cdk.Stage(_app(stack), "Prod")
    inner = cdk.Stack(stage, "Search", env=cdk.Environment(account=ACCOUNT, region=REGION))
    return cmek(inner)


@_harmless
def a_nested_stack(stack: cdk.Stack) -> object:
    return cmek(cdk.NestedStack(stack, "Nested"))


@_harmless
def without_an_environment(stack: cdk.Stack) -> object:
    return PineconeCmek(
        cdk.Stack(_app(stack), "NoEnvironment"),
        "Cmek",
        pinecone_account_id=PINECONE,
        regions=ALL_REGIONS,
        external_id=EXTERNAL_ID,
    )
