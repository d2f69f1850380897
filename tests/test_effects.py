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
    event,
    grant_to_a_stranger,
    is_whole,
    key_statements,
    lock_what_is_deployed,
    looked_up,
    make_role_again,
    outputs,
    put_key_statements,
    refusing,
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


def write(folder: Path, **more: Any) -> None:
    """The file says something else of the stack than what was deployed."""
    (folder / "cmek.yaml").write_text(text_of({"acme": {**OWN, **more}}))


@pytest.mark.usefixtures("aws")
def test_a_key_policy_that_lets_nobody_rule_the_key_still_holds_a_used_one(tmp_path: Path) -> None:
    deploy(tmp_path, acme={**OWN, "protect_used_key": 30})
    FAULTS["no root"][0]()
    (found,) = wrong(tmp_path)
    assert (found["about"], found["effect"]) == ("key-policy", OWNER)


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("own", [OWN, VENDOR], ids=["own", "vendor"])
def test_a_role_of_the_name_under_another_path_is_not_the_role(tmp_path: Path, own: Given) -> None:
    deploy(tmp_path, acme={**own, "role_name": "pinecone", "role_path": "/a/"})
    iam = boto3.client("iam")
    trusted = iam.get_role(RoleName="pinecone")["Role"]["AssumeRolePolicyDocument"]
    for one in iam.list_attached_role_policies(RoleName="pinecone")["AttachedPolicies"]:
        iam.detach_role_policy(RoleName="pinecone", PolicyArn=one["PolicyArn"])
    iam.delete_role(RoleName="pinecone")
    iam.create_role(RoleName="pinecone", AssumeRolePolicyDocument=json.dumps(trusted))
    (found,) = wrong(tmp_path)
    assert (found["about"], found["effect"]) == ("role", OUT)
    assert "role/a/pinecone, but arn:aws:iam::123456789012:role/pinecone: " in found["words"]
    assert "--path /a/ " in found["cure"]
    is_whole(found)


@pytest.mark.usefixtures("aws")
def test_no_role_is_made_with_another_external_id_than_pinecone_stores(tmp_path: Path) -> None:
    deploy(tmp_path)
    boto3.client("iam").delete_role(RoleName=role_name())
    write(tmp_path, external_id="another", key_admins=[f"arn:aws:iam::{ACCOUNT}:role/security"])
    found = {one["about"]: one for one in wrong(tmp_path)}
    effects = {"external-id": None, "role": OUT, "file-ahead": None}
    assert {about: one["effect"] for about, one in found.items()} == effects
    for about in ("role", "file-ahead"):
        assert found[about]["cure"].startswith("First put external_id right in cmek.yaml; then: cmek doctor acme")


@pytest.mark.usefixtures("aws")
def test_another_external_id_is_told_where_the_trust_policy_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(tmp_path)
    write(tmp_path, external_id="another")
    answer(monkeypatch, refusing("GetRole"))
    assert [one["about"] for one in wrong(tmp_path)] == ["external-id"]


