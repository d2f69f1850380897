"""Who may do what by the templates: everybody who is asked about, with each answer.

Pure Python over plain data. No template shows the IAM policies of the accounts, nor the policies
of an organization: an answer says what the role's trust policy and the key policy say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from cmek_construct.checks import printable
from cmek_construct.guardrails.template import OWN_ACCOUNT, Resource
from cmek_construct.operations.reviewing.as_written import EXTERNAL_ID, Written, policies
from cmek_construct.operations.reviewing.people import (
    People,
    Somebody,
    not_asked,
    pinecone_account,
)
from cmek_construct.operations.reviewing.templates import Template
from cmek_construct.operations.reviewing.together import Recognized, recognized
from cmek_construct.policy import CannotBeJudged, Request, Said, Statement, Verdict, answers
from cmek_construct.policy.statements import Kind

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
FACTS: Final[Mapping[str, str | None]] = {
    "aws:SecureTransport": "true",
    "aws:ViaAWSService": "false",
    "aws:CalledVia": None,
    "aws:CalledViaFirst": None,
    "aws:CalledViaLast": None,
    "kms:ViaService": None,
}
"""What every request has: somebody asks AWS over TLS, and not through one of its services."""
_GRANT_KEY: Final = "kms:GrantIsForAWSResource"
_OTHER_ID: Final = "another-external-id"


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
    """What is not known, and where it stands."""


@dataclass(frozen=True)
class Who:
    """All answers about one template."""

    template: str
    account: str
    account_is_known: bool
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
        account: of templates that do not say theirs. Default: it is not known.
    """
    found = recognized(templates, account)
    return [_Asker(one).who() for one in found if not one.is_empty]


class _Asker:
    """Asks everybody about the roles and keys of one template."""

    def __init__(self, one: Recognized) -> None:
        self._one = one
        self._account = one.template.account
        self._trust = {
            role.resource.logical_id: self._read(role.resource, "trust") for role in one.ours.roles
        }
        self._use = {
            key.resource.logical_id: self._read(key.resource, "key") for key in one.ours.keys
        }
        read = [*self._trust.values(), *self._use.values()]
        self._written = [each for some in read if not isinstance(some, str) for each in some]
        self._pinecone = pinecone_account((each.policy for each in self._written), self._account)

    def _read(self, resource: Resource, kind: Kind) -> list[Written] | str:
        """The policy in each case, or why it can't be judged."""
        try:
            return list(policies(self._one, resource, kind))
        except CannotBeJudged as error:
            return str(error)

    def who(self) -> Who:
        """All answers."""
        ours = self._one.ours
        return Who(
            template=self._one.name,
            account=self._account,
            account_is_known=self._account != OWN_ACCOUNT,
            roles=[row for name, some in self._trust.items() for row in self._about(name, some)],
            keys=[row for name, some in self._use.items() for row in self._about(name, some)],
            assumed={name: value for one in self._written for name, value in one.assumed.items()},
            own_permissions=[one.resource.logical_id for one in ours.roles if one.permissions],
        )

    def _about(self, logical_id: str, written: list[Written] | str) -> list[Row]:
        """The rows about one role or key."""
        if isinstance(written, str):
            return [_not_judged(logical_id, logical_id in self._trust, written)]
        rows = list(
            dict.fromkeys(row for one in written for row in self._questions(logical_id, one))
        )
        try:
            said = [answers(one.policy, [self._request(row) for row in rows]) for one in written]
        except CannotBeJudged as error:
            return [_not_judged(logical_id, logical_id in self._trust, str(error))]
        answered = [
            _answered(row, each, written)
            for row, each in zip(rows, zip(*said, strict=True), strict=True)
        ]
        more = dict.fromkeys(row for one in written for row in _not_asked(logical_id, one))
        return [*_called(answered), *more]

    def _request(self, row: Row) -> Request:
        """One question. Who is of another account has the leave of that account, which it needs."""
        context = dict(FACTS)
        if row.action == ASSUME:
            context["sts:ExternalId"] = row.external_id
        if row.for_aws_service is not None:
            context[_GRANT_KEY] = str(row.for_aws_service).lower()
        who, own = row.who, row.who.own_policies
        if who.account is not None and who.account != self._account:
            own = True
        elif own:
            own = None
        return Request(who.arn, row.action, context=context, own=own, but=who.but)

    def _questions(self, logical_id: str, written: Written) -> Iterator[Row]:
        people = People(written.policy, self._account, self._pinecone, written.people)
        ours = {arn: name for arn, name in written.people.items() if name in self._trust}
        if written.policy.kind == "trust":
            (role,) = (arn for arn, name in ours.items() if name == logical_id)
            ids = list(_presented(written))
            for somebody in people.who_may_assume(role):
                yield from (Row(logical_id, somebody, ASSUME, *one) for one in ids)
            return
        for somebody in people.who_may_use(ours):
            for action in ON_KEY:
                for service in (True, False) if action == GRANT else (None,):
                    yield Row(logical_id, somebody, action, for_aws_service=service)


