"""Sessions: who asks AWS, in which account, as which role, what a refusal means, and each change.

A session is named after the command, so that CloudTrail shows which one it was. AWS is asked again when it is busy, and
given up within a minute or two. What is asked here raises an `AwsError` where there is no answer.
"""

import enum
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from cmek_construct.aws.objects import Unread
from cmek_construct.checks import printable
from cmek_construct.templates import files, reading

P = ParamSpec("P")
T = TypeVar("T")


class Reason(enum.Enum):
    """Why AWS gave no answer: what tells it, codes of AWS and classes of botocore's errors, or words of ours."""

    NO_CREDENTIALS = (
        "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "InvalidSignatureException",
        "SignatureDoesNotMatch", "UnrecognizedClientException",
        "NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "TokenRetrievalError",
        "SSOError", "CredentialRetrievalError",
    )  # fmt: skip
    NO_REGION = ("NoRegionError",)
    CLOCK = ("RequestExpired", "RequestTimeTooSkewed")
    MALFORMED = ("MalformedPolicyDocumentException", "MalformedPolicyDocument")  # it names somebody who is not there
    ABSENT = ("NoSuchEntity", "NotFoundException", "InvalidGrantIdException")
    ANOTHER_ACCOUNT = ("another account",)
    REFUSED = ("refused",)
    UNREACHABLE = ("unreachable",)


class AwsError(Exception):
    """AWS refused, or could not be asked: why, in words and without advice."""

    def __init__(self, reason: Reason, why: str, code: str = "") -> None:
        super().__init__(why)
        self.reason = reason
        self.code = code  # AWS's own


