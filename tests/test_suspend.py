"""`cmek suspend` and `cmek resume`, against moto; what AWS refuses is refused here."""

from __future__ import annotations

import json
import re
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
import typer
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from cmek_construct.deployment import writing
from cmek_construct.deployment.reading import ConfigError, parse_entries, read_entries
from cmek_construct.health.comparing import Where
from cmek_construct.policy.statements import DELETED
from tests.building import EXTERNAL_ID, PINECONE, REGION
from tests.command import cmek
from tests.test_doctor import (
    ACCOUNT,
    KEY_ARN,
    OTHER,
    OWN,
    ROLE_ARN,
    VENDOR,
    answer,
    aws,
    deploy,
    disable,
    findings,
    grant_to_a_stranger,
    key_id,
    key_statements,
    lock_what_is_deployed,
    make_role_again,
    outputs,
    put_key_statements,
    refusing,
    role_name,
    template,
    text_of,
    widen_key_policy,
    without_stack,
)

__all__ = ["aws"]
REASON = "--reason=ticket 42: stolen keys"
SUSPENDED = '    suspended: true  # ticket 42: stolen keys\n    account: "'


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)


def suspend(folder: Path, *options: str, code: int = 0) -> str:
    printed = cmek(folder, "suspend", "acme", REASON, *options, code=code)
    return printed.stderr if code else printed.stdout


def resume(folder: Path, *options: str, code: int = 0) -> str:
    printed = cmek(folder, "resume", "acme", *options, code=code)
    return printed.stderr if code else printed.stdout


def trust_statements() -> list[Any]:
    role = boto3.client("iam").get_role(RoleName=role_name())["Role"]
    return list(role["AssumeRolePolicyDocument"]["Statement"])


def next_deploy(folder: Path, resource_type: str, prop: str) -> list[Any]:
    """The statements that the next deploy of the file sets."""
    (entry,) = read_entries(folder / "cmek.yaml")
    (found,) = (
        one["Properties"][prop]["Statement"]
        for one in template(entry)["Resources"].values()
        if one["Type"] == resource_type
    )
    text = json.dumps(found)
    own = outputs()["RoleArn"]
    return list(json.loads(text.replace('{"Fn::GetAtt": ["Role1ABCC5F0", "Arn"]}', f'"{own}"')))


def is_cut_off() -> bool:
    wanted = {"Sid": "Deny Pinecone while suspended", "Effect": "Deny"}
    return any(wanted.items() <= one.items() for one in key_statements())


@pytest.mark.usefixtures("aws")
def test_suspended_and_resumed_are_the_very_policies_of_the_next_deploy(tmp_path: Path) -> None:
    deploy(tmp_path)
    text, before = (tmp_path / "cmek.yaml").read_text(), key_statements()
    printed = suspend(tmp_path)
    assert SUSPENDED in (tmp_path / "cmek.yaml").read_text()
    assert key_statements() == next_deploy(tmp_path, "AWS::KMS::Key", "KeyPolicy")
    assert is_cut_off()
    assert "can do nothing with arn:aws:kms" in printed
    assert "does not publish" in printed
    assert "Commit cmek.yaml now" in printed
    assert "Kept" not in printed
    findings(tmp_path)
    assert "LET IN" in resume(tmp_path)
    assert (tmp_path / "cmek.yaml").read_text() == text
    assert key_statements() == before == next_deploy(tmp_path, "AWS::KMS::Key", "KeyPolicy")
    findings(tmp_path)


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("own", [VENDOR, {**OWN, "key": KEY_ARN}], ids=["vendor", "imported key"])
def test_where_no_key_is_ours_the_role_lets_nobody_in(tmp_path: Path, own: dict[str, Any]) -> None:
    if "key" in own:
        own = {**own, "key": boto3.client("kms").create_key()["KeyMetadata"]["Arn"]}
    deploy(tmp_path, acme=own)
    before = trust_statements()
    printed = suspend(tmp_path)
    assert trust_statements() == next_deploy(tmp_path, "AWS::IAM::Role", "AssumeRolePolicyDocument")
    assert trust_statements()[-1]["Sid"] == "DenyEverybodyWhileSuspended"
    assert "an hour at most" in printed
    assert ("Deny Pinecone while suspended" in printed) is ("key" in own)
    resume(tmp_path)
    assert trust_statements() == before


