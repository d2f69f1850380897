"""What a policy means, sentence by sentence; `scripts/simulate` holds all of it to a simulator."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from typing import Any

import pytest

from cmek_construct.guide import (
    ALL_REGIONS,
    GRANTS,
    KEY_USE,
    KeyAccess,
    key_denial,
    key_policy,
    policy_document,
    root_statement,
    trust_policy,
)
from cmek_construct.policy import (
    ACCOUNT,
    REGION,
    CannotBeJudged,
    Policy,
    Request,
    Verdict,
    answers,
    aws,
    beyond,
    read,
    short,
    words,
)
from cmek_construct.policy.context import PRINCIPAL
from cmek_construct.policy.questions import Questions
from cmek_construct.policy.rules import ACTION, RESOURCE
from cmek_construct.policy.text import Doubt
from cmek_construct.policy.words import in_doubt, plain
from tests.policies import allows

OWNER, VENDOR, PINECONE = "111122223333", "123456789012", "999988887777"
KEY = f"arn:aws:kms:us-east-1:{OWNER}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = f"arn:aws:iam::{OWNER}:role/PineconeCmek"
SESSION = f"arn:aws:sts::{OWNER}:assumed-role/PineconeCmek/x"
OTHER = f"arn:aws:iam::{OWNER}:role/Other"
VENDOR_ROLE = f"arn:aws:iam::{VENDOR}:role/VendorCmek"
ASSUMING = f"arn:aws:iam::{PINECONE}:role/pinecone_cmek_access_us-east-1"
YES, NO, UNKNOWN, OWN_IAM = Verdict.YES, Verdict.NO, Verdict.CANNOT_TELL, Verdict.BY_ACCOUNT
ENCRYPT_DECRYPT = KeyAccess.ENCRYPT_DECRYPT


def of_key(*statements: Any, **forms: str) -> Policy:
    return read(policy_document(*statements), "key", resource=KEY, forms=forms)


def allow(**members: Any) -> dict[str, Any]:
    usual = {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:*", "Resource": "*"}
    if "NotPrincipal" in members:
        del usual["Principal"]
    return usual | members


def deny(**members: Any) -> dict[str, Any]:
    return allow(**members) | {"Effect": "Deny"}


def said(policy: Policy, principal: str = ROLE, **context: str | None) -> Verdict:
    keys = {name.replace("_", ":"): value for name, value in context.items()}
    return allows(policy, Request(principal, "kms:Decrypt", context=keys)).verdict


def under(operator: str, key: str, value: Any) -> Policy:
    return of_key(allow(Condition={operator: {key: value}}))


# The tables.


def test_each_row_of_awss_tables_stands_once_and_is_of_a_kind_that_the_code_knows() -> None:
    names = [name for name, *_ in aws._ROWS]
    assert len(set(names)) == len(names)
    for row in aws._ROWS:
        assert re.fullmatch(r"(aws|kms|sts):[A-Za-z]+ \S+( [A-Za-z]+)*", " ".join(row))
    assert {kind for _, kind, *_ in aws._ROWS} == {*aws._FOR, "Bool", "ArrayOfString"}
    spelled = [*aws.FEDERATED, *aws.WITHOUT_CALLER_ACCOUNT, *aws.POLICY_KEEPING, *aws.RULING]
    assert {one.lower() for one in spelled} <= aws.ACTIONS["permissions"].keys()
    assert all(fnmatch.filter(aws.ACTIONS["key"].values(), one) for one in (*KEY_USE, *GRANTS))
    own = {key for key in (*aws.BOOLEANS, *aws.SEVERAL, aws.EXTERNAL_ID, aws.TRAILING_DAYS) if key[:3] != "aws"}
    assert own - {"kms:multiregion"} <= aws.KEYS.keys()
    assert aws.IS_SERVICE in aws.BOOLEANS


def test_each_row_of_words_is_said_and_is_given_what_it_names() -> None:
    tables = dict(words._tables())

    def of_condition(operator: str, key: str, value: str) -> str:
        return plain(words.of_statement(allow(Condition={operator: {key: value}})))

    for action, row in tables.pop("actions").items():
        assert plain(words.actions(allow(Action=action))) == row
    for key, row in tables.pop("keys").items():
        assert plain(in_doubt([Doubt(key)])) == row
    for part, row in tables.pop("asked").items():
        assert part in (ACTION, RESOURCE, PRINCIPAL)
        assert plain(in_doubt([part])) == row
    for operator, row in tables.pop("operators").items():
        assert row.format(key="aws:x", values="one", negation="") in of_condition(operator, "aws:x", "one")
    for name, row in tables.pop("conditions").items():
        operator, key, value = name.split()
        key, value = key.replace("*", "aws:x"), value.replace("*", "one")
        assert row.format(key=key, values=value) in of_condition(operator, key, value)
    assert not tables


# What a policy allows.


def test_a_customers_key_lets_the_vendors_role_do_its_two_actions_and_no_more() -> None:
    policy = of_key(*key_policy(OWNER, VENDOR_ROLE, ENCRYPT_DECRYPT)["Statement"])
    assert said(policy, VENDOR_ROLE) is YES
    assert allows(policy, Request(VENDOR_ROLE, "kms:Encrypt")).verdict is YES
    assert allows(policy, Request(VENDOR_ROLE, "kms:DescribeKey")).verdict is NO
    assert said(policy, f"{VENDOR_ROLE}2") is NO


def test_a_denial_goes_before_all_else_and_is_named() -> None:
    answer = allows(of_key(allow(), key_denial(ROLE)), Request(ROLE, "kms:Decrypt"))
    assert answer.verdict is NO
    assert answer.statement
    assert answer.statement.name == 'statement "Deny Pinecone while suspended"'


def test_an_accounts_root_means_whom_the_accounts_own_iam_lets() -> None:
    policy = of_key(root_statement(OWNER))
    assert said(policy) is OWN_IAM
    assert said(policy, f"arn:aws:iam::{OWNER}:root") is YES
    assert said(policy, VENDOR_ROLE) is NO
    assert allows(policy, Request(ROLE, "kms:Decrypt", own=False)).verdict is NO


def test_in_a_denial_an_accounts_root_means_everybody_there() -> None:
    root = {"AWS": f"arn:aws:iam::{OWNER}:root"}
    assert said(of_key(allow(), deny(Principal=root))) is NO


def test_a_role_that_is_named_beside_its_account_needs_no_policy_of_its_own() -> None:
    answer = allows(of_key(root_statement(OWNER), allow(Sid="Own")), Request(ROLE, "kms:Decrypt"))
    assert answer.verdict is YES
    assert answer.statement
    assert answer.statement.name == 'statement "Own"'


def test_a_role_is_each_of_its_sessions_and_a_session_is_not_the_role() -> None:
    assert said(of_key(allow()), SESSION) is YES
    assert said(of_key(allow(Principal={"AWS": SESSION})), SESSION) is YES
    assert said(of_key(allow(Principal={"AWS": SESSION})), SESSION[:-1] + "y") is NO
    assert said(of_key(allow(Principal={"AWS": SESSION})), ROLE) is UNKNOWN


def test_who_was_deleted_is_nobody_and_everybody_is_everybody() -> None:
    assert said(of_key(allow(Principal={"AWS": "AROAEXAMPLEEXAMPLE123"}))) is NO
    for everybody in ("*", {"AWS": "*"}):
        for one in (ROLE, VENDOR_ROLE, "logs.amazonaws.com", "anonymous"):
            assert said(of_key(allow(Principal=everybody)), one) is YES


def test_a_denial_for_all_but_some_spares_who_is_listed_with_the_account() -> None:
    both = {"AWS": [ROLE, OWNER]}
    assert said(of_key(allow(), deny(NotPrincipal=both))) is YES
    assert said(of_key(allow(), deny(NotPrincipal={"AWS": ROLE}))) is UNKNOWN
    assert said(of_key(allow(), deny(NotPrincipal={"AWS": VENDOR_ROLE}))) is NO


def test_a_group_is_asked_about_without_some_of_it() -> None:
    policy = of_key(allow(Principal={"AWS": [ROLE, OTHER]}))
    every = f"arn:aws:iam::{OWNER}:role/*"
    group = Request(every, "kms:Decrypt", own=False)
    assert allows(policy, group).verdict is UNKNOWN
    others = Request(every, "kms:Decrypt", own=False, but=[ROLE, OTHER])
    assert allows(policy, others).verdict is NO


@pytest.mark.parametrize(
    ("operator", "present", "another", "absent"),
    [
        ("StringEquals", YES, NO, NO),
        ("StringEqualsIfExists", YES, NO, YES),
        ("StringNotEquals", NO, YES, YES),
        ("ForAnyValue:StringEquals", YES, NO, NO),
        ("ForAllValues:StringEquals", YES, NO, YES),
        ("ForAnyValue:StringEqualsIfExists", YES, NO, UNKNOWN),
    ],
)
def test_a_key_that_is_not_sent(operator: str, present: Verdict, another: Verdict, absent: Verdict) -> None:
    policy = under(operator, "aws:x", "a")
    assert said(policy, aws_x="a") is present
    assert said(policy, aws_x="b") is another
    assert said(policy, aws_x=None) is absent
    assert said(policy) is UNKNOWN, "nothing is known of a key that is not asked about"


def test_null_asks_whether_a_key_is_sent() -> None:
    assert said(under("Null", "aws:x", "true"), aws_x=None) is YES
    assert said(under("Null", "aws:x", False), aws_x="a") is YES
    assert said(under("Null", "aws:x", "true"), aws_x="a") is NO


def test_an_arns_wildcard_stays_within_its_part_and_a_strings_does_not() -> None:
    for operator, crosses in (("ArnLike", NO), ("ArnEquals", NO), ("StringLike", YES)):
        policy = under(operator, "aws:SourceArn", "arn:aws:sns:*:1:topic*")
        assert said(policy, aws_SourceArn="arn:aws:sns:x:1:topic:a") is YES
        assert said(policy, aws_SourceArn="arn:aws:sns:x:y:1:topic") is crosses
    assert said(under("ArnLike", "aws:SourceArn", "arn:aws:sns"), aws_SourceArn="x") is UNKNOWN


def test_a_policy_variable_is_one_in_the_newer_version_alone() -> None:
    statement = allow(Condition={"StringEquals": {"aws:x": "${aws:username}"}})
    for version, sent_as_written in (("2012-10-17", UNKNOWN), ("2008-10-17", YES)):
        policy = read({"Version": version, "Statement": statement}, "key", resource=KEY)
        assert said(policy, aws_x="${!aws:username}") is sent_as_written


def test_the_third_trust_policy_wants_the_external_id_and_the_name() -> None:
    policy = read(trust_policy(PINECONE, ALL_REGIONS, "an-id"), "trust")

    def enters(principal: str, external_id: str | None) -> Verdict:
        context = {"sts:ExternalId": external_id}
        return allows(policy, Request(principal, "sts:AssumeRole", context=context)).verdict

    assert enters(ASSUMING, "an-id") is YES
    assert enters(ASSUMING, "AN-ID") is enters(ASSUMING, None) is NO
    assert enters(f"arn:aws:iam::{PINECONE}:role/other", "an-id") is NO


def test_a_doubtful_allow_hides_no_certain_one_but_a_doubtful_denial_does() -> None:
    doubtful = {"Sid": "Doubtful", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}
    assert said(of_key(allow(**doubtful), allow())) is YES
    answer = allows(of_key(allow(), deny(**doubtful)), Request(ROLE, "kms:Decrypt"))
    assert (answer.verdict, answer.hangs_on) == (UNKNOWN, ("aws:principalorgid",))
    assert answer.statement
    assert answer.statement.name == 'statement "Doubtful"'


@pytest.mark.parametrize(
    "document", ["no JSON", 5, {"Statement": "x"}, {"Statement": [], "Comment": 1}, [allow(Effect="allow")]], ids=str
)
def test_what_cannot_be_read_may_be_anything(document: Any) -> None:
    policy = read(document, "key", resource=KEY)
    assert said(policy) is UNKNOWN
    assert not any(one.certain for one in beyond(policy, of_key(allow())))
    assert beyond(policy, of_key(allow()))
    assert short(policy, of_key(allow()))


def test_of_too_much_it_is_said_that_it_cannot_be_judged() -> None:
    with pytest.raises(CannotBeJudged, match="statements"):
        said(of_key(*[allow()] * 10_000))


# How two policies differ.


def found(more: Policy, less: Policy) -> list[tuple[Any, ...]]:
    """What the first has beyond the second; the reverse is nothing."""
    assert beyond(less, more) == short(more, less) == []
    over, under = beyond(more, less), short(less, more, facts={})
    assert [one.actions for one in over] == [one.actions for one in under]
    return [(one.principals, one.actions, one.certain) for one in beyond(more, less)]


def test_a_witness_says_who_and_what_and_by_which_statement() -> None:
    (one,) = beyond(of_key(allow(Principal={"AWS": [ROLE, OTHER]}, Sid="A")), of_key(allow()))
    assert (one.statement.name, one.principals, one.actions) == (
        'statement "A"', (OTHER,), ("kms:*",)
    )  # fmt: skip
    assert one.certain
    assert one.hangs_on == ()
    assert allows(of_key(allow(Principal={"AWS": OTHER})), one.request).verdict is YES


def test_how_it_is_written_makes_no_difference() -> None:
    both = {"AWS": [OTHER, ROLE]}
    in_one = of_key(allow(Principal=both, Action=["kms:Encrypt", "kms:Decrypt"]), deny(Action=[]))
    apart = [
        allow(Principal={"AWS": one}, Action=action)
        for action in ("KMS:decrypt", "kms:Encrypt")
        for one in (ROLE, OTHER)
    ]
    assert found(in_one, of_key(*apart)) == []


def test_every_condition_key_is_a_dimension() -> None:
    free, bound = of_key(allow()), under("StringEquals", "kms:ViaService", "s3.amazonaws.com")
    assert found(free, bound) == [((ROLE,), ("kms:*",), True)]
    like = under("StringLike", "kms:ViaService", "s3.*")
    assert len(found(like, bound)) == 1


def test_a_denial_in_the_limit_counts() -> None:
    assert found(of_key(allow()), of_key(allow(), deny(Action="kms:Sign"))) == [((ROLE,), ("kms:Sign",), True)]
    assert found(of_key(allow()), of_key(allow(), deny(Principal={"AWS": OTHER}))) == []


def test_what_is_not_known_is_the_same_in_both_and_cancels() -> None:
    hole = of_key(allow(Principal={"AWS": "arn:aws:iam::${Own}:role/${Role}"}), Own=ACCOUNT)
    doubt = under("DateLessThan", "aws:CurrentTime", "2030-01-01T00:00:00Z")
    for policy in (hole, doubt):
        assert found(policy, policy) == []
    another = of_key(allow(Principal={"AWS": "arn:aws:iam::${Own}:role/${Two}"}), Own=ACCOUNT)
    for limit in (another, of_key(allow())):
        witnesses = beyond(hole, limit)
        assert {one.principals for one in witnesses} == {("arn:aws:iam::${Own}:role/${Role}",)}
        assert all(one.hangs_on and not one.certain for one in witnesses)


def test_one_principal_alone_can_be_compared() -> None:
    more = of_key(allow(Principal={"AWS": [ROLE, OTHER]}, Action=["kms:Decrypt", "kms:Sign"]))
    less = of_key(allow(Action="kms:Decrypt"))
    (one,) = beyond(more, less, ROLE)
    assert one.actions == ("kms:Sign",)
    assert beyond(more, less, VENDOR_ROLE) == []


def test_a_denial_of_calls_without_tls_takes_nothing_that_is_needed() -> None:
    plain = deny(Condition={"Bool": {"aws:SecureTransport": "false"}})
    assert short(of_key(allow(), plain), of_key(allow())) == []
    assert beyond(of_key(allow()), of_key(allow(), plain))


def test_what_is_narrowed_to_an_address_hangs_on_the_address_and_to_a_service_is_locked() -> None:
    address = allow(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})
    (one,) = short(of_key(address), of_key(allow()))
    assert (one.certain, one.hangs_on) == (False, ("what is sent as aws:sourceip",))
    service = allow(Condition={"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}})
    (one,) = short(of_key(service), of_key(allow()))
    assert one.certain


def test_a_key_that_is_sent_without_a_value_is_absent() -> None:
    policy = of_key(allow(Condition={"Null": {"aws:TagKeys": "true"}}))
    nothing: tuple[Sequence[str] | None, ...] = (None, [], ())
    for sent in nothing:
        request = Request(ROLE, "kms:Decrypt", context={"aws:TagKeys": sent})
        assert allows(policy, request).verdict is YES


def test_a_witness_names_a_hole_that_is_only_a_part_of_a_text() -> None:
    narrowed = allow(Condition={"StringEquals": {"aws:SourceVpc": "eu-${Where}"}})
    (one,) = beyond(of_key(narrowed), of_key())
    assert one.certain
    assert one.request.context["aws:sourcevpc"] == "eu-${Where}"


def test_a_policy_variable_is_no_value_that_a_witness_has_for_certain() -> None:
    own = "${!aws:PrincipalTag/Team}"
    (one,) = beyond(under("StringEquals", "aws:SourceVpc", own), of_key())
    assert not one.certain
    assert one.hangs_on == ("aws:sourcevpc is ${policy variable aws:PrincipalTag/Team}",)


def test_who_is_let_in_without_leave_of_their_account_may_be_of_another() -> None:
    for owner, certain in ((OWNER, True), ("${Mine}", False)):
        key = KEY.replace(OWNER, owner)
        more, less = (
            read(policy_document(some), "key", resource=key, forms={})
            for some in (allow(), allow(Principal={"AWS": OWNER}))
        )
        (one,) = beyond(more, less)
        assert (one.certain, one.request.own) == (certain, False)


def test_a_key_comes_with_its_own_actions_alone() -> None:
    sent = {"Null": {"kms:EncryptionContext:Team": "false"}}
    (one,) = beyond(of_key(allow(Condition=sent)), of_key())
    assert {"kms:Decrypt", "kms:CreateGrant"} <= {*one.actions} < {*one.actions, "kms:DisableKey"}


def test_every_request_to_kms_says_the_callers_account_and_no_other_does() -> None:
    of_owner = {"StringEquals": {"kms:CallerAccount": OWNER}}
    policy = read(
        policy_document({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": of_owner}), "permissions"
    )
    for principal, action, resource, right in (
        (ROLE, "kms:Decrypt", KEY, YES),
        (VENDOR_ROLE, "kms:Decrypt", KEY, NO),
        (ROLE, "sts:AssumeRole", OTHER, NO),
    ):
        assert allows(policy, Request(principal, action, resource)).verdict is right


def test_a_session_of_a_role_that_may_be_one_with_a_hole_is_not_certain() -> None:
    named = of_key(allow(Principal={"AWS": SESSION}))
    holes = of_key(allow(Principal={"AWS": ROLE.replace(OWNER, "${Mine}")}), Mine=ACCOUNT)
    assert not any(one.certain for one in beyond(named, holes))
    assert all(one.certain for one in beyond(named, of_key()))


@pytest.mark.parametrize(
    ("operator", "value", "right"),
    [
        ("Null", "true", YES),
        ("Null", "false", NO),
        ("Null", "perhaps", UNKNOWN),
        ("StringNotEquals", OWNER, YES),
        ("StringEqualsIfExists", OWNER, YES),
        ("ForAnyValue:StringEqualsIfExists", OWNER, UNKNOWN),
    ],
)
def test_what_no_request_to_sts_says_is_a_key_that_is_not_sent(operator: str, value: str, right: Verdict) -> None:
    condition = {operator: {"kms:CallerAccount": value}}
    statement = {"Effect": "Allow", "Action": "sts:*", "Resource": "*", "Condition": condition}
    policy = read(policy_document(statement), "permissions")
    assert allows(policy, Request(ROLE, "sts:AssumeRole", OTHER)).verdict is right


def test_two_names_that_aws_generates_are_never_one() -> None:
    one, other = (f"arn:aws:iam::{OWNER}:role/${{{name}}}" for name in ("One", "Other"))
    forms = {"One": "*-Role*", "Other": "*-Role*"}
    policy = of_key(allow(Principal={"AWS": one}), **forms)
    assert said(policy, one) is YES
    assert said(policy, other) is NO
    literal = deny(Principal={"AWS": f"arn:aws:iam::{OWNER}:role/a-Role-b"})
    both = of_key(allow(Principal={"AWS": one}), literal, **forms)
    assert (said(both, one), said(both, other)) == (UNKNOWN, NO)


def test_a_text_may_be_a_generated_name_only_where_it_is_of_its_form() -> None:
    generated = f"arn:aws:iam::{OWNER}:role/${{Name}}"
    for text, right in (("a-Role-b", UNKNOWN), ("Role", NO), ("A*", UNKNOWN), ("*b", UNKNOWN)):
        condition = {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OWNER}:role/{text}"}}
        policy = of_key(allow(Principal="*", Condition=condition), Name="*-Role-*")
        assert said(policy, generated) is right
    assert said(of_key(allow(Principal="*", Condition=condition), Name="*-c"), generated) is NO


def test_who_signs_in_elsewhere_is_seen_in_a_key_policy() -> None:
    login = f"arn:aws:iam::{VENDOR}:saml-provider/Login"
    policy = of_key(allow(Principal={"Federated": login}, Action="kms:Decrypt"))
    [witness] = beyond(policy, of_key(allow()))
    assert (witness.principals, witness.actions, witness.certain) == ((login,), ("kms:Decrypt",), True)


@pytest.mark.parametrize(("value", "verdict"), [("false", YES), ("true", NO), ("*", NO), ("${Which}", UNKNOWN)])
def test_whether_a_service_asks_follows_from_who_asks(value: str, verdict: Verdict) -> None:
    condition = {"Bool" if value != "*" else "StringNotLike": {"aws:PrincipalIsAWSService": value}}
    assert said(of_key(allow(Condition=condition))) is verdict
    assert said(of_key(allow(Principal="*", Condition=condition)), "anonymous") is (YES if value == "*" else NO)


@pytest.mark.parametrize(
    ("operator", "key", "value", "right"),
    [
        ("StringEquals", "aws:RequestedRegion", "us-east-1", YES),
        ("StringNotEquals", "aws:RequestedRegion", "us-east-1", NO),
        ("StringNotEquals", "aws:RequestedRegion", "eu-west-1", YES),
        ("StringLike", "aws:RequestedRegion", "us-*", YES),
        ("Null", "aws:RequestedRegion", "true", NO),
        ("StringEquals", "aws:RequestedRegion", "${Where}", UNKNOWN),
        ("StringEquals", "aws:ResourceAccount", OWNER, YES),
        ("StringNotEquals", "aws:ResourceAccount", VENDOR, YES),
        ("StringNotEqualsIfExists", "aws:ResourceAccount", OWNER, NO),
    ],
)
def test_where_a_key_is_and_whose_follows_from_its_arn(operator: str, key: str, value: str, right: Verdict) -> None:
    assert said(under(operator, key, value)) is right


def test_where_a_key_is_may_be_a_hole_and_is_then_that_hole() -> None:
    for hole, right in (("${Where}", YES), ("${Another}", UNKNOWN), ("us-east-1", UNKNOWN)):
        allowed = allow(Condition={"StringEquals": {"aws:RequestedRegion": hole}})
        key = KEY.replace("us-east-1", "${Where}")
        policy = read(policy_document(allowed), "key", resource=key, forms={"Where": REGION})
        assert said(policy) is right
        assert bool(short(policy, of_key(allow()))) is (right is not YES)


@pytest.mark.parametrize("operator", ["StringLike", "ArnLike", "ArnEquals"])
def test_where_a_wildcard_may_be_typed_it_may_be_anybody(operator: str) -> None:
    names = f"arn:aws:iam::{OWNER}:role/${{Typed}}"
    policy = of_key(allow(Principal="*", Condition={operator: {"aws:PrincipalArn": names}}))
    exactly = of_key(allow(Principal="*", Condition={"StringEquals": {"aws:PrincipalArn": names}}))
    (one,) = beyond(policy, exactly)
    assert one.hangs_on[0] == f"{operator} aws:principalarn {names}, where * may be typed"
    assert short(policy, exactly) == beyond(exactly, exactly) == []
    made = read([policy.statements[0].raw], "key", resource=KEY, forms={"Typed": "Role-*"})
    assert beyond(made, exactly) == []


def test_a_typed_value_is_no_number_of_another_stack() -> None:
    for one, other in (("${Typed}", PINECONE), (PINECONE, "${Typed}")):
        ask = Questions()
        for account in (one, other):
            trusted = [{"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}]
            request = Request(f"arn:aws:iam::{account}:role/x", "sts:AssumeRole", own=True)
            policy = read(trusted, "trust", forms={})
            assert ask.answers(policy, [request]) == answers(policy, [request])


_IDS = ("aaaaaaaa-1111-4111-8111-111111111111", "bbbbbbbb-2222-4222-8222-222222222222")


@pytest.mark.parametrize(
    ("operator", "value", "sent"),
    [
        ("StringLike", "a*", _IDS),
        ("StringLikeIfExists", "?aa*", _IDS),
        ("StringLike", "*-1111-*", _IDS),
        ("StringEqualsIgnoreCase", _IDS[0].upper(), _IDS),
        ("NumericLessThan", "222222222222", ("111111111111", "333333333333")),
        ("StringNotEquals", "<id 2>", (_IDS[0], "<id 2>")),
    ],
)
def test_what_looks_into_a_name_is_asked_of_each_stack(operator: str, value: str, sent: tuple[str, str]) -> None:
    ask, key = Questions(), "kms:EncryptionContext:of"
    verdicts = []
    for name in sent:
        here = allow(Condition={"StringEquals": {key: name}})
        policy = of_key(here, deny(Condition={operator: {key: value}}))
        verdicts += [one.verdict for one in ask.answers(policy, [Request(ROLE, "kms:Decrypt", context={key: name})])]
    assert set(verdicts) == {YES, NO}


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        *((text, ("999988887777", "111144445555")) for text in ("1111${A}", "${A}5555", "1${!aws:x}")),
        ("aaaa${A}", _IDS[::-1]),
    ],
)
def test_a_reference_beside_a_part_of_a_name_is_asked_of_each_stack(text: str, sent: tuple[str, str]) -> None:
    ask, key = Questions(), "kms:EncryptionContext:for"
    for name in sent:
        here = allow(Condition={"StringEquals": {key: name}})
        policy = of_key(here, deny(Condition={"StringEquals": {key: text}}))
        request = Request(ROLE, "kms:Decrypt", context={key: name})
        assert ask.answers(policy, [request]) == answers(policy, [request])


def test_what_is_sent_may_be_a_name_that_aws_generates() -> None:
    ask, key = Questions(), "kms:EncryptionContext:made"
    policy = of_key(allow(Condition={"StringEquals": {key: "${Made}"}}), Made="x-*")
    for sent in ("x-1", "y-1", "${Made}"):
        request = Request(ROLE, "kms:Decrypt", context={key: sent})
        assert ask.answers(policy, [request]) == answers(policy, [request])


def test_what_a_generated_name_begins_with_is_no_number_of_another_stack() -> None:
    forms = dict.fromkeys(("One", "Other"), f"x-{OWNER}-*")
    stacks = [(OWNER, "One"), (VENDOR, "Other")]
    for some in (stacks, stacks[::-1]):
        ask = Questions()
        for number, name in some:
            session = f"arn:aws:sts::{number}:assumed-role/${{{name}}}/session"
            let = {"Effect": "Allow", "Principal": {"AWS": session}, "Action": "sts:AssumeRole"}
            policy = read([let], "trust", forms=forms)
            request = Request(f"arn:aws:iam::{number}:role/x-{number}-1", "sts:AssumeRole", own=True)
            assert ask.answers(policy, [request]) == answers(policy, [request])


def test_the_id_of_a_key_is_looked_into() -> None:
    ask = Questions()
    some = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "arn:aws:kms:*:*:key/*-1111-*"}
    asked = (Request(ROLE, "kms:Decrypt", KEY.rpartition("/")[0] + f"/{name}") for name in _IDS)
    assert [ask.answers(read([some], "permissions"), [one])[0].verdict for one in asked] == [YES, NO]


def test_an_id_in_the_name_of_a_role_is_the_same_in_capitals() -> None:
    ask, role = Questions(), ROLE.replace("role/", "role/p/")
    denied = deny(Principal={"AWS": f"{ROLE}-{_IDS[0].upper()}"})
    policies = (of_key(allow(Principal={"AWS": f"{role}-{name}"}), denied) for name in _IDS)
    assert [bool(ask.beyond(one, policy_document())) for one in policies] == [False, True]


def test_a_witness_has_the_condition_keys_and_the_forms_of_its_own_stack() -> None:
    ask, nothing = Questions(), policy_document()
    for number in (OWNER, VENDOR):
        tag = f"aws:PrincipalTag/{number}"
        one, *_ = ask.beyond(of_key(allow(Condition={"StringEquals": {tag: "x"}})), nothing)
        assert tag.lower() in one.request.context
    name = "it's \""
    let, denied = allow(Principal={"AWS": f"{OTHER}/${{{name}}}"}), deny(Principal={"AWS": f"{OTHER}/x-1"})
    found = [ask.beyond(of_key(let, denied, **{name: form}), nothing)[0].certain for form in ("x-*", "y-*")]
    assert found == [False, True]


def test_two_references_that_differ_in_capitals_are_two() -> None:
    one, other = ({"AWS": f"arn:aws:iam::{OWNER}:role/${{{name}}}"} for name in ("Role", "ROLE"))
    assert beyond(of_key(allow(Principal=one), deny(Principal=other)), of_key())


def test_an_action_with_capitals_and_a_reference_is_what_it_may_be() -> None:
    policy = of_key(allow(Action="kms:PutKey${What}"))
    assert [one.actions for one in beyond(policy, of_key())] == [("kms:PutKey${What}",)]
    assert allows(of_key(allow(), deny(Action="kms:De${What}")), Request(ROLE, "kms:Decrypt")).verdict is UNKNOWN


def test_what_a_denial_is_to_who_signs_in_elsewhere_is_not_known() -> None:
    login = allow(Principal={"Federated": f"arn:aws:iam::{VENDOR}:saml-provider/Login"})
    denied = deny(Principal="*", Condition={"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}})
    for policy in (
        of_key(login, denied),
        of_key({**login, "Condition": {"StringEquals": {"aws:PrincipalAccount": OWNER}}}),
    ):
        (one,) = beyond(policy, of_key(allow()))
        assert (one.statement, one.certain) == (policy.statements[0], False)


def test_a_denial_to_who_is_of_no_organization_hangs_on_whether_there_is_one() -> None:
    policy = of_key(allow(), deny(Condition={"StringNotLike": {"aws:PrincipalOrgID": "*"}}))
    assert said(policy, aws_PrincipalOrgID="o-1234567890") is YES
    assert said(policy, aws_PrincipalOrgID=None) is NO
    answer = allows(policy, Request(ROLE, "kms:Decrypt"))
    assert (answer.verdict, answer.hangs_on) == (UNKNOWN, ("aws:principalorgid",))


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            allow(Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}),
            "whether the caller's address is in 192.0.2.0/24",
        ),
        (deny(Condition={"StringLike": {"aws:SourceVpce": "*x"}}), "what is sent as aws:sourcevpce"),
        (allow(Principal={"AWS": "${Typed}"}), "whether AWS ${Typed} is the principal"),
        (
            allow(Principal={"AWS": f"arn:aws:iam::{OWNER}:role/${{Name}}"}),
            "whether the name in an ARN is the value of Name",
        ),
        (
            allow(Condition={"ArnLike": {"aws:PrincipalArn": "no ARN"}}),
            "whether the caller's ARN is like no ARN",
        ),
        (deny(Condition={"StringLike": {"login.example.com:sub": "*x"}}), "what is sent as login.example.com:sub"),
        (
            allow(Condition={"NumericLessThan": {"aws:PrincipalTag/Cost Center": "5"}}),
            "whether aws:principaltag/cost center is less than 5",
        ),
    ],
)
def test_what_an_answer_hangs_on_is_said_in_words(statement: Any, words: str) -> None:
    answer = allows(of_key(statement if statement["Effect"] == "Allow" else allow(), statement), Request(ROLE, "kms:a"))
    assert answer.verdict is UNKNOWN
    assert plain(in_doubt(answer.hangs_on)) == words


def test_the_policy_of_another_resource_is_judged_though_no_action_of_it_is_known_here() -> None:
    policy = read(policy_document(allow(Action="s3:GetObject")), "resource", forms={})
    assert [one.principals for one in beyond(policy, read(policy_document(), "resource"), ROLE)] == [(ROLE,)]
