"""Who may use the keys of customers: tables over a vendor's role and the key policies of others."""

from __future__ import annotations

from tests.forms import PINECONE, VENDOR, VENDOR_ROLE
from tests.simulator import aws_pages as aws
from tests.simulator.customers_forms import NAMESAKE_OF_A_STRANGER, ROLE_ON_A_PATH, STRANGER, A, B
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

# The vendor's role, with what `PineconeRole` gives it and nothing else.

ROLE_DECRYPTS = cases(
    "the vendor's role decrypts with A's key",
    aws.KEY_OF_ANOTHER_ACCOUNT,
    asked(),
    [
        *does(["kms:Encrypt"], ALLOWED, aws.KEY_OF_ANOTHER_ACCOUNT),
        *does(without(USING, *ENCRYPTING), DENIED, aws.ACTIONS_OF_BOTH),
        *does(GRANTING, DENIED, aws.ACTIONS_OF_BOTH),
        *does(RULING, DENIED, aws.OPERATIONS_ACROSS_ACCOUNTS),
        *keys(
            ALLOWED,
            aws.KEYS_IN_IAM_POLICIES,
            a_sibling="another key of A that names the role",
            a_key_elsewhere="a key of A in another Region",
            a_replica="a replica of A's key in another Region",
            b_key="the key of B",
            b_key_with_the_id_of_a_key="a key of B that has the same ID",
        ),
        *keys(
            ALLOWED,
            aws.KEY_OF_ANOTHER_ACCOUNT,
            a_key_user="a key of A that lets the role do more",
            a_with_admin="a key of A that names an administrator",
        ),
        *keys(
            DENIED,
            aws.KEY_OF_ANOTHER_ACCOUNT,
            a_plain="a key of A that does not name the role",
            b_plain="a key of B that does not name the role",
        ),
        *keys(
            DENIED,
            aws.ROLE_PRINCIPAL,
            a_for_another_role="a key of A that names another role of the vendor",
            a_for_a_strangers_namesake="a key of A that names a role of that name of a stranger",
        ),
        *keys(
            DENIED,
            aws.BOTH_SIDES,
            key_of_a_third="a key that names the role, of an account that is no customer",
            key_of_pinecone="a key that names the role, of Pinecone's account",
        ),
        *keys(DENIED, aws.RESOURCES, key_one_digit_from_a="a key that names the role, of an account one digit from A"),
        *keys(
            DENIED,
            aws.IAM_POLICIES_ENABLED,
            vendors_plain_key="a key of the vendor's own account that does not name the role",
        ),
        *keys(ALLOWED, aws.TRUST_IS_NEEDED, vendors_own_key="a key of the vendor's own account that names the role"),
        *keys(
            EXPLICITLY_DENIED,
            aws.EXPLICIT_DENY,
            a_suspended="a key of A that is suspended",
            a_denying="a key of A with a denial of A's own",
        ),
        *vendors(
            ALLOWED,
            aws.KEYS_IN_IAM_POLICIES,
            one_key_of_a="by the ARN of the key",
            one_key_of_each="by the ARNs of a key of each customer",
            one_key_of_a_and_all_of_b="by the ARN of the key, beside every key of B",
        ),
        *vendors(ALLOWED, aws.ATTACHED_POLICIES, by_cmek_yaml="by the policies of the app's stack"),
        *vendors(ALLOWED, aws.SESSIONS_GO_ON, role_suspended="in a session from before a suspension"),
        *vendors(
            DENIED,
            aws.BOTH_SIDES,
            customer_b_alone="when A is no customer of the vendor",
            no_customers="when the vendor has no customers",
        ),
        *vendors(DENIED, aws.ROLE_PRINCIPAL, role_on_a_path="when the role is one on a path"),
        *vendors(EXPLICITLY_DENIED, aws.EXPLICIT_DENY, role_denied_a="with a denial of the vendor's own"),
    ],
)

