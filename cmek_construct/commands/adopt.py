"""`cmek adopt`: an entry and a mapping for a role and a key that were there before their stack.

cmek.yaml is written last: a run that ends before begins anew, and one that ends after it finds the entry and compares.
What could not be read is no basis for an entry, and ends the command.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer

from cmek_construct import props
from cmek_construct.aws import reading
from cmek_construct.aws.objects import Key, Role, Stack, Unread
from cmek_construct.aws.session import Asking, Session
from cmek_construct.checks import printable
from cmek_construct.commands import options
from cmek_construct.commands.lock import clear_gone
from cmek_construct.commands.looking import locked
from cmek_construct.commands.options import Profile, a_stack, customers, flag, listed, of_row, option
from cmek_construct.commands.printing import marked, refusals, tell
from cmek_construct.deployment.reading import Entry, YamlText, parse_entries, text_of
from cmek_construct.deployment.writing import FILE, beside_top, make_folder, new_text, replace, with_entry, write_whole
from cmek_construct.health import entries
from cmek_construct.health.adoption import differences, refuse_unfit
from cmek_construct.health.deployed import Deployed
from cmek_construct.health.findings import Finding, Refused, Verdict, said

T = TypeVar("T")
_READS_ROLE: Final = (
    "iam:GetRole, ListRolePolicies, GetRolePolicy, ListAttachedRolePolicies, GetPolicy and GetPolicyVersion"
)
_READS_KEY: Final = "kms:DescribeKey, GetKeyPolicy, GetKeyRotationStatus and ListAliases"
_READS_STACK: Final = "cloudformation:DescribeStacks and ListStackResources"
_LOGICAL_IDS: Final = {entries.ROLE, entries.KEY, entries.ALIAS, *entries.CUSTOMERS.values()}


class AsGiven(str, Enum):
    """What ``--as-given`` leaves out of the stack."""

    ROLE = "role"
    KEY = "key"


@dataclass(frozen=True)
class Adopt:
    """Take a role and a key that are there already into a stack, unchanged.

    Reads them, writes the entry of cmek.yaml whose template is what is there, and the file for `cdk import`. Each
    difference is named. Changes nothing in AWS. For an entry that is there already, after its stack was deleted, it
    writes the file alone.
    """

    name: Annotated[str, a_stack("Of the stack, in cmek.yaml or new to it. For good.")]
    role_arn: Annotated[str, options.role_arn("The role that Pinecone stores.")]
    key_arn: Annotated[
        str | None, options.key_arn("The key that Pinecone stores. A vendor's role, for keys of customers, has none.")
    ] = None
    mapping: Annotated[Path | None, option("FILE", "To write for `cdk import`. Default: cmek-import-NAME.json.")] = None
    alias: Annotated[str | None, of_row(props.ALIAS, "NAME", "Of a key with several: the stack's one.")] = None
    as_given: Annotated[
        AsGiven | None,
        typer.Option(help="Do not take this one over: the entry names it by its ARN, and its policy stays yours."),
    ] = None
    customer_account_ids: Annotated[
        str | None, customers("For a vendor's role that has lost its permissions: accounts of customers.")
    ] = None
    region: Annotated[
        str | None, options.region("Of the stack of a vendor's role, which has no key. Default: as in cmek.yaml.")
    ] = None
    profile: Profile = None
    accept: Annotated[
        bool, flag("--accept", "Go on where the template would lock somebody out or let somebody in.")
    ] = False

    @property
    def account(self) -> str:
        """The account of role and key."""
        return self.role_arn.split(":")[4]

    @property
    def file(self) -> Path:
        """The file for `cdk import`."""
        return self.mapping or Path(f"cmek-import-{self.name}.json")

    def __call__(self) -> None:
        with refusals("adopt", f"{self.name}: nothing was written"):
            tell(_lines(self))


def _lines(ask: Adopt) -> Iterator[str]:
    """Take over a role and a key; the lines say what was found, and what to run next."""
    _refuse_another_file(ask.file)
    text = text_of(FILE) if os.path.lexists(FILE) else None
    there = next((one for one in parse_entries(text, FILE) if one.name == ask.name) if text else iter(()), None)
    _refuse_idle_options(ask, there)
    region = _region(ask, text, there)
    session = Asking("adopt", ask.profile).reading(ask.account, region, ask.name)
    role = _role_of(session, ask.role_arn)
    key = _key_of(session, ask.key_arn) if ask.key_arn else None
    changed = None if there else _with_entry(ask, text, region, role, key)
    entry = there or _entry(ask, changed or "")
    _refuse_another(ask, entry, role)
    mapping = entries.import_mapping(entry, role, key)
    now = datetime.now(timezone.utc)
    case = Deployed(entry, role.arn, ask.key_arn, locked(entry), now, role=role, key=key)
    found = [*differences(case, role, key)]
    _refuse_taken_alias(entry, key, session)
    found += _other_stacks(mapping, entry, session)
    mapping = entries.without_held(mapping, entry, _held_by(entry, session))
    yield f"{ask.name} (account {ask.account}, {region})"
    yield from _shown(found)
    _refuse_harm(ask, found)
    replace(ask.file, json.dumps(mapping, indent=2) + "\n")
    made = list(make_folder()) if text is None else []
    if changed is not None:
        write_whole(changed)
    yield from made
    yield f"Wrote {ask.file}: {', '.join(mapping)}."
    yield from clear_gone(ask.name, ask.account, region)
    yield from _what_next(ask.name, ask.file, added=changed is not None)


def _refuse_idle_options(ask: Adopt, there: Entry | None) -> None:
    """An option that would do nothing was meant to do something."""
    of_key = {"--alias": ask.alias, "--as-given": ask.as_given}
    of_role = {"--customer-account-ids": ask.customer_account_ids, "--region": ask.region}
    for some, idle, why in (
        (of_key | of_role, there is not None, f"{FILE} has stacks.{ask.name}, and that holds"),
        (of_role, ask.key_arn is not None, "it is for a role without --key-arn"),
        (of_key, ask.key_arn is None, "it is for a role with --key-arn"),
    ):
        for name, value in some.items():
            if idle and value:
                raise Refused(f"{name}: {why}. Leave the option out.")


def _region(ask: Adopt, text: str | None, there: Entry | None) -> str:
    """The region of the stack: the key's, or for a role alone the entry's or the file's."""
    of_key = ask.key_arn.split(":")[3:5] if ask.key_arn else None
    if of_key and of_key[1] != ask.account:
        raise Refused(
            f"--key-arn: got a key of account {of_key[1]}, but the role is of {ask.account}, and a "
            "stack is in one account. Write the entry by hand (`cmek add`), with key: and the ARN."
        )
    top = YamlText(text).data.get("region") if text is not None else None
    told = ask.region or (there.settings.region if there else None) or top
    region = of_key[0] if of_key else told
    if region is None:
        raise Refused("--region: it is missing. Say in which region the role's stack is to be.")
    if there and (there.settings.account, there.settings.region) != (ask.account, region):
        raise Refused(
            f"{FILE}: stacks.{ask.name}: it is in account {there.settings.account}, {there.settings.region}, but role "
            f"and key are in {ask.account}, {region}. Choose another name, or the ARNs of this stack."
        )
    return str(region)


