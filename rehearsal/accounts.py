"""The accounts of the play, the roles that act in them, and the four stacks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from rehearsal import guide
from rehearsal.aws import Aws, root
from rehearsal.guide import Document

HOME: Final = "555555555555"
"""The account that deploys to the others."""

PINECONE: Final = "999999999999"
STRANGER: Final = "666666666666"

LISTED: Final = ["us-east-1", "eu-west-1"]
LISTED_LATER: Final = "us-west-2"
NEVER_LISTED: Final = "eu-central-1"


@dataclass(frozen=True)
class Site:
    """One stack: an entry of cmek.yaml."""

    name: str
    account: str
    region: str
    all_regions: bool = False
    external_id: str | None = None

    def entry(self) -> dict[str, Any]:
        """The entry as it is before any change."""
        entry: dict[str, Any] = {"account": self.account, "region": self.region}
        entry["regions"] = "ALL_REGIONS" if self.all_regions else list(LISTED)
        if self.external_id is not None:
            entry["external_id"] = self.external_id
        return entry

    def trust_policy(self) -> Document:
        """The guide's, for these parameters."""
        if self.external_id is None:
            return guide.explicit_regions_without_id(PINECONE, LISTED)
        if self.all_regions:
            return guide.all_regions_with_id(PINECONE, self.external_id)
        return guide.explicit_regions_with_id(PINECONE, LISTED, self.external_id)


WITH_ID: Final = Site(
    "explicit-regions-with-id", "111111111111", "us-east-1", external_id="11111111-1111-4111-8111-111111111111"
)
WITHOUT_ID: Final = Site("explicit-regions-without-id", "222222222222", "eu-west-1")
ALL_REGIONS: Final = Site(
    "all-regions-with-id",
    "333333333333",
    "us-west-2",
    all_regions=True,
    external_id="33333333-3333-4333-8333-333333333333",
)
REVIEWED: Final = Site(
    "reviewed-template", "444444444444", "eu-central-1", external_id="44444444-4444-4444-8444-444444444444"
)

BY_CDK: Final = [WITH_ID, WITHOUT_ID, ALL_REGIONS]
"""One for each of the guide's three trust policies."""

SITES: Final = [*BY_CDK, REVIEWED]

ADMINISTRATOR: Final = "administrator"
"""In each customer's account: may do everything, by IAM."""

BYSTANDER: Final = "bystander"
"""In each customer's account: no permission at all."""

DEPLOYER: Final = f"arn:aws:iam::{HOME}:role/deployer"
"""May use the bootstrap roles of every account, and nothing else."""

SAME_NAME: Final = guide.access_role(STRANGER, LISTED[0])
ANYBODY: Final = f"arn:aws:iam::{STRANGER}:role/anybody"
PINECONE_OTHER: Final = f"arn:aws:iam::{PINECONE}:role/pinecone_billing"


def role_arn(site: Site, role: str) -> str:
    """The ARN of `ADMINISTRATOR` or `BYSTANDER` in the account of a stack."""
    return f"arn:aws:iam::{site.account}:role/{role}"


def make_roles(aws: Aws) -> None:
    """Make the roles that ask. Those who try to come in may all ask STS for any role."""
    for site in SITES:
        make_role(aws, role_arn(site, BYSTANDER))
    make_role(aws, DEPLOYER, "sts:AssumeRole", "arn:aws:iam::*:role/cdk-*")
    pinecone = [guide.access_role(PINECONE, region) for region in (*LISTED, LISTED_LATER, NEVER_LISTED)]
    for arn in (*pinecone, PINECONE_OTHER, SAME_NAME, ANYBODY):
        make_role(aws, arn, "sts:AssumeRole", "*")


def make_role(aws: Aws, arn: str, action: str | None = None, resource: str = "*") -> None:
    """A role that its own account may assume, with one permission or none."""
    account, name = arn.split(":")[4], arn.rsplit("/", 1)[1]
    iam = aws.client("iam", root(account))
    own_account = {"AWS": f"arn:aws:iam::{account}:root"}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(Principal=own_account, Action="sts:AssumeRole"))
    if action:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=_policy(Action=action, Resource=resource))


def _policy(**statement: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", **statement}})
