"""The embedded AWS, with three mends. Runs in the emulator's own environment.

Usage: ``python -I serve.py [--unmended]``. The mends stand here and nowhere else, and tests/test_emulator.py fails on
the day when the emulator needs them no more.
"""

from __future__ import annotations

import re
import sys
from typing import Any, Final

from ministack.app import main
from ministack.core import iam_evaluator
from ministack.services import iam, kms

_EIGHT_DAYS = 8 * 24 * 60 * 60
_as_the_emulator_says = iam_evaluator._resolve_condition_key
_key_of_own_account = kms._resolve_key
_by_both_policies = iam_evaluator.combine_resource_policy

# KMS Developer Guide, "Allowing users in other accounts to use a KMS key": "Cross-account permission is effective only
# for the following operations", of which the emulator has these.
_ACROSS_ACCOUNTS: Final = re.compile(
    r"kms:(Encrypt|Decrypt|GenerateDataKey\w*|GenerateMac|VerifyMac|Sign|Verify|GetPublicKey"
    r"|DescribeKey|GetKeyRotationStatus|ListGrants|CreateGrant|RetireGrant|RevokeGrant)"
)


def _as_aws_says(key: str, request: Any) -> Any:
    if key.lower() == "aws:principalarn" and request.principal_type == "AssumedRole":
        return _role_of_session(request.principal_arn)
    if key.lower() == "aws:securetransport":
        # IAM User Guide, aws:SecureTransport: "Use this key to check whether the request was sent using TLS." Every
        # request that the CDK CLI sends to AWS is. Here it is sent in clear over loopback, and the bootstrap bucket,
        # which denies that, would refuse every upload.
        return "true"
    return _as_the_emulator_says(key, request)


def _role_of_session(session_arn: str) -> str:
    # IAM User Guide, aws:PrincipalArn: "For IAM roles, the request context returns the ARN of the role, not the ARN of
    # the user that assumed the role." The emulator returns the session's,
    # arn:aws:sts::<account>:assumed-role/<role>/<session>, which the guide's third trust policy would never match. A
    # role's ARN has its path, so the role itself is asked for it.
    account, resource = session_arn.split(":", 5)[4:]
    role = iam._roles.get_scoped(account, None, resource.split("/")[1])
    return str(role["Arn"]) if role else session_arn


def _key_of_any_account(name: str) -> Any:
    # The same page: "Cross-account access requires permission in the key policy of the KMS key and in an IAM policy in
    # the external user's account." The emulator asks both where it finds the key, but looks in the caller's account
    # alone: to it every other key is a NotFoundException.
    key = _key_of_own_account(name)
    if key is None and name.startswith(f"arn:aws:kms:{kms.get_region()}:"):
        account, resource = name.split(":", 5)[4:]
        key = kms._keys.get_scoped(account, kms.get_region(), resource.removeprefix("key/"))
    return key


def _policy_and_owner(key_arn: str) -> Any:
    key = _key_of_any_account(key_arn)
    return (key.get("Policy") or "", key["Arn"].split(":")[4]) if key else None


def _as_both_accounts_say(identity: Any, request: Any, policy: Any, owner: str | None, **others: Any) -> Any:
    abroad = owner not in (None, request.principal_account)
    kms_action = request.action.startswith("kms:")
    if abroad and kms_action and not _ACROSS_ACCOUNTS.fullmatch(request.action):
        # "If you give a user in a different account permission for other operations, those permissions have no effect."
        return iam_evaluator.EvalResult("ImplicitDeny")
    return _by_both_policies(identity, request, policy, owner, **others)


_metadata_of = kms._key_metadata


def _metadata_of_an_older_key(key: Any) -> Any:
    # No mend, but a stage set: the emulator has no clock to turn on, and `cmek retire` refuses a key that was made this
    # week.
    metadata = _metadata_of(key)
    return {**metadata, "CreationDate": metadata["CreationDate"] - _EIGHT_DAYS}


if __name__ == "__main__":
    if "--unmended" not in sys.argv:
        iam_evaluator._resolve_condition_key = _as_aws_says
        kms._resolve_key = _key_of_any_account
        kms.key_policy_for_arn = _policy_and_owner
        iam_evaluator.combine_resource_policy = _as_both_accounts_say
        kms._key_metadata = _metadata_of_an_older_key
    sys.argv[1:] = []
    main()
