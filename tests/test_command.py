"""The `cmek` command, as people run it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from functools import partial
from importlib.metadata import distribution
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.command import INSTALLED, cmek
from tests.conftest import ROOT

FLAGS = [
    "--pinecone-account-id=999988887777",
    "--regions=us-east-1, eu-west-1",
    "--region=us-east-1",
    "--name=acme",
    "--account=011122223333",
]
OF_AN_APP = ["app.py", "cdk.json", "requirements.txt", "package.json", ".gitignore"]
ROLE_ARN = "arn:aws:iam::011122223333:role/acme-Role1ABCC5F0-x"
KEY_ARN = "arn:aws:kms:us-east-1:011122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def external_ids(folder: Path) -> list[str]:
    return re.findall(r"external_id: (\S+)", (folder / "cmek.yaml").read_text())


def outputs(folder: Path) -> Path:
    """What `cdk deploy --outputs-file` would have written."""
    (external_id,) = external_ids(folder)
    file = folder / "outputs.json"
    file.write_text(json.dumps({"acme": {"RoleArn": ROLE_ARN, "KeyArn": KEY_ARN, "ExternalId": external_id}}))
    return file


def test_the_installed_command_starts() -> None:
    printed = subprocess.run([INSTALLED, "--help"], capture_output=True, text=True, check=True)
    assert "Set up commands:" in printed.stdout


def test_help_is_enough_to_use_it(tmp_path: Path) -> None:
    printed = cmek(tmp_path, "--help").stdout
    commands = printed.partition("Set up commands:")[2].partition("Exit codes")[0]
    assert re.findall(r"^  ([\w-]+)  ", commands, re.MULTILINE) == [
        *("init", "add", "project", "sheet", "customer-kit", "template"),
        *("check", "who", "review"),
        *("lock", "unlock"),
        *("doctor", "suspend", "resume"),
        *("adopt", "retire"),
    ]
    assert "..." not in commands
    assert "Exit codes: 0 done; 1 refused" in printed
    for command in re.findall(r"^  ([\w-]+)  ", commands, re.MULTILINE):
        inner = cmek(tmp_path, command, "--help").stdout
        assert "Options:" in inner
        assert "..." not in inner.partition("Commands:")[2]


def test_in_an_app_of_ones_own_nobody_is_sent_to_init(tmp_path: Path) -> None:
    assert "cmek init" in cmek(tmp_path, "doctor", code=1).stderr
    (tmp_path / "cdk.json").write_text('{"app": "python3 app.py"}')
    (tmp_path / "app.py").write_text("from cmek_construct import PineconeCmek\n")
    for command in (("doctor",), ("sheet",), ("suspend", "x", "--reason=y"), ("retire", "x")):
        said = cmek(tmp_path, *command, code=1).stderr
        assert "an app of your own" in said
        assert "the outputs of the stack" in said
        assert "cmek init" not in said


def test_the_version_is_said(tmp_path: Path) -> None:
    assert re.fullmatch(r"cmek \d+\.\d+\.\d+\n", cmek(tmp_path, "--version").stdout)
    assert cmek(tmp_path, "doctor", "-h").stdout == cmek(tmp_path, "doctor", "--help").stdout


def test_init_takes_spaces_and_dashes_and_tells_its_own_account_at_once(tmp_path: Path) -> None:
    flags = ["--regions=us-east-1 eu-west-1,us-west-2", "--region=us-east-1", "--name=acme"]
    cmek(tmp_path, "init", "--pinecone-account-id=9999-8888-7777", "--account=0111-2222-3333", *flags)
    text = (tmp_path / "cmek.yaml").read_text()
    assert "regions: [us-east-1, eu-west-1, us-west-2]" in text
    assert 'account: "011122223333"' in text
    (tmp_path / "cmek.yaml").unlink()
    printed = cmek(tmp_path, "init", *flags, answers="9999-8888-7777\n9999-8888-7777\n0111-2222-3333\n")
    assert "is the number that you gave as Pinecone's" in printed.stdout + printed.stderr


def test_init_takes_regions_as_its_message_writes_them(tmp_path: Path) -> None:
    regions = '["us-east-1", "eu-west-1"]'
    flags = ["--pinecone-account-id=999988887777", "--account=111122223333", "--region=us-east-1", "--name=acme"]
    assert regions in " ".join(cmek(tmp_path, "init", "--regions=us-east1", *flags, code=2).stderr.split())
    cmek(tmp_path, "init", f"--regions={regions}", *flags)
    assert "regions: [us-east-1, eu-west-1]" in (tmp_path / "cmek.yaml").read_text()


def test_init_with_flags_writes_a_commented_file_with_a_new_uuid(tmp_path: Path) -> None:
    assert "cdk deploy acme" in cmek(tmp_path, "init", *FLAGS).stdout
    text = (tmp_path / "cmek.yaml").read_text()
    (external_id,) = external_ids(tmp_path)
    assert uuid.UUID(external_id).version == 4
    assert text.count("#") >= 5
    assert 'account: "011122223333"' in text
    assert "regions: [us-east-1, eu-west-1]" in text


def test_init_asks_and_asks_again(tmp_path: Path) -> None:
    printed = cmek(tmp_path, "init", answers="12\n999988887777\nALL_REGIONS\nus-east-1\nacme\n011122223333\n")
    assert "12 digits" in printed.stdout + printed.stderr
    assert "regions: ALL_REGIONS" in (tmp_path / "cmek.yaml").read_text()


def test_init_never_overwrites(tmp_path: Path) -> None:
    cmek(tmp_path, "init", *FLAGS)
    before = (tmp_path / "cmek.yaml").read_text()
    refused = cmek(tmp_path, "init", *FLAGS, code=1)
    assert "never overwritten" in refused.stderr
    assert (tmp_path / "cmek.yaml").read_text() == before


def test_init_in_an_empty_folder_writes_what_this_checkout_has(tmp_path: Path) -> None:
    printed = cmek(tmp_path, "init", *FLAGS).stdout
    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert set(made) == {"cmek.yaml", *OF_AN_APP}
    assert all(name in printed for name in made)
    for name in ("app.py", "cdk.json"):
        assert made[name] == (ROOT / name).read_text()
    ours = json.loads((ROOT / "package.json").read_text())
    assert json.loads(made["package.json"])["devDependencies"] == ours["devDependencies"]
    assert set(made[".gitignore"].split()) <= set((ROOT / ".gitignore").read_text().split())
    assert "python3 -m pip wheel" in made["requirements.txt"]
    origin = json.loads(distribution("cmek-construct").read_text("direct_url.json") or "{}")
    assert made["requirements.txt"].splitlines()[-1] == f"cmek-construct[cli] @ {origin['url']}"


@pytest.mark.parametrize(
    "origin", [None, "https://example.com/x.whl", "file:///not-there/x-1-py3-none-any.whl", "checkout"]
)
def test_init_names_what_it_was_installed_from_and_what_to_do_without_a_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: str | None
) -> None:
    checkout, folder = tmp_path / "a checkout", tmp_path / "folder"
    checkout.mkdir()
    folder.mkdir()
    url = checkout.as_uri() if origin == "checkout" else origin
    said = None if url is None else json.dumps({"url": url, "dir_info": {}})
    fake = SimpleNamespace(version="9.8.7", read_text=lambda _name: said)
    monkeypatch.setattr("cmek_construct.deployment.writing.distribution", lambda _name: fake)
    cmek(folder, "init", *FLAGS)
    *words, requirement = (folder / "requirements.txt").read_text().splitlines()
    assert "#   ./cmek_construct-9.8.7-py3-none-any.whl[cli]" in words
    assert all(line.startswith("#") for line in words)
    wanted = f"cmek-construct[cli] @ {url}" if origin == "checkout" else "cmek-construct[cli]==9.8.7"
    assert requirement == wanted
    assert {path.name for path in folder.iterdir()} == {"cmek.yaml", *OF_AN_APP}


def test_what_is_next_is_said_in_the_order_of_the_readme(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text()
    _, _, own = readme.partition("## As an app in a folder of its own")
    steps = [line for block in re.findall(r"```console\n(.*?)```", own, re.DOTALL)[:3] for line in block.splitlines()]
    steps = [step.replace("search-prod", "acme") for step in steps[steps.index("npm install") :]]
    steps = [step for step in steps if not step.startswith("npx cdk bootstrap")]
    said = cmek(tmp_path, "init", *FLAGS).stdout
    assert said.index("Node.js 22 or 24") < said.index("npm install") < said.index("Next: ")
    assert steps == ["npm install", *next_steps(said)]
    added = cmek(tmp_path, "add", "globex", "--account=044455556666").stdout
    assert next_steps(added) == [step.replace("acme", "globex") for step in steps[1:]]


def next_steps(said: str) -> list[str]:
    return re.split(r"; (?:then )?", said.partition("Next: ")[2].strip())


def test_beside_another_app_nothing_is_next(tmp_path: Path) -> None:
    (tmp_path / "cdk.json").write_text("{}\n")
    said = cmek(tmp_path, "init", *FLAGS).stdout + cmek(tmp_path, "add", "globex", "--account=044455556666").stdout
    assert "npx" not in said
    assert "npm" not in said


@pytest.mark.parametrize("name", [name for name in OF_AN_APP if name != "cdk.json"])
def test_init_leaves_each_file_that_is_there_and_says_so(name: str, tmp_path: Path) -> None:
    theirs = "# cmek_construct.deployment, in a way of theirs\n"
    (tmp_path / name).write_text(theirs)
    assert f"Left as it was: {name}." in cmek(tmp_path, "init", *FLAGS).stdout
    assert (tmp_path / name).read_text() == theirs
    assert {path.name for path in tmp_path.iterdir()} == {"cmek.yaml", *OF_AN_APP}


@pytest.mark.parametrize("name", ["cdk.json", "app.py"])
def test_init_beside_another_app_writes_the_file_alone_and_says_so(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("{}\n")
    assert "an app is here that does not read it" in cmek(tmp_path, "init", *FLAGS).stdout
    assert {path.name for path in tmp_path.iterdir()} == {"cmek.yaml", name}
    assert (tmp_path / name).read_text() == "{}\n"


def test_init_refuses_what_the_construct_refuses_and_writes_nothing(tmp_path: Path) -> None:
    for flag, said in (
        ("--regions=mars", "regions[0]"),
        ("--account=1", "12 digits"),
        ("--region=cn-north-1", "partition"),
        ("--name=9", "begins with a letter"),
    ):
        flags = [one for one in FLAGS if not one.startswith(flag.split("=")[0] + "=")]
        assert said in cmek(tmp_path, "init", *flags, flag, code=2).stderr
    refused = cmek(tmp_path, "init", *FLAGS, "--regions=ALL_REGIONS", "--no-external-id", code=1)
    assert "without one, Pinecone's role of every region" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_init_without_external_id_is_the_guides_second_form(tmp_path: Path) -> None:
    cmek(tmp_path, "init", *FLAGS, "--no-external-id")
    assert external_ids(tmp_path) == []


def test_add_keeps_every_line_and_mints_another_id(tmp_path: Path) -> None:
    cmek(tmp_path, "init", *FLAGS)
    file = tmp_path / "cmek.yaml"
    text = file.read_text().replace("stacks:\n", "# Ours, by hand.\nstacks:\n") + "    # the last\n"
    file.write_text(text)
    cmek(tmp_path, "add", "globex", "--account=044455556666", "--regions=ALL_REGIONS")
    after = file.read_text()
    assert after.startswith(text)
    first, second = external_ids(tmp_path)
    assert first != second
    assert uuid.UUID(second).version == 4
    assert 'account: "044455556666"' in after


STRANGE = """\
%TAG ! tag:example.com,2000:
---
stacks:   # ours
    acme:
        account:	"011122223333"	# a tab
        external_id: 0xabCD   # no UUID
        regions: [
            us-east-1,  # virginia
            eu-west-1,  # ireland
        ]
        # the last of acme
