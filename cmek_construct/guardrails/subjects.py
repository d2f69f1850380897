"""What rules judge: role and key of Pinecone's in each case, with whom they mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

from cmek_construct import guide
from cmek_construct.checks import EXTERNAL_ID, REGION
from cmek_construct.guardrails.questions import Questions
from cmek_construct.policy import Policy, Statement, aws
from cmek_construct.policy.principals import DELETED
from cmek_construct.templates.choices import Case, InCase
from cmek_construct.templates.console import beside
from cmek_construct.templates.evidence import allowing, names_in
from cmek_construct.templates.found import Attached, Found, KeyNow, Place, RoleNow
from cmek_construct.templates.run import Run
from cmek_construct.templates.texts import alone, is_unreadable, parts

_HOLE: Final = r"\$\{[^!?}][^}]*\}"
_ROLES: Final = rf"arn:aws:iam::(?P<account>[0-9]{{12}}|{_HOLE}):role/{guide.ROLE_NAME_PREFIX}"
PINECONES_ROLE: Final = re.compile(rf"{_ROLES}(?P<region>{REGION.pattern}|{_HOLE})")
_PINECONES_ROLES: Final = re.compile(rf"{_ROLES}\*")
ANY_REGION: Final = re.compile(rf"{_ROLES}.*")
_SOME_ID: Final = "the-one-external-ID"
"""Stands for the external ID where one is asked for, and none is said."""


@dataclass(frozen=True)
class Meant:
    """Whom a trust policy takes for Pinecone: one account, its roles, and one external ID.

    Read out of the policy itself, for only Pinecone's console shows the number. What else the policy allows is then
    beyond what is meant.
    """

    account: str | None
    """Pinecone's: twelve digits, or a hole. None if none is named."""
    regions: tuple[str, ...]
    """Of the roles that are named one by one."""
    all_regions: bool
    """Whether the guide's third form is there."""
    external_id: str | None
    asks: bool
    """Whether an external ID is asked for, or promised, at all."""

    def limit(self) -> guide.Policy:
        """The guide's trust policies for all that is meant."""
        statements = []
        if self.account and self.regions:
            asked = self.external_id or (_SOME_ID if self.asks else None)
            statements.append(guide.trust_statement(self.account, self.regions, asked))
        if self.account and self.all_regions and self.external_id:
            statements.append(guide.trust_statement(self.account, guide.ALL_REGIONS, self.external_id))
        return guide.policy_document(*statements)

    @property
    def roles(self) -> list[str]:
        """The roles of Pinecone's that must come in: in the third form those of the guide."""
        regions = dict.fromkeys([*self.regions, *(guide.PINECONE_REGIONS if self.all_regions else ())])
        name = f"arn:aws:iam::{self.account}:role/{guide.ROLE_NAME_PREFIX}"
        return [f"{name}{region}" for region in regions] if self.account else []


def meant(trust: Policy, own_account: str, promised: str | None = None) -> Meant:
    """Whom a trust policy means.

    Args:
        trust: the policy.
        own_account: of the role, which is never Pinecone's.
        promised: the external ID that goes to Pinecone's console, where an output says it.
    """
    statements = list(allowing(trust))
    texts = [text for one in statements for text in _texts(one)]
    forms = [it for one in texts if (it := PINECONES_ROLE.fullmatch(one) or _PINECONES_ROLES.fullmatch(one))]
    account = next((one["account"] for one in forms if one["account"] != own_account), None)
    regions = [one.groupdict().get("region") for one in forms if one["account"] == account]
    # What STS takes for an external ID.
    ids = (
        value
        for one in statements
        for value in one.compared(aws.EXTERNAL_ID)
        if (alone(value) or EXTERNAL_ID.fullmatch(value)) and not is_unreadable(value)
    )
    asks = any(one.compared(aws.EXTERNAL_ID) or "withID" in one.name for one in statements)
    named = tuple(dict.fromkeys(filter(None, regions)))
    return Meant(account, named, None in regions, promised or next(ids, None), asks)


def _texts(statement: Statement) -> list[str]:
    """Whom a statement names one by one; else whom it compares with all that it names."""
    named = [one.name for one in statement.principals or () if one.kind == "AWS"]
    if named and all(map(PINECONES_ROLE.fullmatch, named)):
        return named
    return [*named, *statement.compared(aws.PRINCIPAL_ARN)]


