"""However an app is wired, its role and its key are found, and the key lets the role in."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_ssm as ssm
from constructs import IConstruct

from cmek_construct import (
    CmekGuardrails,
    PineconeCmek,
    PineconeCmekStackSet,
    PineconeKey,
    PineconePrincipal,
    PineconeRole,
    StackSetTargets,
)
from cmek_construct.guardrails.judging import judge
from cmek_construct.policy import Request, Verdict
from cmek_construct.templates.found import Found
from cmek_construct.templates.pinecone import find
from cmek_construct.templates.run import read_run
from tests.building import ACCOUNT, EXTERNAL_ID, PINECONE, REGIONS, cmek
from tests.judged import names
from tests.policies import allows

FLAGS = json.loads((Path(__file__).parent / "cdk_init_flags.json").read_text())
"""What `cdk init` writes into the context of a new app."""
PROPS: dict[str, Any] = {"pinecone_account_id": PINECONE, "regions": REGIONS, "external_id": EXTERNAL_ID}
FOREIGN = "key-foreign-principal[arn:aws:iam::777788889999:root]"
SHOWN = {"SecureTransport": "true"}


def stack(scope: Any, name: str, region: str | None = "us-east-1", **props: Any) -> cdk.Stack:
    account = ACCOUNT if region else None
    return cdk.Stack(scope, name, env=cdk.Environment(account=account, region=region), **props)


def role_here_key_there(app: Any) -> None:
    role = PineconeRole(stack(app, "A"), "Role", **PROPS)
    PineconeKey(stack(app, "B"), "Key", role=role)


def key_here_cmek_there(app: Any) -> None:
    key = kms.Key(stack(app, "A"), "Key")
    PineconeCmek(stack(app, "B"), "Cmek", key=key, **PROPS)


def role_here_cmek_there(app: Any) -> None:
    who = PineconePrincipal(PINECONE, regions=REGIONS, external_id=EXTERNAL_ID)
    role = iam.Role(stack(app, "A"), "Role", assumed_by=who)
    PineconeCmek(stack(app, "B"), "Cmek", role=role, **PROPS)


def role_in_the_parent(app: Any) -> None:
    parent = stack(app, "A")
    role = PineconeRole(parent, "Role", **PROPS)
    PineconeKey(cdk.NestedStack(parent, "N"), "Key", role=role)


def role_in_the_child(app: Any) -> None:
    parent = stack(app, "A")
    role = PineconeRole(cdk.NestedStack(parent, "N"), "Role", **PROPS)
    PineconeKey(parent, "Key", role=role)


def role_and_key_in_siblings(app: Any) -> None:
    parent = stack(app, "A")
    role = PineconeRole(cdk.NestedStack(parent, "N"), "Role", **PROPS)
    PineconeKey(cdk.NestedStack(parent, "M"), "Key", role=role)


def role_and_key_in_children_of_two(app: Any) -> None:
    role = PineconeRole(cdk.NestedStack(stack(app, "A"), "N"), "Role", **PROPS)
    PineconeKey(cdk.NestedStack(stack(app, "B"), "M"), "Key", role=role)


def key_of_the_parent_in_the_child(app: Any) -> None:
    parent = stack(app, "A")
    key = kms.Key(parent, "Key")
    PineconeCmek(cdk.NestedStack(parent, "N"), "Cmek", key=key, **PROPS)


def role_and_key_in_two_regions(app: Any) -> None:
    here = stack(app, "A", cross_region_references=True)
    there = stack(app, "B", "eu-west-1", cross_region_references=True)
    PineconeKey(there, "Key", role=PineconeRole(here, "Role", **PROPS))


def key_of_another_region(app: Any) -> None:
    key = kms.Key(stack(app, "A", cross_region_references=True), "Key")
    there = stack(app, "B", "eu-west-1", cross_region_references=True)
    PineconeCmek(there, "Cmek", key=key, **PROPS)


def in_a_stage(app: Any) -> None:
    role_here_key_there(cdk.Stage(app, "Prod"))


def nested_in_a_stage(app: Any) -> None:
    role_in_the_child(cdk.Stage(app, "Prod"))


def of_no_environment(app: Any) -> None:
    role = PineconeRole(stack(app, "A", None), "Role", **PROPS)
    PineconeKey(stack(app, "B", None), "Key", role=role)


def beside_an_empty_stack(app: Any) -> None:
    cmek(stack(app, "A"))
    stack(app, "B")


WIRINGS = [
    role_here_key_there,
    key_here_cmek_there,
    role_here_cmek_there,
    role_in_the_parent,
    role_in_the_child,
    role_and_key_in_siblings,
    role_and_key_in_children_of_two,
    key_of_the_parent_in_the_child,
    role_and_key_in_two_regions,
    key_of_another_region,
    in_a_stage,
    nested_in_a_stage,
    of_no_environment,
    beside_an_empty_stack,
]
with_and_without_flags = pytest.mark.parametrize("flags", [{}, FLAGS], ids=["bare", "init"])


def synthesized(wiring: Callable[[Any], None], folder: Path, flags: dict[str, Any]) -> Path:
    app = cdk.App(outdir=str(folder / "cdk.out"), context=flags, analytics_reporting=False)
    wiring(app)
    return Path(app.synth().directory)


def found_in(*paths: Path) -> Found:
    return find(read_run(paths))


def assert_pinecone_comes_in(found: Found) -> None:
    """One role, one key, and Pinecone can use both."""
    [role], [key] = found.roles, found.keys
    [[role_now], [key_now]] = role.cases, key.cases
    assert key_now.roles == {role.place}
    for region in REGIONS:
        pinecone = f"arn:aws:iam::{PINECONE}:role/pinecone_cmek_access_{region}"
        context = {"sts:ExternalId": EXTERNAL_ID}
        assume = Request(pinecone, "sts:AssumeRole", context=context, own=True)
        assert allows(role_now.policy, assume).verdict is Verdict.YES
    decrypt = Request(role_now.arn, "kms:Decrypt", own=False)
    assert allows(key_now.policy, decrypt).verdict is Verdict.YES
    assert found.problems == []
    assert found.unread == []


@with_and_without_flags
@pytest.mark.parametrize("wiring", WIRINGS, ids=lambda one: one.__name__)
def test_role_and_key_are_found(wiring: Callable[[Any], None], flags: dict[str, Any], tmp_path: Path) -> None:
    assert_pinecone_comes_in(found_in(synthesized(wiring, tmp_path, flags)))


@jsii.implements(cdk.IAspect)
class Rotation:
    """Given keys rotate, as the guide's do."""

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, kms.CfnKey):
            node.enable_key_rotation = True


