"""`cmek who`: each answer is the independent simulator's, and nobody who is let in is left out."""

from __future__ import annotations

import functools
import json
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmek_construct.guide import (
    KeyAccess,
    key_policy,
    policy_document,
    role_statements,
    root_statement,
    trust_statement,
)
from cmek_construct.policy import Verdict
from cmek_construct.templates import Run, find, template_of
from cmek_construct.who.answers import ASSUME, ON_KEY, Who
from cmek_construct.who.answers import who as asked_of
from tests import forms
from tests.command import cmek
from tests.simulator import simulator
from tests.simulator.questions import EVERYTHING, Caller, deployed_form
from tests.simulator.simulator import Result

OWNER, PINECONE, THIRD = "111122223333", "444455556666", "123456789012"
ROLE = {"Fn::GetAtt": ["Role", "Arn"]}
FOLDER = forms.template_file("suspended").parent


@functools.cache
def answers() -> dict[str, dict[str, Any]]:
    """What `cmek who --json` says of every form."""
    printed = cmek(FOLDER, "who", ".", "--json", f"--account={forms.CUSTOMER}")
    found = json.loads(printed.stdout)["templates"]
    return {forms.form_of(one["template"].split(".")[0]): one for one in found}


# Every row, against the simulator.


def as_deployed(form: str, text: str) -> str:
    """A text with what the deploy puts in the place of what only it knows."""
    deployed = deployed_form(form)
    for name in re.findall(r"\$\{([^}]+)\}", text):
        value = forms.PARAMETERS.get(name) or deployed.resolve({"Ref": name})
        text = text.replace(f"${{{name}}}", value)
    return text


SAMPLES = {"account": ["999999999999", "100000000001"], "rest": ["role/x", "role/a/b", "user/x"]}


def members(form: str, row: dict[str, Any]) -> list[str | None]:
    """Some of those whom a row is about: of a group several, of which none is left out."""
    principal = as_deployed(form, row["principal"])
    if "*" not in principal:
        return [None if principal == "anonymous" else principal]
    *_, account, rest = principal.split(":")
    accounts = SAMPLES["account"] if account == "*" else [account]
    rests = SAMPLES["rest"] if rest == "*" else [rest.replace("*", one) for one in ("x", "ap-1")]
    but = [as_deployed(form, one) for one in row["but"]]
    found = [f"arn:aws:iam::{one}:{other}" for one in accounts for other in rests]
    assert not any(fnmatchcase(one, other) for one in found for other in but)
    return [*found]


def question(form: str, row: dict[str, Any], principal: str | None, own_policies: bool) -> simulator.Request:
    caller = Caller(principal)
    deployed, context = deployed_form(form), caller.context
    if row["external_id"] is not None:
        context["sts:ExternalId"] = as_deployed(form, row["external_id"])
    if row["for_aws_service"] is not None:
        context["kms:GrantIsForAWSResource"] = str(row["for_aws_service"]).lower()
    if "unused_for" in row:
        context["kms:TrailingDaysWithoutKeyUsage"] = row["unused_for"]
    to_role = row["action"] == ASSUME
    return simulator.Request(
        principal=caller.arn,
        action=row["action"],
        resource=deployed.role_arn if to_role else deployed.key_arn,
        account=forms.CUSTOMER,
        resource_policy=deployed.trust_policy if to_role else deployed.key_policy,
        identity_policies=[EVERYTHING] if own_policies and caller.account else [],
        context=context,
    )


def wanted(row: dict[str, Any], principal: str | None, most: Result, least: Result) -> str:
    """The answer, by what the simulator says with everything by IAM and with nothing."""
    # An account's root has everything by IAM already (aws_pages.IMPLICIT_DENY).
    arn = principal or ""
    needs_none = f"::{forms.CUSTOMER}:" not in arn or arn.endswith(":root")
    if least is Result.ALLOWED or (most is Result.ALLOWED and needs_none):
        return "yes"
    if most is Result.ALLOWED and row["own_policies"] is not False:
        return "only by IAM policies of the account"
    return "no"


def stands(form: str, row: dict[str, Any]) -> Any:
    """The statement that a row names by its Sid or its number."""
    deployed, name = deployed_form(form), row["statement"]
    policy = deployed.trust_policy if row["action"] == ASSUME else deployed.key_policy
    for number, statement in enumerate(policy["Statement"], 1):
        if name == statement.get("Sid", f"statement {number}"):
            return statement
    raise AssertionError(f"{form} has no statement {name}")


UNUSED = re.compile("only when unused for ([0-9]+) days(, by IAM policies of the account)?")


