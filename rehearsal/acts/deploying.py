"""Bootstraps three accounts and deploys to them; a fourth gets the reviewed template."""

from __future__ import annotations

import yaml

from rehearsal.accounts import BY_CDK, HOME, REVIEWED, SITES, Site
from rehearsal.aws import REFUSED, answer
from rehearsal.commands import Ended
from rehearsal.paths import WORK
from rehearsal.world import ALL, NOT_ASKED, World

_EXECUTION_POLICY = "arn:aws:iam::aws:policy/AdministratorAccess"


def play(world: World) -> None:
    """Deploy everything.

    Raises:
        CannotGoOnError: a command failed.
    """
    world.report.heading("Deployed from an empty machine")
    trust = ("--trust", HOME, "--cloudformation-execution-policies", _EXECUTION_POLICY)
    for site in BY_CDK:
        ended = bootstrap(world, site, *trust)
        world.must_end_well(f"`cdk bootstrap` of account {site.account}", ended)
    cloudformation = world.aws.client("cloudformation", world.deployer)
    given = answer(cloudformation.list_stacks)
    world.report.row("the deployer may do anything without the bootstrap roles", REFUSED, given)
    deploy = ("cdk", "deploy", *ALL, *NOT_ASKED)
    ended = world.run(world.app.folder, world.deployer, *deploy, started=True)
    world.must_end_well("one `cdk deploy --all` through the bootstrap roles", ended)
    _deploy_reviewed_template(world)
    for site in SITES:
        question = f"{site.name} in account {site.account}, {site.region}"
        world.report.row(question, "CREATE_COMPLETE", world.settled(site))
        world.first[site] = world.made(site)


def bootstrap(world: World, site: Site, *options: str, started: bool = False) -> Ended:
    """`cdk bootstrap` of the account and region of a stack, by the account's administrator."""
    # In a folder of its own: beside a cdk.json it would run the app first.
    folder = WORK / "bootstrap"
    folder.mkdir(exist_ok=True)
    place = f"aws://{site.account}/{site.region}"
    who = world.administrator(site)
    return world.run(folder, who, "cdk", "bootstrap", place, *options, started=started)


def _deploy_reviewed_template(world: World) -> None:
    ended = world.run(world.reviewed.folder, world.deployer, "cdk", "synth", REVIEWED.name)
    world.must_end_well("`cdk synth NAME` prints the template to review", ended)
    world.report.row(
        "it has no parameter or rule of CDK, and one metadata",
        "Description, Metadata, Outputs, Resources",
        ", ".join(sorted(yaml.safe_load(ended.stdout))),
    )
    world.create_stack(REVIEWED, ended.stdout, "CAPABILITY_IAM")
