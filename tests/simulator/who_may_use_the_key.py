"""Who may do what with the key: tables over the key policies."""

from __future__ import annotations

from collections.abc import Sequence

from tests.forms import ADMIN_ROLE, CUSTOMER, PINECONE, VENDOR, VENDOR_ROLE
from tests.simulator import aws_pages as aws
from tests.simulator.aws_pages import Page
from tests.simulator.questions import THE_ROLE, Caller, Row, Table, row
from tests.simulator.simulator import Result

ALLOWED, DENIED, EXPLICITLY_DENIED = Result.ALLOWED, Result.DENIED, Result.EXPLICITLY_DENIED

STRANGER = "777788889999"
OTHER_ROLE = Caller(f"arn:aws:iam::{CUSTOMER}:role/Application")
OTHER_USER = Caller(f"arn:aws:iam::{CUSTOMER}:user/Somebody")
ROOT = Caller(f"arn:aws:iam::{CUSTOMER}:root")
ADMIN = Caller(ADMIN_ROLE)

ENCRYPTING = ["kms:Encrypt", "kms:Decrypt"]
USING = [
    *ENCRYPTING,
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:GenerateDataKeyPair",
    "kms:GenerateDataKeyPairWithoutPlaintext",
    "kms:DescribeKey",
]
"""What the page "Default key policy" gives to key users."""
GRANTING = ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"]
"""What it gives them through AWS services alone."""
MANAGING = [
    "kms:CreateAlias",
    "kms:CreateGrant",
    "kms:DescribeKey",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
    "kms:RevokeGrant",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:DeleteAlias",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:ScheduleKeyDeletion",
    "kms:CancelKeyDeletion",
]
"""What it gives to key administrators, permission by permission."""
MANAGING_BY_WILDCARD = [
    "kms:DeleteImportedKeyMaterial",
    "kms:GetKeyLastUsage",
    "kms:GetParametersForImport",
    "kms:GetPublicKey",
    "kms:ListKeyRotations",
    "kms:RotateKeyOnDemand",
    "kms:UpdatePrimaryRegion",
]
"""What else its wildcards give them: for keys of other kinds, and what KMS added later."""


def _actions(actions: Sequence[str], answer: Result, page: Page, words: str = "") -> list[Row]:
    return [row(f"to do {action.removeprefix('kms:')}{words}", answer, page, action=action) for action in actions]


_NOT_FOR_USERS = [action for action in MANAGING if action not in (*USING, *GRANTING)]

OTHERS: list[Row] = [
    row("another key of the account", DENIED, aws.IAM_POLICIES_ENABLED, another_key=True),
    row("from another role of the account", DENIED, aws.IAM_POLICIES_ENABLED, caller=OTHER_ROLE),
    row("from a user of the account", DENIED, aws.IAM_POLICIES_ENABLED, caller=OTHER_USER),
    row(
        "from a role of the same account named like Pinecone's",
        DENIED,
        aws.IAM_POLICIES_ENABLED,
        caller=Caller(f"arn:aws:iam::{CUSTOMER}:role/pinecone_cmek_access_us-east-1"),
    ),
    row("from an AWS service", DENIED, aws.KEY_POLICY_DECIDES, caller=Caller("s3.amazonaws.com")),
    row("unsigned", DENIED, aws.KEY_POLICY_DECIDES, caller=Caller(None)),
]

ROLE_USES_KEY = Table(
    "the role, without policies of its own, decrypts",
    aws.KEY_USERS,
    {"caller": THE_ROLE, "action": "kms:Decrypt", "own_policies": False},
    [
        *_actions([action for action in USING if action != "kms:Decrypt"], ALLOWED, aws.KEY_USERS),
        *_actions(_NOT_FOR_USERS, DENIED, aws.KEY_POLICY_DECIDES),
        *_actions(
            ["kms:RotateKeyOnDemand", "kms:ReplicateKey", "kms:ImportKeyMaterial", "kms:Sign"],
            DENIED,
            aws.KEY_POLICY_DECIDES,
        ),
        *_actions(GRANTING, DENIED, aws.GRANT_IS_FOR_AWS, " by itself"),
        *OTHERS,
    ],
)

