"""`cmek review`: what a security reviewer reads and signs."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from cmek_construct import CmekGuardrails, CustomerKey, PineconeCmekStackSet, PineconeRole, StackSetTargets
from cmek_construct.commands.review import judged
from cmek_construct.policy import words
from cmek_construct.policy.statements import as_list
from cmek_construct.policy.words import plain
from cmek_construct.templates.run import read_run
from tests import forms
from tests.browser.browser import Seen, Visit, look
from tests.building import ACCOUNT, EXTERNAL_ID, PINECONE, REGIONS, cmek_template, new_stack, template_of
from tests.building import cmek as construct
from tests.command import cmek
from tests.conftest import ROOT
from tests.judged import judge
from tests.mutants import MUTANTS, Mutant
from tests.test_structure import imports

Template = dict[str, Any]
PARTS = ("explicit_with_id", "explicit_without_id", "all_regions")
ROLE, KEY, ALIAS = "CmekRoleB9267AA0", "CmekKey21C8C2B3", "CmekKeyPineconeAliasCFCDFEA1"
STRANGER = "arn:aws:iam::999999999999:role/stranger"
DENIES_THE_KEY = {"Effect": "Deny", "Action": "kms:*", "Resource": "*"}


class _Texts(HTMLParser):
    """The text of a page, without its style."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._in_style = tag == "style"

    def handle_data(self, data: str) -> None:
        if not self._in_style:
            self.texts.append(data)


def text_of(html: str) -> str:
    parser = _Texts()
    parser.feed(html)
    return re.sub(r"\s+", " ", "".join(parser.texts))


def put(folder: Path, template: Template, name: str = "t") -> Path:
    file = folder / f"{name}.template.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(template))
    return file


def page(folder: Path, template: Template, *options: str) -> str:
    """The page of one template."""
    file = put(folder, template)
    cmek(folder, "review", str(file), "--out", "page.html", *options)
    return (folder / "page.html").read_text(encoding="utf-8")


def text(folder: Path, template: Template, *options: str) -> str:
    return text_of(page(folder, template, *options))


def properties(template: Template, logical_id: str) -> Template:
    found: Template = template["Resources"][logical_id]["Properties"]
    return found


def trust(template: Template) -> list[Template]:
    found: list[Template] = properties(template, ROLE)["AssumeRolePolicyDocument"]["Statement"]
    return found


def key_policy(template: Template) -> list[Template]:
    found: list[Template] = properties(template, KEY)["KeyPolicy"]["Statement"]
    return found


def good() -> Template:
    return forms.template("explicit_with_id")


def vendor() -> Template:
    stack = new_stack()
    PineconeRole(
        stack,
        "Role",
        pinecone_account_id=PINECONE,
        regions=REGIONS,
        external_id=EXTERNAL_ID,
        customer_account_ids=["444455556666", "777788889990"],
    )
    return template_of(stack)


def customer() -> Template:
    stack = new_stack(account="444455556666")
    CustomerKey(stack, "Key", role_arn=STRANGER)
    return template_of(stack)


# What is asked, and the answer.


def test_the_page_says_what_is_asked_what_was_found_and_what_to_compare(tmp_path: Path) -> None:
    said = text(tmp_path, good())
    assert "1 template, with 1 role and 1 key, lets in Pinecone" in said
    assert re.search(r"What the machine says ?All \d+ guardrails are kept", said)
    assert "Nothing: all 4 policy statements say what the guide or the KMS console says." in said
    assert f"That {forms.PINECONE} is Pinecone's AWS account." in said
    assert "ask the owner of the Pinecone organization to read it to you" in said


def test_a_template_that_a_guardrail_refuses_is_not_to_be_signed(tmp_path: Path) -> None:
    template = good()
    trust(template)[0]["Principal"]["AWS"].append(STRANGER)
    said = text(tmp_path, template)
    assert "Do not sign yet 1 violation of the guardrails" in said
    assert STRANGER in said
    assert "1 statement of 4 does not say what the guide or the KMS console says" in said
    assert 'class="sheet bad"' in (tmp_path / "page.html").read_text()


def test_what_is_acknowledged_stands_there_with_its_reason(tmp_path: Path) -> None:
    template = good()
    properties(template, KEY)["EnableKeyRotation"] = False
    said = text(tmp_path, template, "--acknowledge", "key-rotation=Ticket 42")
    assert "guardrails are kept 1 acknowledged with a reason" in said
    assert "Acknowledged key-rotation: Ticket 42" in said
    assert "Acknowledged: Ticket 42" in said


def test_what_the_app_acknowledges_is_on_the_page_with_its_reason(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path / "cdk.out"), analytics_reporting=False)
    cdk.Validations.of(app).add_plugins(CmekGuardrails())
    construct(new_stack(app), multi_region=True)
    app.synth()
    assert "all guardrails kept" in cmek(tmp_path, "review", "cdk.out").stderr
    said = text_of((tmp_path / "review.html").read_text())
    assert "1 acknowledged with a reason" in said
    assert "Acknowledged: The prop multi_region=True asks for it" in said


def test_each_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, opened, real = put(tmp_path, good()), [], Path.open

    def noted(path: Path, *arguments: Any, **options: Any) -> Any:
        opened.append(path)
        return real(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", noted)
    for command in ("review", "check", "who"):
        opened.clear()
        cmek(tmp_path, command, str(file))
        assert opened.count(file) == 1


def test_the_signature_is_bound_to_the_bytes_that_were_read(tmp_path: Path) -> None:
    html = page(tmp_path, good())
    digest = hashlib.sha256((tmp_path / "t.template.json").read_bytes()).hexdigest()
    assert f"SHA-256 <code>{digest}</code>" in html
    for place in ("Name", "Date", "Signature"):
        assert f'<th scope="row">{place}</th><td></td>' in html


def test_the_command_that_is_given_prints_what_is_signed(tmp_path: Path) -> None:
    put(tmp_path, good(), "of mine; really")
    put(tmp_path, forms.template("all_regions"), "other")
    cmek(tmp_path, "review", ".")
    html = (tmp_path / "review.html").read_text()
    (digest,) = re.findall(r"together: <code>([0-9a-f]{64})</code>", html)
    (command,) = re.findall(r"<code>(sha256sum [^<]*\| sha256sum)</code>", html)
    done = subprocess.run(["bash", "-c", unescape(command)], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == digest


def test_the_same_templates_give_the_same_bytes(tmp_path: Path) -> None:
    assert page(tmp_path, good()) == page(tmp_path, good())


def test_account_and_region_come_from_the_manifest_of_a_cloud_assembly(tmp_path: Path) -> None:
    file = put(tmp_path, forms.template("role_alone"), "S")
    artifact = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://123412341234/eu-west-1",
        "properties": {"templateFile": file.name},
        "displayName": "Stage/Search",
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"S": artifact}}))
    cmek(tmp_path, "review", str(tmp_path))
    said = text_of((tmp_path / "review.html").read_text())
    assert "Stage/Search: account 123412341234, Region eu-west-1" in said


# Each statement, beside the guide's.


@pytest.mark.parametrize("form", PARTS)
def test_the_guides_three_forms_say_what_the_guide_says(tmp_path: Path, form: str) -> None:
    html = page(tmp_path, forms.template(form))
    assert html.count('<span class="mark good">Same as the guide</span>') == 4
    assert "<details open" not in html
    assert "<ins>" not in html
    assert "<del>" not in html


@pytest.mark.parametrize(
    ("form", "verdict", "why"),
    [
        ("all_regions_pinned", "Differs from the guide", "so the same callers get in"),
        ("encrypt_decrypt", "Says less than the guide", "only Pinecone knows"),
        ("suspended", "The guide has no such statement", "Pinecone is cut off"),
        ("own_key", "Same as the guide but for its label (Sid)", "A label lets nobody do"),
        ("explicit_without_id", "Same as the guide", "no other customer of Pinecone's"),
    ],
)
def test_what_differs_is_marked_and_explained(tmp_path: Path, form: str, verdict: str, why: str) -> None:
    said = text(tmp_path, forms.template(form))
    assert re.search(rf"{re.escape(verdict)} [^{{]*{why}", said)
    assert "<details open" in (tmp_path / "page.html").read_text() or verdict.startswith("Same")


