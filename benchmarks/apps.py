"""The apps that are compared, and what each needs to run."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import dropwhile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BARE = ROOT / "benchmarks"
_JAVASCRIPT = ROOT / ".benchmark" / "node_modules"
# In the installed Python packages: the very JavaScript that the Python apps run.
_TARBALLS = {
    "aws-cdk-lib": ("aws_cdk", "_jsii"),
    "@aws-cdk/cloud-assembly-schema": ("aws_cdk", "cloud_assembly_schema/_jsii"),
    "constructs": ("constructs", "_jsii"),
}


@dataclass(frozen=True)
class App:
    """One way to make a stack of each account in the working folder."""

    name: str
    command: tuple[str, ...]
    context: Mapping[str, Any] = field(default_factory=dict)
    """What the CDK CLI would hand to it from its cdk.json."""


OURS = "ours"
UNGUARDED = "ours without guardrails"
BARE_PYTHON = "bare Python"
BARE_PYTHON_O = "bare Python -O"
BARE_JAVASCRIPT = "bare JavaScript"


def all_apps() -> list[App]:
    """Ours as cdk.json runs it, and the bare ones."""
    settings = json.loads((ROOT / "cdk.json").read_text())
    # Without `PATH=…` before it, which is for a person without the environment's bin folder.
    *ours, script = dropwhile(lambda word: "=" in word, shlex.split(settings["app"]))
    bare, context = str(BARE / "bare_l2.py"), settings.get("context", {})
    return [
        App(OURS, (*ours, str(ROOT / script)), context),
        App(UNGUARDED, (*ours, str(BARE / "unguarded.py")), context),
        App(BARE_PYTHON, ("python3", bare, "accounts.json")),
        App(BARE_PYTHON_O, ("python3", "-O", bare, "accounts.json")),
        # jsii gives its Node the same limit of the heap.
        App(BARE_JAVASCRIPT, ("node", "--max-old-space-size=4069", str(BARE / "bare_l2.js"), "accounts.json")),
    ]


def write_ours(folder: Path) -> None:
    """What `cmek init` writes for the CDK CLI, beside a cmek.yaml."""
    for name in ("app.py", "cdk.json"):
        shutil.copy(ROOT / name, folder)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")


def write_by_hand(folder: Path) -> None:
    """The bare app as `cdk init` leaves one; only that nothing leaves this machine."""
    shutil.copy(BARE / "bare_l2.py", folder / "app.py")
    flags = json.loads((ROOT / "tests" / "cdk_init_flags.json").read_text())
    settings = {"app": "python3 app.py accounts.json", "context": {**flags, "cli-telemetry": False}, "notices": False}
    (folder / "cdk.json").write_text(json.dumps(settings))
    (folder / "node_modules").symlink_to(ROOT / "node_modules")


def write_empty(folder: Path) -> None:
    """The least that any CDK app in Python is: one stack with nothing in it, run as ours is."""
    write_ours(folder)
    shutil.copy(BARE / "empty.py", folder / "app.py")


def javascript_packages() -> Path:
    """The folder of ``aws-cdk-lib`` and ``constructs`` for JavaScript: unpacked, not downloaded."""
    tarballs = {package: _tarball(*place) for package, place in _TARBALLS.items()}
    stamp = _JAVASCRIPT.parent / "unpacked"
    wanted = "\n".join(tarball.name for tarball in tarballs.values())
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(_JAVASCRIPT.parent, ignore_errors=True)
        for package, tarball in tarballs.items():
            _unpack(tarball, _JAVASCRIPT / package)
        stamp.write_text(wanted)
    return _JAVASCRIPT


def _tarball(module: str, folder: str) -> Path:
    spec = find_spec(module)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    [tarball] = (Path(spec.submodule_search_locations[0]) / folder).glob("*.jsii.tgz")
    return tarball


def _unpack(tarball: Path, target: Path) -> None:
    target.mkdir(parents=True)
    subprocess.run(["tar", "-xzf", tarball, "-C", target, "--strip-components=1"], check=True)
