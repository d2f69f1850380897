"""The evaluator: what a policy says to a request, and what it refuses to say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmek_construct.evaluation import Answer, CannotTell, Request, Result, evaluate
from cmek_construct.guide import (
    ALL_REGIONS,
    KeyAccess,
    key_denial,
    key_policy,
    policy_document,
    root_statement,
    trust_policy,
)
from tests.simulator import simulator
from tests.simulator.questions import EVERYTHING

OWNER, VENDOR, PINECONE = "111122223333", "123456789012", "999988887777"
KEY = f"arn:aws:kms:us-east-1:{OWNER}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = f"arn:aws:iam::{OWNER}:role/PineconeCmek"
VENDOR_ROLE = f"arn:aws:iam::{VENDOR}:role/VendorCmek"
NEIGHBOUR = f"arn:aws:iam::{OWNER}:role/Neighbour"
ASSUMING = f"arn:aws:iam::{PINECONE}:role/pinecone_cmek_access_us-east-1"
GRANT_KEY = "kms:GrantIsForAWSResource"


def allow(**members: Any) -> dict[str, Any]:
    usual = {"Sid": "One", "Effect": "Allow", "Principal": {"AWS": VENDOR_ROLE}}
    return usual | {"Action": "kms:*", "Resource": "*"} | members


def asked(
    principal: str = VENDOR_ROLE, action: str = "kms:Decrypt", for_aws: str | None = None
) -> Request:
    return Request(principal, action, KEY, {"aws:PrincipalArn": principal, GRANT_KEY: for_aws})


def said(statement: dict[str, Any], request: Request | None = None) -> Result:
    return evaluate(policy_document(statement), request or asked()).result


def refusal(statement: dict[str, Any]) -> str:
    with pytest.raises(CannotTell) as refused:
        said(statement)
    return str(refused.value)


def test_a_customers_key_lets_the_vendors_role_do_its_two_actions_and_no_more() -> None:
    policy = key_policy(OWNER, VENDOR_ROLE, KeyAccess.ENCRYPT_DECRYPT)
    assert evaluate(policy, asked()) == Answer(Result.ALLOWED, policy["Statement"][1])
    assert evaluate(policy, asked(action="kms:Encrypt")).result is Result.ALLOWED
    assert evaluate(policy, asked(action="kms:DescribeKey")).result is Result.NOTHING_SAID
    assert evaluate(policy, asked(f"{VENDOR_ROLE}2")).result is Result.NOTHING_SAID


def test_a_denial_goes_before_all_else_and_is_named() -> None:
    denial = key_denial(VENDOR_ROLE)
    answer = evaluate(policy_document(allow(), denial), asked())
    assert answer == Answer(Result.DENIED, denial)


def test_the_root_statement_speaks_to_the_account_alone() -> None:
    policy = policy_document(root_statement(OWNER))
    assert evaluate(policy, asked(ROLE)).by_account
    assert evaluate(policy, asked(VENDOR_ROLE)).result is Result.NOTHING_SAID
    assert not evaluate(policy, asked(f"arn:aws:iam::{OWNER}:root")).by_account


def test_a_role_that_is_named_beside_its_account_needs_no_policy_of_its_own() -> None:
    naming = allow(Sid="Two", Principal={"AWS": ROLE})
    answer = evaluate(policy_document(root_statement(OWNER), naming), asked(ROLE))
    assert answer == Answer(Result.ALLOWED, naming)


def test_the_third_trust_policy_wants_the_external_id_and_the_name() -> None:
    policy = trust_policy(PINECONE, ALL_REGIONS, "an-id")

    def enters(principal: str, external_id: str | None) -> bool:
        context = {"aws:PrincipalArn": principal, "sts:ExternalId": external_id}
        request = Request(principal, "sts:AssumeRole", None, context)
        return evaluate(policy, request).result is Result.ALLOWED

    assert enters(ASSUMING, "an-id")
    assert not enters(ASSUMING, "AN-ID")
    assert not enters(ASSUMING, None)
    assert not enters(f"arn:aws:iam::{PINECONE}:role/other", "an-id")


def test_what_an_action_or_a_principal_rules_out_needs_no_further_answer() -> None:
    strange = {"ArnLike": {"aws:SourceArn": "*"}}
    assert said(allow(Action="kms:Encrypt", Condition=strange)) is Result.NOTHING_SAID
    assert said(allow(Principal={"AWS": ROLE}, Condition=strange)) is Result.NOTHING_SAID
    service = {"Service": "logs.us-east-1.amazonaws.com"}
    assert said(allow(Principal=service, Condition=strange)) is Result.NOTHING_SAID


def test_an_allow_in_doubt_does_not_hide_one_that_is_certain_but_a_denial_in_doubt_does() -> None:
    doubtful = {"Sid": "Doubtful", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}
    assert evaluate(policy_document(allow(**doubtful), allow()), asked()).statement == allow()
    with pytest.raises(CannotTell, match=r"statement .Doubtful.: .*aws:PrincipalOrgID"):
        evaluate(policy_document(allow(), allow(**doubtful, Effect="Deny")), asked())
    with pytest.raises(CannotTell, match="PrincipalOrgID"):
        said(allow(**doubtful))


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"NotPrincipal": {"AWS": ROLE}}, "NotPrincipal"),
        ({"NotAction": "kms:Sign"}, "NotAction"),
        ({"NotResource": "*"}, "NotResource"),
        ({"Comment": "x"}, "Comment"),
        ({"Condition": {"ArnLike": {"aws:PrincipalArn": "*"}}}, "ArnLike"),
        ({"Condition": {"StringNotEquals": {"aws:PrincipalArn": "x"}}}, "StringNotEquals"),
        ({"Condition": {"StringLikeIfExists": {"aws:PrincipalArn": "x"}}}, "StringLikeIfExists"),
        ({"Condition": {"ForAllValues:StringLike": {"aws:PrincipalArn": "*"}}}, "ForAllValues:"),
        ({"Condition": {"Null": {"aws:PrincipalArn": "true"}}}, "Null"),
        ({"Condition": {"StringEquals": {"aws:PrincipalArn": "${aws:username}"}}}, "aws:username"),
        ({"Condition": {"StringEquals": {"aws:PrincipalArn": []}}}, "aws:PrincipalArn"),
        ({"Condition": {"StringEquals": {"aws:PrincipalArn": 5}}}, "aws:PrincipalArn"),
        ({"Condition": {"StringEquals": "x"}}, "Condition"),
        ({"Condition": "x"}, "Condition"),
        ({"Principal": {"CanonicalUser": "x"}}, "CanonicalUser"),
        ({"Principal": {"AWS": f"arn:aws:iam::{VENDOR}:role/*"}}, "role/*"),
        ({"Principal": {"AWS": f"arn:aws:sts::{VENDOR}:assumed-role/VendorCmek/x"}}, "Principal"),
        ({"Principal": {"AWS": [{}]}}, "Principal"),
        ({"Principal": "x"}, "Principal"),
        ({"Principal": None}, "Principal"),
        ({"Resource": "arn:aws:kms:*"}, "Resource"),
        ({"Resource": "${x}"}, "Resource"),
        ({"Action": []}, "Action"),
        ({"Effect": "allow"}, "Effect"),
    ],
    ids=json.dumps,
)
def test_what_it_does_not_know_it_names_with_its_statement(
    members: dict[str, Any], named: str
) -> None:
    words = refusal(allow(**members))
    assert named in words
    assert "statement 'One'" in words


def test_a_condition_is_on_what_is_sent_and_true_is_written_in_any_way() -> None:
    for written in ("true", "True", True, ["false", True]):
        only_services = allow(Condition={"Bool": {GRANT_KEY: written}})
        assert said(only_services, asked(for_aws="true")) is Result.ALLOWED
        assert said(only_services, asked(for_aws=None)) is Result.NOTHING_SAID
    assert said(allow(Condition={"Bool": {GRANT_KEY: False}}), asked(for_aws="true")) is (
        Result.NOTHING_SAID
    )


def test_a_trust_policy_has_no_resource_and_a_key_policy_has_one() -> None:
    with pytest.raises(CannotTell, match="Resource"):
        said(allow(), Request(VENDOR_ROLE, "kms:Decrypt", None))
    without = allow()
    del without["Resource"]
    assert "Resource" in refusal(without)


def test_what_is_no_policy_is_refused() -> None:
    nothing: list[dict[str, Any]] = [{}, {"Statement": None}, {"Statement": ["x"]}]
    for policy in nothing:
        with pytest.raises(CannotTell, match="without Sid"):
            evaluate(policy, asked())


def test_many_stars_take_no_time() -> None:
    assert said(allow(Action="kms:" + "*e" * 3000)) is Result.NOTHING_SAID


PRINCIPALS = [
    "*", OWNER, f"arn:aws:iam::{OWNER}:root", f"arn:aws:iam::{VENDOR}:root", PINECONE,
    ROLE, VENDOR_ROLE, NEIGHBOUR, ASSUMING, f"arn:aws:iam::{OWNER}:user/Somebody",
]  # fmt: skip
PRINCIPAL = st.one_of(
    st.sampled_from(["*", {"Service": "logs.amazonaws.com"}]),
    st.sampled_from(PRINCIPALS).map(lambda one: {"AWS": one}),
    st.lists(st.sampled_from(PRINCIPALS[1:]), min_size=1, max_size=4, unique=True).map(
        lambda several: {"AWS": several}
    ),
)
ARN_FORMS = [
    ROLE, VENDOR_ROLE, ASSUMING, ROLE.lower(), f"arn:aws:iam::{OWNER}:role/*", "*", "*:role/?e*",
    f"arn:aws:iam::{PINECONE}:role/pinecone_cmek_access_*", "arn:aws:iam::????????????:role/*Cmek",
]  # fmt: skip
ACCOUNTS = [OWNER, VENDOR, PINECONE, "*"]


def one_or_some(values: list[Any]) -> st.SearchStrategy[Any]:
    one = st.sampled_from(values)
    return one | st.lists(one, min_size=1, max_size=3, unique=True)


def condition(*extra: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    about_arn = one_or_some(ARN_FORMS).map(lambda value: {"aws:PrincipalArn": value})
    about_account = one_or_some(ACCOUNTS).map(lambda value: {"AWS:principalaccount": value})
    strings = about_arn | about_account | st.builds(dict.__or__, about_arn, about_account)
    several = [
        strings.map(lambda keys: {"StringEquals": keys}),
        strings.map(lambda keys: {"StringLike": keys}),
        *extra,
    ]
    return st.one_of(several) | st.builds(dict.__or__, st.one_of(several), st.one_of(several))


def policies(
    actions: list[str], conditions: st.SearchStrategy[dict[str, Any]], resources: list[str]
) -> st.SearchStrategy[dict[str, Any]]:
    needed: dict[str, Any] = {
        "Effect": st.sampled_from(["Allow", "Allow", "Allow", "Deny"]),
        "Principal": PRINCIPAL,
        "Action": one_or_some(actions),
    }
    if resources:
        needed["Resource"] = one_or_some(resources)
    statement = st.fixed_dictionaries(needed, optional={"Condition": conditions})
    return st.lists(statement, min_size=1, max_size=4).map(lambda some: policy_document(*some))


KEY_POLICIES = policies(
    ["kms:*", "*", "kms:Decrypt", "KMS:decrypt", "kms:De*", "kms:?ecrypt", "kms:CreateGrant",
     "kms:*Grant*", "kms:Encrypt"],
    condition(
        st.sampled_from(["true", "false", "True", ["true", "false"]]).map(
            lambda value: {"Bool": {GRANT_KEY: value}}
        )
    ),
    ["*", KEY, KEY.replace("us-east-1", "*"), f"arn:aws:kms:*:{OWNER}:key/*", KEY[:-1] + "?",
     f"arn:aws:kms:us-east-1:{VENDOR}:key/*", KEY.replace(":key/", ":alias/")],
)  # fmt: skip
KEY_REQUESTS = st.builds(
    lambda principal, action, grant: Request(
        principal,
        action,
        KEY,
        {
            "aws:PrincipalArn": principal,
            "aws:PrincipalAccount": principal.split(":")[4],
            GRANT_KEY: grant if action == "kms:CreateGrant" else None,
        },
    ),
    st.sampled_from([ROLE, VENDOR_ROLE, NEIGHBOUR]),
    st.sampled_from(["kms:Decrypt", "kms:CreateGrant", "kms:DescribeKey"]),
    st.sampled_from(["true", "false", None]),
)
TRUST_POLICIES = policies(
    ["sts:AssumeRole", "sts:*", "sts:assumerole", "sts:TagSession", "*"],
    condition(
        one_or_some(["an-id", "AN-ID", "other"]).map(
            lambda value: {"StringEquals": {"sts:ExternalId": value}}
        )
    ),
    [],
)
TRUST_REQUESTS = st.builds(
    lambda principal, external_id: Request(
        principal,
        "sts:AssumeRole",
        None,
        {
            "aws:PrincipalArn": principal,
            "aws:PrincipalAccount": principal.split(":")[4],
            "sts:ExternalId": external_id,
        },
    ),
    st.sampled_from([ASSUMING, NEIGHBOUR, f"arn:aws:iam::{PINECONE}:role/other"]),
    st.sampled_from(["an-id", "other", None]),
)
CASES = st.tuples(KEY_POLICIES, KEY_REQUESTS) | st.tuples(TRUST_POLICIES, TRUST_REQUESTS)


def generated() -> list[tuple[dict[str, Any], Request]]:
    cases: list[tuple[dict[str, Any], Request]] = []

    @given(CASES)
    @settings(max_examples=1500, database=None)
    def collect(case: tuple[dict[str, Any], Request]) -> None:
        cases.append(case)

    collect()
    return cases


def for_simulator(
    policy: dict[str, Any], request: Request, own_policies: bool
) -> simulator.Request:
    return simulator.Request(
        principal=request.principal,
        action=request.action,
        resource=request.resource or ROLE,
        account=OWNER,
        resource_policy=policy,
        identity_policies=[EVERYTHING] if own_policies else [],
        context={name: value for name, value in request.context.items() if value is not None},
    )


def test_the_independent_simulator_gives_the_same_answers() -> None:
    """With all that the principal's own account can give it, and with nothing of it."""
    cases = generated()
    answers = [evaluate(policy, request) for policy, request in cases]
    simulated = simulator.simulate(
        [for_simulator(*case, own_policies) for own_policies in (True, False) for case in cases]
    )
    expected = {
        Result.ALLOWED: simulator.Result.ALLOWED,
        Result.DENIED: simulator.Result.EXPLICITLY_DENIED,
        Result.NOTHING_SAID: simulator.Result.DENIED,
    }
    for case, answer, with_own, without in zip(
        cases, answers, simulated[: len(cases)], simulated[len(cases) :], strict=True
    ):
        assert with_own.result is expected[answer.result], (case, answer)
        alone = answer.result is Result.ALLOWED and not answer.by_account
        alone = alone and case[1].account == OWNER
        assert (without.result is simulator.Result.ALLOWED) is alone, (case, answer)
    for result in Result:
        assert sum(answer.result is result for answer in answers) > 100, "a one-sided sample"
