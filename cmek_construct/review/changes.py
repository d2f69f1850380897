"""What changes between two sets of templates: each difference once, with all that it is in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cmek_construct import policy
from cmek_construct.lock.identity import REPLACING
from cmek_construct.policy import words
from cmek_construct.policy.sentences import Quoted, Words, quoted_list
from cmek_construct.policy.statements import Kind
from cmek_construct.review.beside import Known
from cmek_construct.review.model import Policy, Said, Template, Thing
from cmek_construct.templates.choices import OTHER as ANY_OTHER
from cmek_construct.templates.choices import Choices, where
from cmek_construct.templates.stacks import KEY, ROLE

NOTHING: Final = "Nothing changes about Pinecone's roles, keys and aliases."
REPLACED: Final = "Pinecone would lose role, key or access"
ACCESS: Final = "Who may do what"
OTHER: Final = "Other"
_WEIGHTS: Final = (REPLACED, ACCESS, OTHER)
_HARMLESS: Final = ("Description", "Tags", "EnableKeyRotation", "RotationPeriodInDays")
"""Properties that let nobody do more or less."""
_MOST_CASES: Final = 64
_ANOTHER: Final = {
    "Role": " Pinecone goes on asking for the old role and cannot be told of another: it is locked "
    "out of the data. A policy that named the old role does not let the new one in by itself.",
    "Key": " Pinecone cannot be given another key for a project, and no other key reads what this one encrypted.",
    "Alias": "",
}
_REPLACES: Final = f" CloudFormation REPLACES the role: it makes another one.{_ANOTHER['Role']}"
_FIXED: Final = f" KMS cannot change this on a key: the deploy fails, or makes ANOTHER KEY.{_ANOTHER['Key']}"
_WHAT_FOLLOWS: Final = {
    **{("Role", one): (REPLACED, _REPLACES) for one in REPLACING[ROLE]},
    **{("Key", one): (REPLACED, _FIXED) for one in REPLACING[KEY]},
    ("Alias", "AliasName"): (OTHER, " The alias is replaced; the key stays the same."),
    ("Alias", "TargetKeyId"): (REPLACED, " Whoever uses the alias uses ANOTHER key."),
}
"""Of a property that changes, where it is more than another value."""
_ANOTHER_ID: Final = (
    " Pinecone goes on presenting the one that it stores and cannot be told of another: it is locked out."
)
_ANOTHER_ACCOUNT: Final = (
    " Compare it with Pinecone's console, Manage > CMEK > Add CMEK: whoever owns another account gets in in its place."
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


def _pairs(old: Sequence[Template], new: Sequence[Template]) -> list[tuple[Template | None, Template | None]]:
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
        own = [one for part in template.parts for one in part.external_ids]
        for value in filter(None, [template.account, *own]):
            text = text.replace(value, "<own>")
    return text


def _between(old: Template | None, new: Template | None) -> Iterator[Change]:
    """What changes from one version of a template to another."""
    if old is None:
        yield Change(OTHER, ["The template is new. All of it is on this page."])
    elif new is None:
        yield Change(REPLACED, ["The template is gone. What AWS keeps of its stack, if that is deleted:"])
    else:
        yield from _elsewhere(old, new)
    for kind in ("Role", "Key", "Alias"):
        before = old.things(kind) if old else {}
        after = new.things(kind) if new else {}
        yield from _come_and_gone(kind, before, after)
        for name in (name for name in before if name in after):
            yield from _thing(before[name], after[name])
    if old and new:
        yield from _findings(old, new)


def _elsewhere(old: Template, new: Template) -> Iterator[Change]:
    """What changes about where a template is deployed, as far as it is known."""
    for what, was, now in (("account", old.account, new.account), ("Region", old.region, new.region)):
        if was and now and was != now:
            said: Words = [f"The {what} was ", Quoted(was), ", is now ", Quoted(now)]
            yield Change(REPLACED, [*said, f": ANOTHER role and ANOTHER key.{_ANOTHER['Key']}"])


def _come_and_gone(kind: str, old: Mapping[str, Thing], new: Mapping[str, Thing]) -> Iterator[Change]:
    gone = [one for name, one in old.items() if name not in new]
    for one in gone:
        said: Words = [f"{kind} ", Quoted(one.logical_id), " is GONE from the template. "]
        if one.retained:
            said.append("AWS keeps it, as it is retained, but nothing manages it any more.")
        else:
            said.append(f"AWS DELETES it with this deploy: it is not retained.{_ANOTHER[kind]}")
        yield Change(OTHER if kind == "Alias" else REPLACED, said)
    for name in (name for name in new if name not in old):
        if gone and kind != "Alias":
            said = [f"{kind} ", Quoted(name), " is new while another is gone: it is ANOTHER "]
            yield Change(REPLACED, [*said, f"{kind.lower()}.{_ANOTHER[kind]}"])
        else:
            yield Change(OTHER if kind == "Alias" else ACCESS, [f"{kind} ", Quoted(name), " is new."])


def _thing(old: Thing, new: Thing) -> Iterator[Change]:
    own: Words = [f"{new.kind} ", Quoted(new.logical_id)]
    yield from _properties(own, old, new)
    if new.kind == "Role":
        yield from _identity(own, old, new)
    for (kind, what, before), (*_, after) in zip(_policies(old), _policies(new), strict=True):
        yield from _policy([*own, f", {what}: "], before, after, kind)


def _policies(one: Thing) -> list[tuple[Kind, str, Policy]]:
    """The policies that are compared: a role's permissions as one."""
    if one.kind == "Role":
        trust, *permissions = one.policies
        return [("trust", "trust policy", trust), ("permissions", "its permissions", _together(permissions))]
    return [("key", "key policy", policy) for policy in one.policies]


