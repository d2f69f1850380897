"""Questions of who may do what, with their answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from cmek_construct.policy import Verdict
from cmek_construct.templates.stacks import Stack
from cmek_construct.who.people import Somebody

_BY_IAM: Final = ", by IAM policies of the account"
_PERSON: Final = re.compile("the account's (role|user)")


class Row(NamedTuple):
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
    through: tuple[str, ...] = ()
    """The AWS services for whose calls the answer is another one."""
    for_them: Verdict = Verdict.NO
    """That answer."""
    unused: int | None = None
    """The days for which nobody must have used the key; before, the answer is no."""

    @property
    def answer(self) -> str:
        """The answer in words."""
        if self.unused is not None:
            by_iam = self.verdict is Verdict.BY_ACCOUNT
            when = f"only when unused for {self.unused} days"
            return f"{when}{_BY_IAM if by_iam else ''}"
        services = " or ".join(self.through)
        if not services:
            return self.verdict.value
        if self.verdict is Verdict.BY_ACCOUNT:
            return f"{self.verdict.value.removeprefix('only ')}, or through {services}"
        by_iam = self.for_them is Verdict.BY_ACCOUNT
        return f"only through {services}{_BY_IAM if by_iam else ''}"


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
    roles: list[Row]
    keys: list[Row]

    @property
    def rows(self) -> list[Row]:
        """All of them."""
        return [*self.roles, *self.keys]


def shortened(rows: Sequence[Row], stack: Stack) -> list[Row]:
    """Rows in which what their own stack has is called without the name of the stack."""
    whom = {who: _somebody(who, stack) for who in dict.fromkeys(row.who for row in rows)}
    return [
        row._replace(
            who=whom[row.who],
            external_id=row.external_id and stack.short(row.external_id),
            doubt=row.doubt and stack.short(row.doubt),
        )
        for row in rows
    ]


def _somebody(who: Somebody, stack: Stack) -> Somebody:
    names = tuple(map(stack.short, who.but))
    return who._replace(words=stack.short(who.words), arn=stack.short(who.arn), but=names)


def called(rows: Sequence[Row]) -> list[Row]:
    """Who of the account may write the key policy is called a key administrator."""
    administrators = {
        row.who: row.who._replace(words=_PERSON.sub("key administrator", row.who.words))
        for row in rows
        if row.action == "kms:PutKeyPolicy" and row.answer == Verdict.YES.value
    }
    return [row._replace(who=administrators[row.who]) if row.who in administrators else row for row in rows]