ROLE_DECRYPTS_FOR_B = cases(
    "the vendor's role decrypts with B's key",
    aws.KEY_OF_ANOTHER_ACCOUNT,
    asked(key="b_key"),
    [
        *does(["kms:Encrypt"], ALLOWED, aws.KEY_OF_ANOTHER_ACCOUNT),
        *does(["kms:GenerateDataKey", "kms:DescribeKey"], DENIED, aws.ACTIONS_OF_BOTH),
        *vendors(
            ALLOWED,
            aws.BOTH_SIDES,
            customer_b_alone="when A is no customer of the vendor",
            role_denied_a="with a denial that is about A",
        ),
        *vendors(
            ALLOWED,
            aws.KEYS_IN_IAM_POLICIES,
            one_key_of_each="by the ARNs of a key of each customer",
            one_key_of_a_and_all_of_b="by the account, beside a single key of A",
        ),
        *vendors(ALLOWED, aws.ATTACHED_POLICIES, by_cmek_yaml="by the policies of the app's stack"),
        *vendors(
            DENIED,
            aws.BOTH_SIDES,
            one_key_of_a="by the ARN of A's key",
            no_customers="when the vendor has no customers",
        ),
    ],
)

ROLE_ENCRYPTS = cases(
    "the vendor's role encrypts with A's key",
    aws.KEY_OF_ANOTHER_ACCOUNT,
    asked("kms:Encrypt"),
    [
        *keys(
            DENIED,
            aws.KEY_OF_ANOTHER_ACCOUNT,
            a_plain="a key of A that does not name the role",
            key_of_a_third="a key that names the role, of an account that is no customer",
        ),
        *vendors(DENIED, aws.KEY_OF_ANOTHER_ACCOUNT, no_customers="when the vendor has no customers"),
        *keys(ALLOWED, aws.KEYS_IN_IAM_POLICIES, b_key="the key of B"),
        *keys(EXPLICITLY_DENIED, aws.EXPLICIT_DENY, a_suspended="a key of A that is suspended"),
        *keys(ALLOWED, aws.OTHER_ACTIONS, a_denying="a key of A with a denial of Decrypt"),
    ],
)

NEITHER_SIDE = cases(
    "the vendor's role, without customers, decrypts with a key of its own account",
    aws.TRUST_IS_NEEDED,
    asked(vendor="no_customers", key="vendors_own_key"),
    [
        *keys(
            DENIED,
            aws.KEY_OF_ANOTHER_ACCOUNT,
            a_plain="a key of A, when neither side lets it",
            a_key="a key of A, when A's side alone lets it",
            b_plain="a key of B, when neither side lets it",
            b_key="a key of B, when B's side alone lets it",
        )
    ],
)

ONE_KEY = cases(
    "the vendor's role, with the ARN of A's key alone, decrypts with it",
    aws.KEYS_IN_IAM_POLICIES,
    asked(vendor="one_key_of_a"),
    [
        *does(["kms:Encrypt"], ALLOWED, aws.KEYS_IN_IAM_POLICIES),
        *does(["kms:GenerateDataKey", "kms:DescribeKey"], DENIED, aws.ACTIONS_OF_BOTH),
        *keys(
            DENIED,
            aws.KEYS_IN_IAM_POLICIES,
            a_sibling="another key of A that names the role",
            a_key_elsewhere="a key of A in another Region",
            b_key="the key of B",
            b_key_with_the_id_of_a_key="a key of B that has the same ID",
        ),
        *keys(DENIED, aws.BOTH_SIDES, key_of_a_third="a key that names the role, of an account that is no customer"),
        *keys(DENIED, aws.MULTI_REGION_KEY, a_replica="a replica of A's key in another Region"),
    ],
)

ONE_KEY_OF_EACH = cases(
    "the vendor's role, with the ARNs of a key of each, decrypts with A's",
    aws.KEYS_IN_IAM_POLICIES,
    asked(vendor="one_key_of_each"),
    [
        *keys(ALLOWED, aws.KEYS_IN_IAM_POLICIES, b_key="that of B"),
        *keys(
            DENIED,
            aws.KEYS_IN_IAM_POLICIES,
            a_sibling="another key of A that names the role",
            b_key_with_the_id_of_a_key="a key of B that has the ID of A's",
        ),
        *keys(DENIED, aws.BOTH_SIDES, key_of_a_third="a key that names the role, of an account that is no customer"),
    ],
)

