"""The entry of cmek.yaml whose template is the role and the key that are there, and how far it is not.

Its props are read out of both; what no prop can say is a difference. `cdk import` compares nothing and changes neither
role nor key. A later deploy changes a policy or a setting only where the template then differs from the template
before: so a difference waits, and comes with a change that nobody connects with it. That is why each is named. Source:
AWS's handlers of AWS::KMS::Key and AWS::IAM::Role; CloudFormation user guide, "Import AWS resources into a
CloudFormation stack".
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from cmek_construct import checks, guide
from cmek_construct.aws.objects import ROTATION_DAYS, Key, Role
from cmek_construct.deployment.reading import Entry
from cmek_construct.health import comparing, doctor, policies
from cmek_construct.health.deployed import Deployed, at
from cmek_construct.health.findings import Finding, Refused, Rows, Verdict, known
from cmek_construct.policy.statements import Kind, named_by
from cmek_construct.templates.evidence import pinecones_accounts

ROLE: Final = "Role1ABCC5F0"
KEY: Final = "Key961B73FD"
ALIAS: Final = "KeyPineconeAlias0F7AA316"
_ENDS: Final = "9E6C58E1 95D06167 193D1DF5 4B3B3BFA 25E94E37 F10E810F 29DFD003 78FF6F68 B5EC6EA4 43007F5E"
CUSTOMERS: Final = {str(digit): f"RoleCustomersEndingIn{digit}{end}" for digit, end in enumerate(_ENDS.split())}
"""The logical IDs of the app's stacks: an interface, and the same in each (a test holds them)."""
ImportMapping: TypeAlias = dict[str, dict[str, str]]
_ROWS: Final = Rows("adoption.ini")


def of_role(role: Role, *, given: bool) -> dict[str, Any]:
    """The props of a role; of a given one, that the entry names it, and the stack leaves it alone.

    `Refused` where nobody of Pinecone's may come in, or in a form that no entry can say.
    """
    found = comparing.said_by_trust(known(role.trust))
    if found is None:
        raise Refused(_ROWS.text("refused.nobodys", role=role, prefix=guide.ROLE_NAME_PREFIX))
    if found["regions"] == "ALL_REGIONS" and found["external_id"] is None:
        raise Refused(_ROWS.text("refused.every-region", role=role))
    if given:
        return {**found, "role": role.arn}
    path = None if role.path == "/" else role.path
    return {**found, "role_name": role.name, "role_path": path, "permissions_boundary": role.boundary_arn}


def of_key(key: Key, role_arn: str, alias: str | None, *, given: bool) -> dict[str, Any]:
    """The props of a key: as its policy gives the role its use, and the console's administrators theirs."""
    if given:
        return {"key": key.arn}
    where, statements, days = comparing.Where("key", key.arn), known(key.policy), known(key.rotation_days or 0) or None
    meant = [one for one in where.read(statements).statements if one.effect == "Allow"]
    allowed = {action.lower() for one in meant if role_arn in named_by(one.raw) for action in one.actions or ()}
    is_two = allowed == {action.lower() for action in guide.ENCRYPT_DECRYPT}
    # The console's administrators had fewer actions in former years, and may lack two by a click.
    most = (one.raw for one in meant if len({*guide.ADMINISTRATION} & {*(one.actions or ())}) >= 10)
    admins = list(dict.fromkeys(name for raw in most for name in named_by(raw) if checks.PRINCIPAL_ARN.fullmatch(name)))
    aliases, name = known(key.aliases), alias and f"alias/{alias.removeprefix('alias/')}"
    listed = ", ".join(map(checks.printable, aliases)) or "none"
    if name and name not in aliases:
        raise Refused(_ROWS.text("refused.alias", alias=checks.printable(name), aliases=listed))
    if not name and len(aliases) > 1:
        raise Refused(_ROWS.text("refused.aliases", aliases=listed))
    return {
        "key_access": guide.KeyAccess.ENCRYPT_DECRYPT.name if is_two else None,
        "key_admins": admins or None,
        "alias": name or next(iter(aliases), None),
        "description": key.metadata.get("Description") or None,
        "enable_key_rotation": False if days is None else None,
        "rotation_period": None if days in (None, ROTATION_DAYS) else days,
        "multi_region": key.metadata.get("MultiRegion") or None,
        "protect_used_key": where.days_held(statements) or None,
        "suspended": where.has(guide.key_denial(role_arn), statements) or None,
    }


