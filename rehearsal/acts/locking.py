"""The lock: a synth that would replace a locked role is refused, unless somebody unlocks it."""

from __future__ import annotations

from rehearsal.accounts import REVIEWED
from rehearsal.commands import Ended
from rehearsal.world import World


def play(world: World) -> None:
    """Lock one stack, try to replace its role, and unlock it on purpose."""
    world.report.heading("The lock")
    row = world.report.row
    row("`cmek lock`", "exit code 0", str(_cmek(world, "lock")))
    row("`cmek lock --deployed`", "exit code 0", str(_cmek(world, "lock", "--deployed")))
    lock = world.reviewed.folder / "cmek.lock"
    locked = lock.read_text(encoding="utf-8")
    made = world.first[REVIEWED]
    for label, arn in (("role", made.role_arn), ("key", made.key_arn)):
        row(f"   has the ARN of the {label}", "yes", "yes" if f'"{arn}"' in locked else "no")

    world.reviewed.change(REVIEWED, role_name="another-name")
    ended = _synth(world)
    row("`cdk synth`, with another role_name", "exit code 1", str(ended))
    says = all(words in ended.stdout + ended.stderr for words in ("RoleName", "another-name"))
    row("   names the property and its new value", "yes", "yes" if says else "no")
    unlocked = _cmek(world, "unlock", REVIEWED.name, "role", "--reason", "rehearsed")
    row("`cmek unlock`, with a reason", "exit code 0", str(unlocked))
    row("   `cdk synth` with that role_name", "exit code 0", str(_synth(world)))

    world.reviewed.change(REVIEWED, role_name=None)
    lock.write_text(locked, encoding="utf-8")
    row("`cdk synth`, all taken back", "exit code 0", str(_synth(world)))
    row("`cmek lock --check`", "exit code 0", str(_cmek(world, "lock", "--check")))


def _cmek(world: World, *arguments: str) -> Ended:
    return world.reviewed.cmek(world.administrator(REVIEWED), *arguments)


def _synth(world: World) -> Ended:
    return world.reviewed.cdk(world.deployer, "synth", "--quiet")