# Pinecone's account:
pinecone_account_id: "999988887777"
regions: [us-east-1]
region:   'us-east-1'   # where the keys are
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_add_changes_no_byte_of_a_file_written_by_hand(tmp_path: Path, newline: str) -> None:
    file = tmp_path / "cmek.yaml"
    before = STRANGE.partition("---\n")[2].replace("\n", newline)
    file.write_bytes(before.encode())
    cmek(tmp_path, "add", "globex", "--account=044455556666", "--no-external-id")
    after = file.read_bytes().decode()
    added = f'    globex:{newline}      account: "044455556666"{newline}'
    head, tail = before.split(f"# Pinecone's account:{newline}")
    assert after == f"{head}{added}# Pinecone's account:{newline}{tail}"


def test_add_follows_a_link_and_keeps_the_mode(tmp_path: Path) -> None:
    cmek(tmp_path, "init", *FLAGS)
    file = tmp_path / "cmek.yaml"
    target = tmp_path / "target.yaml"
    file.rename(target)
    target.chmod(0o640)
    file.symlink_to(target)
    cmek(tmp_path, "add", "globex", "--account=044455556666")
    assert file.is_symlink()
    assert "globex" in target.read_text()
    assert target.stat().st_mode & 0o777 == 0o640


def test_add_gives_the_lines_where_it_cannot_add(tmp_path: Path) -> None:
    text = """\
pinecone_account_id: "999988887777"
regions: [us-east-1]
region: us-east-1
stacks: {acme: {account: "011122223333"}}
"""
    (tmp_path / "cmek.yaml").write_text(text)
    refused = cmek(tmp_path, "add", "globex", "--account=044455556666", code=1)
    assert 'Add by hand:  globex:    account: "044455556666"' in refused.stderr
    assert (tmp_path / "cmek.yaml").read_text() == text


