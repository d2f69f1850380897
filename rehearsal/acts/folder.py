"""A folder of a company's own: what `cmek init` writes into an empty one is deployed and read."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import yaml

from rehearsal.accounts import LISTED, PINECONE, Site
from rehearsal.acts import deploying, documents, entering
from rehearsal.commands import LOG, Ended
from rehearsal.paths import WORK
from rehearsal.world import NOT_ASKED, World

_FOLDER: Final = WORK / "own-folder"
_FILES: Final = ".gitignore, app.py, cdk.json, cmek.yaml, package.json, requirements.txt"


def play(world: World) -> None:
    """From an empty folder to the sheet, with each program started as a person does."""
    world.report.heading("A folder of one's own: cmek init in an empty one")
    site = Site("own-folder", "191919191919", "us-east-1")
    _FOLDER.mkdir(parents=True)

    def run(*command: str, started: bool = True) -> Ended:
        return world.run(_FOLDER, world.administrator(site), *command, started=started)

    given = ("--pinecone-account-id", PINECONE, "--regions", ",".join(LISTED))
    place = ("--region", site.region, "--name", site.name, "--account", site.account)
    world.must_end_well("`cmek init`", run("cmek", "init", *given, *place))
    files = ", ".join(sorted(path.name for path in _FOLDER.iterdir() if path.name != LOG))
    world.report.row("what it writes", _FILES, files)
    world.must_end_well("`cdk bootstrap`", deploying.bootstrap(world, site, started=True))
    written = yaml.safe_load((_FOLDER / "cmek.yaml").read_text(encoding="utf-8"))
    made = replace(site, external_id=written["stacks"][site.name]["external_id"])
    ended = run("cdk", "deploy", site.name, *NOT_ASKED)
    world.must_end_well("`cdk deploy` of what it wrote", ended)
    world.first[made] = world.made(made)
    documents.compare(world, made)
    entering.ask(world, made)
    for words in (
        ("check", "cdk.out"),
        ("who", "cdk.out"),
        ("review", "cdk.out"),
        ("lock", "--deployed"),
        ("doctor", "--no-cloudtrail"),  # which the emulator has not
    ):
        world.ends(f"`cmek {' '.join(words)}` there", run("cmek", *words, started=False))
    ended = run("cmek", "sheet", site.name)
    world.ends(f"`cmek sheet {site.name}` there", ended)
    shown = all(one in ended.stdout for one in (*world.first[made][:2], str(made.external_id)))
    row = "   shows role, key and external ID"
    world.report.row(row, "yes", "yes" if shown else "no")
