"""`cmek doctor`, asked of stacks that moto makes of the very templates of the app.

Moto lacks CloudTrail's look-ups and the period of rotation, which are answered here. It loses the form of a key policy
out of a template, and takes any denial in it for a denial to everybody: mended here. Beside that it enforces no policy,
and it does not turn a deleted role into its unique ID in a key policy, which is written here as AWS does it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from hypothesis import example, given, settings
from hypothesis import strategies as st
from moto import mock_aws
from moto.kms import models, responses
from moto.kms.utils import generate_private_key

from cmek_construct.commands.doctor import _BY_HARM
from cmek_construct.commands.printing import texts
from cmek_construct.deployment.reading import Entry, parse_entries, read_entries
from cmek_construct.deployment.stack import CmekStack
from cmek_construct.guide import PINECONE_REGIONS
from cmek_construct.health.comparing import Where
from cmek_construct.health.deployed import Deployed, LockedIdentity
from cmek_construct.health.findings import Effect
from tests.building import EXTERNAL_ID, PINECONE, REGION, of_type
from tests.command import cmek
from tests.runnable import check

ACCOUNT = "123456789012"
OTHER = "210987654321"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/theirs"
KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
GONE = "AROAEXAMPLE0DELETED00"
OWN: dict[str, Any] = {"account": ACCOUNT, "external_id": EXTERNAL_ID}
VENDOR: dict[str, Any] = {**OWN, "customer_account_ids": [OTHER, "444455556666"]}
Calls = Callable[[str, dict[str, Any]], Any]


def answer(monkeypatch: pytest.MonkeyPatch, reply: Calls) -> None:
    """Let a function answer calls of AWS before moto does; `NotImplemented` leaves it to moto."""
    call = BaseClient._make_api_call

    def answered(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        found = reply(operation, parameters)
        return call(client, operation, parameters) if found is NotImplemented else found

    monkeypatch.setattr(BaseClient, "_make_api_call", answered)


def refusing(*operations: str, code: str = "AccessDenied") -> Calls:
    """AWS that refuses some calls."""

    def reply(operation: str, _parameters: dict[str, Any]) -> Any:
        if operation in operations:
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, operation)
        return NotImplemented

    return reply


def without_stack(status: str | None = None) -> Calls:
    """CloudFormation without the stack, or with what a failed deploy left of it."""

    def reply(operation: str, _parameters: dict[str, Any]) -> Any:
        if operation == "DescribeStacks" and status:
            return {"Stacks": [{"StackStatus": status}]}
        if operation.startswith("DescribeStack"):
            said = {"Code": "ValidationError", "Message": "Stack with id acme does not exist"}
            raise ClientError({"Error": said}, operation)
        return NotImplemented

    return reply


TRACKED = datetime(2026, 4, 23, tzinfo=timezone.utc)


def looked_up(*events: dict[str, Any], use: dict[str, Any] | None = None, period: int = 0) -> Calls:
    """CloudTrail with these events, by their names or their IDs; KMS with last use and rotation."""

    def reply(operation: str, parameters: dict[str, Any]) -> Any:
        if operation == "GetKeyRotationStatus" and period:
            return {"KeyRotationEnabled": True, "RotationPeriodInDays": period}
        if operation == "GetKeyLastUsage":
            return {"TrackingStartDate": TRACKED, **({"KeyLastUsage": use} if use else {})}
        if operation != "LookupEvents":
            return NotImplemented
        (wanted,) = parameters["LookupAttributes"]
        of = {"EventName": "EventName", "EventId": "EventId"}.get(wanted["AttributeKey"])
        return {"Events": [one for one in events if not of or one[of] == wanted["AttributeValue"]]}

    return reply


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An account, in moto, and an empty CloudTrail."""
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
        ("AWS_DEFAULT_REGION", REGION),
    ):
        monkeypatch.setenv(name, value)
    unmended = models.Key.create_from_cloudformation_json

    def create(name: str, resource: Any, account: str, region: str, **more: Any) -> Any:
        key = unmended(name, resource, account, region, **more)
        key.policy = json.dumps(key.policy)
        return key

    monkeypatch.setattr(models.Key, "create_from_cloudformation_json", create)
    monkeypatch.setattr(responses, "validate_policy", lambda *_: None)
    monkeypatch.setattr(models, "generate_private_key", _key_material)
    with mock_aws():
        answer(monkeypatch, looked_up())
        yield


@cache
def _key_material(key_spec: str) -> Any:
    """One for all keys: none of these tests encrypts, and moto makes a pair of primes for each."""
    return generate_private_key(key_spec)