ROLE_GRANTS = Table(
    "the role makes a grant through an AWS service",
    aws.KEY_USERS_GRANTS,
    {"caller": THE_ROLE, "action": "kms:CreateGrant", "for_aws_resource": True, "own_policies": False},
    [
        *_actions(["kms:ListGrants", "kms:RevokeGrant"], ALLOWED, aws.KEY_USERS_GRANTS),
        row("by itself", DENIED, aws.GRANT_IS_FOR_AWS, for_aws_resource=False),
        row("without a word of AWS's", DENIED, aws.MISSING_KEY, for_aws_resource=None),
        row("from another role", DENIED, aws.IAM_POLICIES_ENABLED, caller=OTHER_ROLE),
    ],
)

ROLE_ENCRYPTS_ALONE = Table(
    "the role, without policies of its own, decrypts",
    aws.OTHER_ACTIONS,
    {"caller": THE_ROLE, "action": "kms:Decrypt", "own_policies": False},
    [
        *_actions(["kms:Encrypt"], ALLOWED, aws.OTHER_ACTIONS),
        *_actions([action for action in USING if action not in ENCRYPTING], DENIED, aws.OTHER_ACTIONS),
        *_actions([*_NOT_FOR_USERS, *GRANTING], DENIED, aws.KEY_POLICY_DECIDES),
        *OTHERS,
    ],
)

ACCOUNT_DELEGATES = Table(
    "another role of the account, by an IAM policy of its own, decrypts",
    aws.IAM_POLICIES_ENABLED,
    {"caller": OTHER_ROLE, "action": "kms:Decrypt"},
    [
        row("without that policy", DENIED, aws.IAM_POLICIES_ENABLED, own_policies=False),
        row("as the root user", ALLOWED, aws.IAM_POLICIES_ENABLED, caller=ROOT),
        row("as a user with such a policy", ALLOWED, aws.ACCOUNT_PRINCIPAL, caller=OTHER_USER),
        row(
            "from Pinecone's own role, directly",
            DENIED,
            aws.KEY_OF_ANOTHER_ACCOUNT,
            caller=Caller(f"arn:aws:iam::{PINECONE}:role/pinecone_cmek_access_us-east-1"),
        ),
        row(
            "from Pinecone's root user",
            DENIED,
            aws.KEY_OF_ANOTHER_ACCOUNT,
            caller=Caller(f"arn:aws:iam::{PINECONE}:root"),
        ),
        row(
            "from a role of the same name in a stranger's account",
            DENIED,
            aws.KEY_OF_ANOTHER_ACCOUNT,
            caller=Caller(f"arn:aws:iam::{STRANGER}:role/Application"),
        ),
    ],
)

ROOT_MANAGES = Table(
    "the account's root user changes the key policy",
    aws.IAM_POLICIES_ENABLED,
    {"caller": ROOT, "action": "kms:PutKeyPolicy"},
    [
        *_actions(
            [*USING, *(action for action in MANAGING if action != "kms:PutKeyPolicy")],
            ALLOWED,
            aws.IAM_POLICIES_ENABLED,
        ),
        row(
            "as the root user of Pinecone's account",
            DENIED,
            aws.KEY_OF_ANOTHER_ACCOUNT,
            caller=Caller(f"arn:aws:iam::{PINECONE}:root"),
        ),
    ],
)

ADMIN_MANAGES = Table(
    "a key administrator, without policies of its own, changes the key policy",
    aws.KEY_ADMINISTRATORS,
    {"caller": ADMIN, "action": "kms:PutKeyPolicy", "own_policies": False},
    [
        *_actions([action for action in MANAGING if action != "kms:PutKeyPolicy"], ALLOWED, aws.KEY_ADMINISTRATORS),
        *_actions(["kms:RotateKeyOnDemand"], ALLOWED, aws.ROTATE_ON_DEMAND),
        *_actions([action for action in USING if action != "kms:DescribeKey"], DENIED, aws.KEY_ADMINISTRATORS),
        row("from the role of Pinecone", DENIED, aws.KEY_USERS, caller=THE_ROLE),
        row("from another role", DENIED, aws.IAM_POLICIES_ENABLED, caller=OTHER_ROLE),
        row(
            "from a role of the administrator's name on another path",
            DENIED,
            aws.ROLE_PRINCIPAL,
            caller=Caller(f"arn:aws:iam::{CUSTOMER}:role/else/KeyAdmin"),
        ),
        row(
            "from a role of the administrator's name in a stranger's account",
            DENIED,
            aws.ROLE_PRINCIPAL,
            caller=Caller(ADMIN_ROLE.replace(CUSTOMER, STRANGER)),
        ),
    ],
)


