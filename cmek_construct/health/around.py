"""What stands around role and key: the project's indexes, and the organization's policies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from cmek_construct.aws.objects import Control, Unread
from cmek_construct.checks import printable
from cmek_construct.health.deployed import Deployed
from cmek_construct.health.findings import Finding, few, not_read, right, said, unknown, wrong
from cmek_construct.policy.sentences import as_list, plain
from cmek_construct.policy.words import of_statement

_SERVICES: Final = ("sts:", "kms:", "*")


def about_indexes(case: Deployed, found: Mapping[str, str | None] | Unread) -> Iterator[Finding]:
    """Whether the indexes of the project are under this key.

    Args:
        case: the stack.
        found: the key of each index by its name, as Pinecone says it: an ARN, or an ID of its own;
            None where the index is under no key of a customer.
    """
    if isinstance(found, Unread):
        yield replace(
            unknown("indexes", f"not read: the project's indexes ({found.why})", ""), means=""
        )
        return
    if not found:
        yield said("indexes", "there are no indexes in the project of PINECONE_API_KEY")
        return
    without = [name for name, key in found.items() if key is None]
    others = [name for name, key in found.items() if _is_another(case, key)]
    untold = [
        f"{name} ({key})"
        for name, key in found.items()
        if key is not None and not key.startswith("arn:")
    ]
    if without:
        yield wrong(
            "indexes",
            f"indexes under no key of yours: {few(without)}",
            "Look in Pinecone's console whether the project is the right one, and its encryption "
            "forced; an index cannot be moved under a key: make it anew, and copy its records.",
            means="their data does not hang on this key: cutting Pinecone off does not shut them",
        )
    if others:
        yield wrong(
            "indexes",
            f"indexes under another key: {few(others)}",
            "Look in Pinecone's console, Manage > CMEK, which key the project has: "
            "PINECONE_API_KEY may be of another project.",
            means="their data does not hang on this key",
        )
    if untold:
        yield said(
            "indexes",
            f"indexes under a customer's key, which Pinecone calls by an ID of its own: "
            f"{few(untold)}. Whether that is this key, it does not say",
        )
    if not without and not others and not untold:
        yield right("indexes", f"all indexes are under this key ({few(list(found))})")


def _is_another(case: Deployed, key: str | None) -> bool:
    return key is not None and key.startswith("arn:") and key != case.key_arn


def about_controls(case: Deployed, found: Sequence[Control] | Unread) -> Iterator[Finding]:
    """The SCPs and RCPs over the account that mention STS or KMS; no verdict on any."""
    if isinstance(found, Unread):
        action = "organizations:ListParents, ListPoliciesForTarget and DescribePolicy"
        yield not_read("organization", "the organization's policies", found, action)
        return
    shown = 0
    for one in found:
        for statement in one.statements:
            if _mentions(statement):
                shown += 1
                words = plain(of_statement(statement, case.entry.settings.account)).rstrip(".")
                text = json.dumps(statement, ensure_ascii=True)
                yield said(
                    "organization",
                    f"look at this {one.kind}, {printable(one.name)} on {printable(one.on)}: "
                    f"{words}. As text: {text}",
                )
    if not shown:
        yield said(
            "organization", "no SCP or RCP over the account mentions STS or KMS, as far as is seen"
        )


def _mentions(statement: object) -> bool:
    """Whether a statement may hinder STS or KMS: by its actions, or by what it leaves out."""
    if not isinstance(statement, dict) or "Action" not in statement:
        return True
    if statement.get("Effect") == "Allow" and "*" in as_list(statement["Action"]):
        return "Condition" in statement  # without one it forbids nothing
    return any(str(one).lower().startswith(_SERVICES) for one in as_list(statement["Action"]))
