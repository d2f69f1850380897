"""The forms of this library that the tests look at: each a stack, made through the public names.

`template(name)` is what CloudFormation would get. All forms are synthesized once a process.
"""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from cmek_construct import (
    ALL_REGIONS,
    PINECONE_REGIONS,
    KeyAccess,
    PineconeCmek,
    PineconeKey,
    PineconePrincipal,
    PineconeRole,
)

CUSTOMER = "111122223333"
PINECONE = "444455556666"
VENDOR = "123456789012"
REGION = "us-east-1"
REGIONS = ["us-east-1", "eu-west-1"]
EXTERNAL_ID = "9f1c2b7e-6a34-4d0b-8f57-2d1c0e4b9a66"
ADMIN_ROLE = f"arn:aws:iam::{CUSTOMER}:role/security/KeyAdmin"
IMPORTED_KEY = f"arn:aws:kms:{REGION}:{CUSTOMER}:key/0f2d4c6b-8a91-4e3d-b5f7-1c2a3b4d5e6f"
VENDOR_ROLE = f"arn:aws:iam::{VENDOR}:role/VendorCmek"

PARAMETERS = {"CustomerExternalId": EXTERNAL_ID, "PineconeAccount": PINECONE}
"""What a deployer types into the form that has CloudFormation parameters."""

Form = Callable[[cdk.Stack], object]
FORMS: dict[str, Form] = {}
"""Every form by its name."""

_WITHOUT_ENVIRONMENT = {"environment_agnostic"}


def _form(make: Form) -> Form:
    FORMS[make.__name__] = make
    return make


def _cmek(
    stack: cdk.Stack,
    *,
    regions: Any = REGIONS,
    pinecone_account_id: str = PINECONE,
    external_id: str | None = EXTERNAL_ID,
    **props: Any,
) -> PineconeCmek:
    return PineconeCmek(
        stack, "Cmek", pinecone_account_id=pinecone_account_id, regions=regions, external_id=external_id, **props
    )


# The guide's three trust policies, and the one that names Pinecone's account.


@_form
def explicit_with_id(stack: cdk.Stack) -> object:
    return _cmek(stack)


@_form
def explicit_without_id(stack: cdk.Stack) -> object:
    return _cmek(stack, external_id=None)


@_form
def all_regions(stack: cdk.Stack) -> object:
    return _cmek(stack, regions=ALL_REGIONS)


@_form
def all_regions_pinned(stack: cdk.Stack) -> object:
    return _cmek(stack, regions=ALL_REGIONS, pin_account=True)


@_form
def every_region_of_the_guide(stack: cdk.Stack) -> object:
    return _cmek(stack, regions=list(PINECONE_REGIONS))


@_form
def one_region(stack: cdk.Stack) -> object:
    return _cmek(stack, regions=[REGION])


# Props that change who may do what.


@_form
def encrypt_decrypt(stack: cdk.Stack) -> object:
    return _cmek(stack, key_access=KeyAccess.ENCRYPT_DECRYPT)


@_form
def with_key_admins(stack: cdk.Stack) -> object:
    return _cmek(stack, key_admins=[iam.ArnPrincipal(ADMIN_ROLE)])


@_form
def suspended(stack: cdk.Stack) -> object:
    return _cmek(stack, suspended=True)


@_form
def suspended_all_regions(stack: cdk.Stack) -> object:
    return _cmek(stack, regions=ALL_REGIONS, suspended=True)


@_form
def role_with_own_policy(stack: cdk.Stack) -> object:
    return _give_role_a_policy(_cmek(stack))


@_form
def suspended_role_with_own_policy(stack: cdk.Stack) -> object:
    return _give_role_a_policy(_cmek(stack, suspended=True))


def _give_role_a_policy(cmek: PineconeCmek) -> PineconeCmek:
    cmek.role.add_to_principal_policy(iam.PolicyStatement(actions=["kms:*"], resources=["*"]))
    return cmek


# Roles and keys of the user's own.


@_form
def own_role(stack: cdk.Stack) -> object:
    return _cmek(stack, role=_role_of_theirs(stack))


@_form
def own_key(stack: cdk.Stack) -> object:
    return _cmek(stack, key=_key_of_theirs(stack))


@_form
def own_key_suspended(stack: cdk.Stack) -> object:
    return _cmek(stack, key=_key_of_theirs(stack), suspended=True)


@_form
def own_role_and_key(stack: cdk.Stack) -> object:
    return _cmek(stack, role=_role_of_theirs(stack), key=_key_of_theirs(stack))


@_form
def imported_key(stack: cdk.Stack) -> object:
    return _cmek(stack, key=kms.Key.from_key_arn(stack, "Theirs", IMPORTED_KEY))


@_form
def imported_key_suspended(stack: cdk.Stack) -> object:
    return _cmek(stack, key=kms.Key.from_key_arn(stack, "Theirs", IMPORTED_KEY), suspended=True)


