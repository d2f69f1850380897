"""One entry of cmek.yaml as it is deployed: what AWS shows of it, and what the lock holds."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property
from typing import Any, Final

from cmek_construct import checks, guide, templates
from cmek_construct.aws.objects import Key, Role, Stack, Unread
from cmek_construct.deployment.reading import Entry
from cmek_construct.health.comparing import Where, said_by_trust
from cmek_construct.health.findings import Finding, Rows
from cmek_construct.policy.statements import Kind

ROLE_ARN, KEY_ARN, EXTERNAL_ID = "RoleArn", "KeyArn", "ExternalId"  # the outputs of a stack
_ROWS: Final = Rows("deployed.ini")
_FORMS: Final = {ROLE_ARN: checks.ROLE_ARN, KEY_ARN: checks.KEY_ARN}


def at(when: datetime) -> str:
    return f"{when.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True)
class LockedIdentity:
    """The role and the key of a stack, as far as they are locked and were deployed."""

    role_arn: str | None = None
    role_id: str | None = None
    key_arn: str | None = None
    elsewhere: tuple[str, ...] = ()  # the other Regions or accounts in which a stack of this name is locked


def wrong_outputs(
    outputs: Mapping[str, Any], whose: str, account: str, region: str | None, given: Sequence[str | None] = (None, None)
) -> dict[str, str]:
    """Which outputs are not the ARNs of the given role and key, or of a stack's there: by name, in words."""
    role, key = given
    meant = {ROLE_ARN: role or f"arn:aws:iam::{account}:role/", KEY_ARN: key or f"arn:aws:kms:{region}:{account}:key/"}
    wrong = {}
    for name, wanted in meant.items():
        value, more = str(outputs.get(name, "")), "…" if wanted.endswith("/") else ""
        is_meant = value.startswith(wanted) if more else value == wanted
        if not (is_meant and _FORMS[name].fullmatch(value)):
            wrong[name] = f"the output {name} is {value!a}, but that of {whose} is {wanted}{more}"
    return wrong


