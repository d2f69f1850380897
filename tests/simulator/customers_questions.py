"""The questions about keys of customers, and how their tables say them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from tests.forms import PINECONE, VENDOR, VENDOR_ROLE
from tests.simulator.aws_pages import Page
from tests.simulator.customers_forms import FORMS, OTHER_ROLE_OF_VENDOR, deployed_form
from tests.simulator.deployed import Deployed
from tests.simulator.questions import EVERYTHING, THE_ROLE, Caller, Row, row
from tests.simulator.simulator import Policy, Request, Result


@dataclass(frozen=True)
class Question:
    """May this caller do this, with this role of the vendor and this key?"""

    vendor: str
    """The form in the vendor's account."""
    key: str
    """The form that the key is of, in its owner's account."""
    caller: Caller
    """Whoever calls; `THE_ROLE` is that of the vendor's form."""
    action: str
    own_policies: bool
    """Whether the caller's own account lets it do everything, or nothing.

    For the vendor's role it is beside what its form gives it.
    """
    external_id: str | None = None
    for_aws_resource: bool | None = None
    """Whether an AWS service asks on the caller's behalf: ``kms:GrantIsForAWSResource``."""
    alias: bool = False
    """Whether it is about an alias in the account of the key."""

    def requests(self) -> list[Request]:
        vendor = deployed_form(self.vendor)
        the_role = self.caller == THE_ROLE
        caller = Caller(vendor.role_arn) if the_role else self.caller
        own = [EVERYTHING] if self.own_policies and caller.account else []
        if the_role:
            own += vendor.role_policies
        context = caller.context
        if self.external_id is not None:
            context["sts:ExternalId"] = self.external_id
        if self.for_aws_resource is not None:
            context["kms:GrantIsForAWSResource"] = str(self.for_aws_resource).lower()
        resource, account, policy = self._acted_on(vendor)
        return [
            Request(
                principal=principal,
                action=self.action,
                resource=resource,
                account=account,
                resource_policy=policy,
                identity_policies=own,
                context=context,
            )
            for principal in caller.principals
        ]

    def _acted_on(self, vendor: Deployed) -> tuple[str, str, Policy | None]:
        """The ARN, the account that owns it, and the policy on it."""
        if self.action.startswith("sts:"):
            return vendor.role_arn, VENDOR, vendor.trust_policy
        form = FORMS[self.key]
        if self.alias:
            return f"arn:aws:kms:{form.region}:{form.account}:alias/pinecone", form.account, None
        key = deployed_form(self.key)
        return key.key_arn, form.account, key.key_policy


@dataclass(frozen=True)
class Swapped:
    """A question to policies in which two accounts were taken for each other."""

    question: Question
    one: str
    other: str

    def requests(self) -> list[Request]:
        return [
            replace(
                request,
                resource_policy=self._swap(request.resource_policy),
                identity_policies=self._swap(request.identity_policies),
            )
            for request in self.question.requests()
        ]

    def _swap(self, policies: Any) -> Any:
        parts = json.dumps(policies).split(self.one)
        return json.loads(self.other.join(part.replace(self.other, self.one) for part in parts))


# Who asks.


def role(account: str, name: str) -> Caller:
    """A role, with its path if it has one."""
    return Caller(f"arn:aws:iam::{account}:role/{name}")


def admin(account: str) -> Caller:
    """A user to whom the account may give everything."""
    return Caller(f"arn:aws:iam::{account}:user/Admin")


def root(account: str) -> Caller:
    """The root user of an account."""
    return Caller(f"arn:aws:iam::{account}:root")


PINECONES_ROLE = role(PINECONE, "pinecone_cmek_access_us-east-1")
OTHER_ROLE = Caller(OTHER_ROLE_OF_VENDOR)
NAME = VENDOR_ROLE.rpartition("/")[2]


# What a table asks, and what becomes of it by one change.

RULING = [
    "kms:PutKeyPolicy",
    "kms:DisableKey",
    "kms:EnableKey",
    "kms:ScheduleKeyDeletion",
    "kms:CancelKeyDeletion",
    "kms:EnableKeyRotation",
    "kms:DisableKeyRotation",
    "kms:TagResource",
    "kms:UpdateKeyDescription",
    "kms:GetKeyPolicy",
]
"""What the owner of a key does with it, and nobody in another account."""


def does(actions: Iterable[str], answer: Result, page: Page, how: str = "") -> list[Row]:
    return [row(f"to do {action.removeprefix('kms:')}{how}", answer, page, action=action) for action in actions]


def without(actions: Iterable[str], *some: str) -> list[str]:
    return [action for action in actions if action not in some]


def keys(answer: Result, page: Page, **words: str) -> list[Row]:
    return [row(text, answer, page, key=key) for key, text in words.items()]


def vendors(answer: Result, page: Page, **words: str) -> list[Row]:
    return [row(text, answer, page, vendor=vendor) for vendor, text in words.items()]


def callers(answer: Result, page: Page, words: dict[str, Caller]) -> list[Row]:
    return [row(f"from {text}", answer, page, caller=caller) for text, caller in words.items()]


def asked(
    action: str = "kms:Decrypt",
    *,
    vendor: str = "two_customers",
    key: str = "a_key",
    caller: Caller = THE_ROLE,
    own_policies: bool = False,
    external_id: str | None = None,
    for_aws_resource: bool | None = None,
    alias: bool = False,
) -> Question:
    return Question(vendor, key, caller, action, own_policies, external_id, for_aws_resource, alias)