@_form
def own_role_imported_key(stack: cdk.Stack) -> object:
    return _cmek(stack, role=_role_of_theirs(stack), key=kms.Key.from_key_arn(stack, "Theirs", IMPORTED_KEY))


@_form
def own_role_imported_key_suspended(stack: cdk.Stack) -> object:
    return _cmek(
        stack, role=_role_of_theirs(stack), key=kms.Key.from_key_arn(stack, "Theirs", IMPORTED_KEY), suspended=True
    )


@_form
def role_alone(stack: cdk.Stack) -> object:
    return PineconeRole(stack, "Role", pinecone_account_id=PINECONE, regions=REGIONS, external_id=EXTERNAL_ID)


@_form
def role_alone_suspended(stack: cdk.Stack) -> object:
    return PineconeRole(
        stack, "Role", pinecone_account_id=PINECONE, regions=REGIONS, external_id=EXTERNAL_ID, suspended=True
    )


@_form
def key_for_a_role_of_another_account(stack: cdk.Stack) -> object:
    return PineconeKey(stack, "Key", role=iam.Role.from_role_arn(stack, "Vendor", VENDOR_ROLE))


@_form
def control_tower_deny(stack: cdk.Stack) -> object:
    """With the statement of the user's own that AWS Control Tower's CT.KMS.PR.3 asks for."""
    cmek = _cmek(stack)
    cmek.key.add_to_resource_policy(
        iam.PolicyStatement(
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["kms:CreateGrant"],
            resources=["*"],
            conditions={"BoolIfExists": {"kms:GrantIsForAWSResource": "false", "aws:PrincipalIsAWSService": "false"}},
        )
    )
    return cmek


def _role_of_theirs(stack: cdk.Stack) -> iam.Role:
    return iam.Role(
        stack, "RoleOfTheirs", assumed_by=PineconePrincipal(PINECONE, regions=REGIONS, external_id=EXTERNAL_ID)
    )


def _key_of_theirs(stack: cdk.Stack) -> kms.Key:
    return kms.Key(stack, "KeyOfTheirs", enable_key_rotation=True)


# Apps that were not tuned for this library.


@_form
def every_other_prop(stack: cdk.Stack) -> object:
    return _cmek(
        stack,
        role_name="PineconeCmek",
        role_path="/security/pinecone/",
        permissions_boundary=iam.ManagedPolicy.from_managed_policy_arn(
            stack, "Boundary", f"arn:aws:iam::{CUSTOMER}:policy/Boundary"
        ),
        alias="pinecone",
        description="Pinecone's vectors",
        rotation_period=cdk.Duration.days(180),
        pending_window=cdk.Duration.days(14),
        multi_region=True,
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )


@_form
def protected_key(stack: cdk.Stack) -> object:
    return _cmek(stack, protect_used_key=cdk.Duration.days(90))


@_form
def protected_key_suspended(stack: cdk.Stack) -> object:
    return _cmek(stack, protect_used_key=cdk.Duration.days(90), suspended=True)


@_form
def environment_agnostic(stack: cdk.Stack) -> object:
    return _cmek(
        stack,
        pinecone_account_id=cdk.CfnParameter(stack, "PineconeAccount").value_as_string,
        external_id=cdk.CfnParameter(stack, "CustomerExternalId").value_as_string,
    )


@_form
def policies_minimized(stack: cdk.Stack) -> object:
    stack.node.set_context("@aws-cdk/aws-iam:minimizePolicies", True)
    return _cmek(stack, key_admins=[iam.ArnPrincipal(ADMIN_ROLE)])


FORMS_WITH_A_KEY = [name for name in FORMS if not name.startswith("role_alone") and "imported_key" not in name]
"""Those whose template has a key in it."""


def make_app(outdir: str | None = None, **props: Any) -> cdk.App:
    """An app with every form as a stack of its own."""
    app = cdk.App(
        analytics_reporting=False,
        outdir=outdir,
        default_stack_synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        **props,
    )
    for name, make in FORMS.items():
        env = None if name in _WITHOUT_ENVIRONMENT else cdk.Environment(account=CUSTOMER, region=REGION)
        make(cdk.Stack(app, stack_name(name), env=env))
    return app


def stack_name(form: str) -> str:
    """The name of a form's stack: ``ExplicitWithId`` of ``explicit_with_id``."""
    return "".join(word.title() for word in form.split("_"))


def form_of(stack: str) -> str:
    """The form whose stack has this name."""
    return {stack_name(name): name for name in FORMS}[stack]


@functools.cache
def _synthesized() -> tempfile.TemporaryDirectory[str]:
    """The folder with the template of every form; it goes when the process does."""
    folder = tempfile.TemporaryDirectory(prefix="forms-")
    make_app(folder.name).synth()
    return folder


def template_file(name: str) -> Path:
    """The file with the template of one form."""
    return Path(_synthesized().name) / f"{stack_name(name)}.template.json"


def template(name: str) -> dict[str, Any]:
    """The template of one form, as plain data that is the caller's own."""
    found: dict[str, Any] = json.loads(template_file(name).read_text(encoding="utf-8"))
    return found
