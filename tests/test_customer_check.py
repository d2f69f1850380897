"""`cmek customer-kit check`: what is right and wrong with a customer's key, and the cure."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmek_construct.deployment.without_cdk import POLICY, customer_kit
from cmek_construct.guide import KeyAccess, key_denial, role_statements
from cmek_construct.health.customer_key import CustomerKeySeen, findings
from tests.command import INSTALLED, cmek
from tests.test_command import FLAGS

OWNER, VENDOR = "044455556666", "011122223333"
ROLE_ARN = f"arn:aws:iam::{VENDOR}:role/VendorCmek"
KEY_ARN = f"arn:aws:kms:us-east-1:{OWNER}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER_KEY = KEY_ARN[:-1] + "c"
ALIAS_ARN = KEY_ARN.replace("key/", "alias/")
METADATA = {
    "AWSAccountId": OWNER,
    "KeyId": KEY_ARN.rpartition("/")[2],
    "Arn": KEY_ARN,
    "CreationDate": "2026-01-01T00:00:00+00:00",
    "Enabled": True,
    "Description": "",
    "KeyUsage": "ENCRYPT_DECRYPT",
    "KeyState": "Enabled",
    "Origin": "AWS_KMS",
    "KeyManager": "CUSTOMER",
    "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
    "KeySpec": "SYMMETRIC_DEFAULT",
    "MultiRegion": False,
}
FILES = ("--describe-key=describe-key.json", "--key-policy=get-key-policy.json")
Policy = dict[str, Any]


def good(access: KeyAccess = KeyAccess.ENCRYPT_DECRYPT) -> Policy:
    """The policy of the kit."""
    made: Policy = json.loads(customer_kit(ROLE_ARN, access, OWNER)[POLICY])
    return made


def with_statement(**members: Any) -> Policy:
    policy = good()
    usual = {"Sid": "Mine", "Effect": "Allow", "Action": "kms:*", "Resource": "*"}
    policy["Statement"].append(usual | members)
    return policy


def send(folder: Path, metadata: object = METADATA, policy: object = None) -> None:
    """Write the two files as the AWS CLI does."""
    (folder / "describe-key.json").write_text(json.dumps({"KeyMetadata": metadata}))
    text = json.dumps(policy or good())
    (folder / "get-key-policy.json").write_text(json.dumps({"Policy": text, "PolicyName": "default"}))


def check(folder: Path, *options: str, code: int = 0) -> str:
    """What is printed of the two files, or of another source."""
    given = options if any("key" in one for one in options) else (*FILES, *options)
    printed = cmek(folder, "customer-kit", "check", f"--role-arn={ROLE_ARN}", *given, code=code)
    return printed.stdout if printed.stdout else printed.stderr


def marked(printed: str, mark: str) -> list[str]:
    return [line for line in printed.splitlines() if line.startswith(mark)]


def the_wrong(folder: Path, metadata: object = METADATA, policy: object = None) -> str:
    """The one finding that is wrong or cannot be told, of files that are wrong in one way."""
    send(folder, metadata, policy)
    printed = check(folder, code=1)
    assert "Not all is right." in printed
    found = marked(printed, "✗") + [line for line in marked(printed, "?") if "Cure" in line]
    assert len(found) == 1, printed
    return found[0]


def test_the_kits_own_key_is_right_in_every_point(tmp_path: Path) -> None:
    send(tmp_path)
    printed = check(tmp_path)
    assert len(marked(printed, "✓")) == 11
    assert marked(printed, "✗") == []
    (elsewhere,) = marked(printed, "?")
    assert "not visible from here: the vendor's role must allow" in elsewhere
    assert "kms:Decrypt and kms:Encrypt on this key (customer_account_ids)" in elsewhere
    assert "All that can be seen here is right." in printed
    assert "The vendor's own people cannot see the key" in printed


def test_a_policy_by_itself_may_be_the_kits_own_file_and_is_refused(tmp_path: Path) -> None:
    send(tmp_path)
    (tmp_path / "get-key-policy.json").write_text(json.dumps(good()))
    assert "does not show what KMS has" in check(tmp_path, code=1)


def test_powershells_files_are_read_too(tmp_path: Path) -> None:
    send(tmp_path)
    for name in ("describe-key.json", "get-key-policy.json"):
        path = tmp_path / name
        path.write_bytes(b"\xff\xfe" + path.read_text().encode("utf-16-le"))
    check(tmp_path)


@pytest.mark.parametrize(
    ("member", "value", "said"),
    [
        ("KeySpec", "RSA_2048", "✗ the key is not symmetric (KeySpec RSA_2048)"),
        ("KeyUsage", "SIGN_VERIFY", "✗ the key is not for encryption and decryption"),
        ("KeyManager", "AWS", "✗ the key is not managed by the customer"),
        ("Origin", "EXTERNAL", "✗ the key is not made of key material of KMS (Origin EXTERNAL)"),
        ("KeyState", "Disabled", "✗ the key is not enabled"),
        ("KeyState", "PendingDeletion", "✗ the key is not enabled (KeyState PendingDeletion)"),
        ("KeyState", "Unavailable", "✗ the key is not enabled"),
        ("Arn", KEY_ARN.replace("arn:aws:", "arn:aws-us-gov:"), "✗ it is not in AWS's partition"),
        ("Origin", None, "? whether the key is made of key material of KMS"),
        ("KeyState", [], "? whether the key is enabled"),
        ("KeyUsage", "\x1b[31m", "✗ the key is not for encryption and decryption"),
    ],
)
def test_a_key_that_is_wrong_in_one_point_is_said_to_be_with_the_cure(
    tmp_path: Path, member: str, value: object, said: str
) -> None:
    policy = good()
    if member == "Arn":
        policy["Statement"][0]["Principal"]["AWS"] = f"arn:aws-us-gov:iam::{OWNER}:root"
        send(tmp_path, METADATA | {member: value}, policy)
        assert said in check(tmp_path, code=1)
        return
    line = the_wrong(tmp_path, METADATA | {member: value})
    assert line.startswith(said)
    assert " Cure: " in line
    assert "\x1b" not in line


@pytest.mark.parametrize("state", ["PendingDeletion", "PendingReplicaDeletion"])
def test_a_key_that_is_to_be_deleted_is_to_be_saved_at_once(tmp_path: Path, state: str) -> None:
    line = the_wrong(tmp_path, METADATA | {"KeyState": state})
    assert f"`aws kms cancel-key-deletion --key-id {KEY_ARN}`" in line


def test_old_outputs_without_key_spec_are_understood(tmp_path: Path) -> None:
    send(tmp_path, {name: value for name, value in METADATA.items() if name != "KeySpec"})
    assert "symmetric (KeySpec SYMMETRIC_DEFAULT)" in check(tmp_path)


def test_a_key_whose_primary_region_moves_is_not_wrong(tmp_path: Path) -> None:
    send(tmp_path, METADATA | {"KeyState": "Updating"})
    check(tmp_path)


def test_a_multi_region_key_is_not_wrong(tmp_path: Path) -> None:
    send(tmp_path, METADATA | {"MultiRegion": True})
    check(tmp_path)


def test_the_arn_that_was_given_back_is_that_key_and_no_alias(tmp_path: Path) -> None:
    send(tmp_path)
    check(tmp_path, *FILES, f"--key-arn={KEY_ARN}")
    alias = check(tmp_path, *FILES, f"--key-arn={ALIAS_ARN}", code=1)
    assert f"is the ARN of an alias, which Pinecone would store. Cure: Use {'the'}" in alias
    assert KEY_ARN in marked(alias, "✗")[0]
    other = check(tmp_path, *FILES, f"--key-arn={OTHER_KEY}", code=1)
    assert "shows another key" in marked(other, "✗")[0]


@pytest.mark.parametrize("removed", ["kms:Decrypt", "kms:Encrypt"])
def test_an_action_that_is_not_allowed_is_named(tmp_path: Path, removed: str) -> None:
    policy = good()
    policy["Statement"][1]["Action"].remove(removed)
    line = the_wrong(tmp_path, policy=policy)
    assert f"does not let the role do {removed}. Cure: Add the statements" in line


def test_a_denial_is_named_with_its_statement(tmp_path: Path) -> None:
    policy = good()
    policy["Statement"].append(key_denial(ROLE_ARN))
    send(tmp_path, policy=policy)
    wrong = marked(check(tmp_path, code=1), "✗")
    assert len(wrong) == 2
    assert 'denies the role kms:Decrypt (statement "Deny Pinecone while suspended")' in wrong[0]
    assert "Suspended=false" in wrong[0]


def test_a_denial_of_what_comes_without_tls_denies_nothing(tmp_path: Path) -> None:
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    policy = with_statement(Effect="Deny", Principal={"AWS": "*"}, Condition=condition)
    send(tmp_path, policy=policy)
    check(tmp_path)


def test_another_role_of_the_vendor_is_not_the_vendors_role(tmp_path: Path) -> None:
    policy = good()
    policy["Statement"][1]["Principal"]["AWS"] += "2"
    send(tmp_path, policy=policy)
    printed = check(tmp_path, code=1)
    assert len(marked(printed, "✗")) == 2
    assert 'names: statement "Allow use of the key": Lets the role VendorCmek2 of' in printed


def test_a_role_that_was_deleted_is_recognized(tmp_path: Path) -> None:
    policy = good()
    policy["Statement"][1]["Principal"]["AWS"] = "AROAEXAMPLEEXAMPLE123"
    send(tmp_path, policy=policy)
    printed = check(tmp_path, code=1)
    assert "save the policy with the role's ARN again" in marked(printed, "✗")[0]
    assert "AROAEXAMPLEEXAMPLE123 (deleted)" in printed


@pytest.mark.parametrize("principal", [VENDOR, f"arn:aws:iam::{VENDOR}:root"])
def test_the_vendors_whole_account_lets_the_role_in_and_is_said(tmp_path: Path, principal: str) -> None:
    policy = good()
    policy["Statement"][1]["Principal"]["AWS"] = principal
    send(tmp_path, policy=policy)
    printed = check(tmp_path)
    assert "which names the role's whole account" in marked(printed, "✓")[7]
    assert f'also names: statement "Allow use of the key": Lets AWS account {VENDOR}' in printed


def test_everybody_else_from_outside_is_said_and_not_judged(tmp_path: Path) -> None:
    friends = [f"arn:aws:iam::{OWNER}:role/Own", "arn:aws:iam::777788889999:user/Friend", OWNER]
    policy = with_statement(Principal={"AWS": friends}, Action="kms:DescribeKey")
    send(tmp_path, policy=policy)
    (line,) = marked(check(tmp_path), "·")
    assert 'also names: statement "Mine": Lets the principal arn:aws:iam::777788889999:user/F' in line
    assert line.endswith("look at the key's settings, under no condition.")
    assert f"{OWNER}:role/Own" not in line
    for principal in ("*", {"AWS": "*"}):
        send(tmp_path, policy=with_statement(Principal=principal))
        assert "Lets anybody in any AWS account" in check(tmp_path)


def test_who_is_let_in_is_told_by_meaning(tmp_path: Path) -> None:
    """A condition that keeps to the customer's own account lets nobody of outside in."""
    only_here = {"StringEquals": {"kms:CallerAccount": OWNER}}
    friend = "arn:aws:iam::777788889999:role/Friend"
    only_a_friend = {"ArnEquals": {"aws:PrincipalArn": friend}}
    for members, said in (
        ({"Principal": "*", "Condition": only_here}, "nobody else outside"),
        ({"Principal": "*", "Condition": only_a_friend}, f"the caller's ARN is like {friend}"),
        ({"Principal": {"AWS": friend}, "Effect": "Deny"}, "nobody else outside"),
        ({"Principal": {"Service": "logs.amazonaws.com"}}, "logs.amazonaws.com"),
    ):
        send(tmp_path, policy=with_statement(**members))
        assert said in check(tmp_path), members


