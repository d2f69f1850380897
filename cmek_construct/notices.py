"""What may be right and is unusual: the warnings, each with a stable id.

The ids are an interface: `cdk.Validations.of(construct).acknowledge(…)` names them.
Pure Python over plain data; values come without tokens.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from cmek_construct import limits
from cmek_construct.guide import PINECONE_REGIONS, Policy, Statement


@dataclass(frozen=True)
class Notice:
    """One warning: its id, and what it says."""

    id: str
    message: str


def region_not_in_guide(region: str) -> Notice:
    return Notice(
        "cmek-construct:region-not-in-guide",
        f"regions: {region} is none of the regions of Pinecone's guide "
        f"({', '.join(PINECONE_REGIONS)}). If Pinecone has no role for it, IAM refuses the whole "
        "trust policy ('Invalid principal in policy'). Check the spelling, or acknowledge this "
        "if Pinecone told you that the region is served.",
    )


def pinecone_account_is_own(account: str) -> Notice:
    return Notice(
        "cmek-construct:pinecone-account-is-own",
        f"pinecone_account_id: {account} is the account of this stack, so your own roles would "
        "come in and Pinecone would not. Copy Pinecone's number from the Pinecone console, "
        "Manage > CMEK > Add CMEK.",
    )


def no_external_id() -> Notice:
    return Notice(
        "cmek-construct:no-external-id",
        "external_id: there is none, so another Pinecone customer who learns this role's ARN "
        "could have Pinecone use it. Give a UUID v4, as the guide advises; once the key is set "
        "in Pinecone, none can be added.",
    )


def external_id_not_uuid_v4(external_id: str) -> Notice:
    return Notice(
        "cmek-construct:external-id-not-uuid-v4",
        f"external_id: {external_id!r} is no UUID v4, which the guide asks for: an ID that can "
        "be guessed protects less. Make one once with `cmek init` or `uuidgen`.",
    )


def external_id_used_twice(names: Iterable[str]) -> Notice:
    return Notice(
        "cmek-construct:external-id-used-twice",
        f"external_id: {' and '.join(names)} have the same one. Give each its own: `cmek add` "
        "makes one.",
    )


def trust_policy_over_quota(characters: int) -> Notice:
    return Notice(
        "cmek-construct:trust-policy-over-quota",
        f"regions: the trust policy has {characters:,} characters, over IAM's default quota of "
        f"{limits.TRUST_POLICY_QUOTA:,}. Have the quota 'Role trust policy length' raised for "
        "the account, list fewer regions, or use ALL_REGIONS with an external ID.",
    )


def key_region_not_in_regions(key_region: str, regions: Iterable[str]) -> Notice:
    return Notice(
        "cmek-construct:key-region-not-in-regions",
        f"regions: the key is in {key_region}, and Pinecone may come from {', '.join(regions)} "
        "alone. Whether Pinecone takes a key from another region than the index's is not known "
        "from outside. Check the spelling of both; add the region, or move the stack.",
    )


def role_trust_policy(statement: Statement) -> Notice:
    return Notice(
        "cmek-construct:role-trust-policy",
        "role: the trust policy of the given role is not seen to let Pinecone in as asked. Where "
        f"the role is made, add this statement to its trust policy: {json.dumps(statement)}",
    )


def key_policy(statements: list[Statement]) -> Notice:
    return Notice(
        "cmek-construct:key-policy",
        "key: the policy of the imported key cannot be changed from here. Once the role is "
        "deployed, add these statements to the key policy: "
        f"{json.dumps(statements)}",
    )


def role_in_another_account(permissions: Policy) -> Notice:
    return Notice(
        "cmek-construct:role-in-another-account",
        "role: role and key are in two accounts, where AWS wants both sides to allow. Beside "
        "the key policy, the role needs this permissions policy: "
        f"{json.dumps(permissions)}",
    )


def iam_events_not_seen() -> Notice:
    return Notice(
        "cmek-construct:iam-events-not-seen",
        "cmek: the Region of the stack is not known at synth, and IAM's events exist in us-east-1 "
        "alone: deployed elsewhere, nobody is told of a change of the role (its trust policy, its "
        "permissions, its deletion). Give the stack an env with its region, and a stack in "
        "us-east-1 is made that forwards them; or forward them yourself and say so with "
        "iam_events_forwarded=True.",
    )


def role_events_elsewhere(account: str) -> Notice:
    return Notice(
        "cmek-construct:role-events-elsewhere",
        f"cmek: the role is in account {account}, where its events stay: nobody is told here of a "
        "change of the role (its trust policy, its permissions, its deletion). Watch it there.",
    )


def topic_policy(statement: Statement) -> Notice:
    return Notice(
        "cmek-construct:topic-policy",
        "topic: the policy of an imported topic cannot be changed from here, and without this "
        "statement in it nothing arrives. Add it where the topic is made (if the topic is "
        "encrypted, the key policy needs kms:Decrypt and kms:GenerateDataKey* for the same "
        f"principal): {json.dumps(statement)}",
    )
