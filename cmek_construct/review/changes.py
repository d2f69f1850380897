"""What changes between two sets of templates: each difference once, with all that it is in."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, product
from typing import Any, Final, NamedTuple

from cmek_construct import policy
from cmek_construct.lock.identity import EXTERNAL_ID, PINECONE, REPLACING
from cmek_construct.lock.text import CONDITION, OF_ACCOUNT, Locked
from cmek_construct.policy.words import Quoted, Words, listed, of_witness, plain, quoted_list
from cmek_construct.review.parts import SENTENCES, Sentence, Template, Thing, say
from cmek_construct.review.statements import Policy, Said
from cmek_construct.rows import rows
from cmek_construct.templates.choices import OTHER, Choices, where
from cmek_construct.templates.reading import each_of
from cmek_construct.templates.stacks import KEY, REPLICA, ROLE

REPLACED: Final = "Pinecone would lose role, key or access"  # the heaviest title of changes
_MOST_CASES: Final = 64
_KINDS: Final = ("Role", "Key", "Alias")
_PROPERTIES: Final = {
    **dict.fromkeys(product(_KINDS, ("Description", "Tags", "EnableKeyRotation", "RotationPeriodInDays")), "harmless"),
    **dict.fromkeys(product(("Role",), ("Type", *REPLACING[ROLE])), "Role replaced"),
    **dict.fromkeys(product(("Key",), ("Type", *REPLACING[KEY], *REPLACING[REPLICA])), "Key replaced"),
    **dict.fromkeys(product(("Role", "Key"), (EXTERNAL_ID,)), "external ID"),
    ("Role", PINECONE): "account",
    ("Alias", "AliasName"): "Alias replaced",
    ("Alias", "TargetKeyId"): "Alias of another key",
}
"""What is said of a property that changes, where that lets nobody do more or less, or is more than another value."""
_OF_LOCK: Final = {CONDITION, *chain(*REPLACING.values())}  # the properties that are compared as the lock does


class Difference(NamedTuple):
    """The same changes, and the templates that they are in."""

    changes: Mapping[str, list[Words]]
    """By their titles, the heaviest first: under `REPLACED` what would take a role or key from Pinecone."""
    names: list[str]


def differences(old: Sequence[Template], new: Sequence[Template]) -> list[Difference]:
    """What changes, grouped; those that replace role or key first."""
    found: dict[str, Difference] = {}
    titles = list(rows(SENTENCES))
    # Templates of one name; or the only ones, whatever they are called, with those that stand in them.
    is_one = all(len({one.stack.top for one in some}) == 1 for some in (old, new))
    was, now = ({one.stack.within if is_one else one.name: one for one in some} for some in (old, new))
    pairs = [(was.get(name), now.get(name)) for name in {**now, **was}]
    for before, after in (pair for pair in pairs if any(one and (one.parts or one.findings) for one in pair)):
        changes: dict[str, list[Words]] = {}
        for title, said in sorted(_between(before, after), key=lambda one: titles.index(one[0])):
            changes.setdefault(title, []).append(said)
        text = json.dumps(changes)
        both = [one for one in (before, after) if one]
        for template in both:  # each account has some of its own
            for value in filter(None, [template.account, *(it for part in template.parts for it in part.external_ids)]):
                text = text.replace(value, "<own>")
        if changes:
            found.setdefault(text, Difference(changes, [])).names.append(both[-1].name)
    return sorted(found.values(), key=lambda difference: REPLACED not in difference.changes)


def _between(old: Template | None, new: Template | None) -> Iterator[Sentence]:
    """What changes from one version of a template to another."""
    if old is None:
        yield say("template new")
    elif new is None:
        yield say("template gone")
    else:
        for what, was, now in (("account", old.account, new.account), ("Region", old.region, new.region)):
            if was and now and was != now and old.parts:
                yield say("moved", what=[what], was=was, now=now)
    for kind in _KINDS:
        before, after = (one.things(kind) if one else {} for one in (old, new))
        gone = [one for name, one in before.items() if name not in after]
        for one in gone:
            yield say(f"{kind} kept" if one.retained else f"{kind} deleted", name=one.logical_id)
        for name in (name for name in after if name not in before):
            yield say(f"{kind} another" if gone and kind != "Alias" else f"{kind} new", name=name)
        for name in (name for name in before if name in after):
            yield from _thing(before[name], after[name])
    if old and new:
        yield from _for_good(old.for_good, new.for_good)
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
                yield say("guardrail", rule=rule[0], place=rule[1], was=[kept], now=[is_kept])


def _for_good(old: Mapping[str, Locked], new: Mapping[str, Locked]) -> Iterator[Sentence]:
    """What changes of what makes a role or a key the one that Pinecone has, as the lock takes it."""
    for name, before in {**new, **old}.items():
        is_in_both = name in old and name in new
        if before.type == OF_ACCOUNT and not is_in_both:
            yield say("target gone" if name in old else "target new", name=name)
        kind = before.word.capitalize()
        after = new.get(name, before) if is_in_both else before
        refused = [value for value, *_ in before.differences(after)]
        # One case more, or no condition any more, is no other role or key to the lock, and a change all the same.
        for value in dict.fromkeys([*refused, *(it for it, *_ in after.differences(before))]):
            both = ({"Type": one.type, **one.values}.get(value) for one in (before, after))
            nothing = "none" if value in (EXTERNAL_ID, PINECONE) else "not said"
            was, now = (quoted_list(each_of(one)) or [nothing] for one in both)
            own: dict[str, Sequence[str]] = {"kind": [kind], "name": name}
            if value in refused:
                yield say(_PROPERTIES.get((kind, value), "may be another"), **own, property=value, was=was, now=now)
            else:
                yield say("property", **own, property=value, was=was, now=now)


def _thing(old: Thing, new: Thing) -> Iterator[Sentence]:
    """What changes of a role, a key or an alias: settings, and whom it lets do what."""
    own: dict[str, Sequence[str]] = {"kind": [new.kind], "name": new.logical_id}
    if old.retained != new.retained:
        yield say("retained" if new.retained else f"{new.kind} no longer retained", **own)
    for name in (name for name in {**old.properties, **new.properties} if name not in _OF_LOCK):
        if old.properties.get(name) != new.properties.get(name):
            was, now = (Quoted(one[name]) if name in one else ["not said"] for one in (old.properties, new.properties))
            yield say(_PROPERTIES.get((new.kind, name), "property"), **own, property=name, was=was, now=now)
    for policy_before, policy_after in zip(_policies(old), _policies(new), strict=True):
        kind = policy_after.kind
        whose = "its permissions" if kind == "permissions" else f"{kind} policy"
        for title, said in _policy(policy_before, policy_after):
            yield title, [f"{new.kind} ", Quoted(new.logical_id), f", {whose}: ", *said]


def _policies(one: Thing) -> list[Policy]:
    """The policies that are compared: a role's permissions as one, for they allow and forbid together."""
    permissions = one.policies[1:]
    cases: list[Choices] = [{}]
    for each in permissions:
        both = [{**case, **more} for case, more in product(cases, each.cases) if {**more, **case} == {**case, **more}]
        cases = [case for at, case in enumerate(both) if case not in both[:at]] or cases
    said = [said for each in permissions for said in each.said]
    forms = {name: form for each in permissions for name, form in each.forms.items()}
    variables = all(each.variables for each in permissions)
    together = Policy("", "permissions", said, forms=forms, variables=variables, cases=cases)
    return [one.policies[0], together] if one.kind == "Role" else list(one.policies)


