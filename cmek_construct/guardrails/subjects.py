"""What rules judge: role and key of Pinecone's in each case, with whom they mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

from cmek_construct import guide
from cmek_construct.checks import EXTERNAL_ID, REGION
from cmek_construct.policy import Policy, Statement, aws
from cmek_construct.policy.questions import Questions
from cmek_construct.policy.text import alone, is_unreadable
from cmek_construct.templates.choices import Case, InCase
from cmek_construct.templates.evidence import allowing, names_in
from cmek_construct.templates.found import Attached, Found, Now, Place, beside
from cmek_construct.templates.run import Run

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
    external_id: str | None
    roles: list[str]
    """The ARNs of Pinecone's roles that must come in: in the guide's third form those of the guide."""
    limit: guide.Policy
    """The guide's trust policies for all that is meant."""


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
    named = dict.fromkeys(one.groupdict().get("region") for one in forms if account and one["account"] == account)
    regions, is_third = list(filter(None, named)), None in named
    ids = [value for one in statements for value in one.compared(aws.EXTERNAL_ID)]
    presentable = (one for one in ids if (alone(one) or EXTERNAL_ID.fullmatch(one)) and not is_unreadable(one))
    external_id = promised or next(presentable, None)
    is_asked = bool(ids) or any("withID" in one.name for one in statements)
    limit = []
    if account and regions:
        limit.append(guide.trust_statement(account, regions, external_id or (_SOME_ID if is_asked else None)))
    if account and is_third and external_id:
        limit.append(guide.trust_statement(account, guide.ALL_REGIONS, external_id))
    must_come = dict.fromkeys([*regions, *(guide.PINECONE_REGIONS if is_third else ())])
    roles = [f"arn:aws:iam::{account}:role/{guide.ROLE_NAME_PREFIX}{region}" for region in must_come]
    return Meant(account, external_id, roles, guide.policy_document(*limit))


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
    def roles(self) -> dict[Place, tuple[InCase[Now], ...]]:
        """The roles that Pinecone assumes, in each case."""
        return {role.place: role.cases for role in self.found.roles}

    def roles_now(self, places: Iterable[Place], case: Case) -> list[Now]:
        """Roles as they are in a case of something else."""
        cases = (one for place in sorted(places, key=str) for one in self.roles.get(place, ()))
        return [one.value for one in cases if one.case.agrees(case)]

    def role_of(self, attached: Attached) -> tuple[str, str]:
        """The ARN and the account of the role that has a policy."""
        cases, now = self.roles.get(attached.role), self.roles_now([attached.role], attached.case)
        account = cases[0].value.account if cases else attached.role.stack.account
        return now[0].arn if now else f"arn:aws:iam::{account}:role/x", account

    @cached_property
    def keys(self) -> dict[Place, dict[str, None]]:
        """The ARNs of the keys that a role must be able to use, by the role."""
        found: dict[Place, dict[str, None]] = {}
        for now in (one.value for key in self.found.keys for one in key.cases):
            for place in now.roles:
                found.setdefault(place, {})[now.arn] = None
        return found


@dataclass(frozen=True, eq=False)
class Trust:
    """A role in one case, and whom its trust policy means."""

    context: Context
    place: Place
    now: Now
    meant: Meant
    where: ClassVar = "The trust policy"


@dataclass(frozen=True, eq=False)
class KeyUse:
    """A key in one case, and who may use it."""

    context: Context
    place: Place
    now: Now
    roles: list[Now]
    """The roles of the run that Pinecone assumes and that must be able to use it."""
    role_arns: list[str]
    """Those, and one that is not in the run but goes to Pinecone's console."""
    role_of_construct: str | None
    """The role that the construct of the key says it is for."""
    where: ClassVar = "The key policy"


def trusts(context: Context) -> Iterator[Trust]:
    """Each role in each case."""
    outputs = beside(context.found.outputs, "Role ARN", "External ID")
    ids = {place: {now.value for now in one.cases} for place, one in outputs}
    for place, cases in context.roles.items():
        promised = next(iter(ids[place])) if len(ids.get(place, ())) == 1 else None
        for now in (one.value for one in cases):
            yield Trust(context, place, now, meant(now.policy, now.account, promised))


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
                role
                for role in every
                if (role.arn in named or not now.roles) and meant(role.policy, role.account).roles
            ]
            arns = list(dict.fromkeys([*(role.arn for role in every), *others]))
            said = context.run.said_of(key.place.stack, key.place.logical_id, case)
            yield KeyUse(context, key.place, now, roles, arns, said)
