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
from dataclasses import replace
from typing import Any, Final, TypeAlias

from cmek_construct import guide
from cmek_construct.aws.objects import ROTATION_DAYS, Key, Role
from cmek_construct.checks import PRINCIPAL_ARN, printable
from cmek_construct.deployment.reading import Entry
from cmek_construct.guide import ADMINISTRATION, ENCRYPT_DECRYPT, ROLE_NAME_PREFIX, KeyAccess
from cmek_construct.health.comparing import Where, customers_in, said_by_trust
from cmek_construct.health.deployed import Deployed, at
from cmek_construct.health.doctor import about_key, about_role
from cmek_construct.health.findings import Effect, Finding, Refused, Verdict, known, right, said, wrong
from cmek_construct.health.policies import Beside, about_policy, about_used_key
from cmek_construct.policy.statements import Kind, named_by
from cmek_construct.templates.evidence import pinecones_accounts

ROLE: Final = "Role1ABCC5F0"
KEY: Final = "Key961B73FD"
ALIAS: Final = "KeyPineconeAlias0F7AA316"
_ENDS: Final = "9E6C58E1 95D06167 193D1DF5 4B3B3BFA 25E94E37 F10E810F 29DFD003 78FF6F68 B5EC6EA4 43007F5E"
CUSTOMERS: Final = {str(digit): f"RoleCustomersEndingIn{digit}{end}" for digit, end in enumerate(_ENDS.split())}
"""The logical IDs of the app's stacks: an interface, and the same in each (a test holds them)."""
ImportMapping: TypeAlias = dict[str, dict[str, str]]
_NEXT: Final = "the next deploy that changes the {} in the template "
"""When a difference comes into force."""
_STAYS: Final = {
    "session": "It stays so: the template says nothing of it",
    "permissions": "Neither the import nor a deploy touches them, and Pinecone's sessions have them too; `cmek doctor` "
    "names them until they are taken away",
    "rotation": _NEXT.format("rotation") + "changes it: old data stays readable",
    "enabled": "Pinecone cannot use it, and neither import nor deploy enables it",
    "used-key": _NEXT.format("key policy") + "changes it",
}
"""What becomes of what the doctor calls wrong, and neither the import nor a deploy changes at once."""


def of_role(role: Role, *, given: bool) -> dict[str, Any]:
    """The props of a role; of a given one, that the entry names it, and the stack leaves it alone.

    `Refused` where nobody of Pinecone's may come in, or in a form that no entry can say.
    """
    found = said_by_trust(known(role.trust))
    if found is None:
        raise Refused(
            f"--role-arn: got {role.arn}, but no statement of its trust policy lets in roles of Pinecone's "
            f"({ROLE_NAME_PREFIX}…). Copy the Role ARN that Pinecone's console shows."
        )
    if found["regions"] == "ALL_REGIONS" and found["external_id"] is None:
        raise Refused(
            f"--role-arn: got {role.arn}, whose trust policy lets in Pinecone's role of every region without an "
            "external ID: whoever names this role at Pinecone uses the key. No entry can say that. First put the "
            "guide's second snippet (explicit regions) into the trust policy, and run this again."
        )
    if given:
        return {**found, "role": role.arn}
    path = None if role.path == "/" else role.path
    return {**found, "role_name": role.name, "role_path": path, "permissions_boundary": role.boundary_arn}


def of_key(key: Key, role_arn: str, alias: str | None, *, given: bool) -> dict[str, Any]:
    """The props of a key: as its policy gives the role its use, and the console's administrators theirs."""
    if given:
        return {"key": key.arn}
    where, statements, days = Where("key", key.arn), known(key.policy), known(key.rotation_days or 0) or None
    meant = [one for one in where.read(statements).statements if one.effect == "Allow"]
    allowed = {action.lower() for one in meant if role_arn in named_by(one.raw) for action in one.actions or ()}
    is_two = allowed == {action.lower() for action in ENCRYPT_DECRYPT}
    # The console's administrators had fewer actions in former years, and may lack two by a click.
    most = (one.raw for one in meant if len({*ADMINISTRATION} & {*(one.actions or ())}) >= 10)
    admins = [name for raw in [*most][:1] for name in named_by(raw) if PRINCIPAL_ARN.fullmatch(name)]
    aliases, name = known(key.aliases), alias and f"alias/{alias.removeprefix('alias/')}"
    if name and name not in aliases:
        has = ", ".join(map(printable, aliases)) or "none"
        raise Refused(f"--alias: got {printable(name)}, but the key has {has}. Choose one that it has.")
    if not name and len(aliases) > 1:
        several = ", ".join(map(printable, aliases))
        what = f"--alias: the key has several, {several}, and a stack has one."
        raise Refused(f"{what} Choose it; the others stay as they are, outside of the stack.")
    return {
        "key_access": KeyAccess.ENCRYPT_DECRYPT.name if is_two else None,
        "key_admins": admins or None,
        "alias": name or next(iter(aliases), None),
        "description": key.description or None,
        "enable_key_rotation": False if days is None else None,
        "rotation_period": None if days in (None, ROTATION_DAYS) else days,
        "multi_region": key.is_multi_region or None,
        "protect_used_key": where.days_held(statements) or None,
        "suspended": where.has(guide.key_denial(role_arn), statements) or None,
    }


