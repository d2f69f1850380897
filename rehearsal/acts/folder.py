"""A folder of a company's own: what `cmek init` writes into an empty one is deployed and read."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import yaml

from rehearsal import accounts
from rehearsal.accounts import ADMINISTRATOR, LISTED, PINECONE, Site
from rehearsal.acts import deploying, documents, entering
from rehearsal.commands import Ended, run
from rehearsal.paths import BIN, CDK, WORK
from rehearsal.world import World

_FOLDER: Final = WORK / "own-folder"
_FILES: Final = ".gitignore, app.py, cdk.json, cmek.yaml, package.json, requirements.txt"


def play(world: World) -> None:
    """From an empty folder to the sheet."""
    world.report.heading("A folder of one's own: cmek init in an empty one")
    site = Site("own-folder", "191919191919", "us-east-1")
    accounts.make_role(world.aws, accounts.role_arn(site, ADMINISTRATOR), "*")
    _FOLDER.mkdir(parents=True)
    given = ("--pinecone-account-id", PINECONE, "--regions", ",".join(LISTED))
    place = ("--region", site.region, "--name", site.name, "--account", site.account)
    world.must_end_well("`cmek init`", _cmek(world, site, "init", *given, *place))
    files = ", ".join(sorted(path.name for path in _FOLDER.iterdir() if path.suffix != ".log"))
    world.report.row("what it writes", _FILES, files)
    world.must_end_well("`cdk bootstrap`", deploying.bootstrap(world, site))
    written = yaml.safe_load((_FOLDER / "cmek.yaml").read_text(encoding="utf-8"))
    made = Site(**vars(site) | {"external_id": written["stacks"][site.name]["external_id"]})
    with world.report.step("cdk deploy"):
        ended = _run(world, site, CDK, "deploy", site.name, "--require-approval", "never")
    world.must_end_well("`cdk deploy` of what it wrote", ended)
    world.first[made] = world.made(made)
    documents.compare(world, made)
    entering.ask(world, made)
    for words, ends in (
        (("check", "cdk.out"), 0),
        (("who", "cdk.out"), 0),
        (("review", "cdk.out"), 0),
        (("lock", "--deployed"), 0),
        (("doctor", "--no-cloudtrail"), 0),  # which the emulator has not
        (("sheet", site.name), 0),
    ):
        ended = _cmek(world, site, *words)
        world.report.row(f"`cmek {' '.join(words)}` there", f"exit code {ends}", str(ended))
    row = "   shows role, key and external ID"
    shown = all(one in ended.stdout for one in (*world.first[made][:2], str(made.external_id)))
    world.report.row(row, "yes", "yes" if shown else "no")


def _cmek(world: World, site: Site, *arguments: str) -> Ended:
    return _run(world, site, BIN / "cmek", *arguments)


def _run(world: World, site: Site, command: Path, *arguments: str) -> Ended:
    environment = world.aws.environment(world.administrator(site))
    return run(_FOLDER, environment, command, *arguments)
