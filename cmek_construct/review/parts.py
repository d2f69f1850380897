"""From what is Pinecone's in a run to what is shown: roles, keys and aliases by template."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any, Final, TypeVar

from cmek_construct import policy
from cmek_construct.checks import printable
from cmek_construct.guardrails.rule import Violation
from cmek_construct.policy.statements import Kind, Statement
from cmek_construct.review.answers import answers_about, to_check
from cmek_construct.review.beside import Known
from cmek_construct.review.model import Finding, Part, Policy, Said, Template, Thing
from cmek_construct.templates.choices import Case, Choices, InCase, where
from cmek_construct.templates.evidence import pinecones_accounts
from cmek_construct.templates.found import Alias, Attached, Found, Now, Place, Resource, Unread
from cmek_construct.templates.stacks import KEYS, ROLE, Stack, hole_of
from cmek_construct.templates.texts import holes, is_known
from cmek_construct.who.answers import Asker

Reasons = Mapping[Place, Sequence[tuple[Violation, str | None]]]
"""What the guardrails found at each place, with the reason for which it is acknowledged."""
_KEPT: Final = ("Retain", "RetainExceptOnCreate")
_POLICIES: Final = ("AssumeRolePolicyDocument", "Policies", "KeyPolicy")
T = TypeVar("T", InCase[Now], Attached)


def templates_of(found: Found, reasons: Reasons, vendor_role_arns: Iterable[str]) -> list[Template]:
    """What is shown of each template of a run.

    Args:
        found: what is Pinecone's in it.
        reasons: what the guardrails found.
        vendor_role_arns: roles of other accounts that a key policy may name.
    """
    reader = _Reader(found, reasons, frozenset(vendor_role_arns))
    titles = [top.template.title for top in found.run.tops]
    checks, asker = to_check(found), cache(partial(Asker, found))
    made = {
        stack: Template(
            name=_name(stack, titles),
            file=printable(stack.template.file),
            sha256=stack.template.sha256,
            account=stack.account if is_known(stack.account) else None,
            region=stack.region if is_known(stack.region) else None,
            parameters=frozenset(_parameters(stack)),
            to_check=checks.get(stack, []),
            ask=partial(answers_about, stack, asker),
        )
        for stack in found.run.stacks
    }
    for stack, template in made.items():
        template.parts.extend(reader.parts(stack, template))
    for stack, template in made.items():
        template.findings.extend(reader.left(stack))
    return list(made.values())


def _name(stack: Stack, titles: Sequence[str | None]) -> str:
    """What its app calls a stack, if no other is called so; within it by the logical IDs."""
    own = stack.top.template.title
    name = printable(own) if own and titles.count(own) == 1 else stack.top.name
    return " > ".join([name, *map(printable, stack.within)])


def _parameters(stack: Stack) -> Iterator[str]:
    """What a deployer types in, as a stack in the template calls it."""
    top = stack.top
    return (stack.short(own) for name in top.parameters if (own := hole_of(top, name)))


class _Reader:
    """Knows what goes with what in a run."""

    def __init__(self, found: Found, reasons: Reasons, vendors: frozenset[str]) -> None:
        self._found = found
        self._vendors = vendors
        self._reasons = dict(reasons)
        self._places = _by(reasons, lambda place: place.stack)
        self._roles, self._keys = _by_stack(found.roles), _by_stack(found.keys)
        self._unread = _by_stack(one for one in found.unread if one.place.is_role_or_key)
        self._arns = {one.place: {now.value.arn for now in one.cases} for one in found.roles}
        self._attached = _by(found.attached, lambda one: one.role)
        self._outputs = _by(found.outputs, lambda one: one.of)
        self._aliases: dict[Place | None, list[Alias]] = {}
        for alias in found.aliases:
            for key in {now.value.key for now in alias.cases}:
                self._aliases.setdefault(key, []).append(alias)

    def parts(self, stack: Stack, template: Template) -> Iterator[Part]:
        """Each role of a stack with the keys that name it, then the keys that name none."""
        keys = {one.place: one for one in self._keys.get(stack, ())}
        roles = {one.place: one for one in self._roles.get(stack, ())}
        shown = {*keys, *roles}
        for role in roles.values():
            own = [key for key in keys.values() if _names(key, role.place)]
            keys = {place: key for place, key in keys.items() if key not in own}
            yield self._part(template, role, own)
        for key in keys.values():
            yield self._part(template, None, [key])
        unread = {one.place: one for one in reversed(self._unread.get(stack, ()))}
        for one in (one for place, one in unread.items() if place not in shown):
            yield (
                self._part(template, None, [one.key])
                if one.key
                else Part(template, [_not_judged(one)], self._findings(stack, [one.place]))
            )

    def _part(self, template: Template, role: Resource | None, keys: Sequence[Resource]) -> Part:
        places = [one.place for one in (role, *keys) if one]
        around = [one.place for key in keys for one in self._aliases.get(key.place, ())]
        around += [one.place for one in self._attached.get(role.place, ())] if role else []
        outputs = (
            (one.label, place.logical_id) for place in places for one in self._outputs.get(place, ()) if one.label
        )
        things = [thing for key in keys for thing in (self._key(key), *self._of_key(key))]
        findings = self._findings(places[0].stack, [*places, *around])
        own = [self._role(role)] if role else []
        return Part(template, [*own, *things], findings, list(outputs))

    def left(self, stack: Stack) -> list[Finding]:
        """What the guardrails found in a stack about nothing that is shown."""
        return self._findings(stack, self._places.get(stack, ()))

    def _findings(self, stack: Stack, places: Iterable[Place]) -> list[Finding]:
        """What was found at some places, each time once on the whole page."""
        return [
            Finding(one.rule, place.seen_from(stack), one.what, one.allows, one.cure, reason)
            for place in places
            for one, reason in self._reasons.pop(place, ())
        ]

    def _role(self, role: Resource) -> Thing:
        stack, cases = role.place.stack, _typed(role.cases)
        texts = _Texts(self._found, stack)
        arns = frozenset(map(stack.short, self._arns[role.place]))
        own = [(one.case, one.value.policy) for one in cases]
        trust = texts.policy("Trust policy", "trust", role.place, own, arns)
        accounts = [a for one in cases for a in pinecones_accounts(one.value.policy)]
        return Thing(
            "Role",
            role.place.logical_id,
            _is_kept(role.place),
            texts.properties(role.place, cases),
            [trust, *self._permissions(role, texts, trust.cases)],
            arns,
            [stack.short(one) for one in dict.fromkeys(accounts)],
        )

    def _permissions(self, role: Resource, texts: _Texts, cases: Sequence[Choices]) -> Iterator[Policy]:
        """Every policy of a role but its boundary: its own, and those that are attached to it."""
        found: dict[tuple[Place, str], list[Attached]] = {}
        for one in self._attached.get(role.place, ()):
            if not one.is_boundary:
                found.setdefault((one.place, one.name), []).append(one)
        for (place, name), some in found.items():
            title = f"Permissions: {texts.text(name)}"
            own = [(one.case, one.policy) for one in _typed(some) if one.policy is not None]
            if not own:
                title += " (its text is not in the template)"
            of_role = cases if place == role.place else None
            yield texts.policy(title, "permissions", place, own, every=of_role)

    def _key(self, key: Resource) -> Thing:
        place, cases = key.place, _typed(key.cases)
        texts = _Texts(self._found, place.stack)
        named = {role for one in cases for role in one.value.roles}
        arns = frozenset(place.stack.short(arn) for role in named for arn in self._arns[role])
        own = [(one.case, one.value.policy) for one in cases]
        policy = texts.policy("Key policy", "key", place, own, arns | self._vendors)
        properties = texts.properties(place, cases)
        return Thing("Key", place.logical_id, _is_kept(place), properties, [policy])

    def _of_key(self, key: Resource) -> Iterator[Thing]:
        """The aliases of a key."""
        stack = key.place.stack
        for alias in self._aliases.get(key.place, ()):
            names = dict.fromkeys(stack.short(now.value.name) for now in alias.cases)
            given = {"AliasName": " or ".join(names), "TargetKeyId": key.place.logical_id}
            kept = _is_kept(alias.place)
            yield Thing("Alias", alias.place.seen_from(stack), kept, given)


def _by(some: Iterable[Any], of: Any) -> dict[Any, list[Any]]:
    """Some by what they are of."""
    found: dict[Any, list[Any]] = {}
    for one in some:
        found.setdefault(of(one), []).append(one)
    return found


def _by_stack(some: Iterable[Any]) -> dict[Stack, list[Any]]:
    return _by(some, lambda one: one.place.stack)


def _names(key: Resource, role: Place) -> bool:
    return any(role in now.value.roles for now in key.cases)


def _not_judged(unread: Unread) -> Thing:
    place = unread.place
    kind, title = ("Role", "Trust policy") if place.type == ROLE else ("Key", "Key policy")
    policy = Policy(f"{title} ({unread.why})", [], place.logical_id)
    return Thing(kind, place.logical_id, _is_kept(place), {}, [policy])


def _is_kept(place: Place) -> bool:
    """When its stack is deleted, or it goes from the template."""
    return place.raw.get("DeletionPolicy") in _KEPT


def _typed(cases: Sequence[T]) -> Sequence[T]:
    """The cases in which what a deployer may type stays ``${Name}``, whatever its default."""
    return [one for one in cases if not one.case.is_by_default] or cases


class _Texts:
    """What a template says, in the words of the page: what is of its stack has no stack's name."""

    def __init__(self, found: Found, stack: Stack) -> None:
        """Begin with one stack."""
        self.stack = stack
        self._found = found
        self._people: dict[str, str] = {}
        self._called: dict[str, str] = {}
        self._forms: dict[str, str] = {}

    def text(self, text: str) -> str:
        """A text; who is named in it is remembered."""
        short = self.stack.short(text)
        place = self._found.arns.get(text)
        if place and place.type not in KEYS:
            name = place.seen_from(self.stack)
            self._called[short] = f"{short.partition('/')[0]}/${{{name}}}"
            self._people |= {short: name, self._called[short]: name}
            self._forms[name] = self._found.run.forms.get(place.stack.named(place.logical_id), "*")
        for name in holes(text) if "${" in text else ():
            if name in self._found.run.forms:
                self._forms[self.stack.short(name)] = self._found.run.forms[name]
        return short

    def value(self, value: Any) -> Any:
        """A text, or a list or an object of some."""
        return _each_text(value, self.text)

    def called(self, value: Any) -> Any:
        """A value of the page in which who is of the templates is called by logical ID."""
        return _each_text(value, lambda text: self._called.get(text, text))

    def policy(
        self,
        title: str,
        kind: Kind,
        place: Place,
        own: Sequence[tuple[Case, policy.Policy]],
        roles: frozenset[str] = frozenset(),
        every: Sequence[Choices] | None = None,
    ) -> Policy:
        """A policy with each statement once.

        Args:
            title: what it is.
            kind: whose policy.
            place: of what has it.
            own: what it is in each case that has it.
            roles: the ARNs of the roles that Pinecone takes on.
            every: all cases. Default: those that have it.
        """
        cases = [case.told(self.stack.short) for case, _ in own]
        rows: dict[tuple[str, int], tuple[int, Any, list[int]]] = {}
        for number, (_, document) in enumerate(own):
            counted: Counter[str] = Counter()
            for at, statement in enumerate(document.statements):
                raw = self._raw(statement)
                text = json.dumps(raw, default=str)
                rows.setdefault((text, counted[text]), (at, raw, []))[2].append(number)
                counted[text] += 1
        known = Known(self.stack.short(self.stack.account), roles, self._people)
        said: list[Said] = []
        opened: set[int] = set()
        for _, raw, numbers in sorted(rows.values(), key=lambda row: row[0]):
            some = [cases[number] for number in numbers]
            opens = kind == "trust" and raw.get("Effect") != "Deny"
            second = opens and not opened.isdisjoint(numbers)
            opened.update(numbers if opens else ())
            when = where(some, every or cases)
            said.append(Said(raw, self.called(raw), kind, known, some, when, second))
        documents = [document for _, document in own]
        return Policy(
            title,
            said,
            place.seen_from(self.stack),
            kind,
            resource=self.text(next((one.resource or "" for one in documents), "")),
            forms=self._forms,
            variables=all(one.variables for each in documents for one in each.statements),
            cases=cases,
        )

    def _raw(self, statement: Statement) -> dict[str, Any]:
        """A statement as it is written; of what is none, what stands there."""
        if isinstance(statement.raw, dict):
            return dict(self.value(statement.raw))
        return {"Effect": self.value(statement.name if statement.raw is None else statement.raw)}

    def properties(self, place: Place, cases: Sequence[InCase[Now]]) -> Mapping[str, Any]:
        """What a role or key is set to beside its policies; what hangs on a case, case by case."""
        every = [one.case.told(self.stack.short) for one in cases]
        found: dict[str, Any] = {}
        settings: list[Mapping[str, Any]] = [one.value.properties for one in cases]
        names = dict.fromkeys(name for one in settings for name in one)
        for name in (name for name in names if name not in _POLICIES):
            apart: dict[str, tuple[Any, list[Choices]]] = {}
            for choices, now in zip(every, settings, strict=True):
                if name in now:
                    value = self.value(now[name])
                    apart.setdefault(json.dumps(value, default=str), (value, []))[1].append(choices)
            told = {where(some, every): value for value, some in apart.values()}
            found[self.text(name)] = told.get(None, told)
        return found | {name: one for name, one in place.raw.items() if name == "Condition"}


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    """A value, with each text in it changed."""
    if isinstance(value, dict):
        return {change(str(name)): _each_text(one, change) for name, one in value.items()}
    if isinstance(value, list):
        return [_each_text(one, change) for one in value]
    return change(value) if isinstance(value, str) else value
