"""What AWS calls a role or key that is locked: its ARN, and the unique ID of a role."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cmek_construct.deployment.config import StackSettings
from cmek_construct.deployment.reading import Entry
from cmek_construct.lock.model import (
    ANY_ACCOUNT,
    ANY_REGION,
    STACK_SET,
    LockError,
    Place,
    Stack,
)
from cmek_construct.operations.deployed import NotDeployedError, reading_session

_NESTED = "AWS::CloudFormation::Stack"
_NO_STACK = ("DescribeStackResources", "ValidationError")


def names(place: Place, stack: Stack, profile: str | None) -> dict[str, dict[str, str]] | None:
    """What AWS calls each role and key of a stack; read-only. None where there is no such stack.

    Credentials of another account are enough if they may assume the lookup role that
    `cdk bootstrap --trust` made in the account of the stack.

    Raises:
        LockError: the stack is not deployed as it is locked, or AWS cannot be asked.
    """
    # Imported where it is needed: it takes longer than all else that `cmek` does.
    from botocore.exceptions import BotoCoreError, ClientError

    if place.account == ANY_ACCOUNT or place.region == ANY_REGION:
        raise LockError(
            f"{place}: its template says neither account nor region, so nobody can tell which "
            "deployed stack it is. Give the stack an env, or leave --deployed out."
        )
    settings = StackSettings.model_construct(account=place.account, region=place.region)
    try:
        session = reading_session(Entry(place.stack, settings), profile)
        return dict(_names(session, place, stack))
    except ClientError as error:
        if (error.operation_name, error.response["Error"]["Code"]) == _NO_STACK:
            return None
        raise LockError(f"{place}: AWS refused: {error}.") from None
    except NotDeployedError as error:
        raise LockError(str(error)) from None
    except BotoCoreError as error:
        raise LockError(
            f"{place}: AWS could not be asked: {error}. Sign in (`aws sso login`), choose another "
            "--profile, or leave --deployed out."
        ) from None


def _names(session: Any, place: Place, stack: Stack) -> Iterator[tuple[str, dict[str, str]]]:
    deployed = dict(_resources(session.client("cloudformation"), place.stack))
    sets = {name for name, one in deployed.items() if one["ResourceType"] == STACK_SET}
    for resource, locked in stack.items():
        if locked.identity is None or locked.identity.word not in ("role", "key"):
            continue
        if any(resource.startswith(f"{one}/") for one in sets):
            continue
        own = deployed.get(resource)
        if own is None or own["ResourceType"] != locked.identity.type:
            raise LockError(
                f"{place}: {resource} is locked as {locked.identity.type}, but the deployed stack "
                "has no such resource. Deploy the template that was locked, or lock the one that "
                "is deployed."
            )
        ask = _role if locked.identity.word == "role" else _key
        yield resource, ask(session, place, resource, own["PhysicalResourceId"])


def _resources(
    cloudformation: Any, stack: str, within: str = ""
) -> Iterator[tuple[str, dict[str, str]]]:
    """The resources of a deployed stack, and of its nested stacks."""
    found = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    for resource in found:
        if "PhysicalResourceId" in resource:
            name = within + resource["LogicalResourceId"]
            yield name, resource
            if resource["ResourceType"] == _NESTED:
                nested = resource["PhysicalResourceId"]
                yield from _resources(cloudformation, nested, f"{name}/")


def _role(session: Any, place: Place, resource: str, name: str) -> dict[str, str]:
    role = session.client("iam").get_role(RoleName=name)["Role"]
    _check(place, resource, role["Arn"], f"arn:aws:iam::{place.account}:role/")
    return {"Arn": role["Arn"], "RoleId": role["RoleId"]}


def _key(session: Any, place: Place, resource: str, key_id: str) -> dict[str, str]:
    key = session.client("kms").describe_key(KeyId=key_id)["KeyMetadata"]
    _check(place, resource, key["Arn"], f"arn:aws:kms:{place.region}:{place.account}:key/")
    return {"Arn": key["Arn"]}


def _check(place: Place, resource: str, arn: str, start: str) -> None:
    if not arn.startswith(start):
        raise LockError(
            f"{place}: {resource}: AWS says {arn!a}, but that of this stack is {start}…. Check "
            "account, region and credentials."
        )