def _with_entry(ask: Adopt, text: str | None, region: str, role: Role, key: Key | None) -> str:
    """cmek.yaml with the entry more whose template is what is there."""
    found: dict[str, Any] = {"account": ask.account, "region": region}
    found |= entries.of_role(role, given=ask.as_given is AsGiven.ROLE)
    if key is None:
        told = listed(ask.customer_account_ids) if ask.customer_account_ids else []
        found |= entries.of_customers(role, told)
    else:
        found |= entries.of_key(key, role.arn, ask.alias, given=ask.as_given is AsGiven.KEY)
    if text is None:
        return new_text(ask.name, beside_top(found, {}))
    return with_entry(text, ask.name, beside_top(found, YamlText(text).data))


def _entry(ask: Adopt, text: str) -> Entry:
    found = parse_entries(text, f"{FILE}, with {ask.name} added")
    return next(entry for entry in found if entry.name == ask.name)


def _refuse_another(ask: Adopt, entry: Entry, role: Role) -> None:
    """Role and key are those of the entry, and of the lock."""
    own, lock = entry.settings, locked(entry)
    if own.customers is not None and ask.key_arn is not None:
        raise Refused(
            f"{FILE}: stacks.{ask.name}: it is a vendor's, whose keys are its customers'. Leave --key-arn out."
        )
    if own.customers is None and ask.key_arn is None:
        raise Refused(f"--key-arn: it is missing: stacks.{ask.name} has a key of its own.")
    for what, given, wanted in (
        (f"{FILE}: stacks.{ask.name}.role", ask.role_arn, own.role),
        (f"{FILE}: stacks.{ask.name}.key", ask.key_arn, own.key),
        (f"cmek.lock: the role of {ask.name}", ask.role_arn, lock.role_arn),
        (f"cmek.lock: the key of {ask.name}", ask.key_arn, lock.key_arn),
        (f"cmek.lock: the unique ID of the role of {ask.name}", role.role_id, lock.role_id),
    ):
        if wanted is not None and wanted != given:
            raise Refused(
                f"{what}: it has {wanted}, but got {given}. Pinecone stores one of the two: its "
                "console shows which (Manage > CMEK). Delete neither."
            )


def _refuse_harm(ask: Adopt, found: list[Finding]) -> None:
    wrong = [one.about for one in found if one.verdict is Verdict.WRONG]
    if wrong and not ask.accept:
        raise Refused(
            f"{ask.name}: {', '.join(wrong)}: there the template would lock somebody out, or let somebody in, some "
            "day. Nothing was written. Take one of the ways out above, or run this again with --accept."
        )