def test_add_refuses_what_is_no_text_and_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "cmek.yaml").write_bytes(b"\xff")
    assert "not UTF-8" in cmek(tmp_path, "add", "x", "--account=044455556666", code=1).stderr
    (tmp_path / "cmek.yaml").unlink()
    (tmp_path / "cmek.yaml").mkdir()
    said = cmek(tmp_path, "add", "x", "--account=044455556666", code=1).stderr
    assert said == "cmek.yaml: cannot be read: Is a directory.\n"


def test_a_file_that_cannot_be_written_is_told_by_its_name(tmp_path: Path) -> None:
    cmek(tmp_path, "init", *FLAGS)
    template = tmp_path / "acme.json"
    template.write_text(cmek(tmp_path, "template").stdout)
    said = cmek(tmp_path, "lock", "acme.json", "--file=none/cmek.lock", code=1).stderr
    assert said == "none/cmek.lock: cannot be written: No such file or directory.\n"
    new = tmp_path / "new"
    new.mkdir()
    (new / "app.py").symlink_to("none/app.py")
    said = cmek(new, "init", *FLAGS, code=1).stderr
    assert said == "app.py: cannot be read or written: No such file or directory.\n"
    assert not (new / "cmek.yaml").exists()


def test_what_is_unusual_about_a_new_stack_is_said_at_once(tmp_path: Path) -> None:
    assert "CHECK" not in cmek(tmp_path, "init", *FLAGS).stdout
    added = ("add", "b", "--account=044455556666", "--regions=us-east-1 us-weast-2")
    printed = cmek(tmp_path, *added).stdout
    assert "CHECK: regions: us-weast-2 is none of the regions of Pinecone's guide" in printed
    assert "CHECK: external_id" in cmek(tmp_path, *added[:1], "c", *added[2:], "--no-external-id").stdout


