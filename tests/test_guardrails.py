"""What no template may say is refused at synth, and what is harmless passes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, get_args

import aws_cdk as cdk
import pytest
import yaml
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from cmek_construct import CmekGuardrails, CustomerKey, PineconeCmek, PineconeKey, PineconePrincipal
from cmek_construct.deployment.reading import read_entries
from cmek_construct.deployment.stack import CmekStack
from cmek_construct.deployment.without_cdk import TEMPLATE, customer_kit
from cmek_construct.guardrails.rule import rules
from cmek_construct.policy.questions import Questions
from cmek_construct.policy.statements import Kind
from tests import forms, harmless
from tests.building import ACCOUNT, EXTERNAL_ID, PINECONE, REGIONS, cmek, new_stack
from tests.command import cmek as cmek_command
from tests.conftest import ROOT
from tests.forms import CUSTOMER, REGION, VENDOR_ROLE
from tests.judged import judge, judge_all, names
from tests.mutants import MUTANTS, Mutant, Template
from tests.mutants.harmless_edits import HARMLESS_EDITS
from tests.mutants.made import add, allow, deny, grant, key_policy, resource_id, role, role_arn, trust, trust_policy
from tests.simulator.simulator import Request, Result, simulate
from tests.test_structure import imports

RULE_IDS = list(dict.fromkeys(rule.id for rule in rules().values()))
NOT_KEPT_OR_OPENED = {
    "role_with_own_policy": {"role-permissions"},
    "suspended_role_with_own_policy": {"role-permissions"},
    "own_role": {"role-retained"},
    "own_role_and_key": {"role-retained"},
    "own_role_imported_key": {"role-retained"},
    "own_role_imported_key_suspended": {"role-retained"},
    "every_other_prop": {"key-multi-region"},
    "key_for_a_role_of_another_account": {"key-foreign-principal"},
}
"""Forms whose template alone is refused: given roles that are not retained, permissions of the role's own, and what
a prop asks for, which the construct acknowledges."""


def broken(template: Template) -> set[str]:
    """The rules that a template breaks, without whom they are about."""
    return names(judge(template, [VENDOR_ROLE], account=CUSTOMER))


OUT = "pinecone-locked-out"
ALSO = {
    "the external ID under Null": OUT,
    "the external ID under StringNotEquals": OUT,
    "the external ID under StringNotLike": OUT,
    "the external ID under StringNotEqualsIgnoreCase": OUT,
    "an external ID of one character": OUT,
    "an external ID of characters that STS refuses": OUT,
    "an external ID that is a policy variable": "pinecone-not-seen-to-come-in",
    "the third policy with the caller negated": OUT,
    "the key that a parameter's policy makes": OUT,
    "a second owner of the key": "key-role-access",
    "a stranger's account as a number, beside the root": "key-role-access",
}
"""By the words of a mutant the one other fault that its edit is: it lets others in and shuts Pinecone out, or lets a
stranger in who may do more than use the key."""


# The dangerous set.


@cache
def _broken_by_form(form: str) -> set[str]:
    return broken(forms.template(form))


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_dangerous_template_is_refused_for_its_own_reason_alone(mutant: Mutant) -> None:
    found = broken(mutant.template)
    assert found == {mutant.rule, ALSO.get(mutant.words, mutant.rule)}
    assert mutant.rule not in _broken_by_form(mutant.form)
    without_account = names(judge(mutant.template, [VENDOR_ROLE]))
    assert mutant.rule in without_account


def test_each_rule_refuses_something() -> None:
    assert {one.rule for one in MUTANTS} == set(RULE_IDS)


def test_there_are_sixty_dangerous_and_twenty_harmless_at_least() -> None:
    assert len({one.words for one in MUTANTS}) == len(MUTANTS) >= 60
    assert len(harmless.HARMLESS) >= 20


def test_every_mutant_of_a_trust_policy_is_put_to_the_simulator() -> None:
    asked = [one for one in MUTANTS if one.lets_in or one.keeps_out or one.rule == "trust-size"]
    assert [one for one in MUTANTS if one.rule.startswith("trust-") and one not in asked] == []


def _request(mutant: Mutant, template: Template) -> Request:
    call = mutant.lets_in or mutant.keeps_out
    assert call is not None
    return call.request(template)


def test_a_mutant_lets_in_who_was_out_or_shuts_out_who_was_in() -> None:
    asked = [one for one in MUTANTS if one.lets_in or one.keeps_out]
    assert len(asked) > 60
    answers = simulate(
        [_request(one, one.as_deployed) for one in asked] + [_request(one, forms.template(one.form)) for one in asked]
    )
    mutants, good = answers[: len(asked)], answers[len(asked) :]
    for mutant, *answers in zip(asked, mutants, good, strict=True):
        let_in = [answer.result == Result.ALLOWED for answer in answers]
        assert let_in == ([True, False] if mutant.lets_in else [False, True]), str(mutant)


# The harmless set.


def synthesized(app: cdk.App) -> tuple[list[Any], list[Any]]:
    """What `cdk synth` reports of the guardrails: violations, and what is acknowledged."""
    try:
        app.synth()
    except RuntimeError as refusal:
        assert "cmek-guardrails" in str(refusal)
    report = json.loads((Path(app.outdir) / "validation-report.json").read_text())
    (found,) = report["pluginReports"] or [{"violations": [], "conclusion": "success"}]
    assert (found["conclusion"] == "success") is (found["violations"] == [])
    return found["violations"], found.get("suppressedViolations", [])


def guarded(outdir: Path, *stacks: Callable[[cdk.Stack], object]) -> cdk.App:
    """An app under the guardrails, with stacks that these fill."""
    app = cdk.App(outdir=str(outdir), analytics_reporting=False)
    cdk.Validations.of(app).add_plugins(CmekGuardrails())
    for number, fill in enumerate(stacks, 1):
        fill(new_stack(app, f"Stack{number}"))
    return app


def test_harmless_apps_pass_without_a_word(tmp_path: Path) -> None:
    violations, acknowledged = synthesized(harmless.make_app(str(tmp_path)))
    assert violations == []
    assert {one["acknowledgedAt"].split("/")[0] for one in acknowledged} == {
        "EverythingThatPropsAskFor",
        "OneMoreConditionOnPinecone",
    }


@pytest.mark.parametrize("words", HARMLESS_EDITS)
def test_a_harmless_edit_passes(words: str) -> None:
    template = forms.template("explicit_with_id")
    HARMLESS_EDITS[words](template)
    assert judge(template, account=CUSTOMER) == []
    assert judge(template) == []


@pytest.mark.parametrize("form", forms.FORMS)
def test_a_form_passes_but_for_what_is_said_of_it(form: str) -> None:
    account = None if form == "environment_agnostic" else CUSTOMER
    found = names(judge(forms.template(form), account=account))
    assert found == NOT_KEPT_OR_OPENED.get(form, set())
    assert names(judge(forms.template(form))) == found


def test_what_the_props_of_a_form_ask_for_is_acknowledged(tmp_path: Path) -> None:
    app = forms.make_app(str(tmp_path))
    cdk.Validations.of(app).add_plugins(CmekGuardrails())
    violations, _ = synthesized(app)
    refused = {
        forms.form_of(construct["constructPath"].split("/")[0]): {violation["ruleName"].partition("[")[0]}
        for violation in violations
        for construct in violation["violatingConstructs"]
    }
    by_props = ("every_other_prop", "key_for_a_role_of_another_account")
    wanted = {form: rules for form, rules in NOT_KEPT_OR_OPENED.items() if form not in by_props}
    assert refused == wanted


def test_the_kit_for_customers_passes_with_its_vendor_declared() -> None:
    kit = yaml.safe_load(customer_kit(VENDOR_ROLE)[TEMPLATE])
    assert judge(kit, [VENDOR_ROLE]) == []
    assert [one.rule for one in judge(kit)] == [f"key-foreign-principal[{VENDOR_ROLE}]"]


def test_a_policy_as_the_text_of_json_is_read() -> None:
    template = forms.template("explicit_with_id")
    for resource in template["Resources"].values():
        for name in ("AssumeRolePolicyDocument", "KeyPolicy"):
            if name in resource["Properties"]:
                document = json.dumps(resource["Properties"][name])
                document = document.replace('{"Fn::GetAtt": ["CmekRoleB9267AA0", "Arn"]}', '"${CmekRoleB9267AA0.Arn}"')
                resource["Properties"][name] = {"Fn::Sub": document}
    assert broken(template) == set()
    text = json.dumps(template).replace("kms:Encrypt", "kms:PutKeyPolicy")
    assert broken(json.loads(text)) == {"key-role-access", "pinecone-locked-out"}


# What is found in an app, whoever did it.


def refused(violations: list[Any]) -> dict[str, list[str]]:
    """The rules that each construct breaks."""
    found: dict[str, list[str]] = {}
    for violation in violations:
        for construct in violation["violatingConstructs"]:
            rule = violation["ruleName"].partition("[")[0]
            found.setdefault(construct["constructPath"], []).append(rule)
    return found


def resource_of(construct: Any) -> Any:
    return construct.node.default_child


def test_a_violation_names_path_logical_id_fault_consequence_and_cure(tmp_path: Path) -> None:
    def fill(stack: cdk.Stack) -> None:
        resource_of(cmek(stack).role).max_session_duration = 7200

    ((violation,), _) = synthesized(guarded(tmp_path, fill))
    (construct,) = violation["violatingConstructs"]
    assert violation["ruleName"] == "role-session"
    assert construct["constructPath"] == "Stack1/Cmek/Role/Resource"
    assert construct["cloudFormationResource"] == {
        "templatePath": "Stack1.template.json",
        "logicalId": "CmekRoleB9267AA0",
    }
    assert violation["description"] == (
        "MaxSessionDuration is 7200 seconds; the guide's role has 3600. A session that was let in "
        "could go on for hours after Pinecone was cut off."
    )
    assert violation["suggestedFix"] == "Take MaxSessionDuration out."


def test_overrides_aspects_grants_and_hand_written_resources_are_judged(tmp_path: Path) -> None:
    def override(stack: cdk.Stack) -> None:
        statement = "AssumeRolePolicyDocument.Statement.0.Condition"
        resource_of(cmek(stack).role).add_property_deletion_override(statement)

    def aspect(stack: cdk.Stack) -> None:
        cmek(stack)
        cdk.RemovalPolicies.of(stack).destroy()

    def grant(stack: cdk.Stack) -> None:
        ours = cmek(stack)
        kms.Key.grant_admin(ours.key, ours.role)  # type: ignore[arg-type]

    def external_ids(stack: cdk.Stack) -> None:
        role = iam.Role(
            stack,
            "Role",
            assumed_by=PineconePrincipal(PINECONE, regions=REGIONS, external_id=EXTERNAL_ID),
            external_ids=["another-id"],
        )
        role.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        PineconeCmek(stack, "Cmek", pinecone_account_id=PINECONE, regions=REGIONS, external_id=EXTERNAL_ID, role=role)

    def by_hand(stack: cdk.Stack) -> None:
        stack.template_options.metadata = {}
        cdk.CfnResource(
            stack,
            "Role",
            type="AWS::IAM::Role",
            properties={
                "AssumeRolePolicyDocument": {
                    "Statement": {
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:aws:iam::{PINECONE}:root"},
                        "Action": "sts:AssumeRole",
                        "Condition": {
                            "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/pinecone_cmek_access_*"},
                            "StringEquals": {"sts:ExternalId": EXTERNAL_ID},
                        },
                    }
                }
            },
        ).apply_removal_policy(cdk.RemovalPolicy.RETAIN)

    violations, _ = synthesized(guarded(tmp_path, override, aspect, grant, external_ids, by_hand))
    assert refused(violations) == {
        "Stack1/Cmek/Role/Resource": ["trust-external-id"],
        "Stack2/Cmek/Role/Resource": ["role-retained"],
        "Stack2/Cmek/Key/Resource": ["key-retained"],
        "Stack2/Cmek/Key/PineconeAlias": ["alias-retained"],
        "Stack3/Cmek/Role/DefaultPolicy/Resource": ["role-permissions"],
        "Stack4/Role/Resource": ["trust-external-id"],
        "Stack5/Role": ["trust-principal-pattern"],
    }


def test_stages_nested_stacks_and_stack_sets_are_judged(tmp_path: Path) -> None:
    def nested(stack: cdk.Stack) -> None:
        ours = cmek(cdk.NestedStack(stack, "Nested"))
        resource_of(ours.role).max_session_duration = 7200

    def stack_set(stack: cdk.Stack) -> None:
        text = json.dumps(forms.template("explicit_with_id"))
        root = f'"arn:aws:iam::{CUSTOMER}:root"'
        own = '{"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}'
        inner = json.loads(text.replace(root, own))
        inner["Resources"]["CmekKey21C8C2B3"]["Properties"]["Enabled"] = False
        cdk.CfnStackSet(
            stack, "Set", permission_model="SELF_MANAGED", stack_set_name="set", template_body=json.dumps(inner)
        )

    app = guarded(tmp_path, nested, stack_set)
    stage = cdk.Stage(app, "Prod", env=cdk.Environment(account=ACCOUNT, region=REGION))
    resource_of(cmek(cdk.Stack(stage, "Search")).key).pending_window_in_days = 7
    violations, _ = synthesized(app)
    assert refused(violations) == {
        "Prod/Search/Cmek/Key/Resource": ["key-pending-window"],
        "Stack1/Nested/Cmek/Role/Resource": ["role-session"],
        "Stack2/Set": ["key-enabled"],
    }
    assert "In TemplateBody, CmekKey21C8C2B3: Enabled is false." in str(violations)


# What is meant is acknowledged.


def test_what_a_prop_asks_for_passes_and_the_same_by_an_override_is_refused(tmp_path: Path) -> None:
    def both(stack: cdk.Stack) -> None:
        cmek(stack, "ByProp", multi_region=True, pending_window=cdk.Duration.days(7))
        key = resource_of(cmek(stack, "ByOverride").key)
        key.multi_region, key.pending_window_in_days = True, 7

    violations, acknowledged = synthesized(guarded(tmp_path, both))
    rules = ["key-multi-region", "key-pending-window"]
    assert refused(violations) == {"Stack1/ByOverride/Key/Resource": rules}
    assert refused(acknowledged) == {"Stack1/ByProp/Key/Resource": rules}
    assert [one["reason"] for one in acknowledged] == [
        "The prop multi_region=True asks for it",
        "The prop pending_window of 7 days asks for it",
    ]


def test_an_acknowledgement_names_one_rule_and_shows_with_its_reason(tmp_path: Path) -> None:
    def fill(stack: cdk.Stack) -> None:
        ours = cmek(stack)
        resource_of(ours.key).enable_key_rotation = False
        resource_of(ours.key).enabled = False
        cdk.Validations.of(ours).acknowledge(cdk.Acknowledgment(id="cmek-guardrails::key-rotation", reason="Ticket 42"))

    violations, (acknowledged,) = synthesized(guarded(tmp_path, fill))
    assert refused(violations) == {"Stack1/Cmek/Key/Resource": ["key-enabled"]}
    assert acknowledged["acknowledgedId"] == "cmek-guardrails::key-rotation"
    assert acknowledged["reason"] == "Ticket 42"


def test_a_second_vendor_is_not_acknowledged_with_the_first(tmp_path: Path) -> None:
    def fill(stack: cdk.Stack) -> None:
        theirs = CustomerKey(stack, "Theirs", role_arn=harmless.VENDOR_ROLE)
        theirs.key.grant_decrypt(iam.AccountPrincipal(harmless.STRANGER))

    def more(stack: cdk.Stack) -> None:
        theirs = CustomerKey(stack, "Theirs", role_arn=harmless.VENDOR_ROLE)
        theirs.key.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["kms:ScheduleKeyDeletion"],
                resources=["*"],
                principals=[iam.ArnPrincipal(harmless.VENDOR_ROLE)],
            )
        )

    violations, _ = synthesized(guarded(tmp_path, fill, more))
    assert refused(violations) == {
        "Stack1/Theirs/Key/Resource": ["key-foreign-principal"],
        "Stack2/Theirs/Key/Resource": ["key-role-access"],
    }
    printed = cmek_command(tmp_path, "check", ".", code=1).stdout
    assert printed.count(f"acknowledged key-foreign-principal[{harmless.VENDOR_ROLE}]: ") == 2
    assert printed.count("Reason: The prop role names this role of another account") == 2
    assert f"WRONG key-foreign-principal[arn:aws:iam::{harmless.STRANGER}:root]" in printed
    assert f"key-foreign-principal[arn:aws:iam::{harmless.STRANGER}:root]" in str(violations)


@pytest.mark.parametrize("scope", [lambda stack: stack, lambda s: cdk.NestedStack(s, "Nested")])
def test_a_role_of_another_account_is_meant_on_its_own_key_alone(
    tmp_path: Path, scope: Callable[[cdk.Stack], cdk.Stack]
) -> None:
    def fill(stack: cdk.Stack) -> None:
        vendor = iam.Role.from_role_arn(stack, "Vendor", harmless.VENDOR_ROLE)
        PineconeKey(scope(stack), "Theirs", role=vendor)

    def other(stack: cdk.Stack) -> None:
        statement = iam.PolicyStatement(
            actions=["kms:Decrypt"], resources=["*"], principals=[iam.ArnPrincipal(harmless.VENDOR_ROLE)]
        )
        cmek(stack).key.add_to_resource_policy(statement)

    violations, _ = synthesized(guarded(tmp_path, fill, other))
    assert refused(violations) == {"Stack2/Cmek/Key/Resource": ["key-foreign-principal"]}


def test_a_stack_of_cmek_yaml_acknowledges_by_the_full_id(tmp_path: Path) -> None:
    (tmp_path / "cmek.yaml").write_text(
        'pinecone_account_id: "999988887777"\n'
        "regions: [us-east-1]\n"
        "region: us-east-1\n"
        "stacks:\n"
        '  acme: {account: "999988887777", external_id: 5b4f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f}\n'
    )
    own = "trust-own-account[arn:aws:iam::999988887777:role/pinecone_cmek_access_us-east-1]"
    ((violation,), _) = synthesized(of_file(tmp_path))
    assert violation["ruleName"] == own
    text = (tmp_path / "cmek.yaml").read_text()
    (tmp_path / "cmek.yaml").write_text(
        text.rstrip("}\n") + f", acknowledge: {{'cmek-guardrails::{own}': A trial}}}}\n"
    )
    violations, acknowledged = synthesized(of_file(tmp_path))
    assert violations == []
    assert "A trial" in json.dumps(acknowledged)


def of_file(folder: Path) -> cdk.App:
    """The app of a folder's cmek.yaml, beside the CDK that runs already."""
    app = guarded(folder / "cdk.out")
    for entry in read_entries(folder / "cmek.yaml"):
        CmekStack(app, entry)
    return app


