"""The end of a key: in the one right order, in no other, and taken back until it is too late."""

from __future__ import annotations

from rehearsal.accounts import REVIEWED
from rehearsal.aws import ALLOWED, REFUSED
from rehearsal.commands import Ended
from rehearsal.world import World

_ORDER = "--schedule-deletion"
# The emulator has no CloudTrail, so a person says it.
_QUIET = ("--quiet-since", "2026-01-01")
_NAME = f"{REVIEWED.name}\n"


def play(world: World) -> None:
    """Try to order the deletion too early, then in its order, and take it back."""
    world.report.heading("Retired")
    _refused(world, "before it is suspended", *_QUIET, typed=_NAME * 2)
    row = world.report.row
    ended = _cmek(world, "suspend", REVIEWED.name, "--reason", "retired")
    world.ends("`cmek suspend`", ended)
    _refused(world, "before 7 days without use are known", typed=_NAME * 2)
    _refused(world, "another name typed", *_QUIET, typed="another\n" * 2)

    ended = _retire(world, _ORDER, *_QUIET, typed=_NAME * 2)
    world.ends(f"`cmek retire {_ORDER}`, in its order", ended)
    row("   the key", "PendingDeletion", _state(world))
    world.ends("`cmek retire --cancel`", _retire(world, "--cancel"))
    row("   the key", "Enabled", _state(world))
    row("   Pinecone decrypts the first ciphertext", REFUSED, world.pinecone_reads(REVIEWED))
    world.ends("`cmek resume`", _cmek(world, "resume", REVIEWED.name))
    row("   Pinecone decrypts the first ciphertext", ALLOWED, world.pinecone_reads(REVIEWED))


def _refused(world: World, when: str, *options: str, typed: str) -> None:
    ended = _retire(world, _ORDER, *options, typed=typed)
    world.ends(f"`cmek retire {_ORDER}`, {when}", ended, 1)
    world.report.row("   the key", "Enabled", _state(world))


def _retire(world: World, *options: str, typed: str = "") -> Ended:
    return _cmek(world, "retire", REVIEWED.name, *options, typed=typed)


def _cmek(world: World, *arguments: str, typed: str = "") -> Ended:
    administrator = world.administrator(REVIEWED)
    return world.run(world.reviewed.folder, administrator, "cmek", *arguments, typed=typed)


def _state(world: World) -> str:
    kms = world.client("kms", REVIEWED)
    return str(kms.describe_key(KeyId=world.first[REVIEWED].key_arn)["KeyMetadata"]["KeyState"])
