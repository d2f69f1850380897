"""The template inside a stack set, deployed as it is in three accounts of an organization."""

from __future__ import annotations

import json
from typing import Any, Final

from rehearsal import guide
from rehearsal.accounts import LISTED, PINECONE, Site
from rehearsal.acts import documents
from rehearsal.aws import ALLOWED, REFUSED, answer
from rehearsal.paths import WORK
from rehearsal.project import copy_example
from rehearsal.world import World

_EXAMPLE: Final = "organization.py"
_EXTERNAL_ID: Final = "66666666-6666-4666-8666-666666666666"
_WRONG_ID: Final = "99999999-9999-4999-8999-999999999999"
_MEMBERS: Final = [
    Site("stack-of-the-set", account, "us-east-1", external_id=_EXTERNAL_ID)
    for account in ("161616161616", "171717171717", "181818181818")
]


def play(world: World) -> None:
    """Do in each account what StackSets would do there, which the emulator does not have."""
    world.report.heading(f"A stack set for an organization: examples/{_EXAMPLE}")
    stack_set = _synthesize(world)
    for group in stack_set["StackInstancesGroup"]:
        world.report.row("its Region is one", _MEMBERS[0].region, ", ".join(group["Regions"]))
    _deploy(world, stack_set)
    for site, other in zip(_MEMBERS, [*_MEMBERS[1:], _MEMBERS[0]], strict=True):
        world.report.heading(f"The stack set's role and key in account {site.account}")
        role_arn = f"arn:aws:iam::{site.account}:role/{stack_set['StackSetName']}"
        known = "as foretold" if world.first[site].role_arn == role_arn else "another"
        world.report.row(f"the ARN of the role, {role_arn}", "as foretold", known)
        documents.compare(world, site)
        _use(world, site, other)


def _synthesize(world: World) -> dict[str, Any]:
    """The properties of the stack set."""
    folder = WORK / "organization"
    copy_example(_EXAMPLE, folder, pinecone_account_id=PINECONE, external_id=_EXTERNAL_ID)
    ended = world.run(folder, world.deployer, "cdk", "synth", "--quiet")
    world.must_end_well("`cdk synth`", ended)
    (template,) = (folder / "cdk.out").glob("*.template.json")
    (found,) = (
        resource["Properties"]
        for resource in json.loads(template.read_text(encoding="utf-8"))["Resources"].values()
        if resource["Type"] == "AWS::CloudFormation::StackSet"
    )
    return dict(found)


def _deploy(world: World, stack_set: dict[str, Any]) -> None:
    for site in _MEMBERS:
        template, capabilities = stack_set["TemplateBody"], stack_set["Capabilities"]
        status = world.create_stack(site, template, *capabilities)
        question = f"the template inside, as it is, in account {site.account}"
        world.report.row(question, "CREATE_COMPLETE", status)
        world.first[site] = world.made(site)


def _use(world: World, site: Site, other: Site) -> None:
    row = world.report.row
    pinecone = guide.access_role(PINECONE, LISTED[0])
    given = answer(lambda: world.come_in(site, pinecone, _WRONG_ID))
    row("Pinecone comes in with another external ID", REFUSED, given)
    session = world.pinecone(site)
    row("   comes in with the set's, and encrypts", ALLOWED, world.encrypts(site, session))
    given = world.reads(site, world.pinecone(other))
    row(f"the role of account {other.account} decrypts with this key", REFUSED, given)
    row("   the account's own", ALLOWED, world.reads(site, session))