def text_of(stacks: dict[str, Any]) -> str:
    """cmek.yaml with these stacks, one value a line."""
    shared = f'pinecone_account_id: "{PINECONE}"\nregions: [us-east-1, eu-west-1]\n'
    lines = [f"{shared}region: {REGION}", "stacks:"]
    for name, own in stacks.items():
        lines.append(f"  {name}:")
        lines += [f"    {prop}: {json.dumps(value)}" for prop, value in own.items()]
    return "\n".join(lines) + "\n"


def template(entry: Entry) -> dict[str, Any]:
    """What the app makes of an entry."""
    found: dict[str, Any] = json.loads(_synthesized(entry.name, json.dumps(asdict(entry))))
    return found


@cache
def _synthesized(name: str, settings: str) -> str:
    app = cdk.App(analytics_reporting=False, stack_traces=False)
    CmekStack(app, Entry(**json.loads(settings)))
    return json.dumps(app.synth().get_stack_by_name(name).template)


def deploy(folder: Path, **stacks: Any) -> None:
    """Write cmek.yaml and deploy its stacks."""
    (folder / "cmek.yaml").write_text(text_of(stacks or {"acme": OWN}))
    for entry in read_entries(folder / "cmek.yaml"):
        boto3.client("cloudformation").create_stack(
            StackName=entry.name, TemplateBody=json.dumps(template(entry)), Capabilities=["CAPABILITY_NAMED_IAM"]
        )


def outputs(name: str = "acme") -> dict[str, str]:
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def key_id() -> str:
    """Of moto's calls some take no ARN."""
    return outputs()["KeyArn"].rpartition("/")[2]


def role_name(name: str = "acme") -> str:
    return outputs(name)["RoleArn"].rpartition("/")[2]


def key_statements() -> list[Any]:
    found = boto3.client("kms").get_key_policy(KeyId=key_id(), PolicyName="default")["Policy"]
    return list(json.loads(found)["Statement"])


def put_key_statements(statements: list[Any]) -> None:
    boto3.client("kms").put_key_policy(
        KeyId=key_id(), PolicyName="default", Policy=json.dumps({"Version": "2012-10-17", "Statement": statements})
    )


def findings(folder: Path, *options: str, code: int = 0) -> dict[str, dict[str, Any]]:
    """What the doctor says of one stack as data, by what it is about."""
    (found,) = json.loads(cmek(folder, "doctor", "--json", *options, code=code).stdout)
    by_name = {one["about"]: one for one in found["findings"]}
    assert len(by_name) == len(found["findings"])
    return by_name


def wrong(folder: Path, *options: str) -> dict[str, dict[str, Any]]:
    """What the doctor calls wrong."""
    found = findings(folder, *options, code=1)
    return {about: one for about, one in found.items() if one["verdict"] == "wrong"}


@pytest.mark.usefixtures("aws")
def test_what_is_deployed_as_the_file_says_is_healthy(tmp_path: Path) -> None:
    deploy(tmp_path)
    found = findings(tmp_path)
    assert {about for about, one in found.items() if one["verdict"] == "right"} == {
        *("stack", "role", "boundary", "trust-policy", "permissions", "key", "deletion"),
        *("enabled", "rotation", "alias", "key-policy", "grants", "suspended"),
    }
    assert {about for about, one in found.items() if one["verdict"] == "said"} == {*("same-role", "last-use")}
    assert "not locked" in found["same-role"]["words"]


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    "own",
    [
        {"suspended": True},
        {"regions": "ALL_REGIONS", "key_access": "ENCRYPT_DECRYPT", "enable_key_rotation": False},
        {"rotation_period": 180, "alias": "mine", "role_name": "pinecone", "role_path": "/a/"},
        {"customer_account_ids": [OTHER, "444455556666"]},
        {"customer_account_ids": [OTHER], "suspended": True},
    ],
    ids=str,
)
def test_every_kind_of_entry_is_healthy_as_deployed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: dict[str, Any]
) -> None:
    deploy(tmp_path, acme={**OWN, **own})
    answer(monkeypatch, looked_up(period=own.get("rotation_period", 0)))
    found = findings(tmp_path)
    assert ("SUSPENDED on purpose" in found["suspended"]["words"]) is ("suspended" in own)


def widen_key_policy() -> None:
    stranger = {"AWS": f"arn:aws:iam::{OTHER}:root"}
    statement = {"Sid": "Helper", "Effect": "Allow", "Principal": stranger}
    put_key_statements([*key_statements(), {**statement, "Action": "kms:*", "Resource": "*"}])


def disable() -> None:
    boto3.client("kms").disable_key(KeyId=key_id())


