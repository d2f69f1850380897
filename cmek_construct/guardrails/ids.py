"""The names by which a guardrail is acknowledged: an interface.

Pure data: the constructs acknowledge what a prop of theirs asks for in so many words.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

PLUGIN: Final = "cmek-guardrails"
"""The name of the plugin: `<plugin>::<rule>` acknowledges a rule."""

CANNOT_BE_JUDGED: Final = "cannot-be-judged"
FOREIGN_PRINCIPAL: Final = "key-foreign-principal"
ROTATION: Final = "key-rotation"
MULTI_REGION: Final = "key-multi-region"
PENDING_WINDOW: Final = "key-pending-window"
ROLE_RETAINED: Final = "role-retained"
KEY_RETAINED: Final = "key-retained"
ALIAS_RETAINED: Final = "alias-retained"
_LONGEST: Final = 200


def acknowledged_as(rule: str) -> str:
    """What CDK wants for the id of an acknowledgement."""
    return f"{PLUGIN}::{rule}"


def about(rule: str, witness: str) -> str:
    """A rule about one witness alone: another one is not acknowledged with it."""
    if not witness:
        return rule
    text = re.sub(r"[^A-Za-z0-9_+=,.@:/*?-]", "", witness.replace(" ", "_"))
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return f"{rule}[{text}]"