def _shown(found: Sequence[Finding]) -> Iterator[str]:
    """What was found: first what does harm."""
    for verdict in (Verdict.WRONG, Verdict.SAID, Verdict.RIGHT):
        for finding in (one for one in found if one.verdict is verdict):
            yield marked(finding)
            if finding.means:
                yield f"    then: {finding.means}"
            if finding.cure:
                yield f"    way out: {finding.cure}"


def _what_next(name: str, file: Path, *, added: bool) -> Iterator[str]:
    """What is written, and the commands in their order."""
    yield f"{FILE}: {name} added." if added else f"{FILE}: {name} stays as it is."
    yield ""
    yield "Run next, in this order. Never deploy before the import: that may make another key."
    for command, why in (
        (f"git add {FILE}", "and commit it"),
        (f"npx cdk diff {name}", "shows role, key and alias as new, and replaces nothing"),
        (f"npx cdk import {name} --resource-mapping {file}", "takes them over, changes neither"),
        (f"npx cdk deploy {name}", "adds the outputs, and what the import left out"),
        (f"cmek doctor {name}", "compares once more"),
        (f"cmek sheet {name}", "must show what Pinecone's console shows"),
        ("cmek lock --deployed", "from then on nothing replaces them"),
    ):
        yield f"  {command}  # {why}"


def _known(found: T | Unread | None, what: str, actions: str) -> T:
    """What could not be read is no basis for an entry: it ends the command."""
    if found is None:
        raise Refused(
            f"there is no such thing: {what}. Copy the ARN from Pinecone's console, Manage > CMEK, "
            "and see that account and region are right."
        )
    if isinstance(found, Unread):
        raise Refused(
            f"not read: {what} ({found.why}). Nothing was written. Ask again with credentials that "
            f"may {actions} (--profile)."
        )
    return found


def _role_of(session: Session, arn: str) -> Role:
    role = _known(reading.read_role(session, arn), f"the role {arn}", _READS_ROLE)
    if role.arn != arn:
        raise Refused(
            f"--role-arn: got {arn}, but IAM has {printable(role.arn)} under that name. Copy the "
            "ARN from the IAM console, path included."
        )
    _known(role.trust, "the role's trust policy", _READS_ROLE)
    _known(role.permissions, "the role's permissions", _READS_ROLE)
    return role


def _key_of(session: Session, arn: str) -> Key:
    key = _known(reading.read_key(session, arn), f"the key {arn}", _READS_KEY)
    refuse_unfit(key)
    for what, part in (
        ("whether the key rotates", key.rotation_days or 0),
        ("the key policy", key.policy),
        ("the key's aliases", key.aliases),
    ):
        _known(part, what, _READS_KEY)
    return key


def _held_by(entry: Entry, session: Session) -> dict[str, str]:
    """What the stack holds, by logical ID."""
    stack = reading.read_stack(session, entry.name)
    if stack is None or (isinstance(stack, Stack) and stack.is_empty):
        return {}
    if isinstance(stack, Stack) and stack.is_changing:
        raise Refused(f"{entry.name}: its stack is in {stack.status}. Wait for its end, and run this again.")
    held = stack if isinstance(stack, Unread) else reading.read_resources(session, entry.name)
    found = _known(held if held is not None else [], "whether a stack of that name holds anything", _READS_STACK)
    return {one.logical_id: one.physical_id for one in found}


def _other_stacks(mapping: entries.ImportMapping, entry: Entry, session: Session) -> Iterator[Finding]:
    """Whether another stack has one of them: CloudFormation gives nothing to two."""
    for logical_id in (one for one in (entries.ROLE, entries.KEY) if one in mapping):
        (physical,) = mapping[logical_id].values()
        owner = reading.read_owner(session, physical)
        if isinstance(owner, Unread):
            yield said(
                "other-stack",
                f"not read: whether another stack has {physical} ({owner.why}). If one has, "
                "`cdk import` is refused, and nothing happens",
            )
        elif owner not in (None, entry.name):
            raise Refused(
                f"{entry.name}: {physical} belongs to the stack {printable(owner)}, and CloudFormation gives nothing "
                "to two stacks. Have that stack let go of it first: in its template write DeletionPolicy: Retain, "
                "deploy, take the resource out of the template, deploy again; then run this again."
            )


def _refuse_taken_alias(entry: Entry, key: Key | None, session: Session) -> None:
    own = entry.settings
    if key is None or own.key or not own.alias or entries.alias_of(entry, key):
        return
    alias = f"alias/{own.alias.removeprefix('alias/')}"
    target = reading.read_key_arn(session, alias)
    if isinstance(target, str):
        raise Refused(
            f"{FILE}: stacks.{entry.name}.alias: {alias} points to another key, {target}, so the "
            "deploy would fail. Write another alias into the entry, or point it to this key."
        )


def _refuse_another_file(path: Path) -> None:
    """Overwrite no file that is no such mapping."""
    if not os.path.lexists(path):
        return
    try:
        known = set(json.loads(path.read_bytes())) <= _LOGICAL_IDS
    except (OSError, ValueError, TypeError, RecursionError):
        known = False
    if not known:
        raise Refused(f"--mapping: {path} is there already, and is no mapping of `cmek adopt`. Choose another file.")
