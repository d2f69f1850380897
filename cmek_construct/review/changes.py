"""What changes between two sets of templates: each difference once, with all that it is in."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Final, TypeAlias

from cmek_construct import policy
from cmek_construct.lock.identity import REPLACING
from cmek_construct.policy import words
from cmek_construct.policy.words import Quoted, Words, quoted_list
from cmek_construct.review.parts import Template, Thing
from cmek_construct.review.statements import Policy, Said
from cmek_construct.templates.choices import OTHER as ANY_OTHER
from cmek_construct.templates.choices import Choices, where
from cmek_construct.templates.stacks import KEY, ROLE

REPLACED: Final = "Pinecone would lose role, key or access"
ACCESS: Final = "Who may do what"
OTHER: Final = "Other"
_WEIGHTS: Final = (REPLACED, ACCESS, OTHER)
"""The titles of changes, the heaviest first: role or key would be another one, or go; others may do something."""
Change: TypeAlias = tuple[str, Words]
"""Its title, and what it is."""
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
class Difference:
    """The same changes, and the templates that they are in."""

    changes: Mapping[str, list[Words]]
    """By their titles, the heaviest first: under `REPLACED` what would take a role or key from Pinecone."""
    names: list[str]


def differences(old: Sequence[Template], new: Sequence[Template]) -> list[Difference]:
    """What changes, grouped; those that replace role or key first."""
    found: dict[str, Difference] = {}
    # Templates of one name; or the only ones, whatever they are called.
    ours = {one.name for one in (*old, *new) if one.parts}
    was, now = ({one.name: one for one in some if one.name in ours} for some in (old, new))
    pairs = [(was.get(name), now.get(name)) for name in {**now, **was}]
    for before, after in [(old[0], new[0])] if len(old) == len(new) == 1 else pairs:
        changes: dict[str, list[Words]] = {}
        for title, said in sorted(_between(before, after), key=lambda change: _WEIGHTS.index(change[0])):
            changes.setdefault(title, []).append(said)
        text = json.dumps(changes)
        both = [one for one in (before, after) if one]
        for template in both:  # each account has some of its own
            for value in filter(None, [template.account, *(it for part in template.parts for it in part.external_ids)]):
                text = text.replace(value, "<own>")
        if changes:
            found.setdefault(text, Difference(changes, [])).names.append(both[-1].name)
    return sorted(found.values(), key=lambda difference: REPLACED not in difference.changes)


def _between(old: Template | None, new: Template | None) -> Iterator[Change]:
    """What changes from one version of a template to another."""
    if old is None:
        yield OTHER, ["The template is new. All of it is on this page."]
    elif new is None:
        yield REPLACED, ["The template is gone. What AWS keeps of its stack, if that is deleted:"]
    else:
        for what, was, now in (("account", old.account, new.account), ("Region", old.region, new.region)):
            if was and now and was != now:
                another = f": ANOTHER role and ANOTHER key.{_ANOTHER['Key']}"
                yield REPLACED, _was([f"The {what}"], [Quoted(was)], [Quoted(now)], another)
    for kind in ("Role", "Key", "Alias"):
        before, after = (one.things(kind) if one else {} for one in (old, new))
        gone = [one for name, one in before.items() if name not in after]
        heavy, light = (OTHER, OTHER) if kind == "Alias" else (REPLACED, ACCESS)
        for one in gone:
            what = "AWS keeps it, as it is retained, but nothing manages it any more."
            if not one.retained:
                what = f"AWS DELETES it with this deploy: it is not retained.{_ANOTHER[kind]}"
            yield heavy, [f"{kind} ", Quoted(one.logical_id), f" is GONE from the template. {what}"]
        for name in (name for name in after if name not in before):
            is_another = gone and kind != "Alias"
            another = f" is new while another is gone: it is ANOTHER {kind.lower()}.{_ANOTHER[kind]}"
            yield heavy if is_another else light, [f"{kind} ", Quoted(name), another if is_another else " is new."]
        for name in (name for name in before if name in after):
            yield from _thing(before[name], after[name])
    if old and new:
        was_found, is_found = (
            {
                (one.rule, one.place.seen_from(each.stack), one.what): "acknowledged" if one.meant else "NOT KEPT"
                for one in each.all_findings
            }
            for each in (old, new)
        )
        for rule in {**was_found, **is_found}:
            kept, is_kept = (each.get(rule, "kept") for each in (was_found, is_found))
            if kept != is_kept:
                own = ["Guardrail ", Quoted(rule[0]), " at ", Quoted(rule[1]), ":"]
                yield ACCESS, _was(own, [kept], [is_kept], ".")


def _was(own: Words, was: Words, now: Words, follows: str) -> Words:
    return [*own, " was ", *(was or ["none"]), ", is now ", *(now or ["none"]), follows]


def _thing(old: Thing, new: Thing) -> Iterator[Change]:
    """What changes of a role, a key or an alias: settings, what Pinecone stores, whom it lets do what."""
    own: Words = [f"{new.kind} ", Quoted(new.logical_id)]
    if old.retained != new.retained:
        kept = " is retained now." if new.retained else " is no longer retained: it goes when the stack goes."
        yield OTHER if new.retained or new.kind == "Alias" else REPLACED, [*own, kept]
    for name in {**old.properties, **new.properties}:
        if old.properties.get(name) != new.properties.get(name):
            was, now = (Quoted(each[name]) if name in each else "not said" for each in (old.properties, new.properties))
            weight, follows = _WHAT_FOLLOWS.get((new.kind, name), (OTHER if name in _HARMLESS else ACCESS, ""))
            yield weight, _was([*own, ": ", Quoted(name)], [was], [now], f".{follows}")
    if old.external_ids and old.external_ids != new.external_ids:
        both = quoted_list(old.external_ids), quoted_list(new.external_ids)
        yield REPLACED, _was([*own, ": the external ID"], *both, f".{_ANOTHER_ID}")
    if old.pinecones != new.pinecones:
        both = quoted_list(old.pinecones), quoted_list(new.pinecones)
        yield REPLACED, _was([*own, ": Pinecone's AWS account"], *both, f".{_ANOTHER_ACCOUNT}")
    for before, after in zip(_policies(old), _policies(new), strict=True):
        yield from ((weight, [*own, f", {before.title}: ", *said]) for weight, said in _policy(before, after))


def _policies(one: Thing) -> list[Policy]:
    """The policies that are compared: a role's permissions as one, for they allow and forbid together."""
    named = [replace(each, title=f"{each.kind} policy") for each in one.policies if each.kind != "permissions"]
    permissions = one.policies[1:]
    cases: list[Choices] = [{}]
    for each in permissions:
        both = [{**case, **more} for case, more in product(cases, each.cases) if {**more, **case} == {**case, **more}]
        cases = [case for at, case in enumerate(both) if case not in both[:at]] or cases
    said = [said for each in permissions for said in each.said]
    forms = {name: form for each in permissions for name, form in each.forms.items()}
    variables = all(each.variables for each in permissions)
    together = Policy("its permissions", "permissions", said, forms=forms, variables=variables, cases=cases)
    return [*named, together] if one.kind == "Role" else named


