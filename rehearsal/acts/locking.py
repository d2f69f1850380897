"""The lock: a synth that would replace a locked role is refused, unless somebody unlocks it."""

from __future__ import annotations

from rehearsal.accounts import REVIEWED
from rehearsal.commands import Ended
from rehearsal.world import World


def play(world: World) -> None:
    """Lock one stack, try to replace its role, and unlock it on purpose."""
    world.report.heading("The lock")
    row = world.report.row
    world.ends("`cmek lock`", _cmek(world, "lock"))
    world.ends("`cmek lock --deployed`", _cmek(world, "lock", "--deployed"))
    lock = world.reviewed.folder / "cmek.lock"
    locked = lock.read_text(encoding="utf-8")
    made = world.first[REVIEWED]
    for label, arn in (("role", made.role_arn), ("key", made.key_arn)):
        row(f"   has the ARN of the {label}", "yes", "yes" if f'"{arn}"' in locked else "no")

    world.reviewed.change(REVIEWED, role_name="another-name")
    ended = _synth(world)
    world.ends("`cdk synth`, with another role_name", ended, 1)
    says = all(words in ended.stdout + ended.stderr for words in ("RoleName", "another-name"))
    row("   names the property and its new value", "yes", "yes" if says else "no")
    unlocked = _cmek(world, "unlock", REVIEWED.name, "role", "--reason", "rehearsed")
    world.ends("`cmek unlock`, with a reason", unlocked)
    world.ends("   `cdk synth` with that role_name", _synth(world))

    world.reviewed.change(REVIEWED, role_name=None)
    lock.write_text(locked, encoding="utf-8")
    world.ends("`cdk synth`, all taken back", _synth(world))
    world.ends("`cmek lock --check`", _cmek(world, "lock", "--check"))


def _cmek(world: World, *arguments: str) -> Ended:
    administrator = world.administrator(REVIEWED)
    return world.run(world.reviewed.folder, administrator, "cmek", *arguments)


def _synth(world: World) -> Ended:
    return world.run(world.reviewed.folder, world.deployer, "cdk", "synth", "--quiet")
