"""Where the emulator is not like AWS, and that the rehearsal's three mends are still needed.

When the tests of the unmended emulator fail, take the mend out of rehearsal/serve.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from rehearsal import emulator
from rehearsal.aws import ALLOWED, REFUSED, Aws, Credentials, answer, root

OURS = "111111111111"
THEIRS = "999999999999"
BUCKET = "bucket"


@pytest.fixture(scope="module")
def unmended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    emulator.install()
    with emulator.running(tmp_path_factory.mktemp("unmended"), mended=False) as running:
        yield prepared(running.endpoint)


@pytest.fixture(scope="module")
def mended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    emulator.install()
    with emulator.running(tmp_path_factory.mktemp("mended")) as running:
        yield prepared(running.endpoint)


def prepared(endpoint: str) -> Aws:
    """An AWS with callers in one account, and in another roles, a bucket and keys for them."""
    aws = Aws(endpoint)
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    role(aws, THEIRS, "caller", {"AWS": f"arn:aws:iam::{THEIRS}:root"})
    role(aws, THEIRS, "without-permissions", {"AWS": f"arn:aws:iam::{THEIRS}:root"})
    role(aws, THEIRS, "denied", {"AWS": f"arn:aws:iam::{THEIRS}:root"})
    role(aws, OURS, "member", {"AWS": f"arn:aws:iam::{OURS}:root"})
    for account, name, *statements in (
        (THEIRS, "caller", everything),
        (THEIRS, "denied", everything, everything | {"Effect": "Deny", "Action": "kms:*"}),
        (OURS, "member", everything),
    ):
        aws.client("iam", root(account)).put_role_policy(
            RoleName=name, PolicyName="own", PolicyDocument=policy(*statements)
        )
    caller_arn = f"arn:aws:iam::{THEIRS}:role/call*"
    role(aws, OURS, "by-principal-arn", {"AWS": "*"}, StringLike={"aws:PrincipalArn": caller_arn})
    s3 = aws.client("s3", root(OURS))
    s3.create_bucket(Bucket=BUCKET)
    in_clear = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(Bucket=BUCKET, Policy=policy(in_clear))
    return aws


def role(aws: Aws, account: str, name: str, principal: object, **condition: object) -> None:
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    aws.client("iam", root(account)).create_role(
        RoleName=name, AssumeRolePolicyDocument=policy(trust | {"Condition": condition})
    )


def policy(*statements: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def session(aws: Aws, account: str, name: str) -> Credentials:
    return aws.assume(f"arn:aws:iam::{account}:role/{name}", root(account))


def comes_in_by_principal_arn(aws: Aws) -> str:
    """As the guide's third trust policy lets Pinecone in."""
    caller = session(aws, THEIRS, "caller")
    return answer(lambda: aws.assume(f"arn:aws:iam::{OURS}:role/by-principal-arn", caller))


def uploads(aws: Aws) -> str:
    """As the CDK CLI uploads to the bootstrap bucket."""
    s3 = aws.client("s3", session(aws, OURS, "member"))
    return answer(lambda: s3.put_object(Bucket=BUCKET, Key="template", Body=b"{}"))


def uses_key(aws: Aws, *effects: str, who: str = "caller") -> str:
    """As a vendor's role uses a customer's key, whose policy says this about the caller."""
    kms = aws.client("kms", session(aws, THEIRS, who))
    key = key_for(aws, *effects, who=who)

    def encrypt_and_decrypt() -> None:
        encrypted = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
        assert kms.decrypt(KeyId=key, CiphertextBlob=encrypted)["Plaintext"] == b"secret"
        kms.generate_data_key(KeyId=key, KeySpec="AES_256")

    return answer(encrypt_and_decrypt)


def key_for(aws: Aws, *effects: str, who: str = "caller") -> str:
    """A new key of ours: its policy allows our account everything, and the caller as told."""
    ours, theirs = f"arn:aws:iam::{OURS}:root", f"arn:aws:iam::{THEIRS}:role/{who}"
    statements = [
        {"Effect": effect, "Principal": {"AWS": arn}, "Action": "kms:*", "Resource": "*"}
        for effect, arn in (("Allow", ours), *((effect, theirs) for effect in effects))
    ]
    made = aws.client("kms", root(OURS)).create_key(Policy=policy(*statements))
    return str(made["KeyMetadata"]["Arn"])


def test_unmended_it_takes_a_session_for_the_principal_and_not_its_role(unmended: Aws) -> None:
    assert comes_in_by_principal_arn(unmended) == REFUSED


def test_mended_a_session_comes_in_by_the_arn_of_its_role(mended: Aws) -> None:
    assert comes_in_by_principal_arn(mended) == ALLOWED


def test_unmended_it_takes_loopback_for_a_line_that_others_can_read(unmended: Aws) -> None:
    assert uploads(unmended) == REFUSED


def test_mended_loopback_is_as_good_as_tls(mended: Aws) -> None:
    assert uploads(mended) == ALLOWED


def test_unmended_it_does_not_find_the_key_of_another_account(unmended: Aws) -> None:
    assert uses_key(unmended, "Allow") == "NotFoundException"


def test_mended_a_key_of_another_account_is_used_where_both_sides_allow(mended: Aws) -> None:
    assert uses_key(mended, "Allow") == ALLOWED


def test_mended_the_callers_permissions_alone_are_not_enough(mended: Aws) -> None:
    assert uses_key(mended) == REFUSED


def test_mended_the_key_policy_alone_is_not_enough(mended: Aws) -> None:
    assert uses_key(mended, "Allow", who="without-permissions") == REFUSED


def test_mended_a_denial_on_either_side_wins(mended: Aws) -> None:
    assert uses_key(mended, "Allow", "Deny") == REFUSED
    assert uses_key(mended, "Allow", who="denied") == REFUSED


def test_mended_a_key_of_another_account_is_described_but_never_managed(mended: Aws) -> None:
    kms = mended.client("kms", session(mended, THEIRS, "caller"))
    key = key_for(mended, "Allow")
    assert answer(lambda: kms.describe_key(KeyId=key)) == ALLOWED
    assert answer(lambda: kms.get_key_policy(KeyId=key)) == REFUSED
    assert answer(lambda: kms.put_key_policy(KeyId=key, Policy=policy())) == REFUSED
    assert answer(lambda: kms.disable_key(KeyId=key)) == REFUSED
    assert answer(lambda: kms.schedule_key_deletion(KeyId=key)) == REFUSED


@pytest.mark.parametrize("endpoint", ["https://sts.amazonaws.com", "http://localhost.example", "http://10.0.0.1:4566"])
def test_no_endpoint_but_loopback_is_asked(endpoint: str) -> None:
    with pytest.raises(ValueError, match=r"only 127\.0\.0\.1 is allowed"):
        Aws(endpoint)
