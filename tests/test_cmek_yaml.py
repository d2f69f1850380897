"""cmek.yaml: every prop can be said, and every mistake has a line, a path and a cure."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from cmek_construct import PineconeCmek
from cmek_construct.deployment.config import IN_STACK
from cmek_construct.deployment.reading import ConfigError, Entry, parse_entries, read_entries
from reference.schema import json_schema
from tests.conftest import ROOT

GOOD = """\
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
"""
ANY_ROLE = "arn:aws:iam::444455556666:role/*"


def parse(text: str) -> list[Entry]:
    return parse_entries(text, "cmek.yaml")


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as refusal:
        parse(text)
    lines = str(refusal.value).splitlines()
    assert all(line.startswith("cmek.yaml:") for line in lines)
    return lines


def test_a_stack_shares_what_stands_at_the_top_and_overrides_what_it_likes() -> None:
    acme, globex = parse(GOOD)
    assert (acme.name, acme.account) == ("acme", "111122223333")
    assert acme.regions == ["us-east-1", "eu-west-1"]
    assert globex.regions == "ALL_REGIONS"
    assert globex.region == "us-east-1"


def test_null_takes_back_what_the_top_says() -> None:
    text = GOOD.replace("region: us-east-1", "region: us-east-1\nalias: x").replace(
        '    account: "444455556666"', '    account: "444455556666"\n    alias: null'
    )
    acme, globex = parse(text)
    assert (acme.alias, globex.alias) == ("x", None)


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (('"999988887777"', "999988887777"), 1, "pinecone_account_id: got 999988887777, but"),
        (('"999988887777"', "099988887777"), 1, "leading zeros"),
        (('"999988887777"', "true"), 1, "pinecone_account_id: got True"),
        (('"111122223333"', "1111"), 6, "stacks.acme.account: got 1111"),
        (("[us-east-1, eu-west-1]", "us-east-1"), 2, "regions: got 'us-east-1'"),
        (("[us-east-1, eu-west-1]", "[us-east-1, mars]"), 2, "regions[1]: got 'mars'"),
        (("region: us-east-1", "region: cn-north-1"), 3, "partition `aws`"),
        (('"999988887777"', '"${Token[TOKEN.7]}"'), 1, "pinecone_account_id: got a token"),
        (("[us-east-1, eu-west-1]", '["${Token[TOKEN.7]}"]'), 2, "regions: got a token"),
        (
            ("region: us-east-1", "region: dummy-value-for-x"),
            3,
            "region: got 'dummy-value-for-x', but a file has values",
        ),
        (("region: us-east-1", "region: 5"), 3, "region: got 5"),
        (
            ("    regions: ALL", "    rotation: 3\n    regions: ALL"),
            10,
            "rotation: there is no such prop. Is it rotation_period?",
        ),
        (("region: us-east-1", "nonsense: 1\nregion: us-east-1"), 3, "nonsense: there is no such"),
        (("    regions: ALL", "    rotation_period: 3\n    regions: ALL"), 10, "90 to 2,560"),
        (("    regions: ALL", "    rotation_period: '90'\n    regions: ALL"), 10, "got '90'"),
        (("    regions: ALL", "    suspended: 'no'\n    regions: ALL"), 10, "got 'no'"),
        (("    regions: ALL", "    suspended: no\n    regions: ALL"), 10, "got 'no'"),
        (("    regions: ALL", "    key_access: ALL\n    regions: ALL"), 10, "KEY_USER"),
        (("    regions: ALL", "    removal_policy: keep\n    regions: ALL"), 10, "DESTROY"),
        (("    regions: ALL", "    role: x\n    regions: ALL"), 10, "arn:aws:iam"),
        (("    regions: ALL", "    key: alias/x\n    regions: ALL"), 10, "arn:aws:kms"),
        (("    regions: ALL", "    key_admins: x\n    regions: ALL"), 10, "list of ARNs"),
        (("    regions: ALL", "    tags: {a: 1}\n    regions: ALL"), 10, "tags.a: got 1"),
        (("    regions: ALL", "    alias: alias/aws/x\n    regions: ALL"), 10, "alias/aws/"),
        (("    regions: ALL", "    rotation_period: 100.0\n    regions: ALL"), 10, "got 100.0"),
        (
            ("    regions: ALL", "    key_admins: ['arn:aws:iam::444455556666:role/*']\n    regions: A"),
            10,
            "key_admins[0]",
        ),
        (("    regions: ALL", "    tags: {'aws:x': 'y'}\n    regions: ALL"), 10, "tags.aws:x"),
        (("region: us-east-1", "region: us-east-1\nexternal_id: abc"), 4, "each stack has its own"),
        (("region: us-east-1", 'region: us-east-1\n"\\e[31mx": y'), 4, "'\\x1b[31mx': there is no"),
        (("us-east-1, eu", "!!int abc, eu"), 1, "!!tag"),
        (("  globex:", "  9lives:"), 8, "stacks: got '9lives'"),
        (("  globex:", "  7:"), 8, "stacks: got 7"),
        (("  globex:", "  acme:"), 8, "stacks.acme: it stands twice, first in line 5"),
        (('"444455556666"', "444455556666"), 9, "put the digits into quotes"),
        (('    account: "444455556666"\n', ""), 8, "stacks.globex.account: it is missing"),
        (("region: us-east-1\n", ""), 1, "cmek.yaml:1: region: it is missing"),
        (("    external_id: 0c3f", "    #"), 8, "stacks.globex.external_id: got None with"),
        (("    external_id: 5b4f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f", "    external_id: 17"), 7, "17"),
        (("    external_id: 5b4f", "    pin_account: true\n    external_id: 5b4f"), 7, "pin_account"),
        (("stacks:", "stacks:\n  acme"), 6, "This is no YAML"),
        (("    regions: ALL", "    customer_account_ids: 5\n    regions: ALL"), 10, "list of acc"),
        (
            ("    regions: ALL", "    customer_account_ids: [044455556666]\n    regions: ALL"),
            10,
            "stacks.globex.customer_account_ids[0]: got 44455556666, but",
        ),
        (
            ("    regions: ALL", '    customer_account_ids: ["444455556666"]\n    regions: ALL'),
            10,
            "the role's own account",
        ),
        (("    regions: ALL", "    customer_key_arns: [x]\n    regions: ALL"), 10, "arn:aws:kms"),
        (("    regions: ALL", "    customer_account_ids: []\n    alias: x\n    regions: ALL"), 11, "`alias: null`"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_path(change: tuple[str, str], line: int, said: str) -> None:
    text = GOOD.replace(*change, 1)
    assert text != GOOD
    found = [one for one in mistakes(text) if said in one]
    assert found, mistakes(text)
    assert found[0].startswith(f"cmek.yaml:{line}: ")


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("cmek-guardrails::key-rotaton", "cmek-guardrails::key-rotation"),
        ("cmek-guardrails::key-foreign-principl[arn:aws:iam::444455556666:role/x]", "cmek-guardrails::key-foreign-"),
        ("cmek-guardrails:key-rotation", "cmek-guardrails::key-rotation"),
        ("cmek-guardrail::key-rotation", "cmek-guardrails::key-rotation"),
        ("key-rotation", "cmek-guardrails::key-rotation"),
        ("no-external-id", "cmek-construct:no-external-id"),
        ("cmek-construct:key-rotation", "cmek-guardrails::key-rotation"),
        ("Annotations::cmek-construct:no-external-id", "cmek-construct:no-external-id"),
    ],
)
def test_an_acknowledgement_of_what_is_not_there_is_refused_with_the_nearest_ids(wrong: str, meant: str) -> None:
    (found,) = mistakes(acknowledging(wrong))
    assert found.startswith(f"cmek.yaml:10: stacks.globex.acknowledge: got {wrong!r}, but no warning or guardrail")
    assert f"Is it {meant}" in found


@pytest.mark.parametrize("wrong", ["cmek-guardrails::locked-key", "cmek-construct:no-such-thing"])
def test_an_acknowledgement_that_is_near_to_none_is_refused_without_a_guess(wrong: str) -> None:
    (found,) = mistakes(acknowledging(wrong))
    assert found.startswith(f"cmek.yaml:10: stacks.globex.acknowledge: got {wrong!r}, but no warning or guardrail")
    assert found.endswith("has this id. Write it as the report has it.")


@pytest.mark.parametrize(
    "right",
    [
        "cmek-guardrails::key-rotation",
        "cmek-guardrails::key-foreign-principal[arn:aws:iam::444455556666:role/x]",
        "cmek-construct:no-external-id",
        "Annotation::cmek-construct:no-external-id",
        "Construct-Annotations::cmek-construct:no-external-id",
        "@aws-cdk/core:Stack.templateSize",
        "QueryDefinitionStatsWarning",
        "cdk-nag::AwsSolutions-KMS5",
        "my-guardrails::key-rotation",
    ],
)
def test_what_is_there_and_what_is_other_peoples_is_acknowledged(right: str) -> None:
    assert parse(acknowledging(right))[1].acknowledge == {right: "Ticket 42"}


def acknowledging(id: str) -> str:
    return GOOD.replace("    regions: ALL", f"    acknowledge: {{'{id}': Ticket 42}}\n    regions: ALL", 1)


@pytest.mark.parametrize("text", ["", "# nothing\n", "null\n", "[]\n", "just words\n", "stacks:\n"])
def test_an_empty_file_is_one_clear_message(text: str) -> None:
    (only,) = mistakes(text)
    assert "examples/cmek.yaml" in only or "stacks" in only


@pytest.mark.parametrize("text", ["stacks: {}\n", "stacks: {acme: }\n", "stacks: [acme]\n"])
def test_stacks_without_content_are_refused(text: str) -> None:
    assert mistakes(text)


@pytest.mark.parametrize(
    "text",
    [
        "stacks: &s\n  a: *s\n",
        "key_admins: &k [*k]\n",
        "suspended: !!bool maybe\n",
        "description: !!timestamp foo\n",
        "rotation_period: " + "9" * 5000 + "\n",
        "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9 if n else 'x')}]\n" for n in range(9)),
    ],
    ids=["itself", "list of itself", "bool", "timestamp", "digits", "bomb"],
)
def test_tricks_of_yaml_end_in_a_message(text: str) -> None:
    assert mistakes(text)


def test_all_mistakes_are_reported_at_once() -> None:
    text = """\
