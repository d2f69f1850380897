"""The years after: the doctor, and the brake."""

from __future__ import annotations

import json
import time
from typing import Final

from rehearsal.accounts import WITH_ID
from rehearsal.aws import ALLOWED, REFUSED
from rehearsal.commands import Ended
from rehearsal.world import World

HEALTHY: Final = "exit code 0, none wrong"
_SECONDS: Final = 30
"""In which Pinecone must be out, with the start of the command."""


def play(world: World) -> None:
    """Look at one stack, cut Pinecone off and let it in."""
    world.report.heading("The doctor, and the brake")
    doctor(world, "as deployed", HEALTHY)
    _brake(world)


def _brake(world: World) -> None:
    row = world.report.row
    session = world.pinecone(WITH_ID)
    row("before, a session of Pinecone's reads", ALLOWED, world.reads(WITH_ID, session))
    begun = time.monotonic()
    ended = cmek(world, "suspend", WITH_ID.name, "--reason", "rehearsed", started=True)
    world.ends("`cmek suspend`", ended)
    row("   the same session reads", REFUSED, world.reads(WITH_ID, session))
    quick = time.monotonic() - begun < _SECONDS
    row("   that took", f"under {_SECONDS} s", f"under {_SECONDS} s" if quick else "longer")
    doctor(world, "while suspended", HEALTHY)
    _deploy(world, "after `cmek suspend`")
    world.compare_with_first(WITH_ID, reads=REFUSED)
    world.ends("`cmek resume`", cmek(world, "resume", WITH_ID.name))
    world.compare_with_first(WITH_ID)
    _deploy(world, "after `cmek resume`")
    doctor(world, "after that", HEALTHY)


def cmek(world: World, *arguments: str, started: bool = False) -> Ended:
    """A command, by the account's administrator."""
    who = world.administrator(WITH_ID)
    return world.run(world.app.folder, who, "cmek", *arguments, started=started)


def doctor(world: World, when: str, expected: str) -> None:
    """One row for what is wrong by the doctor, each finding with its effect."""
    # The emulator has no CloudTrail.
    ended = cmek(world, "doctor", WITH_ID.name, "--json", "--no-cloudtrail")
    (found,) = json.loads(ended.stdout or '[{"findings": []}]')
    wrong = [one for one in found["findings"] if one["fails"]]
    names = sorted(f"{one['about']} {one['effect'] or ''}".rstrip() for one in wrong)
    given = f"{ended}, {', '.join(names) or 'none'} wrong"
    world.report.row(f"`cmek doctor`: {when}", expected, given, ended.said)


def _deploy(world: World, what: str) -> None:
    policy = world.key_policy(WITH_ID)
    world.deploy(what, WITH_ID)
    changed = "nothing" if world.key_policy(WITH_ID) == policy else "something"
    world.report.row("   changed in the key policy", "nothing", changed)