def _policy(old: Policy, new: Policy) -> Iterator[Sentence]:
    """What whom may newly do or no longer do, and the statements by which that comes about."""
    gone = [said for said in old.said if said not in new.said]
    come = [said for said in new.said if said not in old.said]
    if not gone and not come and old.variables == new.variables:
        return
    meant = list(_meant(old, new))
    yield from meant or [say("same meaning")]
    if not meant:
        return
    for said in come:
        before = [one for one in gone if said.sid and one.sid == said.sid]
        if len(before) == 1:  # under the same label
            gone.remove(before[0])
            yield say("statement changes", was=before[0].words, now=said.words)
        else:
            yield say("statement new", said=said.words)
    yield from (say("statement gone", said=said.words) for said in gone)


def _meant(old: Policy, new: Policy) -> Iterator[Sentence]:
    """What a new version newly lets whom do, and no longer lets: nothing, where both mean the same, however written."""

    def agree(was: Choices, now: Choices) -> bool:
        """Whether both can be at once. Something else than the values of one version may be a value of the other."""
        return all(
            was[name] == now[name]
            or (was[name] == OTHER and all(case.get(name) != now[name] for case in old.cases))
            or (now[name] == OTHER and all(case.get(name) != was[name] for case in new.cases))
            for name in was.keys() & now.keys()
        )

    found: dict[str, tuple[Sentence, list[Choices]]] = {}
    try:
        pairs = [(was, now) for was in old.cases or [{}] for now in new.cases or [{}] if agree(was, now)]
        if not 0 < len(pairs) <= _MOST_CASES:
            raise policy.CannotBeJudged("the cases of the template's conditions are others, or many")
        every = [{**was, **now} for was, now in pairs]
        for both, (was, now) in zip(every, pairs, strict=True):
            said = _differ(_in_case(old, was), _in_case(new, now), [*old.said, *new.said])
            for text, sentence in {plain(sentence[1]): sentence for sentence in said}.items():
                found.setdefault(text, (sentence, []))[1].append(both)
    except policy.CannotBeJudged as reason:
        yield say("cannot be judged", why=str(reason))
        return
    for (title, words), some in found.values():
        only = where(some, every)
        yield title, words if only is None else [*words, " Only if in the template: ", Quoted(only), "."]


