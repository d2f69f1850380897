"""Role and key of a deleted stack go back into one, by the old entry and without it."""

from __future__ import annotations

from dataclasses import replace

from rehearsal.accounts import WITHOUT_ID, Site
from rehearsal.aws import ALLOWED
from rehearsal.paths import WORK
from rehearsal.project import Project
from rehearsal.world import World

_ELSEWHERE = replace(WITHOUT_ID, name="taken-over")


def play(world: World) -> None:
    """Adopt what `destroying` left: in its folder, then from an empty one under another name."""
    first, ciphertext = world.first[WITHOUT_ID], world.ciphertexts[WITHOUT_ID]
    world.report.heading("Adopted again after the stack was deleted")
    _adopt(world, world.app, WITHOUT_ID)
    ended = world.app.cdk(world.deployer, "destroy", WITHOUT_ID.name, "--force")
    world.report.row("`cdk destroy`: the adopted stack", "exit code 0", str(ended))
    given = world.pinecone_reads(WITHOUT_ID)
    world.report.row("Pinecone comes in and decrypts the first ciphertext", ALLOWED, given)

    world.report.heading("Adopted from an empty folder, under another name")
    world.first[_ELSEWHERE], world.ciphertexts[_ELSEWHERE] = first, ciphertext
    _adopt(world, Project(WORK / "adopted", world.aws, []), _ELSEWHERE)


def _adopt(world: World, project: Project, site: Site) -> None:
    first = world.first[site]
    arns = ("--role-arn", first.role_arn, "--key-arn", first.key_arn)
    ended = project.cmek(world.deployer, "adopt", site.name, *arns)
    world.must_end_well("`cmek adopt`", ended)
    harm = [line for line in ended.stdout.splitlines() if line.startswith(("✗", "WRONG"))]
    world.report.row("   differences that do harm", "none", "; ".join(harm) or "none")
    mapping = ("--resource-mapping", f"cmek-import-{site.name}.json")
    with world.report.step("cdk import"):
        ended = project.cdk(world.deployer, "import", site.name, *mapping)
    world.must_end_well("`cdk import --resource-mapping`", ended)
    # Outputs alone are no change to the emulator; to AWS they are.
    project.change(site, tags={"adopted": "yes"})
    with world.report.step("cdk deploy: after the import"):
        ended = project.deploy(world.deployer, site)
    world.must_end_well("`cdk deploy`: after the import", ended)
    world.compare_with_first(site)
    given = project.cmek(world.deployer, "sheet", site.name)
    world.report.row("`cmek sheet`", "exit code 0", str(given))
