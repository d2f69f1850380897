"""Whom a trust policy takes for Pinecone: one account, its roles, and one external ID.

Read out of the policy itself, for only Pinecone's console shows the number. What else the policy allows is then beyond
what is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cmek_construct import guide
from cmek_construct.checks import EXTERNAL_ID, REGION
from cmek_construct.policy import Policy, Statement, aws
from cmek_construct.templates.evidence import allowing
from cmek_construct.templates.texts import alone, is_unreadable

_HOLE: Final = r"\$\{[^!?}][^}]*\}"
_ROLES: Final = rf"arn:aws:iam::(?P<account>[0-9]{{12}}|{_HOLE}):role/{guide.ROLE_NAME_PREFIX}"
PINECONES_ROLE: Final = re.compile(rf"{_ROLES}(?P<region>{REGION.pattern}|{_HOLE})")
PINECONES_ROLES: Final = re.compile(rf"{_ROLES}\*")
ANY_REGION: Final = re.compile(rf"{_ROLES}.*")
_SOME_ID: Final = "the-one-external-ID"
"""Stands for the external ID where one is asked for, and none is said."""


@dataclass(frozen=True)
class Meant:
    """Who may come in."""

    account: str | None
    """Pinecone's: twelve digits, or a hole. None if none is named."""
    regions: tuple[str, ...]
    """Of the roles that are named one by one."""
    all_regions: bool
    """Whether the guide's third form is there."""
    external_id: str | None
    asks: bool
    """Whether an external ID is asked for, or promised, at all."""

    def limit(self) -> guide.Policy:
        """The guide's trust policies for all that is meant."""
        statements = []
        if self.account and self.regions:
            asked = self.external_id or (_SOME_ID if self.asks else None)
            one = guide.trust_statement(self.account, self.regions, asked)
            statements.append(one)
        if self.account and self.all_regions and self.external_id:
            third = guide.trust_statement(self.account, guide.ALL_REGIONS, self.external_id)
            statements.append(third)
        return guide.policy_document(*statements)

    def roles(self) -> Iterator[str]:
        """The roles of Pinecone's that must come in: in the third form those of the guide."""
        regions = list(self.regions)
        if self.all_regions:
            regions += [one for one in guide.PINECONE_REGIONS if one not in regions]
        for region in regions if self.account else ():
            yield f"arn:aws:iam::{self.account}:role/{guide.ROLE_NAME_PREFIX}{region}"


def meant(trust: Policy, own_account: str, promised: str | None = None) -> Meant:
    """Whom a trust policy means.

    Args:
        trust: the policy.
        own_account: of the role, which is never Pinecone's.
        promised: the external ID that goes to Pinecone's console, where an output says it.
    """
    texts = [text for one in allowing(trust) for text in _texts(one)]
    found = [found for text in texts if (found := _form(text))]
    accounts = [one["account"] for one in found if one["account"] != own_account]
    account = accounts[0] if accounts else None
    of_account = [one for one in found if one["account"] == account]
    regions = [one["region"] for one in of_account if "region" in one.re.groupindex]
    third = any("region" not in one.re.groupindex for one in of_account)
    external_id = promised or next(_external_ids(trust), None)
    asks = any(one.compared(aws.EXTERNAL_ID) or "withID" in one.name for one in allowing(trust))
    return Meant(account, tuple(dict.fromkeys(regions)), third, external_id, asks)


def _form(text: str) -> re.Match[str] | None:
    return PINECONES_ROLE.fullmatch(text) or PINECONES_ROLES.fullmatch(text)


def _texts(statement: Statement) -> list[str]:
    """Whom a statement names one by one; else whom it compares with all that it names."""
    named = [one.name for one in statement.principals or () if one.kind == "AWS"]
    if named and all(map(PINECONES_ROLE.fullmatch, named)):
        return named
    return [*named, *statement.compared(aws.PRINCIPAL_ARN)]


def _external_ids(trust: Policy) -> Iterator[str]:
    for statement in allowing(trust):
        for value in statement.compared(aws.EXTERNAL_ID):
            if _can_be_presented(value) and not is_unreadable(value):
                yield value


def _can_be_presented(value: str) -> bool:
    """Whether STS takes a text for an external ID."""
    return alone(value) is not None or EXTERNAL_ID.fullmatch(value) is not None
