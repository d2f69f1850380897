"""How the template of an entry differs from what is there, and whether that does harm.

`cdk import` compares nothing and changes neither role nor key. A later deploy changes a policy or a
setting only where the template then differs from the template before: so a difference waits, and
comes with a change that nobody connects with it. That is why each is named.
Source: AWS's handlers of AWS::KMS::Key and AWS::IAM::Role; CloudFormation user guide, "Import AWS
resources into a CloudFormation stack".
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cmek_construct.checks import printable
from cmek_construct.deployment import documents
from cmek_construct.deployment.reading import Entry
from cmek_construct.operations.adopting.key import about_key
from cmek_construct.operations.adopting.source import AdoptError, SeenKey, SeenRole
from cmek_construct.operations.adopting.words import compared, deleted, next_deploy, right, said
from cmek_construct.operations.deleted import gone
from cmek_construct.operations.drift import Place, in_words
from cmek_construct.operations.findings import Finding, Verdict


def differences(entry: Entry, role: SeenRole, key: SeenKey | None) -> Iterator[Finding]:
    """All of them. Wrong is what would lock somebody out, or let somebody in.

    Raises:
        AdoptError: CloudFormation would make another role or key.
    """
    own = entry.settings
    if own.role is None:
        _same_role(entry, role)
        yield from _about_trust(entry, role)
        yield from _about_role(entry, role)
        yield _about_permissions(entry, role)
    else:
        yield said("role", "the role stays as it is: the entry names it, no stack takes it over")
    if key is None:
        return
    if own.key is not None:
        yield said(
            "key",
            "the key and its policy stay as they are: the entry names it, no stack takes it over. "
            "`npx cdk synth` says the statements that must stand in its policy",
        )
        return
    yield from about_key(entry, role.arn, key)


def _same_role(entry: Entry, role: SeenRole) -> None:
    """A name or path of the file that is not the role's would be another role."""
    own = entry.settings
    for prop, wanted, found in (
        ("role_name", own.role_name or role.name, role.name),
        ("role_path", own.role_path or "/", role.path),
    ):
        if wanted != found:
            raise AdoptError(
                f"cmek.yaml: stacks.{entry.name}.{prop}: got {wanted!r}, but the role has "
                f"{found!r}, and another {prop} is another role, which Pinecone does not know. "
                f"Write {prop}: {found}, or take the line away if it was not there when the stack "
                "was deployed."
            )


def _about_trust(entry: Entry, role: SeenRole) -> Iterator[Finding]:
    own = entry.settings
    wanted = partial(documents.trust_policy, own)
    found = compared(Place("trust", role.arn), entry, role.arn, role.trust, wanted)
    yield from deleted("trust", "trust policy", gone(*role.trust))
    if found.is_none:
        yield right("trust-policy", "the role's trust policy says what the template says")
        return
    yield Finding(
        "trust-policy",
        Verdict.WRONG,
        f"the role's trust policy is not the template's: {in_words(found, own.account)}",
        "mend the entry or the trust policy and run this again, or leave the role out of the "
        "stack: --as-given role",
        means=next_deploy("trust policy") + "writes the template's: who may come in changes",
    )


def _about_role(entry: Entry, role: SeenRole) -> Iterator[Finding]:
    wanted = entry.settings.permissions_boundary
    if wanted != role.boundary:
        yield Finding(
            "boundary",
            Verdict.WRONG,
            f"the role's permissions boundary is {printable(role.boundary)}, but {wanted} in the "
            "entry",
            "write the role's into the entry (permissions_boundary)",
            means=next_deploy("role") + "may take the boundary away, or keep Pinecone out by it",
        )
    if role.description:
        yield said(
            "role-description",
            f"the role's description, '{printable(role.description)}', stays: the template says "
            "none",
        )
    if role.session_seconds != 3600:
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


def _about_permissions(entry: Entry, role: SeenRole) -> Finding:
    wanted = documents.permissions(entry.settings)
    observed = [one for policy in role.permissions for one in policy.statements]
    found = Place("permissions").drift(observed, wanted)
    names = ", ".join(printable(policy.name) for policy in role.permissions)
    if not wanted and not observed:
        return right("permissions", "the role has no permissions of its own, as in the template")
    if not wanted:
        return said(
            "permissions",
            f"the role has permissions of its own ({names}): "
            f"{in_words(found, entry.settings.account)}. Neither the import nor a deploy touches "
            "them, and Pinecone's sessions have them too; `cmek doctor` names them until they are "
            "taken away",
        )
    if found.is_none:
        return said(
            "permissions",
            f"the role's permissions are the template's, for {len(wanted)} customers ({names}). "
            "The deploy writes them anew into policies of the stack where these are none: then "
            "take the old ones away",
        )
    return said(
        "permissions",
        f"the role's permissions are not the template's: {in_words(found, entry.settings.account)}"
        + (f" (in {names})" if names else "")
        + ". The deploy adds what is missing; what is there more stays, outside of the stack",
    )
