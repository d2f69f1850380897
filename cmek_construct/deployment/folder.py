"""The folder of an app: what `cdk deploy` needs beside cmek.yaml, written by `cmek init`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from cmek_construct.deployment.reading import is_of_another_app
from cmek_construct.deployment.writing import FILE

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
    **dict.fromkeys(("versionReporting", "pathMetadata", "assetMetadata", "notices"), False),
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


def make_folder() -> Iterator[str]:
    """Write what the folder of a new cmek.yaml lacks, never over a file that is there; the lines say what was done."""
    if is_of_another_app(Path()):
        yield (
            f"Wrote {FILE}, and nothing else: an app is here that does not read it. To deploy from {FILE}, begin in an "
            "empty folder; an app of your own takes the same values as props of PineconeCmek."
        )
        return
    new, left = [str(FILE)], []
    for name, content in _files():
        try:
            with Path(name).open("xb") as file:
                file.write(content)
            new.append(name)
        except FileExistsError:
            if Path(name).is_dir() or Path(name).read_bytes() != content:
                left.append(name)
    yield f"Wrote {', '.join(new)}."
    if left:
        yield f"Left as it was: {', '.join(left)}. `cmek init` in an empty folder shows what it would be."
    if "package.json" in new:
        yield "Once, for the CDK CLI: npm install"


def _files() -> Iterator[tuple[str, bytes]]:
    installed = distribution("cmek-construct")
    # The wheel that it was installed from, where that is a file that is still there: by PEP 610, as pip and uv do.
    origin = urlsplit(json.loads(installed.read_text("direct_url.json") or "{}").get("url", ""))
    wheel = Path(url2pathname(origin.path))
    has_wheel = origin.scheme == "file" and wheel.suffix == ".whl" and wheel.is_file()
    package = f"./{wheel.name}[cli]" if has_wheel else f"cmek-construct[cli]=={installed.version}"
    yield "app.py", _APP.encode()
    yield "cdk.json", f"{json.dumps(_CDK, indent=2)}\n".encode()
    yield "requirements.txt", _REQUIREMENTS.format(package=package).encode()
    yield "package.json", f"{json.dumps(_PACKAGE, indent=2)}\n".encode()
    yield ".gitignore", _IGNORED.encode()
    if has_wheel:
        yield wheel.name, wheel.read_bytes()