@pytest.mark.usefixtures("aws")
def test_statements_of_others_are_kept_and_said(tmp_path: Path) -> None:
    deploy(tmp_path)
    before = key_statements()
    widen_key_policy()
    helper = key_statements()[-1]
    printed = suspend(tmp_path)
    assert is_cut_off()
    assert helper in key_statements()
    assert "Kept as it is" in printed
    assert 'statement "Helper"' in printed
    resume(tmp_path)
    assert key_statements() == [*before, helper]


@pytest.mark.usefixtures("aws")
def test_a_policy_of_the_older_version_says_the_same_afterwards(tmp_path: Path) -> None:
    deploy(tmp_path)
    team = {"StringEquals": {"aws:PrincipalTag/team": "${aws:username}"}}
    administrator = {"AWS": f"arn:aws:iam::{OWN['account']}:root"}
    literal = {"Effect": "Deny", "Principal": administrator, "Action": "kms:Tag*", "Resource": "*"}
    before = [*key_statements(), {**literal, "Condition": team}]
    boto3.client("kms").put_key_policy(
        KeyId=outputs()["KeyArn"].rpartition("/")[2],
        PolicyName="default",
        Policy=json.dumps({"Version": "2008-10-17", "Statement": before}),
    )
    suspend(tmp_path)
    (kept,) = (one for one in key_statements() if one["Action"] == "kms:Tag*")
    assert kept["Condition"]["StringEquals"] == {"aws:PrincipalTag/team": "${$}{aws:username}"}


@pytest.mark.usefixtures("aws")
def test_resumed_has_again_what_the_file_says_and_somebody_took_out(tmp_path: Path) -> None:
    deploy(tmp_path)
    before = key_statements()
    put_key_statements(before[:1])
    suspend(tmp_path)
    assert len(key_statements()) == 2
    resume(tmp_path)
    assert key_statements() == before


def malformed_where_somebody_is_gone(operation: str, parameters: dict[str, Any]) -> Any:
    """AWS takes no policy that names the unique ID of somebody who was deleted."""
    text = parameters.get("Policy") or parameters.get("PolicyDocument") or ""
    if operation.startswith(("PutKey", "UpdateAssume")) and any(DELETED.fullmatch(word) for word in text.split('"')):
        code = "MalformedPolicyDocument" + "Exception" * operation.startswith("PutKey")
        raise ClientError({"Error": {"Code": code, "Message": "invalid principals"}}, operation)
    return NotImplemented


@pytest.mark.usefixtures("aws")
def test_a_role_made_again_is_cut_off_and_let_in_by_a_policy_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = f"arn:aws:iam::{ACCOUNT}:role/security"
    deploy(tmp_path, acme={**OWN, "key_admins": [admin]})
    before = key_statements()
    make_role_again()
    put_key_statements(json.loads(json.dumps(key_statements()).replace(admin, "AROAEXAMPLE0ADM")))
    answer(monkeypatch, malformed_where_somebody_is_gone)
    suspend(tmp_path)
    assert denial_is_for(outputs()["RoleArn"])
    resume(tmp_path)
    assert key_statements() == before


@pytest.mark.usefixtures("aws")
def test_a_statement_of_somebody_deleted_is_kept_where_aws_takes_it(tmp_path: Path) -> None:
    deploy(tmp_path)
    before = key_statements()
    theirs = {"Sid": "Theirs", "Effect": "Allow", "Principal": {"AWS": "AROAEXAMPLE0THEIRS"}}
    put_key_statements([*before, {**theirs, "Action": "kms:Decrypt", "Resource": "*"}])
    suspend(tmp_path)
    assert [one["Sid"] for one in key_statements()][-2:] == ["Theirs", "Deny Pinecone while suspended"]


def denial_is_for(role_arn: str) -> bool:
    last = key_statements()[-1]
    return bool(last["Effect"] == "Deny" and last["Principal"] == {"AWS": role_arn})


