"""A user's folder: the repository's cdk.json, and cmek.yaml or an example."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import yaml

from rehearsal.accounts import PINECONE, Site
from rehearsal.paths import ROOT


def make_folder(folder: Path, app: Path) -> None:
    """A folder for the CDK CLI, with the repository's cdk.json for one of its apps."""
    folder.mkdir(parents=True)
    settings = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))
    settings["app"] = settings["app"].replace("app.py", shlex.quote(str(app)))
    (folder / "cdk.json").write_text(json.dumps(settings, indent=2), encoding="utf-8")


def copy_example(name: str, folder: Path, **values: str) -> None:
    """A folder with one of the examples, in which a user wrote other values beside these names."""
    text = (ROOT / "examples" / name).read_text(encoding="utf-8")
    for variable, value in values.items():
        text, count = re.subn(rf'\b({variable} ?= ?)"[^"]*"', rf'\g<1>"{value}"', text)
        if count != 1:
            raise ValueError(f"{name}: {variable} is written {count} times, but once is expected.")
    make_folder(folder, folder / name)
    (folder / name).write_text(text, encoding="utf-8")


class Project:
    """A folder from which stacks are deployed, by the repository's app.py."""

    def __init__(self, folder: Path, sites: list[Site]) -> None:
        """Write cdk.json, and cmek.yaml if there are stacks."""
        make_folder(folder, ROOT / "app.py")
        self.folder = folder
        self._config = folder / "cmek.yaml"
        if sites:
            self._write({"pinecone_account_id": PINECONE, "stacks": {site.name: site.entry() for site in sites}})

    def copy(self, folder: Path) -> Project:
        """The same in another folder, for commands that run beside those of this one."""
        made = Project(folder, [])
        made._config.write_bytes(self._config.read_bytes())
        return made

    def change(self, site: Site, **settings: Any) -> None:
        """Change an entry of cmek.yaml; `None` takes a line away."""
        config = yaml.safe_load(self._config.read_text(encoding="utf-8"))
        entry = config["stacks"][site.name] | settings
        config["stacks"][site.name] = {key: entry[key] for key in entry if entry[key] is not None}
        self._write(config)

    def _write(self, config: dict[str, Any]) -> None:
        self._config.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")

    def template(self, site: Site) -> str:
        """The template of the last synthesis, as it stands in cdk.out."""
        return (self.folder / "cdk.out" / f"{site.name}.template.json").read_text(encoding="utf-8")
