"""The README and the examples: what they show runs, and what they list is complete."""

from __future__ import annotations

import html
import inspect
import json
import os
import re
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import typer

import cmek_construct
from cmek_construct import ALL_REGIONS
from cmek_construct.commands.app import cli
from cmek_construct.deployment.config import StackSettings
from cmek_construct.deployment.reading import parse_entries
from cmek_construct.guardrails.rules import RULES
from tests import reference
from tests.building import cmek_template, trust_statements
from tests.conftest import ROOT

MADE = ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::KMS::Key", "AWS::KMS::Alias")
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def run(script: str, folder: Path) -> dict[str, Any]:
    """Run a script that synthesizes; the templates by file name."""
    subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=os.environ | {"CDK_OUTDIR": str(folder)},
        check=True,
        capture_output=True,
    )
    return {path.name: json.loads(path.read_text()) for path in folder.rglob("*.template.json")}


@pytest.mark.parametrize("number", range(len(blocks("python"))))
def test_the_readmes_python_runs(number: int, tmp_path: Path) -> None:
    templates = run(blocks("python")[number], tmp_path)
    assert "AWS::KMS::Key" in json.dumps(templates)


def test_the_readmes_yaml_is_a_cmek_yaml() -> None:
    for block in blocks("yaml"):
        assert parse_entries(block, "README.md")


def test_the_readmes_statements_are_those_of_the_template() -> None:
    forms: list[dict[str, Any]] = [{}, {"external_id": None}, {"regions": ALL_REGIONS}]
    rendered = [trust_statements(cmek_template(**props))[0] for props in forms]
    assert [json.loads(block) for block in blocks("json")] == rendered


def test_the_readmes_commands_exist() -> None:
    words = " ".join(blocks("console")).split()
    for script in {word for word in words if word.startswith("scripts/")}:
        assert os.access(ROOT / script, os.X_OK), script
    shown = set(re.findall(r"cmek ([a-z-]+)", README))
    assert shown <= {command.name for command in typer.main.get_group(cli).commands.values()}


def test_the_readme_has_no_gap() -> None:
    assert not re.search(r"^[A-Z]{4,}$", README, re.MULTILINE)


def test_the_readmes_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
    headings = {
        re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", README, re.MULTILINE)
    }
    for anchor in re.findall(r"\]\(#([^)]+)\)", README):
        assert anchor in headings, anchor


def test_the_readmes_table_has_every_prop() -> None:
    table = README.partition("## Every prop")[2].partition("## Every warning")[0]
    props = set(inspect.signature(cmek_construct.PineconeCmek.__init__).parameters)
    rows = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert rows - {"PineconeCmek"} == props - {"self", "scope", "construct_id"}
    for prop in StackSettings.model_fields:
        assert f"`{prop}`" in table, prop


def test_the_readmes_tables_are_those_of_the_rows() -> None:
    assert reference.readme(README) == README, "run scripts/schema"


def test_the_readmes_table_has_every_guardrail_in_its_own_words() -> None:
    table = README.partition("## Every guardrail")[2].partition("## What a deployer")[0]
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.*) \|$", table, re.MULTILINE))
    del rows["lock-file"]
    assert {name: html.unescape(words) for name, words in rows.items()} == {
        rule.id: rule.sentence for rule in RULES
    }


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_the_examples_run(path: Path, tmp_path: Path) -> None:
    templates = run(path.read_text(), tmp_path)
    assert templates
    assert all(template["Resources"] for template in templates.values())


def test_the_example_file_is_a_cmek_yaml() -> None:
    file = ROOT / "examples" / "cmek.yaml"
    assert len(parse_entries(file.read_text(), file)) == 6


def test_the_deployers_policy_is_what_cloudformations_handlers_need() -> None:
    needed: set[str] = set()
    for path in (resources.files("cfnlint") / "data/schemas/resources").iterdir():
        schema = json.loads(path.read_text())
        if schema.get("typeName") in MADE:
            for handler, permissions in schema["handlers"].items():
                needed |= set(permissions["permissions"]) if handler != "list" else set()
    policy = json.loads((ROOT / "examples" / "deployer-policy.json").read_text())
    granted = {action for statement in policy["Statement"] for action in statement["Action"]}
    assert needed
    # No group or user is attached to a policy of ours.
    assert granted == {one for one in needed if not re.search("(Group|User)Policy$", one)}


def test_no_document_names_this_machine_or_a_registry() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    for name in tracked:
        path = ROOT / name
        if path.suffix in {".md", ".py", ".json", ".toml", ".yaml", ".txt", ".js", ".mjs", ""}:
            text = path.read_text(errors="ignore")
            assert str(ROOT) not in text, name
            assert not re.search(r"https?://\S*(registry|pypi|pythonhosted)", text), name
