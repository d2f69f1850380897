"""Who gets in. Each who does not stands beside one who does and differs in one thing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rehearsal import guide
from rehearsal.accounts import ANYBODY, LISTED, NEVER_LISTED, PINECONE, PINECONE_OTHER, SAME_NAME, SITES, Site
from rehearsal.aws import ALLOWED, REFUSED, answer
from rehearsal.world import World

_WRONG_ID = "99999999-9999-4999-8999-999999999999"


class _Attempt(NamedTuple):
    """A call of sts:AssumeRole. All callers' own policies let them make it."""

    caller: str
    external_id: str | None


def play(world: World) -> None:
    """Try to come in, everywhere, as everybody."""
    for site in SITES:
        world.report.heading(f"{site.name}: who gets in")
        ask(world, site)


def ask(world: World, site: Site) -> None:
    """Try to come in to one stack's role, as everybody."""
    with_id = "" if site.external_id is None else " with the right external ID"
    for region in [*LISTED, NEVER_LISTED] if site.all_regions else LISTED:
        attempt = _Attempt(guide.access_role(PINECONE, region), site.external_id)
        question = f"Pinecone's role of {region}{with_id}"
        world.report.row(question, ALLOWED, _try(world, site, attempt))
    control = _Attempt(guide.access_role(PINECONE, LISTED[0]), site.external_id)
    for (question, right), attempt in _others(site, control):
        world.report.row(question, REFUSED, _try(world, site, attempt))
        world.report.row(f"   {right}", ALLOWED, _try(world, site, control))


def _others(site: Site, control: _Attempt) -> Iterator[tuple[tuple[str, str], _Attempt]]:
    """Who must stay out, in words and beside the control: each differs from it in one thing."""
    if site.external_id is not None:
        yield ("another external ID", "the right one"), control._replace(external_id=_WRONG_ID)
        yield ("no external ID", "the right one"), control._replace(external_id=None)
    if not site.all_regions:
        unlisted = guide.access_role(PINECONE, NEVER_LISTED)
        words = ("Pinecone's role of a region that is not listed", "of one that is")
        yield words, control._replace(caller=unlisted)
    words = ("another role of Pinecone's account", "its role for CMEK")
    yield words, control._replace(caller=PINECONE_OTHER)
    words = ("a role of that name in a stranger's account", "in Pinecone's account")
    yield words, control._replace(caller=SAME_NAME)
    yield (("a stranger, with everything right but who it is", "Pinecone"), control._replace(caller=ANYBODY))


def _try(world: World, site: Site, attempt: _Attempt) -> str:
    return answer(lambda: world.come_in(site, *attempt))