@pytest.mark.parametrize("external_id", [EXTERNAL_ID, STRANGER])
@pytest.mark.parametrize("named", ["arn:aws:iam::999999999999:root", "arn:aws-cn:iam::444455556666:root"])
def test_only_the_root_of_pinecones_account_is_said_to_let_the_same_callers_in(
    tmp_path: Path, named: str, external_id: str
) -> None:
    template = forms.template("all_regions_pinned")
    trust(template)[0]["Principal"]["AWS"] = named
    trust(template)[0]["Condition"]["StringEquals"]["sts:ExternalId"] = external_id
    said = text(tmp_path, template)
    assert "Differs from the guide" in said
    assert "so the same callers get in" not in said


@pytest.mark.parametrize("of", ["key", "trust"])
def test_a_denial_of_somebody_else_is_no_suspension_of_pinecones(tmp_path: Path, of: str) -> None:
    template = good()
    if of == "key":
        deny, denied = key_policy(template), {"Action": "kms:*", "Resource": "*"}
    else:
        deny, denied = trust(template), {"Action": "sts:AssumeRole"}
    auditor = {"AWS": "arn:aws:iam::111122223333:role/auditor"}
    deny.append({"Sid": "x", "Effect": "Deny", "Principal": auditor, **denied})
    said = text(tmp_path, template)
    assert "The guide has no such statement" in said
    assert "Pinecone is cut off" not in said


def test_a_difference_is_marked_with_words_and_not_with_a_colour_alone(tmp_path: Path) -> None:
    template = good()
    trust(template)[0]["Condition"] = {"StringLike": {"sts:ExternalId": "*"}}
    html = page(tmp_path, template)
    assert "<ins><b>template only:</b>     &#34;StringLike&#34;: {</ins>" in html
    assert "<del><b>guide only:</b>     &#34;StringEquals&#34;: {</del>" in html


CONDITIONS = {
    "Conditions": {"Open": {"Fn::Equals": [{"Ref": "Env"}, "dev"]}},
    "Parameters": {"Env": {"Type": "String", "AllowedValues": ["dev", "test", "prod"]}},
}


def test_a_statement_says_in_which_cases_of_the_template_it_stands(tmp_path: Path) -> None:
    template = good() | CONDITIONS
    mine = {**key_policy(template)[1], "Sid": "Mine", "Principal": {"AWS": STRANGER}}
    other = {**mine, "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:role/${Env}"}}}
    key_policy(template).append({"Fn::If": ["Open", mine, other]})
    properties(template, KEY)["Description"] = {"Fn::If": ["Open", "open", {"Ref": "Env"}]}
    said = text(tmp_path, template)
    assert "Only if in the template Env is 'dev': Lets the role stranger" in said
    for env in ("test", "prod"):
        assert f"Only if in the template Env is '{env}': Lets the role {env} of this acc" in said
    assert """{"Env is 'dev'": "open", "Env is 'test'": "test", "Env is 'prod'": "prod"}""" in said
    assert "3 statements of 7 do not say what the guide or the KMS console says" in said


def test_a_policy_that_something_rewrites_is_not_shown_as_the_guides(tmp_path: Path) -> None:
    template = good()
    properties(template, KEY)["KeyPolicy"]["Fn::Transform"] = {"Name": "AWS::Include"}
    html = page(tmp_path, template)
    assert html.count('<span class="mark good">Same as the guide</span>') == 1
    assert "The guide has no such statement" in html


def test_each_arrow_of_the_picture_has_the_number_of_its_own_statement(tmp_path: Path) -> None:
    template = good()
    template["Resources"]["Another"] = template["Resources"][KEY]
    drawn = re.findall('class="number">([0-9]+)<', page(tmp_path, template))
    assert sorted(drawn) == [*"1234567"]


def test_a_place_to_fill_in_is_no_value_of_the_guides(tmp_path: Path) -> None:
    template = good()
    trust(template)[0]["Condition"]["StringEquals"]["sts:ExternalId"] = "<external ID>"
    assert 'template only: "sts:ExternalId": "<external ID>"' in text(tmp_path, template)


ABOUT_STATEMENTS = [
    mutant
    for mutant in MUTANTS
    if re.match("trust-(?!external-id|own)|key-(owner|role|grants|open|foreign|not)", mutant.rule)
    and "parameter's default" not in mutant.words
]


@pytest.mark.parametrize("mutant", ABOUT_STATEMENTS[::10], ids=str)
def test_the_page_finds_what_the_guardrails_find(tmp_path: Path, mutant: Mutant) -> None:
    [found], _ = judged(read_run([put(tmp_path, mutant.template)]))
    wanted = {(one.rule, one.what) for one in judge(mutant.template)}
    assert {(one.rule, one.what) for one in found.all_findings} == wanted


def test_no_dangerous_policy_passes_for_the_guides(tmp_path: Path) -> None:
    """The comparison is no guardrail: it must see by itself that something is not the guide's."""
    for number, mutant in enumerate(ABOUT_STATEMENTS):
        put(tmp_path, mutant.template, str(number))
    seen = {one.name: one for one in judged(read_run([tmp_path]))[0]}
    for number, mutant in enumerate(ABOUT_STATEMENTS):
        policies = [policy for part in seen[str(number)].parts for policy in part.policies]
        assert any(policy.missing for policy in policies) or not all(
            said.beside.as_guide for policy in policies for said in policy.said
        ), str(mutant)


def test_a_stranger_in_the_words_of_the_guide_is_not_the_guides(tmp_path: Path) -> None:
    template = good()
    key_policy(template).append({**key_policy(template)[1], "Principal": {"AWS": STRANGER}})
    html = page(tmp_path, template)
    assert '<span class="mark bad">Differs from the guide</span>' in html
    assert "whether it is the one you mean, only you can tell." in html


def test_what_the_guide_has_and_the_key_policy_has_not_is_said(tmp_path: Path) -> None:
    template = good()
    key_policy(template).pop(0)
    said = text(tmp_path, template)
    assert "Missing The guide has here: Enable IAM User Permissions" in said
    key_policy(template).clear()
    assert text(tmp_path, template).count("Missing The guide has here") == 2


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"},
            "Lets anybody in any AWS account, signed in or not take on this role, under no condition.",
        ),
        (
            {"Effect": "Allow", "NotPrincipal": {"AWS": STRANGER}, "NotAction": "kms:Decrypt"},
            "Lets everybody in every AWS account but the role stranger of AWS account "
            "999999999999 do everything but kms:Decrypt, under no condition.",
        ),
        (
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root", "Service": "s3.amazonaws.com"},
                "Action": ["kms:*"],
                "Resource": "*",
            },
            "Lets this account (its root, and its own IAM policies) and the AWS service "
            "s3.amazonaws.com do everything with the key, under no condition.",
        ),
        (
            {
                "Effect": "Allow",
                "Principal": {"AWS": "AROAEXAMPLE"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEqualsIfExists": {"sts:ExternalId": "x"},
                    "Null": {"aws:PrincipalArn": "true"},
                    "DateLessThan": {"aws:CurrentTime": "2030"},
                },
            },
            "Lets the principal AROAEXAMPLE take on this role, but only if the external ID that is "
            "presented is x (or is not sent at all: it does not bind who leaves it out), the "
            "caller's ARN is not sent, and the condition "
            '{"DateLessThan": {"aws:CurrentTime": ["2030"]}} holds.',
        ),
        (
            {
                "Effect": "Deny",
                "Action": "*",
                "Resource": "*",
                "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2026-01-01T00:00:00Z"}},
            },
            "Forbids the role to do everything that AWS offers on everything where the caller's "
            "session began before 2026-01-01T00:00:00Z, whatever another policy allows.",
        ),
        (
            {"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": "*", "Extra": 1},
            'Lets the role decrypt on everything. It also says {"Extra": 1}, which has no words here.',
        ),
        (
            {"Effect": "Maybe", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt"},
            "With the effect Maybe, which is neither: anybody in any AWS account to decrypt, "
            "whatever another policy allows.",
        ),
    ],
)
def test_plain_words_leave_nothing_out(statement: Template, said: str) -> None:
    assert plain(words.of_statement(statement, ACCOUNT)) == said


