"""Changes a policy, a grant or the state of a key: one call each.

Each raises an `AwsError` where it was not done, or where nobody knows whether it was.
"""

from __future__ import annotations

import json
from typing import Any, Final

from cmek_construct.aws.session import AwsError, Session, called

MALFORMED: Final = ("MalformedPolicyDocumentException", "MalformedPolicyDocument")
"""AWS takes no policy that names somebody who is not there."""
_NO_GRANT: Final = ("NotFoundException", "InvalidGrantIdException")


@called()
def put_policy(session: Session, arn: str, policy: dict[str, Any]) -> None:
    """Set the trust policy of a role or the policy of a key; KMS refuses one that would lock its account out."""
    text = json.dumps(policy)
    if arn.split(":")[2] == "kms":
        session.kms(arn).put_key_policy(KeyId=arn, PolicyName="default", Policy=text)
    else:
        session.client("iam").update_assume_role_policy(RoleName=arn.rpartition("/")[2], PolicyDocument=text)


def revoke_grant(session: Session, key_arn: str, grant_id: str) -> None:
    """Revoke a grant; one that is gone already is no failure."""
    try:
        with called():
            session.kms(key_arn).revoke_grant(KeyId=key_arn, GrantId=grant_id)
    except AwsError as error:
        if error.code not in _NO_GRANT:
            raise


@called()
def order_deletion(session: Session, key_arn: str, days: int) -> None:
    session.kms(key_arn).schedule_key_deletion(KeyId=key_arn, PendingWindowInDays=days)


@called()
def cancel_deletion(session: Session, key_arn: str) -> None:
    """Take the order to delete a key back: it is disabled then."""
    session.kms(key_arn).cancel_key_deletion(KeyId=key_arn)


@called()
def enable(session: Session, key_arn: str) -> None:
    session.kms(key_arn).enable_key(KeyId=key_arn)
