"""How the template's key differs from the key that is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Final

from cmek_construct.checks import printable
from cmek_construct.deployment import documents
from cmek_construct.deployment.reading import Entry
from cmek_construct.operations.adopting.source import DAYS, AdoptError, SeenKey
from cmek_construct.operations.adopting.stack import alias_of
from cmek_construct.operations.adopting.words import compared, deleted, next_deploy, right, said
from cmek_construct.operations.deleted import gone, revived
from cmek_construct.operations.drift import Drift, Place, in_words
from cmek_construct.operations.findings import Finding, Verdict

_NEW_ADMIN_ACTIONS: Final = {"kms:RotateKeyOnDemand"}
"""The console gives it since 2024; whoever may replace the key policy could take it anyway."""


def about_key(entry: Entry, role_arn: str, key: SeenKey) -> Iterator[Finding]:
    """All that differs.

    Raises:
        AdoptError: CloudFormation would make another key, or have none of that type.
    """
    _same_key(entry, key)
    yield from _about_policy(entry, role_arn, key)
    yield from _about_settings(entry, key)
    yield from _about_aliases(entry, key)


def _same_key(entry: Entry, key: SeenKey) -> None:
    if key.not_ours:
        raise AdoptError(
            f"--key-arn: {key.arn} cannot be taken into a stack of this library: {key.not_ours}. "
            "Use it as given: --as-given key."
        )
    if bool(entry.settings.multi_region) != key.multi_region:
        raise AdoptError(
            f"cmek.yaml: stacks.{entry.name}.multi_region: got {entry.settings.multi_region}, but "
            f"the key's is {key.multi_region}, for good. Write multi_region: "
            f"{str(key.multi_region).lower()}."
        )


def _about_policy(entry: Entry, role_arn: str, key: SeenKey) -> Iterator[Finding]:
    own, place = entry.settings, Place("key", key.arn)
    _, again = revived(place, key.policy, documents.role_statements(own, role_arn))
    ids = gone(*key.policy)
    yield from deleted("key", "key policy", [] if again else ids)
    wanted = partial(documents.key_policy, own, role_arn)
    found = compared(place, entry, role_arn, key.policy, wanted)
    older = tuple(one for one in found.taken if _NEW_ADMIN_ACTIONS.issuperset(one.actions))
    if older:
        yield said(
            "key-admins",
            "the key administrators have the console's actions of former years: "
            f"{in_words(Drift(taken=older), own.account)}. "
            + next_deploy("key policy")
            + "adds it",
        )
    left = replace(found, taken=tuple(one for one in found.taken if one not in older))
    if left.is_none:
        same = "says what the template says" + (", that apart" if older or ids else "")
        yield right("key-policy", f"the key policy {same}")
    else:
        yield _not_the_templates(left, own.account, again)


def _not_the_templates(found: Drift, account: str, again: list[str]) -> Finding:
    return Finding(
        "key-policy",
        Verdict.WRONG,
        f"the key policy is not the template's: {in_words(found, account)}"
        + (f" ({', '.join(again)} was deleted and made again)" if again else ""),
        "use the key as given: --as-given key; or mend the key policy and run this again",
        means=next_deploy("key policy")
        + "takes away what is added here, and gives what is missing here",
    )


def _about_settings(entry: Entry, key: SeenKey) -> Iterator[Finding]:
    own = entry.settings
    days = None if own.enable_key_rotation is False else own.rotation_period or DAYS
    if days != key.rotation_days:
        yield said(
            "rotation",
            f"the key rotates {_every(key.rotation_days)}, and {_every(days)} by the entry. "
            + next_deploy("rotation")
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
            + next_deploy("description")
            + "changes it",
        )
    if key.state == "Disabled":
        region = key.arn.split(":")[3]
        yield said(
            "enabled",
            "the key is disabled: Pinecone cannot use it, and neither import nor deploy enables "
            f"it. To do so: aws kms enable-key --region {region} --key-id {key.arn}",
        )


def _every(days: int | None) -> str:
    return "not at all" if days is None else f"every {days} days"


def _about_aliases(entry: Entry, key: SeenKey) -> Iterator[Finding]:
    alias = alias_of(entry, key)
    others = [one for one in key.aliases if one != alias]
    if alias is None:
        yield said("alias", "the key has no alias of the template's: the deploy makes one")
    if others:
        yield said("aliases", f"{', '.join(map(printable, others))}: stays, outside of the stack")
