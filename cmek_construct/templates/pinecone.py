"""What is Pinecone's in a run, found once over all its templates.

Roles are known by whom they may let in, keys by the roles that they name, both by outputs and by what a lock has.
Everything else is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from cmek_construct.templates import around, console, evidence
from cmek_construct.templates.attributes import KEYS, REPLICA, ROLE, arn
from cmek_construct.templates.choices import Case, InCase, TooManyCases, Undecided
from cmek_construct.templates.files import Problem
from cmek_construct.templates.found import Found, Key, KeyNow, Place, Role, RoleNow
from cmek_construct.templates.matching import Roles
from cmek_construct.templates.run import Run
from cmek_construct.templates.stacks import OWN_ACCOUNT, Stack
from cmek_construct.templates.texts import hole, is_known
from cmek_construct.templates.values import Values

_Work: TypeAlias = Callable[[Values, Place, dict[str, Any]], Any]
"""What a role or a key is, of its properties."""
_NOT_READ: Final = dict.fromkeys(("AssumeRolePolicyDocument", "KeyPolicy"), hole("?more cases than can be judged"))


def find(
    run: Run, *, known: Callable[[Place], bool] = lambda place: False, vendor_role_arns: Collection[str] = ()
) -> Found:
    """What is Pinecone's in a run.

    Where neither a cloud assembly nor the caller says an account, it is that whose root rules Pinecone's keys.

    Args:
        run: the templates.
        known: of which roles and keys it is known, whatever they look like: those of a lock.
        vendor_role_arns: roles of other accounts that were declared.
    """
    finder = _Finder(run, known, vendor_role_arns)
    found = finder.found()
    accounts, problems = _accounts(run, {key.place: finder.owners(key) for key in found.keys})
    if accounts:
        run = Run(run.templates, run.account, run.problems, accounts)
        found = _Finder(run, known, vendor_role_arns).found()
    found.problems = [*run.problems, *problems]
    return found


def _accounts(run: Run, by_key: Mapping[Place, Collection[str]]) -> tuple[dict[str, str], list[Problem]]:
    """The accounts of stacks of which nobody says them, by what Pinecone's keys say."""
    owners: dict[str, set[str]] = {}
    for place, said in by_key.items():
        top = place.stack.top
        if place.stack.account in (OWN_ACCOUNT, run.account) and not top.template.account:
            owners.setdefault(top.name, set()).update(said)
    accounts, problems = {}, []
    for top in run.tops:
        found = owners.get(top.name, set())
        numbers = {one for one in found if is_known(one)}
        if numbers - {run.account} and run.account:
            what = f"its keys are ruled by the account {' and '.join(sorted(numbers))}, "
            what += f"not {run.account}."
            problems.append(Problem(top.template.name, what, "Leave out the account, or correct it."))
        elif run.account:
            continue
        elif len(numbers) > 1:
            what = f"its keys are ruled by the accounts {' and '.join(sorted(numbers))}."
            way_out = "Say whose it is: name the account."
            problems.append(Problem(top.template.name, what, way_out))
        elif numbers and numbers == found:
            accounts[top.name] = numbers.pop()
    every = set(accounts.values())
    lone = [top.name for top in run.tops if top.account == OWN_ACCOUNT and top.name not in owners]
    if len(every) == 1:
        accounts |= {one: next(iter(every)) for one in lone}
    return accounts, problems


