"""The customer rules the key: nobody else comes to it, and the vendor only while it is let in."""

from __future__ import annotations

from rehearsal import guide
from rehearsal.accounts import LISTED, PINECONE, STRANGER, Site, make_role
from rehearsal.acts import using
from rehearsal.aws import ALLOWED, REFUSED, answer
from rehearsal.customers import BY_KIT, CUSTOMERS, OTHER_ROLE, VENDOR
from rehearsal.world import World

_WRONG_ID = "88888888-8888-4888-8888-888888888888"


def play(world: World) -> None:
    """Try to come in as others, rule the keys, and suspend and resume."""
    namesake = world.first[BY_KIT].role_arn.replace(VENDOR.account, STRANGER)
    for role in (namesake, OTHER_ROLE):
        make_role(world.aws, role, "kms:*")
    for site, who in CUSTOMERS.items():
        world.report.heading(f"Who and what else gets in to the key of {who}")
        _others(world, site, namesake)
        using.misuse(world, site, two_actions=True)
    _suspended_and_resumed(world)


def _others(world: World, site: Site, namesake: str) -> None:
    row = world.report.row
    for question, role in (
        ("another role of the vendor, with all of KMS by IAM, decrypts", OTHER_ROLE),
        ("such a role of a stranger, with the name of the vendor's role", namesake),
    ):
        row(question, REFUSED, world.reads(site, world.session(role)))
        row("   the one role that the key policy names", ALLOWED, world.pinecone_reads(site))
    pinecone = guide.access_role(PINECONE, LISTED[0])
    given = answer(lambda: world.come_in(site, pinecone, _WRONG_ID))
    row("Pinecone comes in with another external ID", REFUSED, given)
    given = answer(lambda: world.come_in(site, pinecone, site.external_id))
    row("   with the vendor's", ALLOWED, given)


def _suspended_and_resumed(world: World) -> None:
    row = world.report.row
    world.report.heading(f"Suspended by {CUSTOMERS[BY_KIT]}: a parameter of their stack")
    session = world.pinecone(BY_KIT)
    row("before, a session decrypts", ALLOWED, world.reads(BY_KIT, session))
    _update(world, suspended="true")
    row("the same session decrypts", REFUSED, world.reads(BY_KIT, session))
    row("a new session decrypts", REFUSED, world.pinecone_reads(BY_KIT))
    _update(world, suspended="false")
    row("resumed: the session decrypts the first ciphertext", ALLOWED, world.reads(BY_KIT, session))
    key_arn = world.first[BY_KIT].key_arn
    same = "the same" if world.outputs(BY_KIT)["KeyArn"] == key_arn else "another"
    row("the key", "the same", same)


def _update(world: World, *, suspended: str) -> None:
    """As the kit's page tells, with the template that is there."""
    cloudformation = world.client("cloudformation", BY_KIT)
    with world.report.step(f"CloudFormation: Suspended={suspended}"):
        cloudformation.update_stack(
            StackName=BY_KIT.name,
            UsePreviousTemplate=True,
            Parameters=[
                {"ParameterKey": "AliasName", "UsePreviousValue": True},
                {"ParameterKey": "Suspended", "ParameterValue": suspended},
            ],
        )
        world.settled(BY_KIT)
