"""What the findings of `cmek adopt` have in common."""

from __future__ import annotations

from dataclasses import replace

from cmek_construct.operations.drift import Drift, in_words
from cmek_construct.operations.findings import Finding, Verdict


def next_deploy(what: str) -> str:
    """When a difference comes into force."""
    return f"the next deploy that changes the {what} in the template "


def said(about: str, text: str) -> Finding:
    """One that does no harm."""
    return Finding(about, Verdict.SAID, text)


def right(about: str, text: str) -> Finding:
    """One that is the same."""
    return Finding(about, Verdict.RIGHT, text)


def words(found: Drift, account: str) -> str:
    """A principal that was deleted is a change as any other: the template names a living one."""
    return in_words(replace(found, changed=(*found.changed, *found.gone)), account)
