"""What Pinecone stores for good, and what it comes out of: another one is refused at synth."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_ssm as ssm

from cmek_construct import ALL_REGIONS, CmekGuardrails, PineconeCmekStackSet, PineconeRole, StackSetTargets, templates
from cmek_construct.lock.text import is_locked, read
from tests.building import ACCOUNT, EXTERNAL_ID, PINECONE, cmek, new_stack, template_of
from tests.command import cmek as run

Fill = Callable[[cdk.Stack], object]
OTHER = "9d3f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f"
THIRD = "0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9"
UNIT = "ou-ab12-11112222"
ONE, TWO, THREE = "444455556666", "777788889999", "888899990000"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def synth(fill: Fill, *more: str, account: str | None = ACCOUNT) -> list[str]:
    """Synthesize an app with the guardrails; what the lock refuses."""
    app = cdk.App(outdir=str(Path("cdk.out").absolute()), analytics_reporting=False)
    cdk.Validations.of(app).add_plugins(CmekGuardrails())
    for name in ("Search", *more):
        fill(new_stack(app, name, account, "us-east-1" if account else None))
    try:
        app.synth()
    except RuntimeError as error:
        assert "ValidationFailed" in str(error)
    report = Path("cdk.out/validation-report.json")
    reports = json.loads(report.read_text())["pluginReports"] if report.exists() else []
    found = [one for each in reports for one in each["violations"] if one["severity"] == "fatal"]
    return [f"{one['ruleName']}: {one['description']}" for one in found]


def lock(*options: str, code: int = 0) -> str:
    printed = run(Path(), "lock", *options, code=code)
    return printed.stdout + printed.stderr


def parameter(stack: cdk.Stack, name: str, default: str, **props: Any) -> str:
    return cdk.CfnParameter(stack, name, default=default, **props).value_as_string


def mapped(value: str) -> Fill:
    def fill(stack: cdk.Stack) -> None:
        names = cdk.CfnMapping(stack, "Names", mapping={"us-east-1": {"role": value}})
        cmek(stack, role_name=names.find_in_map(cdk.Aws.REGION, "role"))

    return fill


def of_path(default: str) -> Fill:
    rule = "pinecone-not-seen-to-come-in[a_request_of_this_form_is_not_known_here]"

    def fill(stack: cdk.Stack) -> None:
        cmek(stack, role_path=parameter(stack, "Path", default))
        cdk.Validations.of(stack).acknowledge(cdk.Acknowledgment(id=f"cmek-guardrails::{rule}", reason="Its path"))

    return fill


def of_id(default: str) -> Fill:
    return lambda stack: cmek(stack, external_id=parameter(stack, "Id", default))


def one_of(default: str, *more: str) -> Fill:
    allowed = ["dev", "prod", *more]

    def fill(stack: cdk.Stack) -> None:
        cmek(stack, role_name=parameter(stack, "Env", default, allowed_values=allowed))

    return fill


def conditional(wanted: str, default: str = "prod", here: bool = True) -> Fill:
    """A role that is made where a parameter has a value."""

    def fill(stack: cdk.Stack) -> None:
        env = parameter(stack, "Env", default, allowed_values=["dev", "prod", "test"])
        is_made = cdk.CfnCondition(stack, "Made", expression=cdk.Fn.condition_equals(env, wanted))
        role = cmek(stack).node.find_child("Role").node.default_child
        assert isinstance(role, iam.CfnRole)
        role.cfn_options.condition = is_made if here else None

    return fill


def nested(name: str) -> Fill:
    def fill(stack: cdk.Stack) -> None:
        inner = cdk.NestedStack(stack, "Inner", parameters={"Name": name})
        cmek(inner, role_name=cdk.CfnParameter(inner, "Name").value_as_string)

    return fill


def fleet(region: str = "us-east-1", **ids: str) -> Fill:
    """A stack set whose accounts have external IDs of their own, if there are some."""

    def fill(stack: cdk.Stack) -> None:
        own = {account[1:]: one for account, one in ids.items()}
        one = None if own else EXTERNAL_ID
        targets = StackSetTargets.accounts(own or [ONE])
        PineconeCmekStackSet(
            stack, "Fleet", pinecone_account_id=PINECONE, regions=["us-east-1"], region=region,
            targets=targets, stack_set_name="fleet", external_id=one,
        )  # fmt: skip

    return fill


def reaching(*groups: dict[str, list[str]], regions: Sequence[str] = ("us-east-1",), own: str = "") -> Fill:
    """A stack set of groups of targets, each in its Region, of which the first may have an external ID of its own."""

    def fill(stack: cdk.Stack) -> None:
        fleet()(stack)
        [made] = [one for one in stack.node.find_all() if isinstance(one, cdk.CfnStackSet)]
        given: list[dict[str, Any]] = [
            {"DeploymentTargets": whom, "Regions": [regions[number % len(regions)]]}
            for number, whom in enumerate(groups)
        ]
        given[0] |= {"ParameterOverrides": [{"ParameterKey": "Id", "ParameterValue": own}]} if own else {}
        made.add_property_override("StackInstancesGroup", given)
        made.add_property_override("Parameters", [{"ParameterKey": "Id", "ParameterValue": EXTERNAL_ID}])
        body = json.loads(made.template_body or "")
        body["Parameters"] = {"Id": {"Type": "String"}}
        made.template_body = json.dumps(body).replace(
            f'"sts:ExternalId": "{EXTERNAL_ID}"', '"sts:ExternalId": {"Ref": "Id"}'
        )

    return fill


def in_regions(*groups: tuple[str, str], account: Any = ONE) -> Fill:
    """A stack set with one account, which has an external ID in each of some Regions."""

    def fill(stack: cdk.Stack) -> None:
        fleet(**{f"_{ONE}": EXTERNAL_ID})(stack)
        [made] = [one for one in stack.node.find_all() if isinstance(one, cdk.CfnStackSet)]
        whom = {"DeploymentTargets": {"Accounts": [account]}}
        given = [
            {**whom, "Regions": [region], "ParameterOverrides": [{"ParameterKey": "ExternalId", "ParameterValue": one}]}
            for region, one in groups
        ]
        made.add_property_override("StackInstancesGroup", given)

    return fill


def of_two_projects(*ids: str) -> Fill:
    """A stack set of another module with two roles, for each of which its one account has an external ID."""

    def fill(stack: cdk.Stack) -> None:
        inner = new_stack(account=None, region=None)
        for number, _ in enumerate(ids):
            one = cdk.CfnParameter(inner, f"Id{number}").value_as_string
            PineconeRole(inner, f"Of{number}", pinecone_account_id=PINECONE, external_id=one, regions=["us-east-1"])
        body = json.dumps(template_of(inner))
        own = [{"parameterKey": f"Id{number}", "parameterValue": one} for number, one in enumerate(ids)]
        cdk.CfnStackSet(
            stack, "Set", stack_set_name="x", permission_model="SELF_MANAGED", template_body=body,
            stack_instances_group=[
                {"deploymentTargets": {"accounts": [ONE]}, "parameterOverrides": own, "regions": ["us-east-1"]}
            ],
        )  # fmt: skip

    return fill


def of(**props: Any) -> Fill:
    return lambda stack: cmek(stack, **props)


def of_ssm(path: str) -> Fill:
    """A role whose name the deploy takes out of SSM."""
    kind = "AWS::SSM::Parameter::Value<String>"
    return lambda stack: cmek(stack, role_name=f"{parameter(stack, 'N', path, type=kind)}-role")


def of_typed(stack: cdk.Stack) -> None:
    cmek(stack, role_name=f"{cdk.CfnParameter(stack, 'N').value_as_string}-role")


def of_resource(default: str, tag: str = "x") -> Fill:
    """A role whose name a resource says, which has it of a parameter."""

    def fill(stack: cdk.Stack) -> None:
        value, tags = parameter(stack, "Name", default), {"tag": tag}
        said = ssm.CfnParameter(stack, "Said", type="String", value=value, tags=tags)
        cmek(stack, role_name=said.attr_value)

    return fill


def of_key(**properties: Any) -> Fill:
    """A key with these properties, of which those that are None are not set."""

    def fill(stack: cdk.Stack) -> None:
        key = cmek(stack).node.find_child("Key").node.default_child
        assert isinstance(key, kms.CfnKey)
        for name, value in properties.items():
            key.add_property_override(name, value)

    return fill


def kind_by_condition(stack: cdk.Stack) -> None:
    env = parameter(stack, "Env", "prod")
    is_prod = cdk.CfnCondition(stack, "Prod", expression=cdk.Fn.condition_equals(env, "prod"))
    of_key(KeySpec=cdk.Fn.condition_if(is_prod.logical_id, "SYMMETRIC_DEFAULT", cdk.Aws.NO_VALUE))(stack)


def named_if(*asked: str) -> Fill:
    """A role whose name hangs on what somebody types; something else asks whether it is another text."""

    def fill(stack: cdk.Stack) -> None:
        env = cdk.CfnParameter(stack, "Env").value_as_string
        prod = cdk.CfnCondition(stack, "Prod", expression=cdk.Fn.condition_equals(env, "prod"))
        for text in asked:
            cdk.CfnCondition(stack, text, expression=cdk.Fn.condition_equals(env, text))
        cmek(stack, role_name=cdk.Fn.condition_if(prod.logical_id, "pinecone", f"pinecone-{env}").to_string())

    return fill


def left_out(*accounts: str) -> Fill:
    whom = {"OrganizationalUnitIds": [UNIT], "Accounts": [*accounts], "AccountFilterType": "DIFFERENCE"}
    return reaching(whom)  # type: ignore[arg-type]


def given_role(external_id: str) -> Fill:
    """A role that no template has: it was made before, and asks for an external ID."""

    def fill(stack: cdk.Stack) -> None:
        arn = f"arn:aws:iam::{ACCOUNT}:role/made-before"
        cmek(stack, role=iam.Role.from_role_arn(stack, "Given", arn), external_id=external_id)

    return fill


def id_of_each_synth(stack: cdk.Stack) -> None:
    cmek(stack, external_id=str(uuid.uuid4()))


REFUSED: dict[str, tuple[Fill, Fill, str]] = {
    "another external ID": (of(), of(external_id=OTHER), f'"{EXTERNAL_ID}" and is now "{OTHER}"'),
    "none any more": (of(), of(external_id=None), f'"{EXTERNAL_ID}" and is now not set'),
    "one where none was": (of(external_id=None), of(), f'not set and is now "{EXTERNAL_ID}"'),
    "of a role that is given": (given_role(EXTERNAL_ID), given_role(OTHER), "the key "),
    "one made at synth": (id_of_each_synth, id_of_each_synth, "locked-role: "),
    "another account number": (of(), of(pinecone_account_id=ONE), f'"{PINECONE}" and is now'),
    "of a mapping": (mapped("one"), mapped("two"), 'RoleName was "one" and is now "two"'),
    "path of a default": (of_path("/a/"), of_path("/b/"), 'Path was {"not the defaults": "${Path}'),
    "external ID of a default": (of_id(EXTERNAL_ID), of_id(OTHER), f'"the defaults": "{OTHER}"'),
    "default of several": (one_of("dev"), one_of("prod"), 'Default of Env was "dev" and is now'),
    "a condition's definition": (conditional("prod"), conditional("dev"), "Condition was ["),
    "a condition's parameter": (conditional("prod"), conditional("prod", "dev"), "Default of Env"),
    "a condition more": (conditional("dev", here=False), conditional("dev"), "Condition was not s"),
    "of a nested parameter": (nested("one"), nested("two"), 'RoleName was "one" and is now "two"'),
    "name in SSM": (of_ssm("/a"), of_ssm("/b"), 'Default of N was "/a" and is now "/b"'),
    "a parameter of SSM now": (of_typed, of_ssm("/a"), 'Default of N was not set and is now "/a"'),
    "name of a resource": (of_resource("a"), of_resource("b"), 'Default of Name was "a" and is now'),
    "region of a stack set": (fleet(), fleet("eu-west-1"), 'Regions was "us-east-1" and is now'),
    "an account that a stack set has no longer": (
        reaching({"Accounts": [ONE, TWO]}), reaching({"Accounts": [ONE]}),
        f"the deployment target FleetStackSetEF56E433/{TWO} is locked",
    ),
    "a unit that a stack set has no longer": (
        reaching({"OrganizationalUnitIds": [UNIT, f"{UNIT}2"]}), reaching({"OrganizationalUnitIds": [UNIT]}),
        f"the deployment target FleetStackSetEF56E433/{UNIT}2 is locked",
    ),
    "accounts in each other's Regions": (
        reaching({"Accounts": [ONE]}, {"Accounts": [TWO]}, regions=("us-east-1", "eu-west-1")),
        reaching({"Accounts": [ONE]}, {"Accounts": [TWO]}, regions=("eu-west-1", "us-east-1")),
        'its Regions was "us-east-1" and is now "eu-west-1"',
    ),
    "an ID of its own for an account that had that of all": (
        reaching({"Accounts": [ONE]}, {"Accounts": [TWO]}),
        reaching({"Accounts": [ONE]}, {"Accounts": [TWO]}, own=OTHER),
        f"{ONE} is locked in cmek.lock, but its ExternalId was not set and is now",
    ),
    "ID of an account": (
        fleet(**{f"_{ONE}": EXTERNAL_ID, f"_{TWO}": OTHER}),
        fleet(**{f"_{ONE}": EXTERNAL_ID, f"_{TWO}": str(uuid.UUID(int=1, version=4))}),
        f"StackSetEF56E433/{TWO} is locked",
    ),
    "ID of the only account": (
        fleet(**{f"_{ONE}": EXTERNAL_ID}), fleet(**{f"_{ONE}": OTHER}), f'is now "{OTHER}"',
    ),
    "ID of an account in the first of its Regions": (
        in_regions(("us-east-1", EXTERNAL_ID), ("eu-west-1", OTHER)),
        in_regions(("us-east-1", THIRD), ("eu-west-1", OTHER)), f"StackSetEF56E433/{ONE} is locked",
    ),
    "ID of an account for the first of two roles": (
        of_two_projects(EXTERNAL_ID, OTHER), of_two_projects(THIRD, OTHER), f"Set/{ONE} is locked",
    ),
    "IDs of an account for two roles, in each other's place": (
        of_two_projects(EXTERNAL_ID, OTHER), of_two_projects(OTHER, EXTERNAL_ID), f"Set/{ONE} is locked",
    ),
    "IDs of an account in its Regions, in each other's place": (
        in_regions(("us-east-1", EXTERNAL_ID), ("eu-west-1", OTHER)),
        in_regions(("us-east-1", OTHER), ("eu-west-1", EXTERNAL_ID)), f"StackSetEF56E433/{ONE} is locked",
    ),
    "ID of an account in one of its Regions": (
        in_regions(("us-east-1", OTHER), ("eu-west-1", OTHER)),
        in_regions(("us-east-1", EXTERNAL_ID), ("eu-west-1", OTHER)), f"StackSetEF56E433/{ONE} is locked",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_another_value_of_what_is_for_good_is_refused(name: str) -> None:
    before, after, said = REFUSED[name]
    assert synth(before) == []
    lock()
    assert "is up to date" in lock("--check")
    found = synth(after)
    assert any(said in one for one in found), found
    assert all(one.startswith(("locked-role: ", "locked-key: ", "locked-place: ")) for one in found)
    assert "Undo the change" in lock("--check", code=1)


def test_what_a_synth_refused_is_not_locked() -> None:
    synth(of(pinecone_account_id=ACCOUNT))
    said = lock(code=1)
    assert "its synth was refused (trust-own-account" in said
    assert not Path("cmek.lock").exists()


SAME: dict[str, tuple[Fill, Fill]] = {
    "suspended": (of(), of(suspended=True)),
    "a region more": (of(), of(regions=["us-east-1", "eu-west-1", "us-west-2"])),
    "every region": (of(), of(regions=ALL_REGIONS)),
    "its account pinned": (of(regions=ALL_REGIONS), of(regions=ALL_REGIONS, pin_account=True)),
    "a key's defaults not set": (of(), of_key(KeySpec=None, KeyUsage=None, MultiRegion=None)),
    "a key's defaults set": (of_key(MultiRegion=None), of_key(Origin="AWS_KMS", MultiRegion=False)),
    "a truth value as text": (of(), of_key(MultiRegion="False")),
    "a key's kind by a condition, its default in either case": (of(), kind_by_condition),
    "another condition of the same parameter": (named_if(), named_if("staging")),
    "another condition less of the same parameter": (named_if("staging"), named_if()),
    "a condition less": (conditional("prod"), conditional("prod", here=False)),
    "an account less that is left out": (left_out(ONE, TWO), left_out(ONE)),
    "an account more, in another Region": (
        reaching({"Accounts": [ONE]}),
        reaching({"Accounts": [ONE]}, {"Accounts": [TWO]}, regions=("us-east-1", "eu-west-1")),
    ),
    "a value more that a parameter may have": (one_of("dev"), one_of("dev", "test")),
    "a tag of a resource that says the name": (of_resource("a"), of_resource("a", tag="y")),
    "an account more": (fleet(**{f"_{ONE}": EXTERNAL_ID}), fleet(**{f"_{ONE}": EXTERNAL_ID, f"_{TWO}": OTHER})),
    "the Regions of an account in another order": (
        in_regions(("us-east-1", EXTERNAL_ID), ("eu-west-1", OTHER)),
        in_regions(("eu-west-1", OTHER), ("us-east-1", EXTERNAL_ID)),
    ),
    "twenty accounts more": (
        fleet(**{f"_{ONE}": EXTERNAL_ID}),
        fleet(**{f"_{int(ONE) + n}": EXTERNAL_ID[:-2] + f"{15 + n:02x}" for n in range(20)}),
    ),
}


def by_env(**names: str) -> Fill:
    """A role whose name is another in each environment."""

    def fill(stack: cdk.Stack) -> None:
        env = parameter(stack, "Env", "dev", allowed_values=[*names])
        mapping = cdk.CfnMapping(stack, "Names", mapping={one: {"role": name} for one, name in names.items()})
        cmek(stack, role_name=mapping.find_in_map(env, "role"))

    return fill


def test_a_case_that_is_new_is_locked_as_well() -> None:
    synth(by_env(dev="a", prod="b"))
    lock()
    assert synth(by_env(dev="a", prod="b", test="c")) == []
    assert "locked in the cases that are new" in lock("--check", code=1)
    lock()
    assert "is up to date" in lock("--check")
    assert synth(by_env(dev="a", prod="b", test="d")) != []


def test_what_is_gone_from_the_only_template_is_refused_by_its_name() -> None:
    synth(of())
    lock()
    synth(lambda stack: None)
    assert "its logical ID was CmekRoleB9267AA0 and is now gone" in lock("--check", code=1)


@pytest.mark.parametrize("name", SAME)
def test_what_is_the_same_for_pinecone_passes(name: str) -> None:
    before, after = SAME[name]
    synth(before)
    lock()
    assert synth(after) == []


def test_of_a_fleet_each_account_is_one_line() -> None:
    synth(fleet(**{f"_{ONE}": EXTERNAL_ID, f"_{TWO}": OTHER}))
    lock()
    lines = Path("cmek.lock").read_text().splitlines()
    accounts = [line for line in lines if " account {" in line]
    assert [line.rpartition(":")[2] for line in accounts] == [f'"{EXTERNAL_ID}"}}', f'"{OTHER}"}}']
    assert [line.count(EXTERNAL_ID) for line in lines].count(1) == 1
    assert found_gone(fleet(**{f"_{ONE}": EXTERNAL_ID})) == [TWO]


def test_an_account_of_which_nobody_knows_the_number_is_not_locked() -> None:
    def fill(stack: cdk.Stack) -> None:
        cdk.CfnParameter(stack, "Whose")
        in_regions(("us-east-1", EXTERNAL_ID), account={"Ref": "Whose"})(stack)

    synth(fill)
    assert "/${Whose}: a logical ID has letters and digits alone, 255 at most, and what a stack set" in lock(code=1)
    assert not Path("cmek.lock").exists()


def found_gone(fill: Fill) -> list[str]:
    said = [one.split(" is locked")[0] for one in synth(fill) if "and is now gone" in one]
    return [one.rpartition("/")[2] for one in said]


def test_a_file_that_an_older_synth_left_is_not_locked() -> None:
    synth(of(), "Left")
    assert lock().count("locked, a role") == 2
    Path("cmek.lock").unlink()
    left = Path("cdk.out/Left.template.json").read_bytes()
    synth(of())
    Path("cdk.out/Left.template.json").write_bytes(left)
    assert lock("cdk.out", "cdk.out/Left.template.json").count("locked, a role") == 1
    assert "Left" not in Path("cmek.lock").read_text()


def test_the_same_stack_in_two_accounts_is_locked_without_the_path_of_a_file() -> None:
    app = cdk.App(outdir=str(Path("cdk.out").absolute()), analytics_reporting=False)
    for number in (ONE, TWO):
        stage = cdk.Stage(app, f"S{number}", env=cdk.Environment(account=number, region="us-east-1"))
        of_path("/a/")(cdk.Stack(stage, "Search", stack_name="Search"))
    app.synth()
    lock()
    text = Path("cmek.lock").read_text()
    assert text.count('"not the defaults":"${Path}"') == 2
    assert "cdk.out" not in text


def test_a_key_or_role_that_is_locked_is_known_whatever_it_looks_like() -> None:
    synth(of())
    lock()
    file = Path("cdk.out/Search.template.json")
    content = json.loads(file.read_text())
    for one in content["Resources"].values():
        if one["Type"] in ("AWS::IAM::Role", "AWS::KMS::Key"):
            one["Properties"] = {"AssumeRolePolicyDocument": {}, "KeyPolicy": {}}
    del content["Outputs"]
    for alias in [k for k, one in content["Resources"].items() if one["Type"].endswith("Alias")]:
        del content["Resources"][alias]
    file.write_text(json.dumps(content))
    runs = templates.read_run([Path("cdk.out")])
    assert not templates.find(runs).roles
    found = templates.find(runs, known=partial(is_locked, read(Path("cmek.lock"))))
    assert [len(found.roles), len(found.keys)] == [1, 1]
    assert "its ExternalId was" in lock(code=1)


def test_what_has_more_cases_than_can_be_judged_is_not_passed_over_in_silence() -> None:
    def fill(stack: cdk.Stack) -> None:
        allowed = [f"name{number}" for number in range(20)]
        name = parameter(stack, "Name", "name0", allowed_values=allowed)
        is_first = cdk.Fn.condition_equals(name, "name0")
        condition = cdk.CfnCondition(stack, "First", expression=is_first)
        cmek(stack, role_name=cdk.Fn.condition_if(condition.logical_id, "one", name).to_string())

    synth(fill)
    said = lock(code=1)
    assert "more cases than can be judged" in said
    assert "it cannot be locked" in said
    assert not Path("cmek.lock").exists()


def test_an_unlocked_role_with_another_external_id_is_the_same_role_to_aws() -> None:
    synth(of())
    lock()
    arn = f"arn:aws:iam::{ACCOUNT}:role/made"
    file = Path("cmek.lock")
    file.write_text(file.read_text().replace('{"ExternalId"', f'{{"Arn":"{arn}","ExternalId"'))
    run(Path(), "unlock", "Search", "role", "--reason", "a new project")
    synth(of(external_id=OTHER))
    lock()
    assert arn in file.read_text()
    run(Path(), "unlock", "Search", "role", "--reason", "another role")
    synth(of(external_id=OTHER, role_name="another"))
    lock()
    [line] = [one for one in file.read_text().splitlines() if " AWS::IAM::Role " in one]
    assert arn not in line
