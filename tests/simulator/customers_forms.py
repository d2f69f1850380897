"""The forms of a vendor's role and of its customers' keys, each a stack in an account of its own.

All are made through the public names and synthesized once a process.
"""

from __future__ import annotations

import functools
import json
import tempfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from cmek_construct import CustomerKey, KeyAccess, PineconeKey, PineconeRole
from cmek_construct.deployment.reading import parse_entries
from cmek_construct.deployment.stack import CmekStack
from tests.forms import EXTERNAL_ID, PINECONE, REGION, REGIONS, VENDOR, VENDOR_ROLE, stack_name
from tests.simulator.deployed import Deployed

# Everybody has another number, so that none is taken for another unseen.
A = "111122223333"
NEAR_A = "111122223334"
"""One digit from `A`, and nobody's customer."""
B = "606070708081"
THIRD = "929394959697"
"""Lets the vendor's role in, and is no customer of it."""
STRANGER = "777788889999"

OTHER_REGION = "eu-west-1"
ADMIN_OF_A = f"arn:aws:iam::{A}:role/security/KeyAdmin"
OTHER_ROLE_OF_VENDOR = f"arn:aws:iam::{VENDOR}:role/Application"
ROLE_ON_A_PATH = VENDOR_ROLE.replace("role/", "role/vendors/")
NAMESAKE_OF_A_STRANGER = VENDOR_ROLE.replace(VENDOR, STRANGER)

_CMEK_YAML = f"""\
pinecone_account_id: "{PINECONE}"
region: {REGION}
regions: [{", ".join(REGIONS)}]
stacks:
  {stack_name("by_cmek_yaml")}:
    account: "{VENDOR}"
    external_id: {EXTERNAL_ID}
    role_name: {VENDOR_ROLE.rpartition("/")[2]}
    customer_account_ids: ["{A}", "{B}"]
"""


@dataclass(frozen=True)
class Form:
    """A stack in an account; the ID that its key gets there, if it has one."""

    make: Callable[[cdk.App], object]
    account: str
    region: str
    key_id: str

    @property
    def key_arn(self) -> str:
        return f"arn:aws:kms:{self.region}:{self.account}:key/{self.key_id}"


FORMS: dict[str, Form] = {}
"""Every form by its name."""


def _in(
    account: str, region: str = REGION, same_id_as: str | None = None
) -> Callable[[Callable[[cdk.Stack], object]], None]:
    """Make a form in this account. Each key has another ID, unless the form says so."""

    def form(make: Callable[[cdk.Stack], object]) -> None:
        name = make.__name__
        env = cdk.Environment(account=account, region=region)
        FORMS[name] = Form(
            lambda app: make(cdk.Stack(app, stack_name(name), env=env)),
            account,
            region,
            FORMS[same_id_as].key_id if same_id_as else str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
        )

    return form


# In the accounts of customers, and of those who are none.


def _key(stack: cdk.Stack, role_arn: str = VENDOR_ROLE, **props: Any) -> CustomerKey:
    return CustomerKey(stack, "Customer", role_arn=role_arn, **props)


@_in(A)
def a_key(stack: cdk.Stack) -> object:
    return _key(stack)


@_in(A)
def a_sibling(stack: cdk.Stack) -> object:
    return _key(stack)


@_in(A, OTHER_REGION)
def a_key_elsewhere(stack: cdk.Stack) -> object:
    return _key(stack)


@_in(A, OTHER_REGION, same_id_as="a_key")
def a_replica(stack: cdk.Stack) -> object:
    return _key(stack)


@_in(A)
def a_key_user(stack: cdk.Stack) -> object:
    return _key(stack, key_access=KeyAccess.KEY_USER)


@_in(A)
def a_with_admin(stack: cdk.Stack) -> object:
    return _key(stack, key_admins=[iam.ArnPrincipal(ADMIN_OF_A)])


@_in(A)
def a_suspended(stack: cdk.Stack) -> object:
    return _key(stack, suspended=True)


@_in(A)
def a_key_user_suspended(stack: cdk.Stack) -> object:
    return _key(stack, key_access=KeyAccess.KEY_USER, suspended=True)


@_in(A)
def a_denying(stack: cdk.Stack) -> object:
    """With a statement of the customer's own."""
    customer = _key(stack)
    customer.key.add_to_resource_policy(
        iam.PolicyStatement(
            effect=iam.Effect.DENY, principals=[iam.ArnPrincipal(VENDOR_ROLE)], actions=["kms:Decrypt"], resources=["*"]
        )
    )
    return customer


