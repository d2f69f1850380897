"""The guardrails in an app of stages: a mistake in one stops every command of the CDK CLI."""

from __future__ import annotations

from typing import Final

from rehearsal.commands import Ended
from rehearsal.paths import WORK
from rehearsal.project import copy_example
from rehearsal.world import World

_EXAMPLE: Final = "stage_per_environment.py"
_FOLDER: Final = WORK / "stages"
_GUARDED: Final = """\
from cmek_construct import CmekGuardrails
cdk.Validations.of(app).add_plugins(CmekGuardrails())
prod = app.node.find_child("Prod")
"""
_MISTAKE: Final = "cdk.RemovalPolicies.of(prod).destroy()\n"
_MEANT: Final = """\
for rule in ("role-retained", "key-retained", "alias-retained"):
    cdk.Validations.of(prod).acknowledge(
        cdk.Acknowledgment(id=f"cmek-guardrails::{rule}", reason="rehearsed")
    )
"""


def play(world: World) -> None:
    """Make the mistake in one stage of the example, and mean it."""
    world.report.heading("The guardrails in an app with a stage per environment")
    row = world.report.row
    copy_example(_EXAMPLE, _FOLDER)
    app = _FOLDER / _EXAMPLE
    example, synth, _ = app.read_text(encoding="utf-8").rpartition("app.synth()")

    app.write_text(example + _GUARDED + synth, encoding="utf-8")
    world.ends("`cdk synth`", _cdk(world, "synth", "--quiet"))
    app.write_text(example + _GUARDED + _MISTAKE + synth, encoding="utf-8")
    for words in (("synth", "--quiet"), ("synth", "Test/*"), ("deploy", "Test/*")):
        ended = _cdk(world, *words)
        command = f"`cdk {' '.join(words)}`, with another removal policy in Prod"
        world.ends(command, ended, 1)
        times = str((ended.stdout + ended.stderr).count("Prod/Pinecone/Cmek/Key/Resource"))
        row("   names the key", "once", "once" if times == "1" else f"{times} times")
    app.write_text(example + _GUARDED + _MISTAKE + _MEANT + synth, encoding="utf-8")
    world.ends("`cdk synth`, acknowledged", _cdk(world, "synth", "--quiet"))


def _cdk(world: World, *arguments: str) -> Ended:
    return world.run(_FOLDER, world.deployer, "cdk", *arguments)
