"""The guardrails under the CDK CLI, which looks at the stacks that a command selects."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

APP = """
import aws_cdk as cdk
import cmek_construct.guardrails.plugin as plugin
from cmek_construct import CmekGuardrails, PineconeCmek

def fill(scope, name, property, value):
    stack = cdk.Stack(scope, name, env=cdk.Environment(account="111122223333", region="us-east-1"))
    cmek = PineconeCmek(stack, "Cmek", pinecone_account_id="999988887777", regions=["us-east-1"],
                        external_id="5b4f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f")
    setattr(cmek.key.node.default_child, property, value)

def acknowledge(scope, rule):
    meant = cdk.Acknowledgment(id=f"cmek-guardrails::{rule}", reason="Ticket 42")
    cdk.Validations.of(scope).acknowledge(meant)

def judge_nothing(*_):
    raise KeyError("odd")

app = cdk.App()
cdk.Validations.of(app).add_plugins(CmekGuardrails())
test, prod = cdk.Stage(app, "Test"), cdk.Stage(app, "Prod")
"""
TOP = 'fill(app, "Top", "enabled", True)\n'
STAGES = (
    'fill(test, "Search", "pending_window_in_days", 7)\n'
    'fill(cdk.Stage(prod, "Inner"), "Search", "enable_key_rotation", False)\n'
)
ACKNOWLEDGED = 'acknowledge(test, "key-pending-window")\nacknowledge(prod, "key-rotation")\n'
USERS_TEST = """
import pytest
def test_it():
    with pytest.raises(RuntimeError, match="EnableKeyRotation"):
        app.synth()
"""


def cdk(folder: Path, app: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ROOT / "node_modules" / ".bin" / "cdk"), "--app", app, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def synth(folder: Path, app: str) -> subprocess.CompletedProcess[str]:
    (folder / "app.py").write_text(APP + app + "app.synth()\n")
    return cdk(folder, f"{sys.executable} app.py", "synth", "-q")


def test_a_violation_in_a_stage_fails_whatever_is_selected(tmp_path: Path) -> None:
    bare = synth(tmp_path, TOP + STAGES + 'acknowledge(test, "key-pending-window")\n')
    assert bare.returncode == 1
    assert bare.stderr == (
        "ERROR EnableKeyRotation is not true. Who ever gets hold of the key material could read all data, of all "
        "years. (cmek-guardrails)\n"
        "   Prod/Inner/Search/Cmek/Key/Resource (CmekKey21C8C2B3) aws-cdk-lib.aws_kms.CfnKey\n"
        "   Suggested fix: Set EnableKeyRotation to true; if PineconeCmek makes the key, enable_key_rotation=False "
        "says that none is meant.\n"
        "   Acknowledge with 'cmek-guardrails::key-rotation'\n"
        "Synthesis finished with errors\n"
    )
    for command in ("synth Top", "deploy Top", "deploy Prod/**"):
        again = cdk(tmp_path, "cdk.out", *command.split())
        assert (again.returncode, again.stderr) == (1, bare.stderr), command


def test_what_is_acknowledged_in_a_stage_passes(tmp_path: Path) -> None:
    passed = synth(tmp_path, STAGES + ACKNOWLEDGED)
    assert passed.returncode == 0, passed.stderr
    assert "cmek-guardrails" not in passed.stderr


def test_an_app_that_could_not_be_judged_fails(tmp_path: Path) -> None:
    failed = synth(tmp_path, TOP + "plugin.judge = judge_nothing\n")
    assert failed.returncode == 1
    assert "FATAL Validation plugin 'cmek-guardrails' failed: 'odd'" in failed.stderr


def test_a_users_test_that_expects_the_refusal_passes_under_the_cli_too(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(APP + STAGES + USERS_TEST)
    cli = {"CDK_CLI_VERSION": "2.1148.1", "CDK_OUTDIR": str(tmp_path / "cdk.out")}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | cli,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
