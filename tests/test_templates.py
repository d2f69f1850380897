"""Templates out of files: what is read, and what is refused in one message."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cmek_construct import checks
from cmek_construct.operations.reviewing.templates import parsed, read
from cmek_construct.templates.reading import UnreadableError
from tests import forms

YAML = """\
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Principal: {AWS: [!Sub 'arn:aws:iam::${P}:root', !Ref P, 011122223333, !GetAtt O.Arn]}
            Condition: !If [IsOff, !Ref AWS::NoValue, {Bool: {x: on}}]
            Action: !Join ['', ['sts:', !Select [0, !Split [',', 'AssumeRole,x']]]]
  Nested:
    Type: X::Y::Z
    Properties: {A: !GetAtt [O, A.B], B: !Sub ['${x}', {x: !Ref y}], C: !Condition Off, D: !Cidr 1}
"""


def test_yaml_with_short_tags_is_the_same_as_the_long_form() -> None:
    found = parsed(YAML)["Resources"]
    policy = found["Role"]["Properties"]["AssumeRolePolicyDocument"]
    assert policy["Version"] == "2012-10-17"
    (statement,) = policy["Statement"]
    assert statement["Principal"]["AWS"] == [
        {"Fn::Sub": "arn:aws:iam::${P}:root"},
        {"Ref": "P"},
        "011122223333",
        {"Fn::GetAtt": ["O", "Arn"]},
    ]
    nothing = {"Ref": "AWS::NoValue"}
    assert statement["Condition"] == {"Fn::If": ["IsOff", nothing, {"Bool": {"x": True}}]}
    chosen = {"Fn::Select": [0, {"Fn::Split": [",", "AssumeRole,x"]}]}
    assert statement["Action"] == {"Fn::Join": ["", ["sts:", chosen]]}
    assert found["Nested"]["Properties"] == {
        "A": {"Fn::GetAtt": ["O", "A.B"]},
        "B": {"Fn::Sub": ["${x}", {"x": {"Ref": "y"}}]},
        "C": {"Condition": "Off"},
        "D": {"Fn::Cidr": "1"},
    }


def test_json_and_yaml_of_one_template_are_one(tmp_path: Path) -> None:
    import yaml

    for name in forms.FORMS:
        assert parsed(yaml.safe_dump(forms.template(name))) == forms.template(name)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no CloudFormation template"),
        ("just words", "no CloudFormation template"),
        ("[1, 2]", "no CloudFormation template"),
        ("{}", "Resources"),
        ('{"Resources": []}', "Resources"),
        ('{"Resources": {"A": 1}}', "Resources"),
        ('{"Resources": {"A": {"Type": 1}}}', "Resources"),
        ('{"Resources": {"A": {"Type": "X", "Properties": []}}}', "Resources"),
        ("{", "neither JSON nor YAML"),
        ('{"Resources": {}, "Resources": {}}', "'Resources' stands twice"),
        ("Resources: {}\nResources: {}", "line 2: 'Resources' stands twice"),
        ("A: &a {}\nResources: *a", "*a is an alias"),
        ("Resources: {A: {<<: {Type: X}}}", "a key is a plain word"),
        ("? [a]\n: b", "a key is a plain word"),
        ("A: !!python/object/apply:os.system [exit]", "neither JSON nor YAML"),
        ("A: \x1b[31m", "neither JSON nor YAML"),
        ("[" * 5000, "neither JSON nor YAML"),
        ('{"A":' * 5000, "neither JSON nor YAML"),
        ('{"Resources": ' + '{"A":' * 200 + "1" + "}" * 201, "not deep"),
    ],
)
def test_what_is_no_template_is_one_clear_message(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "t").write_text(text)
    with pytest.raises(UnreadableError) as refused:
        parsed(text)
    (problem,) = read([tmp_path / "t"]).problems
    assert problem == f"{tmp_path / 't'}: {refused.value}"
    assert said in problem
    assert problem.isprintable()


def test_a_file_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    good = forms.template_file("explicit_with_id")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "long").write_bytes(b" " * (checks.TEMPLATE + 1))
    missing, empty = tmp_path / "missing\x1b[2J", tmp_path / "folder"
    empty.mkdir()
    found = read([missing, tmp_path / "binary", good, tmp_path / "long", empty, good])
    assert [one.name for one in found.templates] == [str(good)]
    words = ["no *.template.json", "No such file", "no text in UTF-8", "1,048,576 bytes"]
    assert [said in problem for said, problem in zip(words, found.problems, strict=True)] == [
        True
    ] * 4
    assert all(problem.isprintable() for problem in found.problems)


def test_of_a_folder_every_template_is_read_but_those_within_an_asset(tmp_path: Path) -> None:
    text = '{"Resources": {}}'
    for name in (
        "A.template.json",
        "assembly-Stage/B.template.json",
        "assembly-Stage/assembly-Inner/C.template.json",
        "D.nested.template.json",
        "asset.0123/E.template.json",
        "manifest.json",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    names = [Path(one.name).name.split(".")[0] for one in read([tmp_path]).templates]
    assert sorted(names) == ["A", "B", "C", "D"]


def stack_set(body: Any) -> str:
    properties = {"StackSetName": "x", "TemplateBody": body}
    one = {"Type": "AWS::CloudFormation::StackSet", "Properties": properties}
    return json.dumps({"Resources": {"Set": one}})


def test_the_template_of_a_stack_set_is_read_too(tmp_path: Path) -> None:
    inner = forms.template("explicit_with_id")
    for body in (json.dumps(inner), YAML, stack_set(json.dumps(inner))):
        (tmp_path / "t.json").write_text(stack_set(body))
        found = read([tmp_path / "t.json"])
        assert found.templates[-1].name.endswith(
            "t.json > Set" + " > Set" * (len(found.templates) - 2)
        )
        assert "Role" in str(found.templates[-1].resources)
        assert found.problems == []


def test_a_stack_set_that_cannot_be_read_is_a_problem_if_it_names_pinecone(tmp_path: Path) -> None:
    for body, problems in (
        ({"Fn::Sub": "arn:aws:iam::${P}:role/pinecone_cmek_access_us-east-1"}, 1),
        ("{ pinecone_cmek_access_us-east-1", 1),
        ({"Ref": "Body"}, 0),
        ("{ nothing of ours", 0),
    ):
        (tmp_path / "t.json").write_text(stack_set(body))
        assert len(read([tmp_path / "t.json"]).problems) == problems