# Of the plugin and the judge themselves.


@pytest.mark.parametrize("value", ["arn", [1], ["arn:aws:iam::111122223333:root"], None])
def test_a_vendors_role_is_named_by_its_arn(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^vendor_role_arns"):
        CmekGuardrails(vendor_role_arns=value)


def test_a_template_of_a_hundred_resources_is_judged() -> None:
    text = json.dumps(forms.template("explicit_with_id")["Resources"])
    resources: Template = {}
    for number in range(34):
        resources |= json.loads(text.replace("Cmek", f"Cmek{number}"))
    assert len(resources) == 102
    resources["Cmek7RoleB9267AA0"]["Properties"]["MaxSessionDuration"] = 7200
    (violation,) = judge({"Resources": resources}, account=CUSTOMER)
    assert violation.place.logical_id == "Cmek7RoleB9267AA0"


def test_judging_twice_says_the_same_in_the_same_order() -> None:
    for mutant in MUTANTS[::25]:
        first = judge(mutant.template)
        vars(Questions())["_known"].clear()
        second = judge(mutant.template)
        assert [(one.rule, one.what) for one in first] == [(one.rule, one.what) for one in second]


def test_a_hostile_value_is_printable_and_short() -> None:
    template = forms.template("explicit_with_id")
    statement = template["Resources"]["CmekRoleB9267AA0"]["Properties"]
    principal = {"AWS": "\x1b[2Jpinecone_cmek" + "x" * 5000}
    statement["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = principal
    for violation in judge(template):
        assert violation.what.isprintable()
        assert len(violation.what) < 1_100
        assert len(violation.rule) < 250


def test_one_template_may_name_what_another_exports() -> None:
    role = forms.template("role_alone")
    (name,) = role["Resources"]
    role["Outputs"] = {"Arn": {"Value": {"Fn::GetAtt": [name, "Arn"]}, "Export": {"Name": "RoleArn"}}}
    key = forms.template("explicit_with_id")
    del key["Resources"]["CmekRoleB9267AA0"], key["Outputs"]
    text = json.dumps(key).replace('{"Fn::GetAtt": ["CmekRoleB9267AA0", "Arn"]}', '{"Fn::ImportValue": "RoleArn"}')
    assert judge_all([(role, CUSTOMER), (json.loads(text), CUSTOMER)]) == []
    text = text.replace("kms:Encrypt", "kms:PutKeyPolicy")
    found = judge_all([(role, CUSTOMER), (json.loads(text), CUSTOMER)])
    assert names(found) == {"key-role-access", "pinecone-locked-out"}


def _exported_and_imported(output: Template, name: Any) -> set[str]:
    """What is wrong where the key's template imports the role, and the role's has this output."""
    role = forms.template("role_alone")
    [logical_id] = role["Resources"]
    role["Conditions"] = {"Never": {"Fn::Equals": ["a", "b"]}}
    role["Outputs"] = {"Arn": {"Value": {"Fn::GetAtt": [logical_id, "Arn"]}, **output}}
    key = forms.template("explicit_with_id")
    del key["Resources"]["CmekRoleB9267AA0"], key["Outputs"]
    for statement in key_policy(key)[1:]:
        statement["Principal"] = {"AWS": {"Fn::ImportValue": name}}
    return names(judge_all([(role, CUSTOMER), (key, CUSTOMER)]))


def test_an_export_is_known_by_the_region_that_it_shares_with_the_import() -> None:
    name = {"Fn::Sub": "${AWS::Region}-${AWS::AccountId}-Role"}
    assert _exported_and_imported({"Export": {"Name": name}}, name) == set()
    name = {"Fn::Sub": "${AWS::StackName}-Role"}
    assert _exported_and_imported({"Export": {"Name": name}}, name) != set()


def test_an_output_that_is_never_made_exports_nothing() -> None:
    output = {"Export": {"Name": "Role"}, "Condition": "Never"}
    assert _exported_and_imported(output, "Role") == {"key-foreign-principal"}


def test_a_worker_of_the_key_that_others_assume_is_judged_as_the_role() -> None:
    template = forms.template("explicit_with_id")
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
    properties = {"AssumeRolePolicyDocument": {"Statement": [statement]}}
    template["Resources"]["Worker"] = {"Type": "AWS::IAM::Role", "Properties": properties}
    statements = template["Resources"]["CmekKey21C8C2B3"]["Properties"]["KeyPolicy"]["Statement"]
    worker = {"AWS": {"Fn::GetAtt": ["Worker", "Arn"]}}
    statements.append({**statements[0], "Principal": worker, "Action": "kms:Decrypt"})
    assert broken(template) == {"trust-open-to-all", "role-retained"}


def test_a_replica_of_the_key_is_judged_as_the_key() -> None:
    template = forms.template("explicit_with_id")
    policy = json.loads(json.dumps(template["Resources"]["CmekKey21C8C2B3"]["Properties"]))
    policy["KeyPolicy"]["Statement"][1:] = []
    template["Resources"]["Replica"] = {
        "Type": "AWS::KMS::ReplicaKey",
        "Properties": {**policy, "PrimaryKeyArn": {"Fn::GetAtt": ["CmekKey21C8C2B3", "Arn"]}},
    }
    assert broken(template) == {"key-multi-region", "key-retained"}


def test_a_policy_of_another_stack_that_names_the_role_is_judged(tmp_path: Path) -> None:
    def fill(stack: cdk.Stack) -> None:
        ours = cmek(stack)
        other = new_stack(cdk.App.of(stack), "Other")  # type: ignore[arg-type]
        policy = iam.Policy(other, "More", roles=[ours.role])
        policy.add_statements(iam.PolicyStatement(actions=["s3:GetObject"], resources=["*"]))

    violations, _ = synthesized(guarded(tmp_path, fill))
    assert refused(violations) == {"Other/More/Resource": ["role-permissions"]}


def test_a_key_of_another_stack_is_judged_alone_as_one_that_cannot_be_read() -> None:
    template = forms.template("explicit_with_id")
    del template["Outputs"]
    text = json.dumps(template).replace('{"Fn::GetAtt": ["CmekRoleB9267AA0", "Arn"]}', '{"Fn::ImportValue": "RoleArn"}')
    assert broken(json.loads(text)) == {"key-foreign-principal"}


def test_an_external_id_that_is_typed_is_compared_to_the_letter() -> None:
    template = forms.template("explicit_with_id")
    del template["Outputs"]
    template["Parameters"] = {"Id": {"Type": "String"}}
    (statement,) = template["Resources"]["CmekRoleB9267AA0"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    statement["Condition"] = {"StringEquals": {"sts:ExternalId": {"Ref": "Id"}}}
    assert broken(template) == set()
    statement["Condition"] = {"StringLike": {"sts:ExternalId": {"Ref": "Id"}}}
    assert [one.rule for one in judge(template, account=CUSTOMER)] == ["trust-external-id[StringLike_Id]"]


@pytest.mark.parametrize("operator", ["StringLike", "ArnLike"])
def test_pinecones_account_that_is_typed_is_twelve_digits_where_a_wildcard_would_count(operator: str) -> None:
    text = json.dumps(forms.template("all_regions")).replace('"StringLike"', f'"{operator}"')
    made = json.loads(re.sub(r'"(arn:aws:iam::)[0-9]{12}(:role/pinecone[^"]*)"', r'{"Fn::Sub": "\1${Typed}\2"}', text))
    made["Parameters"] = {"Typed": {"Type": "String"}}
    assert broken(made) == {"trust-principal-pattern"}
    for known in ({"AllowedPattern": "[0-9]{12}"}, {"AllowedPattern": r"^\d{1,12}$"}, {"Type": "Number"}):
        made["Parameters"]["Typed"] = {"Type": "String", **known}
        assert broken(made) == set()
    for unknown in ("[0-9*]{12}", "[9-_]{12}", ".{12}", r"[0-9]{12}|\*"):
        made["Parameters"]["Typed"] = {"Type": "String", "AllowedPattern": unknown}
        assert broken(made) == {"trust-principal-pattern"}


@pytest.mark.parametrize("key", ["principal", "Action", "resource"])
def test_a_condition_key_that_aws_has_not_is_none_of_what_a_request_is(key: str) -> None:
    template = forms.template("explicit_with_id")
    everybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    key_policy(template).append({**everybody, "Condition": {"StringEquals": {key: "kms:decrypt"}}})
    assert broken(template) == {"key-open-to-all"}


@pytest.mark.parametrize("more", [[], ["BoolIfExists"]])
@pytest.mark.parametrize("action", ["kms:*", "kms:Decrypt"])
def test_who_signs_in_elsewhere_is_one_finding_whatever_is_denied(action: str, more: list[str]) -> None:
    template = forms.template("explicit_with_id")
    login = f"arn:aws:iam::{CUSTOMER}:saml-provider/Login"
    usual = {"Action": action, "Resource": "*"}
    key_policy(template).append({"Effect": "Allow", "Principal": {"Federated": login}, **usual})
    for operator in more:
        service = {
            operator: {"aws:PrincipalIsAWSService": "false"},
            "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:*"},
        }
        key_policy(template).append({"Effect": "Deny", "Principal": "*", **usual, "Condition": service})
    assert [one.rule for one in judge(template, account=CUSTOMER)] == [f"key-foreign-principal[{login}]"]


@pytest.mark.parametrize("who", ["*", "arn:aws:iam::999988887777:root", "the role"])
def test_all_but_some_actions_are_told_as_such_and_all_but_none_one_by_one(who: str) -> None:
    template = forms.template("explicit_with_id")
    named = key_policy(template)[1]["Principal"] if who == "the role" else {"AWS": who}
    statement = {"Effect": "Allow", "Principal": named, "Resource": "*"}
    key_policy(template).append(statement | {"NotAction": []})
    found = judge(template, account=CUSTOMER)
    assert any("replace the key policy" in one.what for one in found)
    assert not any("all but" in one.what or "all_but" in one.rule for one in found)
    key_policy(template)[-1] = statement | {"NotAction": ["kms:Decrypt", "kms:Encrypt"]}
    told = [one.what for one in judge(template, account=CUSTOMER) if "all but" in one.what]
    assert told
    assert all("do all but kms:Decrypt kms:Encrypt" in one for one in told)


@pytest.mark.parametrize("more", [{"StringLike": "*"}, {"StringEquals": "data"}])
def test_denied_with_a_tag_and_without_it_nobody_takes_it_back(more: dict[str, str]) -> None:
    template = forms.template("explicit_with_id")
    denied = [{"StringNotEquals": "data"}, {"StringNotLike": "d*"}, more]
    for (operator, value), number in zip((pair for one in denied for pair in one.items()), "123", strict=True):
        key_policy(template).append(
            {
                "Sid": f"Denied{number}",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "kms:PutKeyPolicy",
                "Resource": "*",
                "Condition": {operator: {"aws:PrincipalTag/team": value}},
            }
        )
    assert broken(template) == {"key-owner-denied"}


@pytest.mark.parametrize(
    ("condition", "hangs_on", "words"),
    [
        ({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, "aws:sourceip", "the caller's address"),
        ({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}, "aws:sourcevpce", "what is sent as aws:sourcevpce"),
        (
            {"StringNotEquals": {"aws:SourceVpce": "vpce-1", "aws:SourceVpc": "vpc-1"}},
            "aws:sourcevpce_aws:sourcevpc",
            "what is sent as aws:sourcevpce, and what is sent as aws:sourcevpc",
        ),
    ],
)
def test_a_denial_that_may_spare_the_owner_is_told_with_what_it_hangs_on(
    condition: Any, hangs_on: str, words: str
) -> None:
    template = forms.template("explicit_with_id")
    denial = {"Effect": "Deny", "Principal": "*", "Resource": "*", "Condition": condition}
    key_policy(template).append(denial | {"Action": ["kms:PutKeyPolicy", "kms:GetKeyPolicy"]})
    (found,) = judge(template)
    assert found.rule == f"key-owner-denied[{hangs_on}]"
    root = f"arn:aws:iam::{forms.CUSTOMER}:root"
    what = f"does not surely let {root} kms:GetKeyPolicy and kms:PutKeyPolicy: that hangs on {words}."
    assert found.what == f"The key policy {what}"
    key_policy(template)[-1] = denial | {"Action": "kms:*"}
    assert {one.rule for one in judge(template)} == {f"key-owner-denied[{hangs_on}]"}
    del denial["Condition"]
    key_policy(template).append(denial | {"Action": "kms:PutKeyPolicy"})
    found, unsure = judge(template)
    assert (found.rule, unsure.rule) == ("key-owner-denied", f"key-owner-denied[{hangs_on}]")
    assert found.what == "The key policy denies kms:PutKeyPolicy to its own account, by statement 5."


_OTHERS_ID = "AROASTRANGERSTRANGER1:*"
_UNSEEN = "pinecone-not-seen-to-come-in"


@pytest.mark.parametrize(
    ("effect", "action", "operator", "session", "others", "rules"),
    [
        ("Allow", "kms:Decrypt", "StringLike", ":*", [], set()),
        ("Allow", "kms:Decrypt", "StringLike", ":*", [_OTHERS_ID], {"key-open-to-all"}),
        ("Allow", "kms:Decrypt", "StringLike", ":*", ["*"], {"key-open-to-all"}),
        ("Allow", "kms:PutKeyPolicy", "StringEquals", ":one", [], {"key-open-to-all"}),
        ("Deny", "kms:Decrypt", "StringNotLike", ":*", [CUSTOMER], set()),
        ("Deny", "kms:Decrypt", "StringNotLike", ":one", [CUSTOMER], {_UNSEEN}),
        ("Deny", "kms:Decrypt", "StringNotLike", "", [CUSTOMER], {_UNSEEN}),
        ("Deny", "kms:Decrypt", "StringNotEquals", ":*", [CUSTOMER], {_UNSEEN}),
        ("Deny", "kms:Decrypt", "StringLike", ":*", [_OTHERS_ID], {OUT}),
        ("Deny", "kms:PutKeyPolicy", "StringLike", ":*", [CUSTOMER], {"key-owner-denied"}),
    ],
)
def test_the_id_of_a_session_is_of_the_role_and_of_nobody_beside_it(
    effect: str, action: str, operator: str, session: str, others: list[str], rules: set[str]
) -> None:
    template = forms.template("explicit_with_id")
    own = {"Fn::Sub": f"${{{resource_id(template, 'IAM::Role')}.RoleId}}{session}"}
    condition = {operator: {"aws:userid": [own, *others]}}
    key_policy(template).append(allow("*", action, Effect=effect, Condition=condition))
    assert broken(template) == rules


def _with_tag(value: Any) -> Template:
    return {"Condition": {"StringLike": {"aws:PrincipalTag/team": value}}}


def _own_denial(template: Template, **members: Any) -> None:
    role(template)["Policies"] = [grant(Effect="Deny", Action="kms:*", **members)]


def _trust_denial(template: Template, **members: Any) -> None:
    trust_policy(template).append({"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", **members})


def _boundary(template: Template, **members: Any) -> None:
    document = grant(Action="kms:*", **members)["PolicyDocument"]
    add(template, "Boundary", "IAM::ManagedPolicy", PolicyDocument=document)
    role(template)["PermissionsBoundary"] = {"Ref": "Boundary"}


UNREAD: dict[str, Callable[[Template, Any], object]] = {
    "whom the key denies": lambda t, value: key_policy(t).append(deny({"AWS": value}, "kms:Decrypt")),
    "with which tag the key denies": lambda t, value: key_policy(t).append(deny("*", "kms:*", **_with_tag(value))),
    "when the key denies": lambda t, value: key_policy(t).append(deny("*", "kms:Decrypt", Condition=value)),
    "whom the key denies to mend it": lambda t, value: key_policy(t).append(deny({"AWS": value}, "kms:PutKeyPolicy")),
    "with which tag the role may use the key": lambda t, value: key_policy(t)[1].update(_with_tag(value)),
    "what the root may do": lambda t, value: key_policy(t)[0].update(Action=value),
    "whom the role denies": lambda t, value: _trust_denial(t, Principal={"AWS": value}),
    "when the role denies": lambda t, value: _trust_denial(t, Condition=value),
    "with which tag Pinecone comes in": lambda t, value: trust(t)["Condition"]["StringEquals"].update(
        {"aws:PrincipalTag/team": value}
    ),
    "what of the role's own is denied": lambda t, value: _own_denial(t, Resource=value),
    "with which tag the role's own is denied": lambda t, value: _own_denial(t, **_with_tag(value)),
    "what a boundary leaves": lambda t, value: _boundary(t, Resource=value),
}


@pytest.mark.parametrize("what", UNREAD)
@pytest.mark.parametrize("value", [{"Fn::Bogus": ["x"]}, "{{resolve:ssm:/somebody}}"], ids=["function", "reference"])
def test_what_cannot_be_read_and_may_keep_somebody_out_is_told(what: str, value: Any) -> None:
    template = forms.template("explicit_with_id")
    UNREAD[what](template, value)
    assert broken(template) == {"cannot-be-judged"}


def test_a_denial_that_aws_refuses_cannot_be_judged() -> None:
    for member in ({"Foo": 1}, {"NotResource": "*"}, {"Condition": "x"}, {"Principal": ["*"]}):
        template = forms.template("explicit_with_id")
        key_policy(template).append({**deny("*", "kms:Decrypt"), **member})
        assert broken(template) == {"cannot-be-judged"}


def test_the_id_of_a_role_in_more_ways_than_can_be_judged_is_told_soon() -> None:
    template = forms.template("explicit_with_id")
    own = [{"Fn::Sub": f"${{{resource_id(template, 'IAM::Role')}.RoleId}}:{number}"} for number in range(30)]
    operators = ("StringLike", "StringEquals", "StringEqualsIfExists", "StringLikeIfExists", "ForAnyValue:StringLike")
    condition = {operator: {"aws:userid": own} for operator in operators}
    key_policy(template).append(deny("*", "kms:Decrypt", Condition=condition))
    assert broken(template) == {"cannot-be-judged"}


def test_who_was_deleted_is_told_in_not_principal_too() -> None:
    template = forms.template("explicit_with_id")
    spared = {"AWS": [role_arn(template), f"arn:aws:iam::{CUSTOMER}:root", "AROAEXAMPLEEXAMPLE12"]}
    key_policy(template).append({"Effect": "Deny", "NotPrincipal": spared, "Action": "kms:*", "Resource": "*"})
    assert broken(template) == {"deleted-principal"}


def test_a_boundary_takes_what_not_principal_would_spare() -> None:
    template = forms.template("explicit_with_id")
    spared = {"AWS": [role_arn(template), f"arn:aws:iam::{CUSTOMER}:root"]}
    denial = {"Effect": "Deny", "NotPrincipal": spared, "Action": "kms:*", "Resource": "*"}
    key_policy(template).append(denial)
    assert broken(template) == set()
    role(template)["PermissionsBoundary"] = f"arn:aws:iam::{CUSTOMER}:policy/Boundary"
    assert broken(template) == {OUT}


@pytest.mark.parametrize(
    ("actions", "taken"),
    [
        ("kms:GetKeyPolicy", "kms:GetKeyPolicy"),
        ("kms:Put*", "kms:PutKeyPolicy"),
        ("kms:*KeyPolicy", "kms:GetKeyPolicy and kms:PutKeyPolicy"),
    ],
)
def test_a_denial_of_the_owner_is_told_with_what_it_takes(actions: str, taken: str) -> None:
    template = forms.template("explicit_with_id")
    key_policy(template).append(deny("*", actions))
    (found,) = judge(template)
    assert found.what == f"The key policy denies {taken} to its own account, by statement 4."


def test_two_denials_of_the_owner_are_told_by_both_their_names() -> None:
    template = forms.template("explicit_with_id")
    for name, action in (("NoRead", "kms:GetKeyPolicy"), ("NoWrite", "kms:PutKeyPolicy")):
        denial = {"Sid": name, "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": action, "Resource": "*"}
        key_policy(template).append(denial)
    [violation] = [one for one in judge(template) if one.rule == "key-owner-denied"]
    assert "NoRead" in violation.what
    assert "NoWrite" in violation.what


@pytest.mark.parametrize(
    ("conditions", "rules"),
    [
        ([{"Bool": "false"}], set()),
        ([{"BoolIfExists": "false"}], set()),
        ([{"Null": "true"}], set()),
        ([{"Bool": "true"}, {"BoolIfExists": "false"}], {"key-owner-denied"}),
    ],
)
def test_the_owner_may_ask_with_mfa(conditions: list[dict[str, str]], rules: set[str]) -> None:
    template = forms.template("explicit_with_id")
    for operator, value in (pair for one in conditions for pair in one.items()):
        condition = {operator: {"aws:MultiFactorAuthPresent": value}}
        key_policy(template).append(deny("*", "kms:PutKeyPolicy", Condition=condition))
    assert broken(template) == rules


def test_all_but_the_plugin_is_pure() -> None:
    for path in (ROOT / "cmek_construct" / "guardrails").glob("*.py"):
        if path.name not in ("plugin.py",):
            known = {one.split(".")[0] for one in imports(path)}
            assert not known & {"aws_cdk", "constructs", "jsii"}, path.name


def test_every_rule_says_a_sentence_and_a_cure() -> None:
    for rule in rules().values():
        assert all(said.endswith(".") for said in (rule.sentence, rule.allows, rule.cure)), rule.id
        assert {*rule.policies.split()} <= {*get_args(Kind)}, rule.id
        assert {*rule.said_by.split()} <= {*RULE_IDS}, rule.id
    assert CmekGuardrails().rule_ids == RULE_IDS


def test_a_key_of_ones_own_is_left_alone(tmp_path: Path) -> None:
    def fill(stack: cdk.Stack) -> None:
        kms.Key(stack, "Key", removal_policy=cdk.RemovalPolicy.DESTROY)

    assert synthesized(guarded(tmp_path, fill)) == ([], [])
