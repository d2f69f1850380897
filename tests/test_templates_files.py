"""Templates out of files: what is read, and what is told in one sentence."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cmek_construct import checks
from cmek_construct.templates.files import read
from cmek_construct.templates.reading import UnreadableError, parsed
from cmek_construct.templates.run import read_run

YAML = """\
AWSTemplateFormatVersion: 2010-09-09
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Principal: {AWS: [!Sub 'arn:aws:iam::${P}:root', !GetAtt O.Arn.X, 111122223333]}
            Condition: !If [IsOff, !Ref AWS::NoValue, {Bool: {x: on}}]
            Mode: 0644
            Weight: 1.10
"""


def test_yaml_is_the_same_as_its_long_form() -> None:
    role = parsed(YAML)["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"]
    assert role["Version"] == "2012-10-17"
    [statement] = role["Statement"]
    assert statement["Principal"]["AWS"] == [
        {"Fn::Sub": "arn:aws:iam::${P}:root"},
        {"Fn::GetAtt": ["O", "Arn.X"]},
        111122223333,
    ]
    nothing = {"Ref": "AWS::NoValue"}
    assert statement["Condition"] == {"Fn::If": ["IsOff", nothing, {"Bool": {"x": True}}]}
    assert (statement["Mode"], statement["Weight"]) == (0o644, "1.10")


@pytest.mark.parametrize("text", ["{}", "\ufeff{}", '{"Rules": {}}', '{"Resources": {}}'])
def test_a_stack_without_resources_is_a_template(text: str) -> None:
    parsed(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"Resources": {}, "Resources": {}}', "twice"),
        ("Resources: {A: {Type: X}, A: {Type: X}}", "twice"),
        ("Resources: {A: &a {Type: X}, B: *a}", "alias"),
        ("Resources: {A: {Type: X, Account: 011122223333}}", '"011122223333"'),
        ("Resources: {A: {Type: X, Account: !!int ''}}", "neither JSON nor YAML"),
        ('{"Resources": {"A": {"Type": "X", "Y": NaN}}}', "NaN"),
        ('{"Resources": []}', "Type"),
        ('{"Resources": {"A": {"Properties": {}}}}', "Type"),
        ('{"name": "a package"}', "none of its members"),
        ("[]", "object"),
        ("", "object"),
        ("just words", "object"),
        ("{" * 50_000, "neither"),
        ('{"Resources": {"A": {"Type": "X", "Y": ' + "[" * 500 + "]" * 500 + "}}}", "deep"),
    ],
)
def test_what_is_no_template_is_told(text: str, why: str) -> None:
    with pytest.raises(UnreadableError, match=why):
        parsed(text)


def test_each_problem_is_a_value_with_its_file(tmp_path: Path) -> None:
    large, binary = tmp_path / "large.json", tmp_path / "binary.json"
    large.write_bytes(b" " * (checks.TEMPLATE + 1))
    binary.write_bytes(b"{\xff}")
    empty = tmp_path / "empty"
    empty.mkdir()
    found = read([large, binary, tmp_path / "none.json", empty])
    assert found.templates == []
    assert [Path(one.where).name for one in found.problems] == [
        "large.json", "binary.json", "none.json", "empty",
    ]  # fmt: skip
    assert "cdk synth" in found.problems[-1].way_out


def test_an_assembly_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    for text in ("{", "[]", '{"artifacts": {"a": 1, "b": {"properties": {"templateFile": 1}}}}'):
        (tmp_path / "manifest.json").write_text(text)
        assert read([tmp_path]).templates == []


def test_nested_templates_by_a_path_beside_the_parent(tmp_path: Path) -> None:
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "b.yaml"}}
    outside = {"Type": nested["Type"], "Properties": {"TemplateURL": "../b.yaml"}}
    itself = {"Type": nested["Type"], "Properties": {"TemplateURL": "a.json"}}
    content = {"Resources": {"B": nested, "C": outside, "D": itself}}
    (tmp_path / "a.json").write_text(json.dumps(content))
    (tmp_path / "b.yaml").write_text("Resources: {}")
    [top] = read([tmp_path / "a.json"]).templates or read([tmp_path / "b.yaml"]).templates
    assert top.inner["B"].file.name == "b.yaml"
    assert "C" not in top.inner


def test_an_account_that_the_assembly_does_not_say_is_the_callers(tmp_path: Path) -> None:
    properties = {"templateFile": "s.json"}
    artifact = {"type": "aws:cloudformation:stack", "properties": properties}
    for account, problems in (("unknown-account", 0), ("111122223333", 1)):
        artifact["environment"] = f"aws://{account}/us-east-1"
        (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"s": artifact}}))
        (tmp_path / "s.json").write_text("{}")
        run = read_run([tmp_path], account="222233334444")
        assert len(run.problems) == problems
        assert run.tops[0].account == ("111122223333" if problems else "222233334444")


def test_reading_json_needs_neither_yaml_nor_cdk_nor_boto3() -> None:
    code = (
        "import sys\n"
        "for name in ('yaml', 'aws_cdk', 'boto3', 'jsii'): sys.modules[name] = None\n"
        "from cmek_construct.templates.pinecone import find\n"
        "from cmek_construct.templates.files import parsed, template_of\n"
        "from cmek_construct.templates.run import Run\n"
        "print(find(Run([template_of(parsed('{}'))])).roles)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_megabyte_takes_seconds(tmp_path: Path) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": {"Ref": "P"}}, "Action": "s3:*"}
    bucket = {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"PolicyDocument": {"Statement": [statement] * 20}},
    }
    content = {"Resources": {f"B{number}": bucket for number in range(500)}}
    (tmp_path / "a.json").write_text(json.dumps(content))
    start = time.monotonic()
    assert read_run([tmp_path / "a.json"]).problems == []
    assert time.monotonic() - start < 5
