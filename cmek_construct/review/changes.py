"""What changes between two sets of templates: each difference once, with all that it is in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cmek_construct.policy.sentences import Quoted, Words, quoted_list
from cmek_construct.policy.statements import Kind
from cmek_construct.review.meaning import differences as meanings
from cmek_construct.review.meaning import together
from cmek_construct.review.seen import AliasSeen, KeySeen, Policy, RoleSeen, Said, Template
from cmek_construct.review.shapes import external_ids

NOTHING: Final = "Nothing changes about Pinecone's roles, keys and aliases."
REPLACED: Final = "Pinecone would lose role, key or access"
ACCESS: Final = "Who may do what"
OTHER: Final = "Other"
_WEIGHTS: Final = (REPLACED, ACCESS, OTHER)
_FIXED: Final = {
    "Role": ("RoleName", "Path"),
    "Key": ("KeySpec", "KeyUsage", "Origin", "MultiRegion"),
}
_HARMLESS: Final = ("Description", "Tags", "EnableKeyRotation", "RotationPeriodInDays")
"""Properties that let nobody do more or less."""
_ANOTHER: Final = {
    "Role": " Pinecone goes on asking for the old role and cannot be told of another: it is locked "
    "out of the data. A policy that named the old role does not let the new one in by itself.",
    "Key": " Pinecone cannot be given another key for a project, and no other key reads what this "
    "one encrypted.",
}
_ANOTHER_ID: Final = (
    " Pinecone goes on presenting the one that it stores and cannot be told of another: it is "
    "locked out."
)
_ANOTHER_ACCOUNT: Final = (
    " Compare it with Pinecone's console, Manage > CMEK > Add CMEK: whoever owns another account "
    "gets in in its place."
)


@dataclass(frozen=True)
class Change:
    """One difference."""

    weight: str
    """Its title: `REPLACED` if role or key would be another one, or go; `ACCESS`; `OTHER`."""
    words: Words


@dataclass(frozen=True)
class Difference:
    """The same changes, and the templates that they are in."""

    changes: list[Change]
    names: list[str]

    @property
    def by_weight(self) -> list[tuple[str, list[Change]]]:
        """The changes under their titles, the heaviest first."""
        each = ((title, [one for one in self.changes if one.weight == title]) for title in _WEIGHTS)
        return [(title, changes) for title, changes in each if changes]

    @property
    def replaces(self) -> bool:
        """Whether Pinecone would lose a role or key."""
        return any(change.weight == REPLACED for change in self.changes)


def differences(old: Sequence[Template], new: Sequence[Template]) -> list[Difference]:
    """What changes, grouped; those that replace role or key first."""
    found: dict[str, Difference] = {}
    for before, after in _pairs(old, new):
        changes = sorted(_between(before, after), key=lambda change: _WEIGHTS.index(change.weight))
        if changes:
            text = _common(changes, [one for one in (before, after) if one])
            names = found.setdefault(text, Difference(changes, [])).names
            names += [one.name for one in (after or before,) if one]
    return sorted(found.values(), key=lambda difference: not difference.replaces)


def _pairs(
    old: Sequence[Template], new: Sequence[Template]
) -> list[tuple[Template | None, Template | None]]:
    """Templates of one name; or the only ones, whatever they are called."""
    if len(old) == len(new) == 1:
        return [(old[0], new[0])]
    before = {one.name: one for one in old if one.parts}
    after = {one.name: one for one in new if one.parts}
    before |= {one.name: one for one in old if one.name in after}
    after |= {one.name: one for one in new if one.name in before}
    return [(before.get(name), after.get(name)) for name in dict.fromkeys([*after, *before])]


def _common(changes: Sequence[Change], templates: Sequence[Template]) -> str:
    """The text of changes without what each account has of its own."""
    text = json.dumps([[change.weight, *change.words] for change in changes])
    for template in templates:
        roles = (part.role for part in template.parts if part.role)
        own = [one for role in roles for one in external_ids(role.trust)]
        for value in filter(None, [template.account, *own]):
            text = text.replace(value, "<own>")
    return text


def _between(old: Template | None, new: Template | None) -> Iterator[Change]:
    """What changes from one version of a template to another."""
    if old is None or new is None:
        yield from _whole(old, new)
        return
    yield from _elsewhere(old, new)
    if old.parts != new.parts:
        roles, keys = (_roles(old), _roles(new)), (_keys(old), _keys(new))
        yield from _come_and_gone("Role", *roles)
        yield from _come_and_gone("Key", *keys)
        for name in (name for name in roles[0] if name in roles[1]):
            yield from _role(roles[0][name], roles[1][name])
        for name in (name for name in keys[0] if name in keys[1]):
            yield from _key(keys[0][name], keys[1][name])
        before, after = map(_aliases, keys)
        for name in dict.fromkeys([*before, *after]):
            yield from _alias(name, before.get(name), after.get(name))
    yield from _findings(old, new)


def _elsewhere(old: Template, new: Template) -> Iterator[Change]:
    """What changes about where a template is deployed, as far as it is known."""
    for what, was, now in (
        ("account", old.account, new.account),
        ("Region", old.region, new.region),
    ):
        if was and now and was != now:
            said: Words = [f"The {what} was ", Quoted(was), ", is now ", Quoted(now)]
            yield Change(REPLACED, [*said, f": ANOTHER role and ANOTHER key.{_ANOTHER['Key']}"])


def _roles(template: Template) -> dict[str, RoleSeen]:
    return {part.role.logical_id: part.role for part in template.parts if part.role}


def _keys(template: Template) -> dict[str, KeySeen]:
    return {key.logical_id: key for part in template.parts for key in part.keys}


def _aliases(keys: Mapping[str, KeySeen]) -> dict[str, AliasSeen]:
    return {one.logical_id: one for key in keys.values() for one in key.aliases}


def _whole(old: Template | None, new: Template | None) -> Iterator[Change]:
    if new is not None:
        yield Change(OTHER, ["The template is new. All of it is on this page."])
        for name in [*_roles(new), *_keys(new)]:
            yield Change(OTHER, ["New: ", Quoted(name), "."])
    elif old is not None:
        yield Change(
            REPLACED, ["The template is gone. What AWS keeps of its stack, if that is deleted:"]
        )
        yield from _come_and_gone("Role", _roles(old), {})
        yield from _come_and_gone("Key", _keys(old), {})


def _come_and_gone(
    what: str, old: Mapping[str, RoleSeen | KeySeen], new: Mapping[str, RoleSeen | KeySeen]
) -> Iterator[Change]:
    gone = [one for name, one in old.items() if name not in new]
    for one in gone:
        said: Words = [f"{what} ", Quoted(one.logical_id), " is GONE from the template. "]
        if one.retained:
            said.append("AWS keeps it, as it is retained, but nothing manages it any more.")
        else:
            said.append(f"AWS DELETES it with this deploy: it is not retained.{_ANOTHER[what]}")
        yield Change(REPLACED, said)
    for name in (name for name in new if name not in old):
        if gone:
            said = [f"{what} ", Quoted(name), " is new while another is gone: it is ANOTHER "]
            yield Change(REPLACED, [*said, f"{what.lower()}.{_ANOTHER[what]}"])
        else:
            yield Change(ACCESS, [f"{what} ", Quoted(name), " is new."])


def _role(old: RoleSeen, new: RoleSeen) -> Iterator[Change]:
    own: Words = ["Role ", Quoted(new.logical_id)]
    yield from _properties("Role", old, new)
    was, now = external_ids(old.trust), external_ids(new.trust)
    if was and was != now:
        said: Words = [*own, ": the external ID was ", *quoted_list(was), ", is now "]
        yield Change(REPLACED, [*said, *(quoted_list(now) or ["none"]), f".{_ANOTHER_ID}"])
    was, now = old.pinecones, new.pinecones
    if was != now:
        said = [*own, ": Pinecone's AWS account was ", *quoted_list(was), ", is now "]
        yield Change(REPLACED, [*said, *quoted_list(now), f".{_ANOTHER_ACCOUNT}"])
    yield from _policy([*own, ", trust policy: "], old.trust, new.trust, "trust")
    before, after = together(old.permissions), together(new.permissions)
    yield from _policy([*own, ", its permissions: "], before, after, "permissions")


def _key(old: KeySeen, new: KeySeen) -> Iterator[Change]:
    yield from _properties("Key", old, new)
    own: Words = ["Key ", Quoted(new.logical_id), ", key policy: "]
    yield from _policy(own, old.policy, new.policy, "key")


def _properties(what: str, old: RoleSeen | KeySeen, new: RoleSeen | KeySeen) -> Iterator[Change]:
    own: Words = [f"{what} ", Quoted(new.logical_id)]
    if old.retained and not new.retained:
        yield Change(REPLACED, [*own, " is no longer retained: it goes when the stack goes."])
    if new.retained and not old.retained:
        yield Change(OTHER, [*own, " is retained now."])
    before, after = old.properties, new.properties
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) == after.get(name):
            continue
        was, now = _value(before, name), _value(after, name)
        said: Words = [*own, ": ", Quoted(name), " was ", *was, ", is now ", *now, "."]
        if name not in _FIXED[what]:
            yield Change(OTHER if name in _HARMLESS else ACCESS, said)
            continue
        if what == "Role":
            said.append(" CloudFormation REPLACES the role: it makes another one.")
        else:
            said.append(" KMS cannot change this on a key: the deploy fails, or makes ANOTHER KEY.")
        yield Change(REPLACED, [*said, _ANOTHER[what]])


def _value(properties: Mapping[str, Any], name: str) -> Words:
    return [Quoted(properties[name])] if name in properties else ["not said"]


def _policy(own: Words, old: Policy, new: Policy, kind: Kind) -> Iterator[Change]:
    """What whom may newly do or no longer do, and the statements by which that comes about."""
    gone = [said for said in old.said if said not in new.said]
    come = [said for said in new.said if said not in old.said]
    if not gone and not come and old.variables == new.variables:
        return
    meant = list(meanings(old, new, kind))
    if not meant:
        yield Change(OTHER, [*own, "it is written in another way, and means the same."])
        return
    for words in [*meant, *_statements(gone, come)]:
        yield Change(ACCESS, [*own, *words])


def _statements(gone: list[Said], come: list[Said]) -> Iterator[Words]:
    """Statements that come, go, or change under the same label."""
    for said in come:
        before = [one for one in gone if said.sid and one.sid == said.sid]
        if len(before) == 1:
            gone.remove(before[0])
            words: Words = ["a statement CHANGES. It was: ", *before[0].words]
            yield [*words, " It is now: ", *said.words]
        else:
            yield ["a statement is NEW. ", *said.words]
    for said in gone:
        yield ["a statement is GONE. ", *said.words]


def _alias(name: str, old: AliasSeen | None, new: AliasSeen | None) -> Iterator[Change]:
    own: Words = ["Alias ", Quoted(name)]
    if old is None or new is None:
        yield Change(OTHER, [*own, " is gone." if new is None else " is new."])
        return
    if old.name != new.name:
        was: Words = [" was ", Quoted(old.name), ", is now ", Quoted(new.name)]
        yield Change(OTHER, [*own, *was, ". The alias is replaced; the key stays the same."])
    if old.target != new.target:
        was = [" pointed at ", Quoted(old.target), ", points now at ", Quoted(new.target)]
        yield Change(REPLACED, [*own, *was, ": whoever uses the alias uses ANOTHER key."])
    if old.retained != new.retained:
        kept = " is retained on deletion now." if new.retained else " is no longer retained."
        yield Change(OTHER, [*own, kept])


def _findings(old: Template, new: Template) -> Iterator[Change]:
    """Rules that were kept before and are not now, and the reverse."""
    before, after = _results(old), _results(new)
    for one in dict.fromkeys([*before, *after]):
        was, now = before.get(one, "kept"), after.get(one, "kept")
        if was != now:
            said: Words = ["Guardrail ", Quoted(one[0]), " at ", Quoted(one[1])]
            yield Change(ACCESS, [*said, f": was {was}, is now {now}."])


def _results(template: Template) -> dict[tuple[str, str, str], str]:
    return {
        (one.rule, one.where, one.what): "acknowledged" if one.acknowledged else "NOT KEPT"
        for one in template.all_findings
    }
