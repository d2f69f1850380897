"""What AWS calls a role or key that is locked: its ARN, and the unique ID of a role."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeVar

from cmek_construct.aws.objects import Resource, Unread
from cmek_construct.aws.reading import read_key_arn, read_resources, read_role_names
from cmek_construct.aws.session import Asking, Session
from cmek_construct.lock.model import (
    ANY_ACCOUNT,
    ANY_REGION,
    STACK_SET,
    LockError,
    Place,
    Stack,
)

T = TypeVar("T")
_NESTED: Final = "AWS::CloudFormation::Stack"


def names(place: Place, stack: Stack, asking: Asking) -> dict[str, dict[str, str]] | None:
    """What AWS calls each role and key of a stack; read-only. None where there is no such stack.

    Credentials of another account are enough if they may assume the lookup role that
    `cdk bootstrap --trust` made in the account of the stack.

    Raises:
        LockError: the stack is not deployed as it is locked.
        AwsError: AWS cannot be asked.
    """
    if place.account == ANY_ACCOUNT or place.region == ANY_REGION:
        raise LockError(
            f"{place}: its template says neither account nor region, so nobody can tell which "
            "deployed stack it is. Give the stack an env, or leave --deployed out."
        )
    session = asking.reading(place.account, place.region, place.stack)
    held = read_resources(session, place.stack)
    if held is None:
        return None
    return dict(_names(session, place, stack, dict(_nested(session, place, held))))


def _known(place: Place, found: T | Unread | None, what: str) -> T:
    if found is None or isinstance(found, Unread):
        why = found.why if found else "there is no such thing"
        raise LockError(f"{place}: {what}: {why}. Choose --profile, or leave --deployed out.")
    return found


def _names(
    session: Session, place: Place, stack: Stack, deployed: dict[str, Resource]
) -> Iterator[tuple[str, dict[str, str]]]:
    sets = {name for name, one in deployed.items() if one.type == STACK_SET}
    for resource, locked in stack.items():
        if locked.identity is None or locked.identity.word not in ("role", "key"):
            continue
        if any(resource.startswith(f"{one}/") for one in sets):
            continue
        own = deployed.get(resource)
        if own is None or own.type != locked.identity.type:
            raise LockError(
                f"{place}: {resource} is locked as {locked.identity.type}, but the deployed stack "
                "has no such resource. Deploy the template that was locked, or lock the one that "
                "is deployed."
            )
        if locked.identity.word == "role":
            role = _known(place, read_role_names(session, own.physical_id), resource)
            _check(place, resource, role["Arn"], f"arn:aws:iam::{place.account}:role/")
            yield resource, role
        else:
            arn = _known(place, read_key_arn(session, own.physical_id), resource)
            _check(place, resource, arn, f"arn:aws:kms:{place.region}:{place.account}:key/")
            yield resource, {"Arn": arn}


def _nested(
    session: Session, place: Place, held: list[Resource] | Unread, within: str = ""
) -> Iterator[tuple[str, Resource]]:
    """The resources of a deployed stack, and of its nested stacks."""
    for resource in _known(place, held, "the stack"):
        name = within + resource.logical_id
        yield name, resource
        if resource.type == _NESTED:
            inner = _known(place, read_resources(session, resource.physical_id), name)
            yield from _nested(session, place, inner, f"{name}/")


def _check(place: Place, resource: str, arn: str, start: str) -> None:
    if not arn.startswith(start):
        raise LockError(
            f"{place}: {resource}: AWS says {arn!a}, but that of this stack is {start}…. Check "
            "account, region and credentials."
        )