class _Finder:
    """Looks for what is Pinecone's in one run."""

    def __init__(self, run: Run, known: Callable[[Place], bool], vendor_role_arns: Collection[str]) -> None:
        self.run = run
        self.result = Found(run)
        self.pinecones: set[Place] = set()
        """The roles and keys that are known to be Pinecone's."""
        self.vendors = set(vendor_role_arns)
        self.ours: set[Place] = set()
        """The roles that are Pinecone's."""
        self.too_many: dict[Place, str] = {}
        """Roles and keys with more cases than can be judged, and what those hang on."""
        self.roles = self._each(ROLE, work=self._role)
        self.keys = self._each(*KEYS, work=self._key)
        self.outputs = console.outputs(run, run.stacks)
        arns = ((one.value.arn, place) for place, now in self.roles.items() for one in now)
        self.by_name = Roles(arns, run.forms)
        self.given = list(console.given_roles(self.outputs))
        self.by_given = Roles(self.given, run.forms)
        self.named = {place: self._named(place) for place in self.keys}
        for place in (*self.roles, *self.keys):
            if known(place):
                self.pinecones.add(place)

    def _each(self, *types: str, work: _Work) -> dict[Place, Any]:
        """What each resource of some types is, in each case that has it."""
        found: dict[Place, Any] = {}
        for stack in self.run.stacks:
            for logical_id in stack.resources:
                if stack.type_of(logical_id) in types:
                    place = Place(stack, logical_id)
                    try:
                        cases = self.run.cases(stack, _where_there(place, work))
                    except TooManyCases as too_many:
                        self.too_many[place] = str(too_many)
                        cases = [self._in_some_case(place, work)]
                    there = tuple(one for one in cases if one.value is not None)
                    if there:
                        found[place] = there
        return found

    def _in_some_case(self, place: Place, work: _Work) -> InCase[Any]:
        """What has too many cases: known by what it is called in one, its policy not read."""
        case = Case(holes=True)
        while True:
            try:
                return InCase(case, work(self.run.values(case), place, _NOT_READ))
            except Undecided as question:
                chosen = {**case.choices, question.name: question.values[0]}
                case = replace(case, choices=chosen)

    def _role(self, values: Values, place: Place, properties: dict[str, Any]) -> RoleNow:
        stack, logical_id = place.stack, place.logical_id
        own = arn(values, stack, logical_id) or ""
        account = values.parameter(stack, "AWS::AccountId")
        document = properties.get("AssumeRolePolicyDocument")
        trust = evidence.policy_of(document, "trust", own, self.run)
        return RoleNow(own, account, trust, properties)

    def _key(self, values: Values, place: Place, properties: dict[str, Any]) -> KeyNow:
        own = arn(values, place.stack, place.logical_id) or ""
        account = values.parameter(place.stack, "AWS::AccountId")
        document = properties.get("KeyPolicy", [])
        policy = evidence.policy_of(document, "key", own, self.run)
        return KeyNow(own, account, policy, properties)

    def _named(self, key: Place) -> list[frozenset[Place]]:
        """The roles of the run that a key's policy names, case by case."""
        return [self._roles_of(one.value) for one in self.keys[key]]

    def _roles_of(self, key: KeyNow) -> frozenset[Place]:
        found: set[Place] = set()
        for statement in evidence.allowing(key.policy):
            for text in evidence.names_in(statement):
                found |= {place for _, place in self.by_name.by(text, key.account)}
        return frozenset(found)

    def found(self) -> Found:
        """Everything."""
        self._by_trust()
        self._by_outputs()
        for place, cases in self.keys.items():
            if any(self._is_key(one.value, place) for one in cases):
                self.pinecones.add(place)
        self._by_each_other()
        console.by_aliases(self)
        self._by_each_other()
        self._collect()
        around.Around(self).collect()
        return self.result

    def owners(self, key: Key) -> set[str]:
        """The accounts that may own a key: whose root rules it, or of which it calls a role."""
        found: set[str] = set()
        for policy in (one.value.policy for one in key.cases):
            found |= evidence.roots(policy)
            found |= {OWN_ACCOUNT} if evidence.names_root(policy, OWN_ACCOUNT) else set()
            for text in (t for one in evidence.allowing(policy) for t in evidence.names_in(one)):
                said = evidence.account_of(text)
                called = self.by_name.by(text, OWN_ACCOUNT) if said.isdecimal() else ()
                names = (arn.rpartition("/")[2] for arn, role in called if role.stack.account == OWN_ACCOUNT)
                found |= {said} if any(map(is_known, names)) else set()
        return found

    def _by_each_other(self) -> None:
        before = -1
        while before != len(self.pinecones):
            before = len(self.pinecones)
            self._keys_by_roles()
            self._roles_by_keys()
            self._replicas()

    def _by_trust(self) -> None:
        for place, cases in self.roles.items():
            for one in cases:
                trust, document = one.value.trust, place.stack.properties(place.logical_id)
                lets_in = evidence.lets_pinecone_in(trust, one.value.account, document)
                if lets_in or evidence.has_guides_sid(trust):
                    self.pinecones.add(place)

    def _by_outputs(self) -> None:
        called = console.Called({**self.roles, **self.keys})
        for index, output in enumerate(self.outputs):
            of = {called.place(one) for one in output.cases}
            for place in filter(None, of):
                self.pinecones.add(place)
            self.outputs[index] = replace(output, of=of.pop() if len(of) == 1 else None)

    def _is_key(self, key: KeyNow, place: Place) -> bool:
        """Whether a key lets Pinecone in past a role, or a declared vendor's role."""
        document = place.stack.properties(place.logical_id)
        return evidence.lets_pinecone_in(key.policy, key.account, document) or any(
            text in self.vendors for statement in evidence.allowing(key.policy) for text in evidence.names_in(statement)
        )

    def _keys_by_roles(self) -> None:
        for place, named in self.named.items():
            if any(role in self.pinecones for roles in named for role in roles):
                self.pinecones.add(place)

    def _roles_by_keys(self) -> None:
        """Those whom a known key lets in as the guide does, or who are open to others."""
        for place, cases in self.keys.items():
            for one, roles in zip(cases, self.named[place], strict=True):
                if place not in self.pinecones or all(role in self.pinecones for role in roles):
                    continue
                texts = evidence.key_users(one.value.policy)
                users = {u for t in texts for _, u in self.by_name.by(t, one.value.account)}
                for role in roles:
                    if role in users or self._is_open(role):
                        self.pinecones.add(role)

    def _is_open(self, role: Place) -> bool:
        return any(evidence.is_open_to_others(one.value.trust, one.value.account) for one in self.roles[role])

    def _replicas(self) -> None:
        for place, cases in self.keys.items():
            if place.type == REPLICA and place not in self.pinecones and self.primary(cases):
                self.pinecones.add(place)

    def primary(self, cases: Iterable[InCase[KeyNow]]) -> Place | None:
        """The key of Pinecone's that a replica is a copy of, or may be."""
        for one in cases:
            text = str(one.value.properties.get("PrimaryKeyArn"))
            for place in filter(self.pinecones.__contains__, self.keys):
                if any(console.may_be_key(text, key.value.arn) for key in self.keys[place]):
                    return place
        return None

    def _collect(self) -> None:
        for place, cases in self.roles.items():
            if place in self.pinecones and place not in self.too_many:
                self.result.roles.append(Role(place, cases))
        ours = self.ours = {one.place for one in self.result.roles}
        for place, cases in self.keys.items():
            if place in self.pinecones and place not in self.too_many:
                now = tuple(
                    replace(one, value=replace(one.value, roles=roles & ours))
                    for one, roles in zip(cases, self.named[place], strict=True)
                )
                primary = self.primary(cases) if place.type == REPLICA else None
                self.result.keys.append(Key(place, now, primary))


def _where_there(place: Place, work: _Work) -> Callable[[Values], Any]:
    """Work on a resource, where it is made."""
    stack, logical_id = place.stack, place.logical_id
    return lambda values: (
        work(values, place, _resolved(values, stack, logical_id)) if values.exists(stack, logical_id) else None
    )


def _resolved(values: Values, stack: Stack, logical_id: str) -> dict[str, Any]:
    found = values.resolved(stack, stack.properties(logical_id))
    return found if isinstance(found, dict) else {"": found}
