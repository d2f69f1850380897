"""What the outputs give to paste into Pinecone's console: this role and this key, or others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cmek_construct.guardrails.subjects import Pasted
from cmek_construct.guardrails.template import Template

CONSOLE: Final = "Pinecone console"
"""Our outputs say that their value goes there."""
_ARN: Final = re.compile(r"arn:aws:(?:iam|kms):[a-z0-9-]*:([^:]+):[^${}]+")


def pasted(template: Template, roles: set[str], keys: set[str]) -> Iterator[Pasted]:
    """The values that go to the console, beside a role or key that they should name.

    Args:
        template: whose outputs they are.
        roles: the logical IDs of the roles that Pinecone assumes.
        keys: those of the keys that it encrypts with.
    """
    resources = {one.logical_id: one for one in template.resources}
    for output in template.outputs:
        for label, own in (("Role ARN", roles), ("Key ARN", keys)):
            if CONSOLE in output.description and f'"{label}"' in output.description and own:
                is_own = output.value in {f"${{{one}.Arn}}" for one in own}
                is_own = is_own or _is_given(template, output.value)
                yield Pasted(resources[min(own)], label, output.value, is_own)


def _is_given(template: Template, value: str) -> bool:
    """Whether it may be a role or key of the account that was given to a construct."""
    found = _ARN.fullmatch(value)
    return found is not None and found[1] in template.owners
