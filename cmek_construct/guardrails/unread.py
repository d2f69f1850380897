"""Keys beside a role of Pinecone's of which nobody can tell whether they are its keys."""

from __future__ import annotations

import re
from typing import Final

from cmek_construct.guardrails.intrinsics import is_unreadable
from cmek_construct.guardrails.subjects import Key
from cmek_construct.guardrails.template import Template

_REF: Final = re.compile(r"\$\{(\w+)\}")


def unread(template: Template, keys: list[Key], known: set[str]) -> set[str]:
    """The logical IDs of keys whose policy cannot be read; of others only if no key is known."""
    return {
        key.resource.logical_id
        for key in keys
        if key.policy.unreadable or (not known and _may_name_anybody(template, key))
    }


def _may_name_anybody(template: Template, key: Key) -> bool:
    if "KeyPolicy" not in key.resource.properties:
        return True
    return any(
        is_unreadable(principal.name) or _is_given(template, principal.name)
        for statement in key.policy.allowing
        for principal in statement.principals
    )


def _is_given(template: Template, name: str) -> bool:
    """Whether the deployer names it: a reference to no resource."""
    found = _REF.fullmatch(name)
    return found is not None and all(one.logical_id != found[1] for one in template.resources)