@dataclass(frozen=True)
class Deployed:
    """One stack, its role and its key.

    Of each policy there are three: what is there, what the last deploy wrote, and what the file says.
    """

    entry: Entry
    role_arn: str
    key_arn: str | None  # none in a vendor's stack, whose customers own the keys
    lock: LockedIdentity
    now: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    stack: Stack | Unread | None = None
    role: Role | Unread | None = None
    key: Key | Unread | None = None
    alias: str | Unread | None = None  # the alias that the stack made, by CloudFormation
    alias_target: str | Unread | None = None  # the key that the alias by the file points to
    template: str | Unread = ""  # of the last deploy; empty where there is none
    profile: str | None = None

    @classmethod
    def of(
        cls, entry: Entry, lock: LockedIdentity, stack: Stack | Unread | None = None, profile: str | None = None
    ) -> "Deployed":
        """A stack with its role and key: of the stack, given in the file, or of the lock; else they are not known."""
        case = cls(entry, "", None, lock, stack=stack, profile=profile)
        key_arn = None if entry.customers else case.outputs.get(KEY_ARN) or entry.key or lock.key_arn
        return replace(case, role_arn=case.outputs.get(ROLE_ARN) or entry.role or lock.role_arn or "", key_arn=key_arn)

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def way_back(self) -> str | None:
        """The command that takes role and key back when their stack is gone.

        What is not known of them stands in it as the README writes it, ROLE-ARN or KEY-ARN. None where the stack is
        there, and where nothing is locked, so that a deploy makes no second role or key.
        """
        own, lock = self.entry, self.lock
        is_there = self.stack is not None and not (isinstance(self.stack, Stack) and self.stack.state == "empty")
        if is_there or not (lock.role_arn or lock.key_arn):
            return None
        role, key = own.role or lock.role_arn or "ROLE-ARN", own.key or lock.key_arn or "KEY-ARN"
        command = ["cmek", "adopt", self.name, "--role-arn", role, *([] if own.customers else ["--key-arn", key])]
        key_place = f":{own.region}:{own.account}:"
        if (own.role and f"::{own.account}:" not in own.role) or (own.key and key_place not in own.key):
            # `cmek adopt` takes nothing of two accounts or regions.
            command = ["npx", "cdk", "import", self.name]
        return shlex.join([*command, *(["--profile", self.profile] if self.profile else [])])

    @cached_property
    def outputs(self) -> dict[str, str]:
        """Those outputs that have the form and the place of this stack's."""
        found = self.stack.outputs if isinstance(self.stack, Stack) else {}
        wrong = wrong_outputs(found, "", self.entry.account, self.entry.region)
        return {name: found[name] for name in (ROLE_ARN, KEY_ARN, EXTERNAL_ID) if name in found and name not in wrong}

    @cached_property
    def external_id(self) -> str | None:
        """The one that Pinecone stores, as far as is known: the stack's, the role's, or else the file's."""
        if ROLE_ARN in self.outputs:
            return self.outputs.get(EXTERNAL_ID)
        trust = self.statements("trust")
        said = None if isinstance(trust, Unread) else said_by_trust(trust)
        return (said or {}).get("external_id") or self.entry.external_id

    @property
    def alias_by_file(self) -> str | Unread | None:
        """The alias that the key should have: the file's, or the one that the stack made."""
        own = self.entry.alias
        return f"alias/{own.removeprefix('alias/')}" if own else self.alias

    @property
    def role_name(self) -> str:
        return self.role_arn.rpartition("/")[2]

    def where(self, kind: Kind) -> Where:
        return Where(kind, {"trust": self.role_arn, "key": self.key_arn}.get(kind))

    @property
    def brake(self) -> Where:
        return self.where("trust" if self.entry.is_suspended_by_trust else "key")

    def statements(self, kind: Kind) -> Sequence[Any] | Unread:
        """The policy that is there; of the role's permissions, with what the key policy lets it."""
        of = self.key if kind == "key" else self.role
        if of is None or isinstance(of, Unread):
            missing = ("key", "kms:GetKeyPolicy") if kind == "key" else ("role", "iam:GetRole")
            return of or Unread(f"there is no such {missing[0]}", missing[1])
        if isinstance(of, Key):
            return of.policy
        if kind == "trust" or isinstance(of.permissions, Unread):
            return of.trust if kind == "trust" else of.permissions
        return [*(one for policy in of.permissions for one in policy.statements), *self.by_key]

    @cached_property
    def written(self) -> Mapping[Kind, Sequence[Any]]:
        """The policies that the last deploy wrote, as AWS gives them back; none where its template was not read."""
        try:
            content = templates.parsed("" if isinstance(self.template, Unread) else self.template)
        except templates.UnreadableError:
            return {}
        found = templates.find(templates.Run([templates.template_of(content, self.name, self.entry.account)]))
        roles = [now for one in found.roles for now in one.cases]
        keys = [now for one in found.keys for now in one.cases]
        attached = [one.policy for one in found.attached if one.policy and not one.is_boundary]
        written: dict[Kind, list[Any]] = {"permissions": list(self.by_key)} if roles else {}
        for policy in (*attached, *(one.policy for one in (*roles, *keys))):
            for statement in policy.statements:
                # Without holes, and of an older Version without variables.
                text = json.dumps(statement.raw).replace("${!", "${" if statement.variables else "${$}{")
                for role in roles:
                    text = text.replace(role.arn, self.role_arn)
                written.setdefault(policy.kind, []).append(json.loads(text))
        return written

    def wanted(self, kind: Kind, *, suspended: bool = False) -> list[guide.Statement]:
        """The policy that the file says, as the next deploy writes it."""
        own = self.entry
        if kind == "permissions":
            return [*own.permissions(), *self.by_key]
        document = guide.trust_policy(**vars(own.trust), suspended=suspended and own.is_suspended_by_trust)
        if kind == "key":
            admins, days, of = own.key_admins or [], own.protect_used_key, (own.account, self.role_arn, own.access)
            document = guide.key_policy(*of, admins=admins, suspended=suspended, protect_used_key=days)
        return list(document["Statement"])

    @property
    def by_key(self) -> list[guide.Statement]:
        """What the role may do by the policy of a key of its own account."""
        use = guide.role_permissions(self.key_arn, self.entry.access)["Statement"] if self.key_arn else []
        return [{"Sid": "the key policy", **one} for one in use]

    @property
    def of_key(self) -> str:
        """The options of `aws kms` that name the key."""
        return f"--region {str(self.key_arn).split(':')[3]} --key-id {self.key_arn}"


def about_stack(case: Deployed, instead: str | None = None) -> Finding:
    """Whether the stack is there, and whole; if it is gone, with what takes role and key back, or is done instead."""
    stack, elsewhere, way_back = case.stack, "; ".join(case.lock.elsewhere), instead or case.way_back
    if isinstance(stack, Unread):
        return _ROWS.finding("stack.not-read", case=case)
    row = "stack.gone" if way_back else "stack.elsewhere" if elsewhere else "stack.never-deployed"
    if stack and stack.state != "empty":
        row = f"stack.{stack.state}"
    what = f"the stack came to nothing ({stack.status})" if stack else "there is no such stack"
    return _ROWS.finding(row, case=case, what=what, elsewhere=elsewhere, way_back=way_back)
