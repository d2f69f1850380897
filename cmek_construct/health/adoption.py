"""How the template of an entry differs from the role and key that are there, and what that does.

`cdk import` compares nothing and changes neither role nor key. A later deploy changes a policy or a
setting only where the template then differs from the template before: so a difference waits, and
comes with a change that nobody connects with it. That is why each is named.
Source: AWS's handlers of AWS::KMS::Key and AWS::IAM::Role; CloudFormation user guide, "Import AWS
resources into a CloudFormation stack".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cmek_construct.aws.objects import SESSION_SECONDS, Key, Role
from cmek_construct.checks import printable
from cmek_construct.deployment import documents
from cmek_construct.deployment.reading import Entry
from cmek_construct.health.beside import Beside, of_key, of_trust
from cmek_construct.health.comparing import Drift, Where, gone, in_words
from cmek_construct.health.deployed import Deployed
from cmek_construct.health.entries import pinecone_accounts, readable
from cmek_construct.health.findings import Effect, Finding, Refused, right, said, wrong
from cmek_construct.health.import_mapping import alias_of
from cmek_construct.health.key import every, rotation_of_file
from cmek_construct.health.needs import locked_out

_NEW_ADMIN_ACTIONS: Final = {"kms:RotateKeyOnDemand"}
"""The console gives it since 2024; whoever may replace the key policy could take it anyway."""


def differences(case: Deployed, role: Role, key: Key | None) -> Iterator[Finding]:
    """All of them. Wrong is what would lock somebody out, or let somebody in.

    Raises:
        Refused: CloudFormation would make another role or key.
    """
    entry = case.entry
    if entry.settings.role is None:
        _refuse_another_role(entry, role)
        yield from _about_trust(case, role)
        yield from _about_role(entry, role)
        yield _about_permissions(entry, role)
    else:
        yield said("role", "the role stays as it is: the entry names it, no stack takes it over")
    if key is not None and entry.settings.key is not None:
        yield said(
            "key",
            "the key and its policy stay as they are: the entry names it, no stack takes it over. "
            "`npx cdk synth` says the statements that must stand in its policy",
        )
    elif key is not None:
        _refuse_another_key(entry, key)
        beside = of_key(case, readable(key.policy))
        yield from _about_policy(
            case, beside, "use the key as given: --as-given key; or mend the key policy"
        )
        yield from _about_key(entry, key)
        yield from _about_aliases(entry, key)


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
                f"cmek.yaml: stacks.{entry.name}.{prop}: got {wanted!r}, but the role has "
                f"{found!r}, and another {prop} is another role, which Pinecone does not know. "
                f"Write {prop}: {found}, or take the line away if it was not there when the stack "
                "was deployed."
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
            f"cmek.yaml: stacks.{entry.name}.multi_region: got {entry.settings.multi_region}, but "
            f"the key's is {key.is_multi_region}, for good. Write multi_region: "
            f"{str(key.is_multi_region).lower()}."
        )


def _about_trust(case: Deployed, role: Role) -> Iterator[Finding]:
    trust = readable(role.trust)
    accounts = pinecone_accounts(trust)
    if len(accounts) > 1:
        yield wrong(
            "pinecone-account",
            f"the trust policy names {len(accounts)} accounts as Pinecone's: {', '.join(accounts)}",
            "compare with Pinecone's console (Manage > CMEK), and take the other one out of the "
            "trust policy",
            Effect.SOMEBODY_LET_IN,
        )
    cure = "mend the entry or the trust policy and run this again, or leave the role out of the "
    yield from _about_policy(case, of_trust(case, trust), f"{cure}stack: --as-given role")


def _about_policy(case: Deployed, beside: Beside, cure: str) -> Iterator[Finding]:
    """A policy beside the template's."""
    what, account = beside.what, case.entry.settings.account
    about, found = what.replace(" ", "-"), beside.found
    ids = gone(*beside.there)
    if ids:
        yield said(
            f"{about}-gone",
            f"the {what} names {', '.join(ids)}, which was deleted and is nobody any more. "
            + _next_deploy(what)
            + "leaves it out",
        )
    again = [one for one in beside.lost if one == case.role_arn]
    lost = [f"({one} was deleted and made again)" for one in again]
    harmless = _harmless(case, beside, found)
    if harmless is not None and not lost:
        words = in_words(harmless, account)
        yield (
            said(
                about,
                f"the {what} is not what the file says: {words}. "
                + _next_deploy(what)
                + "changes it",
            )
            if words
            else right(about, f"the {what} says what the file says")
        )
        return
    words = " ".join(filter(None, [in_words(found, account), *lost]))
    yield wrong(
        about,
        f"the {what} is not what the file says: {words}",
        cure,
        means=_next_deploy(what)
        + "takes away what is added here, and gives what is missing here: who may do what changes",
    )