# The picture, and who can do what.


def picture(html: str) -> str:
    (found,) = re.findall("<svg.*?</svg>", html, re.DOTALL)
    return unescape(found)


def test_the_picture_has_a_title_and_says_the_same_in_words(tmp_path: Path) -> None:
    drawn = picture(page(tmp_path, good()))
    assert 'role="img" aria-labelledby="drawing-1-title drawing-1-told"' in drawn
    assert "Lets the role CmekRoleB9267AA0 encrypt, decrypt, re-encrypt" in drawn
    assert 'class="wrong"' not in drawn
    for text in (
        f"Pinecone's account {forms.PINECONE}",
        f"Your AWS account {forms.CUSTOMER}",
        "pinecone_cmek_access_us-east-1",
        "external ID",
        f"Role {ROLE}",
        f"Key {KEY}",
        "Everybody else",
    ):
        assert f">{text}</text>" in drawn


def test_the_door_is_drawn_where_the_external_id_is_asked_for(tmp_path: Path) -> None:
    door = ">external ID</text>"
    assert door in picture(page(tmp_path, forms.template("environment_agnostic")))
    assert door not in picture(page(tmp_path, forms.template("explicit_without_id")))
    template = good()
    trust(template)[0]["Condition"] = {"StringEqualsIfExists": {"sts:ExternalId": EXTERNAL_ID}}
    assert door not in picture(page(tmp_path, template))


def test_everybody_else_is_drawn_outside_only_if_that_is_sure(tmp_path: Path) -> None:
    template = good()
    key_policy(template)[0]["Principal"] = {"AWS": "*"}
    drawn = picture(page(tmp_path, template))
    assert "Everybody else" not in drawn
    assert ">Anybody in any AWS account</text>" in drawn


def test_what_is_kept_on_deletion_alone_stays_and_the_guardrail_says_what_is_missing(tmp_path: Path) -> None:
    template = good()
    del template["Resources"][KEY]["UpdateReplacePolicy"]
    said = text(tmp_path, template)
    assert f"Key {KEY} stays when the stack is deleted" in said
    assert re.search("1 violation ?key-retained", said)


@pytest.mark.parametrize(("form", "cut"), [("suspended", 2), ("imported_key_suspended", 1), ("explicit_with_id", 0)])
def test_who_is_suspended_is_drawn_cut_off(tmp_path: Path, form: str, cut: int) -> None:
    drawn = picture(page(tmp_path, forms.template(form)))
    everybody_else = 1
    assert drawn.count('class="arrow plain cut"') == cut + everybody_else
    assert drawn.count('class="cross"') == cut + everybody_else
    assert ("CUT OFF" in drawn) is bool(cut)


def test_what_is_cut_off_is_told_by_the_number_of_its_statement(tmp_path: Path) -> None:
    template = forms.template("suspended")
    statement = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    trust(template).append(statement)
    properties(template, ROLE)["ManagedPolicyArns"] = ["arn:aws:iam::aws:policy/AdministratorAccess"]
    drawn = picture(page(tmp_path, template))
    assert "Number 1 is cut off now." in drawn
    assert "Number 0" not in drawn


def test_what_is_not_the_guides_is_drawn_before_what_is_left_out(tmp_path: Path) -> None:
    template = good()
    own = {"AWS": f"arn:aws:iam::{forms.CUSTOMER}:role/Backup"}
    root = key_policy(template)[0]
    key_policy(template).extend([*[root] * 4, {**root, "Principal": own}])
    drawn = picture(page(tmp_path, template))
    assert ">The role Backup of</text>" in drawn
    assert ">and 3 more, each below</text>" in drawn


@pytest.mark.parametrize("whom", ["arn:aws:iam::111122223333:role/Backup", STRANGER])
def test_who_stands_beside_the_role_in_one_statement_is_drawn_too(tmp_path: Path, whom: str) -> None:
    template = good()
    use = next(one for one in key_policy(template) if one["Sid"] == "Allow use of the key")
    use["Principal"]["AWS"] = [use["Principal"]["AWS"], whom]
    boxes = re.findall("<text[^>]*>([^<]*)</text>", picture(page(tmp_path, template)))
    assert any(whom.rpartition("/")[2] in one for one in boxes)
    assert f"Role {ROLE}" in boxes


@pytest.mark.parametrize("whom", [{"who": "knows"}, [{"who": "knows"}], [[STRANGER]]])
def test_a_principal_that_is_no_text_is_not_drawn_in_ones_own_account(tmp_path: Path, whom: Any) -> None:
    template = good()
    key_policy(template).append({**key_policy(template)[0], "Principal": {"AWS": whom}})
    (x,) = re.findall(r'<text x="(\d+)"[^>]*>The principal', picture(page(tmp_path, template)))
    assert int(x) < 390


def test_a_vendors_role_reaches_the_keys_of_each_customer_if_nothing_else(tmp_path: Path) -> None:
    drawn = picture(page(tmp_path, vendor()))
    for account in ("444455556666", "777788889990"):
        assert f">Keys of AWS account {account}</text>" in drawn
    template = vendor()
    for one in template["Resources"].values():
        for statement in one["Properties"].get("PolicyDocument", {}).get("Statement", []):
            statement["Resource"] = [statement["Resource"], "arn:aws:s3:::*"]
    drawn = picture(page(tmp_path, template))
    assert "Keys of AWS account" not in drawn
    assert ">Elsewhere</text>" in drawn


def test_a_customers_key_shows_whose_role_reaches_it(tmp_path: Path) -> None:
    declared = page(tmp_path, customer(), f"--vendor-role-arn={STRANGER}")
    assert "The role stranger of AWS account" in picture(declared)
    assert 'class="wrong"' not in picture(declared)
    assert 'class="wrong"' in picture(page(tmp_path, customer()))


def test_a_stranger_and_a_policy_that_nobody_sees_are_drawn_as_wrong(tmp_path: Path) -> None:
    template = good()
    trust(template).append({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})
    properties(template, ROLE)["ManagedPolicyArns"] = ["arn:aws:iam::aws:policy/AdministratorAccess"]
    drawn = picture(page(tmp_path, template))
    assert ">Anybody in any AWS account</text>" in drawn
    assert "Nobody can tell from here" in drawn
    assert drawn.count('<rect class="wrong"') == 2


def test_the_table_says_who_can_do_what_and_by_which_statement(tmp_path: Path) -> None:
    said = text(tmp_path, good())
    assert "With CmekRoleB9267AA0, asked: the right external ID, another" in said
    assert "yes the right external ID (AllowPineconeToAssumeIntoRoleFromExplicitRegions" in said
    assert "kms:ReEncryptTo, kms:DescribeKey (Allow use of the key)" in said
    assert "no to everything asked." in said


def denied(**statement: Any) -> Template:
    return {"Effect": "Deny", "Principal": {"AWS": "*"}, "Resource": "*", **statement}


OUT_OF_REACH = {
    "denied by NotAction": denied(NotAction="kms:Encrypt"),
    "denied with a condition that holds": denied(Action="kms:*", Condition={"StringLike": {"aws:PrincipalArn": "*"}}),
    "denied but through a service": denied(Action="kms:Decrypt", Condition={"Null": {"kms:ViaService": "true"}}),
    "denied to everybody but others": denied(Action="kms:*", Condition={"ArnNotLike": {"aws:PrincipalArn": STRANGER}}),
}


