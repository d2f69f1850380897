"""How the template's key differs from the key that is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from cmek_construct.checks import printable
from cmek_construct.deployment import documents
from cmek_construct.deployment.reading import Entry
from cmek_construct.guide import Statement
from cmek_construct.operations.adopting.source import DAYS, AdoptError, SeenKey
from cmek_construct.operations.adopting.stack import alias_of
from cmek_construct.operations.adopting.words import next_deploy, right, said, words
from cmek_construct.operations.drift import (
    Drift,
    Pair,
    differs_in_gone_alone,
    drift,
    gone,
    in_words,
    lost,
    meaning,
    without_gone,
)
from cmek_construct.operations.findings import Finding, Verdict
from cmek_construct.policy.sentences import as_list

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
    own = entry.settings
    wanted = documents.key_policy(own, role_arn, suspended=bool(own.suspended))
    observed, deleted = _alive(documents.role_statements(own, role_arn), key.policy)
    if deleted:
        yield said(
            "key-gone",
            f"the key policy names {', '.join(deleted)}, which was deleted and is nobody any more. "
            + next_deploy("key policy")
            + "leaves it out",
        )
    found = drift(wanted["Statement"], observed)
    older = [pair for pair in found.changed if _is_of_former_years(pair)]
    if older:
        yield said(
            "key-admins",
            "the key administrators have the console's actions of former years: "
            f"{in_words(Drift(changed=tuple(older)), own.account)}. "
            + next_deploy("key policy")
            + "adds it",
        )
    left = replace(found, changed=tuple(pair for pair in found.changed if pair not in older))
    if left.is_none and not left.gone:
        same = "says what the template says" + (", that apart" if older or deleted else "")
        yield right("key-policy", f"the key policy {same}")
    else:
        yield _not_the_templates(left, own.account)


def _not_the_templates(found: Drift, account: str) -> Finding:
    again = dict.fromkeys(name for pair in found.gone for name in lost(pair))
    return Finding(
        "key-policy",
        Verdict.WRONG,
        f"the key policy is not the template's: {words(found, account)}"
        + (f" ({', '.join(again)} was deleted and made again)" if again else ""),
        "use the key as given: --as-given key; or mend the key policy and run this again",
        means=next_deploy("key policy")
        + "takes away what is added here, and gives what is missing here",
    )


def _alive(of_role: Sequence[Statement], observed: Sequence[Any]) -> tuple[list[Any], list[str]]:
    """The statements without deleted principals, but for those that were written for the role."""
    left, deleted = [], []
    for one in observed:
        if not gone(one) or any(differs_in_gone_alone(wanted, one) for wanted in of_role):
            left.append(one)
            continue
        deleted += gone(one)
        alive = without_gone(one)
        left += [alive] if alive is not None else []
    return left, deleted


def _former(wanted: Sequence[Statement]) -> set[str]:
    """What the statements meant before the console's newest actions."""
    return {
        meaning(
            {**one, "Action": [a for a in as_list(one["Action"]) if a not in _NEW_ADMIN_ACTIONS]}
        )
        for one in wanted
    }


def _is_of_former_years(pair: Pair) -> bool:
    return meaning(pair.observed) in _former([pair.expected])


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
