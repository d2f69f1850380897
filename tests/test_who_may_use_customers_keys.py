"""Who may use the keys of customers: a vendor's role in one account, their keys in others.

An independent policy simulator answers, over the synthesized documents. Every expected answer comes from a page of
AWS's documentation (`simulator/aws_pages.py`), and every denied question stands beside an allowed one that differs from
it in one thing.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from tests.forms import PINECONE, VENDOR
from tests.simulator import who_may_use_customers_keys as using
from tests.simulator import who_may_use_the_key as key
from tests.simulator import who_rules_customers_keys as ruling
from tests.simulator.customers_forms import FORMS, A, B, deployed_form
from tests.simulator.customers_questions import Question, Swapped
from tests.simulator.questions import THE_ROLE, ask
from tests.simulator.simulator import Answer, Policy, Result, actions_on

CASES = [*using.CASES, *ruling.CASES]


def _role(
    vendor: str = "two_customers", key: str = "a_key", own_policies: bool = False, for_aws_resource: bool | None = None
) -> Question:
    return Question(vendor, key, THE_ROLE, "kms:*", own_policies, for_aws_resource=for_aws_resource)


EVERY_ACTION: list[tuple[str, Question, list[str]]] = [
    ("with what the guide gives it", _role(), key.ENCRYPTING),
    ("with everything else allowed", _role(own_policies=True), key.ENCRYPTING),
    ("as a key user, with what the guide gives it", _role(key="a_key_user"), key.ENCRYPTING),
    ("as a key user by itself", _role(key="a_key_user", own_policies=True), key.USING),
    (
        "as a key user through an AWS service",
        _role(key="a_key_user", own_policies=True, for_aws_resource=True),
        [*key.USING, *key.GRANTING],
    ),
    ("while suspended", _role(key="a_key_user_suspended", own_policies=True), []),
    ("with a key that does not name it", _role(key="a_plain", own_policies=True), []),
    ("with a key of no customer", _role(key="key_of_a_third"), []),
    ("without customers", _role(vendor="no_customers"), []),
    ("with another key than its one", _role(vendor="one_key_of_a", key="a_sibling"), []),
    ("of the app's stack", _role(vendor="by_cmek_yaml"), key.ENCRYPTING),
]
"""What the vendor's role may do, of all that can be done with a key."""

QUESTIONS = list(dict.fromkeys(one for case in CASES for one in (case.question, case.control)))
VENDORS = list(dict.fromkeys(question.vendor for question in QUESTIONS))
KEYS = list(dict.fromkeys(question.key for question in QUESTIONS))
SWAPS = list(itertools.combinations([PINECONE, VENDOR, A, B], 2))


def each_action(role: Question) -> list[Question]:
    """The same, action by action: also those that the tables do not name."""
    every = actions_on("kms", "key")
    assert len(every) > 40
    return [
        replace(role, action=action, for_aws_resource=role.for_aws_resource if action in key.GRANTING else None)
        for action in every
    ]


@pytest.fixture(scope="module")
def answers() -> dict[Question | Swapped, Answer]:
    """The simulator's answers to all questions, as they are and with accounts swapped, at once."""
    swapped = [Swapped(case.question, *pair) for pair in SWAPS for case in CASES]
    every = [question for _, role, _ in EVERY_ACTION for question in each_action(role)]
    return ask([*QUESTIONS, *swapped, *every])


def test_who_may_use_the_keys_of_customers(answers: dict[Question | Swapped, Answer]) -> None:
    assert [case.with_its_page for case in CASES if not case.is_answered(answers)] == []


@pytest.mark.parametrize(("one", "other"), SWAPS)
def test_two_accounts_taken_for_each_other_do_not_go_unseen(
    one: str, other: str, answers: dict[Question | Swapped, Answer]
) -> None:
    wrong = [case for case in CASES if answers[Swapped(case.question, one, other)].result != case.answer]
    assert len(wrong) >= 10


@pytest.mark.parametrize(
    ("role", "allowed"),
    [(role, allowed) for _, role, allowed in EVERY_ACTION],
    ids=[words for words, _, _ in EVERY_ACTION],
)
def test_of_all_actions_on_a_key_the_vendors_role_may_do_these_and_no_other(
    role: Question, allowed: list[str], answers: dict[Question | Swapped, Answer]
) -> None:
    found = [question.action for question in each_action(role) if answers[question].result == Result.ALLOWED]
    assert found == sorted(allowed)


def test_there_are_a_hundred_questions_and_more() -> None:
    assert len(QUESTIONS) >= 100


def test_every_question_differs_from_its_allowed_control_in_one_thing() -> None:
    for case in CASES:
        if case.question == case.control:
            assert case.answer == Result.ALLOWED, str(case)
        else:
            assert len(case.differs_in) == 1, str(case)


def test_every_form_is_asked_about() -> None:
    asked = {form for question in QUESTIONS for form in (question.vendor, question.key)}
    assert asked == set(FORMS)


def test_no_two_questions_have_the_same_words() -> None:
    words = [str(case) for case in CASES]
    assert len(words) == len(set(words))


def test_the_same_question_has_the_same_answer_everywhere() -> None:
    expected: dict[Question, Result] = {}
    for case in CASES:
        assert expected.setdefault(case.question, case.answer) == case.answer, str(case)


def test_every_expected_answer_has_its_page_of_aws() -> None:
    for case in CASES:
        page = case.page
        assert page.path.startswith(("IAM/latest/UserGuide/", "kms/latest/developerguide/"))
        assert page.title
        assert page.says


# What the tables may have forgotten to ask.

REACHED = [case.question for case in CASES if case.answer != Result.DENIED]
"""Those that a statement is about: one that lets in, or the denial that stands beside it."""


def several(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def arn(question: Question) -> str | None:
    the_role = question.caller == THE_ROLE
    return deployed_form(question.vendor).role_arn if the_role else question.caller.arn


def principals(policy: Policy) -> set[str]:
    """Whom a policy lets in."""
    return {
        principal
        for statement in policy["Statement"]
        if statement["Effect"] == "Allow"
        for principal in several(statement["Principal"]["AWS"])
    }


@pytest.mark.parametrize("form", KEYS)
def test_a_key_names_its_owner_and_nobody_whom_the_tables_do_not_let_in(form: str) -> None:
    owner = f"arn:aws:iam::{FORMS[form].account}:root"
    named = principals(deployed_form(form).key_policy)
    assert owner in named
    assert named - {owner} <= {arn(question) for question in REACHED if question.key == form}


@pytest.mark.parametrize("form", VENDORS)
def test_a_vendors_role_names_no_account_that_the_tables_do_not_let_it_into(form: str) -> None:
    named = {
        resource.split(":")[4]
        for policy in deployed_form(form).role_policies
        for statement in policy["Statement"]
        for resource in several(statement["Resource"])
    }
    own = [question for question in REACHED if not question.own_policies]
    assert named <= {FORMS[question.key].account for question in own if question.vendor == form}


@pytest.mark.parametrize("form", VENDORS)
def test_a_vendors_role_lets_in_pinecone_alone(form: str) -> None:
    named = principals(deployed_form(form).trust_policy)
    assert named == {arn(question) for question in REACHED if question.action == ruling.ASSUME}
