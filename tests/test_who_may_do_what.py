"""Who may assume the role, and who may do what with the key, form by form.

An independent policy simulator answers, over the synthesized documents. Every expected answer comes from a page of
AWS's documentation (`simulator/aws_pages.py`), and every denied question stands beside an allowed one that differs from
it in one thing.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import forms
from tests.simulator import who_may_assume as role
from tests.simulator import who_may_use_the_key as key
from tests.simulator.questions import THE_ROLE, Caller, Case, Question, Table, ask, deployed_form
from tests.simulator.simulator import Answer, Policy, Result, actions_on

# Which table is asked of which form. A change that should not matter is asked briefly.

TRUST_TABLES: list[tuple[str, Table]] = [
    ("explicit_with_id", role.EXPLICIT_WITH_ID),
    ("explicit_without_id", role.EXPLICIT_WITHOUT_ID),
    ("all_regions", role.ALL_REGIONS),
    ("all_regions_pinned", role.ALL_REGIONS),
    ("one_region", role.ONE_REGION),
    ("every_region_of_the_guide", role.EVERY_REGION_OF_THE_GUIDE),
    ("own_role", role.EXPLICIT_WITH_ID),
    ("environment_agnostic", role.EXPLICIT_WITH_ID),
    ("policies_minimized", role.EXPLICIT_WITH_ID),
    ("encrypt_decrypt", role.BRIEFLY),
    ("with_key_admins", role.BRIEFLY),
    ("role_with_own_policy", role.BRIEFLY),
    ("control_tower_deny", role.BRIEFLY),
    ("own_key", role.BRIEFLY),
    ("own_role_and_key", role.BRIEFLY),
    ("imported_key", role.BRIEFLY),
    ("own_role_imported_key", role.BRIEFLY),
    ("role_alone", role.BRIEFLY),
    ("every_other_prop", role.BRIEFLY),
    ("protected_key", role.BRIEFLY),
    ("protected_key_suspended", role.BRIEFLY),
    # A suspension by the key policy leaves the trust policy alone; the other kind closes it.
    ("suspended", role.BRIEFLY),
    ("suspended_all_regions", role.ALL_REGIONS),
    ("suspended_role_with_own_policy", role.BRIEFLY),
    ("own_key_suspended", role.BRIEFLY),
    *role.suspension("imported_key", "imported_key_suspended"),
    *role.suspension("own_role_imported_key", "own_role_imported_key_suspended"),
    *role.suspension("role_alone", "role_alone_suspended"),
]

KEY_TABLES: list[tuple[str, Table]] = [
    ("explicit_with_id", key.ROLE_USES_KEY),
    ("explicit_with_id", key.ROLE_GRANTS),
    ("explicit_with_id", key.ROOT_MANAGES),
    ("explicit_without_id", key.BRIEFLY),
    ("all_regions", key.BRIEFLY),
    ("all_regions_pinned", key.BRIEFLY),
    ("one_region", key.BRIEFLY),
    ("every_region_of_the_guide", key.BRIEFLY),
    ("own_role", key.BRIEFLY),
    ("own_role_and_key", key.BRIEFLY),
    ("every_other_prop", key.BRIEFLY),
    ("protected_key", key.BRIEFLY),
    ("encrypt_decrypt", key.ROLE_ENCRYPTS_ALONE),
    ("with_key_admins", key.ROLE_USES_KEY),
    ("with_key_admins", key.ADMIN_MANAGES),
    ("policies_minimized", key.ROLE_USES_KEY),
    ("policies_minimized", key.ROLE_GRANTS),
    ("policies_minimized", key.ADMIN_MANAGES),
    ("own_key", key.ROLE_USES_KEY),
    ("own_key", key.ROLE_GRANTS),
    ("environment_agnostic", key.ROLE_USES_KEY),
    ("environment_agnostic", key.ROOT_MANAGES),
    ("control_tower_deny", key.grants_through_services_alone("the role", THE_ROLE)),
    ("control_tower_deny", key.grants_through_services_alone("the root user", key.ROOT)),
    ("key_for_a_role_of_another_account", key.VENDOR_USES_KEY),
    *key.suspension("explicit_with_id", "suspended"),
    *key.suspension("all_regions", "suspended_all_regions"),
    *key.suspension("own_key", "own_key_suspended"),
    *key.suspension("protected_key", "protected_key_suspended"),
    *key.suspension("role_with_own_policy", "suspended_role_with_own_policy"),
]

TABLES = [*TRUST_TABLES, *KEY_TABLES, *((form, key.ACCOUNT_DELEGATES) for form in forms.FORMS_WITH_A_KEY)]
CASES: list[Case] = list(dict.fromkeys(case for form, table in TABLES for case in table.of(form)))


@pytest.fixture(scope="module")
def answers() -> dict[Question, Answer]:
    """The simulator's answers to all cases and their controls, asked at once."""
    questions = {case.question for case in CASES} | {case.control for case in CASES}
    return ask(list(questions))


def test_who_may_do_what(answers: dict[Question, Answer]) -> None:
    assert [case.with_its_page for case in CASES if not case.is_answered(answers)] == []


def test_every_question_differs_from_its_allowed_control_in_one_thing() -> None:
    for case in CASES:
        if case.question == case.control:
            assert case.answer == Result.ALLOWED, str(case)
        else:
            assert len(case.differs_in) == 1, str(case)


def test_every_form_is_asked_about() -> None:
    assert {case.question.form for case in CASES} == set(forms.FORMS)


def test_no_two_questions_have_the_same_words() -> None:
    words = [str(case) for case in CASES]
    assert len(words) == len(set(words))


