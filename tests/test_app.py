"""app.py as people run it: by `cdk synth`, and by python alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk_lib
import pytest
import yaml

from cmek_construct.deployment.reading import read_entries
from cmek_construct.deployment.stack import CmekStack
from tests.building import without_context
from tests.conftest import ROOT

FILE = """\
pinecone_account_id: "999988887777"
regions: [us-east-1, eu-west-1]
region: us-east-1
stacks:
  acme:
    account: "111122223333"
    external_id: 5b4f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f
  globex:
    account: "444455556666"
    regions: ALL_REGIONS
    external_id: 0c3f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f
    bootstrap: false
  initech:
    account: "111122223333"
    external_id: 9d3f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f
    termination_protection: false
    tags: {owner: security}
"""
IDS = {"Role1ABCC5F0": "AWS::IAM::Role", "Key961B73FD": "AWS::KMS::Key", "KeyPineconeAlias0F7AA316": "AWS::KMS::Alias"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the app of this checkout and a file of three stacks."""
    return filled(tmp_path)


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Such a folder in which the app has run; it is read alone."""
    folder = filled(tmp_path_factory.mktemp("synthesized"))
    assert run_app(folder).returncode == 0
    return folder


def filled(folder: Path) -> Path:
    for name in ("app.py", "cdk.json"):
        shutil.copy(ROOT / name, folder)
    (folder / "cmek.yaml").write_text(FILE)
    return folder


def run_app(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python app.py`, with the assembly in cdk.out."""
    return subprocess.run(
        [sys.executable, "app.py"],
        cwd=folder,
        env=os.environ | {"CDK_OUTDIR": "cdk.out"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def cdk(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The CDK CLI that package-lock.json pins."""
    return subprocess.run(
        [str(ROOT / "node_modules" / ".bin" / "cdk"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def synthesize(folder: Path) -> dict[str, dict[str, Any]]:
    """The templates of the folder's stacks, made beside the CDK that runs already."""
    app = cdk_lib.App(outdir=str(folder / "cdk.out"), analytics_reporting=False)
    for entry in read_entries(folder / "cmek.yaml"):
        CmekStack(app, entry)
    app.synth()
    return templates(folder)


def manifest(folder: Path) -> dict[str, dict[str, object]]:
    artifacts = json.loads((folder / "cdk.out" / "manifest.json").read_text())["artifacts"]
    return {
        name: artifact["properties"]
        for name, artifact in artifacts.items()
        if artifact["type"] == "aws:cloudformation:stack"
    }


def templates(folder: Path) -> dict[str, dict[str, Any]]:
    return {
        path.name.removesuffix(".template.json"): json.loads(path.read_text())
        for path in (folder / "cdk.out").glob("*.template.json")
    }


def test_there_is_one_stack_per_entry_in_its_account_and_region(synthesized: Path) -> None:
    stacks = manifest(synthesized)
    assert list(stacks) == ["acme", "globex", "initech"]
    assert [stack["terminationProtection"] for stack in stacks.values()][:2] == [True, True]
    assert "terminationProtection" not in stacks["initech"] or not stacks["initech"]["terminationProtection"]
    for template in templates(synthesized).values():
        resources = template["Resources"]
        assert {name: one["Type"] for name, one in resources.items()} == IDS
        assert sorted(without_context(template)) == ["Description", "Outputs", "Resources"]
        assert sorted(template["Outputs"]) == ["ExternalId", "KeyArn", "RoleArn"]


def test_a_stack_with_customers_is_a_role_with_their_statements_and_no_key(folder: Path, synthesized: Path) -> None:
    file = folder / "cmek.yaml"
    own = templates(synthesized)["acme"]
    customers = '\n    customer_account_ids: ["777788889990"]\n    role_path: /vendor/\n  globex:'
    file.write_text(FILE.replace("\n  globex:", customers))
    vendor = synthesize(folder)["acme"]
    resources = vendor["Resources"]
    assert {name: one["Type"] for name, one in resources.items()} == {
        "Role1ABCC5F0": "AWS::IAM::Role",
        "RoleCustomersEndingIn09E6C58E1": "AWS::IAM::ManagedPolicy",
    }
    role = resources["Role1ABCC5F0"]["Properties"]
    assert role.pop("Path") == "/vendor/"
    assert role == own["Resources"]["Role1ABCC5F0"]["Properties"]
    assert sorted(vendor["Outputs"]) == ["ExternalId", "RoleArn"]
    assert "customers" in str(vendor["Description"])
    assert "Never replace or delete the role" in str(vendor["Metadata"])
    assert "the key:" not in str(vendor["Metadata"])


def test_the_order_of_the_file_moves_nothing(folder: Path, synthesized: Path) -> None:
    before = templates(synthesized)
    document = yaml.safe_load(FILE)
    document["stacks"] = dict(reversed(document["stacks"].items()))
    document["stacks"]["another"] = document["stacks"]["acme"] | {"external_id": "7a3f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f"}
    (folder / "cmek.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    assert synthesize(folder).items() >= before.items()


def test_an_account_without_bootstrap_is_one_line(synthesized: Path) -> None:
    stacks = manifest(synthesized)
    assert "stackTemplateAssetObjectUrl" in stacks["acme"]
    assert "stackTemplateAssetObjectUrl" not in stacks["globex"]


def test_a_deploy_of_one_stack_publishes_its_own_template_alone(synthesized: Path) -> None:
    for name in ("acme", "initech"):
        assets = json.loads((synthesized / "cdk.out" / f"{name}.assets.json").read_text())
        (asset,) = assets["files"].values()
        assert asset["source"]["path"] == f"{name}.template.json"


def test_a_warning_is_printed_unless_it_is_acknowledged_in_the_file(folder: Path) -> None:
    document = yaml.safe_load(FILE)
    acme, globex, initech = document["stacks"].values()
    document["stacks"]["hooli"] = acme | {"external_id": globex["external_id"]}
    del acme["external_id"], initech["external_id"]
    initech["acknowledge"] = {"cmek-construct:no-external-id": "T42"}
    (folder / "cmek.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    printed = cdk(folder, "synth", "-q")
    assert printed.returncode == 0
    assert printed.stderr.count("external_id: there is none") == 1
    assert "   acme" in printed.stderr
    assert "   initech" not in printed.stderr
    assert "globex and hooli have the same one" in printed.stderr
    assert "cmek-construct:external-id-used-twice" in printed.stderr


def test_only_the_named_stacks_are_built_when_asked(folder: Path) -> None:
    run_app(folder, CDK_CONTEXT_JSON='{"only": "globex,acme"}')
    assert sorted(manifest(folder)) == ["acme", "globex"]


def test_cdk_synth_prints_the_reviewers_template(synthesized: Path) -> None:
    printed = cdk(synthesized, "synth", "acme", "--app=cdk.out")
    assert printed.returncode == 0, printed.stderr
    template = yaml.safe_load(printed.stdout)
    assert sorted(without_context(template)) == ["Description", "Outputs", "Resources"]
    assert "aws:cdk" not in printed.stdout
    assert "BootstrapVersion" not in printed.stdout
    assert all("Metadata" not in one for one in template["Resources"].values())


def test_cdk_list_reads_the_stacks(synthesized: Path) -> None:
    assert cdk(synthesized, "list", "--app=cdk.out").stdout.split() == ["acme", "globex", "initech"]


def test_a_mistake_is_one_message_and_exit_code_1(folder: Path) -> None:
    (folder / "cmek.yaml").write_text(FILE.replace("bootstrap: false", "bootstrp: false"))
    printed = run_app(folder)
    assert printed.returncode == 1
    assert printed.stderr.startswith("cmek.yaml:12: stacks.globex.bootstrp: ")
    assert len(printed.stderr.splitlines()) == 1
    assert not (folder / "cdk.out").exists() or not list((folder / "cdk.out").glob("*.template*"))


@pytest.mark.parametrize(("said", "heard"), [(None, "false"), ("true", "true")])
def test_cdks_own_validation_is_off_and_one_word_switches_it_on(
    folder: Path, said: str | None, heard: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = folder / "in-place-of-node"
    node.write_text('#!/bin/sh\necho "$CDK_VALIDATION" >heard\n')
    node.chmod(0o755)
    monkeypatch.delenv("CDK_VALIDATION")
    run_app(folder, JSII_NODE=str(node), **({"CDK_VALIDATION": said} if said else {}))
    assert (folder / "heard").read_text().strip() == heard


def test_without_a_file_the_app_says_how_to_make_one(folder: Path) -> None:
    (folder / "cmek.yaml").unlink()
    printed = run_app(folder)
    assert printed.returncode == 1
    assert "cmek init" in printed.stderr
    assert "Traceback" not in printed.stderr


def test_every_prop_of_the_file_reaches_the_template(folder: Path) -> None:
    (folder / "cmek.yaml").write_text("""\
pinecone_account_id: "999988887777"
region: us-east-1
stacks:
  made:
    account: "111122223333"
    regions: ALL_REGIONS
    pin_account: true
    external_id: 5b4f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f
    role_name: pinecone
    role_path: /vendors/
    permissions_boundary: arn:aws:iam::111122223333:policy/edge
    key_access: ENCRYPT_DECRYPT
    key_admins: ["arn:aws:iam::111122223333:role/security"]
    alias: pinecone
    description: Pinecone's
    rotation_period: 180
    multi_region: true
    pending_window: 14
    removal_policy: DESTROY
    suspended: true
  given:
    account: "111122223333"
    regions: [us-east-1]
    external_id: 0c3f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f
    key: arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
    enable_key_rotation: null
  borrowed:
    account: "111122223333"
    regions: [us-east-1]
    external_id: 7a3f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f
    role: arn:aws:iam::111122223333:role/theirs
    enable_key_rotation: false
""")
    found = synthesize(folder)
    made, given, borrowed = (json.dumps(found[name]) for name in ("made", "given", "borrowed"))
    for said in (
        '"AWS": "arn:aws:iam::999988887777:root"',
        '"RoleName": "pinecone"',
        '"Path": "/vendors/"',
        '"PermissionsBoundary": "arn:aws:iam::111122223333:policy/edge"',
        '["kms:Decrypt", "kms:Encrypt"]',
        '"AWS": "arn:aws:iam::111122223333:role/security"',
        '"AliasName": "alias/pinecone"',
        '"Description": "Pinecone\'s"',
        '"RotationPeriodInDays": 180',
        '"MultiRegion": true',
        '"PendingWindowInDays": 14',
        '"DeletionPolicy": "Delete"',
        '"Deny Pinecone while suspended"',
    ):
        assert said in made, said
    assert "AWS::KMS::Key" not in given
    assert "key/1234abcd-12ab-34cd-56ef-1234567890ab" in given
    assert "AWS::IAM::Role" not in borrowed
    assert '"EnableKeyRotation": false' in borrowed