def of_customers(role: Role, given: Sequence[str]) -> dict[str, Any]:
    """The customers of a vendor's role, of whom there must be some: those of its permissions, and those told."""
    accounts, keys = comparing.customers_in(one for policy in known(role.permissions) for one in policy.statements)
    if not (accounts or keys or given):
        raise Refused(_ROWS.text("refused.no-customers", role=role))
    return {
        "customer_account_ids": sorted({*accounts, *given}),
        "customer_key_arns": sorted(keys) or None,
        "suspended": comparing.Where("trust", role.arn).has(guide.assume_role_denial(), known(role.trust)) or None,
    }


def import_mapping(entry: Entry, role: Role, key: Key | None, held: Mapping[str, str]) -> ImportMapping:
    """What the stack of an entry takes over, by logical ID, beside what it holds: not all, and nothing else instead."""
    found, where = ImportMapping(), comparing.Where("permissions")
    if entry.role is None:
        found[ROLE] = {"RoleName": role.name}
    for digit, wanted in entry.customers.policies().items() if entry.customers else ():
        for policy in known(role.permissions):
            is_ours = policy.arn and policy.arn.startswith(f"arn:aws:iam::{entry.account}:")
            if is_ours and where.drift(policy.statements, wanted["Statement"]).is_none:
                found[CUSTOMERS[digit]] = {"PolicyArn": str(policy.arn)}
    if key is not None and entry.key is None:
        found[KEY] = {"KeyId": key.arn.rpartition("/")[2]}
        if alias := _alias_of(entry, key):
            found[ALIAS] = {"AliasName": alias}
    for logical_id, identifier in found.items():
        (physical,) = identifier.values()
        if held.get(logical_id, physical) != physical:
            other = checks.printable(held[logical_id])
            raise Refused(_ROWS.text("refused.another-stack", entry=entry, physical=physical, held=other))
    left = {name: one for name, one in found.items() if name not in held}
    if not left:
        raise Refused(_ROWS.text("refused.nothing", entry=entry))
    return left


def _alias_of(entry: Entry, key: Key) -> str | None:
    """That alias of the key which the template has, by its name or by its default name."""
    letters = re.sub("[^A-Za-z0-9]", "", entry.name)
    form = rf"alias/pinecone-cmek/{letters}(Key)?[0-9A-F]{{8}}"
    if entry.alias:
        form = re.escape(f"alias/{entry.alias.removeprefix('alias/')}")
    return next(filter(re.compile(form).fullmatch, known(key.aliases)), None)


def differences(case: Deployed, role: Role, key: Key | None) -> Iterator[Finding]:
    """All of them. Wrong is what would lock somebody out, or let somebody in; of another role or key, `Refused`."""
    own = case.entry
    if own.role is not None:
        yield _ROWS.finding("role")
    else:
        accounts = pinecones_accounts(case.where("trust").read(known(role.trust)))
        if len(accounts) > 1:
            yield _ROWS.finding("pinecone-account", number=len(accounts), accounts=", ".join(accounts))
        yield from _about_policy(case, "trust")
        yield from _later(case, [*doctor.about_role(case), *policies.about_policy(case, "permissions")])
    if key and own.key is not None:
        yield _ROWS.finding("key")
    elif key:
        yield from _about_policy(case, "key")
        yield from _later(case, [*policies.about_used_key(case), *doctor.about_key(case)])
        # What the doctor does not judge: the description of the key, and the names that it has.
        if key.rotation_days is None and own.enable_key_rotation is False:
            yield _ROWS.finding("rotation")
        there, by_entry = key.metadata.get("Description") or "", own.description or ""
        if there != by_entry:
            yield _ROWS.finding("description", there=checks.printable(there), by_entry=checks.printable(by_entry))
        alias = _alias_of(case.entry, key)
        if alias is None:
            yield _ROWS.finding("alias")
        if others := [checks.printable(one) for one in known(key.aliases) if one != alias]:
            yield _ROWS.finding("aliases", aliases=", ".join(others))


