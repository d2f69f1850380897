"""Where the simulator is wrong by AWS's pages, or AWS has no such request: by name, narrowly."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from tests.policies.conditions import listed
from tests.policies.generate import Document
from tests.policies.requests import Call
from tests.simulator.aws_pages import Page


@dataclass(frozen=True)
class Correction:
    """A page of AWS, and the requests to which the simulator's answer is against it."""

    name: str
    page: Page
    applies: Callable[[Document, Call], bool]


def _named(policy: Document) -> Iterator[str]:
    for statement in listed(policy["Statement"]):
        for element in ("Principal", "NotPrincipal"):
            kinds = statement.get(element)
            yield from listed(kinds.get("AWS", [])) if isinstance(kinds, dict) else []


def _is_one_of_two(policy: Document, call: Call) -> bool:
    """Whether a role or user is named whose ARN differs in path or case alone."""
    own = _one_name(call.role or call.principal)
    return any(
        own is not None and _one_name(name) == own and name != (call.role or call.principal)
        for name in _named(policy)
    )


def _one_name(arn: str) -> tuple[str, str, str] | None:
    parts = arn.split(":")
    kind, _, name = parts[-1].partition("/")
    if len(parts) != 6 or kind not in ("role", "user"):
        return None
    return parts[4], kind, name.rpartition("/")[2].lower()


def _is_within_all(policy: Document, call: Call) -> bool:
    """Whether an address is asked for, and a condition has the block of all addresses."""
    return bool(call.context.get("aws:SourceIp")) and '"0.0.0.0/0"' in json.dumps(policy)


EXCEPTIONS: Final = (
    Correction(
        "one name, one principal",
        Page(
            "IAM User Guide: IAM and AWS STS quotas",
            "IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-names",
            "names of users and of roles are unique in an account, whatever their case: of two "
            "ARNs that differ in case or path alone AWS has one",
        ),
        _is_one_of_two,
    ),
    Correction(
        "every address is in 0.0.0.0/0",
        Page(
            "IAM User Guide: IAM JSON policy elements: Condition operators",
            "IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"
            "#Conditions_IPAddress",
            "an address is in a block of the standard CIDR format (RFC 4632); the simulator shifts "
            "by 32 bits, and finds none in that of no fixed bits",
        ),
        _is_within_all,
    ),
)


def excepted(policy: Document, call: Call) -> str | None:
    """The name of the exception that a request falls under."""
    return next((one.name for one in EXCEPTIONS if one.applies(policy, call)), None)
