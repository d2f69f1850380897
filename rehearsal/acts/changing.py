"""Later deploys: what changes, and above all what does not."""

from __future__ import annotations

from rehearsal import guide
from rehearsal.accounts import ALL_REGIONS, BY_CDK, LISTED, LISTED_LATER, PINECONE, WITH_ID, WITHOUT_ID, Site
from rehearsal.aws import ALLOWED, REFUSED, answer
from rehearsal.world import World

_ROTATION_DAYS = 180
_ALIAS = "alias/another-name"


def play(world: World) -> None:
    """Deploy again without a change, with three changes, suspended, and resumed."""
    _again(world)
    _three_changes(world)
    _suspended_and_resumed(world)


def _again(world: World) -> None:
    world.report.heading("A second deploy is a no-op")
    before = {site: _events(world, site) for site in BY_CDK}
    world.deploy("nothing has changed")
    for site in BY_CDK:
        new = _events(world, site) - before[site]
        world.report.row(f"{site.name}: new events in CloudFormation", "0", str(len(new)))
        world.compare_with_first(site)


def _events(world: World, site: Site) -> set[str]:
    cloudformation = world.client("cloudformation", site)
    events = cloudformation.describe_stack_events(StackName=site.name)["StackEvents"]
    return {str(event["EventId"]) for event in events}


def _three_changes(world: World) -> None:
    world.report.heading("A region more, a new rotation period, another alias")
    row = world.report.row
    row(f"before: Pinecone's role of {LISTED_LATER}", REFUSED, newcomer_comes_in(world))
    row("before: the rotation period", "365 days", _rotation_period(world))
    row("before: the aliases of the key", world.first[ALL_REGIONS].alias, _aliases(world))
    world.app.change(WITH_ID, regions=[*LISTED, LISTED_LATER])
    world.app.change(WITHOUT_ID, rotation_period=_ROTATION_DAYS)
    world.app.change(ALL_REGIONS, alias=_ALIAS)
    world.deploy("one change in each stack")
    row(f"after: Pinecone's role of {LISTED_LATER}", ALLOWED, newcomer_comes_in(world))
    row("after: the rotation period", f"{_ROTATION_DAYS} days", _rotation_period(world))
    row("after: the aliases of the key", _ALIAS, _aliases(world))
    world.compare_with_first(WITH_ID)
    world.compare_with_first(WITHOUT_ID)
    world.compare_with_first(ALL_REGIONS, changed="alias")
    world.first[ALL_REGIONS] = world.first[ALL_REGIONS]._replace(alias=_ALIAS)


def newcomer_comes_in(world: World) -> str:
    """Pinecone's role of the region that is listed later tries to come in."""
    newcomer = guide.access_role(PINECONE, LISTED_LATER)
    return answer(lambda: world.come_in(WITH_ID, newcomer, WITH_ID.external_id))


def _rotation_period(world: World) -> str:
    kms = world.client("kms", WITHOUT_ID)
    status = kms.get_key_rotation_status(KeyId=world.first[WITHOUT_ID].key_arn)
    return f"{status['RotationPeriodInDays']} days"


def _aliases(world: World) -> str:
    kms = world.client("kms", ALL_REGIONS)
    aliases = kms.list_aliases(KeyId=world.first[ALL_REGIONS].key_arn)["Aliases"]
    return ", ".join(alias["AliasName"] for alias in aliases)


def _suspended_and_resumed(world: World) -> None:
    world.report.heading("Suspended")
    row = world.report.row
    templates = {site: world.app.template(site) for site in BY_CDK}
    sessions = {site: world.pinecone(site) for site in BY_CDK}
    for site in BY_CDK:
        row(f"{site.name}: before, a session reads", ALLOWED, world.reads(site, sessions[site]))
        world.app.change(site, suspended=True)
    world.deploy("suspended: true")
    for site in BY_CDK:
        row(f"{site.name}: the same session reads", REFUSED, world.reads(site, sessions[site]))
        world.compare_with_first(site, reads=REFUSED)

    world.report.heading("Resumed")
    for site in BY_CDK:
        world.app.change(site, suspended=None)
    world.deploy("suspended: taken away")
    for site in BY_CDK:
        same = "byte for byte" if world.app.template(site) == templates[site] else "another"
        row(f"{site.name}: the template is the first", "byte for byte", same)
        world.compare_with_first(site)