@_in(A)
def a_plain(stack: cdk.Stack) -> object:
    """The key policy that KMS gives a key: the account's root alone."""
    return kms.Key(stack, "Key")


@_in(A)
def a_for_another_role(stack: cdk.Stack) -> object:
    return _key(stack, OTHER_ROLE_OF_VENDOR)


@_in(A)
def a_for_the_role_on_a_path(stack: cdk.Stack) -> object:
    return _key(stack, ROLE_ON_A_PATH)


@_in(A)
def a_for_a_strangers_namesake(stack: cdk.Stack) -> object:
    return _key(stack, NAMESAKE_OF_A_STRANGER)


@_in(B)
def b_key(stack: cdk.Stack) -> object:
    return _key(stack)


@_in(B)
def b_plain(stack: cdk.Stack) -> object:
    return kms.Key(stack, "Key")


@_in(B, same_id_as="a_key")
def b_key_with_the_id_of_a_key(stack: cdk.Stack) -> object:
    return _key(stack)


@_in(THIRD)
def key_of_a_third(stack: cdk.Stack) -> object:
    return _key(stack)


@_in(NEAR_A)
def key_one_digit_from_a(stack: cdk.Stack) -> object:
    return _key(stack)


@_in(PINECONE)
def key_of_pinecone(stack: cdk.Stack) -> object:
    return _key(stack)


@_in(VENDOR)
def vendors_own_key(stack: cdk.Stack) -> object:
    return PineconeKey(stack, "Key", role=iam.Role.from_role_arn(stack, "Role", VENDOR_ROLE))


@_in(VENDOR)
def vendors_plain_key(stack: cdk.Stack) -> object:
    return kms.Key(stack, "Key")


# In the vendor's account.


def _role(stack: cdk.Stack, **props: Any) -> PineconeRole:
    return PineconeRole(
        stack,
        "Role",
        pinecone_account_id=PINECONE,
        regions=REGIONS,
        external_id=EXTERNAL_ID,
        role_name=VENDOR_ROLE.rpartition("/")[2],
        **props,
    )


@_in(VENDOR)
def two_customers(stack: cdk.Stack) -> object:
    return _role(stack, customer_account_ids=[A, B])


@_in(VENDOR)
def customer_b_alone(stack: cdk.Stack) -> object:
    return _role(stack, customer_account_ids=[B])


@_in(VENDOR)
def no_customers(stack: cdk.Stack) -> object:
    return _role(stack)


@_in(VENDOR)
def one_key_of_a(stack: cdk.Stack) -> object:
    return _role(stack, customer_key_arns=[FORMS["a_key"].key_arn])


@_in(VENDOR)
def one_key_of_each(stack: cdk.Stack) -> object:
    return _role(stack, customer_key_arns=[FORMS["a_key"].key_arn, FORMS["b_key"].key_arn])


@_in(VENDOR)
def one_key_of_a_and_all_of_b(stack: cdk.Stack) -> object:
    return _role(stack, customer_account_ids=[B], customer_key_arns=[FORMS["a_key"].key_arn])


@_in(VENDOR)
def role_on_a_path(stack: cdk.Stack) -> object:
    return _role(stack, customer_account_ids=[A], path="/vendors/")


@_in(VENDOR)
def role_suspended(stack: cdk.Stack) -> object:
    return _role(stack, customer_account_ids=[A], suspended=True)


@_in(VENDOR)
def role_denied_a(stack: cdk.Stack) -> object:
    """With a statement of the vendor's own."""
    role = _role(stack, customer_account_ids=[A, B])
    role.add_to_principal_policy(
        iam.PolicyStatement(effect=iam.Effect.DENY, actions=["kms:*"], resources=[f"arn:aws:kms:*:{A}:key/*"])
    )
    return role


FORMS["by_cmek_yaml"] = Form(
    lambda app: [CmekStack(app, entry) for entry in parse_entries(_CMEK_YAML, "cmek.yaml")], VENDOR, REGION, ""
)


@functools.cache
def _synthesized() -> tempfile.TemporaryDirectory[str]:
    """The folder with the template of every form; it goes when the process does."""
    folder = tempfile.TemporaryDirectory(prefix="keys-of-customers-")
    app = cdk.App(analytics_reporting=False, outdir=folder.name)
    for form in FORMS.values():
        form.make(app)
    app.synth()
    return folder


@functools.cache
def deployed_form(name: str) -> Deployed:
    """The policies of a form, as they will stand in its account."""
    form = FORMS[name]
    file = Path(_synthesized().name) / f"{stack_name(name)}.template.json"
    template = json.loads(file.read_text(encoding="utf-8"))
    return Deployed(template, form.account, form.region, key_id=form.key_id)
