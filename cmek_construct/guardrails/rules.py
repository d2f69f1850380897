"""Every rule, with the sentence that a reviewer reads.

The ids are an interface: people acknowledge them.
"""

from __future__ import annotations

from typing import Any, Final

from cmek_construct.guardrails import (
    denials,
    ids,
    key,
    key_policy,
    pasted,
    retention,
    role,
    trust,
    trust_conditions,
    unreadable,
)
from cmek_construct.guardrails.rule import Rule
from cmek_construct.guardrails.subjects import Alias, Attached, Key, Naming, Pasted, Role
from cmek_construct.guide import KEY_USE

_GUIDE: Final = "Write one of the three trust policies of Pinecone's guide (step 1.5)."
_KEY_FOR_GOOD: Final = "Take it back before the key is made: it can't be changed later."
_RETAIN: Final = (
    "Set DeletionPolicy to RetainExceptOnCreate and UpdateReplacePolicy to Retain: "
    "apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)."
)
_PERMISSIONS: Final = (
    "The role has no permissions but those on customers' keys of the guide's second tab.",
    "Take the policy off the role: the key policy lets it use the key.",
)
_READABLE: Final = (
    "Everything that says who may do what can be read from the template.",
    "Write it out, or for an external ID take a parameter.",
)

RULES: Final[tuple[Rule[Any], ...]] = (
    Rule(
        "trust-foreign-principal",
        Role,
        trust.foreign_principal,
        "The trust policy names Pinecone's CMEK roles and nobody else.",
        "Take the principal out of the role's trust policy.",
    ),
    Rule(
        "trust-look-alike",
        Role,
        trust.look_alike,
        "Pinecone's roles are named to the letter: pinecone_cmek_access_<region>.",
        _GUIDE,
    ),
    Rule(
        "trust-partition",
        Role,
        trust.other_partition,
        "Pinecone's roles are of the AWS partition aws.",
        _GUIDE,
    ),
    Rule(
        "trust-open-to-all",
        Role,
        trust.open_to_all,
        "Everybody, or a whole account, is named under both conditions of the guide's third trust "
        "policy alone.",
        "Ask for sts:ExternalId by StringEquals and for aws:PrincipalArn by StringLike, or name "
        "Pinecone's roles.",
    ),
    Rule(
        "trust-principal-pattern",
        Role,
        trust_conditions.principal_pattern,
        "aws:PrincipalArn is compared with pinecone_cmek_access_* of Pinecone's account alone.",
        _GUIDE,
    ),
    Rule(
        "trust-external-id",
        Role,
        trust_conditions.external_id,
        "An external ID is one legal value, compared by StringEquals, and the one of the output.",
        "Ask for the one external ID of cmek.yaml, by StringEquals.",
    ),
    Rule(
        "trust-optional-condition",
        Role,
        trust_conditions.optional_condition,
        "No condition of the trust policy is an option: no …IfExists, no ForAllValues:, no "
        "ForAnyValue:, no Null, no negation.",
        "Write StringEquals for sts:ExternalId and StringLike for aws:PrincipalArn.",
    ),
    Rule(
        "trust-accounts",
        Role,
        trust.accounts,
        "Pinecone's account is one.",
        "Copy Pinecone's number from the Pinecone console, Manage > CMEK > Add CMEK.",
    ),
    Rule(
        "trust-own-account",
        Role,
        trust.own_account,
        "Pinecone's account is not the role's own.",
        "Copy Pinecone's number from the Pinecone console, Manage > CMEK > Add CMEK.",
    ),
    Rule(
        "trust-action",
        Role,
        trust.action,
        "The trust policy allows sts:AssumeRole alone.",
        "Leave sts:AssumeRole as the one action.",
    ),
    Rule(
        "trust-not-element",
        Role,
        trust.not_element,
        "No NotPrincipal, NotAction, Resource or NotResource is in an Allow of the trust policy.",
        _GUIDE,
    ),
    Rule(
        "trust-second-statement",
        Role,
        trust.second_statement,
        "One statement of the trust policy allows; no second one opens another door.",
        "Take the second statement out; give who needs it a role of its own.",
    ),
    Rule(
        "key-owner",
        Key,
        key_policy.owner_rules,
        "The account's root may do kms:* with the key, without condition.",
        'Put the statement "Enable IAM User Permissions" of the KMS console back.',
    ),
    Rule(
        "key-owner-denied",
        Key,
        denials.owner_denied,
        "No denial takes kms:PutKeyPolicy from the account that owns the key.",
        "Deny single actions, or single principals, and leave kms:PutKeyPolicy to the account.",
    ),
    Rule(
        "key-role-access",
        Key,
        key_policy.role_access,
        "The role is no more than a key user of the KMS console.",
        f"Leave the role {', '.join(KEY_USE[:-1])} and {KEY_USE[-1]}.",
    ),
    Rule(
        "key-grants",
        Key,
        key_policy.role_grants,
        "The role makes grants for AWS services alone.",
        "Set the condition Bool kms:GrantIsForAWSResource true, or take the grant actions out.",
    ),
    Rule(
        "key-open-to-all",
        Key,
        key_policy.open_to_all,
        "The key policy allows nothing to *.",
        "Name the roles of your account that need the key.",
    ),
    Rule(
        ids.FOREIGN_PRINCIPAL,
        Key,
        key_policy.foreign_principal,
        "The key policy allows nothing to another account or a service, but for a vendor's role "
        "that was declared.",
        "Take the principal out; or declare a vendor's role, by "
        "CmekGuardrails(vendor_role_arns=[…]) or with CustomerKey.",
    ),
    Rule(
        "key-not-element",
        Key,
        key_policy.not_element,
        "No NotPrincipal, NotAction or NotResource is in an Allow of the key policy.",
        "Name the principals and actions that are meant.",
    ),
    Rule(
        "key-kind",
        Key,
        key.kind,
        "The key is symmetric, for encryption, with key material of KMS.",
        _KEY_FOR_GOOD,
    ),
    Rule(
        "key-enabled",
        Key,
        key.enabled,
        "The key is enabled.",
        "Take Enabled out. To cut Pinecone off, use suspended=True.",
    ),
    Rule(
        ids.ROTATION,
        Key,
        key.rotation,
        "The key rotates; its ARN stays the same.",
        "Set EnableKeyRotation to true, or enable_key_rotation=False on the construct.",
    ),
    Rule(
        ids.MULTI_REGION,
        Key,
        key.multi_region,
        "The key is in one Region.",
        f"{_KEY_FOR_GOOD} If it is meant, set multi_region=True on the construct.",
    ),
    Rule(
        ids.PENDING_WINDOW,
        Key,
        key.pending_window,
        "An order to delete the key can be called off for more than the least of 7 days.",
        "Leave PendingWindowInDays out: 30 days; or set pending_window on the construct.",
    ),
    Rule(
        "key-lockout-check",
        Key,
        key.lockout_check,
        "KMS checks that the key policy locks nobody out.",
        "Take BypassPolicyLockoutSafetyCheck out.",
    ),
    Rule("role-permissions", Role, role.permissions, *_PERMISSIONS),
    Rule("role-permissions", Attached, role.attached, *_PERMISSIONS),
    Rule("role-permissions", Naming, role.named, *_PERMISSIONS),
    Rule(
        "role-session",
        Role,
        role.session,
        "Sessions of the role last one hour at most.",
        "Take MaxSessionDuration out.",
    ),
    Rule(
        ids.ROLE_RETAINED,
        Role,
        retention.role,
        "The role is kept when the stack is deleted or would replace it.",
        _RETAIN,
    ),
    Rule(
        ids.KEY_RETAINED,
        Key,
        retention.key,
        "The key is kept when the stack is deleted or would replace it.",
        _RETAIN,
    ),
    Rule(
        ids.ALIAS_RETAINED,
        Alias,
        retention.alias,
        "The alias is kept when the stack is deleted.",
        "Set the alias's DeletionPolicy to RetainExceptOnCreate.",
    ),
    Rule(
        "alias-target",
        Alias,
        retention.alias_target,
        "The alias names the key that Pinecone encrypts with.",
        "Set the alias's TargetKeyId to the key.",
    ),
    Rule(
        "output-value",
        Pasted,
        pasted.other,
        "What an output gives for Pinecone's console is the role or the key of the template.",
        "Set the output's Value to the ARN of the role or the key.",
    ),
    Rule(ids.CANNOT_BE_JUDGED, Role, unreadable.in_role, *_READABLE),
    Rule(ids.CANNOT_BE_JUDGED, Key, unreadable.in_key, *_READABLE),
    Rule(ids.CANNOT_BE_JUDGED, Attached, unreadable.in_attached, *_READABLE),
)
"""In the order in which they are reported."""