@jsii.implements(cdk.IAspect)
class Stranger:
    """An aspect of somebody else's."""

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, kms.CfnKey):
            stranger = {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::777788889999:root"},
                "Action": "kms:Decrypt",
                "Resource": "*",
            }
            node.add_property_override("KeyPolicy.Statement.4", stranger)


def at_synth(app: cdk.App) -> set[tuple[str, str]]:
    """What the plugin says: the rule, and the resource."""
    try:
        app.synth()
    except RuntimeError as refusal:
        assert "cmek-guardrails" in str(refusal)
    report = json.loads((Path(app.outdir) / "validation-report.json").read_text())
    return {
        (one["ruleName"], where["cloudFormationResource"]["logicalId"])
        for plugin in report["pluginReports"]
        for one in plugin["violations"]
        for where in one["violatingConstructs"]
    }


@with_and_without_flags
@pytest.mark.parametrize("wiring", WIRINGS, ids=lambda one: one.__name__)
def test_the_verdict_at_synth_and_by_the_command_is_the_same(
    wiring: Callable[[Any], None], flags: dict[str, Any], tmp_path: Path
) -> None:
    """Right as it is; wrong once an aspect lets a stranger use the key."""
    of_each: list[tuple[list[Any], set[str]]] = [([Rotation()], set())]
    for aspects, rules in [*of_each, ([Rotation(), Stranger()], {FOREIGN})]:
        folder = str(tmp_path / f"{len(rules)}")
        app = cdk.App(outdir=folder, context=flags, analytics_reporting=False)
        cdk.Validations.of(app).add_plugins(CmekGuardrails())
        wiring(app)
        for stage in (app, *(one for one in app.node.children if isinstance(one, cdk.Stage))):
            cdk.RemovalPolicies.of(stage).retain()
            for aspect in aspects:
                cdk.Aspects.of(stage).add(aspect)
        found = at_synth(app)
        run = read_run([Path(app.outdir)])
        assert found == {(one.rule, one.place.logical_id) for one in judge(find(run))}
        assert {rule for rule, _ in found} == rules


@with_and_without_flags
def test_the_paths_that_cdk_gives_a_plugin_are_the_assembly(flags: dict[str, Any], tmp_path: Path) -> None:
    folder = synthesized(role_and_key_in_children_of_two, tmp_path, flags)
    assert_pinecone_comes_in(found_in(folder / "A.template.json", folder / "B.template.json"))
    assert_pinecone_comes_in(found_in(*folder.glob("*.template.json")))


def test_nested_stacks_fit_by_parameters_and_outputs_alone(tmp_path: Path) -> None:
    folder = synthesized(role_and_key_in_siblings, tmp_path, {})
    for file in folder.glob("*.template.json"):
        shutil.copy(file, tmp_path / file.name.replace("nested", "x"))
    shutil.rmtree(folder)
    assert_pinecone_comes_in(found_in(tmp_path))