def schedule_deletion() -> None:
    boto3.client("kms").schedule_key_deletion(KeyId=key_id(), PendingWindowInDays=7)


def make_role_again() -> None:
    iam, name = boto3.client("iam"), role_name()
    old = iam.get_role(RoleName=name)["Role"]
    iam.delete_role(RoleName=name)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(old["AssumeRolePolicyDocument"]))
    text = json.dumps(key_statements())
    put_key_statements(json.loads(text.replace(old["Arn"], old["RoleId"])))


def move_alias() -> None:
    kms = boto3.client("kms")
    (alias,) = kms.list_aliases(KeyId=key_id())["Aliases"]
    another = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.update_alias(AliasName=alias["AliasName"], TargetKeyId=another)


def widen_trust_policy() -> None:
    iam, name = boto3.client("iam"), role_name()
    policy = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    del policy["Statement"][0]["Condition"]
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(policy))


def give_permissions() -> None:
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*"}}
    policy["Statement"]["Resource"] = "*"  # type: ignore[index]
    boto3.client("iam").put_role_policy(RoleName=role_name(), PolicyName="more", PolicyDocument=json.dumps(policy))


def grant_to_a_stranger() -> None:
    boto3.client("kms").create_grant(
        KeyId=outputs()["KeyArn"], GranteePrincipal=f"arn:aws:iam::{OTHER}:role/x", Operations=["Decrypt"]
    )


def stop_rotation() -> None:
    boto3.client("kms").disable_key_rotation(KeyId=key_id())


def deny_the_role() -> None:
    statement = {"Sid": "X", "Effect": "Deny", "Principal": {"AWS": [outputs()["RoleArn"]]}}
    put_key_statements([*key_statements(), {**statement, "Action": ["kms:*"], "Resource": "*"}])


def bound(action: str = "s3:*") -> None:
    iam, allow = boto3.client("iam"), {"Effect": "Allow", "Action": action, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    made = iam.create_policy(PolicyName="bounding", PolicyDocument=policy)["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=role_name(), PermissionsBoundary=made)


def delete_role() -> None:
    boto3.client("iam").delete_role(RoleName=role_name())


OUT, IN, OWNER, ENDS = ("pinecone-locked-out", "somebody-let-in", "owner-locked-out", "key-ends")


def is_whole(finding: dict[str, Any]) -> None:
    """A finding says what it means, how soon, and a cure whose commands there are."""
    assert finding["means"]
    assert finding["time"]
    assert ("Pinecone is locked out" in finding["means"]) <= (finding["effect"] == OUT)
    assert check(finding["cure"]), finding["cure"]


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("fault", "about", "effect", "words", "cure"),
    [
        (
            widen_key_policy,
            "key-policy",
            IN,
            f'it lets in by statement "Helper": Lets AWS account {OTHER} (its root',
            "put-key-policy",
        ),
        (disable, "enabled", OUT, "the key is disabled", "aws kms enable-key"),
        (schedule_deletion, "deletion", ENDS, "WILL BE DELETED at 20", "cancel-key-deletion"),
        (make_role_again, "same-role", OUT, "made again under its old name", "cmek resume acme"),
        (move_alias, "alias", None, "points to another key, arn:aws:kms:", "update-alias"),
        (widen_trust_policy, "trust-policy", IN, "take on this role, under no condition", "update-assume-role-policy"),
        (give_permissions, "permissions", IN, "(in more)", "delete-role-policy"),
        (grant_to_a_stranger, "grants", IN, f"{OTHER}:role/x may Decrypt", "revoke-grant"),
        (
            stop_rotation,
            "rotation",
            None,
            "does not rotate, but by the file it rotates every 365 days",
            "enable-key-rotation",
        ),
        (deny_the_role, "suspended", OUT, "cut off by the suspension", "cmek resume acme"),
        (bound, "boundary", OUT, "does not let it do kms:Decrypt and kms:Encrypt", "delete-role-permissions-boundary"),
        (delete_role, "role", OUT, "somebody deleted it", "create-role"),
    ],
)
def test_one_fault_is_named_by_its_own_finding_and_by_no_other(
    tmp_path: Path, fault: Callable[[], None], about: str, effect: str | None, words: str, cure: str
) -> None:
    deploy(tmp_path)
    fault()
    found = wrong(tmp_path)
    assert list(found) == [about]
    assert found[about]["effect"] == effect
    assert words in found[about]["words"]
    assert cure in found[about]["cure"]
    is_whole(found[about])


@pytest.mark.usefixtures("aws")
def test_another_period_of_rotation_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(tmp_path, acme={**OWN, "rotation_period": 90})

    def status(operation: str, _parameters: dict[str, Any]) -> Any:
        found = {"KeyRotationEnabled": True, "RotationPeriodInDays": 365}
        return found if operation == "GetKeyRotationStatus" else NotImplemented

    answer(monkeypatch, status)
    found = wrong(tmp_path)
    assert list(found) == ["rotation"]
    assert "rotates every 365 days, but by the file it rotates every 90 days" in found["rotation"]["words"]
    assert "--rotation-period-in-days 90\n" in found["rotation"]["cure"]


@pytest.mark.usefixtures("aws")
def test_the_days_until_the_deletion_are_said(tmp_path: Path) -> None:
    deploy(tmp_path)
    schedule_deletion()
    printed = cmek(tmp_path, "doctor", "acme", code=1).stdout
    assert re.search(r"time: 6 days, until 20\d\d-\d\d-\d\d \d\d:\d\d UTC", printed)
    assert "data: after that all data of the project is lost for good" in printed
    assert len(printed.splitlines()) <= 24


@pytest.mark.usefixtures("aws")
def test_a_role_made_again_while_suspended_is_not_let_in_by_the_cure(tmp_path: Path) -> None:
    deploy(tmp_path, acme={**OWN, "suspended": True})
    make_role_again()
    found = wrong(tmp_path)
    assert list(found) == ["same-role"]
    assert "cmek resume" not in found["same-role"]["cure"]


@pytest.mark.usefixtures("aws")
def test_pinecones_role_that_was_made_again_is_named(tmp_path: Path) -> None:
    deploy(tmp_path)
    iam, name = boto3.client("iam"), role_name()
    policy = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    (statement,) = policy["Statement"]
    lost = statement["Principal"]["AWS"].pop()
    statement["Principal"]["AWS"].append(GONE)
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(policy))
    found = wrong(tmp_path)
    assert list(found) == ["trust-gone"]
    assert lost in found["trust-gone"]["words"]


