"""Role and key of a deleted stack go back into one, by the old entry and without it."""

from __future__ import annotations

from dataclasses import replace

from rehearsal.accounts import WITHOUT_ID, Site
from rehearsal.aws import ALLOWED
from rehearsal.commands import Ended
from rehearsal.paths import WORK
from rehearsal.project import Project
from rehearsal.world import NOT_ASKED, World

_ELSEWHERE = replace(WITHOUT_ID, name="taken-over")


def play(world: World) -> None:
    """Adopt what `destroying` left: in its folder, then from an empty one under another name."""
    first, ciphertext = world.first[WITHOUT_ID], world.ciphertexts[WITHOUT_ID]
    world.report.heading("Adopted again after the stack was deleted")
    _adopt(world, world.app, WITHOUT_ID)
    destroy = ("cdk", "destroy", WITHOUT_ID.name, "--force")
    ended = world.run(world.app.folder, world.deployer, *destroy)
    world.ends("`cdk destroy`: the adopted stack", ended)
    given = world.pinecone_reads(WITHOUT_ID)
    world.report.row("Pinecone comes in and decrypts the first ciphertext", ALLOWED, given)

    world.report.heading("Adopted from an empty folder, under another name")
    world.first[_ELSEWHERE], world.ciphertexts[_ELSEWHERE] = first, ciphertext
    _adopt(world, Project(WORK / "adopted", []), _ELSEWHERE)


def _adopt(world: World, project: Project, site: Site) -> None:
    def run(*command: str) -> Ended:
        return world.run(project.folder, world.deployer, *command)

    first = world.first[site]
    arns = ("--role-arn", first.role_arn, "--key-arn", first.key_arn)
    ended = run("cmek", "adopt", site.name, *arns)
    world.must_end_well("`cmek adopt`", ended)
    harm = [line for line in ended.stdout.splitlines() if line.startswith(("✗", "WRONG"))]
    world.report.row("   differences that do harm", "none", "; ".join(harm) or "none")
    mapping = ("--resource-mapping", f"cmek-import-{site.name}.json")
    world.must_end_well("`cdk import --resource-mapping`", run("cdk", "import", site.name, *mapping))
    # Outputs alone are no change to the emulator; to AWS they are.
    project.change(site, tags={"adopted": "yes"})
    ended = run("cdk", "deploy", site.name, *NOT_ASKED)
    world.must_end_well("`cdk deploy`: after the import", ended)
    world.compare_with_first(site)
    world.ends("`cmek sheet`", run("cmek", "sheet", site.name))
