"""Who may do what by the templates: every principal against every action, with the answer.

Pure Python over plain data. No template shows the IAM policies of the accounts, nor the policies
of an organization: an answer says what the role's trust policy and the key policy say.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from cmek_construct.checks import printable
from cmek_construct.evaluation import CannotTell, Request, Result, evaluate
from cmek_construct.operations.reviewing.principals import (
    Place,
    Somebody,
    named_in,
    of_the_account,
    pinecone_account,
    sent_in,
)
from cmek_construct.operations.reviewing.stand_ins import listed
from cmek_construct.operations.reviewing.templates import Template
from cmek_construct.operations.reviewing.together import Recognized, recognized

NOT_SHOWN: Final = (
    "No template shows this: the account's own IAM policies can add to it, and an organization's "
    "SCPs and RCPs can take away."
)
ASSUME: Final = "sts:AssumeRole"
GRANT: Final = "kms:CreateGrant"
ON_KEY: Final = (
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:DescribeKey",
    GRANT,
    "kms:PutKeyPolicy",
    "kms:DisableKey",
    "kms:ScheduleKeyDeletion",
)
PINECONES: Final = "Pinecone's account"
STRANGERS: Final = "a stranger's account"
_GRANT_KEY: Final = "kms:GrantIsForAWSResource"
_WRONG_ID: Final = "a-wrong-external-id"


class Verdict(enum.Enum):
    """An answer."""

    YES = "yes"
    """The policy lets it. One of another account also needs leave of that account."""
    NO = "no"
    BY_IAM = "only by IAM policies of the account"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class Row:
    """One question and its answer."""

    resource: str
    """The logical ID of the role or the key that the question is about."""
    who: Somebody
    action: str
    presents: str | None = None
    """``right``, ``wrong`` or ``none``: the external ID, where there is one to present."""
    external_id: str | None = None
    for_aws_service: bool | None = None
    """Whether an AWS service asks on somebody's behalf, for a grant."""
    verdict: Verdict = Verdict.NO
    statement: str | None = None
    """The statement that decides, by its Sid or its number."""
    doubt: str | None = None
    """What is not evaluated here, and where it stands."""


@dataclass(frozen=True)
class Who:
    """All answers about one template."""

    template: str
    account: str
    account_is_known: bool
    stand_ins: Mapping[str, str]
    """What stands for a value that only the deploy knows, by its name in the template."""
    assumed: Mapping[str, str]
    """Parameters whose default decided a condition of the template."""
    own_permissions: Sequence[str]
    """Roles of Pinecone's that have permissions of their own in the template."""
    roles: list[Row] = field(default_factory=list)
    keys: list[Row] = field(default_factory=list)

    @property
    def rows(self) -> list[Row]:
        """All of them."""
        return [*self.roles, *self.keys]


def who(templates: Sequence[Template], account: str | None = None) -> list[Who]:
    """The answers about every template that has something of Pinecone's.

    Args:
        templates: which may import what others of them export.
        account: of templates that do not say theirs. Default: a stand-in.
    """
    found = recognized(templates, account)
    return [_Asker(one).who() for one in found if not one.is_empty]