@contextmanager
def called(*, if_there: bool = False) -> Iterator[None]:
    """What boto3 raises, and what an answer lacks, as an `AwsError`; also of a whole function.

    With ``if_there`` it is no error that there is no such thing, and a function then gives None.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        said = error.response.get("Error", {})
        code, message = str(said.get("Code", "")), printable(said.get("Message", "")).rstrip(".")
        reason = _reason({code}, Reason.REFUSED)
        if message.startswith(("Signature expired", "Signature not yet current")):  # with the code of a wrong key
            reason = Reason.CLOCK
        if code == "ValidationError" and "not exist" in message:  # CloudFormation has no code for a stack that is gone
            reason = Reason.ABSENT
        if not (if_there and reason is Reason.ABSENT):
            why = f"AWS refused: {printable(code)}{f' ({message})' if message else ''}"
            clock = "the clock of this machine is wrong. " if reason is Reason.CLOCK else ""
            raise AwsError(reason, clock + why, code) from None
    except BotoCoreError as error:
        reason = _reason({kind.__name__ for kind in type(error).__mro__}, Reason.UNREACHABLE)
        raise AwsError(reason, f"AWS could not be asked: {printable(error).rstrip('.')}") from None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, ResponseParserError) as error:
        raise AwsError(Reason.UNREACHABLE, f"the answer of AWS cannot be read: {printable(error)}") from None


def _reason(names: set[str], otherwise: Reason) -> Reason:
    return next((reason for reason in Reason if names.intersection(reason.value)), otherwise)


def read(needs: str) -> Callable[[Callable[P, T]], Callable[P, T | Unread]]:
    """Have a function give why there is no answer, in its place, with the actions of AWS that it needs."""

    def decorated(ask: Callable[P, T]) -> Callable[P, T | Unread]:
        @wraps(ask)
        def answer(*args: P.args, **kwargs: P.kwargs) -> T | Unread:
            try:
                with called():
                    return ask(*args, **kwargs)
            except AwsError as error:
                return Unread(str(error), needs)

        return answer

    return decorated


def asked(needs: str) -> Callable[[Callable[P, T]], Callable[P, T | Unread | None]]:
    """The same, and None where AWS says: there is no such thing."""
    return lambda ask: read(needs)(called(if_there=True)(ask))


class Session:
    """Somebody who asks, in one account and region. Its clients may be used side by side."""

    def __init__(self, boto: Any, account: str) -> None:
        self._boto = boto
        self.account = account
        self.region: str = boto.region_name
        self._one_at_a_time = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}

    @called()
    def client(self, service: str, region: str | None = None) -> Any:
        """A client of a service, in the region of the session or another one."""
        from botocore.config import Config

        where = service, region or self.region
        patient = Config(retries={"mode": "standard", "total_max_attempts": 6}, connect_timeout=5, read_timeout=20)
        with self._one_at_a_time:  # as a session of boto3 makes clients
            if where not in self._clients:
                self._clients[where] = self._boto.client(*where, config=patient)
            return self._clients[where]

    def kms(self, key_arn: str) -> Any:
        """A client of KMS, in the region of a key."""
        return self.client("kms", key_arn.split(":")[3])

    # The changes, one call each: an `AwsError` where it was not done, or where nobody knows whether it was

    @called()
    def put_policy(self, arn: str, policy: dict[str, Any]) -> None:
        """Set the trust policy of a role or the policy of a key; KMS refuses one that would lock its account out."""
        text = json.dumps(policy)
        if arn.split(":")[2] == "kms":
            self.kms(arn).put_key_policy(KeyId=arn, PolicyName="default", Policy=text)
        else:
            self.client("iam").update_assume_role_policy(RoleName=arn.rpartition("/")[2], PolicyDocument=text)

    @called(if_there=True)
    def revoke_grant(self, key_arn: str, grant_id: str) -> None:
        """Revoke a grant; one that is gone already is no failure."""
        self.kms(key_arn).revoke_grant(KeyId=key_arn, GrantId=grant_id)

    @called()
    def change_key(self, key_arn: str, operation: str, **more: int) -> None:
        """Order the deletion of a key, take that back (it is disabled then), or enable it, by its name in boto3."""
        getattr(self.kms(key_arn), operation)(KeyId=key_arn, **more)


def lookup_role(stack: str, account: str, region: str) -> tuple[str, str | None]:
    """The role that may read a stack: ARN and external ID.

    The one that the cloud assembly in this folder names, else the one of the app's qualifier.
    """
    reader, place = files.Reader(), (stack, f"aws://{account}/{region}")
    cdk = reader.json_in(Path("cdk.json"))
    out = cdk.get("output")
    for _, name, artifact in reader.stacks(Path(out) if isinstance(out, str) else Path("cdk.out")):
        own = reading.members(artifact.get("properties"))
        role = reading.members(own.get("lookupRole"))
        arn = str(role.get("arn", "")).replace("${AWS::Partition}", "aws")
        is_it = (str(own.get("stackName", name)), str(artifact.get("environment"))) == place
        if is_it and arn.startswith(f"arn:aws:iam::{account}:role/"):
            return arn, role.get("assumeRoleExternalId")
    qualifier = reading.members(cdk.get("context")).get("@aws-cdk/core:bootstrapQualifier") or "hnb659fds"
    return f"arn:aws:iam::{account}:role/cdk-{qualifier}-lookup-role-{account}-{region}", None


@dataclass(frozen=True)
class Asking:
    """With which credentials a command asks."""

    command: str  # its name, such as ``doctor``
    profile: str | None = None
    role: str | None = None  # the ARN of a role to act as

    @called()
    def signed_in(self, region: str | None) -> Session:
        """A session of the profile or the environment itself, of which nobody asks whose it is."""
        import boto3

        return Session(boto3.Session(profile_name=self.profile, region_name=region), "")

    @called()
    def own(self, region: str | None) -> Session:
        """The same, in whichever account that is, and as the role that is to be acted as."""
        session = self.signed_in(region)
        if self.role is not None:
            session = self.acting_as(session, self.role)
        session.account = session.client("sts").get_caller_identity()["Account"]
        return session

    def of_stack(self, account: str, region: str, stack: str, *, writes: bool = False) -> Session:
        """A session in the account of a stack, through the lookup role of `cdk bootstrap` if need be: it only reads."""
        session = self.own(region)
        if session.account == account:
            return session
        yours = f"your credentials are of account {session.account}"
        if writes:
            why = f"{yours}, but the stack is in {account}, and the roles of `cdk bootstrap` there may not"
            raise AwsError(Reason.ANOTHER_ACCOUNT, f"{why} write policies")
        role, external_id = lookup_role(stack, account, region)
        try:
            return self.acting_as(session, role, external_id)
        except AwsError as error:
            why = f"it is in account {account}, but {yours} and may not assume {role}"
            raise AwsError(Reason.ANOTHER_ACCOUNT, why, error.code) from None

    @called()
    def acting_as(
        self, session: Session, role_arn: str, external_id: str | None = None, region: str | None = None
    ) -> Session:
        """A session as a role, in its account."""
        import boto3

        more = {} if external_id is None else {"ExternalId": external_id}
        answer = session.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=f"cmek-{self.command}", **more)
        keys = [answer["Credentials"][one] for one in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
        return Session(boto3.Session(*keys, region_name=region or session.region), role_arn.split(":")[4])
