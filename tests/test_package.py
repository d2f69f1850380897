"""The wheel: one package, typed, licensed, with three requirements."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)],
        capture_output=True,
        check=True,
    )
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def metadata(wheel: zipfile.ZipFile) -> dict[str, list[str]]:
    (name,) = (name for name in wheel.namelist() if name.endswith("METADATA"))
    message = Parser().parsestr(wheel.read(name).decode())
    return {field: message.get_all(field, []) for field in set(message.keys())}


def test_the_wheel_holds_the_package_alone(wheel: zipfile.ZipFile) -> None:
    rooms = {Path(name).parts[0] for name in wheel.namelist()}
    assert {room for room in rooms if not room.endswith(".dist-info")} == {"cmek_construct"}
    names = set(wheel.namelist())
    assert "cmek_construct/py.typed" in names
    assert "cmek_construct/deployment/cmek.schema.json" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_composing_needs_three_packages_with_ranges(wheel: zipfile.ZipFile) -> None:
    required = [one for one in metadata(wheel)["Requires-Dist"] if "extra ==" not in one]
    assert [one.split("<")[0].split(">")[0] for one in required] == [
        "aws-cdk-lib",
        "constructs",
        "jsii",
    ]
    assert all("<" in one and ">=" in one for one in required)


def test_everything_else_is_an_extra_and_the_license_is_apache_2(wheel: zipfile.ZipFile) -> None:
    fields = metadata(wheel)
    assert fields["License-Expression"] == ["Apache-2.0"]
    assert {"app", "cli", "rehearsal"} <= set(fields["Provides-Extra"])
    (name,) = (name for name in wheel.namelist() if name.endswith("LICENSE"))
    assert "Apache License" in wheel.read(name).decode()[:200]


def test_the_description_has_no_link_that_an_index_cannot_follow(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("METADATA"))
    description = Parser().parsestr(wheel.read(name).decode()).get_payload()
    assert "cmek = PineconeCmek(" in str(description)
    targets = re.findall(r"\]\(([^)\s]+)\)", str(description))
    assert targets
    assert all(one.startswith("https://") for one in targets), targets


def test_an_index_is_told_for_whom_and_for_which_python_it_is(wheel: zipfile.ZipFile) -> None:
    fields = metadata(wheel)
    kinds = {one.partition(" :: ")[0] for one in fields["Classifier"]}
    assert kinds >= {"Development Status", "Intended Audience", "Programming Language", "Topic"}
    oldest = fields["Requires-Python"][0].removeprefix(">=")
    assert f"Programming Language :: Python :: {oldest}" in fields["Classifier"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert changelog.partition("\n## ")[2].startswith(fields["Version"][0])


def test_the_lock_of_the_cdk_cli_names_no_address() -> None:
    for path in (ROOT / "package-lock.json", ROOT / "tests" / "simulator" / "package-lock.json"):
        assert '"resolved"' not in path.read_text()
