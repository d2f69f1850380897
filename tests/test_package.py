"""The wheel: one package, typed, licensed, with three requirements."""

from __future__ import annotations

import json
import os
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
        [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder, ROOT],
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
    example = wheel.read("cmek_construct/examples/cmek.yaml")
    assert example == (ROOT / "examples" / "cmek.yaml").read_bytes(), "messages point to it"
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_composing_needs_three_packages_with_ranges(wheel: zipfile.ZipFile) -> None:
    required = [one for one in metadata(wheel)["Requires-Dist"] if "extra ==" not in one]
    assert [one.split("<")[0].split(">")[0] for one in required] == ["aws-cdk-lib", "constructs", "jsii"]
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


def test_in_an_empty_folder_the_wheel_alone_makes_an_app_that_every_command_knows(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    """What the wheel needs is this environment's; the library itself is the wheel's."""
    assert wheel.filename is not None
    installed, folder = tmp_path / "installed", tmp_path / "folder"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(installed), wheel.filename], check=True)
    folder.mkdir()
    cmek = [sys.executable, str(installed / "bin" / "cmek")]

    def run(*command: str) -> str:
        environment = os.environ | {"PYTHONPATH": str(installed)}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout + done.stderr

    where = run(sys.executable, "-c", "import cmek_construct; print(cmek_construct.__file__)")
    assert where.startswith(str(installed))
    where = run(sys.executable, "-c", "from cmek_construct.deployment.reading import EXAMPLE; print(EXAMPLE)")
    assert Path(where.strip()) == installed / "cmek_construct" / "examples" / "cmek.yaml"
    run(*cmek, "init", "--pinecone-account-id=999988887777", "--regions=us-east-1", *_OWN)
    requirement = (folder / "requirements.txt").read_text().splitlines()[-1]
    assert requirement == f"./{Path(wheel.filename).name}[cli]"
    assert (folder / Path(wheel.filename).name).read_bytes() == Path(wheel.filename).read_bytes()
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    run("node_modules/.bin/cdk", "synth", "--quiet")
    outputs = {"RoleArn": _ROLE_ARN, "KeyArn": _KEY_ARN, "ExternalId": _external_id(folder)}
    (folder / "outputs.json").write_text(json.dumps({"acme": outputs}))
    printed = run(sys.executable, "-c", _COMMANDS)
    for said in ("0 violations", "Pinecone's role of us-east-1", "review.html", "Wrote cmek.lock"):
        assert said in printed
    assert _KEY_ARN in printed


_COMMANDS = """
import sys
from cmek_construct.commands import main
for line in ("check cdk.out", "who cdk.out", "review cdk.out", "lock",
             "sheet acme --outputs outputs.json"):
    sys.argv = ["cmek", *line.split()]
    try:
        main()
    except SystemExit as done:
        assert not done.code, line
"""
_OWN = ("--region=us-east-1", "--name=acme", "--account=111122223333")
_ROLE_ARN = "arn:aws:iam::111122223333:role/acme-Role1ABCC5F0-x"
_KEY_ARN = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def _external_id(folder: Path) -> str:
    (found,) = re.findall(r"external_id: (\S+)", (folder / "cmek.yaml").read_text())
    return str(found)


def test_the_lock_of_the_cdk_cli_names_no_address() -> None:
    for path in (ROOT / "package-lock.json", ROOT / "tests" / "simulator" / "package-lock.json"):
        assert '"resolved"' not in path.read_text()
