"""Reads the policies of an organization over an account: seen from its management account alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from cmek_construct.aws.objects import Control, Unread
from cmek_construct.aws.session import Session, read
from cmek_construct.policy.sentences import as_list

_KINDS: Final = {"SERVICE_CONTROL_POLICY": "SCP", "RESOURCE_CONTROL_POLICY": "RCP"}


def read_controls(session: Session, account: str) -> Sequence[Control] | Unread:
    """All that hold for an account.

    Args:
        session: of the management account, or of a delegated administrator.
        account: the one that is looked at.
    """
    organizations = session.client("organizations", "us-east-1")
    return read(lambda: list(_controls(organizations, account)), "there is no such account")


def _controls(organizations: Any, account: str) -> Iterator[Control]:
    targets = [account]
    while parents := organizations.list_parents(ChildId=targets[-1])["Parents"]:
        targets.append(parents[0]["Id"])
        if parents[0]["Type"] == "ROOT":
            break
    for target in targets:
        for filter_, kind in _KINDS.items():
            pages = organizations.get_paginator("list_policies_for_target")
            for page in pages.paginate(TargetId=target, Filter=filter_):
                for one in page["Policies"]:
                    found = organizations.describe_policy(PolicyId=one["Id"])["Policy"]
                    statements = as_list(json.loads(found["Content"])["Statement"])
                    yield Control(kind, one["Name"], target, statements)