def test_more_than_the_role_must_do_is_said(tmp_path: Path) -> None:
    send(tmp_path, policy=with_statement(Principal={"AWS": ROLE_ARN}))
    (line,) = marked(check(tmp_path), "·")
    assert 'more than it must: statement "Mine": Lets the role VendorCmek of AWS account' in line
    assert "do everything with the key, under no condition (43 actions of that)" in line
    some = with_statement(Principal={"AWS": VENDOR}, Action=["kms:Decrypt", "kms:Sign"])
    send(tmp_path, policy=some)
    assert "do kms:Sign, under no condition." in check(tmp_path)


def test_a_key_policy_without_the_accounts_root_is_wrong(tmp_path: Path) -> None:
    policy = good()
    del policy["Statement"][0]
    line = the_wrong(tmp_path, policy=policy)
    assert f"the root of account {OWNER} does not rule the key" in line
    policy = good()
    policy["Statement"][0]["Principal"]["AWS"] = f"arn:aws:iam::{VENDOR}:root"
    assert "or these are the metadata of one key" in the_wrong(tmp_path, policy=policy)


def test_a_root_that_may_not_change_the_policy_does_not_rule_the_key(tmp_path: Path) -> None:
    root = {"AWS": f"arn:aws:iam::{OWNER}:root"}
    policy = with_statement(Effect="Deny", Principal=root, Action="kms:PutKeyPolicy")
    assert "does not rule the key" in the_wrong(tmp_path, policy=policy)