@pytest.mark.usefixtures("aws")
def test_an_administrator_who_is_no_more_does_not_hold_up_the_brake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = f"arn:aws:iam::{ACCOUNT}:role/security"
    deploy(tmp_path, acme={**OWN, "key_admins": [admin]})
    gone = "AROAEXAMPLE0ADM"
    put_key_statements(json.loads(json.dumps(key_statements()).replace(admin, gone)))

    def refuse(operation: str, parameters: dict[str, Any]) -> Any:
        if admin in parameters.get("Policy", ""):
            parameters = {"Policy": f'"{gone}"'}
        return malformed_where_somebody_is_gone(operation, parameters)

    answer(monkeypatch, refuse)
    assert 'it lacks statement "Allow access for Key Administrators"' in suspend(tmp_path)
    assert is_cut_off()
    resume(tmp_path)
    assert not is_cut_off()


@pytest.mark.usefixtures("aws")
def test_grants_are_listed_and_revoked_only_when_asked_for(tmp_path: Path) -> None:
    deploy(tmp_path)
    grant_to_a_stranger()
    printed = suspend(tmp_path)
    assert f"{OTHER}:role/x may Decrypt" in printed
    assert "Not revoked" in printed
    assert len(boto3.client("kms").list_grants(KeyId=key_id())["Grants"]) == 1
    assert "Revoked: 1" in suspend(tmp_path, "--revoke-grants")
    assert boto3.client("kms").list_grants(KeyId=key_id())["Grants"] == []
    printed = suspend(tmp_path)
    assert "Grants on the key: none" in printed
    assert "already suspended: true" in printed
    assert "it was so already, and was read again" in printed


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("operation", ["ListGrants", "RevokeGrant"])
def test_a_grant_that_may_be_left_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    deploy(tmp_path)
    grant_to_a_stranger()
    answer(monkeypatch, refusing(operation))
    printed = suspend(tmp_path, "--revoke-grants", code=1)
    assert is_cut_off()
    command = {"ListGrants": "list-grants", "RevokeGrant": "revoke-grant"}[operation]
    assert f"aws kms {command} --region {REGION} --key-id {outputs()['KeyArn']}" in printed


@pytest.mark.usefixtures("aws")
def test_of_an_imported_key_only_the_roles_grants_are_revoked(tmp_path: Path) -> None:
    kms = boto3.client("kms")
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    deploy(tmp_path, acme={**OWN, "key": arn})
    for grantee in (outputs()["RoleArn"], ROLE_ARN):
        kms.create_grant(KeyId=arn, GranteePrincipal=grantee, Operations=["Decrypt"])
    assert "Revoked: 1" in suspend(tmp_path, "--revoke-grants")
    (left,) = kms.list_grants(KeyId=arn)["Grants"]
    assert left["GranteePrincipal"] == ROLE_ARN


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("operation", ["PutKeyPolicy", "GetKeyPolicy", "DescribeStacks"])
def test_refused_by_aws_the_file_is_written_and_the_next_best_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    deploy(tmp_path)
    answer(monkeypatch, refusing(operation, code="AccessDeniedException"))
    said = suspend(tmp_path, code=1)
    assert SUSPENDED in (tmp_path / "cmek.yaml").read_text()
    assert "PERHAPS NOT CUT OFF" in said
    assert 'cmek suspend acme --reason "ticket 42: stolen keys" --profile' in said
    assert "npx cdk deploy acme -c only=acme" in said
    assert "disable-key" in said
    assert "AccessDeniedException" in said


@pytest.mark.usefixtures("aws")
def test_the_lookup_role_is_not_tried_and_another_account_is_refused(tmp_path: Path) -> None:
    deploy(tmp_path)
    file = tmp_path / "cmek.yaml"
    file.write_text(file.read_text().replace(ACCOUNT, OTHER))
    said = suspend(tmp_path, code=1)
    assert f"your credentials are of account {ACCOUNT}, but the stack is in {OTHER}" in said


@pytest.mark.usefixtures("aws")
def test_a_role_of_the_account_can_be_taken_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(tmp_path)
    taken: list[str] = []

    def note(operation: str, parameters: dict[str, Any]) -> Any:
        if operation == "AssumeRole":
            taken.append(parameters["RoleArn"])
        return NotImplemented

    answer(monkeypatch, note)
    suspend(tmp_path, f"--role={ROLE_ARN}")
    assert taken == [ROLE_ARN]
    assert is_cut_off()
    assert "role" in cmek(tmp_path, "suspend", "acme", REASON, "--role=x", code=2).stderr


