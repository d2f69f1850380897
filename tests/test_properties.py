"""Inputs that nobody thought of: accepted or refused, never anything else."""

from __future__ import annotations

import json
import string
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from cmek_construct import ALL_REGIONS, PINECONE_REGIONS, checks, props
from cmek_construct.deployment.reading import ConfigError, parse_entries
from cmek_construct.props import Trust
from tests.building import EXTERNAL_ID, PINECONE, cmek, new_stack, role, template_of

LETTERS = string.ascii_letters + string.digits
TEXT = st.text(max_size=80) | st.text(alphabet=LETTERS + "_+=,.@:/- \n", max_size=80)
ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), TEXT, st.binary(max_size=5),
    st.lists(TEXT, max_size=3), st.dictionaries(TEXT, TEXT, max_size=2),
)  # fmt: skip


def refused(check: Any, *arguments: Any) -> bool:
    """Whether a check refuses; a refusal is one line that begins with the parameter."""
    try:
        check("parameter", *arguments)
    except ValueError as error:
        assert str(error).startswith("parameter")
        assert "\n" not in str(error)
        return True
    return False


@given(ANYTHING | st.text(alphabet=string.digits + "٣９", min_size=11, max_size=13))
@example("1" * 12)
def test_an_account_id_is_twelve_ascii_digits(value: Any) -> None:
    good = isinstance(value, str) and len(value) == 12 and set(value) <= set(string.digits)
    assert refused(checks.pinecone_account_id, value) is not good


@given(ANYTHING | st.text(alphabet=LETTERS + "_+=,.@:/-", min_size=1, max_size=1300))
def test_an_external_id_is_what_sts_takes(value: Any) -> None:
    allowed = set(LETTERS + "_+=,.@:/-")
    good = value is None or (isinstance(value, str) and 2 <= len(value) <= 1224 and set(value) <= allowed)
    assert (value is not None and refused(props.EXTERNAL_ID.check, value)) is not good


@given(ANYTHING | st.text(alphabet=LETTERS + "_+=,.@-", max_size=70))
def test_a_role_name_is_what_iam_takes(value: Any) -> None:
    good = value is None or (
        isinstance(value, str) and 1 <= len(value) <= 64 and set(value) <= set(LETTERS + "_+=,.@-")
    )
    assert (value is not None and refused(props.ROLE_NAME.check, value)) is not good


@given(ANYTHING | st.text(alphabet=LETTERS + "/", max_size=520).map(lambda text: f"/{text}/"))
@example("/")
@example("/" + "x" * 510 + "/")
@example("/" + "x" * 511 + "/")
def test_a_path_begins_and_ends_with_a_slash(value: Any) -> None:
    good = value is None or (
        isinstance(value, str)
        and value.startswith("/")
        and value.endswith("/")
        and (len(value) == 1 or 3 <= len(value) <= 512)
        and all("!" <= character <= "~" for character in value)
    )
    assert (value is not None and refused(props.ROLE_PATH.check, value)) is not good


@given(ANYTHING | st.text(alphabet=LETTERS + "/_-", max_size=260), st.booleans())
@example("aws/kms", True)
def test_an_alias_is_what_kms_takes(value: Any, prefixed: bool) -> None:
    if prefixed and isinstance(value, str):
        value = f"alias/{value}"
    name = value.removeprefix("alias/") if isinstance(value, str) else ""
    good = value is None or (
        1 <= len(name) <= 250 and set(name) <= set(LETTERS + "/_-") and not name.startswith("aws/")
    )
    assert (value is not None and refused(props.ALIAS.check, value)) is not good


@given(ANYTHING)
def test_whatever_is_no_list_of_regions_is_refused(value: Any) -> None:
    assert refused(checks.regions, value)


@given(st.lists(st.sampled_from(PINECONE_REGIONS), min_size=1, max_size=5))
def test_a_list_of_regions_is_taken_if_each_stands_once(regions: list[str]) -> None:
    assert refused(checks.regions, regions) is (len(set(regions)) < len(regions))


REGION = st.from_regex(r"\A[a-z]{2}-[a-z]{4,9}-[1-9]\Z")


@given(
    st.lists(REGION, min_size=1, max_size=40, unique=True),
    st.none() | st.text(alphabet=LETTERS, min_size=2, max_size=1224),
)
@settings(max_examples=40)
def test_the_counted_size_is_that_of_the_rendered_policy(regions: list[str], external_id: str | None) -> None:
    stack = new_stack()
    cmek(stack, regions=regions, external_id=external_id)
    rendered = role(template_of(stack))["AssumeRolePolicyDocument"]
    size = len(json.dumps(rendered, separators=(",", ":")))
    assert Trust(PINECONE, regions, external_id).known_size() == size


@given(st.sampled_from([ALL_REGIONS, list(PINECONE_REGIONS)]), st.booleans())
def test_every_accepted_trust_has_the_external_id_that_was_given(regions: Any, suspended: bool) -> None:
    stack = new_stack()
    cmek(stack, regions=regions, suspended=suspended)
    (statement,) = role(template_of(stack))["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"]["StringEquals"] == {"sts:ExternalId": EXTERNAL_ID}


YAML_WORDS = st.sampled_from(
    ["stacks", "acme", "account", "regions", "region", "external_id", "null", "true", "5", "'", '"']
    + ["- ", ": ", "\n", "\n  ", "\n    ", "[", "]", "{", "}", "&a ", "*a", "!!str ", "#", "|", "?"]
)


@given(st.text(max_size=60) | st.lists(YAML_WORDS, max_size=25).map("".join))
def test_no_text_at_all_makes_a_traceback_of_cmek_yaml(text: str) -> None:
    try:
        entries = parse_entries(text, "cmek.yaml")
    except ConfigError as error:
        assert all(line.startswith("cmek.yaml:") for line in str(error).split("\n"))
    else:
        assert entries


@given(st.dictionaries(st.sampled_from(["role_name", "alias", "tags", "suspended"]), ANYTHING))
def test_no_value_in_cmek_yaml_makes_a_traceback(props: dict[str, Any]) -> None:
    entry = {"account": "111122223333", "external_id": EXTERNAL_ID} | {
        name: value.decode("latin-1") if isinstance(value, bytes) else value for name, value in props.items()
    }
    document = {
        "pinecone_account_id": PINECONE,
        "regions": ["us-east-1"],
        "region": "us-east-1",
        "stacks": {"acme": entry},
    }
    try:
        parse_entries(json.dumps(document), "cmek.yaml")
    except ConfigError as error:
        assert "cmek.yaml:" in str(error)
