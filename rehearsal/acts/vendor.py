"""A vendor deploys its role, and two customers make their keys: one by CDK, one by the kit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final

from rehearsal.accounts import LISTED, PINECONE, Site
from rehearsal.acts import deploying
from rehearsal.aws import ALLOWED
from rehearsal.commands import run
from rehearsal.customers import BY_CONSTRUCT, BY_KIT, CUSTOMERS, VENDOR
from rehearsal.paths import CDK, WORK
from rehearsal.project import NO_VALIDATION, copy_example
from rehearsal.world import Made, World

KIT: Final = "customer-kit"
"""The command, and the folder that it writes."""


def play(world: World) -> None:
    """Deploy to three accounts, and encrypt with the keys of two of them."""
    world.report.heading("A vendor's role, for the keys of two customers")
    with ThreadPoolExecutor() as pool:
        bootstrapped = pool.submit(deploying.bootstrap, world, BY_CONSTRUCT)
        role_arn = _deploy_vendor(world)
        world.must_end_well("a customer's `cdk bootstrap`", bootstrapped.result())
    _deploy_customers(world, role_arn)
    for site, who in CUSTOMERS.items():
        (key_arn,) = (value for value in world.outputs(site).values() if ":key/" in value)
        world.first[site] = Made(role_arn, key_arn, "")
        world.report.heading(f"Pinecone in the vendor's role, with the key of {who}")
        _use(world, site)


def _deploy_vendor(world: World) -> str:
    ended = world.vendor.cmek(
        world.administrator(VENDOR),
        "init",
        *("--pinecone-account-id", PINECONE, "--regions", ",".join(LISTED)),
        *("--region", VENDOR.region, "--name", VENDOR.name, "--account", VENDOR.account),
        *("--customer-account-ids", ",".join(site.account for site in CUSTOMERS)),
    )
    world.must_end_well("the vendor's `cmek init`, with a list of customers", ended)
    # In place of the ID that was minted, one that the questions know.
    world.vendor.change(VENDOR, external_id=VENDOR.external_id, bootstrap=False)
    with world.report.step("cdk deploy: the vendor's role; cdk bootstrap: a customer"):
        ended = world.vendor.deploy(world.administrator(VENDOR), VENDOR)
    world.must_end_well("the vendor's `cdk deploy`", ended)
    outputs = world.outputs(VENDOR)
    given = ", ".join(sorted(outputs))
    world.report.row("what it gives out", "ExternalId, RoleArn", given)
    return outputs["RoleArn"]


def _deploy_customers(world: World, role_arn: str) -> None:
    ended = world.vendor.cmek(world.administrator(VENDOR), KIT, "--role-arn", role_arn)
    world.must_end_well("the vendor's `cmek customer-kit` writes a folder to send", ended)
    with world.report.step("two customers deploy: the one with CDK, the other what was sent"):
        # CloudFormation makes the one while the CDK CLI is at the other.
        cloudformation = world.client("cloudformation", BY_KIT)
        template = (world.vendor.folder / KIT / "customer-key.yaml").read_text(encoding="utf-8")
        cloudformation.create_stack(StackName=BY_KIT.name, TemplateBody=template)
        copy_example("customer_key.py", WORK / "customer", role_arn=role_arn)
        administrator = world.aws.environment(world.administrator(BY_CONSTRUCT))
        deploy = ("deploy", "--require-approval", "never")
        ended = run(WORK / "customer", administrator | NO_VALIDATION, CDK, *deploy)
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=BY_KIT.name, WaiterConfig={"Delay": 1}
        )
    world.must_end_well("a customer's `cdk deploy` of examples/customer_key.py", ended)
    for site, who in CUSTOMERS.items():
        stack = world.client("cloudformation", site).describe_stack_resources(StackName=site.name)
        given = ", ".join(sorted(one["ResourceType"] for one in stack["StackResources"]))
        world.report.row(f"the stack of {who} is", "AWS::KMS::Alias, AWS::KMS::Key", given)


def _use(world: World, site: Site) -> None:
    session = world.pinecone(site)
    row = world.report.row
    row("encrypts", ALLOWED, world.encrypts(site, session))
    row("decrypts its own ciphertext", ALLOWED, world.reads(site, session))