@pytest.mark.usefixtures("aws")
def test_an_administrator_that_was_deleted_is_named_and_is_no_drift(tmp_path: Path) -> None:
    admins = [f"arn:aws:iam::{ACCOUNT}:role/security", f"arn:aws:iam::{ACCOUNT}:user/ann"]
    deploy(tmp_path, acme={**OWN, "key_admins": admins})
    put_key_statements(json.loads(json.dumps(key_statements()).replace(admins[1], "AIDAEXAMPLE0ANN")))
    found = wrong(tmp_path)
    assert list(found) == ["key-gone"]
    assert admins[1] in found["key-gone"]["words"]
    assert admins[0] not in found["key-gone"]["words"]


@pytest.mark.usefixtures("aws")
def test_a_vendors_customer_who_lost_a_statement_is_named(tmp_path: Path) -> None:
    deploy(tmp_path, acme=VENDOR)
    iam, name = boto3.client("iam"), role_name()
    first = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"][0]
    iam.detach_role_policy(RoleName=name, PolicyArn=first["PolicyArn"])
    found = wrong(tmp_path)
    assert list(found) == ["permissions"]
    assert f'it lacks statement "{OTHER}"' in found["permissions"]["words"]
    assert "444455556666" not in found["permissions"]["words"]


READS = [
    *("DescribeStacks", "ListStackResources", "GetRole", "ListRolePolicies"),
    *("ListAttachedRolePolicies", "DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus"),
    *("ListGrants", "ListAliases", "GetKeyLastUsage", "GetCallerIdentity"),
]


@pytest.mark.usefixtures("aws")
def test_what_cannot_be_read_is_said_and_never_healthy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(tmp_path)
    codes = dict.fromkeys(READS, "AccessDenied") | {"GetKeyPolicy": "ThrottlingException"}
    for operation, code in codes.items():
        with monkeypatch.context() as patched:
            answer(patched, refusing(operation, code=code))
            found = findings(tmp_path, code=3)
            printed = cmek(tmp_path, "doctor", code=3).stdout
        unknown = [one for one in found.values() if one["verdict"] == "unknown"]
        assert unknown, operation
        assert all(one["words"].startswith("not read: ") and one["cure"] for one in unknown)
        assert operation == "GetCallerIdentity" or any(operation in one["cure"] for one in unknown), operation
        assert "wrong" not in {one["verdict"] for one in found.values()}, operation
        assert "acme: NOT ALL COULD BE READ" in printed
        assert code in printed


@pytest.mark.usefixtures("aws")
def test_wrong_goes_before_unread_in_the_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(tmp_path)
    disable()
    answer(monkeypatch, refusing("ListGrants"))
    assert list(wrong(tmp_path)) == ["enabled"]


