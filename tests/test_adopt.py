"""`cmek adopt`, asked of roles and keys that somebody clicked by the guide, and of retained ones.

What the guide and the KMS console write is written out here and in `rehearsal.guide`. Moto leaves the rotation period
out of its answer, and deletes what a deleted stack retains: both are answered here. Of a template it drops MultiRegion,
which is shown with a key that was clicked.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from moto.kms.models import kms_backends
from moto.moto_api._internal.models import moto_api_backend

from cmek_construct.commands import adopt
from cmek_construct.deployment.reading import read_entries
from cmek_construct.guide import PINECONE_REGIONS, used_key_denial
from cmek_construct.health import adoption as adopt_stack
from rehearsal import guide
from tests.building import EXTERNAL_ID, PINECONE, REGION, REGIONS, of_type, only
from tests.command import cmek
from tests.test_doctor import (
    ACCOUNT,
    GONE,
    OTHER,
    OWN,
    VENDOR,
    answer,
    aws,
    deploy,
    lock,
    lock_what_is_deployed,
    outputs,
    refusing,
    template,
    text_of,
    without_stack,
)
from tests.test_suspend import Killed

__all__ = ["aws"]
ADMINS = [f"arn:aws:iam::{ACCOUNT}:role/security", f"arn:aws:iam::{ACCOUNT}:user/ann"]
FORMS = {
    "explicit regions and ID": guide.explicit_regions_with_id(PINECONE, REGIONS, EXTERNAL_ID),
    "explicit regions": guide.explicit_regions_without_id(PINECONE, REGIONS),
    "all regions and ID": guide.all_regions_with_id(PINECONE, EXTERNAL_ID),
}
ADMINISTRATION = [
    *("Create*", "Describe*", "Enable*", "List*", "Put*", "Update*", "Revoke*", "Disable*", "Get*"),
    *("Delete*", "TagResource", "UntagResource", "ScheduleKeyDeletion", "CancelKeyDeletion"),
    "RotateKeyOnDemand",
]
Given = dict[str, Any]


def clicked_role(trust: Given = FORMS["explicit regions and ID"], **more: Any) -> str:
    """A role as step 1 of the guide has it made."""
    made = boto3.client("iam").create_role(RoleName="PineconeCMEK", AssumeRolePolicyDocument=json.dumps(trust), **more)
    return str(made["Role"]["Arn"])


def console_policy(role_arn: str, admins: list[str] | None = None) -> list[Given]:
    """The key policy that the KMS console writes for one key user."""
    rest = {"Effect": "Allow", "Resource": "*"}
    user = {**rest, "Principal": {"AWS": role_arn}}
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    use = ["Encrypt", "Decrypt", "ReEncrypt*", "GenerateDataKey*", "DescribeKey"]
    grants = ["CreateGrant", "ListGrants", "RevokeGrant"]
    administer = {
        "Sid": "Allow access for Key Administrators",
        **rest,
        "Principal": {"AWS": admins},
        "Action": [f"kms:{one}" for one in ADMINISTRATION],
    }
    return [
        {"Sid": "Enable IAM User Permissions", **rest, "Principal": root, "Action": "kms:*"},
        *([administer] if admins else []),
        {"Sid": "Allow use of the key", **user, "Action": [f"kms:{one}" for one in use]},
        {
            "Sid": "Allow attachment of persistent resources",
            **user,
            "Action": [f"kms:{one}" for one in grants],
            "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        },
    ]


def clicked_key(statements: list[Given], alias: str | None = "pinecone", **more: Any) -> str:
    """A key as step 2 of the guide has it made: no rotation, one alias."""
    kms = boto3.client("kms")
    policy = {"Version": "2012-10-17", "Statement": statements}
    made = kms.create_key(Policy=json.dumps(policy), KeyUsage="ENCRYPT_DECRYPT", **more)
    made = made["KeyMetadata"]
    if alias:
        kms.create_alias(AliasName=f"alias/{alias}", TargetKeyId=made["KeyId"])
    return str(made["Arn"])


def clicked() -> tuple[str, str]:
    role = clicked_role()
    return role, clicked_key(console_policy(role))


def adopted(folder: Path, role: str, key: str | None, *options: str, code: int = 0) -> str:
    """What the command says."""
    of_key = [f"--key-arn={key}"] if key else []
    printed = cmek(folder, "adopt", "acme", f"--role-arn={role}", *of_key, *options, code=code)
    return printed.stdout + printed.stderr


def made(folder: Path) -> Given:
    """The template of the entry in the file."""
    (entry,) = [one for one in read_entries(folder / "cmek.yaml") if one.name == "acme"]
    return template(entry)


def mapping(folder: Path) -> Given:
    found: Given = json.loads((folder / "cmek-import-acme.json").read_text())
    return found


def resolved(value: Any, role_arn: str) -> Any:
    """A part of a template with the ARN of the role in it."""
    reference = '{"Fn::GetAtt": ["Role1ABCC5F0", "Arn"]}'
    return json.loads(json.dumps(value).replace(reference, json.dumps(role_arn)))


def same_as_there(folder: Path, role_arn: str, key_arn: str) -> None:
    """Each property of the template is what AWS has."""
    iam, kms = boto3.client("iam"), boto3.client("kms")
    role = iam.get_role(RoleName=role_arn.rpartition("/")[2])["Role"]
    shown = made(folder)
    found = only(shown, "AWS::IAM::Role")["Properties"]
    assert found.pop("AssumeRolePolicyDocument") == role["AssumeRolePolicyDocument"]
    assert found.pop("RoleName") == role["RoleName"]
    assert found.pop("Path", "/") == role["Path"]
    assert found == {}
    found = resolved(only(shown, "AWS::KMS::Key")["Properties"], role_arn)
    policy = kms.get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"]
    assert found.pop("KeyPolicy") == json.loads(policy)
    there = kms.describe_key(KeyId=key_arn)["KeyMetadata"]
    assert found.pop("MultiRegion") is bool(there.get("MultiRegion"))
    for name in ("KeySpec", "KeyUsage"):
        assert found.pop(name) == there[name]
    assert found.pop("Description", "") == there["Description"]
    rotates = kms.get_key_rotation_status(KeyId=key_arn)["KeyRotationEnabled"]
    assert found.pop("EnableKeyRotation", False) is rotates
    assert found == {}
    (alias,) = kms.list_aliases(KeyId=key_arn.rpartition("/")[2])["Aliases"]
    assert only(shown, "AWS::KMS::Alias")["Properties"]["AliasName"] == alias["AliasName"]


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("admins", [None, ADMINS])
def test_the_template_is_what_was_clicked(tmp_path: Path, form: str, admins: list[str] | None) -> None:
    role = clicked_role(FORMS[form])
    key = clicked_key(console_policy(role, admins), Description="Pinecone's vectors")
    printed = adopted(tmp_path, role, key)
    assert "✗" not in printed
    same_as_there(tmp_path, role, key)
    assert mapping(tmp_path) == {
        "Role1ABCC5F0": {"RoleName": "PineconeCMEK"},
        "Key961B73FD": {"KeyId": key.rpartition("/")[2]},
        "KeyPineconeAlias0F7AA316": {"AliasName": "alias/pinecone"},
    }


@pytest.mark.usefixtures("aws")
def test_a_statement_for_each_region_and_each_administrator_is_one_entry(tmp_path: Path) -> None:
    (own,) = FORMS["explicit regions and ID"]["Statement"]
    names = own["Principal"]["AWS"]
    assert len(names) > 1
    each = [{**own, "Sid": f"R{number}", "Principal": {"AWS": name}} for number, name in enumerate(names)]
    role = clicked_role({"Version": "2012-10-17", "Statement": each})
    root, admins, *use = console_policy(role, ADMINS)
    apart = [{**admins, "Sid": f"A{number}", "Principal": {"AWS": name}} for number, name in enumerate(ADMINS)]
    assert "✗" not in adopted(tmp_path, role, clicked_key([root, *apart, *use]))
    text = (tmp_path / "cmek.yaml").read_text()
    assert all(name.rpartition("_")[2] in text for name in names)
    assert all(name in text for name in ADMINS)


@pytest.mark.usefixtures("aws")
def test_a_multi_region_key_that_rotates_and_a_role_with_a_path(tmp_path: Path) -> None:
    role = clicked_role(FORMS["explicit regions"], Path="/security/")
    key = clicked_key(console_policy(role), MultiRegion=True)
    boto3.client("kms").enable_key_rotation(KeyId=key.rpartition("/")[2])
    adopted(tmp_path, role, key)
    same_as_there(tmp_path, role, key)


@pytest.mark.usefixtures("aws")
def test_a_key_that_is_held_while_it_is_used_stays_so(tmp_path: Path) -> None:
    role = clicked_role()
    key = clicked_key([*console_policy(role), used_key_denial(90)])
    assert "✗" not in adopted(tmp_path, role, key)
    same_as_there(tmp_path, role, key)
    text = (tmp_path / "cmek.yaml").read_text()
    (tmp_path / "cmek.yaml").write_text(text.replace("protect_used_key: 90", ""))
    assert "for 90 days by the key policy. the next deploy" in adopted(tmp_path, role, key)


@pytest.mark.usefixtures("aws")
def test_the_external_id_is_the_one_in_the_trust_policy_and_none_is_minted(tmp_path: Path) -> None:
    adopted(tmp_path, *clicked())
    text = (tmp_path / "cmek.yaml").read_text()
    assert re.findall(r"external_id: \"?([^\"\s]+)", text) == [EXTERNAL_ID]
    assert f'pinecone_account_id: "{PINECONE}"' in text


@pytest.mark.usefixtures("aws")
def test_the_commands_to_run_next_are_in_their_order(tmp_path: Path) -> None:
    printed = adopted(tmp_path, *clicked())
    commands = [
        "git add cmek.yaml",
        "npx cdk diff acme",
        "npx cdk import acme --resource-mapping cmek-import-acme.json",
        "npx cdk deploy acme",
        "cmek doctor acme",
        "cmek sheet acme",
        "cmek lock --deployed",
    ]
    places = [printed.index(f"  {command}  #") for command in commands]
    assert places == sorted(places)
    assert "Never deploy before the import" in printed
    for name in ("app.py", "cdk.json", "requirements.txt", "package.json", ".gitignore"):
        assert name in printed
        assert (tmp_path / name).is_file()


@pytest.mark.usefixtures("aws")
def test_in_a_file_that_is_there_no_other_byte_changes_and_its_top_is_taken_back(tmp_path: Path) -> None:
    role, key = clicked()
    top = "alias: shared\nenable_key_rotation: true\nkey_access: ENCRYPT_DECRYPT  # ours\n"
    text = top + text_of({"globex": {**OWN, "external_id": EXTERNAL_ID[:-1] + "1", "alias": "g"}})
    (tmp_path / "cmek.yaml").write_text(text)
    adopted(tmp_path, role, key)
    after = (tmp_path / "cmek.yaml").read_text()
    assert after.startswith(text)
    assert "regions" not in after[len(text) :]
    assert "key_access: null" in after[len(text) :]
    same_as_there(tmp_path, role, key)


@pytest.mark.usefixtures("aws")
def test_run_again_it_finds_its_own_entry_and_writes_the_same_mapping(tmp_path: Path) -> None:
    role, key = clicked()
    adopted(tmp_path, role, key)
    text, first = (tmp_path / "cmek.yaml").read_text(), mapping(tmp_path)
    (tmp_path / "cmek-import-acme.json").unlink()
    assert "acme stays as it is" in adopted(tmp_path, role, key)
    assert ((tmp_path / "cmek.yaml").read_text(), mapping(tmp_path)) == (text, first)


@pytest.mark.usefixtures("aws")
def test_interrupted_between_its_two_files_it_is_run_again_to_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_text: str) -> None:
        raise KeyboardInterrupt

    role, key = clicked()
    with monkeypatch.context() as patched:
        patched.setattr(adopt, "write_whole", die)
        adopted(tmp_path, role, key, code=130)
    assert list(mapping(tmp_path)) == [adopt_stack.ROLE, adopt_stack.KEY, adopt_stack.ALIAS]
    assert not (tmp_path / "cmek.yaml").exists()
    adopted(tmp_path, role, key)
    same_as_there(tmp_path, role, key)


def files(folder: Path) -> dict[str, str]:
    return {one.name: one.read_text() for one in folder.iterdir()}


def killed_after(step: int, monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> int:
    """Do something that is killed after one of its calls and writes.

    Returns:
        How many there were.
    """
    count = 0
    call, write = BaseClient._make_api_call, Path.replace

    def counted(does: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*arguments: Any) -> Any:
            nonlocal count
            found = does(*arguments)
            count += 1
            if count == step:
                raise Killed
            return found

        return stepped

    with monkeypatch.context() as patched:
        patched.setattr(BaseClient, "_make_api_call", counted(call))
        patched.setattr(Path, "replace", counted(write))
        try:
            work()
        except Killed:
            assert step
    return count


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("of_a_deleted_stack", [False, True])
def test_killed_at_each_call_and_write_and_run_again_it_comes_to_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of_a_deleted_stack: bool
) -> None:
    if of_a_deleted_stack:
        deploy(tmp_path)
        role, key = outputs()["RoleArn"], outputs()["KeyArn"]
        lock_what_is_deployed(tmp_path)
        with (tmp_path / "cmek.lock").open("a") as file:
            file.write(f'acme {ACCOUNT} {REGION} Role1ABCC5F0 Gone "2026-01-05"\n')
        answer(monkeypatch, deleted())
    else:
        role, key = clicked()
    before = files(tmp_path)

    def begin() -> None:
        for one in tmp_path.iterdir():
            one.unlink()
        for name, text in before.items():
            (tmp_path / name).write_text(text)

    steps = killed_after(0, monkeypatch, lambda: adopted(tmp_path, role, key))
    assert steps >= 10
    end = files(tmp_path)
    assert set(end) >= {"cmek.yaml", "cmek-import-acme.json"}
    for step in range(1, steps + 1):
        begin()
        killed_after(step, monkeypatch, lambda: adopted(tmp_path, role, key))
        adopted(tmp_path, role, key)
        assert files(tmp_path) == end, step


@pytest.mark.usefixtures("aws")
def test_two_accounts_that_are_taken_for_pinecones_are_said(tmp_path: Path) -> None:
    trust = json.loads(json.dumps(FORMS["explicit regions and ID"]))
    trust["Statement"][0]["Principal"]["AWS"].append(guide.access_role(OTHER, "us-east-1"))
    role = clicked_role(trust)
    printed = adopted(tmp_path, role, clicked_key(console_policy(role)), code=1)
    assert f"names 2 accounts as Pinecone's: {PINECONE}, {OTHER}" in printed


def without(policy: list[Given], sid: str) -> list[Given]:
    return [one for one in policy if one["Sid"] != sid]


def another_user(policy: list[Given]) -> list[Given]:
    for one in policy[-2:]:
        one["Principal"] = {"AWS": [one["Principal"]["AWS"], f"arn:aws:iam::{ACCOUNT}:role/billing"]}
    return policy


def another_account(policy: list[Given]) -> list[Given]:
    root = {"AWS": f"arn:aws:iam::{OTHER}:root"}
    helper = {"Sid": "Helper", "Effect": "Allow", "Principal": root}
    return [*policy, {**helper, "Action": "kms:Decrypt", "Resource": "*"}]


def a_denial(policy: list[Given]) -> list[Given]:
    denial = {"Sid": "NoGrants", "Effect": "Deny", "Principal": "*", "Action": "kms:CreateGrant"}
    return [*policy, {**denial, "Resource": "*"}]


def nobody(policy: list[Given]) -> list[Given]:
    return policy[:-2]


def a_condition(policy: list[Given]) -> list[Given]:
    policy[-2]["Condition"] = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
    return policy


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (another_user, 'it lets in by statement "Allow use of the key": Lets the role billing'),
        (another_account, f'it lets in by statement "Helper": Lets AWS account {OTHER}'),
        (a_denial, 'it lacks statement "Enable IAM User Permissions": Lets this account'),
        (nobody, 'it lacks statement "Allow use of the key"'),
        (a_condition, 'it lacks statement "Allow use of the key"'),
        (lambda policy: policy[1:], 'it lacks statement "Enable IAM User Permissions"'),
    ],
)
def test_a_key_policy_that_no_entry_can_say_is_refused_by_its_statement(
    tmp_path: Path, change: Callable[[list[Given]], list[Given]], said: str
) -> None:
    role = clicked_role()
    key = clicked_key(change(console_policy(role)))
    printed = adopted(tmp_path, role, key, code=1)
    assert f"✗ the key policy is not what the file says: {said}" in printed
    assert "--as-given key" in printed
    assert list(tmp_path.iterdir()) == []
    adopted(tmp_path, role, key, "--accept")
    assert set(mapping(tmp_path)) == {adopt_stack.ROLE, adopt_stack.KEY, adopt_stack.ALIAS}


@pytest.mark.usefixtures("aws")
def test_a_key_as_given_stays_out_of_the_stack(tmp_path: Path) -> None:
    role = clicked_role()
    key = clicked_key(another_account(console_policy(role)))
    assert "✗" not in adopted(tmp_path, role, key, "--as-given=key")
    shown = made(tmp_path)
    assert [one["Type"] for one in shown["Resources"].values()] == ["AWS::IAM::Role"]
    assert shown["Outputs"]["KeyArn"]["Value"] == key
    assert mapping(tmp_path) == {"Role1ABCC5F0": {"RoleName": "PineconeCMEK"}}


@pytest.mark.usefixtures("aws")
def test_a_role_as_given_stays_out_of_the_stack(tmp_path: Path) -> None:
    trust = json.loads(json.dumps(FORMS["explicit regions"]))
    trust["Statement"].append({**trust["Statement"][0], "Principal": {"AWS": OTHER}, "Sid": "X"})
    role = clicked_role(trust)
    key = clicked_key(console_policy(role))
    assert "✗ the trust policy" in adopted(tmp_path, role, key, code=1)
    assert "✗" not in adopted(tmp_path, role, key, "--as-given=role")
    shown = made(tmp_path)
    assert of_type(shown, "AWS::IAM::Role") == {}
    policy = only(shown, "AWS::KMS::Key")["Properties"]["KeyPolicy"]["Statement"]
    assert policy == console_policy(role)
    assert adopt_stack.ROLE not in mapping(tmp_path)


@pytest.mark.usefixtures("aws")
def test_administrators_of_former_years_and_deleted_ones_do_no_harm(tmp_path: Path) -> None:
    role = clicked_role()
    policy = console_policy(role, [*ADMINS, "AIDAEXAMPLE0BOB00"])
    policy[1]["Action"].remove("kms:RotateKeyOnDemand")
    printed = adopted(tmp_path, role, clicked_key(policy))
    assert "✗" not in printed
    assert "names AIDAEXAMPLE0BOB00: deleted, and nobody any more" in printed
    assert "do kms:RotateKeyOnDemand" in printed
    (entry,) = read_entries(tmp_path / "cmek.yaml")
    assert entry.key_admins == ADMINS


@pytest.mark.usefixtures("aws")
def test_administrators_who_may_not_delete_the_key_would_be_let(tmp_path: Path) -> None:
    role = clicked_role()
    policy = console_policy(role, ADMINS)
    policy[1]["Action"].remove("kms:ScheduleKeyDeletion")
    printed = adopted(tmp_path, role, clicked_key(policy), code=1)
    assert "order the key's deletion" in printed


@pytest.mark.usefixtures("aws")
def test_a_role_that_was_made_again_is_named(tmp_path: Path) -> None:
    role = clicked_role()
    policy = json.loads(json.dumps(console_policy(role)).replace(role, GONE))
    printed = adopted(tmp_path, role, clicked_key(policy), code=1)
    assert f"({role} was deleted and made again)" in printed


def wider(condition: Given | None = None, **more: Any) -> Given:
    trust = json.loads(json.dumps(FORMS["explicit regions and ID"]))
    (statement,) = trust["Statement"]
    statement |= {"Condition": condition} if condition else {}
    statement |= more
    found: Given = trust
    return found


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("trust", "said"),
    [
        (
            wider({"StringEquals": {"sts:ExternalId": [EXTERNAL_ID, "another"]}}),
            "take on this role, under no condition",
        ),
        (wider({"Bool": {"aws:SecureTransport": "true"}}), 'it lacks statement "AllowPinecone'),
        pytest.param(wider(Action=["sts:AssumeRole", "sts:TagSession"]), "tag sessions of this role"),
    ],
    ids=["two IDs", "another condition", "another action"],
)
def test_a_trust_policy_that_no_entry_can_say_is_refused(tmp_path: Path, trust: Given, said: str) -> None:
    role = clicked_role(trust)
    printed = adopted(tmp_path, role, clicked_key(console_policy(role)), code=1)
    assert "✗ the trust policy is not what the file says: " in printed
    assert said in printed
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("aws")
def test_a_deleted_role_in_the_trust_policy_is_named_and_does_no_harm(tmp_path: Path) -> None:
    role = clicked_role(wider(Principal={"AWS": [guide.access_role(PINECONE, "us-east-1"), GONE]}))
    printed = adopted(tmp_path, role, clicked_key(console_policy(role)))
    assert f"the trust policy names {GONE}: deleted, and nobody any more" in printed
    assert "✗" not in printed


@pytest.mark.usefixtures("aws")
def test_a_role_of_somebody_else_is_none_of_pinecones(tmp_path: Path) -> None:
    role = clicked_role(wider(Principal={"AWS": OTHER}))
    key = clicked_key(console_policy(role))
    assert "no statement of its trust policy" in adopted(tmp_path, role, key, "--accept", code=1)


@pytest.mark.usefixtures("aws")
def test_all_regions_without_external_id_is_refused_whatever_is_accepted(tmp_path: Path) -> None:
    trust = json.loads(json.dumps(FORMS["all regions and ID"]))
    del trust["Statement"][0]["Condition"]["StringEquals"]
    role = clicked_role(trust)
    key = clicked_key(console_policy(role))
    assert "without an external ID" in adopted(tmp_path, role, key, "--accept", code=1)


@pytest.mark.usefixtures("aws")
def test_what_the_template_does_not_say_of_the_role_is_said_and_stays(tmp_path: Path) -> None:
    role = clicked_role(MaxSessionDuration=7200)
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*"}}
    policy["Statement"]["Resource"] = "*"  # type: ignore[index]
    boto3.client("iam").put_role_policy(RoleName="PineconeCMEK", PolicyName="more", PolicyDocument=json.dumps(policy))
    printed = adopted(tmp_path, role, clicked_key(console_policy(role)))
    for said in (
        "may last 2 hours, not one hour as by the file. It stays so",
        "Pinecone's sessions have them too",
        "the role's permissions (in more) are not what the file says: it lets in by",
    ):
        assert said in printed


@pytest.mark.usefixtures("aws")
def test_the_alias_of_several_is_chosen_and_of_none_is_made(tmp_path: Path) -> None:
    role = clicked_role()
    key = clicked_key(console_policy(role), alias=None)
    assert "the key has no alias of the template's: the deploy makes one" in adopted(tmp_path, role, key)
    assert adopt_stack.ALIAS not in mapping(tmp_path)
    (tmp_path / "cmek.yaml").unlink()
    for name in ("alias/a", "alias/b"):
        boto3.client("kms").create_alias(AliasName=name, TargetKeyId=key.rpartition("/")[2])
    assert "alias/a, alias/b, and a stack has one" in adopted(tmp_path, role, key, code=1)
    assert "but the key has alias/a" in adopted(tmp_path, role, key, "--alias=c", code=1)
    assert "alias/a: stays, outside of the stack" in adopted(tmp_path, role, key, "--alias=b")
    assert mapping(tmp_path)[adopt_stack.ALIAS] == {"AliasName": "alias/b"}


@pytest.mark.usefixtures("aws")
def test_a_disabled_key_is_said_and_one_that_will_be_deleted_is_refused(tmp_path: Path) -> None:
    role, key = clicked()
    kms = boto3.client("kms")
    kms.disable_key(KeyId=key.rpartition("/")[2])
    assert "the key is disabled" in adopted(tmp_path, role, key)
    kms.schedule_key_deletion(KeyId=key.rpartition("/")[2])
    refused = adopted(tmp_path, role, key, "--accept", code=1)
    assert "WILL BE DELETED at 20" in refused
    assert "cancel-key-deletion" in refused


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("metadata", "said", "way_out"),
    [
        ({"Origin": "EXTERNAL"}, "key material has the origin EXTERNAL", "--as-given key"),
        (
            {"MultiRegion": True, "MultiRegionConfiguration": {"MultiRegionKeyType": "REPLICA"}},
            "the replica of a multi-Region key",
            "--as-given key",
        ),
        ({"KeySpec": "RSA_2048"}, "KeySpec is RSA_2048", "Pinecone's console"),
        ({"KeyManager": "AWS"}, "KeyManager is AWS", "Pinecone's console"),
        ({"KeyState": "PendingImport"}, "in state PendingImport", "KMS console"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_key_of_another_kind_is_refused_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metadata: Given, said: str, way_out: str
) -> None:
    role, key = clicked()
    there = boto3.client("kms").describe_key(KeyId=key)["KeyMetadata"]
    answer(
        monkeypatch,
        lambda operation, _: {"KeyMetadata": {**there, **metadata}} if operation == "DescribeKey" else NotImplemented,
    )
    refused = adopted(tmp_path, role, key, "--accept", code=1)
    assert said in refused
    assert way_out in refused
    if way_out == "--as-given key":
        adopted(tmp_path, role, key, "--as-given=key")


@pytest.mark.usefixtures("aws")
def test_a_suspended_pair_is_adopted_suspended(tmp_path: Path) -> None:
    role = clicked_role()
    denial = {"Effect": "Deny", "Principal": {"AWS": role}, "Action": "kms:*", "Resource": "*"}
    denial["Sid"] = "Deny Pinecone while suspended"
    key = clicked_key([*console_policy(role), denial])
    adopted(tmp_path, role, key)
    assert "suspended: true" in (tmp_path / "cmek.yaml").read_text()
    same_as_there(tmp_path, role, key)


def customers(*accounts: str) -> Given:
    """The guide's statement of its second tab, once for each customer."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": f"Customer{account}",
                "Effect": "Allow",
                "Action": ["kms:Decrypt", "kms:Encrypt"],
                "Resource": f"arn:aws:kms:*:{account}:key/*",
            }
            for account in accounts
        ],
    }


