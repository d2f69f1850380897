"""Where the brake is, and who may pull it: a session that may write, and which role and key."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from cmek_construct.checks import printable
from cmek_construct.deployment.reading import Entry
from cmek_construct.lock.model import LockError
from cmek_construct.operations.deployed import EMPTY
from cmek_construct.operations.doctor.doctor import identities
from cmek_construct.operations.doctor.lock import LockedIdentity, locked_identity
from cmek_construct.operations.doctor.source import Stack, client
from cmek_construct.operations.doctor.words import Case
from cmek_construct.operations.suspending.brake import BrakeError


def writing_session(entry: Entry, profile: str | None, role: str | None) -> Any:
    """A session in the account of the stack: the profile's own, or through a role of the account.

    The lookup role of `cdk bootstrap` only reads, so it is not tried.

    Raises:
        BrakeError: there are no credentials, or they are of another account.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    account, region = entry.settings.account, entry.settings.region
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        if role is not None:
            given = client(session, "sts").assume_role(
                RoleArn=role, RoleSessionName="cmek-suspend"
            )["Credentials"]
            session = boto3.Session(
                aws_access_key_id=given["AccessKeyId"],
                aws_secret_access_key=given["SecretAccessKey"],
                aws_session_token=given["SessionToken"],
                region_name=region,
            )
        caller = client(session, "sts").get_caller_identity()["Account"]
    except (ClientError, BotoCoreError) as error:
        raise BrakeError(f"there is no session to write with: {printable(error)}") from None
    if caller != account:
        raise BrakeError(
            f"your credentials are of account {caller}, but the stack is in {account}, and the "
            "roles of `cdk bootstrap` there may not write policies"
        )
    return session


def case_of(entry: Entry, session: Any, profile: str | None) -> tuple[Case, str | None]:
    """The role and the key of a stack, whatever state the stack is in.

    Returns:
        The case; and the status of the stack if it is being changed right now.

    Raises:
        BrakeError: it is not known which they are.
    """
    try:
        lock = locked_identity(entry)
    except LockError:
        lock = LockedIdentity()
    stack = Stack(session, entry)
    role_arn, key_arn = identities(entry, stack, lock)
    if role_arn is None or (key_arn is None and entry.settings.customers is None):
        raise BrakeError(
            "which role and key it is, neither the stack's outputs say "
            f"({_why(stack)}) nor cmek.lock"
        )
    status = stack.status
    is_gone = status is None or status in EMPTY
    way_back = lock.way_back(entry, profile) if is_gone else None
    case = Case(entry, role_arn, key_arn, lock, datetime.now(timezone.utc), way_back)
    is_changing = isinstance(status, str) and status.endswith("_IN_PROGRESS")
    return case, status if is_changing and isinstance(status, str) else None


def _why(stack: Stack) -> str:
    if stack.status is None:
        return "there is no such stack"
    return stack.status if isinstance(stack.status, str) else stack.status.why