@pytest.mark.usefixtures("aws")
def test_every_call_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(tmp_path, acme=VENDOR, globex=OWN)
    called: set[str] = set()

    def note(operation: str, _parameters: dict[str, Any]) -> Any:
        called.add(operation)
        return NotImplemented

    answer(monkeypatch, note)
    cmek(tmp_path, "doctor")
    assert called >= set(READS)
    assert all(one.startswith(("Describe", "Get", "List", "Lookup")) for one in called)


@pytest.mark.usefixtures("aws")
def test_several_stacks_show_what_is_not_right_alone(tmp_path: Path) -> None:
    deploy(tmp_path, globex={**OWN, "external_id": EXTERNAL_ID[:-1] + "1"}, acme=OWN)
    disable()
    printed = cmek(tmp_path, "doctor", code=1).stdout
    assert "globex: healthy" in printed
    assert "acme: WRONG" in printed
    assert printed.count("✗") == 1
    assert "✓" not in printed
    assert printed.endswith("1 of 2 are healthy.\n")


@pytest.mark.usefixtures("aws")
def test_a_stack_that_is_not_there_is_wrong_and_nothing_is_guessed(tmp_path: Path) -> None:
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": OWN}))
    found = wrong(tmp_path)
    assert list(found) == ["stack"]
    assert "delete nothing" in found["stack"]["cure"]


def lock(folder: Path, **deployed: dict[str, str]) -> None:
    """Write cmek.lock by hand, as `cmek lock` does."""
    kinds = {"Role1ABCC5F0": "AWS::IAM::Role", "Key961B73FD": "AWS::KMS::Key"}
    lines = [
        f"acme {ACCOUNT} {REGION} {resource} {kind} {json.dumps(deployed.get(resource, {}))}"
        for resource, kind in kinds.items()
    ]
    (folder / "cmek.lock").write_text("\n".join(["format = 2", *lines]) + "\n")


def lock_what_is_deployed(folder: Path) -> None:
    role = boto3.client("iam").get_role(RoleName=role_name())["Role"]
    lock(folder, Role1ABCC5F0={"Arn": role["Arn"], "RoleId": role["RoleId"]}, Key961B73FD={"Arn": outputs()["KeyArn"]})


@pytest.mark.usefixtures("aws")
def test_the_locked_role_and_key_are_seen_to_be_the_same(tmp_path: Path) -> None:
    deploy(tmp_path)
    lock_what_is_deployed(tmp_path)
    found = findings(tmp_path)
    assert (found["same-role"]["verdict"], found["same-key"]["verdict"]) == ("right", "right")


@pytest.mark.usefixtures("aws")
def test_a_role_made_again_is_one_finding_with_a_lock_too(tmp_path: Path) -> None:
    deploy(tmp_path)
    lock_what_is_deployed(tmp_path)
    statements = key_statements()
    make_role_again()
    found = wrong(tmp_path)
    assert list(found) == ["same-role"]
    assert "in cmek.lock A" in found["same-role"]["words"]
    assert 'statement "Allow use of the key"' in found["same-role"]["words"]
    put_key_statements(statements)
    assert list(wrong(tmp_path)) == ["same-role"]


@pytest.mark.usefixtures("aws")
def test_another_key_than_the_locked_one_is_named(tmp_path: Path) -> None:
    deploy(tmp_path)
    lock(tmp_path, Key961B73FD={"Arn": KEY_ARN})
    found = wrong(tmp_path)
    assert list(found) == ["same-key"]
    assert KEY_ARN in found["same-key"]["words"]


@pytest.mark.usefixtures("aws")
def test_the_lock_knows_role_and_key_when_the_stack_does_not_say_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(tmp_path)
    lock_what_is_deployed(tmp_path)
    gone = refusing("DescribeStacks", code="ValidationError")
    key = outputs()["KeyArn"]
    answer(monkeypatch, gone)
    assert findings(tmp_path, code=3)["key-policy"]["words"].endswith("says what the file says")
    assert key in cmek(tmp_path, "doctor", code=3).stdout


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("status", [None, "ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"])
def test_a_locked_stack_that_is_gone_is_adopted_and_never_deployed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: str | None
) -> None:
    deploy(tmp_path)
    lock_what_is_deployed(tmp_path)
    own = outputs()
    answer(monkeypatch, without_stack(status))
    printed = cmek(tmp_path, "doctor", code=1).stdout
    command = f"cmek adopt acme --role-arn {own['RoleArn']} --key-arn {own['KeyArn']}"
    assert f"    run:  {command}\n" in printed
    assert "cdk deploy" not in printed