def of_customers(role: Role, given: Sequence[str]) -> dict[str, Any]:
    """The customers of a vendor's role, of whom there must be some: those of its permissions, and those told."""
    accounts, keys = customers_in(one for policy in known(role.permissions) for one in policy.statements)
    if not (accounts or keys or given):
        raise Refused(
            f"--key-arn: it is missing, and {role.arn} has no permission for keys of other accounts, as a vendor's "
            "role has. Give the Key ARN that Pinecone's console shows; or, for a vendor's role whose stack was "
            "deleted, --customer-account-ids."
        )
    return {
        "customer_account_ids": sorted({*accounts, *given}),
        "customer_key_arns": sorted(keys) or None,
        "suspended": Where("trust", role.arn).has(guide.assume_role_denial(), known(role.trust)) or None,
    }


def import_mapping(entry: Entry, role: Role, key: Key | None, held: Mapping[str, str]) -> ImportMapping:
    """What the stack of an entry takes over, by logical ID, beside what it holds: not all, and nothing else instead."""
    own, found, where = entry.settings, ImportMapping(), Where("permissions")
    if own.role is None:
        found[ROLE] = {"RoleName": role.name}
    for digit, wanted in own.customers.policies().items() if own.customers else ():
        for policy in known(role.permissions):
            is_ours = policy.arn and policy.arn.startswith(f"arn:aws:iam::{own.account}:")
            if is_ours and where.drift(policy.statements, wanted["Statement"]).is_none:
                found[CUSTOMERS[digit]] = {"PolicyArn": str(policy.arn)}
    if key is not None and own.key is None:
        found[KEY] = {"KeyId": key.key_id}
        if alias := _alias_of(entry, key):
            found[ALIAS] = {"AliasName": alias}
    for logical_id, identifier in found.items():
        (physical,) = identifier.values()
        if held.get(logical_id, physical) != physical:
            raise Refused(
                f"{entry.name}: there is a stack of that name, and it has another one in place of {physical}: "
                f"{printable(held[logical_id])}. Choose another name: a stack is for one role and one key."
            )
    left = {name: one for name, one in found.items() if name not in held}
    if not left:
        run = f"Run `npx cdk deploy {entry.name}`, or `cmek doctor {entry.name}`."
        raise Refused(f"{entry.name}: the stack has role and key already, so there is nothing to take over. {run}")
    return left


def _alias_of(entry: Entry, key: Key) -> str | None:
    """That alias of the key which the template has, by its name or by its default name."""
    letters = re.sub("[^A-Za-z0-9]", "", entry.name)
    form = rf"alias/pinecone-cmek/{letters}(Key)?[0-9A-F]{{8}}"
    if entry.settings.alias:
        form = re.escape(f"alias/{entry.settings.alias.removeprefix('alias/')}")
    return next(filter(re.compile(form).fullmatch, known(key.aliases)), None)


def differences(case: Deployed, role: Role, key: Key | None) -> Iterator[Finding]:
    """All of them. Wrong is what would lock somebody out, or let somebody in; of another role or key, `Refused`."""
    own = case.own
    _refuse_another(case.entry, role, key)
    if own.role is not None:
        yield said("role", "the role stays as it is: the entry names it, no stack takes it over")
    else:
        accounts = pinecones_accounts(case.where("trust").read(known(role.trust)))
        if len(accounts) > 1:
            words = f"the trust policy names {len(accounts)} accounts as Pinecone's: {', '.join(accounts)}"
            cure = "compare with Pinecone's console (Manage > CMEK), and take the other one out of the trust policy"
            yield wrong("pinecone-account", words, cure, Effect.SOMEBODY_LET_IN)
        yield from _about_policy(case, "trust")
        yield from _later(case, [*about_role(case), *about_policy(case, "permissions")])
    if key and own.key is not None:
        must = "`npx cdk synth` says the statements that must stand in its policy"
        yield said("key", f"the key stays as it is: the entry names it, no stack takes it over. {must}")
    elif key:
        yield from _about_policy(case, "key")
        yield from _later(case, [*about_used_key(case), *about_key(case)])
        # What the doctor does not judge: the description of the key, and the names that it has.
        if key.rotation_days is None and own.enable_key_rotation is False:
            words = "the key does not rotate, and stays so: to have it rotate, take enable_key_rotation: false out of "
            yield said("rotation", f"{words}the entry later")
        if (own.description or "") != key.description:
            both = f"'{printable(key.description)}', and '{printable(own.description or '')}' by the entry"
            yield said("description", f"the key's description is {both}. {_NEXT.format('description')}changes it")
        alias = _alias_of(case.entry, key)
        if alias is None:
            yield said("alias", "the key has no alias of the template's: the deploy makes one")
        if others := [printable(one) for one in known(key.aliases) if one != alias]:
            yield said("aliases", f"{', '.join(others)}: stays, outside of the stack")


