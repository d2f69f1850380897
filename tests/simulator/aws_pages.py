"""What AWS's documentation says: where every expected answer comes from.

Paths are below https://docs.aws.amazon.com/.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """One statement of AWS's documentation, in short, and where it stands."""

    title: str
    path: str
    says: str


def _iam(title: str, page: str, says: str) -> Page:
    return Page(f"IAM User Guide: {title}", f"IAM/latest/UserGuide/{page}", says)


def _kms(title: str, page: str, says: str) -> Page:
    return Page(f"KMS Developer Guide: {title}", f"kms/latest/developerguide/{page}", says)


_ENFORCEMENT = "How AWS enforcement code logic evaluates requests to allow or deny access"
_ENFORCEMENT_PAGE = "reference_policies_evaluation-logic_policy-eval-denyallow.html"
IMPLICIT_DENY = _iam(
    _ENFORCEMENT, _ENFORCEMENT_PAGE, "what no policy allows is denied, except to the account's root user"
)
EXPLICIT_DENY = _iam(_ENFORCEMENT, _ENFORCEMENT_PAGE, "an explicit deny overrides every explicit allow")
TRUST_IS_NEEDED = _iam(
    _ENFORCEMENT,
    _ENFORCEMENT_PAGE,
    "an identity's own policy is not enough for a role or a key: trust policies and key policies "
    "must allow the principal explicitly",
)
BOTH_SIDES = _iam(
    "Cross-account policy evaluation logic",
    "reference_policies_evaluation-logic-cross-account.html",
    "across accounts the resource's policy and the caller's own policy must both allow",
)

_PRINCIPAL = "AWS JSON policy elements: Principal"
_PRINCIPAL_PAGE = "reference_policies_elements_principal.html"
ROLE_PRINCIPAL = _iam(
    _PRINCIPAL,
    f"{_PRINCIPAL_PAGE}#principal-roles",
    "an ARN names one role of one account; no wildcard matches a part of a name or ARN",
)
ROLE_SESSION = _iam(
    _PRINCIPAL,
    f"{_PRINCIPAL_PAGE}#principal-role-session",
    "a session has what is given to the ARN of the role that was assumed",
)
EVERY_PRINCIPAL = _iam(
    _PRINCIPAL,
    f"{_PRINCIPAL_PAGE}#principal-anonymous",
    "* is every principal, also unsigned ones; the Condition element limits it",
)
ACCOUNT_PRINCIPAL = _iam(
    _PRINCIPAL,
    f"{_PRINCIPAL_PAGE}#principal-accounts",
    "an account's root ARN is the account: its own IAM policies delegate to whom they like",
)

_OPERATORS = "IAM JSON policy elements: Condition operators"
_OPERATORS_PAGE = "reference_policies_elements_condition_operators.html"
STRING_EQUALS = _iam(_OPERATORS, f"{_OPERATORS_PAGE}#Conditions_String", "StringEquals is exact and case-sensitive")
STRING_LIKE = _iam(
    _OPERATORS,
    f"{_OPERATORS_PAGE}#Conditions_String",
    "StringLike is case-sensitive, and * stands for any number of any characters",
)
MISSING_KEY = _iam(
    _OPERATORS, _OPERATORS_PAGE, "a key that is not in the request does not match, and the condition is false"
)
IF_EXISTS = _iam(
    _OPERATORS,
    f"{_OPERATORS_PAGE}#Conditions_IfExists",
    "with ...IfExists, a key that is not in the request makes the condition true",
)
PRINCIPAL_ARN = _iam(
    "AWS global condition context keys",
    "reference_policies_condition-keys.html#condition-keys-principalarn",
    "aws:PrincipalArn is the role's ARN for a role session; unsigned requests have none",
)

EXTERNAL_ID = _iam(
    "How to use an external ID when granting access to your AWS resources to a third party",
    "id_roles_create_for-user_externalid.html",
    "who assumes the role must be a principal of it and present the correct external ID",
)
EXTERNAL_ID_IS_OPTIONAL = _iam(
    "How to use an external ID when granting access to your AWS resources to a third party",
    "id_roles_create_for-user_externalid.html",
    "the ID is optional: it counts where the trust policy has a condition on it",
)
SESSION_TAGS = _iam(
    "Pass session tags in AWS STS",
    "id_session-tags.html#id_session-tags_permissions-required",
    "without sts:TagSession in the trust policy, no session with tags",
)
SOURCE_IDENTITY = _iam(
    "Monitor and control actions taken with assumed roles",
    "id_credentials_temp_control-access_monitor.html",
    "without sts:SetSourceIdentity in the trust policy, no session with a source identity",
)
OTHER_ACTIONS = _iam(
    "IAM JSON policy elements: Action",
    "reference_policies_elements_action.html",
    "a statement is about the actions that it names",
)

