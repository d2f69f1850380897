"""Where the simulator is wrong by AWS's pages, or AWS has no such request: by name, narrowly."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from tests.policies.conditions import conditions_of, listed
from tests.policies.generate import VERSION, Document
from tests.policies.requests import Call
from tests.simulator.aws_pages import Page

_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")


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
        own is not None and _one_name(name) == own and name != (call.role or call.principal) for name in _named(policy)
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


def _is_without_value(policy: Document, call: Call) -> bool:
    """Whether a negated operator has a policy variable whose key is absent."""
    given = {**call.context, **call.follows()}
    known = {name.lower() for name, value in given.items() if value is not None}
    return policy.get("Version") == VERSION and any(
        "Not" in operator and variable.lower() not in known
        for statement in listed(policy["Statement"])
        for operator, _, values in conditions_of(statement)
        for value in values
        for variable in _VARIABLE.findall(value)
    )


def _is_literal(_: Document, call: Call) -> bool:
    """Whether a request has a text that looks like a policy variable."""
    return any("${" in str(value) for value in call.context.values())


EXCEPTIONS: Final = (
    Correction(
        "a text that looks like a variable is text",
        Page(
            "IAM User Guide: IAM JSON policy elements: Version",
            "IAM/latest/UserGuide/reference_policies_elements_version.html",
            "in an older Version ${…} is treated as literal strings; the simulator replaces it in "
            "every Version, and finds it equal to nothing",
        ),
        _is_literal,
    ),
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
            "IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IPAddress",
            "an address is in a block of the standard CIDR format (RFC 4632); the simulator shifts "
            "by 32 bits, and finds none in that of no fixed bits",
        ),
        _is_within_all,
    ),
    Correction(
        "nothing is equal to a variable without a value",
        Page(
            "IAM User Guide: IAM policy elements: Variables and tags",
            "IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-no-value",
            "a variable whose key is absent has no value: nothing is equal to it or like it, and "
            "inverted operators do match; the simulator matches neither way",
        ),
        _is_without_value,
    ),
    Correction(
        "who is signed in elsewhere is of no account",
        Page(
            "IAM User Guide: AWS JSON policy elements: Principal",
            "IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-accounts",
            "an account delegates to its own IAM identities; the simulator takes the number in an "
            "identity provider's ARN for the caller's account",
        ),
        lambda policy, call: call.is_federated,
    ),
)


def excepted(policy: Document, call: Call) -> str | None:
    """The name of the exception that a request falls under."""
    return next((one.name for one in EXCEPTIONS if one.applies(policy, call)), None)