def test_who_is_denied_is_not_let_in(tmp_path: Path) -> None:
    outsider = {"AWS": "arn:aws:iam::777788889999:role/Outsider"}
    send(tmp_path, policy=with_statement(Effect="Deny", Principal=outsider))
    assert "nobody else outside the customer's account" in check(tmp_path)


def test_what_cannot_be_told_is_never_called_right(tmp_path: Path) -> None:
    unknown = {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}
    policy = with_statement(Effect="Deny", Principal={"AWS": ROLE_ARN}, Condition=unknown)
    send(tmp_path, policy=policy)
    printed = check(tmp_path, code=1)
    decrypt, encrypt = (line for line in marked(printed, "?") if "Cure" in line)
    assert 'kms:Decrypt: statement "Mine" hangs on the caller\'s organization' in decrypt
    assert "kms:Encrypt" in encrypt


def test_a_hostile_policy_is_read_without_harm(tmp_path: Path) -> None:
    hostile = {"Sid": "\x1b[31m\u202e", "Principal": {"AWS": ["\x1b[31m", 5, None, {}]}}
    policies: list[tuple[Policy, int]] = [
        (with_statement(**hostile), 0),
        (with_statement(**hostile, Effect="Deny"), 1),
        (with_statement(NotPrincipal={"AWS": ROLE_ARN}), 0),
        (with_statement(NotPrincipal={"AWS": ROLE_ARN}, Effect="Deny"), 1),
        ({"Statement": "x"}, 1),
        ({"Statement": []}, 1),
        ({"Statement": [[], 5]}, 1),
    ]
    for policy, code in policies:
        send(tmp_path, policy=policy)
        printed = cmek(tmp_path, "customer-kit", "check", f"--role-arn={ROLE_ARN}", *FILES, code=code)
        assert "\x1b" not in printed.stdout + printed.stderr
        assert "\u202e" not in printed.stdout + printed.stderr


