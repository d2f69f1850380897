"""What Pinecone's guide and the KMS console say: facts, action lists, statements, whole policies.

The denials alone are ours: those of a suspension, and that of a key in use.

Read beside Pinecone's guide, https://docs.pinecone.io, "Configure customer-managed encryption keys", whose steps are
named, and AWS's KMS developer guide, "Default key policy". Pinecone's account number is not here: only its console
shows it. Pure Python over plain data; values may be CDK tokens, and nothing looks into them.
"""

import enum
from collections.abc import Sequence
from typing import Any, Final, Literal, TypeAlias

Statement: TypeAlias = dict[str, Any]
Policy: TypeAlias = dict[str, Any]

# Pinecone

PINECONE_REGIONS: Final[tuple[str, ...]] = ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-1")
"""The five AWS regions of the guide's trust policies (step 1.5), in the guide's order."""
ROLE_NAME_PREFIX: Final = "pinecone_cmek_access_"
"""Pinecone comes as ``arn:aws:iam::<its account>:role/pinecone_cmek_access_<region>``."""


class AllRegions(enum.Enum):
    """The type of `ALL_REGIONS`."""

    ALL_REGIONS = "ALL_REGIONS"

    def __repr__(self) -> str:
        return self.value


ALL_REGIONS: Final[Literal[AllRegions.ALL_REGIONS]] = AllRegions.ALL_REGIONS
"""Pass as ``regions`` for the guide's third trust policy: Pinecone's role of every region, today's and tomorrow's.
Needs an external ID."""

Regions: TypeAlias = Sequence[str] | AllRegions

# Actions, in the order of their source

ENCRYPT_DECRYPT: Final = ("kms:Decrypt", "kms:Encrypt")  # the guide's second tab (step 1.5)
# The console's "Key users" (step 2.11), by themselves and for grants to AWS services alone
KEY_USE: Final = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")
GRANTS: Final = ("kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant")
ENDING: Final = ("kms:DisableKey", "kms:ScheduleKeyDeletion")  # what ends the use of a key, at once or for good
ADMINISTRATION: Final = (  # the console's "Key administrators" (step 2.10 keeps the default: none)
    "kms:Create*", "kms:Describe*", "kms:Enable*", "kms:List*", "kms:Put*", "kms:Update*", "kms:Revoke*",
    "kms:Disable*", "kms:Get*", "kms:Delete*", "kms:TagResource", "kms:UntagResource", "kms:ScheduleKeyDeletion",
    "kms:CancelKeyDeletion", "kms:RotateKeyOnDemand",
)  # fmt: skip


class KeyAccess(enum.Enum):
    """What the key policy lets Pinecone's role do with the key."""

    KEY_USER = "KEY_USER"
    """The KMS console's "Key users" (step 2.11 of the guide): encrypt, decrypt, re-encrypt, make data keys,
    describe, and grants for AWS services alone."""

    ENCRYPT_DECRYPT = "ENCRYPT_DECRYPT"
    """``kms:Decrypt`` and ``kms:Encrypt`` alone, as in the guide's second tab. Whether these two are enough for
    Pinecone's "Add CMEK" cannot be verified from outside Pinecone."""


_USE: Final = {KeyAccess.KEY_USER: KEY_USE, KeyAccess.ENCRYPT_DECRYPT: ENCRYPT_DECRYPT}


def policy_document(*statements: Any) -> Policy:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _statement(effect: str, sid: str, principal: Any, action: str | Sequence[str], **more: Any) -> Statement:
    actions = action if isinstance(action, str) else list(action)
    return {"Sid": sid, "Effect": effect, "Principal": {"AWS": principal}, "Action": actions, **more}


def trust_policy(
    account_id: str,
    regions: Regions,
    external_id: str | None = None,
    *,
    pin_account: bool = False,
    suspended: bool = False,
) -> Policy:
    """Who may assume the role (step 1): Pinecone, as in `trust_statement`, or while ``suspended`` nobody."""
    statement = trust_statement(account_id, regions, external_id, pin_account=pin_account)
    return policy_document(statement, *([assume_role_denial()] if suspended else []))


def trust_statement(
    account_id: str, regions: Regions, external_id: str | None = None, *, pin_account: bool = False
) -> Statement:
    """The guide's trust statement (step 1.5) for Pinecone's account: one of three, by regions and external ID.

    With `ALL_REGIONS`, ``pin_account`` names Pinecone's account root in place of ``*``.
    """
    role = f"arn:aws:iam::{account_id}:role/{ROLE_NAME_PREFIX}"
    with_id = {"StringEquals": {"sts:ExternalId": external_id}}
    if regions is ALL_REGIONS:
        sid = "AllowPineconeToAssumeIntoRoleFromAllRegions"
        principal = f"arn:aws:iam::{account_id}:root" if pin_account else "*"
        condition = {**with_id, "StringLike": {"aws:PrincipalArn": f"{role}*"}}
        return _statement("Allow", sid, principal, "sts:AssumeRole", Condition=condition)
    roles = [f"{role}{region}" for region in regions]
    if external_id is None:
        return _statement("Allow", "AllowPineconeToAssumeIntoRoleFromExplicitRegions", roles, "sts:AssumeRole")
    sid = "AllowPineconeToAssumeIntoRoleFromExplicitRegionswithID"
    return _statement("Allow", sid, roles, "sts:AssumeRole", Condition=with_id)