@pytest.mark.usefixtures("aws")
def test_a_vendors_role_is_adopted_with_its_customers_and_without_a_key(tmp_path: Path) -> None:
    role = clicked_role()
    boto3.client("iam").put_role_policy(
        RoleName="PineconeCMEK", PolicyName="customers", PolicyDocument=json.dumps(customers("444455556666", OTHER))
    )
    assert "--region: it is missing" in adopted(tmp_path, role, None, code=1)
    printed = adopted(tmp_path, role, None, f"--region={REGION}")
    assert "those of the file (for 2 customers)" in printed
    assert "then take the old ones away" in printed
    (entry,) = read_entries(tmp_path / "cmek.yaml")
    assert entry.customer_account_ids == [OTHER, "444455556666"]
    assert mapping(tmp_path) == {"Role1ABCC5F0": {"RoleName": "PineconeCMEK"}}


@pytest.mark.usefixtures("aws")
def test_a_customers_policy_that_is_the_stacks_own_is_taken_over(tmp_path: Path) -> None:
    role = clicked_role()
    iam = boto3.client("iam")
    document = json.dumps(customers("444455556666"))
    arn = iam.create_policy(PolicyName="six", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="PineconeCMEK", PolicyArn=arn)
    adopted(tmp_path, role, None, f"--region={REGION}")
    (logical_id,) = of_type(made(tmp_path), "AWS::IAM::ManagedPolicy")
    assert mapping(tmp_path)[logical_id] == {"PolicyArn": arn}


