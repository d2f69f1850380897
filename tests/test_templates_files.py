"""Templates out of files: what is read, and what is told in one sentence."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from cmek_construct import checks
from cmek_construct.templates.choices import Case
from cmek_construct.templates.reading import UnreadableError, parsed
from cmek_construct.templates.run import read_run
from tests import forms

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
            Action: !Join ['', ['sts:', !Select [0, !Split [',', 'AssumeRole,x']]]]
            Rest: {A: !GetAtt [O, A.B], B: !Sub ['${x}', {x: !Ref y}], C: !Condition Off}
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
    chosen = {"Fn::Select": [0, {"Fn::Split": [",", "AssumeRole,x"]}]}
    assert statement["Action"] == {"Fn::Join": ["", ["sts:", chosen]]}
    assert statement["Rest"] == {
        "A": {"Fn::GetAtt": ["O", "A.B"]},
        "B": {"Fn::Sub": ["${x}", {"x": {"Ref": "y"}}]},
        "C": {"Condition": "Off"},
    }


def test_json_and_yaml_of_one_template_are_one() -> None:
    for name in forms.FORMS:
        assert parsed(yaml.safe_dump(forms.template(name))) == forms.template(name)


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
        (f"Resources: {{A: {{Type: X, Account: 0x{'f' * 6_000}}}}}", "is longer than any number"),
        ("Resources: {A: {Type: X, Account: !!int ''}}", "neither JSON nor YAML"),
        ('{"Resources": {"A": {"Type": "X", "Y": NaN}}}', "NaN"),
        ('{"Resources": []}', "Type"),
        ('{"Resources": {"A": {"Properties": {}}}}', "Type"),
        ('{"Resources": {"A": 1}}', "Type"),
        ('{"Resources": {"A": {"Type": "X", "Properties": [1]}}}', "Type"),
        ("Resources: {A: {<<: {Type: X}}}", "a key is a plain word"),
        ("? [a]\n: b", "a key is a plain word"),
        ("A: !!python/object/apply:os.system [exit]", "neither JSON nor YAML"),
        ("A: \x1b[31m", "neither JSON nor YAML"),
        ('{"name": "a package"}', "none of its members"),
        ("[]", "object"),
        ("", "object"),
        ("just words", "object"),
        ("{" * 50_000, "neither"),
        ('{"Resources": {"A": {"Type": "X", "Y": ' + "[" * 500 + "]" * 500 + "}}}", "deep"),
    ],
)
def test_what_is_no_template_is_told(text: str, why: str) -> None:
    with pytest.raises(UnreadableError, match=why) as refused:
        parsed(text)
    assert str(refused.value).isprintable()


def test_each_problem_is_a_value_with_its_file(tmp_path: Path) -> None:
    large, binary = tmp_path / "large.json", tmp_path / "binary.json"
    large.write_bytes(b" " * (checks.TEMPLATE + 1))
    binary.write_bytes(b"{\xff}")
    empty = tmp_path / "empty"
    empty.mkdir()
    good = forms.template_file("explicit_with_id")
    found = read_run([large, binary, tmp_path / "none\x1b[2J.json", good, empty, good])
    assert [one.file for one in found.templates] == [good]
    names = ("large.json", "binary.json", "none", "empty")
    for problem, name in zip(found.problems, names, strict=True):
        assert name in problem.where
        assert str(problem).isprintable()
    assert "cdk synth" in found.problems[-1].way_out


def test_an_assembly_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    for text in ("{", "[]", '{"artifacts": {"a": 1, "b": {"properties": {"templateFile": 1}}}}'):
        (tmp_path / "manifest.json").write_text(text)
        assert read_run([tmp_path]).templates == []


@pytest.mark.parametrize(
    ("kind", "properties", "problem"),
    [
        ("cdk:cloud-assembly", {"templateFile": "a"}, "its artifact 'x' has no directoryName."),
        ("cdk:cloud-assembly", {"directoryName": "../it"}, None),
        ("aws:cloudformation:stack", {"directoryName": "a"}, "its artifact 'x' has no templateFile."),
        ("aws:cloudformation:stack", {"templateFile": 5}, "its artifact 'x' has no templateFile."),
    ],
    ids=str,
)
def test_what_a_manifest_says_in_no_form_of_its_own_is_told(
    kind: str, properties: dict[str, Any], problem: str | None, tmp_path: Path
) -> None:
    (tmp_path / "it").mkdir()
    manifest = {"artifacts": {"x": {"type": kind, "properties": properties}}}
    (tmp_path / "it" / "manifest.json").write_text(json.dumps(manifest))
    found = read_run([tmp_path / "it"])
    assert (found.templates, [one.what for one in found.problems]) == ([], [problem] * bool(problem))


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 300, "loop"])
def test_a_stage_in_what_is_no_folder_is_told(name: str, tmp_path: Path) -> None:
    stage = {"type": "cdk:cloud-assembly", "properties": {"directoryName": name}}
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"Prod": stage}}))
    run = read_run([tmp_path])
    assert not run.tops
    assert len(run.problems) == 1


def test_of_a_folder_every_template_is_read_but_those_within_an_asset(tmp_path: Path) -> None:
    folders = {"A.template": ".", "B.template": "Inner", "C.template": "asset.0123", "D": "."}
    for name in (f"{folder}/{file}.json" for file, folder in folders.items()):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    assert sorted(one.file.name[0] for one in read_run([tmp_path]).templates) == ["A", "B"]


def stack_set(body: Any) -> str:
    """A template of a stack set alone."""
    properties = {"StackSetName": "x", "TemplateBody": body}
    one = {"Type": "AWS::CloudFormation::StackSet", "Properties": properties}
    return json.dumps({"Resources": {"Set": one}})


def test_the_template_of_a_stack_set_is_read_too(tmp_path: Path) -> None:
    inner = json.dumps(forms.template("explicit_with_id"))
    for body, depth in ((inner, 1), (YAML, 1), (stack_set(inner), 2)):
        (tmp_path / "t.json").write_text(stack_set(body))
        [found] = read_run([tmp_path / "t.json"]).templates
        for _ in range(depth):
            found = found.inner["Set"]
        assert found.name.endswith("t.json" + " > Set" * depth)
        assert "AWS::IAM::Role" in json.dumps(found.content)


def test_nested_templates_by_a_path_beside_the_parent(tmp_path: Path) -> None:
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "b.yaml"}}
    outside = {"Type": nested["Type"], "Properties": {"TemplateURL": "../b.yaml"}}
    itself = {"Type": nested["Type"], "Properties": {"TemplateURL": "a.json"}}
    content = {"Resources": {"B": nested, "C": outside, "D": itself}}
    (tmp_path / "a.json").write_text(json.dumps(content))
    (tmp_path / "b.yaml").write_text("Resources: {}")
    [top] = read_run([tmp_path / "a.json"]).templates or read_run([tmp_path / "b.yaml"]).templates
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


ROLE = {"Fn::Join": ["", ["arn:aws:iam::", {"Ref": "AWS::AccountId"}, ":role/x"]]}
SAID: dict[str, Any] = {
    "/S": [{"type": "aws:cdk:templateFile", "data": "a.template.json"}],
    "/S/Key": [{"type": "cmek-construct:role", "data": ROLE}],
    "/S/Key/Resource": [{"type": "aws:cdk:logicalId", "data": "K"}],
}


@pytest.mark.parametrize("where", ["in the manifest", "in a file of its own"])
@pytest.mark.parametrize(("said", "found"), [(SAID, "x"), ({**SAID, "/S": 3, "": None}, None), ([SAID], None)])
def test_the_construct_of_a_key_says_its_role_in_the_assembly(
    said: Any, found: str | None, where: str, tmp_path: Path
) -> None:
    artifact: dict[str, Any] = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "a.template.json"}}
    artifact |= {"metadata": said} if "manifest" in where else {"additionalMetadataFile": "a.metadata.json"}
    (tmp_path / "a.metadata.json").write_text(json.dumps(said))
    (tmp_path / "a.template.json").write_text(json.dumps({"Resources": {}}))
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"s": artifact}}))
    run = read_run([tmp_path])
    assert run.said_of(run.tops[0], "K", Case()) == (found and f"arn:aws:iam::${{AWS::AccountId}}:role/{found}")
    assert run.said_of(run.tops[0], "Another", Case()) is None


def test_what_constructs_say_is_of_the_keys_of_their_own_template_and_looked_up_once(tmp_path: Path) -> None:
    said = dict(SAID)
    for number in range(200):
        said |= {f"/S/Nested/{number}{path.removeprefix('/S')}": one for path, one in SAID.items() if path != "/S"}
        said |= {f"/S/Nested/{number}": [], f"/S/Nested/{number}/Key/PineconeAlias": []}
    said["/S/Nested"] = [{"type": "aws:cdk:templateFile", "data": "n.nested.template.json"}]
    stack_set = {"TemplateBody": json.dumps({"Resources": {"K": {"Type": "AWS::KMS::Key"}}})}
    resources = {
        "Set": {"Type": "AWS::CloudFormation::StackSet", "Properties": stack_set},
        "Nested": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "n.nested.template.json"}},
    }
    (tmp_path / "a.template.json").write_text(json.dumps({"Resources": resources}))
    (tmp_path / "n.nested.template.json").write_text(json.dumps({"Resources": {}}))
    artifact = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "a.template.json"}, "metadata": said}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"s": artifact}}))
    run = read_run([tmp_path])
    start = time.monotonic()
    for stack in run.stacks * 50:
        assert (run.said_of(stack, "K", Case()) is None) is stack.is_in_stack_set
    assert [one.name for one in run.stacks] == ["s", "s/Set", "s/Nested"]
    assert time.monotonic() - start < 1


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
    bucket = {"Type": "AWS::S3::BucketPolicy", "Properties": {"PolicyDocument": {"Statement": [statement] * 20}}}
    content = {"Resources": {f"B{number}": bucket for number in range(500)}}
    (tmp_path / "a.json").write_text(json.dumps(content))
    start = time.monotonic()
    assert read_run([tmp_path / "a.json"]).problems == []
    assert time.monotonic() - start < 5