def test_a_child_that_is_not_there_and_is_handed_the_role_is_told(tmp_path: Path) -> None:
    folder = synthesized(role_in_the_parent, tmp_path, {})
    [nested] = folder.glob("*.nested.template.json")
    nested.unlink()
    found = found_in(folder)
    [unread] = found.unread
    assert "handed the role" in unread.why
    assert unread.place.type == "AWS::CloudFormation::Stack"


def test_a_file_that_an_older_synth_left_is_no_template(tmp_path: Path) -> None:
    folder = synthesized(role_here_key_there, tmp_path, {})
    shutil.copy(folder / "A.template.json", folder / "Old.template.json")
    shutil.copytree(folder, folder / "assembly-Old")
    assert_pinecone_comes_in(found_in(folder))


@with_and_without_flags
def test_what_another_stack_gives_the_role_is_found(flags: dict[str, Any], tmp_path: Path) -> None:
    def wiring(app: Any) -> None:
        role = cmek(stack(app, "A")).role
        there = stack(app, "B")
        everything = iam.PolicyStatement(actions=["s3:*"], resources=["*"])
        iam.ManagedPolicy(there, "More", roles=[role], statements=[everything])
        let = iam.PolicyStatement(actions=["kms:*"], resources=["*"], principals=[iam.ArnPrincipal(role.role_arn)])
        kms.Key(there, "Second", policy=iam.PolicyDocument(statements=[let]))

    found = found_in(synthesized(wiring, tmp_path, flags))
    [attached] = found.attached
    assert attached.place.stack.name == "B"
    assert attached.policy is not None
    assert attached.policy.statements[0].actions == ("s3:*",)
    assert [key.place.stack.name for key in found.keys] == ["A", "B"]


@with_and_without_flags
def test_a_replica_in_another_region_is_found(flags: dict[str, Any], tmp_path: Path) -> None:
    def wiring(app: Any) -> None:
        here = stack(app, "A", cross_region_references=True)
        there = stack(app, "B", "eu-west-1", cross_region_references=True)
        key = cmek(here, multi_region=True).key
        policy = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt"}]}
        kms.CfnReplicaKey(there, "R", primary_key_arn=key.key_arn, key_policy=policy)

    found = found_in(synthesized(wiring, tmp_path, flags))
    first, replica = found.keys
    assert replica.primary == first.place


def test_a_stack_set_is_read(tmp_path: Path) -> None:
    def wiring(app: Any) -> None:
        there = stack(app, "A")
        PineconeCmekStackSet(
            there, "Set", stack_set_name="s", region="us-east-1", targets=StackSetTargets.accounts([ACCOUNT]), **PROPS
        )

    folder = synthesized(wiring, tmp_path, {})
    found = found_in(folder)
    assert_pinecone_comes_in(found)
    assert found.roles[0].place.stack.is_in_stack_set
    assert found.roles[0].place.path.startswith("Set")


@with_and_without_flags
def test_a_role_that_goes_through_a_parameter_of_ssm_is_the_role(flags: dict[str, Any], tmp_path: Path) -> None:
    def wiring(app: Any) -> None:
        here, near, far = stack(app, "A"), stack(app, "B"), stack(app, "C", "eu-west-1")
        ssm.StringParameter(here, "Arn", parameter_name="/cmek/role", string_value=cmek(here).role.role_arn)
        for there in (near, far):
            role = iam.Role.from_role_arn(
                there, "R", ssm.StringParameter.value_for_string_parameter(there, "/cmek/role")
            )
            role.add_to_principal_policy(iam.PolicyStatement(actions=["s3:*"], resources=["*"]))

    found = found_in(synthesized(wiring, tmp_path, flags))
    assert {one.place.stack.name for one in found.attached} == {"B"}
    assert names(judge(found)) == {"role-permissions"}


@with_and_without_flags
def test_whom_a_parameter_of_ssm_names_is_not_taken_for_good(flags: dict[str, Any], tmp_path: Path) -> None:
    """Somebody else may write it."""

    def wiring(app: Any) -> None:
        here, there = stack(app, "A"), stack(app, "B")
        role = PineconeRole(here, "Role", **PROPS)
        ssm.StringParameter(here, "Arn", parameter_name="/cmek/role", string_value=role.role_arn)
        arn = ssm.StringParameter.value_for_string_parameter(there, "/cmek/role")
        PineconeKey(there, "Key", role=role).grant_decrypt(iam.ArnPrincipal(arn))

    found = found_in(synthesized(wiring, tmp_path, flags))
    assert names(judge(found)) == {"key-foreign-principal"}
