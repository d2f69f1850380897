"""Grants on the key, which outlive the brake: listed, and revoked if that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cmek_construct.checks import printable
from cmek_construct.operations.doctor.key import is_ours
from cmek_construct.operations.doctor.source import Key, Unread, client
from cmek_construct.operations.doctor.words import Case
from cmek_construct.operations.suspending.brake import BrakeError


def grants_of(case: Case, session: Any) -> list[Any]:
    """All grants on the key; none in a vendor's stack, whose customers own the keys.

    Raises:
        BrakeError: they cannot be listed.
    """
    if case.key_arn is None:
        return []
    found = Key(session, case.key_arn).grants()
    if isinstance(found, Unread):
        raise BrakeError(
            f"the grants on the key could not be listed ({found.why}), and a grant outlives the "
            f"suspension. Look yourself: {case.kms('list-grants')}"
        )
    return found


def revocable(case: Case, grants: Sequence[Any]) -> list[Any]:
    """What may be revoked: of a key that serves Pinecone alone all, of another the role's."""
    if case.entry.settings.key is None:
        return list(grants)
    return [one for one in grants if is_ours(case.role_arn, one)]


def revoke(case: Case, session: Any, grants: Sequence[Any]) -> None:
    """Revoke grants; one that is gone already is no failure.

    Raises:
        BrakeError: one is left.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    kms = client(session, "kms", str(case.key_arn).split(":")[3])
    for grant in grants:
        try:
            kms.revoke_grant(KeyId=case.key_arn, GrantId=grant["GrantId"])
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] in (
                "NotFoundException",
                "InvalidGrantIdException",
            ):
                continue
            raise BrakeError(
                f"a grant is left, and outlives the suspension: {printable(error)}. By hand: "
                f"{case.kms('revoke-grant')} --grant-id {printable(grant['GrantId'])}"
            ) from None
