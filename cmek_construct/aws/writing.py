"""Changes a policy, a grant or the state of a key: one call each, which says if it was not done."""

from __future__ import annotations

import json
from typing import Any, Final

from cmek_construct.aws.session import AwsError, Session, called

MALFORMED: Final = ("MalformedPolicyDocumentException", "MalformedPolicyDocument")
"""AWS takes no policy that names somebody who is not there."""
_NO_GRANT: Final = ("NotFoundException", "InvalidGrantIdException")


def put_key_policy(session: Session, key_arn: str, policy: dict[str, Any]) -> None:
    """Set a key policy. KMS refuses one that would lock its account out.

    Raises:
        AwsError: it was not set, or it is not known whether it was.
    """
    kms = session.kms(key_arn)
    text = json.dumps(policy)
    called(lambda: kms.put_key_policy(KeyId=key_arn, PolicyName="default", Policy=text))


def put_trust_policy(session: Session, role_arn: str, policy: dict[str, Any]) -> None:
    """Set the trust policy of a role.

    Raises:
        AwsError: it was not set, or it is not known whether it was.
    """
    iam, name, text = session.client("iam"), role_arn.rpartition("/")[2], json.dumps(policy)
    called(lambda: iam.update_assume_role_policy(RoleName=name, PolicyDocument=text))


def revoke_grant(session: Session, key_arn: str, grant_id: str) -> None:
    """Revoke a grant; one that is gone already is no failure.

    Raises:
        AwsError: it was not revoked.
    """
    kms = session.kms(key_arn)
    try:
        called(lambda: kms.revoke_grant(KeyId=key_arn, GrantId=grant_id))
    except AwsError as error:
        if error.code not in _NO_GRANT:
            raise


def order_deletion(session: Session, key_arn: str, days: int) -> None:
    """Order the deletion of a key, in so many days.

    Raises:
        AwsError: it was not ordered, or it is not known whether it was.
    """
    kms = session.kms(key_arn)
    called(lambda: kms.schedule_key_deletion(KeyId=key_arn, PendingWindowInDays=days))


def cancel_deletion(session: Session, key_arn: str) -> None:
    """Take the order to delete a key back: it is disabled then.

    Raises:
        AwsError: it was not taken back, or it is not known whether it was.
    """
    kms = session.kms(key_arn)
    called(lambda: kms.cancel_key_deletion(KeyId=key_arn))


def enable(session: Session, key_arn: str) -> None:
    """Enable a key.

    Raises:
        AwsError: it was not enabled, or it is not known whether it was.
    """
    kms = session.kms(key_arn)
    called(lambda: kms.enable_key(KeyId=key_arn))