WORDS = st.sampled_from(["*", "kms:*", ROLE_ARN, OWNER, KEY_ARN, "AWS", "Bool", "\x1b", "${x}", ""])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
MEMBERS = ("Sid", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "Condition")
STATEMENTS = JSON | st.builds(
    lambda effect, members: {"Effect": effect, **members},
    st.sampled_from(["Allow", "Deny"]),
    st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=6),
)


@given(
    st.lists(STATEMENTS, max_size=3) | JSON,
    st.dictionaries(st.sampled_from([*METADATA, "Other"]), JSON, max_size=5),
    st.sampled_from(KeyAccess),
)
@settings(max_examples=100)
def test_no_policy_and_no_metadata_make_a_traceback(
    statements: Any, metadata: dict[str, Any], access: KeyAccess
) -> None:
    policy = good()
    policy["Statement"] = policy["Statement"] + statements if isinstance(statements, list) else statements
    seen = CustomerKeySeen("files", KEY_ARN, METADATA | metadata, policy)
    for finding in findings(seen, ROLE_ARN, access, given=None, vendor=None):
        assert f"{finding.words}. Cure: {finding.cure}".isprintable()


def test_a_key_user_needs_more_and_grants_through_services_alone(tmp_path: Path) -> None:
    send(tmp_path)
    printed = check(tmp_path, *FILES, "--key-access=KEY_USER", code=1)
    assert len(marked(printed, "✗")) == 10
    send(tmp_path, policy=good(KeyAccess.KEY_USER))
    printed = check(tmp_path, *FILES, "--key-access=KEY_USER")
    assert "lets the role do kms:CreateGrant through an AWS service" in printed
    assert marked(printed, "·") == []
    assert "re-encrypt, make data keys" in check(tmp_path)


def test_the_actions_of_a_key_user_are_those_of_its_statements(tmp_path: Path) -> None:
    statements = role_statements(ROLE_ARN, KeyAccess.KEY_USER)
    send(tmp_path, policy=good(KeyAccess.KEY_USER))
    printed = check(tmp_path, *FILES, "--key-access=KEY_USER")
    for action in [action for one in statements for action in one["Action"]]:
        assert f"lets the role do {action.rstrip('*')}" in printed


