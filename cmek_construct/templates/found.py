"""What is Pinecone's in the templates of a run, found once over all of them: each thing with its place, in every case.

Roles are known by whom they may let in, keys by the roles that they name, both by outputs and by what a lock has.
Everything else is left alone.
"""

import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, partial
from operator import eq, itemgetter
from typing import Any, Final, NamedTuple, TypeAlias

from cmek_construct.policy import Policy, Principal
from cmek_construct.policy.questions import Questions
from cmek_construct.policy.text import glob, hole, is_known, may_be_one, parts
from cmek_construct.templates import evidence
from cmek_construct.templates.choices import Case, InCase, TooManyCases, outcomes
from cmek_construct.templates.files import Problem
from cmek_construct.templates.reading import by, written
from cmek_construct.templates.run import Run
from cmek_construct.templates.stacks import ALIAS, KEYS, OWN_ACCOUNT, REPLICA, ROLE, Stack, hole_of
from cmek_construct.templates.stacks import Place as Place

_ROOT: Final = re.compile(r"(?:arn:aws:iam::)?([0-9]{12}|\$\{[^}]*\})(?::root)?")
_NOT_READ: Final = dict.fromkeys(("AssumeRolePolicyDocument", "KeyPolicy"), hole("?more cases than can be judged"))
_LABEL: Final = re.compile(r'"(Role ARN|Key ARN|External ID)"')
PINECONES: Final = re.compile(r"alias/pine[-_]?cone[-_]?cmek/", re.IGNORECASE)  # how an alias of Pinecone's is named
_OF_CONSTRUCT: Final = re.compile(r"PineconeAlias[0-9A-F]{8}$")  # the logical ID of the alias that `PineconeKey` makes


class Now(NamedTuple):
    """A role or a key in one case."""

    place: Place
    case: Case
    arn: str
    account: str
    policy: Policy  # the trust policy of a role, the key policy of a key
    properties: Mapping[str, Any]  # texts, lists and objects of some
    roles: frozenset[Place] = frozenset()  # of a key: the roles that Pinecone assumes and that its policy names


class Alias(NamedTuple):
    """An alias that is named as Pinecone's, or is for its key, in one case."""

    place: Place
    name: str
    target: str
    key: Place | None  # the key of the run that it is for

    @property
    def is_named(self) -> bool:
        """Whether it is named as Pinecone's, or is the one that a `PineconeKey` makes."""
        return bool(_OF_CONSTRUCT.search(self.place.logical_id) or PINECONES.match(self.name))


class Attached(NamedTuple):
    """A policy of a role of Pinecone's: its own, or one that any template attaches to it."""

    place: Place  # of what has the policy: the role itself, or a policy
    role: Place
    name: str
    case: Case
    policy: Policy | None  # None where no template shows it
    is_boundary: bool = False


class Naming(NamedTuple):
    """Another resource that names a role of Pinecone's: in a policy, or in a property."""

    place: Place
    role: Place
    member: str  # the property, such as ``PolicyDocument`` or ``Admins.0.DataLakePrincipalIdentifier``
    arn: str  # of the role
    policy: Policy | None  # None where it stands in no policy


class Output(NamedTuple):
    """A value that a person carries to Pinecone's console."""

    place: Place
    label: str  # the field of the console; empty where the description names none
    cases: tuple[InCase[str], ...]
    of: Place | None = None  # the role or key of the run that it names, in all cases


class Resource(NamedTuple):
    """A role that Pinecone assumes, or a key that it encrypts with. Where no case has it, it does not exist."""

    place: Place
    cases: Sequence[Now]
    primary: Place | None  # of a replica, the key that it is a copy of, if that is in the run
    outputs: Sequence[Output]  # those that name it
    aliases: Sequence[Alias]  # those that are for it, in each case
    attached: list[Attached]  # its policies, of a role

    def by_default(self) -> tuple[Sequence[Now], dict[str, str]]:
        """The cases in which every parameter that was chosen has its default, and the defaults so assumed.

        A value that no condition asks for stays a hole, whatever its default: what is told of it holds for all that a
        deployer may type.
        """
        top = self.place.stack.top
        said = ((hole_of(top, name), written(one.get("Default"))) for name, one in top.parameters.items())
        defaults = {own: default for own, default in said if own and default is not None}
        found = [one for one in self.cases if one.case.agrees(Case(defaults))]
        typed = [one for one in found if not one.case.is_by_default]
        asked = (own for one in (self.cases if found else ()) for own in one.case.choices)
        return typed or found or self.cases, {top.short(own): defaults[own] for own in asked if own in defaults}


