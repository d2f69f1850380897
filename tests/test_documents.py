"""README, docs/ and the examples: what they show runs, and what they name is there."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import aws_cdk as cdk
import botocore.session
import pytest
import typer
import yaml

from cmek_construct import ALL_REGIONS
from cmek_construct.commands.app import cli
from cmek_construct.commands.review import judged
from cmek_construct.deployment.reading import parse_entries
from cmek_construct.guardrails.rule import rules
from cmek_construct.review.drawing import reach
from cmek_construct.templates.files import template_of
from cmek_construct.templates.run import Run
from cmek_construct.warnings import warnings
from reference import screenshot
from reference.__main__ import SCREENSHOT, made
from reference.pictures import drawings
from reference.pictures import svg as as_file
from tests.building import ACCOUNT, cmek_template, trust_statements
from tests.command import cmek
from tests.conftest import ROOT
from tests.test_app import synthesize

MADE = ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::KMS::Key", "AWS::KMS::Alias")
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
}
COMMANDS: Any = typer.main.get_command(cli)
ENVIRONMENT = os.environ | {
    "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
    "CDK_VALIDATION": "false",
}
OF_THE_AWS_CLI: dict[tuple[str, str], set[str]] = {
    ("cloudformation", "deploy"): {*("--template-file", "--stack-name", "--capabilities", "--parameter-overrides")},
    ("sso", "login"): set(),
}
"""What is a command of the AWS CLI alone, and no call of an API."""
OTHER_PROGRAMS = {"source", "python3", "pip", "cp", "npm", "git", ".venv/bin/python"}


def blocks(language: str) -> list[tuple[str, str]]:
    """Every block of a language, with its page."""
    fence = re.compile(rf"^```{language}\n(.*?)^```", re.DOTALL | re.MULTILINE)
    return [(page, block) for page, text in PAGES.items() for block in fence.findall(text)]


def numbered(language: str) -> list[Any]:
    return [pytest.param(block, id=f"{page}-{number}") for number, (page, block) in enumerate(blocks(language))]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, Any]]:
    """Runs a script that synthesizes an app, beside the CDK that runs already; its templates."""
    synthesized: list[cdk.App] = []
    synth = cdk.App.synth

    def noted(app: cdk.App) -> Any:
        synthesized.append(app)
        return synth(app)

    def templates(script: str) -> dict[str, Any]:
        exec(script, {"__name__": "__main__"})
        (app,) = synthesized
        written = Path(app.outdir).rglob("*.template.json")
        return {path.name: json.loads(path.read_text()) for path in written}

    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(cdk.App, "synth", noted)
    return templates


@pytest.mark.parametrize("block", numbered("python"))
def test_python_in_a_document_runs(block: str, run: Callable[[str], dict[str, Any]]) -> None:
    assert "AWS::KMS::Key" in json.dumps(run(block))


def test_yaml_in_a_document_is_a_cmek_yaml_or_a_workflow() -> None:
    for page, block in blocks("yaml"):
        assert "jobs" in yaml.safe_load(block) or parse_entries(block, page)


def test_the_readmes_statements_are_those_of_the_template() -> None:
    forms: list[dict[str, Any]] = [{}, {"external_id": None}, {"regions": ALL_REGIONS}]
    rendered = [trust_statements(cmek_template(**props))[0] for props in forms]
    shown = [json.loads(block) for page, block in blocks("json") if page == "README.md"]
    assert shown == rendered


def typed() -> Iterator[tuple[str, list[str]]]:
    """Every line that a reader is to type: in a block, or in a text as code."""
    for page, block in blocks("console"):
        for line in block.splitlines():
            yield page, line.split("#")[0].split()
    for page, text in PAGES.items():
        for code in re.findall(r"`((?:cmek|aws|npx cdk) [^`]+)`", text):
            yield page, code.split()


def of(program: str) -> list[tuple[str, list[str]]]:
    """What is typed after the name of a program, each once, with a page of it."""
    found = {tuple(words[1:]): page for page, words in typed() if words[:1] == [program]}
    return [(page, list(words)) for words, page in found.items()]


def options(words: list[str]) -> set[str]:
    return {word.rstrip(",.").split("=")[0] for word in words if re.match(r"--[a-z]", word)}


def test_what_is_typed_is_a_program_that_is_known() -> None:
    for page, words in typed():
        if words and words[0] not in OTHER_PROGRAMS | {"cmek", "aws", "npx"}:
            script = ROOT / words[0]
            assert words[0].startswith("scripts/"), (page, words)
            assert os.access(script, os.X_OK), (page, words)


def test_a_cmek_command_in_a_document_exists_with_its_options() -> None:
    for page, words in of("cmek"):
        command, rest = COMMANDS, list(words)
        while rest and rest[0] in getattr(command, "commands", {}):
            command = command.commands[rest.pop(0)]
        assert command is not COMMANDS or words[0] == "--version", (page, words)
        known = {one for parameter in command.params for one in parameter.opts}
        known |= {one for parameter in command.params for one in parameter.secondary_opts}
        assert options(rest) <= known | {"--help"}, (page, words)


def test_an_aws_command_in_a_document_exists_with_its_options() -> None:
    for page, words in of("aws"):
        service, operation, *rest = words
        if (service, operation) in OF_THE_AWS_CLI:
            known = OF_THE_AWS_CLI[service, operation]
        else:
            model = botocore.session.get_session().get_service_model(service)
            name = "".join(part.title() for part in operation.split("-"))
            shape = model.operation_model(name).input_shape
            assert shape is not None
            known = {"--" + re.sub(r"(?<!^)(?=[A-Z])", "-", one).lower() for one in shape.members}
            known |= {f"--no-{one[2:]}" for one in known} | {"--region", "--query", "--output"}
        assert options(rest) <= known, (page, words)


def test_a_cdk_command_in_a_document_exists_with_its_options() -> None:
    # What the CDK CLI itself makes its help of.
    file = ROOT / "node_modules" / "aws-cdk" / "lib" / "cli" / "cli-type-registry.json"
    cli = json.loads(file.read_text())
    lines = [(page, words[2:]) for page, words in typed() if words[:2] == ["npx", "cdk"]]
    assert lines
    for page, (command, *rest) in lines:
        own = cli["commands"][command].get("options", {})
        assert options(rest) <= {f"--{one}" for one in (*cli["globalOptions"], *own)}, (page, rest)


def test_the_workflow_gates_a_pull_request_and_says_what_changes(tmp_path: Path) -> None:
    ((_, block),) = [one for one in blocks("yaml") if "jobs:" in one[1]]
    steps = yaml.safe_load(block)["jobs"]["review"]["steps"]
    runs = {one["name"]: one["run"] for one in steps if "run" in one}
    del runs["Set up"]
    folder = _repository(tmp_path)
    (tmp_path / "bin").mkdir()
    stand_in = tmp_path / "bin" / "gh"
    stand_in.write_text('#!/bin/sh\necho "$@" > ../commented\n')
    stand_in.chmod(0o755)
    environment = ENVIRONMENT | {
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{ENVIRONMENT['PATH']}",
        "GITHUB_BASE_REF": "main",
        "PULL_REQUEST": "7",
    }
    for name, script in runs.items():
        done = subprocess.run(["bash", "-ec", script], cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, (name, done.stdout, done.stderr)
    assert "pr comment 7 --body-file ../changes.md" in (tmp_path / "commented").read_text()
    assert "ap-southeast-1" in (tmp_path / "changes.md").read_text()


def _repository(tmp_path: Path) -> Path:
    """A folder as README makes it, with a lock, and a pull request that adds a region."""
    folder = tmp_path / "app"
    folder.mkdir()
    for name in ("app.py", "cdk.json"):
        (folder / name).write_text((ROOT / name).read_text())
    for name in (".venv", "node_modules"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".gitignore").write_text(".venv\nnode_modules\ncdk.out\n")
    settings = next(one for page, one in blocks("yaml") if page == "README.md")
    (folder / "cmek.yaml").write_text(settings)
    synthesize(folder)
    cmek(folder, "lock")
    more = settings.replace("eu-west-1]", "eu-west-1, ap-southeast-1]")
    script = f"""
