"""What becomes of role, key and alias when the stack is deleted, or would replace them.

Pinecone can change neither role nor key once they are set. Source: CloudFormation user guide,
"DeletionPolicy attribute".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cmek_construct.guardrails.policies import shown
from cmek_construct.guardrails.rule import Finding
from cmek_construct.guardrails.subjects import Alias, Key, Role
from cmek_construct.guardrails.template import Resource

_WANTED: Final = {
    "DeletionPolicy": ("Retain", "RetainExceptOnCreate"),
    "UpdateReplacePolicy": ("Retain",),
}


def role(subject: Role) -> Iterator[Finding]:
    """A role that can go."""
    for fault in _faults(subject.resource, *_WANTED):
        yield Finding(
            fault,
            "Who deletes the stack, or renames the role, would take Pinecone's access: a role made "
            "again under its name is another one to the key policy.",
        )


def key(subject: Key) -> Iterator[Finding]:
    """A key that can go."""
    for fault in _faults(subject.resource, *_WANTED):
        yield Finding(
            fault,
            "Who deletes the stack, or has the key replaced, would order the deletion of the key, "
            "and all data with it.",
        )


def alias(subject: Alias) -> Iterator[Finding]:
    """An alias that can go."""
    for fault in _faults(subject.resource, "DeletionPolicy"):
        yield Finding(
            fault,
            "Who deletes the stack would take the alias, and with it every permission that is "
            "scoped by it.",
        )


def alias_target(subject: Alias) -> Iterator[Finding]:
    """An alias of our key that names another one."""
    if not subject.is_of_key:
        yield Finding(
            f"The alias {shown(subject.name)} has the target {shown(subject.target)}, which is not "
            "the key that Pinecone encrypts with.",
            "Who looks for the key by its name would manage, disable or delete another one.",
        )


def _faults(resource: Resource, *attributes: str) -> Iterator[str]:
    faults = [
        f"{name} is {shown(str(resource.raw[name])) if name in resource.raw else 'not set'}, not "
        f"{_WANTED[name][-1]}"
        for name in attributes
        if resource.raw.get(name) not in _WANTED[name]
    ]
    if faults:
        yield f"{', and '.join(faults)}."