LOCKED_ROLE, LOCKED_KEY = (ROLE_ARN.replace("theirs", "ours"), KEY_ARN.replace("1234abcd", "5678abcd"))


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("own", "locked", "command"),
    [
        (VENDOR, "role", f"cmek adopt acme --role-arn {LOCKED_ROLE}"),
        ({**OWN, "key": KEY_ARN}, "role", f"cmek adopt acme --role-arn {LOCKED_ROLE} --key-arn {KEY_ARN}"),
        ({**OWN, "role": ROLE_ARN}, "key", f"cmek adopt acme --role-arn {ROLE_ARN} --key-arn {LOCKED_KEY}"),
        (OWN, "role", f"cmek adopt acme --role-arn {LOCKED_ROLE} --key-arn KEY-ARN"),
        (OWN, "key", f"cmek adopt acme --role-arn ROLE-ARN --key-arn {LOCKED_KEY}"),
        ({**OWN, "key": KEY_ARN.replace(ACCOUNT, OTHER)}, "role", "npx cdk import acme"),
        ({**OWN, "key": KEY_ARN.replace(REGION, "eu-west-1")}, "role", "npx cdk import acme"),
        ({**OWN, "role": ROLE_ARN.replace(ACCOUNT, OTHER)}, "key", "npx cdk import acme"),
        ({**OWN, "customer_account_ids": [OTHER]}, "", "npx cdk deploy acme"),
        (OWN, "", "npx cdk deploy acme"),
    ],
    ids=[
        *("vendor", "key given", "role given", "key unlocked", "role unlocked"),
        *("key elsewhere", "key of another region", "role elsewhere"),
        *("vendor without lock", "nothing locked"),
    ],
)
def test_what_is_gone_comes_back_as_its_entry_has_it(
    tmp_path: Path, own: dict[str, Any], locked: str, command: str
) -> None:
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": own}))
    arns = {"role": {"Role1ABCC5F0": {"Arn": LOCKED_ROLE}}, "key": {"Key961B73FD": {"Arn": LOCKED_KEY}}}
    lock(tmp_path, **arns.get(locked, {}))
    printed = cmek(tmp_path, "doctor", code=1).stdout
    assert f"    run:  {command}\n" in printed
    assert ("cdk deploy" in printed) is (locked == "")
    refused = cmek(tmp_path, "sheet", code=1).stderr
    assert f"\n{command}\n" in refused


def test_a_locked_stack_that_no_outputs_are_of_is_asked_of_aws_and_not_deployed(tmp_path: Path) -> None:
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": OWN}))
    (tmp_path / "o.json").write_text('{"other": {}}')
    for locked, wanted in (({}, "cdk deploy acme"), ({"Arn": KEY_ARN}, "Leave --outputs out")):
        lock(tmp_path, Key961B73FD=locked)
        for file in ("o.json", "none.json"):
            refused = cmek(tmp_path, "sheet", f"--outputs={file}", code=1).stderr
            assert wanted in refused
            assert ("cdk deploy" in refused) is (not locked)


@pytest.mark.usefixtures("aws")
def test_a_damaged_lock_is_not_read_and_never_healthy(tmp_path: Path) -> None:
    deploy(tmp_path)
    (tmp_path / "cmek.lock").write_text("<<<<<<< ours\n")
    assert findings(tmp_path, code=3)["lock"]["verdict"] == "unknown"


@pytest.mark.usefixtures("aws")
def test_a_stack_that_is_gone_with_a_damaged_lock_is_not_deployed(tmp_path: Path) -> None:
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": OWN}))
    (tmp_path / "cmek.lock").write_text("<<<<<<< ours\n")
    for command in ("doctor", "sheet"):
        printed = cmek(tmp_path, command, code=1)
        assert "a merge is not finished" in printed.stdout + printed.stderr
        assert "cdk deploy" not in printed.stdout + printed.stderr


WHEN = datetime(2026, 5, 3, 4, 5, tzinfo=timezone.utc)
USE = {"Operation": "Decrypt", "Timestamp": WHEN, "CloudTrailEventId": "e-1"}


def event(name: str, by: str, about: str = "", **more: Any) -> dict[str, Any]:
    """An event as CloudTrail gives it."""
    said = {"userIdentity": {"sessionContext": {"sessionIssuer": {"arn": by}}}, "on": about}
    text = json.dumps({**said, **more})
    return {"EventName": name, "EventTime": WHEN, "EventId": "e-1", "CloudTrailEvent": text}