@pytest.mark.parametrize("statement", OUT_OF_REACH.values(), ids=OUT_OF_REACH)
def test_where_pinecone_cannot_use_the_key_it_cannot_come_in(tmp_path: Path, statement: Template) -> None:
    template = good()
    key_policy(template).append(statement)
    assert pinecone_now(page(tmp_path, template)) == "cut off"


@pytest.mark.parametrize(
    ("edit", "now"),
    [
        (lambda template: None, "can come in"),
        (lambda template: key_policy(template).pop(1), "only by IAM policies of the account"),
        (lambda template: key_policy(template)[1].update(Action="kms:Encrypt"), "only by IAM policies of the account"),
        (
            lambda template: key_policy(template)[1].update(
                Condition={"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
            ),
            "only by IAM policies of the account",
        ),
        (
            lambda template: key_policy(template).append(
                denied(Action="kms:*", Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o"}})
            ),
            "cannot tell",
        ),
        (lambda template: trust(template)[0].update(Action="sts:TagSession"), "cut off"),
        (lambda template: properties(template, ROLE).update(AssumeRolePolicyDocument="none"), "cannot tell"),
    ],
)
def test_what_pinecone_can_do_now_is_what_the_table_says(tmp_path: Path, edit: Any, now: str) -> None:
    template = good()
    edit(template)
    assert pinecone_now(page(tmp_path, template)) == now


def pinecone_now(html: str) -> str:
    """Of the only stack."""
    (found,) = re.findall(r"Pinecone now: ([^;]*);", html)
    return str(found)


def test_what_only_a_person_can_tell_is_listed(tmp_path: Path) -> None:
    template = good()
    boundary = "arn:aws:iam::111122223333:policy/Boundary"
    properties(template, ROLE)["PermissionsBoundary"] = boundary
    organization = {"StringNotEquals": {"aws:PrincipalOrgID": "o-1234567890"}}
    key_policy(template).append(denied(Action="kms:*", Condition=organization))
    names_the_role = denied(Principal={"AWS": {"Fn::GetAtt": [ROLE, "Arn"]}}, Action="s3:*")
    of_others = {"StringNotEquals": {"aws:ResourceOrgID": "o-abcdefghij"}}
    outside = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": of_others}
    policies = {
        "Bucket": ("AWS::S3::BucketPolicy", {"PolicyDocument": {"Statement": names_the_role}}),
        "Ci": ("AWS::IAM::Policy", {"Roles": [{"Fn::ImportValue": "CiRole"}], "PolicyDocument": {}}),
        "More": ("AWS::IAM::Policy", {"Roles": [{"Ref": ROLE}], "PolicyDocument": {"Statement": outside}}),
    }
    for name, (kind, given) in policies.items():
        template["Resources"][name] = {"Type": kind, "Properties": given}
    said = text(tmp_path, template).partition("What only you can tell")[2]
    for one in (
        f"{ROLE} has the permissions boundary {boundary}, which no template shows",
        f"{KEY} denies who or what is not of the organization o-1234567890",
        "More denies who or what is not of the organization o-abcdefghij",
        f"Bucket (a AWS::S3::BucketPolicy) names the role {ROLE} in PolicyDocument",
        "Ci names ${export CiRole",
    ):
        assert one in said
    assert "What only you can tell" not in text(tmp_path, good())


def test_a_number_of_days_that_is_none_is_shown_as_it_is(tmp_path: Path) -> None:
    template = good()
    unused = {"NumericLessThan": {"kms:TrailingDaysWithoutKeyUsage": "9" * 5_000}}
    key_policy(template).append(denied(Action="kms:DisableKey", Condition=unused))
    assert "99999" in text(tmp_path, template)


def test_a_key_that_may_be_of_the_role_and_names_another_role_is_shown(tmp_path: Path) -> None:
    template = good()
    template["Parameters"] = {"Whoever": {"Type": "String"}}
    lambdas = [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    whom = [{"Fn::GetAtt": ["Other", "Arn"]}, {"Ref": "Whoever"}]
    allowed = [{"Effect": "Allow", "Principal": {"AWS": one}, "Action": "kms:*", "Resource": "*"} for one in whom]
    template["Resources"] = {
        ROLE: template["Resources"][ROLE],
        "Other": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": lambdas}}},
        "MayBe": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": allowed}}},
    }
    template["Outputs"] = {}
    assert "Key policy of MayBe" in text(tmp_path, template)


def test_what_goes_to_pinecones_console_is_said(tmp_path: Path) -> None:
    said = text(tmp_path, good())
    assert f"Pinecone's console gets, from the outputs of the stack: Role ARN of {ROLE}, Key" in said


def test_the_page_says_what_no_template_does(tmp_path: Path) -> None:
    said = text(tmp_path, good())
    for fact in (
        "cannot change them afterwards",
        "about 1 USD a month at first",
        "which it does not publish",
        "aws kms list-grants",
        "Set it to false and deploy",
        "cmek suspend STACK --reason WHY",
        "Service and resource control policies",
        "encryption context",
    ):
        assert fact in said


def test_what_a_deployer_types_in_is_said_to_be_unsigned(tmp_path: Path) -> None:
    said = text(tmp_path, forms.template("environment_agnostic"))
    assert "types in: CustomerExternalId, PineconeAccount. The signature does not bind" in said


# A thousand of them.


def with_values(number: int) -> Template:
    """The good template in another account, with another external ID and alias."""
    found = json.dumps(good()).replace(forms.CUSTOMER, f"{200_000_000_000 + number}")
    found = found.replace(forms.EXTERNAL_ID, f"external-id-of-{number}")
    made: Template = json.loads(found.replace("alias/pinecone-cmek/", f"alias/pinecone/{number}/"))
    return made


def test_many_accounts_with_one_text_are_shown_once_with_a_list_of_places(tmp_path: Path) -> None:
    for number in range(60):
        put(tmp_path / "cdk.out", with_values(number), f"s{number}")
    other = with_values(60)
    properties(other, KEY)["PendingWindowInDays"] = 20
    put(tmp_path / "cdk.out", other, "s60")
    named = with_values(61)
    properties(named, ROLE)["RoleName"] = "named"
    put(tmp_path / "cdk.out", named, "s61")
    printed = cmek(tmp_path, "review", "cdk.out")
    assert "62 templates, 2 texts to read" in printed.stderr
    html = (tmp_path / "review.html").read_text()
    assert html.count("<svg") == 2
    said = text_of(html)
    assert "s0 and 60 more of the same text" in said
    for number in range(60):
        assert f"s{number}: account {200_000_000_000 + number}" in said
        assert f"external ID external-id-of-{number}; names given alias/pinecone/{number}/" in said


def test_more_texts_than_anybody_reads_are_not_to_be_signed_at_once(tmp_path: Path) -> None:
    for number in range(52):
        template = with_values(number)
        properties(template, KEY)["RotationPeriodInDays"] = 100 + number
        put(tmp_path / "cdk.out", template, f"s{number}")
    template = with_values(52)
    properties(template, KEY)["EnableKeyRotation"] = False
    put(tmp_path / "cdk.out", template, "the-wrong-one")
    cmek(tmp_path, "review", "cdk.out")
    said = text_of((tmp_path / "review.html").read_text())
    assert "Too much to sign at once 3 of 53 different texts are not shown" in said
    assert said.index("the-wrong-one") < said.index("What is asked")


@pytest.mark.parametrize(
    "edit",
    [
        lambda template: trust(template)[0]["Principal"]["AWS"].pop(),
        lambda template: properties(template, KEY).update(EnableKeyRotation=False),
        lambda template: template["Resources"][ROLE].pop("DeletionPolicy"),
        lambda template: properties(template, ROLE).update(MaxSessionDuration=7200),
        lambda template: key_policy(template)[1]["Action"].pop(),
        lambda template: trust(template)[0]["Condition"]["StringEquals"].update({"sts:ExternalId": "x"}),
        lambda template: key_policy(template).append({**key_policy(template)[0], "Principal": {"AWS": STRANGER}}),
    ],
)
def test_whatever_lets_somebody_do_something_makes_another_text(tmp_path: Path, edit: Any) -> None:
    other = with_values(1)
    edit(other)
    put(tmp_path, with_values(0), "a")
    put(tmp_path, other, "b")
    assert ", 2 texts to read;" in cmek(tmp_path, "review", str(tmp_path)).stderr


def test_which_of_two_external_ids_is_denied_makes_another_text(tmp_path: Path) -> None:
    another = f"{EXTERNAL_ID[:-1]}0"
    for name, denied in (("a", forms.EXTERNAL_ID), ("b", another)):
        template = good()
        own = {"Action": "iam:GetRole", "Principal": trust(template)[0]["Principal"]}
        allow: Template = {"Effect": "Allow", **own, "Condition": {"StringEquals": {"sts:ExternalId": another}}}
        deny: Template = {"Effect": "Deny", **own, "Condition": {"StringNotEquals": {"sts:ExternalId": denied}}}
        trust(template).extend([allow, deny])
        put(tmp_path, template, name)
    assert ", 2 texts to read;" in cmek(tmp_path, "review", str(tmp_path)).stderr


def test_an_external_id_that_stands_twice_is_said(tmp_path: Path) -> None:
    put(tmp_path, good(), "a")
    put(tmp_path, good(), "b")
    cmek(tmp_path, "review", str(tmp_path))
    said = text_of((tmp_path / "review.html").read_text())
    assert f"in more than one place {forms.EXTERNAL_ID}" in said
    assert 'class="sheet bad"' in (tmp_path / "review.html").read_text()


# What changes.


def changes(folder: Path, old: Template, new: Template) -> str:
    """The Markdown; the page must say the same."""
    before, after = put(folder, old, "old"), put(folder, new, "new")
    options = ("--against", str(before), "--markdown", "--out", "page.html")
    return cmek(folder, "review", str(after), *options).stdout


def test_nothing_changed_is_one_line(tmp_path: Path) -> None:
    nothing = "Nothing changes about Pinecone's roles, keys and aliases.\n"
    assert changes(tmp_path, good(), good()) == nothing
    with_a_topic = good()
    with_a_topic["Resources"]["Topic"] = {"Type": "AWS::SNS::Topic"}
    assert changes(tmp_path, good(), with_a_topic) == nothing
    assert nothing.strip() in text_of((tmp_path / "page.html").read_text())


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (
            lambda template: properties(template, ROLE).update(RoleName="new"),
            "`RoleName` was not said, is now `new`. CloudFormation REPLACES the role",
        ),
        (
            lambda template: properties(template, KEY).update(MultiRegion=True),
            "KMS cannot change this on a key: the deploy fails, or makes ANOTHER KEY.",
        ),
        (
            lambda template: template["Resources"].pop(KEY),
            f"Key `{KEY}` is GONE from the template. AWS keeps it, as it is retained",
        ),
        (
            lambda template: template["Resources"][KEY].update(DeletionPolicy="Delete"),
            f"Key `{KEY}` is no longer retained: it goes when the stack goes.",
        ),
        (
            lambda template: properties(template, ALIAS).update(AliasName="alias/pinecone-cmek/x"),
            "The alias is replaced; the key stays the same.",
        ),
        (
            lambda template: trust(template)[0]["Condition"]["StringEquals"].update({"sts:ExternalId": "another"}),
            "is now `another`. Pinecone goes on presenting the one that it stores",
        ),
        (
            lambda template: trust(template)[0]["Principal"].update(
                AWS="arn:aws:iam::999999999999:role/pinecone_cmek_access_us-east-1"
            ),
            f"Pinecone's AWS account was `{forms.PINECONE}`, is now `999999999999`. Compare it",
        ),
        (
            lambda template: trust(template)[0]["Principal"].update(AWS=f"arn:aws:iam::{forms.CUSTOMER}:root"),
            f"Pinecone's AWS account was `{forms.PINECONE}`, is now none. Compare it",
        ),
        (
            lambda template: properties(template, KEY).update(EnableKeyRotation=False),
            "`EnableKeyRotation` was `true`, is now `false`.",
        ),
        (
            lambda template: properties(template, KEY).update(EnableKeyRotation=False),
            f"Guardrail `key-rotation` at `{KEY}`: was kept, is now NOT KEPT.",
        ),
        (
            lambda template: trust(template)[0]["Principal"]["AWS"].append(STRANGER),
            'withID"`: Lets the role `stranger` of AWS account `999999999999` take on this role',
        ),
        (
            lambda template: trust(template)[0]["Principal"]["AWS"].append(STRANGER),
            "a statement CHANGES. It was: Lets the roles",
        ),
        (lambda template: key_policy(template).pop(), "a statement is GONE. Lets the role"),
        (
            lambda template: key_policy(template).pop(),
            'NO LONGER POSSIBLE by `statement "Allow attachment of persistent resources"`: Lets '
            f"the role `{ROLE}` make grants",
        ),
    ],
)
def test_what_changes_is_said_in_the_same_words(tmp_path: Path, edit: Any, said: str) -> None:
    new = good()
    edit(new)
    printed = changes(tmp_path, good(), new)
    assert said in printed
    assert said.replace("`", "") in text_of((tmp_path / "page.html").read_text())


def named_by(default: str) -> Any:
    """A role that a parameter names, which has a default."""

    def edit(template: Template) -> None:
        template["Parameters"] = {"Name": {"Type": "String", "Default": default}}
        properties(template, ROLE)["RoleName"] = {"Ref": "Name"}

    return edit


def made_if(env: str, wanted: str) -> Any:
    """A role that is made in one environment."""

    def edit(template: Template) -> None:
        template["Parameters"] = {"Env": {"Type": "String", "Default": env}}
        template["Conditions"] = {"Made": {"Fn::Equals": [{"Ref": "Env"}, wanted]}}
        template["Resources"][ROLE]["Condition"] = "Made"

    return edit


def bounded_by(*actions: str) -> Any:
    """A boundary that the template shows."""
    allows = {"Effect": "Allow", "Action": [*actions], "Resource": "*"}

    def edit(template: Template) -> None:
        bound = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": {"Statement": [allows]}}}
        template["Resources"]["Bound"] = bound
        properties(template, ROLE)["PermissionsBoundary"] = {"Ref": "Bound"}

    return edit


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (named_by("one"), named_by("two"), '"the defaults": "two"'),
        (
            made_if("prod", "prod"),
            made_if("dev", "prod"),
            "`Default of Env` was `prod`, is now `dev`. It may",
        ),
        (made_if("prod", "prod"), made_if("prod", "dev"), "`Condition` was `Env is 'prod'`, is now `Env is 'dev'`."),
        (bounded_by("kms:*"), bounded_by("kms:*", "s3:*"), '`PermissionsBoundary` was `[["Bound", '),
    ],
)
def test_what_a_role_hangs_on_is_compared_as_well(tmp_path: Path, before: Any, after: Any, said: str) -> None:
    old, new = good(), good()
    before(old)
    after(new)
    assert said in changes(tmp_path, old, new)