def _later(case: Deployed, found: list[Finding]) -> Iterator[Finding]:
    """What the doctor says of the settings of a role or key, in the tense of an import."""
    for one in found:
        is_customers = one.about == "permissions" and bool(case.entry.customers)
        row = "permissions.customers" if is_customers else f"{one.about}.later"
        if row in _ROWS.each:
            effect = one.effect if one.about == "boundary" else None  # what stays as it is has none
            yield _ROWS.finding(row, effect, one=one) if one.fails else one
        if is_customers and one.verdict is Verdict.RIGHT:
            yield _ROWS.finding("permissions.anew")


def _about_policy(case: Deployed, kind: Kind) -> Iterator[Finding]:
    beside = policies.Beside(case, kind)
    for one in beside.nobodies():
        yield _ROWS.finding("gone", one=one, kind=kind)
    found, is_made_again = beside.found, case.role_arn in beside.lost
    # The console gives that one since 2024; whoever may replace the key policy could take it anyway.
    missing = [one for one in found.taken if {*one.actions} - {"kms:RotateKeyOnDemand"}]
    by_denial = bool(found.denials) and not [*beside.locked_out()]
    row = "policy" if found.is_none else "policy.changes"
    if is_made_again or found.given or found.doubt or (missing and not by_denial):
        row = f"policy.{kind}"
    words = found.in_words(case.entry.account)
    words += f" ({case.role_arn} was deleted and made again)" if is_made_again else ""
    yield _ROWS.finding(row, kind=kind, words=words)


def refuse_another(case: Deployed, role: Role, key: Key | None) -> None:
    """Not those that the file or the lock has; or of another name, path or kind: CloudFormation would make others."""
    entry, lock, name = case.entry, case.lock, case.name
    if (key is None) is (entry.customers is None):
        raise Refused(_ROWS.text("refused.no-key" if key is None else "refused.a-key", entry=entry))
    if key is not None and entry.key is None:
        origin, kind = (key.metadata.get(one) for one in ("Origin", "MultiRegionConfiguration"))
        if (kind or {}).get("MultiRegionKeyType") == "REPLICA":
            raise Refused(_ROWS.text("refused.replica", key=key))
        if origin != "AWS_KMS":
            raise Refused(_ROWS.text("refused.origin", key=key, found=checks.printable(origin)))
    rows: list[tuple[str, str, object, object]] = [
        ("refused.is-another", f"cmek.yaml: stacks.{name}.role", entry.role, role.arn),
        ("refused.is-another", f"cmek.yaml: stacks.{name}.key", entry.key, case.key_arn),
        ("refused.is-another", f"cmek.lock: the role of {name}", lock.role_arn, role.arn),
        ("refused.is-another", f"cmek.lock: the key of {name}", lock.key_arn, case.key_arn),
        ("refused.is-another", f"cmek.lock: the unique ID of the role of {name}", lock.role_id, role.role_id),
    ]
    if entry.role is None:
        rows += [("refused.another", "role_name", entry.role_name, role.name)]
        rows += [("refused.another", "role_path", entry.role_path or "/", role.path)]
    if key is not None and entry.key is None:
        rows += [("refused.another", "multi_region", bool(entry.multi_region), bool(key.metadata.get("MultiRegion")))]
    for row, what, wanted, found in rows:
        if wanted not in (None, found):
            line = f"{what}: {json.dumps(found)}"
            raise Refused(_ROWS.text(row, entry=entry, what=what, wanted=wanted, found=found, line=line))


def refuse_unfit(key: Key) -> None:
    """A key that will end, or that Pinecone cannot use, is taken over by nobody."""
    if key.is_ending:
        end = key.metadata.get("DeletionDate")
        when = at(end) if end else "a time that KMS does not say"
        raise Refused(_ROWS.text("refused.ending", key=key, when=when, region=key.arn.split(":")[3]))
    if key.state not in ("Enabled", "Disabled"):
        raise Refused(_ROWS.text("refused.state", key=key, state=checks.printable(key.state)))
    for name, value, needed in key.unfit:
        raise Refused(_ROWS.text("refused.unusable", key=key, name=name, value=checks.printable(value), needed=needed))
