"""A vendor's role: the guide's second tab, once per customer, within IAM's limits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from cmek_construct import PineconeRole
from tests.building import (
    ACCOUNT,
    EXTERNAL_ID,
    PINECONE,
    REGIONS,
    Template,
    cmek_template,
    new_app,
    new_stack,
    of_type,
    only,
    template_of,
    trust_statements,
    warnings_of,
)

ACME = "444455556666"
GLOBEX = "777788889990"
ACME_KEY = f"arn:aws:kms:us-east-1:{ACME}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ACME_OTHER_KEY = f"arn:aws:kms:eu-west-1:{ACME}:key/mrk-1234abcd12ab34cd56ef1234567890ab"


def vendor(flags: dict[str, Any] | None = None, **props: Any) -> Template:
    """The template of a role alone."""
    stack = new_stack(new_app(**(flags or {})))
    PineconeRole(stack, "Role", pinecone_account_id=PINECONE, regions=REGIONS, external_id=EXTERNAL_ID, **props)
    assert warnings_of(stack) == {}
    return template_of(stack)


def policies(template: Template) -> dict[str, Template]:
    """The documents of the managed policies, by logical ID."""
    return {
        logical_id: dict(policy["Properties"]["PolicyDocument"])
        for logical_id, policy in of_type(template, "AWS::IAM::ManagedPolicy").items()
    }


def statements(template: Template) -> list[Template]:
    return [one for policy in policies(template).values() for one in policy["Statement"]]


def accounts(count: int, step: int = 1) -> list[str]:
    return [f"{600000000000 + number * step}" for number in range(count)]


def refused(**props: Any) -> str:
    stack = new_stack()
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the callers look at the message
        PineconeRole(stack, "Role", pinecone_account_id=PINECONE, regions=REGIONS, external_id=EXTERNAL_ID, **props)
    assert stack.node.children == []
    message = str(refusal.value)
    assert message.startswith(next(iter(props)))
    assert "\n" not in message
    assert message.count(". ") >= 1, "a way out is missing"
    return message


def test_each_customer_has_the_guides_statement() -> None:
    assert statements(vendor(customer_account_ids=[ACME, GLOBEX])) == [
        {
            "Sid": account,
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:Encrypt"],
            "Resource": f"arn:aws:kms:*:{account}:key/*",
        }
        for account in (GLOBEX, ACME)
    ]


def test_exact_keys_stand_in_place_of_all_keys_of_their_account() -> None:
    template = vendor(customer_key_arns=[ACME_KEY, ACME_OTHER_KEY], customer_account_ids=[GLOBEX])
    of_globex, of_acme = statements(template)
    assert of_acme["Resource"] == sorted([ACME_KEY, ACME_OTHER_KEY])
    assert of_acme["Sid"] == ACME
    assert of_globex["Resource"] == f"arn:aws:kms:*:{GLOBEX}:key/*"
    assert statements(vendor(customer_key_arns=[ACME_KEY]))[0]["Resource"] == ACME_KEY


def test_the_policies_are_attached_to_the_role_and_to_nothing_else() -> None:
    template = vendor(customer_account_ids=[ACME, GLOBEX])
    (role_id,) = of_type(template, "AWS::IAM::Role")
    for policy in of_type(template, "AWS::IAM::ManagedPolicy").values():
        assert policy["Properties"]["Roles"] == [{"Ref": role_id}]
        assert "Users" not in policy["Properties"]
        assert "Groups" not in policy["Properties"]
        assert "ManagedPolicyName" not in policy["Properties"]
    assert len(template["Resources"]) == 3


def test_the_trust_policy_is_that_of_the_first_tab() -> None:
    assert trust_statements(vendor(customer_account_ids=[ACME])) == trust_statements(cmek_template())


@pytest.mark.parametrize("props", [{}, {"customer_account_ids": []}, {"customer_key_arns": ()}])
def test_without_customers_the_role_has_no_permissions(props: dict[str, Any]) -> None:
    assert list(vendor(**props)["Resources"]) == ["Role1ABCC5F0"]


def test_customers_do_not_move_the_role() -> None:
    before, after = vendor(), vendor(customer_account_ids=accounts(30))
    assert of_type(after, "AWS::IAM::Role") == of_type(before, "AWS::IAM::Role")


def test_the_order_of_the_list_does_not_matter() -> None:
    listed = accounts(40, step=37)
    assert vendor(customer_account_ids=listed) == vendor(customer_account_ids=listed[::-1])


@pytest.mark.parametrize("flags", [{}, {"@aws-cdk/aws-iam:minimizePolicies": True}])
def test_who_comes_or_goes_moves_nobody_else(flags: dict[str, Any]) -> None:
    listed = accounts(60, step=7919)
    for changed in (listed[1:], listed[:-1], listed[5:6], [*listed, ACME]):
        before = placed(vendor(flags, customer_account_ids=listed))
        after = placed(vendor(flags, customer_account_ids=changed))
        stay = before.keys() & after.keys()
        assert len(stay) == min(len(changed), len(listed))
        assert {account: before[account] for account in stay} == {account: after[account] for account in stay}


def placed(template: Template) -> dict[str, str]:
    """In which policy each customer's statement stands."""
    return {
        statement["Sid"]: f"{logical_id}: {json.dumps(statement, sort_keys=True)}"
        for logical_id, policy in policies(template).items()
        for statement in policy["Statement"]
    }


