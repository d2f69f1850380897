"""The one door to AWS: it opens to loopback and nowhere else."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from rehearsal.paths import BIN

ALLOWED: Final = "allowed"
REFUSED: Final = "refused"
_REFUSALS: Final = ("AccessDenied", "AccessDeniedException")
_ONE_AT_A_TIME: Final = threading.Lock()
"""A session of boto3 makes one client at a time."""
_NO_FILES: Final = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


@dataclass(frozen=True)
class Credentials:
    """Whose request it is."""

    access_key_id: str
    secret_access_key: str = "test"  # noqa: S105
    session_token: str | None = None


def root(account: str) -> Credentials:
    """The root of a pretended account, whom the emulator refuses nothing.

    For setting up only: a question that a root asks has no answer.
    """
    return Credentials(account)


@dataclass
class Aws:
    """An AWS on loopback."""

    endpoint: str
    _clients: dict[tuple[str, Credentials, str], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse every endpoint but loopback: the real AWS is never asked."""
        if urlsplit(self.endpoint).hostname != "127.0.0.1":
            raise ValueError(f"endpoint: got {self.endpoint!r}, but only 127.0.0.1 is allowed.")

    def client(self, service: str, who: Credentials, region: str = "us-east-1") -> Any:
        """A boto3 client that asks as these credentials."""
        asked = (service, who, region)
        with _ONE_AT_A_TIME:
            if asked not in self._clients:
                self._clients[asked] = self._session.client(
                    service,
                    region_name=region,
                    endpoint_url=self.endpoint,
                    aws_access_key_id=who.access_key_id,
                    aws_secret_access_key=who.secret_access_key,
                    aws_session_token=who.session_token,
                    # A refusal is an answer, so nothing is asked twice.
                    config=Config(retries={"total_max_attempts": 1}, proxies={}),
                )
            return self._clients[asked]

    def assume(self, role_arn: str, who: Credentials, **parameters: str) -> Credentials:
        """A session of a role, as STS gives it to these credentials."""
        answer = self.client("sts", who).assume_role(RoleArn=role_arn, RoleSessionName="rehearsal", **parameters)[
            "Credentials"
        ]
        return Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])

    def environment(self, who: Credentials) -> dict[str, str]:
        """For a command that talks to AWS: this endpoint, these credentials, no other settings."""
        return clean_environment() | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": who.access_key_id,
            "AWS_SECRET_ACCESS_KEY": who.secret_access_key,
            **({"AWS_SESSION_TOKEN": who.session_token} if who.session_token else {}),
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            **_NO_FILES,
        }

    @cached_property
    def _session(self) -> Any:
        # One session: it reads each service's description once. It looks for a profile, though every client here is
        # told its credentials.
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update(_NO_FILES)
        return boto3.session.Session()


def clean_environment() -> dict[str, str]:
    """What a command inherits: where its programs and caches are, and no settings of anybody."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    path = os.environ.get("PATH", os.defpath)
    path = f"{BIN}{os.pathsep}{path}"
    # CDK's own validation takes longer than all else; the tests do it for every form of cmek.yaml.
    return kept | {"PATH": path, "NO_COLOR": "1", "CDK_VALIDATION": "false"}


def answer(ask: Callable[[], object]) -> str:
    """`ALLOWED`, `REFUSED`, or the code of any other error, which is neither."""
    try:
        ask()
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        return REFUSED if code in _REFUSALS else code
    return ALLOWED