@pytest.mark.usefixtures("aws")
def test_the_last_use_is_kmss_and_by_whom_is_cloudtrails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(tmp_path)
    assert "no use of the key since 2026-04-23" in findings(tmp_path)["last-use"]["words"]
    for events, who in (
        ((event("Decrypt", outputs()["RoleArn"]),), "by Pinecone"),
        ((event("Decrypt", ROLE_ARN),), f"by {ROLE_ARN}"),
        ((), "by whom is not known (CloudTrail does not show it any more)"),
    ):
        answer(monkeypatch, looked_up(*events, use=USE))
        words = findings(tmp_path)["last-use"]["words"]
        assert "last used at 2026-05-03 04:05 UTC (Decrypt, by KMS)" in words
        assert who in words
    answer(monkeypatch, refusing("LookupEvents"))
    assert "by whom is not known (AWS refused" in findings(tmp_path)["last-use"]["words"]
    answer(monkeypatch, refusing("GetKeyLastUsage"))
    assert "IAM has seen nobody" in findings(tmp_path, "--no-cloudtrail")["last-use"]["words"]


@pytest.mark.usefixtures("aws")
def test_who_did_it_is_said_where_cloudtrail_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(tmp_path)
    widen_key_policy()
    widen_trust_policy()
    admin = f"arn:aws:iam::{ACCOUNT}:role/admin"
    answer(
        monkeypatch,
        looked_up(
            event("PutKeyPolicy", OTHER, "another-key"),
            event("PutKeyPolicy", admin, key_id()),
            event("UpdateAssumeRolePolicy", admin, role_name(), errorCode="AccessDenied"),
        ),
    )
    found = wrong(tmp_path)
    assert f"PutKeyPolicy by {admin} at 2026-05-03 04:05 UTC" in found["key-policy"]["words"]
    assert "(CloudTrail, us-east-1: UpdateAssumeRolePolicy)" in found["trust-policy"]["cure"]


