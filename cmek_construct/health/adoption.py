"""How the template of an entry differs from the role and key that are there, and what that does.

`cdk import` compares nothing and changes neither role nor key. A later deploy changes a policy or a setting only where
the template then differs from the template before: so a difference waits, and comes with a change that nobody connects
with it. That is why each is named. Source: AWS's handlers of AWS::KMS::Key and AWS::IAM::Role; CloudFormation user
guide, "Import AWS resources into a CloudFormation stack".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from cmek_construct.aws.objects import Key, Role
from cmek_construct.checks import printable
from cmek_construct.deployment.reading import Entry
from cmek_construct.health.deployed import Deployed
from cmek_construct.health.entries import readable
from cmek_construct.health.findings import Effect, Finding, Refused, Verdict, right, said, wrong
from cmek_construct.health.policies import Beside, about_policy, about_used_key
from cmek_construct.health.role_and_key import about_key, about_role, at
from cmek_construct.policy.statements import Kind
from cmek_construct.templates.evidence import pinecones_accounts

_NEW_ADMIN_ACTIONS: Final = {"kms:RotateKeyOnDemand"}
"""The console gives it since 2024; whoever may replace the key policy could take it anyway."""
_NEXT: Final = "the next deploy that changes the {} in the template "
"""When a difference comes into force."""
_CURES: Final[dict[Kind, str]] = {
    "trust": "mend the entry or the trust policy and run this again, or leave the role out of the stack: "
    "--as-given role",
    "key": "use the key as given: --as-given key; or mend the key policy",
}
_LATER: Final = {
    "session": "It stays so: the template says nothing of it",
    "permissions": "Neither the import nor a deploy touches them, and Pinecone's sessions have them too; `cmek doctor` "
    "names them until they are taken away",
    "rotation": "The next deploy that changes the rotation in the template changes it: old data stays readable",
    "enabled": "Pinecone cannot use it, and neither import nor deploy enables it",
    "used-key": _NEXT.format("key policy") + "changes it",
}
"""What becomes of what the doctor calls wrong, where no deploy changes it at once."""


def differences(case: Deployed, role: Role, key: Key | None) -> Iterator[Finding]:
    """All of them. Wrong is what would lock somebody out, or let somebody in.

    Raises:
        Refused: CloudFormation would make another role or key.
    """
    own = case.entry.settings
    _refuse_another(case.entry, role, key)
    if own.role is not None:
        yield said("role", "the role stays as it is: the entry names it, no stack takes it over")
    else:
        accounts = pinecones_accounts(case.where("trust").read(readable(role.trust)))
        if len(accounts) > 1:
            words = f"the trust policy names {len(accounts)} accounts as Pinecone's: {', '.join(accounts)}"
            cure = "compare with Pinecone's console (Manage > CMEK), and take the other one out of the trust policy"
            yield wrong("pinecone-account", words, cure, Effect.SOMEBODY_LET_IN)
        yield from _about_policy(case, "trust")
        yield from _later(case, [*about_role(case), *about_policy(case, "permissions")])
    if key is not None and own.key is not None:
        must = "`npx cdk synth` says the statements that must stand in its policy"
        yield said("key", f"the key stays as it is: the entry names it, no stack takes it over. {must}")
    elif key is not None:
        yield from _about_policy(case, "key")
        yield from _later(case, [*about_used_key(case), *about_key(case)])
        if (own.description or "") != key.description:
            texts = f"'{printable(key.description)}', and '{printable(own.description or '')}' by the entry"
            yield said("description", f"the key's description is {texts}. {_NEXT.format('description')}changes it")


def _later(case: Deployed, found: list[Finding]) -> Iterator[Finding]:
    """What the doctor says of the settings of a role or key, in the tense of an import."""
    for one in found:
        if one.about == "boundary" and one.fails:
            cure = "write the role's into the entry (permissions_boundary)"
            means = _NEXT.format("role") + "may take the boundary away, or keep Pinecone out by it"
            yield replace(one, verdict=Verdict.WRONG, cure=cure, means=means)
        elif one.about == "boundary":
            yield one
        elif one.about == "permissions" and case.entry.settings.customers:
            yield one.to_know("The deploy adds what is missing; what is there more stays, outside of the stack")
        elif one.about in _LATER:
            yield one.to_know(_LATER[one.about])


def _about_policy(case: Deployed, kind: Kind) -> Iterator[Finding]:
    beside, what = Beside.of(case, kind, readable(case.statements(kind))), f"{kind} policy"
    about, deploy, found = f"{kind}-policy", _NEXT.format(what), beside.found
    yield from beside.nobodies(f". {deploy}leaves them out")
    words = f"the {what} is not what the file says: {found.in_words(case.entry.settings.account)}"
    missing = [one for one in found.taken if not _NEW_ADMIN_ACTIONS.issuperset(one.actions)]
    by_denial = bool(found.denials) and not [*beside.locked_out()]
    is_made_again = case.role_arn in beside.lost
    if is_made_again or found.given or found.doubt or (missing and not by_denial):
        words += f" ({case.role_arn} was deleted and made again)" if is_made_again else ""
        means = f"{deploy}takes away what is added here, and gives what is missing here: who may do what changes"
        yield wrong(about, words, _CURES[kind], means=means)
    elif found.is_none:
        yield right(about, f"the {what} is what the file says")
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
    """A key that will end, or that Pinecone cannot use, is taken over by nobody.

    Raises:
        Refused: it is one.
    """
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