def test_without_credentials_the_file_is_written_and_the_next_best_is_said(tmp_path: Path) -> None:
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": OWN}))
    assert "npx cdk deploy acme" in suspend(tmp_path, code=1)
    assert SUSPENDED in (tmp_path / "cmek.yaml").read_text()


@pytest.mark.usefixtures("aws")
def test_a_stack_in_any_state_is_suspended_and_a_running_deploy_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(tmp_path)
    listed = [{"OutputKey": name, "OutputValue": value} for name, value in outputs().items()]
    for status, is_said in (("UPDATE_IN_PROGRESS", True), ("UPDATE_ROLLBACK_FAILED", False)):
        stack = {"StackStatus": status, "Outputs": listed}

        def reply(operation: str, _parameters: Any, stack: Any = stack) -> Any:
            return {"Stacks": [stack]} if operation == "DescribeStacks" else NotImplemented

        with monkeypatch.context() as patched:
            answer(patched, reply)
            assert ("A DEPLOY IS RUNNING" in suspend(tmp_path)) is is_said
        assert is_cut_off()
        resume(tmp_path)


@pytest.mark.usefixtures("aws")
def test_the_lock_knows_role_and_key_when_the_stack_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(tmp_path)
    lock_what_is_deployed(tmp_path)
    with monkeypatch.context() as patched:
        answer(patched, refusing("DescribeStacks"))
        suspend(tmp_path)
    assert is_cut_off()


@pytest.mark.usefixtures("aws")
def test_a_locked_stack_that_is_gone_is_to_be_adopted_once_it_is_suspended_and_not_deployed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(tmp_path)
    lock_what_is_deployed(tmp_path)
    own = outputs()
    for brake in (suspend, resume):
        with monkeypatch.context() as patched:
            answer(patched, without_stack())
            printed = brake(tmp_path)
            assert f"--role-arn {own['RoleArn']} --key-arn {own['KeyArn']}\n" in printed
            answer(patched, refusing("PutKeyPolicy", "GetKeyPolicy"))
            printed += brake(tmp_path, code=1)
        assert "cdk deploy" not in printed


@pytest.mark.usefixtures("aws")
def test_a_policy_that_reads_as_before_is_not_called_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(tmp_path)
    answer(monkeypatch, lambda operation, _: {} if operation == "PutKeyPolicy" else NotImplemented)
    assert "reads as before" in suspend(tmp_path, code=1)


class Killed(BaseException):
    """The process ends here."""


def trace(folder: Path, monkeypatch: pytest.MonkeyPatch, on: bool, kill_after: int) -> int:
    """Run a command that is killed after one of its calls and writes; 0 lets it live.

    Returns:
        How many there were.
    """
    count = 0

    def step(does: Any) -> Any:
        nonlocal count
        count += 1
        found = does()
        if count == kill_after:
            raise Killed
        return found

    with monkeypatch.context() as patched:
        from botocore.client import BaseClient

        call, write = BaseClient._make_api_call, writing.replace
        patched.setattr(
            BaseClient,
            "_make_api_call",
            lambda client, operation, parameters: step(lambda: call(client, operation, parameters)),
        )
        patched.setattr(writing, "replace", lambda path, text: step(lambda: write(path, text)))
        try:
            suspend(folder, "--revoke-grants") if on else resume(folder)
        except Killed:
            assert kill_after
    return count