@pytest.mark.usefixtures("aws")
def test_a_vendors_role_that_lost_its_permissions_is_told_its_customers(tmp_path: Path) -> None:
    role = clicked_role()
    where = f"--region={REGION}"
    assert "--key-arn: it is missing" in adopted(tmp_path, role, None, where, code=1)
    told = adopted(tmp_path, role, None, where, f"--customer-account-ids={OTHER}")
    assert "The deploy adds what is missing" in told


def deleted(days: int = 365) -> Callable[[str, Given], Any]:
    """CloudFormation without the stack, and KMS with its rotation period."""

    def reply(operation: str, parameters: Given) -> Any:
        if operation == "GetKeyRotationStatus":
            key = kms_backends[ACCOUNT][REGION].keys[parameters["KeyId"].rpartition("/")[2]]
            on = bool(key.key_rotation_status)
            return {"KeyRotationEnabled": on, **({"RotationPeriodInDays": days} if on else {})}
        return without_stack()(operation, parameters)

    return reply


@pytest.mark.usefixtures("aws")
def test_role_and_key_of_a_deleted_stack_go_back_under_the_entry_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(tmp_path)
    own, text = outputs(), (tmp_path / "cmek.yaml").read_text()
    resources = boto3.client("cloudformation").describe_stack_resources(StackName="acme")
    names = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources["StackResources"]}
    answer(monkeypatch, deleted())
    printed = adopted(tmp_path, own["RoleArn"], own["KeyArn"])
    assert "✗" not in printed
    assert (tmp_path / "cmek.yaml").read_text() == text
    found = mapping(tmp_path)
    assert set(found) == set(names)
    assert found[adopt_stack.ROLE] == {"RoleName": own["RoleArn"].rpartition("/")[2]}
    alias = only(made(tmp_path), "AWS::KMS::Alias")["Properties"]["AliasName"]
    assert found[adopt_stack.ALIAS] == {"AliasName": alias}


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("asked", ["doctor", "sheet"])
def test_the_command_that_doctor_and_sheet_print_adopts_the_locked_role_and_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    keys = "aws_access_key_id = testing\naws_secret_access_key = testing\n"
    (tmp_path / "config").write_text(f'[profile "our audit"]\n{keys}')
    deploy(tmp_path)
    lock_what_is_deployed(tmp_path)
    with (tmp_path / "cmek.lock").open("a") as file:
        file.write(f'acme {ACCOUNT} {REGION} Role1ABCC5F0 Gone "2026-01-05"\n')
    own = outputs()
    answer(monkeypatch, deleted())
    printed = cmek(tmp_path, asked, "--profile=our audit", code=1)
    said = printed.stdout + printed.stderr
    assert "cdk deploy" not in said
    (line,) = re.findall(r"cmek adopt [^`\n]+", said)
    words = shlex.split(line)
    assert {own["RoleArn"], own["KeyArn"], "our audit"} < set(words)
    printed = cmek(tmp_path, *words[1:])
    assert "acme stays as it is" in printed.stdout
    assert "no longer gone" in printed.stdout
    assert " Gone " not in (tmp_path / "cmek.lock").read_text()
    assert mapping(tmp_path)[adopt_stack.ROLE] == {"RoleName": own["RoleArn"].rpartition("/")[2]}
    assert mapping(tmp_path)[adopt_stack.KEY] == {"KeyId": own["KeyArn"].rpartition("/")[2]}


