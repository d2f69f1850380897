"""`cmek template`: one plain CloudFormation template, for people without the CDK."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.apps import ROOT, javascript_packages
from cmek_construct import ALL_REGIONS, PINECONE_REGIONS
from tests.building import EXTERNAL_ID, PINECONE, cmek_template, of_type, only, without_context
from tests.command import cmek

NAMES = {region: region.title().replace("-", "") for region in PINECONE_REGIONS}
EXAMPLE = ROOT / "examples" / "typescript"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    path = folder / "pinecone-cmek.template.json"
    path.write_text(cmek(folder, "template").stdout)
    return path


def answered(value: Any, true: frozenset[str], parameters: Mapping[str, str]) -> Any:
    """A template as CloudFormation has it, with these conditions true."""
    if isinstance(value, list):
        return [there for one in value if (there := answered(one, true, parameters)) != {"Ref": "AWS::NoValue"}]
    if not isinstance(value, dict):
        return value
    if "Fn::If" in value:
        name, yes, no = value["Fn::If"]
        return answered(yes if name in true else no, true, parameters)
    if value.get("Ref") in parameters:
        return parameters[value["Ref"]]
    made = {name: answered(one, true, parameters) for name, one in value.items()}
    join = made.get("Fn::Join")
    if join and all(isinstance(one, str) for one in join[1]):
        return join[0].join(join[1])
    return made


@pytest.mark.parametrize(
    "regions", [["us-east-1"], ["us-west-2", "ap-southeast-1"], list(PINECONE_REGIONS), ALL_REGIONS]
)
def test_with_its_answers_it_is_what_the_construct_makes(file: Path, regions: Any) -> None:
    wanted = "AllRegions" if regions is ALL_REGIONS else {NAMES[one] for one in regions}
    true = frozenset({wanted} if isinstance(wanted, str) else wanted)
    parameters = {"PineconeAccountId": PINECONE, "PineconeExternalId": EXTERNAL_ID}
    got = answered(json.loads(file.read_text()), true, parameters)
    made = cmek_template(regions=regions, external_id=EXTERNAL_ID)
    (statement,) = only(got, "AWS::IAM::Role")["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    if regions == ["us-east-1"]:
        (statement["Principal"]["AWS"],) = statement["Principal"]["AWS"]
    assert only(got, "AWS::IAM::Role") == only(made, "AWS::IAM::Role")
    own, other = (only(one, "AWS::KMS::Key") for one in (got, made))
    (role,), (role_of_theirs,) = (of_type(one, "AWS::IAM::Role") for one in (got, made))
    text = json.dumps(own).replace(role, role_of_theirs)
    account = '{"Fn::Join": ["", ["arn:aws:iam::", {"Ref": "AWS::AccountId"}, ":root"]]}'
    assert json.loads(text.replace(account, '"arn:aws:iam::111122223333:root"')) == other


def test_it_is_the_same_each_time_and_has_nothing_of_the_cdk(file: Path) -> None:
    assert cmek(file.parent, "template").stdout == file.read_text()
    text = file.read_text()
    assert not [word for word in ("aws:cdk", "CDKMetadata", "NoEcho", "Bootstrap") if word in text]


def test_it_says_why_role_and_key_are_there_and_that_neither_is_replaced(file: Path) -> None:
    template = without_context(json.loads(file.read_text()))
    assert list(template["Metadata"]) == ["AWS::CloudFormation::Interface"]


def test_the_guardrails_pass_it_and_refuse_it_with_one_regions_condition_broken(file: Path, tmp_path: Path) -> None:
    cmek(file.parent, "check", file.name)
    for region in PINECONE_REGIONS:
        template = json.loads(file.read_text())
        template["Conditions"][NAMES[region]]["Fn::Equals"][1] = "true"
        broken = tmp_path / "broken.template.json"
        broken.write_text(json.dumps(template))
        assert "pinecone-locked-out" in cmek(tmp_path, "check", broken.name, code=1).stdout


def test_one_region_at_least_is_wanted(file: Path) -> None:
    (rule,) = json.loads(file.read_text())["Rules"].values()
    (assertion,) = rule["Assertions"]
    asked = {one["Fn::Equals"][0]["Ref"] for one in assertion["Assert"]["Fn::Or"]}
    assert asked == {f"In{name}" for name in ("AllRegions", *NAMES.values())}


def test_a_cdk_app_in_typescript_includes_it_and_composes_on(file: Path, tmp_path: Path) -> None:
    for name in ("app.ts", "package.json"):
        shutil.copy(EXAMPLE / name, tmp_path)
    shutil.copy(file, tmp_path)
    (tmp_path / "node_modules").symlink_to(javascript_packages())
    subprocess.run(
        ["node", "app.ts"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        env=os.environ | {"CDK_OUTDIR": "cdk.out", "CDK_VALIDATION": "false"},
    )
    template = json.loads((tmp_path / "cdk.out" / "PineconeCmek.template.json").read_text())
    included = json.loads(file.read_text())["Resources"]
    assert {name: one["Type"] for name, one in included.items()}.items() <= {
        name: one["Type"] for name, one in template["Resources"].items()
    }.items()
    cmek(tmp_path, "check", "cdk.out")
    who = cmek(tmp_path, "who", "cdk.out").stdout
    assert "Pinecone's role of us-east-1         yes" in who