def test_add_refuses_a_name_that_is_there_and_a_file_that_is_wrong(tmp_path: Path) -> None:
    assert "cmek init" in cmek(tmp_path, "add", "x", "--account=044455556666", code=1).stderr
    cmek(tmp_path, "init", *FLAGS)
    file = tmp_path / "cmek.yaml"
    before = file.read_text()
    assert "there already" in cmek(tmp_path, "add", "acme", "--account=044455556666", code=1).stderr
    assert "begins with" in cmek(tmp_path, "add", "9", "--account=044455556666", code=1).stderr
    assert file.read_text() == before
    file.write_text(before + "color: red\n")
    assert "cmek.yaml:" in cmek(tmp_path, "add", "x", "--account=044455556666", code=1).stderr
    assert file.read_text() == before + "color: red\n"


def test_add_beside_a_value_that_goes_on_at_the_margin_says_what_to_write_by_hand(tmp_path: Path) -> None:
    cmek(tmp_path, "init", *FLAGS)
    file = tmp_path / "cmek.yaml"
    before = file.read_text() + "    tags: {\n team: x}\n"
    file.write_text(before)
    assert "Add by hand:  x:" in cmek(tmp_path, "add", "x", "--account=044455556666", code=1).stderr
    assert file.read_text() == before


def test_sheet_shows_the_dialogs_fields_in_its_order(tmp_path: Path) -> None:
    cmek(tmp_path, "init", *FLAGS)
    printed = cmek(tmp_path, "sheet", "acme", "--outputs", str(outputs(tmp_path))).stdout
    (external_id,) = external_ids(tmp_path)
    lines = [line.split() for line in printed.splitlines()]
    wanted = [
        ["Key", "name", "acme"],
        ["Role", "ARN", ROLE_ARN],
        ["Key", "ARN", KEY_ARN],
        ["External", "ID", external_id],
    ]
    places = [lines.index(line) for line in wanted]
    assert places == list(range(places[0], places[0] + 4))
    before, after = printed.split("Key name")[0], printed.split(external_id)[1]
    assert "Encrypt with Customer Managed Encryption Key" in before
    assert "cannot be changed in Pinecone" in before
    assert "No backups" in after


