"""One entry of cmek.yaml as it is deployed: what AWS shows of it, and what the lock holds."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from cmek_construct import checks, templates
from cmek_construct.aws.objects import Key, Role, Stack, Unread
from cmek_construct.deployment.documents import is_suspended_by_trust
from cmek_construct.deployment.reading import Entry
from cmek_construct.health.comparing import Where
from cmek_construct.lock.model import Lock, Place, stacks_at
from cmek_construct.templates.attributes import KEY, ROLE

ROLE_ARN: Final = "RoleArn"
KEY_ARN: Final = "KeyArn"
EXTERNAL_ID: Final = "ExternalId"
"""The outputs of a stack."""


@dataclass(frozen=True)
class LockedIdentity:
    """The role and the key of a stack, as far as they are locked and were deployed."""

    role_arn: str | None = None
    role_id: str | None = None
    key_arn: str | None = None
    elsewhere: tuple[str, ...] = ()
    """The other Regions or accounts in which a stack of this name is locked."""

    def way_back(self, entry: Entry, profile: str | None = None) -> str | None:
        """The command that takes role and key back when their stack is gone.

        What is not known of them stands in it as the README writes it, ROLE-ARN or KEY-ARN.

        Args:
            entry: of the stack.
            profile: the AWS profile that was asked with.

        Returns:
            The command; None where nothing is locked, so that a deploy makes no second role or key.
        """
        if not (self.role_arn or self.key_arn):
            return None
        own = entry.settings
        role, key = own.role or self.role_arn, own.key or self.key_arn
        command = ["cmek", "adopt", entry.name, "--role-arn", role or "ROLE-ARN"]
        if own.customers is None:
            command += ["--key-arn", key or "KEY-ARN"]
        if (own.role and f"::{own.account}:" not in own.role) or (
            own.key and f":{own.region}:{own.account}:" not in own.key
        ):
            # `cmek adopt` takes nothing of two accounts or regions.
            command = ["npx", "cdk", "import", entry.name]
        return shlex.join([*command, "--profile", profile] if profile else command)


def locked_identity(lock: Lock, entry: Entry) -> LockedIdentity:
    """What a lock holds of a stack."""
    own = entry.settings
    here = Place.of(entry.name, own.account, own.region or "")
    places = stacks_at(lock, here)
    roles: dict[str, str | None] = {}
    keys: dict[str, str | None] = {}
    for one in (one for place in places for one in lock[place].values() if one.in_force):
        assert one.identity is not None
        kind = roles if one.identity.type == ROLE else keys
        if "Arn" in one.deployed:
            kind[one.deployed["Arn"]] = one.deployed.get("RoleId")
    role_arn = next(iter(roles), None)
    others = tuple(
        f"{one.account}, {one.region}"
        for one in lock
        if one.stack == entry.name and one not in places and not one.may_be(here)
    )
    return LockedIdentity(role_arn, roles.get(role_arn or ""), next(iter(keys), None), others)


def identities(
    entry: Entry, outputs: Mapping[str, str], lock: LockedIdentity
) -> tuple[str | None, str | None]:
    """The ARNs of role and key: given in the file, of the stack, or of the lock."""
    own = entry.settings
    role_arn = own.role or outputs.get(ROLE_ARN) or lock.role_arn
    if own.customers is not None:
        return role_arn, None
    return role_arn, own.key or outputs.get(KEY_ARN) or lock.key_arn


def own_outputs(entry: Entry, stack: Stack | Unread | None) -> dict[str, str]:
    """Those outputs that have the form and the place of this stack's."""
    own, outputs = entry.settings, stack.outputs if isinstance(stack, Stack) else {}
    found = {EXTERNAL_ID: outputs[EXTERNAL_ID]} if EXTERNAL_ID in outputs else {}
    for name, form, place in (
        (ROLE_ARN, checks.ROLE_ARN, f"arn:aws:iam::{own.account}:role/"),
        (KEY_ARN, checks.KEY_ARN, f"arn:aws:kms:{own.region}:{own.account}:key/"),
    ):
        value = outputs.get(name, "")
        if form.fullmatch(value) and value.startswith(place):
            found[name] = value
    return found


