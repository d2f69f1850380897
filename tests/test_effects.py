"""Each fault that is injected into a deployed stack has exactly its effects on people."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.command import cmek
from tests.runnable import check
from tests.test_doctor import (
    ACCOUNT,
    IN,
    OTHER,
    OUT,
    OWN,
    OWNER,
    VENDOR,
    answer,
    aws,
    bound,
    deploy,
    disable,
    grant_to_a_stranger,
    is_whole,
    key_statements,
    looked_up,
    outputs,
    put_key_statements,
    role_name,
    stop_rotation,
    text_of,
)

__all__ = ["aws"]
Given = dict[str, Any]
STRANGER = {"AWS": f"arn:aws:iam::{OTHER}:root"}


def trust(change: Callable[[list[Given]], object]) -> Callable[[], None]:
    """Somebody changes the trust policy by hand."""

    def fault() -> None:
        iam, name = boto3.client("iam"), role_name()
        policy = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        change(policy["Statement"])
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(policy))

    return fault


def key(change: Callable[[list[Given]], object]) -> Callable[[], None]:
    """Somebody changes the key policy by hand."""

    def fault() -> None:
        statements = key_statements()
        change(statements)
        put_key_statements(statements)

    return fault


def denied_by_itself() -> None:
    denial = {"Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*"}
    boto3.client("iam").put_role_policy(
        RoleName=role_name(), PolicyName="no", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": denial})
    )


def long_sessions() -> None:
    boto3.client("iam").update_role(RoleName=role_name(), MaxSessionDuration=43_200)


def another(account: str) -> Callable[[list[Given]], object]:
    def change(statements: list[Given]) -> None:
        names = json.dumps(statements[0]["Principal"])
        statements[0]["Principal"] = json.loads(names.replace("999988887777", account))

    return change


def where(**more: Given) -> Callable[[list[Given]], object]:
    return lambda s: s[0]["Condition"].update(more)


EVERYBODY: Given = {"Sid": "X", "Principal": {"AWS": "*"}, "Resource": "*"}
FAULTS: dict[str, tuple[Callable[[], None], set[str | None]]] = {
    "a region less": (trust(lambda s: s[0]["Principal"]["AWS"].pop()), {OUT}),
    "with MFA": (trust(where(Bool={"aws:MultiFactorAuthPresent": "true"})), {OUT}),
    "from an address": (trust(where(IpAddress={"aws:SourceIp": "192.0.2.0/24"})), {OUT}),
    "everybody denied": (
        trust(lambda s: s.append({"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"})),
        {OUT},
    ),
    "another account": (trust(another(OTHER)), {OUT, IN}),
    "another external ID": (trust(where(StringEquals={"sts:ExternalId": "another"})), {OUT, IN}),
    "no external ID": (trust(lambda s: s[0].pop("Condition")), {IN}),
    "a principal more": (trust(lambda s: s.append({**s[0], "Sid": "X", "Principal": STRANGER})), {IN}),
    "decrypt alone": (key(lambda s: s[1].update(Action="kms:Decrypt")), {OUT}),
    "by a service alone": (key(lambda s: s[1].update(Condition={"StringEquals": {"kms:ViaService": "s3"}})), {OUT}),
    "decrypt denied": (key(lambda s: s.append({**EVERYBODY, "Effect": "Deny", "Action": "kms:Decrypt"})), {OUT}),
    "denied by the role": (denied_by_itself, {OUT}),
    "a boundary with KMS": (lambda: bound("kms:*"), {None}),
    "a key user more": (key(lambda s: s.append({**s[1], "Sid": "X", "Principal": STRANGER})), {IN}),
    "all of KMS": (key(lambda s: s[1].update(Action="kms:*")), {IN}),
    "long sessions": (long_sessions, {IN}),
    "no root": (key(lambda s: s.pop(0)), {OWNER}),
}


def wrong(folder: Path, code: int = 1) -> list[Given]:
    (found,) = json.loads(cmek(folder, "doctor", "--json", code=code).stdout)
    return [one for one in found["findings"] if one["verdict"] == "wrong"]


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_has_exactly_its_effects(tmp_path: Path, name: str) -> None:
    deploy(tmp_path)
    fault, effects = FAULTS[name]
    fault()
    found = wrong(tmp_path)
    assert {one["effect"] for one in found} == effects, found
    assert len(found) == len(effects)
    for one in found:
        is_whole(one)


@pytest.mark.usefixtures("aws")
def test_a_region_more_in_the_file_is_no_tampering(tmp_path: Path) -> None:
    deploy(tmp_path)
    file = tmp_path / "cmek.yaml"
    file.write_text(file.read_text().replace("eu-west-1]", "eu-west-1, us-west-2]"))
    (found,) = wrong(tmp_path)
    assert (found["about"], found["effect"]) == ("file-ahead", None)
    assert "us-west-2" in found["words"]
    assert found["cure"].startswith("npx cdk deploy acme\n")
    trust(lambda s: s[0].pop("Condition"))()
    ahead, tampered = wrong(tmp_path)
    assert (ahead["about"], tampered["effect"]) == ("file-ahead", IN)
    assert "us-west-2" not in tampered["words"]
    assert "update-assume-role-policy" not in tampered["cure"]


@pytest.mark.usefixtures("aws")
def test_another_external_id_in_the_file_goes_back_and_is_never_written(tmp_path: Path) -> None:
    deploy(tmp_path)
    file = tmp_path / "cmek.yaml"
    file.write_text(file.read_text().replace(OWN["external_id"], "another"))
    (found,) = wrong(tmp_path)
    assert (found["about"], found["effect"]) == ("external-id", None)
    assert f"Write  external_id: {OWN['external_id']}  back into cmek.yaml" in found["cure"]
    assert "aws " not in found["cure"]
    assert "cdk deploy" not in found["cure"]
    assert "the next deploy would lock Pinecone out" in found["means"]
    trust(lambda s: s[0]["Principal"]["AWS"].pop())()
    ids = {one["about"]: one for one in wrong(tmp_path)}
    assert ids["trust-policy"]["effect"] == OUT
    assert "update-assume-role-policy" not in ids["trust-policy"]["cure"]
    assert all("cdk deploy" not in one["cure"] for one in ids.values())


@pytest.mark.usefixtures("aws")
def test_another_region_in_the_file_makes_no_second_key(tmp_path: Path) -> None:
    role, key_arn = f"arn:aws:iam::{ACCOUNT}:role/r", f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": OWN}))
    (tmp_path / "cmek.lock").write_text(
        "format = 2\n"
        f'acme {ACCOUNT} eu-west-1 Role1ABCC5F0 AWS::IAM::Role {{"Arn": "{role}"}}\n'
        f'acme {ACCOUNT} eu-west-1 Key961B73FD AWS::KMS::Key {{"Arn": "{key_arn}"}}\n'
    )
    (found,) = wrong(tmp_path)
    assert "eu-west-1" in found["words"]
    assert "npx cdk deploy" not in found["cure"]


@pytest.mark.usefixtures("aws")
def test_what_is_suspended_is_never_just_healthy(tmp_path: Path) -> None:
    deploy(tmp_path, acme={**OWN, "suspended": True})
    assert "acme: healthy, and SUSPENDED on purpose" in cmek(tmp_path, "doctor").stdout


@pytest.mark.usefixtures("aws")
def test_the_night_with_five_faults_is_one_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(tmp_path)
    faults = (FAULTS["a region less"][0], FAULTS["a key user more"][0])
    for fault in (*faults, grant_to_a_stranger, disable, stop_rotation):
        fault()
    answer(monkeypatch, looked_up())
    printed = cmek(tmp_path, "doctor", "acme", code=1).stdout
    first = printed.partition("\n·")[0]
    assert len(first.splitlines()) <= 40
    assert printed.count("✗") == 5
    assert "  5 wrong: somebody is let in (2), Pinecone is locked out (2), no harm yet (1)" in printed
    assert printed.index("grants let others") < printed.index("the key is disabled")
    assert outputs()["KeyArn"] in printed


@pytest.mark.usefixtures("aws")
def test_a_customer_more_in_a_vendors_file_is_no_tampering(tmp_path: Path) -> None:
    deploy(tmp_path, acme=VENDOR)
    file = tmp_path / "cmek.yaml"
    file.write_text(file.read_text().replace('"444455556666"]', '"444455556666", "555566667777"]'))
    (found,) = wrong(tmp_path)
    assert (found["about"], found["effect"]) == ("file-ahead", None)
    assert "555566667777" in found["words"]
    assert check(found["cure"]) == ["npx cdk deploy acme"]