def _presented(written: Written) -> Iterator[tuple[str, str | None]]:
    """The external IDs to present: each that is asked for, another, and none."""
    ids = {
        value: None
        for statement in written.policy.statements
        for one in statement.conditions
        if one.key.lower() == EXTERNAL_ID
        for value in one.values
    }
    yield from (("right", one) for one in ids)
    yield "wrong", next(one for one in (_OTHER_ID, f"{_OTHER_ID}-2") if one not in ids)
    yield "none", None


def _answered(row: Row, said: Sequence[Said], written: Sequence[Written]) -> Row:
    """A row with its answer: the one that is given in every case of the template's conditions."""
    first, name = said[0], _name(said[0].statement)
    if len({one.verdict for one in said}) > 1:
        names = [
            name
            for name in written[0].conditions
            if len({one.conditions.get(name) for one in written}) > 1
        ]
        doubt = f"the template's condition {', '.join(map(printable, names))}"
        return replace(row, verdict=Verdict.CANNOT_TELL, doubt=doubt)
    if first.verdict is Verdict.CANNOT_TELL:
        doubt = ", ".join(map(printable, first.hangs_on)) or "what it says is not known"
        return replace(
            row, verdict=first.verdict, statement=name, doubt=f"{name}: {doubt}" if name else doubt
        )
    return replace(row, verdict=first.verdict, statement=name)


def _name(statement: Statement | None) -> str | None:
    """Its Sid, or its number."""
    if statement is None:
        return None
    sid = statement.raw.get("Sid") if isinstance(statement.raw, dict) else None
    return printable(sid if isinstance(sid, str) and sid else statement.name)


def _called(rows: Sequence[Row]) -> list[Row]:
    """Who of the account may write the key policy is called a key administrator."""
    administrators = {
        row.who: replace(
            row.who,
            words=row.who.words.replace("the account's role", "key administrator").replace(
                "the account's user", "key administrator"
            ),
        )
        for row in rows
        if row.action == "kms:PutKeyPolicy" and row.verdict is Verdict.YES
    }
    return [replace(row, who=administrators.get(row.who, row.who)) for row in rows]


def _not_asked(logical_id: str, written: Written) -> Iterator[Row]:
    """One row for each who is let in and is nobody who can be asked about."""
    for statement, words, doubt in not_asked(written.policy):
        yield Row(
            logical_id,
            Somebody(printable(words), ""),
            printable(", ".join(statement.actions or ("all but some",))),
            verdict=Verdict.CANNOT_TELL if doubt else Verdict.NO,
            statement=_name(statement),
            doubt=printable(doubt) if doubt else None,
        )


def _not_judged(logical_id: str, is_role: bool, why: str) -> Row:
    action = ASSUME if is_role else ", ".join(ON_KEY)
    somebody = Somebody("anybody", "arn:aws:iam::*:*")
    return Row(
        logical_id,
        somebody,
        action,
        verdict=Verdict.CANNOT_TELL,
        doubt=f"it cannot be judged: {why}",
    )
