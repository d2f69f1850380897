"""What a monitoring watches: a key, a role, or both, and who may use the key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from cmek_construct import checks
from cmek_construct.constructs import events
from cmek_construct.constructs.cdk import (
    Environment,
    arn_of,
    environment_of_resource,
    in_two_accounts,
)
from cmek_construct.constructs.cmek import PineconeCmek
from cmek_construct.constructs.customer_key import CustomerKey
from cmek_construct.constructs.key import PineconeKey
from cmek_construct.constructs.role import PineconeRole

Watchable = PineconeCmek | CustomerKey | PineconeKey | PineconeRole


@dataclass(frozen=True)
class Watched:
    """A key and a role, each where there is one to watch, and the role that may use the key."""

    path: str
    key: kms.IKey | None = None
    role: iam.IRole | None = None
    user: iam.IRole | None = None

    @property
    def role_is_here(self) -> bool:
        """Whether IAM tells of the role in the key's account, as far as synth knows."""
        if self.role is None or self.key is None:
            return self.role is not None
        return not in_two_accounts(self.role, self.key)

    @property
    def aliases(self) -> list[str]:
        """The aliases that the app has made for the key so far."""
        found = self.key.node.find_all() if self.key else []
        return [one.alias_name for one in found if isinstance(one, kms.CfnAlias)]

    @property
    def policy_arns(self) -> list[str]:
        """The managed policies that the role has made for itself."""
        found = self.role.node.find_all() if self.role else []
        return [one.ref for one in found if isinstance(one, iam.CfnManagedPolicy)]

    @property
    def other_users(self) -> events.Pattern:
        """Whoever uses the key and is not meant to."""
        assert self.user is not None
        arn = arn_of(self.user)
        if self.role is not None and self.role_is_here:
            return events.by_others(arn)
        account = cdk.Arn.split(arn, cdk.ArnFormat.SLASH_RESOURCE_NAME).account
        assert account is not None
        return events.by_others_than_account(account)

    def elsewhere(self, here: Environment) -> Iterator[ValueError]:
        """A key of another place, whose events never come here."""
        if self.key is None:
            return
        there = environment_of_resource(self.key)
        for what, own, its in (
            ("account", here.account, there.account),
            ("region", here.region, there.region),
        ):
            if None not in (own, its) and own != its:
                yield ValueError(
                    f"cmek: got a key in the {what} {its}, but this stack is in {own}, and KMS "
                    "tells of a key in its own account and Region alone. Put the monitoring into "
                    "a stack there, with a topic of that Region."
                )


def watched(cmek: Any) -> Watched:
    """The parts of a construct of this library."""
    if isinstance(cmek, PineconeCmek):
        return Watched(cmek.node.path, key=cmek.key, role=cmek.role, user=cmek.role)
    if isinstance(cmek, CustomerKey):
        vendor: Any = cmek.node.find_child("VendorRole")
        return Watched(cmek.node.path, key=cmek.key, user=vendor)
    if isinstance(cmek, PineconeKey):
        return Watched(cmek.node.path, key=cmek)
    if isinstance(cmek, PineconeRole):
        return Watched(cmek.node.path, role=cmek)
    return checks.refuse(
        "cmek",
        cmek,
        "it is a PineconeCmek, a CustomerKey, a PineconeKey or a PineconeRole",
        "For a role or a key that was given to a PineconeCmek, give that.",
    )
