"""`cmek adopt`: an entry and a mapping for a role and a key that were there before their stack.

cmek.yaml is written last: a run that ends before begins anew, and one that ends after it finds the entry and compares.
What could not be read is no basis for an entry, and ends the command.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import typer

from cmek_construct import props
from cmek_construct.aws import reading
from cmek_construct.aws.objects import Key, Role, Stack, Unread
from cmek_construct.aws.session import Asking, Session
from cmek_construct.checks import printable
from cmek_construct.commands.lock import clear_gone
from cmek_construct.commands.looking import locked
from cmek_construct.commands.options import PROFILE, a_key, a_region, a_role, checked, customers, flag, listed, named
from cmek_construct.commands.printing import marked, text, told
from cmek_construct.deployment.reading import Entry, YamlText, parse_entries, text_of
from cmek_construct.deployment.writing import FILE, beside_top, make_folder, new_text, replace, with_entry, write_whole
from cmek_construct.health import adoption
from cmek_construct.health.deployed import Deployed, LockedIdentity
from cmek_construct.health.findings import Finding, Refused, Verdict, known

_READS_ROLE: Final = (
    "iam:GetRole, ListRolePolicies, GetRolePolicy, ListAttachedRolePolicies, GetPolicy and GetPolicyVersion"
)
_READS_KEY: Final = "kms:DescribeKey, GetKeyPolicy, GetKeyRotationStatus and ListAliases"
_READS_STACK: Final = "cloudformation:DescribeStacks and ListStackResources"
_COPY: Final = "Copy the ARN from Pinecone's console, Manage > CMEK, and see that account and region are right."


@told(about="{name}: nothing was written".format)
@dataclass(frozen=True)
class Adopt:
    """Take a role and a key that are there already into a stack, unchanged.

    Reads them, writes the entry of cmek.yaml whose template is what is there, and the file for `cdk import`. Each
    difference is named. Changes nothing in AWS. For an entry that is there already, after its stack was deleted, it
    writes the file alone.
    """

    name: str = named("Of the stack, in cmek.yaml or new to it. For good.")
    role_arn: str = a_role("role_arn", "The role that Pinecone stores.", default=...)
    key_arn: str | None = a_key("The key that Pinecone stores. A vendor's role, for keys of customers, has none.")
    alias: str | None = checked(props.ALIAS.check, "NAME", "alias", "Of a key with several: the stack's one.")
    as_given: Literal["role", "key"] | None = typer.Option(
        None, help="Do not take this one over: the entry names it by its ARN, and its policy stays yours."
    )
    customer_account_ids: str | None = customers(
        "For a vendor's role that has lost its permissions: accounts of customers."
    )
    region: str | None = a_region("Of the stack of a vendor's role, which has no key. Default: as in cmek.yaml.")
    asking: Asking = PROFILE
    accept: bool = flag("--accept", "Go on where the template would lock somebody out or let somebody in.")

    def __iter__(self) -> Iterator[str]:
        before = text_of(FILE) if os.path.lexists(FILE) else None
        entries = [] if before is None else parse_entries(before, FILE)
        top = {} if before is None else YamlText(before).data
        there = next((one for one in entries if one.name == self.name), None)
        account, region = self._place(top, there)
        session = self.asking.of_stack(account, region, self.name)
        role, key = self._role_and_key(session)
        changed = None
        if there is None:
            props = {"account": account, "region": region, **adoption.of_role(role, given=self.as_given == "role")}
            if key is None:
                accounts = listed(self.customer_account_ids) if self.customer_account_ids else []
                props |= adoption.of_customers(role, accounts)
            else:
                props |= adoption.of_key(key, role.arn, self.alias, given=self.as_given == "key")
            props = beside_top(props, top)
            changed = new_text(self.name, props) if before is None else with_entry(before, self.name, props)
        added = parse_entries(changed, f"{FILE}, with {self.name} added") if changed else []
        entry = there or next(one for one in added if one.name == self.name)
        lock = locked(entry)
        self._refuse_another(entry, lock, role)
        case = Deployed(entry, role.arn, self.key_arn, lock, role=role, key=key)
        mapping = adoption.import_mapping(entry, role, key, _held_by(entry, session))
        found = [*adoption.differences(case, role, key), *_other_stacks(mapping, entry, session)]
        found.sort(key=lambda one: one.verdict is not Verdict.WRONG)
        yield text("adopt.j2", "differences", case=case, found=found, marked=marked)
        wrong = ", ".join(one.about for one in found if one.verdict is Verdict.WRONG)
        if wrong and not self.accept:
            does = "there the template would lock somebody out, or let somebody in, some day. Nothing was written"
            ways = "Take one of the ways out above, or run this again with --accept"
            raise Refused(f"{self.name}: {wrong}: {does}. {ways}.")
        file = Path(f"cmek-import-{self.name}.json")
        replace(file, json.dumps(mapping, indent=2) + "\n")
        made = [make_folder()] if before is None else []
        if changed:
            write_whole(changed)
        yield from (text("init.j2", "made", **files) for files in made)
        yield f"Wrote {file}: {', '.join(mapping)}."
        yield from clear_gone(self.name, account, region)
        yield f"{FILE}: {self.name} {'stays as it is' if there else 'added'}."
        yield "\n" + text("adopt.j2", "next", name=self.name, file=file)

    def _place(self, top: dict[str, Any], there: Entry | None) -> tuple[str, str]:
        """Account and region of the stack: the key's, or for a role alone the entry's region or the file's."""
        for_key = {"--alias": self.alias, "--as-given": self.as_given}
        for_role = {"--customer-account-ids": self.customer_account_ids, "--region": self.region}
        idle, why = for_key, "it is for a role with --key-arn"
        if self.key_arn:
            idle, why = for_role, "it is for a role without --key-arn"
        if there:
            idle, why = for_key | for_role, f"{FILE} has stacks.{self.name}, and that holds"
        for option in (one for one, value in idle.items() if value):  # it was meant to do something
            raise Refused(f"{option}: {why}. Leave the option out.")
        account = self.role_arn.split(":")[4]
        region = self.region or (there.settings.region if there else top.get("region"))
        if self.key_arn is not None:
            region, of_key = self.key_arn.split(":")[3:5]
            if of_key != account:
                cure = "a stack is in one account. Write the entry by hand (`cmek add`), with key: and the ARN"
                raise Refused(f"--key-arn: got a key of account {of_key}, but the role is of {account}, and {cure}.")
        if region is None:
            raise Refused("--region: it is missing. Say in which region the role's stack is to be.")
        if there and (there.settings.account, there.settings.region) != (account, region):
            is_in = f"it is in account {there.settings.account}, {there.settings.region}"
            why = f"{is_in}, but role and key are in {account}, {region}"
            raise Refused(f"{FILE}: stacks.{self.name}: {why}. Choose another name, or the ARNs of this stack.")
        return account, str(region)

    def _role_and_key(self, session: Session) -> tuple[Role, Key | None]:
        """Both, with all that an entry is made of."""
        found = reading.read_role(session, self.role_arn)
        role = known(found, "the role", f"There is no {self.role_arn}. {_COPY}", _READS_ROLE)
        if role.arn != self.role_arn:
            why = f"got {self.role_arn}, but IAM has {printable(role.arn)} under that name"
            raise Refused(f"--role-arn: {why}. Copy the ARN from the IAM console, path included.")
        known(role.trust, "the trust policy", "", _READS_ROLE)
        known(role.permissions, "the role's permissions", "", _READS_ROLE)
        if self.key_arn is None:
            return role, None
        shown = reading.read_key(session, self.key_arn)
        key = known(shown, "the key", f"There is no {self.key_arn}. {_COPY}", _READS_KEY)
        adoption.refuse_unfit(key)
        parts = {"the key policy": key.policy, "its aliases": key.aliases, "its rotation": key.rotation_days or 0}
        for what, part in parts.items():
            known(part, what, "", _READS_KEY)
        return role, key

    def _refuse_another(self, entry: Entry, lock: LockedIdentity, role: Role) -> None:
        own, stack = entry.settings, f"stacks.{self.name}"
        if own.customers is not None and self.key_arn is not None:
            raise Refused(f"{FILE}: {stack}: it is a vendor's, whose keys are its customers'. Leave --key-arn out.")
        if own.customers is None and self.key_arn is None:
            raise Refused(f"--key-arn: it is missing: {stack} has a key of its own.")
        for what, given, wanted in (
            (f"{FILE}: {stack}.role", self.role_arn, own.role),
            (f"{FILE}: {stack}.key", self.key_arn, own.key),
            (f"cmek.lock: the role of {self.name}", self.role_arn, lock.role_arn),
            (f"cmek.lock: the key of {self.name}", self.key_arn, lock.key_arn),
            (f"cmek.lock: the unique ID of the role of {self.name}", role.role_id, lock.role_id),
        ):
            if wanted not in (None, given):
                stored = "Pinecone stores one of the two: its console shows which (Manage > CMEK). Delete neither."
                raise Refused(f"{what}: it has {wanted}, but got {given}. {stored}")


