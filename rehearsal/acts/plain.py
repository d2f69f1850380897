"""The plain template of `cmek template`, deployed by CloudFormation alone, in both of its forms."""

from __future__ import annotations

from typing import Final

from rehearsal.accounts import LISTED, PINECONE, Site
from rehearsal.acts import documents, entering
from rehearsal.aws import ALLOWED
from rehearsal.world import World

_FORMS: Final = [
    Site("plain-template-regions", "141414141414", "us-east-1", external_id="14141414-1414-4414-8414-141414141414"),
    Site(
        "plain-template-all-regions",
        "151515151515",
        "eu-west-1",
        all_regions=True,
        external_id="15151515-1515-4515-8515-151515151515",
    ),
]


def play(world: World) -> None:
    """Deploy it twice, and ask at each who gets in."""
    world.report.heading("The plain template, without Python or the CDK")
    ended = world.run(world.app.folder, world.deployer, "cmek", "template")
    world.must_end_well("`cmek template` prints it", ended)
    for site in _FORMS:
        _deploy(world, site, ended.stdout)
        world.report.heading(f"{site.name}: the documents, and who gets in")
        documents.compare(world, site)
        entering.ask(world, site)
        session = world.pinecone(site)
        world.report.row("Pinecone encrypts", ALLOWED, world.encrypts(site, session))
        world.report.row("   decrypts it", ALLOWED, world.reads(site, session))


def _deploy(world: World, site: Site, template: str) -> None:
    """As `aws cloudformation deploy` does it: by a change set, with what a person typed."""
    regions = ["AllRegions"] if site.all_regions else [one.title() for one in LISTED]
    typed = {"PineconeAccountId": PINECONE, "PineconeExternalId": str(site.external_id)}
    typed |= {f"In{region.replace('-', '')}": "yes" for region in regions}
    cloudformation = world.client("cloudformation", site)
    name = {"StackName": site.name, "ChangeSetName": "first"}
    with world.report.step(f"CloudFormation deploys it with {', '.join(regions)}"):
        cloudformation.create_change_set(
            **name,
            ChangeSetType="CREATE",
            TemplateBody=template,
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in typed.items()],
        )
        ready = cloudformation.get_waiter("change_set_create_complete")
        ready.wait(**name, WaiterConfig={"Delay": 0.1})
        cloudformation.execute_change_set(**name)
        status = world.settled(site)
    world.report.row(f"it deploys as it is: {site.name}", "CREATE_COMPLETE", status)
    world.first[site] = world.made(site)
