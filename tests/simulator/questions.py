"""The questions: a table is one request that is let in, and what becomes of it by one change."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from tests import forms
from tests.simulator.aws_pages import Page
from tests.simulator.deployed import Deployed
from tests.simulator.simulator import Answer, Policy, Request, Result, simulate

EVERYTHING: Policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
"""The most that the caller's own account can give it: what then is denied, our policies deny."""

ANOTHER_KEY = f"arn:aws:kms:{forms.REGION}:{forms.CUSTOMER}:key/{'0' * 8}-0000-4000-8000-{'0' * 12}"
DEFAULT_KEY_POLICY: Policy = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Enable IAM policies",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{forms.CUSTOMER}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}
"""As the page "Default key policy" shows it."""


@dataclass(frozen=True)
class Caller:
    """Somebody who calls AWS."""

    arn: str | None
    """Of a role, a user or an account's root; the name of an AWS service; None if unsigned."""

    @property
    def account(self) -> str | None:
        return self.arn.split(":")[4] if self.arn and self.arn.startswith("arn:") else None

    @property
    def principals(self) -> list[str | None]:
        """As whom the simulator is asked.

        A role acts through a session. The session's ARN has no path, so the simulator would take ``role/path/name`` for
        ``role/name``, which AWS tells apart (a trust policy holds the role's unique ID): a role with a path is asked
        about by the role's own ARN, and one without by both, which must agree.
        """
        if self.arn is None or ":role/" not in self.arn:
            return [self.arn]
        *path, name = self.arn.partition(":role/")[2].split("/")
        session = f"arn:aws:sts::{self.account}:assumed-role/{name}/session"
        return [self.arn] if path else [self.arn, session]

    @property
    def context(self) -> dict[str, str]:
        """What AWS itself says about the caller in every request."""
        if self.arn is None:
            return {}
        if self.account is None:
            return {"aws:PrincipalIsAWSService": "true", "aws:PrincipalServiceName": self.arn}
        return {
            "aws:PrincipalArn": self.arn,
            "aws:PrincipalAccount": self.account,
            "aws:PrincipalIsAWSService": "false",
        }


THE_ROLE = Caller("the role of the form")


@dataclass(frozen=True)
class Question:
    """May this caller do this, with the policies of this form?"""

    form: str
    caller: Caller
    action: str
    external_id: str | None = None
    for_aws_resource: bool | None = None
    """Whether an AWS service asks on the caller's behalf: ``kms:GrantIsForAWSResource``."""
    another_key: bool = False
    """Whether it is about another key of the account, with the policy that KMS gives a key."""
    own_policies: bool = True
    """Whether the caller's own account lets it do everything, or nothing.

    For the role of the form it is beside what the template gives it.
    """

    def requests(self) -> list[Request]:
        deployed = deployed_form(self.form)
        the_role = self.caller == THE_ROLE
        caller = Caller(deployed.role_arn) if the_role else self.caller
        own = [EVERYTHING] if self.own_policies and caller.account else []
        if the_role:
            own += deployed.role_policies
        context = caller.context
        if self.external_id is not None:
            context["sts:ExternalId"] = self.external_id
        if self.for_aws_resource is not None:
            context["kms:GrantIsForAWSResource"] = str(self.for_aws_resource).lower()
        if self.action.startswith("sts:"):
            resource, policy = deployed.role_arn, deployed.trust_policy
        elif self.another_key:
            resource, policy = ANOTHER_KEY, DEFAULT_KEY_POLICY
        else:
            resource, policy = deployed.key_arn, deployed.key_policy
        return [
            Request(
                principal=principal,
                action=self.action,
                resource=resource,
                account=forms.CUSTOMER,
                resource_policy=policy,
                identity_policies=own,
                context=context,
            )
            for principal in caller.principals
        ]


@functools.cache
def deployed_form(form: str) -> Deployed:
    """The policies of a form, as they will stand in the customer's account."""
    return Deployed(forms.template(form), forms.CUSTOMER, forms.REGION, forms.PARAMETERS)


@dataclass(frozen=True)
class Row:
    """What becomes of a table's request by one change."""

    words: str
    answer: Result
    page: Page
    change: Mapping[str, Any]


def row(words: str, answer: Result, page: Page, **change: Any) -> Row:
    """A row of a table: ``change`` says what is different from the table's request."""
    return Row(words, answer, page, change)


@dataclass(frozen=True)
class Table:
    """A request that AWS allows, and what becomes of it by one change at a time."""

    words: str
    page: Page
    request: Mapping[str, Any]
    rows: Sequence[Row] = field(default_factory=list)

    def of(self, form: str) -> Iterator[Case]:
        """Every question of the table about one form."""
        control = Question(form=form, **self.request)
        yield from cases(f"{form}: {self.words}", self.page, control, self.rows)


class Asks(Protocol):
    """What can be asked: the requests of a question must all be answered alike."""

    def requests(self) -> list[Request]: ...


AnyQuestion = TypeVar("AnyQuestion", bound=Asks)


@dataclass(frozen=True)
class CaseOf(Generic[AnyQuestion]):
    """One question, the answer of AWS's documentation, and the control that is let in."""

    words: str
    question: AnyQuestion
    answer: Result
    page: Page
    control: AnyQuestion

    def __str__(self) -> str:
        return f"{self.words} - {self.answer.name.lower().replace('_', ' ')}"

    @property
    def with_its_page(self) -> str:
        """The case, and what AWS says to it where."""
        return f"{self}: {self.page.title} ({self.page.path}): {self.page.says}"

    def is_answered(self, answers: Mapping[Any, Answer]) -> bool:
        """Whether the answer is AWS's, and the control is let in."""
        control = answers[self.control].result
        return answers[self.question].result == self.answer and control == Result.ALLOWED

    @property
    def differs_in(self) -> list[str]:
        """In what the question differs from its control."""
        return [name for name in vars(self.question) if self._of(name) != self._of(name, True)]

    def _of(self, name: str, control: bool = False) -> object:
        return getattr(self.control if control else self.question, name)


Case: TypeAlias = CaseOf[Question]


def cases(words: str, page: Page, control: AnyQuestion, rows: Sequence[Row]) -> list[CaseOf[AnyQuestion]]:
    """The control, which AWS allows, and what becomes of it by the change of each row."""
    found = [CaseOf(words, control, Result.ALLOWED, page, control)]
    for row in rows:
        question = replace(control, **row.change)  # type: ignore[type-var]
        found.append(CaseOf(f"{words}, but {row.words}", question, row.answer, row.page, control))
    return found


def ask(questions: Sequence[AnyQuestion]) -> dict[AnyQuestion, Answer]:
    """The simulator's answer to each question.

    Raises:
        AssertionError: a role and its session are answered differently.
    """
    asked = [(question, request) for question in questions for request in question.requests()]
    answers: dict[AnyQuestion, Answer] = {}
    for (question, _), answer in zip(asked, simulate([request for _, request in asked]), strict=True):
        before = answers.setdefault(question, answer)
        assert before.result == answer.result, f"{question}: role and session disagree"
    return answers
