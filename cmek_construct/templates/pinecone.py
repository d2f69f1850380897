"""What is Pinecone's in a run, found once over all its templates.

Roles are known by whom they may let in, keys by the roles that they name, both by outputs and by what a lock has.
Everything else is left alone.
"""

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Final

from cmek_construct.policy.text import glob, hole, is_known, may_be_one
from cmek_construct.templates import evidence
from cmek_construct.templates.around import Around
from cmek_construct.templates.choices import Case, InCase, TooManyCases, outcomes
from cmek_construct.templates.evidence import Called, Roles
from cmek_construct.templates.files import Problem
from cmek_construct.templates.found import PINECONES, Alias, AliasNow, Found, Now, Output, Place, Resource, outputs_of
from cmek_construct.templates.run import Run
from cmek_construct.templates.stacks import ALIAS, KEYS, OWN_ACCOUNT, REPLICA, ROLE, Stack

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
    finder = Finder(run, known, vendor_role_arns)
    accounts, problems = _accounts(run, {key: set(finder.owners(key)) for key in finder.keys if key in finder.judged})
    if accounts:
        run = Run(run.templates, run.account, run.problems, accounts)
        finder = Finder(run, known, vendor_role_arns)
    return finder.found([*run.problems, *problems])


def _accounts(run: Run, by_key: Mapping[Place, Collection[str]]) -> tuple[dict[str, str], list[Problem]]:
    """The accounts of stacks of which nobody says them, by what Pinecone's keys say."""
    owners: dict[Stack, set[str]] = {}
    for key, said in by_key.items():
        top = key.stack.top
        if key.stack.account in (OWN_ACCOUNT, run.account) and not top.template.account:
            owners.setdefault(top, set()).update(said)
    accounts: dict[str, str] = {}
    problems = []
    for top, found in owners.items():
        numbers = set(filter(is_known, found))
        listed = " and ".join(sorted(numbers))
        if run.account and numbers - {run.account}:
            what = f"its keys are ruled by the account {listed}, not {run.account}."
            problems.append(Problem(top.template.name, what, "Leave out the account, or correct it."))
        elif not run.account and len(numbers) > 1:
            what = f"its keys are ruled by the accounts {listed}."
            problems.append(Problem(top.template.name, what, "Say whose it is: name the account."))
        elif not run.account and numbers and numbers == found:
            accounts[top.name] = listed
    if len(set(accounts.values())) == 1:
        lone = (top.name for top in run.tops if top.account == OWN_ACCOUNT and top not in owners)
        accounts |= dict.fromkeys(lone, next(iter(accounts.values())))
    return accounts, problems