pinecone_account_id: 999988887777
regions: [us-east-1]
color: red
stacks:
  acme:
    account: 5
    external_id: x
  globex:
    account: "111122223333"
    alias: a b
"""
    assert [line.split(": ")[0] for line in mistakes(text)] == [f"cmek.yaml:{number}" for number in (1, 1, 3, 6, 7, 10)]


def test_all_contradictions_are_reported_at_once() -> None:
    text = GOOD.replace(
        "    regions: ALL_REGIONS",
        """\
    regions: ALL_REGIONS
    role: arn:aws:iam::444455556666:role/theirs
    role_name: mine
    key: arn:aws:kms:us-east-1:444455556666:key/1234abcd
    alias: mine
    enable_key_rotation: false
    rotation_period: 90""",
    ).replace("    external_id: 0c3f", "    # ")
    found = mistakes(text)
    assert len(found) == 6
    assert found[1].startswith("cmek.yaml:12: stacks.globex.role_name: got 'mine'")


def test_a_vendors_stack_names_its_customers() -> None:
    _, globex = parse(
        GOOD.replace(
            "    regions: ALL_REGIONS",
            """\
    customer_account_ids: ["111122223333"]
    customer_key_arns: ["arn:aws:kms:us-east-1:777788889990:key/1234abcd"]""",
        )
    )
    customers = globex.customers
    assert customers is not None
    assert customers.cover("arn:aws:kms:eu-west-1:111122223333:key/any")
    assert customers.cover("arn:aws:kms:us-east-1:777788889990:key/1234abcd")
    assert not customers.cover("arn:aws:kms:us-east-1:777788889990:key/another")


def test_what_shapes_a_key_has_no_place_beside_customers() -> None:
    shaping = """
