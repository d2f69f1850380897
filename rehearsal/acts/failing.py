"""Deploys that fail leave what was there, and nothing that was not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from rehearsal.accounts import LISTED, LISTED_LATER, REVIEWED, WITH_ID
from rehearsal.acts.changing import newcomer_comes_in
from rehearsal.aws import ALLOWED
from rehearsal.world import World

_BROKEN: Final = replace(REVIEWED, name="broken")


def update(world: World) -> None:
    """Break an update on purpose."""
    world.report.heading("An update that fails rolls back")
    # The region goes, which works, and then the key is to become another, which KMS refuses.
    world.app.change(WITH_ID, regions=LISTED, multi_region=True)
    world.deploy("multi_region: true for a key that exists", WITH_ID, code=1)
    world.report.row("the stack", "UPDATE_ROLLBACK_COMPLETE", world.settled(WITH_ID))
    given = newcomer_comes_in(world)
    world.report.row(f"Pinecone's role of {LISTED_LATER}, as before", ALLOWED, given)
    world.compare_with_first(WITH_ID)
    world.app.change(WITH_ID, regions=[*LISTED, LISTED_LATER], multi_region=None)


def first_deploy(world: World) -> None:
    """Break a first deploy on purpose."""
    world.report.heading("A first deploy that fails leaves no orphan")
    template = json.loads(world.reviewed.template(REVIEWED))
    resources = template["Resources"]
    resources["Broken"] = {
        "Type": "AWS::KMS::Alias",
        "Properties": {"AliasName": "alias/aws/reserved", "TargetKeyId": "alias/none"},
        "DependsOn": list(resources),
    }
    before = _roles_and_keys(world)
    status = world.create_stack(_BROKEN, json.dumps(template), "CAPABILITY_IAM")
    world.report.row("the stack", "ROLLBACK_COMPLETE", status)
    new = _roles_and_keys(world) - before
    world.report.row("roles and keys that it leaves", "none", ", ".join(new) or "none")


def _roles_and_keys(world: World) -> set[str]:
    def usable(key: Any) -> bool:
        state = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"]
        return bool(state != "PendingDeletion")

    iam, kms = world.client("iam", REVIEWED), world.client("kms", REVIEWED)
    roles = {role["Arn"] for role in iam.list_roles()["Roles"]}
    return roles | {key["KeyArn"] for key in kms.list_keys()["Keys"] if usable(key)}
