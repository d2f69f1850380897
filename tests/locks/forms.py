"""What each released version made, in every form that it had: `scripts/lock-release` locks it.

A form that stands here stays as it is: the lock of its version was made from it. Run as a program it synthesizes the
forms of one version with whatever `cmek_construct` is on the path, so it knows nothing of the tests.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cmek_construct import ALL_REGIONS, PineconeCmek, PineconeKey, PineconePrincipal, PineconeRole
from cmek_construct.deployment.reading import read_entries
from cmek_construct.deployment.stack import CmekStack

FOLDER: Final = Path(__file__).parent
ENV: Final = cdk.Environment(account="111122223333", region="us-east-1")
TRUST: Final[dict[str, Any]] = {
    "pinecone_account_id": "999988887777",
    "regions": ["us-east-1", "eu-west-1"],
    "external_id": "5b4f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f",
}


def version_1_0_0(app: cdk.App) -> None:
    """Role and key of one's own, in the app of cmek.yaml and in apps of users."""
    _apps_own(app, "1.0.0")
    stack = cdk.Stack(app, "Ids", env=ENV)
    for construct_id in ("Cmek", "Default", "Pinecone CMEK-2", "Resource"):
        PineconeCmek(stack, construct_id, **TRUST)
    PineconeCmek(Construct(Construct(stack, "Platform"), "Search"), "Cmek", **TRUST)
    PineconeCmek(stack, "AllRegions", **(TRUST | {"regions": ALL_REGIONS}))
    PineconeCmek(stack, "Suspended", **TRUST, suspended=True)
    PineconeCmek(stack, "Named", **TRUST, role_name="pinecone", role_path="/vendors/", multi_region=True)
    PineconeCmek(cdk.Stack(app, "AnyEnvironment"), "Cmek", **TRUST)
    PineconeCmek(cdk.NestedStack(cdk.Stack(app, "Outer", env=ENV), "Inner"), "Cmek", **TRUST)
    PineconeCmek(cdk.Stack(cdk.Stage(app, "Prod", env=ENV), "Search"), "Cmek", **TRUST)
    _parts(app)
    _given(cdk.Stack(app, "Given", env=ENV))


def version_1_1_0(app: cdk.App) -> None:
    """And keys of customers, and fleets."""
    from cmek_construct import CustomerKey, PineconeCmekStackSet, StackSetTargets

    version_1_0_0(app)
    _apps_own(cdk.Stage(app, "Yaml"), "1.1.0")
    customers: dict[str, Any] = {"customer_account_ids": ["444455556666", "777788889999"]}
    stack = cdk.Stack(app, "Vendor", env=ENV)
    own = PineconeRole(stack, "Role", **TRUST, **customers)
    PineconeCmek(stack, "Own", **TRUST, role=own)
    arn = "arn:aws:iam::123456789012:role/vendor-Role1ABCC5F0-x"
    CustomerKey(cdk.Stack(app, "Customer", env=ENV), "Pinecone", role_arn=arn)
    fleet = cdk.Stack(app, "Fleet", env=ENV)
    for name, targets in (
        ("Units", StackSetTargets.organizational_units(["ou-ab12-11112222"])),
        ("Accounts", StackSetTargets.accounts(["444455556666"])),
    ):
        PineconeCmekStackSet(fleet, name, **TRUST, stack_set_name=name.lower(), region="us-east-1", targets=targets)


FORMS: Final[dict[str, Callable[[cdk.App], None]]] = {"1.0.0": version_1_0_0, "1.1.0": version_1_1_0}


def _apps_own(scope: Any, version: str) -> None:
    """The stacks of the examples/cmek.yaml of a version."""
    for entry in read_entries(FOLDER / f"{version}.yaml"):
        CmekStack(scope, entry)


def _parts(app: cdk.App) -> None:
    """Role and key by themselves, in two stacks."""
    roles, keys = cdk.Stack(app, "Roles", env=ENV), cdk.Stack(app, "Keys", env=ENV)
    for number, construct_id in enumerate(("Role", "PineconeRole", "Default")):
        role = PineconeRole(roles, construct_id, **TRUST)
        PineconeKey(keys, f"Key{number}" if number else "Key", role=role)


def _given(stack: cdk.Stack) -> None:
    """A role and a key of the user's own."""
    principal = PineconePrincipal(
        TRUST["pinecone_account_id"], regions=TRUST["regions"], external_id=TRUST["external_id"]
    )
    role = iam.Role(stack, "RoleOfTheirs", assumed_by=principal)
    key = kms.Key(stack, "KeyOfTheirs")
    imported = kms.Key.from_key_arn(
        stack, "Imported", "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-123456789"
    )
    PineconeCmek(stack, "OwnRole", **TRUST, role=role)
    PineconeCmek(stack, "OwnKey", **TRUST, key=key)
    PineconeCmek(stack, "ImportedKey", **TRUST, key=imported)


def synthesize(version: str, outdir: Path) -> None:
    """Write the cloud assembly of all forms of a version."""
    app = cdk.App(outdir=str(outdir), analytics_reporting=False)
    FORMS[version](app)
    app.synth()


if __name__ == "__main__":
    synthesize(sys.argv[1], Path(sys.argv[2]))