role: arn:aws:iam::444455556666:role/theirs
key: arn:aws:kms:us-east-1:444455556666:key/1234abcd
key_access: KEY_USER
key_admins: []
alias: x
description: x
enable_key_rotation: true
rotation_period: 90
multi_region: false
pending_window: 30"""
    text = GOOD.replace("    regions: ALL_REGIONS", "    customer_account_ids: []" + shaping.replace("\n", "\n    "))
    found = [line for line in mistakes(text) if "together with customers" in line]
    assert [line.split(": ")[1] for line in found] == [
        f"stacks.globex.{line.split(':')[0]}" for line in shaping.splitlines()[1:]
    ]


def test_names_that_aws_allows_once_collide() -> None:
    text = GOOD.replace("region: us-east-1", "region: us-east-1\nrole_name: pinecone").replace(
        "444455556666", "111122223333"
    )
    (only,) = mistakes(text)
    assert "stacks.globex.role_name" in only
    assert "stacks.acme" in only


def test_the_same_external_id_in_two_stacks_is_known_to_both() -> None:
    acme, globex = parse(GOOD.replace("0c3f1f7e", "5b4f1f7e"))
    assert acme.same_external_id == globex.same_external_id == ("acme", "globex")


def test_only_reads_the_named_stacks(tmp_path: Path) -> None:
    file = tmp_path / "cmek.yaml"
    file.write_text(GOOD)
    assert [entry.name for entry in read_entries(file, only="globex")] == ["globex"]
    with pytest.raises(ConfigError, match="got 'nobody', but the file has acme, globex"):
        read_entries(file, only="acme,nobody")


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cmek init"):
        read_entries(tmp_path / "cmek.yaml")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "cmek.yaml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_entries(file)


def test_every_prop_of_the_construct_can_be_said() -> None:
    props = set(inspect.signature(PineconeCmek.__init__).parameters)
    assert props - set(IN_STACK) == {"self", "scope", "construct_id"}


def test_the_schema_in_the_repo_is_that_of_the_models() -> None:
    file = ROOT / "cmek_construct" / "deployment" / "cmek.schema.json"
    assert json.loads(file.read_text()) == json.loads(json.dumps(json_schema())), "run scripts/docs"


def test_the_schema_takes_what_the_models_take_and_describes_every_prop() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(GOOD), schema)
    bad: list[dict[str, Any]] = [
        yaml.safe_load(GOOD) | {"color": "red"},
        yaml.safe_load(GOOD) | {"pinecone_account_id": 999988887777},
        {},
    ]
    for document in bad:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(document, schema)
    for model in (schema, schema["$defs"]["StackSettings"]):
        assert all(one["description"] for one in model["properties"].values())
