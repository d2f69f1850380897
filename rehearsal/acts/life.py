"""The years after: the doctor, the brake, and faults of which each is named by its own finding."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, Final

from rehearsal.accounts import STRANGER, WITH_ID
from rehearsal.aws import ALLOWED, REFUSED
from rehearsal.commands import Ended
from rehearsal.world import World

_HEALTHY: Final = "exit code 0, none wrong"
_SECONDS: Final = 30
"""In which Pinecone must be out, with the start of the command."""


def play(world: World) -> None:
    """Look at one stack, cut Pinecone off and let it in, and break what can be broken."""
    world.report.heading("The doctor, and the brake")
    _doctor(world, "as deployed", _HEALTHY)
    _brake(world)
    world.report.heading("The doctor names each fault by its own finding, and by no other")
    for fault, about, mend in (
        (_widen, "key-policy", _put_policy),
        (_disable, "enabled", _enable),
        (_delete, "deletion", _keep),
        (_move_alias, "alias", _move_back),
        (_make_role_again, "same-role", _anew),
    ):
        _fault(world, fault, about, mend)
    _doctor(world, "all mended", _HEALTHY)
    world.compare_with_first(WITH_ID)


def _brake(world: World) -> None:
    row = world.report.row
    session = world.pinecone(WITH_ID)
    row("before, a session of Pinecone's reads", ALLOWED, world.reads(WITH_ID, session))
    begun = time.monotonic()
    ended = _cmek(world, "suspend", WITH_ID.name, "--reason", "rehearsed")
    world.ends("`cmek suspend`", ended)
    row("   the same session reads", REFUSED, world.reads(WITH_ID, session))
    quick = time.monotonic() - begun < _SECONDS
    row("   that took", f"under {_SECONDS} s", f"under {_SECONDS} s" if quick else "longer")
    _doctor(world, "while suspended", _HEALTHY)
    policy = _policy(world)
    world.deploy("after `cmek suspend`", WITH_ID)
    row("   changed in the key policy", "nothing", _changed(policy, _policy(world)))
    world.compare_with_first(WITH_ID, reads=REFUSED)
    world.ends("`cmek resume`", _cmek(world, "resume", WITH_ID.name))
    world.compare_with_first(WITH_ID)
    policy = _policy(world)
    world.deploy("after `cmek resume`", WITH_ID)
    row("   changed in the key policy", "nothing", _changed(policy, _policy(world)))
    _doctor(world, "after that", _HEALTHY)


def _cmek(world: World, *arguments: str) -> Ended:
    return world.run(world.app.folder, world.administrator(WITH_ID), "cmek", *arguments)


def _doctor(world: World, when: str, expected: str) -> None:
    # The emulator has no CloudTrail.
    ended = _cmek(world, "doctor", WITH_ID.name, "--json", "--no-cloudtrail")
    (found,) = json.loads(ended.stdout or '[{"findings": []}]')
    wrong = [one["about"] for one in found["findings"] if one["fails"]]
    given = f"{ended}, {', '.join(wrong) or 'none'} wrong"
    world.report.row(f"`cmek doctor`: {when}", expected, given, ended.said)


def _policy(world: World) -> dict[str, Any]:
    kms, key = world.client("kms", WITH_ID), world.first[WITH_ID].key_arn
    found = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    policy: dict[str, Any] = json.loads(found)
    return policy


def _changed(before: dict[str, Any], after: dict[str, Any]) -> str:
    return "nothing" if before == after else "something"


def _fault(
    world: World,
    fault: Callable[[World], str],
    about: str,
    mend: Callable[[World, str], None],
) -> None:
    kept = fault(world)
    _doctor(world, (fault.__doc__ or "").rstrip("."), f"exit code 1, {about} wrong")
    mend(world, kept)


def _put(world: World, policy: dict[str, Any]) -> None:
    world.client("kms", WITH_ID).put_key_policy(
        KeyId=world.first[WITH_ID].key_arn, PolicyName="default", Policy=json.dumps(policy)
    )


def _widen(world: World) -> str:
    """The key policy widened."""
    policy = _policy(world)
    helper = {"Sid": "Helper", "Effect": "Allow", "Principal": {"AWS": STRANGER}}
    statement = {**helper, "Action": "kms:Decrypt", "Resource": "*"}
    _put(world, {**policy, "Statement": [*policy["Statement"], statement]})
    return ""


def _put_policy(world: World, _kept: str) -> None:
    shown = _cmek(world, "doctor", WITH_ID.name, "--show", "key-policy").stdout
    _put(world, json.loads(shown))


def _disable(world: World) -> str:
    """The key disabled."""
    world.client("kms", WITH_ID).disable_key(KeyId=world.first[WITH_ID].key_arn)
    return ""


def _enable(world: World, _kept: str) -> None:
    world.client("kms", WITH_ID).enable_key(KeyId=world.first[WITH_ID].key_arn)


def _delete(world: World) -> str:
    """The key's deletion scheduled."""
    kms = world.client("kms", WITH_ID)
    kms.schedule_key_deletion(KeyId=world.first[WITH_ID].key_arn, PendingWindowInDays=7)
    return ""


def _keep(world: World, kept: str) -> None:
    kms = world.client("kms", WITH_ID)
    kms.cancel_key_deletion(KeyId=world.first[WITH_ID].key_arn)
    _enable(world, kept)


def _move_alias(world: World) -> str:
    """The alias moved to another key."""
    kms = world.client("kms", WITH_ID)
    another = str(kms.create_key()["KeyMetadata"]["KeyId"])
    kms.update_alias(AliasName=world.first[WITH_ID].alias, TargetKeyId=another)
    return another


def _move_back(world: World, kept: str) -> None:
    kms, first = world.client("kms", WITH_ID), world.first[WITH_ID]
    kms.update_alias(AliasName=first.alias, TargetKeyId=first.key_arn.rpartition("/")[2])
    kms.schedule_key_deletion(KeyId=kept, PendingWindowInDays=7)


def _make_role_again(world: World) -> str:
    """The role made again under its old name."""
    iam, arn = world.client("iam", WITH_ID), world.first[WITH_ID].role_arn
    name = arn.rpartition("/")[2]
    old = iam.get_role(RoleName=name)["Role"]
    iam.delete_role(RoleName=name)
    trust = json.dumps(old["AssumeRolePolicyDocument"])
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    # AWS does this by itself; the emulator leaves the ARN in the policy.
    _put(world, json.loads(json.dumps(_policy(world)).replace(arn, old["RoleId"])))
    world.report.row("   Pinecone reads", REFUSED, world.pinecone_reads(WITH_ID))
    return ""


def _anew(world: World, _kept: str) -> None:
    _cmek(world, "suspend", WITH_ID.name, "--reason", "role made again")
    world.ends("   `cmek suspend`, `cmek resume`", _cmek(world, "resume", WITH_ID.name))
