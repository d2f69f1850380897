"""Who rules the keys of customers, and who becomes the vendor's role: tables over both sides."""

from __future__ import annotations

from collections.abc import Iterator

from tests.forms import EXTERNAL_ID, PINECONE, VENDOR
from tests.simulator import aws_pages as aws
from tests.simulator.customers_forms import ADMIN_OF_A, STRANGER, THIRD, A, B
from tests.simulator.customers_questions import (
    NAME,
    OTHER_ROLE,
    PINECONES_ROLE,
    RULING,
    Question,
    admin,
    asked,
    callers,
    does,
    keys,
    role,
    root,
    vendors,
    without,
)
from tests.simulator.questions import THE_ROLE, Caller, CaseOf, cases, row
from tests.simulator.simulator import Result
from tests.simulator.who_may_use_the_key import ENCRYPTING, GRANTING, USING

ALLOWED, DENIED, EXPLICITLY_DENIED = Result.ALLOWED, Result.DENIED, Result.EXPLICITLY_DENIED

ASSUME = "sts:AssumeRole"
OTHER_ID = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"

# The owner of a key rules it.

OWNER_RULES = cases(
    "an administrator of A changes the policy of A's key",
    aws.IAM_POLICIES_ENABLED,
    asked("kms:PutKeyPolicy", caller=admin(A), own_policies=True),
    [
        *does([*without(RULING, "kms:PutKeyPolicy"), *ENCRYPTING, *GRANTING], ALLOWED, aws.IAM_POLICIES_ENABLED),
        row("without A's leave", DENIED, aws.IAM_POLICIES_ENABLED, own_policies=False),
        *callers(ALLOWED, aws.IAM_POLICIES_ENABLED, {"A's root user": root(A), "a role of A": role(A, "Operator")}),
        *keys(
            DENIED,
            aws.KEY_OF_ANOTHER_ACCOUNT,
            b_key="B's key",
            key_of_a_third="a third account's key",
            vendors_own_key="the vendor's own key",
        ),
        *keys(ALLOWED, aws.IAM_POLICIES_ENABLED, a_plain="a key of A that names no role of a vendor"),
        *callers(
            DENIED,
            aws.KEY_OF_ANOTHER_ACCOUNT,
            {
                "the vendor's role": THE_ROLE,
                "an administrator of the vendor": admin(VENDOR),
                "the vendor's root user": root(VENDOR),
                "an administrator of B": admin(B),
                "B's root user": root(B),
                "Pinecone's root user": root(PINECONE),
                "Pinecone's own role": PINECONES_ROLE,
            },
        ),
    ],
)

OWNER_B_RULES = cases(
    "an administrator of B changes the policy of B's key",
    aws.IAM_POLICIES_ENABLED,
    asked("kms:PutKeyPolicy", key="b_key", caller=admin(B), own_policies=True),
    [
        row("without B's leave", DENIED, aws.IAM_POLICIES_ENABLED, own_policies=False),
        *keys(DENIED, aws.KEY_OF_ANOTHER_ACCOUNT, a_key="A's key"),
        *callers(
            DENIED, aws.KEY_OF_ANOTHER_ACCOUNT, {"an administrator of A": admin(A), "the vendor's role": THE_ROLE}
        ),
    ],
)

NAMED_ADMIN_RULES = cases(
    "an administrator that A's key names, without other policies, changes the key policy",
    aws.KEY_ADMINISTRATORS,
    asked("kms:PutKeyPolicy", key="a_with_admin", caller=Caller(ADMIN_OF_A)),
    [
        *does(["kms:DisableKey", "kms:ScheduleKeyDeletion"], ALLOWED, aws.KEY_ADMINISTRATORS),
        *does(ENCRYPTING, DENIED, aws.KEY_ADMINISTRATORS),
        *keys(DENIED, aws.KEY_POLICY_OF_ONE_KEY, a_key="a key of A that does not name it"),
        *callers(
            DENIED,
            aws.ROLE_PRINCIPAL,
            {
                "the vendor's role": THE_ROLE,
                "a role of that name of B": Caller(ADMIN_OF_A.replace(A, B)),
                "a role of that name of the vendor": Caller(ADMIN_OF_A.replace(A, VENDOR)),
            },
        ),
    ],
)