git init --quiet --initial-branch main .
git config user.email nobody@example.com && git config user.name Nobody
git add . && git commit --quiet --message before
git update-ref refs/remotes/origin/main main
git checkout --quiet -b more
cat > cmek.yaml <<'END'
{more}END
git commit --quiet --all --message after"""
    subprocess.run(["bash", "-ec", script], cwd=folder, env=ENVIRONMENT, check=True)
    return folder


def test_the_readme_is_read_in_one_sitting() -> None:
    assert len(PAGES["README.md"].splitlines()) <= 260


def test_no_document_has_a_gap() -> None:
    for page, text in PAGES.items():
        assert not re.search(r"^[A-Z]{4,}$", text, re.MULTILINE), page


def anchors(text: str) -> set[str]:
    """Those that a forge makes of the headings."""
    without_blocks = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return {
        re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", without_blocks, re.MULTILINE)
    }


def links(text: str) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_document_leads_somewhere(page: str) -> None:
    for link in links(PAGES[page]):
        if urlsplit(link).scheme:
            assert re.fullmatch(r"https://[a-z0-9.-]+\.[a-z]+(/\S*)?", link), link
            continue
        target, _, anchor = link.partition("#")
        path = (ROOT / page).parent / target if target else ROOT / page
        assert path.exists(), link
        if anchor:
            assert anchor in anchors(path.read_text(encoding="utf-8")), link


def test_every_page_is_reached_from_the_readme() -> None:
    reached, ahead = set(), ["README.md"]
    while ahead:
        page = ahead.pop()
        reached.add(page)
        for link in links(PAGES[page]):
            there = os.path.normpath(Path(page).parent / link.partition("#")[0])
            if there in PAGES and there not in reached:
                ahead.append(there)
    assert set(PAGES) - reached <= {"AGENTS.md"}


def test_what_is_made_of_the_code_is_as_the_code_says() -> None:
    for path, text in made().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run scripts/docs"


def test_every_warning_and_every_guardrail_is_in_the_reference() -> None:
    page = PAGES["docs/reference/warnings-and-guardrails.md"]
    ids = {f"cmek-construct:{name}" for name in warnings()} | {rule.id for rule in rules().values()}
    assert ids <= set(re.findall(r"^\| `([\w:-]+)` \|", page, re.MULTILINE))


@pytest.mark.parametrize("name", drawings())
def test_a_picture_stands_by_itself_and_no_text_leaves_its_box(name: str) -> None:
    drawing = drawings()[name]
    svg = ElementTree.fromstring(as_file(drawing))
    assert {one.tag.partition("}")[2] for one in svg.iter()} <= {
        *("svg", "title", "desc", "style", "rect", "text", "path", "polygon", "circle")
    }
    assert not re.search(r"href|url\(|@import", as_file(drawing))
    for box in drawing.boxes:
        assert len(box.lines[0]) * 7.7 <= box.width - 12, box.lines[0]
        assert all(len(line) * 6.7 <= box.width - 12 for line in box.lines), box.lines


def test_the_picture_of_who_reaches_what_is_that_of_the_template() -> None:
    text = json.dumps(cmek_template())
    for kind in ("Role", "Key"):
        text = re.sub(rf"Cmek{kind}[0-9A-F]{{8}}\b", f"Cmek{kind}", text)
    template = template_of(json.loads(text), account=ACCOUNT)
    [found], _ = judged(Run([template]))
    assert as_file(reach(found.parts[0])) == as_file(drawings()["who-reaches-what"])


def test_the_picture_of_the_page_is_taken_of_the_page_as_it_is() -> None:
    assert screenshot.is_current(SCREENSHOT), "run scripts/docs"


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_the_examples_run(path: Path, run: Callable[[str], dict[str, Any]]) -> None:
    templates = run(path.read_text())
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
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in tracked:
        path = ROOT / name
        if path.suffix in {".md", ".py", ".json", ".toml", ".yaml", ".txt", ".js", ".mjs", ""}:
            text = path.read_text(errors="ignore")
            assert str(ROOT) not in text, name
            assert not re.search(r"https?://\S*(registry|pypi|pythonhosted)", text), name
