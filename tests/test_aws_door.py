"""The one door to AWS: whose session it is, what it is called, and how a refusal reads."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from cmek_construct.aws.objects import Unread
from cmek_construct.aws.reading import read_role
from cmek_construct.aws.session import Asking, AwsError, Reason, lookup_role
from cmek_construct.commands.printing import in_words
from tests.building import REGION
from tests.command import cmek
from tests.test_doctor import ACCOUNT, OTHER, OWN, answer, aws, deploy, findings, refusing, text_of

__all__ = ["aws"]
DEFAULT = f"arn:aws:iam::{OTHER}:role/cdk-hnb659fds-lookup-role-{OTHER}-{REGION}"


def test_the_lookup_role_is_the_assemblys_else_that_of_the_apps_qualifier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert lookup_role("acme", OTHER, REGION)[0] == DEFAULT
    (tmp_path / "cdk.json").write_text(json.dumps({"context": {"@aws-cdk/core:bootstrapQualifier": "mine"}}))
    assert lookup_role("acme", OTHER, REGION)[0] == DEFAULT.replace("hnb659fds", "mine")
    role = f"arn:${{AWS::Partition}}:iam::{OTHER}:role/looks-up"
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": f"aws://{OTHER}/{REGION}",
        "properties": {
            "templateFile": "acme.template.json",
            "lookupRole": {"arn": role, "assumeRoleExternalId": "x"},
        },
    }
    stage = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Prod"}}
    inner = tmp_path / "cdk.out" / "assembly-Prod"
    inner.mkdir(parents=True)
    (tmp_path / "cdk.out" / "manifest.json").write_text(json.dumps({"artifacts": {"P": stage}}))
    (inner / "manifest.json").write_text(json.dumps({"artifacts": {"acme": stack}}))
    assert lookup_role("acme", OTHER, REGION) == (f"arn:aws:iam::{OTHER}:role/looks-up", "x")
    assert lookup_role("other", OTHER, REGION)[0] == DEFAULT.replace("hnb659fds", "mine")
    (inner / "manifest.json").write_text("no JSON")
    assert lookup_role("acme", OTHER, REGION)[0] == DEFAULT.replace("hnb659fds", "mine")


@pytest.mark.parametrize("output", ["x" * 300, "a\0b", "\ud800", "loop"])
def test_the_lookup_role_is_known_though_the_assembly_can_not_be_looked_for(
    output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "cdk.json").write_text(json.dumps({"output": output}))
    assert lookup_role("acme", OTHER, REGION)[0] == DEFAULT


@pytest.mark.usefixtures("aws")
def test_a_session_is_named_after_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": {**OWN, "account": OTHER}}))
    names: list[str] = []

    def note(operation: str, parameters: dict[str, Any]) -> Any:
        if operation == "AssumeRole":
            names.append(parameters["RoleSessionName"])
        return NotImplemented

    answer(monkeypatch, note)
    for command in ("doctor", "sheet"):
        cmek(tmp_path, command, code=1)
    assert names == ["cmek-doctor", "cmek-sheet"]


@pytest.mark.parametrize(
    ("command", "has", "lacks"),
    [
        ("sheet", ("--profile", "--outputs"), ("--role",)),
        ("suspend", ("--profile", "--role"), ("--outputs",)),
        ("adopt", ("--profile",), ("--role ", "--outputs")),
        ("lock", ("--profile", "--deployed"), ("--role", "--outputs")),
    ],
)
def test_a_refusal_advises_the_options_that_the_command_has(
    command: str, has: tuple[str, ...], lacks: tuple[str, ...]
) -> None:
    said = in_words(AwsError(Reason.REFUSED, "AWS refused: AccessDenied", "AccessDenied"), Asking(command))
    assert said.startswith("AWS refused: AccessDenied. Sign in")
    assert all(option in said for option in has)
    assert not any(option in said for option in lacks)
    other = in_words(AwsError(Reason.ANOTHER_ACCOUNT, "it is in another account"), Asking(command))
    assert "Sign in" not in other


EXPIRED = "Signature expired: 20261127T060000Z is now earlier than 20261127T065500Z"


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("SignatureDoesNotMatch", EXPIRED),
        ("InvalidSignatureException", EXPIRED.replace("expired", "not yet current")),
        ("RequestTimeTooSkewed", "The difference between the request time and the current time"),
        ("RequestExpired", "Request has expired."),
    ],
)
def test_a_clock_that_is_wrong_is_said_to_be_and_nobody_is_sent_to_sign_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, message: str
) -> None:
    deploy(tmp_path)

    def skewed(operation: str, _parameters: dict[str, Any]) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": message}}, operation)

    answer(monkeypatch, skewed)
    found = findings(tmp_path, code=3)
    assert list(found) == ["aws"]
    assert "the clock of this machine is wrong" in found["aws"]["words"]
    assert code in found["aws"]["words"]
    assert found["aws"]["cure"].startswith("Set the clock of this machine")
    refused = cmek(tmp_path, "sheet", code=1).stderr
    assert "Set the clock" in refused
    assert "sso login" not in refused


@pytest.mark.usefixtures("aws")
def test_a_wrong_secret_key_is_no_wrong_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(tmp_path)
    answer(monkeypatch, refusing("GetCallerIdentity", code="SignatureDoesNotMatch"))
    found = findings(tmp_path, code=3)["aws"]
    assert "clock" not in found["words"]
    assert "aws sso login" in found["cure"]


class Iam(HTTPServer):
    """An IAM that answers whatever it is asked in one way."""

    body = b""
    is_cut_off = False

    def answered(self) -> bytes:
        length = len(self.body) + (100 if self.is_cut_off else 0)
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        return head.encode() + self.body


class _Handler(BaseHTTPRequestHandler):
    server: Iam

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.wfile.write(self.server.answered())

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.mark.parametrize(
    ("body", "is_cut_off"),
    [
        (b"", False),
        (b"<GetRoleResponse/>", False),
        (b"<GetRoleResponse><GetRo", False),
        (b"<html>a proxy</html>", False),
        (b"<GetRoleResponse/>", True),
    ],
    ids=["empty", "without an answer", "half of it", "of a proxy", "cut off"],
)
def test_an_answer_that_is_none_is_not_read_and_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, body: bytes, is_cut_off: bool
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    with Iam(("127.0.0.1", 0), _Handler) as server:
        server.body, server.is_cut_off = body, is_cut_off
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        for name, value in (
            ("AWS_ENDPOINT_URL_IAM", address),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ):
            monkeypatch.setenv(name, value)
        session = Asking("doctor").signed_in(REGION)
        found = read_role(session, f"arn:aws:iam::{ACCOUNT}:role/x")
        server.shutdown()
    assert isinstance(found, Unread)
    assert found.why.startswith(("AWS could not be asked: ", "the answer of AWS cannot be read: "))


@pytest.mark.usefixtures("aws")
def test_a_page_of_a_thousand_and_the_next_one_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(tmp_path)
    grantee = f"arn:aws:iam::{OTHER}:role/x"

    def grants(operation: str, parameters: dict[str, Any]) -> Any:
        if operation != "ListGrants":
            return NotImplemented
        is_last = "Marker" in parameters
        page = [
            {"GrantId": f"{is_last}{number}", "GranteePrincipal": grantee, "Operations": []} for number in range(1_000)
        ]
        return {"Grants": page, "Truncated": not is_last, **({} if is_last else {"NextMarker": "n"})}

    answer(monkeypatch, grants)
    found = findings(tmp_path, code=1)["grants"]
    assert " and 1994 more" in found["words"]
    assert found["cure"].count("revoke-grant") == 6
    assert "see which are left: cmek doctor acme" in found["cure"]


@pytest.mark.usefixtures("aws")
def test_the_organizations_policies_are_shown_and_not_judged(tmp_path: Path) -> None:
    deploy(tmp_path)
    organizations = boto3.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    organizations.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    for name, action in (("NoKms", "kms:Decrypt"), ("NoS3", "s3:*")):
        denial = {"Effect": "Deny", "Action": action, "Resource": "*"}
        made = organizations.create_policy(
            Name=name,
            Description=name,
            Type="SERVICE_CONTROL_POLICY",
            Content=json.dumps({"Version": "2012-10-17", "Statement": [denial]}),
        )
        policy_id = made["Policy"]["PolicySummary"]["Id"]
        organizations.attach_policy(PolicyId=policy_id, TargetId=root)
    printed = cmek(tmp_path, "doctor", "--organization").stdout
    assert "look at this SCP, NoKms on r-" in printed
    assert '"kms:Decrypt"' in printed
    assert "NoS3" not in printed


@pytest.mark.usefixtures("aws")
def test_the_organizations_policies_that_cannot_be_read_are_not_called_none(tmp_path: Path) -> None:
    deploy(tmp_path)
    assert findings(tmp_path, "--organization", code=3)["organization"]["verdict"] == "unknown"


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("keys", "verdict", "said"),
    [
        ({}, "said", "there are no indexes"),
        ({"a": None, "b": "own"}, "wrong", "indexes under no key of yours: a"),
        ({"b": "own"}, "right", "all indexes are under this key (b)"),
        ({"c": "arn:aws:kms:us-east-1:1:key/x"}, "wrong", "under another key: c"),
        ({"d": "key-abc123"}, "said", "an ID of its own: d (key-abc123)"),
    ],
)
def test_with_an_api_key_the_indexes_are_held_to_this_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: dict[str, str | None], verdict: str, said: str
) -> None:
    deploy(tmp_path)
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName="acme")["Stacks"]
    arn = next(one["OutputValue"] for one in stack["Outputs"] if one["OutputKey"] == "KeyArn")
    found = {name: arn if key == "own" else key for name, key in keys.items()}
    monkeypatch.setattr("cmek_construct.commands.doctor.indexes", lambda: found)
    one = findings(tmp_path, code=1 if verdict == "wrong" else 0)["indexes"]
    assert (one["verdict"], one["effect"]) == (verdict, None)
    assert said in one["words"]


@pytest.mark.usefixtures("aws")
def test_the_sheets_of_all_stacks_work_beside_a_vendors(tmp_path: Path) -> None:
    vendor = {**OWN, "external_id": OWN["external_id"][:-1] + "1", "customer_account_ids": [OTHER]}
    deploy(tmp_path, acme=OWN, vendor=vendor)
    printed = cmek(tmp_path, "sheet")
    assert "Pinecone CMEK for acme" in printed.stdout
    assert "cmek sheet vendor --key-arn ARN" in printed.stderr
    assert ACCOUNT in printed.stdout
