"""What rules judge: role and key of Pinecone's in each case, with what goes with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Generic, TypeVar

from cmek_construct.guardrails.meant import Meant, meant
from cmek_construct.guardrails.questions import Questions
from cmek_construct.policy import Policy, Witness
from cmek_construct.templates.choices import Case
from cmek_construct.templates.console import beside
from cmek_construct.templates.evidence import names_in
from cmek_construct.templates.found import Alias, Attached, Found, Key, KeyNow, Naming, Output, Place, Role, RoleNow
from cmek_construct.templates.run import Run
from cmek_construct.templates.texts import parts

T = TypeVar("T")


@dataclass(frozen=True)
class Context:
    """What is the same for everything in a run."""

    run: Run
    found: Found
    vendors: frozenset[str]
    """Roles of other accounts that were declared."""
    ask: Questions
    typed: frozenset[str]
    """The holes that a deployer types."""

    def roles_now(self, places: frozenset[Place], case: Case) -> Iterator[RoleNow]:
        """Roles as they are in a case of something else."""
        for place in sorted(places, key=str):
            role = self._roles.get(place)
            yield from (one.value for one in (role.cases if role else ()) if one.case.agrees(case))

    @cached_property
    def _roles(self) -> dict[Place, Role]:
        return {role.place: role for role in self.found.roles}


@dataclass(frozen=True, eq=False)
class Trust:
    """A role in one case, and whom its trust policy means."""

    context: Context
    role: Role
    now: RoleNow
    case: Case
    meant: Meant
    where: ClassVar = "The trust policy"

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.role.place

    @property
    def policy(self) -> Policy:
        """Its trust policy."""
        return self.now.trust


@dataclass(frozen=True, eq=False)
class KeyUse:
    """A key in one case, and who may use it."""

    context: Context
    key: Key
    now: KeyNow
    case: Case
    roles: tuple[RoleNow, ...]
    """The roles of the run that Pinecone assumes and that must be able to use it."""
    role_arns: tuple[str, ...]
    """Those, and one that is not in the run but goes to Pinecone's console."""
    role_of_construct: str | None
    """The role that the construct of the key says it is for."""
    where: ClassVar = "The key policy"

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.key.place

    @property
    def policy(self) -> Policy:
        """Its key policy."""
        return self.now.policy

    def is_own(self, name: str) -> bool:
        """Whether a principal is the key's account, or one of it."""
        found = parts(name, ":")
        return self.now.account in (name, found[4] if len(found) > 5 else None)


@dataclass(frozen=True)
class Excess(Generic[T]):
    """What a policy may allow one principal beyond its limit."""

    of: T
    witness: Witness
    who: str
    """The principal, as the statement names it."""


class TrustExcess(Excess[Trust]):
    """Of a trust policy."""


class KeyExcess(Excess[KeyUse]):
    """Of a key policy."""


@dataclass(frozen=True, eq=False)
class Permission:
    """A policy of a role."""

    context: Context
    attached: Attached
    account: str
    """Of the role."""
    keys: tuple[str, ...]
    """The ARNs of the keys that it must be able to use."""


@dataclass(frozen=True, eq=False)
class Elsewhere:
    """Another resource that names a role."""

    context: Context
    naming: Naming


@dataclass(frozen=True)
class Named:
    """An alias that is named as Pinecone's, or is for its key."""

    alias: Alias
    keys: frozenset[Place]
    """Pinecone's keys."""
    is_ours: bool
    """Whether it is named as Pinecone's, or the one that a `PineconeKey` makes."""


@dataclass(frozen=True)
class Carried:
    """An output that a person carries to Pinecone's console."""

    output: Output
    accounts: frozenset[str]
    """Those of Pinecone's roles and keys."""
    instead: tuple[str, ...]
    """Roles or keys of its stack that no output carries."""


def carried(found: Found) -> Iterator[Carried]:
    """Each output for Pinecone's console."""
    ours: list[Role | Key] = [*found.roles, *found.keys]
    accounts = frozenset(now.value.account for one in ours for now in one.cases)
    named = {one.of for one in found.outputs}
    left: dict[tuple[str, str], list[str]] = {}
    for one in ours:
        label = "Role ARN" if isinstance(one, Role) else "Key ARN"
        if one.place not in named:
            left.setdefault((label, one.place.stack.name), []).append(one.place.logical_id)
    for output in found.outputs if ours else ():
        stack = output.place.stack
        instead = left.get((output.label, stack.name), ())
        known = accounts if stack.account in accounts else accounts | {stack.account}
        yield Carried(output, known, tuple(instead))


def trusts(context: Context) -> Iterator[Trust]:
    """Each role in each case."""
    ids = _external_ids(context.found)
    for role in context.found.roles:
        for one in role.cases:
            now = one.value
            whom = meant(now.trust, now.account, ids.get(role.place))
            yield Trust(context, role, now, one.case, whom)


def _external_ids(found: Found) -> Mapping[Place, str]:
    """The external ID that goes to Pinecone's console beside a role, by the role."""
    return {
        place: one.cases[0].value
        for place, one in beside(found.outputs, "Role ARN", "External ID")
        if len({now.value for now in one.cases}) == 1
    }


def key_uses(context: Context) -> Iterator[KeyUse]:
    """Each key in each case."""
    found = context.found
    role_arns = dict(beside(found.outputs, "Key ARN", "Role ARN"))
    for key in found.keys:
        output: Output | None = role_arns.get(key.place)
        arns_there = {now.value for now in output.cases} if output else set()
        for one in key.cases:
            own_roles = f":iam::{one.value.account}:role/"
            places = one.value.roles
            if not places and output and output.of and key.primary is None:
                places = frozenset({output.of})
            others = sorted(arn for arn in arns_there if own_roles in arn)
            every = list(context.roles_now(places, one.case))
            arns = dict.fromkeys([*(role.arn for role in every), *others])
            named = set(_names(one.value.policy))
            roles = tuple(
                role for role in every if (role.arn in named or not one.value.roles) and _is_for_pinecone(role)
            )
            said = context.run.said_of(key.place.stack, key.place.logical_id, one.case)
            yield KeyUse(context, key, one.value, one.case, roles, tuple(arns), said)


def _names(policy: Policy) -> Iterator[str]:
    for statement in policy.statements:
        yield from names_in(statement)


def _is_for_pinecone(role: RoleNow) -> bool:
    return any(meant(role.trust, role.account).roles())


def permissions(context: Context) -> Iterator[Permission]:
    """Each policy of each role."""
    keys: dict[Place, list[str]] = {}
    for key in context.found.keys:
        for one in key.cases:
            for place in one.value.roles:
                keys.setdefault(place, []).append(one.value.arn)
    accounts = {role.place: role.cases[0].value.account for role in context.found.roles}
    for attached in context.found.attached:
        own = tuple(dict.fromkeys(keys.get(attached.role, ())))
        account = accounts.get(attached.role, attached.role.stack.account)
        yield Permission(context, attached, account, own)
