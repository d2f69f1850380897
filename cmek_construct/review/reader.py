"""From what is Pinecone's in a run to what is shown of each template, and what only a person can tell of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any, Final, TypeAlias, TypeVar

from cmek_construct import policy
from cmek_construct.checks import printable
from cmek_construct.guardrails.rule import Violation
from cmek_construct.policy import aws
from cmek_construct.policy.statements import Kind
from cmek_construct.policy.text import holes, is_known
from cmek_construct.policy.words import Quoted, Words, quoted_list
from cmek_construct.review.parts import Part, Policy, Template, Thing, by
from cmek_construct.review.statements import Said
from cmek_construct.templates.choices import Choices, InCase, where
from cmek_construct.templates.evidence import allowing, organizations, pinecones_accounts
from cmek_construct.templates.found import Attached, Found, Now, Place, Resource, Unread
from cmek_construct.templates.stacks import KEYS, ROLE, Stack
from cmek_construct.templates.values import NOTHING
from cmek_construct.who.answers import Asker, Who

_KEPT: Final = ("Retain", "RetainExceptOnCreate")
_POLICIES: Final = ("AssumeRolePolicyDocument", "Policies", "KeyPolicy")
_Own: TypeAlias = Sequence[tuple[Choices, policy.Policy]]
Arns: TypeAlias = frozenset[str]
T = TypeVar("T", InCase[Now], Attached)


def templates_of(found: Found, violations: Sequence[Violation], vendor_role_arns: Iterable[str]) -> list[Template]:
    """What is shown of each template of a run, first of those that have something of Pinecone's.

    Args:
        found: what is Pinecone's in it.
        violations: what the guardrails found.
        vendor_role_arns: roles of other accounts that a key policy may name.
    """
    reader = _Reader(found, violations, frozenset(vendor_role_arns))
    titles = Counter(top.template.title for top in found.run.tops)
    checks = to_check(found)
    asker = cache(lambda: Asker(found))  # of a run of which nothing is shown nobody is asked
    ask: Callable[[Stack], Who] = cache(lambda stack: asker().about(stack))
    made: dict[Stack, Template] = {}
    for stack in found.run.stacks:
        # What its app calls a stack, if no other is called so; within it by the logical IDs.
        title = stack.top.template.title
        name = printable(title) if title and titles[title] == 1 else stack.top.name
        account, region = (one if is_known(one) else "" for one in (stack.account, stack.region))
        within = " > ".join([name, *map(printable, stack.within)])
        made[stack] = Template(within, stack, account, region, checks.get(stack, []), partial(ask, stack))
        made[stack].parts.extend(reader.parts(made[stack]))
    for one in violations:
        made[one.place.stack].findings.extend(reader.findings([one.place]))
    return sorted(made.values(), key=lambda template: not template.parts)


def to_check(found: Found) -> dict[Stack, list[Words]]:
    """What only a person can tell, each once, by the stack in which it stands."""
    by_stack: dict[Stack, dict[tuple[str, ...], None]] = {}
    for place, words in _for_a_person(found):
        by_stack.setdefault(place.stack, {})[(Quoted(place.logical_id), *words)] = None
    return {stack: list(map(list, each)) for stack, each in by_stack.items()}


def _for_a_person(found: Found) -> Iterator[tuple[Place, Words]]:
    for role in found.roles:
        for trust in (now.value.policy for now in role.cases):
            if pinecones_accounts(trust) and not any(one.compared(aws.EXTERNAL_ID) for one in allowing(trust)):
                for_good = " lets Pinecone in without an external ID, and Pinecone takes none later. "
                yield role.place, [f"{for_good}Ask who owns the project whether that is meant."]
    for unknown in found.unknown:
        named: Words = [" names ", Quoted(unknown.place.stack.short(unknown.text)), " in ", Quoted(unknown.member)]
        yield unknown.place, [*named, ". Ask who wrote the template whether that is the role."]
    for naming in found.naming:
        named = [f" (a {naming.place.type}) names the role ", Quoted(naming.role.seen_from(naming.place.stack)), " in "]
        yield naming.place, [*named, Quoted(naming.member), ". Ask who wrote the template why."]
    for one in found.attached:
        if one.is_boundary and one.policy is None:
            bound: Words = [" has the permissions boundary ", Quoted(one.place.stack.short(one.name))]
            ask = "Ask who administers IAM in the account whether it leaves the role its key."
            yield one.place, [*bound, f", which no template shows. {ask}"]
    for key in found.keys:
        for ids in filter(None, (organizations(*now.value.policy.statements) for now in key.cases)):
            denied: Words = [" denies whoever is not of the organization ", *quoted_list(ids)]
            yield key.place, [*denied, ". Ask who administers the organization whether that is the account's."]
    for output in found.outputs:
        if output.of is None and output.label in ("Role ARN", "Key ARN"):
            values = dict.fromkeys(output.place.stack.short(now.value) for now in output.cases)
            given: Words = [f" gives Pinecone's console for {output.label} ", *quoted_list(values)]
            ask = ", which is none of these templates. Ask who wrote the template whose it is."
            yield output.place, [*given, ask]


class _Reader:
    """Knows what goes with what in a run."""

    def __init__(self, found: Found, violations: Sequence[Violation], vendors: Arns) -> None:
        self._found = found
        self._vendors = vendors
        self._violations = by(violations, lambda one: one.place)
        self._roles = by(found.roles, lambda one: one.place.stack)
        self._keys = by(found.keys, lambda one: one.place.stack)
        self._unread = by(reversed(found.unread), lambda one: one.place.stack)
        self._arns = {one.place: {now.value.arn for now in one.cases} for one in found.roles}
        self._attached = by(found.attached, lambda one: one.role)
        self._outputs = by((one for one in found.outputs if one.label), lambda one: one.of)
        self._aliases = by(found.aliases, lambda one: one.key)
        self._in_cases = by(found.aliases, lambda one: one.place)

    def parts(self, template: Template) -> Iterator[Part]:
        """Each role of a stack with the keys that name it, then the keys that name none, and what cannot be judged."""
        roles, keys = (some.get(template.stack, []) for some in (self._roles, self._keys))
        groups: dict[Place, list[Resource | Unread]] = {role.place: [role] for role in roles}
        for key in keys:
            of = (role.place for role in roles if any(role.place in now.value.roles for now in key.cases))
            groups.setdefault(next(of, key.place), []).append(key)
        read = {one.place for one in (*roles, *keys)}
        for one in self._unread.get(template.stack, ()):
            if one.place.is_role_or_key and one.place not in read:
                groups[one.place] = [one.key or one]
        texts = _Texts(self._found, template.stack)
        return (self._part(template, texts, some) for some in groups.values())

    def findings(self, places: Iterable[Place]) -> list[Violation]:
        """What was found at some places, each time once on the whole page."""
        return [one for place in places for one in self._violations.pop(place, ())]

    def _part(self, template: Template, texts: _Texts, some: Sequence[Resource | Unread]) -> Part:
        read = [one.place for one in some if isinstance(one, Resource)]
        outputs = [(one.label, place.logical_id) for place in read for one in self._outputs.get(place, ())]
        around = [one.place for place in read for one in self._aliases.get(place, ())]
        around += [one.place for place in read for one in self._attached.get(place, ())]
        things = []
        for one in some:
            things.append(self._thing(one, texts))
            things += self._aliases_of(one.place) if one.place in read else ()
        return Part(template, things, self.findings([*(one.place for one in some), *around]), outputs)

    def _thing(self, one: Resource | Unread, texts: _Texts) -> Thing:
        """A role or a key, in the cases in which what a deployer may type stays ``${Name}``."""
        place = one.place
        kind = "Role" if place.type == ROLE else "Key"
        of: Kind = "trust" if kind == "Role" else "key"
        title = f"{of.capitalize()} policy"
        if isinstance(one, Unread):
            policy = Policy(f"{title} ({one.why})", [], place.logical_id)
            return Thing(kind, place.logical_id, _is_kept(place), {}, [policy])
        cases = _typed(one.cases)
        roles = {place} if of == "trust" else {role for now in cases for role in now.value.roles}
        arns = frozenset(place.stack.short(arn) for role in roles for arn in self._arns[role])
        meant = arns | self._vendors if of == "key" else arns
        told = [(now.case.told(place.stack.short), now.value) for now in cases]
        policy = texts.policy(title, of, place, [(case, now.policy) for case, now in told], meant)
        properties = texts.properties(place, [(case, now.properties) for case, now in told])
        thing = Thing(kind, place.logical_id, _is_kept(place), properties, [policy], arns)
        if of == "trust":
            thing.policies.extend(self._permissions(place, texts, policy.cases))
            accounts = dict.fromkeys(account for now in cases for account in pinecones_accounts(now.value.policy))
            thing.pinecones.extend(map(place.stack.short, accounts))
            thing.external_ids.extend(dict.fromkeys(said.external_id for said in policy.allows if said.external_id))
        return thing

    def _permissions(self, role: Place, texts: _Texts, cases: Sequence[Choices]) -> Iterator[Policy]:
        """Every policy of a role but its boundary: its own, and those that are attached to it."""
        attached = (one for one in self._attached.get(role, ()) if not one.is_boundary)
        for (place, name), some in by(attached, lambda one: (one.place, one.name)).items():
            own = [(one.case.told(role.stack.short), one.policy) for one in _typed(some) if one.policy is not None]
            title = f"Permissions: {texts.text(name)}{'' if own else ' (its text is not in the template)'}"
            yield texts.policy(title, "permissions", place, own, frozenset(), cases if place == role else ())

    def _aliases_of(self, key: Place) -> Iterator[Thing]:
        for place in dict.fromkeys(one.place for one in self._aliases.get(key, ())):
            names = dict.fromkeys(key.stack.short(one.name) for one in self._in_cases[place])
            given = {"AliasName": " or ".join(names), "TargetKeyId": key.logical_id}
            yield Thing("Alias", place.seen_from(key.stack), _is_kept(place), given)


def _is_kept(place: Place) -> bool:
    """When its stack is deleted, or it goes from the template."""
    return place.raw.get("DeletionPolicy") in _KEPT


def _typed(cases: Sequence[T]) -> Sequence[T]:
    """The cases in which what a deployer may type stays ``${Name}``, whatever its default."""
    return [one for one in cases if not one.case.is_by_default] or cases


class _Texts:
    """What a stack says, in the words of the page: what is of the stack has no stack's name."""

    def __init__(self, found: Found, stack: Stack) -> None:
        self._found = found
        self._stack = stack
        self.text = cache(self._text)
        self._people: dict[str, str] = {}
        self._called: dict[str, str] = {}
        self._forms: dict[str, str] = {}

    def _text(self, text: str) -> str:
        """A text; who is named in it is remembered."""
        short = self._stack.short(text)
        forms = self._found.run.forms
        place = self._found.arns.get(text)
        if place and place.type not in KEYS:
            name = place.seen_from(self._stack)
            self._called[short] = f"{short.partition('/')[0]}/${{{name}}}"
            self._people |= {short: name, self._called[short]: name}
            self._forms[name] = forms.get(place.stack.named(place.logical_id), "*")
        for name in holes(text) if "${" in text else ():
            if name in forms:
                self._forms[self._stack.short(name)] = forms[name]
        return short

    def policy(
        self, title: str, kind: Kind, place: Place, own: _Own, roles: Arns, every: Sequence[Choices] = ()
    ) -> Policy:
        """A policy, as it is in each case that has it, with each statement once; of cases by default it has all."""
        cases = [case for case, _ in own]
        rows: dict[tuple[str, int], tuple[int, Any, list[int]]] = {}
        for number, (_, document) in enumerate(own):
            counted: Counter[str] = Counter()
            for at, one in enumerate(document.statements):
                raw = one.raw if isinstance(one.raw, dict) else {"Effect": one.name if one.raw is None else one.raw}
                raw = _each_text(raw, self.text)
                text = json.dumps(raw, default=str)
                rows.setdefault((text, counted[text]), (at, raw, []))[2].append(number)
                counted[text] += 1
        account = self._stack.short(self._stack.account)
        said: list[Said] = []
        opened: set[int] = set()
        for _, raw, numbers in sorted(rows.values(), key=lambda row: row[0]):
            opens = kind == "trust" and raw.get("Effect") != "Deny"
            second = opens and not opened.isdisjoint(numbers)
            opened.update(numbers if opens else ())
            some = [cases[number] for number in numbers]
            called = _each_text(raw, lambda text: self._called.get(text, text))
            when = where(some, every or cases)
            said.append(Said(raw, called, kind, account, roles, self._people, some, when, second))
        resource = self.text(own[0][1].resource or "") if own else ""
        variables = all(one.variables for _, each in own for one in each.statements)
        return Policy(title, said, place.seen_from(self._stack), kind, resource, self._forms, variables, cases)

    def properties(self, place: Place, settings: Sequence[tuple[Choices, Mapping[str, Any]]]) -> Mapping[str, Any]:
        """What a role or key is set to beside its policies; what hangs on a case, case by case."""
        every = [case for case, _ in settings]
        found: dict[str, Any] = {}
        for name in dict.fromkeys(name for _, one in settings for name in one if name not in _POLICIES):
            there = [(case, one[name]) for case, one in settings if one.get(name, NOTHING) is not NOTHING]
            values = [(case, _each_text(value, self.text)) for case, value in there]
            same = by(values, lambda one: json.dumps(one[1], default=str)).values()
            told = {where([case for case, _ in some], every): some[0][1] for some in same}
            if told:
                found[self.text(name)] = told.get(None, told)
        return found | {name: one for name, one in place.raw.items() if name == "Condition"}


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    """A value, with each text in it changed."""
    if isinstance(value, dict):
        return {change(str(name)): _each_text(one, change) for name, one in value.items()}
    if isinstance(value, list):
        return [_each_text(one, change) for one in value]
    return change(value) if isinstance(value, str) else value