def test_a_role_of_the_keys_own_account_is_no_vendors(tmp_path: Path) -> None:
    send(tmp_path, METADATA | {"Arn": KEY_ARN.replace(OWNER, VENDOR)})
    assert "so this is no customer's key" in check(tmp_path, code=1)


def test_json_says_the_same_for_a_machine(tmp_path: Path) -> None:
    send(tmp_path, METADATA | {"KeyState": "Disabled"})
    report = json.loads(check(tmp_path, *FILES, "--json", code=1))
    assert report["key_arn"] == KEY_ARN
    assert report["role_arn"] == ROLE_ARN
    assert report["right"] is False
    (wrong,) = [one for one in report["findings"] if one["fails"]]
    assert wrong["about"] == "KeyState"
    assert (wrong["verdict"], wrong["effect"]) == ("wrong", "pinecone-locked-out")
    assert "enable-key" in wrong["cure"]
    send(tmp_path)
    report = json.loads(check(tmp_path, *FILES, "--json"))
    assert report["right"] is True
    assert report["findings"][-1]["verdict"] == "unknown"


def test_a_terminal_without_these_marks_gets_words(tmp_path: Path) -> None:
    send(tmp_path, METADATA | {"KeyState": "Disabled"})
    done = subprocess.run(
        [INSTALLED, "customer-kit", "check", f"--role-arn={ROLE_ARN}", *FILES],
        cwd=tmp_path,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "WRONG the key is not enabled" in done.stdout
    assert "ok the key is symmetric" in done.stdout


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("describe-key.json", None, "cannot be read"),
        ("get-key-policy.json", None, "cannot be read"),
        ("describe-key.json", "arn: yaml", "cannot be read as JSON"),
        ("describe-key.json", "[" * 100_000, "cannot be read as JSON"),
        ("describe-key.json", "[]", "is no JSON object"),
        ("describe-key.json", "{}", "holds no KeyMetadata"),
        ("describe-key.json", '{"KeyMetadata": []}', "holds no KeyMetadata"),
        ("describe-key.json", '{"KeyMetadata": {"Arn": 5}}', "holds no KeyMetadata"),
        ("describe-key.json", json.dumps({"KeyMetadata": {"Arn": ALIAS_ARN}}), "holds no Key"),
        ("describe-key.json", json.dumps({"KeyMetadata": {"Arn": KEY_ARN + "\n"}}), "holds no K"),
        ("get-key-policy.json", '{"Policy": "no json"}', "cannot be read as JSON"),
        ("get-key-policy.json", '{"Policy": "[]"}', "is no JSON object"),
        ("get-key-policy.json", '{"Policy": {}}', "holds no key policy"),
        ("get-key-policy.json", '{"KeyMetadata": {}}', "holds no key policy"),
        ("get-key-policy.json", "\udcff", "cannot be read as JSON"),
    ],
    ids=lambda text: str(text)[:30],
)
def test_what_is_not_the_clis_output_is_refused_in_words(
    tmp_path: Path, file: str, content: str | None, said: str
) -> None:
    send(tmp_path)
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(content.encode(errors="surrogateescape"))
    printed = cmek(tmp_path, "customer-kit", "check", f"--role-arn={ROLE_ARN}", *FILES, code=1)
    assert printed.stdout == ""
    assert printed.stderr.startswith(f"{file}: ")
    assert said in printed.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--key-arn"),
        ([FILES[0]], "both --describe-key and --key-policy"),
        ([FILES[1], f"--key-arn={KEY_ARN}"], "both --describe-key and --key-policy"),
        ([*FILES, "--profile=x"], "--profile"),
        (["--key-arn=1234abcd-12ab-34cd-56ef-1234567890ab"], "key_arn"),
        ([f"--key-arn={KEY_ARN}/x"], "key_arn"),
        ([*FILES, "--vendor=a,b"], "vendor"),
        ([*FILES, "--key-access=ALL"], "ALL"),
    ],
    ids=str,
)
def test_wrong_usage_is_refused_in_words(tmp_path: Path, options: list[str], said: str) -> None:
    send(tmp_path)
    arguments = ("customer-kit", "check", f"--role-arn={ROLE_ARN}", *options)
    assert said in cmek(tmp_path, *arguments, code=2).stderr
    assert "--role-arn" in cmek(tmp_path, "customer-kit", "check", *FILES, code=2).stderr


def vendors_file(folder: Path, **props: Any) -> None:
    cmek(folder, "init", *FLAGS)
    with (folder / "cmek.yaml").open("a") as file:
        file.writelines(f"    {name}: {json.dumps(value)}\n" for name, value in props.items())