def suspension(form: str, while_suspended: str) -> list[tuple[str, Table]]:
    """What a suspension takes away from a form, action by action, and what it leaves."""
    cut_off = [
        (
            form,
            Table(
                f"the role does {action.removeprefix('kms:')}{with_what}",
                aws.KEY_USERS,
                {"caller": THE_ROLE, "action": action, "own_policies": own_policies},
                [row("while suspended", EXPLICITLY_DENIED, aws.EXPLICIT_DENY, form=while_suspended)],
            ),
        )
        for own_policies, with_what in ((False, ""), (True, " with a policy of its own that allows everything"))
        for action in (*USING, *(["kms:PutKeyPolicy", "kms:CreateGrant"] if own_policies else []))
    ]
    left = [
        (
            form,
            Table(
                f"{who} does {action.removeprefix('kms:')}",
                aws.IAM_POLICIES_ENABLED,
                {"caller": caller, "action": action},
                [row("while suspended", ALLOWED, aws.IAM_POLICIES_ENABLED, form=while_suspended)],
            ),
        )
        for who, caller, action in (
            ("the root user", ROOT, "kms:PutKeyPolicy"),
            ("the root user", ROOT, "kms:Decrypt"),
            ("another role with an IAM policy", OTHER_ROLE, "kms:Decrypt"),
        )
    ]
    return cut_off + left


def grants_through_services_alone(who: str, caller: Caller) -> Table:
    """What the statement that CT.KMS.PR.3 asks for adds, for whomever."""
    return Table(
        f"{who} makes a grant through an AWS service",
        aws.KEY_USERS_GRANTS,
        {"caller": caller, "action": "kms:CreateGrant", "for_aws_resource": True},
        [
            row("by itself", EXPLICITLY_DENIED, aws.EXPLICIT_DENY, for_aws_resource=False),
            row("without a word of AWS's", EXPLICITLY_DENIED, aws.IF_EXISTS, for_aws_resource=None),
        ],
    )


VENDOR_USES_KEY = Table(
    "the vendor's role, with a policy of its own, decrypts",
    aws.KEY_OF_ANOTHER_ACCOUNT,
    {"caller": Caller(VENDOR_ROLE), "action": "kms:Decrypt"},
    [
        row("without that policy", DENIED, aws.KEY_OF_ANOTHER_ACCOUNT, own_policies=False),
        *_actions(["kms:Encrypt", "kms:GenerateDataKey"], ALLOWED, aws.KEY_OF_ANOTHER_ACCOUNT),
        *_actions(
            ["kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey"], DENIED, aws.KEY_OF_ANOTHER_ACCOUNT
        ),
        row(
            "from another role of the vendor",
            DENIED,
            aws.ROLE_PRINCIPAL,
            caller=Caller(f"arn:aws:iam::{VENDOR}:role/Other"),
        ),
        row("from the vendor's root user", DENIED, aws.ROLE_PRINCIPAL, caller=Caller(f"arn:aws:iam::{VENDOR}:root")),
        row(
            "from a role of that name in a stranger's account",
            DENIED,
            aws.ROLE_PRINCIPAL,
            caller=Caller(VENDOR_ROLE.replace(VENDOR, STRANGER)),
        ),
    ],
)

BRIEFLY = Table(
    "the role, without policies of its own, decrypts",
    aws.KEY_USERS,
    {"caller": THE_ROLE, "action": "kms:Decrypt", "own_policies": False},
    [
        *_actions(["kms:Encrypt", "kms:GenerateDataKey"], ALLOWED, aws.KEY_USERS),
        *_actions(["kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"], DENIED, aws.KEY_POLICY_DECIDES),
        *_actions(["kms:CreateGrant"], DENIED, aws.GRANT_IS_FOR_AWS, " by itself"),
        row("another key of the account", DENIED, aws.IAM_POLICIES_ENABLED, another_key=True),
        row("from another role", DENIED, aws.IAM_POLICIES_ENABLED, caller=OTHER_ROLE),
    ],
)
"""For forms whose key policy is to be that of `ROLE_USES_KEY`, whatever else they change."""