@pytest.mark.usefixtures("aws")
def test_a_vendors_locked_role_is_adopted_by_the_command_that_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(tmp_path, acme=VENDOR)
    role = outputs()["RoleArn"]
    lock(tmp_path, Role1ABCC5F0={"Arn": role})
    answer(monkeypatch, deleted())
    for asked in (["doctor"], ["sheet"]):
        printed = cmek(tmp_path, *asked, code=1)
        assert "cdk deploy" not in printed.stdout + printed.stderr
        (line,) = re.findall(r"cmek adopt [^`\n]+", printed.stdout + printed.stderr)
        cmek(tmp_path, *shlex.split(line)[1:])
        assert mapping(tmp_path)[adopt_stack.ROLE] == {"RoleName": role.rpartition("/")[2]}


@pytest.mark.usefixtures("aws")
def test_an_entry_that_would_make_another_role_or_key_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(tmp_path)
    own = outputs()
    answer(monkeypatch, deleted())
    for more, said in (
        ({"role_name": "another"}, "acme.role_name: got 'another'"),
        ({"role_path": "/a/"}, "acme.role_path: got '/a/'"),
        ({"multi_region": True}, "acme.multi_region: got True"),
        ({"account": OTHER}, f"it is in account {OTHER}, {REGION}, but"),
        ({"region": "eu-west-1"}, f"it is in account {ACCOUNT}, eu-west-1, but"),
        ({"key": own["KeyArn"][:-1] + "x"}, "acme.key: it has"),
    ):
        (tmp_path / "cmek.yaml").write_text(text_of({"acme": {**OWN, **more}}))
        assert said in adopted(tmp_path, own["RoleArn"], own["KeyArn"], "--accept", code=1)


