"""What changes between two versions of a template, in the words of the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cmek_construct.policy.sentences import Quoted, Words, quoted_list
from cmek_construct.policy.statements import Kind
from cmek_construct.review.meaning import differences
from cmek_construct.review.seen import AliasSeen, KeySeen, Policy, RoleSeen, Said, Template
from cmek_construct.review.shapes import external_ids
from cmek_construct.templates.choices import Choices

REPLACED: Final = "replaced"
ACCESS: Final = "access"
OTHER: Final = "other"
_ROLE_REPLACED_BY: Final = ("RoleName", "Path")
_KEY_FIXED: Final = ("KeySpec", "KeyUsage", "Origin", "MultiRegion")
_HARMLESS: Final = ("Description", "Tags", "EnableKeyRotation", "RotationPeriodInDays")
"""Properties that let nobody do more or less."""
_ANOTHER_ROLE: Final = (
    " Pinecone goes on asking for the old role and cannot be told of another: it is locked out of "
    "the data. A policy that named the old role does not let the new one in by itself."
)
_ANOTHER_KEY: Final = (
    " Pinecone cannot be given another key for a project, and no other key reads what this one "
    "encrypted."
)


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
    """``replaced``: role or key would be another one, or go; ``access``: who may do what;
    ``other``."""
    words: Words


def between(old: Template | None, new: Template | None) -> list[Change]:
    """What changes from one version of a template to another."""
    if old is None or new is None:
        return list(_whole(old, new))
    found: list[Change] = list(elsewhere(old, new))
    roles_before, roles = _roles(old), _roles(new)
    keys_before, keys = _keys(old), _keys(new)
    found += _come_and_gone("Role", roles_before, roles, _ANOTHER_ROLE)
    found += _come_and_gone("Key", keys_before, keys, _ANOTHER_KEY)
    for name in (name for name in roles_before if name in roles):
        found += _role(roles_before[name], roles[name])
    for name in (name for name in keys_before if name in keys):
        found += _key(keys_before[name], keys[name])
    found += _aliases(keys_before.values(), keys.values())
    found += _findings(old, new)
    order = (REPLACED, ACCESS, OTHER)
    return sorted(found, key=lambda change: order.index(change.weight))


def elsewhere(old: Template, new: Template) -> Iterator[Change]:
    """What changes about where a template is deployed, as far as it is known."""
    for what, was, now in (
        ("account", old.account, new.account),
        ("Region", old.region, new.region),
    ):
        if was and now and was != now:
            said: Words = [f"The {what} was ", Quoted(was), ", is now ", Quoted(now)]
            yield Change(REPLACED, [*said, f": ANOTHER role and ANOTHER key.{_ANOTHER_KEY}"])


def _roles(template: Template) -> dict[str, RoleSeen]:
    return {part.role.logical_id: part.role for part in template.parts if part.role}


def _keys(template: Template) -> dict[str, KeySeen]:
    return {key.logical_id: key for part in template.parts for key in part.keys}


def _whole(old: Template | None, new: Template | None) -> Iterator[Change]:
    if new is not None:
        yield Change(OTHER, ["The template is new. All of it is on this page."])
        for name in [*_roles(new), *_keys(new)]:
            yield Change(OTHER, ["New: ", Quoted(name), "."])
    elif old is not None:
        yield Change(
            REPLACED, ["The template is gone. What AWS keeps of its stack, if that is deleted:"]
        )
        yield from _come_and_gone("Role", _roles(old), {}, _ANOTHER_ROLE)
        yield from _come_and_gone("Key", _keys(old), {}, _ANOTHER_KEY)


def _come_and_gone(
    what: str, old: Mapping[str, Any], new: Mapping[str, Any], lost: str
) -> Iterator[Change]:
    gone, come = (
        [name for name in old if name not in new],
        [name for name in new if name not in old],
    )
    for name in gone:
        said: Words = [f"{what} ", Quoted(name), " is GONE from the template. "]
        if old[name].retained:
            said.append("AWS keeps it, as it is retained, but nothing manages it any more.")
        else:
            said.append(f"AWS DELETES it with this deploy: it is not retained.{lost}")
        yield Change(REPLACED, said)
    for name in come:
        if gone:
            said = [f"{what} ", Quoted(name), " is new while another is gone: it is ANOTHER "]
            yield Change(REPLACED, [*said, f"{what.lower()}.{lost}"])
        else:
            yield Change(ACCESS, [f"{what} ", Quoted(name), " is new."])


def _role(old: RoleSeen, new: RoleSeen) -> Iterator[Change]:
    yield from _properties("Role", old, new, _ROLE_REPLACED_BY)
    own: Words = ["Role ", Quoted(new.logical_id)]
    was, now = external_ids(old.trust), external_ids(new.trust)
    if was and was != now:
        said: Words = [*own, ": the external ID was ", *quoted_list(was), ", is now "]
        yield Change(REPLACED, [*said, *(quoted_list(now) or ["none"]), f".{_ANOTHER_ID}"])
    was, now = old.pinecones, new.pinecones
    if was != now:
        said = [*own, ": Pinecone's AWS account was ", *quoted_list(was), ", is now "]
        yield Change(REPLACED, [*said, *quoted_list(now), f".{_ANOTHER_ACCOUNT}"])
    yield from _policy(
        ["Role ", Quoted(new.logical_id), ", trust policy: "], old.trust, new.trust, "trust"
    )
    yield from _policy(
        ["Role ", Quoted(new.logical_id), ", its permissions: "],
        _together(old.permissions),
        _together(new.permissions),
        "permissions",
    )


def _together(policies: Sequence[Policy]) -> Policy:
    """The policies of a role as one: they allow and forbid together."""
    cases: list[Choices] = [{}]
    for policy in policies:
        both = [{**one, **other} for one in cases for other in policy.cases if _fit(one, other)]
        cases = [one for at, one in enumerate(both) if one not in both[:at]] or cases
    return Policy(
        "",
        [said for policy in policies for said in policy.said],
        forms={name: form for policy in policies for name, form in policy.forms.items()},
        variables=all(policy.variables for policy in policies),
        cases=cases,
    )


def _fit(one: Choices, other: Choices) -> bool:
    return all(other.get(name, value) == value for name, value in one.items())


def _key(old: KeySeen, new: KeySeen) -> Iterator[Change]:
    yield from _properties("Key", old, new, _KEY_FIXED)
    yield from _policy(
        ["Key ", Quoted(new.logical_id), ", key policy: "], old.policy, new.policy, "key"
    )


def _properties(
    what: str, old: RoleSeen | KeySeen, new: RoleSeen | KeySeen, fixed: Sequence[str]
) -> Iterator[Change]:
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
        if name not in fixed:
            yield Change(OTHER if name in _HARMLESS else ACCESS, said)
        elif what == "Role":
            said.append(" CloudFormation REPLACES the role: it makes another one.")
            yield Change(REPLACED, [*said, _ANOTHER_ROLE])
        else:
            said.append(" KMS cannot change this on a key: the deploy fails, or makes ANOTHER KEY.")
            yield Change(REPLACED, [*said, _ANOTHER_KEY])


def _value(properties: Mapping[str, Any], name: str) -> Words:
    return [Quoted(properties[name])] if name in properties else ["not said"]


def _policy(own: Words, old: Policy, new: Policy, kind: Kind) -> Iterator[Change]:
    """What whom may newly do or no longer do, and the statements by which that comes about."""
    gone = [said for said in old.said if said not in new.said]
    come = [said for said in new.said if said not in old.said]
    if not gone and not come and old.variables == new.variables:
        return
    meant = list(differences(old, new, kind))
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


def _aliases(old: Iterable[KeySeen], new: Iterable[KeySeen]) -> Iterator[Change]:
    before = {one.logical_id: one for key in old for one in key.aliases}
    after = {one.logical_id: one for key in new for one in key.aliases}
    for name in dict.fromkeys([*before, *after]):
        yield from _alias(name, before.get(name), after.get(name))


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
