"""The sheet for Pinecone's console, from the stacks that are there."""

from __future__ import annotations

from rehearsal.accounts import ALL_REGIONS, REVIEWED, WITH_ID, WITHOUT_ID, Site
from rehearsal.aws import Credentials
from rehearsal.commands import Ended
from rehearsal.customers import BY_KIT, VENDOR
from rehearsal.project import Project
from rehearsal.world import World

_SHEET = ("cmek", "sheet")


def play(world: World) -> str:
    """Ask for sheets; returns the first stack's."""
    world.report.heading("The sheet for Pinecone's console")
    deployer = world.deployer
    shown = _sheet(world, world.app, WITH_ID, deployer)
    _sheet(world, world.app, ALL_REGIONS, deployer)
    _sheet(world, world.reviewed, REVIEWED, world.administrator(REVIEWED))
    _vendor(world)
    gone = world.run(world.app.folder, deployer, *_SHEET, WITHOUT_ID.name)
    world.ends(f"`cmek sheet {WITHOUT_ID.name}`, which was destroyed", gone, 1)
    return shown


def _sheet(world: World, project: Project, site: Site, who: Credentials) -> str:
    ended = world.run(project.folder, who, *_SHEET, site.name)
    world.ends(f"`cmek sheet {site.name}`", ended)
    _shows(world, ended, site)
    return ended.stdout


def _vendor(world: World) -> None:
    administrator = world.administrator(VENDOR)
    sheet = (world.vendor.folder, administrator, *_SHEET, VENDOR.name)
    ended = world.run(*sheet, "--key-arn", world.first[BY_KIT].key_arn)
    world.ends(f"`cmek sheet {VENDOR.name} --key-arn`, of the customer with the kit", ended)
    _shows(world, ended, BY_KIT)
    world.ends(f"`cmek sheet {VENDOR.name}`, of no customer", world.run(*sheet), 1)


def _shows(world: World, ended: Ended, site: Site) -> None:
    made = world.first[site]
    for label, value in (("Role ARN", made.role_arn), ("Key ARN", made.key_arn), ("External ID", site.external_id)):
        lines = [line.split() for line in ended.stdout.splitlines()]
        shows = [*label.split(), value] in lines
        world.report.row(f"   shows {label}", "the stack's", "the stack's" if shows else "another")
