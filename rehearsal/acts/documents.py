"""What IAM and KMS hold is what the guide and the console write."""

from __future__ import annotations

import json

from rehearsal import guide
from rehearsal.accounts import SITES, Site
from rehearsal.guide import Document
from rehearsal.world import World

_TO_THE_LETTER = "to the letter"


def play(world: World) -> None:
    """Compare the deployed documents."""
    for site in SITES:
        world.report.heading(f"{site.name}: the documents")
        compare(world, site)


def compare(world: World, site: Site) -> None:
    """Compare those of one stack."""
    made = world.first[site]
    iam = world.client("iam", site)
    name = made.role_arn.rsplit("/", 1)[1]
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    world.report.row("the trust policy is the guide's", _TO_THE_LETTER, _difference(site.trust_policy(), trust))
    policies = [
        *iam.list_role_policies(RoleName=name)["PolicyNames"],
        *iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"],
    ]
    world.report.row("the role has permissions of its own", "none", str(policies or "none"))
    kms = world.client("kms", site)
    world.report.row(
        "the key policy is the console's",
        _TO_THE_LETTER,
        _difference(guide.key_policy(site.account, made.role_arn), world.key_policy(site)),
    )
    key = kms.describe_key(KeyId=made.key_arn)["KeyMetadata"]
    others = {name: key[name] for name, value in guide.KEY.items() if key[name] != value}
    world.report.row("the key is what the guide clicks", _TO_THE_LETTER, str(others or _TO_THE_LETTER))


def _difference(expected: Document, held: Document) -> str:
    if held == expected:
        return _TO_THE_LETTER
    others = [statement for statement in held["Statement"] if statement not in expected["Statement"]]
    return f"otherwise: {json.dumps(others)}" if others else "statements are missing"
