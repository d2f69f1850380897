"""The folder of an app: what `cdk deploy` needs beside cmek.yaml, written by `cmek init`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

_APP: Final = '''\
"""The CDK app: one stack per entry of cmek.yaml."""

import os

from cmek_construct.deployment.app import synthesize

# CDK's own validation is half of the wait, and the tests of cmek-construct do it for every form of
# cmek.yaml. CDK_VALIDATION=true in the environment switches it on.
os.environ.setdefault("CDK_VALIDATION", "false")
synthesize("cmek.yaml")
'''
_CDK: Final = {
    "app": "PATH=.venv/bin:$PATH python3 -O app.py",
    "versionReporting": False,
    "pathMetadata": False,
    "assetMetadata": False,
    "notices": False,
    "context": {"cli-telemetry": False},
}
_PACKAGE: Final = {"private": True, "devDependencies": {"aws-cdk": "2.1148.1"}}
_REQUIREMENTS: Final = """\
# The package is in no index yet, and whoever registers its name there is not this project: install
# it from its wheel, committed beside this file.
{package}
"""
_IGNORED: Final = """\
.venv/
node_modules/
cdk.out/
cdk.out-*/
__pycache__/
/cmek-import-*.json
/customer-kit/
/outputs.json
/review.html
"""


@dataclass
class Written:
    """What was written, and what was there and stays as it is, by name."""

    new: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def write_folder() -> Written:
    """Write what the current folder lacks for `cdk deploy`: never over a file that is there."""
    written = Written()
    for name, content in _files():
        try:
            with Path(name).open("xb") as file:
                file.write(content)
            written.new.append(name)
        except FileExistsError:
            if Path(name).is_dir() or Path(name).read_bytes() != content:
                written.left.append(name)
    return written


def _files() -> Iterator[tuple[str, bytes]]:
    installed = distribution("cmek-construct")
    wheel = _wheel_of(installed)
    package = f"./{wheel.name}[cli]" if wheel else f"cmek-construct[cli]=={installed.version}"
    for name, text in (
        ("app.py", _APP),
        ("cdk.json", json.dumps(_CDK, indent=2) + "\n"),
        ("requirements.txt", _REQUIREMENTS.format(package=package)),
        ("package.json", json.dumps(_PACKAGE, indent=2) + "\n"),
        (".gitignore", _IGNORED),
    ):
        yield name, text.encode()
    if wheel:
        yield wheel.name, wheel.read_bytes()


def _wheel_of(installed: Distribution) -> Path | None:
    """The wheel that this library was installed from, where it is a file that is still there.

    By PEP 610, which pip and uv follow.
    """
    origin = urlsplit(json.loads(installed.read_text("direct_url.json") or "{}").get("url", ""))
    file = Path(url2pathname(origin.path))
    is_wheel = origin.scheme == "file" and file.suffix == ".whl" and file.is_file()
    return file if is_wheel else None
