"""A vendor deploys its role, and two customers make their keys: one by CDK, one by the kit."""

from __future__ import annotations

from typing import Final

from rehearsal.accounts import LISTED, PINECONE, Site
from rehearsal.acts import deploying
from rehearsal.aws import ALLOWED
from rehearsal.commands import Ended
from rehearsal.customers import BY_CONSTRUCT, BY_KIT, CUSTOMERS, VENDOR
from rehearsal.paths import WORK
from rehearsal.project import copy_example
from rehearsal.world import NOT_ASKED, Made, World

KIT: Final = "customer-kit"
"""The command, and the folder that it writes."""


def play(world: World) -> None:
    """Deploy to three accounts, and encrypt with the keys of two of them."""
    world.report.heading("A vendor's role, for the keys of two customers")
    role_arn = _deploy_vendor(world)
    _deploy_customers(world, role_arn)
    for site, who in CUSTOMERS.items():
        (key_arn,) = (value for value in world.outputs(site).values() if ":key/" in value)
        world.first[site] = Made(role_arn, key_arn, "")
        world.report.heading(f"Pinecone in the vendor's role, with the key of {who}")
        _use(world, site)


def _deploy_vendor(world: World) -> str:
    def run(*command: str) -> Ended:
        return world.run(world.vendor.folder, world.administrator(VENDOR), *command)

    given = ("--pinecone-account-id", PINECONE, "--regions", ",".join(LISTED))
    place = ("--region", VENDOR.region, "--name", VENDOR.name, "--account", VENDOR.account)
    customers = ("--customer-account-ids", ",".join(site.account for site in CUSTOMERS))
    ended = run("cmek", "init", *given, *place, *customers)
    world.must_end_well("the vendor's `cmek init`, with a list of customers", ended)
    # In place of the ID that was minted, one that the questions know.
    world.vendor.change(VENDOR, external_id=VENDOR.external_id, bootstrap=False)
    ended = run("cdk", "deploy", VENDOR.name, *NOT_ASKED)
    world.must_end_well("the vendor's `cdk deploy`", ended)
    outputs = world.outputs(VENDOR)
    world.report.row("what it gives out", "ExternalId, RoleArn", ", ".join(sorted(outputs)))
    ended = run("cmek", KIT, "--role-arn", outputs["RoleArn"])
    world.must_end_well("the vendor's `cmek customer-kit` writes a folder to send", ended)
    return outputs["RoleArn"]


def _deploy_customers(world: World, role_arn: str) -> None:
    ended = deploying.bootstrap(world, BY_CONSTRUCT)
    world.must_end_well("a customer's `cdk bootstrap`", ended)
    folder, administrator = WORK / "customer", world.administrator(BY_CONSTRUCT)
    copy_example("customer_key.py", folder, role_arn=role_arn)
    ended = world.run(folder, administrator, "cdk", "deploy", *NOT_ASKED)
    world.must_end_well("a customer's `cdk deploy` of examples/customer_key.py", ended)
    sent = world.vendor.folder / KIT / "customer-key.yaml"
    world.create_stack(BY_KIT, sent.read_text(encoding="utf-8"))
    for site, who in CUSTOMERS.items():
        stack = world.client("cloudformation", site).describe_stack_resources(StackName=site.name)
        given = ", ".join(sorted(one["ResourceType"] for one in stack["StackResources"]))
        world.report.row(f"the stack of {who} is", "AWS::KMS::Alias, AWS::KMS::Key", given)


def _use(world: World, site: Site) -> None:
    session = world.pinecone(site)
    row = world.report.row
    row("encrypts", ALLOWED, world.encrypts(site, session))
    row("decrypts its own ciphertext", ALLOWED, world.reads(site, session))