def _harmless(case: Deployed, beside: Beside, found: Drift) -> Drift | None:
    """A difference that locks nobody out and lets nobody in; None if it does."""
    if found.is_none:
        return found
    missing = [one for one in found.taken if not _NEW_ADMIN_ACTIONS.issuperset(one.actions)]
    by_denial = bool(found.denials) and not list(
        locked_out(case, beside.where, beside.there, beside.wanted)
    )
    harms = found.given or found.doubt or (missing and not by_denial)
    return None if harms else found


def _about_role(entry: Entry, role: Role) -> Iterator[Finding]:
    wanted, found = entry.settings.permissions_boundary, role.boundary and role.boundary.arn
    if wanted != found:
        yield wrong(
            "boundary",
            f"the role's permissions boundary is {printable(found)}, but {wanted} in the file",
            "write the role's into the entry (permissions_boundary)",
            means=_next_deploy("role") + "may take the boundary away, or keep Pinecone out by it",
        )
    if role.description:
        yield said(
            "role-description",
            f"the role's description, '{printable(role.description)}', stays: the template says "
            "none",
        )
    if role.session_seconds != SESSION_SECONDS:
        yield said(
            "session",
            f"sessions of the role may last {role.session_seconds} seconds, and go on so: the "
            "template says nothing of it",
        )
    if role.tags:
        yield said(
            "tags",
            f"tags of the role ({role.tags}), and those of the key, stay; a deploy adds those of "
            "the entry",
        )


def _about_permissions(entry: Entry, role: Role) -> Finding:
    wanted, account = documents.permissions(entry.settings), entry.settings.account
    there = readable(role.permissions)
    observed = [one for policy in there for one in policy.statements]
    words = in_words(Where("permissions").drift(observed, wanted), account)
    names = ", ".join(printable(policy.name) for policy in there)
    if not wanted and not observed:
        return right("permissions", "the role has no permissions of its own, as in the template")
    if not wanted:
        return said(
            "permissions",
            f"the role has permissions of its own ({names}): {words}. Neither the import nor a "
            "deploy touches them, and Pinecone's sessions have them too; `cmek doctor` names them "
            "until they are taken away",
        )
    if not words:
        return said(
            "permissions",
            f"the role's permissions are the template's, for {len(wanted)} customers ({names}). "
            "The deploy writes them anew into policies of the stack where these are none: then "
            "take the old ones away",
        )
    return said(
        "permissions",
        f"the role's permissions are not the template's: {words}"
        + (f" (in {names})" if names else "")
        + ". The deploy adds what is missing; what is there more stays, outside of the stack",
    )


def _about_key(entry: Entry, key: Key) -> Iterator[Finding]:
    own, found = entry.settings, readable(key.rotation_days)
    days = rotation_of_file(own)
    if days != found:
        yield said(
            "rotation",
            f"the key rotates {every(found)}, but {every(days)} by the file. "
            + _next_deploy("rotation")
            + "changes it: old data stays readable",
        )
    elif days is None:
        yield said(
            "rotation",
            "the key does not rotate, and stays so: to have it rotate, take enable_key_rotation: "
            "false out of the entry later",
        )
    if (own.description or "") != key.description:
        yield said(
            "description",
            f"the key's description is '{printable(key.description)}', and "
            f"'{printable(own.description or '')}' by the entry. "
            + _next_deploy("description")
            + "changes it",
        )
    if key.state == "Disabled":
        region = key.arn.split(":")[3]
        yield said(
            "enabled",
            "the key is disabled: Pinecone cannot use it, and neither import nor deploy enables "
            f"it. To do so: aws kms enable-key --region {region} --key-id {key.arn}",
        )


def _about_aliases(entry: Entry, key: Key) -> Iterator[Finding]:
    alias = alias_of(entry, key)
    others = [one for one in readable(key.aliases) if one != alias]
    if alias is None:
        yield said("alias", "the key has no alias of the template's: the deploy makes one")
    if others:
        yield said("aliases", f"{', '.join(map(printable, others))}: stays, outside of the stack")
