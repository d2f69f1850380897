"""Bootstraps three accounts and deploys to them; a fourth gets the reviewed template."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import yaml

from rehearsal.accounts import BY_CDK, HOME, REVIEWED, SITES, Site
from rehearsal.aws import REFUSED, answer
from rehearsal.commands import Ended, run
from rehearsal.paths import CDK, WORK
from rehearsal.world import World

_EXECUTION_POLICY = "arn:aws:iam::aws:policy/AdministratorAccess"


def play(world: World) -> None:
    """Deploy everything.

    Raises:
        CannotGoOnError: a command failed.
    """
    world.report.heading("Deployed from an empty machine")
    _bootstrap(world)
    cloudformation = world.aws.client("cloudformation", world.deployer)
    given = answer(cloudformation.list_stacks)
    world.report.row("the deployer may do anything without the bootstrap roles", REFUSED, given)
    with world.report.step("cdk deploy --all --concurrency 3"):
        ended = world.app.deploy(world.deployer, validate=True)
    world.must_end_well("one `cdk deploy --all` through the bootstrap roles", ended)
    _deploy_reviewed_template(world)
    for site in SITES:
        stack = world.client("cloudformation", site).describe_stacks(StackName=site.name)
        world.report.row(
            f"{site.name} in account {site.account}, {site.region}",
            "CREATE_COMPLETE",
            stack["Stacks"][0]["StackStatus"],
        )
        world.first[site] = world.made(site)


def _bootstrap(world: World) -> None:
    trust = ("--trust", HOME, "--cloudformation-execution-policies", _EXECUTION_POLICY)
    with world.report.step("cdk bootstrap, three accounts"), ThreadPoolExecutor() as pool:
        ended = pool.map(lambda site: bootstrap(world, site, *trust), BY_CDK)
        for site, end in zip(BY_CDK, ended, strict=True):
            world.must_end_well(f"`cdk bootstrap` of account {site.account}", end)


def bootstrap(world: World, site: Site, *options: str) -> Ended:
    """`cdk bootstrap` of the account and region of a stack, by the account's administrator."""
    # In a folder of its own: beside a cdk.json it would run the app first.
    folder = WORK / "bootstrap" / site.account
    folder.mkdir(parents=True)
    return run(
        folder,
        world.aws.environment(world.administrator(site), site.region),
        CDK,
        "bootstrap",
        f"aws://{site.account}/{site.region}",
        *options,
    )


def _deploy_reviewed_template(world: World) -> None:
    with world.report.step(f"cdk synth {REVIEWED.name}"):
        ended = world.reviewed.cdk(world.deployer, "synth", REVIEWED.name)
    world.must_end_well("`cdk synth NAME` prints the template to review", ended)
    world.report.row(
        "it has no parameter or rule of CDK, and one metadata",
        "Description, Metadata, Outputs, Resources",
        ", ".join(sorted(yaml.safe_load(ended.stdout))),
    )
    cloudformation = world.client("cloudformation", REVIEWED)
    with world.report.step("CloudFormation alone deploys that template as it is"):
        cloudformation.create_stack(
            StackName=REVIEWED.name,
            TemplateBody=ended.stdout,
            Capabilities=["CAPABILITY_IAM"],
        )
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=REVIEWED.name, WaiterConfig={"Delay": 1}
        )