def while_used_and_unused(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The row; of an answer that hangs on when the key was used last, each of the two."""
    found = UNUSED.fullmatch(row["answer"])
    if found is None:
        return [row]
    unused = "only by IAM policies of the account" if found[2] else "yes"
    return [
        {**row, "answer": "no", "unused_for": str(int(found[1]) - 1)},
        {**row, "answer": unused, "unused_for": found[1], "statement": None},
    ]


def test_every_answer_about_every_form_is_the_simulators() -> None:
    asked = [
        (form, row, principal)
        for form, one in answers().items()
        for given_row in one["rows"]
        for row in while_used_and_unused(given_row)
        for principal in members(form, row)
    ]
    assert len(asked) > 7000
    assert set(answers()) == set(forms.FORMS)
    requests = [question(*one, own) for own in (True, False) for one in asked]
    simulated = simulator.simulate(requests)
    given: set[str] = set()
    for (form, row, principal), most, least in zip(
        asked, simulated[: len(asked)], simulated[len(asked) :], strict=True
    ):
        given.add(row["answer"])
        right = wanted(row, principal, most.result, least.result)
        assert row["answer"] == right, (form, row, principal)
        if row["statement"] or most.result is Result.EXPLICITLY_DENIED:
            assert stands(form, row) in most.statements, (form, row)
    assert given == {verdict.value for verdict in Verdict} - {"cannot tell"}


# Nobody is left out.


def who(templates: list[dict[str, Any]], account: str | None = None) -> list[Who]:
    """The answers about templates that are called a, b and so on."""
    named = zip("abcdef", templates, strict=False)
    run = Run([template_of(one, f"{name}.json") for name, one in named], account)
    return asked_of(find(run))


def template(trust: list[Any], use: list[Any], **more: Any) -> dict[str, Any]:
    resources = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": policy_document(*trust)}},
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy_document(*use)}},
    }
    return {"Resources": resources, **more}


TRUST = trust_statement(PINECONE, ["us-east-1"], "an-id")
USE = key_policy(OWNER, ROLE, KeyAccess.KEY_USER)["Statement"]  # type: ignore[arg-type]


def asked(*use: Any, trust: Any = TRUST, **more: Any) -> Who:
    (found,) = who([template([trust], [*USE, *use], **more)])
    return found


def said(found: Who, words: str, action: str) -> set[str]:
    rows = [row for row in found.rows if row.who.words.startswith(words) and row.action == action]
    assert rows, [row.who.words for row in found.rows]
    return {row.answer for row in rows}


EVERYBODY = [
    f"arn:aws:iam::{account}:{name}"
    for account in (OWNER, PINECONE, THIRD)
    for name in ("root", "role/a/Worker", "user/Somebody", "role/pinecone_cmek_access_us-east-1")
]


@given(
    st.lists(st.sampled_from([*EVERYBODY, "*", THIRD]), min_size=1, max_size=3, unique=True),
    st.sampled_from([*ON_KEY, "kms:*", "*"]),
)
@settings(max_examples=50, database=None)
def test_whoever_a_key_policy_lets_in_is_in_the_table(names: list[str], action: str) -> None:
    found = asked({"Effect": "Allow", "Principal": {"AWS": names}, "Action": action, "Resource": "*"})
    let_in = {row.who.arn for row in found.keys if row.verdict is Verdict.YES}
    for name in names:
        if name == "*":
            assert "yes" in said(found, "a stranger", "kms:Decrypt" if "*" in action else action)
        elif name == THIRD:
            assert f"arn:aws:iam::{THIRD}:root" in let_in
        elif name != f"arn:aws:iam::{PINECONE}:root":
            assert name in let_in


@given(st.sampled_from([*EVERYBODY, "*", THIRD]))
@settings(database=None)
def test_whoever_a_trust_policy_lets_in_is_in_the_table(name: str) -> None:
    other = {"Effect": "Allow", "Principal": {"AWS": name}, "Action": ASSUME}
    (found,) = who([template([TRUST, other], USE)])
    let_in = {row.who.arn for row in found.roles if row.verdict is Verdict.YES}
    if name == "*":
        assert said(found, "a stranger", ASSUME) == {"yes"}
    elif name == f"arn:aws:iam::{PINECONE}:root":
        assert said(found, "anybody else of Pinecone's account", ASSUME) == {"yes"}
    else:
        assert (f"arn:aws:iam::{THIRD}:root" if name == THIRD else name) in let_in


def of_key(*statements: Any, **more: Any) -> dict[str, dict[str, set[str]]]:
    """The answers about a key with these statements besides, by words and action."""
    found: dict[str, dict[str, set[str]]] = {}
    allowed = [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", **one} for one in statements]
    for one in allowed:
        if "NotAction" in one:
            del one["Action"]
    for row in asked(*allowed, **more).keys:
        found.setdefault(row.who.words, {}).setdefault(row.action, set()).add(row.verdict.value)
    return found


@pytest.mark.parametrize(
    ("statement", "words", "answer"),
    [
        ({"Principal": {"Service": "s3.amazonaws.com"}}, "the service s3.amazonaws.com", "yes"),
        ({"Principal": {"Federated": "accounts.google.com"}}, "Federated accounts.google.com", None),
        (
            {"Principal": {"AWS": f"arn:aws:sts::{THIRD}:assumed-role/x/session"}},
            f"the assumed-role x/session of account {THIRD}",
            "yes",
        ),
        ({"Principal": {"AWS": "AROA" + "A" * 17}}, "AROA" + "A" * 17 + ", which is deleted", "no"),
        ({"Principal": {"AWS": f"arn:aws:iam::{THIRD}:role/*"}}, f"every role * of account {THIRD}", None),
        ({"Principal": {"AWS": {"Ref": "Whom"}}}, "AWS ${Whom}", None),
        ({"Principal": {"AWS": {"Ref": "Whom"}}}, "a stranger", None),
        ({"Principal": {"AWS": "{{resolve:ssm:/whom}}"}}, "a stranger", None),
        (
            {"Principal": {"AWS": f"arn:aws:iam::{THIRD}:role/{{{{resolve:ssm:/whom}}}}"}},
            f"anybody else of account {THIRD}",
            "no",
        ),
        ({"Principal": "*"}, "a stranger", "yes"),
        ({"Principal": "*"}, "who is not signed in", "yes"),
        ({"Principal": "*"}, "an AWS service", "yes"),
        ({"NotPrincipal": {"AWS": f"arn:aws:iam::{THIRD}:root"}}, "a stranger", None),
        ({"Principal": "*", "NotAction": "kms:Encrypt"}, "a stranger", "yes"),
    ],
    ids=str,
)
def test_whom_a_key_policy_names_in_whatever_way_is_answered(
    statement: dict[str, Any], words: str, answer: str | None
) -> None:
    found = of_key(statement, Parameters={"Whom": {"Type": "String", "Default": "*"}})
    assert found[words]["kms:Decrypt"] == {answer or "cannot tell"}


def only_if(operator: str, key: str, value: Any) -> dict[str, Any]:
    return {"Principal": {"AWS": "*"}, "Condition": {operator: {key: value}}}


@pytest.mark.parametrize(
    ("statement", "let_in", "outside"),
    [
        (
            only_if("StringLike", "aws:PrincipalArn", f"arn:aws:iam::{THIRD}:role/evil"),
            f"the role evil of account {THIRD}",
            f"anybody else of account {THIRD}",
        ),
        (
            only_if("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{THIRD}:role/dev-*"),
            f"every role dev-* of account {THIRD}",
            f"anybody else of account {THIRD}",
        ),
        (
            only_if("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:user/root"),
            "the user root of any other account",
            "a stranger",
        ),
        (only_if("StringEquals", "aws:PrincipalAccount", THIRD), f"anybody else of account {THIRD}", "a stranger"),
        (only_if("StringEquals", "kms:CallerAccount", [THIRD]), f"the root of account {THIRD}", "a stranger"),
        (only_if("StringNotEquals", "kms:CallerAccount", THIRD), "a stranger", f"anybody else of account {THIRD}"),
        (
            only_if("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/*"),
            "a stranger",
            "every role * of any other account",
        ),
        (only_if("Bool", "aws:PrincipalIsAWSService", "true"), "an AWS service", "a stranger"),
        (only_if("Null", "aws:PrincipalArn", "true"), "who is not signed in", "a stranger"),
    ],
    ids=str,
)
def test_whom_a_condition_names_is_asked_and_nobody_else_is_let_in(
    statement: dict[str, Any], let_in: str, outside: str
) -> None:
    found = of_key(statement)
    assert found[let_in]["kms:Decrypt"] == {"yes"}
    assert found[outside]["kms:Decrypt"] == {"no"}


@pytest.mark.parametrize(
    "value",
    [
        {"Fn::Select": ["0", {"Ref": "Whom"}]},
        {"Fn::If": ["Unknown", f"arn:aws:iam::{THIRD}:role/x"]},
        {"Fn::Sub": "arn:aws:iam::${Whom}"},
        {"Fn::Transform": {"Name": "Mine"}},
        {"Ref": "Whom"},
    ],
    ids=str,
)
def test_what_cannot_be_read_may_be_anybody(value: Any) -> None:
    more = {"Parameters": {"Whom": {"Type": "CommaDelimitedList", "Default": "*"}}}
    found = of_key({"Principal": {"AWS": value}}, **more)
    assert found["a stranger"]["kms:Decrypt"] == {"cannot tell"}
    spared = {"Effect": "Deny", "Action": "*", "Resource": "*", "Principal": {"AWS": value}}
    found = of_key({"Principal": {"AWS": THIRD}}, spared, **more)
    assert found[f"anybody else of account {THIRD}"]["kms:Decrypt"] == {"cannot tell"}


def test_two_things_that_cannot_be_read_are_not_the_same() -> None:
    def let(number: int, effect: str) -> dict[str, Any]:
        whom = {"Fn::Select": [str(number), {"Ref": "Whom"}]}
        arn = {"Fn::Join": ["", [f"arn:aws:iam::{THIRD}:role/", whom]]}
        return {"Effect": effect, "Principal": {"AWS": arn}}

    one, another, same = let(0, "Allow"), let(1, "Deny"), let(0, "Deny")
    (words,) = (words for words in of_key(one) if words.startswith("the role ${?Fn::Select"))
    assert of_key(one, another)[words]["kms:Decrypt"] == {"cannot tell"}
    assert of_key(one, same)[words]["kms:Decrypt"] == {"no"}


@pytest.mark.parametrize(
    "document",
    [
        '{"Statement": [], "Statement": []}',
        "no JSON",
        {"Fn::Sub": '{"Statement": ${Whom}}'},
        {"Ref": "Whom"},
        {"Statement": [{"Effect": {"Ref": "Whom"}, "Principal": "*", "Action": "*"}]},
        {"Statement": [], "Fn::Transform": {"Name": "Mine"}},
    ],
    ids=str,
)
def test_a_policy_that_cannot_be_read_lets_nobody_be_told(document: Any) -> None:
    made = template([TRUST], USE, Parameters={"Whom": {"Type": "String"}})
    made["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"] = document
    alias = {"AliasName": "alias/pinecone-cmek/x", "TargetKeyId": {"Ref": "Key"}}
    made["Resources"]["Alias"] = {"Type": "AWS::KMS::Alias", "Properties": alias}
    (found,) = who([made])
    assert {row.verdict.value for row in found.roles} == {"cannot tell"}


@pytest.mark.parametrize("function", [None, "Fn::Sub"])
def test_a_policy_that_is_text_is_read(function: str | None) -> None:
    made = template([TRUST], USE)
    text = json.dumps(policy_document(TRUST))
    document = text if function is None else {function: text}
    made["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"] = document
    (found,) = who([made])
    assert said(found, "Pinecone's role of us-east-1", ASSUME) == {"yes", "no"}
    assert said(found, "a stranger", ASSUME) == {"no"}


# What a reviewer reads.


def test_its_first_line_says_what_no_template_shows() -> None:
    printed = cmek(FOLDER, "who", "ExplicitWithId.template.json").stdout
    assert printed.startswith("No template shows this: the account's own IAM policies can add")
    assert "SCPs and RCPs can take away" in printed.splitlines()[0]


def test_its_tables_fit_into_120_columns_and_every_answer_is_in_them() -> None:
    printed = cmek(FOLDER, "who", ".").stdout
    tables = [line for line in printed.splitlines() if not line.startswith(("No template", "yes:"))]
    assert max(map(len, tables)) <= 120
    for words in ("AllowPineconeToAssumeIntoRoleFromExplicitRegionswithID", "the role itself"):
        assert words in printed
    words = " ".join(printed.split())
    assert "the role CmekRoleB9267AA0 all of these no Deny Pinecone while suspended" in words
    assert "the account's others, by IAM all of these only by IAM policies Enable IAM User" in words


def test_who_is_suspended_is_answered_no_by_the_statement_that_suspends() -> None:
    rows = answers()["suspended"]["rows"]
    role = [row for row in rows if row["who"] == "the role CmekRoleB9267AA0"]
    assert {(row["answer"], row["statement"]) for row in role} == {("no", "Deny Pinecone while suspended")}
    closed = answers()["role_alone_suspended"]["rows"]
    assert {(row["answer"], row["statement"]) for row in closed} == {("no", "DenyEverybodyWhileSuspended")}


def test_the_account_is_that_of_the_assembly_or_the_root_statement_or_given(tmp_path: Path) -> None:
    def account(form: str, *options: str, folder: Path = tmp_path) -> list[Any]:
        name = forms.template_file(form).name
        (tmp_path / name).write_bytes(forms.template_file(form).read_bytes())
        (one,) = json.loads(cmek(folder, "who", name, "--json", *options).stdout)["templates"]
        return [one["account"], one["account_is_known"]]

    assert account("role_alone", folder=FOLDER) == [forms.CUSTOMER, True]
    assert account("encrypt_decrypt") == [forms.CUSTOMER, True]
    for folder, form in ((FOLDER, "role_alone"), (tmp_path, "encrypt_decrypt")):
        name = forms.template_file(form).name
        refused = cmek(folder, "who", name, "--account=999999999999", code=1)
        assert f"account {forms.CUSTOMER}, not 999999999999" in refused.stderr
    assert account("environment_agnostic", "--account=999999999999") == ["999999999999", True]
    assert account("role_alone", "--account=999999999999") == ["999999999999", True]
    assert account("role_alone") == ["${AWS::AccountId}", False]
    printed = cmek(FOLDER, "who", forms.template_file("environment_agnostic").name).stdout
    assert "this account" in printed
    assert "--account says it" in printed
    assert "12 digits" in cmek(tmp_path, "who", "x", "--account=1", code=2).stderr


def test_where_the_account_is_not_known_the_answers_are_the_same() -> None:
    """But for who is asked: no answer hangs on which account it is."""
    one = forms.template("environment_agnostic")
    (known,), (unknown,) = who([one], OWNER), who([one])
    assert {row.verdict.value for row in unknown.rows} == {verdict.value for verdict in Verdict} - {"cannot tell"}
    assert [(row.who.words, row.action, row.verdict) for row in unknown.rows] == [
        (row.who.words, row.action, row.verdict) for row in known.rows
    ]


def test_what_cannot_be_told_is_named_and_fails(tmp_path: Path) -> None:
    condition = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
    denial = {"Sid": "Ours", "Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt"}
    made = template([TRUST], [*USE, {**denial, "Resource": "*", "Condition": condition}])
    (tmp_path / "t.json").write_text(json.dumps(made))
    (one,) = json.loads(cmek(tmp_path, "who", "t.json", "--json", code=1).stdout)["templates"]
    doubts = {row["doubt"] for row in one["rows"] if row["answer"] == "cannot tell"}
    assert doubts == {"Ours: the caller's organization"}
    assert {row["action"] for row in one["rows"] if row["doubt"]} == {"kms:Decrypt"}


def test_a_key_administrator_is_called_one_because_he_writes_the_key_policy() -> None:
    rows = answers()["with_key_admins"]["rows"]
    words = {row["who"] for row in rows if row["principal"] == forms.ADMIN_ROLE}
    assert words == {"key administrator security/KeyAdmin"}
    worker = f"arn:aws:iam::{OWNER}:role/Worker"
    found = asked({"Effect": "Allow", "Principal": {"AWS": worker}, "Action": "kms:Decrypt", "Resource": "*"})
    assert said(found, "the account's role Worker", "kms:Decrypt") == {"yes"}


# Values that only the deploy knows.


def test_a_role_of_another_template_is_known_by_what_that_exports() -> None:
    role = template([TRUST], USE)
    del role["Resources"]["Key"]
    output = {"Value": ROLE, "Export": {"Name": "Theirs"}}
    role["Outputs"] = {"Out": output}
    key = template([TRUST], [root_statement(OWNER)])
    key["Resources"]["Key"]["Properties"]["KeyPolicy"]["Statement"] += role_statements(
        {"Fn::ImportValue": "Theirs"},  # type: ignore[arg-type]
        KeyAccess.ENCRYPT_DECRYPT,
    )
    del key["Resources"]["Role"]
    both = who([role, key], OWNER)
    assert [len(one.keys) > 0 for one in both] == [False, True]
    assert said(both[1], "the role a/Role", "kms:Decrypt") == {"yes"}
    assert said(both[1], "a stranger", "kms:Decrypt") == {"no"}


def test_two_accounts_that_are_taken_for_pinecones_are_said(tmp_path: Path) -> None:
    other = trust_statement(THIRD, ["us-east-1"], "an-id")
    for name, trust in (("one", TRUST), ("other", other)):
        (tmp_path / f"{name}.json").write_text(json.dumps(template([trust], USE)))
    said = cmek(tmp_path, "who", "one.json", "other.json").stderr
    assert f"taken for Pinecone's: {PINECONE}, {THIRD}." in " ".join(said.split())
    assert "taken for" not in cmek(tmp_path, "who", "one.json").stderr


@pytest.mark.parametrize(("default", "answer"), [("false", "yes"), ("true", "no"), (None, "cannot tell")])
def test_a_condition_is_decided_by_the_default_of_its_parameter(default: str | None, answer: str) -> None:
    denial = {"Sid": "Off", "Effect": "Deny", "Principal": {"AWS": ROLE}, "Action": "kms:*", "Resource": "*"}
    parameter = {"Type": "String"} | ({} if default is None else {"Default": default})
    found = asked(
        {"Fn::If": ["Off", denial, {"Ref": "AWS::NoValue"}]},
        Parameters={"Suspended": parameter},
        Conditions={"Off": {"Fn::Equals": [{"Ref": "Suspended"}, "true"]}},
    )
    assert said(found, "the role Role", "kms:Decrypt") == {answer}
    assert found.assumed == ({} if default is None else {"Suspended": default})


@pytest.mark.parametrize(
    ("conditions", "answer"),
    [
        ({"Off": {"Fn::Equals": [{"Ref": "P"}, "/x"]}}, "cannot tell"),
        ({"Off": {"Fn::Equals": ["a", "a"]}}, "no"),
        ({"Off": {"Fn::Not": [{"Fn::Equals": [{"Ref": "AWS::Region"}, "x"]}]}}, "cannot tell"),
        ({"Off": {"Fn::And": [{"Condition": "A"}, {"Condition": "B"}]}}, "yes"),
        ({"Off": {"Fn::Or": [{"Condition": "A"}, {"Fn::Not": [{"Condition": "A"}]}]}}, "no"),
        ({"Off": {"Condition": "Off"}}, "cannot tell"),
    ],
    ids=str,
)
def test_a_template_is_asked_in_each_case_of_its_conditions(conditions: dict[str, Any], answer: str) -> None:
    """Of an SSM parameter the default is no value; a variable has one value at a time."""
    region = {"Ref": "AWS::Region"}
    known = {name: {"Fn::Equals": [region, name.lower()]} for name in ("A", "B")}
    denial = {"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}
    found = asked(
        {"Fn::If": ["Off", denial, {"Ref": "AWS::NoValue"}]},
        Parameters={"P": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/x"}},
        Conditions={**known, **conditions},
    )
    assert said(found, "the role Role", "kms:Decrypt") == {answer}
    assert said(found, "the role Role", "kms:Encrypt") == {"yes"}
    doubts = {row.doubt for row in found.rows if row.doubt}
    assert all(one and "the template's choice of " in one for one in doubts)
    assert bool(doubts) is (answer == "cannot tell")


S3, DYNAMODB = (f"{name}.us-east-1.amazonaws.com" for name in ("s3", "dynamodb"))


@pytest.mark.parametrize(
    ("effect", "condition", "answer"),
    [
        ("Allow", {"StringEquals": {"kms:ViaService": S3}}, f"only through {S3}"),
        ("Allow", {"StringEquals": {"kms:ViaService": [S3, DYNAMODB]}}, f"only through {S3} or {DYNAMODB}"),
        ("Allow", {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}}, "only through s3.*.amazonaws.com"),
        ("Allow", {"Null": {"kms:ViaService": "false"}}, "only through an AWS service"),
        ("Allow", {"StringNotEquals": {"kms:ViaService": S3}}, "yes"),
        ("Deny", {"StringNotEquals": {"kms:ViaService": S3}}, f"only through {S3}"),
        ("Deny", {"Null": {"kms:ViaService": "true"}}, "only through an AWS service"),
        ("Deny", {"StringEquals": {"kms:ViaService": S3}}, "yes"),
        ("Allow", {"StringEquals": {"kms:ViaService": S3, "aws:SourceVpce": "vpce-1"}}, "cannot tell"),
        ("Allow", {"Bool": {"aws:ViaAWSService": "true"}}, "cannot tell"),
        ("Deny", {"Bool": {"aws:ViaAWSService": "false"}}, "cannot tell"),
        ("Allow", {"ForAnyValue:StringEquals": {"aws:CalledVia": "athena.amazonaws.com"}}, "cannot tell"),
        (
            "Allow",
            {
                "StringLike": {"kms:ViaService": "s3.*"},
                "StringLikeIfExists": {"kms:ViaService": "*.eu-west-1.amazonaws.com"},
            },
            "cannot tell",
        ),
        ("Allow", {"Null": {"kms:ViaService": "false"}, "StringNotLike": {"kms:ViaService": "s3.*"}}, "cannot tell"),
        (
            "Allow",
            {
                "StringEquals": {"kms:ViaService": "dynamodb.us-east-1.amazonaws.com"},
                "StringLikeIfExists": {"kms:ViaService": "s3.*"},
            },
            "no",
        ),
    ],
    ids=str,
)
def test_who_is_let_in_through_a_service_alone_is_told_through_which(
    effect: str, condition: dict[str, Any], answer: str
) -> None:
    use = {"Principal": {"AWS": f"arn:aws:iam::{THIRD}:role/App"}, "Action": "kms:Decrypt", "Resource": "*"}
    free = [{**use, "Effect": "Allow"}] if effect == "Deny" else []
    found = asked(*free, {**use, "Effect": effect, "Condition": condition})
    assert said(found, f"the role App of account {THIRD}", "kms:Decrypt") == {answer}
    assert said(found, f"the role App of account {THIRD}", "kms:Encrypt") == {"no"}


def test_whom_the_accounts_iam_lets_in_may_come_through_a_service_without_it() -> None:
    through = {"StringEquals": {"kms:ViaService": S3, "kms:CallerAccount": OWNER}}
    found = asked(
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt", "Resource": "*", "Condition": through}
    )
    assert said(found, "the account's others, by IAM", "kms:Decrypt") == {
        f"by IAM policies of the account, or through {S3}"
    }
    assert said(found, "the account's others, no IAM", "kms:Decrypt") == {f"only through {S3}"}
    assert said(found, "a stranger", "kms:Decrypt") == {"no"}


@pytest.mark.parametrize("as_page", [False, True])
def test_the_table_and_the_page_say_through_which_service(as_page: bool, tmp_path: Path) -> None:
    use = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{THIRD}:role/App"}}
    use |= {"Action": "kms:Decrypt", "Resource": "*"}
    use["Condition"] = {"StringEquals": {"kms:ViaService": S3}}
    (tmp_path / "t.json").write_text(json.dumps(template([TRUST], [*USE, use])))
    if as_page:
        cmek(tmp_path, "review", "t.json")
        text = (tmp_path / "review.html").read_text("utf-8")
    else:
        text = cmek(tmp_path, "who", "t.json").stdout
    assert "only through" in text
    assert "s3.us-east-1" in text


def test_more_cases_than_anybody_reads_are_not_judged() -> None:
    conditions = {f"C{n}": {"Fn::Equals": [{"Ref": f"P{n}"}, "x"]} for n in range(5)}
    found = asked(
        *({**USE[0], "Action": {"Fn::If": [name, "kms:Encrypt", "kms:Decrypt"]}, "Sid": name} for name in conditions),
        Parameters={f"P{n}": {"Type": "String"} for n in range(5)},
        Conditions=conditions,
    )
    (row,) = found.keys
    assert (row.verdict.value, row.who.words) == ("cannot tell", "anybody")
    assert row.doubt is not None
    assert "more cases than can be judged" in row.doubt


def test_a_role_under_another_name_than_the_template_spells_may_be_an_administrator() -> None:
    administrator = f"arn:aws:iam::{OWNER}:role/Admin"
    rules = {"Effect": "Allow", "Principal": {"AWS": administrator}, "Action": "kms:PutKeyPolicy"}
    made = template([TRUST], [*USE, {**rules, "Resource": "*"}])
    (found,) = who([made])
    assert said(found, "the role Role", "kms:PutKeyPolicy") == {str(Verdict.BY_ACCOUNT.value)}
    made["Resources"]["Role"]["Properties"]["RoleName"] = {"Ref": "Name"}
    made["Parameters"] = {"Name": {"Type": "String"}}
    (found,) = who([made])
    assert said(found, "the role Role", "kms:PutKeyPolicy") == {"cannot tell"}
    assert said(found, "the role Role", "kms:Decrypt") == {"yes"}


def test_conditions_in_a_circle_and_in_a_long_chain_take_no_time() -> None:
    chain = {f"C{n}": {"Fn::And": [{"Condition": f"C{n + 1}"}] * 2} for n in range(200)}
    denial = {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"}
    found = asked(
        {"Fn::If": ["C0", denial, {"Ref": "AWS::NoValue"}]},
        Conditions={**chain, "C200": {"Fn::Or": [{"Condition": "C0"}, {"Condition": "C0"}]}},
    )
    assert said(found, "the role Role", "kms:Decrypt") == {"cannot tell"}


def test_whether_another_resource_is_this_key_is_not_guessed() -> None:
    found = asked(
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{THIRD}:role/x"},
            "Action": "kms:Decrypt",
            "Resource": f"arn:aws:kms:us-east-1:{OWNER}:key/1234abcd-0000",
        }
    )
    assert said(found, "the role x of account", "kms:Decrypt") == {"cannot tell"}
    assert said(found, "the role x of account", "kms:Encrypt") == {"no"}


def test_every_external_id_is_asked_and_a_star_for_one_lets_a_wrong_one_in() -> None:
    condition = {"StringEquals": {"STS:ExternalId": ["one-id", "another-id"]}}
    found = asked(trust={**TRUST, "Condition": condition})
    entered = {row.external_id for row in found.roles if row.verdict is Verdict.YES}
    assert entered == {"one-id", "another-id"}
    star = asked(trust={**TRUST, "Condition": {"StringLike": {"sts:ExternalId": "*"}}})
    assert "yes" in {row.verdict.value for row in star.roles if row.presents == "wrong"}


@pytest.mark.parametrize(
    ("condition", "patterns", "another"),
    [
        ({"StringLike": {"sts:ExternalId": "abc-*"}}, "yes", "cannot tell"),
        (
            {"StringLike": {"sts:ExternalId": "abc-*"}, "StringLikeIfExists": {"sts:ExternalId": "*-def"}},
            "cannot tell",
            "cannot tell",
        ),
        ({"StringLike": {"sts:ExternalId": "abc-*"}, "StringNotLike": {"sts:ExternalId": "a*"}}, "no", "no"),
        (
            {"StringLike": {"sts:ExternalId": "abc-*"}, "Bool": {"aws:ViaAWSService": "true"}},
            "cannot tell",
            "cannot tell",
        ),
        ({"StringEquals": {"sts:ExternalId": "abc"}}, "yes", "no"),
    ],
    ids=str,
)
def test_an_external_id_that_no_policy_spells_may_be_let_in(
    condition: dict[str, Any], patterns: str, another: str
) -> None:
    found = asked(trust={**TRUST, "Condition": condition})
    pinecones = [row for row in found.roles if row.who.is_pinecone]
    assert {row.answer for row in pinecones if row.presents == "right"} == {patterns}
    assert {row.answer for row in pinecones if row.presents == "wrong"} == {another}
    doubts = [row.doubt for row in pinecones if row.answer == "cannot tell"]
    assert all(one and ("external ID" in one or "aws:viaaws" in one) for one in doubts), doubts
    assert "yes" not in {row.answer for row in found.roles if not row.who.is_pinecone}


def test_another_external_id_is_none_of_those_that_are_asked_for() -> None:
    taken = ["another-external-id", "another-external-id-2"]
    found = asked(trust={**TRUST, "Condition": {"StringNotEquals": {"sts:ExternalId": taken}}})
    wrong = {(row.external_id, row.answer) for row in found.roles if row.who.is_pinecone}
    assert ("another-external-id-3", "yes") in wrong
    assert {(one, "no") for one in taken} <= wrong


@pytest.mark.parametrize(
    ("effect", "condition", "presents"),
    [
        ("Deny", {"StringEquals": {"sts:ExternalId": "old-id"}}, {"old-id": "denied"}),
        ("Deny", {"StringLike": {"sts:ExternalId": "old-*"}}, {"old-*": "denied"}),
        ("Allow", {"StringNotEquals": {"sts:ExternalId": "old-id"}}, {"old-id": "denied"}),
        ("Deny", {"StringNotEquals": {"sts:ExternalId": "new-id"}}, {"new-id": "right"}),
        ("Deny", {"Null": {"sts:ExternalId": "true"}}, {}),
    ],
    ids=str,
)
def test_an_external_id_that_is_denied_is_not_called_right(
    effect: str, condition: dict[str, Any], presents: dict[str, str], tmp_path: Path
) -> None:
    other = {**TRUST, "Effect": effect, "Condition": condition}
    both = [other] if effect == "Allow" else [{**TRUST, "Condition": {}}, other]
    (found,) = who([template(both, USE)])
    pinecones = [row for row in found.roles if row.who.is_pinecone]
    assert {row.external_id: row.presents for row in pinecones if row.presents not in ("wrong", "none")} == presents
    assert {row.answer for row in pinecones if row.presents == "denied"} <= {"no"}
    assert {row.answer for row in pinecones if row.presents == "right"} <= {"yes"}
    (tmp_path / "t.json").write_text(json.dumps(template(both, USE)))
    table = cmek(tmp_path, "who", "t.json", code=int(any(row.doubt for row in found.rows))).stdout
    assert all((external_id in table) is (how == "denied") for external_id, how in presents.items())
    cmek(tmp_path, "review", "t.json")
    page = (tmp_path / "review.html").read_text("utf-8")
    assert ("an external ID that is denied" in page) is ("denied" in presents.values())


def test_a_role_with_policies_of_its_own_is_said(tmp_path: Path) -> None:
    name = forms.template_file("role_with_own_policy").name
    printed = cmek(FOLDER, "who", name).stdout
    assert "CmekRoleB9267AA0 has policies of its own in the template" in printed
    assert answers()["explicit_with_id"]["own_permissions"] == []


def test_nothing_of_pinecones_is_nobody_to_ask_about(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text('{"Resources": {"B": {"Type": "AWS::S3::Bucket"}}}')
    printed = cmek(tmp_path, "who", "t.json", code=1)
    assert "Nothing of Pinecone's was found" in printed.stderr


def test_hostile_names_reach_no_terminal(tmp_path: Path) -> None:
    evil = "\x1b[2J\u202e"
    made = template([{**TRUST, "Sid": evil}], USE)
    made["Resources"][evil] = made["Resources"].pop("Key")
    for kind in ("AWS", evil):
        made["Resources"][evil]["Properties"]["KeyPolicy"]["Statement"] += [
            {"Effect": "Allow", "Principal": {kind: evil}, "Action": evil, "Resource": "*"},
            {"Effect": evil, "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"},
        ]
    made["Parameters"] = {evil: {"Type": "String", "Default": evil}}
    (tmp_path / "t.json").write_text(json.dumps(made))
    printed = cmek(tmp_path, "who", "t.json", code=1)
    for text in (printed.stdout, printed.stderr):
        assert not re.search("[\x1b\u202e]", text)


def test_a_template_of_a_thousand_resources_takes_seconds() -> None:
    made = template([TRUST], USE)
    for number in range(50):
        for kind in ("Role", "Key"):
            copy = json.loads(json.dumps(made["Resources"][kind]).replace('"Role"', f'"Role{number}"'))
            made["Resources"][f"{kind}{number}"] = copy
    for number in range(900):
        made["Resources"][f"Bucket{number}"] = {"Type": "AWS::S3::Bucket"}
    (found,) = who([made])
    assert len(found.rows) > 5_000


def test_a_key_that_is_protected_while_used_may_be_ended_only_when_unused() -> None:
    found = answers()["protected_key"]["rows"]
    said = {(one["who"], one["action"]): one["answer"] for one in found if one["answer"] != "no"}
    unused = "only when unused for 90 days"
    for action in ("kms:DisableKey", "kms:ScheduleKeyDeletion"):
        assert said["the account's root", action] == unused
        assert said["the account's others, by IAM", action] == (f"{unused}, by IAM policies of the account")
    assert said["the account's root", "kms:PutKeyPolicy"] == "yes"