KEY_POLICY_DECIDES = _kms(
    "Key policies in AWS KMS",
    "key-policies.html",
    "no principal has any permission to a key unless the key policy gives it, or lets IAM give it",
)
_DEFAULT = "Default key policy"
_DEFAULT_PAGE = "key-policy-default.html"
IAM_POLICIES_ENABLED = _kms(
    _DEFAULT,
    f"{_DEFAULT_PAGE}#key-policy-default-allow-root-enable-iam",
    "the account has full access and may delegate by IAM policies; the statement gives no role "
    "or user anything by itself",
)
KEY_USERS = _kms(
    _DEFAULT,
    f"{_DEFAULT_PAGE}#key-policy-users-crypto",
    "key users encrypt, decrypt, re-encrypt, make data keys and describe the key",
)
KEY_USERS_GRANTS = _kms(
    _DEFAULT,
    f"{_DEFAULT_PAGE}#key-policy-service-integration",
    "key users make, list and revoke grants only through an AWS service",
)
KEY_ADMINISTRATORS = _kms(
    _DEFAULT,
    f"{_DEFAULT_PAGE}#key-policy-default-allow-administrators",
    "administrators manage the key and its grants, but do not use it to encrypt or decrypt",
)
ROTATE_ON_DEMAND = _kms(
    "Perform on-demand key rotation",
    "rotating-keys-on-demand.html",
    "who has kms:RotateKeyOnDemand rotates the key at once",
)
GRANT_IS_FOR_AWS = _kms(
    "AWS KMS condition keys",
    "conditions-kms.html#conditions-kms-grant-is-for-aws-resource",
    "kms:GrantIsForAWSResource lets no user call the grant operations directly",
)
KEY_OF_ANOTHER_ACCOUNT = _kms(
    "Allowing users in other accounts to use a KMS key",
    "key-policy-modifying-external-accounts.html",
    "the key policy and an IAM policy in the other account must both allow; neither alone is sufficient",
)

# Keys of other accounts.

_OTHER_ACCOUNTS = "Allowing users in other accounts to use a KMS key"
_OTHER_ACCOUNTS_PAGE = "key-policy-modifying-external-accounts.html"
KEY_POLICY_NAMES_ROLES = _kms(
    _OTHER_ACCOUNTS,
    f"{_OTHER_ACCOUNTS_PAGE}#cross-account-iam-policy",
    "where the key policy names users or roles, an IAM policy for anybody else has no effect",
)
ACTIONS_OF_BOTH = _kms(
    _OTHER_ACCOUNTS,
    f"{_OTHER_ACCOUNTS_PAGE}#cross-account-iam-policy",
    "the IAM policy gives all or a subset of the key policy's actions; other ones have no effect",
)
OPERATIONS_ACROSS_ACCOUNTS = _kms(
    _OTHER_ACCOUNTS,
    _OTHER_ACCOUNTS_PAGE,
    "across accounts there are cryptographic operations, DescribeKey, GetKeyRotationStatus, "
    "GetPublicKey and those of grants; permission for others has no effect",
)
KEYS_IN_IAM_POLICIES = _kms(
    "Specifying KMS keys in IAM policy statements",
    "cmks-in-iam-policies.html",
    "arn:aws:kms:*:account:key/* is every key of that account in every Region, a key ARN that key alone",
)
KEY_POLICY_OF_ONE_KEY = _kms(
    "Create a key policy",
    "key-policy-overview.html#key-policy-elements",
    "in a key policy, Resource * is the key that the policy is attached to",
)
MULTI_REGION_KEY = _kms(
    "Control access to multi-Region keys",
    "multi-region-keys-auth.html",
    "each multi-Region key is an independent resource with a key ARN and a key policy of its own",
)
ALIASES = _kms(
    "Controlling access to aliases",
    "alias-access.html",
    "permission for an alias comes from an IAM policy of the principal, for the alias's ARN",
)
RESOURCES = _iam(
    "IAM JSON policy elements: Resource",
    "reference_policies_elements_resource.html",
    "an ARN names one resource; in it, * and ? alone stand for other characters",
)
ATTACHED_POLICIES = _iam(
    "Managed policies and inline policies",
    "access_policies_managed-vs-inline.html#customer-managed-policies",
    "who has a managed policy attached has the permissions that it defines",
)
SESSIONS_GO_ON = _iam(
    "Permissions for temporary security credentials",
    "id_credentials_temp_control-access.html",
    "issued credentials are valid until they expire; each request is decided by the permissions that they have then",
)