@pytest.mark.parametrize(
    "props",
    [
        {"customer_account_ids": ["777788889999", OWNER]},
        {"customer_key_arns": [KEY_ARN]},
        {"customer_account_ids": [OWNER], "role_name": "VendorCmek"},
    ],
    ids=str,
)
def test_the_vendors_file_is_the_other_half(tmp_path: Path, props: dict[str, Any]) -> None:
    vendors_file(tmp_path, **props)
    send(tmp_path)
    printed = check(tmp_path, *FILES, "--vendor=acme")
    assert marked(printed, "?") == []
    assert "✓ acme lets the role do kms:Decrypt and kms:Encrypt on this key" in printed


@pytest.mark.parametrize(
    ("props", "said"),
    [
        ({"customer_account_ids": ["777788889999"]}, f'Cure: Add "{OWNER}" to customer_account'),
        ({"customer_key_arns": [OTHER_KEY]}, "does not let the role use this key"),
        ({}, "does not let the role use this key"),
        ({"customer_account_ids": [OWNER], "role_name": "Other"}, "is named Other"),
        ({"customer_account_ids": [OWNER], "suspended": True}, "acme is suspended"),
    ],
    ids=str,
)
def test_a_vendors_file_that_does_not_meet_the_key_is_wrong(tmp_path: Path, props: dict[str, Any], said: str) -> None:
    vendors_file(tmp_path, **props)
    send(tmp_path)
    (line,) = marked(check(tmp_path, *FILES, "--vendor=acme", code=1), "✗")
    assert said in line


def test_a_vendors_stack_of_another_account_or_name_is_refused(tmp_path: Path) -> None:
    send(tmp_path)
    assert "cmek.yaml" in check(tmp_path, *FILES, "--vendor=acme", code=1)
    vendors_file(tmp_path, customer_account_ids=[OWNER])
    assert "got 'nobody'" in check(tmp_path, *FILES, "--vendor=nobody", code=1)
    text = (tmp_path / "cmek.yaml").read_text()
    (tmp_path / "cmek.yaml").write_text(text.replace(VENDOR, "777788889999"))
    assert "acme is in account 777788889999" in check(tmp_path, *FILES, "--vendor=acme", code=1)


class Kms(HTTPServer):
    """A KMS that knows one key, or refuses."""

    refusal: str | None = None

    def answer(self, target: str) -> tuple[int, dict[str, Any]]:
        if self.refusal:
            return 400, {"__type": self.refusal, "message": "No\x1b[31m."}
        if target.endswith("DescribeKey"):
            return 200, {"KeyMetadata": METADATA | {"CreationDate": 1.7e9}}
        return 200, {"Policy": json.dumps(good()), "PolicyName": "default"}


class _Handler(BaseHTTPRequestHandler):
    server: Kms

    def do_POST(self) -> None:
        code, body = self.server.answer(self.headers["X-Amz-Target"])
        content = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kms]:
    with Kms(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        yield server
        server.shutdown()


@pytest.mark.usefixtures("kms")
def test_the_customer_asks_kms(tmp_path: Path) -> None:
    printed = check(tmp_path, f"--key-arn={KEY_ARN}")
    assert len(marked(printed, "✓")) == 11
    assert "as shown by KMS" in printed
    assert "is the ARN of an alias" in check(tmp_path, f"--key-arn={ALIAS_ARN}", code=1)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("AccessDeniedException", "this runs with the customer's credentials, or on the two files"),
        ("NotFoundException", "Compare the ARN"),
        ("UnrecognizedClientException", "Sign in (`aws sso login`)"),
    ],
)
def test_what_kms_refuses_is_never_called_right(tmp_path: Path, kms: Kms, code: str, said: str) -> None:
    kms.refusal = code
    arguments = ("customer-kit", "check", f"--role-arn={ROLE_ARN}", f"--key-arn={KEY_ARN}")
    printed = cmek(tmp_path, *arguments, code=1)
    assert printed.stdout == ""
    assert said in printed.stderr
    assert "\x1b" not in printed.stderr


def test_without_credentials_it_is_said_who_has_some(tmp_path: Path) -> None:
    for options in ([f"--key-arn={KEY_ARN}"], [f"--key-arn={KEY_ARN}", "--profile=nobody"]):
        printed = check(tmp_path, *options, code=1)
        assert "AWS could not be asked" in printed
        assert "the customer's credentials" in printed
