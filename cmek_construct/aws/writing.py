"""Changes a policy, a grant or the state of a key: one call each.

Each raises an `AwsError` where it was not done, or where nobody knows whether it was.
"""

from __future__ import annotations

import json
from typing import Any, Final

from cmek_construct.aws.session import Session, called, called_if_there

MALFORMED: Final = ("MalformedPolicyDocumentException", "MalformedPolicyDocument")
"""AWS takes no policy that names somebody who is not there."""


@called()
def put_policy(session: Session, arn: str, policy: dict[str, Any]) -> None:
    """Set the trust policy of a role or the policy of a key; KMS refuses one that would lock its account out."""
    text = json.dumps(policy)
    if arn.split(":")[2] == "kms":
        session.kms(arn).put_key_policy(KeyId=arn, PolicyName="default", Policy=text)
    else:
        session.client("iam").update_assume_role_policy(RoleName=arn.rpartition("/")[2], PolicyDocument=text)


@called_if_there()
def revoke_grant(session: Session, key_arn: str, grant_id: str) -> None:
    """Revoke a grant; one that is gone already is no failure."""
    session.kms(key_arn).revoke_grant(KeyId=key_arn, GrantId=grant_id)


@called()
def change_key(session: Session, key_arn: str, operation: str, **more: int) -> None:
    """Order the deletion of a key, take that back, which leaves it disabled, or enable it: by boto3's name for it."""
    getattr(session.kms(key_arn), operation)(KeyId=key_arn, **more)