@dataclass(frozen=True)
class Context:
    """What is the same for everything in a run."""

    run: Run
    found: Found
    vendors: frozenset[str]
    """Roles of other accounts that were declared."""
    ask: Questions

    @cached_property
    def typed(self) -> frozenset[str]:
        """The holes that a deployer types."""
        return frozenset(
            stack.named(name)
            for stack in self.run.stacks
            for name, one in stack.parameters.items()
            if str(one.get("Type", "String")) in ("String", "Number")
        )

    @cached_property
    def roles(self) -> dict[Place, tuple[InCase[RoleNow], ...]]:
        """The roles that Pinecone assumes, in each case."""
        return {role.place: role.cases for role in self.found.roles}

    def roles_now(self, places: Iterable[Place], case: Case) -> list[RoleNow]:
        """Roles as they are in a case of something else."""
        cases = (one for place in sorted(places, key=str) for one in self.roles.get(place, ()))
        return [one.value for one in cases if one.case.agrees(case)]


@dataclass(frozen=True, eq=False)
class Trust:
    """A role in one case, and whom its trust policy means."""

    context: Context
    place: Place
    now: RoleNow
    policy: Policy
    meant: Meant
    where: ClassVar = "The trust policy"


@dataclass(frozen=True, eq=False)
class KeyUse:
    """A key in one case, and who may use it."""

    context: Context
    place: Place
    now: KeyNow
    policy: Policy
    roles: list[RoleNow]
    """The roles of the run that Pinecone assumes and that must be able to use it."""
    role_arns: list[str]
    """Those, and one that is not in the run but goes to Pinecone's console."""
    role_of_construct: str | None
    """The role that the construct of the key says it is for."""
    where: ClassVar = "The key policy"

    def is_own(self, name: str) -> bool:
        """Whether a principal is the key's account, or one of it."""
        found = parts(name, ":")
        return self.now.account in (name, found[4] if len(found) > 5 else None)

    @cached_property
    def foreigners(self) -> list[str]:
        """The AWS principals of other accounts that are let in by name."""
        every = (one for statement in allowing(self.policy) for one in statement.principals or ())
        names = dict.fromkeys(one.name for one in every if one.kind == "AWS" and one.name not in ("*", *self.role_arns))
        return [one for one in names if not (self.is_own(one) or DELETED.fullmatch(one) or is_unreadable(one))]


@dataclass(frozen=True)
class Permission:
    """A policy of a role."""

    ask: Questions
    attached: Attached
    role: str
    """Its ARN."""
    account: str
    """Of the role."""
    keys: list[str]
    """The ARNs of the keys that it must be able to use."""


def trusts(context: Context) -> Iterator[Trust]:
    """Each role in each case."""
    outputs = beside(context.found.outputs, "Role ARN", "External ID")
    ids = {place: {now.value for now in one.cases} for place, one in outputs}
    for place, cases in context.roles.items():
        promised = next(iter(ids[place])) if len(ids.get(place, ())) == 1 else None
        for now in (one.value for one in cases):
            yield Trust(context, place, now, now.trust, meant(now.trust, now.account, promised))


def key_uses(context: Context) -> Iterator[KeyUse]:
    """Each key in each case."""
    carried = dict(beside(context.found.outputs, "Key ARN", "Role ARN"))
    for key in context.found.keys:
        output = carried.get(key.place)
        for case, now in ((one.case, one.value) for one in key.cases):
            places = now.roles
            if not places and output and output.of and key.primary is None:
                places = frozenset({output.of})
            of_console = {one.value for one in output.cases} if output else set()
            others = sorted(arn for arn in of_console if f":iam::{now.account}:role/" in arn)
            every = context.roles_now(places, case)
            named = {name for statement in now.policy.statements for name in names_in(statement)}
            roles = [
                role for role in every if (role.arn in named or not now.roles) and meant(role.trust, role.account).roles
            ]
            arns = list(dict.fromkeys([*(role.arn for role in every), *others]))
            said = context.run.said_of(key.place.stack, key.place.logical_id, case)
            yield KeyUse(context, key.place, now, now.policy, roles, arns, said)


def permissions(context: Context) -> Iterator[Permission]:
    """Each policy of each role."""
    keys: dict[Place, dict[str, None]] = {}
    for now in (one.value for key in context.found.keys for one in key.cases):
        for place in now.roles:
            keys.setdefault(place, {})[now.arn] = None
    for one in context.found.attached:
        cases = context.roles.get(one.role)
        account = cases[0].value.account if cases else one.role.stack.account
        arns = [role.arn for role in context.roles_now([one.role], one.case)]
        role = arns[0] if arns else f"arn:aws:iam::{account}:role/x"
        yield Permission(context.ask, one, role, account, list(keys.get(one.role, ())))