def _identity(own: Words, old: Thing, new: Thing) -> Iterator[Change]:
    """What Pinecone stores of a role, and whom the role takes for Pinecone."""
    was, now = old.external_ids, new.external_ids
    if was and was != now:
        said: Words = [*own, ": the external ID was ", *quoted_list(was), ", is now "]
        yield Change(REPLACED, [*said, *(quoted_list(now) or ["none"]), f".{_ANOTHER_ID}"])
    was, now = old.pinecones, new.pinecones
    if was != now:
        said = [*own, ": Pinecone's AWS account was ", *quoted_list(was), ", is now "]
        yield Change(REPLACED, [*said, *quoted_list(now), f".{_ANOTHER_ACCOUNT}"])


def _properties(own: Words, old: Thing, new: Thing) -> Iterator[Change]:
    light = OTHER if new.kind == "Alias" else REPLACED
    if old.retained and not new.retained:
        yield Change(light, [*own, " is no longer retained: it goes when the stack goes."])
    if new.retained and not old.retained:
        yield Change(OTHER, [*own, " is retained now."])
    before, after = old.properties, new.properties
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) == after.get(name):
            continue
        weight, follows = _WHAT_FOLLOWS.get((new.kind, name), (OTHER if name in _HARMLESS else ACCESS, ""))
        was, now = _value(before, name), _value(after, name)
        said: Words = [*own, ": ", Quoted(name), " was ", *was, ", is now ", *now, "."]
        yield Change(weight, [*said, follows])


def _value(properties: Mapping[str, Any], name: str) -> Words:
    return [Quoted(properties[name])] if name in properties else ["not said"]


def _policy(own: Words, old: Policy, new: Policy, kind: Kind) -> Iterator[Change]:
    """What whom may newly do or no longer do, and the statements by which that comes about."""
    gone = [said for said in old.said if said not in new.said]
    come = [said for said in new.said if said not in old.said]
    if not gone and not come and old.variables == new.variables:
        return
    meant = list(_meant(old, new, kind))
    if not meant:
        yield Change(OTHER, [*own, "it is written in another way, and means the same."])
        return
    for said in [*meant, *_statements(gone, come)]:
        yield Change(ACCESS, [*own, *said])


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