def test_one_customer_who_goes_changes_one_policy() -> None:
    listed = accounts(60)
    before = policies(vendor(customer_account_ids=listed))
    after = policies(vendor(customer_account_ids=listed[1:]))
    assert [name for name in before if before[name] != after[name]] == ["RoleCustomersEndingIn09E6C58E1"]


def compact(document: Template) -> int:
    """The characters that IAM counts."""
    return len(json.dumps(document, separators=(",", ":")))


@pytest.mark.parametrize("count", [1, 300, 480])
def test_a_role_holds_hundreds_of_customers_within_iams_limits(count: int) -> None:
    template = vendor(customer_account_ids=accounts(count))
    documents = policies(template).values()
    assert len(documents) <= 10
    assert all(compact(document) <= 6144 for document in documents)
    sids = [one["Sid"] for one in statements(template)]
    assert len(sids) == len(set(sids)) == count
    assert all(sid.isalnum() for sid in sids)


def test_one_too_many_is_refused_with_the_count_the_limit_and_the_way_out() -> None:
    message = refused(customer_account_ids=accounts(481))
    for words in ("481 customers", "49 of them", "ends in 0", "6,144", "10 policies", "second Pin"):
        assert words in message, words


def test_too_many_keys_of_one_customer_are_refused_too() -> None:
    keys = [f"arn:aws:kms:us-east-1:{ACME}:key/{number:036}" for number in range(90)]
    assert "6,144" in refused(customer_key_arns=keys)


OUTSIDE: dict[str, tuple[Sequence[Any] | Any, str]] = {
    "a bare string": (ACME, "it is a list of account IDs"),
    "a number": ([444455556666], "put the digits into quotes"),
    "too short": (["44445555666"], "12 digits"),
    "an ARN": ([f"arn:aws:iam::{ACME}:root"], "12 digits"),
    "nothing": ([None], "12 digits"),
    "twice": ([ACME, GLOBEX, ACME], "each customer stands once"),
    "own account": ([ACME, ACCOUNT], "the role's own account"),
    "a token": (["${Token[AWS.AccountId.4]}"], "Write it out"),
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_account_ids_that_are_none_are_refused(case: str) -> None:
    value, words = OUTSIDE[case]
    assert words in refused(customer_account_ids=value)


NO_KEYS: dict[str, tuple[Any, str]] = {
    "a bare string": (ACME_KEY, "it is a list of key ARNs"),
    "an alias": ([f"arn:aws:kms:us-east-1:{ACME}:alias/pinecone"], "it is an ARN like"),
    "a role": ([f"arn:aws:iam::{ACME}:role/x"], "it is an ARN like"),
    "every key": ([f"arn:aws:kms:*:{ACME}:key/*"], "it is an ARN like"),
    "another partition": ([ACME_KEY.replace("arn:aws:", "arn:aws-cn:")], "it is an ARN like"),
    "a key ID": (["1234abcd-12ab-34cd-56ef-1234567890ab"], "it is an ARN like"),
    "twice": ([ACME_KEY, ACME_KEY], "each customer stands once"),
    "own account": ([ACME_KEY.replace(ACME, ACCOUNT)], "the role's own account"),
    "a token": (["${Token[TOKEN.12]}"], "Write it out"),
}


@pytest.mark.parametrize("case", NO_KEYS)
def test_arns_that_are_no_keys_are_refused(case: str) -> None:
    value, words = NO_KEYS[case]
    assert words in refused(customer_key_arns=value)


def test_a_key_of_an_account_that_is_listed_whole_is_refused() -> None:
    message = refused(customer_key_arns=[ACME_KEY], customer_account_ids=[ACME])
    assert "every key there" in message


def test_suspended_denies_everybody_in_the_trust_policy_and_keeps_the_customers() -> None:
    before = vendor(customer_account_ids=[ACME])
    after = vendor(customer_account_ids=[ACME], suspended=True)
    denial = trust_statements(after)[-1]
    assert (denial["Effect"], denial["Principal"]) == ("Deny", {"AWS": "*"})
    only(after, "AWS::IAM::Role")["Properties"]["AssumeRolePolicyDocument"]["Statement"].pop()
    assert after == before