@pytest.mark.usefixtures("aws")
def test_an_entry_with_another_external_id_would_lock_pinecone_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(tmp_path)
    own = outputs()
    answer(monkeypatch, deleted())
    text = text_of({"acme": {**OWN, "external_id": EXTERNAL_ID[:-1] + "1", "description": "new"}})
    (tmp_path / "cmek.yaml").write_text(text)
    printed = adopted(tmp_path, own["RoleArn"], own["KeyArn"], code=1)
    assert "acme: trust-policy: there the template would lock somebody out" in printed
    assert "'new' by the entry" in printed


@pytest.mark.usefixtures("aws")
def test_a_stack_that_has_them_already_is_left_alone_and_another_is_not_touched(tmp_path: Path) -> None:
    deploy(tmp_path)
    own = outputs()
    assert "nothing to take over" in adopted(tmp_path, own["RoleArn"], own["KeyArn"], code=1)
    role, key = clicked()
    (tmp_path / "cmek.yaml").unlink()
    assert "has another one in place of PineconeCMEK" in adopted(tmp_path, role, key, code=1)


@pytest.mark.usefixtures("aws")
def test_a_role_of_another_stack_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    role, key = clicked()
    held = {"StackName": "legacy", "ResourceStatus": "CREATE_COMPLETE", "LogicalResourceId": "R"}

    def reply(operation: str, parameters: Given) -> Any:
        if operation == "DescribeStackResources" and "PhysicalResourceId" in parameters:
            return {"StackResources": [{**held, "PhysicalResourceId": "PineconeCMEK"}]}
        return NotImplemented

    answer(monkeypatch, reply)
    assert "belongs to the stack legacy" in adopted(tmp_path, role, key, code=1)


