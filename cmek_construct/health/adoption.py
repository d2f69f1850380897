"""How the template of an entry differs from the role and key that are there, and what that does.

`cdk import` compares nothing and changes neither role nor key. A later deploy changes a policy or a setting only where
the template then differs from the template before: so a difference waits, and comes with a change that nobody connects
with it. That is why each is named. Source: AWS's handlers of AWS::KMS::Key and AWS::IAM::Role; CloudFormation user
guide, "Import AWS resources into a CloudFormation stack".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from cmek_construct.aws.objects import Key, Role
from cmek_construct.checks import printable
from cmek_construct.deployment.reading import Entry
from cmek_construct.health.deployed import Deployed
from cmek_construct.health.entries import alias_of, readable
from cmek_construct.health.findings import Effect, Finding, Refused, Verdict, right, said, wrong
from cmek_construct.health.key import about_enabled, about_rotation
from cmek_construct.health.lockout import locked_out
from cmek_construct.health.policies import Beside, about_nobody, about_permissions, about_used_key
from cmek_construct.health.role import about_boundary, about_session
from cmek_construct.policy.statements import Kind
from cmek_construct.templates.evidence import pinecones_accounts

_NEW_ADMIN_ACTIONS: Final = {"kms:RotateKeyOnDemand"}
"""The console gives it since 2024; whoever may replace the key policy could take it anyway."""
_STAYS: Final = {
    "session": "It stays so: the template says nothing of it",
    "permissions": "Neither the import nor a deploy touches them, and Pinecone's sessions have "
    "them too; `cmek doctor` names them until they are taken away",
    "rotation": "The next deploy that changes the rotation in the template changes it: old data stays readable",
    "enabled": "Pinecone cannot use it, and neither import nor deploy enables it",
}
"""What becomes of what the doctor calls wrong, and the template does not change at once."""
_CUSTOMERS: Final = "The deploy adds what is missing; what is there more stays, outside of the stack"


def differences(case: Deployed, role: Role, key: Key | None) -> Iterator[Finding]:
    """All of them. Wrong is what would lock somebody out, or let somebody in.

    Raises:
        Refused: CloudFormation would make another role or key.
    """
    own = case.entry.settings
    if own.role is None:
        _refuse_another_role(case.entry, role)
        yield from _about_role(case, role)
    else:
        yield said("role", "the role stays as it is: the entry names it, no stack takes it over")
    if key is not None and own.key is not None:
        yield said(
            "key",
            "the key and its policy stay as they are: the entry names it, no stack takes it over. "
            "`npx cdk synth` says the statements that must stand in its policy",
        )
    elif key is not None:
        _refuse_another_key(case.entry, key)
        yield from _about_policy(case, "key", "use the key as given: --as-given key; or mend the key policy")
        for one in about_used_key(case):
            yield _staying(one, _next_deploy("key policy") + "changes it")
        yield from _about_key(case, key)
        yield from _about_aliases(case.entry, key)


def _next_deploy(what: str) -> str:
    """When a difference comes into force."""
    return f"the next deploy that changes the {what} in the template "


def _refuse_another_role(entry: Entry, role: Role) -> None:
    """A name or path of the file that is not the role's would be another role."""
    own = entry.settings
    for prop, wanted, found in (
        ("role_name", own.role_name or role.name, role.name),
        ("role_path", own.role_path or "/", role.path),
    ):
        if wanted != found:
            raise Refused(
                f"cmek.yaml: stacks.{entry.name}.{prop}: got {wanted!r}, but the role has {found!r}, and another "
                f"{prop} is another role, which Pinecone does not know. Write {prop}: {found}, or take the line away "
                "if it was not there when the stack was deployed."
            )


def _refuse_another_key(entry: Entry, key: Key) -> None:
    origin = key.metadata.get("Origin")
    kind = (key.metadata.get("MultiRegionConfiguration") or {}).get("MultiRegionKeyType")
    not_ours = (
        "it is the replica of a multi-Region key, which is another type of resource"
        if kind == "REPLICA"
        else f"its key material has the origin {printable(origin)}, not AWS_KMS"
        if origin != "AWS_KMS"
        else ""
    )
    if not_ours:
        raise Refused(
            f"--key-arn: {key.arn} cannot be taken into a stack of this library: {not_ours}. Use "
            "it as given: --as-given key."
        )
    if bool(entry.settings.multi_region) != key.is_multi_region:
        raise Refused(
            f"cmek.yaml: stacks.{entry.name}.multi_region: got {entry.settings.multi_region}, but the key's is "
            f"{key.is_multi_region}, for good. Write multi_region: {str(key.is_multi_region).lower()}."
        )


def _about_policy(case: Deployed, kind: Kind, cure: str) -> Iterator[Finding]:
    """A policy beside the template's."""
    observed, what = readable(case.statements(kind)), f"{kind} policy"
    beside = Beside.of(case, kind, observed)
    found = beside.found
    yield from about_nobody(beside, f". {_next_deploy(what)}leaves them out")
    again = f"({case.role_arn} was deleted and made again)"
    words = found.in_words(case.entry.settings.account)
    title = f"the {what} is not what the file says: {words}"
    if case.role_arn in beside.lost or not _is_harmless(beside):
        yield wrong(
            f"{kind}-policy",
            f"{title} {again}".strip() if case.role_arn in beside.lost else title,
            cure,
            means=_next_deploy(what) + "takes away what is added here, and gives what is missing "
            "here: who may do what changes",
        )
    elif found.is_none:
        yield right(f"{kind}-policy", f"the {what} says what the file says")
    else:
        yield said(f"{kind}-policy", f"{title}. {_next_deploy(what)}changes it")