def state(folder: Path) -> Any:
    grants = boto3.client("kms").list_grants(KeyId=key_id())["Grants"]
    return (folder / "cmek.yaml").read_text(), key_statements(), len(grants)


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("on", [True, False], ids=["suspend", "resume"])
def test_killed_anywhere_and_run_again_it_comes_to_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on: bool
) -> None:
    deploy(tmp_path)
    if not on:
        suspend(tmp_path)
    file = tmp_path / "cmek.yaml"
    text, statements = file.read_text(), key_statements()

    def begin() -> None:
        file.write_text(text)
        put_key_statements(statements)
        if on:
            grant_to_a_stranger()

    begin()
    steps = trace(tmp_path, monkeypatch, on, 0)
    assert steps >= 6
    end = state(tmp_path)
    for kill_after in range(1, steps + 1):
        begin()
        trace(tmp_path, monkeypatch, on, kill_after)
        says_out = SUSPENDED in file.read_text()
        # Never out of the file before Pinecone is out, nor in it again before the file says so.
        assert says_out or not (on and is_cut_off())
        assert not says_out or on or is_cut_off()
        trace(tmp_path, monkeypatch, on, 0)
        assert state(tmp_path) == end


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(("on", "code"), [(True, "ThrottlingException"), (False, "no network")])
def test_any_call_that_fails_ends_in_a_clear_message_and_run_again_in_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on: bool, code: str
) -> None:
    deploy(tmp_path)
    if not on:
        suspend(tmp_path)
    for operation in ("GetCallerIdentity", "DescribeStacks", "GetKeyPolicy", "PutKeyPolicy"):

        def fail(called: str, parameters: Any, operation: str = operation) -> Any:
            if called != operation:
                return NotImplemented
            if code == "no network":
                raise EndpointConnectionError(endpoint_url="https://kms")
            return refusing(operation, code=code)(called, parameters)

        with monkeypatch.context() as patched:
            answer(patched, fail)
            said = suspend(tmp_path, code=1) if on else resume(tmp_path, code=1)
        assert "Now, one of:" in said
        assert code in said or "Could not connect" in said
        assert is_cut_off() is not on
    suspend(tmp_path) if on else resume(tmp_path)
    assert is_cut_off() is on


@pytest.mark.usefixtures("aws")
def test_a_busy_aws_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(tmp_path)
    from botocore.awsrequest import AWSResponse
    from botocore.httpsession import URLLib3Session
    from moto.core.botocore_stubber import BotocoreStubber

    answered = BotocoreStubber.__call__
    busy = iter([True, True])

    def reply(stubber: Any, event_name: str, request: Any, **more: Any) -> Any:
        if "PutKeyPolicy" in event_name and next(busy, False):
            body = b'{"__type": "ThrottlingException", "message": "Rate exceeded"}'
            found = AWSResponse(request.url, 400, {}, None)
            found._content = body
            return found
        return answered(stubber, event_name, request, **more)

    monkeypatch.setattr(BotocoreStubber, "__call__", reply)
    assert URLLib3Session
    suspend(tmp_path)
    assert next(busy, None) is None
    assert is_cut_off()


@pytest.mark.usefixtures("aws")
def test_interrupted_it_says_what_is_not_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(tmp_path)

    def interrupt(operation: str, _parameters: Any) -> Any:
        if operation == "PutKeyPolicy":
            raise KeyboardInterrupt
        return NotImplemented

    answer(monkeypatch, interrupt)
    assert "It was interrupted." in suspend(tmp_path, code=1)


def test_with_role_and_key_given_the_statement_is_said_and_nothing_written(tmp_path: Path) -> None:
    text = text_of({"acme": {**OWN, "role": ROLE_ARN, "key": KEY_ARN}})
    (tmp_path / "cmek.yaml").write_text(text)
    assert '"Action": "kms:*"' in suspend(tmp_path, code=1)
    assert (tmp_path / "cmek.yaml").read_text() == text


def test_a_reason_is_needed_and_the_name_must_be_right(tmp_path: Path) -> None:
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": OWN}))
    assert "--reason" in cmek(tmp_path, "suspend", "acme", code=2).stderr
    assert "say why" in cmek(tmp_path, "suspend", "acme", "--reason= ", code=2).stderr
    assert "got 'x'" in cmek(tmp_path, "suspend", "x", "--reason=y", code=1).stderr
    assert "a stack begins" in cmek(tmp_path, "suspend", "acme,acme", "--reason=y", code=2).stderr
    assert (tmp_path / "cmek.yaml").read_text() == text_of({"acme": OWN})