ALIAS = cases(
    "an administrator of A deletes an alias of A",
    aws.ALIASES,
    asked("kms:DeleteAlias", caller=admin(A), own_policies=True, alias=True),
    [
        *does(["kms:CreateAlias", "kms:UpdateAlias"], ALLOWED, aws.ALIASES),
        row("without A's leave", DENIED, aws.ALIASES, own_policies=False),
        *callers(
            DENIED, aws.OPERATIONS_ACROSS_ACCOUNTS, {"the vendor's role": THE_ROLE, "an administrator of B": admin(B)}
        ),
    ],
)


def suspension_by_the_customer() -> Iterator[CaseOf[Question]]:
    """The owner keeps everything, and the vendor's role loses what a key user has."""
    for action in (*RULING, *ENCRYPTING):
        yield from cases(
            f"A's root user does {action.removeprefix('kms:')} with A's key",
            aws.IAM_POLICIES_ENABLED,
            asked(action, caller=root(A), own_policies=True),
            keys(ALLOWED, aws.IAM_POLICIES_ENABLED, a_suspended="while the key is suspended"),
        )
    for action in without(USING, *ENCRYPTING):
        yield from cases(
            f"the vendor's role, with everything allowed, does {action.removeprefix('kms:')}",
            aws.KEY_USERS,
            asked(action, key="a_key_user", own_policies=True),
            keys(EXPLICITLY_DENIED, aws.EXPLICIT_DENY, a_key_user_suspended="while the key is suspended"),
        )


# Who becomes the vendor's role.

_OUT = {
    "an administrator of A": admin(A),
    "A's root user": root(A),
    "a role of A with the name of Pinecone's": role(A, "pinecone_cmek_access_us-east-1"),
    "a role of A with the name of the vendor's": role(A, NAME),
    "an administrator of B": admin(B),
    "B's root user": root(B),
    "a role of B with the name of Pinecone's": role(B, "pinecone_cmek_access_us-east-1"),
    "an administrator of a third account": admin(THIRD),
    "a role of a stranger with the name of Pinecone's": role(STRANGER, "pinecone_cmek_access_us-east-1"),
    "another role of Pinecone": role(PINECONE, "Admin"),
    "Pinecone's role of a region that is not listed": role(PINECONE, "pinecone_cmek_access_us-west-2"),
    "Pinecone's root user": root(PINECONE),
}

PINECONE_ASSUMES = cases(
    "Pinecone's role of a listed region assumes the vendor's role with the right ID",
    aws.EXTERNAL_ID,
    asked(ASSUME, caller=PINECONES_ROLE, own_policies=True, external_id=EXTERNAL_ID),
    [
        *callers(
            ALLOWED, aws.ROLE_PRINCIPAL, {"the other listed region": role(PINECONE, "pinecone_cmek_access_eu-west-1")}
        ),
        row("with another ID", DENIED, aws.EXTERNAL_ID, external_id=OTHER_ID),
        row("without an ID", DENIED, aws.MISSING_KEY, external_id=None),
        row("without Pinecone's leave", DENIED, aws.BOTH_SIDES, own_policies=False),
        *callers(DENIED, aws.ROLE_PRINCIPAL, _OUT),
        *callers(
            DENIED,
            aws.TRUST_IS_NEEDED,
            {
                "an administrator of the vendor": admin(VENDOR),
                "the vendor's root user": root(VENDOR),
                "another role of the vendor": OTHER_ROLE,
                "the role itself": THE_ROLE,
            },
        ),
        *vendors(
            ALLOWED,
            aws.EXTERNAL_ID,
            no_customers="when the vendor has no customers",
            one_key_of_a="when the vendor has a single key of A",
            role_on_a_path="when the role is on a path",
            by_cmek_yaml="when the role is that of the app's stack",
        ),
        *vendors(EXPLICITLY_DENIED, aws.EXPLICIT_DENY, role_suspended="while it is suspended"),
    ],
)

CASES: list[CaseOf[Question]] = [
    *OWNER_RULES,
    *OWNER_B_RULES,
    *NAMED_ADMIN_RULES,
    *ALIAS,
    *PINECONE_ASSUMES,
    *suspension_by_the_customer(),
]
"""Every case of these tables."""
