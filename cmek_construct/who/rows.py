"""Questions of who may do what, with their answers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

from cmek_construct.policy import Verdict
from cmek_construct.who.people import Somebody

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
Said = TypeVar("Said", bound=Hashable)


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
    unused: int | None = None
    """The days for which nobody must have used the key; before, the answer is no."""
    only_then: Verdict = Verdict.NO
    """The answer through these services, or once the key is unused."""

    @property
    def answer(self) -> str:
        """The answer in words."""
        by_iam = ", by IAM policies of the account" if self.only_then is Verdict.BY_ACCOUNT else ""
        if self.unused is not None:
            return f"only when unused for {self.unused} days{by_iam}"
        services = " or ".join(self.through)
        if not services:
            return self.verdict.value
        if self.verdict is Verdict.BY_ACCOUNT:
            return f"{self.verdict.value.removeprefix('only ')}, or through {services}"
        return f"only through {services}{by_iam}"


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
    different: str | None
    """That more than one account is taken for Pinecone's, in words."""
    roles: list[Row]
    keys: list[Row]

    @property
    def rows(self) -> list[Row]:
        """All of them."""
        return [*self.roles, *self.keys]


def together(rows: Iterable[Row], said: Callable[[Row], Said]) -> list[tuple[list[Somebody], dict[Said, list[Row]]]]:
    """Those who get the same answers, and the questions of one of them by what is said to them.

    Args:
        rows: about one role or key.
        said: the answer as it is shown.
    """
    each: dict[Somebody, dict[Said, list[Row]]] = {}
    for row in rows:
        each.setdefault(row.who, {}).setdefault(said(row), []).append(row)
    found: dict[object, tuple[list[Somebody], dict[Said, list[Row]]]] = {}
    for somebody, answers in each.items():
        same = tuple((answer, *((row.action, *row[3:6]) for row in some)) for answer, some in answers.items())
        found.setdefault(same, ([], answers))[0].append(somebody)
    return list(found.values())
