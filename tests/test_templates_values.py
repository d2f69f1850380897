"""Values of templates: what resolves, what is a hole, and in which cases."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from cmek_construct.templates.choices import InCase, TooManyCases
from cmek_construct.templates.files import template_of
from cmek_construct.templates.reading import parsed
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
        ({"Fn::Select": ["9" * 5_000, ["a"]]}, "${?Fn::Select 56c844e7}"),
        ({"Fn::Select": [4, {"Fn::Split": [":", {"Fn::GetAtt": ["R", "Arn"]}]}]}, "${AWS::AccountId}"),
        ({"Fn::Select": [1, {"Fn::Split": ["role/", {"Fn::GetAtt": ["R", "Arn"]}]}]}, "a/${t.R}"),
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
        {"Fn::Split": ["-", {"Ref": "AWS::Region"}]},
        None,
    ],
)
def test_what_cannot_be_read_has_a_name_of_its_own(value: Any) -> None:
    parameters = {"Bare": {"Type": "String"}}
    found = outcome(value, Parameters=parameters)
    assert found.startswith("${?")
    assert found != outcome({"Fn::Base64": "y"})
    assert found == outcome(value, Parameters=parameters)


def test_a_list_that_stands_in_place_of_the_text_of_a_parameter_in_ssm_stays_one() -> None:
    typed = {"Ssm": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "/x"}}
    there = {"There": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/x", "Value": ["a", "b"]}}}
    assert each_outcome({"Ref": "Ssm"}, Parameters=typed, Resources=there) == [["a", "b"], ["${t.Ssm}"]]


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


def exporting(value: Any, **output: Any) -> dict[str, Any]:
    """A template whose one output has a value."""
    return {"Outputs": {"O": {"Value": value, **output}}}


def in_last(run: Run, value: Any) -> Any:
    """What a value is in the last template of a run."""
    stack = run.tops[-1]
    [found] = run.cases(stack, lambda values: values.resolved(stack, value))
    return found.value


@pytest.mark.parametrize("condition", ["Never", "Always", "Either"])
def test_what_a_nested_stack_exports_is_imported_if_it_is_made(condition: str) -> None:
    conditions = {
        "Never": {"Fn::Equals": ["a", "b"]},
        "Always": {"Fn::Equals": ["a", "a"]},
        "Either": {"Fn::Equals": [{"Ref": "P"}, "a"]},
    }
    child = exporting("x", Export={"Name": "it"}, Condition=condition)
    child |= {"Parameters": {"P": {"Type": "String"}}, "Conditions": conditions}
    parent = template_of({"Resources": {"N": {"Type": "AWS::CloudFormation::Stack"}}}, "parent")
    run = Run([replace(parent, inner={"N": template_of(child, "child")}), template_of({}, "other")])
    assert (in_last(run, {"Fn::ImportValue": "it"}) == "x") is (condition != "Never")


@pytest.mark.parametrize(
    ("account", "region", "asked"),
    [
        ("111122223333", "us-east-1", "ours"),
        ("111122223333", "eu-west-1", None),
        ("777788889999", "us-east-1", None),
        (None, "us-east-1", "ours"),
    ],
    ids=str,
)
def test_an_export_is_of_the_account_and_the_region_or_of_what_may_be_it(
    account: str | None, region: str, asked: str | None
) -> None:
    ours = template_of(exporting("ours", Export={"Name": "it"}), "ours", "111122223333")
    asking = template_of({}, "asking", account)
    run = Run([replace(ours, region="us-east-1"), replace(asking, region=region)])
    assert (in_last(run, {"Fn::ImportValue": "it"}) == asked) is (asked is not None)


def test_an_output_of_a_stack_is_asked_of_its_region_and_first_of_the_own_account() -> None:
    accounts = ("111122223333", "777788889999")
    some = [replace(template_of(exporting(one), one, one), stack="S", region="us-east-1") for one in accounts]
    asked = {"Fn::GetStackOutput": {"StackName": "S", "OutputName": "O", "Region": "us-east-1"}}
    for account, right in (("777788889999", "777788889999"), ("222233334444", None)):
        run = Run([*some, template_of({}, "asking", account)])
        assert (in_last(run, asked) == right) is (right is not None)


def test_a_stack_that_writes_one_name_in_two_regions_gives_each_its_own() -> None:
    writers = {
        name: {"Type": "Custom::CrossRegionExportWriter", "Properties": {"WriterProps": {"region": region, **given}}}
        for name, region in (("W", "us-east-1"), ("X", "eu-west-1"))
        for given in [{"exports": {"it": f"that of {region}"}}]
    }
    reader = {"R": {"Type": "Custom::CrossRegionExportReader"}}
    asking = [
        replace(template_of({"Resources": reader}, region), region=region) for region in ("us-east-1", "eu-west-1")
    ]
    run = Run([template_of({"Resources": writers}, "ours"), *asking])
    for region, stack in zip(("us-east-1", "eu-west-1"), run.tops[1:], strict=True):
        (one,) = run.text(stack, {"Fn::GetAtt": ["R", "it"]})
        assert one.value == f"that of {region}"


def test_more_conditions_than_can_be_judged_are_told() -> None:
    names = [f"P{number}" for number in range(8)]
    with pytest.raises(TooManyCases, match=r"t\.P0"):
        outcomes(
            [{"Fn::If": [f"C{name}", "a", "b"]} for name in names],
            Parameters={name: {"Type": "String"} for name in names},
            Conditions={f"C{name}": {"Fn::Equals": [{"Ref": name}, "yes"]} for name in names},
        )


def test_what_hangs_on_the_same_is_judged_alike_whatever_was_judged_before() -> None:
    names = [f"P{number}" for number in range(8)]
    sections = {
        "Parameters": {"Typed": {"Type": "String", "Default": "x"}, **{name: {"Type": "String"} for name in names}},
        "Conditions": {f"C{name}": {"Fn::Equals": [{"Ref": name}, "yes"]} for name in names},
    }
    run = Run([template_of(sections, "t")])
    [stack] = run.tops

    def judged(value: Any) -> list[InCase[Any]]:
        return run.cases(stack, lambda values: values.resolved(stack, value))

    for value, expected in (
        ([{"Fn::If": [f"C{name}", name, NOTHING]} for name in names], [False] * 10),
        ({"Ref": "Typed"}, [True, False]),
    ):
        one, other = judged(value), judged(value)
        assert one == other
        assert [each.case.is_by_default for each in other] == expected


def test_a_loop_that_cannot_be_made_hides_none_behind_it() -> None:
    topics = {"Fn::ForEach::Topics": ["Name", {"Ref": "Names"}, {"Topic${Name}": {"Type": "AWS::SNS::Topic"}}]}
    keys = {f"Fn::ForEach::Keys{one}": ["N", [f"{one}{n}" for n in range(300)], {"Key${N}": KEY}] for one in "ab"}
    run = Run([template_of({"Resources": {**topics, **keys}}, "t")])
    [stack] = run.stacks
    assert len(list(run.places("AWS::KMS::Key"))) == 300
    assert list(stack.not_made) == ["Fn::ForEach::Topics", "Fn::ForEach::Keysb"]


@pytest.mark.parametrize("body", [{}, {"Same": KEY}, {"Own${N}": KEY}], ids=["nothing", "the same", "one each"])
def test_loops_in_loops_that_make_more_than_can_be_judged_end_at_once(body: Any) -> None:
    for depth in range(12):
        body = {f"Fn::ForEach::L{depth}": [f"V{depth}", [str(number) for number in range(300)], body]}
    start = time.monotonic()
    run = Run([template_of({"Resources": body}, "t")])
    assert run.tops[0].resources == {}
    assert list(run.tops[0].not_made) == ["Fn::ForEach::L11"]
    assert time.monotonic() - start < 2


def test_a_managed_policy_whose_path_hangs_on_itself_is_a_hole() -> None:
    loop = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"Path": {"Ref": "M"}}}
    assert "${?" in outcome({"Ref": "M"}, Resources={"M": loop})


def test_loops_over_texts_are_written_out() -> None:
    resources = {
        "Fn::ForEach::L": ["N", ["A", "B"], {"Role${N}": json.loads(json.dumps(ROLE))}],
        "Fn::ForEach::M": ["N", {"Ref": "P"}, {"Key${N}": KEY}],
        "Fn::ForEach::O": ["N", ["A"], {"Ref": "N"}],
    }
    run = Run([template_of({"Resources": resources}, "t")])
    assert set(run.tops[0].resources) == {"RoleA", "RoleB"}
    assert list(run.tops[0].not_made) == ["Fn::ForEach::M", "Fn::ForEach::O"]


@pytest.mark.parametrize("value", ["!!binary a21zOio=", "!!set {a, b}", "0x10", "1_000", "2020-01-01", "1.50", "null"])
def test_a_value_of_yaml_is_the_same_in_a_loop(value: str) -> None:
    resource = f"{{Type: A, Properties: {{V: {value}}}}}"
    loop = f"[N, [x], {{'R${{N}}': {resource}}}]"
    run = Run([template_of(parsed(f"Resources: {{R: {resource}, 'Fn::ForEach::L': {loop}}}"))])
    alone, in_loop = (run.made(place)[0].value for place in run.places())
    assert in_loop == alone