SHARED = 'pinecone_account_id: "999988887777"\nregions: [us-east-1]\nregion: us-east-1\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            '  acme:   # ours\n    account: "011122223333"   # x\n',
            '  acme:   # ours\n    suspended: true  # why: #1\n    account: "011122223333"   # x\n',
        ),
        (
            '  acme:\n    suspended: false   # not yet\n    account: "011122223333"\n',
            '  acme:\n    suspended: true  # why: #1   # not yet\n    account: "011122223333"\n',
        ),
        (
            '  acme:\n      account: "011122223333"\n      "suspended" :  null\n',
            '  acme:\n      account: "011122223333"\n      "suspended" :  true  # why: #1\n',
        ),
        ('  acme: {account: "011122223333"}\n', '  acme: {suspended: true, account: "011122223333"}\n'),
        (
            '  acme: {suspended: false,\n    account: "011122223333"}\n',
            '  acme: {suspended: true,\n    account: "011122223333"}\n',
        ),
        (
            '  acme: {suspended: false, account: "011122223333"}\n',
            '  acme: {suspended: true, account: "011122223333"}\n',
        ),
        (
            '  acme: {\n    "account": "011122223333",\n  }\n',
            '  acme: {\n    suspended: true,  # why: #1\n    "account": "011122223333",\n  }\n',
        ),
        (
            "  acme:\n    tags: {account: x}\n    'account': \"011122223333\"",
            "  acme:\n    tags: {account: x}\n    suspended: true  # why: #1\n    'account': \"011122223333\"",
        ),
        (
            '  acme:\n    suspended:\n      false\n    account: "011122223333"\n',
            '  acme:\n    suspended:\n      true  # why: #1\n    account: "011122223333"\n',
        ),
        (
            '  account:\n    account: "011122223333"\n  acme: {account: "011122223333"}\n',
            '  account:\n    account: "011122223333"\n  acme: {suspended: true, account: "011122223333"}\n',
        ),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_one_setting_is_written_and_every_other_byte_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str, newline: str
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "cmek.yaml"
    head = f"{SHARED}# of ours\nstacks:\n".replace("\n", newline)
    file.write_bytes((head + before.replace("\n", newline)).encode())
    assert writing.set_suspended("acme", True, "why:  \n #1") is True
    assert file.read_bytes().decode() == head + after.replace("\n", newline)
    assert writing.set_suspended("acme", True, "another") is False
    assert writing.set_suspended("acme", False, "") is True
    (entry,) = [one for one in read_entries("cmek.yaml") if one.name == "acme"]
    assert not entry.suspended


def test_what_the_top_says_is_taken_back_in_the_stack_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own = '    account: "011122223333"\n'
    text = f"{SHARED}suspended: true\nstacks:\n  acme:\n{own}  globex:\n{own}"
    (tmp_path / "cmek.yaml").write_text(text)
    assert writing.set_suspended("acme", True, "x") is False
    assert writing.set_suspended("acme", False, "") is True
    changed = text.replace(own, f"    suspended: false\n{own}", 1)
    assert (tmp_path / "cmek.yaml").read_text() == changed
    assert writing.set_suspended("acme", True, "") is True
    assert writing.set_suspended("acme", False, "") is True
    assert (tmp_path / "cmek.yaml").read_text() == changed