def _in_case(own: Policy, case: Choices) -> policy.Policy:
    """A policy in one case of the conditions of its template."""
    there = [one.called for one in own.said if any(some.items() <= case.items() for some in one.cases)]
    document: dict[str, Any] = {"Statement": there, **({"Version": "2012-10-17"} if own.variables else {})}
    return policy.read(document, own.kind, resource=own.resource, forms=own.forms)


def _differ(old: policy.Policy, new: policy.Policy, said: Sequence[Said]) -> Iterator[Sentence]:
    was_unread, is_unread = (
        {f"{what}: {one.raw}"[:300] if one.raw else what for one in each.statements for what in one.unreadable}
        for each in (old, new)
    )
    if was_unread != is_unread:
        yield say("cannot be judged", why=min(was_unread ^ is_unread))
        return
    account = said[-1].account if said else None
    people = {arn: name for one in said for arn, name in one.people.items()}
    denials = [{repr(one.raw): one for one in each.statements if one.effect == "Deny"} for each in (old, new)]
    changed = [one for each in denials for text, one in each.items() if not all(text in it for it in denials)]
    asked = {each.key.lower() for one in changed for each in one.conditions}
    for row, found in (("possible", policy.beyond(new, old)), ("impossible", policy.beyond(old, new))):
        for one in found:
            context = ((key, value) for key, value in one.request.context.items() if key in asked)
            sent = [[Quoted(key), " is ", "not sent" if value is None else Quoted(value)] for key, value in context]
            where_so = [" That is so for example where ", *listed(sent), "."] if sent else []
            yield say(row, statement=one.statement.name, said=[*of_witness(one, account, people), *where_so])
    # It counts in a role's permissions even where they allow nothing.
    if new.kind == "permissions" and changed:
        yield say("forbidden")