@pytest.mark.usefixtures("aws")
def test_where_nobody_may_see_whether_another_stack_has_them_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    role, key = clicked()
    answer(monkeypatch, refusing("DescribeStackResources"))
    assert "not read: whether another stack has PineconeCMEK (AWS" in adopted(tmp_path, role, key)
    (tmp_path / "cmek.yaml").unlink()
    answer(monkeypatch, without_stack("UPDATE_IN_PROGRESS"))
    assert "its stack is changing" in adopted(tmp_path, role, key, code=1)


@pytest.mark.usefixtures("aws")
def test_a_role_of_another_path_and_another_kind_of_entry_are_refused(tmp_path: Path) -> None:
    role = clicked_role(Path="/security/")
    key = clicked_key(console_policy(role))
    assert f"IAM has {role} under that name" in adopted(tmp_path, role.replace("security/", ""), key, code=1)
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": VENDOR}))
    assert "Leave --key-arn out" in adopted(tmp_path, role, key, code=1)
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": OWN}))
    assert "stacks.acme has a key of its own" in adopted(tmp_path, role, None, code=1)


@pytest.mark.usefixtures("aws")
def test_another_key_than_the_locked_one_is_refused(tmp_path: Path) -> None:
    role, key = clicked()
    lock(tmp_path, Key961B73FD={"Arn": key[:-1] + "x"})
    assert "cmek.lock: the key of acme" in adopted(tmp_path, role, key, "--accept", code=1)