def presents(*ids: str, operator: str = "StringEquals") -> Any:
    def edit(template: Template) -> None:
        trust(template)[0]["Condition"] = {operator: {"STS:externalid": [*ids]}}

    return edit


@pytest.mark.parametrize(
    "edit",
    [
        presents(forms.EXTERNAL_ID),
        presents(forms.EXTERNAL_ID, operator="StringLike"),
        lambda template: properties(template, KEY).pop("KeySpec"),
        lambda template: template["Resources"][ROLE].update(Condition="Always"),
    ],
)
def test_what_is_the_same_to_pinecone_takes_nothing_from_it(tmp_path: Path, edit: Any) -> None:
    old, new = good(), good()
    new["Conditions"] = {"Always": {"Fn::Equals": ["a", "a"]}}
    edit(new)
    printed = changes(tmp_path, old, new)
    assert "Pinecone would lose" not in printed
    assert "Who may do what" not in printed
    assert f"external ID {forms.EXTERNAL_ID}" in text(tmp_path, new)


def test_an_external_id_more_is_not_said_to_lock_pinecone_out(tmp_path: Path) -> None:
    new = good()
    presents(forms.EXTERNAL_ID, "another")(new)
    printed = changes(tmp_path, good(), new)
    assert f"the external ID was `{forms.EXTERNAL_ID}`, is now `{forms.EXTERNAL_ID}` and `another`." in printed
    assert "locked out" not in printed
    assert "NO LONGER POSSIBLE" not in printed


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [("Bool", "aws:SecureTransport", "false"), ("StringEquals", "kms:ViaService", "s3.us-east-1.amazonaws.com")],
)
def test_what_is_denied_is_possible_no_longer_and_it_is_said_where(
    tmp_path: Path, operator: str, key: str, value: str
) -> None:
    new = good()
    denial = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    key_policy(new).append({**denial, "Condition": {operator: {key: value}}})
    for row, printed in (
        ("NO LONGER POSSIBLE", changes(tmp_path, good(), new)),
        ("NOW POSSIBLE", changes(tmp_path, new, good())),
    ):
        lines = [line for line in printed.splitlines() if row in line]
        assert lines
        assert all(line.endswith(f"That is so for example where `{key.lower()}` is `{value}`.") for line in lines)
        assert "means the same" not in printed


