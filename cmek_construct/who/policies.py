"""The policies of roles and keys as they are asked: by whom, and with which holes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias

from cmek_construct.checks import printable
from cmek_construct.policy import Policy, aws
from cmek_construct.templates.evidence import pinecones_accounts
from cmek_construct.templates.found import Found, Key, KeyNow, Role, RoleNow, Unread
from cmek_construct.templates.texts import alone, is_known

Ours: TypeAlias = Role | Key | Unread


def accounts_of_pinecone(some: Iterable[Ours]) -> list[str]:
    """The accounts that policies take for Pinecone's and that are not their own, each once."""
    every = (now.value for one in some if not isinstance(one, Unread) for now in one.cases)
    found = (account for one in every for account in pinecones_accounts(policy_of(one)) if account != one.account)
    return list(dict.fromkeys(found))


def two_accounts(found: Found) -> str | None:
    """In one sentence that templates take more than one account for Pinecone's, if they do."""
    numbers = accounts_of_pinecone(found.roles)
    if len(numbers) < 2:
        return None
    return (
        f"Different accounts are taken for Pinecone's: {', '.join(map(printable, numbers))}. "
        "Compare each with Pinecone's console, Manage > CMEK > Add CMEK."
    )


def policy_of(one: RoleNow | KeyNow) -> Policy:
    """The trust policy of a role, the key policy of a key."""
    return one.trust if isinstance(one, RoleNow) else one.policy


def with_ids_apart(policy: Policy) -> Policy:
    """A policy of which another external ID is none of those that only the deploy knows."""
    said = json.dumps([one.raw for one in policy.statements], default=str)
    ids = [one for one in external_ids(policy) if not is_known(one)]
    if not ids or not all(alone(one) and said.count(one) == ids.count(one) for one in ids):
        return policy
    apart = {str(alone(one)): f"<{number}>" for number, one in enumerate(ids)}
    return replace(policy, forms={**policy.forms, **apart})


def external_ids(policy: Policy) -> list[str]:
    """All that a policy compares an external ID with."""
    return [value for one in policy.statements for value in one.compared(aws.EXTERNAL_ID)]
