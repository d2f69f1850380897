"""A key that is protected while it is used (`protect_used_key`): what each command says of it."""

from __future__ import annotations

import json
from pathlib import Path

import aws_cdk as cdk
import pytest

from tests.building import cmek_template
from tests.command import cmek
from tests.test_doctor import (  # noqa: F401 - a fixture
    OWN,
    aws,
    deploy,
    findings,
    key_statements,
    put_key_statements,
    text_of,
)

DAYS = 90


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template of a protected key."""
    file = tmp_path_factory.mktemp("protected") / "cmek.template.json"
    file.write_text(json.dumps(cmek_template(protect_used_key=cdk.Duration.days(DAYS))))
    return file


OF_A_TEMPLATE = {
    ("check",): "0 violations",
    ("who", "--json"): "only when unused for 90 days",
    ("review",): "cannot be disabled: use one of the other ways",
}


@pytest.mark.parametrize("command", OF_A_TEMPLATE, ids=lambda command: command[0])
def test_what_is_said_of_the_template(command: tuple[str, ...], template: Path) -> None:
    said = cmek(template.parent, *command, template.name).stdout
    page = template.with_name("review.html")
    assert OF_A_TEMPLATE[command] in (page.read_text() if command[0] == "review" else said)


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("file", "there", "said"),
    [
        (DAYS, DAYS, ("right", "while it was used within 90 days")),
        (DAYS, 30, ("wrong", "90 days after its use by the file, for 30 days by the key policy")),
        (DAYS, None, ("wrong", "90 days after its use by the file, for 0 days by the key policy")),
        (None, 1, ("wrong", "0 days after its use by the file, for 1 day by the key policy")),
        (None, None, None),
    ],
)
def test_what_the_doctor_says_of_the_deployed_key(
    file: int | None, there: int | None, said: tuple[str, str] | None, tmp_path: Path
) -> None:
    deploy(tmp_path, acme={**OWN, "protect_used_key": file})
    rest = [one for one in key_statements() if one["Effect"] == "Allow"]
    denials = cmek_template(protect_used_key=cdk.Duration.days(there)) if there else {}
    denied = [
        one
        for resource in denials.get("Resources", {}).values()
        for one in resource["Properties"].get("KeyPolicy", {}).get("Statement", [])
        if one["Effect"] == "Deny"
    ]
    put_key_statements([*rest, *denied])
    every = findings(tmp_path, code=0 if file == there else 1)
    assert every["key-policy"]["verdict"] == "right"
    found = every.get("used-key")
    if said is None:
        assert found is None
    else:
        assert found is not None
        assert (found["verdict"], said[1] in found["words"]) == (said[0], True)


@pytest.mark.usefixtures("aws")
def test_other_days_in_the_file_alone_are_deployed_and_in_the_key_alone_put_back(tmp_path: Path) -> None:
    deploy(tmp_path, acme={**OWN, "protect_used_key": DAYS})
    statements = key_statements()
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": {**OWN, "protect_used_key": 30}}))
    found = findings(tmp_path, code=1)
    assert found["used-key"]["cure"] == "npx cdk deploy acme"
    assert "file-ahead" not in found
    put_key_statements([one for one in statements if one["Effect"] == "Allow"])
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": {**OWN, "protect_used_key": DAYS}}))
    assert "aws kms put-key-policy" in findings(tmp_path, code=1)["used-key"]["cure"]


@pytest.mark.usefixtures("aws")
def test_a_denial_that_is_not_to_everybody_holds_nothing(tmp_path: Path) -> None:
    deploy(tmp_path, acme={**OWN, "protect_used_key": DAYS})
    statements = key_statements()
    for one in statements:
        if one["Effect"] == "Deny":
            one["Principal"] = {"AWS": f"arn:aws:iam::{OWN['account']}:role/one-alone"}
    put_key_statements(statements)
    assert "for 0 days by the key policy" in findings(tmp_path, code=1)["used-key"]["words"]