READS = [
    *("GetRole", "ListRolePolicies", "ListAttachedRolePolicies", "DescribeKey", "GetKeyPolicy"),
    *("GetKeyRotationStatus", "ListAliases", "DescribeStacks"),
]


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("operation", READS)
def test_what_cannot_be_read_ends_it_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    role, key = clicked()
    answer(monkeypatch, refusing(operation))
    refused = adopted(tmp_path, role, key, "--accept", code=1)
    assert "not read" in refused
    assert "nothing goes on without it" in refused
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("aws")
def test_every_call_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    role, key = clicked()
    called: set[str] = set()

    def note(operation: str, _parameters: Given) -> Any:
        called.add(operation)
        return NotImplemented

    answer(monkeypatch, note)
    adopted(tmp_path, role, key)
    assert called >= set(READS)
    assert all(one.startswith(("Describe", "Get", "List")) for one in called)


def test_without_credentials_nothing_is_written(tmp_path: Path) -> None:
    role, key = f"arn:aws:iam::{ACCOUNT}:role/x", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
    assert "aws sso login" in adopted(tmp_path, role, key, code=1)
    assert list(tmp_path.iterdir()) == []


def test_wrong_usage_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    right = f"arn:aws:iam::{ACCOUNT}:role/x"
    assert "ARN like" in adopted(tmp_path, "PineconeCMEK", None, code=2)
    assert "nor is an alias" in adopted(tmp_path, right, "alias/x", code=2)
    printed = cmek(tmp_path, "adopt", "../x", f"--role-arn={right}", code=2).stderr
    assert "begins with a letter" in printed
    other = f"arn:aws:kms:{REGION}:{OTHER}:key/1"
    assert "a stack is in one account" in adopted(tmp_path, right, other, code=1)
    (tmp_path / "cmek.yaml").touch()
    assert "cmek.yaml:1: the file: got nothing" in adopted(tmp_path, right, None, code=1)