def fleet(*accounts: str, **props: Any) -> Template:
    stack = new_stack()
    PineconeCmekStackSet(
        stack, "Fleet", pinecone_account_id=PINECONE, regions=REGIONS, external_id=EXTERNAL_ID,
        targets=StackSetTargets.accounts([*accounts]), **{"stack_set_name": "fleet", "region": "us-east-1", **props},
    )  # fmt: skip
    return template_of(stack)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (
            fleet("444455556666"),
            "The stack set no longer reaches `FleetStackSetEF56E433/777788889990`: CloudFormation deletes the stack",
        ),
        (
            fleet("444455556666", "777788889990", "888899990001"),
            "The stack set reaches `FleetStackSetEF56E433/888899990001` as well",
        ),
        (fleet("444455556666", "777788889990", stack_set_name="x"), "`StackSetName` was `fleet`, is now `x`."),
        (fleet("444455556666", "777788889990", region="eu-west-1"), "`Regions` was `us-east-1`, is now `eu-west-1`."),
    ],
)
def test_whom_a_stack_set_reaches_is_compared_whatever_its_file_is_called(
    tmp_path: Path, new: Template, said: str
) -> None:
    printed = changes(tmp_path, fleet("444455556666", "777788889990"), new)
    assert said in printed
    assert "The template is" not in printed


def test_a_policy_of_another_template_that_names_the_role_is_said(tmp_path: Path) -> None:
    role = good()
    properties(role, ROLE)["RoleName"] = "named"
    arn = f"arn:aws:iam::{forms.CUSTOMER}:role/named"
    lets = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "s3:GetObject", "Resource": "*"}
    bucket = {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": "b", "PolicyDocument": {"Statement": [lets]}}}
    for folder, resources in (("old", {"Topic": {"Type": "AWS::SNS::Topic"}}), ("new", {"Bucket": bucket})):
        put(tmp_path / folder, role, "role")
        put(tmp_path / folder, {"Resources": resources}, "bucket")
    printed = cmek(tmp_path, "review", "new", "--against", "old", "--markdown").stdout
    assert "at `Bucket`: was kept, is now NOT KEPT." in printed


def test_a_role_that_can_be_read_at_last_names_no_other_account_of_pinecones(tmp_path: Path) -> None:
    old, new = good(), good()
    for template in (old, new):
        trust(template)[0]["Principal"] = {"AWS": f"arn:aws:iam::{forms.CUSTOMER}:root"}
    names = [f"P{number}" for number in range(6)]
    old["Parameters"] = {name: {"Type": "String", "AllowedValues": ["a", "b", "c"]} for name in names}
    old["Conditions"] = {name: {"Fn::Equals": [{"Ref": name}, "a"]} for name in names}
    properties(old, ROLE).update({name: {"Fn::If": [name, "1", "2"]} for name in names})
    printed = changes(tmp_path, old, new)
    assert "Guardrail `cannot-be-judged`" in printed
    assert "is now none" not in printed


def test_a_condition_that_goes_and_a_case_that_comes_are_told(tmp_path: Path) -> None:
    old, new = good(), good()
    for template, stages in ((old, ["dev", "prod"]), (new, ["dev", "prod", "test"])):
        template["Parameters"] = {"Stage": {"Type": "String", "AllowedValues": stages}}
        properties(template, ROLE)["RoleName"] = {"Fn::Sub": "pinecone-${Stage}"}
    assert "`RoleName` was" in changes(tmp_path, old, new)
    old, new = good(), good()
    old["Parameters"] = {"Stage": {"Type": "String"}}
    old["Conditions"] = {"Is": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}}
    for resource in old["Resources"].values():
        resource["Condition"] = "Is"
    assert "`Condition` was" in changes(tmp_path, old, new)


def written_otherwise(template: Template) -> None:
    """Lists of one, in another order, under other labels."""
    for statement in [*trust(template), *key_policy(template)]:
        statement["Sid"] = statement["Sid"].replace("Allow", "Let")
        statement["Action"] = [*reversed(as_list(statement["Action"]))]
    trust(template)[0]["Principal"]["AWS"].reverse()
    key_policy(template).reverse()


def test_what_means_the_same_is_no_change_of_who_may_do_what(tmp_path: Path) -> None:
    new = good()
    written_otherwise(new)
    key_policy(new).append({"Effect": "Deny", "Principal": {"AWS": STRANGER}, "Action": "kms:*", "Resource": "*"})
    printed = changes(tmp_path, good(), new)
    assert printed.count("it is written in another way, and means the same.") == 2
    assert "Who may do what" not in printed


def test_a_role_of_another_name_is_replaced_and_its_key_policy_goes_with_it(tmp_path: Path) -> None:
    new = good()
    properties(new, ROLE).update(RoleName="named", Path="/path/")
    printed = changes(tmp_path, good(), new)
    assert "CloudFormation REPLACES the role" in printed
    assert "Who may do what" not in printed
    assert 'class="sheet bad"' in (tmp_path / "page.html").read_text()
    literal = good()
    key_policy(literal)[1]["Principal"]["AWS"] = f"arn:aws:iam::{ACCOUNT}:role/path/named"
    assert "NO LONGER POSSIBLE" in changes(tmp_path, new, literal)


def conditional(template: Template) -> None:
    """The role's use of the key hangs on a condition of the template."""
    template["Conditions"] = {"Open": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}}
    nothing = {"Ref": "AWS::NoValue"}
    key_policy(template)[1] = {"Fn::If": ["Open", key_policy(template)[1], nothing]}


def test_properties_that_are_there_in_one_case_alone_have_a_page(tmp_path: Path) -> None:
    template = good()
    template["Parameters"] = {"P": {"Type": "String"}}
    template["Conditions"] = {"C": {"Fn::Equals": [{"Ref": "P"}, "x"]}}
    key = template["Resources"][KEY]
    key["Properties"] = {"Fn::If": ["C", key["Properties"], {"Ref": "AWS::NoValue"}]}
    assert "Do not sign yet" in text(tmp_path, template)


