"""One entry of cmek.yaml as it is deployed: what AWS shows of it, and what the lock holds."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property
from typing import Any, Final

from cmek_construct import checks, templates
from cmek_construct.aws.objects import Key, PermissionsPolicy, Role, Stack, Unread
from cmek_construct.customers import Customers
from cmek_construct.deployment import documents
from cmek_construct.deployment.config import StackSettings
from cmek_construct.deployment.reading import Entry
from cmek_construct.guide import Statement
from cmek_construct.health.comparing import Where
from cmek_construct.health.entries import customers_in
from cmek_construct.health.findings import Refused
from cmek_construct.lock.text import Lock, Place, stacks_at
from cmek_construct.policy import Policy
from cmek_construct.policy.statements import Kind
from cmek_construct.templates.attributes import ROLE

ROLE_ARN: Final = "RoleArn"
KEY_ARN: Final = "KeyArn"
EXTERNAL_ID: Final = "ExternalId"
"""The outputs of a stack."""
_OUTPUTS: Final = (ROLE_ARN, KEY_ARN, EXTERNAL_ID)
_KEY_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")


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


def identities(entry: Entry, outputs: Mapping[str, str], lock: LockedIdentity) -> tuple[str | None, str | None]:
    """The ARNs of role and key: given in the file, of the stack, or of the lock."""
    own = entry.settings
    role_arn = own.role or outputs.get(ROLE_ARN) or lock.role_arn
    if own.customers is not None:
        return role_arn, None
    return role_arn, own.key or outputs.get(KEY_ARN) or lock.key_arn


def own_outputs(entry: Entry, stack: Stack | Unread | None) -> dict[str, str]:
    """Those outputs that have the form and the place of this stack's."""
    own, outputs = entry.settings, stack.outputs if isinstance(stack, Stack) else {}
    role, key = f"arn:aws:iam::{own.account}:role/", f"arn:aws:kms:{own.region}:{own.account}:key/"
    wrong = {name for name, _ in _wrong_outputs(outputs, role, key)}
    return {name: outputs[name] for name in _OUTPUTS if name in outputs and name not in wrong}


def wrong_output(outputs: Mapping[str, Any], whose: str, role: str, key: str | None) -> str | None:
    """Which output is not the one that is meant, in words.

    Args:
        outputs: of a stack.
        whose: it is meant to be.
        role: its ARN, or how it begins, up to a slash.
        key: the same of the key; None where the stack has none.
    """
    for name, wanted in _wrong_outputs(outputs, role, key):
        more = "…" if wanted.endswith("/") else ""
        value = str(outputs.get(name, ""))
        return f"the output {name} is {value!a}, but that of {whose} is {wanted}{more}"
    return None


def _wrong_outputs(outputs: Mapping[str, Any], role: str, key: str | None) -> Iterator[tuple[str, str]]:
    """The names of those that are not meant, each with what is."""
    for name, form, wanted in ((ROLE_ARN, checks.ROLE_ARN, role), (KEY_ARN, checks.KEY_ARN, key)):
        if wanted is not None:
            value = str(outputs.get(name, ""))
            begins = wanted.endswith("/") and value.startswith(wanted)
            if not (form.fullmatch(value) and (begins or value == wanted)):
                yield name, wanted


@dataclass(frozen=True)
class Deployed:
    """One stack, its role and its key.

    Of each policy there are three: what is there, what the last deploy wrote, and what the file says.
    """

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

    def with_settings(self, **props: Any) -> Deployed:
        """The same, as if the file said something else."""
        changed: StackSettings = self.entry.settings.model_copy(update=props)
        return replace(self, entry=replace(self.entry, settings=changed))

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
    def role_name(self) -> str:
        """The name of the role."""
        return self.role_arn.rpartition("/")[2]

    def where(self, kind: Kind) -> Where:
        """Where a policy of a kind stands."""
        return Where(kind, {"trust": self.role_arn, "key": self.key_arn}.get(kind))

    @property
    def brake(self) -> Where:
        """Where the suspension stands."""
        by_trust = documents.is_suspended_by_trust(self.entry.settings)
        return self.where("trust" if by_trust else "key")

    def statements(self, kind: Kind) -> Sequence[Any] | Unread:
        """The policy that is there; of the role's permissions, with what the key policy lets it."""
        of = self.key if kind == "key" else self.role
        if of is None or isinstance(of, Unread):
            return of or Unread(f"there is no such {'key' if kind == 'key' else 'role'}")
        if isinstance(of, Key):
            return of.policy
        if kind == "trust":
            return of.trust
        if isinstance(of.permissions, Unread):
            return of.permissions
        return [*(one for policy in self.permissions for one in policy.statements), *self.by_key]

    @property
    def permissions(self) -> Sequence[PermissionsPolicy]:
        """The permissions policies of the role, as far as they were read."""
        found = self.role.permissions if isinstance(self.role, Role) else ()
        return () if isinstance(found, Unread) else found

    def written(self, kind: Kind) -> Sequence[Any] | None:
        """The policy that the last deploy wrote; None: not known."""
        return self._of_template.get(kind)

    def wanted(self, kind: Kind, *, suspended: bool = False) -> list[Statement]:
        """The policy that the file says."""
        own = self.entry.settings
        if kind == "permissions":
            return [*documents.permissions(own), *self.by_key]
        if kind == "trust":
            return list(documents.trust_policy(own, suspended=suspended)["Statement"])
        return list(documents.key_policy(own, self.role_arn, suspended=suspended)["Statement"])

    @property
    def by_key(self) -> list[Statement]:
        """What the role may do by the policy of a key of its own account."""
        if self.key_arn is None:
            return []
        return documents.role_permissions(self.entry.settings, self.key_arn)

    @cached_property
    def _of_template(self) -> Mapping[Kind, Sequence[Any]]:
        found = None if isinstance(self.template, Unread) else _written_by(self, self.template)
        return found or {}

    def kms(self, command: str) -> str:
        """A command of the AWS CLI about the key."""
        assert self.key_arn is not None
        region = self.key_arn.split(":")[3]
        return f"aws kms {command} --region {region} --key-id {self.key_arn}"

    def iam(self, command: str) -> str:
        """A command of the AWS CLI about the role."""
        return f"aws iam {command} --role-name {self.role_name}"

    def put(self, kind: Kind) -> str:
        """The command that puts the trust policy or the key policy of the file."""
        shown = f'"$(cmek doctor {self.entry.name} --show {kind}-policy)"'
        if kind == "trust":
            return f"{self.iam('update-assume-role-policy')} --policy-document {shown}"
        return f"{self.kms('put-key-policy')} --policy-name default --policy {shown}"