class Unread(NamedTuple):
    """What cannot be judged, and may concern role or key."""

    place: Place
    why: str
    way_out: str = "Write role and key into a template of their own."
    key: Resource | None = None  # what it is, where it is read and nobody can tell whether it is Pinecone's

    def __str__(self) -> str:
        return f"{self.place}: {self.why} {self.way_out}"


class Unknown(NamedTuple):
    """A reference of another resource whose value is not known: it is not taken for the role."""

    place: Place
    member: str
    text: str


Finding: TypeAlias = Attached | Naming | Unknown | Unread


class Found:
    """What is Pinecone's in a run."""

    def __init__(self, run: Run, known: Callable[[Place], bool], vendors: Collection[str]) -> None:
        """Look at every role and key, in each case that has it."""
        self.run = run  # with the accounts that Pinecone's keys say
        self.problems = [*run.problems]  # of reading and putting together the templates
        self.vendors = frozenset(vendors)  # roles of other accounts that were declared
        self.ask = Questions()
        self.attached: list[Attached] = []
        self.naming: list[Naming] = []
        self.unread: list[Unread] = []
        self.unknown: list[Unknown] = []
        self.too_many: dict[Place, str] = {}  # roles and keys of more cases than can be judged, and what those hang on
        roles = list(self._each(ROLE))
        self._bounded = [one for one in roles if "PermissionsBoundary" in one.properties]
        self.by_name = evidence.Roles(((one.arn, one.place) for one in roles), run.forms)
        self.each_key = list(self._each(*KEYS))
        every = [*roles, *self.each_key]
        self.pinecones = {one.place for one in every if known(one.place) or evidence.is_pinecones(one, vendors)}
        """The roles and keys that are known to be Pinecone's."""
        self._open = {one.place for one in roles if evidence.is_open_to_others(one)}
        self._by_last_part = by(every, lambda one: parts(one.arn, "/")[-1])
        self.outputs: list[Output] = []
        for output in outputs_of(run, run.stacks):
            of = {self.called(one.value, one.case) for one in output.cases}
            self.pinecones.update(filter(None, of))
            self.outputs.append(output._replace(of=of.pop() if len(of) == 1 else None))
        told = ((it.value, one.place) for one in self.outputs if one.label == "Role ARN" for it in one.cases)
        plain = ((arn, at) for arn, at in told if is_known(arn))
        self.given = [(arn, at) for arn, at in plain if arn.startswith(f"arn:aws:iam::{at.stack.account}:role/")]
        """The account's roles that go to the console by a known ARN, and the output that says it."""
        self.by_given = evidence.Roles(self.given, run.forms)
        self._by_each_other()
        aliases = self._by_aliases()
        self._by_each_other()
        self.judged = self.pinecones - self.too_many.keys()
        shown = {one.place for one in aliases if one.is_named or one.key in self.judged}
        self.aliases = [one for one in aliases if one.place in shown]
        self._outputs, self._aliases = by(self.outputs, lambda one: one.of), by(self.aliases, lambda one: one.key)
        ours = by((one for one in every if one.place in self.judged), lambda one: one.place)
        self.by_place = {place: self.resource(cases) for place, cases in ours.items()}  # the roles, then the keys
        self.roles = [one for place, one in self.by_place.items() if place.type == ROLE]
        self.keys = [one for place, one in self.by_place.items() if place.type != ROLE]

    @cached_property
    def by_stack(self) -> dict[Stack, list[Resource | Unread]]:
        """Roles, keys, and what may be one and cannot be judged, each once, by the stacks that have them."""
        unread = {one.place: one for one in reversed(self.unread) if one.place.is_role_or_key}
        return by([*self.by_place.values(), *unread.values()], lambda one: one.place.stack)

    @cached_property
    def keys_of(self) -> dict[Place, list[tuple[Place, str]]]:
        """By a role: itself, with the ARN of each key that it must be able to use."""
        every = ((role, one.arn) for key in self.keys for one in key.cases for role in one.roles)
        return by(dict.fromkeys(every), itemgetter(0))

    def roles_in(self, case: Case, places: Iterable[Place]) -> list[Now]:
        """Roles as they are in a case of something else."""
        roles = (self.by_place[place] for place in sorted(places, key=str) if place in self.by_place)
        return [one for role in roles for one in role.cases if one.case.agrees(case)]

    @cached_property
    def arns(self) -> dict[str, Place]:
        """The roles, users and keys of all templates, by their ARNs."""
        every = {arn: place for place, arn in self.run.arns.items()}
        return every | {now.arn: one.place for one in self.by_place.values() for now in one.cases}

    def _each(self, *types: str) -> Iterator[Now]:
        for place in self.run.places(*types):
            try:
                cases = self.run.made(place)
            except TooManyCases as why:
                # It is known by what it is called in one case; its policy is not read.
                self.too_many[place] = str(why)
                first = next(outcomes(partial(self._arn, place), Case(holes=True), {}, math.inf))
                cases = [InCase(first.case, _NOT_READ)]
            yield from (self._now(place, one.case, one.value) for one in cases)

    def _arn(self, place: Place, case: Case) -> str:
        return self.run.values(case).arn(place) or ""

    def _now(self, place: Place, case: Case, properties: Mapping[str, Any]) -> Now:
        own, account = self._arn(place, case), place.stack.account
        if place.type == ROLE:
            trust = self.run.policy(properties.get("AssumeRolePolicyDocument"), "trust", own)
            return Now(place, case, own, account, trust, properties)
        policy = self.run.policy(properties.get("KeyPolicy", []), "key", own)
        named = (role for text in set(evidence.let_in(policy)) for _, role in self.by_name.by(text, account))
        # NotPrincipal never spares who has a permissions boundary. Source: IAM User Guide, the page of that element.
        bounded = tuple(Principal("AWS", one.arn) for one in self._bounded if one.case.agrees(case))
        others = (one for one in policy.statements if one.effect == "Deny" and one.not_principals is not None)
        denials = (replace(one, principals=bounded, not_principals=None) for one in others)
        policy = replace(policy, statements=(*policy.statements, *denials))
        return Now(place, case, own, account, policy, properties, frozenset(named))

    def called(self, text: str, case: Case, *types: str) -> Place | None:
        """What a text is the ARN, the name or the ID of, where its case and that of the other can be at once."""
        name = parts(text, "/")[-1]
        for one in self._by_last_part.get(name, ()):
            is_alike = case.agrees(one.case) and one.case.chosen(text) == case.chosen(one.arn)
            if (not types or one.place.type in types) and (text == name or is_alike):
                return one.place
        return None

    def _by_aliases(self) -> list[Alias]:
        """Keys by aliases that are named as Pinecone's: where no key has lost its own."""
        aliases: list[Alias] = []
        for place in self.run.places(ALIAS):
            with suppress(TooManyCases):
                for one in self.run.made(place):
                    name, target = (str(one.value.get(member, "")) for member in ("AliasName", "TargetKeyId"))
                    aliases.append(Alias(place, name, target, self.called(target, one.case, *KEYS)))
        keys = {one.place for one in self.each_key} - {one.key for one in aliases}
        lost = {key.stack for key in self.pinecones & keys}
        named = (one for one in aliases if one.place.stack not in lost and PINECONES.match(one.name))
        self.pinecones.update(one.key for one in named if one.key)
        return aliases

    def _by_each_other(self) -> None:
        """Keys by the roles that they name, and replicas by the keys that they are copies of.

        Roles by the keys that let them in as the guide does, or if they are open to others than their account.
        """
        before = -1
        while before != len(self.pinecones):
            before = len(self.pinecones)
            for key in self.each_key:
                if self._primary([key]) or not self.pinecones.isdisjoint(key.roles):
                    self.pinecones.add(key.place)
                if key.place in self.pinecones:
                    texts = evidence.key_users(key.policy)
                    users = {role for text in texts for _, role in self.by_name.by(text, key.account)}
                    self.pinecones |= key.roles & (users | self._open)

    def _primary(self, key: Iterable[Now]) -> Place | None:
        """The key of Pinecone's that a replica is a copy of, or may be: nobody knows the ID of a key."""
        for text in (str(one.properties.get("PrimaryKeyArn")) for one in key if one.place.type == REPLICA):
            same = [one for one in self.each_key if one.arn == text]
            multi = [one for one in self.each_key if one.properties.get("MultiRegion", "false") != "false"]
            for other in (one for one in same or multi if one.place in self.pinecones):
                if may_be_one(glob(text, self.run.forms), glob(other.arn, self.run.forms)):
                    return other.place
        return None

    def resource(self, cases: Sequence[Now]) -> Resource:
        """A role or a key with what goes with it, but for the policies that are attached to it."""
        now, place = [one._replace(roles=one.roles & self.judged) for one in cases], cases[0].place
        outputs, aliases = self._outputs.get(place, ()), self._aliases.get(place, ())
        return Resource(place, now, self._primary(now), outputs, aliases, [])

    def accounts(self) -> dict[str, str]:
        """The accounts of stacks of which nobody says them, by what Pinecone's keys say; or that is a problem."""
        given = self.run.account
        accounts: dict[str, str] = {}
        judged = (one for one in self.each_key if one.place in self.judged and one.account in (OWN_ACCOUNT, given))
        keys = by(judged, lambda one: one.place.stack.top)
        for top in (one for one in keys if not one.template.account):
            found = {owner for key in keys[top] for owner in self._owners(key)}
            numbers = set(filter(is_known, found))
            listed = " and ".join(sorted(numbers))
            if given and numbers - {given}:
                what = f"its keys are ruled by the account {listed}, not {given}."
                self.problems.append(Problem(top.template.name, what, "Leave out the account, or correct it."))
            elif not given and len(numbers) > 1:
                what = f"its keys are ruled by the accounts {listed}."
                self.problems.append(Problem(top.template.name, what, "Say whose it is: name the account."))
            elif not given and numbers and numbers == found:
                accounts[top.name] = listed
        if len(set(accounts.values())) == 1:
            lone = (top.name for top in self.run.tops if top.account == OWN_ACCOUNT and top not in keys)
            accounts |= dict.fromkeys(lone, next(iter(accounts.values())))
        return accounts

    def _owners(self, key: Now) -> Iterator[str]:
        """The accounts that may own a key: of which it calls a role, or whose root it gives everything unconditionally.

        So is that of whoever has the template, if it gives its root anything.
        """
        for statement in evidence.allowing(key.policy):
            is_all = not statement.conditions and any(one.lower() in ("*", "kms:*") for one in statement.actions or ())
            for principal in statement.principals or ():
                root = _ROOT.fullmatch(principal.name)
                if root and (root[1] == OWN_ACCOUNT or (is_all and principal.kind == "AWS")):
                    yield root[1]
            for text in evidence.names_in(statement):
                said = evidence.account_of(text)
                roles = self.by_name.by(text, OWN_ACCOUNT) if said.isdecimal() else ()
                if any(is_known(own.rpartition("/")[2]) for own, role in roles if role.stack.account == OWN_ACCOUNT):
                    yield said


def outputs_of(run: Run, stacks: Iterable[Stack]) -> Iterator[Output]:
    """What a person carries to Pinecone's console."""
    for stack, name, one in ((top, name, one) for top in stacks for name, one in top.outputs.items()):
        description = str(one.get("Description", ""))
        if "Pinecone console" in description:
            label = _LABEL.search(description)
            yield Output(Place(stack, name), label[1] if label else "", run.text(stack, one.get("Value")))


def beside(outputs: Iterable[Output], label: str, other: str) -> Iterator[tuple[Place, Output]]:
    """For what one output names: the output of another label that goes with it, by its name."""
    some = by(outputs, lambda one: (one.place.stack, one.label))
    for stack, found in [(stack, found) for (stack, said), found in some.items() if said == label]:
        for one in found:
            best = _nearest(one, some.get((stack, other), []))
            if one.of and best and _nearest(best, found) is one:
                yield one.of, best


def _nearest(one: Output, others: list[Output]) -> Output | None:
    """The output whose name begins as that of another one for longest."""
    own = one.place.logical_id
    return max(others, key=lambda it: [*map(eq, own, it.place.logical_id), False].index(False), default=None)