def test_each_case_of_a_templates_conditions_is_judged(tmp_path: Path) -> None:
    new = good()
    conditional(new)
    (said,) = re.findall("NO LONGER POSSIBLE.*", changes(tmp_path, good(), new))
    assert said.endswith("Only if in the template: `AWS::Region is something else`.")
    old = good()
    conditional(old)
    written_otherwise(new := good())
    key_policy(new).reverse()
    conditional(new)
    assert "POSSIBLE" not in changes(tmp_path, old, new)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda template: key_policy(template).append({}), "CANNOT BE JUDGED: `statement 4"),
        (
            lambda template: properties(template, ROLE).update(
                Policies=[{"PolicyName": "x", "PolicyDocument": {"Statement": [DENIES_THE_KEY]}}]
            ),
            "its permissions: what is FORBIDDEN to the role, whatever another policy allows",
        ),
    ],
)
def test_what_is_forbidden_or_cannot_be_read_is_never_the_same(tmp_path: Path, edit: Any, said: str) -> None:
    new = good()
    edit(new)
    assert said in changes(tmp_path, good(), new)


def test_what_a_change_hangs_on_is_said_where_nothing_of_it_has_a_name(tmp_path: Path) -> None:
    old, new = forms.template("all_regions"), forms.template("all_regions")
    new["Parameters"] = {"Account": {"Type": "String"}}
    pattern = {"Fn::Sub": "arn:aws:iam::${Account}:role/pinecone_cmek_access_*"}
    trust(new)[0]["Condition"]["StringLike"]["aws:PrincipalArn"] = pattern
    said = changes(tmp_path, old, new)
    assert "That hangs on what is not known." in said
    assert not re.search(r"hangs on:? ?\.", said)


def test_another_logical_id_is_another_key_and_that_is_said_first(tmp_path: Path) -> None:
    new: Template = json.loads(json.dumps(good()).replace(KEY, "Renamed"))
    trust(new)[0]["Principal"]["AWS"].append(STRANGER)
    printed = changes(tmp_path, good(), new)
    assert f"Key `{KEY}` is GONE" in printed
    assert "Key `Renamed` is new while another is gone: it is ANOTHER key." in printed
    assert printed.index("Pinecone would lose") < printed.index("Who may do what")
    html = (tmp_path / "page.html").read_text()
    assert "Read this first" in text_of(html)
    assert 'class="sheet bad"' in html
    assert "Pinecone would lose role, key or access by what changes" in text_of(html)


def test_the_same_change_in_many_templates_is_said_once(tmp_path: Path) -> None:
    for number in range(20):
        put(tmp_path / "old", with_values(number), f"s{number}")
        new = with_values(number)
        trust(new)[0]["Principal"]["AWS"].pop()
        put(tmp_path / "new", new, f"s{number}")
    printed = cmek(tmp_path, "review", "new", "--against", "old", "--markdown").stdout
    assert printed.count("a statement CHANGES") == 1
    assert "and 10 more (values are those of the first)" in printed
    assert not (tmp_path / "review.html").exists()


def test_templates_that_come_and_go_are_said(tmp_path: Path) -> None:
    put(tmp_path / "old", with_values(0), "gone")
    put(tmp_path / "old", with_values(1), "stays")
    put(tmp_path / "new", with_values(1), "stays")
    put(tmp_path / "new", with_values(2), "come")
    printed = cmek(tmp_path, "review", "new", "--against", "old", "--markdown").stdout
    assert "The template is gone." in printed
    assert "The template is new." in printed
    assert "`stays`" not in printed


def test_markdown_makes_nothing_of_what_a_template_says(tmp_path: Path) -> None:
    new = good()
    trust(new)[0]["Principal"]["AWS"].append("``` @everyone <img src=x> [x](http://y) \n# big")
    printed = changes(tmp_path, good(), new)
    assert "```` ``` @everyone <img src=x> [x](http://y) \\n# big ````" in printed
    outside = re.sub(r"(`+).*?(?<!`)\1(?!`)", "", printed)
    assert "everyone" not in outside
    assert "http" not in outside


# In a browser.

HOSTILE = (
    "<script>ran=1;alert(1)</script>",
    '"><img src=x onerror="ran=1;alert(1)">',
    "'><svg onload=ran=1>",
    "</code></pre></style></title><iframe src=javascript:ran=1></iframe>",
    "{{7*7}}{%raw%}",
    "\u202eelor\u202c \u0430\u200b",
    "a\x00b\x1b[31m\nc",
    "&lt;b&gt;<!--",
)


def hostile() -> Template:
    """Hostile text in every place of a template that the page shows."""
    found = good()
    statement = trust(found)[0]
    for number, one in enumerate(HOSTILE):
        statement["Principal"]["AWS"].append(f"arn:aws:iam::{forms.PINECONE}:role/{one}")
        sid = {"Sid": one, "Action": [one, "kms:Decrypt"], one: {one: [one]}}
        condition = {one: {one: one}, "StringLike": {one: [one]}}
        principal = {"AWS": [one, STRANGER], one: one}
        key_policy(found).append({**key_policy(found)[0], **sid, "Principal": principal, "Condition": condition})
        properties(found, ROLE).setdefault("Policies", []).append(
            {"PolicyName": one, "PolicyDocument": {"Statement": {"Effect": one, "Resource": one}}}
        )
        properties(found, KEY)[one] = {one: one}
        found["Resources"][f"{one}{number}"] = {
            **found["Resources"][ALIAS],
            "Properties": {**properties(found, ALIAS), "AliasName": f"alias/{one}"},
        }
        key = json.loads(json.dumps(found["Resources"][KEY]).replace("kms:*", "kms:Get*"))
        found["Resources"][f"{one}Key{number}"] = key
    statement["Condition"]["StringEquals"]["sts:ExternalId"] = HOSTILE[0]
    properties(found, ROLE).update(RoleName=HOSTILE[1], Path=HOSTILE[2], Description=HOSTILE[4])
    properties(found, KEY)["EnableKeyRotation"] = False
    found["Conditions"] = {HOSTILE[3]: {"Fn::Equals": ["a", {"Ref": HOSTILE[4]}]}}
    key_policy(found).append({"Fn::If": [HOSTILE[3], key_policy(found)[0], HOSTILE[1]]})
    return found