def _written_by(case: Deployed, template: str) -> dict[Kind, Sequence[Any]] | None:
    """The policies of a role and a key in a template; None where it cannot be read."""
    try:
        content = templates.parsed(template)
    except templates.UnreadableError:
        return None
    one = templates.template_of(content, case.entry.name, case.entry.settings.account)
    found = templates.find(templates.Run([one]))
    own = [one.policy for one in found.attached if one.policy and not one.is_boundary]
    policies: list[tuple[Kind, Policy]] = [("permissions", one) for one in own]
    policies += [("trust", now.value.trust) for role in found.roles for now in role.cases]
    policies += [("key", now.value.policy) for key in found.keys for now in key.cases]
    written: dict[Kind, list[Any]] = {"permissions": list(case.by_key)} if found.roles else {}
    for kind, policy in policies:
        statements = written.setdefault(kind, [])
        for statement in policy.statements:
            # As AWS gives it back: no hole, and without variables in an older Version.
            dollar = "${" if statement.variables else "${$}{"
            text = json.dumps(statement.raw).replace("${!", dollar)
            statements.append(json.loads(text))
    text = json.dumps(written)
    for now in (now for role in found.roles for now in role.cases):
        text = text.replace(now.value.arn, case.role_arn)
    by_kind: dict[Kind, Sequence[Any]] = json.loads(text)
    return by_kind


def deployed_customers(entry: Entry, template: str | Unread) -> Customers:
    """The customers in a vendor's deployed template.

    Raises:
        Refused: it could not be read.
    """
    if not isinstance(template, Unread):
        now = datetime.now(timezone.utc)
        written = _written_by(Deployed(entry, "", None, LockedIdentity(), now), template)
        if written is not None:
            return Customers(*customers_in(written.get("permissions", ())))
    why = template.why if isinstance(template, Unread) else "it is no template"
    raise Refused(f"{entry.name}: its deployed customers could not be read: {why}.")


def with_customer_key(
    entry: Entry, outputs: dict[str, str], key_arn: str | None, deployed: Customers | None
) -> dict[str, str]:
    """The outputs of a vendor's stack, and the key of one of its customers.

    Args:
        entry: of the stack.
        outputs: of the stack.
        key_arn: what the customer sent back.
        deployed: the customers in the deployed stack, where they are known.

    Raises:
        Refused: there is no such key, or the role may not use it.
    """
    customers = entry.settings.customers
    if customers is None:
        if key_arn is not None:
            raise Refused(
                f"{entry.name}: --key-arn is for the stack of a vendor, with customer_account_ids "
                "or customer_key_arns in its entry. This one has its own key: leave it out."
            )
        return outputs
    if key_arn is None:
        raise Refused(
            f"{entry.name}: the keys of this stack are its customers'. Give --key-arn with the "
            "Key ARN that the customer sent back."
        )
    if not _KEY_ID.fullmatch(key_arn.rpartition("/")[2]):
        raise Refused(
            f"{entry.name}: --key-arn is {key_arn}, but a key ID is a UUID, or mrk- and 32 "
            "hexadecimal digits. A part may be missing: copy the Key ARN whole."
        )
    if not customers.cover(key_arn):
        raise Refused(
            f"{entry.name}: --key-arn is {key_arn}, but the role may not use it: neither customer_account_ids has its "
            "account nor customer_key_arns the key. Add it, deploy, and ask again; or correct the ARN."
        )
    if deployed is not None and not deployed.cover(key_arn):
        raise Refused(
            f"{entry.name}: cmek.yaml has the customer of {key_arn}, but the deployed role does "
            f"not. Run `npx cdk deploy {entry.name}` first."
        )
    return outputs | {KEY_ARN: key_arn}


def checked_outputs(entry: Entry, outputs: Any) -> dict[str, str]:
    """The outputs, if they are those of this very stack: what Pinecone stores stays for good."""
    own = entry.settings
    found: dict[str, Any] = outputs if isinstance(outputs, dict) else {}
    role = own.role or f"arn:aws:iam::{own.account}:role/"
    key = own.key or f"arn:aws:kms:{own.region}:{own.account}:key/"
    wrong = wrong_output(found, "this stack", role, key if own.customers is None else None)
    if wrong:
        raise Refused(
            f"{entry.name}: {wrong}. Check the name, the account and the region, or the file of "
            "outputs: it may be of another deploy."
        )
    if found.get(EXTERNAL_ID) != own.external_id:
        raise Refused(
            f"{entry.name}: external_id is {own.external_id} in cmek.yaml, but "
            f"{found.get(EXTERNAL_ID)!a} in the deployed stack. If Pinecone has the key already, "
            "put the deployed one back into the file; if not, deploy first."
        )
    return found
