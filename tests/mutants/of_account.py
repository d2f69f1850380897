"""What is dangerous because of whose account it names: the template's own, or two."""

from __future__ import annotations

from tests.forms import CUSTOMER, EXTERNAL_ID
from tests.mutants.made import OTHER_ACCOUNT, ROOT, Template, allow, deny, key_policy, mutant, role, role_arn

NAME = "pinecone-cmek"
SESSION = f"arn:aws:sts::{CUSTOMER}:assumed-role/{NAME}/anything"


def _also(template: Template, statement: Template) -> Template:
    """One more statement of the key policy."""
    key_policy(template).append(statement)
    return template


for words, rule, allows, edit in (
    (
        "the role by its number and name, with more",
        "key-role-access",
        "Pinecone deletes the key",
        lambda t: (
            role(t).update(RoleName=NAME),
            _also(t, allow({"AWS": f"arn:aws:iam::{CUSTOMER}:role/{NAME}"}, "kms:ScheduleKeyDeletion")),
        ),
    ),
    (
        "the role by its number and name, with grants",
        "key-grants",
        "Pinecone hands the key to anybody, for good",
        lambda t: _also(
            t,
            allow(
                {"AWS": {"Fn::Sub": f"arn:aws:iam::{CUSTOMER}:role/${{{role_arn(t)['Fn::GetAtt'][0]}}}"}},
                "kms:CreateGrant",
            ),
        ),
    ),
    (
        "a session of the role, with more",
        "key-role-access",
        "Pinecone changes the key policy",
        lambda t: (
            role(t).update(RoleName=NAME, Path="/vectors/"),
            _also(t, allow({"AWS": SESSION}, "kms:PutKeyPolicy")),
        ),
    ),
    (
        "everything denied to the account by its pseudo parameter",
        "key-owner-denied",
        "nobody takes the denial back",
        lambda t: _also(t, deny({"AWS": {"Ref": "AWS::AccountId"}}, "kms:*")),
    ),
    (
        "everything denied to all but the account's root",
        "pinecone-not-seen-to-come-in",
        "no role of the account, not even an administrator, manages or uses the key",
        lambda t: _also(
            t,
            {
                "Effect": "Deny",
                "NotPrincipal": {"AWS": f"arn:aws:iam::{CUSTOMER}:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
        ),
    ),
    (
        "the root with what has one letter",
        "key-owner",
        "nobody manages the key",
        lambda t: key_policy(t)[ROOT].update(Action="kms:?"),
    ),
    (
        "a second owner of the key",
        "key-foreign-principal",
        "a stranger rules the key",
        lambda t: _also(t, allow({"AWS": f"{OTHER_ACCOUNT}:root"}, "kms:*")),
    ),
    *(
        (
            f"everything denied to all, with {operator} {name} {value}",
            "key-owner-denied",
            "nobody takes the denial back",
            lambda t, operator=operator, name=name, value=value: _also(
                t, deny("*", "kms:*", Condition={operator: {name: value}})
            ),
        )
        for operator, name, value in (
            ("StringNotEquals", "aws:SecureTransport", "false"),
            ("Null", "aws:SecureTransport", "false"),
            ("Bool", "aws:SecureTransport", "true"),
            ("StringNotEquals", "aws:PrincipalOrgID", []),
            ("StringNotEquals", "aws:PrincipalOrgID", {"Ref": "AWS::NoValue"}),
            ("StringNotLike", "aws:PrincipalOrgID", "o-*"),
            ("StringEquals", "aws:PrincipalOrgID", "o-1234567890"),
            ("StringNotEquals", "aws:PrincipalOrgID", EXTERNAL_ID),
            ("ForAllValues:StringNotLike", "aws:PrincipalOrgPaths", "x"),
        )
    ),
):
    mutant(words, rule, allows, edit)