CONTROL = """<!doctype html><html lang="en"><head><title>Control</title>
<style>p {{ color: #ddd; background: #fff }}</style></head><body><main><h1>Control</h1>
<p>Hardly seen</p><img src="https://example.com/x.png"></main>
<script>window.ran = 1; console.error('said'); alert('asked')</script></body></html>"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Seen]:
    """Every look of these tests, in one browser."""
    folder = tmp_path_factory.mktemp("pages")
    page(folder, good())
    one = (folder / "page.html").rename(folder / "one.html")
    for name, template in (("vendor", vendor()), ("customer", customer()), ("suspended", forms.template("suspended"))):
        put(folder / "many", template, name)
    put(folder / "two", good(), "search")
    put(folder / "two", forms.template("suspended"), "answers")
    cmek(folder, "review", "two", "--out", "two.html")
    put(folder / "old", good(), "suspended")
    cmek(folder, "review", "many", "--against", "old", "--out", "many.html")
    put(folder / "bad", hostile(), '"><img src=x onerror=ran=1>')
    put(folder / "was", good(), "'><script>ran=1<!--")
    options = ("--acknowledge", f"key-rotation={HOSTILE[0]}\u202e", "--against", "was")
    cmek(folder, "review", "bad", *options, "--out", "hostile.html")
    (folder / "control.html").write_text(CONTROL.replace("{{", "{").replace("}}", "}"))
    visits = {
        "light": Visit(str(one), check=True),
        "dark": Visit(str(one), dark=True, check=True),
        "phone": Visit(str(one), width=360, check=True),
        "paper": Visit(str(one), media="print", check=True),
        "two stacks": Visit(str(folder / "two.html"), media="print", paper=str(folder / "two.pdf")),
        "without script": Visit(str(one), javascript=False),
        "many": Visit(str(folder / "many.html"), check=True),
        "many, dark": Visit(str(folder / "many.html"), dark=True, check=True),
        "many, phone": Visit(str(folder / "many.html"), width=360),
        "hostile": Visit(str(folder / "hostile.html")),
        "hostile, phone": Visit(str(folder / "hostile.html"), width=360, javascript=False),
        "control": Visit(str(folder / "control.html"), check=True),
    }
    return dict(zip(visits, look(list(visits.values())), strict=True))


GUIDE = "https://docs.pinecone.io/guides/production/configure-cmek"
PAGES = (
    "light",
    "dark",
    "phone",
    "paper",
    "two stacks",
    "without script",
    "many",
    "many, dark",
    "many, phone",
    "hostile",
    "hostile, phone",
)


def test_the_browser_of_these_tests_sees_what_is_wrong(seen: dict[str, Seen]) -> None:
    """A control: without it, a page on which nothing is found would prove nothing."""
    control = seen["control"]
    assert any(one.startswith("color-contrast: <p>") for one in control.faults)
    assert any(one.startswith("image-alt") for one in control.faults)
    assert control.requests == ["https://example.com/x.png"]
    assert "said" in control.errors
    assert control.dialogs == ["asked"]
    assert control.ran


@pytest.mark.parametrize("name", PAGES)
def test_the_page_opens_asks_for_nothing_and_fits_its_window(seen: dict[str, Seen], name: str) -> None:
    found = seen[name]
    assert found.title == "Pinecone's access to your keys: review and sign"
    assert found.errors == []
    assert found.requests == []
    assert not found.sideways
    assert all(link.startswith(("#", "data:,")) or link == GUIDE for link in found.links)


@pytest.mark.parametrize("name", [name for name in PAGES if "phone" not in name])
def test_the_first_screen_can_be_signed(seen: dict[str, Seen], name: str) -> None:
    assert seen[name].first_screen == [
        "What is asked",
        "What the machine says",
        "What differs from Pinecone's guide",
        "What only a person can check",
        "Sign here",
    ]


@pytest.mark.parametrize("name", PAGES)
def test_every_verdict_is_seen_without_scrolling_sideways(seen: dict[str, Seen], name: str) -> None:
    assert seen[name].hidden_verdicts == []


def test_two_stacks_are_printed_on_at_most_six_sheets(seen: dict[str, Seen]) -> None:
    assert 2 <= seen["two stacks"].sheets <= 6


@pytest.mark.parametrize("name", ["light", "dark", "phone", "paper", "many", "many, dark"])
def test_the_accessibility_checker_finds_nothing(seen: dict[str, Seen], name: str) -> None:
    assert seen[name].faults == []
    if name != "phone":  # There a table is wider than its frame, and is scrolled within it.
        # What lies under a text of the picture it cannot tell: it is the box that is drawn there.
        assert [one for one in seen[name].unsure if "<text" not in one] == []


def test_the_page_needs_no_script(seen: dict[str, Seen]) -> None:
    assert seen["without script"].text == seen["light"].text
    assert "script" not in seen["light"].elements


@pytest.mark.parametrize("name", ["hostile", "hostile, phone"])
def test_hostile_text_stays_text(seen: dict[str, Seen], name: str) -> None:
    found = seen[name]
    assert not set(found.elements) & {"script", "img", "iframe", "object", "form", "input", "base"}
    assert found.elements["style"] == found.elements["main"] == 1
    assert found.handlers == 0
    assert not found.ran
    assert found.dialogs == []
    for one in ("<script>ran=1;alert(1)</script>", "{{7*7}}{%raw%}", "&lt;b&gt;<!--", 'onerror="'):
        assert one in found.text
    for character in "\u202e\u202c\u0430\u200b\x00\x1b":
        assert character not in found.text
    assert r"\u202eelor\u202c \u0430\u200b" in found.text


# The command.


def test_nothing_is_written_where_something_cannot_be_read(tmp_path: Path) -> None:
    put(tmp_path, good())
    (tmp_path / "broken.json").write_text("{")
    printed = cmek(tmp_path, "review", "t.template.json", "broken.json", code=1)
    assert "broken.json" in printed.stderr
    assert not (tmp_path / "review.html").exists()
    put(tmp_path, {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}, "other")
    printed = cmek(tmp_path, "review", "other.template.json", code=1)
    assert "Nothing of Pinecone's was found" in printed.stderr


def test_only_a_page_of_its_own_is_written_over(tmp_path: Path) -> None:
    file = put(tmp_path, good())
    before = file.read_bytes()
    printed = cmek(tmp_path, "review", str(file), "--out", str(file), code=1)
    assert "is no page of `cmek review`" in printed.stderr
    assert file.read_bytes() == before
    page(tmp_path, good())
    page(tmp_path, forms.template("suspended"))


def test_violations_do_not_change_the_exit_code_and_markdown_needs_an_old_one(tmp_path: Path) -> None:
    template = good()
    properties(template, KEY)["EnableKeyRotation"] = False
    put(tmp_path, template)
    printed = cmek(tmp_path, "review", "t.template.json")
    assert "1 violation of the guardrails" in printed.stderr
    assert "--against" in cmek(tmp_path, "review", "t.template.json", "--markdown", code=2).stderr


def test_the_room_of_the_page_knows_neither_files_nor_cdk() -> None:
    for path in (ROOT / "cmek_construct" / "review").glob("*.py"):
        known = imports(path)
        assert not {one.split(".")[0] for one in known} & {"aws_cdk", "jsii", "boto3", "typer"}
        assert not any(one.startswith("cmek_construct.operations") for one in known), path.name
        assert not known & {"datetime", "time", "random", "os", "socket", "urllib"}, path.name


@pytest.mark.parametrize("policies", [{"Fn::If": ["On", [], []]}, {"Fn::If": []}], ids=str)
def test_policies_by_a_condition_end_in_no_traceback(tmp_path: Path, policies: Any) -> None:
    made = good()
    properties(made, ROLE)["Policies"] = policies
    made["Conditions"] = {"On": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}}
    assert "What is asked" in text(tmp_path, made)


def test_of_a_key_that_is_protected_while_used_nobody_is_told_to_disable_it(tmp_path: Path) -> None:
    disable = "At once, by hand: disable the key"
    usual, protected = (text(tmp_path, cmek_template(protect_used_key=days)) for days in (None, cdk.Duration.days(90)))
    assert disable in usual
    assert disable not in protected
    assert "cannot be disabled: use one of the other ways" in protected


def test_the_statement_of_a_protected_key_is_explained(tmp_path: Path) -> None:
    said = text(tmp_path, cmek_template(protect_used_key=cdk.Duration.days(90)))
    assert (
        "The guide has no such statement Forbids anybody in any AWS account to disable the key and "
        "order the key's deletion where the number of days since the key was last used is less "
        "than 90, whatever another policy allows. A prop of this library, protect_used_key:"
    ) in said


def test_a_denial_that_only_looks_like_the_protection_of_a_key_is_not_explained_as_one(tmp_path: Path) -> None:
    template = cmek_template(protect_used_key=cdk.Duration.days(90))
    key = next(one for one in template["Resources"].values() if one["Type"] == "AWS::KMS::Key")
    key["Properties"]["KeyPolicy"]["Statement"][-1]["Action"].append("kms:Decrypt")
    said = text(tmp_path, template)
    assert "is less than 90" in said
    assert "A prop of this library, protect_used_key" not in said


def test_the_account_can_be_told(tmp_path: Path) -> None:
    template = forms.template("environment_agnostic")
    assert "account not in the template" in text(tmp_path, template)
    assert f"account {ACCOUNT}, Region" in text(tmp_path, template, "--account", ACCOUNT)
    printed = cmek(tmp_path, "review", "t.template.json", "--account", "12", code=2)
    assert "account: got '12'" in printed.stderr