def _held_by(entry: Entry, session: Session) -> dict[str, str]:
    """What the stack holds, by logical ID."""
    stack = reading.read_stack(session, entry.name)
    if stack is None or (isinstance(stack, Stack) and stack.is_empty):
        return {}
    what = "whether a stack of that name holds anything"
    if known(stack, what, "", _READS_STACK).is_changing:
        raise Refused(f"{entry.name}: its stack is changing. Wait for its end, and run this again.")
    held = known(reading.read_resources(session, entry.name) or [], what, "", _READS_STACK)
    return {one.logical_id: one.physical_id for one in held}


def _other_stacks(mapping: adoption.ImportMapping, entry: Entry, session: Session) -> Iterator[Finding]:
    """Whether another stack has one of them: CloudFormation gives nothing to two, and a deploy would make others."""
    for logical_id in (one for one in (adoption.ROLE, adoption.KEY) if one in mapping):
        (physical,) = mapping[logical_id].values()
        owner = reading.read_owner(session, physical)
        if isinstance(owner, Unread):
            words = f"not read: whether another stack has {physical} ({owner.why})"
            words = f"{words}. If one has, `cdk import` is refused, and nothing happens"
            yield Finding(Verdict.SAID, "other-stack", words)
        elif owner not in (None, entry.name):
            raise Refused(text("adopt.j2", "belongs", name=entry.name, physical=physical, owner=printable(owner)))
