"""What hangs on a condition of a CloudFormation template, in those that deploy without the CDK.

Pure Python over plain data.
"""

from __future__ import annotations

from typing import Any, Final

from cmek_construct.guide import KeyAccess, Policy, key_policy, policy_document

NO_VALUE: Final = {"Ref": "AWS::NoValue"}
"""What is not there."""


def only_if(condition: str, value: Any, otherwise: Any = NO_VALUE) -> dict[str, Any]:
    """A value that is there under a condition."""
    return {"Fn::If": [condition, value, otherwise]}


def key_policy_in_template(role_arn: str, access: KeyAccess, suspended_if: str) -> Policy:
    """`guide.key_policy` for whichever account deploys the template.

    Args:
        role_arn: the role that Pinecone assumes.
        access: what the role may do.
        suspended_if: the template's condition under which the role may do nothing.
    """
    policy = key_policy("${AWS::AccountId}", role_arn, access, suspended=True)
    root, *use, denial = policy["Statement"]
    root["Principal"]["AWS"] = {"Fn::Sub": root["Principal"]["AWS"]}
    return policy_document(root, *use, only_if(suspended_if, denial))
