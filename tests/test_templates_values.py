"""Values of templates: what resolves, what is a hole, and in which cases."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from cmek_construct.templates.choices import InCase, TooManyCases
from cmek_construct.templates.files import template_of
from cmek_construct.templates.run import Run

NOTHING = {"Ref": "AWS::NoValue"}


def in_cases(value: Any, **sections: Any) -> list[InCase[Any]]:
    run = Run([template_of(sections, "t")])
    [stack] = run.tops
    return run.cases(stack, lambda values: values.resolved(stack, value))


def each_outcome(value: Any, **sections: Any) -> list[Any]:
    """What a value is in each case."""
    return [one.value for one in in_cases(value, **sections)]


def outcomes(value: Any, **sections: Any) -> dict[str, Any]:
    """What a value is in each case, by the words of the case."""
    return {one.case.words(): one.value for one in in_cases(value, **sections)}


def outcome(value: Any, **sections: Any) -> Any:
    """What a value is in the one case that there is."""
    [found] = outcomes(value, **sections).values()
    return found


ROLE = {"Type": "AWS::IAM::Role", "Properties": {"Path": "/a/"}}
KEY = {"Type": "AWS::KMS::Key"}


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("${aws:username}", "${!aws:username}"),
        (True, "true"),
        (3600, "3600"),
        ({"Fn::Join": [":", ["a", {"Ref": "AWS::Partition"}, NOTHING]]}, "a:aws"),
        ({"Fn::Sub": "${!aws:username}-${AWS::Region}"}, "${!aws:username}-${AWS::Region}"),
        ({"Fn::Sub": ["${a}${b.c}", {"a": "x", "b.c": "y"}]}, "xy"),
        ({"Fn::Select": ["1", {"Fn::Split": [",", "a,b"]}]}, "b"),
        ({"Fn::Select": [4, {"Fn::Split": [":", {"Fn::GetAtt": ["R", "Arn"]}]}]}, "${AWS::AccountId}"),
        ({"Fn::GetAtt": "R.Arn"}, "arn:aws:iam::${AWS::AccountId}:role/a/${t.R}"),
        ({"Ref": "R"}, "${t.R}"),
        ({"Fn::GetAtt": ["K", "Arn"]}, "arn:aws:kms:${AWS::Region}:${AWS::AccountId}:key/${t.K}"),
        ({"Fn::GetAtt": ["R", "RoleId"]}, "${t.R.RoleId}"),
        ({"Fn::FindInMap": ["M", "a", "b"]}, "c"),
        ({"Fn::FindInMap": ["M", "z", "b", {"DefaultValue": "d"}]}, "d"),
        ({"Fn::Length": ["a", "b"]}, "2"),
        ({"Fn::ToJsonString": {"a": ["b"]}}, '{"a": ["b"]}'),
        ({"Ref": "Ssm"}, "${t.Ssm}"),
        ({"Ref": "Bare"}, "${t.Bare}"),
        ("{{resolve:ssm:/x}}", "${?resolve:ssm:/x}"),
        ([{"a": NOTHING, "b": "c"}, NOTHING], [{"b": "c"}]),
    ],
)
def test_a_value_resolves(value: Any, right: Any) -> None:
    found = outcome(
        value,
        Resources={"R": ROLE, "K": KEY},
        Mappings={"M": {"a": {"b": "c"}}},
        Parameters={"Ssm": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/x"}, "Bare": {"Type": "String"}},
    )
    assert found == right


@pytest.mark.parametrize(
    "value",
    [
        {"Fn::Base64": "x"},
        {"Fn::If": []},
        {"Fn::If": ["NotThere", 1, 2]},
        {"Fn::Transform": {"Name": "AWS::Include"}},
        {"Ref": "NotThere"},
        {"Fn::Join": ["", ["$", "{", {"Ref": "AWS::Region"}, "}"]]},
        {"Fn::Split": [",", {"Ref": "Bare"}]},
        None,
    ],
)
def test_what_cannot_be_read_has_a_name_of_its_own(value: Any) -> None:
    parameters = {"Bare": {"Type": "String"}}
    found = outcome(value, Parameters=parameters)
    assert found.startswith("${?")
    assert found != outcome({"Fn::Base64": "y"})
    assert found == outcome(value, Parameters=parameters)


def test_text_that_looks_like_a_hole_when_put_together_is_text() -> None:
    assert outcome({"Fn::Join": ["", ["$", "{x}"]]}) != "${x}"


def test_a_bomb_of_substitutions_ends_at_once() -> None:
    bomb: Any = "x"
    for _ in range(30):
        bomb = {"Fn::Sub": ["${a}" * 10, {"a": bomb}]}
    start = time.monotonic()
    assert outcome(bomb).startswith("${?")
    many = outcome([{"Fn::Sub": ["${a}" * 6_000, {"a": "x" * 10}]} for _ in range(40)])
    assert sum(map(len, many)) < 3_000_000
    assert time.monotonic() - start < 2


def test_what_hangs_on_itself_is_a_hole() -> None:
    loop = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Ref": "R"}}}
    assert "${?" in outcome({"Fn::GetAtt": ["R", "Arn"]}, Resources={"R": loop})


def test_lists_by_parameters_are_lists() -> None:
    parameters = {"L": {"Type": "CommaDelimitedList", "Default": "a, b"}, "N": {"Type": "List<Number>"}}
    found = outcomes({"Fn::Join": ["+", {"Ref": "L"}]}, Parameters=parameters)
    assert list(found.values()) == ["a+b", "${t.L}"]
    assert outcome({"Ref": "N"}, Parameters=parameters) == ["${t.N}"]


def test_a_parameter_with_a_default_is_that_or_something_else() -> None:
    found = outcomes({"Ref": "P"}, Parameters={"P": {"Type": "String", "Default": "*"}})
    assert found == {"the defaults of t": "*", "not the defaults of t": "${t.P}"}


def test_ten_parameters_with_defaults_are_two_cases() -> None:
    names = [f"P{number}" for number in range(10)]
    parameters = {name: {"Type": "String", "Default": name} for name in names}
    found = outcomes([{"Ref": name} for name in names], Parameters=parameters)
    assert list(found.values()) == [names, [f"${{t.{name}}}" for name in names]]


def test_allowed_values_are_cases() -> None:
    parameters = {"P": {"Type": "String", "Default": "a", "AllowedValues": ["a", "*"]}}
    assert list(outcomes({"Ref": "P"}, Parameters=parameters).values()) == ["a", "*"]


def test_a_compared_parameter_has_its_value_in_the_case() -> None:
    sections = {
        "Parameters": {"P": {"Type": "String"}},
        "Conditions": {
            "A": {"Fn::Equals": [{"Ref": "P"}, "a"]},
            "B": {"Fn::Equals": ["b", {"Ref": "P"}]},
            "Neither": {"Fn::Not": [{"Fn::Or": [{"Condition": "A"}, {"Condition": "B"}]}]},
        },
    }
    value = [{"Ref": "P"}, {"Fn::If": ["A", "1", {"Fn::If": ["Neither", "3", "2"]}]}]
    found = outcomes(value, **sections)
    assert found == {"t.P is 'a'": ["a", "1"], "t.P is 'b'": ["b", "2"], "t.P is something else": ["${t.P}", "3"]}


def test_a_condition_that_is_known_makes_no_case() -> None:
    conditions = {"Never": {"Fn::Equals": ["a", "b"]}}
    assert outcome({"Fn::If": ["Never", "x", "y"]}, Conditions=conditions) == "y"


def test_rules_exclude_cases() -> None:
    sections = {
        "Parameters": {"P": {"Type": "String", "AllowedValues": ["a", "b", "c"]}},
        "Rules": {
            "R": {"Assertions": [{"Assert": {"Fn::Contains": [["a", "b"], {"Ref": "P"}]}}]},
            "S": {
                "RuleCondition": {"Fn::Equals": [{"Ref": "AWS::Region"}, "x"]},
                "Assertions": [{"Assert": {"Fn::Equals": [{"Ref": "P"}, "a"]}}],
            },
        },
    }
    assert list(outcomes({"Ref": "P"}, **sections).values()) == ["a", "b"]


def test_a_mapping_is_one_case_a_key_and_one_where_all_say_the_same() -> None:
    mappings = {
        "Same": {"us-east-1": {"v": "x"}, "eu-west-1": {"v": "x"}},
        "Other": {"us-east-1": {"v": "x"}, "eu-west-1": {"v": "y"}},
    }
    same = {"Fn::FindInMap": ["Same", {"Ref": "AWS::Region"}, "v"]}
    other = {"Fn::FindInMap": ["Other", {"Ref": "AWS::Region"}, "v"]}
    assert outcome(same, Mappings=mappings) == "x"
    found = outcomes([other, {"Ref": "AWS::Region"}], Mappings=mappings)
    assert list(found.values()) == [["x", "us-east-1"], ["y", "eu-west-1"]]


@pytest.mark.parametrize("place", [0, 1, 2], ids=["the mapping", "its key", "the key in that"])
def test_a_key_that_is_not_known_may_be_none_of_a_mapping_with_a_default(place: int) -> None:
    mappings = {"M": {"us-east-1": {"v": "x"}}}
    asked: list[Any] = ["M", "us-east-1", "v"]
    asked[place] = {"Ref": "P"}
    value = {"Fn::FindInMap": [*asked, {"DefaultValue": "d"}]}
    sections = {"Mappings": mappings, "Parameters": {"P": {"Type": "String"}}}
    assert sorted(each_outcome(value, **sections)) == ["d", "x"]


def test_a_mapping_of_too_many_keys_is_not_taken_for_its_default() -> None:
    mappings = {"M": {f"r-{number}": {"v": str(number)} for number in range(20)}}
    value = {"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "v", {"DefaultValue": "d"}]}
    assert outcome(value, Mappings=mappings).startswith("${?")


def test_members_that_are_there_or_not_are_judged_one_by_one() -> None:
    names = [f"P{number}" for number in range(12)]
    members = [{"Fn::If": [f"C{name}", name, NOTHING]} for name in names]
    found = each_outcome(
        ["always", *members],
        Parameters={name: {"Type": "String"} for name in names},
        Conditions={f"C{name}": {"Fn::Equals": [{"Ref": name}, "yes"]} for name in names},
    )
    assert [len(one) for one in found] == [13, 1, *[2] * 12]
    assert {one[-1] for one in found[2:]} == set(names)


def test_a_rule_excludes_a_list_without_members() -> None:
    names = [f"P{number}" for number in range(9)]
    typed = {name: {"Fn::Equals": [{"Ref": name}, "yes"]} for name in names}
    assertion = {"Assert": {"Fn::Or": list(typed.values())}, "AssertDescription": "One of them."}
    found = each_outcome(
        [{"Fn::If": [f"C{name}", name, NOTHING]} for name in names],
        Parameters={name: {"Type": "String"} for name in names},
        Conditions={f"C{name}": one for name, one in typed.items()},
        Rules={"One": {"Assertions": [assertion]}},
    )
    assert [len(one) for one in found] == [9, *[1] * 9]


def test_more_conditions_than_can_be_judged_are_told() -> None:
    names = [f"P{number}" for number in range(8)]
    with pytest.raises(TooManyCases, match=r"t\.P0"):
        outcomes(
            [{"Fn::If": [f"C{name}", "a", "b"]} for name in names],
            Parameters={name: {"Type": "String"} for name in names},
            Conditions={f"C{name}": {"Fn::Equals": [{"Ref": name}, "yes"]} for name in names},
        )


def test_loops_over_texts_are_written_out() -> None:
    resources = {
        "Fn::ForEach::L": ["N", ["A", "B"], {"Role${N}": json.loads(json.dumps(ROLE))}],
        "Fn::ForEach::M": ["N", {"Ref": "P"}, {"Key${N}": KEY}],
    }
    run = Run([template_of({"Resources": resources}, "t")])
    assert set(run.tops[0].resources) == {"RoleA", "RoleB"}
    assert [name for name, _ in run.tops[0].not_made()] == ["Fn::ForEach::M"]
