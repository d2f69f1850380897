"""Whatever the guardrails let pass is what it should be: random policies, put to the simulator."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import forms
from tests.forms import CUSTOMER, REGION
from tests.judged import judge
from tests.mutants import Template
from tests.mutants.made import A_STRANGER, OTHER_ACCOUNT, Call, key_policy, role, role_arn
from tests.simulator.deployed import Deployed
from tests.simulator.questions import EVERYTHING, Caller
from tests.simulator.simulator import Request, Result, simulate
from tests.simulator.who_may_assume import (
    EU_WEST_1,
    OTHER_ID,
    OTHER_ROLE_OF_PINECONE,
    STRANGER,
    STRANGERS_NAMESAKE,
    US_EAST_1,
)

# Trust policies.

PINECONES = f"arn:aws:iam::{forms.PINECONE}:role/pinecone_cmek_access_*"
PRINCIPALS: list[Any] = [
    "*",
    US_EAST_1.arn,
    [US_EAST_1.arn, EU_WEST_1.arn],
    [US_EAST_1.arn, A_STRANGER.arn],
    [US_EAST_1.arn, STRANGERS_NAMESAKE.arn],
    f"arn:aws:iam::{forms.PINECONE}:root",
    forms.PINECONE,
    OTHER_ROLE_OF_PINECONE.arn,
]
OPERATORS = ["StringEquals", "StringLike", "ArnLike", "StringEqualsIfExists", "StringNotEquals"]
OPERATORS += ["StringLikeIfExists", "ForAllValues:StringLike", "ForAnyValue:StringEquals"]
VALUES: dict[str, list[Any]] = {
    "sts:ExternalId": [forms.EXTERNAL_ID, [forms.EXTERNAL_ID, OTHER_ID], "*", OTHER_ID[:8] + "*"],
    "STS:externalid": [forms.EXTERNAL_ID, OTHER_ID],
    "aws:PrincipalArn": [PINECONES, "arn:aws:iam::*:role/pinecone_cmek_access_*", "*"],
    "aws:principalarn": [PINECONES, US_EAST_1.arn, A_STRANGER.arn],
    "aws:PrincipalAccount": [forms.PINECONE, forms.CUSTOMER],
}
CALLS = [
    Call(caller, external_id)
    for caller in (
        A_STRANGER,
        STRANGERS_NAMESAKE,
        OTHER_ROLE_OF_PINECONE,
        Caller("ec2.amazonaws.com"),
        Caller(f"arn:aws:iam::{CUSTOMER}:role/Admin"),
    )
    for external_id in (None, forms.EXTERNAL_ID, OTHER_ID)
]

OUTPUT = {
    "Outputs": {
        "RoleArn": {
            "Description": 'For "Role ARN" in the Pinecone console, Manage > CMEK > Add CMEK',
            "Value": {"Fn::GetAtt": ["Role1ABCC5F0", "Arn"]},
        }
    }
}
"""What shows a role to be Pinecone's, whomever it lets in."""
WITHOUT_THE_ID = [Call(US_EAST_1, None), Call(US_EAST_1, "an-id-of-nobody")]


def _any_statement(random: Random) -> Template:
    condition: Template = {}
    for _ in range(random.choice([0, 1, 2, 2, 3])):
        key = random.choice(list(VALUES))
        operators = OPERATORS if random.random() < 0.3 else OPERATORS[:2]
        condition.setdefault(random.choice(operators), {})[key] = random.choice(VALUES[key])
    return {
        "Effect": random.choice(["Allow", "Allow", "Allow", "Deny"]),
        "Principal": {"AWS": random.choice(PRINCIPALS)},
        "Action": "sts:AssumeRole",
        "Condition": condition,
    }


def test_a_trust_policy_that_passes_lets_in_nobody_but_pinecone() -> None:
    random = Random(6)
    passing, requests = 0, []
    for _ in range(250):
        template = forms.template("role_alone") | OUTPUT
        statements = [_any_statement(random) for _ in range(random.choice([1, 1, 1, 2]))]
        role(template)["AssumeRolePolicyDocument"]["Statement"] = statements
        if judge(template, account=CUSTOMER) == []:
            passing += 1
            allowing = str([one for one in statements if one["Effect"] == "Allow"])
            calls = WITHOUT_THE_ID * ("externalid" in allowing.lower()) + CALLS
            requests += [call.request(template) for call in calls]
    assert passing > 20
    answers = simulate(requests)
    for request, answer in zip(requests, answers, strict=True):
        assert answer.result != Result.ALLOWED, request