def _meant(old: Policy, new: Policy, kind: Kind) -> Iterator[Words]:
    """What a new version lets whom do that the old one did not, and the reverse.

    Nothing, where both mean the same, however they are written.
    """
    found: dict[str, tuple[Words, list[Choices]]] = {}
    known = [one.known for one in (*old.said, *new.said)]
    try:
        pairs = _both(old.cases or [{}], new.cases or [{}])
        every = [{**was, **now} for was, now in pairs]
        for both, (was, now) in zip(every, pairs, strict=True):
            said = _differ(_in_case(old, kind, was), _in_case(new, kind, now), known)
            for text in {"".join(one): one for one in said}.values():
                found.setdefault("".join(text), (text, []))[1].append(both)
    except policy.CannotBeJudged as reason:
        yield ["what it means CANNOT BE JUDGED: ", Quoted(str(reason)), "."]
        return
    for text, some in found.values():
        only = where(some, every)
        yield text if only is None else [*text, " Only if in the template: ", Quoted(only), "."]


def _both(old: Sequence[Choices], new: Sequence[Choices]) -> list[tuple[Choices, Choices]]:
    """The cases of one version with those of the other that can be at once."""
    found = [(was, now) for was in old for now in new if _agree(was, now, old, new)]
    if not 0 < len(found) <= _MOST_CASES:
        raise policy.CannotBeJudged("the cases of the template's conditions are others, or many")
    return found


def _agree(was: Choices, now: Choices, old: Sequence[Choices], new: Sequence[Choices]) -> bool:
    """Something else than the values of one version may be a value of the other."""

    def other(one: str, another: str, name: str, cases: Sequence[Choices]) -> bool:
        return one == ANY_OTHER and all(case.get(name) != another for case in cases)

    return all(
        was[name] == now[name] or other(was[name], now[name], name, old) or other(now[name], was[name], name, new)
        for name in was.keys() & now.keys()
    )


def _in_case(own: Policy, kind: Kind, case: Choices) -> policy.Policy:
    """A policy in one case of the conditions of its template."""
    there = [one for one in own.said if any(some.items() <= case.items() for some in one.cases)]
    document: dict[str, Any] = {"Statement": [one.called for one in there]}
    if own.variables:
        document["Version"] = "2012-10-17"
    return policy.read(document, kind, resource=own.resource, texts=policy.canonical, forms=own.forms)


def _differ(old: policy.Policy, new: policy.Policy, known: Sequence[Known]) -> Iterator[Words]:
    for unreadable in sorted(_unreadable(old) ^ _unreadable(new)):
        yield ["what it means CANNOT BE JUDGED: ", Quoted(unreadable), "."]
        return
    account = known[-1].account if known else None
    people = {arn: name for one in known for arn, name in one.people.items()}
    for title, found in (("NOW POSSIBLE", policy.beyond(new, old)), ("NO LONGER POSSIBLE", policy.short(new, old))):
        for text in words.of_witnesses(found, account, people):
            yield [f"{title} by ", *text]
    denials = [sorted(repr(one.raw) for one in each.statements if one.effect == "Deny") for each in (old, new)]
    # It counts in a role's permissions even where they allow nothing.
    if new.kind == "permissions" and denials[0] != denials[1]:
        yield ["what is FORBIDDEN to the role, whatever another policy allows, changes."]


def _unreadable(own: policy.Policy) -> set[str]:
    return {f"{what}: {one.raw}"[:300] if one.raw else what for one in own.statements for what in one.unreadable}


def _together(policies: Sequence[Policy]) -> Policy:
    """The policies of a role as one: they allow and forbid together."""
    cases: list[Choices] = [{}]
    for one in policies:
        both = [{**case, **more} for case in cases for more in one.cases if _fit(case, more)]
        cases = [case for at, case in enumerate(both) if case not in both[:at]] or cases
    return Policy(
        "",
        [said for one in policies for said in one.said],
        forms={name: form for one in policies for name, form in one.forms.items()},
        variables=all(one.variables for one in policies),
        cases=cases,
    )


def _fit(one: Choices, other: Choices) -> bool:
    return all(other.get(name, value) == value for name, value in one.items())


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