@pytest.mark.usefixtures("aws")
def test_a_key_of_the_users_own_is_judged_by_what_it_lets_the_role_do(tmp_path: Path) -> None:
    kms = boto3.client("kms")
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    deploy(tmp_path, acme={**OWN, "key": arn})
    assert list(wrong(tmp_path)) == ["key-policy"]
    allow = {"Effect": "Allow", "Principal": {"AWS": outputs()["RoleArn"]}, "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [{**allow, "Action": ["kms:*crypt"]}]}
    kms.put_key_policy(KeyId=arn, PolicyName="default", Policy=json.dumps(policy))
    found = findings(tmp_path)
    assert found["key-policy"]["verdict"] == "right"
    assert "alias" not in found


def test_without_credentials_nothing_is_healthy(tmp_path: Path) -> None:
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": OWN}))
    found = findings(tmp_path, code=3)
    assert list(found) == ["aws"]
    assert "aws sso login" in found["aws"]["cure"]
    (tmp_path / "cmek.lock").write_text("<<<<<<< ours\n")
    assert list(findings(tmp_path, code=3)) == ["lock", "aws"]
    assert "aws sso login" in cmek(tmp_path, "doctor", "acme", "--show=key-policy", code=1).stderr


def test_a_mistake_in_the_file_and_wrong_usage_have_their_exit_codes(tmp_path: Path) -> None:
    assert "cmek init" in cmek(tmp_path, "doctor", code=1).stderr
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": OWN, "globex": OWN}))
    assert "name one stack" in cmek(tmp_path, "doctor", "--show=trust-policy", code=2).stderr
    assert "got 'nobody'" in cmek(tmp_path, "doctor", "nobody", code=1).stderr


@pytest.mark.usefixtures("aws")
def test_the_policies_that_a_cure_puts_are_those_of_the_file(tmp_path: Path) -> None:
    deploy(tmp_path)
    widen_key_policy()
    widen_trust_policy()
    policy = cmek(tmp_path, "doctor", "acme", "--show=key-policy").stdout
    boto3.client("kms").put_key_policy(KeyId=key_id(), PolicyName="default", Policy=policy)
    policy = cmek(tmp_path, "doctor", "acme", "--show=trust-policy").stdout
    boto3.client("iam").update_assume_role_policy(RoleName=role_name(), PolicyDocument=policy)
    findings(tmp_path)


ADMINS = [f"arn:aws:iam::{ACCOUNT}:role/a", f"arn:aws:iam::{ACCOUNT}:root"]
ENTRIES = st.fixed_dictionaries(
    {"account": st.just(ACCOUNT), "external_id": st.just(EXTERNAL_ID)},
    optional={
        "regions": st.just("ALL_REGIONS") | st.lists(st.sampled_from(PINECONE_REGIONS), min_size=1, unique=True),
        "suspended": st.booleans(),
    },
)
OF_A_KEY = st.fixed_dictionaries(
    {},
    optional={
        "key_access": st.sampled_from(["KEY_USER", "ENCRYPT_DECRYPT"]),
        "key_admins": st.lists(st.sampled_from(ADMINS), min_size=1, unique=True),
        "role": st.just(ROLE_ARN),
    },
)
OF_AN_IMPORTED_KEY = st.just({"key": KEY_ARN})
OF_A_VENDOR = st.fixed_dictionaries(
    {"customer_account_ids": st.lists(st.sampled_from([OTHER, "444455556666"]), unique=True)},
    optional={"customer_key_arns": st.just([KEY_ARN.replace(ACCOUNT, "555566667777")])},
)


@example(({**OWN, "suspended": True}, {"key_access": "ENCRYPT_DECRYPT", "key_admins": ADMINS}), False)
@example(({**OWN, "regions": "ALL_REGIONS"}, {"key_admins": ADMINS[:1], "role": ROLE_ARN}), True)
@example(({**OWN, "suspended": True}, {"key": KEY_ARN}), False)
@example(({**OWN, "suspended": True}, {"customer_account_ids": [OTHER]}), False)
@given(st.tuples(ENTRIES, OF_A_KEY | OF_AN_IMPORTED_KEY | OF_A_VENDOR), st.booleans())
@settings(max_examples=30)
def test_the_expected_policies_are_those_of_the_template(
    own: tuple[dict[str, Any], dict[str, Any]], pinned: bool
) -> None:
    props = {**own[0], **own[1]}
    if pinned and props.get("regions") == "ALL_REGIONS":
        props["pin_account"] = True
    (entry,) = parse_entries(text_of({"acme": props}), "cmek.yaml")
    made = template(entry)
    resolved = json.loads(json.dumps(made).replace('{"Fn::GetAtt": ["Role1ABCC5F0", "Arn"]}', f'"{ROLE_ARN}"'))
    case = Deployed(entry, ROLE_ARN, None, LockedIdentity(), TRACKED)
    for resource_type, prop, place in (
        ("AWS::IAM::Role", "AssumeRolePolicyDocument", Where("trust")),
        ("AWS::KMS::Key", "KeyPolicy", Where("key")),
    ):
        found = [one["Properties"][prop] for one in of_type(resolved, resource_type).values()]
        if found:
            expected = case.wanted(place.kind, suspended=bool(entry.suspended))
            both = zip(found[0]["Statement"], expected, strict=True)
            assert all(place.same(one, other) for one, other in both)
            assert [one["Sid"] for one in found[0]["Statement"]] == [one["Sid"] for one in expected]
    attached = of_type(resolved, "AWS::IAM::ManagedPolicy").values()
    statements = [s for one in attached for s in one["Properties"]["PolicyDocument"]["Statement"]]
    assert Where("permissions").drift(statements, entry.permissions()).is_none


def test_a_statement_means_the_same_in_the_words_that_aws_gives_back() -> None:
    mine = {"Sid": "a", "Effect": "Allow", "Principal": {"AWS": "*"}, "Resource": "*"}
    mine["Action"] = ["kms:Encrypt", "kms:Decrypt"]
    theirs = {"Effect": "Allow", "Principal": "*", "Action": ["KMS:decrypt", "kms:Encrypt"]}
    theirs["Resource"] = [KEY_ARN]
    place = Where("key", KEY_ARN)
    assert place.same(mine, theirs)
    assert not place.same(mine, {**theirs, "Effect": "Deny"})
    assert not place.same(mine, {**theirs, "Condition": {"Bool": {"x": "true"}}})
    assert place.same({**mine, "Effect": "Deny"}, {**theirs, "Effect": "Deny"})
    assert not place.same({**mine, "Effect": "Deny"}, {**theirs, "Effect": "Deny", "Action": "*"})


def test_drift_is_named_by_statement_and_shows_no_control_character() -> None:
    one = {"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "kms:Sign", "Resource": "*"}
    place = Where("key", KEY_ARN)
    words = place.drift([{**one, "Sid": "\x1b[31m"}], [{**one, "Sid": "B"}]).in_words(ACCOUNT)
    assert words == ""
    evil = {**one, "Sid": "\x1b[31m", "Action": "kms:Verify"}
    words = place.drift([evil], [{**one, "Sid": "B"}]).in_words(ACCOUNT)
    assert 'it lets in by statement "\\x1b[31m": Lets AWS account' in words
    assert 'it lacks statement "B": Lets AWS account' in words
    assert "\x1b" not in words


def test_each_harm_has_its_rank_and_its_words() -> None:
    assert {*_BY_HARM} == {*Effect, None}
    assert [effect and effect.value for effect in _BY_HARM] == list(texts("doctor.j2").harm)
