"""Where the emulator is not like AWS, and that the rehearsal's two mends are still needed.

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
    """An AWS with a caller in one account, and in another a role and a bucket for it."""
    aws = Aws(endpoint)
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    role(aws, THEIRS, "caller", {"AWS": f"arn:aws:iam::{THEIRS}:root"})
    role(aws, OURS, "member", {"AWS": f"arn:aws:iam::{OURS}:root"})
    for account, name in ((THEIRS, "caller"), (OURS, "member")):
        aws.client("iam", root(account)).put_role_policy(
            RoleName=name, PolicyName="everything", PolicyDocument=policy(everything)
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


def policy(statement: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


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


def test_unmended_it_takes_a_session_for_the_principal_and_not_its_role(unmended: Aws) -> None:
    assert comes_in_by_principal_arn(unmended) == REFUSED


def test_mended_a_session_comes_in_by_the_arn_of_its_role(mended: Aws) -> None:
    assert comes_in_by_principal_arn(mended) == ALLOWED


def test_unmended_it_takes_loopback_for_a_line_that_others_can_read(unmended: Aws) -> None:
    assert uploads(unmended) == REFUSED


def test_mended_loopback_is_as_good_as_tls(mended: Aws) -> None:
    assert uploads(mended) == ALLOWED


@pytest.mark.parametrize(
    "endpoint", ["https://sts.amazonaws.com", "http://localhost.example", "http://10.0.0.1:4566"]
)
def test_no_endpoint_but_loopback_is_asked(endpoint: str) -> None:
    with pytest.raises(ValueError, match=r"only 127\.0\.0\.1 is allowed"):
        Aws(endpoint)
