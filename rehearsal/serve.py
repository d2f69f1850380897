"""The embedded AWS, with two mends. Runs in the emulator's own environment.

Usage: ``python -I serve.py [--unmended]``. Both mends stand here and nowhere else, and
tests/test_emulator.py fails on the day when the emulator needs them no more.
"""

from __future__ import annotations

import sys
from typing import Any

from ministack.app import main
from ministack.core import iam_evaluator
from ministack.services import iam

_as_the_emulator_says = iam_evaluator._resolve_condition_key


def _as_aws_says(key: str, request: Any) -> Any:
    if key.lower() == "aws:principalarn" and request.principal_type == "AssumedRole":
        return _role_of_session(request.principal_arn)
    if key.lower() == "aws:securetransport":
        # IAM User Guide, aws:SecureTransport: "Use this key to check whether the request was sent
        # using TLS." Every request that the CDK CLI sends to AWS is. Here it is sent in clear over
        # loopback, and the bootstrap bucket, which denies that, would refuse every upload.
        return "true"
    return _as_the_emulator_says(key, request)


def _role_of_session(session_arn: str) -> str:
    # IAM User Guide, aws:PrincipalArn: "For IAM roles, the request context returns the ARN of the
    # role, not the ARN of the user that assumed the role." The emulator returns the session's,
    # arn:aws:sts::<account>:assumed-role/<role>/<session>, which the guide's third trust policy
    # would never match. A role's ARN has its path, so the role itself is asked for it.
    account, resource = session_arn.split(":", 5)[4:]
    role = iam._roles.get_scoped(account, None, resource.split("/")[1])
    return str(role["Arn"]) if role else session_arn


if __name__ == "__main__":
    if "--unmended" not in sys.argv:
        iam_evaluator._resolve_condition_key = _as_aws_says
    sys.argv[1:] = []
    main()