ONE_KEY_AND_AN_ACCOUNT = cases(
    "the vendor's role, with the ARN of A's key and every key of B, decrypts with B's",
    aws.KEYS_IN_IAM_POLICIES,
    asked(vendor="one_key_of_a_and_all_of_b", key="b_key"),
    [
        *keys(
            ALLOWED,
            aws.KEYS_IN_IAM_POLICIES,
            a_key="A's",
            b_key_with_the_id_of_a_key="another key of B that names the role",
        ),
        *keys(DENIED, aws.KEYS_IN_IAM_POLICIES, a_sibling="another key of A"),
        *keys(DENIED, aws.BOTH_SIDES, key_of_a_third="a key that names the role, of an account that is no customer"),
        *keys(DENIED, aws.KEY_OF_ANOTHER_ACCOUNT, b_plain="a key of B that does not name the role"),
    ],
)

BY_CMEK_YAML = cases(
    "the vendor's role of the app's stack decrypts with A's key",
    aws.ATTACHED_POLICIES,
    asked(vendor="by_cmek_yaml"),
    [
        *does(["kms:Encrypt"], ALLOWED, aws.ATTACHED_POLICIES),
        *does(["kms:GenerateDataKey"], DENIED, aws.ACTIONS_OF_BOTH),
        *keys(ALLOWED, aws.KEYS_IN_IAM_POLICIES, b_key="the key of B"),
        *keys(
            DENIED,
            aws.KEY_OF_ANOTHER_ACCOUNT,
            a_plain="a key of A that does not name the role",
            key_of_a_third="a key that names the role, of an account that is no customer",
        ),
    ],
)

ON_A_PATH = cases(
    "the vendor's role on a path, with everything else allowed, decrypts with a key that names it",
    aws.ROLE_PRINCIPAL,
    asked(vendor="role_on_a_path", key="a_for_the_role_on_a_path", own_policies=True),
    [
        *keys(DENIED, aws.ROLE_PRINCIPAL, a_key="a key that names a role without the path"),
        row("without anything else", ALLOWED, aws.KEY_OF_ANOTHER_ACCOUNT, own_policies=False),
        *callers(
            DENIED,
            aws.ROLE_PRINCIPAL,
            {
                "a role of that name on another path": role(VENDOR, f"other/{NAME}"),
                "a role of that name and path of a stranger": Caller(ROLE_ON_A_PATH.replace(VENDOR, STRANGER)),
            },
        ),
    ],
)

# The vendor's role and others, to whom their own account allows everything.