def _policy(old: Policy, new: Policy) -> Iterator[Change]:
    """What whom may newly do or no longer do, and the statements by which that comes about."""
    gone = [said for said in old.said if said not in new.said]
    come = [said for said in new.said if said not in old.said]
    if not gone and not come and old.variables == new.variables:
        return
    meant = list(_meant(old, new))
    if not meant:
        yield OTHER, ["it is written in another way, and means the same."]
        return
    yield from ((ACCESS, words) for words in meant)
    for said in come:
        before = [one for one in gone if said.sid and one.sid == said.sid]
        if len(before) == 1:  # under the same label
            gone.remove(before[0])
            yield ACCESS, ["a statement CHANGES. It was: ", *before[0].words, " It is now: ", *said.words]
        else:
            yield ACCESS, ["a statement is NEW. ", *said.words]
    yield from ((ACCESS, ["a statement is GONE. ", *said.words]) for said in gone)


def _meant(old: Policy, new: Policy) -> Iterator[Words]:
    """What a new version lets whom do that the old one did not, and the reverse.

    Nothing, where both mean the same, however they are written.
    """

    def agree(was: Choices, now: Choices) -> bool:
        """Whether both can be at once. Something else than the values of one version may be a value of the other."""
        return all(
            was[name] == now[name]
            or (was[name] == ANY_OTHER and all(case.get(name) != now[name] for case in old.cases))
            or (now[name] == ANY_OTHER and all(case.get(name) != was[name] for case in new.cases))
            for name in was.keys() & now.keys()
        )

    found: dict[str, tuple[Words, list[Choices]]] = {}
    try:
        pairs = [(was, now) for was in old.cases or [{}] for now in new.cases or [{}] if agree(was, now)]
        if not 0 < len(pairs) <= _MOST_CASES:
            raise policy.CannotBeJudged("the cases of the template's conditions are others, or many")
        every = [{**was, **now} for was, now in pairs]
        for both, (was, now) in zip(every, pairs, strict=True):
            said = _differ(_in_case(old, was), _in_case(new, now), [*old.said, *new.said])
            for text in {"".join(one): one for one in said}.values():
                found.setdefault("".join(text), (text, []))[1].append(both)
    except policy.CannotBeJudged as reason:
        yield ["what it means CANNOT BE JUDGED: ", Quoted(str(reason)), "."]
        return
    for text, some in found.values():
        only = where(some, every)
        yield text if only is None else [*text, " Only if in the template: ", Quoted(only), "."]


def _in_case(own: Policy, case: Choices) -> policy.Policy:
    """A policy in one case of the conditions of its template."""
    there = [one.called for one in own.said if any(some.items() <= case.items() for some in one.cases)]
    document: dict[str, Any] = {"Statement": there, **({"Version": "2012-10-17"} if own.variables else {})}
    return policy.read(document, own.kind, resource=own.resource, texts=policy.canonical, forms=own.forms)


def _differ(old: policy.Policy, new: policy.Policy, said: Sequence[Said]) -> Iterator[Words]:
    was_unread, is_unread = (
        {f"{what}: {one.raw}"[:300] if one.raw else what for one in each.statements for what in one.unreadable}
        for each in (old, new)
    )
    if was_unread != is_unread:
        yield ["what it means CANNOT BE JUDGED: ", Quoted(min(was_unread ^ is_unread)), "."]
        return
    account = said[-1].account if said else None
    people = {arn: name for one in said for arn, name in one.people.items()}
    for title, found in (("NOW POSSIBLE", policy.beyond(new, old)), ("NO LONGER POSSIBLE", policy.short(new, old))):
        for one in found:
            yield [f"{title} by ", Quoted(one.statement.name), ": ", *words.of_witness(one, account, people)]
    denials = [sorted(repr(one.raw) for one in each.statements if one.effect == "Deny") for each in (old, new)]
    # It counts in a role's permissions even where they allow nothing.
    if new.kind == "permissions" and denials[0] != denials[1]:
        yield ["what is FORBIDDEN to the role, whatever another policy allows, changes."]
