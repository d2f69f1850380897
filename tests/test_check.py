"""`cmek check`: the gate for template files."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from cmek_construct import CmekGuardrails, PineconeRole
from tests import forms
from tests.building import ACCOUNT, EXTERNAL_ID, REGIONS, new_stack
from tests.building import cmek as construct
from tests.command import cmek
from tests.judged import judge
from tests.test_templates_files import stack_set

MULTI_REGION = ("every_other_prop", "key-multi-region")
NOTHING = '{"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}'


def put(folder: Path, form: str, name: str = "t.template.json") -> dict[str, Any]:
    """The template of a form in a folder."""
    found = forms.template(form)
    (folder / name).write_text(json.dumps(found))
    return found


def opened(folder: Path, name: str = "t.template.json") -> None:
    """A template that lets a stranger in, at three places."""
    found = forms.template("explicit_with_id")
    stranger = "arn:aws:iam::999999999999:role/stranger"
    role = found["Resources"]["CmekRoleB9267AA0"]["Properties"]
    role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"].append(stranger)
    (folder / name).write_text(json.dumps(found))


def test_a_template_with_nothing_wrong_passes_and_says_what_was_judged(tmp_path: Path) -> None:
    put(tmp_path, "explicit_with_id")
    printed = cmek(tmp_path, "check", "t.template.json")
    assert "t.template.json: 1 role, 1 key: nothing wrong" in printed.stdout
    assert "1 template, 1 role and 1 key judged: 0 violations." in printed.stdout


def test_what_cdk_synth_wrote_is_judged_where_nothing_is_named(tmp_path: Path) -> None:
    for command in ("check", "who", "review"):
        refused = cmek(tmp_path, command, code=1).stderr
        assert "cdk.out: there is no such file or folder. Run `npx cdk synth` first" in refused
    (tmp_path / "cdk.out").mkdir()
    put(tmp_path / "cdk.out", "explicit_with_id")
    for command in ("check", "who", "review"):
        cmek(tmp_path, command)


@pytest.mark.parametrize("command", ["check", "who"])
def test_what_only_a_person_can_tell_is_asked_beside_the_answer(tmp_path: Path, command: str) -> None:
    boundary = put(tmp_path, "explicit_without_id")
    role = boundary["Resources"]["CmekRoleB9267AA0"]["Properties"]
    role["PermissionsBoundary"] = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
    (tmp_path / "t.template.json").write_text(json.dumps(boundary))
    asked = cmek(tmp_path, command, "t.template.json").stderr
    assert "CmekRoleB9267AA0 lets Pinecone in without an external ID, and Pinecone takes none" in asked
    assert f"the permissions boundary arn:aws:iam::{ACCOUNT}:policy/boundary, which no" in asked
    put(tmp_path, "explicit_with_id")
    assert "Ask a person" not in cmek(tmp_path, command, "t.template.json").stderr


def test_a_violation_says_where_what_why_and_the_cure_and_fails(tmp_path: Path) -> None:
    opened(tmp_path)
    printed = cmek(tmp_path, "check", "t.template.json", code=1).stdout
    violations = judge(json.loads((tmp_path / "t.template.json").read_text()))
    assert violations
    for one in violations:
        assert f"WRONG {one.rule}: CmekRoleB9267AA0" in printed
        for words in (one.what, f"Allows: {one.breaks.allows}", f"Cure: {one.breaks.cure}"):
            assert words in printed
    assert "999999999999" in printed


def test_a_gate_that_saw_nothing_has_not_passed(tmp_path: Path) -> None:
    (tmp_path / "other.template.json").write_text(NOTHING)
    printed = cmek(tmp_path, "check", "other.template.json", code=1)
    assert "other.template.json: nothing of Pinecone's" in printed.stdout
    assert "nothing was checked" in printed.stderr
    assert "0 roles and 0 keys" in printed.stdout


def test_of_a_whole_cloud_assembly_one_template_with_a_role_is_enough(tmp_path: Path) -> None:
    (tmp_path / "other.template.json").write_text(NOTHING)
    (tmp_path / "assembly-Prod").mkdir()
    put(tmp_path / "assembly-Prod", "all_regions")
    printed = cmek(tmp_path, "check", ".").stdout
    assert "other.template.json: nothing of Pinecone's" in printed
    assert "2 templates, 1 role and 1 key judged" in printed


def test_what_cannot_be_read_fails_and_the_rest_is_still_judged(tmp_path: Path) -> None:
    put(tmp_path, "explicit_with_id")
    (tmp_path / "broken.template.json").write_text("{")
    printed = cmek(tmp_path, "check", ".", "missing.yaml", code=1)
    assert "1 role and 1 key judged: 0 violations" in printed.stdout
    assert "broken.template.json: it is neither JSON nor YAML" in printed.stderr
    assert "missing.yaml: there is no such file or folder. Run `npx cdk synth`" in printed.stderr


def test_where_nothing_could_be_read_nothing_is_summed_up(tmp_path: Path) -> None:
    for options in ((), ("--json",)):
        printed = cmek(tmp_path, "check", "missing.json", *options, code=1)
        assert printed.stderr.startswith("missing.json: there is no such file or folder.")
        assert "judged" not in printed.stdout + printed.stderr


def test_what_is_acknowledged_is_shown_with_its_reason_and_does_not_fail(tmp_path: Path) -> None:
    form, rule = MULTI_REGION
    put(tmp_path, form)
    assert f"WRONG {rule}" in cmek(tmp_path, "check", ".", code=1).stdout
    for named in (rule, f"cmek-guardrails::{rule}"):
        options = ("--acknowledge", f"{named}=Ticket 42: a=b")
        printed = cmek(tmp_path, "check", ".", *options).stdout
        assert f"acknowledged {rule}: CmekKey21C8C2B3" in printed
        assert "Reason: Ticket 42: a=b" in printed
        assert "0 violations" in printed


def test_an_acknowledgement_is_for_its_own_rule_alone(tmp_path: Path) -> None:
    opened(tmp_path)
    printed = cmek(tmp_path, "check", ".", "--acknowledge=key-multi-region=Ticket", code=1)
    assert "key-multi-region: nothing breaks it any more" in printed.stderr
    for wrong, said in (
        ("key-multi-region", "RULE=REASON"),
        ("key-multi-region=", "RULE=REASON"),
        ("key-multi-region= ", "RULE=REASON"),
        ("no-such-rule=x", "there is no rule no-such-rule. There are "),
        ("key-rotaton=x", "there is no rule key-rotaton. Is it key-rotation?"),
    ):
        words = " ".join(cmek(tmp_path, "check", ".", "--acknowledge", wrong, code=2).stderr.split())
        assert said in words.replace("│ ", "").replace(" │", "")


def test_a_vendors_role_that_is_declared_passes(tmp_path: Path) -> None:
    put(tmp_path, "key_for_a_role_of_another_account")
    printed = cmek(tmp_path, "check", ".", code=1).stdout
    rule = f"key-foreign-principal[{forms.VENDOR_ROLE}]"
    assert f"WRONG {rule}" in printed
    cmek(tmp_path, "check", ".", f"--vendor-role-arn={forms.VENDOR_ROLE}")
    cmek(tmp_path, "check", ".", f"--acknowledge={rule}=Our vendor")
    cmek(tmp_path, "check", ".", f"--vendor-role-arn={forms.VENDOR_ROLE}x", code=1)
    cmek(tmp_path, "check", ".", "--acknowledge=key-foreign-principal=Everybody", code=1)
    assert "arn:aws:iam" in cmek(tmp_path, "check", ".", "--vendor-role-arn=x", code=2).stderr


def test_json_has_every_violation_and_what_was_judged(tmp_path: Path) -> None:
    opened(tmp_path, "a.template.json")
    put(tmp_path, "every_other_prop", "b.template.json")
    options = ("--json", "--acknowledge=key-multi-region=Ticket")
    printed = cmek(tmp_path, "check", ".", *options, code=1)
    first, second = json.loads(printed.stdout)
    assert first["roles"] == ["CmekRoleB9267AA0"]
    assert first["keys"] == ["CmekKey21C8C2B3"]
    assert {"rule", "logical_id", "what", "allows", "cure"} < set(first["violations"][0])
    assert {one["acknowledged"] for one in first["violations"]} == {None}
    assert [one["acknowledged"] for one in second["violations"]] == ["Ticket"]
    assert "violation" in printed.stderr


def test_the_template_of_a_stack_set_is_judged_once_and_by_its_own_ids(tmp_path: Path) -> None:
    opened(tmp_path, "inner")
    root = '"arn:aws:iam::111122223333:root"'
    own = '{"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}'
    text = (tmp_path / "inner").read_text().replace(root, own)
    (tmp_path / "t.template.json").write_text(stack_set(text))
    outer, inner = json.loads(cmek(tmp_path, "check", ".", "--json", code=1).stdout)
    assert outer["violations"] == []
    assert inner["template"].endswith("t.template.json > Set")
    assert {one["logical_id"] for one in inner["violations"]} == {"CmekRoleB9267AA0"}


def test_the_customers_kit_passes_in_yaml(tmp_path: Path) -> None:
    cmek(tmp_path, "customer-kit", f"--role-arn={forms.VENDOR_ROLE}")
    options = ("customer-kit/customer-key.yaml", f"--vendor-role-arn={forms.VENDOR_ROLE}")
    assert "0 roles, 1 key: nothing wrong" in cmek(tmp_path, "check", *options).stdout


def test_the_account_that_the_cloud_assembly_says_is_known(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path / "cdk.out"))
    PineconeRole(new_stack(app, "Own"), "Role", pinecone_account_id=ACCOUNT, regions=REGIONS, external_id=EXTERNAL_ID)
    app.synth()
    printed = cmek(tmp_path, "check", "cdk.out", code=1).stdout
    assert "WRONG trust-own-account" in printed
    (tmp_path / "cdk.out" / "manifest.json").unlink()
    assert "trust-own-account" not in cmek(tmp_path, "check", "cdk.out").stdout


@pytest.mark.parametrize("form", ["explicit_with_id", "suspended_all_regions", "policies_minimized"])
def test_what_the_command_says_is_what_the_guardrails_say(tmp_path: Path, form: str) -> None:
    found = put(tmp_path, form)
    (one,) = json.loads(cmek(tmp_path, "check", ".", "--json").stdout)
    assert one["violations"] == judge(found) == []


def test_what_the_app_acknowledges_is_taken_from_its_assembly(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path / "cdk.out"), analytics_reporting=False)
    cdk.Validations.of(app).add_plugins(CmekGuardrails())
    ours = construct(new_stack(app), multi_region=True)
    app.synth()
    printed = cmek(tmp_path, "check", "cdk.out").stdout
    assert "acknowledged key-multi-region: CmekKey21C8C2B3" in printed
    assert "Reason: The prop multi_region=True asks for it" in printed
    ours.key.add_to_resource_policy(
        iam.PolicyStatement(actions=["kms:*"], resources=["*"], principals=[iam.ArnPrincipal(ours.role.role_arn)])
    )
    with pytest.raises(RuntimeError):
        app.synth(force=True)
    found = cmek(tmp_path, "check", "cdk.out", code=1).stdout
    assert "acknowledged key-multi-region" in found
    assert "WRONG key-role-access[" in found


@pytest.mark.parametrize("strange", [None, 5, "x", {"a": 1}, [None], [{"pluginName": "cmek-guardrails"}]])
def test_a_report_of_another_form_is_none(tmp_path: Path, strange: object) -> None:
    put(tmp_path, "explicit_with_id")
    ours = {"pluginName": "cmek-guardrails", "suppressedViolations": [{"violatingConstructs": strange}, strange]}
    for report in (strange, {"pluginReports": strange}, {"pluginReports": [ours | {"violations": []}]}):
        (tmp_path / "validation-report.json").write_text(json.dumps(report))
        assert "0 violations" in cmek(tmp_path, "check", ".").stdout


def test_two_accounts_that_are_taken_for_pinecones_are_said(tmp_path: Path) -> None:
    found = put(tmp_path, "explicit_with_id", "a.template.json")
    other = json.dumps(found).replace(forms.PINECONE, "777788889999")
    (tmp_path / "b.template.json").write_text(other)
    said = " ".join(cmek(tmp_path, "check", ".").stderr.split())
    assert f"taken for Pinecone's: {forms.PINECONE}, 777788889999. Compare each" in said
    assert "taken for" not in cmek(tmp_path, "check", "a.template.json").stderr


def test_hostile_names_reach_no_terminal(tmp_path: Path) -> None:
    evil = "\x1b[2J\u202e"
    found = forms.template("explicit_with_id")
    role = found["Resources"]["CmekRoleB9267AA0"]
    statement = role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
    statement.update(Sid=evil, Action=[evil], Condition={evil: {evil: evil}}, **{evil: evil})
    statement["Principal"]["AWS"].append(evil)
    role.update(DeletionPolicy=evil)
    found["Resources"][evil] = role
    found["Resources"]["Key2"] = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": evil}}
    found["Resources"]["Door"] = {
        "Type": f"{evil}\nAsk a person: nothing",
        "Properties": {"Owner": {"Fn::GetAtt": "CmekRoleB9267AA0.Arn"}},
    }
    statement["Condition"]["StringEquals"] = {"sts:ExternalId": {"Fn::GetAtt": [f"{evil}Key", "Id"]}}
    shutil.rmtree(tmp_path / evil, ignore_errors=True)
    (tmp_path / evil).mkdir()
    (tmp_path / evil / "t.template.json").write_text(json.dumps(found))
    printed = cmek(tmp_path, "check", ".", code=1)
    for text in (printed.stdout, printed.stderr):
        assert not re.search("[\x1b\u202e]", text)
    assert "WRONG" in printed.stdout
    assert not [line for line in printed.stderr.splitlines() if line.startswith("Ask a person: nothing")]