@dataclass(frozen=True)
class Deployed:
    """One stack, its role and its key."""

    entry: Entry
    role_arn: str
    key_arn: str | None
    """None in a vendor's stack, whose customers own the keys."""
    lock: LockedIdentity
    now: datetime
    stack: Stack | Unread | None = None
    role: Role | Unread | None = None
    key: Key | Unread | None = None
    alias: str | Unread | None = None
    """The alias that the stack made, by CloudFormation."""
    alias_target: str | Unread | None = None
    """The key that this alias, or that of the file, points to."""
    template: str | Unread = field(default=Unread("not looked at"))
    """Of the last deploy."""
    profile: str | None = None
    """With which it was asked."""

    @property
    def way_back(self) -> str | None:
        """The command that takes role and key back; None where their stack is there."""
        is_gone = self.stack is None or (isinstance(self.stack, Stack) and self.stack.is_empty)
        return self.lock.way_back(self.entry, self.profile) if is_gone else None

    @cached_property
    def outputs(self) -> dict[str, str]:
        """What the stack gives out."""
        return own_outputs(self.entry, self.stack)

    @property
    def trust(self) -> Where:
        """Where the role's trust policy stands."""
        return Where("trust", self.role_arn)

    @property
    def key_policy(self) -> Where:
        """Where the key policy stands."""
        return Where("key", self.key_arn)

    @property
    def brake(self) -> Where:
        """Where the suspension stands."""
        by_trust = is_suspended_by_trust(self.entry.settings)
        return self.trust if by_trust else self.key_policy

    @property
    def role_name(self) -> str:
        """The name of the role."""
        return self.role_arn.rpartition("/")[2]

    def in_template(self, kind: str) -> Sequence[Any] | None:
        """The statements that the last deploy wrote: ``trust`` or ``key``; None: not known."""
        return self._of_template.get(kind)

    @cached_property
    def _of_template(self) -> dict[str, Sequence[Any]]:
        if isinstance(self.template, Unread):
            return {}
        try:
            resources = templates.parsed(self.template).get("Resources", {})
        except templates.UnreadableError:
            return {}
        found: dict[str, Sequence[Any]] = {}
        text = json.dumps(resources)
        for name in resources:
            reference = json.dumps({"Fn::GetAtt": [name, "Arn"]})
            if resources[name].get("Type") == ROLE:
                text = text.replace(reference, json.dumps(self.role_arn))
        for one in json.loads(text).values():
            for kind, type_, name in (
                ("trust", ROLE, "AssumeRolePolicyDocument"),
                ("key", KEY, "KeyPolicy"),
            ):
                policy = one.get("Properties", {}).get(name)
                if one.get("Type") == type_ and isinstance(policy, dict):
                    found[kind] = policy.get("Statement", [])
        return found

    def kms(self, command: str) -> str:
        """A command of the AWS CLI about the key."""
        assert self.key_arn is not None
        region = self.key_arn.split(":")[3]
        return f"aws kms {command} --region {region} --key-id {self.key_arn}"

    def iam(self, command: str) -> str:
        """A command of the AWS CLI about the role."""
        return f"aws iam {command} --role-name {self.role_name}"

    @property
    def put_trust_policy(self) -> str:
        """The command that puts the trust policy of the file."""
        shown = f'"$(cmek doctor {self.entry.name} --show trust-policy)"'
        return f"{self.iam('update-assume-role-policy')} --policy-document {shown}"

    @property
    def put_key_policy(self) -> str:
        """The command that puts the key policy of the file."""
        shown = f'"$(cmek doctor {self.entry.name} --show key-policy)"'
        return f"{self.kms('put-key-policy')} --policy-name default --policy {shown}"