@pytest.mark.usefixtures("aws")
def test_whether_the_file_is_ahead_cannot_be_told_without_the_last_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(tmp_path)
    file = tmp_path / "cmek.yaml"
    file.write_text(file.read_text().replace("eu-west-1]", "eu-west-1, us-west-2]"))
    answer(monkeypatch, refusing("GetTemplate"))
    assert not wrong(tmp_path, code=3)
    (found,) = json.loads(cmek(tmp_path, "doctor", "--json", code=3).stdout)
    (unknown,) = (one for one in found["findings"] if one["verdict"] == "unknown")
    assert "perhaps the file is ahead of the deploy, whose template was not read (AWS refused" in unknown["words"]
    assert "cloudformation:GetTemplate" in unknown["cure"]
    assert "aws " not in unknown["cure"]


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("more", "about"),
    [
        ({"alias": "new"}, "alias"),
        ({"role_name": "new"}, "same-role"),
        ({"role_path": "/new/"}, "same-role"),
        ({"role": f"arn:aws:iam::{ACCOUNT}:role/new"}, "same-role"),
        ({"key": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"}, "same-key"),
    ],
    ids=str,
)
def test_a_file_that_says_another_role_key_or_alias_than_the_deployed_is_no_tampering(
    tmp_path: Path, more: Given, about: str
) -> None:
    deploy(tmp_path)
    write(tmp_path, **more)
    (found,) = wrong(tmp_path)
    assert (found["about"], found["effect"]) == (about, None)
    assert found["means"].startswith("none by itself")
    assert check(found["cure"]) == (["npx cdk deploy acme"] if about == "alias" else [])


@pytest.mark.usefixtures("aws")
def test_a_role_made_again_locks_nobody_out_once_the_key_policy_names_it(tmp_path: Path) -> None:
    deploy(tmp_path)
    lock_what_is_deployed(tmp_path)
    before = key_statements()
    make_role_again()
    (found,) = wrong(tmp_path)
    assert found["effect"] == OUT
    put_key_statements(before)
    (found,) = wrong(tmp_path)
    assert (found["about"], found["effect"]) == ("same-role", None)
    assert check(found["cure"].partition("\n")[0]) == [
        'cmek unlock acme role --reason "made again"',
        "cmek lock --deployed",
    ]


@pytest.mark.usefixtures("aws")
def test_a_role_of_another_account_is_not_looked_for_in_this_one(tmp_path: Path) -> None:
    deploy(tmp_path, acme={**OWN, "role": f"arn:aws:iam::{OTHER}:role/theirs"})
    assert not wrong(tmp_path, code=3)
    assert f"not read: the role theirs (account {OTHER} alone shows it)" in cmek(tmp_path, "doctor", code=3).stdout


@pytest.mark.usefixtures("aws")
def test_a_given_key_of_another_kind_locks_pinecone_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key_arn = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
    role = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/pinecone"}
    lets_in = {"Effect": "Allow", "Principal": role, "Action": "kms:*", "Resource": "*"}
    boto3.client("kms").put_key_policy(
        KeyId=key_arn.rpartition("/")[2],
        PolicyName="default",
        Policy=json.dumps({"Version": "2012-10-17", "Statement": lets_in}),
    )
    deploy(tmp_path, acme={**OWN, "key": key_arn, "role_name": "pinecone"})
    assert not wrong(tmp_path, code=0)
    of_hmac = {"KeyManager": "CUSTOMER", "KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}
    described = {"KeyMetadata": {"KeyId": "x", "Arn": key_arn, "KeyState": "Enabled", "Origin": "AWS_KMS", **of_hmac}}
    answer(monkeypatch, lambda name, _: described if name == "DescribeKey" else NotImplemented)
    (found,) = wrong(tmp_path)
    assert (found["about"], found["effect"]) == ("kind", OUT)


@pytest.mark.usefixtures("aws")
def test_a_key_whose_primary_region_moves_is_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(tmp_path)
    found = boto3.client("kms").describe_key(KeyId=outputs()["KeyArn"])
    found["KeyMetadata"]["KeyState"] = "Updating"
    answer(monkeypatch, lambda name, _: found if name == "DescribeKey" else NotImplemented)
    assert not wrong(tmp_path, code=0)


@pytest.mark.usefixtures("aws")
def test_what_was_done_to_a_role_of_a_longer_name_is_not_said_of_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(tmp_path, acme={**OWN, "role_name": "pinecone"})
    FAULTS["no external ID"][0]()
    for name, is_it in (("pinecone-staging", False), ("my-pinecone", False), ("pinecone", True)):
        answer(monkeypatch, looked_up(event("UpdateAssumeRolePolicy", "arn:aws:iam::1:user/bob", name)))
        (found,) = wrong(tmp_path)
        assert ("user/bob" in found["words"]) is is_it


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_a_changed_policy_of_the_stacks_own_is_not_to_be_detached(tmp_path: Path, effect: str) -> None:
    deploy(tmp_path, acme=VENDOR)
    iam = boto3.client("iam")
    arn = iam.list_attached_role_policies(RoleName=role_name())["AttachedPolicies"][0]["PolicyArn"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
    action = "s3:*" if effect == "Allow" else "kms:Decrypt"
    document["Statement"].append({"Effect": effect, "Action": action, "Resource": "*"})
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(document), SetAsDefault=True)
    (found,) = wrong(tmp_path)
    assert found["effect"] == (IN if effect == "Allow" else OUT)
    assert "detach-role-policy" not in found["cure"]
    assert f"aws iam list-policy-versions --policy-arn {arn}" in check(found["cure"])
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    assert not wrong(tmp_path, code=0)


@pytest.mark.usefixtures("aws")
def test_the_key_policy_to_put_names_the_deployed_role_whatever_the_file_names(tmp_path: Path) -> None:
    deploy(tmp_path)
    write(tmp_path, role=f"arn:aws:iam::{ACCOUNT}:role/new")
    shown = cmek(tmp_path, "doctor", "acme", "--show=key-policy").stdout
    assert outputs()["RoleArn"] in shown
    assert "role/new" not in shown


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("operation", "found"),
    [
        ("GetKeyLastUsage", {"TrackingStartDate": None}),
        ("DescribeStacks", {"Stacks": [None]}),
        ("ListStackResources", {"StackResourceSummaries": [None]}),
        ("GetRole", {"Role": None}),
    ],
)
def test_an_answer_with_nothing_in_it_is_not_read_and_is_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str, found: Given
) -> None:
    deploy(tmp_path)
    answer(monkeypatch, lambda name, _: found if name == operation else NotImplemented)
    assert "the answer of AWS cannot be read" in cmek(tmp_path, "doctor", "acme", code=3).stdout