def _later(case: Deployed, found: list[Finding]) -> Iterator[Finding]:
    """What the doctor says of the settings of a role or key, in the tense of an import."""
    for one in found:
        if one.about == "boundary":
            cure = "write the role's into the entry (permissions_boundary)"
            means = _NEXT.format("role") + "may take the boundary away, or keep Pinecone out by it"
            yield replace(one, verdict=Verdict.WRONG, cure=cure, means=means) if one.fails else one
        elif one.about == "permissions" and case.own.customers:
            adds = "The deploy adds what is missing; what is there more stays, outside of the stack"
            yield one.to_know("{}. " + adds, one.cure)
            if one.verdict is Verdict.RIGHT:
                words = "The deploy writes the permissions anew into policies of the stack, unless it has taken over "
                yield said("permissions", words + "those that are there: then take the old ones away")
        elif one.about in _STAYS:
            yield one.to_know("{}. " + _STAYS[one.about], one.cure)


def _about_policy(case: Deployed, kind: Kind) -> Iterator[Finding]:
    beside, what = Beside(case, kind, known(case.statements(kind))), f"{kind} policy"
    about, deploy, found = f"{kind}-policy", _NEXT.format(what), beside.found
    yield from beside.nobodies(f". {deploy}leaves them out")
    words = f"the {what} is not what the file says: {found.in_words(case.own.account)}"
    cure = "use the key as given: --as-given key; or mend the key policy"
    if kind == "trust":
        cure = (
            "mend the entry or the trust policy and run this again, or leave the role out of the stack: --as-given role"
        )
    # The console gives that one since 2024; whoever may replace the key policy could take it anyway.
    missing = [one for one in found.taken if {*one.actions} - {"kms:RotateKeyOnDemand"}]
    by_denial = bool(found.denials) and not [*beside.locked_out()]
    is_made_again = case.role_arn in beside.lost
    if is_made_again or found.given or found.doubt or (missing and not by_denial):
        words += f" ({case.role_arn} was deleted and made again)" if is_made_again else ""
        means = f"{deploy}takes away what is added here, and gives what is missing here: who may do what changes"
        yield wrong(about, words, cure, means=means)
    elif found.is_none:
        yield right(about, f"the {what} says what the file says")
    else:
        yield said(about, f"{words}. {deploy}changes it")


def _refuse_another(entry: Entry, role: Role, key: Key | None) -> None:
    """Of another name, path or kind, CloudFormation would make another role or key."""
    own, rows = entry.settings, list[tuple[str, object, object]]()
    if own.role is None:
        rows += [("role_name", own.role_name or role.name, role.name), ("role_path", own.role_path or "/", role.path)]
    if key is not None and own.key is None:
        rows += [("multi_region", bool(own.multi_region), key.is_multi_region)]
        origin = key.metadata.get("Origin")
        not_ours = "" if origin == "AWS_KMS" else f"its key material has the origin {printable(origin)}, not AWS_KMS"
        if (key.metadata.get("MultiRegionConfiguration") or {}).get("MultiRegionKeyType") == "REPLICA":
            not_ours = "it is the replica of a multi-Region key, which is another type of resource"
        if not_ours:
            no = f"--key-arn: {key.arn} cannot be taken into a stack of this library: {not_ours}"
            raise Refused(f"{no}. Use it as given: --as-given key.")
    for prop, wanted, found in rows:
        if wanted != found:
            raise Refused(
                f"cmek.yaml: stacks.{entry.name}.{prop}: got {wanted!r}, but what is there has {found!r}, for good: "
                f"with another {prop} it is another one, which Pinecone does not know. Write {prop}: "
                f"{json.dumps(found)}, or take the line away if it was not there when the stack was deployed."
            )


def refuse_unfit(key: Key) -> None:
    """A key that will end, or that Pinecone cannot use, is taken over by nobody."""
    got = f"--key-arn: got {key.arn}"
    if key.is_ending:
        when = at(key.deletion_date) if key.deletion_date else "a time that KMS does not say"
        options = f"--region {key.arn.split(':')[3]} --key-id {key.arn}"
        raise Refused(
            f"{got}, but the key WILL BE DELETED at {when}, and with it all data of the project. First run: aws kms "
            f"cancel-key-deletion {options} && aws kms enable-key {options}"
        )
    if key.state not in ("Enabled", "Disabled"):
        state = f"in state {printable(key.state)}, and only one that is enabled or disabled can be taken over"
        raise Refused(f"{got}, but the key is {state}. See the KMS console.")
    for name, needed in (("KeyManager", "CUSTOMER"), ("KeySpec", "SYMMETRIC_DEFAULT"), ("KeyUsage", "ENCRYPT_DECRYPT")):
        if key.metadata.get(name) != needed:
            is_not = f"whose {name} is {printable(key.metadata.get(name))}, but Pinecone uses a key of {needed}"
            raise Refused(f"{got}, {is_not}. Copy the Key ARN that Pinecone's console shows.")