def test_sheet_as_json_has_null_where_the_field_stays_blank(tmp_path: Path) -> None:
    cmek(tmp_path, "init", *FLAGS, "--no-external-id")
    (tmp_path / "o.json").write_text(json.dumps({"acme": {"RoleArn": ROLE_ARN, "KeyArn": KEY_ARN}}))
    (sheet,) = json.loads(cmek(tmp_path, "sheet", "--json", "--outputs=o.json").stdout)
    assert sheet["fields"] == {"Key name": "acme", "Role ARN": ROLE_ARN, "Key ARN": KEY_ARN, "External ID": None}
    assert "(leave blank)" in cmek(tmp_path, "sheet", "--outputs=o.json").stdout


def test_sheet_refuses_a_stack_that_is_not_there(tmp_path: Path) -> None:
    cmek(tmp_path, "init", *FLAGS)
    cmek(tmp_path, "add", "globex", "--account=044455556666", "--no-external-id")
    (tmp_path / "o.json").write_text('{"other": {}}')
    printed = cmek(tmp_path, "sheet", "acme", "--outputs=o.json", code=1)
    assert printed.stdout == ""
    assert "acme: o.json has no such stack" in printed.stderr
    assert "got 'nobody'" in cmek(tmp_path, "sheet", "nobody", code=1).stderr
    assert "cannot be read" in cmek(tmp_path, "sheet", "--outputs=none.json", code=1).stderr


def test_sheet_refuses_when_file_and_stack_disagree_about_the_external_id(tmp_path: Path) -> None:
    cmek(tmp_path, "init", *FLAGS)
    file = outputs(tmp_path)
    text = (tmp_path / "cmek.yaml").read_text()
    (external_id,) = external_ids(tmp_path)
    (tmp_path / "cmek.yaml").write_text(text.replace(external_id, str(uuid.uuid4())))
    printed = cmek(tmp_path, "sheet", "--outputs", str(file), code=1)
    assert "in the deployed stack" in printed.stderr
    assert printed.stdout == ""


