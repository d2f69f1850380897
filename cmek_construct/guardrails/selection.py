"""Violations and the stacks that a command of the CDK CLI selects.

The CLI heeds the violations of the stacks that it selects, and bare ``cdk synth`` selects none of those in a ``Stage``:
what is wrong elsewhere passes in silence. Only a violation that names no construct concerns every selection. So each
names its construct in words.
"""

from __future__ import annotations

import atexit
import json
import os
from pathlib import Path
from typing import Any

from cmek_construct import warnings as ids


def concern_every_selection() -> None:
    """Let each violation fail whatever command of the CLI runs this app.

    CDK applies the acknowledgements after the plugins have judged. Hence at the app's exit, in the report that CDK
    wrote and the CLI is about to read. Without the CLI the app itself fails, and nothing is selected.
    """
    if "CDK_CLI_VERSION" in os.environ and "CDK_OUTDIR" in os.environ:
        folder = Path(os.environ["CDK_OUTDIR"]).absolute()
        atexit.register(_rewrite, folder / "validation-report.json")


def _rewrite(file: Path) -> None:
    if not file.is_file():
        return
    report = json.loads(file.read_text(encoding="utf-8"))
    for ours in report["pluginReports"]:
        if ours["pluginName"] == ids.PLUGIN:
            # That nothing could be judged is no violation, and the CLI would take it for a success.
            failure = ours.get("metadata", {}).get("error")
            if failure and not ours["violations"]:
                ours["violations"] = [_failed(failure)]
            for violation in ours["violations"]:
                constructs = violation["violatingConstructs"]
                violation["violatingConstructs"] = [_in_words(one) for one in constructs]
    file.write_text(json.dumps(report, indent=2), encoding="utf-8")


def _in_words(construct: dict[str, Any]) -> dict[str, Any]:
    """The construct as the CLI shows it, in a field by which nothing is selected."""
    path, resource = construct["constructPath"], construct.get("cloudFormationResource")
    if not path:
        return construct
    words = f"{path} ({resource['logicalId']})" if resource else path
    named = {"templatePath": "", "logicalId": words}
    return construct | {"constructPath": "", "cloudFormationResource": named}


def _failed(why: str) -> dict[str, Any]:
    return {
        "ruleName": ids.CANNOT_BE_JUDGED,
        "description": why,
        "severity": "fatal",
        "violatingConstructs": [{"constructPath": ""}],
    }