class Finder:
    """Looks for what is Pinecone's in one run."""

    def __init__(self, run: Run, known: Callable[[Place], bool], vendor_role_arns: Collection[str]) -> None:
        """Look at every role and key, in each case that has it."""
        self.run = run
        self.too_many: dict[Place, str] = {}
        """Roles and keys with more cases than can be judged, and what those hang on."""
        self.roles = dict(self._each(ROLE))
        arns = ((one.value.arn, place) for place, cases in self.roles.items() for one in cases)
        self.by_name = Roles(arns, run.forms)
        self.keys = dict(self._each(*KEYS))
        self._every = {**self.roles, **self.keys}
        vendors = set(vendor_role_arns)
        self.pinecones = {
            place
            for place, cases in self._every.items()
            if known(place) or any(evidence.is_pinecones(place, one.value, vendors) for one in cases)
        }
        """The roles and keys that are known to be Pinecone's."""
        self._outputs = list(self._by_outputs())
        self.given = [
            (now.value, one.place)
            for one in self._outputs
            for now in one.cases
            if one.label == "Role ARN" and now.value.startswith(f"arn:aws:iam::{one.place.stack.account}:role/")
            if is_known(now.value)
        ]
        """The account's roles that go to the console by a known ARN, and the output that says it."""
        self.by_given = Roles(self.given, run.forms)
        self._by_each_other()
        self._aliases = self._by_aliases()
        self._by_each_other()
        self.judged = self.pinecones - self.too_many.keys()

    def _each(self, *types: str) -> Iterator[tuple[Place, tuple[InCase[Now], ...]]]:
        for place in self.run.places(*types):
            try:
                cases = self.run.made(place)
            except TooManyCases as why:
                # It is known by what it is called in one case; its policy is not read.
                self.too_many[place] = str(why)
                first = next(outcomes(partial(self._arn, place), Case(holes=True), math.inf))
                cases = [InCase(first.case, _NOT_READ)]
            if cases:
                yield place, tuple(InCase(one.case, self._now(place, one)) for one in cases)

    def _arn(self, place: Place, case: Case) -> str:
        return self.run.values(case).arn(place) or ""

    def _now(self, place: Place, one: InCase[Mapping[str, Any]]) -> Now:
        own, account = self._arn(place, one.case), place.stack.account
        if place.type == ROLE:
            trust = evidence.policy_of(one.value.get("AssumeRolePolicyDocument"), "trust", own, self.run)
            return Now(own, account, trust, one.value)
        policy = evidence.policy_of(one.value.get("KeyPolicy", []), "key", own, self.run)
        named = (role for text in set(evidence.let_in(policy)) for _, role in self.by_name.by(text, account))
        return Now(own, account, policy, one.value, frozenset(named))

    def owners(self, key: Place) -> Iterator[str]:
        """The accounts that may own a key: whose root rules it, or of which it calls a role."""
        for policy in (one.value.policy for one in self.keys[key]):
            yield from evidence.owners(policy)
            for text in evidence.let_in(policy):
                said = evidence.account_of(text)
                roles = self.by_name.by(text, OWN_ACCOUNT) if said.isdecimal() else ()
                if any(is_known(own.rpartition("/")[2]) for own, role in roles if role.stack.account == OWN_ACCOUNT):
                    yield said

    def found(self, problems: list[Problem]) -> Found:
        """Everything, with the problems of reading and putting together the templates."""
        found = Found(self.run, outputs=self._outputs, problems=problems)
        for place, cases in ((place, cases) for place, cases in self._every.items() if place in self.judged):
            now = (replace(one, value=replace(one.value, roles=one.value.roles & self.judged)) for one in cases)
            of_type = found.roles if place.type == ROLE else found.keys
            of_type.append(Resource(place, tuple(now), self._primary(place)))
        found.aliases = [one for one in self._aliases if one.is_named or not self.judged.isdisjoint(one.keys)]
        for one in Around(self, found).look():
            found.add(one)
        found.unknown = found.unknown if self.judged else []
        return found

    def _by_outputs(self) -> Iterator[Output]:
        """What goes to Pinecone's console, with the role or key that it names, which is Pinecone's."""
        called = Called(self._every)
        for output in outputs_of(self.run, self.run.stacks):
            of = {called.by(one.value, one.case) for one in output.cases}
            self.pinecones.update(filter(None, of))
            yield replace(output, of=of.pop() if len(of) == 1 else None)

    def _by_aliases(self) -> list[Alias]:
        """Keys by aliases that are named as Pinecone's: where no key has lost its own."""
        called = Called(self.keys)
        aliases: list[Alias] = []
        for place in self.run.places(ALIAS):
            with suppress(TooManyCases):
                cases = tuple(_alias(one, called) for one in self.run.made(place))
                aliases += [Alias(place, cases)] if cases else []
        targets = {key for one in aliases for key in one.keys}
        lost = {one.stack for one in self.pinecones if one in self.keys and one not in targets}
        named = (now.value for one in aliases if one.place.stack not in lost for now in one.cases)
        self.pinecones |= {one.key for one in named if one.key and PINECONES.match(one.name)}
        return aliases

    def _by_each_other(self) -> None:
        """Keys by the roles that they name, roles by keys, and replicas by the keys that they are copies of."""
        before = -1
        while before != len(self.pinecones):
            before = len(self.pinecones)
            for key, cases in self.keys.items():
                if self._primary(key) or any(not self.pinecones.isdisjoint(one.value.roles) for one in cases):
                    self.pinecones.add(key)
                self.pinecones.update(self._users(key) if key in self.pinecones else ())

    def _users(self, key: Place) -> Iterator[Place]:
        """Roles that a key lets in as the guide does, or that are open to others than their account."""
        for now in (one.value for one in self.keys[key]):
            texts = evidence.key_users(now.policy)
            users = {role for text in texts for _, role in self.by_name.by(text, now.account)}
            for role in now.roles - self.pinecones:
                if role in users or any(map(evidence.is_open_to_others, self.roles[role])):
                    yield role

    def _primary(self, key: Place) -> Place | None:
        """The key of Pinecone's that a replica is a copy of, or may be."""
        cases = self.keys[key] if key.type == REPLICA else ()
        for text in (str(one.value.properties.get("PrimaryKeyArn")) for one in cases):
            for other in filter(self.pinecones.__contains__, self.keys):
                for arn in (now.value.arn for now in self.keys[other]):
                    # Nobody knows the ID of a key.
                    if text == arn or (is_known(text) and may_be_one(text, glob(arn, self.run.forms))):
                        return other
        return None


def _alias(one: InCase[Mapping[str, Any]], keys: Called) -> InCase[AliasNow]:
    name, target = (str(one.value.get(member, "")) for member in ("AliasName", "TargetKeyId"))
    return InCase(one.case, AliasNow(name, target, keys.by(target, one.case)))