class _Asker:
    """Asks everybody about the roles and keys of one template."""

    def __init__(self, template: Recognized) -> None:
        ours, stand_ins = template.ours, template.stand_ins
        self._name = template.name
        self._ours = ours
        self._stand_ins = stand_ins
        self._trust = {
            role.resource.logical_id: stand_ins.policy(
                role.resource.properties.get("AssumeRolePolicyDocument")
            )
            for role in ours.roles
        }
        self._use = {
            key.resource.logical_id: stand_ins.policy(
                key.resource.properties.get("KeyPolicy"), of_key=True
            )
            for key in ours.keys
        }
        pinecone = pinecone_account([*self._trust.values(), *self._use.values()])
        self._place = Place(
            stand_ins.account,
            pinecone or stand_ins.number(PINECONES),
            stand_ins.number(STRANGERS),
            {stand_ins.arn_of(logical_id): logical_id for logical_id in self._trust},
        )

    def who(self) -> Who:
        """All answers."""
        roles = [
            row for one, policy in self._trust.items() for row in self._about_role(one, policy)
        ]
        keys = [row for one, policy in self._use.items() for row in self._about_key(one, policy)]
        return Who(
            template=self._name,
            account=self._stand_ins.account,
            account_is_known=self._stand_ins.account_is_known,
            stand_ins=dict(self._stand_ins.values),
            assumed=dict(self._stand_ins.assumed),
            own_permissions=[
                role.resource.logical_id for role in self._ours.roles if role.permissions
            ],
            roles=roles,
            keys=keys,
        )

    def _about_role(self, logical_id: str, policy: Mapping[str, Any]) -> Iterator[Row]:
        ids = dict.fromkeys(one for one in sent_in(policy, "sts:externalid") if "${" not in one)
        presented = [("right", one) for one in ids] + [("wrong", _WRONG_ID), ("none", None)]
        asked = _Asked(policy, self._place.account, None)
        for somebody in self._only(logical_id).who_may_assume(policy):
            for presents, external_id in presented:
                row = Row(logical_id, somebody, ASSUME, presents, external_id)
                yield asked.answer(row, {"sts:ExternalId": external_id})
        yield from asked.not_answered(logical_id)

    def _about_key(self, logical_id: str, policy: Mapping[str, Any]) -> Iterator[Row]:
        account = self._place.account
        asked = _Asked(policy, account, f"arn:aws:kms:region:{account}:key/{logical_id}")

        def call(arn: str) -> str:
            manages = asked.answer(Row(logical_id, Somebody("", arn), "kms:PutKeyPolicy"), {})
            return "key administrator" if manages.verdict is Verdict.YES else of_the_account(arn)

        for somebody in self._place.who_may_use(policy, call):
            for action in ON_KEY:
                for service in (True, False) if action == GRANT else (None,):
                    row = Row(logical_id, somebody, action, for_aws_service=service)
                    sent = None if service is None else str(service).lower()
                    yield asked.answer(row, {_GRANT_KEY: sent})
        yield from asked.not_answered(logical_id)

    def _only(self, logical_id: str) -> Place:
        """The place with this role alone: others of the template are asked about by themselves."""
        own = {arn: one for arn, one in self._place.roles.items() if one == logical_id}
        return replace(self._place, roles=own)


@dataclass(frozen=True)
class _Asked:
    """One policy, of which questions are asked."""

    policy: Mapping[str, Any]
    owner: str
    """The account of the role or key."""
    resource: str | None

    def answer(self, row: Row, sent: Mapping[str, str | None]) -> Row:
        """A row with its answer. What AWS says of the principal in every request is known."""
        who = row.who
        context = {
            "aws:PrincipalArn": who.arn,
            "aws:PrincipalAccount": who.account,
            "aws:PrincipalIsAWSService": "false",
            "aws:SecureTransport": "true",
            "kms:CallerAccount": None if self.resource is None else who.account,
            **sent,
        }
        try:
            answer = evaluate(self.policy, Request(who.arn, row.action, self.resource, context))
        except CannotTell as doubt:
            return replace(row, verdict=Verdict.CANNOT_TELL, doubt=str(doubt))
        if answer.statement is None:
            return row
        name = self._name_of(answer.statement)
        if answer.result is Result.DENIED:
            return replace(row, statement=name)
        if not answer.by_account or who.account != self.owner:
            return replace(row, verdict=Verdict.YES, statement=name)
        if who.own_policies is False:
            return row
        return replace(row, verdict=Verdict.BY_IAM, statement=name)

    def not_answered(self, logical_id: str) -> Iterator[Row]:
        """One row for each who is let in and is nobody who can be asked about."""
        for one in named_in(self.policy):
            if one.statement.get("Effect") != "Deny" and not one.is_askable:
                yield Row(
                    logical_id,
                    Somebody(f"{printable(one.kind)} {printable(one.name)}", ""),
                    ", ".join(map(str, listed(one.statement.get("Action", "NotAction")))),
                    verdict=Verdict.CANNOT_TELL,
                    statement=self._name_of(one.statement),
                    doubt=f"{printable(one.kind)} {printable(one.name)} is not evaluated here",
                )

    def _name_of(self, statement: Mapping[str, Any]) -> str:
        """Its Sid, or its number."""
        number = next(
            index for index, one in enumerate(self.policy["Statement"], 1) if one is statement
        )
        sid = statement.get("Sid")
        return printable(sid) if sid else f"statement {number}"
