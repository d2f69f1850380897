"""A user's folder: cmek.yaml, the repository's cdk.json, and commands run in it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import yaml

from rehearsal.accounts import PINECONE, Site
from rehearsal.aws import Aws, Credentials
from rehearsal.commands import Ended, run
from rehearsal.paths import BIN, CDK, ROOT


class Project:
    """A folder from which stacks are deployed."""

    def __init__(self, folder: Path, aws: Aws, sites: list[Site]) -> None:
        """Write cmek.yaml and cdk.json. The app is the repository's own app.py."""
        folder.mkdir(parents=True)
        self.folder = folder
        self._aws = aws
        self._entries = {site.name: site.entry() for site in sites}
        settings = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))
        settings["app"] = settings["app"].replace("app.py", shlex.quote(str(ROOT / "app.py")))
        (folder / "cdk.json").write_text(json.dumps(settings, indent=2), encoding="utf-8")
        self._write()

    def change(self, site: Site, **settings: Any) -> None:
        """Change an entry of cmek.yaml; `None` takes a line away."""
        entry = self._entries[site.name] | settings
        self._entries[site.name] = {key: entry[key] for key in entry if entry[key] is not None}
        self._write()

    def _write(self) -> None:
        config = {"pinecone_account_id": PINECONE, "stacks": self._entries}
        text = yaml.safe_dump(config, sort_keys=False)
        (self.folder / "cmek.yaml").write_text(text, encoding="utf-8")

    def cdk(self, who: Credentials, *arguments: str, validate: bool = False) -> Ended:
        """A command of the CDK CLI.

        Args:
            who: who runs it.
            arguments: of the command.
            validate: False spares CDK's own validation of the templates, which takes longer than
                all else together; once is enough.
        """
        spared = {} if validate else {"CDK_VALIDATION": "false"}
        return run(self.folder, self._aws.environment(who) | spared, CDK, *arguments)

    def deploy(self, who: Credentials, *sites: Site, validate: bool = False) -> Ended:
        """`cdk deploy`, as the README has it: of all stacks at the same time, or of some."""
        which = [site.name for site in sites] or ["--all", "--concurrency", "3"]
        return self.cdk(who, "deploy", *which, "--require-approval", "never", validate=validate)

    def sheet(self, who: Credentials, site: Site) -> Ended:
        """`cmek sheet`."""
        return run(self.folder, self._aws.environment(who), BIN / "cmek", "sheet", site.name)

    def template(self, site: Site) -> str:
        """The template of the last synthesis, as it stands in cdk.out."""
        return (self.folder / "cdk.out" / f"{site.name}.template.json").read_text(encoding="utf-8")