def test_every_expected_answer_has_its_page_of_aws() -> None:
    for case in CASES:
        page = case.page
        assert page.path.startswith(("IAM/latest/UserGuide/", "kms/latest/developerguide/"))
        assert page.title
        assert page.says


# What the tables may have forgotten to ask.


def policies(form: str) -> Iterator[Policy]:
    """The trust policy and the key policy of a form, with concrete ARNs."""
    deployed = deployed_form(form)
    if deployed.has("AWS::IAM::Role"):
        yield deployed.trust_policy
    if deployed.has("AWS::KMS::Key"):
        yield deployed.key_policy


def several(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def let_in(form: str) -> set[str | None]:
    """Whom the tables let in: to this form, or (while suspended) to the form beside it."""
    asked = {
        case.control if case.differs_in == ["form"] else case.question
        for case in CASES
        if case.question.form == form and (case.answer == Result.ALLOWED or case.differs_in == ["form"])
    }
    return {
        deployed_form(question.form).role_arn if question.caller == THE_ROLE else question.caller.arn
        for question in asked
    }


@pytest.mark.parametrize("form", forms.FORMS)
def test_every_principal_that_a_form_names_is_somebody_whom_the_tables_let_in(form: str) -> None:
    """A principal more than AWS's pages and the guide speak of has no row that lets it in."""
    named = {
        principal
        for policy in policies(form)
        for statement in policy["Statement"]
        for principal in several(statement["Principal"]["AWS"])
        if statement["Effect"] == "Allow"
    }
    # Asked about at length, by `who_may_assume.outsiders`: who matches these and stays outside.
    if form in ("all_regions", "suspended_all_regions"):
        named.remove("*")
    if form == "all_regions_pinned":
        named.remove(f"arn:aws:iam::{forms.PINECONE}:root")
    assert named
    assert named <= let_in(form)


@pytest.mark.parametrize("form", forms.FORMS)
def test_a_form_says_nothing_that_these_questions_do_not_reach(form: str) -> None:
    for policy in policies(form):
        for statement in policy["Statement"]:
            assert set(statement["Principal"]) == {"AWS"}
            assert set(statement) - {"Sid", "Condition", "Resource"} == {"Effect", "Principal", "Action"}
            if any(action.startswith("sts:") for action in several(statement["Action"])):
                assert several(statement["Action"]) == [role.ASSUME]
                assert "Resource" not in statement
            else:
                assert statement["Resource"] == "*"


@pytest.mark.parametrize("form", forms.FORMS)
def test_a_role_has_no_policy_of_its_own_but_what_the_user_gives_it(form: str) -> None:
    """So that it has no leave for anything but this key, whatever other keys and buckets say."""
    deployed = deployed_form(form)
    if deployed.has("AWS::IAM::Role"):
        given_one = form in ("role_with_own_policy", "suspended_role_with_own_policy")
        assert bool(deployed.role_policies) == given_one


EVERY_ACTION: dict[str, tuple[str, Caller, bool, list[str]]] = {
    "a key user by itself": ("explicit_with_id", THE_ROLE, False, key.USING),
    "a key user through an AWS service": ("explicit_with_id", THE_ROLE, True, [*key.USING, *key.GRANTING]),
    "a key user of a given key by itself": ("own_key", THE_ROLE, False, key.USING),
    "a key user of a given key through an AWS service": ("own_key", THE_ROLE, True, [*key.USING, *key.GRANTING]),
    "a key user beside administrators": ("with_key_admins", THE_ROLE, False, key.USING),
    "a key user under minimized policies": ("policies_minimized", THE_ROLE, False, key.USING),
    "a role that only encrypts and decrypts": ("encrypt_decrypt", THE_ROLE, True, key.ENCRYPTING),
    "a suspended role": ("suspended", THE_ROLE, True, []),
    "a suspended role with a policy of its own": ("suspended_role_with_own_policy", THE_ROLE, True, []),
    "a suspended role of a given key": ("own_key_suspended", THE_ROLE, True, []),
    "another role without a policy": ("explicit_with_id", key.OTHER_ROLE, True, []),
    "a key administrator": ("with_key_admins", key.ADMIN, False, [*key.MANAGING, *key.MANAGING_BY_WILDCARD]),
    "a key administrator under minimized policies": (
        "policies_minimized",
        key.ADMIN,
        False,
        [*key.MANAGING, *key.MANAGING_BY_WILDCARD],
    ),
}
"""Who, by the form, the caller and whether an AWS service asks for it, and what is allowed."""


def test_of_all_actions_on_a_key_these_and_no_other_are_allowed() -> None:
    """Every action that AWS has for keys, also those that the tables do not name."""
    every = actions_on("kms", "key")
    assert len(every) > 40
    questions = {
        (who, action): Question(
            form=form,
            caller=caller,
            action=action,
            for_aws_resource=for_aws_resource if action in key.GRANTING else None,
            own_policies=False,
        )
        for who, (form, caller, for_aws_resource, _) in EVERY_ACTION.items()
        for action in every
    }
    answers = ask(list(questions.values()))
    for who, (*_, allowed) in EVERY_ACTION.items():
        let = [one for one in every if answers[questions[who, one]].result == Result.ALLOWED]
        assert let == sorted(allowed), who


def test_of_all_actions_on_a_role_pinecone_may_only_assume_it() -> None:
    every = actions_on("sts", "role")
    asked = {action: Question("explicit_without_id", role.US_EAST_1, action) for action in every}
    answers = ask(list(asked.values()))
    found = [action for action in every if answers[asked[action]].result == Result.ALLOWED]
    assert found == [role.ASSUME]