@pytest.mark.parametrize("stacks", ['  globex: &g {account: "011122223333"}\n  acme: *g\n'])
def test_what_cannot_be_set_alone_is_refused_with_the_line_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stacks: str
) -> None:
    monkeypatch.chdir(tmp_path)
    text = f"{SHARED}stacks:\n{stacks}"
    (tmp_path / "cmek.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"Write by hand into it:  suspended: true"):
        writing.set_suspended("acme", True, "x")
    assert (tmp_path / "cmek.yaml").read_text() == text


@pytest.mark.usefixtures("aws")
def test_where_the_file_cannot_be_edited_aws_goes_first_and_the_line_is_said(tmp_path: Path) -> None:
    deploy(tmp_path)
    file = tmp_path / "cmek.yaml"
    text = file.read_text().partition("stacks:")[0]
    text += f"stacks:\n  globex: &g {{account: '{ACCOUNT}', region: eu-west-1}}\n  acme: *g\n"
    text = text.replace("region: eu-west-1}", f"external_id: {OWN['external_id']}}}")
    file.write_text(text)
    printed = suspend(tmp_path)
    assert file.read_text() == text
    assert is_cut_off()
    assert "cmek.yaml IS NOT CHANGED" in printed
    assert "stacks.acme:  suspended: true  Without it the next deploy" in printed


@given(st.text(min_size=1, max_size=60))
def test_no_reason_can_say_more_than_a_comment(reason: str) -> None:
    text = text_of({"acme": OWN, "globex": {**OWN, "external_id": EXTERNAL_ID[:-1] + "1"}})
    first = next(writing._with_suspended(text, "acme", True, reason))
    before, after = parse_entries(text, "cmek.yaml"), parse_entries(first, "cmek.yaml")
    said = replace(before[0], suspended=True)
    assert after == [said, before[1]]
    assert len(first.splitlines()) == len(text.splitlines()) + 1


def test_the_denial_is_the_one_of_the_contract() -> None:
    (own,) = parse_entries(text_of({"acme": OWN}), "cmek.yaml")
    assert own.denial(ROLE_ARN)["Sid"] == "Deny Pinecone while suspended"
    (vendor,) = parse_entries(text_of({"acme": VENDOR}), "cmek.yaml")
    assert "DenyEverybodyWhileSuspended" in vendor.denial(ROLE_ARN)["Sid"]
    both = own.denial(ROLE_ARN), vendor.denial(ROLE_ARN)
    assert not Where("key", KEY_ARN).same(*both)


@pytest.mark.usefixtures("aws")
def test_a_reader_that_is_gone_does_not_stop_the_brake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(tmp_path)

    def broken(*_arguments: Any, **_more: Any) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(typer, "echo", broken)
    suspend(tmp_path)
    assert is_cut_off()


@pytest.mark.usefixtures("aws")
def test_a_disabled_key_can_be_suspended(tmp_path: Path) -> None:
    deploy(tmp_path)
    disable()
    suspend(tmp_path)
    assert is_cut_off()


@pytest.mark.usefixtures("aws")
def test_a_key_that_is_protected_while_used_is_cut_off_by_its_policy_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(tmp_path, acme={**OWN, "protect_used_key": 90})
    suspend(tmp_path)
    assert is_cut_off()
    assert key_statements() == next_deploy(tmp_path, "AWS::KMS::Key", "KeyPolicy")
    resume(tmp_path)
    answer(monkeypatch, refusing("PutKeyPolicy", code="AccessDeniedException"))
    assert "disable-key" not in suspend(tmp_path, code=1)


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("own", [OWN, VENDOR], ids=["own", "vendor"])
def test_who_is_kept_out_by_another_denial_is_not_called_let_in(tmp_path: Path, own: dict[str, Any]) -> None:
    deploy(tmp_path, acme=own)
    denial: dict[str, Any] = {"Sid": "Cut", "Effect": "Deny", "Principal": {"AWS": "*"}}
    if own is VENDOR:
        denial["Principal"] = {"AWS": PINECONE}
        policy = {"Version": "2012-10-17", "Statement": [*trust_statements(), {**denial, "Action": "sts:AssumeRole"}]}
        boto3.client("iam").update_assume_role_policy(RoleName=role_name(), PolicyDocument=json.dumps(policy))
    else:
        put_key_statements([*key_statements(), {**denial, "Action": "kms:Decrypt", "Resource": "*"}])
    said = resume(tmp_path, code=1)
    assert "STILL CUT OFF" in said
    assert 'it is denied by statement "Cut"' in said
    assert "LET IN" not in said
    assert "cmek doctor acme" in said


@pytest.mark.usefixtures("aws")
def test_a_reason_is_said_again_so_that_a_shell_takes_it_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": OWN}))
    reason = 'Bob\'s `id` for $5, "now"!'
    said = cmek(tmp_path, "suspend", "acme", f"--reason={reason}", code=1).stderr
    (quoted,) = re.findall(r"--reason (.+) --profile", said)
    assert (
        subprocess.run(["sh", "-c", f"printf %s {quoted}"], capture_output=True, check=True).stdout.decode() == reason
    )


def test_a_file_that_an_editor_of_windows_wrote_is_set_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": OWN}), encoding="utf-8-sig")
    assert writing.set_suspended("acme", True, "why") is True
    assert writing.set_suspended("acme", False, "") is True
    assert (tmp_path / "cmek.yaml").read_text() == text_of({"acme": OWN})