def test_an_option_that_would_do_nothing_is_refused(tmp_path: Path) -> None:
    role, key = f"arn:aws:iam::{ACCOUNT}:role/x", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": OWN}))
    refused = adopted(tmp_path, role, key, "--as-given=key", code=1)
    assert "--as-given: cmek.yaml has stacks.acme, and that holds" in refused


def test_the_logical_ids_are_those_of_the_apps_stacks(tmp_path: Path) -> None:
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": OWN}))
    kinds = {one: made(tmp_path)["Resources"][one]["Type"] for one in made(tmp_path)["Resources"]}
    assert kinds == {
        adopt_stack.ROLE: "AWS::IAM::Role",
        adopt_stack.KEY: "AWS::KMS::Key",
        adopt_stack.ALIAS: "AWS::KMS::Alias",
    }
    digits = [digit * 12 for digit in "0123456789"]
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": {**OWN, "customer_account_ids": digits}}))
    shown = made(tmp_path)
    assert set(of_type(shown, "AWS::IAM::Role")) == {adopt_stack.ROLE}
    for digit, logical_id in adopt_stack.CUSTOMERS.items():
        (one,) = shown["Resources"][logical_id]["Properties"]["PolicyDocument"]["Statement"]
        assert one["Sid"] == digit * 12


ENTRIES = st.fixed_dictionaries(
    {"account": st.just(ACCOUNT)},
    optional={
        "external_id": st.sampled_from([EXTERNAL_ID, "no=UUID"]),
        "regions": st.just("ALL_REGIONS") | st.lists(st.sampled_from(PINECONE_REGIONS), min_size=1, unique=True),
        "suspended": st.booleans(),
        "role_name": st.sampled_from(["PineconeCMEK", "a+b=c,d.e@f_g"]),
        "role_path": st.sampled_from(["/", "/a/b/"]),
    },
)
OF_A_KEY = st.fixed_dictionaries(
    {},
    optional={
        "key_access": st.sampled_from(["KEY_USER", "ENCRYPT_DECRYPT"]),
        "key_admins": st.lists(st.sampled_from(ADMINS), min_size=1, unique=True),
        "alias": st.sampled_from(["mine", "alias/a/b"]),
        "description": st.text(
            st.characters(exclude_categories=["Cs"], min_codepoint=1, max_codepoint=0xFFFD), min_size=1, max_size=12
        ),
        "rotation_period": st.sampled_from([90, 180, 365]),
    },
)
OF_A_VENDOR = st.fixed_dictionaries(
    {"customer_account_ids": st.lists(st.sampled_from(VENDOR["customer_account_ids"]), unique=True)},
    optional={"customer_key_arns": st.just(["arn:aws:kms:us-east-1:555566667777:key/1234abcd"])},
)


def meant(shown: Given, role_arn: str) -> Any:
    """A template by what it means: a name is a name, whether it was told or made."""
    found = resolved(shown["Resources"], role_arn)
    for one in found.values():
        for prop in ("AssumeRolePolicyDocument", "KeyPolicy", "PolicyDocument"):
            if prop in one["Properties"]:
                document = one["Properties"][prop]
                document["Statement"].sort(key=json.dumps)
        if one["Type"] == "AWS::IAM::Role":
            one["Properties"]["RoleName"] = role_arn.rpartition("/")[2]
            one["Properties"].setdefault("Path", "/")
        if one["Type"] == "AWS::KMS::Key" and one["Properties"].get("EnableKeyRotation"):
            one["Properties"].setdefault("RotationPeriodInDays", 365)
    return found, {name: one.get("Value") for name, one in shown["Outputs"].items()}


@pytest.mark.usefixtures("aws")
@given(st.tuples(ENTRIES, OF_A_KEY | OF_A_VENDOR), st.booleans())
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_adopted_stack_has_the_template_that_it_was_deployed_from(
    tmp_path_factory: pytest.TempPathFactory, own: tuple[Given, Given], still: bool
) -> None:
    folder = tmp_path_factory.mktemp("adopt")
    props = {**own[0], **own[1]}
    if "alias" not in props and still and "customer_account_ids" not in props:
        props |= {"enable_key_rotation": False}
        props.pop("rotation_period", None)
    assume(props.get("regions") != "ALL_REGIONS" or props.get("external_id"))
    vendor = "customer_account_ids" in props
    assume(not vendor or props["customer_account_ids"] or props.get("customer_key_arns"))
    moto_api_backend.reset()
    with pytest.MonkeyPatch.context() as monkeypatch:
        deploy(folder, acme=props)
        wanted = outputs()
        before = meant(made(folder), wanted["RoleArn"])
        (folder / "cmek.yaml").unlink()
        answer(monkeypatch, deleted(props.get("rotation_period", 365)))
        where = [f"--region={REGION}"] if vendor else []
        printed = adopted(folder, wanted["RoleArn"], wanted.get("KeyArn"), *where)
        assert "✗" not in printed
        assert meant(made(folder), wanted["RoleArn"]) == before
        assert set(mapping(folder)) == set(before[0])


@pytest.mark.usefixtures("aws")
def test_an_option_that_would_do_nothing_is_refused_before_aws_is_asked(tmp_path: Path) -> None:
    role, key = f"arn:aws:iam::{ACCOUNT}:role/none", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/none"
    for with_key, option in ((True, "--region=us-east-1"), (False, "--alias=x"), (False, "--as-given=role")):
        given = [f"--key-arn={key}"] if with_key else []
        refused = cmek(tmp_path, "adopt", "acme", f"--role-arn={role}", *given, option, code=1).stderr
        assert f"{option.partition('=')[0]}: it is for a role {'without' if with_key else 'with'} --key-arn" in refused