EVERYTHING_ALLOWED = cases(
    "the vendor's role, with everything else allowed, decrypts with A's key",
    aws.KEY_OF_ANOTHER_ACCOUNT,
    asked(own_policies=True),
    [
        *does(["kms:Encrypt"], ALLOWED, aws.KEY_OF_ANOTHER_ACCOUNT),
        *does(without(USING, *ENCRYPTING), DENIED, aws.ACTIONS_OF_BOTH),
        *does(GRANTING, DENIED, aws.ACTIONS_OF_BOTH),
        *does(RULING, DENIED, aws.OPERATIONS_ACROSS_ACCOUNTS),
        *vendors(
            ALLOWED,
            aws.BOTH_SIDES,
            customer_b_alone="when A is no customer of the vendor",
            no_customers="when the vendor has no customers",
        ),
        *vendors(EXPLICITLY_DENIED, aws.EXPLICIT_DENY, role_denied_a="with a denial of the vendor's own"),
        *keys(
            ALLOWED,
            aws.BOTH_SIDES,
            key_of_a_third="a key that names the role, of an account that is no customer",
            key_one_digit_from_a="a key that names the role, of an account one digit from A",
            key_of_pinecone="a key that names the role, of Pinecone's account",
        ),
        *keys(
            DENIED,
            aws.KEY_OF_ANOTHER_ACCOUNT,
            a_plain="a key of A that does not name the role",
            b_plain="a key of B that does not name the role",
        ),
        *keys(
            DENIED,
            aws.ROLE_PRINCIPAL,
            a_for_another_role="a key of A that names another role of the vendor",
            a_for_a_strangers_namesake="a key of A that names a role of that name of a stranger",
        ),
        *keys(
            ALLOWED,
            aws.IAM_POLICIES_ENABLED,
            vendors_plain_key="a key of the vendor's own account that does not name the role",
        ),
        *keys(
            EXPLICITLY_DENIED,
            aws.EXPLICIT_DENY,
            a_suspended="a key of A that is suspended",
            a_denying="a key of A with a denial of A's own",
        ),
        *callers(
            DENIED,
            aws.KEY_POLICY_NAMES_ROLES,
            {
                "another role of the vendor": OTHER_ROLE,
                "a role of the vendor with a longer name": role(VENDOR, f"{NAME}2"),
                "a role of the vendor with a shorter name": role(VENDOR, NAME[:-1]),
                "a role of the vendor with the name on a path": Caller(ROLE_ON_A_PATH),
                "a user of the vendor with the role's name": Caller(VENDOR_ROLE.replace("role/", "user/")),
                "an administrator of the vendor": admin(VENDOR),
                "the vendor's root user": root(VENDOR),
            },
        ),
        *callers(
            DENIED,
            aws.ROLE_PRINCIPAL,
            {
                "a role of that name of a stranger": Caller(NAMESAKE_OF_A_STRANGER),
                "a role of that name of B": role(B, NAME),
                "a role of that name of Pinecone": role(PINECONE, NAME),
            },
        ),
        *callers(
            DENIED,
            aws.KEY_OF_ANOTHER_ACCOUNT,
            {
                "Pinecone's own role, directly": PINECONES_ROLE,
                "Pinecone's root user": root(PINECONE),
                "an administrator of B": admin(B),
                "B's root user": root(B),
                "an administrator of a stranger": admin(STRANGER),
            },
        ),
        *callers(
            DENIED,
            aws.KEY_POLICY_DECIDES,
            {"an AWS service": Caller("s3.amazonaws.com"), "nobody, unsigned": Caller(None)},
        ),
        *callers(
            ALLOWED,
            aws.IAM_POLICIES_ENABLED,
            {
                "a role of that name of A, by A's own IAM policy": role(A, NAME),
                "an administrator of A": admin(A),
                "A's root user": root(A),
            },
        ),
    ],
)

NAMED_ALONE = cases(
    "another role of the vendor, with everything else allowed, decrypts with a key that names it",
    aws.KEY_OF_ANOTHER_ACCOUNT,
    asked(key="a_for_another_role", caller=OTHER_ROLE, own_policies=True),
    [
        row("without anything allowed", DENIED, aws.KEY_OF_ANOTHER_ACCOUNT, own_policies=False),
        *keys(
            DENIED,
            aws.KEY_POLICY_NAMES_ROLES,
            a_key="A's key for the vendor's role",
            b_key="B's key for the vendor's role",
            key_of_a_third="a third account's key for the vendor's role",
        ),
    ],
)

NAMESAKE_ALONE = cases(
    "a stranger's role of that name, with everything else allowed, decrypts with a key that names it",
    aws.KEY_OF_ANOTHER_ACCOUNT,
    asked(key="a_for_a_strangers_namesake", caller=Caller(NAMESAKE_OF_A_STRANGER), own_policies=True),
    [
        *keys(DENIED, aws.ROLE_PRINCIPAL, a_key="A's key for the vendor's role"),
        *callers(DENIED, aws.ROLE_PRINCIPAL, {"the vendor's role": THE_ROLE}),
    ],
)