@pytest.mark.parametrize(
    "outputs",
    [
        None,
        5,
        "RoleArnKeyArn",
        ["RoleArn", "KeyArn"],
        {},
        {"RoleArn": 5, "KeyArn": 6},
        {"RoleArn": ROLE_ARN, "KeyArn": "arn:aws:kms:us-east-1:011122223333:alias/x"},
        {"RoleArn": ROLE_ARN, "KeyArn": KEY_ARN.replace("us-east-1", "eu-west-1")},
        {"RoleArn": ROLE_ARN, "KeyArn": KEY_ARN.replace("011122223333", "444444444444")},
        {"RoleArn": ROLE_ARN.replace("011122223333", "444444444444"), "KeyArn": KEY_ARN},
        {"RoleArn": ROLE_ARN + "\x1b[31m", "KeyArn": KEY_ARN},
        {"RoleArn": ROLE_ARN, "KeyArn": KEY_ARN, "ExternalId": "\u202e"},
    ],
    ids=repr,
)
def test_sheet_refuses_outputs_that_are_not_this_stacks(tmp_path: Path, outputs: object) -> None:
    cmek(tmp_path, "init", *FLAGS, "--no-external-id")
    (tmp_path / "o.json").write_text(json.dumps({"acme": outputs}))
    printed = cmek(tmp_path, "sheet", "--outputs=o.json", code=1)
    assert printed.stdout == ""
    assert "acme: " in printed.stderr
    assert "\x1b" not in printed.stderr
    assert "\u202e" not in printed.stderr


CUSTOMER_KEY = "arn:aws:kms:eu-west-1:044455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def vendor(folder: Path) -> Path:
    """A vendor's file, and the outputs of its stack."""
    cmek(folder, "init", *FLAGS, "--customer-account-ids=044455556666, 777788889990")
    file = outputs(folder)
    file.write_text(file.read_text().replace(f'"KeyArn": "{KEY_ARN}", ', ""))
    return file


def test_a_vendors_stack_is_written_and_added_with_its_customers(tmp_path: Path) -> None:
    vendor(tmp_path)
    text = (tmp_path / "cmek.yaml").read_text()
    assert 'customer_account_ids: ["044455556666", "777788889990"]' in text
    cmek(tmp_path, "add", "x", "--account=011122223333", "--customer-account-ids=044455556666")
    text = (tmp_path / "cmek.yaml").read_text()
    assert text.endswith('customer_account_ids: ["044455556666"]\n')
    for wrong in ("44455556666", "044455556666,044455556666"):
        options = ("--account=011122223333", f"--customer-account-ids={wrong}")
        assert "customer_account_ids[" in cmek(tmp_path, "add", "y", *options, code=2).stderr
    options = ("--account=011122223333", "--customer-account-ids=011122223333")
    assert "own account" in cmek(tmp_path, "add", "y", *options, code=1).stderr


def test_a_vendors_sheet_has_the_key_of_a_customer(tmp_path: Path) -> None:
    file = vendor(tmp_path)
    options = ("acme", "--json", f"--outputs={file}", f"--key-arn={CUSTOMER_KEY}")
    (sheet,) = json.loads(cmek(tmp_path, "sheet", *options).stdout)
    assert sheet["fields"] == {
        "Key name": "acme-044455556666",
        "Role ARN": ROLE_ARN,
        "Key ARN": CUSTOMER_KEY,
        "External ID": external_ids(tmp_path)[0],
    }
    assert (sheet["account"], sheet["region"]) == ("011122223333", "eu-west-1")


def test_a_vendors_sheet_is_refused_without_a_key_that_the_role_may_use(tmp_path: Path) -> None:
    file = vendor(tmp_path)
    printed = cmek(tmp_path, "sheet", "acme", f"--outputs={file}", code=1)
    assert "Give --key-arn" in printed.stderr
    stranger = CUSTOMER_KEY.replace("044455556666", "044455556667")
    printed = cmek(tmp_path, "sheet", f"--outputs={file}", f"--key-arn={stranger}", code=1)
    assert "the role may not use it" in printed.stderr
    assert printed.stdout == ""
    alias = CUSTOMER_KEY.replace("key/", "alias/")
    assert "key_arn" in cmek(tmp_path, "sheet", f"--key-arn={alias}", code=2).stderr


