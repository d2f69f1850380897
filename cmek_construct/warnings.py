"""Every id that can be acknowledged, an interface: warnings and their words, and guardrails.

`cdk.Validations.of(construct).acknowledge(…)` names them. Pure Python over plain data; values come without tokens.
"""

import json
import re
from typing import Any, Final, NamedTuple

# Guardrails: what must hold, by `cmek_construct.guardrails`

PLUGIN: Final = "cmek-guardrails"  # the plugin's name: `<plugin>::<rule>` acknowledges a rule
ROTATION: Final = "key-rotation"
MULTI_REGION: Final = "key-multi-region"
PENDING_WINDOW: Final = "key-pending-window"
ROLE_RETAINED: Final = "role-retained"
KEY_RETAINED: Final = "key-retained"
ALIAS_RETAINED: Final = "alias-retained"
GUARDRAILS: Final = (
    ROLE_RETAINED, KEY_RETAINED, ALIAS_RETAINED, "alias-target", "key-kind", "key-enabled", ROTATION, MULTI_REGION,
    PENDING_WINDOW, "key-lockout-check", "role-session", "cannot-be-judged", "pinecone-locked-out",
    "pinecone-not-seen-to-come-in", "key-owner", "key-owner-denied", "trust-size", "role-tags", "role-permissions",
    "output-value", "key-role-access", "key-grants", "key-open-to-all", "key-foreign-principal", "deleted-principal",
    "trust-partition", "trust-own-account", "trust-accounts", "trust-look-alike", "trust-action", "trust-external-id",
    "trust-principal-pattern", "trust-open-to-all", "trust-foreign-principal",
)  # fmt: skip

CONSTRUCT: Final = "cmek-construct"  # `cmek-construct:<warning>` acknowledges a warning
ROLE_OF_KEY: Final = f"{CONSTRUCT}:role"
"""The metadata of a key in which its construct tells the guardrails the ARN of the role that it is for."""

# Warnings: what may be right and is unusual

WARNINGS: Final = {
    "region-not-in-guide": "regions: {region} is none of the regions of Pinecone's guide ({listed}). If Pinecone has "
    "no role for it, IAM refuses the whole trust policy ('Invalid principal in policy'). Check the spelling, or "
    "acknowledge this if Pinecone told you that the region is served.",
    "pinecone-account-is-own": "pinecone_account_id: {account} is the account of this stack, so your own roles would "
    "come in and Pinecone would not. Copy Pinecone's number from the Pinecone console, Manage > CMEK > Add CMEK.",
    "no-external-id": "external_id: there is none, so another Pinecone customer who learns this role's ARN could have "
    "Pinecone use it. Give a UUID v4, as the guide advises; once the key is set in Pinecone, none can be added.",
    "external-id-not-uuid-v4": "external_id: {external_id!r} is no UUID v4, which the guide asks "
    "for: an ID that can be guessed protects less. Make one once with `cmek init` or `uuidgen`.",
    "external-id-used-twice": "external_id: {names} have the same one. Give each its own: `cmek add` makes one.",
    "trust-policy-over-quota": "regions: the trust policy has {size:,} characters, over IAM's "
    "default quota of {quota:,}. Have the quota 'Role trust policy length' raised for the account, "
    "list fewer regions, or use ALL_REGIONS with an external ID.",
    "key-region-not-in-regions": "regions: the key is in {key_region}, and Pinecone may come from "
    "{regions} alone. Whether Pinecone takes a key from another region than the index's is not "
    "known from outside. Check the spelling of both; add the region, or move the stack.",
    "role-not-retained": "role: the given role may be deleted with its stack, and a role that is "
    "made again under its name is another one to the key policy. Where it is made, add: "
    "role.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)",
    "role-trust-policy": "role: the trust policy of the given role is not seen to let Pinecone in "
    "as asked. Where the role is made, add this statement to its trust policy: {statement}",
    "key-policy": "key: the policy of the imported key cannot be changed from here. Once the role "
    "is deployed, add these statements to the key policy: {statements}",
    "role-in-another-account": "role: role and key are in two accounts, where AWS wants both sides "
    "to allow. Beside the key policy, the role needs this permissions policy: {permissions}",
    "iam-events-not-seen": "cmek: the Region of the stack is not known at synth, and IAM's events exist in us-east-1 "
    "alone: deployed elsewhere, nobody is told of a change of the role (its trust policy, its permissions, its "
    "deletion). Give the stack an env with its region, and a stack in us-east-1 is made that forwards them; or forward "
    "them yourself and say so with iam_events_forwarded=True.",
    "role-events-elsewhere": "cmek: the role is in account {account}, where its events stay: nobody is told here of a "
    "change of the role (its trust policy, its permissions, its deletion). Watch it there.",
    "topic-policy": "topic: the policy of an imported topic cannot be changed from here, and without this statement in "
    "it nothing arrives. Add it where the topic is made (if the topic is encrypted, the key policy needs kms:Decrypt "
    "and kms:GenerateDataKey* for the same principal): {statement}",
}
"""What each says, by the rest of its id; what stands in braces is filled in."""
_ACKNOWLEDGED: Final = {
    **{name: f"{PLUGIN}::{name}" for name in GUARDRAILS},
    **{name: f"{CONSTRUCT}:{name}" for name in WARNINGS},
}
"""By what each is called without its owner."""
_OF_CDK: Final = re.compile("([Aa]nnotation|Construct[ -]Annotations)::")
"""What may stand before the id of a warning."""


class Notice(NamedTuple):
    """One warning: its id, and what it says."""

    id: str
    message: str


def notice(name: str, **facts: Any) -> Notice:
    """A warning, with its facts: a document among them stands in it as JSON, to be pasted."""
    said = {what: json.dumps(fact) if isinstance(fact, dict | list) else fact for what, fact in facts.items()}
    return Notice(f"{CONSTRUCT}:{name}", WARNINGS[name].format(**said))


def misspelt(id: str) -> str | None:
    """The way out of an id that is written like ours, and is of nothing that can be acknowledged.

    None of an id that can be, and of those of CDK and of other people's plugins.
    """
    from difflib import get_close_matches  # for an acknowledgement alone

    own = _OF_CDK.sub("", id).partition("[")[0]
    *owners, name = own.split(":")
    is_ours = any(get_close_matches(one, (PLUGIN, CONSTRUCT), cutoff=0.9) for one in owners)
    if own in _ACKNOWLEDGED.values() or not (is_ours if owners else get_close_matches(name, _ACKNOWLEDGED, cutoff=0.8)):
        return None
    near = [_ACKNOWLEDGED[one] for one in get_close_matches(name, _ACKNOWLEDGED)]
    return f"Is it {' or '.join(near)}?" if near else "Write it as the report has it."