# More than the guide's two actions.

KEY_USER_BY_THE_GUIDE = cases(
    "the vendor's role decrypts with a key of A whose user it is",
    aws.ACTIONS_OF_BOTH,
    asked(key="a_key_user"),
    [
        *does(["kms:Encrypt"], ALLOWED, aws.ACTIONS_OF_BOTH),
        *does(without(USING, *ENCRYPTING), DENIED, aws.ACTIONS_OF_BOTH),
        *does(GRANTING, DENIED, aws.ACTIONS_OF_BOTH),
        *does(["kms:PutKeyPolicy"], DENIED, aws.OPERATIONS_ACROSS_ACCOUNTS),
        *keys(EXPLICITLY_DENIED, aws.EXPLICIT_DENY, a_key_user_suspended="while it is suspended"),
    ],
)

KEY_USER = cases(
    "the vendor's role, with everything else allowed, makes a data key with a key of A whose user it is",
    aws.KEY_USERS,
    asked("kms:GenerateDataKey", key="a_key_user", own_policies=True),
    [
        *does(without(USING, "kms:GenerateDataKey"), ALLOWED, aws.KEY_USERS),
        *does(GRANTING, DENIED, aws.GRANT_IS_FOR_AWS, " by itself"),
        *does(RULING, DENIED, aws.OPERATIONS_ACROSS_ACCOUNTS),
        row("without anything else", DENIED, aws.ACTIONS_OF_BOTH, own_policies=False),
        *keys(
            DENIED,
            aws.ACTIONS_OF_BOTH,
            a_key="a key of A with which it may encrypt and decrypt",
            b_key="a key of B with which it may encrypt and decrypt",
        ),
        *keys(EXPLICITLY_DENIED, aws.EXPLICIT_DENY, a_key_user_suspended="while it is suspended"),
        *callers(
            DENIED,
            aws.KEY_POLICY_NAMES_ROLES,
            {"another role of the vendor": OTHER_ROLE, "the vendor's root user": root(VENDOR)},
        ),
        *callers(DENIED, aws.KEY_OF_ANOTHER_ACCOUNT, {"Pinecone's own role, directly": PINECONES_ROLE}),
    ],
)

GRANTS = cases(
    "the vendor's role, with everything else allowed, makes a grant through an AWS service with a "
    "key of A whose user it is",
    aws.KEY_USERS_GRANTS,
    asked("kms:CreateGrant", key="a_key_user", own_policies=True, for_aws_resource=True),
    [
        *does(without(GRANTING, "kms:CreateGrant"), ALLOWED, aws.KEY_USERS_GRANTS),
        row("by itself", DENIED, aws.GRANT_IS_FOR_AWS, for_aws_resource=False),
        row("without a word of AWS's", DENIED, aws.MISSING_KEY, for_aws_resource=None),
        row("without anything else", DENIED, aws.ACTIONS_OF_BOTH, own_policies=False),
        *keys(DENIED, aws.ACTIONS_OF_BOTH, a_key="a key with which it may encrypt and decrypt"),
        *keys(EXPLICITLY_DENIED, aws.EXPLICIT_DENY, a_key_user_suspended="while it is suspended"),
        *callers(DENIED, aws.KEY_POLICY_NAMES_ROLES, {"another role of the vendor": OTHER_ROLE}),
    ],
)

CASES: list[CaseOf[Question]] = [
    *ROLE_DECRYPTS,
    *ROLE_DECRYPTS_FOR_B,
    *ROLE_ENCRYPTS,
    *NEITHER_SIDE,
    *ONE_KEY,
    *ONE_KEY_OF_EACH,
    *ONE_KEY_AND_AN_ACCOUNT,
    *BY_CMEK_YAML,
    *ON_A_PATH,
    *EVERYTHING_ALLOWED,
    *NAMED_ALONE,
    *NAMESAKE_ALONE,
    *KEY_USER_BY_THE_GUIDE,
    *KEY_USER,
    *GRANTS,
]
"""Every case of these tables."""
