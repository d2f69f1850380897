"""`cmek adopt`: an entry and a mapping for a role and a key that were there before their stack.

cmek.yaml is written last: a run that ends before begins anew, and one that ends after it finds the entry and compares.
What could not be read is no basis for an entry, and ends the command.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import typer

from cmek_construct import props
from cmek_construct.aws import reading
from cmek_construct.aws.objects import Key, Role, Stack, Unread
from cmek_construct.aws.session import Asking, Session
from cmek_construct.checks import printable
from cmek_construct.commands.lock import clear_gone
from cmek_construct.commands.looking import locked
from cmek_construct.commands.options import CUSTOMER_ACCOUNTS, NAME, PROFILE, a_key, a_region, a_role, checked, flag
from cmek_construct.commands.printing import marked, refused, text, told
from cmek_construct.deployment.reading import Entry, YamlText, parse_entries, text_of
from cmek_construct.deployment.writing import FILE, beside_top, make_folder, replace, with_entry, write_whole
from cmek_construct.health import adoption
from cmek_construct.health.deployed import Deployed
from cmek_construct.health.findings import Finding, Verdict, known


@told(about="{name}: nothing was written".format)
@dataclass(frozen=True)
class Adopt:
    """Take a role and a key that are there already into a stack, unchanged.

    Reads them, writes the entry of cmek.yaml whose template is what is there, and the file for `cdk import`. Each
    difference is named. Changes nothing in AWS. For an entry that is there already, after its stack was deleted, it
    writes the file alone.
    """

    name: str = NAME
    role_arn: str = a_role("role_arn", default=...)
    key_arn: str | None = a_key()
    alias: str | None = checked(props.ALIAS.check, "NAME", "alias")
    as_given: Literal["role", "key"] | None = typer.Option(None)
    customer_account_ids: Sequence[str] | None = CUSTOMER_ACCOUNTS
    region: str | None = a_region()
    asking: Asking = PROFILE
    accept: bool = flag("--accept")

    def __iter__(self) -> Iterator[str]:
        before = text_of(FILE) if os.path.lexists(FILE) else None
        entries = [] if before is None else parse_entries(before, FILE)
        top = {} if before is None else YamlText(before).data
        there = next((one for one in entries if one.name == self.name), None)
        account, region = self._place(top, there)
        session = self.asking.of_stack(account, region, self.name)
        role, key = self._role_and_key(session)
        entry, changed = there, None
        if entry is None:
            props = {"account": account, "region": region, **adoption.of_role(role, given=self.as_given == "role")}
            if key is None:
                props |= adoption.of_customers(role, self.customer_account_ids or [])
            else:
                props |= adoption.of_key(key, role.arn, self.alias, given=self.as_given == "key")
            changed, entry = with_entry(before, self.name, beside_top(props, top))
        case = Deployed(entry, role.arn, self.key_arn, locked(entry), role=role, key=key)
        adoption.refuse_another(case, role, key)
        mapping = adoption.import_mapping(entry, role, key, _held_by(entry, session))
        found = [*adoption.differences(case, role, key), *_other_stacks(mapping, entry, session)]
        found.sort(key=lambda one: one.verdict is not Verdict.WRONG)
        yield text("adopt.j2", "differences", case=case, found=found, marked=marked)
        wrong = [one.about for one in found if one.verdict is Verdict.WRONG]
        if wrong and not self.accept:
            raise refused("adopt.j2", "is_wrong", name=self.name, wrong=wrong)
        file = Path(f"cmek-import-{self.name}.json")
        replace(file, json.dumps(mapping, indent=2) + "\n")
        made = make_folder() if before is None else None
        if changed:
            write_whole(changed)
        if made:
            yield text("init.j2", "made", **made)
        yield f"Wrote {file}: {', '.join(mapping)}."
        yield from clear_gone(self.name, account, region)
        yield f"{FILE}: {self.name} {'stays as it is' if there else 'added'}."
        yield "\n" + text("adopt.j2", "next", name=self.name, file=file)

    def _place(self, top: dict[str, Any], there: Entry | None) -> tuple[str, str]:
        """Account and region of the stack: the key's, or for a role alone the entry's region or the file's."""
        of_key = {"--alias": self.alias, "--as-given": self.as_given}
        of_vendor = {"--customer-account-ids": self.customer_account_ids, "--region": self.region}
        idle = of_key | of_vendor if there else of_vendor if self.key_arn else of_key
        for option in (one for one, value in idle.items() if value):  # it was meant to do something
            raise refused("adopt.j2", "is_idle", option=option, there=there, has_key=self.key_arn is not None)
        account = self.role_arn.split(":")[4]
        region = self.region or (there.region if there else top.get("region"))
        if self.key_arn is not None:
            region, of_key_arn = self.key_arn.split(":")[3:5]
            if of_key_arn != account:
                raise refused("adopt.j2", "two_accounts", of_key=of_key_arn, of_role=account)
        if region is None:
            raise refused("adopt.j2", "no_region")
        if there and (there.account, there.region) != (account, region):
            raise refused("adopt.j2", "elsewhere", there=there, account=account, region=region)
        return account, str(region)

    def _role_and_key(self, session: Session) -> tuple[Role, Key | None]:
        """Both, with all that an entry is made of."""
        found = reading.read_role(session, self.role_arn)
        role = known(found, "the role", text("adopt.j2", "absent", arn=self.role_arn))
        if role.arn != self.role_arn:
            raise refused("adopt.j2", "another_path", role_arn=self.role_arn, found=printable(role.arn))
        known(role.trust, "the trust policy")
        known(role.permissions, "the role's permissions")
        if self.key_arn is None:
            return role, None
        key = known(reading.read_key(session, self.key_arn), "the key", text("adopt.j2", "absent", arn=self.key_arn))
        adoption.refuse_unfit(key)
        known(key.policy, "the key policy")
        known(key.aliases, "its aliases")
        known(key.rotation_days or 0, "its rotation")
        return role, key


def _held_by(entry: Entry, session: Session) -> dict[str, str]:
    """What the stack holds, by logical ID."""
    stack = reading.read_stack(session, entry.name)
    if stack is None or (isinstance(stack, Stack) and stack.is_empty):
        return {}
    what = "whether a stack of that name holds anything"
    if known(stack, what).is_changing:
        raise refused("adopt.j2", "is_changing", name=entry.name)
    held = known(reading.read_resources(session, entry.name) or [], what)
    return {one.logical_id: one.physical_id for one in held}


def _other_stacks(mapping: adoption.ImportMapping, entry: Entry, session: Session) -> Iterator[Finding]:
    """Whether another stack has one of them: CloudFormation gives nothing to two, and a deploy would make others."""
    for logical_id in (one for one in (adoption.ROLE, adoption.KEY) if one in mapping):
        (physical,) = mapping[logical_id].values()
        owner = reading.read_owner(session, physical)
        if isinstance(owner, Unread):
            words = text("adopt.j2", "owner_unread", physical=physical, why=owner.why)
            yield Finding(Verdict.SAID, "other-stack", words)
        elif owner not in (None, entry.name):
            raise refused("adopt.j2", "belongs", name=entry.name, physical=physical, owner=printable(owner))
