"""Every id that can be acknowledged, an interface: guardrails, and warnings, whose words are in `warnings.ini`.

`cdk.Validations.of(construct).acknowledge(…)` names them. Pure Python over plain data; values come without tokens.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from cmek_construct.rows import rows

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

_OF_CDK: Final = re.compile("([Aa]nnotation|Construct[ -]Annotations)::")  # what may stand before the id of a warning


def warnings() -> Mapping[str, str]:
    """What each warning says, by its id without its owner; what stands in braces is filled in."""
    return rows(Path(__file__).with_suffix(".ini"))["warnings"]


class Notice(NamedTuple):
    """One warning: its id, and what it says."""

    id: str
    message: str


def notice(name: str, **facts: Any) -> Notice:
    """A warning, with its facts: a document among them stands in it as JSON, to be pasted."""
    said = {what: json.dumps(fact) if isinstance(fact, dict | list) else fact for what, fact in facts.items()}
    return Notice(f"{CONSTRUCT}:{name}", warnings()[name].format(**said))


def misspelt(id: str) -> str | None:
    """The way out of an id that is written like ours, and is of nothing that can be acknowledged."""
    from difflib import get_close_matches  # for an acknowledgement alone

    # By what each is called without its owner.
    every = {name: f"{PLUGIN}::{name}" for name in GUARDRAILS} | {name: f"{CONSTRUCT}:{name}" for name in warnings()}
    own = _OF_CDK.sub("", id).partition("[")[0]
    *owners, name = own.split(":")
    is_ours = any(get_close_matches(one, (PLUGIN, CONSTRUCT), cutoff=0.9) for one in owners)
    if own in every.values() or not (is_ours if owners else get_close_matches(name, every, cutoff=0.8)):
        return None  # it can be, or is of CDK or of other people's plugins
    near = [every[one] for one in get_close_matches(name, every)]
    return f"Is it {' or '.join(near)}?" if near else "Write it as the report has it."