def assume_role_denial() -> Statement:
    """Nobody assumes the role: the suspension where no key policy can be changed from here."""
    return _statement("Deny", "DenyEverybodyWhileSuspended", "*", "sts:AssumeRole")


def key_policy(
    owner: str,
    role_arn: str,
    access: KeyAccess,
    *,
    admins: Sequence[str] | Statement = (),
    suspended: bool = False,
    protect_used_key: int | None = None,
) -> Policy:
    """Who may do what with the key (step 2): the account that owns it, administrators if there are any, and the role.

    Administrators are ARNs, or a statement whose principals and conditions count. ``suspended``: the role may do
    nothing. ``protect_used_key``: nobody may end the key while it was used within so many days.
    """
    return policy_document(
        root_statement(owner),
        *([key_admins_statement(admins)] if admins else []),
        *role_statements(role_arn, access, suspended=suspended),
        *([used_key_denial(protect_used_key)] if protect_used_key else []),
    )


def key_policy_in_template(role_arn: str, access: KeyAccess, suspended_if: str) -> Policy:
    """`key_policy` for whichever account deploys a template without the CDK, with the suspension under a condition."""
    root, *use, denial = key_policy("${AWS::AccountId}", role_arn, access, suspended=True)["Statement"]
    root["Principal"]["AWS"] = {"Fn::Sub": root["Principal"]["AWS"]}
    return policy_document(root, *use, only_if(suspended_if, denial))


def root_statement(owner: str) -> Statement:
    """The account that owns the key rules it, through its own IAM policies."""
    # Always there: without it a key can become unmanageable. Source: KMS developer guide, "Default key policy".
    return _statement("Allow", "Enable IAM User Permissions", f"arn:aws:iam::{owner}:root", "kms:*", Resource="*")


def key_admins_statement(admins: Sequence[str] | Statement) -> Statement:
    """The console's "Key administrators" (step 2.10 of the guide keeps the default: none)."""
    statement = _statement("Allow", "Allow access for Key Administrators", None, ADMINISTRATION, Resource="*")
    if isinstance(admins, dict):
        return statement | {name: admins[name] for name in ("Principal", "Condition") if name in admins}
    first, *others = dict.fromkeys(admins)
    return statement | {"Principal": {"AWS": [first, *others] if others else first}}


def role_statements(role_arn: str, access: KeyAccess, *, suspended: bool = False) -> list[Statement]:
    """What a key policy says of Pinecone's role: the console's "Key users" (step 2.11), or less."""
    statements = [_statement("Allow", "Allow use of the key", role_arn, _USE[access], Resource="*")]
    if access is KeyAccess.KEY_USER:
        sid = "Allow attachment of persistent resources"
        for_services = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
        statements.append(_statement("Allow", sid, role_arn, GRANTS, Resource="*", Condition=for_services))
    return [*statements, *([key_denial(role_arn)] if suspended else [])]


def key_denial(role_arn: str) -> Statement:
    """The role may do nothing with the key, whatever other policy lets it: the suspension."""
    return _statement("Deny", "Deny Pinecone while suspended", role_arn, "kms:*", Resource="*")


def used_key_denial(days: int) -> Statement:
    """Nobody ends a key that was used within so many days; one that was never used is not held."""
    # Who may change the key policy may take it out: it stops a mistake. Source: KMS developer guide,
    # "kms:TrailingDaysWithoutKeyUsage".
    used = {"NumericLessThan": {"kms:TrailingDaysWithoutKeyUsage": str(days)}}
    return _statement("Deny", "Deny disabling or deleting a key in use", "*", ENDING, Resource="*", Condition=used)


def permissions(account_ids: Sequence[str], key_arns: Sequence[str] = ()) -> dict[str, Policy]:
    """Of a vendor's role: each managed policy, by the last digit of its customers' account IDs."""
    # In one account it needs none; for keys of others both sides must allow. The account ID alone decides, so who comes
    # or goes moves nobody else. AWS gives out account IDs at random, which fills the ten policies evenly.
    keys: dict[str, list[str]] = {account: [] for account in account_ids}  # of one without a list, all may be used
    for arn in key_arns:
        keys.setdefault(arn.split(":")[4], []).append(arn)
    policies = {digit: policy_document() for digit in sorted({account[-1] for account in keys})}
    for account in sorted(keys):
        policies[account[-1]]["Statement"].append(customer_statement(account, sorted(keys[account])))
    return policies


def customer_statement(account_id: str, key_arns: Sequence[str] = ()) -> Statement:
    """The statement of the guide's second tab, "Grant access to keys outside your account", for single keys or all."""
    # The guide shows it in the box of the trust policy, which has no ``Resource``: it is a permission of the role.
    keys = list(key_arns) or f"arn:aws:kms:*:{account_id}:key/*"
    return {"Sid": account_id, "Effect": "Allow", "Action": list(ENCRYPT_DECRYPT), "Resource": keys}


def role_permissions(key_arn: str, access: KeyAccess) -> Policy:
    """The permissions policy of a role for one key of another account."""
    return policy_document({"Effect": "Allow", "Action": list(_USE[access]), "Resource": key_arn})


# What hangs on a condition of a CloudFormation template, in those that deploy without the CDK

NO_VALUE: Final = {"Ref": "AWS::NoValue"}


def only_if(condition: str, value: Any, otherwise: Any = NO_VALUE) -> dict[str, Any]:
    """A value that is there under a condition."""
    return {"Fn::If": [condition, value, otherwise]}