def test_a_key_arn_that_is_cut_short_makes_no_sheet(tmp_path: Path) -> None:
    file = vendor(tmp_path)
    printed = cmek(tmp_path, "sheet", f"--outputs={file}", f"--key-arn={CUSTOMER_KEY[:-1]}", code=1)
    assert "a key ID is a UUID" in printed.stderr
    assert printed.stdout == ""


def test_a_vendors_sheet_says_what_was_not_compared_and_what_is_unusual(tmp_path: Path) -> None:
    file = vendor(tmp_path)
    far = CUSTOMER_KEY.replace("eu-west-1", "ap-southeast-2")
    printed = cmek(tmp_path, "sheet", f"--outputs={file}", f"--key-arn={far}").stdout
    assert "CHECK: Deploy acme first" in printed
    assert "CHECK: regions: the key is in ap-southeast-2" in printed
    assert "role in AWS account 011122223333, key in account 044455556666" in printed


def test_a_stack_with_its_own_key_takes_no_other_for_its_sheet(tmp_path: Path) -> None:
    cmek(tmp_path, "init", *FLAGS)
    options = (f"--outputs={outputs(tmp_path)}", f"--key-arn={CUSTOMER_KEY}")
    assert "own key" in cmek(tmp_path, "sheet", *options, code=1).stderr


def test_sheet_without_credentials_says_what_to_do(tmp_path: Path) -> None:
    cmek(tmp_path, "init", *FLAGS)
    printed = cmek(tmp_path, "sheet", code=1)
    assert "credentials" in printed.stderr
    assert "--outputs" in printed.stderr


def test_a_suspended_stack_says_so_on_its_sheet(tmp_path: Path) -> None:
    cmek(tmp_path, "init", *FLAGS)
    file = outputs(tmp_path)
    with (tmp_path / "cmek.yaml").open("a") as text:
        text.write("    suspended: true\n")
    assert "SUSPENDED" in cmek(tmp_path, "sheet", "--outputs", str(file)).stdout


@pytest.mark.parametrize("arguments", [("sheet", "--outputs=outputs.json"), ("--help",)])
def test_a_reader_that_is_gone_ends_it_without_a_word(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    cmek(tmp_path, "init", *FLAGS)
    outputs(tmp_path)
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([INSTALLED, *arguments], cwd=tmp_path, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


def test_what_is_begun_is_done_though_nobody_reads_it(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\n"
        "from cmek_construct.commands.printing import tell\n"
        "tell(['x'] * 3)\n"
        "Path('done').touch()"
    )
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "done").exists()


def test_a_letter_that_the_terminal_lacks_is_written_as_its_code(tmp_path: Path) -> None:
    (tmp_path / "ż.json").write_text('{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}')
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "1"}
    for arguments, code, words in (
        (["add", "--help"], 0, r"--customer-account-ids DIGITS,\u2026"),
        (["check", "ż.json"], 1, r"\u017c.json: nothing of Pinecone's"),
    ):
        done = subprocess.run([INSTALLED, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == code, done.stderr
        assert words in done.stdout


@pytest.mark.parametrize("module", ["rich", "boto3"], ids=["while it starts", "while AWS is asked"])
def test_ctrl_c_ends_it_at_once_and_without_a_word(tmp_path: Path, module: str) -> None:
    cmek(tmp_path, "init", *FLAGS)
    (tmp_path / f"{module}.py").write_text("import pathlib, time\npathlib.Path('waits').touch()\ntime.sleep(10_000)\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    heeded = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # jobs in the background ignore it
    running = subprocess.Popen(
        [INSTALLED, "doctor"], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=heeded
    )
    while not (tmp_path / "waits").exists():
        assert running.poll() is None
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert (running.returncode, said) == (130, "")


def test_json_has_a_line_for_each_record(tmp_path: Path) -> None:
    cmek(tmp_path, "init", *FLAGS)
    printed = cmek(tmp_path, "sheet", "--json", f"--outputs={outputs(tmp_path)}").stdout
    lines = printed.splitlines()
    assert (lines[0], lines[-1]) == ("[", "]")
    assert json.loads(lines[1])["name"] == "acme"
