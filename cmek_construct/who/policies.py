"""The policies of roles and keys as they are asked: by whom, and with which holes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeAlias

from cmek_construct.checks import printable
from cmek_construct.policy import Policy, aws
from cmek_construct.templates.evidence import pinecones_accounts
from cmek_construct.templates.found import Found, Key, KeyNow, Role, RoleNow, Unread
from cmek_construct.templates.texts import alone, holes, is_known
from cmek_construct.who.people import covers, is_wild, named_in

Ours: TypeAlias = Role | Key | Unread


def accounts_of_pinecone(some: Iterable[Ours]) -> list[str]:
    """The accounts that policies take for Pinecone's and that are not their own, each once."""
    every = (now.value for one in some if not isinstance(one, Unread) for now in one.cases)
    found = (
        account
        for one in every
        for account in pinecones_accounts(policy_of(one))
        if account != one.account
    )
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


def narrowed(policy: Policy, arns: Sequence[str]) -> Policy:
    """A policy that knows no more holes than it is asked about, of a run that may have thousands.

    Another external ID is one that is none of those which only the deploy knows.
    """
    said = json.dumps([one.raw for one in policy.statements], default=str)
    names = holes("".join((said, policy.resource or "", *arns)))
    forms = {name: policy.forms[name] for name in names if name in policy.forms}
    ids = [one for one in external_ids(policy) if not is_known(one)]
    if all(alone(one) and said.count(one) == ids.count(one) for one in ids):
        forms |= {str(alone(one)): f"<{alone(one)}>" for one in ids}
    return replace(policy, forms=forms | _apart(policy, arns))


def _apart(policy: Policy, arns: Sequence[str]) -> dict[str, str]:
    """Generated names of roles as texts by themselves, if nobody else who is named can be of them.

    Then nothing hangs on their form, and the same policy of another role is the same question.
    """
    named = {one.name for each in policy.statements for one in named_in(each)} - {"*", *arns}
    names = [one.rpartition("/")[2] for one in named]
    own = [name for arn in arns if (name := alone(arn.rpartition("/")[2])) in policy.forms]
    if any(map(is_wild, named)) or not all(map(is_known, names)):
        return {}
    if any(covers(policy.forms[str(name)], one) for name in own for one in names):
        return {}
    return {str(name): f"<{number}>" for number, name in enumerate(own)}


def external_ids(policy: Policy) -> list[str]:
    """All that a policy compares an external ID with."""
    return [value for one in policy.statements for value in one.compared(aws.EXTERNAL_ID)]