# Key policies.

OWNER = Caller(f"arn:aws:iam::{CUSTOMER}:root")
ADMIN = f"arn:aws:iam::{CUSTOMER}:role/Admin"
ACTIONS: list[Any] = ["*", "kms:*", "kms:Decrypt", "KMS:Decrypt", "kms:?ecrypt", "kms:De*"]
ACTIONS += ["kms:PutKeyPolicy", "kms:Put*", "kms:ScheduleKeyDeletion", "kms:ReEncrypt*"]
ACTIONS += [["kms:Encrypt", "kms:Decrypt"], ["kms:CreateGrant", "kms:ListGrants"]]
CONDITIONS: list[Template] = [{}, {}, {}]
CONDITIONS += [{"Bool": {"kms:GrantIsForAWSResource": value}} for value in ("true", "false")]
CONDITIONS += [{"BoolIfExists": {"kms:GrantIsForAWSResource": "true"}}]
CONDITIONS += [{"StringEquals": {"aws:PrincipalAccount": CUSTOMER}}]
CONDITIONS += [{"StringNotEquals": {"aws:PrincipalAccount": one}} for one in (CUSTOMER, STRANGER)]


def _any_key_statement(random: Random, the_role: Template) -> Template:
    principals: list[Any] = ["*", OWNER.arn, CUSTOMER, the_role, the_role, [the_role, ADMIN]]
    principals += [A_STRANGER.arn, f"{OTHER_ACCOUNT}:root", STRANGER, US_EAST_1.arn, ADMIN]
    return {
        "Effect": random.choice(["Allow", "Allow", "Deny"]),
        random.choice([*["Principal"] * 9, "NotPrincipal"]): {"AWS": random.choice(principals)},
        random.choice([*["Action"] * 9, "NotAction"]): random.choice(ACTIONS),
        "Resource": "*",
        "Condition": random.choice(CONDITIONS),
    }


def _use(template: Template, caller: Caller, action: str, **context: str) -> Request:
    deployed = Deployed(template, CUSTOMER, REGION)
    return Request(
        principal=caller.arn,
        action=action,
        resource=deployed.key_arn,
        account=CUSTOMER,
        resource_policy=deployed.key_policy,
        # The role has nothing but the key policy; whoever else has all that others can give.
        identity_policies=[] if caller.arn == deployed.role_arn else [EVERYTHING],
        context=caller.context | context,
    )


def _refused_calls(template: Template) -> Iterator[Request]:
    for caller in (A_STRANGER, US_EAST_1, Caller(f"{OTHER_ACCOUNT}:root")):
        yield _use(template, caller, "kms:Decrypt")
    the_role = Caller(Deployed(template, CUSTOMER, REGION).role_arn)
    yield _use(template, the_role, "kms:PutKeyPolicy")
    yield _use(template, the_role, "kms:ScheduleKeyDeletion")
    by_itself = {"kms:GrantIsForAWSResource": "false"}
    yield _use(template, the_role, "kms:CreateGrant", **by_itself)


def test_a_key_policy_that_passes_keeps_strangers_out_and_its_owner_in() -> None:
    random = Random(6)
    owners: list[Request] = []
    others: list[Request] = []
    for _ in range(160):
        template = forms.template("explicit_with_id")
        statements = key_policy(template)
        if random.random() < 0.3:
            del statements[random.randrange(len(statements))]
        statements += [_any_key_statement(random, role_arn(template)) for _ in range(2)]
        if judge(template, account=CUSTOMER) == []:
            owners.append(_use(template, OWNER, "kms:PutKeyPolicy"))
            others += _refused_calls(template)
    assert len(owners) > 30
    for request, answer in zip(owners + others, simulate(owners + others), strict=True):
        assert (answer.result == Result.ALLOWED) is (request.principal == OWNER.arn), request


# Anything.


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a template in which something else could stand."""
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for place, inner in list(members):
        yield value, place
        if isinstance(inner, dict | list):
            yield from _places(inner)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "*", "${x", "pinecone_cmek"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["Ref", "Fn::If", "Fn::Sub", "AWS", "Type"]), inner)
    ),
    max_leaves=4,
)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_whatever_stands_in_a_template_is_judged_and_never_an_error(data: st.DataObject) -> None:
    template = forms.template("all_regions")
    places = list(_places(template))
    container, place = places[data.draw(st.integers(0, len(places) - 1))]
    container[place] = data.draw(JSON)
    for violation in judge(template):
        assert violation.what.isprintable()