def _is_harmless(beside: Beside) -> bool:
    """Whether a difference locks nobody out and lets nobody in."""
    found = beside.found
    missing = [one for one in found.taken if not _NEW_ADMIN_ACTIONS.issuperset(one.actions)]
    by_denial = bool(found.denials) and not list(locked_out(beside.case, beside.kind, beside.there, beside.wanted))
    return not (found.given or found.doubt or (missing and not by_denial))


def _about_role(case: Deployed, role: Role) -> Iterator[Finding]:
    accounts = pinecones_accounts(case.where("trust").read(readable(role.trust)))
    if len(accounts) > 1:
        yield wrong(
            "pinecone-account",
            f"the trust policy names {len(accounts)} accounts as Pinecone's: {', '.join(accounts)}",
            "compare with Pinecone's console (Manage > CMEK), and take the other one out of the trust policy",
            Effect.SOMEBODY_LET_IN,
        )
    yield from _about_policy(
        case,
        "trust",
        "mend the entry or the trust policy and run this again, or leave the role out of the stack: --as-given role",
    )
    bounded = about_boundary(case, role)
    if bounded.fails:
        cure = "write the role's into the entry (permissions_boundary)"
        means = _next_deploy("role") + "may take the boundary away, or keep Pinecone out by it"
        bounded = replace(bounded, verdict=Verdict.WRONG, cure=cure, means=means)
    yield bounded
    yield from map(_staying, about_session(case, role))
    for finding in about_permissions(case):
        customers = case.entry.settings.customers is not None
        yield _staying(finding, _CUSTOMERS if customers else "")
        if customers and finding.verdict is Verdict.RIGHT:
            yield said(
                "permissions",
                "The deploy writes the permissions anew into policies of the stack, unless it has "
                "taken over those that are there: then take the old ones away",
            )
    if role.description:
        yield said(
            "role-description",
            f"the role's description, '{printable(role.description)}', stays: the template says none",
        )
    if role.tags:
        yield said(
            "tags", f"tags of the role ({role.tags}), and those of the key, stay; a deploy adds those of the entry"
        )


def _staying(finding: Finding, stays: str = "") -> Finding:
    """What the doctor says of what no deploy changes at once: to be known."""
    if not finding.fails:
        return finding
    return said(finding.about, f"{finding.words}. {stays or _STAYS[finding.about]}", finding.cure)


def _about_key(case: Deployed, key: Key) -> Iterator[Finding]:
    own = case.entry.settings
    yield _staying(about_rotation(case, key))
    if key.rotation_days is None and own.enable_key_rotation is False:
        yield said(
            "rotation",
            "the key does not rotate, and stays so: to have it rotate, take enable_key_rotation: "
            "false out of the entry later",
        )
    if (own.description or "") != key.description:
        yield said(
            "description",
            f"the key's description is '{printable(key.description)}', and "
            f"'{printable(own.description or '')}' by the entry. " + _next_deploy("description") + "changes it",
        )
    if not key.is_ending:
        yield _staying(about_enabled(case, key))


def _about_aliases(entry: Entry, key: Key) -> Iterator[Finding]:
    alias = alias_of(entry, key)
    others = [one for one in readable(key.aliases) if one != alias]
    if alias is None:
        yield said("alias", "the key has no alias of the template's: the deploy makes one")
    if others:
        yield said("aliases", f"{', '.join(map(printable, others))}: stays, outside of the stack")


def refuse_unfit(key: Key) -> None:
    """A key that will end, or that Pinecone cannot use, is taken over by nobody.

    Raises:
        Refused: it is one.
    """
    if key.is_ending:
        region = key.arn.split(":")[3]
        raise Refused(
            f"--key-arn: got {key.arn}, but the key WILL BE DELETED at "
            f"{printable(key.deletion_date or 'a time that KMS does not say')}, and with it all "
            f"data of the project. First run: aws kms cancel-key-deletion --region {region} "
            f"--key-id {key.arn} && aws kms enable-key --region {region} --key-id {key.arn}"
        )
    if key.state not in ("Enabled", "Disabled"):
        raise Refused(
            f"--key-arn: got {key.arn}, but the key is in state {printable(key.state)}, and only "
            "one that is enabled or disabled can be taken over. See the KMS console."
        )
    for name, needed in (("KeyManager", "CUSTOMER"), ("KeySpec", "SYMMETRIC_DEFAULT"), ("KeyUsage", "ENCRYPT_DECRYPT")):
        if key.metadata.get(name) != needed:
            raise Refused(
                f"--key-arn: got {key.arn}, whose {name} is {printable(key.metadata.get(name))}, but Pinecone uses a "
                f"key of {needed}. Copy the Key ARN that Pinecone's console shows."
            )
